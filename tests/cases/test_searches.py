"""What ``find`` covers and says: cases A1 to A3, C10, E3, E10, E13, F4, F14 and F19, each against its own enumeration."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from tests.helpers import ROOT, run
from trialsim.designs import bop2, growing
from trialsim.designs.finding import DERIVED, SEARCHES, find, find_in_file, spec_of
from trialsim.designs.target import Target
from trialsim.engine.whole_trial import find_robust
from trialsim.errors import DesignError
from trialsim.scenario.files import load

SETTING: dict[str, Any] = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
MORE: dict[str, dict[str, Any]] = {
    "predictive_probability": {"prior": [0.1, 0.9], "min_n": 10},
    "posterior_probability": {"prior": [0.1, 0.9], "p_l": 0.05, "min_n": 10},
    "bop2": {"looks": [10, 20, 30]},
    "bop2_toxicity": {"looks": [10, 20, 30], "toxicity": [0.4, 0.15]},
    "bryant_day": {"toxicity": [0.4, 0.15]},
    "dual_criterion": {"decision_value": 0.2},
}
Cuts = list[tuple[int, int, int]]


def plain(cuts: Cuts, p: float) -> tuple[float, float]:
    """P(go) and EN of looks (n, stop if <=, go if >), patient by patient."""
    state, go, en, k = {0: 1.0}, 0.0, 0.0, 0
    for m in range(1, cuts[-1][0] + 1):
        after: dict[int, float] = {}
        for x, chance in state.items():
            after[x] = after.get(x, 0.0) + chance * (1 - p)
            after[x + 1] = after.get(x + 1, 0.0) + chance * p
        state = after
        if cuts[k][0] != m:
            continue
        _, stop, more = cuts[k]
        ended = {x: c for x, c in state.items() if x <= stop or x > more or m == cuts[-1][0]}
        go += sum(c for x, c in ended.items() if x > more)
        en += m * sum(ended.values())
        state = {x: c for x, c in state.items() if x not in ended}
        k += 1
    return go, en


def read(design: str) -> Cuts:
    """The looks of a design as it is printed, taken at its word."""
    cuts = []
    for look in design.split():
        words, _, n = look.partition("/")
        r, _, a = words.partition(":")
        stop = -1 if r == "-" else int(r)
        cuts.append((int(n), stop, int(a) if a else int(n)))
    n, stop, more = cuts[-1]
    return [*cuts[:-1], (n, stop, stop if more == n else more)]


def by_posterior(at: list[int], p0: float, lambda_: float, gamma: float) -> Cuts:
    """BOP2 without early go, from the Beta distribution of another library."""
    cuts = []
    for m in at:
        above = stats.beta.sf(p0, p0 + stats.binom(m, 0.5).support()[0] + range(m + 1), 1 - p0 + m - range(m + 1)) \
            if False else [stats.beta.sf(p0, p0 + x, 1 - p0 + m - x) for x in range(m + 1)]
        cut = lambda_ * (m / at[-1]) ** gamma
        last = m == at[-1]
        cuts.append((m, sum(v <= cut if last else v < cut for v in above) - 1, m))
    n, r, _ = cuts[-1]
    return [*cuts[:-1], (n, r, r)]


# case A1
def test_bop2_has_the_power_that_gamma_above_1_gives() -> None:
    looks = [10, 20, 30, 40]
    found = find("bop2", p0=0.2, p1=0.4, alpha=0.1, beta=0.1, looks=looks)
    most, best = found["most_power"], found["optimal"]
    known = by_posterior(looks, 0.2, 0.8575, 1.26)
    level, power = (plain(known, p)[0] for p in (0.2, 0.4))
    assert (level, power) == pytest.approx((0.0835, 0.9191), abs=5e-5)
    assert plain(by_posterior(looks, 0.2, 0.8575, 2.145), 0.4)[0] == pytest.approx(0.9248, abs=5e-5)
    assert most.power > 0.9248
    assert best.power >= 0.9
    assert best.en_p0 <= plain(known, 0.2)[1] + 1e-9
    for d in found:
        assert read(d.design) == by_posterior(looks, 0.2, d.constants["lambda"], d.constants["gamma"])[-len(read(d.design)) :]
        assert plain(read(d.design), 0.2)[0] == pytest.approx(d.type_i_error, abs=1e-9)
        assert plain(read(d.design), 0.4)[0] == pytest.approx(d.power, abs=1e-9)


@pytest.mark.parametrize(("p0", "p1", "alpha"), [(0.2, 0.5, 0.1), (0.1, 0.4, 0.05), (0.35, 0.6, 0.2)])
def test_no_lambda_and_gamma_do_better_than_those_found(p0: float, p1: float, alpha: float) -> None:
    at = [4, 8, 12]
    found = bop2.search(tuple(at), p0, p1, alpha, 0.5, largest=2.0)
    most, least = 0.0, float("inf")
    seen = set()
    for i, j in itertools.product(range(2, 200), range(81)):
        cuts = by_posterior_of(at, p0, i / 200, j / 40)
        if cuts in seen:
            continue
        seen.add(cuts)
        (level, en), (power, _) = plain(list(cuts), p0), plain(list(cuts), p1)
        if level <= alpha:
            most = max(most, power)
            least = min(least, en) if power >= 0.5 else least
    assert len(seen) > 20
    assert found["most_power"].power >= most - 1e-9
    assert found["optimal"].en_p0 <= least + 1e-9


def by_posterior_of(at: list[int], p0: float, lambda_: float, gamma: float) -> tuple[tuple[int, int, int], ...]:
    values = {m: [TABLE.setdefault((m, x, p0), stats.beta.sf(p0, p0 + x, 1 - p0 + m - x)) for x in range(m + 1)] for m in at}
    stop = [sum(v < lambda_ * (m / at[-1]) ** gamma for v in values[m]) - 1 for m in at[:-1]]
    r = sum(v <= lambda_ for v in values[at[-1]]) - 1
    return (*((m, low, m) for m, low in zip(at, stop, strict=False)), (at[-1], r, r))


TABLE: dict[tuple[int, int, float], float] = {}
