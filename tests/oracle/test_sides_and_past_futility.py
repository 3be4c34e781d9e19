"""Two-sided p-values, one-sided limits and trials that went on past futility, against every sequence of responses."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import trialsim
from tests.oracle import naive_inference as naive
from tests.oracle.test_inference_against_enumeration import RATES, designs
from trialsim.designs.rules import Looks, two_way
from trialsim.errors import DesignError
from trialsim.inference.analysis import AnalysisPlan, PatientsAnalysis, analysis
from trialsim.inference.intervals import INTERVALS, one_sided
from trialsim.inference.outcomes import outcomes_of
from trialsim.inference.past_futility import analyse_past_futility

NULL = Fraction(3, 10)


def every_end(
    looks: Looks, plan: AnalysisPlan
) -> dict[naive.End, tuple[list[tuple[int, ...]], PatientsAnalysis]]:
    """Each end of a design: the sequences that lead there, and its analysis."""
    return {
        end: (sequences, analysis(looks, end.look, plan, "Patients", end.x, None))
        for end, sequences in naive.ends(looks.n, looks.next).items()
    }


def test_a_two_sided_p_is_twice_the_smaller_tail_of_the_stagewise_ordering():
    for looks in designs(25):
        found = every_end(looks, AnalysisPlan(p0=float(NULL), two_sided=True))
        ending = {end: sequences for end, (sequences, _) in found.items()}
        place = {end: naive.stagewise_key(end, looks.n, looks.next) for end in ending}
        for end, (_, ours) in found.items():
            above = naive.p_value(ending, [e for e in ending if place[e] >= place[end]], NULL)
            below = naive.p_value(ending, [e for e in ending if place[e] <= place[end]], NULL)
            assert ours.p_value == pytest.approx(float(min(1, 2 * min(above, below))), rel=1e-11)
            assert ours.p_values[0].p == pytest.approx(float(above), rel=1e-11)


def test_it_says_what_the_two_sided_interval_says():
    for looks in designs(25):
        low, high = INTERVALS["stagewise"](outcomes_of(looks), 0.9)
        for end, (_, ours) in every_end(looks, AnalysisPlan(p0=float(NULL), two_sided=True)).items():
            here = outcomes_of(looks).find(end.look, end.x)
            assert ours.p_value is not None
            if abs(ours.p_value - 0.1) > 1e-9:
                assert (ours.p_value < 0.1) == (not low[here] <= float(NULL) <= high[here])


@pytest.mark.parametrize("limit", ["lower", "upper"])
def test_a_one_sided_limit_errs_at_most_as_often_as_it_says(limit):
    closest = Fraction(0)
    for looks in designs(25):
        outcomes = outcomes_of(looks)
        low, high = one_sided(INTERVALS["stagewise"], limit)(outcomes, 0.9)
        assert np.all(high == 1) if limit == "lower" else np.all(low == 0)
        ending = naive.ends(looks.n, looks.next)
        for p in RATES:
            wrong = Fraction(0)
            for end, sequences in ending.items():
                here = outcomes.find(end.look, end.x)
                if not low[here] <= float(p) <= high[here]:
                    wrong += naive.probability(sequences, p)
            assert wrong <= Fraction(1, 10)
            closest = max(closest, wrong)
    assert closest > Fraction(8, 100)  # it does use its level


def test_every_interval_of_an_analysis_keeps_one_limit():
    both, lower, upper = (
        trialsim.analyse(design="1/10 5/29", responses=7, confidence=c, one_sided=side).sets[0].intervals
        for c, side in ((0.9, ""), (0.95, "lower"), (0.95, "upper"))
    )
    for two, low, high in zip(both, lower, upper, strict=True):
        assert (low.low, low.high) == (pytest.approx(two.low, abs=1e-12), 1)
        assert (high.low, high.high) == (0, pytest.approx(two.high, abs=1e-12))
    assert min(row.least_coverage for row in (lower[0], upper[0])) >= 0.95


def test_whatever_share_goes_on_past_futility_the_claims_err_no_more_often_than_they_say():
    rng = random.Random(1929)
    used = Fraction(0)
    for _ in range(12):
        n1, n = rng.randint(2, 5), rng.randint(6, 9)
        r1, r = rng.randint(0, n1 - 2), rng.randint(1, n - 2)
        planned = two_way((n1, n), (r1, max(r, r1 + 1)), (None, max(r, r1 + 1)))
        plan = AnalysisPlan(p0=float(NULL), confidence=0.8)
        ours = {
            (x1, x): analyse_past_futility(planned, plan, n=n, x=x, x1=x1)
            for x1 in range(r1 + 1)
            for x in range(x1, x1 + n - n1 + 1)
        }
        # which stopped trials go on depends on all that was seen by then, in any way
        goes_on = {first: rng.random() < 0.7 for first in product((0, 1), repeat=n1) if sum(first) <= r1}
        levels = {each.p_value for found in ours.values() for each in found[1:]}
        for level in levels:
            assert level is not None
            for which in (1, 2):
                claimed = Fraction(0)
                for sequence in product((0, 1), repeat=n):
                    if goes_on.get(sequence[:n1]):
                        p_value = ours[sum(sequence[:n1]), sum(sequence)][which].p_value
                        if p_value is not None and p_value <= level:
                            claimed += naive.probability([sequence], NULL)
                assert claimed <= Fraction(level) + Fraction(1, 10**12)
                used = max(used, claimed / Fraction(level))
        # given that it went on, the patients after the stop are unbiased, and the test stays lost
        mean = total = Fraction(0)
        for sequence in product((0, 1), repeat=n):
            if goes_on.get(sequence[:n1]):
                up_to, _, after = ours[sum(sequence[:n1]), sum(sequence)]
                weight = naive.probability([sequence], NULL)
                mean += weight * Fraction(after.estimate)
                total += weight
                assert up_to.decision == "stop for futility" and after.decision.startswith("no go")
        assert total == 0 or float(mean / total) == pytest.approx(float(NULL), abs=1e-12)
    assert used > Fraction(1, 4)


def test_the_type_one_error_that_is_told_is_that_of_the_last_cut_off_with_the_stop_ignored():
    found = trialsim.analyse(design="1/4 2/8", responses=4, stage1=1, n=8, p0=0.3, went_on_past_futility=True)
    without, binding = Fraction(0), Fraction(0)
    for sequence in product((0, 1), repeat=8):
        if sum(sequence) > 2:
            without += naive.probability([sequence], NULL)
            binding += naive.probability([sequence], NULL) * (sum(sequence[:4]) > 1)
    assert (
        f"{float(without):.4f}" in found.sets[1].notes[1]
        and f"{float(binding):.4f}" in found.sets[1].notes[1]
    )
    assert binding < without
    assert found.sets[0].patients == "Patients up to the stop"
    assert found.sets[0].p_value == trialsim.analyse(design="1/4 2/8", responses=1, p0=0.3).sets[0].p_value
    assert "The stop stands" in str(found)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"stage1": None}, "state the responses at the look that said stop"),
        ({"stage1": 3}, "it goes on to 29"),
        ({"n": 10}, "a trial that went on past futility has more"),
        ({"responses": 25}, "1 response up to the stop and 25 in all cannot be"),
        ({"overrun": 3}, "no --overrun"),
        ({"stage1": 29, "stage1_n": 29, "n": 40, "responses": 35}, "go by this design"),
        ({"one_sided": "both"}, "there are lower, upper"),
        ({"one_sided": "lower", "confidence": 0.5}, "more than 0.5"),
        ({"two_sided": True, "p0": None}, "a two-sided p-value needs p0"),
    ],
)
def test_what_cannot_be_is_refused(more, words):
    asked = {"design": "1/10 5/29", "responses": 7, "stage1": 1, "p0": 0.1, "went_on_past_futility": True}
    with pytest.raises(DesignError, match=words):
        trialsim.analyse(**(asked | more))


def test_a_later_look_may_be_the_one_that_said_stop():
    asked = {"design": "0/10 2/20 5/40", "responses": 9, "p0": 0.1, "went_on_past_futility": True}
    found = trialsim.analyse(**asked, stage1=2, stage1_n=20)
    assert [(each.x, each.n) for each in found.sets] == [(2, 20), (9, 40), (7, 20)]
    assert "non-binding" in found.sets[1].notes[1]
    other = trialsim.analyse(**asked, stage1=2, stage1_n=20, n=35)
    assert len(other.sets[1].notes) == 1  # the cut-off was planned for another number
