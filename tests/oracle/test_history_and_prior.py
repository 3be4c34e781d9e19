"""Mean type I error and Bayesian operating characteristics against slow twins that share no code with them.

The twins: every outcome sequence of a small trial, in plain Python, whose probability is averaged over a Beta
distribution by scipy's adaptive quadrature; and the exact chain rate by rate under the same quadrature.
"""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import pytest
from pydantic import TypeAdapter
from scipy.integrate import quad
from scipy.stats import beta as beta_of

from tests.helpers import config
from trialsim.codes import GO
from trialsim.designs.alone import alone
from trialsim.designs.by_rate import en_by_rate, go_by_rate
from trialsim.designs.mixtures import Mixture
from trialsim.designs.rules import Looks, two_way
from trialsim.engine.along_rates import curves, groups_of, moved, product, values_of
from trialsim.engine.bayesian import over_prior
from trialsim.engine.history import over_history
from trialsim.engine.operating import exact
from trialsim.scenario.believed import DrugPrior, History
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

TWO_STAGE = two_way((3, 7), (0, 2), (None, 2))
EARLY_GO = two_way((2, 4, 7), (-1, 0, 2), (1, 2, 2))
JUMPS = Looks((3, 5, 8), ((-2, 1, 2, -1), (-2,) * 2 + (-1,) * 4, (-2,) * 4 + (-1,) * 5))


def ends(looks: Looks) -> list[tuple[int, int, int]]:
    """(patients, responses, decision) of each of the 2^n sequences, found by walking it."""
    found = []
    for sequence in itertools.product((0, 1), repeat=looks.n[-1]):
        k = 0
        while True:
            x = sum(sequence[: looks.n[k]])
            decision = looks.next[k][x]
            if decision < 0:
                found.append((looks.n[k], x, decision, sum(sequence)))
                break
            k = decision
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("looks", [TWO_STAGE, EARLY_GO, JUMPS])
@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1.5, 19.5), (30, 70)])
def test_closed_form_is_the_sum_over_sequences(looks: Looks, a: float, b: float) -> None:
    total = looks.n[-1]

    def average(count: Any, low: float, high: float) -> float:
        """E[sum of count over sequences; rate in (low, high)] by quadrature over the rate."""

        def inside(p: float) -> float:
            of = (count(n, d) * p**y * (1 - p) ** (total - y) for n, _, d, y in every)
            return sum(of) * float(beta_of.pdf(p, a, b))

        return float(quad(inside, low, high, epsabs=1e-12, epsrel=1e-10, limit=200)[0])

    every = ends(looks)
    prior = Mixture.of((1, a, b))
    go = go_by_rate(looks)
    is_go = lambda _, decision: float(decision == GO)  # noqa: E731 - one line says it
    assert go.mean_below(prior, 0.2) == pytest.approx(average(is_go, 0, 0.2), abs=1e-9)
    assert go.mean_above(prior, 0.2) == pytest.approx(average(is_go, 0.2, 1), abs=1e-9)
    assert go.mean(prior) == pytest.approx(go.mean_below(prior, 0.2) + go.mean_above(prior, 0.2), abs=1e-14)
    assert en_by_rate(looks).mean(prior) == pytest.approx(
        average(lambda n, _: n, 0, 0.2) + average(lambda n, _: n, 0.2, 1), abs=1e-8
    )
    for p in (0.0, 0.05, 0.5, 1.0):
        assert go.at(p) == pytest.approx(alone(looks, p).p_go, abs=1e-14)


def small(**keys: Any) -> Compiled:
    """A small trial of two doses with a toxicity rule."""
    scenario = {
        "schema": 1, "name": "small", "endpoint": "response",
        "design": {"kind": "simon", "n1": 5, "r1": 0, "n": 12, "r": 2, "p0": 0.1, "p1": 0.4},
        "doses": ["higher", "lower"],
        "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.2}},
        "evaluability": {"probability": 0.9},
        "truth": {"case": {"response": 0.1, "toxicity": [0.5, 0.3]}},
    } | keys  # fmt: skip
    return Compiled.of(parse(json.dumps(scenario), "small.yaml"))


