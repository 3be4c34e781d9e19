"""Sensitivity analyses against answers known by other means: sums over outcomes, quadrature, and the exact engine.

Limits were fixed beforehand: an average over the prior within 4 of its own standard errors, which must be below 2e-4;
Sobol indices within 4 of theirs, below .02, of direct integration; simulated points within 4 of
theirs of exact answers.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import roots_jacobi, roots_legendre

from tests.helpers import CONFIGS
from trialsim.engine.operating import exact
from trialsim.reporting.sensitivity import document
from trialsim.scenario.changes import changed
from trialsim.scenario.files import load, parse
from trialsim.scenario.model import Scenario
from trialsim.varying import evaluate
from trialsim.varying.answered import EXACT, SIMULATED
from trialsim.varying.assess import assess
from trialsim.varying.assurance import Belief
from trialsim.varying.evaluate import Asked, Evaluator

SIMON = "{kind: simon, n1: 25, r1: 1, n: 70, r: 6}"
SINGLE = "{kind: single_stage, n: 37, r: 3}"


def scenario(design: str, block: str, truth: str = "{response: 0.15}") -> Scenario:
    return parse(
        f"""schema: 1
name: test
endpoint: response
design: {design}
truth:
  drug: {truth}
sensitivity:
  {block}
simulation: {{seed: 7}}
"""
    )


def two_stage_go(n1: int, r1: int, n: int, r: int, a: float, b: float) -> float:
    """P(go) over a Beta(a, b) prior as a sum of beta-binomial probabilities of the outcomes that lead to a go."""
    total = 0.0
    for x1 in range(r1 + 1, n1 + 1):
        first = stats.betabinom.pmf(x1, n1, a, b)
        # given stage 1, stage 2 is beta-binomial with the updated prior
        total += first * stats.betabinom.sf(r - x1, n - n1, a + x1, b + n1 - x1)
    return float(total)


def agrees(belief: Belief, first: float, total: float) -> None:
    """Both indices within 4 of their standard errors of what they are, and those errors small."""
    for index, known in ((belief.first, first), (belief.total, total)):
        assert index.mcse < 0.02
        assert abs(index.estimate - known) < 4 * index.mcse


@pytest.mark.parametrize(
    ("design", "known"),
    [
        (SIMON, two_stage_go(25, 1, 70, 6, 6, 34)),
        (SINGLE, float(stats.betabinom.sf(3, 37, 6, 34))),
    ],
)
def test_assurance_is_the_beta_binomial_sum(design: str, known: float) -> None:
    found = assess(
        scenario(design, "priors: {p: {inputs: {truth.drug.response: {beta: [6, 34]}}, draws: 1024}}")
    )["p"]
    assert found.engine == EXACT
    assert found.mean.mcse < 2e-4
    assert abs(found.mean.estimate - known) < 4 * found.mean.mcse + 1e-6  # 1e-6: the tails that are left out
    assert (
        found.beliefs[0].first.estimate == found.beliefs[0].total.estimate == 1
    )  # the one input is all there is


def test_probability_of_reaching_a_level_is_that_of_the_rates_that_reach_it() -> None:
    from scipy.optimize import brentq

    stated = scenario(SINGLE, "priors: {p: {inputs: {truth.drug.response: {beta: [6, 34]}}, draws: 1024}}")
    found = assess(stated)["p"]
    rate = brentq(lambda p: stats.binom.sf(3, 37, p) - 0.8, 0.01, 0.9)
    known = float(stats.beta.sf(rate, 6, 34))
    assert found.reaching.mcse < 5e-3
    assert abs(found.reaching.estimate - known) < 4 * found.reaching.mcse


def test_sobol_indices_of_a_product() -> None:
    """Expected responses are n x rate x evaluable share, whose variance splits by algebra."""
    block = (
        "priors: {p: {quantity: responses, draws: 2048, inputs: {truth.drug.response: {beta: [6, 34]}, "
        "evaluability.probability: {uniform: [0.5, 1]}}}}"
    )
    found = assess(scenario(SINGLE, block))["p"]
    rate, share = stats.beta(6, 34), stats.uniform(0.5, 0.5)
    moments = [(d.mean(), d.var()) for d in (rate, share)]
    (m1, v1), (m2, v2) = moments
    whole = v1 * v2 + v1 * m2**2 + v2 * m1**2
    first = (v1 * m2**2 / whole, v2 * m1**2 / whole)
    assert found.mean.estimate == pytest.approx(37 * m1 * m2, abs=4 * found.mean.mcse)
    for k, belief in enumerate(found.beliefs):
        agrees(belief, first[k], 1 - first[1 - k])


def test_sobol_indices_of_p_go_against_quadrature() -> None:
    """P(go) of 1/25 6/70 by response and evaluable share, integrated by Gauss-Jacobi and Gauss-Legendre."""
    block = (
        "priors: {p: {draws: 2048, inputs: {truth.drug.response: {beta: [6, 34]}, "
        "evaluability.probability: {uniform: [0.4, 1]}}}}"
    )
    found = assess(scenario(SIMON, block))["p"]
    x, wx = roots_jacobi(60, 33, 5)  # weight (1 - x)^33 (1 + x)^5: Beta(6, 34) on (-1, 1)
    y, wy = roots_legendre(20)
    rates, shares = (x + 1) / 2, 0.7 + 0.3 * y
    wx, wy = wx / wx.sum(), wy / wy.sum()
    x1 = np.arange(2, 26)
    p = np.multiply.outer(rates, shares)[..., None]
    go = (stats.binom.pmf(x1, 25, p) * stats.binom.sf(6 - x1, 45, p)).sum(axis=-1)
    mean = wx @ go @ wy
    by_rate, by_share = go @ wy, wx @ go
    whole = wx @ go**2 @ wy - mean**2
    first = ((wx @ by_rate**2 - mean**2) / whole, (by_share**2 @ wy - mean**2) / whole)
    assert abs(found.mean.estimate - mean) < 4 * found.mean.mcse + 1e-6
    assert found.mean.mcse < 2e-4
    for k, belief in enumerate(found.beliefs):
        agrees(belief, first[k], 1 - first[1 - k])


def test_an_input_that_does_nothing_has_no_share() -> None:
    inputs = "{truth.drug.response: {beta: [6, 34]}, truth.drug.toxicity: {beta: [2, 4]}}"
    block = f"priors: {{p: {{draws: 256, inputs: {inputs}}}}}"
    found = assess(scenario(SINGLE, block, "{response: 0.15, toxicity: 0.3}"))["p"]
    assert found.beliefs[1].first.estimate == pytest.approx(0, abs=1e-9)
    assert found.beliefs[1].total.estimate == pytest.approx(0, abs=1e-9)


def test_exact_points_are_those_of_the_exact_engine() -> None:
    stated = load(CONFIGS / "dasatinib.yaml")
    untimed = changed(stated, {"conduct": None})
    points = [
        {},
        {"truth.active.response": 0.11},
        {"truth.active.toxicity[0]": 0.6, "evaluability.probability": 0.9},
        {"truth.*.odds_ratio": 4},
        {"dose_reduction.rule.limit": 0.25},
        {"evaluability.replaced": True},
    ]
    answers = Evaluator(untimed)(Asked("active"), points)
    for point, answer in zip(points, answers, strict=True):
        known = exact(changed(untimed, point), totals=False)["active"].exact
        assert known is not None
        assert answer.engine == EXACT
        assert answer.values == known.values
    (twin,) = Evaluator(stated)(Asked("active", engine="at_once"), [{}])
    known = exact(stated, totals=False)["active"].at_once.exact  # type: ignore[union-attr]
    assert twin.values == known.values  # type: ignore[union-attr]


SIMULATED_BLOCK = """tornado:
    t:
      case: active
      quantities: [p_go, en]
      inputs: {"truth.active.response": [0.25, 0.35], "truth.active.toxicity[0]": [0.2, 0.5]}
  grids:
    g: {case: active, over: {truth.active.response: [0.2, 0.3, 0.4]}}
  thresholds:
    h: {case: active, input: truth.active.response, from: 0.5, to: 0.1, below: 0.6}
  worst_case:
    w: {case: inactive, worst: highest, over: {truth.inactive.odds_ratio: [0.25, 4]}}
