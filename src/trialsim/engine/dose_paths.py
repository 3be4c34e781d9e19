"""P(go) in calendar time, averaged over dose paths instead of counted: the same mean with a smaller variance.

Where no look changes who is treated next (accrual goes on, toxicity never stops the trial) and toxicity says nothing
about response, the dose of every patient up to the planned n hangs on arrivals and toxicities alone. Given the doses,
responses are independent, and P(go) is exact (Rao-Blackwell). Paths are counted as whole numbers; one ordered sum of
exact probabilities closes the calculation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from trialsim.codes import CONTINUE, FUTILE, NEVER, POOLED
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.exact import distribution
from trialsim.engine.tally import Z95, Tally
from trialsim.engine.timed import Timed
from trialsim.engine.trials import Key
from trialsim.kernels.tables import CONTINUE_ACCRUAL
from trialsim.results import Estimate
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.truth import Cells, Rates

MOST_PATHS = 20_000
"""Dose paths told apart at most."""


def averages(trial: Compiled, trials: Timed, name: str) -> bool:
    """Whether P(go) of a case can be averaged over dose paths."""
    rules, case, calendar = trial.rules, trial.scenario.truth[name], trials.calendar
    paths = (rules.looks.planned_n + 1) ** (rules.levels - 1)
    return (
        rules.levels > 1
        and paths <= MOST_PATHS
        and not rules.replaced
        and rules.randomise is None
        and not rules.looks.too_toxic
        and rules.on_dose_change == POOLED
        and not rules.monitor.may_stop
        and calendar.interim == CONTINUE_ACCRUAL
        and len(calendar.stratum_by) == 1
        and not trials.daily
        and case.odds_ratio == 1
    )


@dataclass(frozen=True, eq=False)
class Paths:
    """The trials of one case without looks: everybody up to the planned n is treated, at one dose or another."""

    trials: Timed

    @classmethod
    def of(cls, rules: Rules, trials: Timed) -> Paths:
        """The same protocol with a single look at the planned n."""
        n = rules.looks.planned_n
        plain = replace(rules, looks=Looks((n,), ((FUTILE,) * (n + 1),)))
        return cls(replace(trials, tables=tables_of(plain)))

    @property
    def patients(self) -> int:
        """Largest number of patients a trial can treat."""
        return self.trials.patients

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """Replicates by the number of patients at each level but the last, as digits of base planned n + 1."""
        from trialsim.kernels.conduct_columns import LEVELS

        levels = len(self.trials.tables.action)
        rows = self.trials.rows(key, first, count)
        path = np.zeros(count, dtype=np.int64)
        for level in range(levels - 1):
            path = path * (self.patients + 1) + rows[:, LEVELS + 3 * level]
        return Tally(count, {"paths": tuple(np.bincount(path).tolist())})


def p_go_averaged(tally: Tally, rules: Rules, truth: Rates | Cells) -> Estimate:
    """P(go) from a tally of ``Paths``: the mean of the exact P(go) given each path, its standard error and interval."""
    n, levels, replicates = rules.looks.planned_n, rules.levels, tally.replicates
    given = [
        (count, _given(rules, truth, _by_level(path, n, levels)))
        for path, count in enumerate(tally.counts["paths"])
        if count
    ]
    m = sum(count * p for count, p in given) / replicates
    variance = sum(count * (p - m) ** 2 for count, p in given) / max(replicates - 1, 1)
    mcse = math.sqrt(variance / replicates)
    return Estimate(m, mcse, m - Z95 * mcse, m + Z95 * mcse)


def _by_level(path: int, n: int, levels: int) -> list[int]:
    """Patients at each level but the last."""
    digits = []
    for _ in range(levels - 1):
        path, digit = divmod(path, n + 1)
        digits.append(digit)
    return digits[::-1]


def _given(rules: Rules, truth: Rates | Cells, at: list[int]) -> float:
    """P(go) when so many patients are treated at each level but the last: an amendment after each of them."""
    never = (NEVER,) * (rules.max_treated + 1)
    # a level with nobody is passed over by giving its rows to the next one
    levels = [level for level, patients in enumerate([*at, 1]) if patients > 0 or level == len(at)]
    after = np.cumsum([at[level] for level in levels[:-1]]).tolist()
    kept = [k for k, patient in enumerate(after) if patient < rules.max_treated]
    chosen = [levels[k] for k in kept] + [levels[len(kept)] if len(kept) < len(levels) - 1 else levels[-1]]
    monitor = Monitor((never,) * len(chosen), (*(after[k] for k in kept), 0), (CONTINUE,) * len(chosen))
    table = truth.cells(replaced=False)[chosen]
    return distribution(replace(rules, monitor=monitor), Cells.of(table)).values["p_go"]
