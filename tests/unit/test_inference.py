"""The analysis afterwards, as a user meets it: the API, the command, sizes other than planned, plain errors."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom

import trialsim
from tests.helpers import first_of, run
from trialsim.designs.rules import Looks, two_way
from trialsim.errors import DesignError
from trialsim.figures.estimators import draw
from trialsim.inference import characteristics, looks_from
from trialsim.inference.attained import Attained, TwoStage, readings, same_posterior
from trialsim.inference.estimators import ESTIMATORS, umvue
from trialsim.inference.intervals import INTERVALS, exact
from trialsim.inference.orderings import ORDERINGS
from trialsim.inference.outcomes import outcomes_of
from trialsim.inference.posterior import above, posterior
from trialsim.reporting.analyse import quote
from trialsim.writing.latex import latex
from trialsim.writing.markdown import markdown

EXAMPLE = Path("configs/dasatinib.yaml")
DESIGN = {"design": "1/25,6/70", "p0": 0.05, "p1": 0.15}


def analysed(**more):
    return trialsim.analyse(**(DESIGN | more)).sets[0]


# a design and its counts


def test_a_trial_as_planned():
    found = analysed(responses=3, stage1=2)
    assert (found.n, found.look, found.decision) == (70, 1, "no go")
    assert found.p_value == pytest.approx(0.334701, abs=5e-7)
    assert found.estimates["umvue"] == pytest.approx(
        (2 * 300 * 45 + 3 * 2300) / (25 * (300 * 45 + 2300)), rel=1e-12
    )  # 2 or 3 of the responses were among the first 25
    assert found.p_values[0].ordering == "stagewise"
    assert found.p_values[0].mid_p < found.p_value
    assert found.intervals[0].name == "stagewise"
    assert not found.readings


def test_the_p_value_is_the_attained_alpha_at_the_first_go():
    found = analysed(responses=7)
    assert found.decision == "go"
    assert found.p_value == pytest.approx(0.0498, abs=5e-5)


def whole(**asked):
    """Everything that is said of an analysis, the appendix included."""
    return markdown(trialsim.analyse(**(DESIGN | asked)).report()).replace("\\", "")


def test_every_text_names_the_ordering_and_the_prior():
    text = whole(responses=3)
    for words in ("| stagewise |", "| mle |", "| umvue |", "prior Beta(0.5, 0.5) (Jeffreys)"):
        assert words in text
    text = whole(responses=3, ordering="mle", prior=(1, 1))
    assert text.index("| mle |") < text.index("| stagewise |")
    assert "by the observed proportion (MLE), whatever the look" in text
    assert "prior Beta(1, 1)" in text


def test_early_stop_and_early_go():
    assert analysed(responses=1).decision == "stop for futility"
    found = trialsim.analyse(design="1:4/10,6/30", responses=5, n=10, p0=0.2).sets[0]
    assert (found.look, found.decision) == (0, "go")
    later = trialsim.analyse(design="1:4/10,6/30", responses=7, n=30, p0=0.2).sets[0]
    assert found.p_value < later.p_value  # an early go is more in favour than a late one


def test_a_single_stage_trial_has_the_interval_of_clopper_and_pearson():
    found = trialsim.analyse(design="6/30", responses=7, p0=0.1).sets[0]
    low, high = found.intervals[0].low, found.intervals[0].high
    naive = next(i for i in found.intervals if i.name == "clopper_pearson")
    assert (low, high) == pytest.approx((naive.low, naive.high), abs=1e-12)
    assert found.p_value == pytest.approx(binom.sf(6, 30, 0.1), rel=1e-12)
    estimates = {name: value for name, value in found.estimates.items() if name != "median_unbiased"}
    assert set(np.round(list(estimates.values()), 12)) == {round(7 / 30, 12)}


def test_tidy_table_and_json():
    found = trialsim.analyse(**DESIGN, responses=3, stage1=2, n=69)
    frame = found.to_frame()
    assert set(frame["kind"]) == {"estimate", "p_value", "interval", "posterior", "attained_sizes"}
    assert frame.loc[frame["kind"] == "p_value", "ordering"].notna().all()
    again = json.loads(json.dumps(found.to_dict()))
    assert again["sets"][0]["ordering"] == "stagewise"
    assert again["sets"][0]["posterior"]["prior"] == [0.5, 0.5]


def test_without_p0_there_is_no_p_value_and_it_is_said():
    found = trialsim.analyse(design="1/25,6/70", responses=3)
    assert found.sets[0].p_value is None
    assert "no p-value" in str(found)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"responses": None}, "state a scenario, or a design and its responses"),
        ({"responses": 71}, "71 responses among 70 patients cannot be"),
        ({"responses": 3, "stage1": 1}, "the trial would have ended there"),
        ({"responses": 3, "stage1": 4}, "4 responses in stage 1 and 3 in all cannot be"),
        ({"responses": 60, "stage1": 2}, "cannot be"),
        ({"responses": 1, "n": 70}, "would have ended at an earlier look"),
        ({"responses": 2, "n": 25}, "it goes on to 70"),
        ({"responses": 3, "p0": 5}, "a rate, not a percentage"),
        ({"responses": 3, "p0": 0.2}, "must be above the unacceptable rate"),
        ({"responses": 3, "confidence": 95}, "between 0 and 1"),
        ({"responses": 3, "ordering": "by size"}, "stagewise, mle, umvue"),
        ({"responses": 3, "prior": (0, 1)}, "above 0"),
        ({"responses": 3, "estimate": "mean"}, "estimate 'mean' is not known; there are mle, "),
        ({"responses": 3, "interval": "wald"}, "interval 'wald' is not known; there are stagewise, "),
        ({"responses": 3, "toxicities": 71}, "71 patients with toxicity among 70 treated patients cannot be"),
        ({"responses": 3, "treated": 72}, "goes with toxicities"),
        ({"responses": 3, "toxicities": 7, "treated": 69}, "cannot be fewer than the 70 analysed"),
        ({"responses": 3, "design": "25,70"}, "write R1/N1 R/N"),
        ({"responses": 3, "design": "1/25,6/20"}, "looks must grow"),
        ({"responses": 3, "design": "30/25,6/70"}, "cut-offs must be below"),
        ({"responses": 3, "design": "1:1/25,6/70"}, "leads on"),
        ({"responses": 3, "design": "1/25,3:6/70"}, "one cut-off"),
        ({"responses": 3, "design": "1/25,-/70"}, "needs its cut-off"),
        ({"responses": 5, "design": "1:4/10,6/30"}, "among 10 or 30 patients: state the number analysed"),
        ({"responses": 3, "design": "1/25,6/1200"}, "up to 1000 patients"),
        ({"responses": 3, "overrun": 3}, "state the responses in stage 1"),
        ({"responses": 3, "overrun": 3, "stage1": 2}, "did not stop this trial"),
        ({"responses": 5, "overrun": 3, "stage1": 1}, "with 3 more patients"),
        ({"responses": 1, "overrun": 45, "stage1": 1}, "less than stage 2"),
    ],
)
def test_plain_errors(more, words):
    with pytest.raises(DesignError, match=words.replace("(", r"\(")):
        trialsim.analyse(**(DESIGN | more))


def test_designs_in_a_few_signs():
    assert looks_from("1/25,6/70") == two_way((25, 70), (1, 6), (None, 6))
    assert looks_from(" -:5/10 , 2:6/20, 6/30") == two_way((10, 20, 30), (-1, 2, 6), (5, 6, 6))


def test_designs_without_a_stagewise_ordering_are_refused():
    backwards = Looks((3, 6), ((1, -1, 1, 1), (-1, -1, -1, -2, -2, -2, -2)))
    with pytest.raises(DesignError, match="more responses lead to a worse decision"):
        outcomes_of(backwards)
    # two ways into the last look
    merged = Looks((2, 4, 6), ((1, 2, 2), (2, 2, -2, -2, -2), (-1, -1, -1, -2, -2, -2, -2)))
    with pytest.raises(DesignError, match="more than one way in"):
        outcomes_of(merged)


def test_a_second_stage_whose_size_depends_on_the_first_is_read_in_stage_1_order():
    looks = Looks((3, 5, 7), ((-1, 2, 1, -2), (-1,) * 3 + (-2,) * 3, (-1,) * 3 + (-2,) * 5))
    outcomes = outcomes_of(looks)
    assert outcomes.look.tolist() == [0] + [2] * 5 + [1] * 3 + [0]
    rate = np.array([0.3])
    assert (outcomes.pmf(rate) @ outcomes.first_rate)[0] == pytest.approx(0.3, abs=1e-14)


# sizes other than planned


def test_a_second_stage_of_another_size():
    found = analysed(responses=3, stage1=2, n=69)
    assert found.planned == TwoStage(1, 25, 6, 70)
    methods = {r.method: r for r in found.readings}
    assert set(methods) == {"planned_cut_offs", "koyama_chen", "green_dahlberg", "li"}
    assert methods["planned_cut_offs"].p_value == pytest.approx(found.p_value)
    assert methods["koyama_chen"].ordering == "conditional on stage 1"
    assert {r.method for r in analysed(responses=3, n=69).readings} == set(methods) - {"koyama_chen"}


def test_first_stages_of_another_size():
    stopped = analysed(responses=1, stage1_n=27, n=27)
    assert (stopped.n, stopped.decision) == (27, "stop for futility")
    assert stopped.looks.n == (27, 70)
    assert analysed(responses=1, n=22).looks.n == (22, 70)
    both = analysed(responses=4, stage1=2, stage1_n=27, n=72)
    assert both.looks.n == (27, 72)
    assert "of the planned size" in both.notes[-1]


def test_patients_enrolled_when_the_trial_stopped():
    first, overrun = trialsim.analyse(**DESIGN, responses=2, stage1=1, overrun=4).sets
    assert (first.n, first.x, overrun.n, overrun.x) == (25, 1, 29, 2)
    assert first.p_value == pytest.approx(binom.sf(0, 25, 0.05), rel=1e-12)
    # with them: at most one of 25 and the total at least 2, or on to stage 2
    ahead = binom.pmf(1, 25, 0.05) * binom.sf(0, 4, 0.05) + binom.pmf(0, 25, 0.05) * binom.sf(1, 4, 0.05)
    assert overrun.p_value == pytest.approx(ahead + binom.sf(1, 25, 0.05), rel=1e-12)


def test_green_and_dahlberg_test_p1_at_02_and_p0_at_055():
    for n1, n in ((20, 60), (25, 69), (31, 80)):
        (found,) = (
            r
            for r in readings(TwoStage(1, 25, 6, 70), Attained(n1, n, 5), 0.05, 0.15)
            if r.method == "green_dahlberg"
        )
        assert binom.cdf(found.r1, n1, 0.15) <= 0.02 < binom.cdf(found.r1 + 1, n1, 0.15)
        assert binom.sf(found.r, n, 0.05) <= 0.055 < binom.sf(found.r - 1, n, 0.05)


def test_the_same_posterior_gives_the_planned_cut_off_at_the_planned_size():
    for n, r in ((25, 1), (70, 6), (10, 0), (33, 10)):
        assert same_posterior(0.1, n, r, n) == r
        sizes = [same_posterior(0.1, n, r, m) for m in range(5, 100)]
        assert sizes == sorted(sizes)


def test_true_error_rates_of_each_method_are_those_of_its_rule():
    planned, seen = TwoStage(6, 19, 16, 39), Attained(19, 42, 17, 7)
    for found in readings(planned, seen, 0.3, 0.5):
        if found.method == "koyama_chen":
            assert found.alpha <= 0.0454990
            assert found.decision == "no go"
            assert found.interval[0] < found.median < found.interval[1]
            continue
        for p, value in ((0.3, found.alpha), (0.5, found.power)):
            go = sum(binom.pmf(k, 19, p) * binom.sf(found.r - k, 23, p) for k in range(found.r1 + 1, 20))
            assert value == pytest.approx(go, rel=1e-10)


def test_at_the_planned_size_the_conditional_method_is_the_design():
    planned = TwoStage(6, 19, 16, 39)
    for x1 in range(7, 16):
        seen = Attained(19, 39, 17, x1)
        (found,) = (r for r in readings(planned, seen, 0.3, 0.5) if r.method == "koyama_chen")
        assert found.r == planned.r
        assert found.p_value == pytest.approx(found.alpha, rel=1e-9)  # 17 is the first go


# posterior


@pytest.mark.parametrize(
    ("n", "x", "prior"), [(69, 3, (0.5, 0.5)), (25, 0, (0.5, 0.5)), (12, 12, (1, 1)), (30, 20, (2, 3))]
)
def test_the_posterior_is_the_beta_it_says(n, x, prior):
    found = posterior(n, x, prior=prior, p0=0.05, p1=0.15)
    a, b = prior[0] + x, prior[1] + n - x
    density = beta(a, b)
    assert found.mean == pytest.approx(density.mean())
    assert density.cdf(found.median) == pytest.approx(0.5)
    assert density.cdf(found.equal_tail) == pytest.approx([0.025, 0.975])
    low, high = found.hpd
    assert density.cdf(high) - density.cdf(low) == pytest.approx(0.95)
    assert high - low <= found.equal_tail[1] - found.equal_tail[0]
    for move in (-1e-4, 1e-4):  # no interval of the same content is shorter
        start = density.cdf(low) + move
        if 0 <= start <= 0.05:
            assert density.ppf(start + 0.95) - density.ppf(start) >= high - low
    mass = quad(density.pdf, 0.15, 1, points=[0.15, found.mean])[0]
    assert found.above_p1 == pytest.approx(mass, abs=1e-7)
    assert above(0.05, n, x, prior) == found.above_p0


# a scenario


def test_the_observed_trial_of_a_scenario():
    found = trialsim.analyse(trialsim.load(EXAMPLE))
    assert [(a.patients, a.n, a.x) for a in found.sets] == [
        ("All treated patients", 70, 3),
        ("Evaluable patients", 69, 3),
    ]
    assert found["Evaluable patients"].planned == TwoStage(1, 25, 6, 70)
    text = " ".join(str(found).split())
    assert found.assumed
    assert "If the trial had followed the design that this scenario assumes" in text
    assert "Had the trial followed the design that this scenario assumes" in quote(found)
    assert "Nothing here says that the trial used it" in text
    assert "Responses by dose are not stated" in text
    assert found["All treated patients"].plan.p0 == 0.05


def rewritten(tmp_path: Path, *changes: tuple[str, str]) -> trialsim.Scenario:
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return trialsim.load(path)


def test_by_dose_and_stage_1_where_stated(tmp_path):
    scenario = rewritten(
        tmp_path,
        (
            "  evaluable_by_dose: [23, 46]",
            "  evaluable_by_dose: [23, 46]\n  responses_by_dose: [2, 1]\n  stage1: {evaluable: 25, responses: 2}",
        ),
        ("  design: {assumed: true, note", "  design: {source"),
    )
    found = trialsim.analyse(scenario)
    assert not found.assumed
    assert "assumed" not in str(found)
    assert [(d.dose, d.n, d.x) for d in found.doses] == [("100 mg BID", 23, 2), ("70 mg BID", 46, 1)]
    assert found.doses[0].low == pytest.approx(0.0107, abs=5e-5)
    assert "koyama_chen" in {r.method for r in found["Evaluable patients"].readings}
    assert found["All treated patients"].x1 == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ("at_lowest_dose: stop", "at_lowest_dose: stop\n  on_dose_change: restart"),
            "on_dose_change: restart",
        ),
        (("  rules: pooled", "  rules: own"), "each cohort has looks of its own"),
    ],
)
def test_designs_whose_looks_count_others_are_refused(tmp_path, change, words):
    text = EXAMPLE.read_text(encoding="utf-8")
    if change[0] not in text:
        pytest.fail(f"{change[0]!r} is not in the example any more")
    with pytest.raises(trialsim.TrialsimError, match=words):
        trialsim.analyse(rewritten(tmp_path, change))


def test_a_scenario_stands_alone():
    with pytest.raises(DesignError, match="give it alone"):
        trialsim.analyse(trialsim.load(EXAMPLE), responses=3)


# the command and the figure


def test_the_command(tmp_path, monkeypatch, capsys):
    asked = [
        "--design", "1/25,6/70", "--responses", "3", "--stage1", "2", "--stage2-n", "44", "--p0", ".05", "--p1", ".15",
        "--json", "--characteristics", "--figure", str(tmp_path / "pictures"),
    ]  # fmt: skip
    assert run(["analyse", *asked], monkeypatch) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sets"][0]["n"] == 69
    assert found["characteristics"]["p"] == [0.05, 0.15]
    assert {p.name for p in (tmp_path / "pictures").iterdir()} == {
        "estimators.csv", "estimators.png", "estimators.svg",
    }  # fmt: skip
    assert run(["analyse", "--design", "1/25,6/70", "--responses", "99"], monkeypatch) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.strip()) == ("", "error: 99 responses among 70 patients cannot be")


def test_the_figure_says_what_it_shows():
    table = characteristics(looks_from("1/25,6/70"))
    drawn = draw(table, p0=0.05, p1=0.15)
    assert "Koyama-Chen interval: coverage at least 0.888" in drawn.alt
    assert len(drawn.frame) == 99 * 13
    assert len(drawn.figure.axes) == 3


# the primary analysis: named in advance, quoted in a sentence


@pytest.mark.parametrize("design", ["1/10,5/29", "1/25,6/70", "5/17,22/41", "0/9,2/17", "2/12,5/20,9/35"])
def test_the_primary_estimate_agrees_with_the_primary_interval_and_p_value(design):
    """More in favour by the stagewise ordering is never a lower UMVUE, and the UMVUE lies within the interval."""
    outcomes = outcomes_of(looks_from(design))
    estimate = umvue(outcomes)
    low, high = exact(outcomes, 0.95)
    assert np.all(np.diff(estimate) >= -1e-12)
    assert np.all((low <= estimate + 1e-12) & (estimate <= high + 1e-12))


PAIRS = sorted(
    product(ESTIMATORS, INTERVALS), key=lambda pair: sum(map([*ESTIMATORS, *INTERVALS].index, pair)) % 3
)
"""Every estimate with every interval; each of them stands in a third, the first, that is always run."""


@pytest.mark.parametrize(("estimate", "interval"), first_of(len(PAIRS) // 3, PAIRS))
def test_the_sentence_to_quote_has_the_numbers_of_the_answer(estimate, interval):
    for ordering in ORDERINGS:
        found = trialsim.analyse(
            design="1/10,5/29", responses=7, stage1=3, p0=0.1, p1=0.3, confidence=0.9,
            estimate=estimate, interval=interval, ordering=ordering,
        )  # fmt: skip
        primary = found.sets[0]
        row = next(i for i in primary.intervals if i.name == interval)
        expected = [primary.estimates[estimate], row.low, row.high]
        p = next(p.p for p in primary.p_values if p.ordering == ordering)
        assert (primary.estimate, primary.interval, primary.p_value) == (expected[0], row, p)
        text = quote(found)
        percents = re.findall(r"(\d+(?:\.\d+)?)%", text)
        rates = [f"{100 * value:.2f}" for value in (7 / 29, *expected)]
        assert percents == [*rates[:2], "90", *rates[2:], "10"]
        assert f" is {p:.3f} (" in text
        usual = (estimate, interval, ordering) == ("umvue", "stagewise", "stagewise")
        assert ("the same methods for every trial" in " ".join(str(found).split())) == usual
        assert text.startswith("7 of 29 patients responded (24.14%).")
        assert "stop stage 1 if responses ≤ 1 of 10; go if responses > 5 of 29" in text
        plain = found.to_dict()["sets"][0]["primary"]
        assert plain["estimate"]["value"] == pytest.approx(expected[0])
        assert plain["p_value"] == {"ordering": ordering, "value": pytest.approx(p)}


def test_a_method_without_an_interval_says_so():
    found = trialsim.analyse(design="1/10,5/29", responses=0, p0=0.1, interval="koyama_chen")
    assert "for which the method gives no 95% confidence interval" in quote(found)
    assert found.figures()[0].drawing.svg()
    assert "p-value" not in quote(trialsim.analyse(design="1/10,5/29", responses=7))


def test_toxicity_has_the_interval_of_clopper_and_pearson():
    found = trialsim.analyse(trialsim.load(EXAMPLE))
    told = {harm.what: harm for harm in found.harms}
    assert (told["toxicities"].count, told["toxicities"].treated) == (26, 70)
    assert (told["serious"].count, told["serious"].treated) == (20, 70)
    for harm in found.harms:
        law = beta(harm.count, harm.treated - harm.count + 1), beta(harm.count + 1, harm.treated - harm.count)
        assert (harm.low, harm.high) == pytest.approx((law[0].ppf(0.025), law[1].ppf(0.975)), rel=1e-9)
    text = str(found)
    assert "26 of 70 treated  37.14%  25.89% - 49.52%" in text
    assert "Toxicity by dose is unreported." in text
    assert "no stopping rule enters them" in text
    counted = trialsim.analyse(**DESIGN, responses=3, toxicities=30, treated=72)
    assert (counted.harms[0].count, counted.harms[0].treated) == (30, 72)
    assert "Toxicity is unreported." in str(trialsim.analyse(**DESIGN, responses=3))


def test_toxicity_by_dose_where_it_is_reported(tmp_path):
    scenario = rewritten(
        tmp_path,
        ("  toxicity_percent: 37          # 26 of 70: the only count that rounds to it", "  toxicities: 26"),
        (
            "  evaluable_by_dose: [23, 46]",
            "  evaluable_by_dose: [23, 46]\n  treated_by_dose: [24, 46]\n  toxicities_by_dose: [14, 12]",
        ),
    )
    found = trialsim.analyse(scenario)
    assert [(h.dose, h.count, h.treated) for h in found.harms if h.dose] == [
        ("100 mg BID", 14, 24),
        ("70 mg BID", 12, 46),
    ]
    assert "unreported" not in str(found)
    with pytest.raises(trialsim.ScenarioError, match="adds up to 27"):
        rewritten(
            tmp_path,
            (
                "  toxicity_percent: 37          # 26 of 70: the only count that rounds to it",
                "  toxicities: 26",
            ),
            (
                "  evaluable_by_dose: [23, 46]",
                "  evaluable_by_dose: [23, 46]\n  treated_by_dose: [24, 46]\n  toxicities_by_dose: [15, 12]",
            ),
        )


def test_an_analysis_in_every_form(tmp_path, monkeypatch):
    found = trialsim.analyse(trialsim.load(EXAMPLE), characteristics=True)
    assert len(repr(found)) < 200
    assert "To quote." in found._repr_html_()
    assert [picture.name for picture in found.figures()] == ["analysis"]
    assert "Evaluable patients: every estimate" in markdown(found.report())
    assert r"\section" in latex(found.report())
    assert found.characteristics is not None
    assert found.characteristics.p.tolist() == [0.05, 0.15]
    assert "Coverage of two-sided 95% intervals" in str(found)
    assert "Coverage of two-sided 95% intervals" in str(found.characteristics)
    for name, more in (
        ("scenario", [str(EXAMPLE)]),
        ("design", ["--design", "1/10,5/29", "--responses", "7"]),
    ):
        assert run(["analyse", *more, "-o", str(tmp_path / name), "--docx", "-q"], monkeypatch) == 0
        assert {"report.html", "report.md", "report.docx", "results.json"} <= {
            p.name for p in (tmp_path / name).iterdir()
        }
        assert (tmp_path / name / "figures/analysis.svg").exists()
        assert trialsim.reproduce(tmp_path / name)[0]
    kept = json.loads((tmp_path / "scenario/results.json").read_text(encoding="utf-8"))
    assert kept["harms"][0] == {
        "what": "toxicities", "dose": None, "count": 26, "treated": 70,
        "rate": pytest.approx(26 / 70), "low": pytest.approx(0.2589, abs=5e-5), "high": pytest.approx(0.4952, abs=5e-5),
    }  # fmt: skip


def test_a_design_by_itself_has_no_cases_and_so_no_word_of_the_check():
    assert "The test and the check" not in markdown(trialsim.analyse(**DESIGN, responses=7).report())
    assert "The test and the check" in markdown(trialsim.analyse(EXAMPLE).report())


def test_one_patient_is_one():
    assert "1 response among 1 patient, at look 1" in " ".join(
        str(trialsim.analyse(design="0/1", responses=1)).split()
    )
