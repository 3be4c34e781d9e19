"""What the scenario file takes and refuses, case by case; the names of the cases are those of the issue's list."""

from __future__ import annotations

import json
from fractions import Fraction
from math import comb, prod
from pathlib import Path

import pytest

from trialsim import protocol
from trialsim.errors import ScenarioError
from trialsim.monitoring.aids import monitor
from trialsim.scenario.changes import changed, read_changes
from trialsim.scenario.files import load, parse
from trialsim.scenario.model import Scenario
from trialsim.varying.assess import assess
from trialsim.varying.whatif import whatif

HERE = Path(__file__).parent
CONFIGS = HERE.parent.parent / "configs"


def scenario(design: str, truth: str = "{a: {response: 0.3, toxicity: 0.2}}", more: str = "") -> Scenario:
    return parse(
        f"schema: 1\nname: x\nendpoint: response\ndesign: {design}\ntruth: {truth}\n"
        f"simulation: {{replicates: 50, seed: 1}}\n{more}\n"
    )


def refused(design: str, truth: str = "{a: {response: 0.3}}", more: str = "") -> str:
    with pytest.raises(ScenarioError) as error:
        scenario(design, truth, more)
    return str(error.value)


def go_chance(n: int, at_least: int, p: Fraction) -> Fraction:
    return sum((comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(at_least, n + 1)), Fraction(0))


def rising(a: Fraction, k: int) -> Fraction:
    return prod((a + i for i in range(k)), start=Fraction(1))


@pytest.mark.parametrize(
    "design",
    [
        "{kind: bop2, p0: 0.2, looks: [10, 20], lambda: 0.9, gamma: 1}",
        "{kind: bop2_toxicity, p0: 0.2, p1: 0.4, toxicity: [0.3, 0.15], looks: [10, 20], lambda: 0.7, gamma: 1}",
    ],
)
def test_predictive_power_is_under_the_prior_of_the_rule(design: str) -> None:
    # case A7: Beta(p0, 1 - p0) where the design states no prior
    aids = monitor(scenario(design), now=(10, 4, 1) if "toxicity" in design else (10, 4))
    assert aids.prior == (0.2, 0.8)
    assert aids.prior_from == "design"
    last = aids.rules.looks.next[-1]
    least = next(x for x, decision in enumerate(last) if decision == -2)
    a, b = Fraction(1, 5) + 4, Fraction(4, 5) + 6
    expected = sum(
        comb(10, y) * rising(a, y) * rising(b, 10 - y) / rising(a + b, 10) for y in range(least - 4, 11)
    )
    assert aids.present is not None
    assert aids.present.predictive == pytest.approx(float(expected), abs=1e-12)


def test_a_stated_prior_and_none_at_all_stay_what_they_were() -> None:
    stated = "{kind: bop2, p0: 0.2, looks: [10, 20], prior: [1, 1], lambda: 0.9, gamma: 1}"
    assert monitor(scenario(stated)).prior == (1, 1)
    simon = monitor(scenario("{kind: simon, n1: 10, r1: 1, n: 29, r: 5}"))
    assert (simon.prior, simon.prior_from) == ((0.5, 0.5), "Jeffreys")


def test_a_pasted_table_can_be_varied() -> None:
    # case B7: the same two stages as 1/10 5/29, whose P(go) is a sum over binomials
    more = {"design.looks[1].next": {0: "futile", 7: "go"}}
    found = whatif(load(HERE / "data" / "rules-variant.yaml"), more)

    def p_go(p: Fraction, least: int) -> float:
        first = ((x, comb(10, x) * p**x * (1 - p) ** (10 - x)) for x in range(2, 11))
        return float(sum(chance * go_chance(19, max(least - x, 0), p) for x, chance in first))

    values = {v.name: v.effects["active"]["p_go"].other.value for v in found.variants}
    assert values == {
        "better": pytest.approx(p_go(Fraction(2, 5), 6), abs=1e-12),
        "changed": pytest.approx(p_go(Fraction(3, 10), 7), abs=1e-12),
    }
    assert "if 7 or more respond" in str(protocol(found.variants[1].scenario))


