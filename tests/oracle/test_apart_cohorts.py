"""Cohorts that share nothing: each against the event simulation of a cohort by itself, all against the chain."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

import trialsim
from tests.oracle import events
from tests.oracle.conduct_strategies import random_conduct
from tests.oracle.events_office import Arm, Trial
from tests.oracle.events_patient import first_below, gap
from tests.oracle.test_conduct_against_events import scalar
from tests.oracle.test_several_rules import random_monitor
from trialsim.codes import CONTINUE, NEVER
from trialsim.designs.rules import Monitor, Rules
from trialsim.engine import apart
from trialsim.engine.compiled import tables_of
from trialsim.engine.exact import distribution
from trialsim.engine.timed import Timed
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Calendar, Int64
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import of_a_cohort
from trialsim.scenario.files import parse


class OfACohort(Trial):
    """The office of one cohort: it sees everybody arrive, and enrols its own while it is not on hold."""

    def __init__(self, rules: Rules, calendar: Calendar, thresholds: Int64, seed: int, cohort: int) -> None:
        self.cohort, self.real = cohort, calendar
        one = calendar._replace(cohorts=1, cohort_of=np.zeros_like(calendar.cohort_of))
        super().__init__(rules, one, thresholds, seed, 0)
        self.arms = [Arm()]

    def mind_the_door(self) -> None:
        """Others arrive as before, whatever becomes of this cohort."""

    def arrive(self, serial: int) -> None:  # noqa: ARG002 - accrual is never closed: nobody is put off
        words, arm = self.words_of_next(), self.arms[0]
        stratum = first_below(words.stratum, self.calendar.stratum_by)
        mine = int(self.real.cohort_of[stratum]) == self.cohort
        if mine and arm.open and not self.on_hold and not self.full(arm):
            self.treat(arm, words, stratum)
        self.arrivals += 1
        if self.arrivals < self.calendar.max_arrivals:
            self.unit += gap(self.words_of_next().gap)
            self.expect_next()
        self.perhaps_give_up(arm)


def random_cohorts(rng: random.Random) -> tuple[Rules, Calendar, Int64]:
    """Two cohorts with looks of their own, and rules with room for both."""
    while True:
        rules, calendar, thresholds = random_conduct(rng)
        if calendar.own and not rules.replaced:
            return rules, calendar._replace(amended_at=np.zeros_like(calendar.amended_at)), thresholds


def test_a_cohort_by_itself_is_the_event_simulation_of_it() -> None:
    """120 random trials with several toxicity rules, every cohort: rows, to the tick."""
    rng, compared, moved, stopped = random.Random("apart"), 0, 0, 0
    while compared < 120:
        rules, calendar, thresholds = random_cohorts(rng)
        n = rules.looks.planned_n
        rules = replace(
            rules,
            monitor=random_monitor(rng, n, 4 * n, rules.levels),
            max_treated=4 * n,
            attained_ge=rules.attained_ge,
        )
        for c in range(calendar.cohorts):
            (row,) = scalar(rules, calendar._replace(only=c), thresholds, compared, 1).tolist()
            trial = OfACohort(rules, calendar, thresholds, compared, c)
            trial.run()
            if not trial.patients:
                continue
            told = events.report(trial).row
            start = row[column.PAUSED]
            for name in (column.DURATION, column.DECIDED_AT):
                row[name] -= start
            row[column.TRIGGERED_AT] = (
                max(row[column.TRIGGERED_AT] - start, 0) if row[column.TRIGGERED] else 0
            )
            row[column.PAUSED] = 0
            first = column.LEVELS + 3 * rules.levels
            assert row[:first] + row[first + 4 * c : first + 4 * c + 4] == told
            moved += row[column.REDUCED_AFTER] > 0
            stopped += row[column.END] in (1, 6)
        compared += 1
    assert moved >= 15
    assert stopped >= 15


def test_without_a_boundary_the_parts_are_the_whole_trial() -> None:
    """Put together they are the rows of the kernel that runs all cohorts at once, bit for bit."""
    rng = random.Random("apart, together")
    for seed in range(60):
        rules, calendar, thresholds = random_cohorts(rng)
        levels, most = rules.levels, rules.max_treated * calendar.cohorts
        never = ((NEVER,) * (most + 1),) * levels
        rules = replace(rules, monitor=Monitor(never, (0,) * levels, (CONTINUE,) * levels), max_treated=most)
        whole = scalar(rules, calendar, thresholds, seed, 20)
        parts = [
            Timed(tables, each, thresholds, False).rows(stream_key(seed), 0, 20)
            for tables, each in apart.runs(tables_of(rules), calendar)
        ]
        assert np.array_equal(apart.together(parts, levels), whole), seed


BASKET = """
schema: 1
name: basket
endpoint: response
design: {kind: simon, n1: 10, r1: 1, n: 28, r: 6, p0: 0.15, p1: 0.4}
doses: [high, low]
%s
cohorts: {rules: own, monitor: own, strata: [{name: A}, {name: B}, {name: C}, {name: D}]}
truth:
  none: {response: 0.15, toxicity: [0.4, 0.2]}
  one: {response: 0.15, toxicity: [0.4, 0.2], cohorts: {A: {response: 0.4}}}
