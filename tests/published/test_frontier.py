"""The bound on EN(p0) and the best designs with a few looks: reference numbers, enumeration, and slow plain twins."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from tests.helpers import first_of
from tests.published.reference import ints, rows
from trialsim.designs import mander_thompson, multistage, optimal_looks, simon, single_stage
from trialsim.designs.alone import alone
from trialsim.designs.efficiency_bound import ABOVE, LEAST, least_en
from trialsim.designs.exactly import decimal
from trialsim.designs.finding import find
from trialsim.designs.optimal_looks import OptimalDesign, search
from trialsim.designs.rules import Looks
from trialsim.designs.target import NoDesign, Target
from trialsim.errors import DesignError
from trialsim.kernels.multipliers import dual, tables
from trialsim.qualification.tables import frontier
from trialsim.reporting.find import report_of
from trialsim.writing.markdown import markdown

Row = dict[str, str]


def target(row: Row) -> tuple[Target, int]:
    return frontier.target(row), int(row["nmax"])


def least(asked: Target, nmax: int) -> float:
    found = least_en(asked, nmax)
    assert found is not None
    return found.en


# -- the bound


def plain_bound(asked: Target, nmax: int, price: float, worth: float) -> float:
    """The least cost of a trial by recursion over every state, in the plainest words."""

    @cache
    def cost(m: int, x: int) -> float:
        ratio = (asked.p1 / asked.p0) ** x * ((1 - asked.p1) / (1 - asked.p0)) ** (m - x)
        stop, go = 0.0, price - worth * ratio
        if m == nmax:
            return min(stop, go)
        on = 1 + (1 - asked.p0) * cost(m + 1, x) + asked.p0 * cost(m + 1, x + 1)
        return on if m == 0 else min(stop, go, on)

    return cost(0, 0) - price * asked.alpha + worth * (1 - asked.beta)


def test_a_bound_is_that_of_the_plain_recursion() -> None:
    chance = random.Random(3)
    for _ in range(30):
        p0 = chance.uniform(0.02, 0.6)
        asked = Target(
            p0, chance.uniform(p0 + 0.05, 0.95), chance.uniform(0.01, 0.2), chance.uniform(0.05, 0.4)
        )
        nmax = chance.randint(1, 25)
        prices = chance.uniform(0, 300), chance.uniform(0, 300)
        null, _, ratio = tables(asked.p0, asked.p1, nmax)
        room = np.zeros((nmax, nmax + 1)), np.zeros((3, nmax + 1))
        value, _, _ = dual(np.arange(1, nmax + 1), True, prices, asked.errors, null, ratio, *room)
        assert value == pytest.approx(plain_bound(asked, nmax, *prices), rel=1e-9, abs=1e-9)
        # whatever the prices: no bound is above the one that is found
        if least_en(asked, nmax) is not None:
            assert value <= least(asked, nmax) + 1e-8


def test_no_published_design_is_below_its_bound() -> None:
    """Simon's designs, those of three stages and those that may go early, at their own n."""
    told = 0
    for row in rows("simon.csv"):
        asked = Target(*(float(row[key]) for key in ("p0", "p1", "alpha", "beta")))
        if (bound := least_en(asked, int(row["n"]))) is not None:
            assert bound.en <= float(row["EN_p0"]), row
            told += 1
    for row in rows("multistage.csv"):
        asked = Target(*(float(row[key]) for key in ("p0", "p1", "alpha", "beta")))
        bound = least_en(asked, ints(row["stage_n_cum"])[-1])
        assert bound is not None
        assert bound.en <= float(row["EN_p0"]), row
        told += 1
    assert told > 100


def random_target(chance: random.Random) -> Target:
    p0 = round(chance.uniform(0.02, 0.7), 2)
    p1 = round(min(0.97, p0 + chance.uniform(0.15, 0.4)), 2)
    return Target(p0, p1, chance.choice([0.025, 0.05, 0.1]), chance.choice([0.1, 0.15, 0.2]), 60)


