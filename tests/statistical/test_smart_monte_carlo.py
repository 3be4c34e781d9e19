"""Paired differences, averages over dose paths, and replicates planned from a pilot."""

from __future__ import annotations

from typing import Any

import pytest

import trialsim
from trialsim.engine import precision
from trialsim.engine.dose_paths import Paths, averages, p_go_averaged
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import AT_ONCE, exact_sides, in_pairs, trials_of
from trialsim.engine.paired import differences
from trialsim.engine.precision import PILOT, STEP, pilot_seed
from trialsim.engine.timed import Timed, timed
from trialsim.engine.trials import Untimed
from trialsim.scenario.calendar import immediate
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

TEXT = """
schema: 1
name: a trial in calendar time
endpoint: response
design: {kind: simon, n1: 25, r1: 1, n: 70, r: 6, p0: 0.05, p1: 0.15}
doses: [high, low]
dose_reduction:
  rule: {kind: pocock, limit: 0.30, phi: 0.10}
  at_lowest_dose: continue
truth:
  flat: {response: 0.15, toxicity: [0.45, 0.32]}
  steep: {response: [0.15, 0.08], toxicity: [0.45, 0.32]}
conduct:
  accrual: {per_month: 4.5}
  assessment_weeks: [9, 17, 25]
  toxicity_window_weeks: 8
  interim: continue
  amendment_lag_weeks: 6
"""


STOPS = ("at_lowest_dose: continue", "at_lowest_dose: stop")


def scenario(*changes: tuple[str, str]) -> Any:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse(text, "here.yaml")


def immediately(stated: Any, case: str) -> Timed:
    """The trials of a case with outcomes known at once."""
    trial = Compiled.of(stated)
    trials = Timed.of_case(trial, case)
    return Timed.of(trial.rules, immediate(trials.calendar), trials.thresholds)


def one_case(stated: Any, case: str) -> dict[str, Any]:
    return {"x": timed(Compiled.of(stated))[case]}


def test_paired_difference_is_exact_where_exact_is_known() -> None:
    """Outcomes known at once: the difference of two truths against the chain, with its own standard error."""
    stated = scenario()
    found = differences({"x": immediately(stated, "steep")}, {"x": immediately(stated, "flat")}, 100_000, 7)[
        "x"
    ]
    known = trialsim.exact(stated, totals=False)
    twin = {oc.case: oc.at_once for oc in known.cases}
    for name in ("p_go", "en", "responses"):
        a, b = (twin[case].exact.values[name] for case in ("steep", "flat"))  # type: ignore[union-attr]
        assert abs(found[name].difference.estimate - (b - a)) < 4 * found[name].difference.mcse
        assert found[name].variance_factor > 1.5  # the same patients on both sides


def test_paired_sides_are_the_trials_of_a_run() -> None:
    stated = scenario()
    found = differences(one_case(stated, "flat"), one_case(stated, "steep"), 5_000, 11)["x"]
    run = trialsim.simulate(stated, replicates=5_000, seed=11)
    for case, side in (("flat", "one"), ("steep", "other")):
        for name in ("p_go", "en", "duration_months"):
            estimate = run[case].simulated.values[name].estimate  # type: ignore[union-attr]
            assert getattr(found[name], side).estimate == pytest.approx(estimate, rel=1e-12)


def test_a_trial_does_not_differ_from_itself_and_differences_change_sign() -> None:
    stated = scenario()
    same = differences(one_case(stated, "flat"), one_case(stated, "flat"), 2_000, 3)["x"]
    assert all(d.difference.estimate == 0 == d.difference.mcse for d in same.values())
    there = differences(one_case(stated, "flat"), one_case(stated, "steep"), 2_000, 3)["x"]
    back = differences(one_case(stated, "steep"), one_case(stated, "flat"), 2_000, 3)["x"]
    for name in there:
        assert there[name].difference.estimate == -back[name].difference.estimate


def test_untimed_and_timed_trials_pair() -> None:
    """What waiting changes: a trial against itself with outcomes known at once."""
    stated = scenario()
    trials = trials_of(Compiled.of(stated))
    assert isinstance(trials[f"flat{AT_ONCE}"], Untimed)
    pair = differences({"x": trials[f"flat{AT_ONCE}"]}, {"x": trials["flat"]}, 20_000, 5)["x"]  # type: ignore[dict-item]
    assert pair["en"].difference.estimate > 0  # patients enrolled while the decision is pending
    assert "duration_months" not in pair


def test_averaging_over_dose_paths_gives_the_same_probability_with_a_smaller_error() -> None:
    stated = scenario()
    run = trialsim.simulate(stated, replicates=100_000, seed=2)
    counted, averaged = (
        run["steep"].simulated.values[name]  # type: ignore[union-attr]
        for name in ("p_go", "p_go_averaged")
    )
    assert abs(counted.estimate - averaged.estimate) < 4 * counted.mcse
    assert (counted.mcse / averaged.mcse) ** 2 > 10
    flat = run["flat"].simulated.values["p_go_averaged"]  # type: ignore[union-attr]
    assert flat.mcse < 1e-12  # the dose says nothing about response: every path has the same P(go)


