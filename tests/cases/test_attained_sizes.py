"""Trials of other sizes than planned: single stage, three stages, early go; what the planned cut-off is worth there."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

import trialsim
from tests.cases.test_oc import paths
from trialsim.errors import DesignError
from trialsim.inference import looks_from


def tail(n, p, x):
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(x, n + 1))


def test_case_c2_a_single_stage_of_another_size():
    found = trialsim.analyse(design="14/22", responses=16, n=23, p0=0.5, p1=0.8).sets[0]
    half = Fraction(1, 2)
    assert found.p_value == pytest.approx(float(tail(23, half, 16)), abs=1e-12)
    assert round(found.p_value, 5) == 0.04657
    assert (round(found.interval.low, 4), round(found.interval.high, 4)) == (0.4708, 0.8679)
    assert "at 23 patients > 14 has level 0.1050, > 15 has 0.0466" in found.cut_off
    assert (round(float(tail(23, half, 15)), 4), round(float(tail(23, half, 16)), 4)) == (0.1050, 0.0466)


@pytest.mark.parametrize(
    ("design", "n", "attained"),
    [
        ("0/3,1/6,3/9", 10, "0/3,1/6,3/10"),  # case C3, small enough to walk every path
        ("0:2/4,3/9", 8, "0:2/4,3/8"),
        ("-/4,3/9", 10, "-/4,3/10"),
    ],
)
def test_case_c3_other_sizes_of_three_stages_and_early_go(design, n, attained):
    found = trialsim.analyse(design=design, responses=5, n=n, p0=0.2).sets[0]
    assert found.looks == looks_from(attained)
    # stagewise: 5 or more at the last look, and every early go
    above, p = Fraction(0), Fraction(1, 5)
    for x in range(5, n + 1):
        raised = ",".join([*attained.split(",")[:-1], f"{x - 1}/{n}"])
        if x == 5:
            above = sum(q for (_, end), q in paths(looks_from(raised), p).items() if end == "p_go")
    assert found.p_value == pytest.approx(float(above), abs=1e-12)
    assert any("stagewise" in note for note in found.notes)
    assert found.decision not in ("go", "no go")


def test_case_c3_as_given():
    found = trialsim.analyse(design="0/6,2/17,5/29", responses=6, n=30, p0=0.1).sets[0]
    assert found.looks.n == (6, 17, 30) and "r = 5 was planned for 29 patients" in found.cut_off


def test_a_stop_at_a_look_of_another_size():
    found = trialsim.analyse(design="0/6,2/17,5/29", responses=2, n=18, p0=0.1).sets[0]
    assert (found.decision, found.looks.n, found.cut_off) == ("stop for futility", (6, 18, 29), "")


def test_case_c4_names_the_two_ways_that_answer():
    given = {"responses": 15, "p0": 0.25, "p1": 0.45}
    with pytest.raises(DesignError, match=r"2/11,14/41 .* -/14,14/44"):
        trialsim.analyse(design="3/14,14/44", stage1=3, stage1_n=11, **given)
    first = trialsim.oc("2/11,14/41", p0=0.25, p1=0.45)
    assert [round(p, d) for p, d in ((first[0.25].p_go, 4), (first[0.45].p_go, 4), (first[0.25].pet, 3))] == [
        0.0597, 0.8537, 0.455]  # fmt: skip
    for design in ("2/11,14/41", "-/14,14/44"):
        assert trialsim.analyse(design=design, **given).sets[0].decision == "go"


def test_case_e11_the_planned_r_does_not_hold_for_more_patients():
    found = trialsim.analyse(design="1/10,5/29", responses=6, stage1=3, n=40, p0=0.1)
    assert round(found.sets[0].p_value, 3) == 0.113
    assert found.sets[0].decision == "no decision by the planned cut-off"
    printed = " ".join(str(found).split())
    assert (
        "Go with" not in printed
        and "r = 5 was planned for 29 patients and decides nothing about 40" in printed
    )


@pytest.mark.parametrize("n", [5, 17])
def test_sizes_at_which_cut_offs_cannot_be_kept(n):
    with pytest.raises(DesignError):
        trialsim.analyse(design="0/6,2/17,5/29", responses=9, n=n, p0=0.1)
