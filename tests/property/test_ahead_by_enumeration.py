"""What is ahead of a running trial against every completion written out."""

from __future__ import annotations

import math
from datetime import date, timedelta
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from tests.published.running import compiled
from trialsim.codes import GO, NEVER, REDUCE, STOP
from trialsim.designs.rules import Looks, Monitor, Rules, two_way
from trialsim.kernels.streams import stream_key
from trialsim.ongoing.drawn import drawn, known_of
from trialsim.ongoing.p_go import design_go, with_toxicity
from trialsim.ongoing.pending import Nature
from trialsim.ongoing.seen import Seen

LOOKS = two_way((3, 6), (0, 1), (3, 1))


def verdict(looks: Looks, responses: list[int]) -> int:
    look = 0
    while True:
        decision = looks.next[look][sum(responses[: looks.n[look]])]
        if decision < 0:
            return decision
        look = decision


def at_one_rate(*chances: Fraction) -> tuple[np.ndarray, ...]:
    return tuple(np.array([float(chance)]) for chance in chances)


@pytest.mark.parametrize("known", [(), (1, 0), (0, None, 1), (None, 1, None, 0, None), (1, 1, 1, 0)])
def test_go_by_every_completion(known: tuple[int | None, ...]) -> None:
    pending, rate = Fraction(2, 7), Fraction(3, 10)
    each = [pending if k is None else Fraction(k) for k in known] + [rate] * (6 - len(known))
    go = Fraction(0)
    for completion in product((0, 1), repeat=6):
        chance = math.prod(p if y else 1 - p for p, y in zip(each, completion, strict=True))
        go += chance if verdict(LOOKS, list(completion)) == GO else 0
    chances = [at_one_rate(p, 1 - p, Fraction(0)) for p in each[: len(known)]]
    assert math.isclose(design_go(LOOKS, chances, np.array([float(rate)])).go, float(go), abs_tol=1e-12)


def test_who_may_leave_the_count_by_every_completion() -> None:
    may = [(Fraction(1, 5), Fraction(1, 2), Fraction(3, 10))] * 4
    rate, go = Fraction(3, 10), Fraction(0)
    for fates in product((0, 1, 2), repeat=4):
        counted = [1 - fate for fate in fates if fate < 2]
        for later in product((0, 1), repeat=6 - len(counted)):
            chance = math.prod(m[fate] for m, fate in zip(may, fates, strict=True))
            chance *= math.prod(rate if y else 1 - rate for y in later)
            go += chance if verdict(LOOKS, counted + list(later)) == GO else 0
    chances = [at_one_rate(*m) for m in may]
    assert math.isclose(design_go(LOOKS, chances, np.array([float(rate)])).go, float(go), abs_tol=1e-12)


def test_rates_side_by_side_are_each_of_them_by_itself() -> None:
    rates, weight = np.array([0.1, 0.35, 0.6]), np.array([0.5, 0.3, 0.2])
    pending = (rates / 2, 0.9 - rates / 2, np.full(3, 0.1))
    alone = [
        design_go(LOOKS, [tuple(part[[q]] for part in pending)], rates[[q]]).go for q in range(len(rates))
    ]
    together = design_go(LOOKS, [pending], rates, weight)
    assert math.isclose(together.go, float(weight @ alone), abs_tol=1e-15)
    assert math.isclose(together.go + together.futile, 1, abs_tol=1e-15)


def nature(**changes: object) -> Nature:
    from dataclasses import replace

    return replace(Nature.of(compiled("S6"), "p1"), **changes)


def seen(i: int, level: int, enrolled: date, **known: object) -> Seen:
    return Seen(id=str(i), row=i + 2, enrolled=enrolled, level=level, **known)


