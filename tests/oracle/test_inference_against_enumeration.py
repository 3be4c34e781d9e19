"""Estimates, p-values and intervals against every sequence of responses, in rational arithmetic."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from tests.oracle import naive_inference as naive
from trialsim.designs.rules import Looks, two_way
from trialsim.inference import estimators
from trialsim.inference.attained import TwoStage, conditional_cut_off, conditional_p_value
from trialsim.inference.intervals import INTERVALS, coverage
from trialsim.inference.orderings import at_least, ranks, tied
from trialsim.inference.outcomes import outcomes_of

RATES = (Fraction(1, 20), Fraction(3, 10), Fraction(1, 2), Fraction(9, 10))


def random_looks(rng: random.Random) -> Looks:
    """One to three looks at up to 10 patients, stopping for futility, and sometimes going early."""
    while True:
        sizes = tuple(sorted(rng.sample(range(1, 11), rng.randint(1, 3))))
        stop, go = [], []
        for n in sizes[:-1]:
            low = rng.randint(-1, n - 1)
            stop.append(low)
            go.append(rng.randint(low + 1, n) if rng.random() < 0.5 else None)
        r = rng.randint(0, sizes[-1] - 1)
        looks = two_way(sizes, (*stop, r), (*go, r))
        if all(k + 1 in row for k, row in enumerate(looks.next[:-1])):
            return looks


def designs(count: int = 60) -> list[Looks]:
    rng = random.Random(2008)
    return [random_looks(rng) for _ in range(count)]


def test_the_distribution_and_the_estimators_that_condition_on_the_end():
    for looks in designs():
        ending = naive.ends(looks.n, looks.next)
        outcomes = outcomes_of(looks)
        assert len(outcomes) == len(ending)
        pmf = outcomes.pmf(np.array([float(p) for p in RATES]))
        last = estimators.umvcue(outcomes)
        for end, sequences in ending.items():
            here = outcomes.find(end.look, end.x)
            for p, row in zip(RATES, pmf, strict=True):
                assert row[here] == pytest.approx(float(naive.probability(sequences, p)), rel=1e-12)
            assert outcomes.first_rate[here] == pytest.approx(
                float(naive.mean_of_first(sequences)), abs=1e-14
            )
            if end.look == len(looks.n) - 1 > 0:
                assert last[here] == pytest.approx(float(naive.mean_of_last(sequences)), abs=1e-14)


def test_the_umvue_is_unbiased_in_rational_arithmetic():
    for looks in designs(25):
        ending = naive.ends(looks.n, looks.next)
        for p in RATES:
            total = sum(
                (naive.mean_of_first(s) * naive.probability(s, p) for s in ending.values()), Fraction(0)
            )
            assert total == p


class Naive:
    """A design walked through once, and the definitions that need more than one end."""

    def __init__(self, looks: Looks) -> None:
        self.looks = looks
        self.ending = naive.ends(looks.n, looks.next)

    def key(self, ordering: str, end: naive.End):
        if ordering == "stagewise":
            return naive.stagewise_key(end, self.looks.n, self.looks.next)
        return self.rate(end) if ordering == "mle" else naive.mean_of_first(self.ending[end])

    def rate(self, end: naive.End) -> Fraction:
        return Fraction(end.x, self.looks.n[end.look])

    def mean(self, p: Fraction) -> Fraction:
        """The mean observed proportion."""
        return sum((self.rate(e) * naive.probability(s, p) for e, s in self.ending.items()), Fraction(0))

    def above(
        self, end: naive.End, p: Fraction, ordering: str = "stagewise", strictly: bool = False
    ) -> Fraction:
        """P(an end at least as much in favour as this one), or more in favour."""
        here = self.key(ordering, end)
        keys = {e: self.key(ordering, e) for e in self.ending}
        those = [e for e, key in keys.items() if key > here or (key == here and not strictly)]
        return naive.p_value(self.ending, those, p)

    def responses_at(self, look: int, p: Fraction) -> Fraction:
        """The mean number of responses of trials that end at a look."""
        there = {e: naive.probability(s, p) for e, s in self.ending.items() if e.look == look}
        return sum((e.x * q for e, q in there.items()), Fraction(0)) / sum(there.values())


@pytest.mark.parametrize("ordering", ["stagewise", "mle", "umvue"])
def test_p_values_and_mid_p_under_each_ordering(ordering):
    for looks in designs():
        walked = Naive(looks)
        outcomes = outcomes_of(looks)
        place = ranks(outcomes, ordering)
        for p in (Fraction(1, 10), Fraction(2, 5)):
            pmf = outcomes.pmf(float(p))
            found, same = at_least(pmf, place)[0], tied(pmf, place)[0]
            for end in walked.ending:
                here = outcomes.find(end.look, end.x)
                above, beyond = (walked.above(end, p, ordering, strictly) for strictly in (False, True))
                assert found[here] == pytest.approx(float(above), abs=1e-13)
                assert same[here] == pytest.approx(float(above - beyond), abs=1e-13)


def test_the_roots_solve_what_they_say():
    for looks in designs(30):
        walked = Naive(looks)
        outcomes = outcomes_of(looks)
        adjusted, median = estimators.bias_adjusted(outcomes), estimators.median_unbiased(outcomes)
        subtracted, limits = estimators.bias_subtracted(outcomes), INTERVALS["stagewise"](outcomes, 0.9)
        reached = estimators.conditional(outcomes)
        for end in walked.ending:
            here = outcomes.find(end.look, end.x)
            observed = walked.rate(end)
            assert float(walked.mean(Fraction(adjusted[here]))) == pytest.approx(float(observed), abs=1e-12)
            twice = 2 * observed - walked.mean(observed)
            assert subtracted[here] == pytest.approx(float(twice), abs=1e-12)
            if walked.above(end, Fraction(0)) < 1:
                assert float(walked.above(end, Fraction(median[here]))) == pytest.approx(0.5, abs=1e-12)
                assert float(walked.above(end, Fraction(limits[0][here]))) == pytest.approx(0.05, abs=1e-12)
            else:
                assert median[here] == limits[0][here] == 0
            if walked.above(end, Fraction(1), strictly=True) > 0:
                below = 1 - walked.above(end, Fraction(limits[1][here]), strictly=True)
                assert float(below) == pytest.approx(0.05, abs=1e-12)
            else:
                assert limits[1][here] == 1
            if end.look == len(looks.n) - 1 > 0 and 0 < reached[here] < 1:
                mean = walked.responses_at(end.look, Fraction(reached[here]))
                assert float(mean) == pytest.approx(end.x, abs=1e-10)


def test_coverage_is_the_sum_over_the_ends_whose_interval_holds_the_rate():
    for looks in designs(20):
        ending = naive.ends(looks.n, looks.next)
        outcomes = outcomes_of(looks)
        for name, method in INTERVALS.items():
            low, high = method(outcomes, 0.95)
            for p in RATES:
                held = Fraction(0)
                for end, sequences in ending.items():
                    here = outcomes.find(end.look, end.x)
                    if np.isnan(high[here]) or low[here] <= float(p) <= high[here]:
                        held += naive.probability(sequences, p)
                found = coverage(outcomes, (low, high), np.array([float(p)]))[0]
                assert found == pytest.approx(float(held), abs=1e-12), name


def tail(n: int, x: int, p: Fraction) -> Fraction:
    """P(at least x of n)."""
    return sum((comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(max(x, 0), n + 1)), Fraction(0))


def test_the_conditional_method_keeps_the_conditional_error_and_its_p_value_agrees_with_its_decision():
    rng = random.Random(3145)
    p0 = Fraction(1, 5)
    agreed = 0
    for _ in range(60):
        n1, n2 = rng.randint(3, 12), rng.randint(3, 15)
        r1 = rng.randint(0, n1 - 2)
        planned = TwoStage(r1, n1, rng.randint(r1 + 1, n1 + n2 - 1), n1 + n2)
        attained = rng.randint(1, 20)
        level = sum(
            (tail(n1, k, p0) - tail(n1, k + 1, p0)) * tail(n2, planned.r + 1 - k, p0)
            for k in range(r1 + 1, n1 + 1)
        )
        for x1 in range(r1 + 1, n1 + 1):
            spend = tail(n2, planned.r + 1 - x1, p0)
            least = conditional_cut_off(planned, attained, x1, float(p0))
            assert tail(attained, least, p0) <= spend * (1 + Fraction(1, 10**9))
            assert least == 0 or tail(attained, least - 1, p0) > spend
            if not 0 < planned.r + 1 - x1 <= n2:
                continue
            for x2 in range(attained + 1):
                p = conditional_p_value(planned, attained, x1, x2, np.array([float(p0)]))[0]
                if abs(p - float(level)) > 1e-9:
                    assert (p < level) == (x2 >= least)
                    agreed += 1
    assert agreed > 1500
