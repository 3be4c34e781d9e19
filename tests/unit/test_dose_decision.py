"""The dose decision where people meet it: what a file may state, what the report and the protocol say."""

from __future__ import annotations

import itertools
import re
from dataclasses import fields, replace
from typing import Any

import pytest

import trialsim
from tests.unit.protocol_cases import text_of
from trialsim.errors import ScenarioError
from trialsim.facts.dose_decision import Allocated, DoseDecision
from trialsim.facts.protocol import facts
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.digest import digest
from trialsim.scenario.files import parse

FILE = """schema: 1
name: two doses
endpoint: response
design: {kind: simon, n1: 8, r1: 0, n: 20, r: 3, p0: 0.1, p1: 0.3}
doses: [120 mg, 80 mg]
dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.2}}
dose_decision:
  rule: {kind: difference, lambda: 0.05}
truth:
  inactive: {response: 0.1, toxicity: [0.5, 0.3]}
  active: {response: 0.3, toxicity: [0.5, 0.3], odds_ratio: 2}
  weaker: {response: [0.3, 0.12], toxicity: [0.5, 0.3]}
simulation: {replicates: 400, seed: 3}
"""
DATES = (
    "conduct: {accrual: {per_month: 3}, assessment_weeks: [8], confirmed: false, toxicity_window_weeks: 6}\n"
)


def changed(old: str, new: str) -> str:
    assert old in FILE
    return FILE.replace(old, new)


POCOCK = "{rule: {kind: pocock, limit: 0.3, phi: 0.2}}"
RULE = "  rule: {kind: difference, lambda: 0.05}\n"

