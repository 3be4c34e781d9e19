"""What sweeps cost, beside a plain loop over the public functions on the same machine at the same moment.

Map: P(go) at 50 x 50 response and toxicity rates, exact (aim: 3 s). Tornado: 12 inputs low and high in calendar time,
100,000 replicates a point, with paired differences (aim: 10 s). The plain loop changes the scenario by its paths and
asks for the answer of each point by itself; it runs a few points, and its time is scaled to all.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, rounds
from trialsim.engine.operating import exact, simulate
from trialsim.engine.whole_trial import find_robust
from trialsim.scenario.changes import changed
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario
from trialsim.varying.assess import assess

CONFIGS = Path(__file__).parents[1] / "configs"
ROUNDS = 3
EXACT_SAMPLE, SIMULATED_SAMPLE = 50, 3
REPLICATES = 100_000

Point = Mapping[str, Any]


def one_case(scenario: Scenario) -> Scenario:
    """The scenario with its active case alone, which is all that either contender is asked for."""
    return changed(scenario, {}).model_copy(update={"truth": {"active": scenario.truth["active"]}})


def plain_exact(scenario: Scenario, points: Sequence[Point]) -> list[float]:
    """P(go) point by point, as a user would write it."""
    found = [exact(changed(scenario, point), totals=False)["active"].exact for point in points]
    return [each.values["p_go"] for each in found if each is not None]


def plain_simulated(scenario: Scenario, points: Sequence[Point]) -> list[object]:
    """Every point simulated by itself, as a user would write it."""
    return [simulate(changed(scenario, point), replicates=REPLICATES, totals=False) for point in points]


def rows() -> list[Row]:
    """The two aims."""
    untimed, timed = (load(CONFIGS / f"{name}.yaml") for name in ("dasatinib-sensitivity", "dasatinib"))
    assert untimed.sensitivity is not None
    assert timed.sensitivity is not None
    axes = untimed.sensitivity.grids["response by toxicity"].axes()
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    some = points[:: len(points) // EXACT_SAMPLE][:EXACT_SAMPLE]
    bars = [
        {path: value}
        for path, ends in timed.sensitivity.tornado["active drug"].inputs.items()
        for value in ends
    ]
    contenders = [
        (
            f"map of {len(points):,} points, exact",
            3.0,
            partial(assess, untimed, only="response by toxicity"),
            partial(plain_exact, one_case(untimed), some),
            len(points) / len(some),
        ),
        (
            f"tornado of {len(bars) // 2} inputs, {REPLICATES:,} replicates a point",
            10.0,
            partial(assess, timed, only="tornado", replicates=REPLICATES),
            partial(plain_simulated, one_case(timed), bars[:SIMULATED_SAMPLE]),
            (len(bars) + 1) / SIMULATED_SAMPLE,
        ),
    ]
    found = []
    for name, aim, sweep, plain, scale in contenders:
        sweep(), plain()  # kernels compiled, files read
        mine, theirs = (statistics.median(times) for times in rounds(ROUNDS, sweep, plain))
        before = time.process_time()
        sweep()
        name += f" ({time.process_time() - before:.1f} s of processor time)"
        found.append(Row(name, f"{mine:.2f} s", theirs * scale / mine, f"<= {aim:g} s", mine <= aim))
    return found


def robust_search() -> list[Row]:
    """The search in the dasatinib scenario's own trial."""
    scenario = load(CONFIGS / "dasatinib.yaml")
    search = partial(find_robust, scenario, alternative=["active"])
    search()
    (times,) = rounds(ROUNDS, search)
    return [
        Row(
            "robust two-stage search, configs/dasatinib.yaml, one alternative",
            f"{statistics.median(times):.1f} s",
        )
    ]
