"""What docs/pooled-test.md says of each situation: kept or not kept by an e-value, every sequence of outcomes
enumerated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate, product

import pytest

from trialsim.inference.anytime import Test as Plan
from trialsim.inference.anytime import in_parts
from trialsim.inference.e_process import Ratio, boundary, course

P0, P1, ALPHA = Fraction(1, 10), Fraction(3, 10), Fraction(1, 20)
TEST = Ratio(P0, P1)
LEVEL = 1 / ALPHA

Known = Callable[[Sequence[int]], bool]


@cache
def m(n: int, x: int) -> Fraction:
    return TEST.exact(n, x)


def crosses(outcomes: Sequence[int], level: Fraction = LEVEL) -> bool:
    """Whether M ever reaches a level along a sequence."""
    return any(m(n, x) >= level for n, x in enumerate(accumulate(outcomes), 1))


def chance(rejects: Known, n: int, p: Fraction = P0) -> Fraction:
    """P(a rule rejects) over every sequence of n outcomes in enrolment order."""
    return sum(
        (p ** sum(ys) * (1 - p) ** (n - sum(ys)) for ys in product((0, 1), repeat=n) if rejects(ys)),
        Fraction(0),
    )


# -- 1. unplanned looks, overrun in the count, extensions, the best moment chosen afterwards


def most_by_any_rates(n: int, rates: Sequence[Fraction], level: Fraction) -> Fraction:
    """The largest P(M ever reaches a level) when somebody who sees all outcomes chooses each patient's rate."""

    @cache
    def best(done: int, x: int) -> Fraction:
        if done and m(done, x) >= level:
            return Fraction(1)
        if done == n:
            return Fraction(0)
        return max(q * best(done + 1, x + 1) + (1 - q) * best(done + 1, x) for q in rates)

    return best(0, 0)


def test_no_choice_of_when_to_look_exceeds_alpha():
    for level in (Fraction(20), Fraction(5), Fraction(2)):
        by_the_best_moment = chance(lambda ys, level=level: crosses(ys, level), 12)
        assert Fraction(1, 5) / level < by_the_best_moment <= 1 / level
        assert float(by_the_best_moment) == pytest.approx(
            course(boundary(TEST, 12, level), 0.1).p_reject, abs=1e-14
        )


def test_nor_does_a_dose_or_an_association_that_keeps_every_rate_below_p0():
    """Dose reductions, carry-over, anything: the rate of a patient may hang on all that was seen."""
    for level in (Fraction(20), Fraction(3)):
        free = most_by_any_rates(40, (Fraction(0), P0 / 3, P0), level)
        assert free == most_by_any_rates(40, (P0,), level) <= 1 / level
    assert most_by_any_rates(40, (P0, 2 * P0), LEVEL) > ALPHA, "a rate above p0 is noticed"


def test_a_planned_cut_off_does_not_survive_an_unplanned_look():
    """More than 2 of 8 has a level of .038; cut-offs of such levels after 12 and 16 do not keep .05 together."""
    cut_offs = {8: 2, 12: 3, 16: 4}
    assert all(tail(n, r) < ALPHA for n, r in cut_offs.items())
    there, done = {0: Fraction(1)}, Fraction(0)
    for n in range(1, 17):
        grown = [P0 * there.get(x - 1, 0) + (1 - P0) * there.get(x, 0) for x in range(n + 1)]
        r = cut_offs.get(n, n)
        done += sum(grown[r + 1 :])
        there = dict(enumerate(grown[: r + 1]))
    assert done > ALPHA


# -- 2. ordered by the time at which outcomes are known

WAIT = 20
"""Patients enrolled between a non-response and the day it is known; a response is known at once."""


def by_time_known(ys: Sequence[int]) -> list[int]:
    return [y for _, y in sorted((i + (0 if y else WAIT), y) for i, y in enumerate(ys))]


def looks_in_time(ys: Sequence[int]) -> Iterator[list[int]]:
    """What a look after each event has: every enrolled patient in enrolment order, pending outcomes as 0."""
    for now in range(len(ys) + WAIT + 1):
        enrolled = ys[: now + 1]
        yield [y if i + (0 if y else WAIT) <= now else 0 for i, y in enumerate(enrolled)]


def test_counted_by_time_known_alpha_is_broken():
    assert chance(lambda ys: crosses(by_time_known(ys)), 12) > 2 * ALPHA


def test_in_enrolment_order_with_pending_as_none_it_is_kept():
    def rejects(ys: Sequence[int]) -> bool:
        return any(seen and m(len(seen), sum(seen)) >= LEVEL for seen in looks_in_time(ys))

    for ys in product((0, 1), repeat=10):
        assert crosses(ys) or not rejects(ys), "a crossing on what is known is one of the whole sequence"
    assert 0 < chance(rejects, 10) <= ALPHA


def test_pending_outcomes_never_raise_an_e_value():
    """Responses that are late as well: any set of outcomes may be pending."""
    for ys in product((0, 1), repeat=7):
        for pending in product((0, 1), repeat=7):
            seen = [0 if wait else y for y, wait in zip(ys, pending, strict=True)]
            for (n, x), y in zip(enumerate(accumulate(seen), 1), accumulate(ys), strict=True):
                assert m(n, x) <= m(n, y)


# -- 3. inevaluable non-responders are replaced