BAD = {
    "one dose": (changed("[120 mg, 80 mg]", "[120 mg]").replace("[0.5, 0.3]", "0.5").replace("[0.3, 0.12]", "0.3"),
                 r":\d+: dose_decision: .* needs two, and `doses` lists 1"),
    "no rule": (changed(f"dose_reduction: {POCOCK}\n", ""), "without a rule in `dose_reduction`"),
    "restart": (changed("phi: 0.2}}", "phi: 0.2}, on_dose_change: restart}"), "only `pooled`"),
    "unknown kind": (changed("kind: difference, lambda: 0.05", "kind: best"), "always_lower, difference, posterior"),
    "decimals": (changed("0.05}\n", "0.12345678}\n"), "at most 6 decimals"),
    "lambda": (changed("lambda: 0.05", "lambda: 5"), "dose_decision.rule.lambda: .*1"),
    "delta": (changed("kind: difference, lambda: 0.05", "kind: posterior, cutoff: 0.5"), "delta: missing"),
    "cutoff": (changed("kind: difference, lambda: 0.05", "kind: posterior, delta: 0.1, cutoff: 1.5"), "cutoff"),
    "margin": (changed(RULE, RULE + "  margin: -0.1\n"), "margin"),
    "fewest": (changed(RULE, RULE + "  min_per_dose: 0\n"), "min_per_dose"),
    "applies": (changed(RULE, RULE + "  applies: always\n"), "go or any_end"),
    "ratio": (changed(RULE, RULE + "  after_trigger: {ratio: [1, 0]}\n"), "ratio"),
    "allocation": (changed(RULE, RULE + "  after_trigger: {allocation: random}\n"), "alternate, blocks or coin"),
    "any end": (changed(RULE, RULE + "  after_trigger: {}\n  applies: any_end\n"), "applies: .*only go is"),
    "replaced": (changed(RULE, RULE + "  after_trigger: {}\nevaluability: {probability: 0.9, replaced: true}\n"),
                 "replaced"),
    "toxicity": (changed("kind: difference, lambda: 0.05", "kind: utility, toxicity: 0.3").replace(
        POCOCK, "{rule: {kind: amendment, after_patient: 5}}"
    ).replace(", toxicity: [0.5, 0.3]", "").replace(", odds_ratio: 2", ""), "weighs toxicity"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused_at_its_line(name: str):
    text, words = BAD[name]
    with pytest.raises(ScenarioError) as refused:
        parse(text, "doses.yaml")
    assert re.search(words, str(refused.value)), refused.value
    assert re.match(r"doses\.yaml:\d+: ", str(refused.value))


def test_a_cut_off_that_ties_is_refused():
    text = changed("kind: difference, lambda: 0.05", "kind: posterior, delta: 0, cutoff: 0.5, prior: [1, 1]")
    with pytest.raises(trialsim.DesignError, match="cannot be told from the posterior probability at"):
        trialsim.exact(parse(text, "doses.yaml"))


def test_without_the_block_nothing_is_there():
    plain = parse(changed("dose_decision:\n" + RULE, ""), "plain.yaml")
    stated = parse(FILE, "doses.yaml")
    assert digest(plain) != digest(stated)
    found = trialsim.run(plain, replicates=200)
    assert not any(name.startswith("p_dose_l") for name in found.results["active"].names)
    assert "dose_decision" not in found.to_dict()
    with_rule = trialsim.run(stated, replicates=200)
    for case in ("inactive", "active", "weaker"):
        one, other = found.results[case], with_rule.results[case]
        assert {name: other.exact.values[name] for name in one.exact.values} == one.exact.values
        assert all(other.simulated.values[name] == value for name, value in one.simulated.values.items())


@pytest.fixture(scope="module")
def found():
    beside = (
        "  beside:\n    - {kind: posterior, delta: 0.05, cutoff: 0.5}\n    - {kind: utility, toxicity: 0.3}\n"
    )
    return trialsim.run(parse(changed(RULE, RULE + "  margin: 0.05\n" + beside), "doses.yaml"))


def test_the_five_outcomes_add_up_and_p_go_is_among_them(found):
    for case in found.results.cases:
        for values in (case.exact.values, {k: e.estimate for k, e in case.simulated.values.items()}):
            names = ("none", "no_comparison", "undecided", "lower", "higher")
            assert sum(values[f"p_dose_{name}"] for name in names) == pytest.approx(1, abs=1e-12)
            assert values["p_dose_none"] == pytest.approx(1 - values["p_go"], abs=1e-12)
            assert values["p_dose_correct"] + values["p_dose_wrong"] == pytest.approx(
                values["p_dose_lower"] + values["p_dose_higher"], abs=1e-15
            )


def test_the_report_says_what_the_numbers_are(found):
    document, words = found.to_dict(), found.report()
    text = text_of_report(words)
    assert document["dose_decision"]["correct"] == {
        "inactive": "lower",
        "active": "lower",
        "weaker": "higher",
    }
    for sentence in (
        "80 mg is chosen unless the observed response rate at 120 mg is higher than that at 80 mg by more than 5 ",
        "80 mg is not supported, and no dose goes forward",
        "The comparison is not randomised",
        "does not test the dose that is chosen",
    ):
        assert sentence in text
    rules = document["cases"]["weaker"]["dose_decision"]["rules"]
    assert [rule["rule"]["kind"] for rule in rules] == ["difference", "posterior", "utility", "always_lower"]
    always = rules[-1]
    for rule in rules:
        chosen = rule["p_dose_lower"] + rule["p_dose_higher"]
        assert chosen == pytest.approx(always["p_dose_lower"], abs=1e-11)
    reduce, concurrent, everybody = document["cases"]["weaker"]["dose_decision"]["conducts"]
    assert reduce["p_dose_correct"] == rules[0]["p_dose_correct"]
    assert concurrent["p_go"] == everybody["p_go"] > reduce["p_go"]
    assert concurrent["patients_dose_1"] > reduce["patients_dose_1"]


def text_of_report(report: Any) -> str:
    from trialsim.writing.markdown import markdown

    return markdown(report)


def test_in_calendar_time_it_is_simulated_beside_the_exact_one():
    found = trialsim.simulate(parse(FILE + DATES, "dated.yaml"), replicates=300)
    case = found["active"]
    assert case.exact is None
    assert case.at_once.exact.values["p_dose_lower"] > 0
    assert case.simulated.values["p_dose_lower"].mcse > 0


def test_allocation_is_exact_in_turn_alone():
    for how, exact in (("alternate", True), ("blocks", False), ("coin", False)):
        text = changed(RULE, RULE + f"  after_trigger: {{allocation: {how}}}\n")
        case = trialsim.simulate(parse(text, "doses.yaml"), replicates=200)["active"]
        assert (case.exact is not None) == exact
        assert ("by chance" in case.not_exact) != exact


# -- the protocol section

HIGH = DoseDecision(
    "120 mg", "80 mg", "difference", (), "go", 1, False, None, None
)  # fmt: skip


def decision_text(stated: DoseDecision) -> str:
    whole = facts(Compiled.of(parse(FILE, "doses.yaml")))
    return text_of(replace(whole, dose_decision=stated))


def of_file(more: str = "", rule: str = "kind: difference, lambda: 0.05") -> DoseDecision:
    text = changed(RULE, f"  rule: {{{rule}}}\n{more}")
    stated = facts(Compiled.of(parse(text, "doses.yaml"))).dose_decision
    assert stated is not None
    return stated


RULES = (
    "kind: difference, lambda: 0.05", "kind: difference", "kind: difference, lambda: -0.1", "kind: always_lower",
    "kind: posterior, delta: 0.07, cutoff: 0.62", "kind: posterior, delta: 0, cutoff: 0.62, prior: [2, 7]",
    "kind: utility, toxicity: 0.3", "kind: utility, response: 2, toxicity: 0.4, lambda: 0.2",
)  # fmt: skip
MORE = (
    "", "  min_per_dose: 4\n", "  applies: any_end\n", "  higher_selectable: true\n  reason: a higher peak\n",
    "  after_trigger: {allocation: alternate, ratio: [3, 2]}\n",
    "  after_trigger: {allocation: blocks, ratio: [2, 1], n_per_dose: 9}\n",
    "  after_trigger: {allocation: coin, compared: all}\n  reason: the committee agrees\n",
)  # fmt: skip


@pytest.mark.parametrize(("rule", "more"), list(itertools.product(RULES, MORE)))
def test_every_setting_is_printed(rule: str, more: str):
    stated = of_file(more, rule)
    text = decision_text(stated)
    for setting in stated.settings:
        for value in setting.values:
            if value in (0.0, 1.0) and setting.key in ("lambda", "delta", "response", "prior"):
                continue
            shown = {f"{value:g}", f"{100 * value:.4g}", f"{-100 * value:.4g}"}
            assert any(re.search(rf"(?<![\d.]){re.escape(each)}(?!\d)", text) for each in shown), setting
    if stated.allocated is not None and stated.allocated.n_per_dose:
        assert str(stated.allocated.n_per_dose) in text
    assert (stated.reason or "") in text


def test_every_fact_changes_the_text():
    base = of_file(
        "  min_per_dose: 4\n  reason: a higher peak\n  after_trigger: {allocation: blocks, n_per_dose: 9}\n"
    )
    others: dict[str, Any] = {
        "higher": "100 mg", "lower": "60 mg", "kind": "always_lower", "settings": (), "applies": "any_end",
        "min_per_dose": 5, "higher_selectable": True, "reason": "another", "allocated": None, "from_start": True,
    }  # fmt: skip
    allocated: dict[str, Any] = {"allocation": "coin", "ratio": (2, 1), "n_per_dose": None, "compared": "all"}
    assert set(others) == {field.name for field in fields(DoseDecision)}
    assert set(allocated) == {field.name for field in fields(Allocated)}
    text = decision_text(base)
    for name, value in others.items():
        kept = of_file(rule="kind: difference").settings if name == "settings" else value
        assert decision_text(replace(base, **{name: kept})) != text, name
    assert base.allocated is not None
    for name, value in allocated.items():
        mutant = replace(base, allocated=replace(base.allocated, **{name: value}))
        assert decision_text(mutant) != text, name


def test_the_facts_say_what_the_file_says():
    for rule, more in itertools.product(RULES, MORE):
        text = changed(RULE, f"  rule: {{{rule}}}\n{more}")
        scenario, told = parse(text, "doses.yaml"), of_file(more, rule)
        stated = scenario.dose_decision
        assert stated is not None
        again = {s.key: s.values[0] if len(s.values) == 1 else s.values for s in told.settings}
        assert type(stated.rule).model_validate({"kind": told.kind, **again}) == stated.rule
        assert (told.applies, told.min_per_dose, told.higher_selectable, told.reason) == (
            stated.applies, stated.min_per_dose, stated.higher_selectable, stated.reason,
        )  # fmt: skip
        after = stated.after_trigger
        assert (told.allocated is None) == (after is None)
        if after is not None and told.allocated is not None:
            assert vars(told.allocated) == after.model_dump()
