"""Dose decisions: exact laws == every outcome of every patient in turn; rules == fractions; simulated v exact."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import stats

from tests.helpers import first_of
from tests.oracle.naive_doses import chosen as naive_choice
from tests.oracle.naive_doses import outcomes, trials
from trialsim.codes import ALTERNATE, BLOCKS, COIN, NEVER, REDUCE, STOP
from trialsim.designs.dose_choice import (
    HIGHER,
    LOWER,
    NO_COMPARISON,
    NO_GO,
    UNDECIDED,
    DoseChoice,
    DoseRule,
    Seen,
    lower_is_right,
    non_inferior,
)
from trialsim.designs.rules import Monitor, Randomise, Rules, two_way
from trialsim.engine.dose_law import decided, unknown_law
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import exact_sides
from trialsim.engine.quantities import Side
from trialsim.engine.randomised import in_turn
from trialsim.engine.randomised import law as allocated
from trialsim.engine.timed import Timed
from trialsim.kernels.streams import stream_key
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

NAMES = {
    "no_go": NO_GO,
    "no_comparison": NO_COMPARISON,
    "undecided": UNDECIDED,
    "lower": LOWER,
    "higher": HIGHER,
}
RULES = TypeAdapter(DoseRule)
TENTHS = [k / 10 for k in range(-2, 4)]


def random_rule(rng: random.Random) -> dict:
    kind = rng.choice(["always_lower", "difference", "difference", "posterior", "utility"])
    if kind == "difference":
        return {"kind": kind, "lambda": rng.choice(TENTHS)}
    if kind == "posterior":
        prior = rng.choice([(0.5, 0.5), (1.0, 1.0), (2.0, 3.5)])
        return {
            "kind": kind,
            "delta": rng.choice([0.0, 0.05, 0.2]),
            "cutoff": rng.uniform(0.2, 0.9),
            "prior": prior,
        }
    if kind == "utility":
        return {
            "kind": kind,
            "response": 1.0,
            "toxicity": rng.choice([0.3, 0.5]),
            "lambda": rng.choice(TENTHS),
        }
    return {"kind": kind}


def random_protocol(rng: random.Random, most: int) -> Rules:
    """One to three looks and boundaries that may fall as patients come."""
    n = sorted(rng.sample(range(2, most + 1), rng.choice([1, 2, 2, 3])))
    low = [min(rng.randint(0, 1), size - 1) for size in n]
    high = [rng.choice([None, size - 1]) if size < n[-1] else low[-1] for size in n]
    bounds = tuple(
        (
            NEVER,
            *(
                rng.choice([NEVER, rng.randint(1, m + 1)]) if rng.random() < 0.8 else NEVER
                for m in range(1, n[-1] + 1)
            ),
        )
        for _ in range(2)
    )
    looks = two_way(tuple(n), tuple(low), tuple(high))
    return Rules(looks, Monitor(bounds, (0, 0), (REDUCE, STOP)), False, n[-1])


def random_chances(rng: random.Random, most: int) -> list[list[tuple[Fraction, ...]]]:
    """Chances that differ from patient to patient."""
    found = []
    for _ in range(2):
        row = []
        for _ in range(most):
            parts = [rng.randint(1, 6) for _ in range(4)]
            row.append(tuple(Fraction(part, sum(parts)) for part in parts))
        found.append(row)
    return found


def as_cells(chances) -> np.ndarray:
    return np.array([[[float(c) for c in patient] for patient in dose] for dose in chances])


@pytest.mark.parametrize("seed", first_of(14, range(60)))
def test_the_laws_are_those_of_every_trial(seed: int):
    rng = random.Random(seed)
    most = rng.randint(4, 6)
    while unknown_law(rules := random_protocol(rng, most), []):
        pass  # an interim look at which every count ends the trial
    chances, stated = random_chances(rng, rules.looks.planned_n), random_rule(rng)
    least, any_end = rng.choice([1, 1, 2]), rng.random() < 0.3
    choice = DoseChoice.of(RULES.validate_python(stated), least, any_end)
    assert unknown_law(rules, [choice]) == ""
    (found,) = decided(rules, as_cells(chances), [choice])
    naive = outcomes(rules, chances, stated, least, "", any_end)
    for name, k in NAMES.items():
        assert found.outcomes[k] == pytest.approx(float(naive[name]), abs=1e-12)
    if any_end or choice.counts_toxicities:
        return
    ratio = rng.choice([(1, 1), (2, 1), (1, 2)])
    both = replace(rules, randomise=Randomise(ALTERNATE, *ratio))
    for compared in ("concurrent", "all"):
        law = allocated(both, as_cells(chances), [replace(choice, compared=compared)])
        naive = outcomes(both, chances, stated, least, compared, False)
        for name, k in NAMES.items():
            assert law.decided[0].outcomes[k] == pytest.approx(float(naive[name]), abs=1e-12)
    size = sum(p * len(trial.patients) for trial, p in trials(both, chances))
    assert law.patients.sum() == pytest.approx(float(size), abs=1e-12)
    assert law.ends.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_rules_are_decided_as_fractions_are(seed: int):
    """Ties included: counts are small and cut-offs are tenths."""
    rng, count = random.Random(seed), 40
    stated, least = random_rule(rng), rng.choice([1, 2])
    n1, n2 = ([rng.randint(0, 10) for _ in range(count)] for _ in range(2))
    part = [[rng.randint(0, n) for n in size] for size in (n1, n1, n2, n2)]
    seen = Seen(*(np.array(axis) for axis in (n1, part[0], part[1], n2, part[2], part[3])))
    found = DoseChoice.of(RULES.validate_python(stated), least).outcomes(seen, np.ones(count, dtype=bool))
    for k in range(count):
        higher, lower = (n1[k], part[0][k], part[1][k]), (n2[k], part[2][k], part[3][k])
        assert found[k] == NAMES[naive_choice(stated, higher, lower, least)]


def test_a_posterior_probability_is_the_integral():
    rng = random.Random(3)
    for n1, n2, delta, prior in (
        (23, 46, 0.05, (0.5, 0.5)),
        (40, 3, 0.0, (0.5, 0.5)),
        (300, 300, 0.1, (1.0, 1.0)),
    ):
        table = non_inferior(n1, n2, delta, prior)
        assert (np.diff(table, axis=1) > -1e-12).all()
        for _ in range(4):
            x1, x2 = rng.randint(0, n1), rng.randint(0, n2)
            one = stats.beta(prior[0] + x1, prior[1] + n1 - x1)
            two = stats.beta(prior[0] + x2, prior[1] + n2 - x2)
            # P(p1 <= p2 + delta) by parts, on a grid fine enough for 1e-7
            u = np.sin(np.linspace(0, math.pi / 2, 200_001)) ** 2
            slow = np.trapezoid(one.cdf(u + delta) * np.gradient(two.cdf(u)), dx=1.0)
            assert table[x1, x2] == pytest.approx(slow, abs=1e-6)


def test_the_margin_is_compared_in_decimals():
    assert lower_is_right(0.20, 0.15, 0.05)
    assert 0.20 - 0.15 > 0.05  # in binary floats it is not
    assert not lower_is_right(0.20, 0.1499, 0.05)


# -- simulated


TEXT = """schema: 1
name: two doses
endpoint: response
design: {{kind: simon, n1: {n1}, r1: {r1}, n: {n}, r: {r}, p0: 0.1, p1: 0.3}}
doses: [high, low]
dose_reduction: {{rule: {{kind: pocock, limit: 0.3, phi: 0.2}}}}
dose_decision: {{rule: {rule}, min_per_dose: {least}{after}}}
evaluability: {{probability: {evaluable}}}
truth:
  case: {{response: [{p1}, {p2}], toxicity: [{t1}, {t2}], odds_ratio: {odds}}}
