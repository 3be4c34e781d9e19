"""Each field of the compiled Rules, and each key of a scenario, is changed alone: the text must change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.protocol_cases import facts, text_of
from trialsim.codes import CONSIDER, CONTINUE, FUTILE, GO, NEVER, NEW_DOSE_ONLY, POOLED, REDUCE, RESTART, STOP
from trialsim.designs.rules import Rules
from trialsim.errors import DesignError
from trialsim.facts.protocol import Facts
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules, watched_patients
from trialsim.scenario.conduct import Conduct
from trialsim.scenario.model import Scenario

RATES = {"p0": 0.1, "p1": 0.3}
TWO = {"kind": "simon", "n1": 5, "r1": 0, "n": 9, "r": 2, **RATES}
SEARCHED = {"kind": "simon", "alpha": 0.1, "beta": 0.3, "p0": 0.1, "p1": 0.5}
POCOCK = {"kind": "pocock", "limit": 0.3, "phi": 0.2}
POSTERIOR = {"kind": "posterior", "limit": 0.3, "cutoff": 0.8, "prior": [1, 1], "min_n": 3}
LEAD_IN = {"kind": "k_of_first_m", "k": 2, "m": 3, "action": "stop", "levels": ["120 mg"]}
THEN = {"kind": "pocock", "limit": 0.3, "combined_phi": 0.5, "min_n": 4}
PASTED = {"kind": "pasted", "boundary": {3: 2, 6: 3}}
SEQUENTIAL = {"kind": "group_sequential", "limit": 0.3, "phi": 0.2, "looks": [4, 8]}
FROM_PHI = {"kind": "posterior", "limit": 0.3, "phi": 0.3, "prior": [0.6, 1.4], "min_n": 2}
GEHAN = {"kind": "gehan", "p1": 0.4, "miss": 0.1, "standard_error": 0.2}
COHORTS = {
    "rules": "own",
    "strata": [{"name": "A", "share": 0.6}, {"name": "B", "share": 0.4, "cohort": "C"}],
}
TIMES = {
    "accrual": {"per_month": [2, 4.5], "from_month": [0, 3], "screening_failure": 0.2},
    "assessment_weeks": [9, 17, 25],
    "first_seen": [0.7, 0.3],
    "progression_median_weeks": 7.8,
    "disease_control_week": 12,
    "withdrawal_per_month": 0.02,
    "toxicity_window_weeks": 8,
    "early_onset": 0.4,
    "interim": "pause",
    "review_lag_weeks": 2,
    "amendment_lag_weeks": 6,
    "during_amendment": "hold",
    "patient_reductions": {"hold_weeks": 3, "max_reductions": 2, "exposure_weight": 0.5},
}
SITES = {"accrual": {"sites": {"number": 8, "over_months": 6, "per_site_per_month": 0.7}}, "assessment_weeks": [8, 16],
         "toxicity_window_weeks": 8}  # fmt: skip

BASES: dict[str, dict[str, Any]] = {
    "two stages": {"design": TWO, "conduct": TIMES, "dose_reduction": {"rule": POCOCK}},
    "pooled": {"design": TWO, "doses": ["120 mg", "80 mg"], "dose_reduction": {"rule": POCOCK}, "conduct": TIMES},
    "several rules": {"design": TWO, "doses": ["120 mg", "80 mg"],
                      "dose_reduction": {"rules": [LEAD_IN, THEN, PASTED]}},
    "pasted boundary": {"design": TWO, "dose_reduction": {"rule": PASTED}},
    "posterior from phi": {"design": TWO, "dose_reduction": {"rule": FROM_PHI}},
    "restart": {"design": TWO, "doses": ["120 mg", "80 mg"],
                "dose_reduction": {"rule": {"kind": "k_of_first_m", "k": 2, "m": 4}, "on_dose_change": "restart"}},
    "new dose only": {"design": SEARCHED, "doses": ["120 mg", "80 mg"], "conduct": SITES,
                      "dose_reduction": {"rule": POCOCK, "on_dose_change": "new_dose_only"}},
    "amendment": {"design": TWO, "doses": ["120 mg", "80 mg", "40 mg"], "conduct": TIMES,
                  "dose_reduction": {"rule": {"kind": "amendment", "after_patient": [3, 6]}}},
    "month": {"design": TWO, "doses": ["120 mg", "80 mg"], "conduct": TIMES,
              "dose_reduction": {"rule": {"kind": "amendment", "after_month": 4}}},
    "replaced": {"design": TWO, "evaluability": {"probability": 0.9, "replaced": True},
                 "dose_reduction": {"rule": POSTERIOR}},
    "toxic looks": {"design": {"kind": "bryant_day", "n1": 5, "r1": 0, "b1": 3, "n": 9, "r": 2, "b": 4,
                               "toxicity": [0.4, 0.2], **RATES}, "conduct": SITES},
    "own cohorts": {"design": TWO, "cohorts": COHORTS, "conduct": TIMES,
                    "dose_reduction": {"rule": SEQUENTIAL}},
    "own boundaries": {"design": TWO, "cohorts": COHORTS | {"monitor": "own"}, "doses": ["120 mg", "80 mg"],
                       "dose_reduction": {"rule": {"kind": "k_of_first_m", "k": 2, "m": 4}}},
    "pending by visits": {"design": TWO, "conduct": {"accrual": {"per_month": 3.0}, "assessment_weeks": [9, 17, 25],
                          "first_seen": [0.7, 0.3], "withdrawal_per_month": 0.02, "toxicity_window_weeks": 8,
                          "interim": "pause", "pending": "weigh_follow_up", "weighing": {"posterior": "exact"}}},
    "pending uniformly": {"design": TWO, "conduct": {**SITES, "interim": "continue", "pending": "weigh_follow_up",
                          "weighing": {"follow_up": "uniform", "window_weeks": 14.0, "most_pending": 0.6,
                                       "least_weeks": 2.0, "p0": 0.12, "prior": [0.2, 0.8]}}},
    "Gehan": {"design": GEHAN, "evaluability": {"probability": 0.9}},
    "many looks": {"design": {"kind": "curtailed", "n": 12, "r": 3, **RATES}},
    "three outcomes": {"design": {"kind": "dual_criterion", "n": 12, "decision_value": 0.2, **RATES},
                       "toxicity": {"name": "DLT", "counted_by": "the board"}},
    "table": {"design": {"kind": "rules", "looks": [{"n": 4, "next": {0: "futile", 1: 6, 3: 8}},
                                                   {"n": 6, "next": {0: "futile", 2: "consider", 4: "go"}},
                                                   {"n": 8, "next": {0: "futile", 4: "go"}}]}},
}  # fmt: skip


def scenario(base: dict[str, Any]) -> Scenario:
    amounts = {"dose_amounts": [120, 80, 40][: len(base.get("doses", [1]))]}
    truth = {"one": {"response": 0.1, "toxicity": 0.3}}
    about = {"schema": 1, "name": "made for a test", "endpoint": "response"}
    return Scenario.model_validate({**about, "truth": truth, **amounts, **base})


def told(found: Facts, original: Facts) -> str:
    """The text, with the numbers worked out from the rules left as they were: no mutant is killed by those."""
    at_limit, cohorts = original.toxicity.at_limit, found.cohorts
    if found.toxicity.at_limit is None:
        at_limit = None
    if cohorts is not None and original.cohorts is not None:
        cohorts = replace(cohorts, false_go=original.cohorts.false_go)
    each = zip(found.toxicity.rules, original.toxicity.rules, strict=False)
    rules = tuple(replace(rule, alone=was.alone, first=was.first) for rule, was in each)
    kept = replace(found.toxicity, at_limit=at_limit, rules=rules)
    return text_of(replace(found, attained=original.attained, toxicity=kept, cohorts=cohorts))


# -- the compiled rules


def mutants(rules: Rules) -> Iterator[tuple[str, Rules | None]]:
    """Every field of the rules changed alone, at every place; None where Rules refuses the change."""
    looks, monitor = rules.looks, rules.monitor
    for k, n in enumerate(looks.n):
        for new in (n - 1, n + 1):
            row = looks.next[k][: new + 1] if new < n else (*looks.next[k], looks.next[k][-1])
            yield (
                f"looks.n[{k}]",
                _made(rules, looks={"n": _at(looks.n, k, new), "next": _at(looks.next, k, row)}),
            )
        for x, decision in enumerate(looks.next[k]):
            for new in {FUTILE, GO, CONSIDER, *range(k + 1, len(looks.n))} - {decision}:
                row = _at(looks.next[k], x, new)
                yield f"looks.next[{k}][{x}]", _made(rules, looks={"next": _at(looks.next, k, row)})
        cuts = looks.toxic_ge or (NEVER,) * len(looks.n)
        for new in {NEVER, cuts[k] - 1, cuts[k] + 1, 1} - {cuts[k]}:
            yield f"looks.toxic_ge[{k}]", _made(rules, looks={"toxic_ge": _at(cuts, k, new)})
    for level in range(rules.levels):
        row = monitor.act_ge[level]
        for m, b in enumerate(row):
            for new in {NEVER, b - 1, b + 1, m} - {b}:
                changed = _at(monitor.act_ge, level, _at(row, m, new))
                yield f"monitor.act_ge[{level}][{m}]", _made(rules, monitor={"act_ge": changed})
        for m, b in enumerate(monitor.stop_ge[level] if monitor.stop_ge else ()):
            for new in {NEVER, b - 1, b + 1, m} - {b}:
                changed = _at(monitor.stop_ge, level, _at(monitor.stop_ge[level], m, new))
                yield f"monitor.stop_ge[{level}][{m}]", _made(rules, monitor={"stop_ge": changed})
        for new in {0, monitor.at_enrolled[level] + 1, 2} - {monitor.at_enrolled[level]}:
            changed = _at(monitor.at_enrolled, level, new)
            yield f"monitor.at_enrolled[{level}]", _made(rules, monitor={"at_enrolled": changed})
        for new in {CONTINUE, REDUCE, STOP} - {monitor.action[level]}:
            yield (
                f"monitor.action[{level}]",
                _made(rules, monitor={"action": _at(monitor.action, level, new)}),
            )
    yield "replaced", _made(rules, replaced=not rules.replaced)
    rows = tuple((*row, row[-1]) for row in monitor.act_ge)
    stops = tuple((*row, row[-1]) for row in monitor.stop_ge)
    yield (
        "max_treated",
        _made(rules, max_treated=rules.max_treated + 1, monitor={"act_ge": rows, "stop_ge": stops}),
    )
    for new in {POOLED, NEW_DOSE_ONLY, RESTART} - {rules.on_dose_change}:
        least = rules.attained_ge or tuple(range(1, looks.planned_n + 2))
        yield "on_dose_change", _made(rules, on_dose_change=new, attained_ge=least)
    for m, b in enumerate(rules.attained_ge):
        for new in {NEVER, b + 1, b - 1, m} - {b}:
            yield f"attained_ge[{m}]", _made(rules, attained_ge=_at(rules.attained_ge, m, new))


def _at(row: tuple[Any, ...], k: int, new: Any) -> tuple[Any, ...]:
    return (*row[:k], new, *row[k + 1 :])


def _made(rules: Rules, **changes: Any) -> Rules | None:
    try:
        for part in ("looks", "monitor"):
            if part in changes:
                changes[part] = replace(getattr(rules, part), **changes[part])
        return replace(rules, **changes)
    except ValueError:
        return None


def reason(name: str, rules: Rules, mutant: Rules, changes: bool, most: int) -> str:
    """Why a mutant is the same protocol; "" where it is another. A boundary watches ``most`` patients."""
    if name.startswith(("monitor.act_ge", "monitor.stop_ge")) and int(name.rpartition("[")[2][:-1]) > most:
        return "a cut-off for more patients than a cohort has"
    if "stop_ge" in name and rules.monitor.action[int(name.split("[")[1][0])] != REDUCE:
        return "what stops the trial at a dose where every action does"
    if "act_ge" in name or "attained_ge" in name or "stop_ge" in name:
        before, after = (_reachable(r, name) for r in (rules, mutant))
        if before == after:
            return "a cut-off above the number of patients says the same as none; none is asked for at 0 patients"
    if name.startswith("attained_ge") and not (rules.on_dose_change == NEW_DOSE_ONLY and changes):
        return "cut-offs for the patients at a new dose, where nobody is analysed by them"
    if "action" in name and not any(map(_count, _rows(rules, name))):
        return "what a boundary does that is never reached"
    if name == "on_dose_change" and not changes:
        return "who is analysed after a change of dose, where the dose never changes"
    return ""


def _rows(rules: Rules, name: str) -> list[tuple[int, ...]]:
    return [rules.monitor.act_ge[int(name.partition("[")[2].partition("]")[0])]]


def _count(row: tuple[int, ...]) -> int:
    return sum(m > 0 and b <= m for m, b in enumerate(row))


def _reachable(rules: Rules, name: str) -> list[tuple[int, int]]:
    rows = [rules.attained_ge] if name.startswith("attained_ge") else list(rules.monitor.act_ge)
    rows = list(rules.monitor.stop_ge) if "stop_ge" in name else rows
    return [(k, b if b <= m else NEVER) for k, row in enumerate(rows) for m, b in enumerate(row) if m]


def test_every_field_of_the_rules_changes_the_text(capsys):
    tried, refused, silent = Counter[str](), 0, Counter[str]()
    alive = []
    for name, base in BASES.items():
        stated = scenario(base)
        rules = compile_rules(stated)
        original = facts(Compiled(stated, rules))
        before = text_of(original)
        for field, mutant in mutants(rules):
            if mutant is None:
                refused += 1
                continue
            try:
                found = facts(Compiled(stated, mutant))
            except DesignError:  # looks of this kind cannot weigh pending patients
                refused += 1
                continue
            tried[field.partition("[")[0]] += 1
            if told(found, original) != before:
                continue
            if why := reason(
                field, rules, mutant, original.toxicity.changes_dose, watched_patients(stated, rules)
            ):
                silent[why] += 1
            else:
                alive.append(f"{name}: {field}")
    with capsys.disabled():
        total, same = sum(tried.values()), sum(silent.values())
        print(
            f"\n{total} mutants of Rules: {total - same - len(alive)} killed, {same} the same rules, {refused} refused"
        )
        print(dict(tried), dict(silent), sep="\n")
    assert not alive, "\n".join(alive)
    assert set(tried) == {
        *("looks.n", "looks.next", "looks.toxic_ge", "monitor.act_ge", "monitor.at_enrolled", "monitor.action"),
        "monitor.stop_ge",
        *("replaced", "max_treated", "on_dose_change", "attained_ge"),
    }  # fmt: skip
    assert sum(tried.values()) > 1000


# -- the keys of the scenario

OTHERS: dict[str, list[Any]] = {
    "interim": ["continue", "pause", "early_decision"],
    "pending": ["wait", "weigh_follow_up"],
    "posterior": ["beta", "exact"],
    "follow_up": ["visits", "uniform"],
    "toxicity_known": ["complete_only", "as_it_happens"],
    "overrun": ["count", "exclude"],
    "during_amendment": ["old_dose", "hold"],
    "inevaluable": ["independent", "nonresponders"],
    "at_lowest_dose": ["stop", "continue"],
    "on_dose_change": ["pooled", "restart"],
    "rules": ["own", "pooled"],
    "monitor": ["shared", "own"],
    "shape": ["pocock", "obrien_fleming"],
    "action": ["reduce", "stop"],
    "levels": ["120 mg", "80 mg"],
}

SURVIVORS = {
    "the dose never changes": [
        ("two stages", "conduct.amendment_lag_weeks"),
        ("two stages", "conduct.during_amendment"),
        ("own cohorts", "conduct.amendment_lag_weeks"),
        ("own cohorts", "conduct.during_amendment"),
        ("toxic looks", "conduct.amendment_lag_weeks"),
        ("toxic looks", "conduct.during_amendment"),
        ("pending by visits", "conduct.amendment_lag_weeks"),
        ("pending by visits", "conduct.during_amendment"),
        ("pending uniformly", "conduct.amendment_lag_weeks"),
        ("pending uniformly", "conduct.during_amendment"),
    ],
    "as few whole patients of a small look": [
        ("pending by visits", "conduct.weighing.most_pending"),
        ("pending uniformly", "conduct.weighing.most_pending"),
    ],
    "no time passes between a change of dose and its first patient": [
        ("new dose only", "conduct.during_amendment"),
    ],
    "no boundary is watched": [
        ("amendment", "conduct.toxicity_known"),
        ("month", "conduct.toxicity_known"),
        ("toxic looks", "conduct.toxicity_known"),
        ("pending by visits", "conduct.toxicity_known"),
        ("pending uniformly", "conduct.toxicity_known"),
        ("amendment", "dose_reduction.at_lowest_dose"),
        ("month", "dose_reduction.at_lowest_dose"),
    ],
    "accrual pauses at looks, and nothing else ends the trial": [
        ("amendment", "conduct.overrun"),
        ("month", "conduct.overrun"),
        ("toxic looks", "conduct.overrun"),
        ("pending by visits", "conduct.overrun"),
    ],
    "every patient is evaluable": [
        (name, "evaluability.inevaluable") for name in BASES if "evaluability" not in BASES[name]
    ],
    "at the only dose the trial stops anyway": [
        (name, "dose_reduction.rule.action")
        for name in ("two stages", "replaced", "own cohorts", "pasted boundary", "posterior from phi")
    ],
    "the shape that is stated is that of the default": [("own cohorts", "dose_reduction.rule.shape")],
}
"""Mutants whose text is the same, by the reason why that is right."""

PARTS = ("conduct", "dose_reduction", "evaluability", "cohorts", "toxicity")


def keys(block: Any, way: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every key below a block, its defaults filled in."""
    if isinstance(block, dict):
        for key, value in block.items():
            yield from keys(value, (*way, key))
    elif isinstance(block, (list, tuple)):
        for k, value in enumerate(block):
            yield from keys(value, (*way, k))
    else:
        yield way, block


