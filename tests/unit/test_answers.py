"""What-ifs, comparisons, sensitivity analyses and searches: every form from one report, and worked out again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import trialsim
from tests.helpers import run, unrendered
from tests.unit.test_compare import MINIMAX
from tests.unit.test_compare import TEXT as DESIGN
from tests.unit.test_sensitivity_grammar import GOOD
from tests.unit.test_sensitivity_grammar import TEXT as PLAIN
from tests.unit.test_whatif import TEXT, VARIANTS
from trialsim.answers import Answer
from trialsim.scenario.files import parse
from trialsim.writing.latex import latex
from trialsim.writing.markdown import markdown
from trialsim.writing.seal import sealed

RATES = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}


@pytest.fixture(scope="module")
def answers() -> dict[str, Answer]:
    """One of each class."""
    found: dict[str, Answer] = {"whatif": trialsim.whatif(parse(TEXT + VARIANTS), replicates=200)}
    found["whatifs"] = trialsim.WhatIfs((found["whatif"], found["whatif"]))  # type: ignore[arg-type]
    found["compare"] = trialsim.compare({"a": parse(DESIGN), "b": parse(MINIMAX)}, replicates=200)
    found["sensitivity"] = trialsim.sensitivity(parse(PLAIN + GOOD), replicates=200)
    for analysis in found["sensitivity"].analyses:  # type: ignore[attr-defined]
        found[analysis.kind] = analysis
    found["find"] = trialsim.find("simon", **RATES)
    found["robust"] = trialsim.find_robust(parse(DESIGN), nmax=40, alpha=0.1, beta=0.3)
    return found


NAMES = ("whatif", "whatifs", "compare", "sensitivity", "tornado", "grids", "priors", "thresholds", "worst_case",
         "find", "robust")  # fmt: skip
WITHOUT_FIGURES = {"worst_case"}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_shows_itself_in_every_form(answers: dict[str, Answer], name: str) -> None:
    answer = answers[name]
    assert repr(answer).startswith(f"<{type(answer).__name__}") and len(repr(answer)) < 200
    report = answer.report()
    told = str(answer)
    assert report.title.split()[0] in told and "\n" in told
    assert max(map(len, told.splitlines())) < 160
    notebook = answer._repr_html_()
    assert "<table" in notebook and "<!DOCTYPE" not in notebook
    for table in report.tables():
        assert table.caption in notebook.replace("&#39;", "'")
    assert markdown(report).count("**Table ") == len(list(report.tables()))
    assert latex(report).count(r"\begin{longtable}") == len(list(report.tables()))
    pictures = answer.figures()
    assert bool(pictures) != (name in WITHOUT_FIGURES)
    for each in pictures:
        assert each.drawing.svg().lstrip().startswith(b"<?xml")
        assert len(each.alt) > 20
        assert each.drawing.csv().count("\n") > 1


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_plain_data_are_unrounded_and_without_sentences(
    answers: dict[str, Answer], name: str
) -> None:
    answer = answers[name]
    frame, rows = answer.to_frame(), list(answer.rows())
    assert len(frame) == len(rows) > 0
    assert set(frame.columns) == {key for row in rows for key in row}
    json.dumps(answer.to_dict(), allow_nan=False)
    told = [text for text in _texts(answer.to_dict()) if text.endswith(".") and " " in text]
    assert not told or name == "robust"  # why there is no design is what the search itself says


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def test_a_terminal_waits_for_no_figure(answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    import trialsim.figures.variants as variants

    monkeypatch.setattr(variants, "draw", lambda *_: 1 / 0)
    assert "The main quantities" in str(answers["whatif"])
    with pytest.raises(ZeroDivisionError):
        answers["whatif"].figures()[0].title  # noqa: B018


FOLDERS = {
    "whatif": ["whatif", "small.yaml", "twin.yaml", "--set", "truth.*.odds_ratio=4", "--case", "active"],
    "compare": ["compare", "a.yaml", "b.yaml", "--truth", "small.yaml", "--replicates", "300"],
    "sensitivity": ["sensitivity", "s.yaml", "--only", "tornado", "--seed", "3"],
    "find": [
        "find",
        "simon",
        "--p0",
        ".1",
        "--p1",
        ".3",
        "--alpha",
        ".05",
        "--beta",
        ".2",
        "--set",
        "balanced=true",
    ],
    "robust": ["find", "--scenario", "a.yaml", "--nmax", "40", "--alpha", ".1", "--beta", ".3"],
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_worked_out_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    texts = {"small": TEXT + VARIANTS, "twin": TEXT, "a": DESIGN, "b": MINIMAX, "s": PLAIN + GOOD}
    for stem, text in texts.items():
        Path(f"{stem}.yaml").write_text(text, encoding="utf-8")
    assert run([*FOLDERS[name], "-o", "out", "--docx"], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert printed.rstrip().endswith(str(tmp_path / "out/report.html"))
    content = json.loads(Path("out/results.json").read_text(encoding="utf-8"))
    assert content["kind"] == FOLDERS[name][0]
    for file in content["texts"]:
        assert Path("out", file).read_text(encoding="utf-8") in texts.values()
    assert run(["reproduce", "out"], monkeypatch) == 0
    assert "reproduced bit by bit" in capsys.readouterr().out
    word = Path("out/report.docx").read_bytes()
    Path("out/report.docx").unlink()
    assert run(["docx", "out"], monkeypatch) == 0
    assert Path("out/report.docx").read_bytes() == word
    markdown_of = Path("out/report.md").read_text(encoding="utf-8")
    assert run([*FOLDERS[name], "--markdown"], monkeypatch) == 0
    assert capsys.readouterr().out.endswith(markdown_of)
    # a number that is not what comes out
    recorded = Path("out/results.json").read_text(encoding="utf-8")
    number = re.search(r"\d\.\d{6,}", recorded)
    assert number
    Path("out/results.json").write_text(recorded.replace(number[0], f"{number[0]}1", 1), encoding="utf-8")
    for command in ("reproduce", "docx"):
        assert run([command, "out"], monkeypatch) == 2
        assert "results.json was changed after it was written" in capsys.readouterr().err
    changed = json.loads(Path("out/results.json").read_bytes())
    Path("out/results.json").write_bytes(sealed(changed))
    assert run(["reproduce", "out"], monkeypatch) == 1
    assert number[0] in capsys.readouterr().err
    assert run(["docx", "out", "--force"], monkeypatch) == 2
    assert "is not what comes out now" in capsys.readouterr().err


def test_forms_that_do_not_go_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(TEXT, encoding="utf-8")
    for more, why in (
        (["--json", "--latex"], "one form can be printed"),
        (["--docx"], "name it with -o"),
        (["--resume"], "name it with -o"),
    ):
        assert run(["whatif", "small.yaml", *more], monkeypatch) == 2
        printed = capsys.readouterr()
        assert why in printed.err and not printed.out
