"""Where a trial stands: the counts so far, and whether a trial can have them."""

from __future__ import annotations

from dataclasses import dataclass

from trialsim.codes import CONTINUE, NEW_DOSE_ONLY, POOLED, REDUCE, RESTART
from trialsim.designs.rules import Rules
from trialsim.errors import DesignError


@dataclass(frozen=True)
class Now:
    """Where a trial stands when every outcome of its patients is known.

    Attributes:
        n, x: patients that the next look will count so far, and their responses (treated or evaluable ones, as
            ``Rules.replaced`` has it; after a dose change only those whom ``Rules.on_dose_change`` leaves in the
            count).
        dose: current dose level, 0 for the starting dose.
        at_dose, toxicities: patients treated at this dose, and how many of them had toxicity; None if not stated.
        treated: patients treated at all doses.
        all_toxicities: those with toxicity among the patients whom the next look will count; None if not stated.
    """

    n: int
    x: int
    dose: int
    at_dose: int
    treated: int
    toxicities: int | None = None
    all_toxicities: int | None = None


@dataclass(frozen=True)
class Today:
    """What the protocol says now, all outcomes of the patients so far being known.

    Attributes:
        does: ``continue``, ``lower_dose`` (the toxicity rule acts with the last patient), ``stop_for_toxicity`` (by the
            rule at the lowest dose, or by the look that is due), or what the look that is due says: ``futile``, ``go``,
            ``consider``.
        look: the patients of the look that is due and ends the trial; None where none does.
        boundary: toxicities from which the rule acts at this number of patients at the dose; None where none acts.
        since: the earlier patient by whom the boundary was met at the latest; None where it need not have been.
    """

    now: Now
    does: str
    look: int | None
    boundary: int | None
    since: int | None = None


def now_of(
    rules: Rules,
    n: int,
    x: int,
    toxicities: int | None = None,
    *,
    dose: int = 1,
    at_dose: int | None = None,
    treated: int | None = None,
    all_toxicities: int | None = None,
) -> Now:
    """Where the trial stands, completed and checked; ``dose`` counts from 1.

    Raises:
        DesignError: a count that is missing, that contradicts another, or at which the trial cannot be.
    """
    if not 1 <= dose <= rules.levels:
        raise DesignError(f"--dose {dose}: the scenario has {_doses(rules.levels)}")
    change = rules.on_dose_change
    if dose == 1:
        treated = n if treated is None else treated
        at_dose = treated if at_dose is None else at_dose
        if at_dose != treated:
            raise DesignError(
                f"--at-dose {at_dose}: at the starting dose it is all {treated} patients treated"
            )
    elif change == POOLED:
        treated = n if treated is None else treated
        if at_dose is None:
            raise DesignError(f"--dose {dose} needs --at-dose M, the patients treated at this dose so far")
    else:
        at_dose = n if at_dose is None else at_dose
        if treated is None:
            if change == NEW_DOSE_ONLY or any(rules.monitor.at_enrolled[dose - 1 :]):
                raise DesignError(
                    f"--dose {dose} needs --treated M, the patients treated at all doses so far"
                )
            treated = at_dose + dose - 1  # at least one at each dose before; nothing depends on how many
    if dose == 1 or change == RESTART:
        if all_toxicities not in (None, toxicities):
            raise DesignError(
                f"--all-toxicities {all_toxicities}: the look counts only patients at this dose"
            )
        all_toxicities = toxicities
    now = Now(n, x, dose - 1, at_dose, treated, toxicities, all_toxicities)
    _check_counts(rules, now)
    _check_dose(rules, now)
    return now


def _doses(levels: int) -> str:
    return "one dose" if levels == 1 else f"doses 1 to {levels}"


def _check_counts(rules: Rules, now: Now) -> None:
    """Refuse counts that contradict each other."""
    planned = rules.looks.planned_n
    if not 0 <= now.x <= now.n:
        raise DesignError(f"--now: {now.x} responses among {now.n} patients is not possible")
    if now.n > planned:
        raise DesignError(f"--now: {now.n} patients are more than the planned number, {planned}")
    if now.toxicities is not None and not 0 <= now.toxicities <= now.at_dose:
        raise DesignError(
            f"--now: {now.toxicities} patients with toxicity among {now.at_dose} treated at the current dose is not "
            "possible"
        )
    least, most = now.toxicities or 0, now.n - (now.at_dose - (now.toxicities or 0))
    if now.all_toxicities is not None and now.dose and not least <= now.all_toxicities <= max(most, least):
        raise DesignError(
            f"--all-toxicities {now.all_toxicities}: with {least} at the current dose there are {least} to {most}"
        )
    counted = now.treated if rules.on_dose_change == POOLED or now.dose == 0 else now.at_dose
    if now.n > counted or (not rules.replaced and now.n != counted):
        some = "at least " if rules.replaced else ""
        raise DesignError(
            f"--now: {now.n} patients are counted, so {some}{now.n} were treated, not {counted}"
        )
    if now.treated - now.dose < now.at_dose:
        raise DesignError(
            f"--at-dose {now.at_dose}: of {now.treated} patients treated at least {now.dose} had an earlier dose"
        )
    gone = now.at_dose if rules.on_dose_change == RESTART else now.treated
    if gone + planned - now.n > rules.max_treated:
        raise DesignError(
            f"--treated {gone}: {planned - now.n} more evaluable patients would need more than the "
            f"{rules.max_treated} treated patients at which the computation ends"
        )
    if rules.on_dose_change == NEW_DOSE_ONLY and now.treated >= planned:
        raise DesignError(f"--treated {now.treated}: nothing is ahead; the planned number is {planned}")


def _check_dose(rules: Rules, now: Now) -> None:
    """Refuse a dose that the trial has left, or that the toxicity rule has left or stopped at an earlier patient."""
    at = rules.monitor.at_enrolled[now.dose]
    if 0 < at <= now.treated and now.at_dose:
        raise DesignError(
            f"--dose {now.dose + 1}: the amendment after patient {at} has moved the trial to dose {now.dose + 2}"
        )
    action, row = rules.monitor.action[now.dose], rules.monitor.act_ge[now.dose]
    if now.toxicities is None or action == CONTINUE:
        return
    m = acted_by(row, now)
    # a boundary that is met now is acted on now: late outcomes may have hidden it until today
    if m and now.toxicities < row[now.at_dose]:
        acted = "lowered the dose" if action == REDUCE else "stopped the trial"
        if action == REDUCE and rules.monitor.stops(now.dose):
            acted = "lowered the dose, or stopped the trial,"
        raise DesignError(
            f"--now: with {now.toxicities} toxicities among {now.at_dose} patients at dose {now.dose + 1} the "
            f"toxicity rule has {acted} by then (at {row[m]} or more of {m})"
        )


def acted_by(row: tuple[int, ...], now: Now) -> int | None:
    """The first patient at the dose by whom the rule must have acted, in whatever order toxicities came; or None."""
    seen = now.toxicities or 0
    return next((m for m in range(1, now.at_dose) if seen - (now.at_dose - m) >= row[m]), None)
