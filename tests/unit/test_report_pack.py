"""The report of whole runs, as a page and as a Word file: each number found in results.json, both say the same."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sys
import zipfile
from functools import cache, reduce
from pathlib import Path
from typing import Any

import pytest

import trialsim
from tests.helpers import ANSWERS, CONFIGS, numbers_in, run, unrendered
from tests.unit.report_numbers import Known, load, missing, of_docx, of_html, printed
from trialsim.codes import FINAL_GO, FINAL_NO_GO, FUTILITY, GO_EARLY, TOXICITY
from trialsim.engine.traces import END_WORDS, trace
from trialsim.reporting.rerun import reproduce
from trialsim.reporting.run.report import document, report_of
from trialsim.scenario.files import load as scenario_of
from trialsim.writing.html import html
from trialsim.writing.report import Report
from trialsim.writing.seal import to_json
from trialsim.writing.word import to_docx

ISO = r"\b20\d\d-\d\d-\d\d\b"
RUNS = ("dasatinib", "teaching", "two-cohorts")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of three scenarios: in calendar time, exact, and two cohorts with rules of their own."""
    parent = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        for name in RUNS:
            command = ["run", str(CONFIGS / f"{name}.yaml"), "-o", str(parent / name), "--replicates", "1000"]
            with patch.context() as here:
                if name != "teaching":  # of which the bytes are looked at
                    unrendered(here)
                assert run([*command, "--docx", "--quiet"], here) == 0
    return {name: parent / name for name in RUNS}


@cache
def report(folder: Path) -> Report:
    """The report of a folder, made again by a function."""
    asked = load(folder / "results.json")
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    found = trialsim.run(
        scenario_of(folder / "scenario.yaml"),
        replicates=asked["replicates"],
        sensitivity="sensitivity" in asked,
        text=text,
    )
    return report_of(found)


def pieces(folder: Path, kind: str) -> list[str]:
    """The pieces of text of one of the two files."""
    if kind == "docx":
        return of_docx((folder / "report.docx").read_bytes())
    return of_html((folder / "report.html").read_text(encoding="utf-8"))


# -- every number


@pytest.mark.parametrize("kind", ["html", "docx"])
@pytest.mark.parametrize("name", RUNS)
def test_every_number_is_found_in_results_json(folders: dict[str, Path], name: str, kind: str) -> None:
    found = pieces(folders[name], kind)
    assert sum(1 for piece in found for _ in printed(piece)) > 700
    assert missing(load(folders[name] / "results.json"), found) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_number_of_every_scenario_is_found(path: Path) -> None:
    found = trialsim.run(scenario_of(path), replicates=300, text=path.read_text(encoding="utf-8"))
    assert missing(json.loads(to_json(document(found))), of_html(html(report_of(found)))) == []


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "run"])
def test_every_number_of_every_answer_is_found(answers: dict[str, Path], name: str) -> None:
    folder = answers[name]
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")]
    found = pieces(folder, "html")
    assert sum(1 for piece in found for _ in printed(piece)) > 20
    doc = load(folder / "results.json")
    # a trace tells the day, of a time that results.json has to a tick
    if name == "qualify":  # versions and names of machines are words
        named = (value for value in doc["machine"].values() if isinstance(value, str))
        whole = sorted(named, key=len, reverse=True)
        told = [
            *whole,
            *(test[key] for test in doc["tests"] for key in ("requirement", "test", "told", "id")),
        ]
        words = [each for one in told for each in ([one] if isinstance(one, str) else one)]
        found = [reduce(lambda piece, word: piece.replace(word, ""), words, piece) for piece in found]
    if name in ("status", "qualify"):  # a date is one word, which results.json has
        days = set(re.findall(ISO, json.dumps(doc)))
        found = [re.sub(ISO, lambda day: "" if day[0] in days else day[0], piece) for piece in found]
    days = {str(int(number)) for number in numbers_in(doc)} if name == "trace" else set()
    assert [each for each in missing(doc, found, texts) if each[0] not in days] == []


def test_a_number_that_was_not_computed_is_noticed(folders: dict[str, Path]) -> None:
    """One digit of every number with four digits is changed: more than nine in ten are no longer found."""
    known = Known(load(folders["teaching"] / "results.json"))
    caught = []
    for piece in pieces(folders["teaching"], "html"):
        for number in printed(piece):
            if re.fullmatch(r"0\.\d{4}", number.text) and "0.0000" not in number.text:
                at = number.begin + 4
                other = str((int(piece[at]) + 4) % 10)
                caught.append(any(True for _ in known.missing(piece[:at] + other + piece[at + 1 :])))
    assert len(caught) > 80
    assert sum(caught) > 0.9 * len(caught)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("p0 = 5% and p1, HER2, NCT00371345", [0.05]),
        ("1/25, 6/70", [1, 25, 6, 70]),
        ("2,000 trials; −0.50 or +3; 4–6 of 12.", [2000, -0.5, 3, 4, 6, 12]),
        ("1.2e-05 and 12.34%", [1.2e-05, 0.1234]),
        ("the 3rd, sha256:1a2b", []),
    ],
)
def test_numbers_are_read_from_a_text(text: str, values: list[float]) -> None:
    assert [number.value for number in printed(text)] == pytest.approx(values)


