"""Truth as numbers for the engines: joint cell probabilities of one patient, and integer thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trialsim.kernels.tables import SERIOUS, STABLE, TOXIC, Calendar, Float64, Int64, threshold
from trialsim.scenario.drift import Drift
from trialsim.scenario.model import Case, Evaluability, Scenario

CERTAIN = 1 << 32
"""The threshold of an event that always happens."""


def plackett(p_response: float, p_toxicity: float, odds_ratio: float) -> float:
    """P(response and toxicity) at the stated margins and global cross ratio.

    Plackett RL. J Am Stat Assoc 1965;60:516-522, in the form without a special case at an odds ratio of 1.
    """
    s = 1 + (p_response + p_toxicity) * (odds_ratio - 1)
    root = math.sqrt(s * s - 4 * odds_ratio * (odds_ratio - 1) * p_response * p_toxicity)
    both = 2 * odds_ratio * p_response * p_toxicity / (s + root)
    return min(max(both, p_response + p_toxicity - 1, 0.0), p_response, p_toxicity)


@dataclass(frozen=True)
class Rates:
    """What nature is assumed to do, one row a dose level.

    Attributes:
        response, toxicity: (K,) true rates of treated patients, of the first one where response drifts.
        odds_ratio: association of the two.
        evaluable: probability that a treated patient is evaluable.
        nonresponders: whether inevaluable patients are all non-responders (else independent of response).
        drift: how response rates change during the trial. Tables then have I rows a level, for each patient in
            enrolment order (or each day); without it I = 1, and that row is everybody's.
    """

    response: tuple[float, ...]
    toxicity: tuple[float, ...]
    odds_ratio: float = 1.0
    evaluable: float = 1.0
    nonresponders: bool = False
    drift: Drift | None = None

    @classmethod
    def of(cls, case: Case, evaluability: Evaluability, levels: int, planned_n: int | None = None) -> Rates:
        """The rates of a case; toxicity that is not stated never happens. A drift needs the planned n."""
        response = case.by_dose("response", levels)
        assert response is not None
        return cls(
            response=response,
            toxicity=case.by_dose("toxicity", levels) or (0.0,) * levels,
            odds_ratio=case.odds_ratio,
            evaluable=evaluability.probability,
            nonresponders=evaluability.inevaluable == "nonresponders",
            drift=Drift.of(case, planned_n),
        )

    def responses(self) -> tuple[tuple[float, ...], ...]:
        """(K, I) response rates at each level."""
        return tuple((p,) if self.drift is None else self.drift.rates(p) for p in self.response)

    def _evaluable_given_response(self, p_response: float) -> tuple[float, float]:
        """P(evaluable | no response), P(evaluable | response)."""
        if not self.nonresponders:
            return self.evaluable, self.evaluable
        if p_response == 1:
            return 1.0, 1.0
        return (self.evaluable - p_response) / (1 - p_response), 1.0

    def _toxicity_given_response(self, p_response: float, p_toxicity: float) -> tuple[float, float]:
        """P(toxicity | no response), P(toxicity | response)."""
        both = plackett(p_response, p_toxicity, self.odds_ratio)
        without = (p_toxicity - both) / (1 - p_response) if p_response < 1 else p_toxicity
        return min(max(without, 0.0), 1.0), both / p_response if p_response > 0 else p_toxicity

    def cells(self, replaced: bool) -> Float64:
        """(K, I, 6) probabilities of a patient: inevaluable without / with toxicity; evaluable without response,
        without / with toxicity; evaluable with response, without / with toxicity.

        Unless inevaluable patients are replaced they count as non-responses, and the first two cells are empty.

        Raises:
            ValueError: the rates change by the day: what the next patient is then hangs on dates.
        """
        if self.drift is not None and self.drift.daily:
            raise ValueError("rates that change by the day have no cells by patient")
        rows = self.responses()
        table = np.zeros((len(rows), len(rows[0]), 6))
        for level, i, p in self._each():
            toxic = self._toxicity_given_response(p, self.toxicity[level])
            evaluable = self._evaluable_given_response(p)
            for response, share in ((0, 1 - p), (1, p)):
                for t, q in ((0, 1 - toxic[response]), (1, toxic[response])):
                    table[level, i, 2 + 2 * response + t] += share * q * evaluable[response]
                    table[level, i, (0 if replaced else 2) + t] += share * q * (1 - evaluable[response])
        return table

    def thresholds(self) -> Int64:
        """(K I, 5) integers t with P(32-bit word < t) = response; toxicity given no response, given response;
        evaluable given no response, given response."""
        rows = [
            (p, *self._toxicity_given_response(p, self.toxicity[level]), *self._evaluable_given_response(p))
            for level, _, p in self._each()
        ]
        return np.array([[threshold(q) for q in row] for row in rows], dtype=np.int64)

    def _each(self) -> Iterator[tuple[int, int, float]]:
        """Level, row at the level and response rate, of every row."""
        for level, rates in enumerate(self.responses()):
            for i, p in enumerate(rates):
                yield level, i, p

    def counted_response(self) -> Float64:
        """(K, I) probability that a treated patient is an evaluable responder."""
        rates = np.array(self.responses())
        return rates if self.nonresponders else rates * self.evaluable


@dataclass(frozen=True)
class Cells:
    """A patient as joint probabilities, which is all that an exact calculation needs; has what it asks of ``Rates``.

    ``table`` (K, I, 6) is ordered as ``Rates.cells`` with inevaluable patients kept apart.
    """

    table: tuple[tuple[tuple[float, ...], ...], ...]

    @classmethod
    def of(cls, table: Float64) -> Cells:
        """The cells of a table (K, I, 6)."""
        return cls(tuple(tuple(map(tuple, rows)) for rows in table.tolist()))

    def cells(self, replaced: bool) -> Float64:
        """(K, I, 6) as ``Rates.cells``."""
        table = np.array(self.table)
        if not replaced:
            table[..., 2:4] += table[..., :2]
            table[..., :2] = 0
        return table

    def counted_response(self) -> Float64:
        """(K, I) probability that a treated patient is an evaluable responder."""
        return np.array([[row[4] + row[5] for row in rows] for rows in self.table])

    def from_patient(self, first: int) -> Cells:
        """The same of a trial that begins after so many patients."""
        return Cells(tuple(rows[min(first, len(rows) - 1) :] for rows in self.table))

    @property
    def toxicity(self) -> tuple[float, ...]:
        """(K,) true toxicity rates."""
        return tuple(row[1] + row[3] + row[5] for row, *_ in self.table)

    @property
    def evaluable(self) -> tuple[float, ...]:
        """(K,) probabilities of being evaluable."""
        return tuple(sum(row[2:]) for row, *_ in self.table)


@dataclass(frozen=True)
class Strata:
    """What nature is assumed to do in each stratum of patients; one stratum of everybody where none are stated.

    Attributes:
        shares: share of the patients in each stratum, adding up to 1.
        rates: response, toxicity and evaluability of each stratum.
        stable: (K,) P(stable disease | no response) of each stratum.
        serious: (K,) rate of serious events, nested in toxicity, of each stratum.
    """

    shares: tuple[float, ...]
    rates: tuple[Rates, ...]
    stable: tuple[tuple[float, ...], ...]
    serious: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, scenario: Scenario, case_name: str, planned_n: int | None = None) -> Strata:
        """The strata of a case; what it does not state never happens. A drift needs the planned n."""
        levels, strata = len(scenario.doses), scenario.strata
        cases = [scenario.truth[case_name].within(s.name, s.cohort_name) for s in strata]
        total = sum(s.share for s in strata)
        never = (0.0,) * levels
        return cls(
            shares=tuple(s.share / total for s in strata),
            rates=tuple(Rates.of(case, scenario.evaluability, levels, planned_n) for case in cases),
            stable=tuple(case.by_dose("stable_disease", levels) or never for case in cases),
            serious=tuple(case.by_dose("serious", levels) or never for case in cases),
        )

    def only(self, members: Sequence[bool]) -> Strata:
        """The strata of one cohort, their shares among themselves."""
        together = sum(share for share, member in zip(self.shares, members, strict=True) if member)
        kept = [s for s, member in enumerate(members) if member]
        return Strata(
            tuple(self.shares[s] / together for s in kept),
            tuple(self.rates[s] for s in kept),
            tuple(self.stable[s] for s in kept),
            tuple(self.serious[s] for s in kept),
        )

    def at_dose(self, dose: int) -> Strata:
        """The same where everybody has this dose level, whatever level a trial counts them at."""

        def there(by_dose: tuple[float, ...]) -> tuple[float, ...]:
            return by_dose[dose : dose + 1] * len(by_dose)

        rates = (
            replace(each, response=there(each.response), toxicity=there(each.toxicity)) for each in self.rates
        )
        return Strata(
            self.shares, tuple(rates), tuple(map(there, self.stable)), tuple(map(there, self.serious))
        )

    @property
    def daily(self) -> bool:
        """Whether response rates change by the day."""
        return any(rates.drift is not None and rates.drift.daily for rates in self.rates)

    @property
    def drifts(self) -> bool:
        """Whether response rates change during the trial."""
        return any(rates.drift is not None for rates in self.rates)

    @property
    def steady(self) -> Strata:
        """The same with the response rates of the first patient for everybody."""
        return replace(self, rates=tuple(replace(rates, drift=None) for rates in self.rates))

    def cells(self, replaced: bool) -> Float64:
        """(K, I, 6) probabilities of a patient of any stratum, as in ``Rates.cells``; nobody withdraws."""
        tables = [rates.cells(replaced) for rates in self.rates]
        return np.asarray(np.tensordot(np.array(self.shares), np.stack(tables), axes=1))

    def effective(self, calendar: Calendar) -> Cells:
        """What a patient of any stratum amounts to, where patients withdraw from assessments.

        Who withdraws before the first visit is inevaluable; a responder who withdraws before the confirmation is an
        evaluable non-responder.
        """
        first, confirmed = attendance(calendar)
        stated = self.cells(replaced=True)
        none, some = stated[..., 2:4], stated[..., 4:6]
        lost = (1 - first) * (none + some)
        parts = [stated[..., :2] + lost, first * none + (first - confirmed) * some, confirmed * some]
        return Cells.of(np.concatenate(parts, axis=-1))

    def thresholds(self) -> Int64:
        """(K, I S, 8) integers t with P(32-bit word < t) = probability, from ``kernels.tables.RESPONSE`` on: of the
        first row (patient, or day) the strata in turn, then of the next."""
        levels, strata = len(self.stable[0]), len(self.shares)
        found = [rates.thresholds().reshape(levels, -1, SERIOUS) for rates in self.rates]
        table = np.zeros((levels, found[0].shape[1], strata, 8), dtype=np.int64)
        for s, rates in enumerate(self.rates):
            table[:, :, s, :SERIOUS] = found[s]
            for level, toxicity in enumerate(rates.toxicity):
                serious = self.serious[s][level]
                table[level, :, s, SERIOUS] = threshold(serious / toxicity) if toxicity > 0 else 0
                table[level, :, s, STABLE] = threshold(self.stable[s][level])
                table[level, :, s, TOXIC] = threshold(toxicity)
        return table.reshape(levels, -1, 8)


def attendance(calendar: Calendar) -> tuple[float, float]:
    """P(a patient is assessed at the first visit), P(a responder is assessed up to the confirmation)."""
    there = 1 - calendar.missed_by / CERTAIN
    seen_at = np.diff(calendar.seen_by, prepend=0) / CERTAIN
    chances = len(there) - calendar.confirmation
    return float(there[0]), float((seen_at[:chances] * there[calendar.confirmation :]).sum())
