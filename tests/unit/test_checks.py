"""The check of an observed trial, number by number on small trials."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import trialsim
from tests.helpers import CONFIGS, first_of, run
from tests.helpers import SMALL as A_TRIAL
from trialsim.checks import check
from trialsim.checks.by_design import TRIALS
from trialsim.checks.given_sizes import _splits
from trialsim.checks.predictive import DRAWS, Sizes, interval, joint_pmf, pooled_pmf
from trialsim.checks.rows import verdict_of
from trialsim.designs.binomial import clopper_pearson, two_sided_table
from trialsim.engine.operating import exact, simulate
from trialsim.engine.patients import cells_by_dose, rates_by_dose
from trialsim.engine.timed import timed
from trialsim.kernels import patient
from trialsim.kernels.streams import stream_key
from trialsim.reporting.two_questions import CHECK, two_questions
from trialsim.scenario import compiled
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load, parse
from trialsim.scenario.model import Observed
from trialsim.writing.latex import latex
from trialsim.writing.markdown import markdown
from trialsim.writing.report import Words

SMALL = """
schema: 1
name: small
endpoint: response
design: {kind: single_stage, n: 12, r: 3, p0: 0.1, p1: 0.4}
truth:
  low: {response: 0.12, toxicity: 0.3, odds_ratio: 3}
  high: {response: 0.5, toxicity: 0.3, odds_ratio: 3}
