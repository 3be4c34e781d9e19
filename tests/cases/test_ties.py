"""Numbers that hang on a tie, a tolerance or a silent bound: cases A4, C7, E1, E2, E5 to E9."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.oracle.brute_force import NEVER, posterior_boundary
from tests.property.test_designs_are_complete import p_go_matrix, sf
from trialsim.designs import mander_thompson, predictive, sargent, simon, single_stage
from trialsim.designs.alone import alone
from trialsim.designs.bayes import posterior_is, power
from trialsim.designs.bop2 import looks_of as bop2_looks
from trialsim.designs.dual_criterion import cut_offs as dual_cut_offs
from trialsim.designs.gehan import first_stage
from trialsim.designs.group_sequential import boundaries
from trialsim.designs.mander_thompson import ManderThompson
from trialsim.designs.posterior import bounds
from trialsim.designs.rules import two_way
from trialsim.designs.swog import cut_offs as swog_cut_offs
from trialsim.designs.target import Target
from trialsim.designs.toxicity import Pocock, Posterior
from trialsim.errors import DesignError


def cuts(design):
    return design.r1, design.n1, design.r, design.n


# case A4
def test_of_equal_en_and_pet_the_cut_off_with_the_most_power():
    found = simon.search(Target(0.1, 0.3, 0.05, 0.2), limits=simon.Limits(n1=13, n=43)).optimal
    assert cuts(found) == (1, 13, 7, 43)
    assert (found.type_i_error, found.power) == pytest.approx((0.0492, 0.9165), abs=5e-5)
    # the same with r1 held, and where a go may come early
    assert cuts(
        simon.search(Target(0.1, 0.3, 0.05, 0.2), limits=simon.Limits(n1=13, r1=1, n=43)).optimal
    ) == (1, 13, 7, 43)
    both_ways = mander_thompson.best_by_n(Target(0.1, 0.3, 0.05, 0.2), 43)[-1]
    stricter = two_way(
        (both_ways.n1, both_ways.n), (both_ways.r1, both_ways.r + 1), (both_ways.a1, both_ways.r + 1)
    )
    assert alone(stricter, 0.3).p_go < both_ways.power


# case C7
def test_cut_offs_that_are_held_in_a_search():
    target = Target(0.25, 0.45, 0.1, 0.1)
    assert cuts(simon.search(target, limits=simon.Limits(n1=11, r1=2)).optimal) == (2, 11, 15, 47)
    for limits in (
        simon.Limits(r1=2),
        simon.Limits(r=15),
        simon.Limits(n=47, r=15),
        simon.Limits(r1=3, r=16),
    ):
        least = np.inf
        for n in range(30, 50):  # fewer patients do not have the power in one stage either
            for n1 in range(1, n):
                good = (p_go_matrix(n1, n, 0.25) <= 0.1) & (p_go_matrix(n1, n, 0.45) >= 0.9)
                for r1, r in np.argwhere(good).tolist():
                    held = limits.r1 in (None, r1), limits.n in (None, n), limits.r in (None, r)
                    if all(held) and r1 <= r and r1 < n1:
                        least = min(least, n1 + float(sf(n1, 0.25)[r1]) * (n - n1))
        found = simon.search(Target(0.25, 0.45, 0.1, 0.1, 49), limits=limits).optimal
        assert found.en_p0 == pytest.approx(least, abs=1e-9)
    with pytest.raises(DesignError, match=r"without the limit on r1, \d+/11 "):
        simon.search(target, limits=simon.Limits(n1=11, r1=5))


# case E1
def test_a_search_goes_as_far_as_nmax(monkeypatch):
    monkeypatch.setattr(simon, "SEARCH_LIMIT", 40)
    assert simon.search(Target(0.2, 0.4, 0.05, 0.1, 60)).minimax.n == 45
    with pytest.raises(DesignError, match="n <= 40"):
        simon.search(Target(0.2, 0.4, 0.05, 0.1))


# case E1
@pytest.mark.slow
def test_a_search_beyond_two_thousand():
    found = simon.search(Target(0.2, 0.22, 0.05, 0.2, 3200))
    assert cuts(found.minimax) == (507, 2416, 544, 2556)
    assert found.optimal.en_p0 < 2000 < found.optimal.n <= 3200


# case E2
def test_stable_is_said_only_of_an_n_from_which_all_work():
    target = Target(0.1, 0.3, 0.05, 0.1)
    assert single_stage.search(target)["stable"].n == 37
    assert set(single_stage.search(Target(0.1, 0.3, 0.05, 0.1, 34))) == {"first"}
    assert set(single_stage.search(Target(0.1, 0.3, 0.05, 0.1, 36))) == {"first"}
    assert single_stage.search(Target(0.1, 0.3, 0.05, 0.1, 37))["stable"].n == 37
    with pytest.raises(DesignError, match="no n up to 34 is safe"):
        single_stage.SingleStage(
            kind="single_stage", p0=0.1, p1=0.3, alpha=0.05, beta=0.1, nmax=34, criterion="stable"
        ).candidates()


# case E5
def test_an_end_before_the_planned_n_is_early_whatever_can_follow():
    nobody_passes = alone(two_way((18, 35), (18, 20), (None, 20)), 0.3)
    assert (nobody_passes.pet, nobody_passes.en) == pytest.approx((1, 18))
    spec = ManderThompson(kind="mander_thompson", n1=10, r1=2, a1=2, n=20, r=5)
    found = alone(spec.compile(), 0.1)
    assert (found.p_go_early, found.p_stop_futility, found.pet) == pytest.approx(
        (0.0702, 0.9298, 1), abs=5e-5
    )


# case E6
def test_no_search_takes_what_only_rounding_allows():
    found = simon.search(Target(0.01, 0.5, 0.01, 0.25)).optimal
    assert cuts(found) == (0, 3, 1, 5)
    assert (found.en_p0, found.power) == pytest.approx((3.0594, 0.78125), abs=5e-5)


# case E7
def test_attained_exactly_counts_as_attained():
    assert single_stage.search(Target(0.05, 0.95, 0.05, 0.05))["first"].n == 1
    assert Pocock(kind="pocock", limit=0.2, phi=0.36).compile(2, 2) == (NEVER, 1, 1)
    assert boundaries((1, 2), 0.2, 0.36, 0.2, 0.0)[0] == (0, 0)
    assert first_stage(0.2, 0.64) == 2 and first_stage(0.3, 0.343) == 3
    # P(X = 0 | .1) of 2 is .81: rejected at a level of .81; P(X >= 2 | .1) is .01
    assert swog_cut_offs(2, 2, 0.1, 0.9, 0.01, 0.01) == (0, 1)
    # significance .01 is attained by 2 of 2; .3 of 10 patients are 3
    assert dual_cut_offs(2, 0.1, 0.3, 0.01) == (1, 2)
    assert dual_cut_offs(10, 0.1, 0.3, 0.05)[0] == 3


# case E8
def test_above_is_strictly_above():
    rule = Posterior(kind="posterior", limit=0.3, prior=(1, 1), cutoff=0.6517)
    assert rule.compile(3, 3)[3] == 2
    assert posterior_is(1, 3, (1, 1), Fraction(3, 10)) == Fraction("0.6517")
    # P(p > .5 | 2 of 4) is .5 under any symmetric prior; P(p > .75 | 0 of 0) is .5 under Beta(1, .5)
    assert bounds(4, (0.3, 0.3), 0.5, 0.0, 0.5, 0.5) == (1, 3)
    assert posterior_is(0, 0, (1, 0.5), Fraction(3, 4)) == Fraction(1, 2)
    assert posterior_is(0, 0, (0.5, 1), Fraction(1, 4)) == Fraction(1, 2)
    assert posterior_is(0, 0, (1, 0.5), Fraction(1, 2)) is None
    # lambda (m/N)^gamma at 1 of 4 with gamma .5 is half of lambda
    assert power(Fraction(1, 4), Fraction(1, 2)) == Fraction(1, 2)
    assert power(Fraction(1, 2), Fraction(1, 2)) is None
    looks = bop2_looks((1, 4), 0.5, (1, 1), 0.5, 0.5, None)  # P(p > .5 | 0 of 1) = .25 is not below .25
    assert looks.n == (4,) and looks.next[0].count(-2) == 2  # and .5 at the end is not above .5


@pytest.mark.parametrize("limit", [0.1, 0.2, 0.25, 0.3, 0.5, 0.75])
@pytest.mark.parametrize("prior", [(1, 1), (2, 1), (1, 3)])
def test_toxicity_rules_at_every_cut_off_that_is_attained(limit, prior):
    p, tried = Fraction(str(limit)), 0
    for m in range(1, 8):
        for t in range(m + 1):
            exact = posterior_is(t, m, prior, p)
            if Fraction(str(float(exact))) != exact or not 0 < exact < 1:
                continue
            rule = Posterior(kind="posterior", limit=limit, prior=prior, cutoff=float(exact))
            found = [NEVER, *rule.compile(8, 8)[1:]]
            assert found == posterior_boundary(8, limit, float(exact), *prior, 1), (m, t)
            tried += 1
    assert tried >= 20


# case E9
def test_admissible_is_best_for_some_weight():
    found = predictive.search(Target(0.05, 0.25, 0.05, 0.1, 50), prior=(1, 1), min_n=5, every=5)
    assert 26 not in {d.n for d in found.admissible}
    three = sargent.search(Target(0.1, 0.3, 0.1, 0.1), 0.8, 0.8)
    for front in (found, three):
        for w in np.linspace(0, 1, 101):
            best = min(w * d.n + (1 - w) * d.en_p0 for d in front.designs)
            assert best == pytest.approx(min(w * d.n + (1 - w) * d.en_p0 for d in front.admissible))
        for d in front.admissible:
            low, high = d.weights
            w = (low + high) / 2
            assert w * d.n + (1 - w) * d.en_p0 == pytest.approx(
                min(w * e.n + (1 - w) * e.en_p0 for e in front.designs)
            )
