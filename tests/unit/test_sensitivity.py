"""Sensitivity analyses: quick scenarios, points kept and resumed, the same bits anywhere, and the folder written."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest

from tests.helpers import CONFIGS, numbers_in, run, unrendered
from tests.unit.test_sensitivity_grammar import GOOD, TEXT
from trialsim.errors import OutputError, TrialsimError
from trialsim.reporting.sensitivity import document, sections
from trialsim.results import digits12
from trialsim.scenario.changes import ChangeError, changed
from trialsim.scenario.files import load, parse
from trialsim.scenario.model import Scenario
from trialsim.varying.analysed import input_words
from trialsim.varying.assess import assess, expected
from trialsim.varying.evaluate import Asked, Evaluator
from trialsim.varying.kept_points import Kept
from trialsim.varying.points import Points
from trialsim.writing.report import Terms

TIMED = load(CONFIGS / "dasatinib.yaml")

POINTS: tuple[dict[str, Any], ...] = (
    {},
    {"truth.active.response": 0.11},
    {"truth.active.response[1]": 0.11},
    {"truth.*.odds_ratio": 4},
    {"truth.*.toxicity[0]": 0.5, "evaluability.probability": 0.9},
    {"truth.active.toxicity": [0.5, 0.1]},
    {"truth.as_observed.serious[0]": 0.2, "truth.as_observed.toxicity": 0.4},
    {"conduct.accrual.per_month": 3},
    {"conduct.interim": "pause"},
    {"evaluability": {"probability": 0.8}},
    {"conduct": None},
)


def outcome(make: Callable[[], Scenario]) -> Scenario | str:
    """A scenario, or why there is none."""
    try:
        return make()
    except ChangeError as error:
        return str(error)


@pytest.mark.parametrize("name", ["dasatinib", "teaching", "two-cohorts", "restart"])
def test_quick_scenarios_are_those_of_changes(name: str) -> None:
    stated = load(CONFIGS / f"{name}.yaml")
    points = Points(stated)
    made = 0
    for point in POINTS:
        known = outcome(lambda point=point: changed(stated, point))  # type: ignore[misc]
        assert outcome(lambda point=point: points(point)) == known  # type: ignore[misc]
        made += not isinstance(known, str)
    assert made >= 5


def test_quick_scenarios_refuse_what_changes_refuses() -> None:
    points = Points(load(CONFIGS / "dasatinib.yaml"))
    assert points({"truth.active.response": 0.2}).truth["active"].response == 0.2
    for path, value in (("truth.active.response", 1.2), ("truth.as_observed.serious", 0.5)):
        points({path: 0.1})
        with pytest.raises(ChangeError, match=r"outside 0 to 1|cannot exceed that of toxicity"):
            points({path: value})


def test_each_point_is_worked_out_once() -> None:
    counted: list[int] = []
    evaluator = Evaluator(parse(TEXT), progress=counted.append)
    asked = Asked("active")
    first = evaluator(asked, [{"truth.active.response": 0.2}, {"truth.active.response": 0.2}, {}])
    again = evaluator(asked, [{}, {"truth.active.response": 0.2}])
    assert first[0] == first[1] == again[1]
    assert first[2] == again[0]
    assert len(evaluator.kept.points) == 2
    assert sum(counted) == 5


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.points"
    whole = assess(TIMED, only="duration by accrual", replicates=2_000)
    done: list[int] = []

    def stop(count: int) -> None:
        done.append(count)
        raise KeyboardInterrupt

    with Kept(path) as kept, pytest.raises(KeyboardInterrupt):
        Evaluator(TIMED, replicates=2_000, progress=stop, kept=kept)(
            Asked("active"), [{"conduct.accrual.per_month": 2}, {"conduct.accrual.per_month": 3}]
        )
    torn = path.read_bytes()
    path.write_bytes(torn + torn[-100:-1])  # as if the machine had gone down in the middle of a line
    with Kept(path, resume=True) as kept:
        assert kept.resumed == 2
        again = assess(TIMED, only="duration by accrual", replicates=2_000, kept=kept)
        assert len(kept.points) == 10
    assert again == whole
    with Kept(path, resume=True) as kept:
        assert kept.resumed == 10
        kept.discard()
    assert not path.exists()


def test_points_of_another_run_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "run.points"
    for replicates, seed, resumed in ((500, 1, 0), (500, 2, 1), (600, 1, 2)):
        with Kept(path, resume=True) as kept:
            assert kept.resumed == resumed
            Evaluator(TIMED, replicates=replicates, seed=seed, kept=kept)(Asked("active"), [{}])
            assert len(kept.points) == resumed + 1
    with pytest.raises(OutputError, match=r"keeps 3 points .* --resume, or drop them with --force"):
        Kept(path)
    with Kept(path, force=True) as kept:
        assert kept.resumed == 0
    path.write_text("somebody's own\n")
    with pytest.raises(OutputError, match="is not a file of trialsim"):
        Kept(path)


def test_the_same_bits_for_any_workers_and_backend() -> None:
    one = assess(TIMED, only="tornado", replicates=1_500, jobs=1)
    assert assess(TIMED, only="tornado", replicates=1_500, jobs=2) == one
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert assess(TIMED, only="tornado", replicates=1_500) == one


def test_engines_are_named_and_asked_for() -> None:
    found = assess(TIMED, only="grids", replicates=500)
    assert found["duration by accrual"].engine == "simulated"
    assert found["duration by accrual"].replicates == 500
    assert found["outcomes known at once"].engine == "exact, outcomes known at once"
    assert found["outcomes known at once"].largest_mcse == 0
    dated = changed(TIMED, {"dose_reduction.rule": {"kind": "amendment", "after_month": 6}})
    with pytest.raises(TrialsimError, match="has no exact answer here: the dose is lowered at a date"):
        Evaluator(dated)(Asked("active", engine="at_once"), [{}])


def test_a_point_that_is_impossible_is_named() -> None:
    over = "over: {design.beta: {from: 0.05, to: 0.2, steps: 61}, design.p1: [0.3, 0.4]}"
    block = f"sensitivity: {{grids: {{g: {{case: active, {over}}}}}}}"
    with pytest.raises(TrialsimError, match=r"with design\.alpha = 0\.3, design\.p1 = 0\.05: "):
        Evaluator(parse(TEXT))(Asked("active"), [{"design.alpha": 0.3, "design.p1": 0.05}])
    assert expected(parse(TEXT + block)) == 1 + 122


def test_an_input_that_does_not_move_anything_stands_last_and_at_zero() -> None:
    text = TEXT + GOOD.replace("[0.25, 0.35]", "[0.25, 0.35]\n        truth.inactive.response: [0.05, 0.2]")
    found = assess(parse(text), only="tornado")["one"]
    assert [bar.input for bar in found.panels[0].bars] == ["truth.active.response", "truth.inactive.response"]
    assert found.panels[0].bars[1].span == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("sensitivity")
    text = (CONFIGS / "dasatinib.yaml").read_text(encoding="utf-8")
    block = """
  priors:
    belief:
      case: active
      draws: 64
      replicates: 100
      inputs:
        truth.active.response: {beta: [6, 34]}
        truth.active.toxicity[0]: {uniform: [0.3, 0.6]}
  worst_case:
    false go:
      case: inactive
      engine: at_once
      worst: highest
      over:
        truth.inactive.odds_ratio: [0.25, 4]
        evaluability.probability: [0.85, 1]