@pytest.mark.parametrize("seed", first_of(30, range(500)))
def test_no_design_of_a_random_setting_is_below_the_bound(seed: int) -> None:
    asked = random_target(random.Random(seed))
    searches: list[Callable[[Target], Any]] = [
        lambda t: simon.search(t).designs,
        lambda t: mander_thompson.search(t).designs,
        lambda t: single_stage.search(t).values(),
    ]
    if seed % 10 == 0:
        searches.append(lambda t: multistage.search(t).designs)
    for each in searches:
        try:
            designs = each(asked)
        except NoDesign:
            continue
        for design in designs:
            n = design.n[-1] if isinstance(design.n, tuple) else design.n
            assert least(asked, n) <= alone(design.looks(), asked.p0).en


# -- the best design with at most K looks


def keeps(design: OptimalDesign, asked: Target) -> bool:
    return design.type_i_error <= asked.alpha and design.power >= 1 - asked.beta


DESIGNS = [row for row in rows("frontier_designs.csv") if row["looks"].isdigit()]
MANY = [row for row in DESIGNS if not frontier.is_quick(row)]
"""Those that take seconds each; the others are compared with every table that ships."""


def compare(row: Row) -> None:
    asked, nmax = target(row)
    found = search(asked, int(row["looks"]), row["early_go"] == "1")
    assert keeps(found, asked)
    assert found.proved
    assert found.en_p0 >= least(asked, nmax)
    if row["proved_optimal"] == "1":
        assert found.en_p0 == pytest.approx(float(row["en_p0"]), abs=6e-9)
        assert frontier.seen(found) == frontier.written(row)
        for key, value in (("attained_alpha", found.type_i_error), ("power", found.power)):
            assert value == pytest.approx(float(row[key]), abs=6e-9)
        assert found.en_p1 == pytest.approx(float(row["en_p1"]), abs=6e-7)
        above = 100 * (found.en_p0 / least(asked, nmax) - 1)
        assert above == pytest.approx(float(row["distance_percent"]), abs=6e-4)
    else:
        assert found.en_p0 <= float(row["en_p0"]) + 6e-9


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", MANY, ids=lambda row: f"{row['p0']}-{row['nmax']}-{row['looks']}-{row['early_go']}"
)
def test_every_reference_design_with_more_looks(row: Row) -> None:
    compare(row)


def enumerated(asked: Target, looks: int, early: bool) -> Fraction | None:
    """The least EN(p0) by going through every schedule and every pair of cut-offs, in fractions."""
    nmax = asked.nmax or 0
    p0, p1, alpha, power = (decimal(v) for v in (*asked.rates, asked.alpha, 1 - asked.beta))
    best: Fraction | None = None

    def step(mass: dict[int, Fraction], p: Fraction, more: int) -> dict[int, Fraction]:
        for _ in range(more):
            grown: dict[int, Fraction] = {}
            for x, chance in mass.items():
                grown[x] = grown.get(x, Fraction(0)) + chance * (1 - p)
                grown[x + 1] = grown.get(x + 1, Fraction(0)) + chance * p
            mass = grown
        return mass

    def go_on(
        sizes: tuple[int, ...], before: int, null: dict[int, Fraction], good: dict[int, Fraction],
        en: Fraction, level: Fraction, reached: Fraction,
    ) -> None:  # fmt: skip
        nonlocal best
        n, *rest = sizes
        en += (n - before) * sum(null.values())
        null, good = step(null, p0, n - before), step(good, p1, n - before)
        for stop in range(-1, n + 1):
            for go in [stop] if not rest else range(stop + 1, n + 1) if early else [n]:
                now = level + sum(c for x, c in null.items() if x > go)
                then = reached + sum(c for x, c in good.items() if x > go)
                if now > alpha:
                    continue
                if not rest:
                    if then >= power and (best is None or en < best):
                        best = en
                    continue
                left = {x: c for x, c in null.items() if stop < x <= go}
                go_on(tuple(rest), n, left, {x: good[x] for x in left}, en, now, then)

    for sizes in combinations(range(1, nmax + 1), looks):
        go_on(sizes, 0, {0: Fraction(1)}, {0: Fraction(1)}, Fraction(0), Fraction(0), Fraction(0))
    return best


