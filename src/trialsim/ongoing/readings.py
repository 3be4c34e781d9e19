"""What a look of a trial under way says on a day: by every completion, or by the follow-up of pending patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

from trialsim.codes import FUTILE, NEVER, TICKS_PER_DAY, TOO_TOXIC
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen


def certain(
    row: Sequence[int], cut: int, responses: tuple[int, int], toxicities: tuple[int, int]
) -> int | None:
    """The decision that every completion gives, None where they differ; ranges with both ends."""
    found = {
        TOO_TOXIC if t >= cut else row[x]
        for t in range(toxicities[0], toxicities[1] + 1)
        for x in range(responses[0], responses[1] + 1)
    }
    return found.pop() if len(found) == 1 else None


def told(p: Seen, today: date) -> bool:
    """Whether a patient's outcome is known at the end of a day."""
    return p.response_known is not None and p.response_known <= today


def weighed(protocol: InDays, k: int, candidates: Sequence[Seen], today: date) -> int | None:
    """The decision of look k on the patients who may count, None where it is not taken by the end of ``today``.

    As ``kernels.weighing``, in days.
    """
    rule, looks = protocol.weighing, protocol.rules.looks
    n, cut = looks.n[k], looks.toxic_ge[k] if looks.toxic_ge else NEVER
    counted = candidates[:n]
    pending = [p for p in counted if not told(p, today)]
    if len(counted) < n or len(pending) > rule.allowed[k]:
        return None
    if today < counted[-1].enrolled + timedelta(days=protocol.least_days):
        return None
    if cut < NEVER:
        known = [p for p in counted if p.toxicity_known is not None and p.toxicity_known <= today]
        toxic = sum(bool(p.toxic) for p in known)
        if toxic >= cut:
            return TOO_TOXIC
        if toxic + n - len(known) >= cut:
            return None
    return decision(protocol, k, counted, today)


def decision(protocol: InDays, k: int, counted: Sequence[Seen], today: date) -> int:
    """What look k decides on these patients at the end of a day."""
    rule, row = protocol.weighing, protocol.rules.looks.next[k]
    known = [p for p in counted if told(p, today)]
    responses = sum(bool(p.responded) for p in known)
    possible = row[responses : responses + len(counted) - len(known) + 1]
    if len(set(possible)) == 1:
        return possible[0]
    onward = max(possible)
    failures = len(known) - responses
    waiting = [p for p in counted if not told(p, today)]
    unconfirmed = [p for p in waiting if p.sighted is not None and p.sighted <= today]
    followed = [
        _followed(protocol, (today - p.enrolled).days * TICKS_PER_DAY)
        for p in waiting
        if p not in unconfirmed
    ]
    if responses >= rule.futile_from.shape[1]:
        return onward
    if not len(rule.node):
        without = failures * rule.window + len(unconfirmed) * rule.doubt + sum(followed)
        return FUTILE if without >= rule.futile_from[k, responses, len(unconfirmed)] else onward
    gain = 0.0
    for rate, weight, likelihood in zip(
        rule.node, rule.gain[k], rule.unconfirmed[len(unconfirmed)], strict=True
    ):
        parts = [rate] * responses + [1 - rate] * failures + [1 - f / rule.window * rate for f in followed]
        gain += math.prod(parts, start=weight * likelihood)
    return FUTILE if gain < 0 else onward


def _followed(protocol: InDays, age: int) -> int:
    """Ticks of follow-up that count for a pending patient so long after enrolment."""
    rule = protocol.weighing
    if not len(rule.credit):
        return min(age, rule.window)
    passed = sum(day * TICKS_PER_DAY <= age for day in protocol.visits)
    return int(rule.credit[passed - 1]) if passed else 0


def due_by(protocol: InDays, k: int, pending: Sequence[Seen], last: Seen) -> date:
    """The latest day on which look k is taken once its patients are enrolled, by the last visits of those pending."""
    days = sorted(p.enrolled + timedelta(days=protocol.visits[-1]) for p in pending)
    must = len(days) - int(protocol.weighing.allowed[k])
    followed = last.enrolled + timedelta(days=protocol.least_days)
    return max(followed, days[must - 1]) if must > 0 else followed