"""


def random_scenario(rng: random.Random) -> Compiled:
    n1, n2 = rng.randint(5, 15), rng.randint(5, 20)
    rule = rng.choice(
        [
            "{kind: difference, lambda: .05}",
            "{kind: utility, toxicity: .3}",
            "{kind: posterior, delta: .1, cutoff: .61}",
            "{kind: always_lower}",
        ]
    )
    in_turn = "utility" not in rule and rng.random() < 0.3
    text = TEXT.format(
        n1=n1, r1=rng.randint(0, 1), n=n1 + n2, r=rng.randint(2, 4), rule=rule, least=rng.choice([1, 3]),
        after=", after_trigger: {allocation: alternate}" if in_turn else "", evaluable=rng.choice([1, 0.9]),
        p1=round(rng.uniform(0.1, 0.4), 2), p2=round(rng.uniform(0.1, 0.4), 2), t1=round(rng.uniform(0.3, 0.6), 2),
        t2=round(rng.uniform(0.2, 0.4), 2), odds=rng.choice([0.25, 1, 4]),
    )  # fmt: skip
    return Compiled.of(parse(text, "random.yaml"))


REPLICATES = 20_000
WATCHED = (
    "p_dose_lower",
    "p_dose_higher",
    "p_dose_no_comparison",
    "p_dose_none",
    "p_dose_correct",
    "p_dose_undecided",
)


def z_of_cells(count: int, first: int) -> list[float]:
    rng, found = random.Random(first), []
    while len(found) < count:
        trial = random_scenario(rng)
        values = exact_sides(trial, totals=False)["case"].values
        usable = [name for name in WATCHED if REPLICATES * values[name] * (1 - values[name]) >= 100]
        if not usable:
            continue
        name, seed = rng.choice(usable), first * 1_000_003 + len(found)
        from trialsim.engine.operating import trials_of

        one = trials_of(trial)["case"]
        drawn = Side.of(one).simulated(tallies({"case": one}, REPLICATES, seed)["case"]).values
        p = values[name]
        found.append((drawn[name].estimate - p) / math.sqrt(p * (1 - p) / REPLICATES))
    return found


@pytest.mark.parametrize("count", first_of(1, (10, 120)))
def test_simulated_against_exact(count: int):
    """Limits fixed beforehand: the largest |z| of so many with a chance of 1e-4, and uniformity at 1e-3."""
    z = z_of_cells(count, first=7)
    limit = stats.norm.isf(1e-4 / (2 * count))
    largest, uniform = max(map(abs, z)), stats.kstest(z, "norm").pvalue
    print(f"{count} scenarios: max |z| {largest:.2f} (limit {limit:.2f}), KS p {uniform:.3f}")
    assert largest < limit
    assert uniform > 1e-3


# -- allocation


@cache
def patients_of(how: int, lower: int, higher: int, per_dose: int = 0) -> list[list[int]]:
    """Doses (0 the higher) of the patients since the trigger, trial by trial, from the kernel in calendar time."""
    text = TEXT.format(
        n1=30, r1=0, n=60, r=3, rule="{kind: difference}", least=1, after=", after_trigger: {}", evaluable=1,
        p1=0.4, p2=0.4, t1=0.6, t2=0.05, odds=1,
    )  # fmt: skip
    trial = Compiled.of(parse(text, "allocation.yaml"))
    rules = replace(trial.rules, randomise=Randomise(how, lower, higher, per_dose))
    one = Timed.of(rules, trial.calendar, trial.strata["case"].thresholds())
    rows, kept = one.treated(stream_key(11), 0, 400)
    from trialsim.kernels.conduct_columns import REDUCED_AFTER, TREATED
    from trialsim.kernels.patient import LEVEL

    found = []
    for row, trial_patients in zip(rows, kept, strict=True):
        doses = trial_patients[: row[TREATED], LEVEL].tolist()
        if how == ALTERNATE and row[REDUCED_AFTER]:
            found.append([1 - level for level in doses[row[REDUCED_AFTER] :]])
        elif 1 in doses:
            since = rows.shape[1] - 3
            after = int(row[since]) + sum(doses)
            found.append([1 - level for level in doses[len(doses) - after :]])
    return found


def test_in_turn_the_lower_dose_comes_first():
    for doses in patients_of(ALTERNATE, 2, 1):
        assert doses == [(0, 0, 1)[k % 3] for k in range(len(doses))]


def test_blocks_hold_the_ratio():
    seen = set()
    for doses in patients_of(BLOCKS, 2, 1):
        blocks = [tuple(doses[k : k + 3]) for k in range(0, len(doses) - 2, 3)]
        assert all(sum(block) == 1 for block in blocks)
        seen.update(blocks)
    assert seen == {(0, 0, 1), (0, 1, 0), (1, 0, 0)}


def test_a_coin_has_the_ratio_and_no_memory():
    doses = [dose for trial in patients_of(COIN, 2, 1) for dose in trial]
    share = sum(doses) / len(doses)
    assert abs(share - 1 / 3) < 5 * math.sqrt(2 / 9 / len(doses))
    pairs = [pair for trial in patients_of(COIN, 2, 1) for pair in zip(trial, trial[1:], strict=False)]
    after_higher = [b for a, b in pairs if a]
    assert abs(sum(after_higher) / len(after_higher) - 1 / 3) < 5 * math.sqrt(2 / 9 / len(after_higher))


@pytest.mark.parametrize("how", [ALTERNATE, BLOCKS, COIN])
def test_allocation_ends_when_each_dose_has_its_patients(how: int):
    longest = max(patients_of(how, 1, 1, 5), key=len)
    assert len(longest) > 14
    first = longest[: max(k for k, dose in enumerate(longest) if dose) + 1]
    assert sum(longest) == 5
    assert len(first) - sum(first) >= 5 or first.count(0) == 5
    assert not any(longest[len(first) :])
    if how == ALTERNATE:
        assert (~in_turn(Randomise(how, 1, 1, 5), len(longest))).tolist() == list(map(bool, longest))