def test_a_number_is_found_if_it_is_a_rounding_of_one() -> None:
    def rounds(text: str, value: float) -> bool:
        (number,) = printed(text)
        return number.rounds(value)

    assert rounds("0.0498", 0.0498008) and not rounds("0.0499", 0.0498008)
    assert rounds("12.3%", 0.12251) and not rounds("12.3%", 0.12249)
    assert rounds("−0.5", -0.52) and not rounds("−0.5", 0.52)
    assert rounds("7", 7.0) and not rounds("7", 7.2)


# -- one content, two files


@pytest.mark.parametrize("name", RUNS)
def test_the_page_and_the_word_file_say_the_same(folders: dict[str, Path], name: str) -> None:
    import docx

    page = (folders[name] / "report.html").read_text(encoding="utf-8")
    file = docx.Document(io.BytesIO((folders[name] / "report.docx").read_bytes()))
    made = report(folders[name])
    titles = [part.title for section in made.sections for part in (section, *section.parts) if part.title]
    assert [p.text for p in file.paragraphs if p.style.name.startswith("Heading")] == titles
    levels = {p.style.name for p in file.paragraphs if p.style.name.startswith("Heading")}
    assert levels == {"Heading 1", "Heading 2"}
    tables = list(made.tables())
    assert page.count("<table") == len(file.tables) == len(tables) > 10
    for made_table, table in zip(tables, file.tables, strict=True):
        heads = [cell.text.replace("\u00a0", " ") for cell in table.rows[0].cells]
        assert heads == list(made_table.columns)
        assert "w:tblHeader" in table.rows[0]._tr.xml
        rows = sum(len(group.rows) + bool(group.title) for group in made_table.groups)
        assert len(table.rows) == rows + 1
    captions = [p.text for p in file.paragraphs if p.style.name == "Caption"]
    shown = [re.sub("<.*?>", "", text) for text in re.findall(r"<caption.*?</caption>", page)]
    numbers = re.findall(r"<b>(Table|Figure) (\d+)\.", page)
    assert len(captions) == len(numbers) and len(shown) == len(tables)
    pictures = [shape._inline.docPr for shape in file.inline_shapes]
    doc = load(folders[name] / "results.json")
    assert [about.get("descr").replace("\u00a0", " ") for about in pictures] == [
        row["alt"] for row in doc["figures"]
    ]
    assert all(len(row["alt"]) > 60 for row in doc["figures"])
    places = re.findall(r'w:anchor="([^"]+)"', file.element.xml)
    assert set(places) <= set(re.findall(r'<w:bookmarkStart [^>]*w:name="([^"]+)"', file.element.xml))
    footer = file.sections[0].footer._element.xml
    assert 'w:instr="PAGE"' in footer and 'w:instr="NUMPAGES"' in footer


def test_the_word_file_is_the_same_bytes_every_time(folders: dict[str, Path]) -> None:
    kept = (folders["teaching"] / "report.docx").read_bytes()
    assert to_docx(report(folders["teaching"])) == kept
    with zipfile.ZipFile(io.BytesIO(kept)) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = packed.read("docProps/core.xml").decode()
    assert re.findall(r">(\d{4}-\d\d-\d\dT[^<]*)<", core) == ["1980-01-01T00:00:00Z"] * 2


