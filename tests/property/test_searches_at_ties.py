"""Settings whose error rates are attained exactly by some design: each search against enumeration in fractions."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cache
from math import comb

import pytest

from tests.oracle.brute_force import pocock_boundary, reachable
from trialsim.designs import curtailed, mander_thompson, sargent, simon, single_stage
from trialsim.designs.target import Target
from trialsim.designs.toxicity import Pocock
from trialsim.errors import DesignError

RATES = (0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9)
LARGEST = 8


@cache
def pmf(n, p):
    q = Fraction(str(p))
    return [comb(n, x) * q**x * (1 - q) ** (n - x) for x in range(n + 1)]


@cache
def above(n, x, p):
    """P(X > x)."""
    return sum(pmf(n, p)[max(x + 1, 0) :], Fraction(0))


@cache
def both_ways(n1, r1, a1, n, r, p):
    """P(go) and EN where stage 1 stops up to r1 and goes above a1."""
    first = pmf(n1, p)
    go = sum(first[a1 + 1 :], Fraction(0))
    go += sum((first[x] * above(n - n1, r - x, p) for x in range(r1 + 1, min(a1, n1) + 1)), Fraction(0))
    return go, n1 + sum(first[r1 + 1 : a1 + 1], Fraction(0)) * (n - n1)


SIMON = [
    (r1, n1, r, n)
    for n in range(2, LARGEST + 1)
    for n1 in range(1, n)
    for r in range(n)
    for r1 in range(min(r, n1 - 1) + 1)
]
EARLY_GO = [
    (r1, a1, n1, r, n)
    for n in range(2, 6)
    for n1 in range(1, n)
    for r in range(n)
    for r1 in range(min(r, n1 - 1) + 1)
    for a1 in range(r1, min(r, n1) + 1)
]


def two_stage(design, p):
    r1, n1, r, n = design
    return both_ways(n1, r1, n1, n, r, p)


def early_go(design, p):
    r1, a1, n1, r, n = design
    return both_ways(n1, r1, a1, n, r, p)


def writable(value):
    """Whether a probability can be written as a decimal number without loss."""
    return 0 < value < 1 and Fraction(repr(float(value))) == value


def settings(rng, count, designs, does):
    """p0, p1, alpha, beta, at which some design attains alpha, beta or both exactly."""
    found = []
    while len(found) < count:
        p0, p1 = sorted(rng.sample(RATES, 2))
        at_alpha, at_beta = rng.choice(designs), rng.choice(designs)
        alpha, beta = does(at_alpha, p0)[0], 1 - does(at_beta, p1)[0]
        if rng.random() < 0.3:
            alpha = Fraction(rng.choice(["0.05", "0.1", "0.2"]))
        elif rng.random() < 0.4:
            beta = Fraction(rng.choice(["0.1", "0.2", "0.25"]))
        if writable(alpha) and writable(beta):
            found.append((p0, p1, float(alpha), float(beta)))
    return found


def front(designs, does, setting, most):
    """The least EN(p0) of every n, then the most power, as far as EN falls: {n: (EN, -power)}."""
    p0, p1, alpha, beta = setting
    best = {}
    for design in designs:
        if design[-1] > most:
            continue
        level, en = does(design, p0)
        power = does(design, p1)[0]
        if level <= Fraction(repr(alpha)) and power >= 1 - Fraction(repr(beta)):
            n = design[-1]
            best[n] = min(best.get(n, (en, -power)), (en, -power))
    falling, least = {}, None
    for n in sorted(best):
        if least is None or best[n][0] < least:
            falling[n], least = best[n], best[n][0]
    return falling


def hull(falling):
    """The n that are best for some weight: those above no line between two others."""
    return {
        n
        for n, (en, _) in falling.items()
        if not any(
            (b - n) * falling[a][0] + (n - a) * falling[b][0] < (b - a) * en
            for a in falling
            for b in falling
            if a < n < b
        )
    }


def compare(search, designs, does, many, most, cut_offs):
    ties = 0
    for setting in many:
        wanted = front(designs, does, setting, most)
        if not wanted:
            with pytest.raises(DesignError):
                search(Target(*setting, most))
            continue
        found = search(Target(*setting, most))
        p0, p1, alpha, beta = setting
        got = {}
        for d in found.designs:
            (level, en), (power, _) = (does(cut_offs(d), p) for p in (p0, p1))
            got[d.n] = (en, -power)
            ties += level == Fraction(repr(alpha)) or power == 1 - Fraction(repr(beta))
        assert got == wanted, setting
        assert {d.n for d in found.admissible} == hull(wanted), setting
    return ties


def simon_cut_offs(d):
    return d.r1, d.n1, d.r, d.n


def mander_cut_offs(d):
    return d.r1, d.a1, d.n1, d.r, d.n


def simon_at_ties(seed, count):
    rng = random.Random(seed)
    many = settings(rng, count, SIMON, two_stage)
    return compare(simon.search, SIMON, two_stage, many, LARGEST, simon_cut_offs)


def test_simon_at_600_constructed_ties():
    assert simon_at_ties(1, 600) > 80


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_simon_at_6000_constructed_ties(seed):
    assert simon_at_ties(100 + seed, 600) > 60


def test_simon_with_a_share_and_a_pet_that_are_attained():
    """n1 = .3 n of 10, and PET = .64 of 2 patients at .2: both are kept."""
    share = simon.best_by_n(Target(0.2, 0.7, 0.3, 0.3), 10, limits=simon.Limits(share=(0.3, 0.3)))
    assert [(d.n1, d.n) for d in share] == [(3, 10)]
    for pet, n1 in (("0.64", 2), ("0.8", 1), ("0.512", 3)):
        limits = simon.Limits(n1=n1, r1=0, min_pet=float(pet))
        assert simon.search(Target(0.2, 0.9, 0.1, 0.3), limits=limits).optimal.n1 == n1


def test_two_stages_with_an_early_go():
    many = settings(random.Random(2), 250, EARLY_GO, early_go)
    assert compare(mander_thompson.search, EARLY_GO, early_go, many, 5, mander_cut_offs) > 40


def test_three_outcomes():
    rng, compared = random.Random(3), 0
    for p0, p1, alpha, beta in settings(rng, 150, [d for d in SIMON if d[-1] <= 6], two_stage):
        eta = 1 - two_stage(rng.choice(SIMON), p0)[0]
        pi = two_stage(rng.choice(SIMON), p1)[0]
        if not (writable(eta) and writable(pi)):
            continue
        a, b = Fraction(repr(alpha)), Fraction(repr(beta))
        best = {}
        for r1, n1, r, n in (d for d in SIMON if d[-1] <= 6):
            go_p0, en = two_stage((r1, n1, r, n), p0)
            if 1 - two_stage((r1, n1, r, n), p1)[0] > b or 1 - go_p0 < eta:
                continue
            for s in range(r + 1, n + 1):
                level, power = (two_stage((r1, n1, s - 1, n), p)[0] for p in (p0, p1))
                if level <= a and power >= pi:
                    best[n] = min(best.get(n, (en, -power)), (en, -power))
        falling = {n: v for n, v in best.items() if all(v[0] < w[0] for m, w in best.items() if m < n)}
        target = Target(p0, p1, alpha, beta, 6)
        if not falling:
            with pytest.raises(DesignError):
                sargent.search(target, float(eta), float(pi))
            continue
        found = sargent.search(target, float(eta), float(pi))
        assert {
            d.n: (
                two_stage((d.r1, d.n1, d.r, d.n), p0)[1],
                -two_stage((d.r1, d.n1, d.s - 1, d.n), p1)[0],
            )
            for d in found.designs
        } == falling
        compared += 1
    assert compared > 20


def test_curtailed_designs_keep_what_they_attain():
    for setting in settings(random.Random(4), 60, [d for d in SIMON if d[-1] <= 6], two_stage):
        p0, p1, alpha, beta = setting
        able = {
            d for d in SIMON
            if d[-1] <= 6 and two_stage(d, p0)[0] <= Fraction(repr(alpha))
            and two_stage(d, p1)[0] >= 1 - Fraction(repr(beta))
        }  # fmt: skip
        try:
            found = {simon_cut_offs(d) for d in curtailed.search(Target(*setting, 6))}
        except DesignError:
            found = set()
        assert found <= able and bool(found) == bool(able), setting


def test_one_stage_at_every_tie():
    compared = 0
    for p0 in RATES:
        for p1 in (p for p in RATES if p > p0):
            for n in range(1, 7):
                for r in range(n):
                    alpha, beta = above(n, r, p0), 1 - above(n, r, p1)
                    if not (writable(alpha) and writable(beta)):
                        continue
                    first = next(
                        m for m in range(1, 8)
                        if any(above(m, x, p0) <= alpha and above(m, x, p1) >= 1 - beta for x in range(m + 1))
                    )  # fmt: skip
                    found = single_stage.search(Target(p0, p1, float(alpha), float(beta)))
                    assert found["first"].n == first, (p0, p1, alpha, beta)
                    compared += 1
    assert compared > 200


@pytest.mark.parametrize("limit", [0.1, 0.2, 0.25, 0.3, 0.5])
def test_pocock_boundary_at_levels_that_are_attained(limit):
    p = Fraction(str(limit))
    attained = {1 - (1 - p) ** m for m in range(1, 6)} | {
        above(m, b - 1, limit) for m in range(1, 6) for b in range(1, m + 1)
    }
    tried = [phi for phi in sorted(attained) if writable(phi)]
    for phi in tried:
        for n in (2, 5, 8):
            found = Pocock(kind="pocock", limit=limit, phi=float(phi)).compile(n, n)
            assert reachable(list(found)) == reachable(pocock_boundary(n, limit, float(phi))), (n, phi)
    assert len(tried) >= 8
