"""A run folder: written whole or not at all, the same bits anywhere, and a page that says only what was computed."""

from __future__ import annotations

import csv
import json
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import trialsim
import trialsim.figures
from tests.helpers import Seen, numbers_in
from trialsim.designs.rules import Looks
from trialsim.engine import derived
from trialsim.engine.operating import simulate
from trialsim.errors import OutputError, TrialsimError
from trialsim.reporting.rerun import reproduce
from trialsim.reporting.run.folder import report
from trialsim.reporting.run.report import document, report_of
from trialsim.reporting.run.summary import agreement, likelihood_words
from trialsim.running import inputs
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import digest, parse
from trialsim.scenario.model import Scenario
from trialsim.writing.folder import check_target
from trialsim.writing.html import html
from trialsim.writing.numbers import chance, listed, probability, signed, times
from trialsim.writing.report import unbroken
from trialsim.writing.seal import sealed, to_json

EVIL = "<script>alert('x')</script>"
POCOCK = {"kind": "pocock", "limit": 0.3, "phi": 0.1}


def small(**changes: Any) -> Scenario:
    """A two-dose trial small enough to run in no time."""
    content: dict[str, Any] = {
        "schema": 1,
        "name": "Small trial",
        "endpoint": "response",
        "design": {"kind": "simon", "n1": 6, "r1": 0, "n": 12, "r": 3, "p0": 0.1, "p1": 0.4},
        "doses": ["high", "low"],
        "dose_reduction": {"rule": POCOCK, "at_lowest_dose": "stop"},
        "evaluability": {"probability": 0.9},
        "truth": {
            "inactive": {"response": 0.1, "toxicity": [0.5, 0.3]},
            "active": {"response": [0.4, 0.3], "toxicity": [0.5, 0.3], "odds_ratio": 2.0},
        },
        "observed": {"treated": 12, "evaluable": 11, "responses": 4, "toxicities": 5, "dose_reduced": True},
        "related_trials": [{"name": "Another", "evaluable": 20, "responses": 3, "source": "a paper"}],
        "sources": {
            "design": {"assumed": True, "note": "no design is published"},
            "truth.active": {"source": "Jones"},
        },
        "simulation": {"replicates": 400, "seed": 5},
    }
    return Scenario.model_validate({key: v for key, v in (content | changes).items() if v is not None})


@dataclass(frozen=True)
class FakeFigure:
    name: str = "p_go"
    title: str = "P(go)"
    caption: str = f"A caption {EVIL}"
    alt: str = f'P(go) " {EVIL}'
    columns: dict[str, list[float]] = field(default_factory=lambda: {"x": [1.0]})

    def svg(self) -> bytes:
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="226pt"><text>{EVIL}</text></svg>'.encode()

    def csv(self) -> str:
        return "x\n1\n"


@pytest.fixture(autouse=True)
def _fake_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trialsim.figures, "draw_all", lambda *_: (FakeFigure(),))


def built(scenario: Scenario, **run: Any) -> dict[str, Any]:
    """The content of results.json."""
    return document(trialsim.run(scenario, **run))


def html_of(scenario: Scenario, **run: Any) -> str:
    return html(report_of(trialsim.run(scenario, **run)))


# -- the folder


def test_a_folder_holds_everything(tmp_path: Path) -> None:
    written = report(small(), tmp_path / "run")
    assert written == tmp_path / "run" / "report.html"
    found = {p.relative_to(tmp_path / "run").as_posix() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    tables = {
        "operating_characteristics", "distributions", "checks", "headline", "rules", "inputs", "example_patients",
        "example_events",
    }  # fmt: skip
    printed = re.findall(r"<b>Table (\d+)\.</b>", written.read_text(encoding="utf-8"))
    as_printed = {name for name in found if name.startswith("tables/table_")}
    assert sorted(name[13:15] for name in as_printed) == [f"{int(number):02}" for number in printed]
    assert found - as_printed == {
        "report.html", "results.json", "scenario.yaml", "environment.json",
        "report.md", "figures/p_go.svg", "figures/p_go.csv", *(f"tables/{name}.csv" for name in tables),
    }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert {"python", "packages", "platform", "jobs", "wall_seconds"} <= set(environment)
    assert {"numpy", "scipy", "numba", "matplotlib", "joblib"} <= set(environment["packages"])


@pytest.mark.parametrize(
    "error", [RuntimeError("broken"), KeyboardInterrupt(), OSError(28, "No space left on device")]
)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, earlier: bool
) -> None:
    target = tmp_path / "run"
    if earlier:
        report(small(), target)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(FakeFigure, "svg", fail)
    with pytest.raises(OutputError if isinstance(error, OSError) else type(error)):
        report(small(name="Another"), target, force=earlier)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == (["run"] if earlier else [])