def test_a_word_file_can_be_written_later(
    folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(folders["teaching"], folder)
    kept = (folder / "report.docx").read_bytes()
    (folder / "report.docx").unlink()
    assert run(["docx", str(folder)], monkeypatch) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.docx")
    assert (folder / "report.docx").read_bytes() == kept
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    (folder / "scenario.yaml").write_text(text.replace("p1: 0.30", "p1: 0.35"), encoding="utf-8")
    assert run(["docx", str(folder), "--force"], monkeypatch) == 2
    assert "is not what comes out now" in capsys.readouterr().err
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    doc = load(folder / "results.json")
    (folder / "results.json").write_text(json.dumps({**doc, "trialsim": "0.0.1"}))
    assert run(["docx", str(folder), "--force"], monkeypatch) == 2
    assert "its seal does not fit its content" in capsys.readouterr().err
    (folder / "results.json").write_text("[]")
    assert run(["docx", str(folder), "--force"], monkeypatch) == 2
    assert "its seal does not fit its content" in capsys.readouterr().err
    assert run(["docx", str(tmp_path)], monkeypatch) == 2
    assert "is not a run folder: it has no results.json" in capsys.readouterr().err


def test_without_python_docx_the_way_to_get_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    command = ["run", str(CONFIGS / "teaching.yaml"), "-o", str(tmp_path / "run"), "--docx"]
    assert run(command, monkeypatch) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "pip install 'trialsim[docx]'" in said
    assert not (tmp_path / "run").exists()


# -- tables, examples, again


@pytest.mark.parametrize("name", RUNS)
def test_every_table_has_its_csv_with_the_same_rows(folders: dict[str, Path], name: str) -> None:
    known = set(Known(load(folders[name] / "results.json")).numbers)
    tables = list(report(folders[name]).tables())
    for number, table in enumerate(tables, start=1):
        (path,) = (folders[name] / "tables").glob(f"table_{number:02}_*.csv")
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        entries = [row for group in table.groups for row in group.rows]
        assert len(rows) == len(entries) + 1
        for written, row in zip(rows[1:], entries, strict=True):
            values = {float(cell.machine) for cell in row if cell.value is not None}
            assert values <= known
            assert values <= {float(text) for text in written if re.fullmatch(r"-?[\d.]+(e-?\d+)?", text)}
    assert len(list((folders[name] / "tables").glob("table_*.csv"))) == len(tables)


@pytest.mark.parametrize("name", RUNS)
def test_examples_are_the_first_trials_of_their_kind(folders: dict[str, Path], name: str) -> None:
    doc = load(folders[name] / "results.json")
    scenario = scenario_of(folders[name] / "scenario.yaml")
    kinds = {
        "go": {END_WORDS[FINAL_GO], END_WORDS[GO_EARLY]},
        "stop": {END_WORDS[FUTILITY], END_WORDS[TOXICITY]},
    }
    assert {"go", "stop"} <= {row["kind"] for row in doc["examples"]}
    for row in doc["examples"]:
        for number in range(1, row["trial"] + 1):
            there = trace(scenario, row["case"], number, doc["seed"])
            lower = any(patient["dose"] != scenario.doses[0] for patient in there.patients)
            is_one = there.end in kinds.get(row["kind"], ()) or (
                row["kind"] == "reduced" and lower and there.end not in kinds["go"]
            )
            assert is_one == (number == row["trial"])
        assert row["end"] == there.end
        assert row["patients"]["response"] == [patient["response"] for patient in there.patients]
        assert row["patients"]["dose"] == [patient["dose"] for patient in there.patients]
    if name == "dasatinib":
        assert END_WORDS[FINAL_NO_GO] in {row["end"] for row in doc["examples"]}


ANALYSES = """
sensitivity:
  tornado:
    active drug: {case: active, quantities: [p_go], inputs: {"truth.active.response": [0.25, 0.35]}}
  thresholds:
    toxicity: {case: active, input: "truth.active.toxicity[1]", from: 0.1, to: 0.9, below: 0.75}
"""


def test_sensitivity_analyses_become_a_section_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unrendered(monkeypatch)
    teaching = CONFIGS / "teaching.yaml"
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(teaching.read_text(encoding="utf-8") + ANALYSES, encoding="utf-8")
    folder = tmp_path / "run"
    command = [
        "run",
        str(scenario),
        "-o",
        str(folder),
        "--replicates",
        "500",
        "--docx",
        "-q",
        "--sensitivity",
    ]
    assert run(command, monkeypatch) == 0
    titles = [section.title for section in report(folder).sections]
    assert titles[titles.index("Results") :][:2] == ["Results", "Sensitivity"]
    for kind in ("html", "docx"):
        assert missing(load(folder / "results.json"), pieces(folder, kind)) == []
        assert any("Threshold: toxicity" in piece for piece in pieces(folder, kind))
    assert {p.name for p in (folder / "tables").glob("sensitivity_*")} == {
        "sensitivity_tornado_1.csv", "sensitivity_thresholds_2.csv",
    }  # fmt: skip
    assert reproduce(folder) == (True, ())


def test_a_run_with_its_figures_is_reproduced(folders: dict[str, Path]) -> None:
    assert reproduce(folders["teaching"]) == (True, ())
    changed: dict[str, Any] = load(folders["teaching"] / "results.json")
    del changed["seal"]  # a folder of an earlier version
    changed["figures"][0]["data"]["value"][0] += 0.1
    other = folders["teaching"].parent / "changed"
    other.mkdir()
    (other / "scenario.yaml").write_bytes((folders["teaching"] / "scenario.yaml").read_bytes())
    (other / "results.json").write_text(json.dumps(changed))
    same, differences = reproduce(other)
    assert not same and differences[0].startswith("figures[0].data.value[0]: ")
