"""Scenarios of every kind for the protocol section, its text, and what is rebuilt from its facts alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from trialsim.codes import CONSIDER, FUTILE, GO, NEVER
from trialsim.designs.rules import ACTION_WORDS, Looks, Monitor, Rules
from trialsim.errors import DesignError
from trialsim.facts.conduct import Conduct as ConductFacts
from trialsim.facts.protocol import Facts, Protocol, facts
from trialsim.facts.toxicity import AFTER, Step
from trialsim.reporting.protocol import report_of
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.conduct import Accrual, Conduct, PatientReductions, Sites
from trialsim.scenario.model import Scenario
from trialsim.writing.report import Points, Report, Section, Table, Words

RATES = {"p0": 0.1, "p1": 0.3}
ERRORS = RATES | {"alpha": 0.1, "beta": 0.2}

DESIGNS: dict[str, list[dict[str, Any]]] = {
    "simon": [
        ERRORS,
        ERRORS | {"criterion": "minimax"},
        ERRORS | {"criterion": "admissible", "weight": 0.3},
        ERRORS | {"balanced": True},
        ERRORS | {"n1": 12},
        ERRORS | {"n": 30},
        ERRORS | {"stage1_share": [0.4, 0.6], "min_pet": 0.5, "criterion": "minimax"},
        ERRORS | {"en_weight_p1": 0.25, "nmax": 60},
        ERRORS | {"en_prior": [1, 4]},
        {"n1": 7, "r1": 0, "n": 20, "r": 3},
        RATES | {"n1": 7, "r1": 0, "n": 20, "r": 3},
    ],
    "single_stage": [ERRORS, ERRORS | {"criterion": "stable"}, RATES | {"n": 17, "r": 3}, {"n": 9, "r": 0}],
    "mander_thompson": [
        ERRORS | {"nmax": 40, "criterion": criterion}
        for criterion in ("h0_optimal", "h1_optimal", "minimax", "least_largest_en")
    ]
    + [RATES | {"n1": 8, "r1": 0, "a1": 3, "n": 20, "r": 4}],
    "multistage": [
        RATES | {"n": [6, 12, 20], "stop_le": [0, 1, 4]},
        {"n": [6, 12, 20, 25], "stop_le": [None, 1, 3, 4], "go_gt": [None, 5, None]},
        ERRORS | {"nmax": 30},
        ERRORS | {"nmax": 30, "shape": "ensign", "criterion": "minimax"},
        ERRORS | {"nmax": 30, "shape": "equal", "criterion": "h1_optimal"},
    ],
    "optimal_looks": [
        ERRORS | {"looks": 4, "nmax": 20, "early_go": True},
        ERRORS,
        ERRORS | {"looks": "every", "nmax": 21, "nodes": 100},
    ],
    "fleming": [
        {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "n": [15, 30]},
        {"p0": 0.1, "alpha": 0.05, "n": [10, 20, 30]},
    ],
    "gehan": [
        {"p0": 0.05, "p1": 0.2, "miss": 0.05, "standard_error": 0.1},
        {"p1": 0.3, "miss": 0.1, "standard_error": 0.15},
    ],
    "swog": [
        RATES | {"n1": 12, "n": 25},
        RATES | {"n1": 12, "n": 25, "first_level": 0.05, "final_level": 0.08},
        ERRORS,
    ],
    "sargent": [
        RATES | {"n1": 8, "r1": 0, "n": 20, "r": 3, "s": 5},
        ERRORS | {"eta": 0.8, "pi": 0.7},
        ERRORS | {"eta": 0.8, "pi": 0.7, "criterion": "minimax"},
    ],
    "curtailed": [
        RATES | {"n": 20, "r": 3},
        RATES | {"n1": 10, "r1": 1, "n": 20, "r": 4},
        RATES | {"n": 20, "r": 3, "futility_below": 0.1, "every": 5},
        RATES | {"n1": 8, "r1": 0, "n": 20, "r": 3, "go_above": 0.95, "every": 2},
        ERRORS | {"nmax": 35},
        ERRORS | {"nmax": 35, "criterion": "h1_optimal"},
    ],
    "predictive_probability": [
        RATES | {"prior": [0.2, 0.8], "n": 20, "theta_l": 0.05, "theta_t": 0.9, "min_n": 5},
        RATES | {"prior": [1, 1], "n": 20, "theta_l": 0, "theta_u": 0.95, "theta_t": 0.85, "every": 4},
        ERRORS | {"prior": [0.2, 0.8], "min_n": 10, "every": 5, "nmax": 35},
    ],
    "posterior_probability": [
        RATES | {"prior": [0.6, 1.4], "p_l": 0.05, "p_u": 0.95, "n": 20, "delta": 0.1, "min_n": 6},
        {"prior": [1, 1], "standard_prior": [15, 85], "p_l": 0, "p_u": 0.9, "n": 15, "every": 3},
        {"prior": [1, 1], "standard": 0.2, "p_l": 0.1, "p_u": 1, "n": 12},
        ERRORS | {"prior": [0.5, 0.5], "p_l": 0.05, "min_n": 10, "every": 5, "nmax": 60},
    ],
    "bop2": [
        RATES | {"looks": [8, 16, 24], "lambda": 0.8, "gamma": 0.5},
        RATES | {"looks": [8, 16, 24], "lambda": 0.8, "gamma": 0.5, "eta": 0.5, "prior": [1, 1]},
        RATES | {"looks": [10, 20], "alpha": 0.1},
        RATES | {"looks": [10, 20], "alpha": 0.1, "beta": 0.4, "efficacy_stop": True},
    ],
    "bop2_toxicity": [
        RATES | {"looks": [8, 16], "toxicity": [0.4, 0.2], "lambda": 0.7, "gamma": 0.5},
        RATES | {"looks": [8, 16], "toxicity": [0.4, 0.2], "lambda": 0.7, "gamma": 0.5, "odds_ratio": 2,
                 "prior": [1, 1], "prior_toxicity": [1, 2]},
        {"p0": 0.1, "looks": [8, 16], "toxicity": [0.4, 0.2], "lambda": 0.7, "gamma": 0.5},
        RATES | {"looks": [8, 16], "toxicity": [0.4, 0.2], "alpha": 0.2},
    ],
    "bryant_day": [
        RATES | {"n1": 8, "r1": 0, "b1": 4, "n": 20, "r": 3, "b": 8, "toxicity": [0.4, 0.2]},
        RATES | {"n1": 8, "r1": 0, "b1": 9, "n": 20, "r": 3, "b": 8, "toxicity": [0.4, 0.2], "odds_ratio": 3},
        RATES | {"n1": 8, "r1": 0, "b1": 4, "n": 20, "r": 3, "b": 8},
        {"p0": 0.2, "p1": 0.5, "alpha": 0.15, "beta": 0.2, "toxicity": [0.5, 0.2], "alpha_toxicity": 0.2, "nmax": 30},
        {"p0": 0.2, "p1": 0.5, "alpha": 0.15, "beta": 0.2, "toxicity": [0.5, 0.2], "criterion": "minimax"},
    ],
    "dual_criterion": [
        RATES | {"decision_value": 0.2, "n": 20},
        RATES | {"decision_value": 0.2, "n": 20, "n1": 8, "r1": 0, "significance": 0.1, "prior": [1, 1]},
        ERRORS | {"decision_value": 0.2, "significance": 0.1},
    ],
    "rules": [
        {"looks": [{"n": 10, "next": {0: "futile", 1: 20, 4: 15}}, {"n": 15, "next": {0: "futile", 5: "go"}},
                   {"n": 20, "next": {0: "futile", 3: "consider", 5: "go"}}]},
        RATES | {"looks": [{"n": 8, "next": {0: "futile", 1: 20, 6: "go"}, "toxic_ge": 5},
                           {"n": 20, "next": {0: "futile", 4: "go"}, "toxic_ge": 9}]},
        {"looks": [{"n": 12, "next": {0: "go", 2: "futile", 5: "consider"}}]},
    ],
}  # fmt: skip
"""Blocks of every kind of design, small enough to search."""

TOXICITY: dict[str, list[dict[str, Any]]] = {
    "pocock": [{"limit": 0.3, "phi": 0.1}, {"limit": 0.25, "phi": 0.2}, {"limit": 0.3, "phi": 0.2, "min_n": 4}],
    "posterior": [
        {"limit": 0.3, "cutoff": 0.9, "prior": [0.6, 1.4]},
        {"limit": 0.2, "cutoff": 0.8, "prior": [1, 1], "min_n": 4},
        {"limit": 0.3, "phi": 0.15, "prior": [0.6, 1.4], "min_n": 3},
    ],
    "group_sequential": [
        {"limit": 0.25, "phi": 0.1, "looks": [4, 7]},
        {"limit": 0.3, "phi": 0.1, "looks": [3, 6, 9], "shape": "obrien_fleming"},
        {"limit": 0.3, "phi": 0.1, "looks": [5, 9], "delta": 0.2},
    ],
    "k_of_first_m": [{"k": 3, "m": 6}, {"k": 2, "m": 5}, {"k": 2, "m": 6, "min_n": 4},
                     {"k": 2, "m": 4, "action": "stop"}],
    "pasted": [{"boundary": {3: 2, 6: 3}}, {"boundary": {4: 3}, "action": "stop", "levels": ["120 mg"]}],
    "several": [
        {"rules": [{"kind": "k_of_first_m", "k": 2, "m": 3, "action": "stop"},
                   {"kind": "pocock", "limit": 0.3, "phi": 0.2, "min_n": 4}]},
        {"rules": [{"kind": "pasted", "boundary": {3: 3, 6: 4}, "levels": ["120 mg"]},
                   {"kind": "pocock", "limit": 0.3, "combined_phi": 0.3, "min_n": 4},
                   {"kind": "k_of_first_m", "k": 4, "m": 6, "action": "stop"}]},
        {"rules": [{"kind": "k_of_first_m", "k": 2, "m": 2},
                   {"kind": "k_of_first_m", "k": 3, "m": 6, "action": "stop"}]},
    ],
    "amendment": [{"after_patient": 5}, {"after_patient": [3, 7]}, {"after_month": 4}, {"after_month": [2.5, 6]}],
    "none": [{}],
}  # fmt: skip

INTERIM = ("continue", "pause", "early_decision")


def random_conduct(rng: random.Random) -> dict[str, Any]:
    """A conduct block; keys are left out as often as they are stated."""
    weeks = rng.choice(([8], [8, 16], [9, 17, 25]))
    accrual: dict[str, Any] = rng.choice(
        (
            {"per_month": 4.5},
            {"per_month": [2, 5.5], "from_month": [0, 3]},
            {"sites": {"number": 8, "over_months": 6, "per_site_per_month": 0.7}},
        )
    )
    if rng.random() < 0.5:
        accrual["screening_failure"] = 0.2
    confirmed = len(weeks) > 1 and rng.random() < 0.7
    conduct: dict[str, Any] = {"accrual": accrual, "assessment_weeks": weeks, "confirmed": confirmed}
    maybe: dict[str, Any] = {
        "progression_median_weeks": rng.choice((7.8, 12)),
        "disease_control_week": rng.choice((12, 24)),
        "withdrawal_per_month": rng.choice((0, 0.02)),
        "early_onset": rng.choice((0.3, 0.7)),
        "toxicity_known": rng.choice(("complete_only", "as_it_happens")),
        "interim": rng.choice(INTERIM),
        "review_lag_weeks": rng.choice((0, 1, 2.5)),
        "overrun": rng.choice(("count", "exclude")),
        "amendment_lag_weeks": rng.choice((0, 1, 6)),
        "during_amendment": rng.choice(("old_dose", "hold", "switch")),
        "patient_reductions": {
            "hold_weeks": rng.choice((0, 1, 2)),
            "max_reductions": rng.choice((0, 1, 2)),
            "exposure_weight": rng.choice((0, 0.5)),
        },
    }
    conduct |= {key: value for key, value in maybe.items() if rng.random() < 0.7}
    if conduct.get("during_amendment") == "switch":
        conduct.pop("amendment_lag_weeks", None)
    if len(weeks) - confirmed > 1 and rng.random() < 0.6:
        conduct["first_seen"] = [0.7, 0.3]
    return conduct


def scenario(design: dict[str, Any], rule: dict[str, Any] | None, rng: random.Random) -> dict[str, Any]:
    """A scenario around a design and a toxicity rule."""
    doses = rng.randint(1, 3)
    if rule and rule["kind"] == "amendment":
        after = rule.get("after_patient", rule.get("after_month"))
        doses = max(doses, 1 + (len(after) if isinstance(after, list) else 1))
    content: dict[str, Any] = {
        "schema": 1,
        "name": "made for a test",
        "endpoint": "objective response",
        "design": design,
        "doses": ["120 mg", "80 mg", "40 mg"][:doses],
        "dose_amounts": [120, 80, 40][:doses],
        "truth": {"one": {"response": 0.1, "toxicity": 0.3}},
    }
    if rule:
        block = {"rules": rule["rules"]} if "rules" in rule else {"rule": rule}
        content["dose_reduction"] = block | {"at_lowest_dose": rng.choice(("stop", "continue"))}
        if doses > 1 and rule["kind"] != "none":
            content["dose_reduction"]["on_dose_change"] = rng.choice(AFTER)
    if rng.random() < 0.6:
        content["evaluability"] = {
            "probability": rng.choice((1, 0.9)),
            "replaced": rng.random() < 0.3,
            "inevaluable": rng.choice(("independent", "nonresponders")),
        }
    if rng.random() < 0.3:
        strata = [{"name": "A", "share": 0.4}, {"name": "B", "share": 0.35}, {"name": "C", "share": 0.25}]
        if rng.random() < 0.5:
            strata[1]["cohort"] = strata[2]["cohort"] = "B or C"
        content["cohorts"] = {"rules": rng.choice(("own", "pooled")), "strata": strata}
        if content["cohorts"]["rules"] == "own" and random.Random(str(content)).random() < 0.5:
            content["cohorts"]["monitor"] = "own"
    if rng.random() < 0.75 or (rule and "after_month" in rule):
        content["conduct"] = random_conduct(rng) | {"toxicity_window_weeks": rng.choice((8, 12))}
    if rng.random() < 0.3:
        content["toxicity"] = {"name": "dose-limiting toxicity", "counted_by": "the safety board"}
    if rng.random() < 0.3:
        content["sources"] = {
            "design": {"assumed": True, "note": "an example"},
            "dose_reduction": {"assumed": True},
        }
    return content


def combinations(count: int, seed: int = 20261128) -> Iterator[tuple[Scenario, Rules]]:
    """Possible scenarios: every design and rule in turn, everything else at random."""
    rng = random.Random(seed)
    kinds, rules = list(DESIGNS), [*TOXICITY, None]
    made = tried = 0
    turns: Counter[str] = Counter()
    while made < count:
        kind, rule = kinds[tried % len(kinds)], rules[(tried // len(kinds)) % len(rules)]
        tried += 1
        turns[kind] += 1
        design = {"kind": kind, **DESIGNS[kind][turns[kind] % len(DESIGNS[kind])]}
        block = {"kind": rule, **rng.choice(TOXICITY[rule])} if rule else None
        try:
            stated = Scenario.model_validate(scenario(design, block, rng))
            rules_of = compile_rules(stated)
        except (ValidationError, DesignError):
            continue
        made += 1
        yield stated, rules_of


def text_of(found: Facts, *, title: bool = False) -> str:
    """Every word of the protocol section."""
    report: Report = report_of(Protocol(found))
    words = [report.title] if title else []
    return "\n".join([*words, *(line for part in report.sections for line in _lines(part))])


def _lines(part: Section) -> Iterator[str]:
    for block in part.blocks:
        if isinstance(block, Words):
            yield f"{block.lead} {block.text}"
        elif isinstance(block, Points):
            yield from block.items
        else:
            assert isinstance(block, Table)
            yield " | ".join((block.caption, *block.columns, *block.notes))
            for group in block.groups:
                yield group.title
                yield from (" | ".join(cell.text for cell in row) for row in group.rows)
    for inner in part.parts:
        yield from _lines(inner)


# -- what is rebuilt from the facts alone


def rules_from(found: Facts) -> Rules:
    """The compiled Rules, from the facts of a protocol and nothing else."""
    looks, most = found.design.looks, found.counted.max_treated
    index = {look.n: k for k, look in enumerate(looks)}
    codes = {"futile": FUTILE, "go": GO, "consider": CONSIDER}
    rows = []
    for look in looks:
        row: list[int] = []
        for branch in look.branches:
            code = codes[branch.decision] if branch.to_n is None else index[branch.to_n]
            row += [code] * (branch.high - branch.low + 1)
        rows.append(tuple(row))
    actions = {word: code for code, word in ACTION_WORDS.items()}
    levels = found.toxicity.levels
    change = found.after_change
    return Rules(
        Looks(
            tuple(index),
            tuple(rows),
            tuple(NEVER if look.toxic_ge is None else look.toxic_ge for look in looks),
        ),
        Monitor(
            tuple(_cut_offs(level.steps, most) for level in levels),
            tuple(level.after_patient or 0 for level in levels),
            tuple(actions[level.action or "continue"] for level in levels),
            tuple(_cut_offs(level.stop_steps, most) for level in levels)
            if any(level.stop_steps for level in levels)
            else (),
        ),
        found.counted.replaced,
        most,
        AFTER.index(change.analysis) if change else 0,
        _cut_offs(change.cut_offs, looks[-1].n) if change and change.analysis == "new_dose_only" else (),
    )


def _cut_offs(steps: tuple[Step, ...], most: int) -> tuple[int, ...]:
    row = [NEVER] * (most + 1)
    for step in steps:
        for m in range(step.first, step.last + 1):
            row[m] = NEVER if step.at_least is None else step.at_least
    return tuple(row)


def conduct_from(found: ConductFacts | None) -> Conduct | None:
    """The block `conduct`, from the facts of a protocol and nothing else."""
    if found is None:
        return None
    sites = found.sites and Sites(
        number=found.sites.number,
        over_months=found.sites.over_months,
        per_site_per_month=found.sites.per_site_per_month,
    )
    rates = tuple(piece.per_month for piece in found.pieces)
    months = tuple(piece.from_month for piece in found.pieces)
    maybe = {
        "early_onset": found.early_onset,
        "toxicity_known": found.toxicity_known,
        "interim": found.interim,
        "overrun": found.overrun,
        "amendment_lag_weeks": found.amendment_lag_weeks,
        "during_amendment": found.during_amendment,
    }
    reductions = found.reductions
    return Conduct(
        accrual=Accrual(
            per_month=rates or None,
            from_month=months or None,
            sites=sites,
            screening_failure=found.screening_failure,
        ),
        assessment_weeks=found.assessment_weeks,
        confirmed=found.confirmed,
        first_seen=found.first_seen,
        progression_median_weeks=found.progression_median_weeks,
        disease_control_week=found.disease_control_week,
        withdrawal_per_month=found.withdrawal_per_month,
        toxicity_window_weeks=found.toxicity_weeks,
        review_lag_weeks=found.review_lag_weeks,
        patient_reductions=reductions
        and PatientReductions(
            max_reductions=reductions.max_reductions,
            exposure_weight=reductions.exposure_weight,
            **({} if reductions.hold_weeks is None else {"hold_weeks": reductions.hold_weeks}),
        ),
        **{key: value for key, value in maybe.items() if value is not None},
    )


__all__ = [
    "DESIGNS",
    "INTERIM",
    "TOXICITY",
    "combinations",
    "conduct_from",
    "facts",
    "rules_from",
    "scenario",
    "text_of",
]