def test_missing_parents_are_made_and_do_not_outlive_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(small(), tmp_path / "runs" / "deep" / "first")
    assert (tmp_path / "runs" / "deep" / "first" / "results.json").is_file()

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeFigure, "svg", fail)
    with pytest.raises(KeyboardInterrupt):
        report(small(), tmp_path / "others" / "deep" / "first")
    assert [p.name for p in tmp_path.iterdir()] == ["runs"]


def test_a_failed_swap_puts_the_earlier_run_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "run"
    report(small(), target)
    before = (target / "results.json").read_bytes()
    rename = os.rename

    def refuse(source: Any, destination: Any) -> None:
        if str(source).endswith(".new"):
            raise OSError(5, "Input/output error")
        rename(source, destination)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OutputError, match="input/output error"):
        report(small(name="Another"), target, force=True)
    assert (target / "results.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_an_earlier_run_is_replaced_only_with_force(tmp_path: Path) -> None:
    target = tmp_path / "run"
    report(small(), target)
    with pytest.raises(OutputError, match="--force"):
        report(small(), target)
    report(small(name="Another"), target, force=True)
    assert json.loads((target / "results.json").read_text())["name"] == "Another"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_force_never_deletes_what_no_run_has_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="not the folder of an earlier run"):
        report(small(), home, force=True)
    (home / "results.json").write_text('{"of": "something else"}')
    with pytest.raises(OutputError, match="not the folder of an earlier run"):
        report(small(), home, force=True)
    report(small(), tmp_path / "run")
    for strange in ("notes.txt", "figures/mine.docx", "tables/deeper/x.csv"):
        path = tmp_path / "run" / strange
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        with pytest.raises(OutputError, match="no run has written"):
            report(small(), tmp_path / "run", force=True)
        assert path.read_text() == "mine"
        path.unlink()
    assert (home / "thesis.txt").read_text() == "years of work"


def test_impossible_places_are_refused_in_plain_words_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("trialsim.engine.operating.simulate", lambda *_, **__: pytest.fail("it was computed"))
    for force in (False, True):
        with pytest.raises(OutputError, match="is a file, not a folder"):
            report(small(), tmp_path / "file", force=force)
        with pytest.raises(OutputError, match="is not a folder"):
            report(small(), tmp_path / "file" / "run", force=force)
        with pytest.raises(OutputError, match="cannot be a run folder"):
            report(small(), "/", force=force)
        with pytest.raises(OutputError, match="cannot be written"):
            report(small(), "a\0b", force=force)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="no permission"):
        check_target(tmp_path / "run")


def test_folder_names_never_come_from_the_scenario(tmp_path: Path) -> None:
    report(small(name="../../evil", doses=["../a", "b/c"]), tmp_path / "run")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_the_text_of_the_user_is_kept_byte_for_byte(tmp_path: Path) -> None:
    text = "# a comment\r\n" + inputs.to_yaml(small()).replace("\n", "\r\n")
    report(small(), tmp_path / "run", scenario_text=text)
    assert (tmp_path / "run" / "scenario.yaml").read_bytes() == text.encode()
    with pytest.raises(TrialsimError, match="not the text of this scenario"):
        report(small(name="Another"), tmp_path / "other", scenario_text=text)


def test_a_scenario_written_as_yaml_reads_back_as_the_same_scenario() -> None:
    looks = [{"n": 5, "next": {0: "futile", 1: 9, 4: "go"}}, {"n": 9, "next": {0: "futile", 3: "go"}}]
    pasted = small(
        design={"kind": "rules", "looks": looks}, name='quotes " and: colons # é –', source="%x {y}"
    )
    for scenario in (small(), pasted):
        again = parse(inputs.to_yaml(scenario))
        assert again == scenario
        assert digest(again) == digest(scenario)


def test_results_of_another_scenario_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrialsimError, match="another scenario"):
        report(small(name="Another"), tmp_path / "run", results=simulate(small()))
    assert not list(tmp_path.iterdir())


# -- results.json


