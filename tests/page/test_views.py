"""What the tabs of the page rest on, without a browser: searches, pins, and reports as parts."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

import trialsim
from trialsim.designs.finding import CRITERIA, DERIVED, KINDS, SEARCHES, find, spec_of
from trialsim.errors import DesignError
from trialsim.page import pins
from trialsim.page.answering import Snapshot, answers
from trialsim.page.designing import NMAX, RATES, arguments, block_of, keys, start
from trialsim.page.draft import Draft
from trialsim.page.tellings import analysed, decisions, in_labels, parts, standing, whole_numbers
from trialsim.page.views.form import panel as form_panel
from trialsim.page.views.further import of_the_doses, of_the_doubt
from trialsim.scenario.changes import changed, variants
from trialsim.scenario.digest import digest
from trialsim.scenario.files import parse
from trialsim.writing.numbers import probability
from trialsim.writing.report import Points, Words, section

CONFIGS = Path(__file__).parents[2] / "configs"
SLOW = ("posterior_probability", "predictive_probability", "bryant_day", "curtailed")
QUICKLY = {"kind": "simon", "p0": 0.1, "p1": 0.5, "alpha": 0.1, "power": 0.8}


def draft(name: str = "teaching") -> Draft:
    return Draft.of((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))


# -- a search


@pytest.mark.parametrize("kind", [*SEARCHES, *DERIVED])
def test_every_kind_has_controls_that_its_search_takes(kind: str) -> None:
    found = {key.name: key for key in keys(kind)}
    taken = {*RATES, *(field.alias or name for name, field in KINDS[kind].model_fields.items())}
    assert found.keys() <= taken
    assert all(key.words for key in found.values() if key.name in RATES)
    begun = start(kind, QUICKLY)
    assert {"p1": 0.5}.items() <= begun.items()
    assert all(begun.get(key.name, "") != "" for key in found.values() if key.needed)


@pytest.mark.parametrize("kind", [kind for kind in (*SEARCHES, *DERIVED) if kind not in SLOW])
def test_a_design_that_is_found_goes_into_the_scenario_with_the_same_looks(kind: str) -> None:
    begun = start(kind, QUICKLY)
    typed = {
        key: value if isinstance(value, bool) else str(value).strip("[]") for key, value in begun.items()
    }
    found = find(**arguments(kind, typed))
    assert found.designs
    for design in found:
        block = block_of(found, design)
        stated = "multistage" if kind == "optimal_looks" else kind
        assert block["kind"] == stated
        assert not getattr(spec_of(stated, block), "is_searched", False) or kind in DERIVED
        taken = draft().edited("design", block)
        assert taken.data["design"] == block
        assert spec_of(stated, taken.data["design"]).compile() == design.decisions


@pytest.mark.parametrize("kind", ["simon", "single_stage", "mander_thompson", "multistage"])
def test_a_scenario_that_searches_goes_on_searching_and_finds_the_design_that_was_chosen(kind: str) -> None:
    found = find(**arguments(kind, {"p0": "0.05", "p1": "0.25", "alpha": "0.1", "power": "0.8"}))
    present = {"kind": "simon", "p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
    for design in found:
        block = block_of(found, design, present)
        # what a scenario cannot search for (an admissible design of three stages) is stated
        searched = design.criterion in CRITERIA[kind]
        assert block.get("criterion") == (design.criterion if searched else None)
        assert ("n" in block) is not searched
        assert spec_of(kind, block).compile() == design.decisions


def test_an_admissible_design_is_searched_for_by_a_weight_in_its_range() -> None:
    found = find("simon", p0=0.05, p1=0.15, alpha=0.05, beta=0.15)
    assert [design.criterion for design in found].count("admissible") == 3
    for design in found:
        block = block_of(
            found, design, {"kind": "simon", "p0": 0.05, "p1": 0.15, "alpha": 0.05, "beta": 0.15}
        )
        assert spec_of("simon", block).compile() == design.decisions


def test_a_table_that_no_kind_can_state_is_stated_by_its_decisions() -> None:
    found = find("simon", p0=0.1, p1=0.3, alpha=0.1, beta=0.2)
    other = find("simon", p0=0.05, p1=0.25, alpha=0.1, beta=0.2)["optimal"]
    from dataclasses import replace

    odd = replace(found["optimal"], decisions=other.decisions)  # its cut-offs are not those of its looks
    block = block_of(found, odd)
    assert block["kind"] == "rules"
    assert spec_of("rules", block).compile().next == other.decisions.next


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"p0": "5%"}, "write 0.05"),
        ({"nmax": str(NMAX + 1)}, f"n = {NMAX}"),
        ({"nmax": "12.5"}, "whole number"),
        ({"p0": "nan"}, "text"),
    ],
)
def test_what_is_typed_wrongly_is_answered_with_a_sentence(typed: dict[str, str], said: str) -> None:
    with pytest.raises(DesignError, match=said.replace(".", r"\.")):
        arguments("simon", {"p0": "0.1", "p1": "0.3", "alpha": "0.05", "power": "0.8", **typed})


def test_what_no_control_sends_is_left_out() -> None:
    typed = {
        "p0": "0.1",
        "p1": ["0.3"],
        "alpha": {"a": 1},
        "doing": "x",
        "scenario": "/etc/passwd",
        "balanced": "yes",
    }
    assert arguments("simon", typed) == {"kind": "simon", "p0": 0.1}


# -- pins


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_differences_turn_one_scenario_into_the_other(name: str) -> None:
    base = draft(name).scenario
    assert base is not None
    assert pins.differences(base, base) == {}
    others = list(variants(base).values())
    for one, other in pairwise([changed(base, {}), *others, changed(base, {})]):
        found = pins.differences(one, other)
        assert digest(changed(one, found)) == digest(other)


def test_differences_are_the_smallest_parts_and_told_in_words() -> None:
    one = draft("dasatinib")
    other = (
        one.edited("truth.active.toxicity[0]", 0.6)
        .edited("name", "Other")
        .edited("conduct.accrual.per_month", 8)
    )
    assert one.scenario and other.scenario
    assert pins.differences(one.scenario, other.scenario) == {
        "name": "Other",
        "conduct.accrual.per_month": 8.0,
        "truth.active.toxicity[0]": 0.6,
    }
    assert pins.changed_words(one.scenario, other.scenario) == (
        "patients screened a month from 4.5 to 8",
        "toxicity rate at 100 mg BID in “active” from 45% to 60%",
    )


def test_a_case_or_a_block_that_comes_or_goes_is_a_difference() -> None:
    one = draft()
    case = {"response": 0.2, "toxicity": 0.3}
    other = (
        one.edited("truth.middling", case)
        .edited("truth.active", None)
        .edited("design", {"kind": "single_stage", "n": 20, "r": 3})
    )
    assert one.scenario and other.scenario, other.problems
    found = pins.differences(one.scenario, other.scenario)
    assert found["truth.active"] is None
    assert found["truth.middling"] == case
    assert found["design"] == {"kind": "single_stage", "n": 20, "r": 3}
    assert digest(changed(one.scenario, found)) == digest(changed(other.scenario, {}))


def test_names_and_replicates_alone_are_no_difference() -> None:
    one = draft()
    other = one.edited("name", "Other").edited("simulation.replicates", 7)
    assert one.scenario and other.scenario
    assert pins.changed_words(one.scenario, other.scenario) == ()
    (only,) = list(pins.compared(one.scenario, other.scenario, "pin", 100))
    assert only == pins.Against(())


@pytest.mark.parametrize("name", ["teaching", "dasatinib"])
def test_differences_sharpen_to_those_of_a_what_if(name: str) -> None:
    one = draft(name)
    other = one.edited("truth.active.toxicity[0]", 0.6)
    assert one.scenario and other.scenario
    found = [
        each.found
        for each in pins.compared(one.scenario, other.scenario, "pin", 2_100)
        if each and each.found
    ]
    assert [each.replicates for each in found] == [2_000, 2_100]
    for each in found:
        asked = trialsim.whatif(
            changed(one.scenario, {}), {"truth.active.toxicity[0]": 0.6}, replicates=each.replicates
        )
        assert each.variants[0].effects == asked["changed"].effects


def test_scenarios_without_a_common_case_are_compared_as_designs_under_the_cases_of_the_pin() -> None:
    one = draft()
    other = Draft.of(
        one.text.replace("inactive:", "none:")
        .replace("active:", "some:")
        .replace("active_lower_dose_weaker:", "few:")
    )
    assert one.scenario and other.scenario, other.problems
    assert not set(one.scenario.truth) & set(other.scenario.truth)
    *_, last = pins.compared(one.scenario, other.scenario.model_copy(update={"name": "x"}), "pin", 300)
    assert last and last.found
    assert list(last.found.values) == list(one.scenario.truth)
    assert [each.title for each in pins.sections(last.found, "pin", "1")][:1] == ["In short"]


# -- reports


def test_parts_of_a_report_are_escaped_and_speak_of_no_files() -> None:
    (part,) = parts(
        [section("k", "", Words("<script>alert(1)</script>"), Points(("kept", "in the CSV files too")))]
    )
    assert "<script>" not in part.html
    assert "&lt;script&gt;" in part.html
    assert "kept" in part.html
    assert "CSV" not in part.html


def test_answers_on_one_page_have_no_ids_to_clash_and_every_table_a_label_of_its_own() -> None:
    scenario = draft("dasatinib").scenario
    assert scenario is not None
    (_, plan), (_, over) = decisions(scenario), analysed(scenario, None)
    for answer in (plan, over):
        told = "".join(part.html for part in answer)
        assert not re.findall(r"\sid=", told)
        labels = re.findall(r'role="region" tabindex="0" aria-label="([^"]+)"', told)
        assert len(set(labels)) == len(labels) == told.count("<table") > 1


def test_where_the_trial_stands_is_what_monitor_says() -> None:
    scenario = draft().scenario
    assert scenario is not None
    _, (part,) = standing(scenario, {"n": 20, "x": 3, "toxicities": 4})
    present = trialsim.monitor(scenario, now=[20, 3, 4]).present
    assert present is not None
    assert f"{present.at_rates['p1']:.4f}" in part.html
    for counts, said in (({"n": 20}, "“Responses”"), ({"n": 3, "x": 5}, "5 responses among 3 patients")):
        with pytest.raises(DesignError, match=said) as refused:
            standing(scenario, counts)
        assert "--" not in str(refused.value)


@pytest.mark.parametrize(
    ("n", "x", "toxicities", "said"),
    [
        (25, 2, 9, "CONTINUE."),
        (25, 1, 9, "STOP for futility."),
        (25, 2, 13, "ACT: lower to 70 mg BID."),
        (70, 7, 10, "GO."),
    ],
)
def test_what_the_protocol_says_now_comes_before_what_is_likely(
    n: int, x: int, toxicities: int, said: str
) -> None:
    scenario = draft("dasatinib").scenario
    assert scenario is not None
    picture, (part,) = standing(scenario, {"n": n, "x": x, "toxicities": toxicities})
    assert words(part.html).strip().startswith(said)
    # of a trial that is decided nothing is likely any more
    assert ("Predictive" in part.html) == (picture is not None) == (said == "CONTINUE.")
    assert "--" not in words(part.html)


def test_the_analysis_of_typed_numbers_is_that_of_the_design_and_these_numbers() -> None:
    scenario = draft("dasatinib").scenario
    assert scenario is not None
    picture, sections = analysed(scenario, {"treated": 70, "evaluable": 69, "responses": 7})
    own = trialsim.analyse(design="1/25 6/70", responses=7, n=70, p0=0.05, p1=0.15).sets[0]
    assert "7 of 70 treated patients responded" in sections[0].html
    assert f"would be {100 * own.estimate:.2f}%" in sections[0].html
    assert picture and picture.name == "analysis"
    _, as_stated = analysed(scenario, None)
    assert "3 of 70 treated patients responded" in as_stated[0].html
    with pytest.raises(DesignError, match="99 cannot exceed evaluable = 69"):
        analysed(scenario, {"evaluable": 69, "responses": 99})


def test_the_decision_table_comes_first_and_the_chances_on_demand() -> None:
    scenario = draft().scenario
    assert scenario is not None
    _, sections = decisions(scenario)
    assert [each.folded for each in sections] == [False, True]
    assert "Responses: at each look" in sections[0].html


def test_options_of_the_command_line_are_told_as_boxes() -> None:
    assert in_labels("--dose 2 needs --at-dose M, the patients") == (
        "“Current dose” 2 needs “Patients treated at the current dose”, the patients"
    )
    assert in_labels("are not stated (--now N,X,T)") == "are not stated (“where the trial stands”)"


def test_boxes_hold_whole_numbers_or_nothing() -> None:
    labels = {"n": "Patients", "x": "Responses"}
    assert whole_numbers({"n": " 30 ", "x": "", "other": "1"}, labels) == {"n": 30}
    for text in ("3.5", "-1", "1e400", "many", "9" * 400):
        with pytest.raises(DesignError, match="“Patients”"):
            whole_numbers({"n": text}, labels)


# -- what is told beside the pictures


def glance(text: str) -> Snapshot:
    """The first answer that the page has for a scenario."""
    return next(found for found in answers(Draft.of(text)) if found)


def words(html: str) -> str:
    """Its text, in which no space is of a kind of its own."""
    return re.sub(r"<[^>]*>", "", html).replace("\u00a0", " ")


def test_what_a_dose_decision_decides_stands_on_the_page() -> None:
    found = glance((CONFIGS / "dose-decision.yaml").read_text(encoding="utf-8"))
    lower = probability(found.results["active"].to_dict()["simulated"]["p_dose_lower"]["estimate"])
    (told,) = of_the_doses(found)
    assert told.title == "Which dose goes forward"
    assert lower in told.html
    assert f"70 mg BID with probability {lower}" in words(found.besides)
    assert of_the_doses(glance((CONFIGS / "teaching.yaml").read_text(encoding="utf-8"))) == []


def test_what_history_and_prior_say_stands_on_the_page_and_where_is_told() -> None:
    text = (CONFIGS / "dasatinib-history.yaml").read_text(encoding="utf-8")
    run = trialsim.run(parse(text), exact=True)
    found = glance(text)
    doubt, belief = of_the_doubt(found)
    assert run.history is not None and run.history.alone is not None
    assert probability(run.history.alone.mean) in doubt.html
    assert run.prior is not None
    assert probability(run.prior.conducted[0][1].p_active_given_go) in belief.html
    assert "“Doubt and prior”" in found.besides
    dated = (CONFIGS / "dasatinib.yaml").read_text(encoding="utf-8")
    assert "“Doubt and prior”" not in glance(dated).besides
    # it points to what the page has, not to a section of the report
    (doubt,) = of_the_doubt(glance(dated + "history: {responses: 1, patients: 20}\n"))
    assert "“Why it is what it is”" in doubt.html and "What calendar time changes" not in doubt.html


def test_a_p1_that_no_case_has_is_told_beside_the_numbers() -> None:
    text = (CONFIGS / "dasatinib.yaml").read_text(encoding="utf-8")
    assert "No case begins" not in glance(text).besides
    moved = glance(text.replace("p1: 0.15", "p1: 0.3"))
    assert "No case begins with the true response rate p1 = 30%" in words(moved.besides)


def test_what_a_button_fills_in_is_not_passed_off_as_the_visitors() -> None:
    shown = str(form_panel())
    assert shown.index("begins with values of this page, not of your protocol") < shown.index(
        'id="file_view"'
    )