simulation:"""
    text = (
        text.replace("\nsimulation:", block)
        .replace("steps: 21", "steps: 5")
        .replace(", duration_months]", "]")
    )
    (parent / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        arguments = [
            "sensitivity",
            str(parent / "s.yaml"),
            "-o",
            str(parent / "out"),
            "--replicates",
            "1000",
            "--quiet",
        ]
        unrendered(patch)
        assert run(arguments, patch) == 0
    return parent / "out"


def test_the_folder_holds_everything(folder: Path) -> None:
    assert sorted(path.name for path in folder.parent.iterdir()) == ["out", "s.yaml"]
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "environment.json", "figures", "report.html", "report.md", "results.json", "scenario.yaml", "tables",
    ]  # fmt: skip
    figures = {path.stem for path in (folder / "figures").iterdir()}
    assert figures == {
        "tornado_1_1", "tornado_1_2", "sweep_2", "map_3", "priors_4", "threshold_5",
    }  # fmt: skip
    tables = {path.name for path in (folder / "tables").iterdir() if not path.name.startswith("table_")}
    assert tables == {
        "tornado_1.csv", "grids_2.csv", "grids_3.csv", "priors_4.csv", "thresholds_5.csv", "worst_case_6.csv",
    }  # fmt: skip
    assert (folder / "scenario.yaml").read_bytes() == (folder.parent / "s.yaml").read_bytes()


def test_every_number_of_the_page_is_in_the_results(folder: Path) -> None:
    known = numbers_in(json.loads((folder / "results.json").read_bytes()))
    page = (folder / "report.html").read_text(encoding="utf-8")
    marked = [float(text) for text in re.findall(r'<data value="([^"]+)">', page)]
    assert len(marked) > 100
    assert set(marked) <= known


def test_every_number_of_the_tables_is_in_the_results(folder: Path) -> None:
    known = numbers_in(json.loads((folder / "results.json").read_bytes()))
    for path in sorted((folder / "tables").glob("[!t]*.csv")) + sorted(
        (folder / "tables").glob("t[!a]*.csv")
    ):
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert rows
        for row in rows:
            for column in ("estimate", "mcse", "low", "high", "difference", "difference_mcse", "as_stated"):
                if row.get(column):
                    assert digits12(float(row[column])) in known, (path.name, column, row)


def test_the_page_names_its_engines_and_describes_its_pictures(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Exact, outcomes known at once." in page
    assert "Simulated: 1,000 trials at each point" in page
    assert "<script" not in page
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', page)
    assert len(alts) == 6
    assert all(len(alt) > 40 for alt in alts)
    content = json.loads((folder / "results.json").read_bytes())
    found = sections(content, {})
    assert [section.title for section in found] == [
        "One input at a time: active drug",
        "Grid: duration by accrual",
        "Grid: outcomes known at once",
        "Priors: belief",
        "Threshold: three years",
        "Worst case: false go",
    ]
    assert all(section.blocks for section in found)


def test_a_folder_is_not_overwritten_without_being_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "results.json").read_bytes()
    arguments = [
        "sensitivity",
        str(folder.parent / "s.yaml"),
        "-o",
        str(folder),
        "--only",
        "worst_case",
        "--quiet",
    ]
    assert run(arguments, monkeypatch) == 2
    assert "exists; choose another name" in capsys.readouterr().err
    assert (folder / "results.json").read_bytes() == before


ODD = """sensitivity:
  grids:
    by ratios:
      case: active
      quantity: en
      over:
        truth.active.odds_ratio: {from: 0.25, to: 4, steps: 5, scale: log}
        truth.active.toxicity[0]: [0.1, 0.3, 0.5]
    nothing moves:
      case: active
      over: {truth.inactive.response: [0.1, 0.2], truth.inactive.odds_ratio: [1, 2]}
    two values:
      case: active
      over: {truth.inactive.response: [0.1, 0.2]}
    rates differ by dose:
      case: active
      over: {truth.active.toxicity: [0.1, 0.2, 0.5], truth.active.response: [0.5, 0.6]}
  tornado:
    blocks:
      case: active
      inputs: {truth.inactive.response: [0.1, 0.2], dose_reduction: [null, {rule: {kind: none}}]}
  thresholds:
    up and down:
      case: active
      quantity: toxicities
      input: truth.active.toxicity
      from: 0.01
      to: 0.99
      above: 7
