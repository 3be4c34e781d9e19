"""Conditional and predictive power, and the rest of a trial, against every sequence of patients."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from tests.oracle import naive_monitoring as naive
from tests.oracle.brute_force import Dose, State, cells_of
from tests.oracle.common import random_case, rates_of
from tests.oracle.strategies import random_looks
from trialsim.codes import CONTINUE, NEVER, NEW_DOSE_ONLY, POOLED, REDUCE, RESTART, STOP
from trialsim.designs.rules import Looks, Monitor, Rules, two_way
from trialsim.errors import DesignError
from trialsim.monitoring.chances import (
    at_looks,
    at_rate,
    by_prior,
    following,
    from_the_start,
    if_it_goes_on,
    reachable,
)
from trialsim.monitoring.rest_of_trial import ahead, given_responses, looks_ahead, next_look
from trialsim.monitoring.standing import Now, now_of

SAME = 1e-12
RATES = (Fraction(0), Fraction(1, 20), Fraction(3, 10), Fraction(9, 10), Fraction(1))
PRIORS = ((Fraction(1, 2), Fraction(1, 2)), (Fraction(1), Fraction(1)), (Fraction(3, 10), Fraction(17, 10)))


def designs(count: int, most: int = 9) -> list[Looks]:
    rng = random.Random(1986)
    return [random_looks(rng, rng.randint(2, most)) for _ in range(count)]


def test_power_at_every_look_and_count():
    compared = 0
    for looks in designs(80):
        for k in range(len(looks.n)):
            if looks.is_final(k):
                continue
            for p in RATES:
                power = if_it_goes_on(looks, k, at_rate(float(p)))
                for x, d in enumerate(looks.next[k]):
                    expected = naive.conditional_power(looks, looks.n[k], x, following(looks, k, d), p)
                    assert power[x] == pytest.approx(float(expected), abs=SAME)
                    compared += 1
            for a, b in PRIORS:
                power = if_it_goes_on(looks, k, by_prior((float(a), float(b))))
                for x, d in enumerate(looks.next[k]):
                    expected = naive.predictive_power(looks, looks.n[k], x, following(looks, k, d), a, b)
                    assert power[x] == pytest.approx(float(expected), abs=SAME)
                    compared += 1
    assert compared > 2000


def test_power_between_looks():
    """From any count that can be met, with what the looks so far allow."""
    found: Counter[str] = Counter()
    for looks in designs(40, 7):
        pending = met(looks)
        for n in range(looks.n[-1]):
            for x in range(n + 1):
                due = pending.get((n, x), set())
                if len(due) != 1:
                    with pytest.raises(
                        DesignError, match="may be after" if due else "has ended|the trial ends"
                    ):
                        next_look(looks, n, x)
                    found["refused"] += 1
                    continue
                (look,) = due
                assert next_look(looks, n, x) == look
                left = looks_ahead(plain(looks), Now(n, x, 0, n, n))
                for p in RATES[1:4]:
                    expected = naive.conditional_power(looks, n, x, look, p)
                    assert from_the_start(left, at_rate(float(p))) == pytest.approx(float(expected), abs=SAME)
                a, b = PRIORS[0]
                expected = naive.predictive_power(looks, n, x, look, a, b)
                after = by_prior((float(a) + x, float(b) + n - x))
                assert from_the_start(left, after) == pytest.approx(float(expected), abs=SAME)
                found["compared"] += 1
    assert found["compared"] > 250
    assert found["refused"] > 50


def met(looks: Looks) -> dict[tuple[int, int], set[int]]:
    """(n, x) -> the looks that may be next, by walking through every sequence of responses."""
    found: dict[tuple[int, int], set[int]] = {}

    def walk(n: int, x: int, look: int) -> None:
        if n == looks.n[look]:
            look = looks.next[look][x]
            if look < 0:
                return
        found.setdefault((n, x), set()).add(look)
        walk(n + 1, x, look)
        walk(n + 1, x + 1, look)

    walk(0, 0, 0)
    return found


def plain(looks: Looks) -> Rules:
    """A trial without a toxicity rule."""
    return Rules(
        looks, Monitor(((NEVER,) * (looks.planned_n + 1),), (0,), (CONTINUE,)), False, looks.planned_n
    )


def test_the_counts_with_which_a_look_is_met():
    for looks in designs(40, 7):
        sets = reachable(looks)
        seen = {k: {x for (n, x), _ in before_looks(looks, k)} for k in range(len(looks.n))}
        assert [set(s) for s in sets] == [seen[k] for k in range(len(looks.n))]


def before_looks(looks: Looks, k: int):
    """((n, x), look) whenever look k is met."""

    def walk(n: int, x: int, look: int):
        if n == looks.n[look]:
            if look == k:
                yield (n, x), look
            look = looks.next[look][x]
            if look < 0:
                return
        yield from walk(n + 1, x, look)
        yield from walk(n + 1, x + 1, look)

    yield from walk(0, 0, 0)


# -- the whole scenario from where it stands


def place(rules: Rules, state: State) -> Now:
    """A state of the enumeration as the command line would be told of it."""
    level = state.level
    first = 0 if rules.on_dose_change == POOLED else level
    counted = state.evaluable if rules.replaced else state.patients
    asked = rules.looks.too_toxic > 0 and level > 0 and rules.on_dose_change == POOLED
    return now_of(
        rules,
        sum(counted[first:]),
        sum(state.responses[first:]),
        state.toxicities[level],
        dose=level + 1,
        at_dose=state.patients[level],
        treated=sum(state.patients),
        all_toxicities=sum(state.toxicities) if asked else None,
    )


def told(rules: Rules, state: State) -> Now | None:
    """The same; None where it cannot be told: looks that skip others, too many inevaluable patients."""
    try:
        now = place(rules, state)
        if not (now.dose and rules.on_dose_change == NEW_DOSE_ONLY):
            next_look(rules.looks, now.n, now.x)
        return now
    except DesignError as error:
        if "may be after" in str(error) or "would need more than" in str(error):
            return None
        raise


def as_stated(rules: Rules) -> bool:
    """Whether a scenario could say so: either a boundary or amendments, one after the other."""
    monitor = rules.monitor
    at = [n for n in monitor.at_enrolled if n]
    mixed = at and REDUCE in monitor.action
    return not mixed or rules.on_dose_change != RESTART


@pytest.mark.parametrize("batch", range(4))
def test_the_rest_of_a_trial_is_a_trial(batch):
    rng = random.Random(4 * 1982 + batch)
    found: Counter[object] = Counter()
    while found["compared"] < 220:
        rules, truth = random_case(rng, 5, 3)
        if not as_stated(rules):
            continue
        cells = cells_of(truth)
        states = sorted(naive.states_of(rules, cells))
        for state in rng.sample(states, min(4, len(states))):
            now = told(rules, state)
            if now is None:
                found["refused"] += 1
                continue
            expected = naive.ends_from(rules, cells, state)
            ends = ahead(rules, rates_of(truth), now)
            assert ends.p_go == pytest.approx(float(expected.go), abs=SAME), (rules, truth, state)
            assert ends.p_stop_toxicity == pytest.approx(float(expected.toxicity), abs=SAME), (
                rules,
                truth,
                state,
            )
            found["compared"] += 1
            found[rules.on_dose_change] += 1
            found["lower dose"] += state.level > 0
            found["toxic looks"] += bool(rules.looks.toxic_ge)
            found["uncertain"] += 0 < expected.go < 1
    assert (
        min(found[key] for key in (POOLED, NEW_DOSE_ONLY, RESTART, "lower dose", "toxic looks", "uncertain"))
        > 5
    )


def test_given_the_responses_at_a_look():
    rng = random.Random(2008)
    compared = 0
    while compared < 250:
        rules, truth = random_case(rng, 5, 3)
        if rules.on_dose_change == RESTART and rules.levels > 1:
            with pytest.raises(ValueError, match="begin again"):
                given_responses(rules, rates_of(truth), 0, [0])
            continue
        looks, cells = rules.looks, cells_of(truth)
        for k in range(len(looks.n)):
            if looks.is_final(k):
                continue
            expected = naive.past_look(rules, cells, k)
            on = [x for x in sorted(reachable(looks)[k]) if looks.next[k][x] >= 0]
            for x, (reached, p_go) in given_responses(rules, rates_of(truth), k, on).items():
                by_enumeration, went = expected.get(x, (Fraction(0), Fraction(0)))
                assert reached == pytest.approx(float(by_enumeration), abs=SAME), (rules, truth, k, x)
                if by_enumeration > Fraction(1, 10**6):
                    assert p_go == pytest.approx(float(went / by_enumeration), abs=1e-8), (rules, truth, k, x)
                    compared += 1


# -- identities


def test_power_averages_to_the_unconditional_one():
    """Over the counts at the first look, P(go) given the count averages to P(go), at a rate and by a prior."""
    for looks in designs(60):
        for chance in (at_rate(0.3), by_prior((0.5, 0.5)), by_prior((2.0, 7.0))):
            of_counts = counts(looks.n[0], chance)
            assert of_counts.sum() == pytest.approx(1, abs=SAME)
            average = of_counts @ at_looks(looks, chance)[0]
            assert average == pytest.approx(from_the_start(looks, chance), abs=SAME)


def counts(n: int, chance) -> np.ndarray:
    """P(x responses among n), forwards, one patient at a time."""
    found = np.ones(1)
    for m in range(n):
        response = chance(m)
        found = np.append(found * (1 - response), 0) + np.append(0, found * response)
    return found


def test_predictive_power_is_the_conditional_power_averaged_over_the_posterior():
    looks = two_way((25, 70), (1, 6), (None, 6))
    predictive = if_it_goes_on(looks, 0, by_prior((0.5, 0.5)))
    node, weight = np.polynomial.legendre.leggauss(120)
    t = (node + 1) * np.pi / 4  # p = sin^2 t takes the ends of the density apart
    p, w = np.sin(t) ** 2, weight * np.pi / 4 * np.sin(2 * t)
    conditional = np.array([if_it_goes_on(looks, 0, at_rate(rate)) for rate in p])
    for x in range(26):
        density = stats.beta(0.5 + x, 25.5 - x).pdf(p)
        assert predictive[x] == pytest.approx(float(w @ (density * conditional[:, x])), abs=1e-10)


def test_a_two_stage_design_is_a_beta_binomial_sum():
    looks = two_way((25, 70), (1, 6), (None, 6))
    for prior in ((0.5, 0.5), (1.0, 1.0), (0.6, 5.4)):
        power = if_it_goes_on(looks, 0, by_prior(prior))
        for x in range(26):
            tail = stats.betabinom(45, prior[0] + x, prior[1] + 25 - x).sf(6 - x)
            assert power[x] == pytest.approx(float(tail), abs=1e-11)
        at = if_it_goes_on(looks, 0, at_rate(0.15))
        assert at == pytest.approx([float(stats.binom(45, 0.15).sf(6 - x)) for x in range(26)], abs=1e-12)


def test_a_certain_toxicity_stops():
    looks = two_way((4, 8), (0, 2), (None, 2))
    rules = Rules(looks, Monitor(((9, 9, 2, 3, 3, 4, 4, 5, 5),), (0,), (STOP,)), False, 8)
    truth = (Dose(0.5, 1.0),)
    now = now_of(rules, 1, 1, 0)
    assert ahead(rules, rates_of(truth), now).p_stop_toxicity == pytest.approx(1, abs=SAME)
