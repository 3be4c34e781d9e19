"""Looks that weigh pending patients: the calendar's own trials against enumeration of what can be pending (posterior,
table and characteristics computed elsewhere ship as tables)."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest
from scipy.stats import binom

from tests.helpers import config, rules_of
from trialsim.codes import FUTILITY, TICKS_PER_WEEK
from trialsim.designs.pending_looks import Look, Posterior, above, cut_off_range, futile_from
from trialsim.engine.timed import Timed
from trialsim.errors import DesignError, ScenarioError
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.streams import stream_key
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse
from trialsim.scenario.pending import weighed

TRIAL = """\
schema: 1
name: Pending
endpoint: response
design: {{kind: bop2, looks: [{n1}, {n}], p0: {p0}, lambda: {lambda_}, gamma: {gamma}}}
doses: [1 mg]
conduct:
  accrual: {{per_month: {rate}}}
  assessment_weeks: [1, 2, 3, 4, 5, 6, 7, 8]
  confirmed: false
  first_seen: [0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125]
  disease_control_week: 9
  interim: pause
  pending: weigh_follow_up
  weighing: {{posterior: {posterior}, follow_up: {follow_up}, most_pending: {most}, least_weeks: {least}}}
truth:
  all: {{response: {p}, stable_disease: 1.0}}
