"""Calendar time, cohorts and analysis sets: what may be written, how faults are told, and the integers they become."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import jsonschema
import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy.stats import binom, poisson

from trialsim.codes import NEVER
from trialsim.errors import DesignError, ScenarioError
from trialsim.kernels import tables
from trialsim.kernels.tables import Calendar
from trialsim.scenario import files
from trialsim.scenario.calendar import calendar, immediate
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Rates, Strata

NAME = "trial.yaml"

GOOD = """\
schema: 1
endpoint: confirmed response (RECIST)
name: Dasatinib in calendar time
design: {kind: simon, n1: 25, r1: 1, n: 70, r: 6, p0: 0.05, p1: 0.15}
doses: [100 mg BID, 70 mg BID]
dose_amounts: [100, 70]
dose_reduction:
  rule: {kind: pocock, limit: 0.30, phi: 0.10}
  on_dose_change: pooled
cohorts:
  rules: pooled
  strata:
    - {name: HER2+/HR-, share: 0.3, cohort: HER2}
    - {name: HER2+/HR+, share: 0.2, cohort: HER2}
    - {name: HR, share: 0.5}
conduct:
  accrual: {per_month: 4.5, screening_failure: 0.2}
  assessment_weeks: [9, 17, 25]
  confirmed: true
  first_seen: [0.7, 0.3]
  progression_median_weeks: 7.8
  disease_control_week: 16
  withdrawal_per_month: 0.01
  toxicity_window_weeks: 8
  early_onset: 0.7
  toxicity_known: complete_only
  interim: pause
  review_lag_weeks: 1
  overrun: exclude
  amendment_lag_weeks: 6
  during_amendment: hold
  patient_reductions:
    hold_weeks: 3
    max_reductions: 2
    exposure_weight: 0.25
truth:
  inactive: {response: 0.05, toxicity: [0.45, 0.32]}
  active:
    response: {at_first: 0.15, slope: 1.2}
    toxicity: 0.4
    serious: 0.2
    stable_disease: 0.1
    cohorts:
      HER2: {response: 0.02}
      HER2+/HR+: {response: [0.1, 0.08], odds_ratio: 2}
observed:
  treated: 70
  evaluable: 69
  responses: 3
  cells:
    - {cohort: HER2, evaluable: 24, responses: 2}
    - {dose: 70 mg BID, evaluable: 46}
simulation: {precision: {p_go: 0.001}}
"""

PLAIN = """\
schema: 1
endpoint: response
name: Dasatinib as published
design: {kind: simon, p0: 0.05, p1: 0.15, alpha: 0.05, beta: 0.15}
doses: [100 mg BID, 70 mg BID]
dose_reduction:
  rule: {kind: pocock, limit: 0.30, phi: 0.10}
conduct:
  accrual: {per_month: 4.5}
  assessment_weeks: [9, 17, 25]
  toxicity_window_weeks: 8
truth:
  inactive: {response: 0.05, toxicity: [0.45, 0.32]}
