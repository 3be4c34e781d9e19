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
from trialsim.figures import style as printed
from trialsim.page.pictures import style
from trialsim.page.pictures.p_go import p_go
from trialsim.page.pictures.power_ledger import power_ledger
from trialsim.page.pictures.style import Picture, safe
from trialsim.running.run import Run
from trialsim.scenario.files import parse
from trialsim.writing.numbers import probability

NAMES = ("dasatinib", "teaching", "two-cohorts", "bop2-toxicity", "three-stage")


@cache
def found(name: str) -> Run:
    """A small run of a scenario."""
    return trialsim.run(config(name), replicates=200, seed=3)


def p_go_of(run: Run, **more: Any) -> Picture:
    shown = run.pictured
    return p_go(run.compiled, run.results, shown.ranges, shown.as_conducted, shown.conducted, **more)


def pictures(run: Run) -> list[Picture]:
    """Every picture that a run has."""
    return [p_go_of(run), *(power_ledger(run.scenario, ledger) for ledger in run.power.ledgers)]


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
            if "hovertext" in trace:
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
            e = oc.simulated.values["p_go"]
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
    assert picture.caption.startswith("Provisional: 200 trials a case so far.")
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
            if step.change:
                before = ledger.steps[row - 1].p_go
                assert moved[row] == pytest.approx((before, step.p_go))
            assert values["error_x"]["array"][row] == pytest.approx(1.96 * (step.change_mcse or 0))
            exact = "exact" if step.mcse is None else "simulated"
            assert exact in values["hovertext"][row] and picture.rows[row][-1].text == exact
        assert len(moved) == sum(bool(step.change) for step in ledger.steps)
        assert probability(ledger.steps[-1].p_go) in picture.alt
        assert ledger.case in picture.caption


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
    ledger = power_ledger(run.scenario, replace(run.power.ledgers[0], case=HOSTILE[0]))
    for picture in [*pictures(run), more, ledger]:
        for text in strings(picture.figure):
            assert "<" not in text.replace("<br>", ""), text
            assert ">" not in text.replace("<br>", ""), text
        # which plotly would fill in
        assert "template" not in json.dumps(picture.figure)


def test_colours_are_those_of_the_report() -> None:
    for colour in ("BLACK", "BLUE", "ORANGE", "GREY", "PALE"):
        assert getattr(style, colour) == getattr(printed, colour)
