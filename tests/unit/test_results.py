"""Estimates, tallies, and how results print."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

import trialsim
from tests.helpers import CONFIGS
from trialsim.engine.tally import fold, mean, proportion
from trialsim.kernels.trial import LEVELS
from trialsim.quantities import label, quantity_names
from trialsim.results import digits12
from trialsim.scenario.files import load


def at_once():
    """The dasatinib scenario without dates and cohorts."""
    scenario = load(CONFIGS / "dasatinib.yaml")
    return scenario.model_copy(update={"conduct": None, "cohorts": None})


@pytest.fixture(scope="module")
def results():
    return trialsim.simulate(at_once(), replicates=5000, jobs=1)


@pytest.fixture(scope="module")
def dated():
    return trialsim.simulate(load(CONFIGS / "dasatinib.yaml"), replicates=5000, jobs=1)


@pytest.mark.parametrize(("count", "replicates"), [(0, 50), (7, 50), (50, 50)])
def test_a_simulated_probability(count, replicates):
    found = proportion(count, replicates)
    p = count / replicates
    exact = stats.binomtest(count, replicates).proportion_ci(0.95, "exact")
    assert found.mcse == pytest.approx(math.sqrt(p * (1 - p) / replicates))
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_a_simulated_mean():
    values = np.random.default_rng(1).integers(0, 70, 1000)
    found = mean(int(values.sum()), int((values**2).sum()), 1000)
    assert found.estimate == pytest.approx(values.mean())
    assert found.mcse == pytest.approx(values.std(ddof=1) / math.sqrt(1000))
    assert found.high - found.estimate == pytest.approx(1.959964 * found.mcse, rel=1e-6)


def test_tallies_add_up_to_the_whole():
    rng = np.random.default_rng(2)
    columns = rng.integers(0, 4, (300, LEVELS + 6)).astype(np.int32)
    parts = fold(columns[:100], 40, LEVELS, 2) + fold(columns[100:], 40, LEVELS, 2)
    assert parts == fold(columns, 40, LEVELS, 2)
    assert sum(parts.counts["n"]) == parts.replicates == 300


def test_results_carry_where_they_come_from(results):
    assert results.digest.startswith("sha256:")
    assert (results.seed, results.replicates, results.streams) == (2011, 5000, 1)
    assert results.version == trialsim.__version__
    assert not results.disagreements


def test_a_frame_has_a_row_a_quantity(results):
    frame = results.to_frame()
    assert len(frame) == 4 * len(quantity_names(2))
    p_go = frame[(frame.case == "active") & (frame.quantity == "p_go")].iloc[0]
    assert p_go.exact == results["active"].exact.values["p_go"]
    assert p_go.low < p_go.estimate < p_go.high


def test_results_print_as_tables(results):
    text = str(results)
    assert "P(go)" in text
    assert "Expected patients at 100 mg BID" in text
    assert max(map(len, text.splitlines())) <= 110


def test_results_in_calendar_time_print_as_tables(dated):
    text = str(dated)
    assert "Expected duration (months)" in text
    # what is too long for the line is broken
    assert "  Expected patients evaluable in" in text
    assert "positive\n" in text
    assert "No exact answer: calendar time decides" in text
    assert max(map(len, text.splitlines())) <= 110


def test_a_frame_in_calendar_time(dated):
    frame = dated.to_frame()
    p_go = frame[(frame.case == "active") & (frame.quantity == "p_go")].iloc[0]
    assert p_go.exact is None
    assert p_go.exact_at_once == dated["active"].at_once.exact.values["p_go"]
    assert p_go.z_at_once == dated["active"].at_once.z["p_go"]
    duration = frame[(frame.case == "active") & (frame.quantity == "duration_months")].iloc[0]
    parts = frame[
        (frame.case == "active") & frame.quantity.isin(("accruing_months", "paused_months", "waiting_months"))
    ]
    assert duration.estimate == pytest.approx(parts.estimate.sum(), rel=1e-12)


def test_quantiles_of_duration(dated):
    oc = dated["active"].simulated
    days = np.repeat(np.arange(len(oc.days)), oc.days)
    for name, q in (("p10", 0.1), ("median", 0.5), ("p90", 0.9)):
        found = oc.values[f"duration_{name}_months"]
        assert found.estimate * 30.4375 == pytest.approx(np.quantile(days, q, method="inverted_cdf"))
        assert found.low <= found.estimate <= found.high


def test_a_disagreement_at_once_is_a_disagreement_of_the_run(dated):
    from dataclasses import replace

    oc = dated["active"]
    wrong = replace(oc, at_once=replace(oc.at_once, disagreements=("en",)))
    loud = replace(dated, cases=(wrong,))
    assert loud.disagreements == ("active: en",)
    assert "WARNING" in str(loud)


def test_exact_stands_alone():
    exact = trialsim.exact(load(CONFIGS / "teaching.yaml"), totals=False)
    assert exact["active"].simulated is None
    assert exact["active"].exact.joint_responses is None
    assert exact["active"].z == {}


def test_a_disagreement_is_said_loudly(results):
    from dataclasses import replace

    from trialsim.engine.operating import _beside
    from trialsim.results import Results

    oc = results["active"]
    wrong = replace(oc.exact, values={**oc.exact.values, "p_go": oc.exact.values["p_go"] + 0.05})
    beside = _beside(replace(oc, exact=wrong, simulated=None, z={}), oc.simulated, 1)
    assert beside.disagreements == ("p_go",)
    loud = Results("x", "", "", 1, 1, 5000, (beside,))
    assert loud.disagreements == ("active: p_go",)
    assert "WARNING" in str(loud)


def test_no_exact_answer_is_said(monkeypatch):

    monkeypatch.setattr("trialsim.engine.exact.MAX_STATES", 10)
    found = trialsim.simulate(load(CONFIGS / "teaching.yaml"), replicates=200, jobs=1)
    assert found["active"].exact is None
    assert "states" in found["active"].not_exact
    assert "No exact answer" in str(found)


def test_more_replicates_than_would_finish(monkeypatch):
    monkeypatch.setattr("trialsim.engine.montecarlo.MAX_PATIENTS", 1_000_000)
    with pytest.raises(trialsim.TrialsimError, match="at most 3,571 are accepted"):
        trialsim.simulate(at_once(), replicates=4000)


def test_numbers_for_json_have_12_digits():
    assert digits12({"a": 1 / 3, "b": [np.float64(2 / 3)], "c": np.array([0.1]), "d": np.int64(4)}) == {
        "a": 0.333333333333,
        "b": [0.666666666667],
        "c": [0.1],
        "d": 4,
    }
    json.dumps(digits12({"x": np.arange(3)}))


def test_labels_name_the_dose():
    assert label("patients_dose_2", ("high", "low")) == "Expected patients at low"
    assert label("pet") == "PET: probability of early termination"


def test_rare_counts_raise_no_false_alarm():
    """Four patients a thousand trials at the lower dose: the simulated mean is often exactly zero."""
    from trialsim.scenario.files import parse

    text = (
        (CONFIGS / "teaching.yaml")
        .read_text(encoding="utf-8")
        .replace("toxicity: [0.35, 0.20]", "toxicity: 0.05")
    )
    for seed in range(30):
        assert not trialsim.simulate(
            parse(text), replicates=300, seed=seed, jobs=1, totals=False
        ).disagreements


def test_a_number_without_spread_agrees_with_itself():
    """A single stage without a toxicity rule always treats n patients."""
    found = trialsim.simulate(load(CONFIGS / "kluger-melanoma.yaml"), replicates=3000, jobs=1, totals=False)
    assert found["inactive"].simulated.values["en"].mcse == 0
    assert not found.disagreements


RARE_EARLY_END = """
schema: 1
name: an early end is one in a million
endpoint: response
design: {kind: simon, n1: 12, r1: 0, n: 35, r: 5, p0: 0.05, p1: 0.2}
truth: {active: {response: 0.6}, very_active: {response: 0.7, toxicity: 0.999}}
"""


def test_means_that_hang_on_rare_trials_raise_no_false_alarm():
    from trialsim.scenario.files import parse

    scenario = parse(RARE_EARLY_END)
    for seed in range(8):
        assert not trialsim.simulate(scenario, replicates=100_000, seed=seed, totals=False).disagreements


def test_a_wrong_mean_is_found(results):
    from trialsim.engine.operating import disagrees

    oc = results["active"]
    estimate = oc.simulated.values["en"]
    assert not disagrees("en", oc.exact.values["en"], estimate, 5000, 70, 1e-6)
    assert disagrees("en", oc.exact.values["en"] + 3, estimate, 5000, 70, 1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"replicates": 0},
        {"replicates": -5},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": 2**63},
    ],
)
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(trialsim.TrialsimError, match="must be a whole number"):
        trialsim.simulate(load(CONFIGS / "teaching.yaml"), **wrong)


def test_a_case_that_is_not_there(results):
    with pytest.raises(KeyError, match="inactive"):
        results["nope"]


def own(**changes):
    from trialsim.scenario.files import parse

    lines = {
        "schema": "1",
        "name": "two cohorts",
        "endpoint": "response",
        "design": "{kind: simon, n1: 10, r1: 1, n: 29, r: 5, p0: 0.1, p1: 0.3}",
        "cohorts": "{rules: own, strata: [{name: A, share: 0.4}, {name: B, share: 0.6}]}",
        "truth": "{active: {response: 0.3}}",
    } | changes
    return parse("".join(f"{key}: {value}\n" for key, value in lines.items()), "here.yaml")


def test_own_rules_without_a_boundary_are_exact():
    """Two independent trials: inevaluable patients count as treated, and not as evaluable."""
    found = trialsim.simulate(own(evaluability="{probability: 0.9}"), replicates=20_000)["active"]
    values = found.exact.values
    single = trialsim.exact(
        own(evaluability="{probability: 0.9}", cohorts="{strata: [{name: A, share: 1}]}"), totals=False
    )["active"].exact.values
    assert values["p_go_cohort_1"] == pytest.approx(single["p_go"], abs=1e-12)
    assert values["p_go"] == pytest.approx(1 - (1 - single["p_go"]) ** 2, abs=1e-12)
    assert values["p_go_all"] == pytest.approx(single["p_go"] ** 2, abs=1e-12)
    assert values["en_evaluable"] == pytest.approx(0.9 * values["en"], rel=1e-12)
    assert found.exact.n.sum() == pytest.approx(1)
    assert not found.disagreements
    assert max(map(abs, found.z.values())) < 4.5
    assert found.label("p_go") == "P(go in at least one cohort)"


def test_own_rules_with_a_date_have_no_exact_answer():
    dated_dose = own(
        doses="[high, low]",
        dose_reduction="{rule: {kind: amendment, after_month: 3}}",
        truth="{active: {response: [0.3, 0.1], toxicity: 0.3}}",
        conduct="{accrual: {per_month: 5}, assessment_weeks: [8, 16], toxicity_window_weeks: 8}",
    )
    found = trialsim.simulate(dated_dose, replicates=500)["active"]
    assert found.at_once is None
    assert "date" in found.not_exact
    assert "No exact answer" in str(trialsim.exact(dated_dose))


def test_a_wrong_mean_of_a_count_that_varies_is_found():
    from trialsim.engine.operating import disagrees
    from trialsim.results import Estimate

    wrong = Estimate(351.0, 0.05, 350.9, 351.1)
    assert disagrees("en_evaluable", 340.0, wrong, 1500, 400, 1e-6)
    assert not disagrees("en_evaluable", 350.9, wrong, 1500, 400, 1e-6)
