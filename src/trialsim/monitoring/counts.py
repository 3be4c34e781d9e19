"""What is told at a number of responses at an interim look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A case of the scenario at a count: P(the count is seen), and P(go) given it; None where there is no answer."""

    reached: float
    p_go: float | None


@dataclass(frozen=True)
class Count:
    """x responses at an interim look of n patients, and P(go) if the trial goes on from there.

    Attributes:
        decision, next_n: what the table says; the look that follows if the trial goes on, whatever the table says.
        at_rates: conditional power at each stated rate, by the design alone.
        at_observed, predictive: the same at the observed rate x/n, and averaged over the posterior of the rate.
        cases: by case, with its toxicity rule, doses and evaluability; empty where ``Aids.no_cases`` says why.
    """

    n: int
    x: int
    decision: str
    next_n: int
    at_rates: dict[str, float]
    at_observed: float
    predictive: float
    cases: dict[str, Case]
