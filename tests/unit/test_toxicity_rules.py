"""Several toxicity rules in a scenario file: every bad input at its line, what is printed, and what monitoring says."""

from __future__ import annotations

import pytest

import trialsim
from tests.helpers import config
from trialsim.codes import NEVER, REDUCE, STOP
from trialsim.designs.group_sequential import GroupSequential
from trialsim.errors import DesignError, Problem, ScenarioError
from trialsim.monitoring.rest_of_trial import ahead, today
from trialsim.monitoring.standing import Now
from trialsim.reporting.protocol import report_of
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse
from trialsim.scenario.truth import Rates
from trialsim.writing.report import Words

TEXT = """\
schema: 1
name: bad input
endpoint: response
design: {kind: simon, n1: 10, r1: 1, n: 29, r: 5}
doses: [100 mg, 70 mg]
dose_reduction: {%s}
truth: {one: {response: 0.2, toxicity: 0.3}}
"""
LEAD_IN = "{kind: k_of_first_m, k: 4, m: 6}"
THEN = "{kind: pocock, limit: 0.3, phi: 0.1, min_n: 7}"


def found(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as error:
        parse(text)
    return error.value.problems


@pytest.mark.parametrize(
    ("block", "key", "message"),
    [
        ("at_lowest_dose: stop", "rule", "missing; expected here: the toxicity rule, or `rules`"),
        (f"rule: {THEN}, rules: [{LEAD_IN}]", "rules", "state `rule` or `rules`, not both"),
        ("rules: []", "rules", "a list of 0; expected 1 to 8"),
        (f"rules: [{', '.join([LEAD_IN] * 9)}]", "rules", "a list of 9; expected 1 to 8"),
        ("rules: [{kind: amendment, after_patient: 9}]", "rules[0].kind", "`amendment` is unknown (allowed: "),
        (f"rules: [{LEAD_IN}, {{kind: none}}]", "rules[1].kind", "`none` is unknown"),
        (f"rules: [{LEAD_IN}, {{limit: 0.3, phi: 0.1}}]", "rules[1].kind", "missing (allowed: "),
        ("rule: {kind: pocock, limit: 0.3}", "rule.phi", "missing; expected here: largest probability"),
        ("rule: {kind: pocock, limit: 0.3, combined_phi: 0.1}", "rule.combined_phi", "there is one rule: state its"),
        ("rules: [{kind: pocock, limit: 0.3, combined_phi: 0.1}]", "rules[0].combined_phi", "there is one rule"),
        (
            f"rules: [{LEAD_IN}, {{kind: pocock, limit: 0.3, phi: 0.1, combined_phi: 0.1}}]",
            "rules[1].combined_phi",
            "state `phi` or `combined_phi`, not both",
        ),
        (
            "rules: [{kind: pocock, limit: 0.3, combined_phi: 0.1}, {kind: pocock, limit: 0.2, combined_phi: 0.1}]",
            "rules[1].combined_phi",
            "only one rule can take what the others leave",
        ),
        ("rule: {kind: pocock, limit: 0.3, phi: 0.1, min_n: 30}", "rule.min_n", "no look comes after 30 of 29"),
        (f"rules: [{LEAD_IN}, {THEN.replace('7', '30')}]", "rules[1].min_n", "no look comes after 30 of 29 patients"),
        ("rule: {kind: pocock, limit: 0.3, phi: 0.1, min_n: 0}", "rule.min_n", "0 is outside 1 to 10000"),
        ("rule: {kind: k_of_first_m, k: 2, m: 6, min_n: 7}", "rule.min_n", "patient 7 is not among the first m = 6"),
        ("rule: {kind: k_of_first_m, k: 2, m: 6, action: continue}", "rule.action", "(allowed: reduce or stop)"),
        ("rule: {kind: k_of_first_m, k: 2, m: 6, levels: [50 mg]}", "rule.levels", "`50 mg` is none of the doses"),
        ("rule: {kind: k_of_first_m, k: 2, m: 6, levels: []}", "rule.levels", "a list of 0; expected 1 to 8"),
        ("rule: {kind: pasted}", "rule.boundary", "missing; expected here: patients at the dose at a look"),
        ("rule: {kind: pasted, boundary: {}}", "rule.boundary", "0 entries here; expected 1 to 2000"),
        ("rule: {kind: pasted, boundary: {6: 4, 3: 2}}", "rule.boundary", "looks must grow: 3 follows 6"),
        ("rule: {kind: pasted, boundary: {6: 7}}", "rule.boundary", "7 toxicities cannot occur among 6 patients"),
        ("rule: {kind: pasted, boundary: {0: 1}}", "rule.boundary", "a look needs at least 1 patient, not 0"),
        ("rule: {kind: pasted, boundary: {6: 0}}", "rule.boundary[6]", "0 is outside 1 to 10000"),
        ("rule: {kind: pasted, boundary: {six: 4}}", "rule.boundary", "`six` is not a number of patients: write 3"),
        ("rule: {kind: pasted, boundary: {6: 4, 30: 9}}", "rule.boundary", "no look comes after 30 of 29 patients"),
        ("rule: {kind: posterior, limit: 0.3, prior: [1, 1]}", "rule.cutoff", "(or `phi`, from which it is found)"),
        (
            "rule: {kind: posterior, limit: 0.3, prior: [1, 1], cutoff: 0.9, phi: 0.1}",
            "rule.phi",
            "state `cutoff` or `phi`, not both",
        ),
        (
            "rule: {kind: posterior, limit: 0.3, prior: [1, 1], phi: 0.1, min_n: 30}",
            "rule.min_n",
            "no look comes after 30 of 29 patients",
        ),
        (
            "rule: {kind: group_sequential, limit: 0.3, phi: 0.1, looks: {from: 6, to: 29, every: 5}}",
            "rule.looks.to",
            "looks every 5 patients from 6 on do not come to 29; they come to 26 and 31",
        ),
        (
            "rule: {kind: group_sequential, limit: 0.3, phi: 0.1, looks: {from: 9, to: 6}}",
            "rule.looks.to",
            "6 is below `from`, 9",
        ),
        (
            "rule: {kind: group_sequential, limit: 0.3, phi: 0.1, looks: {from: 6, every: 1}}",
            "rule.looks.to",
            "missing; expected here: patients at the last look",
        ),
        (
            "rule: {kind: group_sequential, limit: 0.3, phi: 0.1, looks: {from: 6, to: 36, every: 3}}",
            "rule.looks",
            "no look comes after 36 of 29 patients",
        ),
    ],
)  # fmt: skip
def test_one_fault_one_message_at_its_line(block: str, key: str, message: str) -> None:
    (problem,) = found(TEXT % block)
    assert problem.line == 6
    assert problem.key == f"dose_reduction.{key}"
    assert message in problem.message


@pytest.mark.parametrize(
    ("cohorts", "rule", "key", "message"),
    [
        (
            "rules: pooled, monitor: own",
            LEAD_IN,
            "cohorts.monitor",
            "a boundary for each cohort needs looks for each",
        ),
        (
            "rules: own, monitor: owned",
            LEAD_IN,
            "cohorts.monitor",
            "did you mean `own`? (allowed: shared or own)",
        ),
        (
            "rules: own, monitor: own",
            "{kind: amendment, after_patient: 9}",
            "cohorts.monitor",
            "an amendment is one of the whole trial",
        ),
        (
            "rules: own, monitor: own",
            "{kind: pasted, boundary: {30: 9}}",
            "dose_reduction.rule.boundary",
            "no look comes after 30 of 29 patients",
        ),
    ],
)
def test_bad_input_of_boundaries_by_cohort(cohorts: str, rule: str, key: str, message: str) -> None:
    text = TEXT % f"rule: {rule}" + f"cohorts: {{{cohorts}, strata: [{{name: A}}, {{name: B}}]}}\n"
    (problem,) = found(text)
    assert problem.key == key
    assert problem.line == (8 if key.startswith("cohorts") else 6)
    assert message in problem.message


def test_a_lead_in_that_alone_exceeds_the_combined_phi_is_refused() -> None:
    """6 of 12 at .30: .1178 > .10 (MODEL-DOSE.md, D16)."""
    text = TEXT % (
        "rules: [{kind: k_of_first_m, k: 6, m: 12}, {kind: pocock, limit: 0.3, combined_phi: 0.1, min_n: 13}]"
    )
    with pytest.raises(
        DesignError, match=r"dose_reduction\.rules\.1: combined_phi = 0\.1 .* probability 0\.1178"
    ):
        Compiled.of(parse(text))


def test_a_range_of_looks_is_the_list() -> None:
    rule = {"kind": "group_sequential", "limit": 0.3, "phi": 0.1}
    as_range = GroupSequential.model_validate(rule | {"looks": {"from": 6, "to": 29}})
    as_list = GroupSequential.model_validate(rule | {"looks": list(range(6, 30))})
    assert as_range == as_list
    assert as_range.compile(29, 29) == as_list.compile(29, 29)


def test_the_boundaries_of_each_dose() -> None:
    """A lead-in holds at the first dose only and stops; the monitoring lowers the dose there and stops at the last."""
    trial = Compiled.of(config("lead-in"))
    monitor = trial.rules.monitor
    assert monitor.action == (REDUCE, STOP)
    assert [m for m, b in enumerate(monitor.stop_ge[0]) if b < NEVER] == [1, 2, 3, 4, 5, 6]
    assert monitor.act_ge[0][6] == monitor.stop_ge[0][6] == 4
    assert min(monitor.act_ge[1][:7]) == NEVER
    assert [[b.place for b in here] for here in trial.toxicity_rules] == [["rules.0", "rules.1"], ["rules.1"]]


def test_what_the_protocol_says() -> None:
    report = report_of(trialsim.protocol(config("lead-in")))
    text = " ".join(b.text for s in report.sections for b in s.blocks if isinstance(b, Words))
    for words in (
        "Toxicity will be monitored by 2 rules, all of which count the same patients.",
        "one that stops the trial comes before one that lowers the dose",
        "Rule 1 (only at 100 mg it stops the trial): The rule acts as soon as 4 of the first 6 patients at a dose",
        "Rule 2 (at 100 mg it lowers the dose; at 70 mg it stops the trial)",
        "after every patient at a dose, from patient 7 at the dose on",
        "any of the rules is met within 55 patients with a probability of at most 0.1",
        "with probability 0.0705 by itself, and is the only one that is met first with probability 0.0705",
        "At 100 mg, with a true toxicity rate of 30% some rule acts within 55 patients with probability 0.1000",
        "but if by then the boundary that stops the trial is reached too, the trial stops for toxicity",
    ):
        assert words in text, words


NOW: list[tuple[tuple[int, int, int], str]] = [
    ((6, 1, 3), "continue"),
    ((6, 1, 4), "stop_for_toxicity"),
    ((8, 1, 6), "stop_for_toxicity"),  # 4 of the first 6 at least: what is known late acts first
    ((11, 1, 8), "lower_dose"),  # 3 of the first 6 is possible
]


@pytest.mark.parametrize(("now", "does"), NOW)
def test_what_monitoring_says_now(now: tuple[int, int, int], does: str) -> None:
    n, x, t = now
    rules = Compiled.of(config("lead-in")).rules
    at = Now(n, x, 0, n, n, t, t)
    assert today(rules, at).does == does


def test_the_rest_of_a_trial_knows_both_boundaries() -> None:
    """P(stop) from now on is that of the whole trial averaged over the next patient."""
    rules = Compiled.of(config("lead-in")).rules
    truth = Rates((0.2, 0.2), (0.5, 0.3))
    here = ahead(rules, truth, Now(5, 1, 0, 5, 5, 3, 3))
    # patient 6: toxic stops at once (4 of 6), else 3 of 6
    onward = ahead(rules, truth, Now(6, 1, 0, 6, 6, 3, 3))
    onward_x = ahead(rules, truth, Now(6, 2, 0, 6, 6, 3, 3))
    expected = 0.5 + 0.5 * (0.8 * onward.p_stop_toxicity + 0.2 * onward_x.p_stop_toxicity)
    assert here.p_stop_toxicity == pytest.approx(expected, abs=1e-12)
