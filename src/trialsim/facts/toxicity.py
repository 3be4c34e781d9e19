"""The toxicity rule as facts: what it is, its boundary by dose, what acting means, and who is analysed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trialsim.codes import NEW_DOSE_ONLY
from trialsim.designs.crossing import crossing_probability, first_met
from trialsim.designs.rules import ACTION_WORDS, Rules
from trialsim.designs.toxicity import Amendment
from trialsim.engine.derived import crossing_patients
from trialsim.facts.design import Setting, settings
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import watched_patients

REFERENCES = {
    "pocock": "Ivanova A, Qaqish BF, Schell MJ. Continuous toxicity monitoring in phase II trials in oncology. "
    "Biometrics 2005;61:540-545.",
    "posterior": "Thall PF, Simon RM, Estey EH. Bayesian sequential monitoring designs for single-arm clinical trials "
    "with multiple outcomes. Stat Med 1995;14:357-379.",
    "group_sequential": "Wang SK, Tsiatis AA. Approximately optimal one-parameter boundaries for group sequential "
    "trials. Biometrics 1987;43:193-199.",
}

AFTER = ("pooled", "new_dose_only", "restart")


@dataclass(frozen=True)
class Step:
    """From patient ``first`` to ``last`` the cut-off is ``at_least``; None where no count reaches it."""

    first: int
    last: int
    at_least: int | None


@dataclass(frozen=True)
class DoseLevel:
    """A dose: when it is left (toxicities among its patients, a patient or month of the trial) and what happens then.

    ``action``: reduce, stop, or continue (a boundary that is only watched); None without a boundary. ``stop_steps``:
    where the dose is lowered, the boundary from which the trial stops instead; empty where there is none.
    ``started``: whether a patient may start at it; False where no rule leads there, so that none acts.
    """

    dose: str
    steps: tuple[Step, ...]
    action: str | None
    after_patient: int | None
    after_month: float | None
    stop_steps: tuple[Step, ...] = ()
    started: bool = True

    @property
    def lowers(self) -> bool:
        """Whether later patients may start at the next dose."""
        return bool(self.after_patient or self.after_month or (self.steps and self.action == "reduce"))


@dataclass(frozen=True)
class OneOfSeveral:
    """One of several rules: what it is, the doses at which it holds, what it does there, and how often at its limit.

    ``actions``: reduce, stop or continue, by dose. ``alone`` is P(it is met within so many patients at the first of
    its doses | the limit) without the other rules, exactly; ``rate`` that limit. None where no rule of the dose names
    one.
    """

    kind: str
    settings: tuple[Setting, ...]
    doses: tuple[str, ...]
    actions: tuple[str, ...]
    rate: float | None
    alone: float | None
    first: float | None

    @property
    def given(self) -> dict[str, tuple[Any, ...]]:
        """Settings by key."""
        return {setting.key: setting.values for setting in self.settings}


@dataclass(frozen=True)
class AtTheLimit:
    """P(the rule acts within ``patients`` at the first dose) when the toxicity rate is the limit, exactly."""

    patients: int
    probability: float
    rate: float


@dataclass(frozen=True)
class AfterChange:
    """Who is analysed after a dose change; ``cut_offs``: least responses for a go by patients at the new dose."""

    analysis: str
    cut_offs: tuple[Step, ...]


@dataclass(frozen=True)
class Toxicity:
    """What counts as toxicity, who says so, and the rule."""

    name: str | None
    counted_by: str | None
    kind: str
    settings: tuple[Setting, ...]
    levels: tuple[DoseLevel, ...]
    at_limit: AtTheLimit | None
    rules: tuple[OneOfSeveral, ...] = ()

    @property
    def given(self) -> dict[str, tuple[Any, ...]]:
        """Settings by key."""
        return {setting.key: setting.values for setting in self.settings}

    @property
    def started(self) -> tuple[DoseLevel, ...]:
        """The doses at which a patient may start: the first, and the others as far as rules lead to them."""
        return tuple(level for level in self.levels if level.started)

    @property
    def has_boundary(self) -> bool:
        """Whether toxicities at some dose can make the rule act."""
        return any(level.steps for level in self.started)

    @property
    def stops(self) -> bool:
        """Whether toxicities at some dose stop the trial."""
        return any(level.steps and (level.action == "stop" or level.stop_steps) for level in self.started)

    @property
    def changes_dose(self) -> bool:
        """Whether later patients may start at a lower dose."""
        return any(level.lowers for level in self.started)


def toxicity(trial: Compiled) -> Toxicity:
    """The toxicity rule of a scenario, with the boundary that it was compiled to."""
    scenario, rules = trial.scenario, trial.rules
    block = scenario.dose_reduction
    rule = block.stated[0] if block and len(block.stated) == 1 else None
    months = rule.months() if isinstance(rule, Amendment) else ()
    most = watched_patients(scenario, rules)
    boundaries = [steps(row[: most + 1]) for row in rules.monitor.act_ge]
    first, limit = rules.monitor.act_ge[0], block.limit if block else None
    within = min(crossing_patients(scenario, rules), rules.max_treated)
    meant = scenario.toxicity
    return Toxicity(
        meant.name if meant else None,
        meant.counted_by if meant else None,
        block.kind if block else "none",
        _settings(trial, rule) if rule else (),
        _led_to(
            [
                DoseLevel(
                    dose,
                    bounds,
                    ACTION_WORDS[rules.monitor.action[level]] if bounds else None,
                    rules.monitor.at_enrolled[level] or None,
                    months[level] if level < len(months) else None,
                    steps(rules.monitor.stop_ge[level][: most + 1])
                    if rules.monitor.stop_steps(level)
                    else (),
                )
                for level, (dose, bounds) in enumerate(zip(scenario.doses, boundaries, strict=True))
            ],
            arms=scenario.from_start,
        ),
        AtTheLimit(within, crossing_probability(first, limit, within), limit)
        if limit and boundaries[0]
        else None,
        tuple(_several(trial, within)) if block and len(block.stated) > 1 else (),
    )


def _led_to(levels: list[DoseLevel], *, arms: bool) -> tuple[DoseLevel, ...]:
    """Every dose, bare where no rule leads to it from those above; ``arms``: all are given from the start."""
    leads = [arms or all(above.lowers for above in levels[:k]) for k in range(len(levels))]
    return tuple(
        level if led else DoseLevel(level.dose, (), None, None, None, (), started=False)
        for level, led in zip(levels, leads, strict=True)
    )


TOLD = {"kind", "after_patient", "after_month", "action", "levels", "boundary"}
"""Keys of a rule that are facts of their own, or that the boundary tells."""


def _settings(trial: Compiled, rule: Any) -> tuple[Setting, ...]:
    """What a rule states, and the cut-off that was found for it."""
    found = rule.found(crossing_patients(trial.scenario, trial.rules)) if rule.kind == "posterior" else None
    more: list[tuple[str, float]] = []
    if found is not None:
        more = [("cutoff", found.cutoff), ("cutoff_from", found.low), ("cutoff_below", found.next)]
        more.append(("next_laxer", found.laxer))
    if rule.kind == "pasted":
        pairs = [number for look in rule.boundary.items() for number in look]
        return (Setting("boundary", tuple(pairs)),)
    return (*settings(rule, TOLD), *(Setting(key, (value,)) for key, value in more))


def _several(trial: Compiled, within: int) -> Iterator[OneOfSeveral]:
    """Each of several rules."""
    block = trial.scenario.dose_reduction
    assert block is not None
    for i, rule in enumerate(block.stated):
        here = [
            (dose, bound, found)
            for dose, found in zip(trial.scenario.doses, trial.toxicity_rules, strict=True)
            for bound in found
            if bound.place == block.place(i)
        ]
        limit, alone, first = getattr(rule, "limit", None) or block.limit, None, None
        if limit is not None:
            _, bound, found = here[0]
            alone = crossing_probability(bound.row, limit, within)
            met = first_met([each.row for each in found], limit, within)
            mine = found.index(bound)
            first = sum(p for which, p in met.items() if which == (mine,))
        yield OneOfSeveral(
            rule.kind,
            _settings(trial, rule),
            tuple(dose for dose, _, _ in here),
            tuple(ACTION_WORDS[bound.action] for _, bound, _ in here),
            limit,
            alone,
            first,
        )


def steps(row: tuple[int, ...]) -> tuple[Step, ...]:
    """Cut-offs by patients 1, 2, ... as runs, from the first that a count can reach."""
    runs: list[Step] = []
    for m, b in enumerate(row[1:], start=1):
        cut = b if b <= m else None
        if runs and runs[-1].at_least == cut:
            runs[-1] = Step(runs[-1].first, m, cut)
        elif runs or cut is not None:
            runs.append(Step(m, m, cut))
    return tuple(runs)


def after_change(rules: Rules, changes: bool) -> AfterChange | None:
    """Who is analysed after a dose change; None where the dose never changes."""
    if not changes:
        return None
    cuts = steps(rules.attained_ge) if rules.on_dose_change == NEW_DOSE_ONLY else ()
    return AfterChange(AFTER[rules.on_dose_change], cuts)
