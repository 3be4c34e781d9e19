"""Estimates and p-values of the statistical model; the tables of other programs are in test_tables.py."""

from __future__ import annotations

import pytest

from trialsim.qualification.tables.inference import everything, p_value


def test_the_numbers_of_the_statistical_model():
    outcomes, estimates, _ = everything(0, 12, 3, 37)
    here = outcomes.find(1, 3)
    assert estimates["umvue"][here] == pytest.approx(0.115174, abs=5e-7)
    assert p_value(outcomes, here, 0.05) == pytest.approx(0.213006, abs=5e-7)
