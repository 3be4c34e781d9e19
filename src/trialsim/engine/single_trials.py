"""Simulated trials and their patients as files: a row a trial, or a row a patient, whole or not at all.

What is kept is simulated again, block by block and in order: memory does not grow with the replicates, and the same
scenario, seed and replicates give the same bytes.
"""

from __future__ import annotations

import contextlib
import csv
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from trialsim.codes import (
    ACCRUAL,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILITY,
    GO_EARLY,
    TICKS_PER_DAY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.engine.montecarlo import BLOCK, Progress
from trialsim.engine.timed import Timed, timed
from trialsim.engine.trials import Key, Untimed, untimed
from trialsim.errors import OutputError, TrialsimError
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels import trial as plain
from trialsim.kernels.patient import FULL_INTENSITY
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Int32, Int64
from trialsim.results import csv_field
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

PATIENT_CELLS = 4_000_000
"""Numbers about patients held in memory at once."""

END_NAMES = {
    FUTILITY: "futility",
    TOXICITY: "toxicity",
    GO_EARLY: "go_early",
    FINAL_NO_GO: "final_no_go",
    FINAL_GO: "final_go",
    FINAL_CONSIDER: "final_consider",
    TOXICITY_AT_N: "toxicity_at_n",
    ACCRUAL: "too_few_evaluable",
}
"""How a trial ended, as it stands in files."""

DATED = ("_day", "own_dose_reductions", "off_treatment", "relative_dose_intensity", "overrun", "reported")
"""Columns of patients (by how they end) that have a meaning in calendar time only."""


class Column(NamedTuple):
    """A column of a table: what it holds, and its values (None: does not apply)."""

    kind: Literal["text", "whole", "number"]
    values: list[Any]


Columns = dict[str, Column]
"""A table by name of column."""

Simulate = Callable[[int, int], Columns]
"""The table of replicates ``first``, ``first + 1``, ...: so many of them."""


@dataclass(frozen=True)
class Keep:
    """What to keep of the simulated trials of a run, and how.

    Attributes:
        suffix: csv or parquet.
        trials: write ``trials``, a row a replicate and case.
        patients: write ``patients``, a row a patient, of the first so many trials of each case; None: of none.
    """

    suffix: str = "csv"
    trials: bool = True
    patients: int | None = None

    def check(self, replicates: int | None) -> None:
        """Refuse, before anything is simulated, what cannot be kept of so many trials a case (None: not known yet).

        Raises:
            TrialsimError: parquet without pyarrow, or patients of more trials than are simulated.
        """
        if self.suffix == "parquet":
            try:
                import pyarrow.parquet  # noqa: F401
            except ImportError:
                raise TrialsimError('parquet files need pyarrow: pip install "trialsim[parquet]"') from None
        elif self.suffix != "csv":
            raise TrialsimError(f"trials are kept as csv or parquet, not as {self.suffix}")
        if self.patients is not None and replicates is not None and not 1 <= self.patients <= replicates:
            raise TrialsimError(
                f"the patients of {self.patients:,} trials a case cannot be kept; {replicates:,} are simulated"
            )

    def write(
        self,
        scenario: Scenario,
        folder: Path,
        *,
        seed: int | None,
        replicates: int,
        progress: Progress | None = None,
    ) -> tuple[Path, ...]:
        """Write the files into the folder of a run, and return them.

        Args:
            seed, replicates: those of the run; the same trials are simulated again. A seed of None is the scenario's.
            progress: called with the number of replicates just written.

        Raises:
            OutputError: a file cannot be written; then it is not there at all.
        """
        self.check(replicates)
        key, written = stream_key(scenario.simulation.seed if seed is None else seed), []
        if self.trials:
            tables = _tables_of_trials(scenario, key)
            blocks = (part for table in tables for part in _blocks(table, replicates, BLOCK, progress))
            written.append(_write(folder / f"trials.{self.suffix}", blocks))
        if self.patients is not None:
            every = timed(Compiled.of(scenario))
            size = max(PATIENT_CELLS // (next(iter(every.values())).patients * field.FIELDS), 1)
            blocks = (
                part
                for case in every
                for part in _blocks(_patients_of(scenario, case, every[case], key), self.patients, size, None)
            )
            written.append(_write(folder / f"patients.{self.suffix}", blocks))
        return tuple(written)


def _blocks(table: Simulate, replicates: int, size: int, progress: Progress | None) -> Iterator[Columns]:
    for first in range(0, replicates, size):
        count = min(size, replicates - first)
        yield table(first, count)
        if progress:
            progress(count)


def _tables_of_trials(scenario: Scenario, key: Key) -> Iterator[Simulate]:
    """One table of trials a case, from the kernel that ran them."""
    trial = Compiled.of(scenario)
    if not trial.in_calendar:
        for case, trials in untimed(trial.rules, trial.rates).items():
            yield _untimed_of(scenario, case, trials, key)
    else:
        for case, dated in timed(trial).items():
            yield _timed_of(scenario, case, dated, key)


def _untimed_of(scenario: Scenario, case: str, trials: Untimed, key: Key) -> Simulate:
    return lambda first, count: columns_of_untimed(scenario, case, first, trials.rows(key, first, count))


def _timed_of(scenario: Scenario, case: str, trials: Timed, key: Key) -> Simulate:
    return lambda first, count: columns_of_timed(
        scenario, case, trials, first, trials.rows(key, first, count)
    )


def _patients_of(scenario: Scenario, case: str, trials: Timed, key: Key) -> Simulate:
    return lambda first, count: columns_of_patients(
        scenario, case, trials, first, *treated(trials, key, first, count)
    )


def columns_of_untimed(scenario: Scenario, case: str, first: int, rows: Int32) -> Columns:
    """Trials in which outcomes are known at once (``kernels.trial``), a row a replicate from ``first`` on."""
    by = rows.T
    return _common(case, first, by) | _by_dose(scenario, by, plain.LEVELS)


def columns_of_timed(scenario: Scenario, case: str, trials: Timed, first: int, rows: Int32) -> Columns:
    """Trials with dates or cohorts (``kernels.conduct_columns``), a row a replicate from ``first`` on."""
    by, dated = rows.T, scenario.conduct is not None
    own = trials.calendar.max_reductions >= 0
    columns = _common(case, first, by) | {"treated": _whole(by[column.TREATED])}
    if dated:
        columns |= {"overrun": _whole(by[column.OVERRUN]), "screened": _whole(by[column.SCREENED])}
    columns |= {
        "disease_control": _whole(by[column.CONTROLLED], controlled(scenario, case, trials)),
        "serious": _whole(by[column.SERIOUS_N], stated(scenario, case, "serious")),
    }
    if dated:
        accruing = by[column.DURATION] - by[column.PAUSED] - by[column.WAITING]
        intensity = by[column.INTENSITY] / (np.maximum(by[column.N], 1) * FULL_INTENSITY)
        columns |= {
            "duration_days": _days(by[column.DURATION]),
            "accruing_days": _days(accruing),
            "paused_days": _days(by[column.PAUSED]),
            "waiting_days": _days(by[column.WAITING]),
            "dose_reduction_triggered_day": _days(by[column.TRIGGERED_AT], by[column.TRIGGERED] > 0),
            "decided_day": _days(by[column.DECIDED_AT]),
            "patients_reduced": _whole(by[column.REDUCED_N], own),
            "patients_off_treatment": _whole(by[column.OFF_N], own),
            "mean_relative_dose_intensity": _number(np.round(intensity, 6), own),
        }
    columns["go_by_evaluable_patients"] = _whole(by[column.GO_EVALUABLE])
    columns |= _by_dose(scenario, by, column.LEVELS)
    start = column.LEVELS + 3 * len(scenario.doses)
    for c, name in enumerate(scenario.cohorts.names if scenario.cohorts else ()):
        end, *counts = by[start + 4 * c : start + 4 * c + 4]
        if trials.calendar.own:
            columns[f"end_in_{name}"] = _ends(end)
        for what, values in zip(("patients", "evaluable", "responses"), counts, strict=True):
            columns[f"{what}_in_{name}"] = _whole(values)
    return columns


def _common(case: str, first: int, by: Int32) -> Columns:
    """The columns that trials have with and without a calendar."""
    count = by.shape[1]
    return {
        "case": Column("text", [case] * count),
        "trial": _whole(np.arange(first + 1, first + 1 + count)),
        "end": _ends(by[column.END]),
        "patients": _whole(by[column.N]),
        "evaluable": _whole(by[column.EVALUABLE]),
        "patients_before_dose_reduced": _whole(by[column.REDUCED_AFTER], by[column.REDUCED_AFTER] > 0),
        "dose_reduction_triggered": _whole(by[column.TRIGGERED]),
    }


def _by_dose(scenario: Scenario, by: Int32, start: int) -> Columns:
    names = (
        f"{what}_at_{dose}" for dose in scenario.doses for what in ("patients", "responses", "toxicities")
    )
    return {name: _whole(by[start + k]) for k, name in enumerate(names)}


def treated(trials: Timed, key: Key, first: int, count: int) -> tuple[Int32, Int64, Int64]:
    """Replicates with their patients, as ``Timed.treated``, and (count, max_arrivals) who of them is overrun."""
    rows, kept = trials.treated(key, first, count)
    marked = kept
    if not trials.calendar.exclude:
        # overrun patients are those whom the same trial would leave out if its scenario asked for it
        _, marked = replace(trials, calendar=trials.calendar._replace(exclude=True)).treated(
            key, first, count
        )
    return rows, kept, 1 - marked[:, :, field.REPORTED]


def columns_of_patients(
    scenario: Scenario,
    case: str,
    trials: Timed,
    first: int,
    rows: Int32,
    kept: Int64,
    overrun: Int64,
) -> Columns:
    """The patients of a block of trials from replicate ``first`` on, one row a patient, trial by trial.

    Days count from the start of the trial's first patient. What the scenario does not state is None.
    """
    treated_n = rows[:, column.TREATED]
    there = np.arange(kept.shape[1]) < treated_n[:, None]
    by = kept[there].T
    opened = np.repeat(kept[:, 0, field.STARTED], treated_n)
    strata = scenario.strata
    levels, groups = by[field.LEVEL].tolist(), by[field.STRATUM].tolist()

    own = trials.calendar.max_reductions >= 0

    def days(which: int, applies: Any = True) -> Column:
        return _days(by[which] - opened, applies)

    columns = {
        "case": Column("text", [case] * len(levels)),
        "trial": _whole(np.repeat(np.arange(first + 1, first + 1 + len(rows)), treated_n)),
        "patient": _whole(np.nonzero(there)[1] + 1),
        "enrolled_day": days(field.STARTED),
        "dose": Column("text", [scenario.doses[level] for level in levels]),
        "stratum": Column("text", [strata[s].name if scenario.cohorts else None for s in groups]),
        "cohort": Column("text", [strata[s].cohort_name if scenario.cohorts else None for s in groups]),
        "evaluable": _whole(by[field.IS_EVALUABLE]),
        "response": _whole(by[field.IS_RESPONSE]),
        "response_first_seen_day": days(field.FIRST_SIGHT, by[field.IS_RESPONSE] > 0),
        "outcome_known_day": days(field.KNOWN),
        "toxicity": _whole(by[field.IS_TOXIC], stated(scenario, case, "toxicity")),
        "toxicity_onset_day": days(field.ONSET, by[field.IS_TOXIC] > 0),
        "serious": _whole(by[field.IS_SERIOUS], stated(scenario, case, "serious")),
        "disease_control": _whole(by[field.IS_CONTROLLED], controlled(scenario, case, trials)),
        "treatment_ended_day": days(field.ENDED),
        "own_dose_reductions": _whole(by[field.REDUCTIONS], own),
        "off_treatment": _whole(by[field.OFF], own),
        "relative_dose_intensity": _number(np.round(by[field.RELATIVE_INTENSITY] / FULL_INTENSITY, 6), own),
        "overrun": _whole(overrun[there]),
        "reported": _whole(by[field.REPORTED]),
    }
    if scenario.conduct is None:
        columns = {name: values for name, values in columns.items() if not name.endswith(DATED)}
    return columns


def stated(scenario: Scenario, case: str, key: str) -> bool:
    """Whether a case states such a rate for any of its patients."""
    truth = scenario.truth[case]
    return any(getattr(truth.within(s.name, s.cohort_name), key) is not None for s in scenario.strata)


def controlled(scenario: Scenario, case: str, trials: Timed) -> bool:
    """Whether disease control is reported of the patients of a case."""
    there_is_a_visit = trials.calendar.control_visit < len(trials.calendar.visit)
    return there_is_a_visit and stated(scenario, case, "stable_disease")


def _whole(values: Any, applies: Any = True) -> Column:
    return Column("whole", _where(values, applies))


def _number(values: Any, applies: Any = True) -> Column:
    return Column("number", _where(values, applies))


def _days(ticks: Any, applies: Any = True) -> Column:
    """Ticks as days; three decimals tell every tick apart."""
    return _number(np.round(np.asarray(ticks) / TICKS_PER_DAY, 3), applies)


def _ends(codes: Any) -> Column:
    return Column("text", [END_NAMES[code] for code in codes.tolist()])


def _where(values: Any, applies: Any) -> list[Any]:
    """The values as a list, None wherever they do not apply."""
    if applies is True:
        return list(values.tolist())
    there = np.broadcast_to(applies, values.shape).tolist()
    return [value if is_so else None for value, is_so in zip(values.tolist(), there, strict=True)]


def _write(path: Path, blocks: Iterable[Columns]) -> Path:
    """Write blocks of a table one after another; the file appears when it is complete."""
    new = path.parent.with_name(f".{path.parent.name[:100]}.{secrets.token_hex(4)}.{path.name}")
    try:
        (_write_parquet if path.suffix == ".parquet" else _write_csv)(new, blocks)
        os.replace(new, path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{path} cannot be written: {reason}") from None
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    return path


def _write_csv(path: Path, blocks: Iterable[Columns]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for k, columns in enumerate(blocks):
            if k == 0:
                writer.writerow(columns)
            writer.writerows(
                map(csv_field, row) for row in zip(*(c.values for c in columns.values()), strict=True)
            )


def _write_parquet(path: Path, blocks: Iterable[Columns]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64()}
    writer = None
    try:
        for columns in blocks:
            schema = pa.schema([(name, kinds[c.kind]) for name, c in columns.items()])
            writer = writer or pq.ParquetWriter(path, schema)
            arrays = [pa.array(c.values, kinds[c.kind]) for c in columns.values()]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    finally:
        if writer is not None:
            writer.close()