def test_results_are_the_same_bytes_for_any_number_of_jobs(tmp_path: Path) -> None:
    for jobs in (1, 2):
        report(small(), tmp_path / str(jobs), replicates=20_000, jobs=jobs)
    one, two = ((tmp_path / str(jobs)) for jobs in (1, 2))
    for name in ("results.json", "report.html", "tables/operating_characteristics.csv", "tables/checks.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_results_hold_no_nan_and_twelve_digits() -> None:
    content = built(small(), replicates=1)
    text = to_json(content).decode()
    assert text.endswith("}\n")
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name)) == content
    assert content["cases"]["inactive"]["simulated"]["en"]["mcse"] is None
    assert all(float(f"{x:.12g}") == x for x in numbers_in(content))
    assert Seen(html_of(small(), replicates=1)).data


def test_the_design_alone_has_its_textbook_error_rates() -> None:
    design = built(small(design={"kind": "simon", "n1": 10, "r1": 1, "n": 29, "r": 5, "p0": 0.1, "p1": 0.3}))[
        "design"
    ]
    # Simon 1989, table 1
    assert (design["n1"], design["r1"], design["n"], design["r"]) == (10, 1, 29, 5)
    assert design["type_i_error"] == pytest.approx(0.0471, abs=5e-5)
    assert design["power"] == pytest.approx(0.8051, abs=5e-5)


def test_leaving_parts_of_the_toxicity_rule_out_changes_what_it_should() -> None:
    content = built(small())
    for name, row in content["toxicity_rule_cost"].items():
        values = content["cases"][name]["exact"]
        assert row["p_go_stated"] == values["p_go"]
        assert row["p_stop_toxicity"] == pytest.approx(
            values["p_stop_toxicity"] + values["p_stop_toxicity_at_n"]
        )
        assert row["p_go_stated"] < row["p_go_continued"] <= row["p_go_without"] + 1e-12
    alone = built(small(dose_reduction=None))
    for name, row in content["toxicity_rule_cost"].items():
        assert row["p_go_without"] == pytest.approx(alone["cases"][name]["exact"]["p_go"])


def test_the_crossing_probability_at_the_limit_is_the_published_one() -> None:
    design = {"kind": "simon", "n1": 25, "r1": 1, "n": 70, "r": 6, "p0": 0.05, "p1": 0.15}
    rule = built(small(design=design), replicates=10)["toxicity_rule"]
    # MODEL.md, section 3
    assert rule["crossing_at_limit"] == pytest.approx(0.0994, abs=5e-5)
    steps = {step["patients_to"]: step["act_if_at_least"] for step in rule["levels"][0]["steps"]}
    assert [steps[m] for m in (4, 6, 9, 11, 13, 15, 18, 20)] == [4, 5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("looks", "monotone"),
    [
        (Looks((2, 4), ((-1, 1, 1), (-1, -1, -3, -2, -2))), True),
        (Looks((2, 4), ((-1, 1, -2), (-1, -1, -2, -2, -2))), True),
        (Looks((2, 4), ((1, -1, 1), (-1, -1, -2, -2, -2))), False),
        (Looks((2, 4), ((-2, 1, 1), (-1, -1, -2, -2, -2))), False),
        (Looks((2, 4, 6), ((1, 2, 2), (-1,) * 3 + (2, 2), (-1,) * 3 + (-2,) * 4)), False),
    ],
)
def test_the_bound_on_the_type_i_error_needs_responses_that_can_only_help(
    looks: Looks, monotone: bool
) -> None:
    assert derived.more_responses_never_hurt(looks) is monotone


def test_the_bound_on_the_type_i_error_is_claimed_only_where_it_holds() -> None:
    kept = built(small())["question"]
    assert kept["p_go_at_most_type_i_error"]
    replaced = {"probability": 0.95, "replaced": True, "inevaluable": "nonresponders"}
    selected = built(small(evaluability=replaced))["question"]
    assert "replaced" in selected["why_not"]
    assert not built(small(design={"kind": "single_stage", "n": 9, "r": 2}))["question"][
        "p_go_at_most_type_i_error"
    ]
    assert "at most 0." in Seen(html_of(small())).text
    assert "is not claimed here, because inevaluable" in Seen(html_of(small(evaluability=replaced))).text


# -- inputs