@pytest.mark.parametrize("triggered", [False, True])
def test_the_twin_by_every_completion(triggered: bool) -> None:
    """Five patients, of whom two are in and one has had toxicity; responses and toxicities all written out."""
    looks = two_way((3, 5), (0, 1), (None, 1))
    act = ((NEVER, NEVER, 2, 2, 2, 2), (NEVER, NEVER, 2, 2, 2, 2))
    rules = Rules(looks, Monitor(act, (0, 0), (REDUCE, STOP)), False, 5)
    world = nature(response=(0.4, 0.2), toxicity=((0.3, 0.6), (0.25, 0.1)))
    today = date(2026, 3, 1)
    enrolled = [
        seen(
            0,
            0,
            today - timedelta(days=70),
            responded=False,
            response_known=today,
            toxic=True,
            toxicity_known=today,
        ),
        seen(1, 0, today - timedelta(days=20)),
    ]
    # the second: nothing by day 20 of a window of 56, and no visit yet
    still = 1 - Fraction(21, 56)
    F = Fraction
    response = (F(2, 5), F(1, 5))
    toxicity = ((F(3, 10), F(6, 10)), (F(25, 100), F(1, 10)))
    go = stop = reduced = total = F(0)
    for ys in product((0, 1), repeat=4):
        for ts in product((0, 1), repeat=4):
            level, left, m, t, chance = 0, triggered, 0, 0, F(1)
            verdict_, was_reduced = None, False
            for i, (y, toxic) in enumerate([(0, 1), *zip(ys, ts, strict=True)]):
                if i >= 2 and left:
                    level, left, m, t = level + 1, False, 0, 0
                if i > 0:
                    chance *= response[level] if y else 1 - response[level]
                    theta = toxicity[level][y]
                    chance *= (theta * (still if i == 1 else 1)) if toxic else 1 - theta
                if verdict_ is None:
                    if not left:
                        m, t = m + 1, t + toxic
                        if m >= 2 and t >= 2:
                            if level == 1:
                                verdict_ = "stop"
                            else:
                                left = was_reduced = True
                    x = sum((0, *ys)[: i + 1])
                    if verdict_ is None and i + 1 == 3 and x == 0:
                        verdict_ = "futile"
                    if verdict_ is None and i + 1 == 5:
                        verdict_ = "go" if x > 1 else "futile"
            total += chance
            go += chance if verdict_ == "go" else 0
            stop += chance if verdict_ == "stop" else 0
            reduced += chance if was_reduced else 0
    ahead = with_toxicity(world, rules, enrolled, today, triggered=triggered)
    assert math.isclose(ahead.go, float(go / total), abs_tol=1e-12)
    assert math.isclose(ahead.toxicity, float(stop / total), abs_tol=1e-12)
    assert math.isclose(ahead.reduced, float(reduced / total), abs_tol=1e-12)


@pytest.mark.parametrize("triggered", [False, True])
def test_the_twin_where_the_lower_dose_came_too_early(triggered: bool) -> None:
    """The third of three patients had the lower dose before its time: she counts there once it is given."""
    looks = two_way((3, 5), (0, 1), (None, 1))
    act = ((NEVER, NEVER, 2, 2, 2, 2), (NEVER, 1, 1, 2, 2, 2))
    rules = Rules(looks, Monitor(act, (0, 0), (REDUCE, STOP)), False, 5)
    world = nature(response=(0.4, 0.2), toxicity=((0.3, 0.6), (0.25, 0.1)))
    today = date(2026, 3, 1)
    known = {"responded": False, "response_known": today}
    start = today - timedelta(days=70)
    enrolled = [
        seen(0, 0, start, toxic=True, toxicity_known=today, **known),
        seen(1, 0, today - timedelta(days=20)),
        seen(2, 1, today - timedelta(days=20)),
    ]
    F = Fraction
    still = 1 - F(21, 56)
    response, toxicity = (F(2, 5), F(1, 5)), ((F(3, 10), F(6, 10)), (F(25, 100), F(1, 10)))
    ends, was_reduced, total = {"go": F(0), "stop": F(0)}, F(0), F(0)
    for ys, ts in product(product((0, 1), repeat=4), repeat=2):
        outcomes = [(0, 1), *zip(ys, ts, strict=True)]
        levels, now, end, reduced, chance = [0, 0, 1], 0, "", False, F(1)

        def crossed(level: int, levels: list[int] = levels, outcomes: list = outcomes) -> bool:  # type: ignore[type-arg]
            here = [outcomes[k][1] for k, at in enumerate(levels) if at == level]
            return any(sum(here[:m]) >= act[level][m] for m in range(1, len(here) + 1))

        for i, (y, toxic) in enumerate(outcomes):
            if i > 2:
                leaves = now == 0 and (triggered or crossed(0))
                now = max(now, int(leaves))
                if now and not end and crossed(1):
                    end = "stop"
                levels.append(now)
            if i > 0:
                chance *= response[levels[i]] if y else 1 - response[levels[i]]
                theta = toxicity[levels[i]][y]
                chance *= theta * (still if i < 3 else 1) if toxic else 1 - theta
            if not end and i >= 1:
                reduced |= now == 0 and not triggered and sum(t for _, t in outcomes[:2]) >= 2
            if not end and i > 2 and now and crossed(1):
                end = "stop"
            if not end and i > 2 and now == 0 and crossed(0):
                reduced |= not triggered
            x = sum(y for y, _ in outcomes[: i + 1])
            if not end and i + 1 == 3 and x == 0:
                end = "futile"
            if not end and i + 1 == 5:
                end = "go" if x > 1 else "futile"
        total += chance
        was_reduced += chance * reduced
        if end in ends:
            ends[end] += chance
    ahead = with_toxicity(world, rules, enrolled, today, triggered=triggered)
    assert math.isclose(ahead.go, float(ends["go"] / total), abs_tol=1e-12)
    assert math.isclose(ahead.toxicity, float(ends["stop"] / total), abs_tol=1e-12)
    assert math.isclose(ahead.reduced, float(was_reduced / total), abs_tol=1e-12)


