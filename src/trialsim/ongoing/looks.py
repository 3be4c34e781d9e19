"""The looks of a trial under way: who counts, what is known of them, and what each look decides or will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from trialsim.codes import FUTILE, GO, NEVER, TOO_TOXIC
from trialsim.ongoing.course import Course
from trialsim.ongoing.readings import certain, due_by
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen


@dataclass(frozen=True)
class Look:
    """A look, by what is known at the end of the cut-off day.

    Attributes:
        look: from 0.
        n: patients it counts.
        ids: those of them who are enrolled, in enrolment order; where patients are replaced, those not known to be
            inevaluable.
        yes, no, pending, not_enrolled: their outcomes, and how many are missing.
        unconfirmed: of the pending ones those whose response awaits confirmation.
        toxic_ge: its cut-off for toxicities, NEVER without one.
        toxic_yes, toxic_pending: toxicities among the same patients, where it has one; else 0.
        may_pend: outcomes that may be pending when it is taken, where it weighs them; None where it waits for all.
        waits_for: the patients whose outcome (or toxicity, where it has a cut-off) is pending.
        certain: what every completion gives (a decision of ``codes``, or a later look); None while open.
        decided: what was decided, None while it is not.
        day: the day of the decision.
        latest: the latest day of the decision by the protocol's visits and windows; None where it is decided,
            patients are missing or an outcome is overdue.
    """

    look: int
    n: int
    ids: tuple[str, ...]
    yes: int
    no: int
    pending: int
    not_enrolled: int
    unconfirmed: int
    toxic_ge: int
    toxic_yes: int
    toxic_pending: int
    waits_for: tuple[str, ...]
    certain: int | None
    decided: int | None
    day: date | None
    latest: date | None
    may_pend: int | None = None


def looks_of(protocol: InDays, seen: Sequence[Seen], told: Course, on: date) -> tuple[Look, ...]:
    """Every look of the design, of the present start of looks (looks that begin again count from the new dose on)."""
    rules = protocol.rules
    everybody = [seen[i] for i in told.counted_from]
    candidates = [p for p in everybody if not (rules.replaced and p.inevaluable)]
    return tuple(_look(protocol, k, candidates, told, on) for k in range(len(rules.looks.n)))


def _look(protocol: InDays, k: int, candidates: Sequence[Seen], told: Course, on: date) -> Look:
    looks = protocol.rules.looks
    n, cut = looks.n[k], looks.toxic_ge[k] if looks.toxic_ge else NEVER
    counted = candidates[:n]
    yes = sum(bool(p.responded) for p in counted)
    pending = [p for p in counted if p.responded is None]
    missing = n - len(counted)
    watched = counted if cut < NEVER else []
    toxic, unseen = sum(bool(p.toxic) for p in watched), [p for p in watched if p.toxic is None]
    open_toxic = len(unseen) + (missing if cut < NEVER else 0)
    made = [d for d in told.decided if d.look == k and d.start == told.start]
    waits = [p for p in counted if p in pending or p in unseen]
    sure = certain(looks.next[k], cut, (yes, yes + len(pending) + missing), (toxic, toxic + open_toxic))
    if protocol.weighs(k):
        sure = told.in_review.get(k, sure)
    latest = None
    if not made and not missing and waits:
        latest = _latest(protocol, k, counted, unseen, on)
    return Look(
        look=k,
        n=n,
        ids=tuple(p.id for p in counted),
        yes=yes,
        no=len(counted) - yes - len(pending),
        pending=len(pending),
        not_enrolled=missing,
        unconfirmed=sum(p.unconfirmed is not None for p in pending),
        toxic_ge=cut,
        toxic_yes=toxic,
        toxic_pending=len(unseen),
        waits_for=tuple(p.id for p in waits),
        certain=sure,
        decided=made[0].decision if made else None,
        day=made[0].day if made else None,
        latest=latest,
        may_pend=int(protocol.weighing.allowed[k]) if protocol.weighs(k) else None,
    )


def _latest(
    protocol: InDays, k: int, counted: Sequence[Seen], unseen: Sequence[Seen], on: date
) -> date | None:
    """The last visit of those pending, the end of the last window, and the review; None where one is overdue."""
    pending = [p for p in counted if p.responded is None]
    days = [p.enrolled + timedelta(days=protocol.visits[-1]) for p in pending]
    windows = [p.enrolled + timedelta(days=protocol.window) for p in unseen]
    if min(days + windows) <= on:
        return None
    due = [due_by(protocol, k, pending, counted[-1])] if protocol.weighs(k) else days
    return max(due + windows) + timedelta(days=protocol.review_lag)


def go_is_certain(found: Sequence[Look], told: Course) -> bool:
    """Whether the awaited look can only be a go, by responses; a toxicity stop may still overrule it."""
    return not told.new_dose_only and found[told.look].certain == GO


def no_go_is_certain(protocol: InDays, found: Sequence[Look], told: Course) -> bool:
    """Whether neither the awaited look nor any after it can still be a go."""
    looks = protocol.rules.looks
    if told.new_dose_only:
        return False
    awaited = found[told.look]
    if awaited.certain in (FUTILE, TOO_TOXIC):
        return True
    return not any(
        GO in looks.next[f.look][f.yes : f.yes + f.pending + f.not_enrolled + 1] for f in found[told.look :]
    )
