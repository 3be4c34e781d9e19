"""A swimmer plot of one simulated trial: a bar a patient by calendar time, with what was seen and when."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.axes import Axes

from trialsim.codes import DAYS_PER_MONTH
from trialsim.engine.traces import Trace
from trialsim.errors import TrialsimError
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, BOLD, GREY, RC, ROW, WIDE, Key, Sheet, count_ticks
from trialsim.figures.words import clean, fit, sentence
from trialsim.writing.numbers import listed

LEFT, RIGHT, BELOW = 1.1, 0.45, 0.85
TALL, SHORT, MOST_HIGH = 0.42, 0.1, 17.0
"""Centimetres a patient has at most and at least, and height up to which patients have more than the least."""

FILLS: tuple[dict[str, Any], ...] = (
    {"facecolor": "#8CC0E8", "hatch": ""},
    {"facecolor": "#F6CF8B", "hatch": "/////"},
    {"facecolor": "#FFFFFF", "hatch": ""},
    {"facecolor": "#D0D0D0", "hatch": "....."},
    {"facecolor": "#CBE3F5", "hatch": "\\\\\\\\\\"},
    {"facecolor": "#FFFFFF", "hatch": "-----"},
    {"facecolor": "#F6CF8B", "hatch": ""},
    {"facecolor": "#FFFFFF", "hatch": "xxxxx"},
)
"""Doses, the starting dose first: light, so that marks stand out, and told apart by hatching on a grey printer."""

EDGE: dict[str, Any] = {"edgecolor": "#404040"}
HOLD: dict[str, Any] = {"color": GREY, "linewidth": 0.8}
AFTER: dict[str, Any] = {"color": GREY, "linewidth": 0.7, "linestyle": (0, (1, 1.5))}
RESPONSE: dict[str, Any] = {"marker": "*", "color": BLACK, "markersize": 6.5}
TOXIC: dict[str, Any] = {"marker": "v", "color": BLACK, "markersize": 4.2, "markerfacecolor": "white"}
SERIOUS: dict[str, Any] = {"marker": "v", "color": BLACK, "markersize": 4.2}
INEVALUABLE: dict[str, Any] = {"marker": "x", "color": BLACK, "markersize": 3.8, "markeredgewidth": 1.0}
ONGOING: dict[str, Any] = {"marker": ">", "color": BLACK, "markersize": 3.6}
OVERRUN: dict[str, Any] = {"marker": "o", "color": BLACK, "markersize": 3.2, "markerfacecolor": "white"}
NO_LINE: dict[str, Any] = {"linestyle": ""}
TRIGGERED: dict[str, Any] = {"color": BLACK, "linewidth": 1.0, "linestyle": (0, (4, 2))}
DECIDED: dict[str, Any] = {"color": BLACK, "linewidth": 1.4}
LAST: dict[str, Any] = {"color": GREY, "linewidth": 1.0, "linestyle": (0, (1, 1.5))}


def draw(trace: Trace) -> Drawn:
    """Bars in order of enrolment, coloured by dose, with responses, toxicities and the trial's own dates.

    Raises:
        TrialsimError: the trial has no calendar.
    """
    if not trace.dated or trace.last_day is None or trace.decided_day is None:
        raise TrialsimError(
            "a swimmer plot needs calendar time, but the scenario has no `conduct` block; the patients can be printed "
            "or written as .csv"
        )
    with matplotlib.rc_context(RC):
        return _draw(trace, trace.last_day, trace.decided_day)


def _draw(trace: Trace, last_day: float, decided_day: float) -> Drawn:
    number = len(trace.patients)
    row = min(TALL, max(MOST_HIGH / number, SHORT))
    size = min(1.0, max(row / 0.3, 0.55))
    title = f"{trace.scenario}: trial {trace.trial} of case {trace.case}"
    head = 2 * ROW + 0.15
    keys = _keys(trace, last_day, decided_day)
    sheet = Sheet(WIDE, BELOW + row * number + head, _footer(trace), keys, columns=3)
    top = BELOW + row * number
    sheet.write(0.15, top + 0.12 + ROW, fit(title, WIDE - 0.3, BOLD), fontweight="bold", va="bottom")
    sheet.write(0.15, top + 0.1, fit(_words(trace), WIDE - 0.3), va="bottom")
    axes = sheet.axes(LEFT, BELOW, WIDE - LEFT - RIGHT, row * number)
    dates: list[tuple[float | None, dict[str, Any]]] = [
        (last_day, LAST),
        (decided_day, DECIDED),
        (trace.triggered_day, TRIGGERED),
    ]
    for day, line in dates:
        if day is not None:
            axes.axvline(_months(day), zorder=4, **line)
    for i, patient in enumerate(trace.patients):
        _bar(axes, i + 1, trace, i, last_day, size)
        _marks(axes, i + 1, patient, size)
    axes.set_xlim(0, _months(last_day) * 1.025 or 1.0)
    axes.set_ylim(number + 0.6, 0.4)
    count_ticks(axes.xaxis, 14)
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if s * row >= 0.28)
    axes.set_yticks([k for k in range(1, number + 1) if k % step == 0 or (k == 1 and step > 2)])
    axes.set_xlabel("Months since the first patient started")
    axes.set_ylabel("Patients in order of enrolment")
    return Drawn(
        "swimmer",
        "Swimmer plot of one simulated trial",
        f"Each bar is the treatment of a patient in trial {trace.trial} of case {trace.case} (seed {trace.seed}), "
        "coloured by dose, from enrolment to the end of treatment. One trial among many: it shows how the protocol "
        "works, not what is likely.",
        _alt(trace),
        sheet.figure,
        list(trace.rows()),
    )


def _months(day: float) -> float:
    return day / DAYS_PER_MONTH


def _bar(axes: Axes, y: int, trace: Trace, i: int, last_day: float, size: float) -> None:
    """The courses of treatment of a patient, as far as the trial follows them."""
    end = 0.0
    for k, course in enumerate(trace.courses[i]):
        begin, stop = min(course.begin, last_day), min(course.end, last_day)
        if k > 0:
            axes.plot([_months(end), _months(begin)], [y, y], zorder=2, **HOLD)
        left, wide = _months(begin), _months(stop - begin)
        axes.barh(y, wide, 0.78, left=left, zorder=3, linewidth=0.4, **FILLS[course.level], **EDGE)
        end = stop
    if trace.courses[i][-1].end > last_day:
        # beside the line of the last outcome, which would hide it
        axes.plot([_months(last_day) * 1.013], [y], zorder=6, **_sized(ONGOING, size), **NO_LINE)
    seen = max(end, *_sights(trace.patients[i]))
    axes.plot([_months(end), _months(seen)], [y, y], zorder=2, **AFTER)


def _sights(patient: dict[str, Any]) -> tuple[float, float]:
    """Days of the onset of toxicity and of the first sight of response; 0 where there is none."""
    return patient["toxicity_onset_day"] or 0.0, patient["response_first_seen_day"] or 0.0


def _marks(axes: Axes, y: int, patient: dict[str, Any], size: float) -> None:
    """What was seen of a patient, and when."""

    def mark(day: float, style: dict[str, Any], zorder: int = 6) -> None:
        axes.plot([_months(day)], [y], zorder=zorder, clip_on=False, **_sized(style, size), **NO_LINE)

    if patient["overrun"]:
        mark(patient["enrolled_day"], OVERRUN, 5)
    if not patient["evaluable"]:
        mark(patient["outcome_known_day"], INEVALUABLE)
    if patient["toxicity_onset_day"] is not None:
        mark(patient["toxicity_onset_day"], SERIOUS if patient["serious"] else TOXIC)
    if patient["response_first_seen_day"] is not None:
        mark(patient["response_first_seen_day"], RESPONSE, 7)


def _sized(style: dict[str, Any], size: float) -> dict[str, Any]:
    return style | {"markersize": style["markersize"] * size, "markeredgewidth": 0.8 * size}


def _keys(trace: Trace, last_day: float, decided_day: float) -> list[Key]:
    """Doses that were given and marks that occur, then the dates."""
    used = sorted({course.level for courses in trace.courses for course in courses})
    keys = [Key(trace.doses[level], patch=FILLS[level] | EDGE) for level in used]
    seen = [
        ("response first seen", RESPONSE, any(p["response"] for p in trace.patients)),
        ("onset of toxicity", TOXIC, any(p["toxicity"] and not p["serious"] for p in trace.patients)),
        ("onset of toxicity, serious", SERIOUS, any(p["serious"] for p in trace.patients)),
        ("known not to be evaluable", INEVALUABLE, not all(p["evaluable"] for p in trace.patients)),
        ("treatment goes on", ONGOING, any(c[-1].end > last_day for c in trace.courses)),
        ("overrun patient", OVERRUN, any(p["overrun"] for p in trace.patients)),
    ]
    keys += [Key(text, style | NO_LINE) for text, style, occurs in seen if occurs]
    if any(a.end < b.begin for c in trace.courses for a, b in zip(c, c[1:], strict=False)):
        keys.append(Key("treatment on hold", HOLD))
    if any(max(_sights(p)) > c[-1].end for p, c in zip(trace.patients, trace.courses, strict=True)):
        keys.append(Key("followed after treatment", AFTER))
    if trace.triggered_day is not None:
        keys.append(Key(f"dose reduction triggered, month {_months(trace.triggered_day):.1f}", TRIGGERED))
    keys.append(Key(f"decision, month {_months(decided_day):.1f}", DECIDED))
    if last_day > decided_day:
        keys.append(Key(f"last outcome known, month {_months(last_day):.1f}", LAST))
    return keys


def _words(trace: Trace) -> str:
    treated = len(trace.patients)
    responses, toxicities = (sum(p[k] or 0 for p in trace.patients) for k in ("response", "toxicity"))
    found = f"{treated} treated: {responses} with response, {toxicities} with toxicity."
    return f"{sentence(trace.end)}. {found}"


def _footer(trace: Trace) -> str:
    return (
        f"One simulated trial, seed {trace.seed}. Only responses that count are marked, where they were first seen. "
        "Bars end with treatment, at the latest with the last outcome."
    )


def _alt(trace: Trace) -> str:
    by_dose = [
        f"{sum(p['dose'] == dose for p in trace.patients)} enrolled at {clean(dose)}" for dose in trace.doses
    ]
    events = " ".join(
        f"Day {int(day)}: {clean(what)}." if day is not None else f"{clean(what)}."
        for day, what in trace.events
    )
    return f"Swimmer plot, a bar a patient: {listed(by_dose)}. {_words(trace)} {events}"
