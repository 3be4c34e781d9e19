"""Several toxicity rules at one dose: every engine against enumeration, twin and event simulation."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.oracle import events
from tests.oracle.brute_force import Dose
from tests.oracle.conduct_strategies import random_conduct
from tests.oracle.test_conduct_against_events import common, lanes, scalar
from tests.oracle.test_exact_against_enumeration import assert_same
from tests.oracle.test_kernel_against_twin import assert_same_trials
from trialsim.codes import CONTINUE, NEVER, POOLED, REDUCE
from trialsim.designs.crossing import first_met
from trialsim.designs.rules import Monitor, Rules, two_way
from trialsim.engine.exact import distribution
from trialsim.engine.montecarlo import tallies
from trialsim.engine.quantities import Side
from trialsim.engine.timed import runs_abreast
from trialsim.engine.trials import untimed
from trialsim.errors import DesignError
from trialsim.scenario.boundaries import boundaries, together
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.dose_reduction import DoseReduction
from trialsim.scenario.files import parse
from trialsim.scenario.truth import Rates

DOSES = ("high", "middle", "low")


def random_rule(rng: random.Random, n: int, levels: int) -> dict[str, Any]:
    """A rule as a scenario states it, with an action and doses of its own."""
    kind = rng.choice(("pocock", "posterior", "k_of_first_m", "pasted", "group_sequential"))
    first, m = rng.randint(1, n), rng.randint(1, n)
    looks = sorted(rng.sample(range(1, n + 1), rng.randint(1, min(n, 3))))
    rule: dict[str, Any] = {
        "pocock": {"limit": 0.3, "phi": rng.choice((0.1, 0.3)), "min_n": first},
        "posterior": {"limit": 0.3, "phi": rng.choice((0.1, 0.3)), "prior": [0.6, 1.4], "min_n": first},
        "k_of_first_m": {"k": rng.randint(1, m), "m": m},
        "pasted": {"boundary": {look: rng.randint(1, look) for look in looks}},
        "group_sequential": {"limit": 0.3, "phi": 0.3, "looks": looks},
    }[kind]
    rule |= {"kind": kind, "action": rng.choice(("reduce", "stop"))}
    if rng.random() < 0.3:
        rule["levels"] = rng.sample(DOSES[:levels], rng.randint(1, levels))
    return rule


def random_monitor(rng: random.Random, n: int, most: int, levels: int) -> Monitor:
    """Two or three random rules together."""
    while True:
        block = {
            "rules": [random_rule(rng, n, levels) for _ in range(rng.randint(2, 3))],
            "at_lowest_dose": rng.choice(("stop", "continue")),
        }
        try:
            by_dose = boundaries(DoseReduction.model_validate(block), DOSES[:levels], n, most)
        except DesignError:
            continue
        return together(by_dose, most)


@pytest.mark.parametrize("n", [5, 9])
def test_which_rule_is_met_first_by_enumeration(n: int) -> None:
    """All 2^n sequences in fractions; the sets of rules are told apart as they are met together."""
    rng, rate, seen = random.Random(n), Fraction(3, 8), set()
    for _ in range(25):
        rows = [
            tuple(NEVER if m == 0 or rng.random() < 0.4 else rng.randint(1, m + 1) for m in range(n + 1))
            for _ in range(rng.randint(1, 3))
        ]
        expected: Counter[tuple[int, ...]] = Counter()
        for toxic in product((0, 1), repeat=n):
            weight = rate ** sum(toxic) * (1 - rate) ** (n - sum(toxic))
            met: tuple[int, ...] = ()
            for m in range(1, n + 1):
                met = tuple(k for k, row in enumerate(rows) if sum(toxic[:m]) >= row[m])
                if met:
                    break
            expected[met] += weight
        found = first_met(rows, float(rate), n)
        assert sum(expected.values()) == 1
        assert {k: v for k, v in found.items() if v > 0}.keys() == expected.keys() | {
            k for k in ((),) if found.get(k)
        }
        for which, p in expected.items():
            assert found[which] == pytest.approx(float(p), abs=1e-14)
        seen |= expected.keys()
    assert (0, 1) in seen and (0, 1, 2) in seen


RULES = {
    "lead-in that stops, then monitoring": "{kind: k_of_first_m, k: 2, m: 3, action: stop, levels: [high]}, "
    "{kind: pocock, limit: 0.3, combined_phi: 0.35, min_n: 4}",
    "reduce first, stop for more": "{kind: k_of_first_m, k: 2, m: 7}, "
    "{kind: pasted, boundary: {4: 4, 6: 4}, action: stop}",
    "looks alone, both actions": "{kind: pasted, boundary: {3: 1, 6: 2}}, "
    "{kind: pasted, boundary: {3: 3, 5: 2}, action: stop}",
    "posterior from phi and a stop": "{kind: posterior, limit: 0.3, phi: 0.3, prior: [0.6, 1.4], min_n: 3}, "
    "{kind: k_of_first_m, k: 3, m: 5, min_n: 5, action: stop}",
}  # fmt: skip


@pytest.mark.parametrize("change", ["pooled", "new_dose_only", "restart"])
@pytest.mark.parametrize("name", RULES)
def test_chain_and_kernel_of_a_scenario_with_several_rules(name: str, change: str) -> None:
    """Exact against all outcome sequences, each simulated trial against the twin."""
    n = 5 if change == "restart" else 7
    scenario = parse(f"""
