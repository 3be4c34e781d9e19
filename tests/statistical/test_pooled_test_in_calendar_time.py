"""Waiting, lags and holds never push P(go) of the pooled test above its attained type I error (docs/pooled-test.md)."""

from __future__ import annotations

import itertools
import math

import pytest

import trialsim
from tests.helpers import first_of
from trialsim.scenario.files import parse

TEXT = """
schema: 1
name: at p0
endpoint: response
design: {{kind: simon, n1: 25, r1: 1, n: 70, r: 6, p0: 0.05, p1: 0.15}}
doses: [high, low]
dose_reduction: {{rule: {{kind: pocock, limit: 0.30, phi: 0.10}}, at_lowest_dose: {lowest}}}
evaluability: {{probability: {evaluable}}}
truth:
  at_p0: {{response: 0.05, toxicity: [0.45, 0.32], odds_ratio: {odds_ratio}}}
  below: {{response: [0.05, 0.03], toxicity: [0.5, 0.2], odds_ratio: {odds_ratio}}}
conduct:
  accrual: {{per_month: {per_month}}}
  assessment_weeks: [9, 17, 25]
  first_seen: [0.6, 0.4]
  toxicity_window_weeks: 8
  toxicity_known: {known}
  interim: {interim}
  amendment_lag_weeks: 12
  during_amendment: {during}
"""
ATTAINED = 0.049829  # 1/25 6/70 at .05, every patient evaluable
CHANCE = 3.9
"""Standard errors above the bound at which a test fails: P < 5e-5 a case with nothing wrong."""


CROSSED = [
    *itertools.product(("continue", "pause", "early_decision"), (0.25, 1, 4), ("old_dose", "hold")),
]
HALF = CROSSED[::4] + CROSSED[3::4]
"""Every pair of an interim policy and an odds ratio once, the ways during the lag in turn."""


@pytest.mark.parametrize(
    ("interim", "odds_ratio", "during"),
    first_of(len(HALF), sorted(CROSSED, key=lambda each: each not in HALF)),
)
def test_p_go_stays_below_the_attained_error(interim: str, odds_ratio: float, during: str) -> None:
    quick = odds_ratio == 4
    text = TEXT.format(
        interim=interim,
        odds_ratio=odds_ratio,
        during=during,
        per_month=20 if quick else 4.5,
        known="as_it_happens" if quick else "complete_only",
        lowest="continue" if odds_ratio == 1 else "stop",
        evaluable=0.95 if during == "hold" else 1.0,
    )
    replicates = 40_000
    results = trialsim.simulate(parse(text, "here.yaml"), replicates=replicates, seed=6)
    error = math.sqrt(ATTAINED * (1 - ATTAINED) / replicates)
    for oc in results.cases:
        assert oc.simulated is not None
        assert oc.simulated.values["p_go"].estimate < ATTAINED + CHANCE * error
        assert oc.simulated.values["p_go"].estimate > 0.005
    assert not results.disagreements
