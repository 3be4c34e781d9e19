"""Trials ready to be simulated: the arrays of one case and the kernel that runs them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trialsim.codes import FINAL_GO, GO_EARLY, RESTART
from trialsim.designs.dose_choice import OUTCOMES, DoseChoice, Seen
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.tally import Tally, fold
from trialsim.kernels.conduct_columns import END
from trialsim.kernels.tables import Int32, Int64, Tables
from trialsim.scenario.truth import Rates

CAME_LATER: tuple[tuple[str, Any], ...] = (
    ("choice", None),
    ("daily", False),
    ("false_go", 0),
    ("by_cohort", []),
)
"""Parts of trials that older versions did not have, as they are where nothing asks for them."""

Key = tuple[np.uint64, np.uint64]
"""The two words that a seed gives (``kernels/streams.py``)."""


class Trials(Protocol):
    """The trials of one case. A dataclass of nothing but what decides a number, small enough to send to a worker."""

    @property
    def patients(self) -> int:
        """Largest number of patients a trial can treat."""
        ...

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """Simulate replicates ``first``, ``first + 1``, ... at once, and count them."""
        ...


@dataclass(frozen=True, eq=False)
class Untimed:
    """Trials in which every outcome is known before the next patient."""

    tables: Tables
    thresholds: Int64
    choice: DoseChoice | None = None

    @property
    def patients(self) -> int:
        """Largest number of patients a trial can treat."""
        most = int(self.tables.act_ge.shape[1]) - 1
        return most * len(self.tables.action) if self.tables.on_dose_change == RESTART else most

    @property
    def width(self) -> int:
        """Columns of a row."""
        from trialsim.kernels.trial import columns

        return columns(len(self.tables.action))

    def rows(self, key: Key, first: int, count: int) -> Int32:
        """Replicates ``first``, ``first + 1``, ... as rows of ``kernels.trial``."""
        from trialsim.kernels.trial import simulate

        out = np.empty((count, self.width), dtype=np.int32)
        simulate(self.tables, self.thresholds, *key, first, out, np.zeros((0, 0), dtype=np.int8))
        return out

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """Simulate replicates ``first``, ``first + 1``, ... at once, and count them."""
        return self.counted(self.rows(key, first, count))

    def counted(self, rows: Int32) -> Tally:
        """Count replicates."""
        from trialsim.kernels.trial import LEVELS

        tally = fold(rows, self.patients, LEVELS, len(self.tables.action))
        return tally if self.choice is None else with_choices(tally, chosen(self.choice, rows, LEVELS))


def untimed(
    rules: Rules, cases: Mapping[str, Rates], choices: Mapping[str, DoseChoice | None] = {}
) -> dict[str, Untimed]:
    """The trials of every case under the same rules."""
    tables = tables_of(rules)
    return {case: Untimed(tables, rates.thresholds(), choices.get(case)) for case, rates in cases.items()}


def chosen(choice: DoseChoice, rows: Int32, first: int) -> NDArray[np.int8]:
    """(count,) outcome of the dose rule in every trial (``dose_choice``); ``first``: where columns by dose begin.

    Where each dose has a design of its own its end stands first of the columns of a cohort. Where doses are allocated
    after a trigger the last columns of a row are those of the first dose since then.
    """
    at, since = [*range(first, first + 6)], rows.shape[1] - 3
    if choice.concurrent:
        at[:3] = range(since, since + 3)
    seen = Seen(*(rows[:, c].astype(np.int64) for c in at))
    if choice.arms:
        ends = (rows[:, first + 6 + 4 * dose] for dose in range(2))
        return choice.outcomes_of_arms(seen, *((end == GO_EARLY) | (end == FINAL_GO) for end in ends))
    end = rows[:, END]
    both = (rows[:, since] > 0) & (seen.n2 > 0) if choice.allocated else None
    return choice.outcomes(seen, (end == GO_EARLY) | (end == FINAL_GO), both)


def with_choices(tally: Tally, outcomes: NDArray[np.int8]) -> Tally:
    """A tally that also counts trials by outcome of the dose rule."""
    counted = np.bincount(outcomes, minlength=len(OUTCOMES)).tolist()
    return Tally(tally.replicates, {**tally.counts, "chosen": tuple(counted)})


def fingerprint(trials: Trials) -> str:
    """What decides the numbers of a case besides seed and replicates, as ``sha256:...``."""
    return f"sha256:{hashlib.sha256(json.dumps(_plain(trials)).encode()).hexdigest()}"


def _plain(thing: Any) -> Any:
    """Arrays, named tuples and dataclasses as JSON has them, with the names of their parts."""
    if isinstance(thing, np.ndarray | np.generic):
        return thing.tolist()
    if is_dataclass(thing):
        parts = {f.name: _plain(getattr(thing, f.name)) for f in fields(thing)}
        # a part that came later and is not there leaves the fingerprint as it was
        return [
            type(thing).__name__,
            {name: part for name, part in parts.items() if (name, part) not in CAME_LATER},
        ]
    if isinstance(thing, tuple) and hasattr(thing, "_asdict"):
        return {name: _plain(part) for name, part in thing._asdict().items()}
    if isinstance(thing, tuple):
        return [_plain(part) for part in thing]
    return thing
