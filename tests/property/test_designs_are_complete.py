"""The searches for designs against exhaustive enumeration with probabilities from SciPy."""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
import pytest
from scipy.stats import binom

from tests.helpers import beyond, first_of
from trialsim.designs import bryant_day, mander_thompson, multistage, sargent, simon
from trialsim.designs.predictive import search as predictive_search
from trialsim.designs.target import Target
from trialsim.errors import DesignError

EPS = 1e-9


@lru_cache(maxsize=64)
def pmf(n: int, p: float) -> np.ndarray:
    return binom.pmf(np.arange(n + 1), n, p)


@lru_cache(maxsize=2_000)
def sf(n: int, p: float) -> np.ndarray:
    return beyond(np.arange(n + 1), n, p)


@lru_cache(maxsize=20_000)
def p_go_matrix(n1: int, n: int, p: float) -> np.ndarray:
    """P(go) of r1/n1 r/n for every r1 = 0..n1 (rows) and r = 0..n - 1."""
    need = np.arange(n)[None, :] - np.arange(n1 + 1)[:, None]
    joint = pmf(n1, p)[:, None] * beyond(need, n - n1, p)
    above = joint[::-1].cumsum(axis=0)[::-1]
    return np.vstack([above[1:], np.zeros(n)])


def setting(rng: random.Random) -> tuple[float, float, float, float]:
    p0 = rng.choice([0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    p1 = round(p0 + rng.choice([0.2, 0.25]), 2)
    return p0, p1, rng.choice([0.025, 0.05, 0.1, 0.15]), rng.choice([0.1, 0.15, 0.2, 0.25])


def least_by_n(p0: float, p1: float, alpha: float, beta: float, nmax: int) -> dict[int, tuple]:
    """The least EN(p0) at every n <= nmax, with one design that has it, over all n1, r1 <= r, r."""
    best: dict[int, tuple] = {}
    for n in range(2, nmax + 1):
        for n1 in range(1, n):
            good = (p_go_matrix(n1, n, p0) <= alpha + 1e-12) & (p_go_matrix(n1, n, p1) >= 1 - beta - 1e-12)
            good &= np.arange(n1 + 1)[:, None] <= np.arange(n)[None, :]
            for r1 in np.flatnonzero(good.any(axis=1)):
                en = n1 + sf(n1, p0)[r1] * (n - n1)
                if n not in best or en < best[n][0] - EPS:
                    best[n] = (float(en), int(r1), n1)
    return best


def weights(points: dict[int, float]) -> dict[int, tuple[float, float]]:
    """The range of w in which each n minimises w n + (1 - w) EN, compared with every other n one by one."""
    found = {}
    for n, en in points.items():
        low, high = 0.0, 1.0
        for m, other in points.items():
            # w (n - m) + (1 - w) (en - other) <= 0
            slope, at0 = (n - m) - (en - other), en - other
            if slope > 0:
                high = min(high, -at0 / slope)
            elif slope < 0:
                low = max(low, at0 / -slope)
            elif at0 > 0:
                high = -1.0
        if low <= high + EPS:
            found[n] = (low, high)
    return found


@pytest.mark.parametrize("part", first_of(2, [1, 2, 0, *range(3, 10)]))
def test_simon_on_300_settings_with_n_to_40(part):
    rng = random.Random(4000 + part)
    compared = 0
    for _ in range(30):
        args = setting(rng)
        best = least_by_n(*args, 40)
        if not best:
            with pytest.raises(DesignError):
                simon.search(Target(*args, 40))
            continue
        found = simon.search(Target(*args, 40))
        ranges = weights({n: en for n, (en, _, _) in best.items()})
        firm = {n for n, (low, high) in ranges.items() if high - low > 1e-7}
        admissible = {d.n: d for d in found.admissible}
        assert firm <= admissible.keys() <= ranges.keys(), args
        for n, design in admissible.items():
            assert design.en_p0 == pytest.approx(best[n][0], abs=1e-9), args
            assert design.weights == pytest.approx(ranges[n], abs=1e-7), args
        assert found.minimax.n == min(best)
        assert found.optimal.en_p0 == pytest.approx(min(en for en, _, _ in best.values()), abs=1e-9)
        by_n = {d.n: d.en_p0 for d in simon.best_by_n(Target(*args), 40)}
        assert by_n == pytest.approx({n: en for n, (en, _, _) in best.items()}, abs=1e-9)
        compared += 1
    assert compared >= 12


@pytest.mark.parametrize("seed", range(8))
def test_simon_under_limits_and_other_criteria(seed):
    rng = random.Random(seed)
    args = p0, p1, alpha, beta = setting(rng)
    limits = simon.Limits(
        share=rng.choice([None, (0.5, 0.5), (0.3, 0.6)]),
        n1=rng.choice([None, None, 14]),
        n=rng.choice([None, None, 36]),
        min_pet=rng.choice([None, 0.6]),
    )
    weight = rng.choice([0.0, 0.5, 1.0])
    found: list[tuple[float, int]] = []
    for n in range(2, 41):
        for n1 in range(1, n):
            low, high = limits.share or (0, 1)
            if not low * n - EPS <= n1 <= high * n + EPS or (limits.n1 or n1) != n1 or (limits.n or n) != n:
                continue
            good = (p_go_matrix(n1, n, p0) <= alpha + 1e-12) & (p_go_matrix(n1, n, p1) >= 1 - beta - 1e-12)
            good &= np.arange(n1 + 1)[:, None] <= np.arange(n)[None, :]
            for r1 in np.flatnonzero(good.any(axis=1)):
                on0, on1 = sf(n1, p0)[r1], sf(n1, p1)[r1]
                if 1 - on0 >= (limits.min_pet or 0) - 1e-12:
                    found.append((n1 + ((1 - weight) * on0 + weight * on1) * (n - n1), n))
    if not found:
        with pytest.raises(DesignError):
            simon.search(Target(*args, 40), limits=limits, weight_p1=weight)
        return
    search = simon.search(Target(*args, 40), limits=limits, weight_p1=weight)
    assert search.optimal.en == pytest.approx(min(found)[0], abs=1e-9)
    least_n = min(n for _, n in found)
    assert search.minimax.n == least_n
    assert search.minimax.en == pytest.approx(min(en for en, n in found if n == least_n), abs=1e-9)


def test_en_over_a_prior_is_its_mean():
    design = simon.search(Target(0.1, 0.3, 0.05, 0.2), prior=(2, 8)).optimal
    from scipy.stats import beta

    p = np.linspace(0, 1, 20_001)[1:-1]
    en = design.n1 + beyond(design.r1, design.n1, p) * (design.n - design.n1)
    assert design.en == pytest.approx(np.trapezoid(en * beta.pdf(p, 2, 8), p), abs=1e-5)


def between(mass: np.ndarray) -> np.ndarray:
    """(low, high) what lies above one place and not above another: sums of ``mass`` over low < x <= high."""
    sums = mass.cumsum()
    return sums[None, :] - sums[:, None]


@pytest.mark.parametrize("seed", first_of(1, range(6)))
def test_two_stages_both_ways(seed):
    rng = random.Random(50 + seed)
    args = p0, p1, alpha, beta = setting(rng)
    nmax = 22
    least = {"h0_optimal": (np.inf, 0), "h1_optimal": (np.inf, 0), "least_largest_en": (np.inf, 0)}
    smallest = (nmax + 1, np.inf)
    grid = np.linspace(p0, p1, 2001)
    for n in range(2, nmax + 1):
        for n1 in range(1, n):
            x1 = np.arange(n1 + 1)
            # (r1, a1): responses that lead on are in between, and EN with them
            en0, en1 = (n1 + between(pmf(n1, p)) * (n - n1) for p in (p0, p1))
            for r in range(n):
                go = [
                    between(pmf(n1, p) * beyond(r - x1, n - n1, p)) + (1 - pmf(n1, p).cumsum())[None, :]
                    for p in (p0, p1)
                ]
                good = (go[0] <= alpha + 1e-12) & (go[1] >= 1 - beta - 1e-12)
                good &= (x1[:, None] <= min(r, n1)) & (x1[:, None] <= x1[None, :])
                if not good.any():
                    continue
                least["h0_optimal"] = min(least["h0_optimal"], (float(en0[good].min()), n))
                least["h1_optimal"] = min(least["h1_optimal"], (float(en1[good].min()), n))
                smallest = min(smallest, (n, float(en0[good].min())))
                for r1, a1 in np.argwhere(good & (en0 <= least["least_largest_en"][0])).tolist():
                    rate = beyond(r1, n1, grid) - beyond(a1, n1, grid)
                    top = n1 + float(rate.max()) * (n - n1)
                    least["least_largest_en"] = min(least["least_largest_en"], (top, n))
    if smallest[0] > nmax:
        with pytest.raises(DesignError):
            mander_thompson.search(Target(*args, nmax))
        return
    for criterion, (en, _) in least.items():
        best = mander_thompson.search(Target(*args, nmax), criterion=criterion).optimal
        on = lambda p, b=best: beyond(b.r1, b.n1, p) - beyond(b.a1, b.n1, p)  # noqa: E731
        value = {
            "h0_optimal": best.en_p0,
            "h1_optimal": best.en_p1,
            "least_largest_en": best.n1 + float(on(grid).max()) * (best.n - best.n1),
        }[criterion]
        assert value == pytest.approx(en, abs=1e-5 if criterion == "least_largest_en" else 1e-9)
    minimax = mander_thompson.search(Target(*args, nmax), criterion="minimax").minimax
    assert (minimax.n, minimax.en_p0) == pytest.approx(smallest, abs=1e-9)


def three_stage_least(args, nmax, early, shape):
    """(least EN(p0), least n, its least EN(p0)) over all sizes and cut-offs."""
    p0, p1, alpha, beta = args
    best, smallest = np.inf, (nmax + 1, np.inf)
    for n in range(3, nmax + 1):
        for n1 in range(1, n - 1):
            for n2 in range(n1 + 1, n):
                if shape == "equal" and (3 * n1 != n or 3 * n2 != 2 * n):
                    continue
                for r1 in range(n1):
                    if shape == "ensign" and r1 > 0:
                        continue
                    for a1 in range(r1, n1 + 1) if early else [n1]:
                        state, gone = [], []
                        for p in (p0, p1):
                            first = pmf(n1, p).copy()
                            gone.append(first[a1 + 1 :].sum())
                            first[: r1 + 1] = 0
                            first[a1 + 1 :] = 0
                            state.append(np.convolve(first, pmf(n2 - n1, p)))
                        if gone[0] > alpha + 1e-12:
                            continue
                        en2 = n1 + (pmf(n1, p0)[r1 + 1 : a1 + 1].sum()) * (n2 - n1)
                        x = np.arange(n2 + 1)
                        # (r2, a2): from r1 on, no early go where there is none
                        may = (x[:, None] >= r1) & (x[:, None] <= x[None, :]) & (early | (x[None, :] == n2))
                        en = en2 + between(state[0]) * (n - n2)
                        for r in range(r1, n):
                            go = [
                                g + between(s * beyond(r - x, n - n2, p)) + s.sum() - s.cumsum()[None, :]
                                for g, s, p in zip(gone, state, (p0, p1), strict=True)
                            ]
                            good = may & (x[:, None] <= min(r, n2 - 1))
                            good &= (go[0] <= alpha + 1e-12) & (go[1] >= 1 - beta - 1e-12)
                            if good.any():
                                least = float(en[good].min())
                                best = min(best, least)
                                smallest = min(smallest, (n, least))
    return best, smallest


@pytest.mark.parametrize(
    ("args", "nmax", "early", "shape"),
    [
        ((0.1, 0.5, 0.1, 0.2), 12, False, "free"),
        pytest.param((0.2, 0.6, 0.1, 0.1), 14, False, "free", marks=pytest.mark.slow),
        ((0.05, 0.4, 0.05, 0.15), 13, False, "ensign"),
        ((0.3, 0.7, 0.1, 0.2), 15, False, "equal"),
        ((0.1, 0.5, 0.1, 0.2), 9, True, "free"),
        pytest.param((0.2, 0.7, 0.1, 0.2), 9, True, "free", marks=pytest.mark.slow),
    ],
)
def test_three_stages(args, nmax, early, shape):
    best, (least_n, least_en) = three_stage_least(args, nmax, early, shape)
    search = multistage.search(Target(*args, nmax), efficacy_stop=early, shape=shape)
    assert search.optimal.en_p0 == pytest.approx(best, abs=1e-9)
    assert search.designs[0].n[-1] == least_n
    assert search.designs[0].en_p0 == pytest.approx(least_en, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_three_outcomes(seed):
    rng = random.Random(70 + seed)
    p0, p1, alpha, beta = setting(rng)
    eta, pi, nmax = 0.75, 0.75, 30
    best: dict[int, float] = {}
    for n in range(2, nmax + 1):
        for n1 in range(1, n):
            go0, go1 = p_go_matrix(n1, n, p0), p_go_matrix(n1, n, p1)
            for r1 in range(n1):
                s_ok = (go0[r1] <= alpha + 1e-12) & (go1[r1] >= pi - 1e-12)
                r_ok = (1 - go1[r1] <= beta + 1e-12) & (1 - go0[r1] >= eta - 1e-12)
                # go if responses >= s = column + 1, no go if <= r = column, r1 <= r < s
                goes = [c + 1 for c in np.flatnonzero(s_ok) if c + 1 > r1]
                noes = [c for c in np.flatnonzero(r_ok) if c >= r1]
                if goes and noes and min(noes) < max(goes):
                    en = n1 + beyond(r1, n1, p0) * (n - n1)
                    best[n] = min(best.get(n, np.inf), en)
    if not best:
        with pytest.raises(DesignError):
            sargent.search(Target(p0, p1, alpha, beta, nmax), eta, pi)
        return
    found = sargent.search(Target(p0, p1, alpha, beta, nmax), eta, pi).designs
    assert found[0].n == min(best)
    assert found[0].en_p0 == pytest.approx(best[min(best)], abs=1e-9)
    assert found[-1].en_p0 == pytest.approx(min(best.values()), abs=1e-9)


def patient(response, toxicity, odds_ratio):
    """The joint probabilities of Plackett's distribution by bisection on the odds ratio's definition."""
    low, high = max(0.0, response + toxicity - 1), min(response, toxicity)
    for _ in range(200):
        both = (low + high) / 2
        odds = both * (1 - response - toxicity + both) - odds_ratio * (response - both) * (toxicity - both)
        low, high = (both, high) if odds < 0 else (low, both)
    return both, response - both, toxicity - both, 1 - response - toxicity + both


@lru_cache(maxsize=256)
def joint(n, rates, odds_ratio):
    """P(X = x, Y = y): responses and patients without toxicity among n."""
    both, response_only, toxic_only, neither = patient(*rates, odds_ratio)
    table = np.zeros((1, 1))
    table[0, 0] = 1.0
    for _ in range(n):
        grown = np.zeros((table.shape[0] + 1, table.shape[1] + 1))
        grown[1:, :-1] += both * table
        grown[1:, 1:] += response_only * table
        grown[:-1, :-1] += toxic_only * table
        grown[:-1, 1:] += neither * table
        table = grown
    return table


def suffix(table):
    return table[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]


@pytest.mark.parametrize("seed", first_of(6, range(30)))
def test_bryant_day_with_n_to_25(seed):
    rng = random.Random(300 + seed)
    r0 = rng.choice([0.1, 0.2, 0.3])
    response = r0, round(r0 + rng.choice([0.3, 0.35, 0.4]), 2)
    t1 = rng.choice([0.05, 0.1, 0.2])
    toxicity = round(t1 + rng.choice([0.3, 0.35, 0.4]), 2), t1
    alpha_r, alpha_t, beta = rng.choice([0.1, 0.15]), rng.choice([0.1, 0.15]), rng.choice([0.15, 0.2, 0.25])
    odds_ratio = rng.choice([1.0, 1.0, 0.3, 4.0])
    nmax = 25
    hypotheses = [(response[0], toxicity[1]), (response[1], toxicity[0]), (response[1], toxicity[1])]
    best: dict[int, float] = {}
    for n in range(2, nmax + 1):
        for n1 in range(1, n):
            n2 = n - n1
            passed = [suffix(joint(n1, h, odds_ratio)) for h in hypotheses]
            # at the end: cut-offs that leave the power with the easiest stage 1, for either endpoint alone
            whole = suffix(joint(n, hypotheses[2], odds_ratio))
            cs, ds = np.nonzero(whole >= 1 - beta - 1e-12)
            en = n1 + np.maximum(passed[0], passed[1]) * n2
            if not len(cs) or en.min() >= best.get(n, np.inf):
                continue
            x = np.arange(n1 + 1)
            left = np.clip(cs[:, None] - x[None, :], 0, n2 + 1)
            right = np.clip(ds[:, None] - x[None, :], 0, n2 + 1)
            go = []
            for h in hypotheses:
                later = np.zeros((n2 + 2, n2 + 2))
                later[:-1, :-1] = suffix(joint(n2, h, odds_ratio))
                table = joint(n1, h, odds_ratio)[None] * later[left[:, :, None], right[:, None, :]]
                go.append(table[:, ::-1, ::-1].cumsum(axis=1).cumsum(axis=2)[:, ::-1, ::-1])
            good = (go[0] <= alpha_r + 1e-12) & (go[1] <= alpha_t + 1e-12) & (go[2] >= 1 - beta - 1e-12)
            able = good.any(axis=0)
            if able.any():
                best[n] = min(best.get(n, np.inf), float(en[able].min()))
    args = Target(*response, alpha_r, beta, nmax), toxicity, alpha_t
    if not best:
        with pytest.raises(DesignError):
            bryant_day.search(*args, odds_ratio=odds_ratio)
        return
    found = bryant_day.search(*args, odds_ratio=odds_ratio)
    ranges = weights(best)
    firm = {n for n, (low, high) in ranges.items() if high - low > 1e-7}
    admissible = {d.n: d.en for d in found.admissible}
    assert firm <= admissible.keys() <= ranges.keys()
    assert admissible == pytest.approx({n: best[n] for n in admissible}, abs=1e-9)
    assert found.minimax.n == min(best)


@pytest.mark.parametrize("n", [12, 18])
def test_predictive_probability_thresholds_one_by_one(n):
    """Every attained predictive probability and every final cut-off tried, without bisection."""
    from trialsim.designs.bayes import predictive

    p0, p1, alpha, beta, prior, at = 0.2, 0.6, 0.1, 0.15, (0.4, 0.6), tuple(range(5, n + 1))
    best = np.inf
    for r in range(n):
        chance = predictive(n, r, prior)
        for theta in {0.0, *(float(v) for m in at[:-1] for v in chance[m])}:
            result = []
            for p in (p0, p1):
                state, en = pmf(5, p), 0.0
                for m in at[:-1]:
                    stop = chance[m] < theta
                    en += m * state[stop].sum()
                    state = np.convolve(np.where(stop, 0.0, state), [1 - p, p])
                result.append((state[r + 1 :].sum(), en + n * state.sum()))
            (level, en), (power, _) = result
            if level <= alpha + 1e-12 and power >= 1 - beta - 1e-12:
                best = min(best, en)
    designs = predictive_search(Target(p0, p1, alpha, beta, n), prior=prior, min_n=5).designs
    found = [d for d in designs if d.n == n]
    smaller = designs
    if found:
        assert found[0].en_p0 == pytest.approx(best, abs=1e-9)
    else:
        assert smaller[-1].en_p0 <= best + 1e-9
