"""Truth as numbers for the engines: joint cell probabilities of one patient, and integer thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trialsim.kernels.tables import SERIOUS, STABLE, TOXIC, Calendar, Float64, Int64, threshold
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
        response, toxicity: (K,) true rates of treated patients.
        odds_ratio: association of the two.
        evaluable: probability that a treated patient is evaluable.
        nonresponders: whether inevaluable patients are all non-responders (else independent of response).
    """

    response: tuple[float, ...]
    toxicity: tuple[float, ...]
    odds_ratio: float = 1.0
    evaluable: float = 1.0
    nonresponders: bool = False

    @classmethod
    def of(cls, case: Case, evaluability: Evaluability, levels: int) -> Rates:
        """The rates of a case; toxicity that is not stated never happens."""
        response = case.by_dose("response", levels)
        assert response is not None
        return cls(
            response=response,
            toxicity=case.by_dose("toxicity", levels) or (0.0,) * levels,
            odds_ratio=case.odds_ratio,
            evaluable=evaluability.probability,
            nonresponders=evaluability.inevaluable == "nonresponders",
        )

    def _evaluable_given_response(self, p_response: float) -> tuple[float, float]:
        """P(evaluable | no response), P(evaluable | response)."""
        if not self.nonresponders:
            return self.evaluable, self.evaluable
        if p_response == 1:
            return 1.0, 1.0
        return (self.evaluable - p_response) / (1 - p_response), 1.0

    def _toxicity_given_response(self, level: int) -> tuple[float, float]:
        """P(toxicity | no response), P(toxicity | response)."""
        p_response, p_toxicity = self.response[level], self.toxicity[level]
        both = plackett(p_response, p_toxicity, self.odds_ratio)
        without = (p_toxicity - both) / (1 - p_response) if p_response < 1 else p_toxicity
        return min(max(without, 0.0), 1.0), both / p_response if p_response > 0 else p_toxicity

    def cells(self, replaced: bool) -> Float64:
        """(K, 6) probabilities of a patient: inevaluable without / with toxicity; evaluable without response,
        without / with toxicity; evaluable with response, without / with toxicity.

        Unless inevaluable patients are replaced they count as non-responses, and the first two cells are empty.
        """
        table = np.zeros((len(self.response), 6))
        for level, p in enumerate(self.response):
            toxic = self._toxicity_given_response(level)
            evaluable = self._evaluable_given_response(p)
            for response, share in ((0, 1 - p), (1, p)):
                for t, q in ((0, 1 - toxic[response]), (1, toxic[response])):
                    table[level, 2 + 2 * response + t] += share * q * evaluable[response]
                    table[level, (0 if replaced else 2) + t] += share * q * (1 - evaluable[response])
        return table

    def thresholds(self) -> Int64:
        """(K, 5) integers t with P(32-bit word < t) = response; toxicity given no response, given response;
        evaluable given no response, given response."""
        rows = [
            (p, *self._toxicity_given_response(level), *self._evaluable_given_response(p))
            for level, p in enumerate(self.response)
        ]
        return np.array([[threshold(q) for q in row] for row in rows], dtype=np.int64)

    def counted_response(self) -> tuple[float, ...]:
        """(K,) probability that a treated patient is an evaluable responder."""
        return self.response if self.nonresponders else tuple(p * self.evaluable for p in self.response)


@dataclass(frozen=True)
class Cells:
    """A patient as joint probabilities, which is all that an exact calculation needs; has what it asks of ``Rates``.

    ``table`` (K, 6) is ordered as ``Rates.cells`` with inevaluable patients kept apart.
    """

    table: tuple[tuple[float, ...], ...]

    def cells(self, replaced: bool) -> Float64:
        """(K, 6) as ``Rates.cells``."""
        table = np.array(self.table)
        if not replaced:
            table[:, 2:4] += table[:, :2]
            table[:, :2] = 0
        return table

    def counted_response(self) -> tuple[float, ...]:
        """(K,) probability that a treated patient is an evaluable responder."""
        return tuple(row[4] + row[5] for row in self.table)

    @property
    def toxicity(self) -> tuple[float, ...]:
        """(K,) true toxicity rates."""
        return tuple(row[1] + row[3] + row[5] for row in self.table)

    @property
    def evaluable(self) -> tuple[float, ...]:
        """(K,) probabilities of being evaluable."""
        return tuple(sum(row[2:]) for row in self.table)


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
    def of(cls, scenario: Scenario, case_name: str) -> Strata:
        """The strata of a case; what it does not state never happens."""
        levels, strata = len(scenario.doses), scenario.strata
        cases = [scenario.truth[case_name].within(s.name, s.cohort_name) for s in strata]
        total = sum(s.share for s in strata)
        never = (0.0,) * levels
        return cls(
            shares=tuple(s.share / total for s in strata),
            rates=tuple(Rates.of(case, scenario.evaluability, levels) for case in cases),
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

    def cells(self, replaced: bool) -> Float64:
        """(K, 6) probabilities of a patient of any stratum, as in ``Rates.cells``; nobody withdraws."""
        tables = [rates.cells(replaced) for rates in self.rates]
        return np.asarray(np.tensordot(np.array(self.shares), np.stack(tables), axes=1))

    def effective(self, calendar: Calendar) -> Cells:
        """What a patient of any stratum amounts to, where patients withdraw from assessments.

        Who withdraws before the first visit is inevaluable; a responder who withdraws before the confirmation is an
        evaluable non-responder.
        """
        first, confirmed = attendance(calendar)
        stated = self.cells(replaced=True)
        none, some = stated[:, 2:4], stated[:, 4:6]
        lost = (1 - first) * (none + some)
        table = np.hstack([stated[:, :2] + lost, first * none + (first - confirmed) * some, confirmed * some])
        return Cells(tuple(map(tuple, table.tolist())))

    def thresholds(self) -> Int64:
        """(K, S, 8) integers t with P(32-bit word < t) = probability, from ``kernels.tables.RESPONSE`` on."""
        levels, strata = len(self.stable[0]), len(self.shares)
        table = np.zeros((levels, strata, 8), dtype=np.int64)
        for s, rates in enumerate(self.rates):
            table[:, s, :SERIOUS] = rates.thresholds()
            for level, toxicity in enumerate(rates.toxicity):
                serious = self.serious[s][level]
                table[level, s, SERIOUS] = threshold(serious / toxicity) if toxicity > 0 else 0
                table[level, s, STABLE] = threshold(self.stable[s][level])
                table[level, s, TOXIC] = threshold(toxicity)
        return table


def attendance(calendar: Calendar) -> tuple[float, float]:
    """P(a patient is assessed at the first visit), P(a responder is assessed up to the confirmation)."""
    there = 1 - calendar.missed_by / CERTAIN
    seen_at = np.diff(calendar.seen_by, prepend=0) / CERTAIN
    chances = len(there) - calendar.confirmation
    return float(there[0]), float((seen_at[:chances] * there[calendar.confirmation :]).sum())
