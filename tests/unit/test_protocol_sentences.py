"""Sentences that were false once, and the method that each kind of design and rule is told by."""

from __future__ import annotations

import random
from typing import Any

import pytest

import trialsim
from tests.helpers import CONFIGS, run
from tests.unit.protocol_cases import DESIGNS, TOXICITY, facts, scenario, text_of
from trialsim.scenario.changes import changed
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario


def config(name: str) -> str:
    return told(load(CONFIGS / f"{name}.yaml"))


def told(stated: Scenario) -> str:
    return text_of(facts(Compiled.of(stated)))


def made(design: dict[str, Any], reduction: dict[str, Any] | None = None, **keys: Any) -> str:
    content = scenario(design, None, random.Random(0))
    for key in ("evaluability", "cohorts", "conduct", "toxicity", "sources"):
        content.pop(key, None)
    content |= {"doses": ["120 mg", "80 mg"], "dose_amounts": [120, 80]}
    if reduction:
        stated = reduction if {"rule", "rules"} & set(reduction) else {"rule": reduction}
        content["dose_reduction"] = {**stated, **keys}
    return told(Scenario.model_validate(content))


TWO = {"kind": "simon", "n1": 10, "r1": 0, "n": 25, "r": 4, "p0": 0.1, "p1": 0.3}
SEARCHED = {"kind": "simon", "p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
POCOCK = {"kind": "pocock", "limit": 0.3, "phi": 0.1}
POOLED, ALONE, FRESH = (
    "all patients stay in the analysis",
    "only patients at the new dose",
    "a fresh trial begins",
)


def test_group_sequential_is_not_after_every_patient():
    text = config("group-sequential-toxicity")
    assert "after 10, 20 and 35 patients, and at no other time" in text
    assert "at a dose" not in text
    assert "after every patient" not in text


@pytest.mark.parametrize(
    ("analysis", "said", "not_said"),
    [
        ("pooled", POOLED, (ALONE, FRESH)),
        ("new_dose_only", ALONE, (POOLED, FRESH)),
        ("restart", FRESH, (POOLED, ALONE)),
    ],
)
def test_each_analysis_set_has_its_own_text(analysis, said, not_said):
    text = made(SEARCHED, POCOCK, on_dose_change=analysis)
    assert said in text
    assert not [words for words in not_said if words in text]
    assert ("Cut-offs by the number of patients at the new dose" in text) == (analysis == "new_dose_only")


def test_simons_optimal_is_only_the_unrestricted_search():
    name = "Simon’s optimal two-stage design"
    assert name in made(SEARCHED)
    assert name in made(SEARCHED | {"criterion": "optimal", "nmax": 100})
    assert "Simon’s minimax two-stage design" in made(SEARCHED | {"criterion": "minimax"})
    for key, value, held in (
        ("balanced", True, "two stages of equal size"),
        ("n1", 12, "12 patients in the first stage"),
        ("n", 40, "40 patients in all"),
        ("stage1_share", [0.4, 0.6], "between 0.4 and 0.6 of the patients in the first stage"),
        ("min_pet", 0.7, "a probability of ending early of at least 0.7 at p0"),
        ("en_weight_p1", 0.5, "with weight 0.5 for p1"),
        ("en_prior", [1, 4], "averaged over a Beta(1, 4) prior"),
    ):
        text = made(SEARCHED | {key: value})
        assert held in text
        assert "Simon’s" not in text
        assert "this one has the least" in text
    assert "Simon’s" not in made(SEARCHED | {"nmax": 30})  # a larger design has a smaller EN
    assert "Simon’s" not in made(TWO)
    assert "The cut-offs are stated outright." in made(TWO)


def test_what_a_search_did_not_look_at_is_not_spoken_of():
    single = SEARCHED | {"kind": "single_stage", "criterion": "stable"}
    assert "at most 40 patients" in made(single | {"nmax": 40})
    assert (
        "at most"
        not in made(single).partition("among single-stage designs with ")[2].partition("a type I")[0]
    )
    assert "at most 40 patients" in made(SEARCHED | {"kind": "curtailed", "nmax": 40})


def test_gehans_second_stages_are_alternatives():
    text = config("gehan")
    assert "With 15, 20, 23 or 25 patients in all, of which only one is reached" in text
    assert "second stage, with" not in text
    assert "third stage" not in text
    assert "a go says that the first stage was passed" in text
    assert "null hypothesis" not in text


@pytest.mark.parametrize("name", ["bryant-day", "bop2-toxicity"])
def test_designs_with_two_endpoints_state_both_hypotheses(name):
    text = config(name)
    bad, good = {"bryant-day": ("40%", "20%"), "bop2-toxicity": ("35%", "20%")}[name]
    p0, p1 = {"bryant-day": ("30%", "50%"), "bop2-toxicity": ("20%", "40%")}[name]
    assert (
        f"A true toxicity rate of {bad} or more is unacceptable, one of {good} or less is acceptable" in text
    )
    assert "nobody has toxicity" not in text
    for response, toxicity in ((p0, bad), (p0, good), (p1, bad)):
        assert f"at a response rate of {response} and a toxicity rate of {toxicity}" in text
    assert text.count("a power of 0.") == 1
    if name == "bryant-day":
        assert "p0 = 30% or less, or the true toxicity rate 40% or more; the alternative" in text
        assert text.count("a type I error of 0.") == 3
    else:  # BOP2's null hypothesis is that both are bad; where one is, P(go) is told as such
        assert "p0 = 20% or less, and the true toxicity rate 35% or more; the alternative" in text
        assert text.count("a type I error of 0.") == 1
        assert text.count("a probability of a go of 0.") == 2


def test_looks_for_toxicity_without_a_hypothesis_are_told_as_a_bound():
    looks = [
        {"n": 10, "next": {0: "futile", 1: 25}, "toxic_ge": 5},
        {"n": 25, "next": {0: "futile", 5: "go"}},
    ]
    text = made({"kind": "rules", "looks": looks, "p0": 0.1, "p1": 0.3})
    assert "a type I error of at most 0." in text
    assert "whatever the toxicity rate" in text


def test_k_of_first_m_states_k_and_m():
    text = made(TWO, {"kind": "k_of_first_m", "k": 4, "m": 9})
    assert "as soon as 4 of the first 9 patients at a dose have had toxicity" in text


def test_an_amendment_states_after_which_patient():
    text = made(TWO, {"kind": "amendment", "after_patient": 13})
    assert "After patient 13 of the trial new patients start at 80 mg instead of 120 mg" in text
    content = scenario(TWO, {"kind": "amendment", "after_month": 4}, random.Random(0))
    content |= {"doses": ["120 mg", "80 mg"], "dose_amounts": [120, 80]}
    by_month = told(Scenario.model_validate(content))
    assert "From month 4 after the opening of accrual on, new patients start at 80 mg" in by_month


@pytest.mark.parametrize("kind", DESIGNS)
def test_every_design_has_its_reference(kind):
    text = made({"kind": kind, **DESIGNS[kind][2 if kind == "multistage" else 0]})
    reference = {
        "simon": "Simon R.", "single_stage": "A’Hern RP.", "mander_thompson": "Mander AP", "multistage": "Chen TT.",
        "optimal_looks": "Eales JD",
        "fleming": "Fleming TR.", "gehan": "Gehan EA.", "swog": "Green SJ", "sargent": "Sargent DJ",
        "curtailed": "Chi Y", "predictive_probability": "Lee JJ, Liu DD.", "posterior_probability": "Thall PF",
        "bop2": "Zhou H", "bop2_toxicity": "Zhou H", "bryant_day": "Bryant J, Day R.",
        "dual_criterion": "Roychoudhury S",
    }  # fmt: skip
    assert ("References:" not in text) if kind == "rules" else reference[kind] in text


def test_texts_of_designs_and_rules_differ():
    designs = [made({"kind": kind, **block}) for kind, blocks in DESIGNS.items() for block in blocks]
    assert len(set(designs)) == len(designs)
    rules = [
        made(TWO, block if kind == "several" else {"rule": {"kind": kind, **block}})
        for kind, blocks in TOXICITY.items()
        for block in blocks
        if isinstance(block.get("after_patient", 1), int) and "after_month" not in block
    ]
    assert len(set(rules)) == len(rules)


def test_what_is_assumed_is_said_to_be():
    assert "no real trial is said to have followed them" in config("dasatinib")


def test_what_counts_as_toxicity_is_told():
    content = scenario(TWO, POCOCK, random.Random(0)) | {
        "toxicity": {"name": "DLT", "counted_by": "the safety board"}
    }
    assert "Toxicity means DLT, as determined by the safety board" in told(Scenario.model_validate(content))


def test_the_command_prints_every_form(tmp_path, capsys, monkeypatch):
    name = str(CONFIGS / "gehan.yaml")
    assert run(["protocol", name], monkeypatch) == 0
    assert "| 14 | 0 | 1 (15), 2 (20), 3 (23), ≥ 4 (25) | – |" in capsys.readouterr().out
    assert run(["protocol", name, "--latex"], monkeypatch) == 0
    assert r"\subsection*{Design and sample size}" in capsys.readouterr().out
    assert run(["protocol", name, "--docx", str(tmp_path / "gehan.docx")], monkeypatch) == 0
    assert (tmp_path / "gehan.docx").read_bytes()[:2] == b"PK"
    assert run(["protocol", name, "--docx", str(tmp_path / "gehan.pdf")], monkeypatch) == 2
    assert " does not end in .docx" in capsys.readouterr().err
    assert not (tmp_path / "gehan.pdf").exists()
    assert run(["protocol", "3/17 10/44"], monkeypatch) == 2
    assert "in a file they stand as design: {kind: simon, " in capsys.readouterr().err
    assert run(["protocol", name, "--latex", "--markdown"], monkeypatch) == 2
    assert "state one of --json, --markdown, --latex and --docx FILE" in capsys.readouterr().err


def test_an_answer_shows_itself():
    answer = trialsim.protocol(load(CONFIGS / "gehan.yaml"))
    assert repr(answer).startswith("<Protocol 'Gehan design'")
    assert "DESIGN AND SAMPLE SIZE" in str(answer)
    rows = {row["fact"]: row["value"] for row in answer.rows()}
    assert rows["design.looks[0].n"] == 14
    assert answer.to_dict()["design"]["looks"][0]["n"] == 14
    assert len(answer.to_frame()) == len(rows)


# -- sentences that a reader found false or misleading


def test_rows_that_depend_on_stops_for_toxicity_say_so():
    text = config("bryant-day")
    assert "no rule but the looks above, which include the stops for toxicity" in text
    assert "no toxicity rule, no change of dose" not in text
    assert "8 or more of these 20 patients have had toxicity, the trial is stopped without a go" in text
    assert "14 or more of these 43 patients have had toxicity, there is no go, because of toxicity" in text
    assert (
        "at the worse of two pairs of true rates (response 30%, toxicity 20%; response 50%, toxicity 40%)"
        in text
    )


def test_the_median_is_not_that_of_every_patients_time_to_progression():
    text = config("dasatinib")
    assert "median time to progression" not in text
    assert (
        "Without disease control (a response, or stable disease at week 16) the time to progression is exponential "
        "with a median of 7.8 weeks, given that it is before that week"
    ) in text
    assert "Progression sets only when a non-response becomes known." in text
    assert "and when treatment ends" in config("two-cohorts")


def test_a_stop_for_toxicity_must_come_before_the_final_decision():
    late = "if it is reached before the final decision, which does not wait for toxicity follow-up"
    assert late in config("dasatinib")
    assert late not in config("group-sequential-toxicity")  # every outcome is known at once


def test_what_is_assumed_is_told_with_its_source_and_its_exceptions():
    text = config("dasatinib")
    assert "no publication is said to state it" not in text
    assert (
        "conduct: median weeks to progression (from abstract: median time on therapy 1.8 months; taken as"
        in text
    )
    assert "but for weeks of assessment (EudraCT" in text
    assert "and week of disease control (abstract: stable disease for 16 weeks or more)" in text
    unsaid = "Neither marked as assumed nor given a source: the toxicity rule and its consequences."
    assert unsaid in config("group-sequential-toxicity")
    assert "Neither marked" not in text


def test_only_rules_that_can_act_are_shared_by_cohorts():
    text = config("two-cohorts")
    assert "The dose and its rule are shared: a change of dose holds for all cohorts." in text
    assert "ends every cohort" not in text
    assert "perhaps before they are all enrolled" in text
    assert "a final look is never decided early" in text
    assert "is pending never enter" not in text
    own = scenario(TWO, POCOCK, random.Random(0)) | {
        "doses": ["120 mg"],
        "dose_amounts": [120],
        "cohorts": {"rules": "own", "strata": [{"name": "A", "share": 0.4}, {"name": "B", "share": 0.6}]},
        "dose_reduction": {"rule": POCOCK, "at_lowest_dose": "stop"},
    }
    assert "a stop by the toxicity boundary ends every cohort" in told(Scenario.model_validate(own))


@pytest.mark.parametrize("name", ["finn-tnbc", "kluger-melanoma"])
def test_an_amendment_is_only_modelled_as_independent_of_what_is_seen(name):
    text = config(name)
    assert "here it does not depend on what is seen" in text
    assert "planned amendment" not in text
    assert "whatever was seen" not in text
    assert "the toxicity rule" not in text
    assert "time of the change of dose are" in text or name == "kluger-melanoma"
    assert "A’Hern" not in text


def test_nobody_is_enrolled_while_accrual_pauses():
    assert "is pending never enter" not in config("bop2-toxicity")
    assert "is pending never enter" in config("dasatinib")


def test_numbers_of_responses_that_cannot_occur_are_marked():
    words = "a number smaller than all with which an earlier look goes on cannot occur"
    assert words in config("curtailed")
    assert words not in config("dasatinib")
    assert words not in config("gehan")


def test_nobody_inevaluable_is_spoken_of_where_everybody_is_evaluable():
    text = config("two-cohorts")
    assert (
        "Every treated patient is taken to be evaluable for response. Looks count treated patients." in text
    )
    assert "is not replaced" not in text
    assert "is not replaced" in config("dasatinib")


def test_what_a_restart_drops_is_told():
    text = config("restart")
    assert "an interim look that is pending is dropped, and looks start again" in text
    assert "Once the patients of the final look are all enrolled, the dose is not changed any more." in text


def test_looks_that_weigh_pending_patients_say_whom_when_and_how_they_err():
    stated = load(CONFIGS / "pending-looks.yaml")
    assert stated.conduct is not None
    text = told(stated)
    assert "It takes the first patients in the order of enrolment, when the last of them is enrolled" in text
    assert "on what was known when it was taken" not in text
    assert (
        "It may also stop where a look at every outcome would have let the trial go on, which costs power."
        in text
    )
    later = changed(
        stated,
        {
            "conduct.review_lag_weeks": 2,
            "evaluability": {"probability": 0.9, "replaced": True},
        },
    )
    text = told(later)
    assert (
        "the first patients in the order of enrolment of those not known to be inevaluable, when the last"
        in text
    )
    assert "It is decided 2 weeks later, on what was known when it was taken." in text