@pytest.mark.parametrize("days", [10, 70, 100, 130])
def test_pending_patients_are_drawn_with_the_chances_worked_out(days: int) -> None:
    trial, today = compiled("S6"), date(2026, 8, 1)
    world = Nature.of(trial, "p1")
    waiting = [seen(0, 0, today - timedelta(days=days))]
    if days == 100:
        first = waiting[0].enrolled + timedelta(days=63)
        waiting = [seen(0, 0, waiting[0].enrolled, unconfirmed=first)]
    if days == 130:
        first = waiting[0].enrolled + timedelta(days=119)
        waiting = [seen(0, 0, waiting[0].enrolled, unconfirmed=first)]
    from trialsim.kernels import patient as field

    thresholds, key = trial.strata["p1"].thresholds(), stream_key(5)
    known, count = known_of(waiting, trial.calendar.visit), 2000
    rows = np.array([drawn(trial.calendar, thresholds, key, k, known, days * 1024)[0] for k in range(count)])
    p = world.response[0]
    (wanted,) = world.response_of(waiting[0], today, "follow_up").given(np.array([p]))[0]
    # where toxicity goes with response, that of a patient whose response is not known is averaged over it
    none, some = (
        sum(w * world.toxicity_of(waiting[0], today, so)[k] for w, so in ((1 - p, False), (p, True)))
        for k in (0, 1)
    )
    toxic = some / (none + some)
    for share, chance in (
        (rows[:, field.IS_RESPONSE].mean(), wanted),
        (rows[:, field.IS_TOXIC].mean(), toxic),
    ):
        assert abs(share - chance) <= 4 * math.sqrt(chance * (1 - chance) / count) + 1e-9


def test_at_the_rate_nothing_is_known_of_who_awaits_confirmation_either() -> None:
    trial = compiled("S6")
    nature, today = Nature.of(trial, "p1"), date(2026, 8, 12)
    start = today - timedelta(days=nature.visits[0] + 5)
    shown = Seen("1", 2, start, 0, unconfirmed=start + timedelta(days=nature.visits[0]))
    nothing = Seen("1", 2, start, 0)
    at_rate, by_follow_up = (nature.response_of(shown, today, how) for how in ("at_rate", "follow_up"))
    assert at_rate == nature.response_of(nothing, today, "at_rate") == nature.outcome(0, -1)
    assert by_follow_up.given(np.array([0.2]))[0][0] > at_rate.given(np.array([0.2]))[0][0]
