"""Cohorts with designs of their own: against enumeration in fractions, the event simulation, and each other."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import cache

import pytest

import trialsim
from tests.oracle import events
from tests.oracle.test_apart_cohorts import BASKET, OfACohort
from trialsim.engine.exact import distribution
from trialsim.engine.timed import Timed
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.streams import stream_key
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

SMALL = """
schema: 1
name: three small cohorts
endpoint: response
design: {kind: simon, n1: 2, r1: 0, n: 4, r: 1, p0: 0.2, p1: 0.5}
dose_reduction: {rule: {kind: pasted, boundary: {2: 2, 4: 3}, action: stop}}
cohorts:
  rules: own
  monitor: own
  strata: [{name: A, share: 0.5}, {name: B, share: 0.2}, {name: C, share: 0.3}]
  designs:
    B: {kind: single_stage, n: 5, r: 2, p0: 0.25, p1: 0.5}
    C: {kind: simon, n1: 3, r1: 1, n: 5, r: 2, p0: 0.3, p1: 0.6}
truth:
  mixed: {response: 0.25, toxicity: 0.25, cohorts: {C: {response: 0.5, toxicity: 0.125}}}
"""
CUTS = {"A": {2: (0, None), 4: (1, 1)}, "B": {5: (2, 2)}, "C": {3: (1, None), 5: (2, 2)}}
"""By cohort and patients of a look: stop at so many responses or fewer; go at more than so many."""
RATES = {
    "A": (Fraction(1, 4), Fraction(1, 4)),
    "B": (Fraction(1, 4), Fraction(1, 4)),
    "C": (Fraction(1, 2), Fraction(1, 8)),
}
P0 = {"A": Fraction(1, 5), "B": Fraction(1, 4), "C": Fraction(3, 10)}


def cut(m: int) -> int:
    """Toxicities that stop a cohort after m patients: looked at after 2 and 4 of them."""
    return {2: 2, 4: 3}.get(m, 99)


@cache
def of_a_cohort(name: str) -> tuple[Fraction, Fraction, Fraction]:
    """P(go), P(stop for toxicity) and expected patients, by every sequence of patients."""
    (p, t), looks = RATES[name], CUTS[name]
    go = stop = patients = Fraction(0)
    most = max(looks)
    for outcomes in itertools.product(itertools.product((0, 1), (0, 1)), repeat=most):
        chance = Fraction(1)
        for response, toxic in outcomes:
            chance *= (p if response else 1 - p) * (t if toxic else 1 - t)
        responses = toxicities = 0
        for m, (response, toxic) in enumerate(outcomes, start=1):
            responses, toxicities = responses + response, toxicities + toxic
            if toxicities >= cut(m):
                stop += chance
                break
            if m in looks:
                low, high = looks[m]
                if high is not None and responses > high:
                    go += chance
                    break
                if responses <= low:
                    break
        patients += chance * m
    return go, stop, patients


def test_cohorts_with_three_designs_are_enumerated() -> None:
    """Every number to 1e-14, false go in the cohorts whose rate is at or below the p0 of their own design."""
    values = trialsim.exact(parse(SMALL))["mixed"].exact.values
    each = [of_a_cohort(name) for name in CUTS]
    go = [float(found[0]) for found in each]
    for c, p in enumerate(go, start=1):
        assert values[f"p_go_cohort_{c}"] == pytest.approx(p, abs=1e-14)
        assert values[f"patients_cohort_{c}"] == pytest.approx(float(each[c - 1][2]), abs=1e-13)
    assert values["p_go"] == pytest.approx(1 - math.prod(1 - p for p in go), abs=1e-14)
    assert values["p_go_all"] == pytest.approx(math.prod(go), abs=1e-14)
    null = [p for name, p in zip(CUTS, go, strict=True) if RATES[name][0] <= P0[name]]
    assert len(null) == 1  # of B alone: under one p0 for all it would be another set
    assert values["p_false_go"] == pytest.approx(1 - math.prod(1 - p for p in null), abs=1e-14)
    assert values["en"] == pytest.approx(float(sum(found[2] for found in each)), abs=1e-13)


DIFFERENT = BASKET.replace(
    "strata: [", "designs: {B: {kind: simon, n1: 9, r1: 0, n: 17, r: 2, p0: 0.05, p1: 0.25}, "
    "D: {kind: single_stage, n: 12, r: 3, p0: 0.1, p1: 0.4}}, strata: [",
) % "dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}}"  # fmt: skip
DATED = DIFFERENT + (
    "conduct: {accrual: {per_month: 6}, assessment_weeks: [8, 16], toxicity_window_weeks: 6, "
    "amendment_lag_weeks: 4, withdrawal_per_month: 0.02}\n"
)


def test_simulated_designs_are_the_exact_ones() -> None:
    """With outcomes known at once, and in calendar time against the twin that knows them."""
    for text in (DIFFERENT, DATED):
        for case in trialsim.simulate(parse(text), replicates=2_000, seed=11).cases:
            known = case.at_once or case
            assert known.z is not None and len(known.z) > 20
            print(f"{case.case}: {len(known.z)} quantities, max |z| {max(map(abs, known.z.values())):.2f}")
            assert max(map(abs, known.z.values())) < 4.5


def test_every_cohort_is_the_event_simulation_under_its_own_design() -> None:
    """20 trials of four cohorts in calendar time, to the tick; the row of the whole trial has their columns."""
    trial = Compiled.of(parse(DATED))
    sizes, moved = set(), 0
    for seed in range(20):
        trials = Timed.of_case(trial, "one")
        whole = trials.rows(stream_key(seed), 0, 1)[0].tolist()
        first, treated = column.LEVELS + 3 * trial.rules.levels, 0
        for c, rules in enumerate(trial.rules.each):
            part = trials.of_cohort(c)
            row = part.rows(stream_key(seed), 0, 1)[0].tolist()
            office = OfACohort(rules, part.calendar, trials.thresholds, seed, c)
            office.run()
            told = events.report(office).row
            start = row[column.PAUSED]
            for name in (column.DURATION, column.DECIDED_AT):
                row[name] -= start
            row[column.TRIGGERED_AT] = (
                max(row[column.TRIGGERED_AT] - start, 0) if row[column.TRIGGERED] else 0
            )
            row[column.PAUSED] = 0
            own = slice(first + 4 * c, first + 4 * c + 4)
            assert row[:first] + row[own] == told
            assert whole[own] == row[own]
            treated += row[column.TREATED]
            sizes.add((c, row[column.TREATED]))
            moved += row[column.REDUCED_AFTER] > 0
        assert whole[column.TREATED] == treated
    assert {(0, 28), (1, 17), (3, 12)} <= sizes
    assert moved > 5


def test_what_the_toxicity_rule_costs_is_that_of_each_cohort() -> None:
    from trialsim.engine.derived import costs, costs_by_cohort

    trial = Compiled.of(parse(DIFFERENT))
    found = costs_by_cohort(trial)
    assert [row["cohorts"] for row in found["none"]] == [["A", "C"], ["B"], ["D"]]
    assert [row["cohorts"] for row in found["one"]] == [["A"], ["B"], ["C"], ["D"]]
    for case, rows in found.items():
        for row in rows:
            c = trial.cohorts.index(row["cohorts"][0])
            values = distribution(trial.rules.each[c], trial.by_cohort(case)[c]).values
            assert row["p_go_stated"] == values["p_go"]
            assert row["p_go_stated"] <= row["p_go_without"]
            assert row["toxicities_stated"] < row["toxicities_without"]
            alone = trial.of_cohort(trial.cohorts[c])
            assert costs(alone)[case] == {key: value for key, value in row.items() if key != "cohorts"}


def test_forty_cohorts() -> None:
    """P(any go) is 1 - (1 - .0984)^40 with .0984 of one; simulated beside it, with and without a shared boundary."""
    names = ", ".join(f"{{name: C{k}}}" for k in range(1, 41))
    text = BASKET.replace("{name: A}, {name: B}, {name: C}, {name: D}", names).replace("{A:", "{C1:")
    four = Compiled.of(parse(BASKET % ""))
    one = distribution(four.of_cohort("A").rules, four.by_cohort("none")[0])
    for plain in (text % "", text.replace(" monitor: own,", "") % ""):
        found = trialsim.simulate(parse(plain), replicates=25, seed=2)["none"]
        assert found.exact is not None
        p = one.values["p_go"]
        assert found.exact.values["p_go"] == pytest.approx(1 - (1 - p) ** 40, abs=1e-12)
        assert found.exact.values["p_false_go"] == pytest.approx(1 - (1 - p) ** 40, abs=1e-12)
        assert found.simulated is not None
        assert found.simulated.values["p_go"].estimate > 0.9
        assert found.z is not None and max(map(abs, found.z.values())) < 5
