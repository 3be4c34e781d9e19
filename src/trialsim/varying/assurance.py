"""Inputs that nobody knows, by what is believed of them: the expected power (assurance), and which belief matters.

Assurance is the probability of a go averaged over the prior (O'Hagan, Stevens & Campbell, Pharm Stat 2005;4:187-201).
Which input its spread comes from is told by Sobol's first-order and total indices (Sobol 2001; Saltelli et al. 2010).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from trialsim.kernels.tables import Float64
from trialsim.quantities import is_probability
from trialsim.results import Estimate
from trialsim.scenario.analyses import TAIL, prior_words, quantile
from trialsim.scenario.sensitivity import Prior, Priors
from trialsim.varying.analysed import Analysed, engines, plain, row_of, short, whole
from trialsim.varying.answered import SIMULATED
from trialsim.varying.evaluate import Asked, Evaluator

KIND = "priors"

SCRAMBLES = 16
"""Independently scrambled Sobol nets that the draws consist of: their spread is the error of averages and indices."""

T15 = 2.1314495455597742
"""97.5% point of Student's t with SCRAMBLES - 1 degrees of freedom."""

RESAMPLES = 300
"""Bootstrap samples (of nets) behind the error of an index."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

BINS = 20
"""Of the histogram of the quantity over the prior."""


@dataclass(frozen=True)
class Belief:
    """One input with its prior and its share of the quantity's variance, alone and with all its interactions."""

    input: str
    prior: str
    first: Estimate
    total: Estimate


