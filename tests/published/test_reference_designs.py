"""Designs with several looks, Bayesian rules and boundaries that other programs print, found again."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.published.reference import ints, printed, rows
from trialsim.codes import FUTILE, GO
from trialsim.designs import (
    bop2,
    bryant_day,
    curtailed,
    mander_thompson,
    multistage,
    predictive,
    sargent,
    simon,
)
from trialsim.designs.alone import alone
from trialsim.designs.bayes import posterior_above, posterior_above_standard
from trialsim.designs.bayes import predictive as predictive_table
from trialsim.designs.group_sequential import boundaries
from trialsim.designs.posterior import looks_of as thall_simon
from trialsim.designs.rules import Looks
from trialsim.designs.target import Target

Row = dict[str, str]


def numbers(row: Row, *keys: str) -> list[float]:
    return [float(row[key]) for key in keys]


def cut_offs(looks: Looks) -> dict[int, tuple[int, int]]:
    """By n: stop if responses <= the first, go if responses >= the second."""
    return {
        n: (row.count(FUTILE) - 1, n + 1 - row.count(GO)) for n, row in zip(looks.n, looks.next, strict=True)
    }


def test_every_multistage_design_is_found_again():
    for row in rows("multistage.csv"):
        p0, p1, alpha, beta = numbers(row, "p0", "p1", "alpha", "beta")
        n = ints(row["stage_n_cum"])
        stop = ints(row["futility_stop_if_le"])
        go = tuple(None if word == "Inf" else int(word) for word in row["efficacy_stop_if_ge"].split())
        kind = row["type"]
        if kind.startswith("3stage"):
            shape = "ensign" if "ensign" in kind else "equal" if "equal" in kind else "free"
            found = multistage.search(Target(p0, p1, alpha, beta), shape=shape)
            assert found.complete
            design = found.optimal
            assert (design.n, design.stop_le) == (n, stop), row
            level, power, en_p0, en_p1 = design.type_i_error, design.power, design.en_p0, design.en_p1
        elif "fut+eff" in kind:
            criterion = "h1_optimal" if "alt" in kind else "h0_optimal"
            both = mander_thompson.search(Target(p0, p1, alpha, beta), criterion=criterion)
            assert both.complete
            best = both.optimal
            assert (best.n1, best.n, best.r1, best.r) == (*n, *stop), row
            assert best.a1 + 1 == go[0]
            level, power, en_p0, en_p1 = best.type_i_error, best.power, best.en_p0, best.en_p1
        else:
            weight = 1.0 if "alt" in kind else 0.0
            two = simon.search(Target(p0, p1, alpha, beta), weight_p1=weight)
            chosen = two.choose("minimax" if "minimax" in kind else "optimal")
            assert (chosen.n1, chosen.n, chosen.r1, chosen.r) == (*n, *stop), row
            level, power, en_p0, en_p1 = chosen.type_i_error, chosen.power, chosen.en_p0, chosen.en_p1
        for key, value in (("type1", level), ("power", power), ("EN_p0", en_p0), ("EN_p1", en_p1)):
            assert value == pytest.approx(float(row[key]), abs=max(1e-8, printed(row[key]))), (row, key)


def test_every_two_sided_design_of_phiidesign_is_the_best_of_its_n():
    for row in rows("fleming_two_stage.csv"):
        p0, p1, alpha, beta = numbers(row, "p0", "pa", "alpha_param", "beta_param")
        n = int(row["N"])
        design = {d.n: d for d in mander_thompson.best_by_n(Target(p0, p1, alpha, beta), 50)}[n]
        # their stage 1 goes at a or more responses
        wanted = tuple(int(row[key]) for key in ("r1", "n1", "r2"))
        assert (design.r1, design.n1, design.r) == wanted, row
        assert design.a1 == int(row["a"]) - 1
        assert design.en_p0 == pytest.approx(float(row["EN.p0"]), abs=1e-9)
        assert design.en_p1 == pytest.approx(float(row["EN.pa"]), abs=1e-9)
        assert design.pet_p0 == pytest.approx(float(row["PET.p0"]), abs=1e-9)
        assert design.type_i_error == pytest.approx(float(row["alpha"]), abs=1e-9)
        assert 1 - design.power == pytest.approx(float(row["beta"]), abs=1e-9)
        if row["OPT"]:
            best = mander_thompson.search(Target(p0, p1, alpha, beta, 50)).optimal
            assert best.looks() == design.looks()


def test_both_three_outcome_designs():
    table = rows("sargent_two_stage.csv")
    p0, p1, alpha, beta, eta, pi = numbers(
        table[0], "p0", "pa", "alpha_param", "beta_param", "eta_param", "pi_param"
    )
    found = sargent.search(Target(p0, p1, alpha, beta), eta, pi).designs
    assert len(table) == 2
    for row, design in zip(table, (found[0], found[-1]), strict=True):
        wanted = tuple(int(row[key]) for key in ("r1", "n1", "r2", "s", "N"))
        assert (design.r1, design.n1, design.r, design.s, design.n) == wanted
        pairs = {
            "alpha": design.type_i_error, "beta": design.beta, "eta": design.eta, "pi": design.power,
            "lambda": design.consider_p0, "delta": design.consider_p1, "EN.p0": design.en_p0,
            "PET.p0": design.pet_p0,
        }  # fmt: skip
        for key, value in pairs.items():
            assert value == pytest.approx(float(row[key]), abs=1e-9), key


def test_curtailed_designs_are_exactly_the_undominated_ones():
    table = rows("curtailed_nonstochastic.csv")
    found = {(d.r1, d.n1, d.r, d.n): d for d in curtailed.search(Target(0.1, 0.3, 0.05, 0.2, 30))}
    assert found.keys() == {tuple(int(row[key]) for key in ("r1", "n1", "r", "n")) for row in table}
    for row in table:
        design = found[int(row["r1"]), int(row["n1"]), int(row["r"]), int(row["n"])]
        values = (design.type_i_error, design.power, design.en_p0, design.en_p1)
        assert values == pytest.approx(numbers(row, "alpha", "power", "EssH0", "Ess"), abs=1e-9)
        alternative = alone(design.looks(), 0.3)
        assert alternative.p_go == pytest.approx(float(row["power"]), abs=1e-9)
        assert alternative.en == pytest.approx(float(row["Ess"]), abs=1e-9)


def test_stochastic_curtailment():
    for row in rows("curtailed_stochastic.csv"):
        thresholds = (float(row["thetaF"]), float(row["thetaE"]))
        looks = curtailed.looks_of(int(row["n"]), int(row["r"]), None, None, 0.3, thresholds, int(row["C"]))
        null, alternative = alone(looks, 0.1), alone(looks, 0.3)
        values = (null.p_go, alternative.p_go, null.en, alternative.en)
        assert values == pytest.approx(numbers(row, "alpha", "power", "EssH0", "Ess"), abs=1e-9)


def listed_bounds(row: Row, n_key: str, bound_key: str, n: int) -> list[int | None]:
    """The bound at every m = 1..n from a list of where it changes."""
    at = ints(row[n_key])
    bounds = [None if word == "NA" else int(word) for word in row[bound_key].split()]
    return [bounds[max(k for k, start in enumerate(at) if start <= m)] for m in range(1, n + 1)]


def test_every_bayesian_boundary():
    equal = 0
    for row in rows("bayes_boundaries.csv"):
        n = int(row["nmax"])
        p0, p1, a, b, low, high, last = numbers(row, "p0", "p1", "a", "b", "theta_L", "theta_U", "theta_t")
        at = tuple(range(1, n + 1))
        if row["kind"] == "predprob":
            looks = predictive.looks_of(at, p0, (low, high, last), (a, b))
        else:
            looks = thall_simon(at, (0.6, 1.4), (a, b), last, low, high)
        found = cut_offs(looks)
        stops = listed_bounds(row, "fut_n", "fut_bound", n)
        goes = listed_bounds(row, "eff_n", "eff_bound", n)
        different = []
        for m in at:
            stop, go = found.get(m, (-1, m + 1))
            stated = stops[m - 1], goes[m - 1]
            wanted = (
                -1 if stated[0] is None else stated[0],
                m + 1 if stated[1] is None else min(stated[1], m + 1),
            )
            if (stop, min(go, m + 1)) != wanted:
                different.append((m, stop, go, wanted))
        if (n, p0, a, b) == (20, 0.2, 1, 1) and row["kind"] == "predprob":
            # 5 of 18 has PP = .1 = theta_L exactly: below is below, so the trial goes on
            assert different == [(18, 4, 7, (5, 7))]
            assert predictive.predictive_is(5, 18, 20, 6, (1, 1)) == Fraction(1, 10)
            continue
        assert not different, row
        null, alternative = alone(looks, p0), alone(looks, p1)
        values = (null.p_go, null.p_no_go, null.en, alternative.p_go, alternative.p_no_go, alternative.en)
        keys = ("P_stopeff_p0", "P_stopfut_p0", "EN_p0", "P_stopeff_p1", "P_stopfut_p1", "EN_p1")
        assert values == pytest.approx(numbers(row, *keys), abs=1e-9), row
        equal += 1
    assert equal == 29


def test_every_posterior_and_predictive_probability():
    for row in rows("bayes_point.csv"):
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
            assert value == pytest.approx(float(row[key]), abs=1e-10), (row, key)


def test_every_bop2_boundary_from_its_parameters():
    for row in rows("bop2_boundaries.csv"):
        at = ints(row["cum_n"])
        p0, p1, lambda_, gamma, eta = numbers(row, "H0", "H1", "lambda", "gamma", "eta")
        looks = bop2.looks_of(at, p0, (p0, 1 - p0), lambda_, gamma, eta)
        stop, go = ints(row["fut_stop_if_le"]), ints(row["eff_stop_if_ge"])
        assert cut_offs(looks) == {n: (s, g) for n, s, g in zip(at, stop, go, strict=True)}, row
        null, alternative = alone(looks, p0), alone(looks, p1)
        keys = ("exact_rej_H0", "exact_EN_H0", "exact_rej_H1", "exact_EN_H1")
        values = (null.p_go, null.en, alternative.p_go, alternative.en)
        assert values == pytest.approx(numbers(row, *keys), abs=1e-9)


BD_CUTS = {
    "bryant_day.csv": ("c1_resp_go_if_ge", "c1_nontox_go_if_ge", "c_resp_accept_if_ge", "c_nontox_accept_if_ge"),
    "bryant_day_exhaustive.csv": ("c1_resp_ge", "c1_nontox_ge", "c_resp_ge", "c_nontox_ge"),
}  # fmt: skip


@pytest.mark.parametrize("name", BD_CUTS)
def test_every_bryant_day_design(name):
    same = 0
    for row in rows(name):
        rates = (tuple(numbers(row, "p_resp0", "p_resp1")), tuple(numbers(row, "p_tox0", "p_tox1")))
        cuts = tuple(int(row[key]) for key in ("n1", "n", *BD_CUTS[name]))
        design = bryant_day.characteristics(cuts, *rates)
        prefix = "exact_" if name == "bryant_day.csv" else ""
        keys = [f"{prefix}{key}" for key in ("alpha_r", "alpha_t", "power")]
        keys += ["EN_r0t0", "EN_r1t0", "EN_r0t1", "EN_r1t1"]
        values = (
            design.type_i_response, design.type_i_toxicity, design.power,
            design.en_neither, design.en_toxic, design.en_poor_response, design.en_good,
        )  # fmt: skip
        assert values == pytest.approx(numbers(row, *keys), abs=1e-9)
        alpha = float(row["alpha_r" if name == "bryant_day.csv" else "alpha"])
        search = bryant_day.search(Target(*rates[0], alpha, 1 - float(row["power_req"])), rates[1])
        assert search.complete
        found = search.optimal if row["criterion"] == "optimal" else search.minimax
        same += str(found) == str(design)
        if name == "bryant_day_exhaustive.csv":
            assert str(found) == str(design), row
        elif row["criterion"] == "optimal":
            # their search looks at a narrow range of n; without it EN is no larger
            assert found.en <= design.en + 1e-9
        else:
            assert (found.n, found.en) <= (design.n, design.en + 1e-9)
    assert same == {"bryant_day.csv": 7, "bryant_day_exhaustive.csv": 10}[name]


def test_every_toxicity_boundary_is_found_or_lies_between_those_of_clinfun():
    """clinfun's bisection may end with a member of the family left out between its two boundaries."""
    same = 0
    for row in rows("toxicity_boundaries.csv"):
        p_lo, p_hi, c0, c1, delta = numbers(row, "p_lo", "p_hi", "cP0", "cP1", "delta")
        looks, high, low = ints(row["looks"]), ints(row["hi_bdry"]), ints(row["lo_bdry"])
        if row["fn"] == "futilbdry":
            # futility by responses is toxicity by non-responses
            high, low = (tuple(n - x - 1 for n, x in zip(looks, side, strict=True)) for side in (high, low))
            found = boundaries(looks, 1 - p_hi, 1 - c0, 1 - p_lo, delta)
        elif row["priority"] == "null":
            found = boundaries(looks, p_lo, c0, p_lo, delta)
        else:
            found = boundaries(looks, p_lo, c1, p_hi, delta)
        same += found == (high, low)
        assert all(a <= b for a, b in zip(found[0], high, strict=True)), row
        assert all(a >= b for a, b in zip(found[1], low, strict=True)), row
    assert same == 51