def test_a_pasted_table_has_thresholds() -> None:
    # case B7: where P(go) of 1/10 5/29 passes .8
    (found,) = assess(load(HERE / "data" / "rules-threshold.yaml")).analyses
    (crossing,) = found.crossings

    def p_go(p: Fraction) -> Fraction:
        first = ((x, comb(10, x) * p**x * (1 - p) ** (10 - x)) for x in range(2, 11))
        return sum((chance * go_chance(19, max(6 - x, 0), p) for x, chance in first), Fraction(0))

    at = Fraction(crossing.at)
    assert p_go(at - Fraction(1, 10**6)) < Fraction(4, 5) < p_go(at + Fraction(1, 10**6))


@pytest.mark.parametrize("key", ["2", '"2"'])
def test_counts_of_a_pasted_table_may_be_written_as_json_does(key: str) -> None:
    table = f"{{kind: rules, looks: [{{n: 10, next: {{0: futile, {key}: go}}}}]}}"
    assert scenario(table).design.compile().next[0][1:3] == (-1, -2)
    data = scenario(table).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert parse(json.dumps(data)) == scenario(table)
    assert read_changes([f"design.looks[0].next={{0: futile, {key}: go}}"]) == {
        "design.looks[0].next": {"0": "futile", "2": "go"}
    }


def test_one_count_of_a_pasted_table_can_be_set() -> None:
    table = scenario("{kind: rules, looks: [{n: 10, next: {0: futile, 2: go}}]}")
    assert changed(table, {"design.looks[0].next.2": "consider"}).design.compile().next[0][2] == -3
    assert scenario("{kind: simon, n1: 10, r1: 1, n: 29, r: 5}", "{next: {response: 0.3}}").truth["next"]


@pytest.mark.parametrize("file", ["whatif-unnamed.yaml", "whatif-stage1.yaml"])
def test_an_observed_stage_1_is_told_beside_a_what_if(file: str) -> None:
    # cases B6 and F8
    found = whatif(load(HERE / "data" / file), replicates=50)
    assert "responses in stage 1" in str(found)


def test_an_observed_stage_1_is_told_beside_a_changed_config() -> None:
    # case F8
    found = whatif(load(CONFIGS / "lenvatinib-acc.yaml"), {"truth.active.response": 0.25}, replicates=50)
    assert "responses in stage 1" in str(found)


@pytest.mark.parametrize(
    ("design", "told"),
    [
        ("{kind: simon, n1: 10, r1: 3, n: 20, r: 20}", True),
        ("{kind: simon, n1: 18, r1: 18, n: 35, r: 20}", True),
        ("{kind: single_stage, n: 5, r: 5}", True),
        ("{kind: bryant_day, n1: 10, r1: 9, b1: 11, n: 20, r: 20, b: 21}", True),
        ("{kind: bop2, p0: 0.9, looks: [3], lambda: 0.99, gamma: 1}", True),
        ("{kind: mander_thompson, n1: 10, r1: 2, a1: 2, n: 20, r: 5}", False),
        ("{kind: rules, looks: [{n: 10, next: {0: futile, 2: consider}}]}", False),
    ],
)
def test_a_design_that_nobody_can_pass_says_so(design: str, told: bool) -> None:
    # case E4: it runs, P(go) is 0, and the protocol names no look that nobody reaches
    found = scenario(design)
    words = " ".join(str(protocol(found)).split())
    assert ("No number of responses leads to a go" in words) is told
    assert "Where the trial goes on to" not in words
    reached = protocol(found).facts.design.looks
    single = design.count("n1") == 0 or "r1: 18" in design or "a1: 2" in design
    assert (len(reached) == 1) is single