def others(key: str, value: Any) -> list[Any]:
    """Other values of a key."""
    if key == "action":
        return [word for word in OTHERS[key] if word != (value or "reduce")]
    if key in OTHERS:
        return [word for word in OTHERS[key] if word != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value + 2]
    if isinstance(value, float):
        return [value * 1.25, value + 0.5, value * 0.8]
    return [] if value is None or key == "kind" else [f"{value}x"]


def changed(content: dict[str, Any], way: tuple[Any, ...], new: Any) -> dict[str, Any]:
    """The content with one value changed (of shares the last makes up for it)."""
    made: Any = [*content] if isinstance(content, (list, tuple)) else {**content}
    made[way[0]] = new if len(way) == 1 else changed(content[way[0]], way[1:], new)
    if way[0] == "first_seen" or (way[0] == "strata" and way[-1] == "share"):
        shares = made[way[0]]
        others = [share["share"] if isinstance(share, dict) else share for share in shares]
        other = 0 if way[1] == 1 else 1
        rest = round(1 - sum(s for k, s in enumerate(others) if k != other), 9)
        shares[other] = {**shares[other], "share": rest} if isinstance(shares[other], dict) else rest
    return made


def test_every_key_of_the_scenario_changes_the_text(capsys):
    tried, alive = Counter[str](), set()
    for name, base in BASES.items():
        content = scenario(base).model_dump(by_alias=True)
        original = facts(
            Compiled.of(Scenario.model_validate(content))
        )  # no default that the text would speak of
        before = text_of(original)
        for part in PARTS:
            for way, value in keys(content[part], (part,)):
                path = ".".join(str(step) for step in way if isinstance(step, str))
                for new in others(str(way[-1]) if isinstance(way[-1], str) else str(way[-2]), value):
                    if new == value:
                        continue
                    try:
                        mutant = Scenario.model_validate(changed(content, way, new))
                        trial = Compiled.of(mutant)
                    except (ValidationError, DesignError):
                        continue
                    tried[path] += 1
                    if told(facts(trial), original) == before:
                        alive.add((name, path))
    with capsys.disabled():
        print(
            f"\n{sum(tried.values())} mutants of {len(tried)} keys, {len(alive)} without a word, with reasons"
        )
    survivors = {survivor for reason in SURVIVORS.values() for survivor in reason}
    assert alive == survivors, "\n".join(map(str, sorted(alive ^ survivors)))
    conduct = {path.partition(".")[2].partition(".")[0] for path in tried if path.startswith("conduct")}
    assert conduct == set(Conduct.model_fields)


@pytest.mark.parametrize("name", BASES)
def test_the_bases_differ(name):
    assert text_of(facts(Compiled.of(scenario(BASES[name]))))
