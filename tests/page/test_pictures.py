"""The pictures of the page: their numbers are those of the run, their words cannot be read as anything else."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import trialsim
from tests.helpers import config
from trialsim.engine.boundary_runs import boundary_runs
from trialsim.figures import style as printed
from trialsim.page.pictures import style
from trialsim.page.pictures.analysis import analysis
from trialsim.page.pictures.boundary import boundary
from trialsim.page.pictures.candidates import candidates
from trialsim.page.pictures.compatibility import compatibility
from trialsim.page.pictures.en_pet import en_pet
from trialsim.page.pictures.harm import harm
from trialsim.page.pictures.heat_map import heat_map
from trialsim.page.pictures.monitor import monitor
from trialsim.page.pictures.months import months
from trialsim.page.pictures.p_go import p_go
from trialsim.page.pictures.power_ledger import power_ledger
from trialsim.page.pictures.style import Picture, safe
from trialsim.page.pictures.swimmer import swimmer
from trialsim.running.run import Run
from trialsim.scenario.files import parse
from trialsim.writing.numbers import percent, probability, value_text

NAMES = ("dasatinib", "teaching", "two-cohorts", "bop2-toxicity", "three-stage")


@cache
def found(name: str) -> Run:
    """A small run of a scenario."""
    return trialsim.run(config(name), replicates=500, seed=3)


def p_go_of(run: Run, **more: Any) -> Picture:
    shown = run.pictured
    return p_go(run.compiled, run.results, shown.ranges, shown.as_conducted, shown.conducted, **more)


def pictures(run: Run) -> list[Picture]:
    """Every picture that a run has."""
    ledgers = [power_ledger(run.scenario, ledger) for ledger in run.power.ledgers]
    return [p_go_of(run), *ledgers, *by_case(run), *of_engine(run)]


def by_case(run: Run, **more: Any) -> list[Picture]:
    """The pictures with a bar a case."""
    dated = [months(run.results, **more)] if run.compiled.dated else []
    return [en_pet(run.results, **more), harm(run.results, **more), *dated]


def of_engine(run: Run) -> list[Picture]:
    """The pictures of what is worked out beside the run."""
    trial, shown = run.compiled, run.pictured
    runs, heat = shown.boundary_runs, shown.heat_map
    drawn: list[Picture | str] = [
        swimmer(trialsim.trace(run.scenario, case, 2)) for case in run.scenario.truth
    ]
    drawn += [boundary(trial, runs)] if runs else []
    drawn += [heat_map(trial, heat)] if heat else []
    if run.checks:
        drawn += [compatibility(run.checks, case) for case in run.scenario.truth]
    return [picture for picture in drawn if isinstance(picture, Picture)]


def column(picture: Picture, head: str) -> list[Any]:
    """The numbers of a column of the table; the text where there is none."""
    k = picture.columns.index(head)
    return [row[k].text if row[k].value is None else row[k].value for row in picture.rows]


def strings(value: Any) -> list[str]:
    """Every text inside a figure."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in strings(each)]
    if isinstance(value, list):
        return [text for each in value for text in strings(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_plain_data_with_their_numbers_in_the_table(name: str) -> None:
    for picture in pictures(found(name)):
        text = json.dumps(picture.figure, allow_nan=False)
        assert json.loads(text) == picture.figure  # neither numpy's numbers nor tuples
        assert picture.figure["layout"]["height"] > 0 and "width" not in picture.figure["layout"]
        assert picture.rows and all(len(row) == len(picture.columns) for row in picture.rows)
        assert len(list(csv.reader(io.StringIO(picture.csv())))) == len(picture.rows) + 1
        assert picture.caption.endswith(".") and picture.alt.endswith(".")
        for trace in picture.figure["data"]:
            if "hovertext" in trace and trace["type"] != "heatmap":
                assert len(trace["hovertext"]) == len(trace["x"]) == len(trace["y"])


@pytest.mark.parametrize("name", NAMES)
def test_p_go_marks_every_case_where_the_results_have_it(name: str) -> None:
    run = found(name)
    picture = p_go_of(run)
    marks = [t for t in picture.figure["data"] if t.get("marker", {}).get("symbol") == "diamond"]
    assert len(marks) == len(run.results.cases)
    whats, values = column(picture, "What"), column(picture, "P(go)")
    for oc, mark in zip(run.results.cases, marks, strict=True):
        row = whats.index(f"case {oc.case}")
        if oc.exact is not None:
            assert mark["y"] == [oc.exact.values["p_go"]] and "error_y" not in mark
            assert "exact" in mark["hovertext"][0] and picture.rows[row][-1].text == "exact"
        else:
            assert oc.simulated is not None
            e = oc.told["p_go"]
            assert mark["y"] == [e.estimate]
            assert mark["error_y"]["array"] == pytest.approx([e.high - e.estimate])
            assert mark["error_y"]["arrayminus"] == pytest.approx([e.estimate - e.low])
            assert f"95% interval {probability(e.low)} to {probability(e.high)}" in mark["hovertext"][0]
            assert picture.rows[row][3].value == e.low and picture.rows[row][4].value == e.high
        assert values[row] == mark["y"][0]
        assert f"{oc.case} {probability(mark['y'][0])}" in picture.alt


@pytest.mark.parametrize("name", NAMES)
def test_p_go_lines_are_the_exact_curves_and_its_dots_the_simulated_points(name: str) -> None:
    run = found(name)
    data = {trace["name"]: trace for trace in p_go_of(run).figure["data"]}
    conducted, points = data["the trial as conducted"], run.pictured.as_conducted.points
    alone = next((t for key, t in data.items() if key.startswith("the design alone")), None)
    first = run.pictured.curves.curves[0]
    if alone is not None:
        assert alone["x"] == first.response.tolist() and alone["y"] == first.values["p_go"].tolist()
    if points:
        assert conducted["x"] == list(points) and conducted["mode"] == "lines+markers"
        assert conducted["y"] == [e.estimate for e in points.values()]
    else:
        assert conducted["mode"] == "lines" and "error_y" not in conducted
    whats, values = column(p_go_of(run), "What"), column(p_go_of(run), "P(go)")
    for key, trace in data.items():
        if trace["mode"] != "markers":
            assert [v for what, v in zip(whats, values, strict=True) if what == key] == trace["y"]


def test_p_go_shows_p0_p1_the_observed_rate_and_pins() -> None:
    run = found("dasatinib")
    pin = found("teaching").pictured.conducted[0]
    picture = p_go_of(run, pins=[("before <b>", pin)], provisional=True)
    data, layout = picture.figure["data"], picture.figure["layout"]
    seen = run.pictured.ranges.observed
    assert seen is not None and (seen.count, seen.denominator) == (3, 69)
    bar = next(trace for trace in data if "error_x" in trace)
    assert bar["x"] == [3 / 69] and bar["x"][0] - bar["error_x"]["arrayminus"][0] == pytest.approx(seen.low)
    assert {shape["x0"] for shape in layout["shapes"] if shape["type"] == "line"} == {0.05, 0.15}
    assert {"p0 = 5%", "p1 = 15%"} <= {each["text"] for each in layout["annotations"]}
    pinned = next(trace for trace in data if trace["name"].startswith("before"))
    assert pinned["name"] == "before &lt;b&gt;" and pinned["y"] == list(pin.p_go)
    assert picture.caption.startswith("Provisional: 500 trials a case so far.")
    assert "provisional" in picture.alt.lower() and "3 of 69 evaluable, 4.35%" in picture.alt
    assert any("provisional" in text for text in strings(data))
    assert "provisional" not in json.dumps(p_go_of(run).figure)


@pytest.mark.parametrize("name", NAMES)
def test_power_ledger_steps_add_up_to_the_run(name: str) -> None:
    run = found(name)
    for ledger in run.power.ledgers:
        picture = power_ledger(run.scenario, ledger)
        values = picture.figure["data"][-1]
        assert values["x"] == [step.p_go for step in ledger.steps] == column(picture, "P(go)")
        bars = [trace for trace in picture.figure["data"] if trace["type"] == "bar"]
        moved = {row: (base, base + change) for bar in bars
                 for row, base, change in zip(bar["y"], bar["base"], bar["x"], strict=True)}  # fmt: skip
        for row, step in enumerate(ledger.steps):
            if step.effect:
                assert moved[row] == pytest.approx(((step.p_go or 0) - step.effect, step.p_go))
            if step.effect and step.same_patients is None:
                assert moved[row][0] == pytest.approx(ledger.steps[row - 1].p_go)
            assert values["error_x"]["array"][row] == pytest.approx(1.96 * (step.effect_mcse or 0))
            exact = "exact" if step.mcse is None else "simulated"
            assert exact in values["hovertext"][row] and picture.rows[row][-1].text == exact
        assert len(moved) == sum(bool(step.effect) for step in ledger.steps)
        assert probability(ledger.steps[-1].p_go) in picture.alt
        assert ledger.case in picture.caption


@pytest.mark.parametrize("name", NAMES)
def test_bars_of_cases_are_the_numbers_of_the_results(name: str) -> None:
    run = found(name)
    for picture in by_case(run):
        rows = {(row[0].text, row[1].text): row for row in picture.rows}
        assert len(rows) == len(picture.rows)
        for oc in run.results.cases:
            mine = {row["label"]: row for row in oc.rows()}
            drawn = {what: row for (case, what), row in rows.items() if case == oc.case}
            assert drawn and oc.case in picture.alt
            for what, row in drawn.items():
                exact, e = mine[what]["exact"], mine[what]
                assert row[-1].text == ("simulated" if exact is None else "exact")
                assert row[2].value == (e["estimate"] if exact is None else exact)
                ends = (e["low"], e["high"]) if exact is None else (None, None)
                assert (row[3].value, row[4].value) == ends
                words = value_text(e["quantity"], row[2].value)
                assert picture.name == "months" or words in picture.alt or "_dose_" in e["quantity"] or (
                    e["quantity"].startswith("p_") and picture.name == "en_pet"
                )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_bar_is_in_the_table_and_parts_add_up(name: str) -> None:
    for picture in by_case(found(name)):
        numbers = {row[2].value for row in picture.rows}
        for trace in picture.figure["data"]:
            if trace["type"] == "bar" or "error_x" in trace:
                assert set(trace["x"]) <= numbers
    upper = en_pet(found(name).results)
    sums = next(trace for trace in upper.figure["data"] if "error_x" in trace)
    ends: dict[float, float] = {}
    for trace in upper.figure["data"]:
        if trace["type"] == "bar" and "xaxis" not in trace:
            for x, y, base in zip(trace["x"], trace["y"], trace["base"], strict=True):
                assert base == pytest.approx(ends.get(y, 0.0))
                ends[y] = base + x
    assert [ends[y] for y in sums["y"]] == pytest.approx(sums["x"])
    for oc, x, up in zip(found(name).results.cases, sums["x"], sums["error_x"]["array"], strict=True):
        high = oc.simulated.values["en"].high - x if oc.exact is None and oc.simulated else 0.0
        assert up == pytest.approx(high)


def test_bars_of_cases_say_provisional_only_where_it_is() -> None:
    run = found("dasatinib")
    for sure, so_far in zip(by_case(run), by_case(run, provisional=True), strict=True):
        assert so_far.caption.startswith("Provisional: 500 trials a case so far.")
        assert so_far.alt.startswith("Provisional: ")
        assert any("provisional" in text for text in strings(so_far.figure))
        assert "rovisional" not in json.dumps(sure.figure) + sure.caption + sure.alt


def test_harm_has_no_row_for_what_a_case_does_not_state() -> None:
    rows = harm(found("dasatinib").results).rows
    serious = [row for row in rows if "serious" in row[1].text]
    assert [row[0].text for row in serious] == ["as_observed"]
    assert all(row[2].value == row[2].value for row in rows)


def test_months_show_the_median_its_range_and_the_parts() -> None:
    run = found("dasatinib")
    picture = months(run.results)
    dots = next(trace for trace in picture.figure["data"] if "error_x" in trace)
    for k, oc in enumerate(run.results.cases):
        assert oc.simulated is not None
        of = {name: e.estimate for name, e in oc.simulated.values.items()}
        middle = of["duration_median_months"]
        assert dots["x"][k] == middle
        assert dots["error_x"]["array"][k] == pytest.approx(of["duration_p90_months"] - middle)
        assert dots["error_x"]["arrayminus"][k] == pytest.approx(middle - of["duration_p10_months"])
        assert f"{oc.case}: median {middle:.1f} months" in picture.alt
        bars = [trace for trace in picture.figure["data"] if trace["type"] == "bar"]
        assert sum(bar["x"][k] for bar in bars) == pytest.approx(of["duration_months"])


@pytest.mark.parametrize("name", NAMES)
def test_the_boundary_and_its_trials_are_those_of_the_run(name: str) -> None:
    run = found(name)
    runs = run.pictured.boundary_runs
    if runs is None:
        assert name in ("bop2-toxicity", "three-stage")
        return
    picture = boundary(run.compiled, runs)
    rows = runs.rows()
    stairs = next(trace for trace in picture.figure["data"] if trace["name"].startswith("boundary"))
    own = [(row["patients"], row["toxicities"]) for row in rows if row["series"] == "boundary"]
    table = [(row[1].value, row[2].value) for row in picture.rows]
    assert list(zip(stairs["x"], stairs["y"], strict=True)) == own == table[: len(own)]
    last = {row["trial"]: row for row in rows if row["series"] == "simulated"}
    assert table[len(own) : len(own) + len(last)] == [(r["patients"], r["toxicities"]) for r in last.values()]
    reached = sum(m is not None for m in runs.crossings)
    crosses = [t for t in picture.figure["data"] if t["name"] == "a simulated trial reaches the boundary"]
    assert sum(len(trace["x"]) for trace in crosses) == reached
    assert f"{reached} of 25 simulated trials of case {runs.case}" in picture.alt
    if runs.observed:
        assert table[-1] == runs.observed[::-1] and f"Observed: {runs.observed[0]} of" in picture.alt


@pytest.mark.parametrize("name", NAMES)
def test_the_heat_map_has_every_cell_and_every_case(name: str) -> None:
    run = found(name)
    heat = run.pictured.heat_map
    if heat is None:
        assert not any(picture.name == "heat_map" for picture in pictures(run))
        return
    picture = heat_map(run.compiled, heat)
    cells, *others = picture.figure["data"]
    assert cells["z"] == heat.p_go.tolist()
    assert [tuple(cell.value for cell in row) for row in picture.rows] == [
        (row["response"], row["toxicity"], row["p_go"]) for row in heat.rows()
    ]
    assert probability(float(heat.p_go[0, -1])) in picture.alt
    marked = " ".join(trace["name"] for trace in others if trace["type"] == "scatter")
    assert all(case in marked for case in run.scenario.truth)


def test_the_swimmer_has_a_row_a_patient() -> None:
    trace = trialsim.trace(config("dasatinib"), "active", 2)
    picture = swimmer(trace)
    assert isinstance(picture, Picture)
    days = [patient["response_first_seen_day"] for patient in trace.patients]
    assert column(picture, "Response first seen, day") == ["–" if day is None else day for day in days]
    stars = next(t for t in picture.figure["data"] if t["name"] == "response first seen")
    assert stars["y"] == [i for i, day in enumerate(days, 1) if day is not None]
    assert stars["x"] == pytest.approx([day / 30.4375 for day in days if day is not None])
    courses = sum(len(each) for each in trace.courses)
    assert sum(len(t["x"]) for t in picture.figure["data"] if t["type"] == "bar") == courses
    assert f"{len(trace.patients)} patients treated" in picture.alt
    undated = swimmer(trialsim.trace(config("three-stage")))
    assert isinstance(undated, str) and "“Calendar time”" in undated


def test_found_designs_can_be_picked() -> None:
    designs = trialsim.find("simon", p0=0.1, p1=0.3, alpha=0.1, beta=0.1)
    picture = candidates(designs, designs["optimal"].design)
    assert isinstance(picture, Picture)
    points, chosen = (t for t in picture.figure["data"] if "customdata" in t)
    once = {d.design: d for d in designs}
    assert points["customdata"] == list(once) == column(picture, "Design")
    assert points["x"] == [d.n for d in once.values()] == column(picture, "n")
    assert points["y"] == [d.en_p0 for d in once.values()] == column(picture, "EN at p0")
    assert chosen["customdata"] == [designs["optimal"].design]
    # Simon 1989, table 1
    optimal = designs["optimal"]
    assert (optimal.r1, optimal.n1, optimal.r, optimal.n, round(optimal.en_p0 or 0, 1)) == (
        1,
        12,
        5,
        35,
        19.8,
    )
    assert f"optimal {optimal.design} with n 35 and EN 19.8" in picture.alt
    json.dumps(picture.figure, allow_nan=False)
    assert len([t for t in candidates(designs, "no design").figure["data"] if "customdata" in t]) == 1  # type: ignore[union-attr]


def test_compatibility_shows_what_the_check_says() -> None:
    run = found("dasatinib")
    checks = run.checks
    assert checks is not None
    for case in run.scenario.truth:
        picture = compatibility(checks, case)
        assert isinstance(picture, Picture)
        rows = [r for r in checks if r.case == case and r.conditioning == "given_sizes" and r.pmf is not None]
        bars = [trace for trace in picture.figure["data"] if trace["type"] == "bar"]
        assert len(bars) == min(len(rows), 6)
        values: list[float] = []
        for row, bar in zip(rows, bars, strict=False):
            assert row.pmf is not None
            assert bar["y"] == [row.pmf[k] for k in bar["x"]] and row.observed in bar["x"]
            assert sum(bar["y"]) > 0.98
            values += bar["y"]
            assert f"{row.observed} of {row.denominator} patients, predicted" in picture.alt
        assert column(picture, "Probability") == values
    assert "no rate" in str(compatibility(checks, "no such case"))


def test_monitor_shows_every_chance_of_the_answer() -> None:
    aids = trialsim.monitor(config("teaching"), now=[20, 3, 4])
    picture = monitor(aids)
    assert isinstance(picture, Picture) and aids.present is not None
    goes = [row["p_go"] for row in aids.present_rows()]
    now = next(trace for trace in picture.figure["data"] if trace["name"] == "P(go) from here on")
    assert now["x"] == goes
    assert [v for v in column(picture, "From here on") if v in goes] == goes
    before = next(trace for trace in picture.figure["data"] if "before" in trace["name"])
    assert before["x"] == list(aids.p_go.values())
    assert (
        "3 responses among 20 patients" in picture.alt and probability(aids.present.predictive) in picture.alt
    )
    assert isinstance(monitor(trialsim.monitor(config("teaching"))), str)


def test_analysis_shows_the_estimate_and_every_interval() -> None:
    for each in trialsim.analyse(config("dasatinib")).sets:
        picture = analysis(each)
        drawn = [t for t in picture.figure["data"] if t["mode"] == "lines+markers"]
        known = [row for row in each.intervals if row.low is not None]
        first = each.interval
        assert drawn[0]["x"] == [first.low, first.high]
        assert sorted(t["x"] for t in drawn) == sorted([row.low, row.high] for row in known)
        table = [[row[2].value, row[3].value] for row in picture.rows if row[2].value is not None]
        assert table == [t["x"] for t in drawn]
        assert picture.rows[0][1].value == each.estimate and percent(each.estimate) in picture.alt
        json.dumps(picture.figure, allow_nan=False)


HOSTILE = [
    "<b>bold</b>",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;b&gt;",
    "%{y} $x$ & co",
    "a\u202eb\nc",
    "</script><img src=x onerror=alert(1)>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_a_tag_an_entity_or_a_direction(text: str) -> None:
    shown = safe(text)
    assert "<" not in shown and ">" not in shown and "\n" not in shown and "\u202e" not in shown
    entities = shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "&" not in entities
    plain = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain == text.replace("\u202e", "").replace("\n", " ")


def test_long_text_keeps_both_ends() -> None:
    assert safe("a" * 50 + "z", 10) == "aaaaaa…aaz" and safe("short", 10) == "short"


def hostile() -> Run:
    """A scenario whose names are attacks, as far as a scenario may have such names."""
    text = json.dumps(
        {
            "schema": 1,
            "name": HOSTILE[5],
            "endpoint": HOSTILE[0],
            "design": {"kind": "simon", "n1": 6, "r1": 0, "n": 12, "r": 3, "p0": 0.1, "p1": 0.4},
            "doses": HOSTILE[:2],
            "dose_reduction": {
                "rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1},
                "at_lowest_dose": "stop",
            },
            "truth": {
                "inactive": {"response": 0.1, "toxicity": [0.5, 0.3]},
                "active": {"response": [0.4, 0.3], "toxicity": [0.5, 0.3]},
            },
            "observed": {"treated": 12, "evaluable": 12, "responses": 4, "toxicities": 5},
            "conduct": {"accrual": {"per_month": 3}, "assessment_weeks": [8, 16], "toxicity_window_weeks": 6},
        }
    )
    return trialsim.run(parse(text), replicates=50, seed=1)


def test_hostile_names_stay_text() -> None:
    run = hostile()
    shown = run.pictured
    cases = tuple(replace(case, case=text) for case in shown.as_conducted.cases for text in HOSTILE)
    pins = [(HOSTILE[1], shown.conducted[0])]
    named = replace(shown.as_conducted, cases=cases)
    more = p_go(
        run.compiled,
        run.results,
        shown.ranges,
        named,
        shown.conducted,
        pins=pins,
    )
    ledger = run.power.ledgers[0]
    renamed = run.scenario.model_copy(update={"truth": {HOSTILE[0]: run.scenario.truth[ledger.case]}})
    ledger = power_ledger(renamed, replace(ledger, case=HOSTILE[0]))
    results = replace(
        run.results, cases=tuple(replace(oc, case=text) for oc in run.results.cases for text in HOSTILE)
    )
    cases = [each(results) for each in (en_pet, harm, months)]
    path = swimmer(replace(trialsim.trace(run.scenario), doses=(HOSTILE[0], HOSTILE[5])))
    aids = monitor(trialsim.monitor(run.scenario, now=[6, 2, 1]))
    assert isinstance(path, Picture) and isinstance(aids, Picture)
    assert shown.boundary_runs is not None
    stairs = boundary(run.compiled, replace(shown.boundary_runs, case=HOSTILE[5]))
    for picture in [*pictures(run), more, ledger, *cases, path, aids, stairs]:
        for text in strings(picture.figure):
            assert "<" not in text.replace("<br>", ""), text
            assert ">" not in text.replace("<br>", ""), text
        # which plotly would fill in
        assert "template" not in json.dumps(picture.figure)


def test_colours_are_those_of_the_report() -> None:
    for colour in ("BLACK", "BLUE", "ORANGE", "GREY", "PALE"):
        assert getattr(style, colour) == getattr(printed, colour)


def test_the_boundary_is_shown_with_trials_of_the_case_that_is_looked_at() -> None:
    trial = trialsim.run(config("dasatinib"), replicates=200).compiled
    first, wanted, odd = (boundary_runs(trial, 2011, case) for case in ("", "as_observed", "no such case"))
    assert first and wanted and odd
    assert (first.case, wanted.case, odd.case) == ("inactive", "as_observed", "inactive")
    assert wanted.toxicity == (0.37, 0.37) and wanted.trials != first.trials
    assert "of case as_observed" in boundary(trial, wanted).caption
