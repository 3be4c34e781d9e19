"""Exact numbers that only the report asks for: the design alone, what the toxicity rule costs, how often it acts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from trialsim.codes import CONSIDER, CONTINUE, FUTILE, GO, NEVER
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.designs.toxicity import crossing_probability
from trialsim.engine.exact import MAX_STATES, distribution, states
from trialsim.engine.operating import rates_of
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Rates

AROUND_LIMIT = (-0.10, -0.05, 0.0, 0.05, 0.10, 0.15)
"""Where, relative to its limit, the crossing probability of a toxicity rule is printed."""

WITHOUT_LIMIT = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Where it is printed for a rule that names no limit."""


@dataclass(frozen=True)
class CutOffs:
    """A design in the field's short form; ``n1`` and ``r1`` are None for a single stage."""

    n: int
    r: int
    n1: int | None = None
    r1: int | None = None

    def __str__(self) -> str:
        """``r1/n1, r/n``."""
        end = f"{self.r}/{self.n}"
        return end if self.n1 is None else f"{self.r1}/{self.n1}, {end}"


def cut_offs(looks: Looks) -> CutOffs | None:
    """The short form of a one- or two-stage table that stops early only for futility; None for any other table."""
    first, last = looks.next[0], looks.next[-1]
    r = last.count(FUTILE) - 1
    if len(looks.n) > 2 or r < 0 or last != (FUTILE,) * (r + 1) + (GO,) * (looks.n[-1] - r):
        return None
    if len(looks.n) == 1:
        return CutOffs(looks.n[0], r)
    r1 = first.count(FUTILE) - 1
    if r1 < 0 or first != (FUTILE,) * (r1 + 1) + (1,) * (looks.n[0] - r1):
        return None
    return CutOffs(looks.n[1], r, looks.n[0], r1)


def p_go_alone(looks: Looks, p: float) -> float:
    """P(go) of the table of looks alone: every patient evaluable, the same response rate, no toxicity rule."""
    never = (NEVER,) * (looks.planned_n + 1)
    rules = Rules(looks, Monitor((never,), (0,), (CONTINUE,)), False, looks.planned_n)
    return distribution(rules, Rates((p,), (0.0,))).values["p_go"]


def more_responses_never_hurt(looks: Looks) -> bool:
    """Whether turning any non-response into a response can only help a go, shown look by look.

    True where no decision skips a look and the decisions of every look go up with the responses, from futile over
    the next look to go. False means only that this argument does not apply.
    """
    order = {FUTILE: 0, CONSIDER: 1, GO: 3}
    for k, row in enumerate(looks.next):
        if any(decision > k + 1 for decision in row):
            return False
        ranks = [order.get(decision, 2) for decision in row]
        if ranks != sorted(ranks):
            return False
    return True


def no_bound_because(scenario: Scenario, rules: Rules) -> str:
    """Why P(go) is not known to stay below the attained type I error; "" where it does (MODEL, section 6)."""
    if scenario.design.p0 is None:
        return "the scenario states no p0"
    if not more_responses_never_hurt(rules.looks):
        return "in this table of decisions more responses do not plainly make a go more likely"
    evaluability = scenario.evaluability
    if evaluability.replaced and evaluability.inevaluable == "nonresponders" and evaluability.probability < 1:
        return (
            "inevaluable patients, none of whom would have responded, are replaced: the patients who are counted "
            "are then a selection in favour of responders"
        )
    return ""


def costs(scenario: Scenario, rules: Rules) -> dict[str, dict[str, float | None]]:
    """By case: P(go), EN and toxicities with the toxicity rule as stated, and without parts of it.

    ``continued`` goes on at the lowest dose when the rule acts there; ``without`` leaves every patient at the
    starting dose. None where there is no exact answer.
    """
    never = (NEVER,) * (rules.max_treated + 1)
    monitor = rules.monitor
    continued = replace(
        rules,
        monitor=Monitor((*monitor.act_ge[:-1], never), monitor.at_enrolled, (*monitor.action[:-1], CONTINUE)),
    )
    without = replace(rules, monitor=Monitor((never,), (0,), (CONTINUE,)))
    found = {}
    for name, rates in rates_of(scenario).items():
        start = replace(rates, response=rates.response[:1], toxicity=rates.toxicity[:1])
        row: dict[str, float | None] = {}
        for label, twin, truth in (
            ("stated", rules, rates),
            ("continued", continued, rates),
            ("without", without, start),
        ):
            values = distribution(twin, truth).values if states(twin) <= MAX_STATES else None
            for quantity in ("p_go", "en", "toxicities"):
                row[f"{quantity}_{label}"] = values[quantity] if values else None
            if label == "stated":
                both = ("p_stop_toxicity", "p_stop_toxicity_at_n")
                row["p_stop_toxicity"] = sum(values[q] for q in both) if values else None
        found[name] = row
    return found


def crossing(scenario: Scenario, rules: Rules) -> list[dict[str, Any]]:
    """P(the toxicity boundary is ever crossed) among the planned n patients at one dose, by true toxicity rate."""
    boundary = rules.monitor.act_ge[0]
    if all(b >= NEVER for b in boundary):
        return []
    assert scenario.dose_reduction is not None
    limit = getattr(scenario.dose_reduction.rule, "limit", None)
    grid = WITHOUT_LIMIT if limit is None else tuple(limit + step for step in AROUND_LIMIT)
    where: dict[float, list[dict[str, str]]] = {round(rate, 10): [] for rate in grid if 0 < rate < 1}
    for name, case in scenario.truth.items():
        for level, rate in enumerate(case.by_dose("toxicity", rules.levels) or ()):
            dose = scenario.doses[level]
            if rules.monitor.action[level] == CONTINUE:
                continue
            where.setdefault(round(rate, 10), []).append({"case": name, "dose": dose})
    return [
        {
            "rate": rate,
            "probability": crossing_probability(boundary, rate, rules.looks.planned_n),
            "is_limit": limit is not None and abs(rate - limit) < 1e-9,
            "true_rate_of": where[rate],
        }
        for rate in sorted(where)
    ]
