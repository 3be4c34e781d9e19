"""The robust search against the Markov chain, design by design, and what it says where there is none."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

import trialsim
from tests.helpers import ROOT, first_of, run
from trialsim.designs.finding import find
from trialsim.designs.simon import Simon
from trialsim.designs.single_stage import SingleStage
from trialsim.engine.exact import distribution
from trialsim.engine.whole_trial import find_robust
from trialsim.errors import DesignError
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario

MOST = 9

RULES: tuple[dict[str, Any], ...] = (
    {"kind": "pocock", "limit": 0.25, "phi": 0.3},
    {"kind": "posterior", "limit": 0.3, "cutoff": 0.7, "prior": [0.5, 0.5], "min_n": 2},
    {"kind": "k_of_first_m", "k": 2, "m": 4},
    {"kind": "amendment", "after_patient": 3},
    {"kind": "group_sequential", "limit": 0.3, "phi": 0.3, "looks": [2, 4, 6]},
)
EVALUABILITY: tuple[dict[str, Any], ...] = (
    {"probability": 1.0},
    {"probability": 0.85},
    {"probability": 0.9, "replaced": True},
    {"probability": 0.9, "replaced": True, "inevaluable": "nonresponders"},
)


def scenario_of(seed: int) -> Scenario:
    """A small scenario with some rule, evaluability and association."""
    rng = random.Random(seed)
    rule = RULES[seed % len(RULES)]
    doses = 1 if rule["kind"] == "group_sequential" else rng.choice([2, 2, 3])
    response = [0.6 - 0.1 * k for k in range(doses)]
    toxicity = [round(rng.uniform(0.2, 0.5) / (k + 1), 2) for k in range(doses)]
    odds = rng.choice([0.2, 1, 5])
    return Scenario.model_validate(
        {
            "schema": 1,
            "name": "small",
            "endpoint": "response",
            "design": {"kind": "simon", "p0": 0.2, "p1": 0.6, "alpha": rng.choice([0.1, 0.15]), "beta": 0.3},
            "doses": [f"dose {k}" for k in range(doses)],
            "dose_reduction": {"rule": rule, "at_lowest_dose": rng.choice(["stop", "continue"])},
            "evaluability": EVALUABILITY[seed % len(EVALUABILITY)],
            "truth": {
                "poor": {"response": 0.2, "toxicity": toxicity, "odds_ratio": odds},
                "poor_and_safe": {"response": 0.2, "toxicity": 0.1},
                "good": {"response": response, "toxicity": toxicity, "odds_ratio": odds},
            },
        }
    )


def attained(scenario: Scenario, design: Simon | SingleStage) -> tuple[float, float, float]:
    """Largest P(go) over the null cases, P(go) of the alternative, EN of the first null case: by the chain."""
    rules = compile_rules(scenario.model_copy(update={"design": design}))
    trial = Compiled(scenario, rules)
    does = {name: distribution(rules, trial.truth(name)).values for name in scenario.truth}
    return (
        max(does["poor"]["p_go"], does["poor_and_safe"]["p_go"]),
        does["good"]["p_go"],
        does["poor"]["en"],
    )


def least(scenario: Scenario) -> int:
    """The least n the toxicity rule can be applied at."""
    for n in range(2, MOST + 1):
        try:
            compile_rules(scenario.model_copy(update={"design": SingleStage(kind="single_stage", n=n, r=0)}))
        except DesignError:
            continue
        return n
    raise AssertionError


def brute_force(scenario: Scenario) -> list[tuple[int, int, int, int, float, float, float]]:
    """(r1, n1, r, n, alpha, power, EN) of every two-stage design of MOST patients or less."""
    return [
        (r1, n1, r, n, *attained(scenario, Simon(kind="simon", r1=r1, n1=n1, r=r, n=n)))
        for n in range(least(scenario), MOST + 1)
        for n1 in range(1, n)
        for r in range(n)
        for r1 in range(min(r, n1 - 1) + 1)
    ]


@pytest.mark.parametrize("seed", first_of(2, range(10)))
def test_two_stages_against_the_chain_for_every_design(seed: int) -> None:
    scenario = scenario_of(seed)
    alpha, beta = scenario.design.alpha, scenario.design.beta
    every = brute_force(scenario)
    works = [d for d in every if d[4] <= alpha + 1e-9 and d[5] >= 1 - beta - 1e-9]
    found = find_robust(scenario, nmax=MOST)
    assert found.null == ("poor", "poor_and_safe")
    assert found.alternative == ("good",)
    if not works:
        most = max((d[5] for d in every if d[4] <= alpha + 1e-9), default=None)
        assert not found.designs
        assert (found.most_power is None) == (most is None)
        if most is not None and found.most_power is not None:
            assert found.most_power.power == pytest.approx(most, abs=1e-9)
        return
    assert found["optimal"].en == pytest.approx(min(d[6] for d in works), abs=1e-9)
    smallest = min(d[3] for d in works)
    assert found["minimax"].n == smallest
    assert found["minimax"].en == pytest.approx(min(d[6] for d in works if d[3] == smallest), abs=1e-9)
    for step in range(41):
        w = step / 40
        best = min(w * d[3] + (1 - w) * d[6] for d in works)
        assert min(w * d.n + (1 - w) * d.en for d in found) == pytest.approx(best, abs=1e-9)
        inside = [d for d in found if d.weights[0] <= w <= d.weights[1]]
        assert min(w * d.n + (1 - w) * d.en for d in inside) == pytest.approx(best, abs=1e-9)
    for d in found:
        as_chain = attained(scenario, Simon(kind="simon", r1=d.r1, n1=d.n1, r=d.r, n=d.n))
        assert (d.type_i_error, d.power, d.en) == pytest.approx(as_chain, abs=1e-9)


SEVERAL: tuple[list[dict[str, Any]], ...] = (
    [{"kind": "k_of_first_m", "k": 2, "m": 2, "action": "stop", "levels": ["dose 0"]},
     {"kind": "pocock", "limit": 0.25, "phi": 0.3, "min_n": 3}],
    [{"kind": "k_of_first_m", "k": 1, "m": 4}, {"kind": "pasted", "boundary": {2: 2, 4: 3}, "action": "stop"}],
)  # fmt: skip


@pytest.mark.parametrize("rules", SEVERAL, ids=("lead-in", "stop for more"))
def test_several_toxicity_rules_with_two_actions_against_the_chain(rules: list[dict[str, Any]]) -> None:
    content = scenario_of(5).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    content |= {"dose_reduction": {"rules": rules}, "schema": 1}
    scenario = Scenario.model_validate(content)
    alpha, beta, most = scenario.design.alpha, scenario.design.beta, 8
    assert compile_rules(
        scenario.model_copy(update={"design": SingleStage(kind="single_stage", n=most, r=0)})
    ).monitor.stop_ge
    every = [d for d in brute_force(scenario) if d[3] <= most]
    works = [d for d in every if d[4] <= alpha + 1e-9 and d[5] >= 1 - beta - 1e-9]
    found = find_robust(scenario, nmax=most)
    assert bool(works) == bool(found.designs)
    if works:
        assert found["optimal"].en == pytest.approx(min(d[6] for d in works), abs=1e-9)
        for d in found:
            as_chain = attained(scenario, Simon(kind="simon", r1=d.r1, n1=d.n1, r=d.r, n=d.n))
            assert (d.type_i_error, d.power, d.en) == pytest.approx(as_chain, abs=1e-9)
    elif found.most_power is not None:
        most_power = max(d[5] for d in every if d[4] <= alpha + 1e-9)
        assert found.most_power.power == pytest.approx(most_power, abs=1e-9)


def test_the_seeds_cover_success_and_failure() -> None:
    some = [bool(find_robust(scenario_of(seed), nmax=MOST).designs) for seed in range(10)]
    assert 2 <= sum(some) <= 8


@pytest.mark.parametrize("seed", first_of(2, range(8)))
def test_one_stage_against_the_chain_for_every_n(seed: int) -> None:
    scenario = scenario_of(seed)
    alpha, beta, most = scenario.design.alpha, scenario.design.beta, 13
    works: dict[int, tuple[int, float, float, float]] = {}
    for n in range(1, most + 1):
        for r in range(n):
            try:
                does = attained(scenario, SingleStage(kind="single_stage", n=n, r=r))
            except DesignError:
                continue
            if n not in works and does[0] <= alpha + 1e-9 and does[1] >= 1 - beta - 1e-9:
                works[n] = (r, *does)
    found = find_robust(scenario, kind="single_stage", nmax=most)
    if not works:
        assert not found.designs
        return
    first = found["first"]
    assert (first.n, first.r) == (min(works), works[min(works)][0])
    assert (first.type_i_error, first.power, first.en) == pytest.approx(works[first.n][1:], abs=1e-9)
    stable = next((d for d in found if d.criterion == "stable"), None)
    safe = [n for n in works if all(later in works for later in range(n, most + 1))]
    assert (stable.n if stable else None) == min(safe, default=None)


def test_without_toxicity_rule_and_inevaluable_patients_it_is_the_ideal_search() -> None:
    scenario = trialsim.load(ROOT / "configs/lenvatinib-acc.yaml")
    setting = {"p0": 0.05, "p1": 0.2, "alpha": 0.1, "beta": 0.1}
    for kind in ("simon", "single_stage"):
        ideal = find(kind, **setting)
        found = find_robust(scenario, kind=kind, criterion=None, **setting)
        assert [(d.criterion, str(d)) for d in found] == [
            (d.criterion, d.design if kind == "simon" else f"{d.r}/{d.n}") for d in ideal
        ]
        for robust, nominal in zip(found, ideal, strict=True):
            assert (robust.type_i_error, robust.power, robust.en) == pytest.approx(
                (nominal.type_i_error, nominal.power, nominal.en_p0), abs=1e-9
            )


def test_limits_of_the_design_are_kept() -> None:
    scenario = trialsim.load(ROOT / "configs/teaching.yaml")
    balanced = find_robust(scenario, balanced=True, criterion="optimal")["optimal"]
    assert balanced.n == 2 * balanced.n1
    fixed = find_robust(scenario, n1=12, nmax=45, criterion="optimal")["optimal"]
    assert fixed.n1 == 12
    free = find_robust(scenario, criterion="optimal")["optimal"]
    assert free.en < min(balanced.en, fixed.en)
    good = find_robust(scenario, criterion="optimal", en_weight_p1=1.0)
    row = next(r for r in good.attained if "robust" in r.label and r.case == "active")
    assert good["optimal"].en == pytest.approx(row.en)
    with pytest.raises(DesignError, match="min_pet"):
        find_robust(scenario, min_pet=0.5)


def test_what_stands_in_the_way_is_said() -> None:
    scenario = trialsim.load(ROOT / "configs/teaching.yaml")
    toxic = trialsim.Scenario.model_validate(
        scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
        | {
            "truth": {
                "inactive": {"response": 0.1, "toxicity": [0.6, 0.5]},
                "active": {"response": 0.3, "toxicity": [0.6, 0.5]},
            }
        }
    )
    found = find_robust(toxic, nmax=35)
    assert not found.designs
    assert "Toxicity alone stops a trial of 35 patients with probability" in found.why_none
    assert "whatever the cut-offs" in found.why_none
    nearest = found.most_power
    assert nearest is not None
    reach = math.ceil((1 - nearest.power) * 100) / 100
    assert f"A beta of {reach:g} can be kept" in found.why_none
    assert find_robust(toxic, nmax=35, beta=reach).designs
    # a design that kept a beta less by one hundredth would contradict the largest P(go)
    assert not find_robust(toxic, nmax=35, beta=reach - 0.01).designs


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    command = ["find", "--scenario", "configs/teaching.yaml"]
    assert run([*command, "--criterion", "optimal"], monkeypatch) == 0
    said = capsys.readouterr().out
    assert "optimal, ideal" in said and "optimal, robust" in said
    assert "calendar time does not enter" in said
    assert "Searched completely from n = 2 to n = 60" in said
    assert run([*command, "--alternative", "active", "--json"], monkeypatch) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["alternative"] == ["active"]
    assert all(d["type_i_error"] <= 0.05 and d["power"] >= 0.8 for d in result["designs"])
    assert run([*command, "--nmax", "20"], monkeypatch) == 2
    printed = capsys.readouterr()
    assert "P(go) still grows at n = 20" in " ".join(printed.out.split())
    assert "no two-stage design with n <= 20" in printed.err
    for wrong, reason in (
        (["--null", "nobody"], "`nobody` is no case of the truth"),
        (["--null", "active"], "null and alternative at once"),
        (["--p0", "0.01"], "name one with --null"),
        (["--p1", "0.5"], "name one with --alternative"),
        (["--p0", "0.4"], "must be above"),
        (["--alpha", "5"], "did you mean 0.05"),
        (["--criterion", "best"], "allowed for simon"),
        (["--set", "en_prior=[1,1]"], "en_prior"),
        (["--nmax", "1"], "no room"),
        (["--settings", "a.csv"], "does not go with --scenario"),
    ):
        assert run([*command, *wrong], monkeypatch) == 2, wrong
        assert reason in capsys.readouterr().err
    for other, reason in (
        (["--scenario", "configs/restart.yaml"], "needs `pooled`"),
        (["--scenario", "configs/two-cohorts.yaml"], "rules: pooled"),
        (["--scenario", "configs/bop2.yaml"], "not bop2"),
        (["--scenario", "missing.yaml"], "missing.yaml"),
        (["simon", "--null", "inactive"], "add --scenario"),
        ([], "name the kind of design"),
    ):
        assert run(["find", *other], monkeypatch) == 2, other
        assert reason in capsys.readouterr().err
