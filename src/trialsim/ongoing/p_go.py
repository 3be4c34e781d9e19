"""The chance that a running trial ends in a go, exactly: patients in enrolment order, each with chances of her own.

``design_go`` leaves toxicity out. ``with_toxicity`` is the untimed twin: outcomes of those not yet enrolled are known
at once, and they get the lower dose as soon as the boundary is reached; every patient counts at the dose she received.
Looks are decided by the counts, as compiled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from trialsim.codes import CONSIDER, CONTINUE, FUTILE, GO, POOLED, STOP
from trialsim.designs.rules import Looks, Rules
from trialsim.errors import DesignError
from trialsim.kernels.tables import Float64
from trialsim.ongoing.counts import Counts
from trialsim.ongoing.pending import Convention, Nature
from trialsim.ongoing.posterior import RatePosterior
from trialsim.ongoing.seen import Seen

Chances = tuple[Float64, Float64, Float64]
"""(Q,) by rate: P(a counted response), P(a counted non-response), P(leaves the count)."""


@dataclass
class Ahead:
    """How a trial may end from here.

    Attributes:
        go, consider, futile: probability of each verdict of the looks.
        toxicity: of a stop for toxicity.
        reduced: that the boundary (or an amendment) lowers the dose from now on; 0 where toxicity is left out.
        passed: by look, that it is reached and does not end in futility.
    """

    go: float = 0.0
    consider: float = 0.0
    futile: float = 0.0
    toxicity: float = 0.0
    reduced: float = 0.0
    passed: dict[int, float] = field(default_factory=lambda: defaultdict(float))

    def decide(self, looks: Looks, look: int, mass: Float64) -> dict[int, Float64]:
        """Take a look at (responses, ...) probabilities; what goes on, by the look awaited next."""
        on: dict[int, Float64] = {}
        for x, decision in enumerate(looks.next[look]):
            here = float(mass[x].sum())
            self.tally(look, decision, here)
            if decision >= 0 and here > 0:
                on.setdefault(decision, np.zeros_like(mass))[x] = mass[x]
        return on

    def decide_counts(self, looks: Looks, look: int, counts: Counts) -> dict[int, Counts]:
        """The same of numbers of responses and toxicities."""
        on: dict[int, Counts] = {}
        for low, high, decision in looks.ranges(look):
            here = counts.of_responses(low, high)
            if here is None:
                continue
            self.tally(look, decision, here.total)
            if decision >= 0:
                on[decision] = on[decision].plus(here) if decision in on else here
        return on

    def tally(self, look: int, decision: int, here: float) -> None:
        """Count a decision of a look."""
        if decision != FUTILE:
            self.passed[look] += here
        if decision == GO:
            self.go += here
        elif decision == CONSIDER:
            self.consider += here
        elif decision == FUTILE:
            self.futile += here


def design_go(
    looks: Looks, patients: Sequence[Chances], rate: Float64, weight: Float64 | None = None
) -> Ahead:
    """How the looks end, toxicity left out: averaged over rates, or at one.

    Args:
        looks: the looks of the rules.
        patients: chances of those enrolled, in enrolment order, at each rate.
        rate: (Q,) P(response) of those not enrolled, of a counted patient.
        weight: (Q,) weights of the rates, sum 1; None: there is one rate.
    """
    ahead = Ahead()
    start = np.zeros((looks.planned_n + 2, len(rate)))
    start[0] = 1.0 if weight is None else weight
    states: dict[tuple[int, int], Float64] = {(0, 0): start}
    i = 0
    while states:
        yes, no, leaves = patients[i] if i < len(patients) else (rate, 1 - rate, np.zeros_like(rate))
        i += 1
        after: dict[tuple[int, int], Float64] = {}
        for (look, counted), mass in states.items():
            if leaves.any():
                _add(after, (look, counted), leaves * mass)
            moved = no * mass
            moved[1:] += yes * mass[:-1]
            _count(ahead, looks, after, look, counted + 1, moved)
        states = after
    return ahead


def _count(
    ahead: Ahead, looks: Looks, after: dict[tuple[int, int], Float64], look: int, counted: int, mass: Float64
) -> None:
    if counted < looks.n[look]:
        _add(after, (look, counted), mass)
        return
    for following, rest in ahead.decide(looks, look, mass).items():
        _add(after, (following, counted), rest)


def _add(states: dict, key: tuple, mass: Float64) -> None:  # type: ignore[type-arg]
    """Add probabilities to a state; states of probability 0 are not kept."""
    if key in states:
        states[key] = states[key] + mass
    elif mass.any():
        states[key] = mass


def p_go_now(
    nature: Nature,
    looks: Looks,
    patients: Sequence[Seen],
    today: date,
    *,
    level: int = 0,
    convention: Convention = "follow_up",
) -> Ahead:
    """The looks from here at the rates of the truth, toxicity left out: conditional power.

    Args:
        nature, looks: of the case and the rules.
        patients: everybody so far in enrolment order.
        today: the cut-off day.
        level: the dose of those not yet enrolled.
        convention: of pending patients.
    """
    rates = [np.array([rate]) for rate in nature.response]
    so_far = [nature.response_of(s, today, convention).given(rates[s.level]) for s in patients]
    return design_go(looks, so_far, _to_come(nature, level, rates[level]))


def predictive(
    nature: Nature, looks: Looks, patients: Sequence[Seen], today: date, belief: RatePosterior
) -> float:
    """P(go) averaged over the posterior of the rate, the same at every dose, toxicity left out.

    Of a posterior from known patients only, pending patients respond at the rate.
    """
    convention: Convention = "at_rate" if belief.known_only else "follow_up"
    so_far = [nature.response_of(s, today, convention).given(belief.rate) for s in patients]
    return design_go(looks, so_far, _to_come(nature, 0, belief.rate), belief.weight).go


def _to_come(nature: Nature, level: int, rate: Float64) -> Float64:
    """P(response) of a counted patient who is not enrolled yet, at each rate."""
    yes, no, _ = nature.outcome(level, -1).given(rate)
    share: Float64 = yes / (yes + no)
    return share


def with_toxicity(
    nature: Nature,
    rules: Rules,
    patients: Sequence[Seen],
    today: date,
    *,
    level: int = 0,
    triggered: bool = False,
    convention: Convention = "follow_up",
) -> Ahead:
    """The untimed twin with the toxicity rule, at the truth's rates.

    Args:
        nature, rules: of the case.
        patients: everybody so far in enrolment order.
        today: the cut-off day.
        level: the dose level that is current at the end of the day.
        triggered: that leaving it is decided already (the switch may be ahead).
        convention: of pending responses; toxicities that are pending are given their follow-up.

    Raises:
        DesignError: looks with a cut-off for toxicities, or not every patient counts after a change of dose.
    """
    if rules.looks.too_toxic or rules.on_dose_change != POOLED:
        raise DesignError("P(go) with toxicity is worked out for pooled looks that do not count toxicities")
    looks, ahead = rules.looks, Ahead()
    to_come = [_joint(nature, None, at, today, convention) for at in range(rules.levels)]
    # look awaited, counted, level, patients at it, whether it is being left, what patients had lower doses before their
    # time -> P(responses, toxicities at the level)
    states: dict[_Key, Counts] = {
        (0, 0, level, 0, triggered, (_Early(),) * rules.levels): Counts(0, 0, np.ones((1, 1)))
    }
    i = 0
    while states:
        seen = patients[i] if i < len(patients) else None
        after: dict[_Key, Counts] = {}
        joint = None if seen is None else _joint(nature, seen, 0, today, convention)
        for key, mass in states.items():
            moved_on = _next_level(ahead, key, mass) if seen is None else (key, mass)
            if moved_on is None:
                continue
            (look, counted, at, m, leaving, early), mass = moved_on
            watched = (seen is None or seen.level == at) and not leaving
            m += watched
            chances = joint or to_come[at]
            for toxic in (0, 1):
                for counts, moved in _moved(chances, toxic, watched, mass):
                    then = early
                    if seen is not None and seen.level > at:
                        met = early[seen.level].after(rules, seen.level, toxic)
                        then = (*early[: seen.level], met, *early[seen.level + 1 :])
                    treated = i + 1 if seen is None else 0
                    for left, rest in _act(ahead, rules, at, m, treated, leaving, watched, moved):
                        if counted + counts < looks.n[look] or not counts:
                            _add_counts(after, (look, counted + counts, at, m, left, then), rest)
                            continue
                        for following, still in ahead.decide_counts(looks, look, rest).items():
                            _add_counts(after, (following, counted + 1, at, m, left, then), still)
        states = {key: kept for key, mass in after.items() if (kept := mass.trimmed())}
        i += 1
    return ahead


def _moved(
    chances: list[tuple[float, float]], toxic: int, watched: bool, mass: Counts
) -> Iterator[tuple[int, Counts]]:
    """(1 or 0 more counted patients, what comes of them) with or without toxicity; only what may happen."""
    more = int(toxic and watched)
    yes, no, leaves = (row[toxic] for row in chances)
    parts = [mass.times(p, x, more) for p, x in ((yes, 1), (no, 0)) if p > 0]
    if parts:
        yield 1, parts[0] if len(parts) == 1 else parts[0].plus(parts[1])
    if leaves > 0:
        yield 0, mass.times(leaves, 0, more)


def _add_counts(states: dict[_Key, Counts], key: _Key, mass: Counts) -> None:
    states[key] = states[key].plus(mass) if key in states else mass


@dataclass(frozen=True)
class _Early:
    """Patients who were given a dose before its time: how many, their toxicities, what these bring about there."""

    m: int = 0
    t: int = 0
    acts: bool = False
    stops: bool = False

    def after(self, rules: Rules, level: int, toxic: int) -> _Early:
        """With one more of them."""
        m, t, monitor = self.m + 1, self.t + toxic, rules.monitor
        within = monitor.action[level] != CONTINUE and m < len(monitor.act_ge[level])
        return _Early(
            m,
            t,
            self.acts or (within and t >= monitor.act_ge[level][m]),
            self.stops or (within and t >= monitor.stops_from(level)[m]),
        )


_Key = tuple[int, int, int, int, bool, tuple[_Early, ...]]


def _next_level(ahead: Ahead, key: _Key, mass: Counts) -> tuple[_Key, Counts] | None:
    """A state before the next patient to come, who gets the lower dose where the one of now is being left."""
    look, counted, at, m, leaving, early = key
    while leaving:
        at += 1
        there = early[at]
        m, leaving, mass = there.m, there.acts, mass.with_toxicities(there.t)
        if there.stops:
            ahead.toxicity += mass.total
            return None
        ahead.reduced += mass.total * leaving
    return (look, counted, at, m, leaving, early), mass


def _act(
    ahead: Ahead, rules: Rules, at: int, m: int, treated: int, leaving: bool, watched: bool, mass: Counts
) -> Iterator[tuple[bool, Counts]]:
    """The toxicity rule at a level after a patient: what stops is taken out, what leaves the level is told apart.

    ``treated``: with a patient to come; 0 for one of those so far, whose number has brought about what it does.
    """
    monitor = rules.monitor
    if leaving:
        yield True, mass
        return
    staying: Counts | None = mass
    left: Counts | None = None
    if watched and monitor.action[at] != CONTINUE and m < len(monitor.act_ge[at]):
        staying, stopped = mass.toxic_from(monitor.stops_from(at)[m])
        ahead.toxicity += stopped.total if stopped else 0.0
        if staying and monitor.action[at] != STOP:
            staying, left = staying.toxic_from(monitor.act_ge[at][m])
    if staying and 0 < monitor.at_enrolled[at] <= treated:
        left, staying = left.plus(staying) if left else staying, None
    if staying:
        yield False, staying
    if left:
        ahead.reduced += left.total
        # what was toxic before counts no more once the dose is left
        yield True, left.with_toxicities(0)


def _joint(
    nature: Nature, seen: Seen | None, level: int, today: date, convention: Convention
) -> list[tuple[float, float]]:
    """P(response, non-response or leaves) by P(no toxicity, toxicity), given what is known of a patient."""
    if seen is None:
        outcome, p = nature.outcome(level, -1), nature.response[level]
        toxic = [(1 - t, t) for t in nature.toxicity[level]]
    else:
        outcome, p = nature.response_of(seen, today, convention), nature.response[seen.level]
        toxic = [nature.toxicity_of(seen, today, so) for so in (False, True)]
        if seen.toxic is not None:
            # what the truth calls impossible may have been seen all the same
            toxic = [t if sum(t) > 0 else (float(not seen.toxic), float(seen.toxic)) for t in toxic]
    if sum(outcome.at(p)) == 0:
        p = 0.5
    rows = [
        (p * so * toxic[1][t] + (1 - p) * other * toxic[0][t])
        for so, other in (outcome.yes, outcome.no, outcome.leaves)
        for t in (0, 1)
    ]
    total = sum(rows)
    return [(rows[k] / total, rows[k + 1] / total) for k in (0, 2, 4)]