def test_every_input_has_an_origin_in_words() -> None:
    rows = {row["path"]: row for row in inputs.inputs(small(), 5, 400)}
    words = {path: inputs.origin_words(row) for path, row in rows.items()}
    assert words["design.n1"] == "Assumed: no design is published."
    assert words["truth.active.odds_ratio"] == "Jones."
    assert words["truth.inactive.toxicity"] == "Source not stated."
    assert words["truth.inactive.odds_ratio"].startswith("Assumed: the default")
    assert words["evaluability.replaced"].startswith("Assumed: the default")
    assert words["related_trials[0].responses"] == "A paper."
    assert rows["truth.inactive.toxicity"]["value"] == [0.5, 0.3]
    assert "simulation.seed" in rows


def test_a_source_for_one_dose_and_a_changed_seed_are_told() -> None:
    scenario = small(sources={"truth.inactive.toxicity[1]": {"source": "a letter"}})
    rows = {row["path"]: row for row in inputs.inputs(scenario, 6, 400)}
    assert rows["truth.inactive.toxicity[1]"]["source"] == "a letter"
    assert rows["truth.inactive.toxicity[0]"]["source"] is None
    assert rows["simulation.seed"]["note"] == "given for this run, in place of 5"


# -- numbers and sentences


def test_numbers_in_words() -> None:
    assert [probability(p) for p in (0.0, 1e-6, 0.04240, 1 - 1e-6, 1.0, None)] == [
        "0.0000", "<0.0001", "0.0424", ">0.9999", "1.0000", "–",
    ]  # fmt: skip
    assert [chance(p) for p in (0.0, 1e-5, 0.5, 1 - 1e-5, 1.0)] == [
        "0",
        "below 0.001",
        "0.500",
        "above 0.999",
        "1",
    ]
    assert signed(-1.234) == "−1.23"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert times(57.1) == "57.1"
    assert unbroken("p0 = 5%") == "p0\u00a0=\u00a05%"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(None, "cannot occur under “b”"), (0.0, "cannot occur under “a”"), (1.0, "as likely under “a” as under “b”"),
     (2.5, "2.5 times as likely under “a” as"), (0.0175, "57.1 times less likely under “a” than")],
)  # fmt: skip
def test_a_likelihood_ratio_in_words(ratio: float | None, said: str) -> None:
    assert said in likelihood_words({"case": "a", "against": "b", "ratio": ratio})


# -- the page


def evil_scenario() -> Scenario:
    """A scenario with markup in every text that a user can write."""
    return small(
        name=f"name {EVIL}",
        endpoint=f"endpoint {EVIL}",
        source=f"source {EVIL}",
        doses=[f"dose 1 {EVIL}", f"dose 2 {EVIL}"],
        truth={
            "a": {"response": 0.1, "toxicity": [0.5, 0.3], "note": f"case {EVIL}"},
            "b": {"response": 0.4, "toxicity": 0.2},
        },
        related_trials=[{"name": f"trial {EVIL}", "evaluable": 20, "responses": 3, "source": f"paper {EVIL}"}],
        sources={
            "design": {"assumed": True, "note": f"note {EVIL}", "source": f"where {EVIL}"},
            "dose_reduction": {"assumed": True, "note": f"rule {EVIL}"},
        },
    )  # fmt: skip


def test_whatever_a_user_writes_is_shown_and_never_run(tmp_path: Path) -> None:
    html = report(evil_scenario(), tmp_path / "run").read_text(encoding="utf-8")
    seen = Seen(html)
    allowed = {
        "html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section", "p", "h1", "h2", "h3",
        "dl", "div", "dt", "dd", "ol", "ul", "li", "a", "table", "caption", "thead", "tbody", "tr", "th", "td", "span",
        "b", "strong", "data", "figure", "figcaption", "img", "pre", "code", "details", "summary", "footer",
    }  # fmt: skip
    assert {tag for tag, _ in seen.elements} <= allowed
    assert not [key for _, attributes in seen.elements for key in attributes if key.startswith("on")]
    for text in ("name", "endpoint", "source", "dose 1", "dose 2", "case", "trial", "note", "where", "rule"):
        assert f"{text} {EVIL}" in seen.text
    assert f"Paper {EVIL}" in seen.text
    assert seen.all("img")[0]["alt"] == FakeFigure.alt
    assert f"A caption {EVIL}" in seen.text


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    html = report(small(), tmp_path / "run").read_text(encoding="utf-8")
    seen = Seen(html)
    for _, attributes in seen.elements:
        assert attributes.get("src", "data:").startswith(
            "data:image/svg+xml;base64,"[: len(attributes.get("src", "data:"))]
        )
        assert attributes.get("href", "#").startswith("#")
        assert not {"srcset", "action", "style", "background", "poster"} & set(attributes)
    assert "http" not in re.sub(r"http-equiv|base64,[A-Za-z0-9+/=]+", "", html)
    assert "url(" not in html
    assert "@import" not in html
    targets = {attributes["id"] for _, attributes in seen.elements if "id" in attributes}
    assert {a["href"][1:] for a in seen.all("a")} <= targets


