"""A trial that went on though its protocol ended it: the rules under which it has not ended yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from trialsim.codes import CONTINUE, NEVER
from trialsim.designs.rules import Rules
from trialsim.ongoing.course import Course, course
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen
from trialsim.scenario.compiled import Compiled


def gone_on(
    trial: Compiled, patients: Sequence[Seen], on: date, opened: date | None = None
) -> Compiled | None:
    """The trial with every end that is decided by the end of a day left out.

    A look that ended it leads to the next one, and a boundary that stopped it is not watched any more; all else is as
    it was. None where nothing is left to come: the last look is decided, or nobody else may be treated.
    """
    while True:
        told = course(InDays.of(trial), patients, on, opened)
        if told.end is None:
            return trial
        rules = _without(trial.rules, told)
        if rules is None:
            return None
        trial = Compiled(trial.scenario, rules)


def _without(rules: Rules, told: Course) -> Rules | None:
    """The rules without the end that was decided; None where it is that of the last look, or of accrual."""
    looks, monitor, k = rules.looks, rules.monitor, told.look
    by_look = bool(told.decided) and told.decided[-1].look == k and told.decided[-1].day == told.ended
    if by_look and told.decided[-1].decision < 0:
        if k == len(looks.n) - 1 or told.new_dose_only:
            return None
        row = tuple(k + 1 if decision < 0 else decision for decision in looks.next[k])
        cuts = tuple(NEVER if j == k else cut for j, cut in enumerate(looks.toxic_ge))
        rows = (*looks.next[:k], row, *looks.next[k + 1 :])
        return replace(rules, looks=replace(looks, next=rows, toxic_ge=cuts))
    if monitor.action[told.level] == CONTINUE:
        return None
    action = tuple(CONTINUE if level == told.level else each for level, each in enumerate(monitor.action))
    return replace(rules, monitor=replace(monitor, action=action))
