"""The dual-criterion design: cut-offs worked out by hand, its three outcomes, its search, and what it refuses."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

import trialsim
from tests.helpers import ROOT, run
from trialsim.codes import CONSIDER, FUTILE, GO
from trialsim.designs.dual_criterion import cut_offs, search, verdicts
from trialsim.designs.finding import find
from trialsim.designs.registry import Design
from trialsim.designs.target import Target
from trialsim.errors import DesignError
from trialsim.facts.protocol import facts
from trialsim.scenario.compiled import Compiled

SETTING: dict[str, Any] = {"p0": 0.1, "p1": 0.35, "alpha": 0.05, "beta": 0.2, "decision_value": 0.2}


def design(**keys: Any) -> Any:
    return TypeAdapter(Design).validate_python({"kind": "dual_criterion", **keys})


@pytest.mark.parametrize(
    ("n", "cuts"),
    # relevant: 20% of n. Significant at p0 = .10, from binomial tables: P(X >= 5 of 20) = .0432;
    # P(X >= 5 of 25) = .0980, P(X >= 6 of 25) = .0334; P(X >= 6 of 30) = .0732, P(X >= 7 of 30) = .0258;
    # P(X >= 8 of 40) = .0419
    [(20, (4, 5)), (25, (5, 6)), (30, (6, 7)), (40, (8, 8))],
)
def test_cut_offs_of_the_exact_test(n, cuts):
    assert cut_offs(n, 0.1, 0.2, 0.05) == cuts


def tail(x: int, n: int, p: Fraction) -> Fraction:
    return sum((comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(x, n + 1)), Fraction(0))


@pytest.mark.parametrize("prior", [(1, 1), (1, 9), (2, 3)])
@pytest.mark.parametrize("n", [9, 10, 17, 24])
def test_cut_offs_under_a_prior(n, prior):
    """P(Beta(a, b) > q) = P(Bin(a + b - 1, q) <= a - 1) for whole numbers: in rational arithmetic."""
    a, b = prior

    def above(x: int, q: Fraction) -> Fraction:
        return 1 - tail(a + x, a + b + n - 1, q)

    relevant = min((x for x in range(n + 1) if above(x, Fraction(1, 5)) >= Fraction(1, 2)), default=n + 1)
    significant = min(
        (x for x in range(n + 1) if above(x, Fraction(1, 10)) >= Fraction(19, 20)), default=n + 1
    )
    assert cut_offs(n, 0.1, 0.2, 0.05, (float(a), float(b))) == (relevant, significant)


def test_one_criterion_alone_is_to_be_considered():
    assert verdicts(6, 2, 4) == (FUTILE, FUTILE, CONSIDER, CONSIDER, GO, GO, GO)
    assert verdicts(6, 4, 2) == verdicts(6, 2, 4)
    assert verdicts(6, 3, 3) == (FUTILE, FUTILE, FUTILE, GO, GO, GO, GO)
    # so few patients that nothing is significant: never a go
    assert verdicts(2, 1, 3) == (FUTILE, CONSIDER, CONSIDER)


def test_three_outcomes_of_the_example():
    scenario = trialsim.load(ROOT / "configs/dual-criterion.yaml")
    rules = scenario.design.compile()
    assert rules.n == (12, 25)
    assert rules.next[0][:3] == (FUTILE, 1, 1)
    assert [rules.next[1][x] for x in (4, 5, 6)] == [FUTILE, CONSIDER, GO]
    for case in trialsim.simulate(scenario, replicates=20_000).cases:
        p = Fraction(str(scenario.truth[case.case].response))
        # stopped by hand: no response among 12; then x of 13 beside x1 of 12
        first = [comb(12, k) * p**k * (1 - p) ** (12 - k) for k in range(13)]
        second = [comb(13, k) * p**k * (1 - p) ** (13 - k) for k in range(14)]
        both = [(i + j, first[i] * second[j]) for i in range(1, 13) for j in range(14)]
        assert case.exact.values["p_go"] == pytest.approx(float(sum(q for x, q in both if x >= 6)), abs=1e-12)
        assert case.exact.values["p_consider"] == pytest.approx(
            float(sum(q for x, q in both if x == 5)), abs=1e-12
        )
        assert case.exact.values["p_stop_futility"] == pytest.approx(float(first[0]), abs=1e-12)
        assert not case.disagreements
    given = facts(Compiled.of(scenario)).design.given
    assert (given["significant"], given["relevant"]) == ((6,), (5,))


def test_the_least_n_by_trying_all():
    for p1, prior in ((0.35, None), (0.3, None), (0.35, (0.5, 0.5))):
        found = search(Target(0.1, p1, 0.05, 0.2), 0.2, 0.05, prior)
        works = []
        for n in range(1, found.n + 1):
            go = max(cut_offs(n, 0.1, 0.2, 0.05, prior))
            null, good = (float(tail(go, n, Fraction(str(p)))) for p in (0.1, p1))
            if null <= 0.05 and good >= 0.8:
                works.append((n, go - 1, null, good))
        assert [w[:2] for w in works] == [(found.n, found.r)]
        assert (found.type_i_error, found.power) == pytest.approx(works[0][2:], abs=1e-12)


def test_power_at_the_decision_value_is_about_one_half():
    """Where significance takes no more than relevance, half of the trials of a drug at the decision value go."""
    for n in (50, 100, 200):
        relevant, significant = cut_offs(n, 0.1, 0.2, 0.05)
        assert significant <= relevant
        assert float(tail(relevant, n, Fraction(1, 5))) == pytest.approx(0.5, abs=0.08)


def test_find(monkeypatch, capsys):
    found = find("dual_criterion", **SETTING)["smallest"]
    assert found.design == "4/18 (consider 4)"
    assert design(**SETTING).compile() == found.looks
    rates = ["--p0", "0.1", "--p1", "0.35", "--alpha", "0.05", "--beta", "0.2"]
    command = ["find", "dual_criterion", *rates, "--set", "decision_value=0.2"]
    assert run(command, monkeypatch) == 0
    assert "4/18 (consider 4)" in capsys.readouterr().out
    assert run([*command, "--nmax", "12"], monkeypatch) == 2
    assert "the least n that works is 18" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"n": 25, "decision_value": 0.2}, "state it"),
        ({"n": 25, "p0": 0.2, "decision_value": 0.2}, "above the null value"),
        ({**SETTING, "p1": 0.2}, "about one half"),
        ({"p0": 0.1, "decision_value": 0.2}, "missing: p1, alpha, beta"),
        ({"p0": 0.1, "decision_value": 0.2, "n": 25, "n1": 12}, "needs both n1 and r1"),
        ({"p0": 0.1, "decision_value": 0.2, "n": 25, "n1": 25, "r1": 1}, "must hold for an interim look"),
        ({**SETTING, "n1": 12, "r1": 1}, "with n stated"),
        ({"p0": 0.1, "decision_value": 0.2, "n": 25, "prior": [1.0, 0.0]}, "above 0"),
        ({"p0": 0.1, "n": 25}, "decision_value"),
    ],
)
def test_what_it_refuses(keys, said):
    with pytest.raises(ValidationError) as refused:
        design(**keys)
    assert said in str(refused.value)


def test_too_small_a_bound_is_said():
    with pytest.raises(DesignError, match="no dual-criterion design with n <= 10"):
        find("dual_criterion", **SETTING, nmax=10)
