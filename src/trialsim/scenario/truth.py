"""Truth as numbers for the engines: joint cell probabilities of one patient, and integer thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trialsim.kernels.streams import threshold
from trialsim.kernels.tables import Float64, Int64
from trialsim.scenario.model import Case, Evaluability


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

    Attributes
    ----------
    response, toxicity : (K,) true rates of treated patients.
    odds_ratio : association of the two.
    evaluable : probability that a treated patient is evaluable.
    nonresponders : whether inevaluable patients are all non-responders (else independent of response).
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