observed: {treated: 12, evaluable: 10, responses: 5, toxicities: 2}
simulation: {replicates: 100, seed: 3}
"""


def row(checks, case, quantity, conditioning="given_sizes"):
    return next(r for r in checks if (r.case, r.quantity, r.conditioning) == (case, quantity, conditioning))


def test_predictive_distribution_mid_p_and_intervals():
    found = row(check(parse(SMALL)), "low", "responses")
    law = stats.binom(10, 0.12)
    assert found.denominator == 10
    assert found.mid_p == pytest.approx(law.cdf(4) + law.pmf(5) / 2, abs=1e-14)
    assert found.p_two_sided == pytest.approx(2 * min(found.mid_p, 1 - found.mid_p), abs=1e-14)
    for coverage, ends in ((0.5, found.interval_50), (0.8, found.interval_80), (0.95, found.interval_95)):
        assert ends == (int(law.ppf((1 - coverage) / 2)), int(law.ppf((1 + coverage) / 2)))
    assert row(check(parse(SMALL)), "low", "toxicities").denominator == 12


def test_adjusted_p_is_min_p_over_the_joint_law():
    """The draws against the exact joint distribution of responses and toxicities, association included."""
    checks = check(parse(SMALL))
    p11 = next(
        p for p in np.linspace(0, 0.12, 2_000_001)[1:-1] if p * (1 - 0.42 + p) / ((0.12 - p) * (0.3 - p)) >= 3
    )
    cells = [{(1, 1): p11, (1, 0): 0.12 - p11, (0, 1): 0.3 - p11, (0, 0): 1 - 0.42 + p11}]
    joint = joint_pmf(Sizes((10,), (12,)), cells)
    p_responses = two_sided_table(pooled_pmf((10,), (0.12,)))
    p_toxicities = two_sided_table(pooled_pmf((12,), (0.3,)))
    least = np.minimum(p_responses[:, None], p_toxicities[None, :])
    for quantity, table, observed in (("responses", p_responses, 5), ("toxicities", p_toxicities, 2)):
        exact = joint[least <= table[observed] * (1 + 1e-9)].sum()
        found = row(checks, "low", quantity).p_adjusted
        assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / DRAWS))


def test_joint_law_has_the_right_margins():
    cells = [
        {(1, 1): 0.1, (1, 0): 0.1, (0, 1): 0.3, (0, 0): 0.5},
        {(1, 1): 0.02, (1, 0): 0.1, (0, 1): 0.2, (0, 0): 0.68},
    ]
    joint = joint_pmf(Sizes((3, 4), (4, 6)), cells)
    assert joint.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(joint.sum(axis=1), pooled_pmf((3, 4), (0.2, 0.12)), atol=1e-14)
    np.testing.assert_allclose(joint.sum(axis=0), pooled_pmf((4, 6), (0.4, 0.22)), atol=1e-14)


def test_likelihood_ratio_of_independent_endpoints_is_a_product():
    text = SMALL.replace(", odds_ratio: 3", "")
    (ratio,) = check(parse(text)).likelihood_ratios
    assert (ratio.case, ratio.against, ratio.vector) == ("high", "low", ("responses", "toxicities"))
    assert ratio.ratio == pytest.approx(stats.binom.pmf(5, 10, 0.5) / stats.binom.pmf(5, 10, 0.12), rel=1e-10)


@pytest.mark.parametrize(
    ("p", "word"),
    [(1.0, "compatible"), (0.20, "compatible"), (0.19, "mild tension"), (0.05, "mild tension"), (0.049, "tension"),
     (0.01, "tension"), (0.0099, "strong conflict"), (0.0, "strong conflict"), (None, None)],
)  # fmt: skip
def test_verdict_words(p, word):
    assert verdict_of(p) == word


def test_a_rate_set_from_the_count_is_fitted():
    text = SMALL.replace("responses: 5", "responses: 1").replace("0.12", "0.10")
    assert not row(check(parse(text)), "low", "responses").fitted  # .10 is p0: it was not set from 1 of 10
    text = SMALL.replace("evaluable: 10, responses: 5", "evaluable: 8, responses: 1").replace("0.12", "0.125")
    fitted = row(check(parse(text)), "low", "responses")
    assert fitted.fitted
    assert fitted.verdict is None
    assert fitted.p_adjusted is None
    said = text + "sources: {truth.low.response: {fitted: false, source: elsewhere}}\n"
    assert row(check(parse(said)), "low", "responses").verdict is not None


def test_the_dasatinib_check():
    checks = check(load(CONFIGS / "dasatinib.yaml"))
    inactive = row(checks, "inactive", "responses")
    assert inactive.mid_p == pytest.approx(
        stats.binom.cdf(2, 69, 0.05) + stats.binom.pmf(3, 69, 0.05) / 2, abs=1e-12
    )
    assert inactive.verdict == "compatible"
    assert row(checks, "active", "responses").verdict == "tension"
    assert all(r.verdict is None for r in checks if r.case == "as_observed")
    assert all(r.verdict is None for r in checks if r.conditioning != "given_sizes")
    toxicities = row(checks, "inactive", "toxicities")
    assert (toxicities.observed, toxicities.denominator) == (26, 70)
    assert "split" in toxicities.note  # the dose of the one inevaluable patient is unreported
    flag = row(checks, "inactive", "dose_reduced", "unconditional")
    assert flag.verdict is None
    assert 0 < flag.probability < 1
    external = row(checks, "related trials", "responses", "external")
    assert external.interval_95 == (0, 10)
    active = next(h for h in checks.headline if h.quantity == "responses")
    assert active.position["active"] == "above"
    assert active.rates["active_dose_response"] == pytest.approx((23 * 0.15 + 46 * 0.11) / 69)


def test_compatibility_curve_is_the_two_sided_mid_p():
    checks = check(parse(SMALL))
    curve = next(c for c in checks.curves if c.quantity == "responses")
    for k in (50, 300, 500, 901):
        law = stats.binom(10, curve.rate[k])
        lower = law.cdf(4) + law.pmf(5) / 2
        assert curve.p[k] == pytest.approx(2 * min(lower, 1 - lower), abs=1e-12)


def test_given_that_the_trial_reached_its_size():
    found = row(check(parse(SMALL)), "low", "responses", "reached_n")
    np.testing.assert_allclose(found.pmf, stats.binom.pmf(np.arange(13), 12, 0.12), atol=1e-12)
    assert row(check(parse(SMALL)), "low", "reaches_n", "unconditional").probability == pytest.approx(1)


def test_every_consistent_split_is_tried():
    known = Observed(treated=39, evaluable=36, responses=2, treated_by_dose=[17, 22])
    splits = _splits(known, 2)
    assert {s.evaluable for s in splits} == {(14, 22), (15, 21), (16, 20), (17, 19)}
    assert {s.treated for s in splits} == {(17, 22)}
    other = Observed(treated=70, evaluable=69, responses=3, evaluable_by_dose=[23, 46])
    assert {s.treated for s in _splits(other, 2)} == {(23, 47), (24, 46)}
    nothing = Observed(evaluable=5, responses=1)
    assert len(_splits(nothing, 3)) == 21


def test_stage_1_is_checked_where_it_is_reported():
    checks = check(load(CONFIGS / "lenvatinib-acc.yaml"))
    stage1 = row(checks, "active", "stage1_responses")
    assert (stage1.observed, stage1.denominator) == (4, 18)
    assert stage1.verdict == "compatible"
    np.testing.assert_allclose(stage1.pmf, stats.binom.pmf(np.arange(19), 18, 0.2), atol=1e-13)


def test_an_ambiguous_percentage_is_not_checked():
    text = SMALL.replace(
        "observed: {treated: 12, evaluable: 10, responses: 5, toxicities: 2}",
        "observed: {treated: 200, evaluable: 200, responses: 50, toxicity_percent: 37}",
    )
    checks = check(parse(text))
    assert not [r for r in checks if r.quantity == "toxicities"]
    assert any("73, 74" in note for note in checks.notes)


def test_nothing_observed_nothing_checked():
    checks = check(load(CONFIGS / "teaching.yaml"))
    assert not checks.by_case
    assert not checks.to_frame().size
    assert "nothing to check" in checks.notes[0]
    assert "nothing to check" in str(checks)


def test_central_intervals():
    pmf = stats.binom.pmf(np.arange(21), 20, 0.3)
    assert interval(pmf, 0.95) == (2, 10)
    assert interval(np.array([1.0]), 0.95) == (0, 0)


def test_one_quantity_needs_no_adjustment():
    text = SMALL.replace(
        "observed: {treated: 12, evaluable: 10, responses: 5, toxicities: 2}",
        "observed: {evaluable: 1, responses: 1}",
    )
    for seed in range(3):
        found = row(check(parse(text), seed=seed), "low", "responses")
        assert found.p_adjusted == found.p_two_sided == pytest.approx(0.12, abs=1e-15)


@pytest.mark.parametrize("seed", first_of(2, range(5)))
def test_an_adjusted_p_is_never_below_the_raw_one(seed):
    for found in check(load(CONFIGS / "dasatinib.yaml"), seed=seed):
        if found.p_adjusted is not None:
            assert found.p_adjusted >= found.p_two_sided
            assert found.p_adjusted > 0


def test_small_tails_keep_their_digits():
    text = SMALL.replace("0.12", "0.01").replace("responses: 5", "responses: 10")
    found = row(check(parse(text)), "low", "responses")
    assert found.p_two_sided == pytest.approx(1e-20, rel=1e-9)


def test_splits_that_cannot_matter_are_not_enumerated():
    observed = Observed(treated=200, evaluable=150, responses=20, toxicities=60)
    assert len(_splits(observed, 2, response_varies=False, toxicity_varies=False)) == 1
    assert len(_splits(observed, 2, response_varies=False, toxicity_varies=True)) == 201
    assert not _splits(observed, 2)
    three = Observed(treated=70, evaluable=69, responses=3, toxicities=26, evaluable_by_dose=[23, 46, 0])
    assert {s.treated for s in _splits(three, 3)} == {(24, 46, 0), (23, 47, 0), (23, 46, 1)}
    for sizes in _splits(observed, 3, response_varies=False, toxicity_varies=False):
        assert sum(sizes.evaluable) == 150
        assert all(e <= t for e, t in zip(sizes.evaluable, sizes.treated, strict=True))


def test_what_is_too_large_to_compute_is_said(monkeypatch):
    monkeypatch.setattr("trialsim.engine.exact.MAX_STATES", 1)
    checks = check(parse(SMALL))
    assert not [r for r in checks if r.conditioning != "given_sizes"]
    assert any("too large to compute" in note for note in checks.notes)


# -- calendar time, strata and cells


TWO_DOSES = """
schema: 1
name: two doses, two cohorts
endpoint: response
design: {kind: simon, n1: 8, r1: 0, n: 20, r: 3, p0: 0.1, p1: 0.4}
doses: [high, low]
dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}}
cohorts: {strata: [{name: A, share: 0.3}, {name: B1, share: 0.3, cohort: B}, {name: B2, share: 0.4, cohort: B}]}
conduct: {accrual: {per_month: 3}, assessment_weeks: [8, 16, 24], first_seen: [0.6, 0.4], toxicity_window_weeks: 6,
          disease_control_week: 16, withdrawal_per_month: 0.2}