"""


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> tuple[object, object]:
    """The same analyses exactly, and simulated as if there were no exact answer."""
    text = (CONFIGS / "teaching.yaml").read_text(encoding="utf-8") + f"sensitivity:\n  {SIMULATED_BLOCK}"
    stated = parse(text)
    known = assess(stated)
    monkeypatch.setattr(evaluate, "not_exact", lambda *_: "for the sake of this test")
    return known, assess(stated, replicates=40_000, seed=11)


def test_simulated_analyses_agree_with_exact_ones(both) -> None:  # type: ignore[no-untyped-def]
    known, drawn = both
    assert known["t"].engine == EXACT
    assert drawn["t"].engine == SIMULATED
    for one, other in zip(known["t"].panels, drawn["t"].panels, strict=True):
        bars = {bar.input: bar for bar in other.bars}
        assert other.base.estimate == pytest.approx(one.base.estimate, abs=4 * other.base.mcse)
        for bar in one.bars:
            for k in (0, 1):
                difference = bars[bar.input].differences[k]
                assert difference.estimate == pytest.approx(
                    bar.differences[k].estimate, abs=4 * difference.mcse
                )
                # patients in common: a smaller error than that of two trials with patients of their own
                assert bars[bar.input].paired
                assert difference.mcse < bars[bar.input].ends[k].mcse * 2**0.5
    for one, other in zip(known["g"].answers, drawn["g"].answers, strict=True):
        assert other.estimate == pytest.approx(one.estimate, abs=4 * other.mcse)
    (at,), (found,) = known["h"].crossings, drawn["h"].crossings
    assert found.low < found.at < found.high
    assert abs(found.at - at.at) < 2.1 * (found.high - found.low) / 2  # 4 standard errors
    assert drawn["w"].answer.estimate == pytest.approx(
        known["w"].answer.estimate, abs=4 * drawn["w"].answer.mcse
    )


def test_threshold_is_where_the_exact_quantity_meets_the_limit() -> None:
    block = "thresholds: {t: {input: truth.drug.response, from: 0.5, to: 0.01, below: 0.9}}"
    found = assess(scenario(SINGLE, block))["t"]
    (crossing,) = found.crossings
    assert stats.binom.sf(3, 37, crossing.at) == pytest.approx(0.9, abs=1e-6)
    assert crossing.into
    assert found.monotone
    assert document(found)["sentences"][0].startswith("Going from 0.5 to 0.01, “response” may reach 0.1")


def test_threshold_that_is_never_or_always_passed() -> None:
    never = assess(
        scenario(SINGLE, "thresholds: {t: {input: truth.drug.response, from: 0.3, to: 0.5, below: 0.5}}")
    )
    assert not never["t"].crossings
    assert "is not below 0.5 at any of the 17 values" in document(never["t"])["sentences"][0]
    always = assess(
        scenario(SINGLE, "thresholds: {t: {input: truth.drug.response, from: 0.3, to: 0.5, above: 0.5}}")
    )
    assert not always["t"].crossings
    assert "is above 0.5 at all 17 values" in document(always["t"])["sentences"][0]


def test_threshold_over_whole_numbers() -> None:
    """The least r of 37 patients at which P(go) at 15% is below .5, by the binomial distribution."""
    found = assess(scenario(SINGLE, "thresholds: {t: {input: design.r, from: 0, to: 30, below: 0.5}}"))["t"]
    least = next(r for r in range(37) if stats.binom.sf(r, 37, 0.15) < 0.5)
    assert [crossing.at for crossing in found.crossings] == [least]


def test_worst_case_inside_the_ranges_is_found() -> None:
    """A quantity with its largest value inside: the toxicities of a trial that stops for them."""
    text = (CONFIGS / "teaching.yaml").read_text(encoding="utf-8")
    over = "over: {truth.active.toxicity: [0.05, 0.95]}"
    block = (
        f"sensitivity: {{worst_case: {{w: {{case: active, quantity: toxicities, worst: highest, {over}}}}}}}"
    )
    found = assess(parse(text + block))["w"]
    rates = np.linspace(0.05, 0.95, 901)
    asked = Asked("active")
    dense = Evaluator(parse(text))(asked, [{"truth.active.toxicity": float(rate)} for rate in rates])
    largest = max(answer["toxicities"].estimate for answer in dense)
    assert not found.corner
    assert found.answer.estimate >= largest - 1e-9
    assert found.answer.estimate == pytest.approx(largest, abs=1e-3)
