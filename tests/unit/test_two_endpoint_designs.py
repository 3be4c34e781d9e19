"""Designs whose looks ask for responses and toxicities: what may be written, cut-offs, searches, what is refused."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from typing import Any

import pytest
from pydantic import TypeAdapter
from scipy import stats

from trialsim.codes import CONTINUE, NEVER
from trialsim.designs import bop2_toxicity
from trialsim.designs.bryant_day import p_go_and_en, patient
from trialsim.designs.finding import find
from trialsim.designs.registry import Design
from trialsim.designs.rules import Looks, Monitor, Rules, two_way
from trialsim.engine.exact import distribution
from trialsim.engine.operating import simulate
from trialsim.engine.traces import trace
from trialsim.errors import DesignError, ScenarioError
from trialsim.facts.protocol import facts
from trialsim.scenario.cases import Case
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import parse
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Rates

BRYANT_DAY: dict[str, Any] = {
    "kind": "bryant_day", "p0": 0.3, "p1": 0.5, "alpha": 0.1, "beta": 0.15, "toxicity": [0.4, 0.2],
}  # fmt: skip
STATED: dict[str, Any] = {"kind": "bryant_day", "n1": 20, "r1": 6, "b1": 8, "n": 43, "r": 16, "b": 14}
BOP2: dict[str, Any] = {
    "kind": "bop2_toxicity",
    "p0": 0.2,
    "p1": 0.4,
    "toxicity": [0.35, 0.2],
    "looks": [8, 16],
}


def design(**keys: Any) -> Any:
    return TypeAdapter(Design).validate_python(keys)


def unwatched(looks: Looks) -> Rules:
    n = looks.planned_n
    return Rules(looks, Monitor(((NEVER,) * (n + 1),), (0,), (CONTINUE,)), False, n)


def plain(looks: Looks, cells: tuple[float, ...]) -> tuple[float, float, float]:
    """P(go), EN, P(end before n), one patient after the other in a dictionary."""
    alive, go, en, early, k = {(0, 0): 1.0}, 0.0, 0.0, 0.0, 0
    for m in range(1, looks.planned_n + 1):
        following: dict[tuple[int, int], float] = defaultdict(float)
        for (x, t), mass in alive.items():
            for (dx, dt), p in zip(((0, 1), (0, 0), (1, 1), (1, 0)), cells, strict=True):
                following[x + dx, t + dt] += mass * p
        alive = dict(following)
        if m == looks.n[k]:
            last = m == looks.planned_n
            for (x, t), mass in list(alive.items()):
                out = t >= looks.toxic_ge[k] or looks.next[k][x] == -1
                if out or last:
                    del alive[x, t]
                    en += m * mass
                    early += 0 if last else mass
                    go += 0 if out else mass
            k += 1
    return go, en, early


def test_bryant_day_found_and_stated_compile_to_the_same_looks() -> None:
    found, stated = design(**BRYANT_DAY).compile(), design(**STATED).compile()
    assert found == stated
    assert found.n == (20, 43)
    assert found.toxic_ge == (8, 14)
    assert [row.count(-1) - 1 for row in found.next] == [6, 16]
    minimax = design(**BRYANT_DAY, criterion="minimax").compile()
    assert minimax.n == (35, 41)
    never = design(**(STATED | {"b1": 21})).compile()
    assert never.toxic_ge == (NEVER, 14)


def test_what_is_attained_is_what_the_chain_says() -> None:
    """For random cut-offs and associations: the quick kernel, the chain, and plain Python."""
    rng = random.Random("attained")
    for _ in range(40):
        n = tuple(sorted(rng.sample(range(2, 16), rng.randint(1, 3))))
        stop = tuple(rng.randint(-1, size // 2) for size in n)
        looks = two_way(
            n, stop, (*(None for _ in n[:-1]), stop[-1]), tuple(rng.randint(1, size + 1) for size in n)
        )
        p, t, psi = rng.choice((0.1, 0.3, 0.6)), rng.choice((0.2, 0.5)), rng.choice((0.25, 1.0, 4.0))
        quick = p_go_and_en(looks, p, t, psi)
        chain = distribution(unwatched(looks), Rates((p,), (t,), psi)).values
        assert quick == pytest.approx([chain["p_go"], chain["en"], chain["pet"]], abs=1e-12)
        assert quick == pytest.approx(plain(looks, patient(p, t, psi)), abs=1e-12)


def test_what_a_design_attains_is_what_the_chain_finds() -> None:
    spec = design(**BRYANT_DAY, odds_ratio=2.0)
    looks = spec.compile()
    truth = {"one": Case(response=0.3, toxicity=0.4)}
    scenario = Scenario(schema=1, name="two endpoints", endpoint="response", design=spec, truth=truth)
    rows = facts(Compiled.of(scenario)).attained
    assert [(row.response, row.toxicity) for row in rows] == [*itertools.product((0.3, 0.5), (0.4, 0.2))]
    for row in rows:
        found = distribution(unwatched(looks), Rates((row.response,), (row.toxicity,), 2.0)).values
        assert (row.p_go, row.en, row.pet) == pytest.approx(
            [found["p_go"], found["en"], found["pet"]], abs=1e-12
        )


def test_bop2_cut_offs_are_where_the_posterior_probabilities_fall_below() -> None:
    """By Beta distributions of scipy, count by count; at the end a go needs more than lambda of both."""
    for lambda_, gamma, prior, toxic in itertools.product(
        (0.6, 0.85), (0.3, 1.0), (None, [1, 1]), (None, [0.5, 0.9])
    ):
        keys = BOP2 | {"looks": [5, 10, 20], "prior": prior, "prior_toxicity": toxic}
        looks = design(**keys, **{"lambda": lambda_, "gamma": gamma}).compile()
        (a, b), (c, d) = prior or (0.2, 0.8), toxic or (0.35, 0.65)
        for k, n in enumerate(looks.n):
            cut = lambda_ * (n / 20) ** gamma
            for x in range(n + 1):
                value = stats.beta.sf(0.2, a + x, b + n - x)
                assert (looks.next[k][x] == -1) == (value <= cut if n == 20 else value < cut)
            for t in range(n + 1):
                value = stats.beta.cdf(0.35, c + t, d + n - t)
                assert (t >= looks.toxic_ge[k]) == (value <= cut if n == 20 else value < cut)


def test_a_look_of_bop2_that_decides_nothing_is_left_out() -> None:
    looks = design(**(BOP2 | {"looks": [1, 16]}), **{"lambda": 0.6, "gamma": 1.0}).compile()
    assert looks.n == (16,)
    # where even no toxicity at all is too much the look stops whatever is seen
    everyone = bop2_toxicity.cut_offs(
        (4,), bop2_toxicity.watched((4,), (0.2, 0.3), ((1, 1), (900, 1))), 0.9, 1.0
    )
    assert everyone == ((4, 5),)


def test_the_search_of_bop2_against_every_pair_of_lambda_and_gamma() -> None:
    """P(go) of each distinct pair of cut-offs in plain Python; largest power, then least EN where both are bad."""
    at, response, toxicity, alpha, psi = (5, 10), (0.2, 0.5), (0.4, 0.15), 0.1, 2.0
    seen = bop2_toxicity.watched(at, (response[0], toxicity[0]), ((0.2, 0.8), (0.4, 0.6)))
    found = bop2_toxicity.search(at, seen, response, toxicity, alpha, psi, largest=1.0)["most_power"]
    bad, good = (patient(p, t, psi) for p, t in zip(response, toxicity, strict=True))
    best, tried = (0.0, 0.0), set()
    for i, j in itertools.product(range(100), range(21)):
        looks = bop2_toxicity.looks_of(at, seen, round(0.5 + 0.005 * i, 9), round(0.05 * j, 9))
        if looks in tried:
            continue
        tried.add(looks)
        level, en, _ = plain(looks, bad)
        if level <= alpha:
            best = max(best, (round(plain(looks, good)[0], 11), -en))
    assert len(tried) > 10
    # the search has what lies between the points of the grid too
    assert found.power >= best[0] - 1e-9
    assert found.power > best[0] + 1e-9 or found.en_p0 <= -best[1] + 1e-9
    assert bop2_toxicity.looks_of(at, seen, found.lambda_, found.gamma) == found.looks()
    assert found.type_i_error == pytest.approx(plain(found.looks(), bad)[0], abs=1e-12)
    assert found.pet_p0 == pytest.approx(plain(found.looks(), bad)[2], abs=1e-12)
    assert found.type_i_error <= alpha


def test_find_names_the_cut_offs_and_says_what_cannot_be() -> None:
    setting = {"p0": 0.2, "p1": 0.4, "alpha": 0.05, "beta": 0.2, "toxicity": [0.35, 0.2]}
    found = find("bop2_toxicity", **setting, looks=[10, 20, 30, 40])["most_power"]
    assert found.design == "1/10 (toxic < 5) 3/20 (toxic < 8) 6/30 (toxic < 11) 10/40 (toxic < 13)"
    assert found.type_i_error <= 0.05 < 0.8 <= found.power
    with pytest.raises(DesignError, match="more patients are needed"):
        find("bop2_toxicity", **setting, looks=[8, 16])
    with pytest.raises(DesignError, match="toxicity"):
        find("bryant_day", p0=0.3, p1=0.5, alpha=0.1, beta=0.15)


HEAD = """
schema: 1
name: small
endpoint: response
doses: [high, low]
truth: {a: {response: [0.3, 0.2], toxicity: [0.45, 0.3], odds_ratio: 2}}
simulation: {replicates: 20000, seed: 3}
"""
LOOKS = "design: {kind: bryant_day, n1: 10, r1: 1, b1: 6, n: 24, r: 5, b: 11}\n"
PASTED = """
design:
  kind: rules
  looks:
    - {n: 10, next: {0: futile, 2: 24}, toxic_ge: 6}
    - {n: 24, next: {0: futile, 6: go}, toxic_ge: 11}
