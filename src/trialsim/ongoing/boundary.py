"""The toxicity boundary of a trial under way: its path so far at each dose, where it is crossed or could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from trialsim.codes import NEVER
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen


@dataclass(frozen=True)
class Crossing:
    """The boundary reached with the first ``m`` patients at the dose, on ``day``."""

    m: int
    day: date


@dataclass(frozen=True)
class AtDose:
    """The patients recorded at a dose level, in enrolment order, and the boundary there.

    Attributes:
        level: 0 for the starting dose.
        treated, yes, no, pending: patients at the dose, by their toxicity within the window.
        pending_ids: those whose toxicity is pending.
        path: T_m, toxicities known among the first m, for m = 1, 2, ..
        pending_path: patients among the first m whose toxicity is pending.
        boundary: b_m for the same m; NEVER where it does not act.
        complete_only, as_it_happens: the earliest day on which the boundary is reached, counted either way, and the
            least m reached then; None while it is not.
        certain_by: as seen it is reached, and counted ``complete_only`` it is not yet: the day on which the windows of
            those m patients have all ended at the latest; None elsewhere, or where such an outcome is overdue.
        least_m: least m at which it would be reached if every pending patient had toxicity; None where it cannot be
            reached by those enrolled.
    """

    level: int
    treated: int
    yes: int
    no: int
    pending: int
    pending_ids: tuple[str, ...]
    path: tuple[int, ...]
    pending_path: tuple[int, ...]
    boundary: tuple[int, ...]
    complete_only: Crossing | None
    as_it_happens: Crossing | None
    certain_by: date | None
    least_m: int | None


def at_dose(protocol: InDays, seen: Sequence[Seen], level: int, on: date) -> AtDose:
    """The boundary at a dose level, by what is known at the end of ``on``."""
    here = [p for p in seen if p.level == level]
    row = protocol.rules.monitor.act_ge[level]
    boundary = tuple(row[m] if m < len(row) else NEVER for m in range(1, len(here) + 1))
    path: list[int] = []
    pending_path: list[int] = []
    for p in here:
        path.append((path[-1] if path else 0) + bool(p.toxic))
        pending_path.append((pending_path[-1] if pending_path else 0) + (p.toxic is None))
    reached = [m for m, b in enumerate(boundary, start=1) if path[m - 1] >= b]
    could = [m for m, b in enumerate(boundary, start=1) if path[m - 1] + pending_path[m - 1] >= b]
    complete = [Crossing(m, day) for m in reached if (day := _all_known(here[:m])) is not None]
    seen_so = [Crossing(m, _seen(here[:m], boundary[m - 1])) for m in reached]
    by = [day for m in reached if (day := _at_latest(here[:m], protocol.window, on)) is not None]
    waiting = reached and not complete
    pending = [p for p in here if p.toxic is None]
    return AtDose(
        level=level,
        treated=len(here),
        yes=sum(bool(p.toxic) for p in here),
        no=sum(p.toxic is False for p in here),
        pending=len(pending),
        pending_ids=tuple(p.id for p in pending),
        path=tuple(path),
        pending_path=tuple(pending_path),
        boundary=boundary,
        complete_only=_earliest(complete),
        as_it_happens=_earliest(seen_so),
        certain_by=min(by, default=None) if waiting else None,
        least_m=min(could, default=None),
    )


def _earliest(crossings: Sequence[Crossing]) -> Crossing | None:
    return min(crossings, key=lambda c: (c.day, c.m), default=None)


def _all_known(first: Sequence[Seen]) -> date | None:
    """The day on which the first m patients are all enrolled and known; None while one is pending."""
    days = [p.toxicity_known for p in first]
    if any(p.toxic is None for p in first) or None in days:
        return None
    return max(first[-1].enrolled, *(day for day in days if day is not None))


def _seen(first: Sequence[Seen], b: int) -> date:
    """The day of the b-th seen toxicity among the first m, not before the m-th enrolment."""
    days = sorted(p.toxicity_known for p in first if p.toxic and p.toxicity_known is not None)
    return max(first[-1].enrolled, *days[b - 1 : b]) if b else first[-1].enrolled


def _at_latest(first: Sequence[Seen], window: int, on: date) -> date | None:
    ends = [p.enrolled + timedelta(days=window) for p in first if p.toxic is None]
    return max(ends) if ends and all(day > on for day in ends) else None
