"""A swimmer plot of a trial under way: a bar a patient by date, with what is known of her and since when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import matplotlib
from matplotlib.axes import Axes

from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, GREY, PALE, RC, SIZE, WIDE, Key, Sheet
from trialsim.figures.swimmer import (
    BELOW,
    DECIDED,
    EDGE,
    FILLS,
    INEVALUABLE,
    LEFT,
    NO_LINE,
    RESPONSE,
    TOXIC,
    TRIGGERED,
)
from trialsim.figures.words import clean
from trialsim.ongoing.seen import Seen
from trialsim.writing.numbers import count, listed

RIGHT, HEAD = 0.45, 0.15
TALL, SHORT, MOST_HIGH = 0.36, 0.1, 8.2
"""Centimetres a patient has at most and at least, and height up to which patients have more than the least."""

LONGEST_ID = 12
"""Characters of the longest id, up to which patients stand by their ids; else by number."""

APART, SIGN, POINT = 0.2, 0.62, 1 / 28.35
"""Centimetres that two names are apart at least; width of a sign in its height; centimetres of a point."""

UNCONFIRMED: dict[str, Any] = RESPONSE | {"markerfacecolor": "white"}
NO_RESPONSE: dict[str, Any] = {"marker": "|", "color": BLACK, "markersize": 6.0, "markeredgewidth": 1.2}
PENDING: dict[str, Any] = {"marker": "o", "color": BLACK, "markersize": 3.6, "markerfacecolor": "white"}
CUT_OFF: dict[str, Any] = {"color": GREY, "linewidth": 1.0, "linestyle": (0, (1, 1.5))}
FOLLOWED: dict[str, Any] = {"facecolor": PALE, "hatch": ""}

LINES = {"decided": DECIDED, "triggered": TRIGGERED}
"""What an event is -> its line."""

MOST_TICKS = 10

Event = tuple[str, date, str]
"""What happened in words, its day, and a key of ``LINES``."""


def draw(
    name: str, patients: Sequence[Seen], cut_off: date, doses: Sequence[str], events: Sequence[Event]
) -> Drawn:
    """Bars in order of enrolment, from the first dose to the end of treatment or the cut-off, with what is known."""
    with matplotlib.rc_context(RC):
        return _draw(name, patients, cut_off, doses, events)


def _draw(
    name: str, patients: Sequence[Seen], cut_off: date, doses: Sequence[str], events: Sequence[Event]
) -> Drawn:
    number = len(patients)
    row = min(TALL, max(MOST_HIGH / number, SHORT))
    size = min(1.0, max(row / 0.3, 0.55))
    sheet = Sheet(
        WIDE,
        BELOW + row * number + HEAD,
        _footer(cut_off),
        _keys(patients, cut_off, doses, events),
        columns=3,
    )
    by_id = max(len(patient.id) for patient in patients) <= LONGEST_ID
    points = min(SIZE, 0.9 * max(row, APART) / POINT)
    left = LEFT + by_id * SIGN * points * POINT * max(max(len(patient.id) for patient in patients) - 3, 0)
    axes = sheet.axes(left, BELOW, WIDE - left - RIGHT, row * number)
    for y, patient in enumerate(patients, 1):
        _bar(axes, y, patient, cut_off)
        for day, style in _marks(patient, cut_off):
            sized = style | {"markersize": style["markersize"] * size}
            axes.plot([day.toordinal()], [y], zorder=6, clip_on=False, **sized, **NO_LINE)
    for _, day, what in events:
        axes.axvline(day.toordinal(), zorder=4, **LINES[what])
    axes.axvline(cut_off.toordinal(), zorder=4, **CUT_OFF)
    first = patients[0].enrolled
    span = max((cut_off - first).days, 1)
    axes.set_xlim(first.toordinal() - 0.01 * span, cut_off.toordinal() + 0.025 * span)
    axes.set_ylim(number + 0.6, 0.4)
    ticks = list(month_ticks(first, cut_off))
    axes.set_xticks([day.toordinal() for day in ticks], [day.strftime("%Y-%m-%d") for day in ticks])
    if by_id:
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if s * row >= APART)
        named = range(0, number, step)
        axes.set_yticks([k + 1 for k in named], [clean(patients[k].id) for k in named], fontsize=points)
    else:
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if s * row >= 0.28)
        axes.set_yticks([k for k in range(1, number + 1) if k % step == 0 or (k == 1 and step > 2)])
    axes.set_ylabel("Patients in order of enrolment")
    return Drawn(
        "patients_so_far",
        "The patients so far",
        "Each bar is a patient in order of enrolment, from the first dose to the end of treatment where it is stated, "
        f"else to the cut-off, {cut_off}; coloured by the dose of the first day.",
        f"Swimmer plot of {name}: {_counts(patients, doses)}",
        sheet.figure,
        [asdict(patient) for patient in patients],
    )


def month_ticks(first: date, last: date) -> Iterator[date]:
    """First days of months from ``first`` to ``last``, at most about ten; of few weeks, days."""
    months = (last.year - first.year) * 12 + last.month - first.month
    if months < 2:
        step = max(1, (last - first).days // 5)
        yield from (first + timedelta(k) for k in range(0, (last - first).days + 1, step))
        return
    step = next((s for s in (1, 2, 3, 6, 12, 24) if months / s <= MOST_TICKS), 60)
    month = first.month if first.day == 1 else first.month + 1
    while (day := date(first.year + (month - 1) // 12, (month - 1) % 12 + 1, 1)) <= last:
        yield day
        month += step


def _bar(axes: Axes, y: int, patient: Seen, cut_off: date) -> None:
    start, end = patient.enrolled.toordinal(), cut_off.toordinal()
    stop = patient.off_treatment.toordinal() if patient.off_treatment else end
    look = FILLS[patient.level % len(FILLS)]
    axes.barh(y, max(stop - start, 0.5), 0.78, left=start, zorder=3, linewidth=0.4, **look, **EDGE)
    if stop < end and patient.responded is None and not patient.inevaluable:
        axes.plot([stop, end], [y, y], zorder=2, color=GREY, linewidth=0.7, linestyle=(0, (1, 1.5)))


def _marks(patient: Seen, cut_off: date) -> Iterator[tuple[date, dict[str, Any]]]:
    """What is known of a patient, at the day from which it is."""
    if patient.toxic and patient.toxicity_known:
        yield patient.toxicity_known, TOXIC
    if patient.inevaluable and patient.response_known:
        yield patient.response_known, INEVALUABLE
    elif patient.response_known:
        yield patient.response_known, RESPONSE if patient.responded else NO_RESPONSE
    elif patient.unconfirmed:
        yield patient.unconfirmed, UNCONFIRMED
    else:
        yield cut_off, PENDING


def _keys(
    patients: Sequence[Seen], cut_off: date, doses: Sequence[str], events: Sequence[Event]
) -> list[Key]:
    """Doses that were given and marks that occur, then the dates."""
    keys = [
        Key(doses[level], patch=FILLS[level % len(FILLS)] | EDGE)
        for level in sorted({p.level for p in patients})
    ]
    drawn = [style for patient in patients for _, style in _marks(patient, cut_off)]
    for text, style in (
        ("response", RESPONSE),
        ("response, not confirmed yet", UNCONFIRMED),
        ("no response", NO_RESPONSE),
        ("response pending", PENDING),
        ("not evaluable", INEVALUABLE),
        ("toxicity within the window", TOXIC),
    ):
        if any(each is style for each in drawn):
            keys.append(Key(text, style | NO_LINE))
    keys += [Key(f"{text}, {day}", LINES[what]) for text, day, what in events]
    return [*keys, Key(f"cut-off, {cut_off}", CUT_OFF)]


def _counts(patients: Sequence[Seen], doses: Sequence[str]) -> str:
    at = [
        f"{sum(p.level == level for p in patients)} at {clean(dose)}"
        for level, dose in enumerate(doses)
        if any(p.level == level for p in patients)
    ]
    responses, pending = (
        sum(bool(p.responded) for p in patients),
        sum(p.responded is None and not p.inevaluable for p in patients),
    )
    toxic = sum(bool(p.toxic) for p in patients)
    return (
        f"{count(len(patients), 'patient')}, {listed(at)}; {count(responses, 'response')}, {pending} pending; "
        f"{toxic} with toxicity."
    )


def _footer(cut_off: date) -> str:
    return (
        f"As known on {cut_off}. Marks stand at the day from which a thing is known: a response when it is confirmed, "
        "where the protocol confirms responses."
    )