truth:
  mixed:
    response: 0.2
    toxicity: [0.5, 0.3]
    odds_ratio: 3
    stable_disease: 0.3
    serious: 0.1
    cohorts: {A: {response: [0.6, 0.4], toxicity: 0.6}, B: {stable_disease: 0.5}, B2: {response: 0.1}}
observed:
  treated: 20
  evaluable: 18
  responses: 4
  disease_control: 9
  toxicities: 8
  serious: 3
  dose_reduced: true
  evaluable_by_dose: [10, 8]
  cells:
    - {cohort: A, dose: high, evaluable: 4, responses: 2}
    - {cohort: A, dose: low, evaluable: 2, responses: 0}
    - {cohort: A, evaluable: 6, responses: 2}
    - {cohort: B, dose: low, evaluable: 6}
    - {dose: high, evaluable: 10, responses: 3}
    - {evaluable: 18, responses: 4}
simulation: {replicates: 100, seed: 3}
"""


def treated(scenario, count=4000):
    trials = timed(Compiled.of(scenario))["mixed"]
    return trials.treated(stream_key(7), 0, count)[1].reshape(-1, patient.FIELDS)


def test_rates_are_those_of_the_patients_that_are_simulated():
    """Mixed strata, withdrawal before a response counts, and disease control, against the engine patient by patient."""
    scenario = parse(TWO_DOSES)
    rates = rates_by_dose(scenario, scenario.truth["mixed"])
    cells = cells_by_dose(scenario, scenario.truth["mixed"])
    everybody = treated(scenario)
    everybody = everybody[everybody[:, patient.STARTED] > 0]
    columns = {"responses": patient.IS_RESPONSE, "disease_control": patient.IS_CONTROLLED,
               "toxicities": patient.IS_TOXIC, "serious": patient.IS_SERIOUS}  # fmt: skip
    for level in range(2):
        here = everybody[everybody[:, patient.LEVEL] == level]
        assessed = here[here[:, patient.IS_EVALUABLE] == 1]
        assert len(assessed) > 4000
        for quantity, column in columns.items():
            among = assessed if quantity in ("responses", "disease_control") else here
            p = rates[quantity][level]
            error = np.sqrt(p * (1 - p) / len(among))
            assert among[:, column].mean() == pytest.approx(p, abs=4 * error), (quantity, level)
        both = assessed[:, patient.IS_RESPONSE] * assessed[:, patient.IS_TOXIC]
        assert both.mean() == pytest.approx(cells[level, 3], abs=4 * np.sqrt(cells[level, 3] / len(assessed)))
        assert cells[level].sum() == pytest.approx(1, abs=1e-12)
        assert cells[level, 2:].sum() == pytest.approx(rates["responses"][level], abs=1e-12)
        assert cells[level, [1, 3]].sum() == pytest.approx(rates["toxicities"][level], abs=1e-12)


def test_strata_are_mixed_in_their_shares():
    scenario = parse(TWO_DOSES.replace(", withdrawal_per_month: 0.2", ""))
    case = scenario.truth["mixed"]
    rates = rates_by_dose(scenario, case)
    assert rates["responses"] == pytest.approx(
        (0.3 * 0.6 + 0.3 * 0.2 + 0.4 * 0.1, 0.3 * 0.4 + 0.3 * 0.2 + 0.4 * 0.1)
    )
    assert rates["toxicities"] == pytest.approx((0.3 * 0.6 + 0.7 * 0.5, 0.3 * 0.6 + 0.7 * 0.3))
    b = rates_by_dose(scenario, case, "B")["responses"][0]
    assert b == pytest.approx((0.3 * 0.2 + 0.4 * 0.1) / 0.7)
    found = row(check(scenario), "mixed", "responses")
    np.testing.assert_allclose(found.pmf, pooled_pmf((10, 8), rates["responses"]), atol=1e-14)


def test_no_disease_control_is_predicted_where_no_visit_comes_late_enough():
    scenario = parse(TWO_DOSES.replace("disease_control_week: 16", "disease_control_week: 30"))
    assert "disease_control" not in rates_by_dose(scenario, scenario.truth["mixed"])


def test_cells_are_predicted_by_cohort_and_dose():
    scenario = parse(TWO_DOSES.replace(", withdrawal_per_month: 0.2", ""))
    found = check(scenario).cells
    assert [(c.cohort, c.dose, c.responses) for c in found] == [
        ("A", "high", 2), ("A", "low", 0), ("A", None, 2), ("B", "low", None), (None, "high", 3), (None, None, 4),
    ]  # fmt: skip
    a_high, a_low, a, b_low, high, everybody = found
    assert (a_high.rate, a_low.rate) == (0.6, 0.4)
    law = stats.binom(4, 0.6)
    assert a_high.mid_p == pytest.approx(law.cdf(1) + law.pmf(2) / 2)
    assert (a_high.low, a_high.high) == clopper_pearson(2, 4)
    # all doses of A: the split over doses is known from the other cells
    law = pooled_pmf((4, 2), (0.6, 0.4))
    assert a.p_two_sided == pytest.approx(two_sided_table(law)[2])
    b = (0.3 * 0.2 + 0.4 * 0.1) / 0.7
    assert b_low.rate == pytest.approx(b)
    assert (b_low.low, b_low.mid_p, b_low.p_two_sided) == (None, None, None)
    assert b_low.interval_95 == interval(pooled_pmf((6,), (b,)), 0.95)
    # cohorts of the 10 at the high dose are not all reported: strata in their shares
    assert high.rate == pytest.approx(0.3 * 0.6 + 0.7 * b)
    # everybody: no cell for B at the high dose, so the split over doses of the whole trial
    assert everybody.rate == pytest.approx((10 * high.rate + 8 * (0.3 * 0.4 + 0.7 * b)) / 18)
    assert b_low.responses is None


def test_a_cell_whose_doses_are_unreported_is_predicted_only_where_they_cannot_matter():
    text = TWO_DOSES.replace("    - {cohort: A, dose: low, evaluable: 2, responses: 0}\n", "")
    cell = next(c for c in check(parse(text)).cells if (c.cohort, c.dose) == ("A", None))
    assert cell.rate is None
    assert cell.mid_p is None
    assert "split over doses is unreported" in cell.note
    same = next(
        c
        for c in check(parse(text.replace("A: {response: [0.6, 0.4]", "A: {response: 0.6"))).cells
        if (c.cohort, c.dose) == ("A", None)
    )
    assert same.mid_p is not None


def test_cells_leave_the_adjusted_p_of_the_totals_alone():
    without = parse(TWO_DOSES[: TWO_DOSES.index("  cells:")] + "simulation: {replicates: 100, seed: 3}\n")
    adjusted = [[r.p_adjusted for r in check(s)] for s in (parse(TWO_DOSES), without)]
    assert adjusted[0] == adjusted[1]
    assert not check(without).cells


def test_what_depends_on_the_design_is_simulated_in_calendar_time():
    scenario = parse(TWO_DOSES)
    checks = check(scenario, replicates=TRIALS)
    reference = simulate(scenario, replicates=TRIALS, seed=3)["mixed"].simulated
    flag = row(checks, "mixed", "dose_reduced", "unconditional")
    assert flag.probability == pytest.approx(reference.values["p_dose_reduced"].estimate, abs=1e-12)
    assert flag.mcse == pytest.approx(reference.values["p_dose_reduced"].mcse)
    reached = row(checks, "mixed", "reaches_n", "unconditional")
    assert reached.probability == pytest.approx(reference.n[20] / TRIALS, abs=1e-12)
    assert "overrun counted" in reached.note
    assert row(checks, "mixed", "responses", "reached_n").pmf.sum() == pytest.approx(1)
    start = row(checks, "mixed", "patients_start_dose", "reached_n")
    assert start.pmf.sum() == pytest.approx(1)
    assert any("simulated in calendar time" in note for note in checks.notes)


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("change", ["restart", "own"])
def test_the_planned_n_is_no_complete_trial_where_looks_begin_again_or_cohorts_have_their_own(change, dated):
    text = TWO_DOSES
    if change == "restart":
        text = text.replace("phi: 0.1}}", "phi: 0.1}, on_dose_change: restart}")
    else:
        text = text.replace("cohorts: {strata:", "cohorts: {rules: own, strata:")
    if not dated:
        a = text.index("conduct:")
        text = text[:a] + text[text.index("truth:") :]
    checks = check(parse(text))
    assert [r.quantity for r in checks if r.conditioning != "given_sizes"] == ["dose_reduced"]
    assert any("not the size of a complete trial" in note for note in checks.notes)


def test_pooled_cohorts_without_dates_are_exact_with_their_mixture():
    text = TWO_DOSES[: TWO_DOSES.index("conduct:")] + TWO_DOSES[TWO_DOSES.index("truth:") :]
    scenario = parse(text)
    found = row(check(scenario), "mixed", "dose_reduced", "unconditional")
    assert found.mcse is None
    assert found.probability == pytest.approx(exact(scenario)["mixed"].exact.values["p_dose_reduced"])


# the question it asks, and every form


@pytest.mark.parametrize("name", ["dasatinib", "lenvatinib-acc", "kluger-melanoma"])
def test_the_check_says_how_its_question_differs_from_the_test(name):
    scenario = load(CONFIGS / f"{name}.yaml")
    checks, test = check(scenario), trialsim.analyse(scenario).sets[0]
    asked = checks.questions
    assert (asked.one_sided, asked.n_tested, asked.decision) == (test.p_value, test.n, test.decision)
    # the case whose rate is p0 at every dose is the one that both speak of
    null = row(checks, "inactive", "responses")
    assert (asked.x, asked.n_fixed) == (null.observed, null.denominator)
    assert asked.two_sided == pytest.approx(null.p_two_sided, rel=1e-12)
    law = stats.binom(asked.n_fixed, asked.p0)
    assert asked.upper == pytest.approx(law.sf(asked.x) + law.pmf(asked.x) / 2, rel=1e-9)
    words = two_questions(asked)
    for value in (asked.two_sided, asked.one_sided):
        assert f" {value:.3f} " in words
    assert ("twice the upper tail" in words) == (test.decision == "go")
    if test.decision == "go":
        assert asked.two_sided == pytest.approx(2 * asked.upper)
    # the same paragraph wherever the observed trial is spoken of
    source = scenario.sources.get("design")
    told = two_questions(asked, assumed=bool(source and source.assumed))
    assert told in paragraphs_of(checks)
    assert told in paragraphs_of(trialsim.analyse(scenario))


def paragraphs_of(answer):
    blocks = [block for part in answer.report().sections for block in part.all_blocks()]
    return [block.text for block in blocks if isinstance(block, Words)]


def test_without_a_test_only_the_question_of_the_check_is_told():
    text = (CONFIGS / "dasatinib-single-stage.yaml").read_text(encoding="utf-8")
    without_p0 = re.sub(
        r"design:.*?\n(?=\S)", "design: {kind: single_stage, n: 70, r: 6}\n\n", text, count=1, flags=re.S
    )
    checks = check(parse(without_p0))
    assert checks.questions is None
    assert two_questions(None) == CHECK
    assert CHECK in paragraphs_of(checks)


def test_a_check_in_every_form(tmp_path, monkeypatch, capsys):
    by_cohort = "toxicities: 5, cells: [{cohort: one, evaluable: 5, responses: 2}]}\ncohorts:\n"
    strata = "  strata: [{name: one, share: 0.5}, {name: two, share: 0.5}]"
    small = A_TRIAL.replace("toxicities: 5}", f"{by_cohort}{strata}")
    checks = check(parse(small))
    assert len(repr(checks)) < 200
    assert len(checks.to_frame()) == len(checks.by_case)
    assert "Each case against the counts" in checks._repr_html_()
    assert [picture.name for picture in checks.figures()] == ["compatibility", "predictive"]
    assert all(picture.drawing.svg().startswith(b"<?xml") for picture in checks.figures())
    assert "Table 1" in markdown(checks.report())
    assert r"\section" in latex(checks.report())
    monkeypatch.chdir(tmp_path)
    asked = ["check", "small.yaml"]
    Path("small.yaml").write_text(small, encoding="utf-8")
    assert run([*asked, "-o", "out", "--docx", "-q"], monkeypatch) == 0
    kept = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    assert kept["kind"] == "check"
    assert len(kept["checks"]) == len(checks.by_case)
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {
        "report.html", "report.md", "report.docx", "results.json", "scenario.yaml", "tables", "figures",
    }  # fmt: skip
    assert (tmp_path / "out/tables/cells.csv").exists()
    assert trialsim.reproduce(tmp_path / "out")[0]
    capsys.readouterr()
    assert run([*asked, "--json"], monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["observed"] == kept["observed"]


def test_a_run_and_its_check_compile_once(monkeypatch):
    calls = []
    for name in ("compile_rules", "calendar"):
        real = getattr(compiled, name)
        monkeypatch.setattr(compiled, name, lambda *args, f=real, n=name: (calls.append(n), f(*args))[1])
    trial = Compiled.of(load("configs/dasatinib.yaml"))
    simulate(trial, replicates=50, totals=False)
    check(trial)
    assert calls == ["compile_rules", "calendar"]
