"""The response rate given the patients so far: a Beta prior, and what is known of everybody, pending or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from trialsim.kernels.tables import Float64
from trialsim.ongoing.pending import Nature, Outcome
from trialsim.ongoing.seen import Seen


@dataclass(frozen=True, eq=False)
class RatePosterior:
    """The posterior of a response rate as weights at nodes, exact for what is a polynomial times the likelihood.

    Attributes:
        rate: (Q,) nodes.
        weight: (Q,) posterior probability at each, sum 1.
        known_only: whether pending patients were left out; too low while non-responses are known sooner.
    """

    rate: Float64
    weight: Float64
    known_only: bool

    @property
    def mean(self) -> float:
        """The posterior mean."""
        return float(self.rate @ self.weight)

    def draw(self, u: float) -> float:
        """The rate whose posterior probability of a lower one is about ``u`` in (0, 1), between the nodes linearly."""
        at = np.cumsum(self.weight) - self.weight / 2
        return float(np.interp(u, at, self.rate))


def posterior(
    nature: Nature,
    patients: Sequence[Seen],
    today: date,
    prior: tuple[float, float] = (0.5, 0.5),
    *,
    known_only: bool = False,
    planned_n: int = 0,
) -> RatePosterior:
    """The posterior of the response rate; one rate at every dose.

    Likelihood p^x (1-p)^y times, for a pending patient, p S_R + (1-p) S_N, S the chance of what is known.

    Args:
        nature: the conduct's chances.
        patients: everybody so far.
        today: the cut-off day.
        prior: the Beta prior's parameters.
        known_only: leave pending patients out, which is wrong while responses take longer to be known than others.
        planned_n: patients still to be averaged over, so that a probability that depends on them is exact too.
    """
    from scipy.special import roots_jacobi

    a, b = prior
    pending: list[Outcome] = []
    for seen in patients:
        if seen.responded is not None and not (seen.inevaluable and nature.replaced):
            a, b = (a + 1, b) if seen.responded else (a, b + 1)
        elif not known_only:
            pending.append(nature.response_of(seen, today, "follow_up"))
    # Gauss: exact up to degree 2 Q - 1; a pending patient is one degree of the likelihood and one of what is averaged
    unknown = sum(seen.responded is None for seen in patients)
    still = max(planned_n - len(patients) + unknown, 0)
    nodes, weights = roots_jacobi(unknown + still // 2 + 8, b - 1, a - 1)
    rate = (1 + nodes) / 2
    likelihood = np.ones_like(rate)
    for outcome in pending:
        likelihood *= [sum(outcome.at(float(p))) for p in rate]
    weight = weights * likelihood
    return RatePosterior(rate, weight / weight.sum(), known_only)