def among_treated(n: int, inevaluable: Fraction, *, replaced: bool, test: Ratio = TEST) -> Fraction:
    """P(M ever reaches 20): each patient responds with p0, or is inevaluable, who is passed over or counts as 0."""
    there, done = {(0, 0): Fraction(1)}, Fraction(0)
    for _ in range(n):
        grown: dict[tuple[int, int], Fraction] = {}
        for (k, x), share in there.items():
            steps = [
                (k + 1, x + 1, P0),
                (k + 1, x, 1 - P0 - inevaluable),
                (k if replaced else k + 1, x, inevaluable),
            ]
            for j, y, q in steps:
                if j > k and test.exact(j, y) >= LEVEL:
                    done += share * q
                else:
                    grown[j, y] = grown.get((j, y), Fraction(0)) + share * q
        there = grown
    return done


def test_replaced_patients_break_alpha_and_counted_as_none_they_do_not():
    v = Fraction(1, 5)
    assert among_treated(36, v, replaced=True) > ALPHA
    assert 0 < among_treated(36, v, replaced=False) <= ALPHA


def test_replaced_patients_are_covered_against_the_rate_among_the_evaluable():
    v = Fraction(1, 5)
    assert 0 < among_treated(36, v, replaced=True, test=Ratio(P0 / (1 - v), P1)) <= ALPHA


# -- 4. cohorts with rules of their own


Each = Sequence[tuple[int, int]]
"""Patients and responses of each cohort."""


def cohorts(n: int, rates: Sequence[Fraction], rejects: Callable[[Each], bool]) -> Fraction:
    """P(a rule of cohorts with these rates ever rejects), one patient of each in turn."""
    k = len(rates)
    there, done = {(0,) * k: Fraction(1)}, Fraction(0)
    for i in range(n * k):
        grown: dict[tuple[int, ...], Fraction] = {}
        for xs, share in there.items():
            for y, q in ((0, 1 - rates[i % k]), (1, rates[i % k])):
                more = (*xs[: i % k], xs[i % k] + y, *xs[i % k + 1 :])
                sizes = [i // k + (j <= i % k) for j in range(k)]
                if rejects(tuple(zip(sizes, more, strict=True))):
                    done += share * q
                else:
                    grown[more] = grown.get(more, Fraction(0)) + share * q
        there = grown
    return done


def test_each_cohort_is_covered_their_union_is_not():
    one = course(boundary(TEST, 29, LEVEL), 0.1).p_reject
    assert one <= ALPHA < 1 - (1 - one) ** 3


def test_the_mean_of_the_cohorts_is_covered():
    def rejects(each: Each) -> bool:
        return sum(m(n, x) for n, x in each) >= len(each) * LEVEL

    for k, n in ((2, 16), (3, 8)):
        assert 0 < cohorts(n, [P0] * k, rejects) <= ALPHA


@pytest.mark.parametrize("rates", [(P0, P0), (P0, P1), (P0, P0, Fraction(1, 2))])
def test_claims_of_single_cohorts_are_covered_whichever_others_are_active(rates: tuple[Fraction, ...]):
    test = Plan(P0, P1, ALPHA)

    @cache
    def false_claim(each: Each) -> bool:
        found = in_parts(test, {str(i): counts for i, counts in enumerate(each)})
        return any(part.claimed for part, p in zip(found.parts, rates, strict=True) if p <= P0)

    assert 0 < cohorts(12 if len(rates) == 2 else 6, rates, false_claim) <= ALPHA


# -- 5. a fresh test at a new dose (restart), and 6. of its patients only


State = tuple[int, int, int, int]
"""Patients and responses at the first dose, patients and responses at the new one."""


def restarted(n: int, rejects: Callable[[State], bool]) -> Fraction:
    """P(a rule of both doses' patients and responses rejects), the dose lowered by outcomes: after 2 responses or 6
    patients.

    Both doses respond with p0; the switch is chosen as unkindly as a trial can, by the responses themselves.
    """
    there, done = {(0, 0, 0, 0): Fraction(1)}, Fraction(0)
    for _ in range(n):
        grown: dict[State, Fraction] = {}
        for (k, x, j, y), share in there.items():
            switched = j > 0 or x >= 2 or k >= 6
            for hit, q in ((0, 1 - P0), (1, P0)):
                here = (k, x, j + 1, y + hit) if switched else (k + 1, x + hit, j, y)
                if rejects(here):
                    done += share * q
                else:
                    grown[here] = grown.get(here, Fraction(0)) + share * q
        there = grown
    return done


def test_a_test_begun_anew_at_the_switch_is_covered():
    assert 0 < restarted(24, lambda at: m(*at[2:]) >= LEVEL) <= ALPHA


def test_either_of_two_tests_is_not_and_their_mean_is():
    either = 1 - (1 - course(boundary(TEST, 40, LEVEL), 0.1).p_reject) ** 2
    assert either > ALPHA
    assert 0 < restarted(24, lambda at: (m(*at[:2]) + m(*at[2:])) / 2 >= LEVEL) <= ALPHA
    assert 0 < restarted(24, lambda at: max(m(*at[:2]), m(*at[2:])) >= 2 * LEVEL) <= ALPHA


def test_a_fixed_cut_off_at_a_number_chosen_by_outcomes_is_broken():
    """new_dose_only: r with a level below .05 at each number of patients, the number not fixed beforehand."""
    cut_off = {n: next(r for r in range(n + 1) if tail(n, r) <= ALPHA) for n in range(1, 25)}
    assert all(tail(n, r) <= ALPHA for n, r in cut_off.items())
    assert restarted(24, lambda at: at[2] > 0 and at[3] > cut_off[at[2]]) > ALPHA


@cache
def tail(n: int, r: int) -> Fraction:
    """P(more than r of n respond) at p0, by Pascal's triangle."""
    row = [Fraction(1)]
    for _ in range(n):
        row = [
            (1 - P0) * (row[x] if x < len(row) else 0) + P0 * (row[x - 1] if x else 0)
            for x in range(len(row) + 1)
        ]
    return sum(row[r + 1 :], Fraction(0))
