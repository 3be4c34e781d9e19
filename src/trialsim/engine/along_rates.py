"""The trial as conducted, every outcome known at once, as a function of one response rate: everybody has it.

Where response and toxicity are independent and looks pool all patients, P(go) is a product: P(no toxicity stop by the
look) times the design's own go there, at the rate of counted responses. That is a polynomial, whose averages over
Beta distributions need no quadrature. Elsewhere the chain is run at nodes that lie evenly in arcsin sqrt(rate)
(Chebyshev's), and the polynomial through them is averaged (docs/decisions/0016-doubt-and-prior.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np

from trialsim.codes import CONTINUE, FUTILE, POOLED
from trialsim.designs.by_rate import ByRate, go_by_rate, too_many_counts
from trialsim.designs.mixtures import Mixture
from trialsim.designs.rules import Looks, Rules
from trialsim.engine.exact import distribution, independent_cohorts, states
from trialsim.engine.operating import not_exact
from trialsim.kernels.tables import Float64
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import of_a_cohort
from trialsim.scenario.truth import Cells, Rates, Strata
from trialsim.timing import long_work

NODES = (64, 128, 256)
"""Rates at which the chain is run: the first, and more where that leaves too large an error."""

CLOSE = 1e-9
"""Error of a curve that is small enough."""

MAX_WORK = 5_000_000_000
"""Most that all chains of one curve compute, states times patients: some 20 seconds; beyond it there is no curve."""

QUANTITIES = ("p_go", "en", "toxicities")


class Curve(Protocol):
    """A quantity by response rate."""

    def at(self, rate: float) -> float:
        """The quantity at one rate."""

    def mean(self, prior: Mixture) -> float:
        """Its average over a prior."""

    def mean_above(self, prior: Mixture, cut: float) -> float:
        """E[quantity; rate above the cut]."""

    def mean_below(self, prior: Mixture, cut: float) -> float:
        """E[quantity; rate at most the cut]."""


@dataclass(frozen=True)
class Group:
    """Cases that assume the same toxicity and association, so that at one response rate their trials are the same."""

    cases: tuple[str, ...]
    toxicity: tuple[float, ...] | None
    odds_ratio: float

    @property
    def case(self) -> str:
        """One of them."""
        return self.cases[0]


def groups_of(trial: Compiled) -> tuple[Group, ...]:
    """The cases of a scenario by what they assume of toxicity, in the order in which they are stated."""
    if not toxicity_counts(trial.rules):
        only = next(iter(trial.strata))
        return (Group(tuple(trial.strata), _toxicity(trial, only), 1.0),)
    found: dict[object, list[str]] = {}
    for name, strata in trial.strata.items():
        key = tuple((rates.toxicity, rates.odds_ratio) for rates in strata.rates)
        found.setdefault(key, []).append(name)
    return tuple(
        Group(tuple(names), _toxicity(trial, names[0]), trial.scenario.truth[names[0]].odds_ratio)
        for names in found.values()
    )


def toxicity_counts(rules: Rules) -> bool:
    """Whether toxicity changes anything at equal response rates: who is treated where, or how the trial ends."""
    watched = any(action != CONTINUE for action in rules.monitor.action)
    return bool(rules.looks.too_toxic) or watched


def _toxicity(trial: Compiled, case: str) -> tuple[float, ...] | None:
    """Toxicity by dose as stated, averaged over strata where they differ; None where none is stated."""
    stated = trial.scenario.truth[case]
    if not stated.cohorts:
        return stated.by_dose("toxicity", len(trial.scenario.doses))
    strata = trial.strata[case]
    by_dose = np.array(strata.shares) @ np.array([rates.toxicity for rates in strata.rates])
    return tuple(by_dose.tolist())


def moved(strata: Strata, response: float) -> Strata:
    """The same truth with one response rate at every dose, in every stratum and patient: nothing drifts here."""
    rates = tuple(
        replace(each, response=(response,) * len(each.response), drift=None) for each in strata.rates
    )
    return replace(strata, rates=rates)


def effective(trial: Compiled, strata: Strata) -> Rates | Cells:
    """What a patient of these strata amounts to in an exact calculation."""
    return strata.effective(trial.calendar) if trial.in_calendar else strata.rates[0]


def values_of(trial: Compiled, strata: Strata) -> dict[str, float]:
    """Exact operating characteristics of a truth that need not be a case, every outcome known at once."""
    if trial.scenario.own_rules:
        members = [[s.cohort_name == c for s in trial.scenario.strata] for c in trial.cohorts]
        cohorts = [strata.only(which).effective(trial.calendar) for which in members]
        return independent_cohorts(trial.rules, cohorts, 0).values
    return distribution(trial.rules, effective(trial, strata)).values


def no_chain(trial: Compiled) -> str:
    """Why ``values_of`` has no answer for a trial; "" where it has one."""
    if trial.rules.randomise is not None:
        return "the doses are allocated in turn or at random, which is not averaged over what rates may be"
    return not_exact(trial)


def _once(trial: Compiled) -> int:
    """What one run of the chain computes, states times patients."""
    rules = trial.rules
    if trial.scenario.own_rules:
        rules = of_a_cohort(rules, len(trial.cohorts))
    return states(rules) * rules.most_treated


def why_not(trial: Compiled) -> str:
    """Why the trial as conducted is not worked out along rates; "" where it is."""
    if why := no_chain(trial):
        return why
    who = trial.scenario.evaluability
    if who.inevaluable == "nonresponders" and who.replaced and who.probability < 1:
        return (
            "inevaluable patients are all non-responders and replaced, so that no response rate above the evaluable "
            "share is possible, and a Beta distribution gives those some chance"
        )
    if _once(trial) * NODES[0] > MAX_WORK:
        return f"the exact chain would have to be run at {NODES[0]} response rates, which takes too long here"
    return ""


@lru_cache(maxsize=16)
def product(trial: Compiled, group: Group) -> ByRate | None:
    """P(go) in closed form; None where it has none."""
    rules, strata = trial.rules, trial.strata[group.case]
    independent = all(rates.odds_ratio == 1 for rates in strata.rates)
    apart = rules.on_dose_change == POOLED or rules.levels == 1
    if rules.replaced or rules.looks.too_toxic or trial.scenario.own_rules:
        return None
    if not independent or not apart or too_many_counts(rules.looks):
        return None
    truth = effective(trial, moved(strata, 1.0))
    counted = float(truth.counted_response()[0, 0])
    return go_by_rate(rules.looks).thinned(counted).times(not_stopped(rules, truth))


def not_stopped(rules: Rules, truth: Rates | Cells) -> tuple[float, ...]:
    """P(no toxicity stop up to the patient of each look, that patient included)."""
    n = rules.looks.planned_n
    only_toxicity = replace(rules, looks=Looks((n,), ((FUTILE,) * (n + 1),)))
    found = distribution(only_toxicity, truth)
    stopped = np.cumsum(found.n)
    at_n = found.values["p_stop_toxicity_at_n"]
    return tuple(1 - (at_n + float(stopped[n - 1]) if m == n else float(stopped[m])) for m in rules.looks.n)


@dataclass(frozen=True, eq=False)
class Through:
    """The polynomial through values at Chebyshev's nodes of [0, 1].

    Attributes:
        coefficients: of Chebyshev polynomials in 2 rate - 1.
        error: about how far it may be from the curve: the size of its last coefficients.
    """

    coefficients: Float64
    error: float

    def at(self, rate: float) -> float:
        """The value at one rate."""
        return float(np.polynomial.chebyshev.chebval(2 * rate - 1, self.coefficients))

    def mean(self, prior: Mixture) -> float:
        """The average over a prior."""
        return self.mean_below(prior, 1.0)

    def mean_above(self, prior: Mixture, cut: float) -> float:
        """E[value; rate above the cut]."""
        return self.mean(prior) - self.mean_below(prior, cut)

    def mean_below(self, prior: Mixture, cut: float) -> float:
        """E[value; rate at most the cut], by parts: value(cut) F(cut) less the integral of value' F."""
        return sum(weight * self._below(a, b, cut) for weight, a, b in prior.parts)

    def _below(self, a: float, b: float, cut: float) -> float:
        from scipy.special import betainc, betaincinv

        chebyshev = np.polynomial.chebyshev
        slope = 2 * chebyshev.chebder(self.coefficients)
        ends = betaincinv(a, b, PANELS)
        angles = np.arcsin(np.sqrt(np.unique(np.clip(np.concatenate([[0.0], ends, [cut]]), 0.0, cut))))
        x, w = np.polynomial.legendre.leggauss(POINTS)
        low, half = angles[:-1, None], np.diff(angles)[:, None] / 2
        theta = low + half * (x + 1)
        rate = np.sin(theta) ** 2
        inside = chebyshev.chebval(2 * rate - 1, slope) * betainc(a, b, rate) * np.sin(2 * theta)
        return self.at(cut) * float(betainc(a, b, cut)) - float((half * w * inside).sum())


