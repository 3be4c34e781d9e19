"""Differences on the same patients: they cover the exact difference as often as they say, and depend on nothing else.

Wanted is coverage of .93 to .97 over 500 seeds. That band is two standard errors wide on either side of .95, so one
quantity in twenty falls outside it by chance: of three blocks of 500 seeds that were looked at, one had .92 for P(go).
The slow study therefore takes 5,000 seeds, ten blocks, and asks for .94 to .96 (3.2 standard errors); it found .945
to .954. What runs every time has 100 seeds, and limits that coverage of .95 leaves with probability below .01.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import trialsim
from trialsim.engine.montecarlo import tallies
from trialsim.engine.paired import Together, against, differences, estimates
from trialsim.engine.quantities import Side
from trialsim.engine.tally import Tally
from trialsim.engine.timed import timed
from trialsim.kernels.streams import stream_key
from trialsim.scenario.changes import changed
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import parse
from trialsim.scenario.model import Scenario
from trialsim.varying.whatif import whatif

TEXT = """
schema: 1
name: A small trial
endpoint: response
design: {kind: simon, n1: 8, r1: 1, n: 20, r: 4, p0: 0.1, p1: 0.35}
doses: [high, low]
dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}, at_lowest_dose: stop}
truth:
  active: {response: [0.35, 0.25], toxicity: [0.45, 0.25], odds_ratio: 2}
simulation: {replicates: 1000, seed: 1}
"""
VARIANTS = """
variants:
  weaker: {truth.active.response: [0.35, 0.15]}
  milder: {truth.active.toxicity: [0.3, 0.25]}
  no rule: {dose_reduction: null}
"""
CONDUCT = """
conduct:
  accrual: {per_month: 3}
  assessment_weeks: [8, 16]
  toxicity_window_weeks: 6
"""
QUANTITIES = ("p_go", "en", "toxicities", "p_stop_futility", "patients_dose_1")


def coverage(seeds: range) -> dict[str, float]:
    """Share of the seeds whose 95% interval of the simulated difference holds the exact one."""
    stated = parse(TEXT)
    other = changed(stated, {"truth.active.response": [0.3, 0.15], "truth.active.toxicity": [0.4, 0.2]})
    a, b = (trialsim.exact(s, totals=False)["active"].exact.values for s in (stated, other))  # type: ignore[union-attr]
    pair = Together(*_sides(stated, other))
    held = dict.fromkeys(QUANTITIES, 0)
    for seed in seeds:
        found = against(pair.tally(stream_key(seed), 0, 1000), 1)
        for name in QUANTITIES:
            d = found[name].difference
            held[name] += d.low <= b[name] - a[name] <= d.high
    return {name: count / len(seeds) for name, count in held.items()}


def _sides(stated: Scenario, *others: Scenario) -> tuple[Side, tuple[Side, ...]]:
    from trialsim.engine.trials import untimed

    one, *rest = (
        Side.of(untimed(compile_rules(s), Compiled.of(s).rates)["active"]) for s in (stated, *others)
    )
    return one, tuple(rest)


def test_intervals_of_differences_cover_what_is_exact() -> None:
    assert all(0.87 <= share <= 0.99 for share in coverage(range(1000, 1100)).values())


@pytest.mark.slow
def test_intervals_of_differences_cover_what_is_exact_over_500_seeds() -> None:
    assert all(0.93 <= share <= 0.97 for share in coverage(range(500)).values())


@pytest.mark.slow
def test_intervals_of_differences_cover_what_is_exact_over_5000_seeds() -> None:
    assert all(0.94 <= share <= 0.96 for share in coverage(range(20_000, 25_000)).values())


@pytest.mark.parametrize("more", ["", CONDUCT], ids=["at once", "calendar time"])
def test_same_bits_for_any_jobs(more: str) -> None:
    stated = parse(TEXT + VARIANTS + more)
    one, two = (whatif(stated, replicates=20_000, jobs=jobs).to_dict() for jobs in (1, 2))
    assert json.dumps(one) == json.dumps(two)


def test_same_bits_for_any_block() -> None:
    stated = parse(TEXT + CONDUCT)
    other = changed(stated, {"conduct.accrual.per_month": 8})
    one, two = (Side.of(timed(Compiled.of(s))["active"]) for s in (stated, other))
    found: list[Tally] = [
        tallies({"x": Together(one, (two,))}, 3_000, 9, block=block)["x"] for block in (700, 8192)
    ]
    assert found[0] == found[1]


def test_one_base_with_several_variants_is_each_pair() -> None:
    stated = parse(TEXT + CONDUCT + VARIANTS)
    sides = {
        name: timed(Compiled.of(s))["active"]
        for name, s in {
            "base": stated,
            **{name: changed(stated, changes) for name, changes in stated.variants.items()},
        }.items()
    }
    names = [name for name in sides if name != "base"]
    star = Together(Side.of(sides["base"]), tuple(Side.of(sides[name]) for name in names))
    together = tallies({"x": star}, 4_000, 5)["x"]
    for k, name in enumerate(names, start=1):
        pair = differences({"x": sides["base"]}, {"x": sides[name]}, 4_000, 5)["x"]
        assert against(together, k) == pair
        assert estimates(together, k)["duration_months"] == pair["duration_months"].other


def test_exact_and_simulated_agree_and_the_difference_adds_up() -> None:
    found = whatif(parse(TEXT + VARIANTS), replicates=50_000)
    assert found.disagreements == ()
    assert found.check.comparisons > 50
    assert found.check.largest_z < 4.5  # of some 70 numbers, at a probability of 5e-4
    for variant in found.variants:
        for effect in variant.effects["active"].values():
            if effect.base.is_exact:
                d = effect.difference
                assert d.is_exact
                assert d.value == pytest.approx(effect.other.value - effect.base.value, abs=1e-15)
    assert found["no rule"].effects["active"]["p_dose_reduced"].other.value == 0


def test_a_wrong_exact_answer_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from trialsim.varying import side_by_side

    def shifted(scenario: Scenario, **how: Any) -> Any:
        results = trialsim.exact(scenario, **how)
        for oc in results.cases:
            assert oc.exact is not None
            oc.exact.values["p_go"] += 0.02
        return results

    monkeypatch.setattr(side_by_side, "exact", shifted)
    assert any("p_go" in what for what in whatif(parse(TEXT + VARIANTS), replicates=50_000).disagreements)


def test_what_equals_is_simulated_once_and_differs_by_nothing() -> None:
    stated = parse(TEXT.replace("truth:\n", "truth:\n  inactive: {response: 0.1, toxicity: 0.3}\n") + CONDUCT)
    found = whatif(stated, {"truth.active.response": 0.2}, replicates=2_000)
    effects = found["changed"].effects
    assert all(e.difference.value == 0 and e.difference.is_exact for e in effects["inactive"].values())
    assert not effects["active"]["p_go"].difference.is_exact
