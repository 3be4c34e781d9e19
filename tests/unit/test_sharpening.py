"""Results that grow sharper end in the results of ``simulate``, and every step is a beginning of them."""

from __future__ import annotations

import pytest

from tests.helpers import config
from trialsim import exact, simulate
from trialsim.engine.sharpening import FIRST, MANY, Drawn, sharpening
from trialsim.engine.trials import untimed
from trialsim.scenario.changes import changed
from trialsim.scenario.compiled import Compiled


@pytest.mark.parametrize("name", ["dasatinib", "teaching", "two-cohorts", "restart", "bop2-toxicity"])
def test_the_last_answer_is_that_of_simulate(name: str) -> None:
    trial = Compiled.of(config(name))
    steps = [found for found in sharpening(trial, most=2500) if found]
    assert steps[-1].to_dict() == simulate(trial, replicates=2500).to_dict()
    assert steps[0].replicates == FIRST
    assert all(a.replicates <= b.replicates for a, b in zip(steps, steps[1:], strict=False))


def test_every_answer_on_the_way_is_a_beginning_of_the_run() -> None:
    trial = Compiled.of(config("dasatinib"))
    for found in sharpening(trial, most=2500):
        if found is None:
            continue
        whole = simulate(trial, replicates=found.replicates)
        for oc in found.cases:
            assert oc.simulated is not None
            ours, theirs = oc.simulated.values, whole[oc.case].simulated
            assert theirs is not None
            assert ours == {name: theirs.values[name] for name in ours}


def test_no_answer_is_without_its_exact_side() -> None:
    trial = Compiled.of(config("teaching"))
    known = exact(trial)
    for found in filter(None, sharpening(trial, most=700)):
        assert [oc.exact.values for oc in found.cases if oc.exact] == [
            oc.exact.values for oc in known.cases if oc.exact
        ]


def test_a_precision_is_planned_as_simulate_plans_it() -> None:
    trial = Compiled.of(changed(config("teaching"), {"simulation": {"precision": {"p_go": 0.01}}}))
    *_, last = filter(None, sharpening(trial))
    assert last.to_dict() == simulate(trial).to_dict()
    assert last.planned is not None
    assert last.replicates == last.planned.replicates


def test_a_part_ends_at_the_trials_that_a_visitor_waits_for() -> None:
    steps = [
        found.replicates for found in sharpening(Compiled.of(config("teaching")), most=MANY + 1) if found
    ]
    assert steps[0] == FIRST
    assert steps[-2:] == [MANY, MANY + 1]


@pytest.mark.parametrize("most", [1, 7, FIRST, FIRST + 1, 4000])
def test_parts_add_up_to_the_same_tallies(most: int) -> None:
    trial = Compiled.of(config("teaching"))
    parts, whole = (Drawn(untimed(trial.rules, trial.rates), 5) for _ in range(2))
    while parts.replicates < most:
        parts.more(min(parts.replicates + 333, most))
    whole._next = most
    whole.more(most)
    assert parts.replicates == whole.replicates == most
    assert parts.tallies == whole.tallies
