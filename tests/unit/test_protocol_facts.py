"""The facts of a protocol are the whole protocol: Rules and conduct are rebuilt from them alone, and are equal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest

from tests.unit.protocol_cases import (
    DESIGNS,
    INTERIM,
    TOXICITY,
    combinations,
    conduct_from,
    facts,
    rules_from,
)
from trialsim.codes import CONTINUE, NEVER, NEW_DOSE_ONLY, POOLED, REDUCE, STOP
from trialsim.designs.registry import Design
from trialsim.designs.rules import Rules
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.conduct import Conduct
from trialsim.scenario.model import Scenario

COUNT = 480


def reachable(row: tuple[int, ...]) -> tuple[int, ...]:
    """A cut-off that m patients cannot reach says the same as no cut-off; none is asked for at 0 patients."""
    return (NEVER, *(b if b <= m else NEVER for m, b in enumerate(row[1:], start=1))) if row else ()


def acts(rules: Rules, level: int) -> bool:
    return any(b < NEVER for b in reachable(rules.monitor.act_ge[level]))


def changes_dose(scenario: Scenario, rules: Rules) -> bool:
    by_month = scenario.dose_reduction is not None and getattr(
        scenario.dose_reduction.rule, "after_month", None
    )
    reduces = any(
        rules.monitor.at_enrolled[k] or (rules.monitor.action[k] == REDUCE and acts(rules, k))
        for k in range(rules.levels)
    )
    return bool(by_month) or reduces


def stop_ge(rules: Rules) -> tuple[tuple[int, ...], ...]:
    """What stops the trial at levels that otherwise reduce, if at any it can be reached."""
    rows = [
        reachable(row) if rules.monitor.action[k] == REDUCE else (NEVER,) * len(row)
        for k, row in enumerate(rules.monitor.stop_ge)
    ]
    return tuple(rows) if any(b < NEVER for row in rows for b in row) else ()


def led_to(scenario: Scenario, rules: Rules) -> Rules:
    """The rules without what they say of doses at which nobody starts, because none above them is ever left."""
    months = getattr(scenario.dose_reduction.rule, "after_month", None) if scenario.dose_reduction else None
    monitor, first = rules.monitor, 0
    while first + 1 < rules.levels and (
        months
        or scenario.from_start
        or monitor.at_enrolled[first]
        or (monitor.action[first] == REDUCE and acts(rules, first))
    ):
        first += 1

    def never(rows: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(row if k <= first else (NEVER,) * len(row) for k, row in enumerate(rows))

    return replace(
        rules,
        monitor=replace(
            monitor,
            act_ge=never(monitor.act_ge),
            at_enrolled=tuple(n if k <= first else 0 for k, n in enumerate(monitor.at_enrolled)),
            stop_ge=never(monitor.stop_ge),
        ),
    )


def as_it_matters(scenario: Scenario, rules: Rules) -> Rules:
    """The same rules, with one way of writing what can be written in several."""
    rules = led_to(scenario, rules)
    monitor = replace(
        rules.monitor,
        act_ge=tuple(map(reachable, rules.monitor.act_ge)),
        action=tuple(a if acts(rules, k) else CONTINUE for k, a in enumerate(rules.monitor.action)),
        stop_ge=stop_ge(rules),
    )
    looks = replace(rules.looks, toxic_ge=rules.looks.toxic_ge or (NEVER,) * len(rules.looks.n))
    after = rules.on_dose_change if changes_dose(scenario, rules) else POOLED
    attained = reachable(rules.attained_ge) if after == NEW_DOSE_ONLY else ()
    return replace(rules, looks=looks, monitor=monitor, on_dose_change=after, attained_ge=attained)


def conduct_as_it_matters(scenario: Scenario, rules: Rules) -> Conduct | None:
    """The block `conduct` with what cannot arise in this trial left at its default."""
    stated = scenario.conduct
    if stated is None:
        return None
    keys, rules = dict(stated), led_to(scenario, rules)
    boundary = any(acts(rules, k) for k in range(rules.levels))
    interim = len(rules.looks.n) > 1
    drop = []
    drop += ["early_onset"] if stated.toxicity_window_weeks is None else []
    drop += ["toxicity_known"] if not boundary else []
    drop += ["interim"] if not interim else []
    stops = any(acts(rules, k) and rules.monitor.action[k] == STOP for k in range(rules.levels))
    stops = stops or bool(stop_ge(rules))
    drop += ["overrun"] if not stops and not (interim and stated.interim == "continue") else []
    drop += ["amendment_lag_weeks", "during_amendment"] if not changes_dose(scenario, rules) else []
    drop += ["during_amendment"] if not stated.amendment_lag_weeks else []
    keys = {key: value for key, value in keys.items() if key not in drop}
    keys["first_seen"] = stated.first_seen or (1.0,)
    accrual = stated.accrual
    if isinstance(accrual.per_month, float):
        keys["accrual"] = accrual.model_copy(update={"per_month": (accrual.per_month,), "from_month": (0.0,)})
    if stated.patient_reductions is not None and not stated.patient_reductions.max_reductions:
        keys["patient_reductions"] = stated.patient_reductions.model_copy(update={"hold_weeks": 2.0})
    return Conduct(**keys)


@pytest.fixture(scope="module")
def cases():
    return [(scenario, rules, facts(Compiled(scenario, rules))) for scenario, rules in combinations(COUNT)]


def test_rules_are_rebuilt_from_the_facts_alone(cases):
    contradictions = [s for s, rules, found in cases if rules_from(found) != as_it_matters(s, rules)]
    assert not contradictions
    print(f"{len(cases)} combinations, {len(contradictions)} contradictions")
    assert len(cases) >= 400


def test_the_conduct_is_rebuilt_from_the_facts_alone(cases):
    for scenario, rules, found in cases:
        assert conduct_from(found.conduct) == conduct_as_it_matters(scenario, rules)


def test_who_is_counted_and_cohorts_are_in_the_facts(cases):
    for scenario, _, found in cases:
        stated = scenario.evaluability
        assert (found.counted.probability, found.counted.replaced) == (stated.probability, stated.replaced)
        assert found.counted.inevaluable == (stated.inevaluable if stated.probability < 1 else None)
        assert (found.cohorts is None) == (scenario.cohorts is None)
        if found.cohorts is not None:
            assert found.cohorts.own == scenario.own_rules
            assert found.cohorts.own_boundary == scenario.apart
            strata = [(s.name, s.share, s.cohort_name) for s in scenario.strata]
            assert [(s.name, s.share, s.cohort) for s in found.cohorts.strata] == strata


def test_every_kind_is_among_them_ten_times(cases):
    kinds = Counter(scenario.design.kind for scenario, *_ in cases)
    rules = Counter(s.dose_reduction.kind for s, *_ in cases if s.dose_reduction)
    analyses = Counter(found.after_change.analysis for *_, found in cases if found.after_change)
    interim = Counter(found.conduct.interim for *_, found in cases if found.conduct)
    print(kinds, rules, analyses, interim, sep="\n")
    for counted, names in (
        (kinds, DESIGNS),
        (rules, TOXICITY),
        (analyses, ("pooled", "new_dose_only", "restart")),
        (interim, INTERIM),
    ):
        assert {name for name in names if counted[name] < 10} == set()
    registered = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(Design)[0])}
    assert set(DESIGNS) == registered
    assert sum(found.cohorts is not None and found.cohorts.own for *_, found in cases) >= 10
    assert sum(found.counted.replaced for *_, found in cases) >= 10
