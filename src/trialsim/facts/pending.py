"""Interim looks that weigh pending patients, as facts: when they are taken, what is futile, what that does to alpha."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from trialsim.codes import FUTILE, GO, TICKS_PER_WEEK
from trialsim.designs.rules import Looks
from trialsim.engine.derived import alone
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.pending import Weighed, weighed

MOST_ROWS = 500
"""A table of more rows is one that nobody reads; it then covers the first, the last and two looks between."""

SHOWN = 4


@dataclass(frozen=True)
class Look:
    """An interim look of n patients: futile if P(p > p0) < ``cut_off`` (None: never), that is with r responses or
    fewer once every outcome is known; taken with at most ``allowed`` outcomes pending; ``go``: whether it can be a go.

    ``failures``: with 0, 1, .., r responses the least sum of non-responses and weights of pending patients that is
    futile (None: no sum is); () with the exact posterior.
    """

    n: int
    r: int
    cut_off: float | None
    allowed: int
    go: bool
    failures: tuple[float | None, ...]


@dataclass(frozen=True)
class Futile:
    """At a look of n patients, with so many responses and pending patients: the least total follow-up of the pending
    ones, in weeks that weigh, that is futile; 0 if it always is, None if it never is."""

    n: int
    responses: int
    pending: int
    least_weeks: float | None


@dataclass(frozen=True)
class Weighing:
    """The rule of ``pending: weigh_follow_up``.

    Attributes:
        by_visit: (week, weight) from each visit on; () where the weight is weeks since enrolment over ``window_weeks``.
        confirms: part of a response that an unconfirmed one is; None where responses are not confirmed.
        own_cut_offs: whether the cut-offs are those of the design's own posterior probability.
        non_binding: P(go) of the design at its p0 if no interim look stopped for futility; None without p0.
        futile: the table by look, responses and pending patients; () with the exact posterior, which no table holds.
        looks_shown: sizes of the looks that it covers.
    """

    posterior: str
    p0: float
    prior: tuple[float, float]
    window_weeks: float
    by_visit: tuple[tuple[float, float], ...]
    most_pending: float
    least_weeks: float
    confirms: float | None
    stated_cut_offs: bool
    own_cut_offs: bool
    looks: tuple[Look, ...]
    non_binding: float | None
    futile: tuple[Futile, ...]
    looks_shown: tuple[int, ...]


def weighing(trial: Compiled) -> Weighing | None:
    """The rule of a scenario; None where its looks wait for every outcome."""
    rule, conduct = weighed(trial.scenario, trial.rules.looks), trial.scenario.conduct
    if rule is None or conduct is None:
        return None
    stated = conduct.weighing
    cut_offs = stated is not None and stated.cutoffs is not None
    seen = conduct.seen_by() if rule.credit else ()
    follow_up = tuple(
        (week, share)
        for week, share, before in zip(conduct.assessment_weeks, seen, (0.0, *seen), strict=False)
        if share > before
    )
    looks = tuple(
        Look(
            look.n,
            look.r,
            look.cut_off if look.r >= 0 else None,
            rule.allowed[k],
            GO in trial.rules.looks.next[k],
            tuple(_failures(rule, k)) if rule.posterior == "beta" else (),
        )
        for k, look in enumerate(rule.looks)
    )
    p0 = trial.scenario.design.p0
    shown = _shown(rule)
    return Weighing(
        rule.posterior,
        rule.p0,
        rule.prior,
        rule.window / TICKS_PER_WEEK,
        follow_up,
        stated.most_pending if stated else 0.5,
        rule.minimum / TICKS_PER_WEEK,
        rule.confirms if conduct.confirmed else None,
        cut_offs,
        rule.own_cut_offs,
        looks,
        None if p0 is None else alone(without_futility(trial.rules.looks), p0)["p_go"],
        tuple(row for k in shown for row in _table(rule, k)),
        tuple(rule.looks[k].n for k in shown),
    )


def without_futility(looks: Looks) -> Looks:
    """The same looks where an interim one never stops for futility, nor for toxicity."""
    rows = []
    for row in looks.next:
        onward = max(row)
        rows.append(tuple(onward if d == FUTILE and onward >= 0 else d for d in row))
    return replace(looks, next=tuple(rows), toxic_ge=())


def _shown(rule: Weighed) -> list[int]:
    """The looks of the table."""
    if rule.posterior == "exact":
        return []
    can = [k for k, look in enumerate(rule.looks) if look.r >= 0 and rule.allowed[k] > 0]
    rows = sum((rule.looks[k].r + 1) * rule.allowed[k] for k in can)
    if rows <= MOST_ROWS or len(can) <= SHOWN:
        return can
    return [can[round(i * (len(can) - 1) / (SHOWN - 1))] for i in range(SHOWN)]


def _failures(rule: Weighed, k: int) -> Iterator[float | None]:
    """By responses the least sum of non-responses and weights that is futile."""
    look = rule.looks[k]
    for responses in range(look.r + 1):
        ticks = int(rule.futile_from[k, responses, 0])
        yield None if ticks > (look.n - responses) * rule.window else ticks / rule.window


def _table(rule: Weighed, k: int) -> list[Futile]:
    look = rule.looks[k]
    found = []
    for responses in range(look.r + 1):
        for pending in range(1, rule.allowed[k] + 1):
            least = rule.least(k, responses, pending)
            weeks = None if least is None else least / TICKS_PER_WEEK
            found.append(Futile(look.n, responses, pending, weeks))
    return found