@dataclass(frozen=True, repr=False)
class AssuranceResult(Analysed):
    """A quantity averaged over priors.

    Attributes:
        mean: the average over the prior, its error between scrambled nets (that of simulation included).
        reaching: probability that the quantity is at least ``at_least``; None for quantities that are no probability.
        quantiles: of the quantity over the prior.
        histogram: draws by value, BINS bins from ``lowest`` to ``highest``.
    """

    kind: ClassVar[str] = KIND

    quantity: str
    label: str
    draws: int
    points: int
    as_stated: Estimate
    mean: Estimate
    at_least: float
    reaching: Estimate | None
    quantiles: dict[float, float]
    histogram: tuple[int, ...]
    lowest: float
    highest: float
    beliefs: tuple[Belief, ...]

    @property
    def inputs(self) -> list[str]:
        """The inputs with a prior."""
        return [belief.input for belief in self.beliefs]

    def to_dict(self) -> dict[str, Any]:
        """The analysis as it stands in ``results.json``."""
        return {
            **self.about(),
            "quantity": self.quantity,
            "label": self.label,
            "draws": self.draws,
            "points": self.points,
            "as_stated": plain(self.as_stated),
            "average": whole(self.mean),
            "at_least": self.at_least,
            "p_at_least": None if self.reaching is None else whole(self.reaching),
            "quantiles": {f"{100 * q:g}%": value for q, value in self.quantiles.items()},
            "histogram": {"lowest": self.lowest, "highest": self.highest, "draws": list(self.histogram)},
            "inputs": [
                {
                    "input": belief.input,
                    "prior": belief.prior,
                    "first_order": whole(belief.first),
                    "total": whole(belief.total),
                }
                for belief in self.beliefs
            ],
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a number: the average, the chance of reaching the level, the quantiles, the indices."""
        base = {"quantity": self.quantity}
        yield {**base, "what": "as stated", **row_of(self.as_stated)}
        yield {**base, "what": "average over the prior", **whole(self.mean)}
        if self.reaching is not None:
            yield {**base, "what": f"probability of at least {self.at_least:g}", **whole(self.reaching)}
        for q, value in self.quantiles.items():
            yield {**base, "what": f"{100 * q:g}% quantile", "estimate": value}
        for belief in self.beliefs:
            about = {"input": belief.input, "prior": belief.prior}
            yield {**base, "what": "first-order index", **about, **whole(belief.first)}
            yield {**base, "what": "total index", **about, **whole(belief.total)}


def count(spec: Priors) -> int:
    """How many points the analysis works out."""
    return 1 + spec.draws * (len(spec.inputs) + (2 if len(spec.inputs) > 1 else 1))


def run(name: str, spec: Priors, evaluator: Evaluator) -> AssuranceResult:
    """Averages and indices from two samples of the prior, and those with one input exchanged (Saltelli 2010)."""
    scenario, quantity = evaluator.scenario, spec.quantity
    asked = Asked.by(spec, scenario)
    (stated,) = evaluator(asked, [{}])
    asked = replace(asked, replicates=spec.replicates, adjusted=False)
    samples = []
    engine = ""
    for r in range(SCRAMBLES):
        one, other = _draws(spec, evaluator.seed, r)
        mixed = [np.where(np.arange(len(spec.inputs)) == i, other, one) for i in range(len(spec.inputs))]
        points = [
            dict(zip(spec.inputs, row, strict=True))
            for sample in (one, other, *mixed)
            for row in sample.tolist()
        ]
        # each net has patients of its own, so that the spread between nets holds the error of simulation too
        answers = evaluator(replace(asked, seed=(evaluator.seed + r) % 2**63), points)
        engine = engines(answers)
        values = np.array([answer[quantity].estimate for answer in answers])
        samples.append(values.reshape(len(spec.inputs) + 2, -1))
    found = np.stack(samples)  # (nets, A, B and mixed, draws of a net)
    beliefs = _beliefs(spec, found, evaluator.seed)
    drawn = found[:, :2]
    inside = is_probability(quantity)
    low, high = (0.0, 1.0) if inside else (float(drawn.min()), float(drawn.max()))
    varies = high - low > 1e-9 * max(abs(high), 1.0)  # by more than rounding
    return AssuranceResult(
        scenario,
        name,
        asked.case,
        engine,
        spec.replicates if engine == SIMULATED else None,
        quantity,
        short(scenario, quantity),
        spec.draws,
        found.size,
        stated[quantity],
        between(drawn.mean(axis=(1, 2)), inside),
        spec.at_least,
        between((drawn >= spec.at_least).mean(axis=(1, 2)), True) if inside else None,
        {q: float(np.quantile(drawn, q)) for q in QUANTILES},
        tuple(np.histogram(drawn, BINS, (low, high if varies else low + 1))[0].tolist()),
        low,
        high,
        beliefs,
    )


def between(means: Float64, inside: bool) -> Estimate:
    """The mean of independent means, its standard error and 95% interval (Student's t)."""
    middle, error = float(means.mean()), float(means.std(ddof=1)) / math.sqrt(len(means))
    low, high = middle - T15 * error, middle + T15 * error
    return Estimate(middle, error, max(low, 0.0) if inside else low, min(high, 1.0) if inside else high)


def _draws(spec: Priors, seed: int, r: int) -> tuple[Float64, Float64]:
    """Two samples (draws of a net, inputs) from the r-th scrambled net."""
    from scipy.stats import qmc

    size = len(spec.inputs)
    net = qmc.Sobol(2 * size, seed=np.random.default_rng([seed, r]))
    u = np.clip(net.random(spec.draws // SCRAMBLES), TAIL, 1 - TAIL)
    priors = list(spec.inputs.values())
    values = np.column_stack([_quantiles(priors[c % size], u[:, c]) for c in range(2 * size)])
    return values[:, :size], values[:, size:]


def _quantiles(prior: Prior, u: Float64) -> Float64:
    return np.array([quantile(prior, each) for each in u.tolist()])


def _beliefs(spec: Priors, nets: Float64, seed: int) -> tuple[Belief, ...]:
    """Sobol indices by scipy from nets (nets, A, B and mixed, draws); one input alone is all there is.

    Errors by bootstrap over nets, which keep the evenness that single draws would lose; intervals by Student's t.
    """
    names = [(path, prior_words(prior)) for path, prior in spec.inputs.items()]
    if len(names) == 1:
        all_of_it = Estimate(1.0, 0.0, 1.0, 1.0)
        return (Belief(*names[0], all_of_it, all_of_it),)
    point = _indices(nets)
    rng = np.random.default_rng(seed)
    again = np.stack([_indices(nets[rng.integers(SCRAMBLES, size=SCRAMBLES)]) for _ in range(RESAMPLES)])
    error = again.std(axis=0, ddof=1) * math.sqrt(SCRAMBLES / (SCRAMBLES - 1))
    low, high = point - T15 * error, point + T15 * error
    found = [
        [Estimate(*map(float, (point[k, i], error[k, i], low[k, i], high[k, i]))) for k in (0, 1)]
        for i in range(len(names))
    ]
    return tuple(Belief(*name, *both) for name, both in zip(names, found, strict=True))


def _indices(nets: Float64) -> Float64:
    """(2, inputs) first-order and total indices of rows A, B, A with each input from B."""
    from scipy.stats import sobol_indices

    values = np.concatenate(list(nets), axis=1)
    found = sobol_indices(
        func={"f_A": values[:1], "f_B": values[1:2], "f_AB": values[2:, None, :]}, n=values.shape[1]
    )
    return np.stack([found.first_order, found.total_order])
