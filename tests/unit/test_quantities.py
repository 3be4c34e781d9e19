"""The table of quantities is complete: what a run or a what-if gives stands in it, and nothing falls out."""

from __future__ import annotations

from pathlib import Path

import pytest

import trialsim
from trialsim.quantities import QUANTITIES, found, kind, label, quantity_names, short, spoken
from trialsim.reporting import sentences
from trialsim.varying import answers, compare
from trialsim.varying.effects import NEGLIGIBLE, TOLD_FROM

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_what_a_run_gives_stands_in_the_table_and_in_what_ifs(path: Path) -> None:
    scenario = trialsim.load(path)
    results = trialsim.simulate(scenario, replicates=200, totals=False)
    other = {f"truth.{name}.response": 0.2 for name in scenario.truth}
    asked = scenario.model_copy(update={"variants": {}})
    whatif = trialsim.whatif(asked, other, replicates=200)
    base, effects = whatif.base, whatif["changed"].effects
    for oc in results.cases:
        assert oc.simulated is not None
        for name in oc.names:
            assert oc.label(name) and kind(name) in TOLD_FROM
        pairable = {name for name in oc.simulated.values if not found(name)[0].not_paired}
        assert pairable <= set(base[oc.case])
        # which a variant need not have: a trial that triggers, a cohort in which a go is false
        assert pairable - {"trigger_months", "p_false_go"} <= set(effects[oc.case]) <= set(base[oc.case])
        by_level = {name for name in base[oc.case] if found(name)[0].per == "dose"}
        assert len(by_level) == 3 * len(scenario.doses)


def test_every_quantity_has_its_words_and_a_name_that_leads_back_to_it() -> None:
    assert len({q.label for q in QUANTITIES}) == len({q.name for q in QUANTITIES}) == len(QUANTITIES)
    for q in QUANTITIES:
        assert q.kind in TOLD_FROM and q.kind in NEGLIGIBLE
        assert ("{}" in q.label) == (q.per != "trial")
        for number, name in enumerate(q.names(3, 3), start=1):
            assert found(name) == (q, 0 if q.per == "trial" else number)
            words = [say(name, own=own) for say in (label, short, spoken) for own in (False, True)]
            assert all(text and text.count("(") == text.count(")") for text in words)
            assert all("{" not in text and "(months)" not in spoken(name) for text in words)


def test_choices_of_quantities_name_such_as_there_are() -> None:
    for name in (*answers.MAIN, *answers.THIRD, *compare.COLUMNS, *sentences._OTHERS):
        assert found(name)


@pytest.mark.parametrize("name", ["patients_dose", "en_1", "en_dose_1", "patients_dose_x", "", "p_go_cohort"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(KeyError, match="no operating characteristic"):
        found(name)


def test_names_are_in_reading_order() -> None:
    names = quantity_names(2, 2, ("", "conduct", "cohorts"))
    assert names[:2] == ("p_go", "p_no_go")
    first = names.index("patients_dose_1")
    assert names[first : first + 6] == (
        "patients_dose_1", "responses_dose_1", "toxicities_dose_1",
        "patients_dose_2", "responses_dose_2", "toxicities_dose_2",
    )  # fmt: skip
    assert names[-4:] == (
        "p_go_cohort_2", "patients_cohort_2", "evaluable_cohort_2", "responses_cohort_2",
    )  # fmt: skip
    assert len(set(names)) == len(names)


def test_cohorts_that_are_the_doses_are_called_doses() -> None:
    doses = ("100 mg", "70 mg")
    told = {name: label(name, doses, doses, own=True) for name in ("p_go", "pet", "p_go_all", "p_false_go")}
    assert told["p_go"] == "P(go for at least one dose)" == spoken("p_go", doses, doses, own=True)
    assert told["p_go_all"] == "P(go for every dose)" and told["p_false_go"].startswith(
        "P(false go: for a dose"
    )
    assert not any("cohort" in words for words in told.values())
    assert label("p_go_cohort_2", doses, doses) == "P(go) at 70 mg"
    assert label("p_go", doses, ("A", "B"), own=True) == "P(go in at least one cohort)"
