"""Designs of cohorts as a scenario states them, and as every answer speaks of them."""

from __future__ import annotations

import json

import pytest

import trialsim
from tests.oracle.test_cohort_designs import DATED, DIFFERENT
from trialsim.errors import DesignError, ScenarioError
from trialsim.reporting.saying import report_of
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse
from trialsim.writing.markdown import markdown

WITHOUT = DIFFERENT.replace("monitor: own, ", "")
BLOCK = "designs: {B: {kind: simon, n1: 9, r1: 0, n: 17, r: 2, p0: 0.05, p1: 0.25}, "
NONE = "{kind: single_stage, n: 12, r: 3, p0: 0.1, p1: 0.4}"
BAD = {
    "no boundary for each": (WITHOUT, "needs a toxicity boundary for each too: `rules: own` and `monitor: own`"),
    "pooled": (WITHOUT.replace("rules: own, ", ""), "`rules: own` and `monitor: own`"),
    "no cohort": (DIFFERENT.replace("D: {kind", "Z: {kind"), "designs.Z: `Z` is no cohort (those are: A, B, C, D)"),
    "every cohort": (
        DIFFERENT.replace(BLOCK, f"{BLOCK}A: {NONE}, C: {NONE}, "),
        "so that none runs `design`: leave out those that are the same",
    ),
    "kind": (DIFFERENT.replace("B: {kind: simon", "B: {kind: simons"), "cohorts.designs.B.kind"),
    "cut-offs": (DIFFERENT.replace("n: 17", "n: 8"), "cohorts.designs.B"),
    "weighing": (DATED.replace("withdrawal", "pending: weigh_follow_up, withdrawal"), "not defined with `cohorts"),
    "prior": (DIFFERENT + "prior: {beta: [1, 9], active: above_p0}\n", "what a prior makes of a go is worked out"),
    "history": (DIFFERENT + "history: {responses: 4, patients: 40}\n", "doubt about p0 is worked out for one design"),
    "sizes": (
        DIFFERENT.replace("pocock, limit: 0.3, phi: 0.1", "pasted, boundary: {20: 9}"),
        "no look comes after 20 of 17 patients",
    ),
    "41 strata": (
        DIFFERENT.replace("{name: A}", ", ".join(["{name: A}", *(f"{{name: E{k}}}" for k in range(37))])),
        "40",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be(name: str) -> None:
    text, words = BAD[name]
    with pytest.raises(ScenarioError) as error:
        parse(text, "basket.yaml")
    assert words in str(error.value)
    assert str(error.value).startswith("basket.yaml:")


def test_a_design_that_does_not_exist_is_that_of_its_cohort() -> None:
    found = "{kind: simon, p0: 0.05, p1: 0.06, alpha: 0.01, beta: 0.01, nmax: 20}"
    with pytest.raises(DesignError, match=r"cohorts\.designs\.D: "):
        Compiled.of(parse(DIFFERENT.replace(NONE, found)))


def test_each_cohort_has_its_own_rules() -> None:
    trial = Compiled.of(parse(DIFFERENT))
    assert [one.looks.n for one in trial.rules.each] == [(10, 28), (9, 17), (10, 28), (12,)]
    assert [one.max_treated for one in trial.rules.each] == [28, 17, 28, 12]
    assert trial.rules.max_treated == 85
    # a boundary is made for the patients of its cohort
    assert len({one.monitor.act_ge[0] for one in trial.rules.each}) == 3
    assert {names: one.rules for names, one in trial.by_design.items()} == {
        ("A", "C"): trial.rules.each[0],
        ("B",): trial.rules.each[1],
        ("D",): trial.rules.each[3],
    }
    same = parse(
        DIFFERENT.replace(
            "n1: 9, r1: 0, n: 17, r: 2, p0: 0.05, p1: 0.25", "n1: 10, r1: 1, n: 28, r: 6, p0: 0.15, p1: 0.4"
        ).replace(f", D: {NONE}", "")
    )
    plain = trialsim.exact(
        parse(DIFFERENT[: DIFFERENT.index("designs:")] + DIFFERENT[DIFFERENT.index("strata:") :])
    )
    for one, other in zip(trialsim.exact(same).cases, plain.cases, strict=True):
        assert one.exact is not None and other.exact is not None
        assert one.exact.values == other.exact.values


def test_the_protocol_has_every_design() -> None:
    text = markdown(report_of(trialsim.protocol(parse(DIFFERENT))))
    for words in (
        "there are 3 designs for 4 cohorts", "**Cohorts A and C.** The null hypothesis is that the true response rate "
        "is p0 = 15% or less", "**Cohort B.** The null hypothesis is that the true response rate is p0 = 5% or less",
        "**Cohort D.** The null", "a type I error of 0.0466 at a response rate of 5%", "within 17 patients",
        "Toxicity boundary: cohort D", "At most 85 patients",
    ):  # fmt: skip
        assert words in text, words
    each = [0.0984, 0.0466, 0.0984, 0.0256]
    found = trialsim.protocol(parse(DIFFERENT)).facts
    assert found.cohorts is not None and found.cohorts.false_go is not None
    no = 1.0
    for p in each:
        no *= 1 - p
    assert found.cohorts.false_go == pytest.approx(1 - no, abs=2e-4)


def test_a_report_speaks_of_each_cohort() -> None:
    run = trialsim.run(parse(DIFFERENT), replicates=200)
    doc = json.loads(json.dumps(run.to_dict()))
    assert [each["cohorts"] for each in doc["designs"]] == [["A", "C"], ["B"], ["D"]]
    assert doc["question"]["false_go"] == {"none": ["A", "C"], "one": ["C"]}
    text = markdown(report_of(run))
    for words in (
        "A and C: Stop after 10 patients if 1 or fewer respond", "D: Treat 12 patients",
        "2 more cohorts stand in the appendix", "of at least one cohort go on to a lower dose",
        "What the toxicity rule costs", "Cohorts have boundaries of their own: 3 different ones",
    ):  # fmt: skip
        assert words in text, words
    figure = (
        next(each for each in doc["figures"] if each["name"] == "toxicity_boundary")
        if "figures" in doc
        else None
    )
    assert figure is None or figure


def test_sheets_are_of_one_cohort() -> None:
    scenario = parse(DIFFERENT)
    with pytest.raises(DesignError, match=r"name the one whose sheet is wanted with --cohort \(A, B, C, D\)"):
        trialsim.monitor(scenario)
    found = trialsim.monitor(scenario, cohort="B", now=(9, 1))
    assert found.rules == Compiled.of(scenario).rules.each[1]
    assert found.today is not None and found.today.does == "continue"
    with pytest.raises(DesignError, match="no such cohort"):
        trialsim.monitor(scenario, cohort="Z")
    pooled = parse(
        DIFFERENT[: DIFFERENT.index("cohorts: {")]
        + DIFFERENT[DIFFERENT.index("truth:") :].replace(", cohorts: {A: {response: 0.4}}", "")
    )
    with pytest.raises(DesignError, match="only where cohorts share nothing"):
        trialsim.monitor(pooled, cohort="A")


@pytest.mark.parametrize("answer", [trialsim.oc, trialsim.evidence])
def test_one_design_is_asked_for(answer) -> None:
    with pytest.raises(DesignError, match="state the block of one"):
        answer(parse(DIFFERENT))


def test_a_what_if_names_the_cohort() -> None:
    from trialsim.reporting.change_words import changes_in_words
    from trialsim.scenario.changes import changed

    scenario, changes = parse(DIFFERENT), {"cohorts.designs.B.r": 3, "cohorts.designs.D": None}
    words = [c.words for c in changes_in_words(scenario, changed(scenario, changes), changes)]
    assert words[0] == "r of B from 2 to 3"
    assert words[1].startswith("no own design of D (was single stage")