"""


def test_a_pasted_table_with_toxicities_is_the_same_design() -> None:
    pasted, stated = (compile_rules(parse(HEAD + text)).looks for text in (PASTED, LOOKS))
    assert pasted == stated


@pytest.mark.parametrize(
    "more",
    [
        "",
        "dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.3}}\n",
        "dose_reduction: {rule: {kind: k_of_first_m, k: 3, m: 6}, on_dose_change: restart}\n",
        "conduct: {accrual: {per_month: 4}, assessment_weeks: [8], confirmed: false, toxicity_window_weeks: 6, "
        "interim: early_decision}\n",
        "cohorts: {rules: own, strata: [{name: A, share: 0.5}, {name: B, share: 0.5}]}\n",
        "evaluability: {probability: 0.9}\n",
    ],
)
def test_simulated_and_exact_agree(more: str) -> None:
    """Two doses, reductions, restart, calendar time (outcomes at once), own looks of cohorts, inevaluable patients."""
    (case,) = simulate(parse(HEAD + LOOKS + more), replicates=20_000, seed=8).cases
    both = case.at_once or case
    assert both.exact is not None and both.simulated is not None
    assert both.disagreements == ()
    assert both.z and max(map(abs, both.z.values())) < 4.5
    assert both.exact.values["p_stop_toxicity"] > 0.02


REFUSED = [
    ("evaluability: {probability: 0.9, replaced: true}\n", "evaluability.replaced", "of treated patients"),
    (
        "dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.3}, on_dose_change: new_dose_only}\n",
        "dose_reduction.on_dose_change",
        "cut-off for responses only",
    ),
]


@pytest.mark.parametrize(("more", "key", "said"), REFUSED)
@pytest.mark.parametrize("looks", [LOOKS, PASTED])
def test_what_does_not_go_with_such_looks_is_refused(looks: str, more: str, key: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse(HEAD + looks + more)
    (problem,) = refused.value.problems
    assert problem.key == key
    assert said in problem.message


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (BRYANT_DAY | {"toxicity": [0.2, 0.4]}, "is the higher one"),
        ({key: value for key, value in BRYANT_DAY.items() if key != "toxicity"}, "needs the unacceptable"),
        (BRYANT_DAY | {"n1": 20}, "missing: r1, b1, n, r, b"),
        (STATED | {"alpha": 0.1}, "belongs to a search"),
        (STATED | {"alpha_toxicity": 0.1}, "belongs to a search"),
        (STATED | {"n1": 43}, "stage 1 must be smaller"),
        (STATED | {"b1": 22}, "b1 = 22 must be at most 21"),
        (STATED | {"r1": 17, "n": 44}, "r1 = 17 cannot exceed r = 16"),
        (STATED | {"b": 45}, "b = 45 must be at most 44"),
        (BOP2, "state p0, p1 and alpha"),
        (BOP2 | {"lambda": 0.9}, "need lambda and gamma"),
        (BOP2 | {"lambda": 0.9, "gamma": 1.0, "alpha": 0.1}, "belong to a search"),
        (BOP2 | {"alpha": 0.1, "looks": [8, 8]}, "looks must grow"),
        (BOP2 | {"alpha": 0.1, "looks": [8, 900]}, "at most 200"),
        (BOP2 | {"alpha": 0.1, "prior_toxicity": [0, 1]}, "two numbers above 0"),
        (BOP2 | {"alpha": 0.1, "efficacy_stop": True}, "efficacy_stop"),
        (BOP2 | {"alpha": 0.1, "toxicity": [0.2, 0.35]}, "is the higher one"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(keys: dict[str, Any], said: str) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError) as refused:
        design(**keys)
    assert said in str(refused.value)


def test_a_case_without_a_toxicity_rate_is_refused() -> None:
    text = HEAD.replace(", toxicity: [0.45, 0.3], odds_ratio: 2", "")
    with pytest.raises(ScenarioError, match="needs a toxicity rate in every case"):
        parse(text + LOOKS)
    with pytest.raises(ScenarioError, match="25 toxicities among n = 24"):
        parse(HEAD + PASTED.replace("toxic_ge: 11", "toxic_ge: 25"))


def test_a_single_trial_says_what_its_looks_saw_of_toxicity() -> None:
    """The look that ends a trial is told on the day of the decision, with the verdict that the row has."""
    scenario = parse(
        HEAD + LOOKS + "conduct: {accrual: {per_month: 4}, assessment_weeks: [8], confirmed: false, "
        "toxicity_window_weeks: 20, interim: pause}\n"
    )
    words = {
        "stopped early for toxicity": "stop for toxicity",
        "stopped early for futility": "stop for futility",
    }
    words |= {"go at the final look": "go", "no go at the final look": "no go"}
    words |= {"stopped for toxicity at the last patient": "stop for toxicity"}
    ended = set()
    for number in range(1, 61):
        told = trace(scenario, trial=number)
        looks = [event for event in told.events if event.what.startswith("look: ")]
        last = looks[-1]
        assert last.day == told.decided_day
        assert last.what.endswith(f"; {words[told.end]}")
        n = 10 if len(looks) == 1 else 24
        toxic = sum(bool(patient["toxicity"]) for patient in told.patients[:n])
        assert f"toxicities in {toxic} of the first {n} patients" in last.what
        ended.add(told.end)
    assert len(ended) >= 4
