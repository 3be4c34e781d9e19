"""What lies behind single numbers of the reference tables."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.published.reference import response_rules, rows
from trialsim.designs import predictive, simon
from trialsim.engine.exact import distribution
from trialsim.qualification.tables.toxicity import _compiled
from trialsim.scenario.truth import Rates


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


def test_the_tie_of_the_bayesian_boundaries():
    """5 of 18 has PP = .1 = theta_L exactly: below is below, so the trial goes on."""
    assert predictive.predictive_is(5, 18, 20, 6, (1, 1)) == Fraction(1, 10)


def test_a_cut_off_found_from_phi_keeps_it_and_one_step_laxer_does_not():
    found = 0
    for row in rows("toxicity_rules.csv"):
        n = int(row["N"])
        rules, _ = _compiled(row["spec"], row["kind"], n)
        if cut := getattr(rules[0], "found", lambda _: None)(n):
            assert cut.laxer > rules[0].phi >= cut.crossing
            found += 1
    assert found == 45