"""


def test_odd_analyses_are_drawn_and_told() -> None:
    from trialsim.figures.sensitivity import draw

    scenario = parse(TEXT + ODD)
    found = assess(scenario)
    drawn = dict(draw(found, scenario))
    assert [drawn[k].name for k in range(6)] == [
        "tornado_1_1",
        "map_2",
        "map_3",
        "sweep_4",
        "map_5",
        "threshold_6",
    ]
    assert all(len(each.alt) > 40 and len(each.frame) for each in drawn.values())
    bars = found["blocks"].panels[0].bars
    assert [bar.input for bar in bars] == ["dose_reduction", "truth.inactive.response"]
    assert bars[0].differences[0] == bars[0].differences[1]  # no block and no rule are the same trial
    assert found["rates differ by dose"].own == {"truth.active.toxicity": None, "truth.active.response": 0.3}
    assert not found["rates differ by dose"].on_grid
    bumpy = found["up and down"]
    assert not bumpy.monotone
    assert [crossing.into for crossing in bumpy.crossings] == [True, False]
    for crossing in bumpy.crossings:
        (answer,) = Evaluator(scenario)(Asked("active"), [{"truth.active.toxicity": crossing.at}])
        assert answer["toxicities"].estimate == pytest.approx(7, abs=1e-5)
    said = document(bumpy)["sentences"]
    assert "on it is no longer above 7" in said[1]
    assert "would not be seen" in said[-1]


def test_inputs_are_called_by_name_and_where_they_stand_is_told_with_the_method() -> None:
    found = assess(TIMED, only="three years", replicates=200)
    (threshold,) = found.analyses
    named = {"conduct.accrual.per_month": "patients screened a month"}
    assert threshold.input_words == named
    told = str(threshold)
    assert 'Going from 10 to 1.5, "patients screened a month" may reach' in told
    assert "conduct.accrual" not in told
    *_, method = found.report().sections
    (terms,) = (block for block in method.blocks if isinstance(block, Terms))
    assert terms.rows == (("Patients screened a month", "conduct.accrual.per_month"),)
    other = input_words(TIMED, "truth.inactive.toxicity[1]", "active")
    assert other == "toxicity rate at 70 mg BID in “inactive”"
    assert input_words(TIMED, "truth.active.toxicity[1]", "active") == "toxicity at 70 mg BID"


def test_json_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.yaml").write_text(TEXT + GOOD, encoding="utf-8")
    assert run(["sensitivity", str(tmp_path / "s.yaml"), "--only", "map", "--json"], monkeypatch) == 0
    content = json.loads(capsys.readouterr().out)
    (analysis,) = content["analyses"]
    assert analysis["engine"] == "exact"
    assert [axis["input"] for axis in analysis["axes"]] == [
        "truth.active.response",
        "truth.active.odds_ratio",
    ]
    assert len(analysis["estimates"]) == 9
    assert analysis["limits"] == {"α": 0.05, "0.80": 0.8, "0.90": 0.9}
    assert run(["sensitivity", str(tmp_path / "s.yaml")], monkeypatch) == 0
    printed = capsys.readouterr().out
    for words in (
        "ONE INPUT AT A TIME",
        "(the assurance)",
        'Going from 0.1 to 0.9, "toxicity at every dose" may reach',
        "The highest P(go) found",
    ):
        assert words in printed
