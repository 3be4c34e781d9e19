"""What one simulated trial amounts to, quantity by quantity, as whole numbers: the ground of paired differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialsim.codes import ENDS, FINAL_GO, GO_EARLY
from trialsim.engine.timed import FULL_INTENSITY, TICKS_PER_MONTH, Timed, has_evaluable_analysis
from trialsim.engine.trials import Key, Untimed
from trialsim.kernels.tables import SERIOUS, STABLE, Int64
from trialsim.results import by_end

UNITS = {"relative_dose_intensity": FULL_INTENSITY}
"""What a whole number counts, where it is not one; of months the ticks."""

_BY_END = {
    name: np.array([by_end([int(end == e) for e in range(ENDS)])[name] for end in range(ENDS)])
    for name in by_end([0] * ENDS)
}
"""Quantity -> 0 or 1 for each way in which a trial can end."""


@dataclass(frozen=True, eq=False)
class Side:
    """The trials of one case, as they are compared.

    Attributes
    ----------
    doses : for each dose level, which of the doses it is by which all sides are compared (from 1; 0: none of them).
    of_doses : how many those are.
    false_go : the set of cohorts (bit c for cohort c) in which a go is false.
    dated : whether calendar time is simulated, or only cohorts.
    """

    trials: Timed | Untimed
    doses: tuple[int, ...]
    of_doses: int
    false_go: int = 0
    dated: bool = True

    @classmethod
    def of(cls, trials: Timed | Untimed) -> Side:
        """A side whose doses are its own."""
        levels = len(trials.tables.action)
        return cls(trials, tuple(range(1, levels + 1)), levels)

    def values(self, key: Key, first: int, count: int) -> dict[str, Int64]:
        """(count,) whole numbers of each quantity: replicates ``first``, ``first + 1``, ... ."""
        from trialsim.kernels import conduct_columns as dated
        from trialsim.kernels import trial as plain

        trials = self.trials
        rows = np.ascontiguousarray(trials.rows(key, first, count).T, dtype=np.int64)
        start = dated.LEVELS if isinstance(trials, Timed) else plain.LEVELS
        patients, responses, toxicities = (
            rows[start + k : start + 3 * len(self.doses) : 3] for k in range(3)
        )
        values = {name: which[rows[plain.END]] for name, which in _BY_END.items()} | {
            "p_dose_reduction_triggered": rows[plain.TRIGGERED],
            "p_dose_reduced": (rows[plain.REDUCED_AFTER] > 0).astype(np.int64),
            "en": rows[plain.N],
            "en_evaluable": rows[plain.EVALUABLE],
            "responses": responses.sum(axis=0),
            "toxicities": toxicities.sum(axis=0),
        }
        for dose in range(1, self.of_doses + 1):
            own = [level for level, d in enumerate(self.doses) if d == dose]
            values[f"patients_dose_{dose}"] = patients[own].sum(axis=0)
            values[f"toxicities_dose_{dose}"] = toxicities[own].sum(axis=0)
        if isinstance(trials, Timed):
            values |= self._conduct(trials, rows) | self._cohorts(trials, rows)
        return values

    def _conduct(self, trials: Timed, rows: Int64) -> dict[str, Int64]:
        """What calendar time adds, where the scenario states what it takes."""
        from trialsim.kernels import conduct_columns as column

        calendar, found = trials.calendar, {}
        if has_evaluable_analysis(trials):
            found["p_go_evaluable"] = rows[column.GO_EVALUABLE]
        if calendar.exclude:
            found["treated"] = rows[column.TREATED]
        if calendar.screening[0] > 0:
            found["screened"] = rows[column.SCREENED]
        if calendar.control_visit < len(calendar.visit) and trials.thresholds[:, :, STABLE].any():
            found["disease_control"] = rows[column.CONTROLLED]
        if trials.thresholds[:, :, SERIOUS].any():
            found["serious"] = rows[column.SERIOUS_N]
        if calendar.max_reductions >= 0:
            found["patients_reduced"] = rows[column.REDUCED_N]
            found["patients_off"] = rows[column.OFF_N]
            found["relative_dose_intensity"] = rows[column.INTENSITY] // np.maximum(rows[column.N], 1)
        if self.dated:
            found["overrun"] = rows[column.OVERRUN]
            found["duration_months"] = rows[column.DURATION]
            found["accruing_months"] = rows[column.DURATION] - rows[column.PAUSED] - rows[column.WAITING]
            found["paused_months"] = rows[column.PAUSED]
            found["waiting_months"] = rows[column.WAITING]
            found["decision_months"] = rows[column.DECIDED_AT]
        return found

    def _cohorts(self, trials: Timed, rows: Int64) -> dict[str, Int64]:
        """By cohort, where there are several; what a go is worth, where each has rules of its own."""
        from trialsim.kernels.conduct_columns import LEVELS

        calendar = trials.calendar
        found: dict[str, Int64] = {}
        if calendar.cohorts == 1:
            return found
        start = LEVELS + 3 * len(self.doses)
        by_cohort: list[Int64] = [rows[start + 4 * c : start + 4 * c + 4] for c in range(calendar.cohorts)]
        if calendar.own:
            went = np.array([np.isin(cohort[0], (GO_EARLY, FINAL_GO)) for cohort in by_cohort])
            found["p_go_all"] = _whole(went.all(axis=0))
            if self.false_go:
                wrong = [bool(self.false_go >> c & 1) for c in range(calendar.cohorts)]
                found["p_false_go"] = _whole(went[wrong].any(axis=0))
            for c in range(calendar.cohorts):
                found[f"p_go_cohort_{c + 1}"] = _whole(went[c])
        for c, cohort in enumerate(by_cohort, start=1):
            found[f"patients_cohort_{c}"] = _whole(cohort[1])
            found[f"responses_cohort_{c}"] = _whole(cohort[3])
        return found


def unit(quantity: str) -> int:
    """What 1 counts: ticks a month for months."""
    return UNITS.get(quantity, TICKS_PER_MONTH if quantity.endswith("_months") else 1)


def _whole(values: object) -> Int64:
    return np.asarray(values, dtype=np.int64)