@pytest.mark.parametrize("doses", [2, 3])
def test_averaging_equals_the_chain_with_outcomes_known_at_once(doses: int) -> None:
    changes = [("at_lowest_dose: continue", "at_lowest_dose: continue")]
    if doses == 3:
        changes += [
            ("[high, low]", "[high, middle, low]"),
            ("response: 0.15, toxicity: [0.45, 0.32]", "response: 0.15, toxicity: [0.6, 0.5, 0.3]"),
            ("[0.15, 0.08], toxicity: [0.45, 0.32]", "[0.15, 0.1, 0.05], toxicity: [0.6, 0.5, 0.3]"),
        ]
    stated = scenario(*changes)
    trial = Compiled.of(stated)
    trials = immediately(stated, "steep")
    assert averages(trial, trials, "steep")
    tally = tallies({"x": Paths.of(trial.rules, trials)}, 100_000, 4)["x"]
    found = p_go_averaged(tally, trial.rules, trial.truth("steep"))
    known = trialsim.exact(stated, totals=False)["steep"].at_once.exact.values["p_go"]  # type: ignore[union-attr]
    assert abs(found.estimate - known) < 4 * found.mcse
    assert found.mcse < 0.0008  # counted, it would be .0015


@pytest.mark.parametrize(
    "change",
    [
        ("at_lowest_dose: continue", "at_lowest_dose: stop"),
        ("interim: continue", "interim: pause"),
        ("response: [0.15, 0.08]", "odds_ratio: 2, response: [0.15, 0.08]"),
        ("truth:", "evaluability: {probability: 0.9, replaced: true}\ntruth:"),
        ("at_lowest_dose: continue", "on_dose_change: restart"),
    ],
)
def test_averaging_is_left_alone_where_it_does_not_hold(change: tuple[str, str]) -> None:
    stated = scenario(change)
    trial = Compiled.of(stated)
    assert not averages(trial, timed(trial)["steep"], "steep")


def test_replicates_are_planned_from_a_pilot_and_then_fixed() -> None:
    precise = scenario(STOPS, ("conduct:", "simulation: {seed: 5, precision: {p_go: 0.004}}\nconduct:"))
    run = trialsim.simulate(precise)
    assert run.planned is not None
    assert run.planned.replicates == run.replicates
    assert run.planned.pilot == PILOT
    assert run.replicates is not None and run.replicates % STEP == 0
    errors = [oc.adjusted["p_go"].mcse for oc in run.cases]
    assert not any(oc.adjusted["p_go"].plain_because for oc in run.cases)
    # not wasteful: a third fewer would not have done; and the plain numbers would have taken nearly twice as many
    assert 0.004 * (2 / 3) ** 0.5 < max(errors) <= 0.004
    assert max(oc.simulated.values["p_go"].mcse for oc in run.cases if oc.simulated) > 0.004 * 1.9**0.5
    assert trialsim.simulate(precise, jobs=1).planned == run.planned
    stated = trialsim.simulate(scenario(STOPS), replicates=run.replicates, seed=5)
    assert [oc.simulated for oc in stated.cases] == [oc.simulated for oc in run.cases]
    assert pilot_seed(5) != 5


def test_a_plan_leans_on_no_control_that_the_run_might_drop() -> None:
    """With few events the plain number may be given: a plan has twice those it takes, or is that of the plain one."""
    rare = ("steep: {response: [0.15, 0.08]", "steep: {response: 0.06")
    trial = Compiled.of(scenario(STOPS, rare))
    mains = trials_of(trial)
    together = in_pairs(trial, mains)
    sides = exact_sides(trial)
    p = sides["steep"].values["p_go"]  # type: ignore[union-attr]
    for wanted in (0.01, 0.002):
        steep = {"steep": together["steep"]}
        leaning = precision.plan(steep, {"p_go": wanted}, 5, known=sides).replicates
        plain = precision.plan({"steep": mains["steep"]}, {"p_go": wanted}, 5).replicates
        by_twin = precision.plan(steep, {"p_go": wanted}, 5).replicates
        assert by_twin == plain  # nothing known of the twin
        assert 0.09 < p < 0.1
        assert leaning == plain if wanted > 0.003 else 3_000 < leaning < plain / 2


def test_a_precision_out_of_reach_is_refused() -> None:
    hopeless = scenario(("conduct:", "simulation: {precision: {p_go: 0.0001}}\nconduct:"))
    with pytest.raises(trialsim.TrialsimError, match=r"precision\.p_go = 1e-08: case flat would need"):
        precision.plan(trials_of(Compiled.of(scenario())), {"p_go": 1e-8}, 1)
    assert hopeless.simulation.precision == {"p_go": 0.0001}
