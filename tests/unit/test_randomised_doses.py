"""Two doses randomised from the start, where people meet them: file, report, protocol section, compare, find."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

import trialsim
from tests.unit.protocol_cases import text_of
from trialsim.cli import app
from trialsim.errors import DesignError, ScenarioError
from trialsim.facts.protocol import facts
from trialsim.scenario.changes import changed as with_changes
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.digest import digest
from trialsim.scenario.files import parse
from trialsim.writing.markdown import markdown

FILE = """schema: 1
name: two doses
endpoint: response
design: {kind: simon, n1: 8, r1: 0, n: 20, r: 3, p0: 0.1, p1: 0.3}
doses: [120 mg, 80 mg]
dose_decision:
  from_start: {ratio: [2, 1]}
  rule: {kind: difference, lambda: 0.05}
truth:
  inactive: {response: 0.1, toxicity: [0.5, 0.3]}
  weaker: {response: [0.3, 0.1], toxicity: [0.5, 0.3]}
simulation: {replicates: 400, seed: 3}
"""
DATES = """conduct:
  accrual: {per_month: 3}
  assessment_weeks: [8]
  confirmed: false
  toxicity_window_weeks: 6
  interim: HOW
"""
RULE = "  rule: {kind: difference, lambda: 0.05}\n"


def changed(old: str, new: str) -> str:
    assert old in FILE
    return FILE.replace(old, new)


BAD = {
    "after a trigger": (changed(RULE, RULE + "  after_trigger: {}\n"), "after_trigger: nothing is triggered"),
    "any end": (changed(RULE, RULE + "  applies: any_end\n"), "applies: .*a dose that fails"),
    "fewest": (changed(RULE, RULE + "  min_per_dose: 5\n"), "min_per_dose: .*the design says"),
    "selectable": (changed(RULE, RULE + "  higher_selectable: false\n"), "higher_selectable: .*leave this out"),
    "reason": (changed(RULE, RULE + "  reason: a peak\n"), "reason: .*crossed no boundary"),
    "ratio": (changed("[2, 1]", "[2, 0]"), "ratio"),
    "further key": (changed("ratio: [2, 1]", "n: 5"), "from_start"),
    "boundary": (FILE + "dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}}\n", "dose_reduction: not"),
    "cohorts": (FILE + "cohorts: {strata: [{name: a}, {name: b}]}\n", "cohorts: .*the two doses are the cohorts"),
    "replaced": (FILE + "evaluability: {probability: 0.9, replaced: true}\n", "replaced"),
    "one dose": (changed("[120 mg, 80 mg]", "[120 mg]").replace("[0.5, 0.3]", "0.5").replace("[0.3, 0.1]", "0.3"),
                 "needs two"),
    "drift": (changed("response: 0.1, tox", "response: 0.1, drift: 0.05, tox"), "drift: .*from_start"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused_at_its_line(name: str):
    text, words = BAD[name]
    with pytest.raises(ScenarioError) as refused:
        parse(text, "doses.yaml")
    assert re.search(words, str(refused.value)), refused.value
    assert re.match(r"doses\.yaml:\d+: ", str(refused.value))


def test_the_cohorts_are_worked_out_and_not_stated():
    scenario = parse(FILE, "doses.yaml")
    assert scenario.cohorts.names == ("120 mg", "80 mg")
    assert [stratum.share for stratum in scenario.strata] == [1 / 3, 2 / 3]
    again = with_changes(scenario, {})
    assert again == scenario
    assert digest(again) == digest(scenario)
    assert "cohorts" not in scenario.model_fields_set
    back = with_changes(scenario, {"dose_decision": None})
    assert back.cohorts is None
    assert digest(back) == digest(parse(re.sub(r"dose_decision:\n(  .*\n)+", "", FILE), "plain.yaml"))


def test_one_file_has_the_three_conducts():
    text = (
        re.sub(r"  from_start: .*\n", "", FILE)
        + "dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.2}}\n"
    )
    text += "variants:\n  both: {dose_decision.after_trigger: {}}\n"
    text += "  start: {dose_reduction: null, dose_decision.from_start: {}}\n"
    found = trialsim.whatif(parse(text, "doses.yaml"), replicates=300)
    rows = {(row["variant"], row["quantity"]) for row in found.rows() if row["case"] == "weaker"}
    for name in ("p_dose_correct", "en", "toxicities", "patients_dose_1"):
        assert {("start", name), ("both", name)} <= rows, name


def test_the_outcomes_add_up_and_say_who_passed():
    found = trialsim.simulate(parse(FILE, "doses.yaml"))
    for case in found.cases:
        for values in (case.exact.values, {name: e.estimate for name, e in case.simulated.values.items()}):
            assert values["p_dose_none"] == pytest.approx(1 - values["p_go"], abs=1e-12)
            forward = values["p_dose_lower"] + values["p_dose_higher"]
            assert forward == pytest.approx(values["p_go"], abs=1e-12)
            assert values["p_dose_no_comparison"] == values["p_dose_undecided"] == 0
            assert values["p_dose_correct"] + values["p_dose_wrong"] == pytest.approx(forward, abs=1e-12)
            assert values["en"] == pytest.approx(
                values["patients_dose_1"] + values["patients_dose_2"], abs=1e-9
            )
            # a dose that passes alone goes forward
            assert values["p_dose_higher"] >= values["p_go_cohort_1"] - values["p_go_all"] - 1e-12
    assert found["weaker"].exact.values["p_dose_inactive"] == found["weaker"].exact.values["p_dose_lower"]


@pytest.fixture(scope="module")
def found():
    beside = "  margin: 0.05\n  beside: [{kind: utility, toxicity: 0.3}]\n"
    return trialsim.run(parse(changed(RULE, RULE + beside) + DATES.replace("HOW", "pause"), "doses.yaml"))


def test_the_report_says_what_the_numbers_are(found):
    text, document = markdown(found.report()), found.to_dict()
    for sentence in (
        "Patients are randomised between 120 mg and 80 mg, and each dose has to pass the design by itself. If only one",
        "Each dose alone: Stop after 8 patients",
        "The patients of each dose are a cohort, which follows this design by itself",
        "If both pass, 80 mg is chosen unless the observed response rate at",
        "120 mg elsewhere: ",
        "a go at a dose is a statement about that dose",
        "Operating characteristics of a trial of two doses",
        "Only 120 mg passes",
        "the last patients of a dose may have no counterpart",
    ):
        assert sentence in text, sentence
    for wrong in (
        "starting dose to the lowest",
        "not randomised",
        "reduce the dose",
        "single-arm",
        "is not supported",
    ):
        assert wrong not in text, wrong
    decided = document["cases"]["weaker"]["dose_decision"]
    assert [rule["rule"]["kind"] for rule in decided["rules"]] == ["difference", "utility", "always_lower"]
    assert sum(decided["passed"].values()) == pytest.approx(1, abs=1e-11)
    assert not any(path["path"].startswith("cohorts") for path in document["inputs"])


def test_the_rule_of_the_scenario_is_the_first_of_the_table(found):
    for name, case in found.to_dict()["cases"].items():
        exact = found.results[name].at_once.exact.values
        for quantity in ("p_dose_lower", "p_dose_higher", "p_dose_none"):
            assert case["dose_decision"]["rules"][0][quantity] == pytest.approx(exact[quantity], abs=1e-11)


def protocol(text: str) -> str:
    return text_of(facts(Compiled.of(parse(text, "doses.yaml"))))


def test_the_protocol_section_says_what_is_simulated():
    pauses, goes_on = (protocol(FILE + DATES.replace("HOW", how)) for how in ("pause", "continue"))
    for text in (pauses, goes_on):
        for sentence in (
            "Patients are randomised 1 : 2 (120 mg : 80 mg), each independently of the others.",
            "every later patient is given the other dose, until it needs no more patients either",
            "If neither 120 mg nor 80 mg ends in a go, no dose goes forward. If one of them does, it goes forward",
            "If both do, 80 mg is chosen unless the observed response rate at 120 mg is higher than that at 80 mg by",
            "There are two doses, both given from the start: 120 mg and 80 mg.",
            "At most 40 patients will be treated in all cohorts together.",
        ):
            assert sentence in text, sentence
        assert "arrive as before" not in text
    assert "are turned away" in pauses
    assert "turned away" not in goes_on


def test_a_dose_that_is_complete_leaves_its_patients_to_the_other():
    """In calendar time: with a coin that favours one dose, the months are those of patients who all are enrolled."""
    text = FILE + DATES.replace("HOW", "continue")
    even, uneven = (
        trialsim.simulate(parse(text.replace("[2, 1]", ratio), "doses.yaml"), replicates=600)[
            "weaker"
        ].simulated.values
        for ratio in ("[1, 1]", "[12, 1]")
    )
    # were patients of the favoured dose turned away, the other would wait for 13 times as many
    assert uneven["duration_months"].estimate < 1.5 * even["duration_months"].estimate


def test_compare_has_them_beside_one_another(tmp_path):
    reduce = (
        re.sub(r"  from_start: .*\n", "", FILE)
        + "dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.2}}\n"
    )
    (tmp_path / "reduce.yaml").write_text(reduce)
    (tmp_path / "start.yaml").write_text(FILE)
    compared = trialsim.compare([tmp_path / "reduce.yaml", tmp_path / "start.yaml"], replicates=200)
    assert {"p_dose_correct", "p_dose_wrong", "toxicities", "en"} <= set(compared.columns)
    assert "start randomises between two doses from the start" in markdown(compared.report())


# -- how many patients


def test_a_search_for_the_number_of_patients():
    found = trialsim.find("selection", higher=0.2, delta=0.1, pcs=0.8)
    first, stable = found["first"], found["stable"]
    assert (first.n, first.k, stable.n) == (84, 4, 97)
    for size in found:
        assert size.k <= size.lambda_ * size.n < size.k + 1
        assert min(size.pcs_equal, size.pcs_different) >= 0.8
    text = str(found)
    assert "stable" in text
    assert "97" in text
    assert found.to_dict()["searched"] == "n <= 400"
    only = trialsim.find("selection", higher=0.2, delta=0.1, pcs=0.8, nmax=90)
    assert [size.name for size in only] == ["first"]
    assert "90 patients at each dose will not" in str(only)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({}, "needs higher, delta, pcs; missing: higher, delta, pcs"),
        ({"higher": 0.2, "delta": 0.2, "pcs": 0.7}, "delta = 0.2 must be below higher = 0.2"),
        ({"higher": 0.2, "delta": 0.1, "pcs": 0.5}, "above 0.5"),
        ({"higher": 1.2, "delta": 0.1, "pcs": 0.7}, "higher"),
        ({"higher": "x", "delta": 0.1, "pcs": 0.7}, "higher = 'x' is not a number"),
        (
            {"higher": 0.2, "delta": 0.1, "pcs": 0.7, "nmax": 0},
            "nmax = 0 must be a whole number from 1 to 1000",
        ),
        ({"higher": 0.2, "delta": 0.1, "pcs": 0.7, "p0": 0.1}, "`p0` is no key of selection"),
        ({"higher": 0.2, "delta": 0.1, "pcs": 0.7, "balanced": True}, "`balanced` is no key"),
        ({"higher": 0.2, "delta": 0.05, "pcs": 0.9, "nmax": 20}, "no n up to 20 .* the best is 0\\.5"),
    ],
)
def test_a_search_that_cannot_be(stated, words):
    with pytest.raises(DesignError, match=words):
        trialsim.find("selection", **stated)


def test_the_command():
    asked = ["find", "selection", "--set", "higher=.3", "--set", "delta=.15", "--set", "pcs=.7"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0
    assert "19" in done.output
    assert "28" in done.output
    for more in (["--settings", "x.csv"], ["--p0", ".1"], ["--null", "a"], ["--figure", "a.svg"]):
        refused = CliRunner().invoke(app, [*asked, *more])
        assert refused.exit_code != 0, more