ASSOCIATED = {"truth": {"case": {"response": 0.1, "toxicity": [0.5, 0.3], "odds_ratio": 3}}}
REPLACED = {"evaluability": {"probability": 0.9, "replaced": True}}
RESTART = {
    "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.2}, "on_dose_change": "restart"}
}
STRATA = {
    "cohorts": {"strata": [{"name": "a", "share": 0.4}, {"name": "b", "share": 0.6}]},
    "truth": {"case": {"response": 0.1, "toxicity": 0.3, "cohorts": {"a": {"toxicity": 0.6}}}},
}
OWN = {
    "cohorts": {"rules": "own", "strata": [{"name": "a", "share": 0.4}, {"name": "b", "share": 0.6}]},
    "doses": ["one"], "dose_reduction": {"rule": {"kind": "none"}},
    "truth": {"case": {"response": 0.1}},
}  # fmt: skip
TRIALS = {
    "plain": {},
    "associated": ASSOCIATED,
    "replaced": REPLACED,
    "restart": RESTART,
    "strata": STRATA,
    "own": OWN,
}


@pytest.mark.parametrize("name", TRIALS)
def test_as_conducted_is_the_chain_averaged_rate_by_rate(name: str) -> None:
    a, b, trial = 2.5, 8.5, small(**TRIALS[name])
    (group,) = groups_of(trial)

    def chain(p: float, quantity: str = "p_go") -> float:
        return values_of(trial, moved(trial.strata["case"], p))[quantity]

    closed, through = product(trial, group), curves(trial, group)
    assert (closed is not None) == (name in ("plain", "strata"))
    prior = Mixture.of((1, a, b))
    for low, high in ((0.0, 0.25), (0.25, 1.0)):
        twin = quad(lambda p: chain(p) * float(beta_of.pdf(p, a, b)), low, high, epsabs=1e-9, epsrel=1e-8)[0]
        for found in filter(None, (closed, through["p_go"])):
            part = found.mean_below(prior, 0.25) if low == 0 else found.mean_above(prior, 0.25)
            assert part == pytest.approx(twin, abs=1e-8)
    en = quad(lambda p: chain(p, "en") * float(beta_of.pdf(p, a, b)), 0, 1, epsabs=1e-7, epsrel=1e-8)[0]
    assert through["en"].mean(prior) == pytest.approx(en, abs=1e-6)
    for p in (0.03, 0.31, 0.77):
        assert abs(through["p_go"].at(p) - chain(p)) <= max(through["p_go"].error, 1e-12)


@pytest.mark.parametrize("name", [name for name in TRIALS if name != "strata"])
def test_a_prior_at_one_point_is_the_plain_case(name: str) -> None:
    trial = small(**TRIALS[name])
    stated = trial.scenario.truth["case"]
    plain = exact(trial)["case"].exact
    assert plain is not None
    point = {"weight": 1, "response": 0.1, "odds_ratio": stated.odds_ratio}
    if stated.toxicity is not None:
        point["toxicity"] = list(stated.by_dose("toxicity", len(trial.scenario.doses)) or ())
    prior = TypeAdapter(DrugPrior).validate_json(json.dumps({"points": [point], "active": "above_p0"}))
    found = over_prior(trial, prior)
    assert found is not None and found.alone is not None
    ((_, numbers),) = found.conducted
    assert numbers.assurance == plain.values["p_go"]
    assert numbers.en == plain.values["en"]
    assert numbers.average_type_i_error == numbers.p_go_and_inactive == numbers.assurance
    # at the cut itself a drug is not above it, and what is given an active drug does not exist
    assert numbers.p_active == 0 and numbers.average_power is None and numbers.p_active_given_go == 0
    assert found.alone.assurance == alone(trial.rules.looks, 0.1).p_go