def test_every_number_of_a_table_is_a_number_of_results_json(tmp_path: Path) -> None:
    folder = report(small(), tmp_path / "run").parent
    content = json.loads((folder / "results.json").read_text())
    known = numbers_in(content)
    shown = Seen((folder / "report.html").read_text(encoding="utf-8")).data
    assert len(shown) > 150
    for value, text in shown:
        assert json.loads(value) in known
        digits = re.fullmatch(r"[−<>]?(\d[\d.]*)(%?)(.*)", text)
        if digits and "of" not in text and "after" not in text and not text.startswith(("<", ">")):
            printed = float(digits[1]) / (100 if digits[2] else 1)
            decimals = len(digits[1].partition(".")[2]) + (2 if digits[2] else 0)
            significant = 0.5 * 10 ** -(len(digits[1].replace(".", "").lstrip("0")))
            assert abs(abs(float(value)) - printed) <= max(0.5001 * 10**-decimals, significant * printed)
    for path in (folder / "tables").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows
        for row in rows:
            for key, cell in row.items():
                if re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell) and not (
                    path.stem == "rules" and key in ("patients", "from", "to")
                ):
                    if path.stem == "distributions" and key == "value":
                        continue
                    assert float(cell) in known, (path.name, key, cell)


def test_the_rules_table_has_the_boundary_for_every_number_of_patients(tmp_path: Path) -> None:
    scenario = small()
    report(scenario, tmp_path / "run")
    with (tmp_path / "run" / "tables" / "rules.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    bounds = compile_rules(scenario).monitor.act_ge[0]
    high = {int(r["patients"]): r["from"] for r in rows if r["rule"] == "toxicities" and r["dose"] == "high"}
    assert high == {m: str(bounds[m]) if bounds[m] <= m else "" for m in range(1, 13)}
    assert [(r["patients"], r["from"], r["to"], r["decision"]) for r in rows if r["rule"] == "responses"] == [
        ("6", "0", "0", "futile"), ("6", "1", "6", "continue to 12"),
        ("12", "0", "3", "futile"), ("12", "4", "12", "go"),
    ]  # fmt: skip


def test_a_spreadsheet_runs_no_formula_from_a_scenario(tmp_path: Path) -> None:
    report(small(doses=["=1+1", "@x"]), tmp_path / "run")
    assert "\n=1+1" not in (text := (tmp_path / "run" / "tables" / "rules.csv").read_text())
    assert "'=1+1" in text


def test_the_page_can_be_read_by_everyone() -> None:
    seen = Seen(html_of(small()))
    assert seen.all("html") == [{"lang": "en"}]
    assert any(meta.get("name") == "viewport" for meta in seen.all("meta"))
    assert len(seen.all("h1")) == 1
    assert len(seen.all("caption")) == len(seen.all("table")) > 10
    assert all("scope" in th for th in seen.all("th"))
    names = [attributes["id"] for _, attributes in seen.elements if "id" in attributes]
    assert len(names) == len(set(names))
    numbers = [int(n) for n in re.findall(r"Table (\d+)\.", seen.text)]
    assert numbers == list(range(1, len(numbers) + 1))
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", html_of(small()))
    assert headings == [
        "Statistical section for the protocol", "Limitations", "Check against the observed trial",
        "Objectives and estimand", "What the toxicity rule does", "Data-generating model", "Scenarios and why",
        "Results",
        "Monte Carlo methods", "Example trials, patient by patient",
        "Appendix: scenario, versions, and how to run it again", "Appendix: reporting standards",
    ]  # fmt: skip
    levels = [int(tag[1]) for tag, _ in seen.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"observed": None},
        {"design": {"kind": "single_stage", "n": 9, "r": 2}, "doses": None, "dose_reduction": None,
         "truth": {"only": {"response": 0.2}}, "observed": {"evaluable": 9, "responses": 2}},
        {"dose_reduction": {"rule": {"kind": "amendment", "after_patient": 7}}, "truth": {"a": {"response": 0.2}}},
        {"truth": {"fitted": {"response": 0.3636, "toxicity": 0.2}}},
    ],
)  # fmt: skip
def test_every_kind_of_scenario_has_a_page_without_forbidden_words(changes: dict[str, Any]) -> None:
    text = Seen(html_of(small(**{"sources": None, **changes} if "truth" in changes else changes))).text
    assert not re.search(r"validated|proved|confirmed|used Simon|nan|None\b", text)
    assert "trialsim reproduce FOLDER" in text


