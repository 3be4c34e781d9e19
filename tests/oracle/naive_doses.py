"""Two doses the slow way: every outcome of every patient in turn, in rational arithmetic, and rules in fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from scipy.integrate import quad
from scipy.stats import beta

from trialsim.codes import CONTINUE, GO, REDUCE, STOP
from trialsim.designs.rules import Rules

Chances = tuple[Fraction, Fraction, Fraction, Fraction]
"""Of a patient: neither, toxicity, response, both."""


@dataclass(frozen=True)
class Trial:
    """What was seen: (dose, response, toxicity) of every patient, whether a go, patients before the switch."""

    patients: tuple[tuple[int, int, int], ...]
    went: bool
    left_after: int | None

    def counts(self, dose: int, since: int = 0) -> tuple[int, int, int]:
        mine = [p for p in self.patients[since:] if p[0] == dose]
        return len(mine), sum(p[1] for p in mine), sum(p[2] for p in mine)


def trials(rules: Rules, chances: list[list[Chances]]) -> Iterator[tuple[Trial, Fraction]]:
    """Every trial with its probability; ``chances[dose][i]`` of patient i + 1."""
    yield from _on(rules, chances, (), None, Fraction(1), 0)


def _on(rules, chances, seen, left_after, p, look):  # type: ignore[no-untyped-def]
    i = len(seen)
    dose = 0
    if left_after is not None:
        dose = 1
        if rules.randomise is not None:
            since, all_in_turn = i - left_after, rules.randomise.lower + rules.randomise.higher
            dose = 1 if since % all_in_turn < rules.randomise.lower else 0
    for cell, chance in enumerate(chances[dose][i]):
        if not chance:
            continue
        here = (*seen, (dose, cell >> 1, cell & 1))
        yield from _after(rules, chances, here, left_after, p * chance, look)


def _after(rules, chances, seen, left_after, p, look):  # type: ignore[no-untyped-def]
    dose, i = seen[-1][0], len(seen)
    at = [each for each in seen if each[0] == dose]
    watched = left_after is None or dose == 1
    action = rules.monitor.action[dose] if watched else CONTINUE
    crossed = action != CONTINUE and sum(each[2] for each in at) >= rules.monitor.act_ge[dose][len(at)]
    if crossed and action == STOP:
        yield Trial(seen, False, left_after), p
        return
    if look < len(rules.looks.n) and rules.looks.n[look] == i:
        decision = rules.looks.next[look][sum(each[1] for each in seen)]
        if decision < 0:
            yield Trial(seen, decision == GO, left_after), p
            return
        look = decision
    if crossed and action == REDUCE and left_after is None:
        left_after = i
    yield from _on(rules, chances, seen, left_after, p, look)


@cache
def non_inferior(n1: int, x1: int, n2: int, x2: int, delta: float, a: float, b: float) -> float:
    one, two = beta(a + x1, b + n1 - x1), beta(a + x2, b + n2 - x2)
    return quad(lambda u: one.pdf(u) * two.sf(u - delta), 0, 1, points=[delta], limit=500)[0]


def chosen(rule: dict, higher: tuple[int, int, int], lower: tuple[int, int, int], least: int) -> str:
    """What a rule says of (patients, responses, toxicities) at the doses."""
    (n1, x1, t1), (n2, x2, t2) = higher, lower
    if not n1 or not n2:
        return "no_comparison"
    if min(n1, n2) < least:
        return "undecided"
    if rule["kind"] == "always_lower":
        return "lower"
    if rule["kind"] == "posterior":
        return (
            "lower"
            if non_inferior(n1, x1, n2, x2, rule["delta"], *rule["prior"]) > rule["cutoff"]
            else "higher"
        )
    cut = Fraction(str(rule["lambda"]))
    value = [Fraction(x, n) for n, x in ((n1, x1), (n2, x2))]
    if rule["kind"] == "utility":
        wanted, harm = Fraction(str(rule["response"])), Fraction(str(rule["toxicity"]))
        value = [
            wanted * v - harm * Fraction(t, n) for v, t, n in zip(value, (t1, t2), (n1, n2), strict=True)
        ]
    return "higher" if value[0] - value[1] > cut else "lower"


def outcomes(
    rules: Rules, chances: list[list[Chances]], rule: dict, least: int, compared: str, any_end: bool
):
    """P(each outcome of a rule), as fractions."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for trial, p in trials(rules, chances):
        if not trial.went and not any_end:
            found["no_go"] += p
            continue
        since = trial.left_after or 0
        after = [trial.counts(dose, since) for dose in (0, 1)]
        whose = after if compared == "concurrent" else [trial.counts(dose) for dose in (0, 1)]
        none = trial.left_after is None or (compared and not (after[0][0] and after[1][0]))
        found["no_comparison" if none else chosen(rule, whose[0], whose[1], least)] += p
    return found
