"""Figures show the engine's numbers, survive any words, and come out the same every time."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from tests.helpers import DASATINIB, material_of
from trialsim import figures
from trialsim.checks import check
from trialsim.codes import NEVER
from trialsim.designs.binomial import clopper_pearson
from trialsim.designs.simon import operating_characteristics
from trialsim.engine.exact import distribution
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import simulate
from trialsim.engine.timed import timed
from trialsim.engine.trials import untimed
from trialsim.figures import Drawn, draw_all, p_go
from trialsim.figures.labels import Box, in_order
from trialsim.figures.style import RC
from trialsim.figures.words import clean, fit, names_within, some, width, wrap
from trialsim.kernels.conduct_columns import TREATED
from trialsim.kernels.patient import IS_TOXIC, LEVEL
from trialsim.kernels.streams import stream_key
from trialsim.quantities import by_end
from trialsim.results import Results, digits12
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Rates
from trialsim.writing.csv import frame_to_csv

ALL = (
    "as_conducted",
    "power_ledger",
    "p_go",
    "en_pet",
    "toxicity_boundary",
    "predictive",
    "compatibility",
    "patients_by_dose",
    "duration",
    "dose_over_time",
    "waiting_cost",
    "heat_map",
)


def scenario_of(**keys: object) -> Scenario:
    base = {
        "schema": 1,
        "name": "a trial",
        "endpoint": "response",
        "design": {"kind": "simon", "n1": 12, "r1": 1, "n": 30, "r": 5, "p0": 0.1, "p1": 0.3},
        "truth": {"only": {"response": 0.3}},
        "simulation": {"replicates": 500, "seed": 3},
    }
    return Scenario.model_validate(base | keys)


def drawn_of(scenario: Scenario) -> dict[str, Drawn]:
    results = simulate(scenario, replicates=500, totals=False)
    return {d.name: d for d in draw_all(material_of(scenario, results, check(scenario)))}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load(DASATINIB)


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return simulate(scenario, replicates=4000, totals=False)


@pytest.fixture(scope="module")
def drawn(scenario: Scenario, results: Results) -> dict[str, Drawn]:
    return {d.name: d for d in draw_all(material_of(scenario, results, check(scenario)))}


@pytest.fixture(scope="module")
def many_cases() -> dict[str, Drawn]:
    truth = {
        f"case_{'x' * (4 * k)}_{k}": {
            "response": round(0.02 + 0.04 * k, 2),
            "toxicity": [0.5, 0.1 + 0.05 * k],
        }
        for k in range(1, 9)
    }
    return drawn_of(
        scenario_of(
            truth=truth
            | {"late": {"response": 0.3, "toxicity": 0.3}, "no_rate": {"response": 0.2, "toxicity": 0.2}},
            doses=["high", "low"],
            dose_reduction={"rule": {"kind": "k_of_first_m", "k": 5, "m": 9}, "at_lowest_dose": "stop"},
            observed={"treated": 30, "evaluable": 28, "responses": 4, "disease_control": 9, "toxicities": 11},
        )
    )


HOSTILE = "$x^2$ \\frac{1}{2} <script>alert('x')</script> & --> ]]> 試験 " + 60 * "word "


@pytest.fixture(scope="module")
def hostile() -> dict[str, Drawn]:
    return drawn_of(
        scenario_of(
            name=HOSTILE[:300],
            endpoint=HOSTILE[:300],
            doses=[HOSTILE[:290] + "one", HOSTILE[:290] + "two", "試験用量七十ミリグラム"],
            dose_reduction={"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}, "at_lowest_dose": "stop"},
            truth={"a": {"response": 0.1, "toxicity": 0.4}, "b" * 40: {"response": 0.3, "toxicity": 0.4}},
            observed={"treated": 30, "evaluable": 30, "responses": 4, "toxicities": 11},
        )
    )


# numbers


def test_every_figure_is_drawn_in_order_with_its_words(drawn: dict[str, Drawn]) -> None:
    assert tuple(drawn) == ALL
    for figure in drawn.values():
        assert figure.title and figure.caption.endswith(".") and figure.alt.endswith(".")
        assert len(figure.frame)
        for word in ("validated", "proved"):
            assert word not in f"{figure.title} {figure.caption} {figure.alt}".lower()


def test_columns_are_those_of_a_pandas_table(drawn: dict[str, Drawn]) -> None:
    rows = [
        {"whole": 1, "gaps": 2, "real": 0.5, "said": "a", "none": None, "flag": np.bool_(True)},
        {"whole": np.int64(3), "real": 2, "said": None, "none": None, "flag": False, "late": math.nan},
    ]
    made = replace(drawn["p_go"], rows=rows)
    for figure in (made, *drawn.values()):
        frame = figure.frame.astype(object).where(figure.frame.notna(), None)
        there = {str(name): frame[name].tolist() for name in frame.columns}
        # printed, so that 1 is not 1.0
        assert json.dumps(digits12(figure.columns)) == json.dumps(digits12(there))
        assert figure.csv() == frame_to_csv(figure.frame)


def test_curves_are_the_exact_engine(scenario: Scenario, drawn: dict[str, Drawn]) -> None:
    rules, truths = compile_rules(scenario), Compiled.of(scenario).rates
    frame = pd.concat([drawn["p_go"].frame, drawn["en_pet"].frame])
    frame = frame[frame.kind == "exact"]
    assert set(frame.curve) == set(drawn["p_go"].frame.curve)
    for case in ("inactive", "as_observed"):
        mine = frame[frame.cases.str.split().map(lambda names, case=case: case in names)]
        some_rows = mine.iloc[:: len(mine) // 25]
        assert len(some_rows) >= 25
        for row in some_rows.itertuples():
            base = truths[case]
            rates = Rates((row.response,) * 2, base.toxicity, base.odds_ratio, base.evaluable)
            assert row.value == distribution(rules, rates).values[row.quantity]


def test_the_design_alone_is_the_textbook_formula(drawn: dict[str, Drawn]) -> None:
    for name, at in (("p_go", 0), ("en_pet", 2), ("en_pet", 1)):
        frame = drawn[name].frame
        quantity = ("p_go", "pet", "en")[at]
        alone = frame[(frame.cases == "") & (frame.quantity == quantity)]
        assert {0.05, 0.15} <= set(alone.response)
        for row in alone.itertuples():
            assert row.value == pytest.approx(
                operating_characteristics(1, 25, 6, 70, row.response)[at], rel=1e-12
            )


def test_points_are_the_simulation_and_agree_with_the_curves(
    scenario: Scenario, drawn: dict[str, Drawn]
) -> None:
    rules, base = compile_rules(scenario), Compiled.of(scenario).rates["active"]
    frame = drawn["p_go"].frame
    points = frame[(frame.kind == "simulated") & frame.cases.str.contains("active_dose_response")]
    assert len(points) >= 4 and set(points.replicates) == {4000}
    for row in points.itertuples():
        rates = Rates((row.response,) * 2, base.toxicity, 1.0, base.evaluable)
        ends = tallies(untimed(rules, {"": rates}), 4000, scenario.simulation.seed)[""].counts["ends"]
        exact = distribution(rules, rates).values["p_go"]
        assert row.value == (ends[2] + ends[4]) / 4000
        assert row.low <= row.value <= row.high
        assert abs(row.value - exact) < 5 * np.sqrt(exact * (1 - exact) / 4000) + 1e-9


def test_the_heat_map_is_the_exact_engine(scenario: Scenario, drawn: dict[str, Drawn]) -> None:
    rules, frame = compile_rules(scenario), drawn["heat_map"].frame
    assert len(frame) >= 400
    for row in frame.iloc[::61].itertuples():
        rates = Rates((row.response,) * 2, (row.toxicity,) * 2, 1.0, 0.9857)
        assert row.p_go == distribution(rules, rates).values["p_go"]


def test_patients_by_dose_are_those_of_the_results(results: Results, drawn: dict[str, Drawn]) -> None:
    for row in drawn["patients_by_dose"].frame.itertuples():
        oc = results[row.case]
        assert oc.exact is None and oc.simulated is not None  # in calendar time
        assert row.patients == oc.simulated.values[f"patients_dose_{row.level}"].estimate
        assert row.mcse > 0


def test_predictions_and_compatibility_are_those_of_the_checks(
    scenario: Scenario, drawn: dict[str, Drawn]
) -> None:
    checks = check(scenario)
    rows = [row for row in checks if row.conditioning == "given_sizes"]
    frame = drawn["predictive"].frame
    for row in rows:
        mine = frame[(frame.case == row.case) & (frame.quantity == row.quantity)]
        assert row.pmf is not None
        assert mine.probability.tolist() == row.pmf.tolist()
        assert set(mine.observed) == {row.observed}
    assert set(frame[(frame.case == "as_observed")].verdict) == {"fitted, no verdict"}
    curve = drawn["compatibility"].frame
    for expected in checks.curves:
        mine = curve[(curve.quantity == expected.quantity) & (curve.series == "curve")]
        assert mine.p.tolist() == expected.p.tolist()


def test_the_boundary_and_the_trials_that_reach_it(scenario: Scenario, drawn: dict[str, Drawn]) -> None:
    rules = compile_rules(scenario)
    frame = drawn["toxicity_boundary"].frame
    shown = frame[frame.series == "boundary"]
    act_ge = rules.monitor.act_ge[0]
    assert dict(zip(shown.patients, shown.toxicities, strict=True)) == {
        m: b for m, b in enumerate(act_ge) if m > 0 and b <= m
    }
    bounds = [b if b <= m else NEVER for m, b in enumerate(act_ge)]
    trials = timed(Compiled.of(scenario))["inactive"]
    rows, patients = trials.treated(stream_key(scenario.simulation.seed), 0, 25)
    for k, trial in frame[frame.series == "simulated"].groupby("trial"):
        treated = patients[int(k) - 1][: rows[int(k) - 1, TREATED]]
        counts = [0, *np.cumsum([p[IS_TOXIC] for p in treated if p[LEVEL] == 0])]
        assert trial.toxicities.tolist() == counts[: len(trial)]
        reached = [t >= bounds[m] for m, t in zip(trial.patients, trial.toxicities, strict=True)]
        assert not any(reached[1:-1])
        assert trial.reaches.tolist() == [False, *reached[1:]]
    observed = frame[frame.series == "observed"].iloc[0]
    assert (observed.toxicities, observed.patients) == (26, 70)


def test_the_first_page_shows_the_trial_as_conducted(
    scenario: Scenario, results: Results, drawn: dict[str, Drawn]
) -> None:
    frame = drawn["as_conducted"].frame
    conducted = frame[(frame.curve == "as conducted") & (frame.quantity == "p_go")]
    cases = conducted[conducted.case.notna()].set_index("case")
    assert list(cases.index) == list(scenario.truth)
    for case, row in cases.iterrows():
        e = results[case].told["p_go"]
        assert (row.value, row.mcse, row.low, row.high) == (e.estimate, e.mcse, e.low, e.high)
    assert cases.response.to_dict() == {
        "inactive": 0.05, "active": 0.15, "active_dose_response": 0.15, "as_observed": 0.0435,
    }  # fmt: skip
    # at p0 and p1 the points are the same patients as the cases with those rates at every dose, not adjusted
    points = conducted[conducted.case.isna()].set_index("response")
    assert len(points) == 9
    for rate, case in ((0.05, "inactive"), (0.15, "active")):
        counted = results[case].simulated
        assert counted is not None
        assert points.value[rate] == counted.values["p_go"].estimate
    ends = timed(Compiled.of(scenario))["active"].tally(stream_key(2011), 0, 4000).counts["ends"]
    assert points.value[0.15] == by_end(ends)["p_go"] / 4000
    observed = frame[frame.kind == "observed"].iloc[0]
    assert (observed["count"], observed["of"]) == (3, 69)
    assert observed[["low", "high"]].tolist() == list(clopper_pearson(3, 69))
    axes = drawn["as_conducted"].figure.axes[0]
    marks = {tuple(float(d[0]) for d in line.get_data()) for line in axes.lines if line.get_marker() == "D"}
    assert marks == set(zip(cases.response, cases.value, strict=True))


def test_where_exact_answers_are_the_trial_as_conducted_nothing_is_simulated() -> None:
    frame = drawn_of(scenario_of(truth={"low": {"response": 0.1}, "high": {"response": 0.3}}))[
        "as_conducted"
    ].frame
    assert set(frame.kind) == {"exact"}
    at = frame[frame.case.notna()].set_index("case")
    curve = frame[frame.case.isna()].set_index("response").value
    assert (
        at.value["high"]
        == curve[0.3]
        == pytest.approx(operating_characteristics(1, 12, 5, 30, 0.3)[0], rel=1e-12)
    )
    assert at.value["low"] == curve[0.1]


# which figures apply


def test_a_single_dose_without_toxicity_or_observation_has_only_curves() -> None:
    assert set(drawn_of(scenario_of())) == {"as_conducted", "p_go", "en_pet"}


def test_a_single_stage_has_no_early_termination_to_draw() -> None:
    drawn = drawn_of(scenario_of(design={"kind": "single_stage", "n": 20, "r": 3}))
    assert set(drawn) == {"as_conducted", "p_go"}
    assert "p0" not in drawn["p_go"].alt


def test_toxicity_that_cannot_stop_the_trial_has_no_heat_map() -> None:
    rule = {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}, "at_lowest_dose": "continue"}
    drawn = drawn_of(
        scenario_of(doses=["a", "b"], dose_reduction=rule, truth={"t": {"response": 0.2, "toxicity": 0.4}})
    )
    assert "heat_map" not in drawn
    assert {"toxicity_boundary", "patients_by_dose"} <= set(drawn)


def test_without_checks_nothing_is_held_against_the_observed_trial(
    scenario: Scenario, results: Results
) -> None:
    names = [d.name for d in draw_all(material_of(scenario, results, None))]
    assert names == [name for name in ALL if name not in ("predictive", "compatibility")]


def test_out_of_reach_of_the_exact_chain_points_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trialsim.engine.exact.MAX_STATES", 2000)
    rule = {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}, "at_lowest_dose": "stop"}
    drawn = drawn_of(
        scenario_of(doses=["a", "b"], dose_reduction=rule, truth={"t": {"response": 0.2, "toxicity": 0.4}})
    )
    assert "heat_map" not in drawn
    frame = drawn["p_go"].frame
    with_rule = frame[frame.cases == "t"]
    assert set(with_rule.kind) == {"simulated"}
    assert len(with_rule) == 12


# words and layout


def test_nothing_is_cut_off_too_small_or_on_top_of_something_else(
    drawn: dict[str, Drawn], many_cases: dict[str, Drawn], hostile: dict[str, Drawn]
) -> None:
    for figure in [*drawn.values(), *many_cases.values(), *hostile.values()]:
        assert layout_faults(figure) == []


def layout_faults(drawn: Drawn) -> list[str]:
    """Texts beyond the edge, below 7 points, or covering each other."""
    with matplotlib.rc_context(RC):
        canvas = FigureCanvasAgg(drawn.figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        invisible = set()
        for axes in drawn.figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                for tick in axis.get_major_ticks():
                    if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                        invisible |= {tick.label1, tick.label2}
        texts = [t for t in drawn.figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        boxes = [(t, t.get_window_extent(renderer)) for t in texts if t not in invisible]
        boxes = [(t, box) for t, box in boxes if box.width > 0]
    faults = []
    page = drawn.figure.bbox
    for i, (text, box) in enumerate(boxes):
        assert not text.get_parse_math()
        if text.get_fontsize() < 7:
            faults.append(f"{drawn.name}: small: {text.get_text()}")
        if box.x0 < 0 or box.y0 < 0 or box.x1 > page.width or box.y1 > page.height:
            faults.append(f"{drawn.name}: cut off: {text.get_text()}")
        for other, second in boxes[i + 1 :]:
            wide = min(box.x1, second.x1) - max(box.x0, second.x0)
            high = min(box.y1, second.y1) - max(box.y0, second.y0)
            if wide > 1.5 and high > 2.5:
                faults.append(f"{drawn.name}: {text.get_text()} over {other.get_text()}")
    return faults


def test_hostile_words_do_no_harm(hostile: dict[str, Drawn], tmp_path: Path) -> None:
    assert set(hostile) == set(ALL) - {"duration", "dose_over_time", "waiting_cost"}
    for figure in hostile.values():
        figure.save(tmp_path, png=True)
        source = (tmp_path / f"{figure.name}.svg").read_text(encoding="utf-8")
        assert "<script" not in source
        assert "alert('x')</" not in source
        ET.fromstring(source)
    doses = pd.read_csv(tmp_path / "patients_by_dose.csv").dose
    assert doses[0] == HOSTILE[:290] + "one"


@given(st.text(max_size=300), st.floats(0.5, 20))
def test_any_words_fit(text: str, room: float) -> None:
    short = fit(text, room)
    assert width(short) <= room
    assert clean(short) == short
    assert all(width(line) <= room for line in wrap(text, room))


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=6, unique=True))
def test_names_stay_distinct(names: list[str]) -> None:
    assert len(set(names_within(names, 2.5))) == len(names)


def test_words_for_several() -> None:
    assert some(["one", "two", "three"], 30) == "one, two, three"
    assert some(["one", "two", "three"], 1.5) == "one +2"


# files


@pytest.fixture(scope="module")
def saved(drawn: dict[str, Drawn], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    for figure in drawn.values():
        figure.save(folder, png=True)
    return folder


def test_save_writes_a_picture_twice_and_its_data(drawn: dict[str, Drawn], saved: Path) -> None:
    for figure in drawn.values():
        tree = ET.fromstring((saved / f"{figure.name}.svg").read_bytes())
        assert tree.tag.endswith("svg")
        assert not [node for node in tree.iter() if node.tag.endswith(("script", "text"))]
        assert (saved / f"{figure.name}.png").read_bytes().startswith(b"\x89PNG")
        frame = pd.read_csv(saved / f"{figure.name}.csv")
        assert list(frame.columns) == list(figure.frame.columns)
        assert len(frame) == len(figure.frame)
    assert len(list(saved.iterdir())) == 3 * len(ALL)


def test_the_same_scenario_gives_the_same_bytes(
    scenario: Scenario, results: Results, drawn: dict[str, Drawn], saved: Path, tmp_path: Path
) -> None:
    def assert_same(figure: Drawn, *kinds: str) -> None:
        figure.save(tmp_path, png="png" in kinds)
        for kind in ("svg", "csv", *kinds):
            name = f"{figure.name}.{kind}"
            assert (saved / name).read_bytes() == (tmp_path / name).read_bytes(), name

    assert_same(drawn["p_go"], "png")
    for again in draw_all(material_of(scenario, results, check(scenario))):
        assert_same(again)


def test_seed_moves_the_points_and_not_the_curves(
    scenario: Scenario, results: Results, drawn: dict[str, Drawn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FIGURES", (p_go.draw,))
    (other,) = draw_all(material_of(scenario, results, None, seed=5))
    mine, theirs = drawn["p_go"].frame, other.frame
    exact = mine.kind == "exact"
    assert mine[exact].equals(theirs[exact])
    assert not mine[~exact].equals(theirs[~exact])


def test_drawing_needs_no_pyplot() -> None:
    code = "import sys, trialsim.figures; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels_of_marks_one_above_the_other_keep_their_order() -> None:
    above, below = Box(0.0, 1.0, 1.0, 1.3), Box(-0.1, 0.6, 1.2, 0.9)
    kept = in_order([above, below], [(0.5, 2.0), (0.5, 1.8)])
    assert kept == [above, below]
    first, second = in_order([above, below], [(0.5, 1.8), (0.5, 2.0)])
    assert first is not None and second is not None
    assert first.top < second.bottom and second.right <= above.right
    assert in_order([above, below], [(0.5, 1.8), (5.0, 2.0)]) == [above, below]  # not one above the other