"""
"""Nothing stated that has a default."""

SITES = "{sites: {number: 10, over_months: 6, per_site_per_month: 0.8}}"
RULE = "{kind: pocock, limit: 0.30, phi: 0.10}"
ACCRUAL = "{per_month: 4.5, screening_failure: 0.2}"
CELL = "{cohort: HER2, evaluable: 24, responses: 2}"


def edited(old: str, new: str, text: str = GOOD) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def read(*changes: tuple[str, str], text: str = PLAIN) -> Scenario:
    for old, new in changes:
        text = edited(old, new, text)
    return files.parse(text, NAME)


def ticks(scenario: Scenario) -> Calendar:
    return calendar(scenario, compile_rules(scenario))


# -- what is accepted


def test_everything_at_once() -> None:
    scenario = files.parse(GOOD, NAME)
    assert scenario.conduct is not None and scenario.cohorts is not None and scenario.observed is not None
    assert scenario.cohorts.names == ("HER2", "HR")
    assert scenario.conduct.patient_reductions is not None
    assert scenario.conduct.patient_reductions.max_reductions == 2
    assert scenario.observed.cells[1].responses is None
    assert scenario.simulation.precision == {"p_go": 0.001}
    validator = jsonschema.Draft202012Validator(files.json_schema())
    assert list(validator.iter_errors(YAML(typ="safe", pure=True).load(GOOD))) == []


def test_the_defaults() -> None:
    scenario = read()
    assert scenario.conduct is not None and scenario.dose_reduction is not None
    assert scenario.dose_reduction.on_dose_change == "pooled"
    assert scenario.conduct.model_dump(exclude={"accrual", "assessment_weeks", "toxicity_window_weeks"}) == {
        "confirmed": True,
        "first_seen": None,
        "progression_median_weeks": 8.0,
        "disease_control_week": 16.0,
        "withdrawal_per_month": 0.0,
        "early_onset": 0.5,
        "toxicity_known": "complete_only",
        "interim": "pause",
        "review_lag_weeks": 0.0,
        "overrun": "count",
        "amendment_lag_weeks": 0.0,
        "during_amendment": "old_dose",
        "patient_reductions": None,
        "pending": "wait",
        "weighing": None,
    }


def test_a_default_counts_the_same_stated_or_left_out() -> None:
    stated = (
        ("phi: 0.10}\n", "phi: 0.10}\n  on_dose_change: pooled\n"),
        ("weeks: 8\n", "weeks: 8\n  confirmed: true\n  interim: pause\n  review_lag_weeks: 0\n"),
    )
    assert files.digest(read(*stated)) == files.digest(read())
    assert files.digest(read(("weeks: 8\n", "weeks: 8\n  interim: continue\n"))) != files.digest(read())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ACCRUAL, "{per_month: [2, 4, 6], from_month: [0, 3, 6]}"),
        (ACCRUAL, SITES),
        ("first_seen: [0.7, 0.3]", "first_seen: [0.7, 0.2, 0.1]\n  confirmed: false"),
        ("[9, 17, 25]", "[9, 9.1, 25]"),
        ("toxicity_known: complete_only", "toxicity_known: as_it_happens"),
        ("interim: pause", "interim: early_decision"),
        ("during_amendment: hold", "during_amendment: old_dose"),
        ("on_dose_change: pooled", "on_dose_change: restart"),
        (RULE, "{kind: amendment, after_month: 6}"),
        (RULE, "{kind: amendment, after_month: [6.5]}"),
        ("rules: pooled", "rules: own"),
        ("HER2: {response: 0.02}", "HR: {toxicity: {at_first: 0.4, slope: 2}}"),
        ("- {dose: 70 mg BID, evaluable: 46}", "- {evaluable: 69}"),
        ("{precision: {p_go: 0.001}}", "{precision: {pet: 0.01, p_dose_reduced: 0.002}}"),
    ],
)
def test_other_ways_to_write_it(old: str, new: str) -> None:
    text = GOOD.replace("  confirmed: true\n", "") if "confirmed" in new else GOOD
    files.parse(edited(old, new, text), NAME)


# -- faults: (what is replaced, by what, the key, part of the message)

FAULTS = [
    # accrual
    (ACCRUAL, "4.5", "conduct.accrual", "4.5 is a number; expected a block of keys: per_month, from_month, sites"),
    (ACCRUAL, "{}", "conduct.accrual", "state either `per_month` or `sites`"),
    (ACCRUAL, "{per_month: 4, " + SITES[1:], "conduct.accrual", "state either `per_month` or `sites`"),
    ("4.5, s", "fast, s", "conduct.accrual.per_month", "`fast` is text, not a number; expected a number from 0.01"),
    ("4.5, s", "0, s", "conduct.accrual.per_month", "0 is outside 0.01 to 1000"),
    ("4.5, s", "[2, 2000], s", "conduct.accrual.per_month[1]", "2000 is outside 0.01 to 1000"),
    ("4.5, s", "[2, 4], s", "conduct.accrual.per_month", "2 rates need as many months in `from_month`"),
    ("4.5, s", "[2, 4], from_month: [0], s", "conduct.accrual.from_month", "2 rates need as many months"),
    ("4.5, s", "[2, 4], from_month: [1, 3], s", "conduct.accrual.from_month", "must start at 0 and increase"),
    ("4.5, s", "[2, 4, 6], from_month: [0, 3, 3], s", "conduct.accrual.from_month", "start at 0 and increase"),
    ("4.5, s", "4.5, from_month: [0], s", "conduct.accrual.from_month", "goes with a list of rates"),
    ("4.5, s", "4.5, from_month: 0, s", "conduct.accrual.from_month", "0 is a number; write [0], or a list"),
    ("0.2}\n  a", "1}\n  a", "conduct.accrual.screening_failure", "1 is outside 0 to 0.9"),
    ("4.5, s", "0.01, s", "conduct.accrual", "70 patients would take 729 years to enrol; at most 500"),
    (ACCRUAL, SITES.replace("10", "0"), "conduct.accrual.sites.number", "0 is outside 1 to 200"),
    (ACCRUAL, SITES.replace("6", "-1"), "conduct.accrual.sites.over_months", "-1 is outside 0 to 120"),
    (ACCRUAL, SITES.replace("0.8", "101"), "conduct.accrual.sites.per_site_per_month", "1010 patients a month"),
    # visits and responses
    ("[9, 17, 25]", "9", "conduct.assessment_weeks", "9 is a number; write [9], or a list, each item a number"),
    ("[9, 17, 25]", "[0, 17]", "conduct.assessment_weeks[0]", "0 is outside 0.1 to 520"),
    ("[9, 17, 25]", "[9, 521]", "conduct.assessment_weeks[1]", "521 is outside 0.1 to 520"),
    ("[9, 17, 25]", "[9, 17, 17]", "conduct.assessment_weeks", "at least 0.1 weeks apart"),
    ("[9, 17, 25]", "[17, 9]", "conduct.assessment_weeks", "at least 0.1 weeks apart"),
    ("[9, 17, 25]", "[9]", "conduct.assessment_weeks", "add one, or write confirmed: false"),
    ("confirmed: true", "confirmed: yes", "conduct.confirmed", "`yes` is text; expected true or false"),
    ("[0.7, 0.3]", "[0.7, 0.2, 0.1]", "conduct.first_seen", "3 shares for 3 visits; at most 2, because"),
    ("[0.7, 0.3]", "[0.7, 0.2]", "conduct.first_seen", "the shares must add up to 1; they add up to 0.9"),
    ("[0.7, 0.3]", "[1.7, 0.3]", "conduct.first_seen[0]", "1.7 is outside 0 to 1"),
    ("[0.7, 0.3]", "0.7", "conduct.first_seen", "0.7 is a number; write [0.7], or a list"),
    ("median_weeks: 7.8", "median_weeks: 0", "conduct.progression_median_weeks", "0 is outside 0.1 to 520"),
    ("week: 16", "week: x", "conduct.disease_control_week", "`x` is text, not a number"),
    ("per_month: 0.01", "per_month: -1", "conduct.withdrawal_per_month", "-1 is outside 0 to 10"),
    # toxicity
    ("window_weeks: 8", "window_weeks: 0", "conduct.toxicity_window_weeks", "0 is outside 0.1 to 520"),
    ("early_onset: 0.7", "early_onset: 1", "conduct.early_onset", "1 is outside 0 to 1 (0 and 1 excluded)"),
    (": complete_only", ": complete", "conduct.toxicity_known", "did you mean `complete_only`?"),
    # looks and amendments
    ("interim: pause", "interim: stop", "conduct.interim", "(allowed: pause, continue or early_decision)"),
    ("review_lag_weeks: 1", "review_lag_weeks: -1", "conduct.review_lag_weeks", "-1 is outside 0 to 520"),
    ("overrun: exclude", "overrun: drop", "conduct.overrun", "(allowed: count or exclude)"),
    ("lag_weeks: 6", "lag_weeks: 521", "conduct.amendment_lag_weeks", "521 is outside 0 to 520"),
    ("during_amendment: hold", "during_amendment: stay", "conduct.during_amendment", "old_dose, hold or switch"),
    # dose reductions of patients
    ("hold_weeks: 3", "hold_weeks: -1", "conduct.patient_reductions.hold_weeks", "-1 is outside 0 to 520"),
    ("reductions: 2", "reductions: 1.5", "conduct.patient_reductions.max_reductions", "not a whole number"),
    ("reductions: 2", "reductions: 8", "conduct.patient_reductions.max_reductions", "8 is outside 0 to 7"),
    ("weight: 0.25", "weight: 25", "conduct.patient_reductions.exposure_weight", "did you mean 0.25?"),
    # keys
    ("confirmed: true", "confirm: true", "conduct.confirm", "unknown key; did you mean `confirmed`?"),
    ("confirmed: true", "evaluable: 0.98", "conduct.evaluable", "write `probability` in the block `evaluability`"),
    ("conduct:", "sensitivity: {}\nconduct:", "sensitivity", "no analysis is stated"),
    ("conduct:", "strata: []\nconduct:", "strata", "unknown key here: it belongs under `cohorts`"),
    ("hold_weeks: 3", "pause_weeks: 3", "conduct.patient_reductions.pause_weeks", "unknown key (allowed: hold_weeks, "),
    # doses
    ("[100, 70]", "[100]", "dose_amounts", "1 amounts for 2 doses (100 mg BID, 70 mg BID)"),
    ("[100, 70]", "[100, 0]", "dose_amounts[1]", "0 is outside 0.001 to 30000"),
    ("[100, 70]", "100", "dose_amounts", "100 is a number; write [100], or a list"),
    ("on_dose_change: pooled", "on_dose_change: new", "dose_reduction.on_dose_change", "new_dose_only or restart"),
    (
        "on_dose_change: pooled",
        "on_dose_change: new_dose_only",
        "dose_reduction.on_dose_change",
        "`new_dose_only` takes its cut-off from p0 and alpha of the design; not stated: alpha",
    ),
    (RULE, "{kind: amendment}", "dose_reduction.rule", "state either `after_patient` or `after_month`"),
    (RULE, "{kind: amendment, after_month: 6, after_patient: 7}", "dose_reduction.rule", "state either"),
    (RULE, "{kind: amendment, after_month: 0}", "dose_reduction.rule.after_month", "0 is outside 0.1 to 600"),
    (RULE, "{kind: amendment, after_month: [6, 7]}", "dose_reduction.rule.after_month", "2 amendments for 2 doses"),
    # rates
    ("{at_first: 0.15, s", "{at_first: 0, s", "truth.active.response.at_first", "(0 and 1 excluded)"),
    ("slope: 1.2", "slope: steep", "truth.active.response.slope", "`steep` is text, not a number"),
    ("slope: 1.2", "slope: 101", "truth.active.response.slope", "101 is outside -100 to 100"),
    (", slope: 1.2", "", "truth.active.response.slope", "missing; expected here: change of the logit"),
    ("serious: 0.2", "serious: {at_first: 0.2, slope: 1}", "truth.active.serious", "a block of keys cannot stand"),
    ("  HER2: {", "  HER3: {", "truth.active.cohorts.HER3", "neither a stratum nor a cohort (those are: HER2+/HR-"),
    ("  HER2: {", "  HER:2: {", "truth.active.cohorts.HER:2", "`HER:2` cannot be a name here: start with a letter"),
    ("[0.1, 0.08]", "[0.1]", "truth.active.cohorts.HER2+/HR+.response", "1 rates for 2 doses"),
    ("response: 0.02", "serious: 0.5", "truth.active.cohorts.HER2.serious", "cannot exceed that of toxicity"),
    ("response: 0.02", "response: 2", "truth.active.cohorts.HER2.response", "2 is outside 0 to 1; did you mean 0.02"),
    ("response: 0.02", "responses: 0.1", "truth.active.cohorts.HER2.responses", "did you mean `response`?"),
    ("odds_ratio: 2", "odds_ratio: 0", "truth.active.cohorts.HER2+/HR+.odds_ratio", "0 is outside 0 to 1000000"),
    # cohorts
    ("rules: pooled", "rules: each", "cohorts.rules", "(allowed: pooled or own)"),
    ("share: 0.5", "share: 0.6", "cohorts.strata", "the shares must add up to 1; they add up to 1.1"),
    ("share: 0.5", "share: 0", "cohorts.strata[2].share", "0 is outside 0 to 1 (0 excluded)"),
    ("name: HR,", "name: HER2+/HR-,", "cohorts.strata[2].name", "already the name of a stratum"),
    ("name: HR,", "name: 2,", "cohorts.strata[2].name", "2 is a number; expected text"),
    ("name: HR,", "name: H.R,", "cohorts.strata[2].name", "`H.R` cannot be a name here: start with a letter"),
    ("0.5}\nc", "0.5, cohort: HER2+/HR+}\nc", "cohorts.strata[2].cohort", "is a stratum of the cohort `HER2`"),
    # the observed trial by cohort and dose
    (CELL, "{cohort: HER, evaluable: 24}", "observed.cells[0].cohort", "no cohort (those are: HER2, HR)"),
    (CELL, "{dose: 7 mg, evaluable: 24}", "observed.cells[0].dose", "none of the doses (those are: 100 mg BID"),
    (CELL, "{evaluable: 1, responses: 2}", "observed.cells[0].responses", "2 responses among 1 evaluable"),
    (CELL, "{evaluable: 90}", "observed.cells[0].evaluable", "evaluable = 90 cannot exceed the trial's 69"),
    (CELL, "{responses: 1}", "observed.cells[0].evaluable", "missing; expected here: evaluable patients"),
    ("{dose: 70 mg BID, e", "{cohort: HER2, e", "observed.cells[1]", "an earlier cell has the same cohort and dose"),
    # how much to simulate
    ("{p_go: 0.001}", "{p_gone: 0.001}", "simulation.precision", "did you mean `p_go`?"),
    ("{p_go: 0.001}", "{en: 0.1}", "simulation.precision", "`en` is no probability of a trial (allowed: p_go, "),
    ("{p_go: 0.001}", "{p_go: 0}", "simulation.precision.p_go", "0 is outside 0.0001 to 0.1"),
    ("{p_go: 0.001}", "0.001", "simulation.precision", "0.001 is a number; expected a block of keys"),
    ("{p_go: 0.001}", "{}", "simulation.precision", "0 entries here; expected 1 or more"),
    ("0.001}}", "0.001}, replicates: 9}", "simulation.precision", "state `replicates` or the `precision` wanted"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "fragment"), FAULTS)
def test_one_fault_one_message_at_its_line(old: str, new: str, key: str, fragment: str) -> None:
    text = edited(old, new)
    with pytest.raises(ScenarioError) as caught:
        files.parse(text, NAME)
    line = GOOD[: GOOD.index(old)].count("\n") + 1
    # shares are told at the list that holds them
    line = {"cohorts.strata": 12}.get(key, line)
    assert str(caught.value).count("\n") == 0, str(caught.value)
    assert str(caught.value).startswith(f"{NAME}:{line}: {key}: "), str(caught.value)
    assert fragment in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "line", "key", "fragment"),
    [
        ([("  toxicity_window_weeks: 8\n", "")], 8, "conduct.toxicity_window_weeks", "missing: the truth states"),
        ([("  accrual: {per_month: 4.5}\n", "")], 8, "conduct.accrual", "missing; expected here: how fast patients"),
        ([("  assessment_weeks: [9, 17, 25]\n", "")], 8, "conduct.assessment_weeks", "missing; expected here: weeks"),
        ([("0.05, tox", "{at_first: 0.1, slope: 1}, tox")], 13, "truth.inactive.response", "needs `dose_amounts`"),
        ([("0.05, tox", "0.05, cohorts: {A: {}}, tox")], 13, "truth.inactive.cohorts", "need the block `cohorts`"),
        (
            [("weeks: 8\n", "weeks: 8\n  patient_reductions: {}\n")],
            12, "conduct.patient_reductions", "need `dose_amounts`",
        ),
        (
            [("weeks: 8\n", "weeks: 8\n  patient_reductions: {}\n"), (RULE, "{kind: none}"),
             (", toxicity: [0.45, 0.32]", ""), ("conduct:", "dose_amounts: [2, 1]\nconduct:")],
            13, "conduct.patient_reductions", "no case states any",
        ),
        (
            [(PLAIN[PLAIN.index("conduct:") : PLAIN.index("truth:")], ""),
             (RULE, "{kind: amendment, after_month: 6}")],
            7, "dose_reduction.rule.after_month", "months need the `conduct` block",
        ),
        (
            [(RULE, RULE + "\n  on_dose_change: restart"), ("[100 mg BID, 70 mg BID]", "[100 mg BID]"),
             ("[0.45, 0.32]", "0.4")],
            8, "dose_reduction.on_dose_change", "`restart` needs a second dose",
        ),
        (
            [(RULE, RULE + "\n  on_dose_change: new_dose_only"),
             ("conduct:", "evaluability: {replaced: true}\nconduct:")],
            8, "dose_reduction.on_dose_change", "not possible where inevaluable patients are replaced",
        ),
        (
            [(RULE, RULE + "\n  on_dose_change: restart"),
             ("conduct:", "cohorts: {rules: own, strata: [{name: A, share: 1}]}\nconduct:")],
            8, "dose_reduction.on_dose_change", "not possible with `cohorts.rules: own`; only pooled is",
        ),
        (
            [("conduct:", "observed: {cells: [{cohort: A, evaluable: 3}]}\nconduct:")],
            8, "observed.cells[0].cohort", "`A` is no cohort (the block `cohorts` names them)",
        ),
        (
            [("inactive: {response: 0.05, toxicity: [0.45, 0.32]}",
              "a: {response: 0.1, toxicity: 0.2, cohorts: {A: {response: 0.6}}}"),
             ("conduct:", "cohorts: {strata: [{name: A, share: 1}]}\n"
              "evaluability: {probability: 0.5, inevaluable: nonresponders}\nconduct:")],
            15, "truth.a.cohorts.A.response", "response rate 0.6 exceeds the evaluable share 0.5",
        ),
    ],
)  # fmt: skip
def test_what_does_not_go_together(
    changes: list[tuple[str, str]], line: int, key: str, fragment: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read(*changes)
    assert str(caught.value).startswith(f"{NAME}:{line}: {key}: "), str(caught.value)
    assert fragment in str(caught.value)


def test_every_new_key_is_described() -> None:
    definitions = files.json_schema()["$defs"]
    blocks = ("Accrual", "Amendment", "Cell", "Cohorts", "Conduct", "GroupRates", "PatientReductions", "Sites", "Slope",
              "Stratum")  # fmt: skip
    bare = [
        f"{block}.{key}"
        for block in blocks
        for key, node in definitions[block]["properties"].items()
        if "description" not in node and key != "kind"
    ]
    assert bare == []


# -- the calendar


def test_the_dasatinib_calendar_by_hand() -> None:
    c = ticks(read())
    # 31,168 ticks a month / 4.5 = 6,926.2222; times 256 = 1,773,112.89; 2**36 / 6,926.2222 = 9,921,639.5
    assert c.piece_tick.tolist() == [0]
    assert c.piece_unit.tolist() == [0]
    assert c.ticks_per_unit.tolist() == [1_773_113]
    assert c.units_per_tick.tolist() == [round(Fraction(2**36) * Fraction(9, 2) / 31168)]
    assert c.screening.tolist() == [0] * 64
    # a week is 7 * 1,024 = 7,168 ticks: 9, 17 and 25 of them; the window is 8
    assert c.visit.tolist() == [64_512, 121_856, 179_200]
    assert c.window == 57_344
    assert c.seen_by.tolist() == [1 << 32] * 3
    assert c.confirmation == 1
    assert c.missed_by.tolist() == [0, 0, 0]
    # h = ln 2 / 8 = .0866434 a week. Without control at week 9: (1 - e**-.7797906) / (1 - 2**-2)
    # = .5414980 / .75 = .7219973; certain from week 16 on. With control: 0, 1 - 2**(-1/8) = .0829960,
    # 1 - 2**(-9/8) = .5414980
    assert c.progressed_by[0, 0] / 2**32 == pytest.approx(0.7219973, abs=1e-7)
    assert c.progressed_by[1] / 2**32 == pytest.approx([0, 0.0829960, 0.5414980], abs=1e-7)
    assert c.progressed_by[0, 1:].tolist() == [1 << 32] * 2
    assert c.control_visit == 1  # week 17 is the first at or after week 16
    # half the window is 28,672 ticks, spread over 2**31 words: 2 * 28,672 in units of 2**-32 per word
    assert c.early == 1 << 31
    assert c.onset_scale.tolist() == [57_344, 57_344]
    assert (c.interim, c.review_lag, c.lag, c.during_lag) == (tables.PAUSE, 0, 0, tables.OLD_DOSE)
    assert (c.as_it_happens, c.exclude, c.own, c.after_change) == (False, False, False, tables.POOLED)
    assert c.amended_at.tolist() == [0, 0]
    # P(Bin(70, .05) >= 7) = .0604 and P(>= 8) = .0234; of one patient, 1 response has exactly .05
    assert c.attained_ge[70] == 8
    assert c.attained_ge[0] == NEVER
    assert c.attained_ge[1] == 1
    assert c.stratum_by.tolist() == [1 << 32]
    assert (c.cohort_of.tolist(), c.cohorts, c.max_arrivals) == ([0], 1, 70)
    assert (c.max_reductions, c.hold, c.exposure) == (-1, 0, 0)
    assert c.amounts.tolist() == [1000, 1000]


def test_a_calendar_with_everything_stated_by_hand() -> None:
    c = ticks(files.parse(GOOD, NAME))
    # treated 4.5 * .8 = 3.6 a month: 31,168 / 3.6 = 8,657.7778 ticks a patient; times 256 = 2,216,391.1
    assert c.ticks_per_unit.tolist() == [2_216_391]
    # P(k or more failures) = .2**k
    assert c.screening[:3].tolist() == [round(0.2 * 2**32), round(0.04 * 2**32), round(0.008 * 2**32)]
    assert c.seen_by.tolist() == [round(0.7 * 2**32), 1 << 32, 1 << 32]
    # 9 weeks = 63 days = 2.0698152 months at .01 a month: 1 - e**-.020698152 = .0204854
    assert c.missed_by[0] / 2**32 == pytest.approx(0.0204854, abs=1e-7)
    # 28,672 / .7 = 40,960 and 28,672 / .3 = 95,573.3
    assert c.early == round(0.7 * 2**32)
    assert c.onset_scale.tolist() == [40_960, 95_573]
    assert (c.interim, c.review_lag, c.lag, c.during_lag) == (tables.PAUSE, 7168, 43_008, tables.HOLD)
    assert c.exclude
    # no alpha is stated, so there is no cut-off for another number of patients
    assert set(c.attained_ge.tolist()) == {NEVER}
    assert c.stratum_by.tolist() == [round(0.3 * 2**32), 1 << 31, 1 << 32]
    assert (c.cohort_of.tolist(), c.cohorts) == ([0, 0, 1], 2)
    assert (c.max_reductions, c.hold, c.exposure) == (2, 21_504, 1 << 30)
    assert c.amounts.tolist() == [100_000, 70_000]


def test_accrual_by_pieces() -> None:
    c = ticks(read(("{per_month: 4.5}", "{per_month: [2, 4, 8], from_month: [0, 3, 6]}")))
    assert c.piece_tick.tolist() == [0, 93_504, 187_008]
    # 3 months at 2, then 3 at 4: 6 and 18 patients, in 2**-20, but for the rounding of the rates
    assert c.piece_unit / 2**20 == pytest.approx([0, 6, 18], rel=1e-6)
    assert c.ticks_per_unit.tolist() == [256 * 31168 // 2, 256 * 31168 // 4, 256 * 31168 // 8]


def test_sites_that_open() -> None:
    c = ticks(read(("{per_month: 4.5}", SITES)))
    # ten sites, one each .6 month = 18,700.8 ticks, .8 a month each
    assert c.piece_tick[:3].tolist() == [0, 18_701, 37_402]
    assert c.ticks_per_unit[0] == round(256 * 31168 / 0.8)
    assert c.ticks_per_unit[9] == 256 * 31168 // 8
    # .48, then .96 more, ... patients until the last opens: .48 * (1 + ... + 9) = 21.6
    assert c.piece_unit[9] / 2**20 == pytest.approx(21.6, rel=1e-4)


def test_outcomes_known_at_once() -> None:
    c = ticks(files.parse(GOOD, NAME))
    at_once = immediate(c)
    changed = {
        name
        for name in Calendar._fields
        if getattr(c, name) is not getattr(at_once, name)
        and not np.array_equal(getattr(c, name), getattr(at_once, name))
    }
    assert changed == {
        "visit",
        "window",
        "onset_scale",
        "interim",
        "review_lag",
        "lag",
        "during_lag",
        "max_reductions",
    }
    assert at_once.visit.tolist() == [0, 0, 0]
    assert (at_once.window, at_once.lag, at_once.max_reductions) == (0, 0, -1)


def test_without_conduct_a_patient_comes_each_month() -> None:
    start, end = GOOD.index("conduct:"), GOOD.index("truth:")
    c = ticks(files.parse(GOOD[:start] + GOOD[end:], NAME))
    assert c.ticks_per_unit.tolist() == [256 * 31168]
    assert (c.visit.tolist(), c.window, c.control_visit) == ([0], 0, 0)
    assert c.seen_by.tolist() == [1 << 32]
    assert (c.missed_by.tolist(), c.confirmation, c.cohorts) == ([0], 0, 2)


def test_disease_control_beyond_the_last_visit_is_never_seen() -> None:
    c = ticks(read(("weeks: 8\n", "weeks: 8\n  disease_control_week: 30\n")))
    assert c.control_visit == 3
    # still (1 - 2**(-t / 8)) / (1 - 2**(-30 / 8)): .5415 / .92567 and .7707 / .92567 and .8854 / .92567
    assert c.progressed_by[0] / 2**32 == pytest.approx([0.58498, 0.83263, 0.95647], abs=1e-5)
    assert c.progressed_by[1].tolist() == [0, 0, 0]


def test_extreme_numbers_still_give_thresholds() -> None:
    for old, new in (
        ("weeks: 8\n", "weeks: 8\n  early_onset: 1e-300\n"),
        ("weeks: 8\n", "weeks: 8\n  early_onset: 0.9999999999999999\n"),
        ("weeks: 8\n", "weeks: 0.1\n  progression_median_weeks: 0.1\n"),
        ("weeks: 8\n", "weeks: 520\n  progression_median_weeks: 520\n  disease_control_week: 0.1\n"),
        ("weeks: 8\n", "weeks: 8\n  withdrawal_per_month: 10\n"),
        ("{per_month: 4.5}", "{per_month: 1000, screening_failure: 0.9}"),
    ):
        c = ticks(read((old, new)))
        assert 0 < c.early < 1 << 32
        for thresholds in (c.seen_by, c.missed_by, c.progressed_by[0], c.progressed_by[1], c.screening[::-1]):
            assert np.all(np.diff(thresholds) >= 0)
            assert 0 <= thresholds[0] <= thresholds[-1] <= 1 << 32
        # the last word of the early half and the last word of all stay within the window
        half = c.window >> 1
        assert (c.early - 1) * int(c.onset_scale[0]) >> 32 <= half
        assert ((1 << 32) - 1 - c.early) * int(c.onset_scale[1]) >> 32 <= c.window - half


def test_too_slow_a_trial_is_refused_when_its_size_is_known() -> None:
    with pytest.raises(DesignError, match="70 patients would take 583 years"):
        ticks(read(("{per_month: 4.5}", "{per_month: 0.01}")))


# -- analysis sets


def test_a_restart_needs_patients_at_each_dose() -> None:
    scenario = read((RULE, RULE + "\n  on_dose_change: restart"))
    rules = compile_rules(scenario)
    c = calendar(scenario, rules)
    assert (rules.max_treated, c.max_arrivals, c.after_change) == (70, 140, tables.RESTART)


def test_the_cut_off_for_the_attained_size() -> None:
    scenario = read((RULE, RULE + "\n  on_dose_change: new_dose_only"))
    rules = compile_rules(scenario)
    c = calendar(scenario, rules)
    assert c.after_change == tables.NEW_DOSE_ONLY
    assert rules.attained_ge == tuple(c.attained_ge)
    for m in range(1, 71):
        least = next((x for x in range(m + 1) if binom.sf(x - 1, m, 0.05) <= 0.05), NEVER)
        assert c.attained_ge[m] == least


def test_an_amendment_after_months() -> None:
    scenario = read((RULE, "{kind: amendment, after_month: 6}"))
    rules = compile_rules(scenario)
    assert rules.monitor.at_enrolled == (0, 0)
    assert calendar(scenario, rules).amended_at.tolist() == [187_008, 0]  # 6 * 31,168


def test_patients_who_withdraw_before_the_first_visit_are_replaced_too() -> None:
    replaced = ("conduct:", "evaluability: {probability: 0.9, replaced: true}\nconduct:")
    withdrawing = ("weeks: 8\n", "weeks: 8\n  withdrawal_per_month: 0.05\n")
    most = compile_rules(read(replaced, withdrawing)).max_treated
    # 9 weeks are 2.06982 months: .9 e**-.103491 = .811515 of the patients can be assessed
    assert binom.cdf(69, most, 0.811515) <= 1e-12 < binom.cdf(69, most - 1, 0.811515)
    assert most > compile_rules(read(replaced)).max_treated


@pytest.mark.parametrize("interim", ["continue", "pause"])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2), (0.6, 0.3, 0.1)])
def test_own_rules_screen_until_every_cohort_is_complete(shares: tuple[float, ...], interim: str) -> None:
    strata = ", ".join(f"{{name: S{i}, share: {q}}}" for i, q in enumerate(shares))
    scenario = read(
        ("conduct:", f"cohorts: {{rules: own, strata: [{strata}]}}\nconduct:\n  interim: {interim}")
    )
    rules = compile_rules(scenario)
    c = calendar(scenario, rules)
    assert (rules.max_treated, c.own, c.cohorts) == (70 * len(shares), True, len(shares))

    def short(arrivals: int) -> float:
        return sum(float(binom.cdf(69, arrivals, q)) for q in shares)

    assert scenario.conduct is not None
    lost = 0
    if (
        interim == "pause"
    ):  # one interim look, for which the cohort is closed until the last visit and the review
        weeks = scenario.conduct.assessment_weeks[-1] + scenario.conduct.review_lag_weeks
        mean = weeks * 7 / 30.4375 * max(rate for _, rate in scenario.conduct.accrual.pieces())
        lost = next(n for n in range(math.ceil(mean), 1000) if poisson.sf(n, mean) <= 1e-12)
        assert lost > mean > 1
    assert short(c.max_arrivals - lost) <= 1e-12 < short(c.max_arrivals - lost - 1)


def test_a_cohort_too_rare_to_complete_is_refused() -> None:
    strata = "[{name: A, share: 0.9999}, {name: B, share: 0.0001}]"
    with pytest.raises(DesignError, match=r"complete the smallest cohort \(B\)"):
        ticks(read(("conduct:", f"cohorts: {{rules: own, strata: {strata}}}\nconduct:")))


# -- truth by stratum


def test_a_slope_by_hand() -> None:
    case = files.parse(GOOD, NAME).truth["active"]
    # logit .15 = -1.7346011; 1.2 ln .7 = -.4280099; the sum is -2.1626110, of which 1 / (1 + e**2.162611) = .1031586
    assert case.by_dose("response", 2) == (0.15, pytest.approx(0.1031586, abs=1e-7))
    steep = read(
        ("0.05, tox", "{at_first: 0.5, slope: -100}, tox"),
        ("dose_red", "dose_amounts: [30000, 0.001]\ndose_red"),
    )
    assert steep.truth["inactive"].by_dose("response", 2) == (0.5, 1.0)


def test_scenarios_do_not_share_dose_amounts() -> None:
    one = files.parse(GOOD, NAME)
    stated = {key: value for key, value in one if key != "schema_"}
    other = Scenario.model_validate({**stated, "schema": 1, "dose_amounts": (100.0, 50.0)})
    assert one.truth["active"].by_dose("response", 2) == (0.15, pytest.approx(0.1031586, abs=1e-7))
    assert other.truth["active"].by_dose("response", 2) != one.truth["active"].by_dose("response", 2)


def test_a_stratum_outranks_its_cohort() -> None:
    strata = Strata.of(files.parse(GOOD, NAME), "active")
    assert strata.shares == pytest.approx((0.3, 0.2, 0.5))
    assert [rates.response for rates in strata.rates] == [
        (0.02, 0.02),
        (0.1, 0.08),
        (0.15, pytest.approx(0.1031586, abs=1e-7)),
    ]
    assert [rates.odds_ratio for rates in strata.rates] == [1, 2, 1]


def test_thresholds_by_stratum() -> None:
    scenario = files.parse(GOOD, NAME)
    table = Strata.of(scenario, "active").thresholds()
    assert table.shape == (2, 3, 8)
    one = round(0.4 * 2**32)
    # HER2+/HR-: response .02 and toxicity .4 independent; half the toxicities serious; stable disease .1
    expected = [round(0.02 * 2**32), one, one, 1 << 32, 1 << 32, 1 << 31, round(0.1 * 2**32), one]
    assert table[0, 0].tolist() == expected
    assert np.array_equal(table[:, 1, :5], Strata.of(scenario, "active").rates[1].thresholds())
    unstated = Strata.of(read(), "inactive").thresholds()
    assert unstated[:, :, tables.SERIOUS].tolist() == [[0], [0]]
    assert unstated[:, :, tables.STABLE].tolist() == [[0], [0]]


@pytest.mark.parametrize("replaced", [False, True])
def test_cells_are_those_of_a_patient_of_any_stratum(replaced: bool) -> None:
    strata = Strata.of(files.parse(GOOD, NAME), "active")
    by_stratum = [rates.cells(replaced) for rates in strata.rates]
    expected = 0.3 * by_stratum[0] + 0.2 * by_stratum[1] + 0.5 * by_stratum[2]
    assert strata.cells(replaced) == pytest.approx(expected, abs=1e-15)
    plain = read()
    alone = Rates.of(plain.truth["inactive"], plain.evaluability, 2).cells(replaced)
    assert np.array_equal(Strata.of(plain, "inactive").cells(replaced), alone)


def patients(rates: Rates, level: int, c: Calendar) -> Iterator[tuple[float, int, bool]]:
    """(probability, cell, withdrew) of every course of a patient, straight from the definitions."""
    visits = len(c.visit)
    missed_by = [0.0, *(c.missed_by / 2**32), 1.0]  # the first visit missed, or none
    seen_by = [0.0, *(c.seen_by / 2**32)]
    base = rates.cells(replaced=True)[level, 0]
    for cell, seen, missed in itertools.product(range(6), range(visits), range(visits + 1)):
        p = base[cell] * (seen_by[seen + 1] - seen_by[seen]) * (missed_by[missed + 1] - missed_by[missed])
        toxic, evaluable, responder = cell % 2, cell >= 2 and missed > 0, cell >= 4
        response = responder and evaluable and missed > seen + c.confirmation
        yield p, (4 if response else 2 if evaluable else 0) + toxic, missed < visits


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize(
    "evaluability", ["{probability: 0.9}", "{probability: 0.9, inevaluable: nonresponders}"]
)
def test_withdrawal_by_enumeration(evaluability: str, confirmed: bool) -> None:
    scenario = read(
        ("weeks: 8\n", "weeks: 8\n  withdrawal_per_month: 0.2\n  first_seen: [0.6, 0.4]\n"
         f"  confirmed: {str(confirmed).lower()}\n"),
        ("conduct:", f"evaluability: {evaluability}\nconduct:"),
        ("0.05, tox", "0.2, odds_ratio: 3, tox"),
    )  # fmt: skip
    c, strata = ticks(scenario), Strata.of(scenario, "inactive")
    expected = np.zeros((2, 6))
    withdrew = 0.0
    for level in range(2):
        for p, cell, left in patients(strata.rates[0], level, c):
            expected[level, cell] += p
            withdrew += p * left / 2
    assert withdrew > 0.6
    assert strata.effective(c).cells(True)[:, 0] == pytest.approx(expected, abs=1e-12)
    merged: Any = expected.copy()
    merged[:, 2:4] += merged[:, :2]
    merged[:, :2] = 0
    assert strata.effective(c).cells(False)[:, 0] == pytest.approx(merged, abs=1e-12)


def test_nobody_withdraws_unless_stated() -> None:
    scenario = read()
    strata = Strata.of(scenario, "inactive")
    for replaced in (False, True):
        assert strata.effective(ticks(scenario)).cells(replaced) == pytest.approx(
            strata.cells(replaced), abs=1e-15
        )
