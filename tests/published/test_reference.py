"""Designs and probabilities that other programs print, reproduced."""

from __future__ import annotations

import pytest

from tests.published.reference import ints, printed, response_rules, rows, toxicity_rules
from trialsim.designs import simon, single_stage
from trialsim.designs.target import Target
from trialsim.engine.exact import distribution
from trialsim.scenario.truth import Rates

SETTING = ("p0", "p1", "alpha", "beta")


def target(row: dict[str, str], nmax: int | None = None) -> Target:
    p0, p1, alpha, beta = (float(row[key]) for key in SETTING)
    return Target(p0, p1, alpha, beta, nmax)


def test_every_simon_design_of_clinfun_is_found():
    compared = 0
    for row in rows("simon.csv"):
        found = simon.search(target(row, int(row["nmax"])))
        wanted = tuple(int(row[key]) for key in ("r1", "n1", "r", "n"))
        if row["criterion"] == "admissible":
            match = [d for d in found.admissible if (d.r1, d.n1, d.r, d.n) == wanted]
            assert match, row
            design = match[0]
        else:
            design = found.choose(row["criterion"])
            assert (design.r1, design.n1, design.r, design.n) == wanted, row
        assert design.en_p0 == pytest.approx(float(row["exact_EN_p0"]), abs=1e-9)
        assert design.pet_p0 == pytest.approx(float(row["exact_PET_p0"]), abs=1e-9)
        assert design.type_i_error == pytest.approx(float(row["exact_type1"]), abs=1e-9)
        assert design.power == pytest.approx(float(row["exact_power"]), abs=1e-9)
        _, pet, en = simon.operating_characteristics(*wanted, float(row["p1"]))
        assert pet == pytest.approx(float(row["exact_PET_p1"]), abs=1e-9)
        assert en == pytest.approx(float(row["exact_EN_p1"]), abs=1e-9)
        if row["qLo"] not in ("", "NA"):
            assert design.weights == pytest.approx((float(row["qLo"]), float(row["qHi"])), abs=6e-4), row
        compared += 1
    assert compared == 491


def test_the_chain_gives_the_closed_form_on_every_simon_design():
    for row in rows("simon.csv")[::7]:
        r1, n1, r, n = (int(row[key]) for key in ("r1", "n1", "r", "n"))
        rules = response_rules((n1, n), (r1, r), (None, r + 1))
        for p in (float(row["p0"]), float(row["p1"])):
            values = distribution(rules, Rates((p,), (0.3,))).values
            p_go, pet, en = simon.operating_characteristics(r1, n1, r, n, p)
            assert values["p_go"] == pytest.approx(p_go, abs=1e-12)
            assert values["pet"] == pytest.approx(pet, abs=1e-12)
            assert values["en"] == pytest.approx(en, abs=1e-10)


def test_six_programs_agree_with_the_search():
    for row in rows("simon_programs_compared.csv"):
        design = simon.search(target(row)).choose(row["criterion"])
        assert (design.r1, design.n1, design.r, design.n) == tuple(
            int(row[key]) for key in ("r1", "n1", "r", "n")
        )
        for name, value in (("EN0", design.en_p0), ("type1", design.type_i_error), ("power", design.power)):
            if row[name] != "NA":
                assert value == pytest.approx(float(row[name]), abs=printed(row[name])), row


@pytest.mark.parametrize("criterion", ["first", "stable"])
def test_every_single_stage_design_under_both_definitions(criterion):
    compared = 0
    for row in rows("single_stage.csv"):
        design = single_stage.search(target(row))[criterion]
        assert design.n == int(row[f"bf_{criterion}_n"]), row
        assert design.r == int(row[f"bf_{criterion}_r"]), row
        assert design.type_i_error == pytest.approx(float(row[f"bf_{criterion}_type1"]), abs=1e-9)
        assert design.power == pytest.approx(float(row[f"bf_{criterion}_power"]), abs=1e-9)
        if criterion == "first":
            assert (design.n, design.r) == (int(row["clinfun_n"]), int(row["clinfun_r"]))
        compared += 1
    assert compared == 168


def test_every_boundary_crossing_probability():
    for row in rows("boundary_crossing.csv"):
        rules = toxicity_rules(ints(row["looks"]), tuple(b + 1 for b in ints(row["max_tox_allowed"])))
        values = distribution(rules, Rates((0.5,), (float(row["ptox"]),))).values
        crossed = values["p_stop_toxicity"] + values["p_stop_toxicity_at_n"]
        assert crossed == pytest.approx(float(row["pcross"]), abs=printed(row["pcross"]))
        assert values["p_stop_toxicity"] == pytest.approx(
            float(row["pstop_before_final"]), abs=printed(row["pstop_before_final"])
        )
        assert values["en"] == pytest.approx(float(row["ess"]), abs=1e-8)


@pytest.mark.parametrize("side", ["lo", "hi"])
def test_every_toxicity_and_futility_boundary_of_clinfun(side):
    for row in rows("toxicity_boundaries.csv"):
        looks, bounds = ints(row["looks"]), ints(row[f"{side}_bdry"])
        for rate, suffix in ((float(row["p_lo"]), "plo"), (float(row["p_hi"]), "phi")):
            if row["fn"] == "toxbdry":
                values = distribution(
                    toxicity_rules(looks, tuple(b + 1 for b in bounds)), Rates((0.5,), (rate,))
                ).values
                crossed = values["p_stop_toxicity"] + values["p_stop_toxicity_at_n"]
            else:
                last = (None,) * (len(looks) - 1) + (bounds[-1] + 1,)
                values = distribution(response_rules(looks, bounds, last), Rates((rate,), (0.3,))).values
                crossed = values["p_go"]
            expected = row[f"{side}_pcross_at_{suffix}"]
            assert crossed == pytest.approx(float(expected), abs=printed(expected)), row
            assert values["en"] == pytest.approx(float(row[f"{side}_ess_{suffix}"]), abs=1e-8), row


def test_multistage_designs_run_as_pasted_tables():
    for row in rows("multistage.csv"):
        n = ints(row["stage_n_cum"])
        stop = tuple(-1 if word == "-Inf" else int(word) for word in row["futility_stop_if_le"].split())
        go = tuple(None if word == "Inf" else int(word) for word in row["efficacy_stop_if_ge"].split())
        rules = response_rules(n, stop, go)
        null, alternative = (
            distribution(rules, Rates((float(row[p]),), (0.3,))).values for p in ("p0", "p1")
        )
        assert null["p_go"] == pytest.approx(float(row["type1"]), abs=printed(row["type1"]))
        assert alternative["p_go"] == pytest.approx(float(row["power"]), abs=printed(row["power"]))
        assert null["en"] == pytest.approx(float(row["EN_p0"]), abs=1e-8)
        assert alternative["en"] == pytest.approx(float(row["EN_p1"]), abs=1e-8)


def test_bop2_boundaries_run_as_pasted_tables():
    for row in rows("bop2_boundaries.csv"):
        rules = response_rules(ints(row["cum_n"]), ints(row["fut_stop_if_le"]), ints(row["eff_stop_if_ge"]))
        for hypothesis in ("H0", "H1"):
            values = distribution(rules, Rates((float(row[hypothesis]),), (0.3,))).values
            assert values["p_go"] == pytest.approx(float(row[f"exact_rej_{hypothesis}"]), abs=1e-9)
            assert values["en"] == pytest.approx(float(row[f"exact_EN_{hypothesis}"]), abs=1e-8)
