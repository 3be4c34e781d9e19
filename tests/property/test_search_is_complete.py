"""The design searches against exhaustive enumeration, and boundaries against their slow twins."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from tests.helpers import beyond, first_of
from tests.oracle.brute_force import k_of_first_m, pocock_boundary, posterior_boundary, reachable
from trialsim.designs import simon, single_stage
from trialsim.designs.target import Target
from trialsim.designs.toxicity import KOfFirstM, Pocock, Posterior
from trialsim.errors import DesignError


def every_design(
    p0: float, p1: float, alpha: float, beta: float, nmax: int
) -> list[tuple[int, int, int, int, float]]:
    """(r1, n1, r, n, EN) of every two-stage design with n <= nmax that keeps both error rates."""
    found = []
    for n in range(2, nmax + 1):
        for n1 in range(1, n):
            x1 = np.arange(n1 + 1)
            first = [stats.binom.pmf(x1, n1, p) for p in (p0, p1)]
            goes_on = beyond(x1, n1, p0)
            for r in range(n):
                later = [beyond(r - x1, n - n1, p) for p in (p0, p1)]
                go = [a * b for a, b in zip(first, later, strict=True)]
                for r1 in range(min(r, n1 - 1) + 1):
                    if go[0][r1 + 1 :].sum() <= alpha and go[1][r1 + 1 :].sum() >= 1 - beta:
                        found.append((r1, n1, r, n, float(n1 + goes_on[r1] * (n - n1))))
    return found


@pytest.mark.parametrize("seed", first_of(3, range(10)))
def test_optimal_minimax_and_admissible_against_every_design(seed):
    rng = random.Random(seed)
    p0 = rng.choice([0.05, 0.1, 0.2, 0.3, 0.5])
    p1 = p0 + rng.choice([0.25, 0.3, 0.35])
    alpha, beta = rng.choice([0.05, 0.1, 0.15]), rng.choice([0.1, 0.2, 0.25])
    designs = every_design(p0, p1, alpha, beta, 22)
    if not designs:
        with pytest.raises(DesignError):
            simon.search(Target(p0, p1, alpha, beta, 22))
        return
    found = simon.search(Target(p0, p1, alpha, beta, 22))
    least = min(d[4] for d in designs)
    assert found.optimal.en_p0 == pytest.approx(least, abs=1e-9)
    smallest = min(d[3] for d in designs)
    assert found.minimax.n == smallest
    assert found.minimax.en_p0 == pytest.approx(min(d[4] for d in designs if d[3] == smallest), abs=1e-9)
    for w in np.linspace(0, 1, 41):
        best = min(w * d[3] + (1 - w) * d[4] for d in designs)
        chosen = found.choose("admissible", float(w))
        assert w * chosen.n + (1 - w) * chosen.en_p0 == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_single_stage_against_every_n(seed):
    rng = random.Random(100 + seed)
    p0 = round(rng.uniform(0.02, 0.6), 2)
    p1 = round(p0 + rng.uniform(0.15, 0.35), 2)
    alpha, beta = rng.choice([0.025, 0.05, 0.1]), rng.choice([0.05, 0.1, 0.2])
    works = []
    for n in range(1, 400):
        r = np.flatnonzero(beyond(np.arange(n + 1), n, p0) <= alpha)[0]
        works.append(beyond(r, n, p1) >= 1 - beta)
    found = single_stage.search(Target(p0, p1, alpha, beta))
    assert found["first"].n == works.index(True) + 1
    assert found["stable"].n == max(n for n, ok in enumerate(works, 1) if not ok) + 1


@pytest.mark.parametrize(
    ("n", "limit", "phi"), [(12, 0.3, 0.1), (20, 0.25, 0.05), (18, 0.5, 0.2), (9, 0.3, 0.01)]
)
def test_pocock_boundary_against_rational_arithmetic(n, limit, phi):
    bounds = Pocock(kind="pocock", limit=limit, phi=phi).compile(n, n)
    assert reachable(list(bounds)) == reachable(pocock_boundary(n, limit, phi))


@pytest.mark.parametrize(("a", "b", "cutoff", "min_n"), [(0.6, 1.4, 0.9, 6), (1, 1, 0.8, 1), (2, 3, 0.95, 3)])
def test_posterior_boundary_against_its_twin(a, b, cutoff, min_n):
    rule = Posterior(kind="posterior", limit=0.3, cutoff=cutoff, prior=(a, b), min_n=min_n)
    assert reachable(list(rule.compile(40, 40))) == reachable(
        posterior_boundary(40, 0.3, cutoff, a, b, min_n)
    )


def test_k_of_first_m_against_its_twin():
    assert reachable(list(KOfFirstM(kind="k_of_first_m", k=6, m=12).compile(40, 40))) == reachable(
        k_of_first_m(40, 6, 12)
    )
