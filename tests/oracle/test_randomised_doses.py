"""Two doses from the start: the exact law against every outcome of every patient, and simulated against exact."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from math import comb

import numpy as np
import pytest

import trialsim
from tests.helpers import first_of
from tests.oracle.strategies import random_looks, with_toxic_looks
from trialsim.codes import CONTINUE, GO, NEVER
from trialsim.designs.dose_choice import (
    HIGHER,
    LOWER,
    NO_GO,
    AlwaysLower,
    DoseChoice,
    DoseUtility,
    NonInferiority,
    ObservedDifference,
    non_inferior,
)
from trialsim.designs.exactly import decimal
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.designs.selection import _At, _best
from trialsim.engine.dose_arms import decided
from trialsim.scenario.files import parse

Law = dict[tuple[int, int, int], Fraction]
"""P(a go after so many patients, with so many responses and toxicities)."""


def went(looks: Looks, cells: list[Fraction]) -> Law:
    """By every sequence of patients, each of whom is one of four things."""
    law: Law = {}
    for sequence in itertools.product(range(4), repeat=looks.planned_n):
        k, cut = 0, looks.toxic_ge or (NEVER,) * len(looks.n)
        while True:
            n = looks.n[k]
            x = sum(each >= 2 for each in sequence[:n])
            t = sum(each % 2 for each in sequence[:n])
            decision = looks.next[k][x] if t < cut[k] else -9
            if decision < 0:
                break
            k = decision
        if decision == GO:
            p = Fraction(1)
            for each in sequence:
                p *= cells[each]
            law[n, x, t] = law.get((n, x, t), Fraction(0)) + p
    return law


def prefers_higher(rule: object, one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    (n1, x1, t1), (n2, x2, t2) = one, other
    match rule:
        case ObservedDifference():
            return Fraction(x1, n1) - Fraction(x2, n2) > decimal(rule.lambda_)
        case DoseUtility():
            w, v = decimal(rule.response), decimal(rule.toxicity)
            gain = w * (Fraction(x1, n1) - Fraction(x2, n2)) - v * (Fraction(t1, n1) - Fraction(t2, n2))
            return gain > decimal(rule.lambda_)
        case NonInferiority():
            return bool(non_inferior(n1, n2, rule.delta, rule.prior)[x1, x2] <= rule.cutoff)
    return False


RULES = (
    ObservedDifference(kind="difference", **{"lambda": 0}),
    ObservedDifference(kind="difference", **{"lambda": 0.25}),
    ObservedDifference(kind="difference", **{"lambda": -0.5}),
    NonInferiority(kind="posterior", delta=0.05, cutoff=0.61),
    DoseUtility(kind="utility", toxicity=0.5),
    DoseUtility(kind="utility", response=2, toxicity=1, **{"lambda": -0.25}),
    AlwaysLower(kind="always_lower"),
)


@pytest.mark.parametrize("batch", first_of(1, range(6)))
def test_against_every_outcome_in_fractions(batch: int):
    """15 random designs of up to 5 patients at each dose, all rules."""
    rng, many = random.Random(f"arms {batch}"), 0
    for _ in range(15):
        looks = random_looks(rng, rng.choice((2, 3, 4, 4, 5)))
        looks = with_toxic_looks(rng, looks) if rng.random() < 0.3 else looks
        n = looks.planned_n
        rules = Rules(looks, Monitor(((NEVER,) * (2 * n + 1),) * 2, (0, 0), (CONTINUE,) * 2), False, 2 * n)
        weights = [[rng.randint(0, 4) for _ in range(4)] for _ in range(2)]
        cells = [
            [Fraction(w, sum(row) or 1) for w in row] if sum(row) else [Fraction(1, 4)] * 4 for row in weights
        ]
        one, other = (went(looks, row) for row in cells)
        p1, p2 = sum(one.values()), sum(other.values())
        choices = [DoseChoice.of(rule, compared="arms") for rule in RULES]
        passed, found = decided(rules, np.array(cells, dtype=float), choices)
        assert passed.none == pytest.approx(float((1 - p1) * (1 - p2)), abs=1e-14)
        assert passed.both == pytest.approx(float(p1 * p2), abs=1e-14)
        many += 0 < p1 * p2 < 1
        for rule, each in zip(RULES, found, strict=True):
            both = sum(
                p * q
                for (a, p), (b, q) in itertools.product(one.items(), other.items())
                if prefers_higher(rule, a, b)
            )
            stated = {NO_GO: (1 - p1) * (1 - p2), HIGHER: p1 * (1 - p2) + both, LOWER: p2 - both}
            for outcome, p in stated.items():
                assert each.outcomes[outcome] == pytest.approx(float(p), abs=1e-14), (looks, rule)
    assert many > 5


def test_the_best_cut_off_of_a_selection_in_fractions():
    for n, (higher, delta) in itertools.product((1, 2, 5, 9), ((0.2, 0.1), (0.4, 0.2), (0.5, 0.1))):
        p, q = decimal(higher), decimal(higher) - decimal(delta)
        first, second, equal = (
            [comb(n, x) * r**x * (1 - r) ** (n - x) for x in range(n + 1)] for r in (p, q, p)
        )
        pairs = list(itertools.product(range(n + 1), repeat=2))
        least = {
            k: min(
                sum(first[x] * equal[y] for x, y in pairs if x - y <= k),
                sum(first[x] * second[y] for x, y in pairs if x - y > k),
            )
            for k in range(-n, n + 1)
        }
        found = _best(n, higher, delta)
        assert found.k == max(least, key=lambda k: (least[k], -k))
        assert min(_At(n, higher, delta).exactly(found.k)) == least[found.k]
        assert min(found.pcs) == pytest.approx(float(least[found.k]), abs=1e-14)


FILE = """schema: 1
name: two doses from the start
endpoint: response
design: {kind: rules, looks: LOOKS}
doses: [high, low]
dose_decision: {from_start: {ratio: RATIO}, rule: RULE}
evaluability: {probability: EVALUABLE}
truth:
  one: {response: [R1, R2], toxicity: [T1, T2], odds_ratio: ODDS}
