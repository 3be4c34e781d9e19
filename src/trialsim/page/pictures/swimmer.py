"""A swimmer plot of one simulated trial: a bar a patient by calendar time, with what was seen and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialsim.codes import DAYS_PER_MONTH
from trialsim.engine import traces
from trialsim.page.pictures.style import (
    BLACK,
    GREY,
    Figure,
    Picture,
    Row,
    Trace,
    axis,
    figure,
    lines,
    safe,
    upright,
)
from trialsim.reporting.sentences import sentence
from trialsim.writing.numbers import NONE, Cell, count, listed

TALL, SHORT, MOST_HIGH = 17, 5, 640
"""Pixels a patient has at most and at least, and height up to which patients have more than the least."""

FILLS = (
    ("#8CC0E8", ""),
    ("#F6CF8B", "/"),
    ("#FFFFFF", ""),
    ("#D0D0D0", "."),
    ("#CBE3F5", "\\"),
    ("#FFFFFF", "-"),
    ("#F6CF8B", ""),
    ("#FFFFFF", "x"),
)
"""Doses, the starting dose first, as in the report's figure."""

MARKS: dict[str, tuple[str, dict[str, Any]]] = {
    "response": ("response first seen", {"symbol": "star", "size": 10, "color": BLACK}),
    "toxicity": ("onset of toxicity", {"symbol": "triangle-down", "color": "white"}),
    "serious": ("onset of toxicity, serious", {"symbol": "triangle-down", "color": BLACK}),
    "inevaluable": ("known not to be evaluable", {"symbol": "x-thin", "color": BLACK}),
    "ongoing": ("treatment goes on", {"symbol": "triangle-right", "color": BLACK}),
    "overrun": ("overrun patient", {"symbol": "circle", "color": "white", "size": 6}),
}


def swimmer(found: traces.Trace) -> Picture | str:
    """Bars in order of enrolment, coloured by dose, with responses, toxicities and the trial's own dates; a sentence
    where the trial has no calendar."""
    if not found.dated or found.last_day is None or found.decided_day is None:
        return (
            "The scenario has no calendar time, so that there are no dates to draw this trial along; its patients are "
            "listed in their order. With “Calendar time” in the form they are drawn."
        )
    number = len(found.patients)
    high = number * min(TALL, max(MOST_HIGH / number, SHORT))
    data = [*_bars(found, found.last_day), *_marks(found, found.last_day)]
    shapes, dates = _dates(found, found.last_day, found.decided_day)
    layout: Figure = {
        "xaxis": axis(
            "Months since the first patient started", range=[0, _months(found.last_day) * 1.03 or 1]
        ),
        "yaxis": axis("Patients in order of enrolment", range=[number + 0.7, 0.3], showgrid=False),
        "barmode": "overlay",
        "shapes": shapes,
    }
    return Picture(
        "swimmer",
        f"Trial {found.trial} of case {found.case}",
        f"{_words(found)} Each bar is the treatment of a patient, coloured by dose, from enrolment to its end or to "
        f"the last outcome. One simulated trial among many (seed {found.seed}): it shows how the protocol works, "
        "not what is likely. Only responses that count are marked, where they were first seen.",
        figure([*data, *dates], round(high) + 76, **layout),
        (
            "Patient",
            "Enrolled, day",
            "Dose",
            "Treatment ended, day",
            "Response first seen, day",
            "Toxicity, day",
            "Evaluable",
        ),
        tuple(_row(found, i) for i in range(number)),
        _alt(found),
    )


def _months(day: float) -> float:
    return day / DAYS_PER_MONTH


def _bars(found: traces.Trace, last: float) -> list[Trace]:
    """The courses of treatment, a trace a dose, as far as the trial follows them; holds and follow-up as lines."""
    used = sorted({course.level for courses in found.courses for course in courses})
    bars = {level: _bar(found.doses[level], *FILLS[level]) for level in used}
    thin: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "on hold, or followed after treatment",
        "x": [],
        "y": [],
        "line": {"color": GREY, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }
    for i, courses in enumerate(found.courses):
        end = None
        for course in courses:
            begin, stop = min(course.begin, last), min(course.end, last)
            if end is not None and begin > end:
                _line(thin, i, end, begin)
            bar = bars[course.level]
            bar["base"].append(_months(begin))
            bar["x"].append(_months(stop - begin))
            bar["y"].append(i + 1)
            bar["hovertext"].append(_hover(found, i))
            end = stop
        seen = max(_sights(found.patients[i]))
        if end is not None and seen > end:
            _line(thin, i, end, seen)
    return [*([thin] if thin["x"] else []), *bars.values()]


def _line(trace: Trace, i: int, begin: float, end: float) -> None:
    trace["x"] += [_months(begin), _months(end), None]
    trace["y"] += [i + 1, i + 1, None]


