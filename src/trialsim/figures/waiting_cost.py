"""What waiting at the interim look costs: months against patients, for each policy of accrual."""

from __future__ import annotations

from typing import Any

from trialsim.engine.waiting import POLICIES, Waiting, waiting_cost
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.style import BLACK, BLUE, GREY, NARROW, ORANGE, Key, Sheet, count_ticks
from trialsim.figures.words import names_within
from trialsim.results import to_frame

MOST_CASES = 5
LEFT, RIGHT, BELOW, HIGH, HEAD = 1.0, 0.4, 0.85, 5.0, 0.15
MARKERS = {"pause": "s", "early_decision": "^", "continue": "o"}
WORDS = {
    "pause": "pause: no patients until the decision",
    "early_decision": "early decision: pause, decide once it is certain",
    "continue": "continue: patients arrive meanwhile",
}
COLOURS = (BLACK, BLUE, ORANGE, GREY, "#8C5AA0")


def draw(material: Material) -> Drawn | None:
    """Expected duration against expected patients, a marker a policy and a line a case; None where nobody waits."""
    results = material.results
    if results.replicates is None:
        return None
    found = waiting_cost(material.scenario, material.rules, material.seed, results.replicates)
    if not found:
        return None
    cases = list(dict.fromkeys(row.case for row in found))
    shown = cases[:MOST_CASES]
    keys = [
        Key(WORDS[policy], {"color": BLACK, "marker": MARKERS[policy], "markersize": 4, "linestyle": ""})
        for policy in POLICIES
    ]
    keys += [
        Key(name, {"color": COLOURS[k], "linewidth": 1.4}) for k, name in enumerate(names_within(shown, 6.0))
    ]
    replicates = min(results.replicates, 10_000)
    footer = (
        f"Simulated, R = {replicates:,} a case and policy on the same patients, seed {material.seed}; 95% "
        f"intervals, mostly within the marks. Filled: the scenario's own policy ({_own(found)})."
    )
    if len(cases) > len(shown):
        footer += f" Shown: the first {len(shown)} of {len(cases)} cases."
    sheet = Sheet(NARROW, BELOW + HIGH + HEAD, footer, keys)
    axes = sheet.axes(LEFT, BELOW, NARROW - LEFT - RIGHT, HIGH)
    for k, case in enumerate(shown):
        rows = [row for row in found if row.case == case]
        points = [(row.found["duration_months"].other, row.found["en"].other) for row in rows]
        axes.plot(
            [x.estimate for x, _ in points], [y.estimate for _, y in points], color=COLOURS[k], linewidth=0.8
        )
        for row, (x, y) in zip(rows, points, strict=True):
            axes.plot([x.low, x.high], [y.estimate] * 2, color=COLOURS[k], linewidth=0.8)
            axes.plot([x.estimate] * 2, [y.low, y.high], color=COLOURS[k], linewidth=0.8)
            axes.plot(
                [x.estimate], [y.estimate], marker=MARKERS[row.policy], markersize=4.5, color=COLOURS[k],
                markerfacecolor=COLOURS[k] if row.own else "white", linestyle="", zorder=4,
            )  # fmt: skip
    axes.margins(0.16, 0.1)
    count_ticks(axes.xaxis, 7)
    count_ticks(axes.yaxis, 7)
    axes.set_xlabel("Expected duration (months)")
    axes.set_ylabel("Expected patients treated")
    return Drawn(
        "waiting_cost",
        "What waiting at the interim look costs",
        "Expected duration and expected number of patients treated when accrual pauses at an interim look, pauses only "
        "until the decision is certain, or goes on. Down is fewer patients, left is a shorter trial.",
        _alt(found),
        sheet.figure,
        to_frame([row for each in found for row in rows_of(each)]),
    )


def rows_of(row: Waiting) -> list[dict[str, Any]]:
    """Tidy rows: each quantity under the policy, and its difference from the scenario's own policy."""
    return [
        {
            "case": row.case,
            "interim": row.policy,
            "own": row.own,
            "quantity": name,
            "estimate": found.other.estimate,
            "mcse": found.other.mcse,
            "difference": found.difference.estimate,
            "difference_mcse": found.difference.mcse,
        }
        for name, found in row.found.items()
    ]


def _own(found: tuple[Waiting, ...]) -> str:
    return next(row.policy for row in found if row.own).replace("_", " ")


def _alt(found: tuple[Waiting, ...]) -> str:
    words = [
        f"{row.case}, {row.policy.replace('_', ' ')}: {row.found['duration_months'].other.estimate:.1f} months, "
        f"{row.found['en'].other.estimate:.1f} patients."
        for row in found
    ]
    return " ".join(["Points of expected duration against expected patients.", *words])