def test_what_was_never_simulated_has_a_page_too(tmp_path: Path) -> None:
    text = report(small(), tmp_path / "run", exact=True).read_text(encoding="utf-8")
    assert "nothing was simulated" in text
    assert reproduce(tmp_path / "run") == (True, ())


def test_a_disagreement_is_loud() -> None:
    scenario = small()
    results = simulate(scenario)
    wrong = replace(results.cases[0], disagreements=("p_go",))
    results = replace(results, cases=(wrong, *results.cases[1:]))
    found = trialsim.run(scenario, results=results)
    doc, page = document(found), html(report_of(found))
    assert 'role="alert"' in page
    assert "Do not use this run" in Seen(page).text
    assert agreement(doc).startswith("WARNING")
    assert 'role="alert"' not in html_of(scenario)


def test_both_denominators_are_shown() -> None:
    text = Seen(html_of(small())).text
    assert "4 of 11 evaluable" in text
    assert "4 of 12 treated" in text
    assert "11 evaluable patients for response, 12 treated patients for toxicity" in text


# -- again


def test_a_run_is_reproduced(tmp_path: Path) -> None:
    report(small(), tmp_path / "run", seed=9, replicates=300)
    assert reproduce(tmp_path / "run", jobs=2) == (True, ())


def test_a_changed_result_is_found_and_named(tmp_path: Path) -> None:
    path = report(small(), tmp_path / "run").parent / "results.json"
    kept = path.read_text()
    content = json.loads(kept)
    content["cases"]["active"]["exact"]["p_go"] = 0.9
    del content["design"]["power"]
    content["likelihood_ratios"] = []
    path.write_bytes(sealed(content))  # as another version might have written it
    same, differences = reproduce(tmp_path / "run")
    assert not same
    assert any(line.startswith("cases.active.exact.p_go: 0.9 recorded, 0.") for line in differences)
    assert "design.power: found now, but not recorded" in differences
    assert "likelihood_ratios: 0 entries recorded, 1 now" in differences
    assert "results.json: changed since it was written" in differences
    path.write_text(kept + "\n")
    with pytest.raises(OutputError, match="was changed after it was written"):
        reproduce(tmp_path / "run")


def test_a_changed_scenario_is_found(tmp_path: Path) -> None:
    path = report(small(), tmp_path / "run").parent / "scenario.yaml"
    path.write_text(path.read_text().replace("Small trial", "Smaller trial"))
    same, differences = reproduce(tmp_path / "run")
    assert not same
    names = {line.partition(":")[0] for line in differences}
    assert names == {"name", "digest", "scenario", "protocol.name", "scenario.yaml"}


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "it has no results.json"), ("{", "is not JSON"), ("[]", "what was asked"),
     ('{"kind": "run", "asked": {"seed": 1}}', "what was asked"),
     ('{"kind": "run", "asked": {"seed": -1}, "texts": ["scenario.yaml"]}', "seed"),
     ('{"kind": "run", "asked": {"replicates": 10000000000}, "texts": ["scenario.yaml"]}', "replicates"),
     ('{"kind": "walk", "asked": {}, "texts": []}', "what was asked")],
)  # fmt: skip
def test_what_is_no_run_is_not_run_again(tmp_path: Path, content: str | None, said: str) -> None:
    path = report(small(), tmp_path / "run").parent / "results.json"
    path.unlink()
    (path.parent / "environment.json").unlink()  # which knows that there was a seal
    if content is not None:
        path.write_text(content)
    with pytest.raises(TrialsimError, match=said):
        reproduce(tmp_path / "run")
    with pytest.raises(OutputError, match="is not a folder"):
        reproduce(tmp_path / "nowhere")
