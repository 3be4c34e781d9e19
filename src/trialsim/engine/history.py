"""The type I error when the control's rate is known from so many patients only: P(go) of a drug that is no better.

The drug has exactly the control's rate, whatever that is, at every dose; the control's rate has the distribution that
``history`` states. By the design alone, and as conducted with every outcome known at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from trialsim.designs.alone import alone as itself
from trialsim.designs.by_rate import go_by_rate, too_many_counts
from trialsim.designs.mixtures import Mixture
from trialsim.designs.rules import Looks
from trialsim.engine.along_rates import Group, go_along, groups_of, why_not
from trialsim.engine.derived import more_responses_never_hurt, no_bound_because
from trialsim.scenario.believed import History
from trialsim.scenario.compiled import Compiled

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True)
class TypeI:
    """The type I error of one trial over what the control's rate may be.

    Attributes:
        at_p0: P(go) at p0; None where the design states none.
        mean: the mean type I error.
        mean_same_mean: the same over a distribution whose mean is the rate that was seen; None without counts.
        quantiles: of P(go | the control's rate); None where P(go) need not grow with the rate.
        rate_at_alpha: the rate at which P(go) is alpha; None likewise, or without alpha.
        p_above_alpha: P(type I error > alpha); None likewise.
        p_above_p0: P(the control's rate is above p0), so that the error is above what it is at p0.
        error: numerical error of the means; 0 in closed form.
        nodes: response rates at which the chain was run; 0 in closed form.
    """

    at_p0: float | None
    mean: float
    mean_same_mean: float | None
    quantiles: dict[str, float] | None
    rate_at_alpha: float | None
    p_above_alpha: float | None
    p_above_p0: float | None
    error: float = 0.0
    nodes: int = 0


@dataclass(frozen=True)
class OverHistory:
    """What the history of the control makes of the type I error.

    Attributes:
        alone: by the design alone; None where its looks are too many to work it out.
        conducted: as conducted, for each toxicity that cases assume.
        not_conducted: why there is no answer as conducted; "" where there is one.
    """

    prior: Mixture
    same_mean: Mixture | None
    alpha: float | None
    p0: float | None
    alone: TypeI | None
    conducted: tuple[tuple[Group, TypeI], ...]
    not_conducted: str

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {
            "control": str(self.prior),
            "mean_rate": self.prior.mean,
            "same_mean": self.same_mean
            and {"control": str(self.same_mean), "mean_rate": self.same_mean.mean},
            "alpha": self.alpha,
            "p0": self.p0,
            "alone": self.alone and asdict(self.alone),
            "conducted": [{**asdict(group), **asdict(found)} for group, found in self.conducted],
            "not_conducted": self.not_conducted or None,
        }


def mean_type_i_error(looks: Looks, prior: Mixture) -> float:
    """By the design alone: the mean of P(go) over the distribution of the control's rate.

    Sum over looks and responses x of n there of N B(a + x, b + n - x) / B(a, b), N the sequences that go there.
    """
    return go_by_rate(looks).mean(prior)


def over_history(trial: Compiled, history: History | None = None) -> OverHistory | None:
    """What a history of the control, by default the scenario's, makes of the type I error; None without any."""
    scenario, looks = trial.scenario, trial.rules.looks
    history = history or scenario.history
    if history is None:
        return None
    prior, same, p0 = history.distribution, history.of_the_same_mean, scenario.design.p0
    alpha = getattr(scenario.design, "alpha", None)
    alone = None
    if not too_many_counts(looks):
        alone = _type_i(
            lambda rate: itself(looks, rate).p_go,
            go_by_rate(looks).mean,
            (prior, same, alpha, p0),
            grows=more_responses_never_hurt(looks),
        )
    conducted = []
    reason = why_not(trial)
    if not reason:
        grows = p0 is not None and not no_bound_because(scenario, trial.rules)
        for group in groups_of(trial):
            along, error, nodes = go_along(trial, group)
            found = _type_i(along.at, along.mean, (prior, same, alpha, p0), grows, error, nodes)
            conducted.append((group, found))
    return OverHistory(prior, same, alpha, p0, alone, tuple(conducted), reason)


def _type_i(
    go: Callable[[float], float],
    mean: Callable[[Mixture], float],
    asked: tuple[Mixture, Mixture | None, float | None, float | None],
    grows: bool,
    error: float = 0.0,
    nodes: int = 0,
) -> TypeI:
    prior, same, alpha, p0 = asked
    at_alpha = None if alpha is None or not grows else _rate_at(go, alpha)
    return TypeI(
        at_p0=None if p0 is None else go(p0),
        mean=mean(prior),
        mean_same_mean=None if same is None else mean(same),
        quantiles={f"{100 * q:g}%": min(max(go(prior.quantile(q)), 0.0), 1.0) for q in QUANTILES}
        if grows
        else None,
        rate_at_alpha=at_alpha,
        p_above_alpha=None if at_alpha is None else prior.above(at_alpha),
        p_above_p0=None if p0 is None else prior.above(p0),
        error=error,
        nodes=nodes,
    )


def _rate_at(go: Callable[[float], float], alpha: float) -> float:
    """The rate at which a growing P(go) is alpha; 1 where it stays below, 0 where it is above throughout."""
    from scipy.optimize import brentq

    if go(1.0) <= alpha:
        return 1.0
    if go(0.0) > alpha:
        return 0.0
    return float(brentq(lambda rate: go(rate) - alpha, 0.0, 1.0, xtol=1e-14, rtol=1e-14))