"""


def scenario(rng: random.Random) -> str:
    n1 = rng.randint(3, 10)
    n = n1 + rng.randint(2, 15)
    r1, r = rng.randint(0, 2), rng.randint(2, 5)
    kind = f"{{kind: simon, n1: {n1}, r1: {r1}, n: {n}, r: {max(r, r1)}, p0: 0.1, p1: 0.3}}"
    rule = rng.choice(
        (
            "{kind: difference, lambda: 0.05}",
            "{kind: posterior, delta: 0.1, cutoff: 0.73}",
            "{kind: utility, toxicity: 0.4}",
        )
    )
    text = FILE.replace("{kind: rules, looks: LOOKS}", kind).replace("RULE", rule)
    text = text.replace("RATIO", f"[{rng.randint(1, 3)}, {rng.randint(1, 3)}]")
    text = text.replace("EVALUABLE", rng.choice(("1", "0.9"))).replace("ODDS", rng.choice(("1", "0.3", "4")))
    for name in ("R1", "R2", "T1", "T2"):
        text = text.replace(name, str(rng.choice((0.1, 0.2, 0.3, 0.4))))
    return text


@pytest.mark.parametrize("batch", first_of(1, range(10)))
def test_simulated_against_exact(batch: int):
    """12 random scenarios (120 with the slow ones), 4,000 trials each: every quantity."""
    rng, largest, rules = random.Random(f"arms simulated {batch}"), 0.0, 0
    for seed in range(12):
        stated = parse(scenario(rng), "arms.yaml")
        (case,) = trialsim.simulate(stated, replicates=4000, seed=seed, totals=False).cases
        assert case.disagreements == ()
        rules += sum(name.startswith("p_dose_") for name in case.z)  # too rare a number has no z
        largest = max(largest, *(abs(z) for z in case.z.values()))
    assert largest < 5
    assert rules >= 40


def test_which_dose_gets_whom_changes_nothing_but_the_order():
    rng = random.Random("ratio")
    stated = parse(scenario(rng), "arms.yaml")
    one, *others = (
        trialsim.exact(stated.model_copy(update={"dose_decision": replace_ratio(stated, ratio)}))
        .cases[0]
        .exact.values
        for ratio in ((1, 1), (5, 2))
    )
    assert all(one == other for other in others)


def replace_ratio(stated, ratio):
    start = stated.dose_decision.from_start.model_copy(update={"ratio": ratio})
    return stated.dose_decision.model_copy(update={"from_start": start})
