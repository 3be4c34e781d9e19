"""The engine of calendar time with outcomes known at once, held against exact calculation: z is standard normal.

Every scenario is random (rules, strata, withdrawal, replacement, analysis set); one quantity a scenario, a seed of its
own, limits fixed beforehand.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from tests.oracle.conduct_strategies import immediate, random_conduct
from trialsim.designs.rules import Rules
from trialsim.engine.exact import distribution
from trialsim.engine.quantities import Side
from trialsim.engine.timed import Timed
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Calendar, Int64
from trialsim.scenario.truth import Cells

WORD = 2**32
QUANTITIES = ("p_go", "p_no_go", "p_stop_futility", "p_stop_toxicity", "p_dose_reduced", "pet")


def cells(calendar: Calendar, thresholds: Int64) -> Cells:
    """Joint probabilities of a patient, worked out from the thresholds that the kernel compares words with."""
    shares = np.diff(np.minimum(calendar.stratum_by, WORD), prepend=0) / WORD
    shares[-1] = 1 - shares[:-1].sum()  # who is beyond the last threshold belongs to the last stratum
    visits = len(calendar.visit)
    missed = np.diff(calendar.missed_by, prepend=0, append=WORD) / WORD  # first missed visit, visits = none
    seen = np.diff(calendar.seen_by[:-1], prepend=0, append=WORD) / WORD
    there = missed[1:].sum()
    confirmed = sum(
        seen[s] * missed[s + calendar.confirmation + 1 :].sum()
        for s in range(visits)
        if s + calendar.confirmation < visits
    )
    table = np.zeros((thresholds.shape[0], 6))
    for level in range(thresholds.shape[0]):
        for s, share in enumerate(shares):
            responds, t_not, t_so, e_not, e_so = thresholds[level, s, :5] / WORD
            for responder, p, t, e in ((0, 1 - responds, t_not, e_not), (1, responds, t_so, e_so)):
                for toxic, q in ((0, 1 - t), (1, t)):
                    weight = share * p * q
                    counted = e * confirmed if responder else 0.0
                    table[level, 4 + toxic] += weight * counted
                    table[level, 2 + toxic] += weight * (e * there - counted)
                    table[level, toxic] += weight * (1 - e * there)
    return Cells.of(table[:, None])


def scenarios(name: str, count: int) -> list[tuple[Rules, Calendar, Int64]]:
    rng = random.Random(name)
    found = []
    while len(found) < count:
        rules, calendar, thresholds = random_conduct(rng)
        cumulative = (calendar.seen_by, calendar.missed_by, calendar.stratum_by)
        if calendar.own or any((np.diff(row) < 0).any() for row in cumulative):
            continue
        dateless = np.zeros_like(calendar.amended_at)
        found.append((rules, immediate(calendar)._replace(amended_at=dateless, exclude=False), thresholds))
    return found


def z_values(name: str, count: int, replicates: int) -> list[float]:
    z: list[float] = []
    rng = random.Random(f"{name}, quantities")
    for seed, (rules, calendar, thresholds) in enumerate(scenarios(name, 4 * count)):
        known = distribution(rules, cells(calendar, thresholds)).values
        open_ones = [q for q in QUANTITIES if known[q] * (1 - known[q]) * replicates >= 100]
        if not open_ones:
            continue
        quantity = rng.choice(open_ones)
        trials = Timed.of(rules, calendar, thresholds)
        found = Side.of(trials).simulated(trials.tally(stream_key(seed), 0, replicates)).values
        p = known[quantity]
        error = (p * (1 - p) / replicates) ** 0.5
        z.append((found[quantity].estimate - p) / error)
        if len(z) == count:
            break
    assert len(z) == count
    return z


def test_forty_scenarios() -> None:
    z = z_values("at once", 40, 20_000)
    assert max(map(abs, z)) < 4  # P = .0025 with nothing wrong


@pytest.mark.slow
def test_two_hundred_scenarios_are_standard_normal() -> None:
    z = z_values("at once, at length", 200, 200_000)
    print(f"max |z| {max(map(abs, z)):.3f}, Kolmogorov-Smirnov p {stats.kstest(z, 'norm').pvalue:.3f}")
    assert max(map(abs, z)) < 4.5
    assert stats.kstest(z, "norm").pvalue > 0.001
