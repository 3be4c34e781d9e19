"""Designs with several looks and Bayesian rules of other programs, found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.codes import FUTILE, GO
from trialsim.designs import bop2, mander_thompson, multistage, predictive, simon
from trialsim.designs.alone import alone
from trialsim.designs.bayes import posterior_above, posterior_above_standard
from trialsim.designs.bayes import predictive as predictive_table
from trialsim.designs.posterior import looks_of as thall_simon
from trialsim.designs.rules import Looks
from trialsim.designs.target import Target
from trialsim.engine.exact import distribution
from trialsim.qualification.comparing import (
    Compared,
    Reference,
    Row,
    as_printed,
    ints,
    named,
    near,
    near_all,
    numbers,
    response_rules,
    same,
)
from trialsim.scenario.truth import Rates

TIE = "5 of 18 has a predictive probability of exactly .1, the bound: below is below, so the trial goes on"


def cut_offs(looks: Looks) -> dict[int, tuple[int, int]]:
    """By n: stop if responses <= the first, go if responses >= the second."""
    return {
        n: (row.count(FUTILE) - 1, n + 1 - row.count(GO)) for n, row in zip(looks.n, looks.next, strict=True)
    }


def multistage_designs(rows: Sequence[Row]) -> Iterator[Compared]:
    """Each design searched again, and run by the chain as a pasted table."""
    keys = ("type1", "power", "EN_p0", "EN_p1")
    for row in rows:
        where = named(row, "type", "p0", "p1", "alpha", "beta")
        n, stop, go = _stated(row)
        here, values = _searched(row, go)
        yield same(f"design, {where}", here, (n, stop, go[0] if "fut+eff" in row["type"] else None))
        for key, value in zip(keys, values, strict=True):
            yield as_printed(f"{key}, {where}", value, row[key], 1e-8)
        rules = response_rules(n, stop, go)
        p0, p1 = (distribution(rules, Rates((float(row[p]),), (0.3,))).values for p in ("p0", "p1"))
        for key, value in zip(keys, (p0["p_go"], p1["p_go"], p0["en"], p1["en"]), strict=True):
            yield as_printed(f"{key} by the chain, {where}", value, row[key], 1e-8)


def _stated(row: Row) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int | None, ...]]:
    stop = tuple(-1 if word == "-Inf" else int(word) for word in row["futility_stop_if_le"].split())
    go = tuple(None if word == "Inf" else int(word) for word in row["efficacy_stop_if_ge"].split())
    return ints(row["stage_n_cum"]), stop, go


def _searched(row: Row, go: tuple[int | None, ...]) -> tuple[tuple[object, ...], tuple[float, ...]]:
    """The design that the search finds, in the form of ``_stated``, and its operating characteristics."""
    p0, p1, alpha, beta = numbers(row, "p0", "p1", "alpha", "beta")
    target, kind = Target(p0, p1, alpha, beta), row["type"]
    if kind.startswith("3stage"):
        shape = "ensign" if "ensign" in kind else "equal" if "equal" in kind else "free"
        three = multistage.search(target, shape=shape).optimal
        return (three.n, three.stop_le, None), (
            three.type_i_error, three.power, three.en_p0, three.en_p1,
        )  # fmt: skip
    if "fut+eff" in kind:
        criterion = "h1_optimal" if "alt" in kind else "h0_optimal"
        both = mander_thompson.search(target, criterion=criterion).optimal
        early = None if go[0] is None else both.a1 + 1
        return ((both.n1, both.n), (both.r1, both.r), early), (
            both.type_i_error, both.power, both.en_p0, both.en_p1,
        )  # fmt: skip
    two = simon.search(target, weight_p1=1.0 if "alt" in kind else 0.0)
    one = two.choose("minimax" if "minimax" in kind else "optimal")
    return ((one.n1, one.n), (one.r1, one.r), None), (one.type_i_error, one.power, one.en_p0, one.en_p1)


def bop2_boundaries(rows: Sequence[Row]) -> Iterator[Compared]:
    """Every boundary from its parameters."""
    for row in rows:
        at = ints(row["cum_n"])
        p0, p1, lambda_, gamma, eta = numbers(row, "H0", "H1", "lambda", "gamma", "eta")
        looks = bop2.looks_of(at, p0, (p0, 1 - p0), lambda_, gamma, eta)
        stop, go = ints(row["fut_stop_if_le"]), ints(row["eff_stop_if_ge"])
        where = named(row, "H0", "H1", "cum_n", "lambda", "gamma", "eta")
        stated = {n: (s, g) for n, s, g in zip(at, stop, go, strict=True)}
        yield same(f"cut-offs, {where}", cut_offs(looks), stated)
        null, alternative = alone(looks, p0), alone(looks, p1)
        values = (null.p_go, null.en, alternative.p_go, alternative.en)
        keys = ("exact_rej_H0", "exact_EN_H0", "exact_rej_H1", "exact_EN_H1")
        yield from near_all(where, values, row, keys)


def _bounds(row: Row, n_key: str, bound_key: str, n: int) -> list[int | None]:
    """The bound at every m = 1..n from a list of where it changes."""
    at = ints(row[n_key])
    bounds = [None if word == "NA" else int(word) for word in row[bound_key].split()]
    return [bounds[max(k for k, start in enumerate(at) if start <= m)] for m in range(1, n + 1)]


def bayes_boundaries(rows: Sequence[Row]) -> Iterator[Compared]:
    """The cut-offs after every patient, and the exact operating characteristics where they are the same."""
    keys = ("P_stopeff_p0", "P_stopfut_p0", "EN_p0", "P_stopeff_p1", "P_stopfut_p1", "EN_p1")
    for row in rows:
        where = named(row, "kind", "nmax", "p0", "a", "b")
        n = int(row["nmax"])
        p0, p1, a, b, low, high, last = numbers(row, "p0", "p1", "a", "b", "theta_L", "theta_U", "theta_t")
        at = tuple(range(1, n + 1))
        if row["kind"] == "predprob":
            looks = predictive.looks_of(at, p0, (low, high, last), (a, b))
        else:
            looks = thall_simon(at, (0.6, 1.4), (a, b), last, low, high)
        found = cut_offs(looks)
        stops, goes = _bounds(row, "fut_n", "fut_bound", n), _bounds(row, "eff_n", "eff_bound", n)
        different = {}
        for m, s, g in zip(at, stops, goes, strict=True):
            stop, go = found.get(m, (-1, m + 1))
            here = stop, min(go, m + 1)
            stated = -1 if s is None else s, m + 1 if g is None else min(g, m + 1)
            if here != stated:
                different[m] = here, stated
        if (row["kind"], n, p0, a, b) == ("predprob", 20, 0.2, 1, 1):
            tie = different == {18: ((4, 7), (5, 7))}
            yield Compared(f"cut-offs, {where}", (4, 7), (5, 7), False, TIE if tie else "")
            continue
        yield same(f"cut-offs, {where}", different, {})
        null, alternative = alone(looks, p0), alone(looks, p1)
        values = (null.p_go, null.p_no_go, null.en, alternative.p_go, alternative.p_no_go, alternative.en)
        yield from near_all(where, values, row, keys)


def bayes_points(rows: Sequence[Row]) -> Iterator[Compared]:
    """Posterior and predictive probabilities of single results."""
    for row in rows:
        y, m, n = (int(row[key]) for key in ("y", "n", "nmax"))
        a, b, p0, theta = numbers(row, "a", "b", "p0", "theta_t")
        r = predictive.final_cut_off(n, p0, theta, (a, b))
        values = {
            "own_predprob": predictive_table(n, r, (a, b))[m][y],
            "own_postprob_gt_p0": posterior_above(m, (a, b), p0)[y],
            "own_postprob_TS_d0": posterior_above_standard(m, (a, b), (15, 35), 0.0)[y],
            "own_postprob_TS_d15": posterior_above_standard(m, (a, b), (15, 35), 0.15)[y],
        }
        for key, value in values.items():
            yield near(f"{key}, case {row['case']}", value, row[key], 1e-10)


REFERENCES = (
    Reference(
        "multistage", "designs of two and three stages", "singlearm 1.0.0 (des_gs) on R 4.2.2",
        multistage_designs, 16, 144,
    ),
    Reference(
        "bop2_boundaries", "BOP2 boundaries", "BOP2FE 1.0.3 on R 4.2.2; operating characteristics by enumeration",
        bop2_boundaries, 36, 180,
    ),
    Reference(
        "bayes_boundaries", "predictive and posterior boundaries after every patient",
        "ph2bayes 0.0.2, ph2bye 0.1.4 on R 4.2.2; exact recursion", bayes_boundaries, 30, 204, 1,
    ),
    Reference(
        "bayes_point", "posterior and predictive probabilities", "ph2bayes 0.0.2, ph2bye 0.1.4 on R 4.2.2; recursion",
        bayes_points, 20, 80,
    ),
)  # fmt: skip