simulation: {{replicates: 100, seed: 1}}
"""


@pytest.mark.parametrize(
    ("posterior", "follow_up", "p", "rate", "most", "least", "trials"),
    [
        ("beta", "visits", 0.2, 9, 1.0, 0, 2000),
        ("beta", "uniform", 0.4, 5, 1.0, 1.5, 1500),
        ("exact", "visits", 0.2, 5, 1.0, 2, 250),
    ],
)
def test_trials_in_calendar_time_against_enumeration(
    posterior: Posterior, follow_up: str, p: float, rate: float, most: float, least: float, trials: int
) -> None:
    """P(stop at the look) given who arrived when, enumerated trial by trial, against the trials that stopped."""
    keys = {"n1": 8, "n": 16, "p0": 0.2, "lambda_": 0.9, "gamma": 0.8}
    text = TRIAL.format(
        posterior=posterior, follow_up=follow_up, p=p, rate=rate, most=most, least=least, **keys
    )
    trial = Compiled.of(parse(text))
    rule = weighed(trial.scenario, trial.rules.looks)
    assert rule is not None
    look, _, prior = rule.looks[0], 0, rule.prior
    found, patients = Timed.of_case(trial, "all").treated(stream_key(11), 0, trials)
    stops = found[:, column.END] == FUTILITY
    expected = variance = 0.0
    for own in patients:
        starts = own[: look.n, field.STARTED]
        ages = (starts[-1] + rule.minimum - starts).tolist()
        visits = [min(age // TICKS_PER_WEEK, 8) for age in ages]
        weights = [
            v / 8 if follow_up == "visits" else min(age / (8 * TICKS_PER_WEEK), 1.0)
            for v, age in zip(visits, ages, strict=True)
        ]
        stop = 0.0
        open_ = [i for i, v in enumerate(visits) if v < 8]
        known = len(visits) - len(open_)
        for seen in product((True, False), repeat=len(open_)):
            chance = math.prod(
                p * visits[i] / 8 if has else 1 - p * visits[i] / 8
                for i, has in zip(open_, seen, strict=True)
            )
            if not chance:
                continue
            if sum(seen) > look.r:
                continue  # the design goes on whatever else is seen
            pending = [weights[i] for i, has in zip(open_, seen, strict=True) if not has]
            for y in range(min(known, look.r - sum(seen)) + 1):
                if above(rule.p0, prior, y + sum(seen), known - y, pending, posterior) < look.cut_off:
                    stop += chance * binom.pmf(y, known, p)
        expected += stop
        variance += stop * (1 - stop)
    assert abs(stops.sum() - expected) < 4 * math.sqrt(variance)
    assert 0.05 * trials < stops.sum() < 0.95 * trials


def test_with_every_outcome_known_the_design_decides() -> None:
    """Of every design that can weigh: with nobody pending a look is futile with r responses, and not with r + 1."""
    looked = 0
    for name in (
        "dasatinib",
        "bop2",
        "three-stage",
        "predictive-probability",
        "pending-looks",
    ):
        trial = Compiled(config(name), rules_of(name))
        conduct = config("pending-looks").conduct
        rule = weighed(trial.scenario.model_copy(update={"conduct": conduct}), trial.rules.looks)
        assert rule is not None
        for k, look in enumerate(rule.looks):
            for y in range(look.n + 1):
                least = rule.least(k, y, 0)
                assert (least == 0) == (y <= look.r) == (trial.rules.looks.next[k][y] == -1), (name, look, y)
            if look.r >= 0:
                low, high = cut_off_range(look.n, look.r, rule.p0, rule.prior)
                assert low < look.cut_off <= high
                looked += 1
    assert looked > 20


def test_least_ticks_are_the_least() -> None:
    looks = [Look(10, 2, 0.45), Look(15, 3, 0.675), Look(18, -1, 0.0)]
    prior, confirms = (0.2, 0.8), 0.9
    table = futile_from(looks, 0.2, prior, 5000, confirms)
    checked = 0
    for k, look in enumerate(looks):
        for y in range(look.r + 1):
            for u in range(4):
                ticks = int(table[k, y, u])
                if 0 < ticks <= look.n * 5000:
                    below, at = (
                        above(0.2, (prior[0] + confirms * u, prior[1]), y, t / 5000)
                        for t in (ticks - 1, ticks)
                    )
                    assert at < look.cut_off <= below
                    checked += 1
    assert checked > 15


FAULTS: list[tuple[str, str, str]] = [
    ("pending: weigh_follow_up", "pending: wait", "looks weigh nothing while they wait"),
    ("interim: pause", "interim: early_decision", "a look waits until every completion agrees"),
    ("follow_up: visits", "follow_up: visits, window_weeks: 8", "the visits say what weighs"),
    ("follow_up: visits", "follow_up: uniform, cutoffs: [0.99]", "contradicts its cut-off for responses"),
    ("follow_up: visits", "follow_up: uniform, cutoffs: [0.5, 0.5]", "2 for 1 interim looks"),
    ("posterior: exact", "posterior: exact, prior: [400, 600]", "600 is above 100"),
    (
        "kind: bop2, looks: [8, 16], p0: 0.2, lambda: 0.9, gamma: 0.8",
        "kind: single_stage, n: 16, r: 5",
        "no p0",
    ),
    (
        "kind: bop2, looks: [8, 16], p0: 0.2, lambda: 0.9, gamma: 0.8",
        "kind: single_stage, n: 16, r: 5, p0: 0.2",
        "no interim look",
    ),
]


@pytest.mark.parametrize(("good", "bad", "told"), FAULTS)
def test_what_cannot_be_weighed_is_refused(good: str, bad: str, told: str) -> None:
    keys: dict[str, Any] = {"n1": 8, "n": 16, "p0": 0.2, "lambda_": 0.9, "gamma": 0.8}
    text = TRIAL.format(posterior="exact", follow_up="visits", p=0.2, rate=4, most=0.5, least=0, **keys)
    assert good in text
    with pytest.raises(ScenarioError, match=told) as caught:  # where the file is read: `validate` says it too
        parse(text.replace(good, bad), "trial.yaml")
    assert str(caught.value).startswith("trial.yaml:")


def test_a_design_that_is_searched_is_refused_when_it_is_found() -> None:
    keys: dict[str, Any] = {"n1": 8, "n": 16, "p0": 0.2, "lambda_": 0.9, "gamma": 0.8}
    text = TRIAL.format(posterior="beta", follow_up="visits", p=0.2, rate=4, most=0.5, least=0, **keys)
    good = "kind: bop2, looks: [8, 16], p0: 0.2, lambda: 0.9, gamma: 0.8"
    searched = parse(text.replace(good, "kind: single_stage, p0: 0.2, p1: 0.5, alpha: 0.1, beta: 0.2"))
    with pytest.raises(DesignError, match="no interim look"):
        _ = Compiled.of(searched).calendar
