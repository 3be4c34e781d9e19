"""The Markov chain against the enumeration of every outcome sequence in rational arithmetic."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.oracle.brute_force import Dose, cells_of, enumerate_trial
from tests.oracle.common import random_case, rates_of
from trialsim.designs.rules import Monitor, Rules
from trialsim.engine.exact import distribution
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import parse

SAME = 1e-12


def assert_same(rules: Rules, truth: tuple[Dose, ...]) -> None:
    """Every number and every distribution to 1e-12."""
    expected = enumerate_trial(rules, cells_of(truth))
    found = distribution(rules, rates_of(truth), totals=True)
    for name, value in found.values.items():
        assert value == pytest.approx(expected[name], abs=SAME), (name, rules, truth)
    for name in ("n", "responses", "toxicities", "reduction_patient"):
        np.testing.assert_allclose(getattr(found, name), expected["distributions"][name], atol=SAME, rtol=0)
    np.testing.assert_allclose(found.joint_responses, expected["joint_n_responses"], atol=SAME, rtol=0)


@pytest.mark.parametrize("batch", range(8))
def test_random_protocols(batch):
    rng = random.Random(20260 + batch)
    for _ in range(25):
        assert_same(*random_case(rng))


RULES = {
    "none": "{kind: none}",
    "pocock": "{kind: pocock, limit: 0.3, phi: 0.2}",
    "posterior": "{kind: posterior, limit: 0.3, cutoff: 0.8, prior: [0.6, 1.4], min_n: 2}",
    "k_of_first_m": "{kind: k_of_first_m, k: 2, m: 4}",
    "amendment": "{kind: amendment, after_patient: 3}",
}


@pytest.mark.parametrize("odds_ratio", [0.25, 1, 4])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("evaluability", ["all", "kept", "replaced"])
def test_every_toxicity_rule_and_association(rule, odds_ratio, evaluability):
    """A two-stage scenario as a user writes it: n = 8 with everyone evaluable, n = 5 else."""
    n1, n, r = (3, 8, 2) if evaluability == "all" else (2, 5, 1)
    share = 1.0 if evaluability == "all" else 0.9
    scenario = parse(f"""
schema: 1
name: small
endpoint: response
design: {{kind: simon, n1: {n1}, r1: 0, n: {n}, r: {r}}}
doses: [high, low]
dose_reduction: {{rule: {RULES[rule]}, at_lowest_dose: {"continue" if odds_ratio == 4 else "stop"}}}
evaluability: {{probability: {share}, inevaluable: {"nonresponders" if odds_ratio == 1 else "independent"}}}
truth: {{a: {{response: [0.3, 0.2], toxicity: [0.45, 0.3], odds_ratio: {odds_ratio}}}}}
""")
    rules = compile_rules(scenario)
    if evaluability == "replaced":
        longer = Monitor(
            tuple((*row, *(row[-1],) * 2) for row in rules.monitor.act_ge),
            rules.monitor.at_enrolled,
            rules.monitor.action,
        )
        # as many as can be enumerated: two replacements, then the trial ends as it does for want of patients
        rules = Rules(rules.looks, longer, True, n + 2)
    kind = scenario.evaluability.inevaluable
    doses = tuple(Dose(p, t, odds_ratio, share, kind) for p, t in ((0.3, 0.45), (0.2, 0.3)))
    assert_same(rules, doses)