def _bar(dose: str, color: str, shape: str) -> Trace:
    marker: dict[str, Any] = {"color": color, "line": {"color": "#404040", "width": 0.6}}
    if shape:
        marker["pattern"] = {"shape": shape, "fgcolor": "#404040", "size": 5, "solidity": 0.2}
    return {
        "type": "bar",
        "orientation": "h",
        "name": safe(dose, 34),
        "base": [],
        "x": [],
        "y": [],
        "width": 0.8,
        "marker": marker,
        "hoverinfo": "text",
        "hovertext": [],
    }


def _sights(patient: dict[str, Any]) -> tuple[float, float]:
    """Days of the onset of toxicity and of the first sight of response; 0 where there is none."""
    return patient["toxicity_onset_day"] or 0.0, patient["response_first_seen_day"] or 0.0


def _marks(found: traces.Trace, last: float) -> list[Trace]:
    """What was seen of the patients, a trace a kind."""
    spots: dict[str, list[tuple[float, int]]] = {name: [] for name in MARKS}
    for i, (patient, courses) in enumerate(zip(found.patients, found.courses, strict=True)):
        if patient["overrun"]:
            spots["overrun"].append((patient["enrolled_day"], i))
        if not patient["evaluable"]:
            spots["inevaluable"].append((patient["outcome_known_day"], i))
        if (day := patient["toxicity_onset_day"]) is not None:
            spots["serious" if patient["serious"] else "toxicity"].append((day, i))
        if (day := patient["response_first_seen_day"]) is not None:
            spots["response"].append((day, i))
        if courses and courses[-1].end > last:
            # beside the line of the last outcome, which would hide it
            spots["ongoing"].append((last * 1.013, i))
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": words,
            "x": [_months(day) for day, _ in spots[name]],
            "y": [i + 1 for _, i in spots[name]],
            "marker": {"size": 8, "line": {"color": BLACK, "width": 1.2}} | style,
            "cliponaxis": False,
            "hoverinfo": "text",
            "hovertext": [_hover(found, i) for _, i in spots[name]],
        }
        for name, (words, style) in MARKS.items()
        if spots[name]
    ]


def _dates(found: traces.Trace, last: float, decided: float) -> tuple[list[dict[str, Any]], list[Trace]]:
    """Lines at the dates of the trial, and their entries in the key."""
    dates = [("decision", decided, BLACK, "solid")]
    if found.triggered_day is not None:
        dates.insert(0, ("dose reduction triggered", found.triggered_day, BLACK, "dash"))
    if last > decided:
        dates.append(("last outcome known", last, GREY, "dot"))
    keys: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{words}, month {_months(day):.1f}",
            "x": [None],
            "y": [None],
            "line": {"color": color, "width": 1.6, "dash": dash},
            "hoverinfo": "skip",
        }
        for words, day, color, dash in dates
    ]
    return [upright(_months(day), color, dash) for _, day, color, dash in dates], keys


def _hover(found: traces.Trace, i: int) -> str:
    patient = found.patients[i]
    toxic, response = patient["toxicity_onset_day"], patient["response_first_seen_day"]
    return lines(
        f"patient {i + 1}, enrolled on day {int(patient['enrolled_day'])} at {patient['dose']}",
        f"response first seen on day {int(response)}" if response is not None else "no response that counts",
        f"{'serious ' if patient['serious'] else ''}toxicity on day {int(toxic)}"
        if toxic is not None
        else "",
        "" if patient["evaluable"] else "not evaluable",
    )


def _row(found: traces.Trace, i: int) -> Row:
    patient, courses = found.patients[i], found.courses[i]
    return (
        Cell(str(i + 1), i + 1),
        _day(patient["enrolled_day"]),
        Cell(patient["dose"]),
        _day(courses[-1].end if courses else None),
        _day(patient["response_first_seen_day"]),
        _day(patient["toxicity_onset_day"]),
        Cell("yes" if patient["evaluable"] else "no"),
    )


def _day(day: float | None) -> Cell:
    return Cell(NONE) if day is None else Cell(f"{day:.0f}", day)


def _words(found: traces.Trace) -> str:
    responses, toxicities = (_sum(found.patients, name) for name in ("response", "toxicity"))
    treated = f"{count(len(found.patients), 'patient')} treated: {responses} with response, {toxicities} with toxicity."
    return f"{sentence(found.end)}. {treated}"


def _sum(patients: Sequence[dict[str, Any]], name: str) -> int:
    return sum(patient[name] or 0 for patient in patients)


def _alt(found: traces.Trace) -> str:
    by_dose = [f"{sum(p['dose'] == dose for p in found.patients)} enrolled at {dose}" for dose in found.doses]
    events = " ".join(
        f"Day {int(day)}: {what}." if day is not None else f"{what}." for day, what in found.events
    )
    return f"Swimmer plot, a bar a patient: {listed(by_dose)}. {_words(found)} {events}".rstrip()
