"""What is ahead of a running trial in calendar time: its conduct simulated from the patients so far, a day on.

Each replicate draws an accrual rate, the response rate (fixed, or from the posterior), every pending outcome given what
is known of the patient, and everybody who is still to come; then the conduct runs through the patients as they came.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from trialsim.codes import (
    CONSIDER,
    DAYS_PER_MONTH,
    FINAL_GO,
    FUTILITY,
    GO,
    GO_EARLY,
    TICKS_PER_DAY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.engine.timed import Timed
from trialsim.errors import DesignError
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import (
    CONTINUE_ACCRUAL,
    EARLY_DECISION,
    PAUSE,
    RESPONSE,
    WAIT,
    Bool,
    Calendar,
    Float64,
    Int64,
    Tables,
    threshold,
)
from trialsim.ongoing.accrual import AccrualPosterior
from trialsim.ongoing.drawn import drawn, known_of, words_of_rates
from trialsim.ongoing.pending import Nature
from trialsim.ongoing.posterior import RatePosterior
from trialsim.ongoing.seen import Seen
from trialsim.scenario.compiled import Compiled

CHUNK = 250
INTERIM = {"pause": PAUSE, "continue": CONTINUE_ACCRUAL, "early_decision": EARLY_DECISION}
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
BANDS = {50: (0.25, 0.75), 80: (0.1, 0.9), 95: (0.025, 0.975)}


@dataclass(frozen=True)
class Share:
    """A simulated probability and its Monte Carlo standard error."""

    value: float
    mcse: float

    @classmethod
    def of(cls, happened: Bool) -> Share:
        """The share of replicates in which something happened."""
        value = float(happened.mean())
        return cls(value, math.sqrt(value * (1 - value) / len(happened)))


@dataclass(frozen=True)
class Spread:
    """A simulated quantity: mean with its Monte Carlo standard error, and quantiles; of ``count`` replicates."""

    mean: float
    mcse: float
    quantile: dict[float, float]
    band: dict[int, tuple[float, float]]
    count: int

    @classmethod
    def of(cls, values: Float64) -> Spread | None:
        """The spread of what is a number; None where it never is."""
        there = values[~np.isnan(values)]
        if not len(there):
            return None
        spread = float(there.std(ddof=1)) if len(there) > 1 else 0.0
        return cls(
            mean=float(there.mean()),
            mcse=spread / math.sqrt(len(there)),
            quantile={q: float(np.quantile(there, q)) for q in QUANTILES},
            band={
                width: (float(np.quantile(there, a)), float(np.quantile(there, b)))
                for width, (a, b) in BANDS.items()
            },
            count=len(there),
        )


@dataclass(frozen=True)
class Forecast:
    """What is ahead, days counted from the cut-off.

    Attributes:
        replicates, seed: of the simulation.
        next_look: days to the next undecided look, of the replicates in which it is taken.
        end: days to the decision that ends the trial.
        final_n: patients treated in the end.
        p_go, p_reduced, p_toxicity, p_futility: of a go; of a dose reduction triggered from now on; of a stop for
            toxicity; of a stop for futility before the planned end.
        while_pending: by what accrual does at an interim look, the patients treated while the next look is awaited
            beyond those it needs.
    """

    replicates: int
    seed: int
    next_look: Spread | None
    end: Spread | None
    final_n: Spread | None
    p_go: Share
    p_reduced: Share
    p_toxicity: Share
    p_futility: Share
    while_pending: dict[str, Spread | None]


def forecast(
    trial: Compiled,
    case: str,
    patients: Sequence[Seen],
    today: date,
    accrual: AccrualPosterior,
    *,
    next_look: int | None,
    belief: RatePosterior | None = None,
    opened: date | None = None,
    ended: bool = False,
    replicates: int = 10_000,
    seed: int = 1,
    workers: int = 1,
) -> Forecast | None:
    """Simulate the rest of the trial from the end of a day on.

    Args:
        trial: the scenario compiled.
        case: the truth of patients to come.
        patients: everybody so far in enrolment order.
        today: the cut-off day.
        accrual: of which each replicate draws a rate.
        next_look: index of the next look that is not decided; None where there is none.
        belief: posterior from which each replicate draws the response rate, at every dose; None: that of the case.
        opened: the day accrual opened, from which an amendment after months counts; None: that of the first patient.
        ended: whether the end of the trial is decided: then there is nothing ahead.
        replicates, seed: the same numbers for the same seed, whatever the workers.
        workers: threads.

    Returns:
        None where the end is decided.

    Raises:
        DesignError: a scenario of which nothing ahead is worked out (``Nature.of``); more patients than may be
            treated; something known that cannot happen under the truth.
    """
    Nature.of(trial, case)  # refuses what cannot be forecast
    if ended:
        return None
    if not patients:
        raise DesignError("a trial without patients is planned, not under way: nothing is forecast")
    if len(patients) > trial.rules.most_treated:
        raise DesignError(
            f"{len(patients)} patients, and the protocol treats at most {trial.rules.most_treated}"
        )
    rest = _Rest(trial, case, patients, today, accrual, belief, next_look, seed, opened)
    starts = range(0, replicates, CHUNK)
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        parts = list(pool.map(lambda first: rest.rows(first, min(CHUNK, replicates - first)), starts))
    by = np.concatenate(parts).T
    end, day = by[0], (today - patients[0].enrolled).days
    return Forecast(
        replicates=replicates,
        seed=seed,
        next_look=Spread.of(by[4] - day),
        end=Spread.of(by[1] - day),
        final_n=Spread.of(by[2]),
        p_go=Share.of(np.isin(end, (FINAL_GO, GO_EARLY))),
        p_reduced=Share.of(by[3] > day),
        p_toxicity=Share.of(np.isin(end, (TOXICITY, TOXICITY_AT_N))),
        p_futility=Share.of(end == FUTILITY),
        while_pending={name: Spread.of(by[5 + k]) for k, name in enumerate(INTERIM)},
    )


class _Rest:
    """One replicate after another of the rest of a trial.

    Rows: end, days to it, treated, day of the first trigger after the cut-off (else of the first one; -1: none), day of
    the next look, patients beyond those of the look under each of ``INTERIM``.
    """

    def __init__(
        self,
        trial: Compiled,
        case: str,
        patients: Sequence[Seen],
        today: date,
        accrual: AccrualPosterior,
        belief: RatePosterior | None,
        next_look: int | None,
        seed: int,
        opened: date | None,
    ) -> None:
        self.trials = Timed.of_case(trial, case)
        self.calendar = in_whole_days(self.trials.calendar)
        origin = min(opened or patients[0].enrolled, patients[0].enrolled)
        self.known = known_of(patients, self.calendar.visit, origin)
        self.now = (today - origin).days * TICKS_PER_DAY
        self.accrual, self.belief, self.look = accrual, belief, next_look
        self.key = stream_key(seed)

    def rows(self, first: int, count: int) -> Float64:
        """Replicates ``first``, ``first + 1``, ..."""
        out = np.full((count, 5 + len(INTERIM)), np.nan)
        for k in range(count):
            self._replicate(first + k, out[k])
        return out

    def _replicate(self, replicate: int, out: Float64) -> None:
        from scipy.special import gammaincinv

        words = words_of_rates(*self.key, replicate)
        rate = float(gammaincinv(self.accrual.shape, _open(words[0]))) / self.accrual.rate
        calendar = _at_rate(self.calendar, rate)
        thresholds = self.trials.thresholds
        if self.belief is not None:
            thresholds = thresholds.copy()
            thresholds[..., RESPONSE] = threshold(self.belief.draw(_open(words[1])))
        given = drawn(calendar, thresholds, self.key, replicate, self.known, self.now)
        row = self._run(self.trials.tables, calendar, thresholds, replicate, given)
        out[:4] = (
            row[column.END],
            row[column.DECIDED_AT] / TICKS_PER_DAY,
            row[column.TREATED],
            row[column.TRIGGERED_AT] / TICKS_PER_DAY if row[column.TRIGGERED] else -1,
        )
        if self.look is None:
            return
        tables = _last_look(self.trials.tables, self.look)
        needed = int(tables.look_n[self.look])
        for k, (_, interim) in enumerate(INTERIM.items()):
            row = self._run(
                self.trials.tables if self.trials.tables.final[self.look] else tables,
                _accruing(calendar, interim),
                thresholds,
                replicate,
                given,
            )
            if row[column.END] in (TOXICITY, TOXICITY_AT_N):
                continue  # stopped before the look
            if interim == calendar.interim:
                out[4] = row[column.DECIDED_AT] / TICKS_PER_DAY
            counted = row[column.EVALUABLE] if tables.replaced else row[column.TREATED]
            out[5 + k] = max(counted - needed, 0)

    def _run(
        self, tables: Tables, calendar: Calendar, thresholds: Int64, replicate: int, given: Int64
    ) -> Int64:
        from trialsim.kernels.conduct_from import simulate_from

        out = np.empty((1, self.trials.width), dtype=np.int32)
        nothing = np.zeros((0, 0, 0), dtype=np.int64)
        simulate_from(tables, calendar, thresholds, *self.key, replicate, given, self.now, out, nothing)
        row: Int64 = out[0].astype(np.int64)
        return row


def _open(word: int) -> float:
    """A number in (0, 1) from a 32-bit word."""
    return (int(word) + 0.5) / 4294967296.0


def _at_rate(calendar: Calendar, per_day: float) -> Calendar:
    """The same conduct with patients treated at one rate throughout."""
    ticks = TICKS_PER_DAY / max(per_day, 0.001 / DAYS_PER_MONTH)
    return calendar._replace(
        piece_tick=np.zeros(1, dtype=np.int64),
        piece_unit=np.zeros(1, dtype=np.int64),
        ticks_per_unit=np.array([math.floor(256 * ticks + 0.5)], dtype=np.int64),
        units_per_tick=np.array([math.floor(2**36 / ticks + 0.5)], dtype=np.int64),
    )


def in_whole_days(calendar: Calendar) -> Calendar:
    """The same conduct with the lengths of time to whole days by which the state of the trial is told."""
    day = TICKS_PER_DAY

    def days(ticks: Any) -> Any:
        return (ticks + day // 2) // day * day

    return calendar._replace(
        visit=days(calendar.visit),
        review_lag=int(days(calendar.review_lag)),
        lag=int(days(calendar.lag)),
        amended_at=days(calendar.amended_at),
    )


def _accruing(calendar: Calendar, interim: int) -> Calendar:
    """The conduct with another policy of accrual at a look; an early decision waits, and weighs nobody."""
    weighing = WAIT if interim == EARLY_DECISION else calendar.weighing
    return calendar._replace(interim=interim, weighing=weighing)


def _last_look(tables: Tables, look: int) -> Tables:
    """The same rules with the trial over at a look, so that its end is the day of the look.

    Decisions that differ still do, since an early decision waits until all completions lead to the same.
    """
    decisions = tables.look_next.copy()
    row = decisions[look, : tables.look_n[look] + 1]
    row[row >= 0] = CONSIDER if (row == GO).any() else GO
    return tables._replace(look_next=decisions)
