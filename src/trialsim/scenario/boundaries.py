"""The toxicity rules of a dose as boundaries: each by itself, and together as the one that engines run."""

from __future__ import annotations

from dataclasses import dataclass

from trialsim.codes import CONTINUE, NEVER, REDUCE, STOP
from trialsim.designs.crossing import lowest
from trialsim.designs.registry import WatchingRule
from trialsim.designs.rules import Monitor
from trialsim.designs.toxicity import Amendment, NoRule, Pocock
from trialsim.errors import DesignError
from trialsim.scenario.dose_reduction import DoseReduction

Row = tuple[int, ...]


@dataclass(frozen=True)
class Boundary:
    """A rule at a dose: its cut-offs by patients there, and REDUCE, STOP or CONTINUE where it is met."""

    rule: WatchingRule
    place: str
    row: Row
    action: int


def boundaries(
    block: DoseReduction | None, doses: tuple[str, ...], planned_n: int, most: int
) -> tuple[tuple[Boundary, ...], ...]:
    """By dose the rules that hold there, in the order in which they are stated.

    Raises:
        DesignError: a rule cannot be applied to a trial of this size.
    """
    if block is None:
        return ((),) * len(doses)
    rows: dict[tuple[int, Row | None], Row] = {}

    def row(i: int, rule: WatchingRule, kept: Row | None = None) -> Row:
        if (i, kept) not in rows:
            try:
                known = (
                    rule.compile(planned_n, most, kept)
                    if isinstance(rule, Pocock) and kept is not None
                    else rule.compile(planned_n, most)
                )
            except DesignError as error:
                raise DesignError(f"dose_reduction.{block.place(i)}: {error}") from None
            rows[i, kept] = known
        return rows[i, kept]

    found = []
    for level, dose in enumerate(doses):
        last = level == len(doses) - 1
        here = [
            (i, rule)
            for i, rule in enumerate(block.stated)
            if not isinstance(rule, Amendment | NoRule) and (rule.levels is None or dose in rule.levels)
        ]
        others = [row(i, rule) for i, rule in here if not _combined(rule)]
        kept = lowest(others) if others else None
        found.append(
            tuple(
                Boundary(
                    rule,
                    block.place(i),
                    row(i, rule, kept if _combined(rule) else None),
                    _action(block, rule, last=last),
                )
                for i, rule in here
            )
        )
    return tuple(found)


def _combined(rule: WatchingRule) -> bool:
    return isinstance(rule, Pocock) and rule.combined_phi is not None


def _action(block: DoseReduction, rule: WatchingRule, *, last: bool) -> int:
    if rule.action == "stop":
        return STOP
    if not last:
        return REDUCE
    return STOP if block.at_lowest_dose == "stop" else CONTINUE


def together(by_dose: tuple[tuple[Boundary, ...], ...], most: int) -> Monitor:
    """The rules of every dose as one boundary and one that stops: at each patient the least cut-off."""
    never = (NEVER,) * (most + 1)
    act, stop, actions = [], [], []
    for here in by_dose:
        stops = [b.row for b in here if b.action == STOP]
        reduces = [b.row for b in here if b.action == REDUCE]
        act.append(lowest([*stops, *reduces]) if stops or reduces else never)
        stop.append(lowest(stops) if stops else never)
        actions.append(REDUCE if reduces else STOP if stops else CONTINUE)
    both = any(a == REDUCE and row != never for a, row in zip(actions, stop, strict=True))
    return Monitor(tuple(act), (0,) * len(by_dose), tuple(actions), tuple(stop) if both else ())