"""  # fmt: skip
RULES = (
    "dose_reduction: {rules: [{kind: k_of_first_m, k: 4, m: 6, action: stop, levels: [high]}, "
    "{kind: pocock, limit: 0.3, phi: 0.1, min_n: 7}]}"
)


def test_independent_cohorts_stay_exact() -> None:
    """P(any go) of four cohorts of 1/10 6/28 at .15 is .3391; with a boundary for each the product of four chains."""
    plain = trialsim.exact(parse(BASKET % "")).cases[0].exact
    assert plain is not None
    assert round(plain.values["p_go"], 4) == 0.3391
    assert plain.values["p_false_go"] == pytest.approx(plain.values["p_go"], abs=1e-14)
    trial = Compiled.of(parse(BASKET % RULES))
    found = trialsim.exact(trial)
    one = of_a_cohort(trial.rules, 4)
    assert one.max_treated == 28
    assert one.monitor.stop_ge
    for oc in found.cases:
        assert oc.exact is not None
        each = [distribution(one, cells).values for cells in trial.by_cohort(oc.case)]
        values = oc.exact.values
        assert values["p_go"] == pytest.approx(1 - math.prod(1 - e["p_go"] for e in each), abs=1e-14)
        assert values["p_go_all"] == pytest.approx(math.prod(e["p_go"] for e in each), abs=1e-14)
        null = each if oc.case == "none" else each[1:]
        assert values["p_false_go"] == pytest.approx(1 - math.prod(1 - e["p_go"] for e in null), abs=1e-14)
        assert values["p_dose_reduced"] == pytest.approx(
            1 - math.prod(1 - e["p_dose_reduced"] for e in each), abs=1e-14
        )
        for name in ("en", "responses", "toxicities", "patients_dose_1", "patients_dose_2"):
            assert values[name] == pytest.approx(sum(e[name] for e in each), abs=1e-12)


def test_simulated_cohorts_are_the_exact_ones() -> None:
    oc = trialsim.simulate(parse(BASKET % RULES), replicates=4_000, seed=5)
    for case in oc.cases:
        assert case.simulated is not None and case.exact is not None
        assert case.z is not None and len(case.z) > 20
        print(f"{case.case}: {len(case.z)} quantities, max |z| {max(map(abs, case.z.values())):.2f}")
        assert max(map(abs, case.z.values())) < 4.5


CLOSED = """
schema: 1
name: cohorts that are closed for long
endpoint: response
design: {kind: simon, n1: 10, r1: 1, n: 29, r: 5, p0: 0.1, p1: 0.3}
doses: [high, low]
cohorts: {rules: own, monitor: OWN, strata: [{name: a, share: 0.5}, {name: b, share: 0.5}]}
dose_reduction: {rule: RULE, at_lowest_dose: continue}
conduct:
  accrual: {per_month: 12}
  assessment_weeks: [8, 30]
  confirmed: false
  toxicity_window_weeks: 4
  review_lag_weeks: 4
  amendment_lag_weeks: 26
  during_amendment: hold
  interim: INTERIM
truth: {active: {response: 0.3, toxicity: 0.3}}
simulation: {replicates: 4000, seed: 1}
"""


@pytest.mark.parametrize(
    ("monitor", "rule", "interim"),
    [
        ("shared", "{kind: none}", "pause"),
        ("own", "{kind: none}", "pause"),
        ("shared", "{kind: none}", "early_decision"),
        ("own", "{kind: k_of_first_m, k: 1, m: 29}", "continue"),
        ("own", "{kind: k_of_first_m, k: 1, m: 29}", "pause"),
    ],
)
def test_patients_turned_away_are_not_missed_in_the_end(monitor: str, rule: str, interim: str) -> None:
    """Whoever comes while a cohort is closed uses up arrivals, of which there have to be enough."""
    scenario = parse(CLOSED.replace("OWN", monitor).replace("RULE", rule).replace("INTERIM", interim))
    (case,) = trialsim.simulate(scenario).cases
    assert case.simulated is not None
    alone = sum(binom.pmf(x, 10, 0.3) * binom.sf(5 - x, 19, 0.3) for x in range(2, 11))
    for cohort in (1, 2):
        found = case.simulated.values[f"p_go_cohort_{cohort}"]
        assert abs(found.estimate - alone) < 4 * math.sqrt(alone * (1 - alone) / 4000)
