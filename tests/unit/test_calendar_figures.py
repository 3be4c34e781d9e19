"""The figures of calendar time draw the numbers that were computed."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

import trialsim
from tests.helpers import CONFIGS, material_of
from trialsim.codes import TICKS_PER_MONTH
from trialsim.engine import over_time
from trialsim.engine.over_time import patients_over_time
from trialsim.engine.timed import timed
from trialsim.engine.waiting import waiting_cost
from trialsim.figures import Drawn, draw_all
from trialsim.kernels.conduct_columns import DURATION, LEVELS, WAITING
from trialsim.kernels.streams import stream_key
from trialsim.results import Results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load(CONFIGS / "dasatinib.yaml")


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return trialsim.simulate(scenario, replicates=3_000)


@pytest.fixture(scope="module")
def drawn(scenario: Scenario, results: Results) -> dict[str, Drawn]:
    return {figure.name: figure for figure in draw_all(material_of(scenario, results, None))}


def test_durations_are_those_of_the_results(results: Results, drawn: dict[str, Drawn]) -> None:
    frame = drawn["duration"].frame
    assert len(frame) == 7 * len(results.cases)
    for case, quantity, months in zip(frame["case"], frame["quantity"], frame["months"], strict=True):
        simulated = results[case].simulated
        assert simulated is not None
        assert months == simulated.values[quantity].estimate
    assert "inactive: median" in drawn["duration"].alt
    axes = drawn["duration"].figure.axes[0]
    bars = sorted(
        (patch.get_y(), patch.get_x() + patch.get_width())
        for patch in axes.patches
        if isinstance(patch, Rectangle)
    )
    # three parts a case, the first case on top, which together are the mean duration
    ends = [max(end for _, end in bars[k : k + 3]) for k in range(0, len(bars), 3)]
    means = [oc.simulated.values["duration_months"].estimate for oc in results.cases if oc.simulated]
    assert ends[::-1] == pytest.approx(means, rel=1e-9)


def test_patients_over_time_end_with_the_patients_of_the_trials(scenario: Scenario) -> None:
    trials = timed(Compiled.of(scenario))["active"]
    found = patients_over_time(trials, 5, count=300)
    rows = trials.rows(stream_key(5), 0, 300)
    assert found.mean[:, 0].tolist()[0] >= 1  # the first patient starts at month 0
    assert (np.diff(found.mean, axis=1) >= 0).all()
    assert (found.low <= found.high).all()
    treated = rows[:, LEVELS : LEVELS + 6 : 3]
    assert found.mean[:, -1] == pytest.approx(treated.mean(axis=0), rel=1e-12)
    assert found.low[:, -1] == pytest.approx(np.quantile(treated, 0.1, axis=0), rel=1e-12)
    assert found.high[:, -1] == pytest.approx(np.quantile(treated, 0.9, axis=0), rel=1e-12)
    assert 0 < found.until < found.months[-1]
    accrual = (rows[:, DURATION] - rows[:, WAITING]) / TICKS_PER_MONTH
    assert found.months[-1] >= found.until
    assert found.until <= np.quantile(accrual, 0.9) + 1e-9  # nobody arrives once accrual has ended


def test_blocks_make_no_difference(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = timed(Compiled.of(scenario))["active"]
    whole = patients_over_time(trials, 5, count=300)
    monkeypatch.setattr(over_time, "AT_ONCE", 77 * trials.patients)
    monkeypatch.setattr(over_time, "POINTS", 10)
    coarse = patients_over_time(trials, 5, count=300)
    assert len(coarse.months) <= 11
    common = np.isin(whole.months, coarse.months)
    shared = np.isin(coarse.months, whole.months)
    assert common.sum() >= 8
    assert whole.mean[:, common].tolist() == coarse.mean[:, shared].tolist()


def test_dose_over_time_draws_them(scenario: Scenario, drawn: dict[str, Drawn]) -> None:
    frame = drawn["dose_over_time"].frame
    found = patients_over_time(timed(Compiled.of(scenario))["inactive"], scenario.simulation.seed)
    mine = frame[(frame.case == "inactive") & (frame.dose == "100 mg BID")]
    assert mine["mean"].tolist() == found.mean[0].tolist()
    assert mine.month.tolist() == found.months.tolist()


def test_what_waiting_costs(scenario: Scenario, results: Results, drawn: dict[str, Drawn]) -> None:
    rows = waiting_cost(Compiled.of(scenario), scenario.simulation.seed, 3_000)
    assert [(row.case, row.policy) for row in rows[:3]] == [
        ("inactive", "pause"), ("inactive", "early_decision"), ("inactive", "continue"),
    ]  # fmt: skip
    for row in rows:
        simulated = results[row.case].simulated
        assert simulated is not None
        assert row.own == (row.policy == "continue")
        for name, found in row.found.items():
            assert found.one.estimate == pytest.approx(simulated.values[name].estimate, rel=1e-12)
            if row.own:
                assert found.difference.estimate == 0 == found.difference.mcse
    by = {(row.case, row.policy): row.found for row in rows}
    pause, go_on = by["active", "pause"], by["active", "continue"]
    assert pause["en"].difference.estimate < 0  # patients saved
    assert pause["duration_months"].difference.estimate > 0  # months lost
    early = by["active", "early_decision"]["duration_months"].other.estimate
    assert go_on["duration_months"].other.estimate < early < pause["duration_months"].other.estimate
    frame = drawn["waiting_cost"].frame
    mine = frame[(frame.case == "active") & (frame.interim == "pause") & (frame.quantity == "en")].iloc[0]
    drawn_points = {
        tuple(float(np.asarray(data)[0]) for data in line.get_data())
        for line in drawn["waiting_cost"].figure.axes[0].lines
        if line.get_linestyle() == "None"
    }
    assert drawn_points == {
        tuple(row.found[name].other.estimate for name in ("duration_months", "en")) for row in rows
    }
    assert (mine.estimate, mine.difference) == (pause["en"].other.estimate, pause["en"].difference.estimate)


def test_nothing_is_drawn_where_nobody_waits() -> None:
    plain = load(CONFIGS / "teaching.yaml")
    names = {
        figure.name for figure in draw_all(material_of(plain, trialsim.simulate(plain, replicates=500), None))
    }
    assert not names & {"duration", "dose_over_time", "waiting_cost"}
    assert waiting_cost(Compiled.of(plain), 1, 500) == ()