ENUMERATED = [
    (0.2, 0.7, 0.1, 0.2, 7, 2, True),
    (0.2, 0.7, 0.1, 0.2, 7, 2, False),
    (0.1, 0.6, 0.1, 0.2, 5, 3, True),
    (0.25, 0.75, 0.15625, 0.15625, 5, 3, True),  # attained exactly: 10/64
    (0.5, 0.9, 0.1875, 0.2, 6, 2, True),  # 12/64
    (0.1, 0.6, 0.1, 0.2, 7, 3, True),
    (0.3, 0.7, 0.15, 0.25, 7, 3, False),
    (0.5, 0.875, 0.109375, 0.25, 8, 2, True),  # 7/64
    (0.3, 0.8, 0.1, 0.15, 10, 2, True),
    (0.4, 0.8, 0.12, 0.2, 11, 2, False),
    *((p0, p0 + 0.5, 0.125, 0.25, 6, 3, early) for p0 in (0.125, 0.25, 0.375) for early in (True, False)),
]


@pytest.mark.parametrize(("p0", "p1", "alpha", "beta", "nmax", "looks", "early"), first_of(5, ENUMERATED))
def test_the_best_is_the_best_of_all_by_enumeration(
    p0: float, p1: float, alpha: float, beta: float, nmax: int, looks: int, early: bool
) -> None:
    asked = Target(p0, p1, alpha, beta, nmax)
    best = enumerated(asked, looks, early)
    if best is None:
        with pytest.raises(NoDesign):
            search(asked, looks, early)
        return
    found = search(asked, looks, early)
    assert found.proved
    assert found.en_p0 == pytest.approx(float(best), abs=1e-12)


def test_more_looks_and_an_early_go_are_never_worse() -> None:
    asked = Target(0.1, 0.35, 0.05, 0.2, 22)
    for early in (False, True):
        en = [search(asked, looks, early).en_p0 for looks in (1, 2, 3, 4)]
        assert en == sorted(en, reverse=True)
    assert search(asked, 3, True).en_p0 <= search(asked, 3, False).en_p0
    # with two looks it is Simon's design, and with an early go that of Mander and Thompson
    assert search(asked, 2).en_p0 == pytest.approx(simon.search(asked).optimal.en_p0, abs=1e-12)
    both = mander_thompson.search(asked).optimal.en_p0
    assert search(asked, 2, True).en_p0 <= both + 1e-12


# -- looks after every patient


def test_looks_after_every_patient_where_that_can_be_settled() -> None:
    row = next(
        r for r in rows("frontier_designs.csv") if r["looks"] == "every" and r["proved_optimal"] == "1"
    )
    asked, nmax = target(row)
    found = search(asked, "every", True)
    assert found.proved
    assert keeps(found, asked)
    assert found.en_p0 == pytest.approx(float(row["en_p0"]), abs=6e-9)
    assert least(asked, nmax) <= found.en_p0
    assert search(asked, "every", False, 50_000).en_p0 >= found.en_p0


@pytest.mark.slow
@pytest.mark.parametrize("row", rows("frontier_bound.csv"), ids=lambda row: f"{row['p0']}-{row['nmax']}")
def test_looks_after_every_patient_beat_every_design_of_the_reference(row: Row) -> None:
    asked, nmax = target(row)
    found = search(asked, "every", True)
    assert keeps(found, asked)
    same = [each for each in rows("frontier_designs.csv") if target(each) == (asked, nmax)]
    assert least(asked, nmax) <= found.en_p0 <= min(float(each["en_p0"]) for each in same) + 6e-9


def test_the_same_file_gives_the_same_design() -> None:
    asked = Target(0.2, 0.45, 0.1, 0.1, 25)
    once = [search(asked, 3, True), search(asked, "every", True, 20_000)]
    search.cache_clear()
    assert [search(asked, 3, True), search(asked, "every", True, 20_000)] == once


# -- what is said


SETTING: dict[str, Any] = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}


