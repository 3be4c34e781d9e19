"""The rest of a trial is a trial: what is left of the tables, seen from the present counts, runs on the same chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from trialsim.codes import CONTINUE, FUTILE, GO, NEVER, NEW_DOSE_ONLY, POOLED, RESTART, STOP
from trialsim.designs.rules import DECISION_WORDS, Looks, Monitor, Rules
from trialsim.engine.exact import distribution
from trialsim.errors import DesignError
from trialsim.monitoring.chances import following, reachable
from trialsim.monitoring.standing import Now, Today, acted_by
from trialsim.scenario.truth import Cells, Rates

RAREST = 1e-9
"""A count that is less likely than this at a look has no P(go) given it: too few digits would be left."""


@dataclass(frozen=True)
class Ahead:
    """How the trial will end, given where it stands."""

    p_go: float
    p_stop_toxicity: float


def today(rules: Rules, now: Now) -> Today:
    """What the protocol says now: the toxicity rule is asked first, then the look that is due.

    Raises:
        DesignError: the trial has ended at an earlier look.
    """
    looks, action, row = rules.looks, rules.monitor.action[now.dose], rules.monitor.act_ge[now.dose]
    stops = rules.monitor.stops_from(now.dose)
    bound = row[now.at_dose] if now.at_dose and action != CONTINUE else NEVER
    boundary = bound if bound < NEVER else None
    acts = boundary is not None and now.toxicities is not None and now.toxicities >= boundary
    due = looks.n.index(now.n) if now.n in looks.n else None
    if now.dose and rules.on_dose_change == NEW_DOSE_ONLY:
        due = None
    elif due is None or now.x not in reachable(looks)[due] or looks.next[due][now.x] >= 0:
        next_look(looks, now.n, now.x)
    since = acted_by(row, now) if acts else None
    # where outcomes were late, a rule that stops may have been met before the one that is met now
    if acts and ((now.toxicities or 0) >= stops[now.at_dose] or acted_by(stops, now)):
        return Today(now, "stop_for_toxicity", None, boundary, since)
    if due is not None and now.x in reachable(looks)[due]:
        toxic = looks.toxic_ge[due] if looks.toxic_ge else NEVER
        if toxic < NEVER and now.all_toxicities is not None and now.all_toxicities >= toxic:
            return Today(now, "stop_for_toxicity", now.n, boundary)
        if (decision := looks.next[due][now.x]) < 0:
            return Today(now, DECISION_WORDS[decision], now.n, boundary)
    return Today(now, "lower_dose" if acts else "continue", None, boundary, since)


def looks_ahead(rules: Rules, now: Now) -> Looks:
    """The looks that are left, counting patients and responses from now on; without what they ask of toxicity.

    Raises:
        DesignError: the trial has ended at an earlier look, or which look comes next is not clear.
    """
    if now.dose and rules.on_dose_change == NEW_DOSE_ONLY:
        more = rules.looks.planned_n - now.treated
        least = rules.attained_ge[now.at_dose + more]
        return Looks((more,), (tuple(GO if now.x + y >= least else FUTILE for y in range(more + 1)),))
    looks = rules.looks
    first = next_look(looks, now.n, now.x)
    left = range(first, len(looks.n))
    return Looks(
        tuple(looks.n[k] - now.n for k in left),
        tuple(
            tuple(d - first if d >= 0 else d for d in looks.next[k][now.x : now.x + looks.n[k] - now.n + 1])
            for k in left
        ),
    )


def next_look(looks: Looks, n: int, x: int) -> int:
    """The look that is next after n patients with x responses, all looks up to now having been passed.

    Raises:
        DesignError: no way there passes them all, or ways there lead to different looks.
    """
    if n < looks.n[0]:
        return 0
    due: set[int] = set()
    for size, row, counts in zip(looks.n, looks.next, reachable(looks), strict=True):
        due |= {row[x0] for x0 in counts if 0 <= x - x0 <= n - size and row[x0] >= 0 and looks.n[row[x0]] > n}
    if not due:
        raise DesignError(_ended(looks, n, x))
    if len(due) > 1:
        after = " or ".join(str(looks.n[k]) for k in sorted(due))
        raise DesignError(
            f"--now: with {x} responses among {n} patients the next look may be after {after} patients, depending on "
            "earlier counts; state the counts at a look"
        )
    return due.pop()


def _ended(looks: Looks, n: int, x: int) -> str:
    """Why a trial cannot be at x of n."""
    responses = f"{x} response{'s' * (x != 1)}"
    if n in looks.n:
        decision = looks.next[looks.n.index(n)][x]
        if decision < 0:
            return f"--now: the trial ends after {n} patients with {responses}: {DECISION_WORDS[decision]}"
    before = [size for size in looks.n if size <= n]
    return (
        f"--now: with {responses} among {n} patients the trial has ended at an earlier look "
        f"(after {', '.join(map(str, before))} patients)"
    )


def rest(rules: Rules, now: Now, doomed: int = FUTILE) -> Rules:
    """The rest of the trial as Rules: patients, responses and toxicities count from now on, the current dose is first.

    ``doomed``: decision at looks whose cut-off for toxicities has been reached already. Raises ValueError where looks
    begin again at a new dose, which one table of looks cannot say (``ahead`` can).
    """
    if rules.on_dose_change == RESTART and now.dose + 1 < rules.levels:
        raise ValueError("after a dose change a fresh trial begins")
    monitor = rules.monitor
    looks = _watched(rules, now, looks_ahead(rules, now), doomed)
    most = rules.max_treated - (now.at_dose if rules.on_dose_change == RESTART else now.treated)
    return Rules(
        looks,
        Monitor(
            _rows_left(monitor.act_ge, now, most),
            tuple(_after(at, now.treated) for at in monitor.at_enrolled[now.dose :]),
            monitor.action[now.dose :],
            _rows_left(monitor.stop_ge, now, most) if monitor.stop_ge else (),
        ),
        rules.replaced,
        most,
        POOLED if rules.on_dose_change == RESTART else rules.on_dose_change,
        rules.attained_ge[: looks.planned_n + 1] if rules.on_dose_change == NEW_DOSE_ONLY else (),
    )


def _rows_left(rows: tuple[tuple[int, ...], ...], now: Now, most: int) -> tuple[tuple[int, ...], ...]:
    """Cut-offs by level from the current one on, there for patients and toxicities from now on."""
    seen, row = now.toxicities or 0, rows[now.dose][now.at_dose : now.at_dose + most + 1]
    here = tuple(b if b >= NEVER else max(b - seen, 0) for b in row)
    return here, *(row[: most + 1] for row in rows[now.dose + 1 :])


def _after(at: int, before: int) -> int:
    """The patient after whom a level is left, counted from a later patient on; 0 for never."""
    return max(at - before, 1) if at else 0


def _watched(rules: Rules, now: Now, looks: Looks, doomed: int) -> Looks:
    """The looks that are left, with what they ask of toxicities from now on."""
    if not rules.looks.too_toxic:
        return looks
    seen = now.all_toxicities or 0
    cuts = rules.looks.toxic_ge[-len(looks.n) :]
    return Looks(
        looks.n,
        tuple((doomed,) * len(row) if b <= seen else row for row, b in zip(looks.next, cuts, strict=True)),
        tuple(b - seen if seen < b <= n + seen else NEVER for n, b in zip(looks.n, cuts, strict=True)),
    )


def ahead(rules: Rules, truth: Rates | Cells, now: Now) -> Ahead:
    """How the trial will end from now on: exact, every outcome known before the next patient.

    Toxicities so far must be stated unless the rule does nothing at the current dose.
    """
    if rules.on_dose_change == RESTART and now.dose + 1 < rules.levels:
        return _ahead_of_restart(rules, truth, now)
    if isinstance(truth, Rates) and truth.drift is not None:
        truth = Cells.of(truth.cells(replaced=True))
    if isinstance(truth, Cells):
        truth = truth.from_patient(now.treated)
    return _end(rules, from_level(truth, now.dose), now)[0]


def _ahead_of_restart(rules: Rules, truth: Rates | Cells, now: Now) -> Ahead:
    """The trial at the current dose ends, or is left for a fresh trial at the next one.

    Whoever is left behind is counted by a dose below at which the first patient stops the trial.
    """
    monitor, level = rules.monitor, now.dose
    until = monitor.at_enrolled[level]
    pair = Monitor(
        (monitor.act_ge[level], (0,) * (rules.max_treated + 1)),
        (_after(until, now.treated - now.at_dose), 0),
        (monitor.action[level], STOP),
        (monitor.stop_ge[level], (0,) * (rules.max_treated + 1)) if monitor.stop_ge else (),
    )
    alone = replace(rules, monitor=pair, on_dose_change=POOLED)
    here, left = _end(alone, from_level(truth, level, level + 2), replace(now, dose=0, treated=now.at_dose))
    # a rule has a boundary or an amendment: a level left at a stated patient is left right after that patient
    later = tuple(_after(at, until) for at in monitor.at_enrolled[level + 1 :])
    rows = monitor.act_ge[level + 1 :], later, monitor.action[level + 1 :], monitor.stop_ge[level + 1 :]
    below = Monitor(*rows)
    again = distribution(replace(rules, monitor=below), from_level(truth, level + 1)).values
    toxic = max(here.p_stop_toxicity - left, 0.0)
    return Ahead(here.p_go + left * again["p_go"], toxic + left * _toxic(again))


def _end(rules: Rules, truth: Rates | Cells, now: Now) -> tuple[Ahead, float]:
    """How the rest of the trial ends, and P(its first dose is left)."""
    values = distribution(rest(rules, now), truth).values
    toxic = _toxic(values)
    if any(b <= (now.all_toxicities or 0) for b in rules.looks.toxic_ge):
        # who reaches a look that will stop for toxicity would go there if it said go
        reached = distribution(rest(rules, now, doomed=GO), truth).values["p_go"]
        toxic += max(reached - values["p_go"], 0.0)
    return Ahead(values["p_go"], min(toxic, 1.0)), values["p_dose_reduced"]


def _toxic(values: Mapping[str, float]) -> float:
    return values["p_stop_toxicity"] + values["p_stop_toxicity_at_n"]


def from_level(truth: Rates | Cells, first: int, end: int | None = None) -> Rates | Cells:
    """The truth at some dose levels only."""
    if isinstance(truth, Cells):
        return Cells(truth.table[first:end])
    return replace(truth, response=truth.response[first:end], toxicity=truth.toxicity[first:end])


def given_responses(
    rules: Rules,
    truth: Rates | Cells,
    k: int,
    counts: Iterable[int],
    tick: Callable[[], None] = lambda: None,
) -> dict[int, tuple[float, float | None]]:
    """By x: P(look k is reached with x responses), and P(go) given that, if the trial goes on there.

    Over all that toxicity may have been and will be. P(go through look k with x) is that of the same rules with every
    other count at look k futile and no go before it; a go that never met look k (``new_dose_only``, or looks that are
    skipped) is taken off.
    None where the count is too rare, or where looks begin again at a new dose and there may be two looks k.
    """
    if rules.on_dose_change == RESTART and rules.levels > 1:
        raise ValueError("look k is not one look where looks begin again")
    looks = rules.looks
    before = tuple(tuple(FUTILE if d == GO else d for d in row) for row in looks.next[:k])

    def p_go(x: int | None, decision: int) -> float:
        row = tuple(decision if i == x else FUTILE for i in range(looks.n[k] + 1))
        only = replace(rules, looks=replace(looks, next=(*before, row, *looks.next[k + 1 :])))
        return distribution(only, truth).values["p_go"]

    without = p_go(None, FUTILE)
    found: dict[int, tuple[float, float | None]] = {}
    for x in counts:
        reached = max(p_go(x, GO) - without, 0.0)
        given = None
        if reached > RAREST:
            onward = following(looks, k, looks.next[k][x])
            given = min(max((p_go(x, onward) - without) / reached, 0.0), 1.0)
        found[x] = reached, given
        tick()
    return found
