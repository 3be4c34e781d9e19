"""What waiting at the interim look costs: months against patients, for each policy of accrual."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from trialsim.engine.waiting import WEIGH, Waiting
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.labels import Box, along, around, beside, place
from trialsim.figures.style import BLACK, BLUE, GREY, NARROW, ORANGE, Key, Sheet, count_ticks
from trialsim.figures.words import names_within
from trialsim.writing.numbers import probability

MOST_CASES = 5
AXES = ("duration_months", "en")
LEFT, RIGHT, BELOW, HIGH, HEAD = 1.0, 0.4, 0.85, 5.0, 0.15
MARKERS = {"weigh_follow_up": "D", "leave_out": "v", "pause": "s", "early_decision": "^", "continue": "o"}
WORDS = {
    "weigh_follow_up": "no wait: pending patients are weighed",
    "leave_out": "no wait: pending patients are left out",
    "pause": "pause: no patients until the decision",
    "early_decision": "early decision: pause, decide once it is certain",
    "continue": "continue: patients arrive meanwhile",
}
NAME, LEADER = 3.0, 0.3
"""Longest name of a case in cm, and the gap in cm from which on a line leads to it."""

COLOURS = (BLACK, BLUE, ORANGE, GREY, "#8C5AA0")


def draw(material: Material) -> Drawn | None:
    """Expected duration against expected patients, a marker a policy and a line a case; None where nobody waits."""
    found = material.pictured.waiting
    if not found:
        return None
    cases = list(dict.fromkeys(row.case for row in found))
    shown = cases[:MOST_CASES]
    keys = [
        Key(WORDS[policy], {"color": BLACK, "marker": MARKERS[policy], "markersize": 4, "linestyle": ""})
        for policy in dict.fromkeys(row.policy for row in found)
    ]
    footer = (
        f"Simulated, R = {found[0].replicates:,} a case and policy on the same patients, seed "
        f"{material.pictured.seed}; lines across the marks: 95% intervals, hidden where shorter. Filled: the "
        f"scenario's own policy ({_own(found)})."
    )
    if len(cases) > len(shown):
        footer += f" Shown: the first {len(shown)} of {len(cases)} cases."
    sheet = Sheet(NARROW, BELOW + HIGH + HEAD, footer, keys)
    axes = sheet.axes(LEFT, BELOW, NARROW - LEFT - RIGHT, HIGH)
    points = [[_point(row) for row in found if row.case == case] for case in shown]
    for colour, case_points, case in zip(COLOURS, points, shown, strict=False):
        rows = [row for row in found if row.case == case]
        axes.plot(*zip(*case_points, strict=True), color=colour, linewidth=0.8)
        for row, (x, y) in zip(rows, case_points, strict=True):
            months, patients = (row.found[name].other for name in AXES)
            axes.plot([months.low, months.high], [y, y], color=colour, linewidth=0.8)
            axes.plot([x, x], [patients.low, patients.high], color=colour, linewidth=0.8)
            fill = colour if row.own else "white"
            mark: dict[str, Any] = {"marker": MARKERS[row.policy], "markersize": 4.5, "markerfacecolor": fill}
            axes.plot([x], [y], color=colour, linestyle="", zorder=4, **mark)
    axes.margins(0.16, 0.1)
    count_ticks(axes.xaxis, 7)
    count_ticks(axes.yaxis, 7)
    axes.set_xlabel("Expected duration (months)")
    axes.set_ylabel("Expected patients treated")
    _name(axes, points, names_within(shown, NAME))
    return Drawn(
        "waiting_cost",
        "What waiting at the interim look costs",
        "Expected duration and expected number of patients treated when accrual pauses at an interim look, pauses only "
        f"until the decision is certain, or goes on{_unweighed(found)}. Down is fewer patients, left a shorter trial.",
        _alt(found),
        sheet.figure,
        [row for each in found for row in each.rows()],
    )


def _point(row: Waiting) -> tuple[float, float]:
    """Months and patients under a policy."""
    x, y = (row.found[name].other.estimate for name in AXES)
    return x, y


def _name(axes: Axes, points: list[list[tuple[float, float]]], names: list[str]) -> None:
    """The name of each case beside one of its marks, in its colour, where it covers least."""
    wide, high = NARROW - LEFT - RIGHT, HIGH
    (left, right), (low, top) = axes.get_xlim(), axes.get_ylim()
    axes.set_xlim(left, right)
    axes.set_ylim(low, top)
    spots = [
        [((x - left) / (right - left) * wide, (y - low) / (top - low) * high) for x, y in case]
        for case in points
    ]
    taken = [around(*spot, 0.25, 0.25) for case in spots for spot in case]
    taken += [box for case in spots for a, b in zip(case, case[1:], strict=False) for box in along(a, b)]
    for case, name, colour in zip(spots, names, COLOURS, strict=False):
        foreign = [spot for other in spots if other is not case for spot in other]
        near = [
            (box, own)
            for own in case
            for box in beside(*own, name)
            # a name that is nearer to a mark of another case would be read as that one's
            if box.gap(own) <= min((box.gap(spot) for spot in foreign), default=wide)
        ]
        every = [box for box, _ in near] or [box for own in case for box in beside(*own, name)]
        box = place(every, taken, Box(0.0, 0.05, wide, high))
        if box is None:
            continue
        own = min(case, key=box.gap)
        at = [(px / wide, py / high) for px, py in (box.middle, box.nearest(own), own)]
        axes.text(*at[0], name, color=colour, ha="center", va="center", transform=axes.transAxes, zorder=6)
        if box.gap(own) > LEADER:
            axes.plot(*zip(*at[1:], strict=True), color=colour, linewidth=0.4, transform=axes.transAxes)


def _unweighed(found: tuple[Waiting, ...]) -> str:
    """What is compared where looks weigh pending patients."""
    if not any(row.policy == WEIGH for row in found):
        return ""
    return ", and when the look does not wait"


def _own(found: tuple[Waiting, ...]) -> str:
    """The scenario's own policy, as the key has it."""
    return WORDS[next(row.policy for row in found if row.own)]


def _alt(found: tuple[Waiting, ...]) -> str:
    words = [
        f"{row.case}, {row.policy.replace('_', ' ')}: {row.found['duration_months'].other.estimate:.1f} months, "
        f"{row.found['en'].other.estimate:.1f} patients, P(go) {probability(row.found['p_go'].other.estimate)}."
        for row in found
    ]
    return " ".join(["Points of expected duration against expected patients.", *words])
