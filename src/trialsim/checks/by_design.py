"""What the stated design adds to the check, and what other trials alone would have predicted; never a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np

from trialsim.checks.predictive import beta_binomial_pmf
from trialsim.checks.rows import EXTERNAL, REACHED_N, UNCONDITIONAL, CaseCheck, row_of
from trialsim.designs.binomial import Float64
from trialsim.designs.rules import Rules
from trialsim.engine.exact import distribution, out_of_reach
from trialsim.engine.montecarlo import Progress, paths
from trialsim.engine.threads import side_by_side
from trialsim.engine.timed import Timed
from trialsim.engine.trials import Key
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Bool, Int64
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Observed, Scenario

TRIALS = 20_000
"""Simulated trials behind what is not exact here, at most."""

BLOCK = 140_000
"""Patients kept in memory at once."""


def is_simulated(scenario: Scenario) -> bool:
    """Whether what depends on the design is simulated here: calendar time, or cohorts with rules of their own."""
    return scenario.conduct is not None or scenario.own_rules


def planned_size_says(scenario: Scenario) -> bool:
    """Whether the planned n is the size of a complete trial: not if looks begin again or each cohort has its own."""
    return scenario.on_dose_change != "restart" and not scenario.own_rules


@dataclass(frozen=True)
class How:
    """How trials are simulated here: the seed, how many, on how many threads, and who hears how far it is."""

    seed: int
    trials: int
    jobs: int | None = None
    progress: Progress | None = None


def is_complete(trial: Compiled, observed: Observed) -> bool:
    """Whether as many patients were observed as the design plans."""
    size = observed.evaluable if trial.rules.replaced else observed.treated or observed.evaluable
    return planned_size_says(trial.scenario) and size == trial.rules.looks.planned_n


def simulates(trial: Compiled, observed: Observed | None) -> bool:
    """Whether a check simulates trials in calendar time, or of cohorts with rules of their own."""
    if observed is None or not is_simulated(trial.scenario):
        return False
    return observed.dose_reduced is not None or is_complete(trial, observed)


def checks_by_design(trial: Compiled, name: str, observed: Observed, how: How) -> list[CaseCheck]:
    """What the stated design adds: does the trial get as far as it did, and what is seen of those that do."""
    scenario, rules = trial.scenario, trial.rules
    complete = is_complete(trial, observed)
    if is_simulated(scenario):
        return list(_in_calendar_time(trial, name, observed, how, complete))
    if out_of_reach(rules):
        return []
    return list(_at_once(trial, name, observed, how, complete))


# -- outcomes known before the next patient: exact


def _at_once(trial: Compiled, name: str, observed: Observed, how: How, complete: bool) -> Iterator[CaseCheck]:
    rules = trial.rules
    known = distribution(rules, trial.truth(name), totals=not out_of_reach(rules, carried=True))
    if observed.dose_reduced is not None:
        yield _flag(name, observed.dose_reduced, known.values["p_dose_reduced"])
    if not complete:
        return
    n = rules.looks.planned_n
    reaches = 1 - known.values["pet"]
    yield CaseCheck(name, "reaches_n", UNCONDITIONAL, n, probability=reaches, note=f"planned n = {n}")
    if reaches < 1e-6:
        return
    if known.joint_responses is not None and observed.responses is not None and not rules.replaced:
        given = known.joint_responses[n] / known.n[n]
        yield row_of(name, "responses", REACHED_N, observed.responses, given)
    if rules.levels == 1 or observed.evaluable_by_dose is None:
        return
    if trial.in_calendar:
        drawn = Drawn.of(trial, name, how, at_start=True)
        yield from drawn.start_dose(name, observed.evaluable_by_dose[0], rules.most_treated)
        return
    enrolled = paths(rules, trial.rates[name], how.seed, how.trials)
    evaluable = (enrolled > 0) & ((enrolled - 1) & 4 > 0)
    counted = evaluable if rules.replaced else enrolled > 0
    reached = counted.sum(axis=1) >= n
    at_start = (evaluable & (enrolled - 1 < 8)).sum(axis=1)
    yield from _start_dose(name, observed.evaluable_by_dose[0], at_start[reached], enrolled.shape[1])


# -- in calendar time, or with own rules by cohort: simulated


@dataclass(frozen=True)
class Drawn:
    """Simulated trials, an entry each: whether the dose was reduced, whether the planned n was reached, and counts.

    ``at_start``: evaluable patients at the starting dose; () unless asked.
    """

    reduced: Bool
    reached: Bool
    responses: Int64
    at_start: Int64

    @classmethod
    def of(cls, trial: Compiled, name: str, how: How, *, at_start: bool) -> Drawn:
        """The first trials of a case, in blocks side by side."""
        trials = Timed.of_case(trial, name)
        each = max(BLOCK // trials.patients, 1)

        def block(first: int) -> Drawn:
            count = min(each, how.trials - first)
            drawn = cls._block(trial.rules, trials, stream_key(how.seed), first, count, at_start)
            if how.progress is not None:
                how.progress(count)
            return drawn

        parts = side_by_side([partial(block, first) for first in range(0, how.trials, each)], how.jobs)
        return cls(*(np.concatenate([getattr(part, key.name) for part in parts]) for key in fields(cls)))

    @classmethod
    def _block(cls, rules: Rules, trials: Timed, key: Key, first: int, count: int, at_start: bool) -> Drawn:
        """Trials ``first`` to ``first + count``."""
        from trialsim.kernels import conduct_columns as column

        start = np.zeros(0, dtype=np.int64)
        if at_start:
            rows, start = trials.at_start(key, first, count)
        else:
            rows = trials.rows(key, first, count)
        by = rows.T.astype(np.int64)
        end = column.LEVELS + 3 * rules.levels
        return cls(
            by[column.REDUCED_AFTER] > 0,
            by[column.EVALUABLE if rules.replaced else column.N] >= rules.looks.planned_n,
            by[column.LEVELS + 1 : end : 3].sum(axis=0),
            start,
        )

    def start_dose(self, name: str, observed: int, most: int) -> list[CaseCheck]:
        """Evaluable patients at the starting dose among the trials that reached the planned n."""
        return _start_dose(name, observed, self.at_start[self.reached], most)


def _in_calendar_time(
    trial: Compiled, name: str, observed: Observed, how: How, complete: bool
) -> Iterator[CaseCheck]:
    conduct, rules = trial.scenario.conduct, trial.rules
    if observed.dose_reduced is None and not complete:
        return
    rules = trial.rules
    by_dose = complete and rules.levels > 1 and observed.evaluable_by_dose is not None
    drawn = Drawn.of(trial, name, how, at_start=by_dose)
    time = " in calendar time" if conduct is not None else ""
    if observed.dose_reduced is not None:
        flag = _flag(name, observed.dose_reduced, float(drawn.reduced.mean()), trials=how.trials, time=time)
        yield replace(flag, mcse=_mcse(flag.probability, how.trials))
    if not complete:
        return
    n = rules.looks.planned_n
    reaches = float(drawn.reached.mean())
    counted = {"count": "counted", "exclude": "excluded"}
    overrun = "" if conduct is None else f", overrun {counted[conduct.overrun]}"
    note = f"planned n = {n}{overrun}; from {how.trials:,} simulated trials{time}"
    yield CaseCheck(
        name, "reaches_n", UNCONDITIONAL, n, probability=reaches, mcse=_mcse(reaches, how.trials), note=note
    )
    if not drawn.reached.any():
        return
    among = drawn.reached
    if observed.responses is not None and not rules.replaced:
        pmf = np.bincount(drawn.responses[among], minlength=n + 1) / among.sum()
        row = row_of(name, "responses", REACHED_N, observed.responses, pmf)
        yield replace(row, note=_from_trials(among))
    if by_dose and observed.evaluable_by_dose is not None:
        yield from drawn.start_dose(name, observed.evaluable_by_dose[0], rules.most_treated)


def _mcse(p: float | None, trials: int) -> float | None:
    return None if p is None else float(np.sqrt(p * (1 - p) / trials))


def _from_trials(among: Bool) -> str:
    return f"from {np.count_nonzero(among):,} simulated trials that reached the planned n"


def _flag(name: str, reduced: bool, chance: float, trials: int = 0, time: str | None = None) -> CaseCheck:
    """Whether the dose was reduced: one flag of one trial."""
    note = "the probability of what was observed; a single flag carries no verdict"
    if time is not None:
        note += f"; from {trials:,} simulated trials{time}"
    probability = chance if reduced else 1 - chance
    return CaseCheck(name, "dose_reduced", UNCONDITIONAL, int(reduced), probability=probability, note=note)


def _start_dose(name: str, observed: int, at_start: Int64, most: int) -> list[CaseCheck]:
    """Evaluable patients at the starting dose, one number a simulated trial that reached the planned n."""
    if not len(at_start):
        return []
    pmf: Float64 = np.bincount(at_start, minlength=most + 1) / len(at_start)
    note = f"from {len(at_start):,} simulated trials that reached the planned n"
    return [replace(row_of(name, "patients_start_dose", REACHED_N, observed, pmf), note=note)]


def external(scenario: Scenario, observed: Observed) -> list[CaseCheck]:
    """The responses predicted from other trials alone, assuming one common rate (Jeffreys prior)."""
    if not scenario.related_trials or observed.responses is None or observed.evaluable is None:
        return []
    x = sum(trial.responses for trial in scenario.related_trials)
    m = sum(trial.evaluable for trial in scenario.related_trials)
    pmf = beta_binomial_pmf(observed.evaluable, x + 0.5, m - x + 0.5)
    names = ", ".join(f"{t.name} ({t.responses}/{t.evaluable})" for t in scenario.related_trials)
    row = row_of("related trials", "responses", EXTERNAL, observed.responses, pmf)
    return [replace(row, note=f"predicted from {names}, assuming one common response rate, Jeffreys prior")]
