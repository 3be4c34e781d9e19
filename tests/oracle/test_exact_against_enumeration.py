"""The Markov chain against the enumeration of every outcome sequence in rational arithmetic."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
from scipy import stats

from tests.helpers import first_of
from tests.oracle.brute_force import Dose, cells_of, enumerate_trial
from tests.oracle.common import random_case, rates_of
from trialsim.codes import CONTINUE, NEVER, NEW_DOSE_ONLY, POOLED, REDUCE, RESTART, STOP
from trialsim.designs.rules import Monitor, Rules, two_way
from trialsim.designs.toxicity import Pocock
from trialsim.engine.exact import distribution
from trialsim.results import Exact
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import parse
from trialsim.scenario.truth import Rates

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
    np.testing.assert_allclose(found.joint_toxicities, expected["joint_n_toxicities"], atol=SAME, rtol=0)
    np.testing.assert_allclose(
        found.patients[:, 1:], np.array(expected["treated_at"])[:, 1:], atol=SAME, rtol=0
    )


@pytest.mark.parametrize("batch", first_of(2, range(8)))
def test_random_protocols(batch):
    rng = random.Random(20260 + batch)
    for _ in range(25):
        assert_same(*random_case(rng))


@pytest.mark.parametrize("on_dose_change", [POOLED, NEW_DOSE_ONLY, RESTART])
@pytest.mark.parametrize("levels", [2, 3])
def test_random_protocols_that_reach_the_lowest_dose(on_dose_change, levels):
    rng = random.Random(10 * levels + on_dose_change)
    compared = 0
    while compared < 20:
        rules, truth = random_case(rng)
        if (rules.on_dose_change, rules.levels) != (on_dose_change, levels):
            continue
        if distribution(rules, rates_of(truth)).values[f"patients_dose_{levels}"] < 0.05:
            continue
        assert_same(rules, truth)
        compared += 1


def dasatinib_like(levels: int, on_dose_change: int, attained_ge: tuple[int, ...] = ()) -> Rules:
    """1/25 6/70 with Pocock boundaries that reduce the dose, and stop the trial at the lowest."""
    bounds = Pocock(kind="pocock", limit=0.30, phi=0.10).compile(70, 70)
    action = (REDUCE,) * (levels - 1) + (STOP,)
    looks = two_way((25, 70), (1, 6), (None, 6))
    return Rules(
        looks, Monitor((bounds,) * levels, (0,) * levels, action), False, 70, on_dose_change, attained_ge
    )


def test_restart_is_one_trial_after_another():
    """At full size: what follows a dose change is the trial that would have begun at that dose."""
    response, toxicity = (0.15, 0.11, 0.08), (0.45, 0.37, 0.32)

    def run(first: int) -> Exact:
        rates = Rates(response[first:], toxicity[first:], odds_ratio=0.25)
        return distribution(dasatinib_like(3 - first, RESTART), rates, totals=first == 0)

    whole, below = run(0), run(1)
    # up to the dose change the analysis set makes no difference
    bounds = dasatinib_like(1, POOLED).monitor.act_ge[0]
    never = (NEVER,) * 71
    looks = two_way((25, 70), (1, 6), (None, 6))
    watched = Rules(looks, Monitor((bounds, never), (0, 0), (REDUCE, CONTINUE)), False, 70)
    up_to_change = distribution(watched, Rates(response[:2], toxicity[:2], 0.25))
    np.testing.assert_allclose(
        whole.reduction_patient[:71], up_to_change.reduction_patient, atol=SAME, rtol=0
    )
    assert whole.reduction_patient[71:].sum() == 0
    reduced = whole.values["p_dose_reduced"]
    assert reduced > 0.5
    np.testing.assert_allclose(whole.patients[0, :71], up_to_change.patients[0], atol=SAME, rtol=0)
    for later in (1, 2):
        alone = np.convolve(whole.reduction_patient, below.patients[later - 1])[: len(whole.n)]
        np.testing.assert_allclose(whole.patients[later], alone, atol=SAME, rtol=0)
    # trials that stay at the starting dose treat 70 patients at most
    stays = whole.n - np.convolve(whole.reduction_patient, below.n)[: len(whole.n)]
    assert stays[71:] == pytest.approx(0, abs=SAME)
    assert stays.sum() == pytest.approx(1 - reduced, abs=SAME)
    assert whole.values["en"] == pytest.approx(
        whole.values["patients_dose_1"] + reduced * below.values["en"], abs=1e-10
    )
    for name in ("p_stop_toxicity", "p_stop_toxicity_at_n"):
        assert whole.values[name] == pytest.approx(reduced * below.values[name], abs=SAME)
    assert whole.responses is not None
    assert np.arange(211) @ whole.responses == pytest.approx(whole.values["responses"], abs=1e-9)


def test_new_dose_only_is_a_binomial_tail():
    """At full size: an amendment after patient 23, then 47 patients at the new dose and nothing else in the verdict."""
    attained = tuple(max(1, round(m / 10) + 1) for m in range(71))
    never = (NEVER,) * 71
    looks = two_way((25, 70), (1, 6), (None, 6))
    monitor = Monitor((never, never), (23, 0), (CONTINUE, CONTINUE))
    rules = Rules(looks, monitor, False, 70, NEW_DOSE_ONLY, attained)
    found = distribution(rules, Rates((0.15, 0.11), (0.45, 0.37), 4.0))
    assert found.values["p_go"] == pytest.approx(stats.binom.sf(attained[47] - 1, 47, 0.11), abs=SAME)
    assert found.values["en"] == pytest.approx(70, abs=SAME)


RULES = {
    "none": "{kind: none}",
    "pocock": "{kind: pocock, limit: 0.3, phi: 0.2}",
    "posterior": "{kind: posterior, limit: 0.3, cutoff: 0.8, prior: [0.6, 1.4], min_n: 2}",
    "k_of_first_m": "{kind: k_of_first_m, k: 2, m: 4}",
    "amendment": "{kind: amendment, after_patient: 3}",
}


KEPT = list(product(["all", "kept"], RULES, [0.25, 1, 4]))
REPLACED = list(product(["replaced"], RULES, [0.25, 1, 4]))
"""Three times as long to enumerate: the first odds ratio with the first rule, the second with the second, and so on."""


@pytest.mark.parametrize(
    ("evaluability", "rule", "odds_ratio"),
    KEPT + first_of(3, sorted(REPLACED, key=lambda each: REPLACED.index(each) % 4)),
)
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
