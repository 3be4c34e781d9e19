"""The decision table of a protocol, read off its Rules: what each count of responses and of toxicities leads to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from trialsim.codes import CONSIDER, FUTILE, GO, NEVER
from trialsim.designs.rules import ACTION_WORDS, DECISION_WORDS, Looks
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import watched_patients

MANY_LOOKS = 5
"""With more looks than this, looks with the same cut-offs share a row."""


@dataclass(frozen=True)
class Branch:
    """From ``low`` to ``high`` responses at a look of n patients: what follows, and the size of the next look.

    ``toxic_ge``: so many toxicities among them stop the trial, whatever the responses; None where none do.
    """

    n: int
    low: int
    high: int
    decision: str
    next_n: int | None
    toxic_ge: int | None


@dataclass(frozen=True)
class CutOffs:
    """Looks with the same cut-offs: stop if responses <= stop_le, go if responses >= go_ge; None where never.

    Between the two the trial goes on to the next look; at the final look the decision is then consider.
    """

    n: tuple[int, ...]
    stop_le: int | None
    go_ge: int | None
    toxic_ge: int | None
    is_final: bool


@dataclass(frozen=True)
class Step:
    """From ``first`` to ``last`` patients at a dose: act if toxicities >= act_ge; None where no count acts."""

    first: int
    last: int
    act_ge: int | None


@dataclass(frozen=True)
class Dose:
    """What the toxicity rule does at a dose: reduce, stop or continue; and after which patient or month it is left.

    ``stop_steps``: where the rule lowers the dose, the cut-offs from which it stops the trial instead; empty where
    none do.
    """

    name: str
    action: str
    steps: tuple[Step, ...]
    after_patient: int | None
    after_month: float | None
    stop_steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class DecisionTable:
    """All decisions of a protocol.

    Attributes:
        branches: every look by its runs of responses.
        cut_offs: the same, looks with the same cut-offs together; None unless there are many looks and each has a
            futile run, then one that goes on, then a go.
        doses: the toxicity rule by dose, starting dose first.
        evaluable: whether looks count evaluable patients, inevaluable ones being replaced (else treated patients).
        cohorts: names of the cohorts if each runs the looks by itself.
    """

    n: tuple[int, ...]
    branches: tuple[Branch, ...]
    cut_offs: tuple[CutOffs, ...] | None
    doses: tuple[Dose, ...]
    evaluable: bool
    cohorts: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Every decision by responses and by toxicities, one row a run of counts."""
        rows: list[dict[str, Any]] = []
        about: dict[str, Any]
        for b in self.branches:
            about = {"patients_from": b.n, "patients_to": b.n}
            if b.low == 0 and b.toxic_ge is not None:
                stop = {"count_from": b.toxic_ge, "count_to": b.n, "decision": "stop for toxicity"}
                rows.append({"rule": "toxicities at the look", **about, **stop})
            found = {
                "count_from": b.low,
                "count_to": b.high,
                "decision": b.decision,
                "next_patients": b.next_n,
            }
            rows.append({"rule": "responses", **about, **found})
        for level, dose in enumerate(self.doses):
            for step in dose.steps:
                about = {
                    "rule": "toxicities",
                    "dose": dose.name,
                    "patients_from": step.first,
                    "patients_to": step.last,
                }
                acts = "none" if step.act_ge is None else dose.action
                rows.append({**about, "count_from": step.act_ge, "decision": acts})
            for step in dose.stop_steps:
                about = {"rule": "toxicities that stop", "dose": dose.name}
                within = {"patients_from": step.first, "patients_to": step.last}
                acts = "none" if step.act_ge is None else "stop"
                rows.append({**about, **within, "count_from": step.act_ge, "decision": acts})
            if dose.after_patient is not None:
                left = {"patients_from": dose.after_patient, "patients_to": dose.after_patient}
                rows.append({"rule": "amendment", "dose": dose.name, **left, "decision": "reduce"})
            if dose.after_month is not None:
                decision = f"reduce after month {dose.after_month:g} to {self.doses[level + 1].name}"
                rows.append({"rule": "amendment", "dose": dose.name, "decision": decision})
        return rows


def decision_table(trial: Compiled) -> DecisionTable:
    """The decision table of a scenario's compiled rules."""
    rules, looks = trial.rules, trial.rules.looks
    return DecisionTable(
        looks.n,
        tuple(
            Branch(looks.n[k], low, high, *_decided(looks, d), _toxic(looks, k))
            for k in range(len(looks.n))
            for low, high, d in looks.ranges(k)
        ),
        _cut_offs(looks) if len(looks.n) > MANY_LOOKS else None,
        tuple(_dose(trial, level) for level in range(rules.levels)),
        rules.replaced,
        trial.cohorts if trial.scenario.own_rules else (),
    )


def _decided(looks: Looks, decision: int) -> tuple[str, int | None]:
    return ("continue", looks.n[decision]) if decision >= 0 else (DECISION_WORDS[decision], None)


def _toxic(looks: Looks, k: int) -> int | None:
    return looks.toxic_ge[k] if looks.toxic_ge and looks.toxic_ge[k] < NEVER else None


def _cut_offs(looks: Looks) -> tuple[CutOffs, ...] | None:
    """Looks with the same cut-offs together; None where a row does not lead from futile over the next look to go."""
    found: list[CutOffs] = []
    for k, n in enumerate(looks.n):
        row = looks.next[k]
        stop, go = row.count(FUTILE), row.count(GO)
        between = n + 1 - stop - go
        final = looks.is_final(k)
        if row != (FUTILE,) * stop + (CONSIDER if final else k + 1,) * between + (GO,) * go:
            return None
        cut = CutOffs((n,), stop - 1 if stop else None, n + 1 - go if go else None, _toxic(looks, k), final)
        if found and replace(found[-1], n=cut.n) == cut:
            found[-1] = replace(cut, n=(*found[-1].n, n))
        else:
            found.append(cut)
    return tuple(found)


def _dose(trial: Compiled, level: int) -> Dose:
    scenario, monitor = trial.scenario, trial.rules.monitor
    rule = scenario.dose_reduction.rule if scenario.dose_reduction else None
    months = rule.months() if rule is not None and rule.kind == "amendment" else ()
    return Dose(
        scenario.doses[level],
        ACTION_WORDS[monitor.action[level]],
        _runs(monitor.steps(level), watched_patients(scenario, trial.rules)),
        monitor.at_enrolled[level] or None,
        months[level] if level < len(months) else None,
        _runs(monitor.stop_steps(level), watched_patients(scenario, trial.rules)),
    )


def _runs(steps: list[tuple[int, int]], most: int) -> tuple[Step, ...]:
    """Where each cut-off begins and ends."""
    steps = [(m, b) for m, b in steps if m <= most]
    ends = [*(m - 1 for m, _ in steps[1:]), most]
    return tuple(
        Step(first, last, None if b >= NEVER else b) for (first, b), last in zip(steps, ends, strict=False)
    )