def test_a_narrow_history_is_p0_itself() -> None:
    trial = small()
    found = over_history(trial, TypeAdapter(History).validate_python({"beta": [1e5, 9e5]}))
    assert found is not None and found.alone is not None and found.alone.at_p0 is not None
    for of in (found.alone, found.conducted[0][1]):
        assert of.mean == pytest.approx(of.at_p0, rel=1e-4)
    # the error of the average is that of the second derivative times the variance
    p, h, go = 0.1, 1e-3, go_by_rate(trial.rules.looks)
    bend = (go.at(p + h) - 2 * go.at(p) + go.at(p - h)) / h**2
    variance = p * (1 - p) / (1e6 + 1)
    assert found.alone.mean - found.alone.at_p0 == pytest.approx(bend * variance / 2, rel=1e-2)


def test_rates_at_the_cut_are_compared_as_written() -> None:
    at_least = TypeAdapter(DrugPrior).validate_python({"beta": (1, 1), "active": "at_least_p1"})
    above = TypeAdapter(DrugPrior).validate_python({"beta": (1, 1), "active": "above_p0"})
    third = 0.1 + 0.2  # .30000000000000004, which nobody writes
    assert at_least.is_active((0.3,), None, 0.3) and not above.is_active((0.3,), None, 0.3)
    assert above.is_active((third,), None, 0.3) and not at_least.is_active((0.3,), None, third)
    both = at_least.model_copy(update={"dose": "both", "tolerable": 0.4})
    assert both.is_active((0.4, 0.3), (0.4, 0.1), 0.3)
    assert not both.is_active((0.4, 0.29), (0.4, 0.1), 0.3) and not both.is_active(
        (0.4, 0.3), (0.41, 0.1), 0.3
    )
    last = at_least.model_copy(update={"dose": "last"})
    assert last.is_active((0.1, 0.3), None, 0.3) and not last.is_active((0.3, 0.1), None, 0.3)


def test_quantiles_of_a_mixture() -> None:
    mixture = Mixture.of((0.8, 5.5, 95.5), (0.2, 1, 9))
    for u in (1e-6, 0.1, 0.5, 0.95, 1 - 1e-6):
        assert mixture.below(mixture.quantile(u)) == pytest.approx(u, rel=1e-9)
        assert mixture.above(mixture.quantile(u)) == pytest.approx(1 - u, rel=1e-6)
    assert math.isclose(mixture.mean, 0.8 * 5.5 / 101 + 0.2 * 0.1)


def test_a_drift_of_a_case_is_not_in_the_averages() -> None:
    """The control's rate is one rate: what a case says of a drift does not move it."""
    drifting = {"truth": {"case": {"response": 0.1, "toxicity": [0.5, 0.3], "drift": 0.3}}}
    history = TypeAdapter(History).validate_python({"beta": [2.0, 18.0]})
    plain, drifts = over_history(small(), history), over_history(small(**drifting), history)
    assert plain is not None and drifts is not None
    assert plain.conducted[0][1] == drifts.conducted[0][1]


@pytest.mark.parametrize("name", ["dose-decision", "two-doses-randomised"])
def test_doses_that_are_allocated_have_no_number_as_conducted_but_a_reason(name: str) -> None:
    trial = Compiled.of(config(name))
    history = TypeAdapter(History).validate_python({"beta": [2.0, 18.0]})
    points = [{"weight": 1, "response": [0.2, 0.1], "toxicity": [0.4, 0.3]}]
    prior = TypeAdapter(DrugPrior).validate_json(json.dumps({"points": points, "active": {"above": 0.1}}))
    over, believed = over_history(trial, history), over_prior(trial, prior)
    assert over is not None and believed is not None
    allocated = trial.rules.randomise is not None
    for found in (over, believed):
        assert bool(found.conducted) != allocated
        assert ("allocated" in found.not_conducted) == allocated
    assert over.alone is not None and believed.alone is not None
