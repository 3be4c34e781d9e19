"""A trace is the very trial that a run simulated, told by patient; its picture and its command say the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import trialsim
from tests.helpers import DASATINIB, TEACHING, run
from trialsim.engine.montecarlo import paths
from trialsim.engine.timed import timed
from trialsim.engine.traces import Trace, trace
from trialsim.engine.trials import untimed
from trialsim.errors import OutputError, TrialsimError
from trialsim.figures.swimmer import draw
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import trial as plain
from trialsim.kernels.streams import stream_key
from trialsim.reporting.trace import write
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario
from trialsim.writing.markdown import markdown

CONDUCT = {
    "accrual": {"per_month": 6},
    "assessment_weeks": [8, 16, 24],
    "toxicity_window_weeks": 8,
    "interim": "continue",
}
OWN = {
    "rules": "own",
    "strata": [{"name": "A", "share": 0.5}, {"name": "B", "share": 0.3}, {"name": "C", "share": 0.2, "cohort": "B"}],
}  # fmt: skip


def scenario_of(**keys: object) -> Scenario:
    base = {
        "schema": 1,
        "name": "a trial",
        "endpoint": "response",
        "design": {"kind": "simon", "n1": 12, "r1": 1, "n": 30, "r": 5, "p0": 0.1, "p1": 0.3},
        "doses": ["high", "low", "lowest"],
        "dose_amounts": [100, 70, 50],
        "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}},
        "evaluability": {"probability": 0.9},
        "conduct": CONDUCT,
        "truth": {
            "only": {"response": 0.2, "toxicity": [0.6, 0.5, 0.4], "serious": 0.2, "stable_disease": 0.3}
        },
        "simulation": {"replicates": 500, "seed": 3},
    }
    return Scenario.model_validate(base | keys)


VARIANTS = [
    {},
    {"conduct": CONDUCT | {"interim": "pause", "review_lag_weeks": 2, "amendment_lag_weeks": 4}},
    {"conduct": CONDUCT | {"toxicity_known": "as_it_happens", "interim": "early_decision"}},
    {"conduct": CONDUCT | {"overrun": "exclude"}},
    {"conduct": CONDUCT | {"patient_reductions": {"max_reductions": 2, "exposure_weight": 0.5}}},
    {"conduct": CONDUCT | {"withdrawal_per_month": 0.1}, "evaluability": {"probability": 0.8, "replaced": True}},
    {"cohorts": OWN},
    {"cohorts": OWN, "conduct": None},
    {"dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}, "on_dose_change": "restart"}},
]  # fmt: skip


@pytest.mark.parametrize("keys", VARIANTS, ids=range(len(VARIANTS)))
def test_the_patients_of_a_trace_add_up_to_the_row_of_the_run(keys: dict[str, object]) -> None:
    scenario = scenario_of(**keys)
    compiled = Compiled.of(scenario)
    trials = timed(compiled)["only"]
    rows = trials.rows(stream_key(3), 0, 40)
    for k in range(40):
        traced = trace(compiled, "only", k + 1)
        row, patients = rows[k].tolist(), traced.patients
        assert traced.row == tuple(row)
        assert len(patients) == row[column.TREATED]
        counted = [p for p in patients if p.get("reported", 1)]
        assert len(counted) == row[column.N]
        assert sum(p["evaluable"] for p in counted) == row[column.EVALUABLE]
        assert sum(p["serious"] for p in counted) == row[column.SERIOUS_N]
        assert sum(p["disease_control"] for p in counted) == row[column.CONTROLLED]
        for level, dose in enumerate(scenario.doses):
            at = [p for p in counted if p["dose"] == dose]
            found = [len(at), sum(p["response"] for p in at), sum(p["toxicity"] for p in at)]
            assert row[column.LEVELS + 3 * level : column.LEVELS + 3 * level + 3] == found
        if traced.dated:
            assert sum(p["overrun"] for p in patients) == row[column.OVERRUN]
            assert [p["patient"] for p in patients] == list(range(1, len(patients) + 1))
            assert traced.last_day == round(row[column.DURATION] / 1024, 3)
            assert traced.decided_day == round(row[column.DECIDED_AT] / 1024, 3)
            assert [e.day for e in traced.events] == sorted(e.day for e in traced.events)


def test_a_trace_is_the_trial_of_the_quick_kernel() -> None:
    compiled = Compiled.of(load(DASATINIB))
    for case, trials in timed(compiled).items():
        assert trials.abreast
        quick = trials.rows(stream_key(2011), 0, 30)
        scalar = replace(trials, abreast=False).rows(stream_key(2011), 0, 30)
        assert (quick == scalar).all()
        assert [trace(compiled, case, k + 1).row for k in range(30)] == [tuple(r) for r in quick.tolist()]


def test_without_a_calendar_it_is_the_trial_of_the_untimed_kernel() -> None:
    scenario = load(TEACHING)
    rules, name = compile_rules(scenario), "active"
    rows = untimed(rules, Compiled.of(scenario).rates)[name].rows(stream_key(1), 0, 30)
    codes = paths(rules, Compiled.of(scenario).rates[name], 1, 30)
    for k in range(30):
        traced = trace(scenario, name, k + 1)
        assert not traced.dated and traced.courses == ()
        assert not [key for key in traced.patients[0] if key.endswith("_day")]
        code = [
            1 + 8 * scenario.doses.index(p["dose"]) + 4 * p["evaluable"] + 2 * p["response"] + p["toxicity"]
            for p in traced.patients
        ]
        assert codes[k, : len(code)].tolist() == code and not codes[k, len(code) :].any()
        assert traced.row[column.END] == rows[k, plain.END] and traced.row[column.N] == rows[k, plain.N]


@pytest.mark.parametrize("number", [10**6, 2**48])
def test_any_replicate_can_be_traced(number: int) -> None:
    scenario = load(DASATINIB)
    row = timed(Compiled.of(scenario))["active"].rows(stream_key(7), number - 1, 1)
    assert trace(scenario, "active", number, 7).row == tuple(row[0].tolist())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"case": "activ"}, "did you mean `active`"),
        ({"case": "nothing"}, "inactive, active, active_dose_response, as_observed"),
        ({"trial": 0}, "from 1 to 281474976710656"),
        ({"trial": 2**48 + 1}, "from 1 to 281474976710656"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 2**63}, "whole number"),
    ],
)
def test_what_cannot_be_traced(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(TrialsimError, match=re.escape(words)):
        trace(load(DASATINIB), **arguments)


def wanted(scenario: Scenario, condition: object) -> Trace:
    """The first trial with a property."""
    assert callable(condition)
    return next(t for t in (trace(scenario, "only", k) for k in range(1, 400)) if condition(t))


def test_events_are_those_of_the_trial() -> None:
    scenario = scenario_of(conduct=CONDUCT | {"interim": "pause", "review_lag_weeks": 2})
    traced = wanted(scenario, lambda t: "final" in t.end and any(p["dose"] == "low" for p in t.patients))
    told = [event.what for event in traced.events]
    trigger = next(event for event in traced.events if event.what.startswith("dose reduction triggered"))
    assert trigger.day == traced.triggered_day
    m, cut = map(int, re.findall(r"first (\d+) patients at high \(cut-off (\d+)\)", trigger.what)[0])
    at_start = [p for p in traced.patients if p["dose"] == "high"][:m]
    assert sum(p["toxicity"] for p in at_start) == cut
    first = next(p for p in traced.patients if p["dose"] == "low")
    lowered = f"patient {first['patient']} is the first to start at low"
    assert next(event for event in traced.events if event.what == lowered).day == first["enrolled_day"]
    switch = [event for event in traced.events if event.what == "switch takes effect"]
    assert all(trigger.day < event.day <= first["enrolled_day"] for event in switch)
    look = next(event for event in traced.events if event.what.startswith("look: responses in"))
    responses = sum(p["response"] for p in traced.patients[:12])
    known = max(p["outcome_known_day"] for p in traced.patients[:12])
    assert (
        look.what == f"look: responses in {responses} of the first 12 patients; on to the look at 30 patients"
    )
    assert look.day == pytest.approx(known + 14, abs=0.002)
    assert f"decision: {traced.end}" in told
    parts = [float(x) for x in re.findall(r"[\d.]+", told[-2])]
    assert parts[0] == pytest.approx(sum(parts[1:]), abs=0.2)


def test_a_patients_own_reductions_are_courses() -> None:
    hold = 2 * 7
    rule = {"hold_weeks": 2, "max_reductions": 2, "exposure_weight": 0.5}
    scenario = scenario_of(conduct=CONDUCT | {"patient_reductions": rule})
    seen = set()
    for k in range(1, 30):
        traced = trace(scenario, "only", k)
        for patient, courses in zip(traced.patients, traced.courses, strict=True):
            seen.add(len(courses))
            assert len(courses) == 1 + patient["own_dose_reductions"]
            assert courses[0].begin == patient["enrolled_day"]
            level = scenario.doses.index(patient["dose"])
            assert [c.level for c in courses] == list(range(level, level + len(courses)))
            assert all(
                b.begin - a.end == pytest.approx(hold, abs=0.002)
                for a, b in zip(courses, courses[1:], strict=False)
            )
            if len(courses) > 1:
                assert courses[0].end == patient["toxicity_onset_day"]
            # what the kernel says was received up to the visit at which treatment ends by itself
            if not patient["off_treatment"] and len(courses) == 3:
                amounts = scenario.dose_amounts
                received = sum(amounts[c.level] * (c.end - c.begin) for c in courses)
                whole = amounts[level] * (patient["treatment_ended_day"] - patient["enrolled_day"])
                assert patient["relative_dose_intensity"] == pytest.approx(received / whole, abs=0.25)
    assert seen == {1, 2, 3}


def test_a_trace_prints_itself_and_is_a_frame() -> None:
    traced = trace(load(DASATINIB), "as_observed", 3)
    frame = traced.to_frame()
    assert isinstance(frame, pd.DataFrame) and len(frame) == len(traced.patients)
    printed = str(traced)
    assert "Trial 3 of case as_observed, seed 2011" in printed and traced.end in printed
    _, patients = printed.split("THE PATIENTS")
    table = [line for line in patients.splitlines() if re.match(r" *\d+  +\d", line)]
    assert len(table) == len(traced.patients)
    for event in traced.events:
        assert event.what in printed


@pytest.mark.parametrize("n", [10, 80])
def test_swimmer_plot(n: int) -> None:
    scenario = scenario_of(design={"kind": "single_stage", "n": n, "r": n // 5, "p0": 0.1, "p1": 0.3})
    drawn = draw(trace(scenario, "only", 2))
    (axes,) = drawn.figure.axes
    assert axes.get_xlabel() == "Months since the first patient started"
    assert axes.get_ylabel() == "Patients in order of enrolment"
    assert len(axes.patches) >= len(drawn.frame) and axes.yaxis_inverted()
    # the key is above the bars and inside the picture
    top = axes.get_position().y1
    keys = [text for text in drawn.figure.texts if "month" in text.get_text()]
    assert keys and all(top < text.get_position()[1] < 1 for text in keys)
    assert drawn.figure.get_figheight() * 2.54 < 25


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".csv"])
def test_the_same_trial_gives_the_same_file(suffix: str, tmp_path: Path) -> None:
    traced = trace(scenario_of(), "only", 4)
    for name in ("a", "b"):
        write(traced, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(OutputError, match="exists"):
        write(traced, tmp_path / f"a{suffix}")


def test_no_swimmer_plot_without_a_calendar(tmp_path: Path) -> None:
    with pytest.raises(TrialsimError, match="conduct"):
        write(trace(load(TEACHING)), tmp_path / "a.svg")
    write(trace(load(TEACHING)), tmp_path / "a.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["trace", str(DASATINIB), "--trial", "5", "--case", "active", "--seed", "8"]
    assert run([*asked, "--output", "t.svg"], monkeypatch) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{trace(load(DASATINIB), 'active', 5, 8)}\n\nt.svg\n"
    assert not printed.err.strip() or printed.err.startswith("Compiling")
    assert (tmp_path / "t.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--trial", "0"], "from 1 to"),
        (["--trial", str(2**48 + 1)], "from 1 to"),
        (["--trial", "two"], "--trial: `two` is text, not a whole number"),
        (["--case", "nobody"], "inactive, active"),
        (["--seed", "-4"], "seed = -4"),
        (["--output", "t.txt"], ".svg, .png, .pdf or .csv"),
        (["--output", "nowhere/t.csv"], "nowhere is not a folder"),
        (["--output", "there.csv"], "there.csv exists"),
    ],
)
def test_what_the_command_refuses(
    more: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.csv").write_text("mine")
    assert run(["trace", str(DASATINIB), *more], monkeypatch) == 2
    printed = capsys.readouterr()
    assert words in " ".join(printed.err.replace("│", "").split()) and not printed.out
    assert "Traceback" not in printed.err
    assert Path("there.csv").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_an_output_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["trace", str(DASATINIB), "--output", f"{'x' * 250}.svg.csv"], monkeypatch) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_trace_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traced = trialsim.trace(load(DASATINIB), trial=2)
    assert isinstance(traced, trialsim.Trace)
    assert len(repr(traced)) < 200
    assert "The patients" in traced._repr_html_()
    assert [picture.name for picture in traced.figures()] == ["swimmer"]
    assert not trace(load(TEACHING)).figures()
    assert "| No. |" in markdown(traced.report())
    monkeypatch.chdir(tmp_path)
    assert run(["trace", str(DASATINIB), "--trial", "2", "-o", "out", "--docx", "-q"], monkeypatch) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"report.html", "report.md", "report.docx"}
    kept = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    assert [patient["dose"] for patient in kept["patients"]] == list(traced.to_frame()["dose"])
    assert len(kept["events"]) == len(traced.events)
    assert len(kept["courses"]) == sum(map(len, traced.courses))
    assert trialsim.reproduce(tmp_path / "out")[0]
