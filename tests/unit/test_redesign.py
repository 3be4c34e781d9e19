"""Redesign by conditional error: the reference tables, and the type I error of whatever redesign is chosen."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest

from trialsim.designs.exactly import alone, upper_tail
from trialsim.designs.rules import Looks
from trialsim.errors import DesignError
from trialsim.inference.stated import stated
from trialsim.monitoring.redesign import conditional_go, least_cut_off, redesign

DESIGNS = ("1/10 5/29", "1/25 6/70", "3/14 14/44", "0/6 2/17 5/29", "0:3/13 5/24", "5/25")


def reached(looks: Looks, m: int, p: Fraction) -> dict[int, Fraction]:
    """P(x responses among the first m patients, and no look before m has ended the trial), patient by patient."""
    found = {(0, 0): Fraction(1)}
    for i in range(1, m + 1):
        grown: dict[tuple[int, int], Fraction] = {}
        for (k, x), chance in found.items():
            for y, q in ((0, 1 - p), (1, p)):
                after, count = k, x + y
                if i == looks.n[k] and i < m:
                    after = looks.next[k][count]
                if after >= 0:
                    grown[after, count] = grown.get((after, count), Fraction(0)) + chance * q
        found = grown
    by_count: dict[int, Fraction] = {}
    for (_, x), chance in found.items():
        by_count[x] = by_count.get(x, Fraction(0)) + chance
    return by_count


def early_goes(looks: Looks, m: int, p: Fraction) -> Fraction:
    """P(an early go before patient m)."""
    here = reached(looks, m, p)
    return alone(looks, p).p_go - sum(chance * conditional_go(looks, m, p)[x] for x, chance in here.items())


@pytest.mark.parametrize("design", DESIGNS)
def test_no_choice_of_redesign_exceeds_the_type_i_error(design):
    rng = random.Random(design)
    looks = stated(design).looks
    closest = Fraction(0)
    for p0 in (Fraction(1, 10), Fraction(1, 20), Fraction(3, 10)):
        attained = alone(looks, p0).p_go
        for m in {1, looks.n[0], looks.planned_n - 1, *rng.sample(range(1, looks.planned_n), 3)}:
            errors = conditional_go(looks, m, p0)
            here = reached(looks, m, p0)
            before = early_goes(looks, m, p0)
            assert before >= 0
            for _ in range(4):
                total = before
                for x, chance in here.items():
                    sizes = rng.sample(range(1, 40), 6)
                    levels = [upper_tail(n2, least_cut_off(n2, p0, errors[x]), p0) for n2 in sizes]
                    # chosen at will: half of the time the one that uses most of what may be used
                    total += chance * (max(levels) if rng.random() < 0.5 else rng.choice(levels))
                assert total <= attained
                closest = max(closest, total / attained)
    assert closest > Fraction(4, 5), "the bound is not kept by never going"


def test_conditional_errors_average_to_the_type_i_error():
    for design in ("1/10 5/29", "0/6 2/17 5/29"):
        looks = stated(design).looks
        for m in range(looks.n[0] + 1):
            p = Fraction(1, 10)
            found = conditional_go(looks, m, p)
            weights = [comb(m, x) * p**x * (1 - p) ** (m - x) for x in range(m + 1)]
            assert sum(w * e for w, e in zip(weights, found, strict=True)) == alone(looks, p).p_go


def test_pending_outcomes_each_have_their_cut_off():
    found = redesign("1/10 5/29", x1=3, m=15, pending=4, power=0.9, p0=0.1, p1=0.3)
    assert [standing.x for standing in found.standings] == [3, 4, 5, 6, 7]
    assert [standing.decision for standing in found.standings] == ["open", "open", "open", "go", "go"]
    for standing in found.standings:
        alone_ = redesign("1/10 5/29", x1=standing.x, m=15, p0=0.1, p1=0.3)
        assert alone_.standings[0].error == standing.error
    for n2 in (found.first, found.stable):
        assert all(found.rest(n2, standing).power >= Fraction(9, 10) for standing in found.open)
    assert any(found.rest(found.first - 1, standing).power < Fraction(9, 10) for standing in found.open)
    assert any(found.rest(found.stable - 1, standing).power < Fraction(9, 10) for standing in found.open)
    rows = found.rows()
    assert {row["go_at"] - row["responses"] - row["c2"] for row in rows if "c2" in row} == {0}
    assert len(rows) == 2 * 3 + 2


@pytest.mark.parametrize(("design", "r"), [("1/10 5/29", 5), ("1/25 6/70", 6), ("3/14 14/44", 14)])
def test_the_planned_rest_keeps_its_own_conditional_error(design, r):
    """It uses exactly what may be used: a tie, which no rounding may lose."""
    looks = stated(design).looks
    n1, n = looks.n
    for x1 in range(looks.next[0].index(1), r + 1):
        found = redesign(design, x1=x1, p0=0.1, p1=0.3)
        (standing,) = found.standings
        rest = found.rest(n - n1, standing)
        assert (rest.used, x1 + rest.c2) == (standing.error, r + 1)


@pytest.mark.parametrize(
    ("stated_", "words"),
    [
        ({"x1": 11}, "do not fit"),
        ({"x1": 3, "m": 30}, "from 0 to 29"),
        ({"x1": 3, "pending": 8}, "do not fit"),
        ({"x1": 1, "m": 12}, "goes on after the look at 10"),
        ({"x1": 3, "n2": 0}, "n2 = 0"),
        ({"x1": 3, "power": 90.0}, "between 0 and 1"),
        ({"x1": 3, "p0": 0.3}, "p0 < p1"),
    ],
)
def test_what_cannot_be_is_refused(stated_, words):
    with pytest.raises(DesignError, match=words):
        redesign("1/10 5/29", **{"p0": 0.1, "p1": 0.3, **stated_})


@pytest.mark.parametrize(
    ("config", "words"),
    [("gehan", "tests nothing"), ("bryant-day", "count toxicities"), ("sargent", "`consider`")],
)
def test_designs_without_one_test_are_refused(config, words):
    with pytest.raises(DesignError, match=words):
        redesign(f"configs/{config}.yaml", x1=2, p0=0.1, p1=0.3)


def test_the_p_value_after_a_redesign_decides_as_its_cut_off_does() -> None:
    p0, chance = Fraction(1, 10), random.Random(5)
    # a size for each count at the look, chosen for what is known by then
    sizes = {x: chance.randint(1, 30) for x in range(2, 11)}
    outcomes: list[tuple[Fraction, Fraction]] = []
    for x in range(11):
        here = comb(10, x) * p0**x * (1 - p0) ** (10 - x)
        if x < 2:
            outcomes.append((Fraction(1), here))
            continue
        n2 = sizes[x]
        for x2 in range(n2 + 1):
            found = redesign("1/10 5/29", x1=x, n2=n2, x2=x2, p0=0.1, p1=0.3)
            (standing,) = found.standings
            assert found.p_value is not None
            assert (found.p_value <= found.attained) == (x2 >= found.rest(n2, standing).c2)
            outcomes.append((found.p_value, here * comb(n2, x2) * p0**x2 * (1 - p0) ** (n2 - x2)))
    assert sum(part for _, part in outcomes) == 1
    for level in {p for p, _ in outcomes}:
        assert sum(part for p, part in outcomes if p <= level) <= level


@pytest.mark.parametrize(("n2", "x2", "pending"), [(None, 3, 0), (10, 11, 0), (10, 3, 2)])
def test_a_rest_that_cannot_be_known(n2: int | None, x2: int, pending: int) -> None:
    with pytest.raises(DesignError, match="x2"):
        redesign("1/10 5/29", x1=1 + (pending == 0) * 2, n2=n2, x2=x2, pending=pending, p0=0.1, p1=0.3)


def test_without_a_wish_the_answer_names_the_level_that_a_rest_may_have() -> None:
    printed = " ".join(str(redesign("1/10 5/29", x1=3, p0=0.1, p1=0.3)).split())
    assert "A rest may have a level of 0.2946, the conditional error of the planned design." in printed
    pending = " ".join(str(redesign("1/10 5/29", x1=3, m=14, pending=2, p0=0.1, p1=0.3)).split())
    assert "a level of 0.1841, 0.4510 or 0.7941" in pending
