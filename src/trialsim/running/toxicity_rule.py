"""The toxicity rule in results.json: what is stated, its boundary by dose, how often it acts; of several rules each."""

from __future__ import annotations

from trialsim.codes import NEVER
from trialsim.designs.crossing import crossing_probability, first_met
from trialsim.designs.registry import ToxicityRule
from trialsim.designs.rules import ACTION_WORDS
from trialsim.engine import derived
from trialsim.running.plain import Document
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import watched_patients


def document(trial: Compiled) -> Document:
    """The rule and its boundary; with several rules also each by itself and which of them is met first."""
    scenario, rules, monitor = trial.scenario, trial.rules, trial.rules.monitor
    block = scenario.dose_reduction
    rates, most = derived.crossing(scenario, rules), watched_patients(scenario, rules)
    source = scenario.sources.get("dose_reduction")
    rule = block.stated[0] if block and len(block.stated) == 1 else None
    months = rule.months() if rule is not None and rule.kind == "amendment" else ()
    found: Document = {
        "kind": block.kind if block else "none",
        "parameters": _parameters(trial, rule) if rule else {},
        "at_lowest_dose": block.at_lowest_dose if block else None,
        "assumed": bool(source and source.assumed),
        "levels": [
            {
                "dose": dose,
                "action": ACTION_WORDS[monitor.action[level]],
                "after_patient": monitor.at_enrolled[level] or None,
                "after_month": months[level] if level < len(months) else None,
                "steps": _steps(monitor.steps(level), most),
            }
            for level, dose in enumerate(scenario.doses)
        ],
        "crossing_patients": derived.crossing_patients(scenario, rules),
        "crossing_at_limit": next((row["probability"] for row in rates if row["is_limit"]), None),
        "crossing": rates,
    }
    # only where there are several rules, or one with an action of its own: a file without them is what it was
    for level, row in enumerate(found["levels"]):
        if stops := monitor.stop_steps(level):
            row["stop_steps"] = _steps(stops, most)
    if block is not None and block.rules is not None:
        found["rules"] = _rules(trial)
        found["first_to_act"] = _first_to_act(trial, [row["rate"] for row in rates])
    return found


def may_stop(rule: Document) -> bool:
    """Whether toxicities that reach a boundary of the rule stop the trial at some dose."""
    if rule["kind"] in ("none", "amendment"):
        return False
    own = any(level["action"] == "stop" or level.get("stop_steps") for level in rule["levels"])
    return own or rule["at_lowest_dose"] == "stop"


def _parameters(trial: Compiled, rule: ToxicityRule) -> Document:
    """What a rule states; keys that few rules have are left out where they are not stated."""
    stated: Document = rule.model_dump(mode="json", exclude={"kind"})
    seldom = ("action", "levels", "combined_phi", "min_n", "phi")
    found = {key: value for key, value in stated.items() if value is not None or key not in seldom}
    if rule.kind == "posterior" and (
        cut := rule.found(derived.crossing_patients(trial.scenario, trial.rules))
    ):
        found |= {"cutoff": cut.cutoff, "same_boundary": [cut.low, cut.next], "next_laxer": cut.laxer}
    return found


def _steps(steps: list[tuple[int, int]], most: int) -> list[Document]:
    steps = [(m, b) for m, b in steps if m <= most]
    ends = [*(m - 1 for m, _ in steps[1:]), most]
    return [
        {"patients_from": m, "patients_to": end, "act_if_at_least": None if b >= NEVER else b}
        for (m, b), end in zip(steps, ends, strict=False)
    ]


def _rules(trial: Compiled) -> list[Document]:
    """Each of the rules: what it states, where it holds, and what it does there."""
    block = trial.scenario.dose_reduction
    assert block is not None
    found = []
    for i, rule in enumerate(block.stated):
        does = {
            dose: ACTION_WORDS[bound.action]
            for dose, here in zip(trial.scenario.doses, trial.toxicity_rules, strict=True)
            for bound in here
            if bound.place == block.place(i)
        }
        found.append({"kind": rule.kind, "parameters": _parameters(trial, rule), "action_by_dose": does})
    return found


def _first_to_act(trial: Compiled, rates: list[float]) -> list[Document]:
    """By true toxicity rate at the starting dose: each rule without the others, and which is met first."""
    block, here = trial.scenario.dose_reduction, trial.toxicity_rules[0]
    assert block is not None
    number = {block.place(i): i + 1 for i in range(len(block.stated))}
    within, rows = derived.crossing_patients(trial.scenario, trial.rules), [bound.row for bound in here]
    found = []
    for rate in rates:
        met = first_met(rows, rate, within)
        found.append(
            {
                "rate": rate,
                "rules": [
                    {
                        "rule": number[bound.place],
                        "alone": crossing_probability(bound.row, rate, within),
                        "only_this_first": met.get((k,), 0.0),
                    }
                    for k, bound in enumerate(here)
                ],
                "several_first": sum(p for which, p in met.items() if len(which) > 1),
            }
        )
    return found
