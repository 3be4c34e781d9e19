"""Simulated against exact: one quantity a cell, a fresh seed a cell, limits fixed before the first run."""

from __future__ import annotations

import math
import random

import pytest
from scipy import stats

from tests.oracle.common import random_case, rates_of
from trialsim.designs.rules import Rules
from trialsim.engine.exact import MAX_STATES, distribution, states
from trialsim.engine.montecarlo import tallies
from trialsim.engine.quantities import Side
from trialsim.engine.trials import untimed
from trialsim.results import Simulated
from trialsim.scenario.truth import Rates

REPLICATES = 200_000
PROBABILITIES = (
    "p_go",
    "p_no_go",
    "p_consider",
    "pet",
    "p_stop_futility",
    "p_stop_toxicity",
    "p_go_early",
    "p_stop_toxicity_at_n",
    "p_dose_reduction_triggered",
    "p_dose_reduced",
)


def simulated(rules: Rules, rates: Rates, seed: int) -> Simulated:
    cases = untimed(rules, {"case": rates})
    return Side.of(cases["case"]).simulated(tallies(cases, REPLICATES, seed)["case"])


def z_of_cells(count: int, first_seed: int) -> list[float]:
    """z of ``count`` random scenarios, each on one random quantity with R p (1 - p) >= 100."""
    rng = random.Random(first_seed)
    found: list[float] = []
    while len(found) < count:
        rules, truth = random_case(rng, max_n=40, max_n_inevaluable=30)
        if states(rules) > MAX_STATES // 20:
            continue
        rates = rates_of(truth)
        exact = distribution(rules, rates).values
        usable = [name for name in PROBABILITIES if REPLICATES * exact[name] * (1 - exact[name]) >= 100]
        if not usable:
            continue
        name = rng.choice(usable)
        seed = first_seed * 1_000_003 + len(found)
        drawn = simulated(rules, rates, seed)
        p = exact[name]
        found.append((drawn.values[name].estimate - p) / math.sqrt(p * (1 - p) / REPLICATES))
    return found


def assert_standard_normal(z: list[float]) -> None:
    limit = stats.norm.isf(0.0005 / len(z))
    assert max(map(abs, z)) < limit
    assert stats.kstest(z, "norm").pvalue > 0.001


def test_a_sample_of_cells():
    assert_standard_normal(z_of_cells(40, first_seed=1))


@pytest.mark.slow
def test_two_hundred_and_fifty_cells():
    z = z_of_cells(250, first_seed=2)
    print(f"cells {len(z)}, max |z| {max(map(abs, z)):.3f}, KS p {stats.kstest(z, 'norm').pvalue:.3f}")
    assert_standard_normal(z)


def test_means_agree_too():
    """Every scalar of one full-size trial, within the Bonferroni limit."""
    from trialsim.scenario.compiled import Compiled
    from trialsim.scenario.compiling import compile_rules
    from trialsim.scenario.files import load

    scenario = load("configs/dasatinib.yaml")

    rules = compile_rules(scenario)
    rates = Compiled.of(scenario).rates["active_dose_response"]
    exact = distribution(rules, rates).values
    drawn = simulated(rules, rates, 77).values
    z = {
        name: (drawn[name].estimate - exact[name]) / drawn[name].mcse
        for name in exact
        if drawn[name].mcse > 0
    }
    assert len(z) >= 16
    assert max(map(abs, z.values())) < stats.norm.isf(0.0005 / len(z))