POINTS = 40
"""Points of Gauss and Legendre between two quantiles of a Beta distribution."""

PANELS = np.array(
    [1e-15, 1e-10, 1e-7, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999, 1 - 1e-5, 1 - 1e-8]
)
"""The quantiles between which it is integrated: narrow and wide priors get the same number of points."""


def go_along(trial: Compiled, group: Group) -> tuple[Curve, float, int]:
    """P(go) by response rate, its error, and at how many rates the chain was run for it (0: in closed form)."""
    if (closed := product(trial, group)) is not None:
        return closed, 0.0, 0
    found = curves(trial, group)["p_go"]
    return found, found.error, len(found.coefficients)


@lru_cache(maxsize=16)
def curves(trial: Compiled, group: Group) -> dict[str, Through]:
    """P(go), EN and expected toxicities by response rate, through the chain at so many nodes as they need."""
    strata = trial.strata[group.case]
    once = _once(trial)
    found: dict[str, Through] = {}
    for nodes in NODES:
        if found and nodes * once > MAX_WORK:
            break
        values = np.zeros((nodes, len(QUANTITIES)))
        # evenly spread in arcsin sqrt(rate)
        rates = (1 - np.cos((np.arange(nodes) + 0.5) * np.pi / nodes)) / 2
        with long_work("exact answers along response rates", nodes) as done:
            for k, rate in enumerate(rates.tolist()):
                row = values_of(trial, moved(strata, rate))
                values[k] = [row[name] for name in QUANTITIES]
                done(k + 1)
        found = {name: _through(values[:, i]) for i, name in enumerate(QUANTITIES)}
        if found["p_go"].error < CLOSE:
            break
    return found


LAST = 8
"""Coefficients by which the error of a polynomial is judged."""


def _through(values: Float64) -> Through:
    """The polynomial through values at the nodes, by the discrete cosine transform written out."""
    nodes = len(values)
    angle = (np.arange(nodes) + 0.5) * np.pi / nodes
    # node k stands at cos(pi - angle), so that rates rise
    waves = np.cos(np.outer(np.arange(nodes), np.pi - angle))
    coefficients = 2 / nodes * waves @ values
    coefficients[0] /= 2
    return Through(coefficients, float(np.abs(coefficients[-LAST:]).sum()))