schema: 1
name: small
endpoint: response
design: {{kind: simon, n1: 3, r1: 0, n: {n}, r: 2, p0: 0.1, alpha: 0.1}}
doses: [high, low]
dose_reduction: {{rules: [{RULES[name]}], at_lowest_dose: stop, on_dose_change: {change}}}
truth: {{a: {{response: [0.5, 0.4], toxicity: [0.5, 0.4], odds_ratio: 2}}}}
""".replace("6: 4}", f"{min(n, 6)}: 4}}").replace("6: 2}", f"{min(n, 6)}: 2}}").replace("m: 7", f"m: {n}"))  # fmt: skip
    rules = compile_rules(scenario)
    assert rules.monitor.stop_ge and rules.monitor.action[0] == REDUCE
    truth = tuple(Dose(p, t, 2, 1.0, "independent") for p, t in ((0.5, 0.5), (0.4, 0.4)))
    assert_same(rules, truth)
    assert_same_trials(rules, truth, 7, 0, 60)


def test_a_stop_far_above_the_boundary_is_not_lost_where_counts_saturate() -> None:
    """One look after 6 patients: 2 lower the dose and 5 stop the trial, more than any cut-off of the boundary."""
    n = 7
    act = tuple(2 if m == 6 else NEVER for m in range(n + 1))
    stop = tuple(5 if m == 6 else NEVER for m in range(n + 1))
    looks = two_way((n,), (2,), (2,))
    rules = Rules(
        looks,
        Monitor((act, (NEVER,) * (n + 1)), (0, 0), (REDUCE, CONTINUE), (stop, (NEVER,) * (n + 1))),
        False,
        n,
    )
    truth = (Dose(0.5, 0.75, 1, 1.0, "independent"), Dose(0.5, 0.25, 1, 1.0, "independent"))
    assert_same(rules, truth)
    values = distribution(rules, Rates((0.5, 0.5), (0.75, 0.25))).values
    assert values["p_stop_toxicity"] == pytest.approx(6 * 0.75**5 * 0.25 + 0.75**6, abs=1e-15)


def test_calendar_time_readable_quick_and_event_by_event() -> None:
    """Random combined rules in random calendars: rows of the three, bit for bit."""
    rng = random.Random("several rules, dated")
    with_events = abreast = both = 0
    ends: set[int] = set()
    while with_events < 150 or abreast < 150:
        rules, calendar, thresholds = random_conduct(rng)
        if calendar.own:
            continue
        monitor = random_monitor(rng, rules.looks.planned_n, rules.max_treated, rules.levels)
        rules = replace(rules, monitor=monitor)
        calendar = calendar._replace(amended_at=np.zeros_like(calendar.amended_at))
        if with_events < 150:
            with_events += 1
            rows = scalar(rules, calendar, thresholds, with_events, 3)
            for replicate in range(3):
                told = events.simulate(rules, calendar, thresholds, with_events, replicate)
                assert rows[replicate].tolist() == told.row
                ends.add(told.row[0])
        rules, calendar = common(rules, calendar)
        if runs_abreast(rules, calendar):
            abreast += 1
            both += bool(monitor.stop_ge)
            one = scalar(rules, calendar, thresholds, abreast, 40)
            assert np.array_equal(lanes(rules, calendar, thresholds, abreast, 40), one)
    assert both >= 30
    assert len(ends) >= 7


def test_chain_and_simulation_on_random_combined_rules() -> None:
    """60 random protocols: |z| of one quantity each, one fresh seed each; limits fixed before the first run."""
    rng, found, replicates = random.Random("several rules, z"), [], 20_000
    names = ("p_go", "p_stop_toxicity", "p_dose_reduced", "pet", "p_dose_reduction_triggered")
    while len(found) < 60:
        n, levels = rng.randint(8, 30), rng.randint(1, 3)
        n1, r1 = rng.randint(3, n - 1), rng.randint(0, 2)
        looks = two_way((n1, n), (r1, r1 + rng.randint(1, 4)), (None, None))
        looks = two_way((n1, n), (r1, r := r1 + rng.randint(1, 4)), (None, r))
        rules = Rules(looks, random_monitor(rng, n, n, levels), False, n, POOLED)
        if not rules.monitor.stop_ge and rng.random() < 0.7:
            continue
        rates = Rates((0.25,) * levels, tuple(rng.choice((0.2, 0.3, 0.45)) for _ in range(levels)))
        exact = distribution(rules, rates).values
        usable = [x for x in names if replicates * exact[x] * (1 - exact[x]) >= 100]
        if not usable:
            continue
        name, cases = rng.choice(usable), untimed(rules, {"a": rates})
        drawn = Side.of(cases["a"]).simulated(tallies(cases, replicates, 1000 + len(found))["a"])
        p = exact[name]
        found.append((drawn.values[name].estimate - p) / math.sqrt(p * (1 - p) / replicates))
    largest, ks = max(map(abs, found)), stats.kstest(found, "norm").pvalue
    print(f"{len(found)} protocols: max |z| {largest:.2f}, KS p {ks:.3f}")
    assert largest < 4.5
    assert ks > 1e-3