def test_the_distance_stands_beside_what_is_found() -> None:
    found = find("simon", **SETTING)
    optimal = found["optimal"].details
    assert optimal[LEAST] == pytest.approx(11.95, abs=0.005)
    assert optimal[ABOVE] == pytest.approx(100 * (found["optimal"].en_p0 / optimal[LEAST] - 1))
    assert "above bound" in str(found)
    assert "25.6%" in str(found)
    assert list(found.to_frame()["percent_above_least"])[-1] == pytest.approx(optimal[ABOVE])
    best = find("optimal_looks", **SETTING, looks=2, nmax=29)["optimal"]
    assert best.en_p0 == pytest.approx(found["optimal"].en_p0)
    assert best.details["proved"] is True
    # of two error rates, and of a level that is only nominal, the bound says nothing
    two = find("bryant_day", p0=0.2, p1=0.5, toxicity=[0.4, 0.15], alpha=0.15, beta=0.2)
    assert "above bound" not in str(two)
    assert "above bound" not in str(find("bop2", p0=0.1, p1=0.3, alpha=0.05, looks=[10, 20]))


def test_a_design_that_is_not_settled_says_so() -> None:
    found = find("optimal_looks", **SETTING, looks=4, early_go=True, nodes=30)
    assert found["optimal"].details["proved"] is False
    assert "not proved" in str(found)
    assert "nodes = 30" in str(found)
    assert "proved: no other" in str(find("optimal_looks", **SETTING, looks=2))


def test_without_nmax_it_has_as_many_patients_as_simons() -> None:
    asked = Target(0.1, 0.3, 0.05, 0.2)
    assert search(asked, 2).nmax == 29
    assert search(asked, 2).looks() == simon.search(asked).optimal.looks()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"looks": 0}, "a whole number from 1 to 8 or every is allowed"),
        ({"looks": "some"}, "every"),
        ({"looks": 8, "nmax": 60}, "2,558,620,845 schedules of 8 looks, more than 6,000,000"),
        ({"nmax": 400}, "more than 200 patients"),
        ({"nmax": 14}, "a single stage takes n = 25, so that nmax = 25 has a design"),
        ({"looks": "every", "nmax": 14}, "no design of looks after any patients with n <= 14"),
        ({"p0": 0.001, "p1": 0.9, "nmax": 150}, "likelihood ratios"),
        ({"p1": 0.101}, "so that no nmax follows from it: state nmax"),
    ],
)
def test_what_it_cannot_do_is_said(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignError) as refused:
        find("optimal_looks", **SETTING | keys)
    assert said in str(refused.value)


def test_its_looks_are_those_that_decide_something() -> None:
    for looks in (2, 3, "every"):
        found: Looks = search(Target(0.05, 0.25, 0.05, 0.2, 17), looks, True, 100_000).looks()
        for k in range(len(found.n) - 1):
            assert len({*found.next[k]}) > 1
    assert len(search(Target(0.05, 0.25, 0.05, 0.2, 17), 4).n) == 3
    assert optimal_looks.search(Target(0.3, 0.6, 0.1, 0.2, 17), 1).looks().n == (
        single_stage.search(Target(0.3, 0.6, 0.1, 0.2))["first"].n,
    )


@pytest.mark.parametrize("looks", [40, 0, "two", 2.5])
def test_a_number_of_looks_that_cannot_be_is_refused_in_plain_words(looks: object) -> None:
    told = f"looks = {looks!r} is not possible; a whole number from 1 to 8 or every is allowed"
    with pytest.raises(DesignError) as caught:
        find("optimal_looks", p0=0.1, p1=0.3, alpha=0.05, beta=0.2, nmax=29, looks=looks)
    assert str(caught.value) == told


def test_the_page_says_what_a_search_that_gave_up_has_settled_and_what_a_dash_means() -> None:
    keys: dict[str, Any] = {"p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2, "nmax": 15, "early_go": True}
    asked: tuple[tuple[Any, int, bool], ...] = (("every", 2, True), (2, 100_000, False))
    for looks, nodes, given_up in asked:
        found = find("optimal_looks", looks=looks, nodes=nodes, **keys)
        said = " ".join(markdown(report_of(found)).split())
        assert ("not proved" in said) == given_up
        assert ("The search ended before every design" in said) == given_up
        assert ("or no other can be better" in said) != given_up
        assert ("a dash: never futile there" in said) == any("-:" in design.design for design in found)
