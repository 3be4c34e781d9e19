"""What the README shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import trialsim
from tests.helpers import DASATINIB, ROOT, run, unrendered
from trialsim.scenario.files import parse

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found.group(1)


def test_the_yaml_is_a_scenario():
    assert trialsim.exact(parse(block("yaml")), totals=False)["active"].exact.values["p_go"] > 0.5


def test_the_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    stated = DASATINIB.read_text(encoding="utf-8")
    fewer = re.sub(r"replicates: \d+", "replicates: 2000", stated)
    assert fewer != stated
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/dasatinib.yaml").write_text(fewer, encoding="utf-8")
    exec(compile(block("python"), "README.md", "exec"), {})
    assert (tmp_path / "dasatinib-report" / "report.html").is_file()
    assert "P(go)" in capsys.readouterr().out


def test_the_search_prints_what_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    shown = block("console").split("--beta .20\n")[1]
    assert (
        run(["find", "simon", "--p0", ".10", "--p1", ".30", "--alpha", ".05", "--beta", ".20"], monkeypatch)
        == 0
    )
    assert capsys.readouterr().out.split() == shown.split()


@pytest.mark.slow
def test_the_commands_run_as_typed_one_after_the_other_in_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    commands = re.findall(r"^\$ trialsim (.*)$", block("console"), re.MULTILINE)
    assert len(commands) > 15
    for command in commands:
        assert run(shlex.split(command, comments=True), monkeypatch) == 0, (command, capsys.readouterr().err)
        if "--resume" in command:
            assert "complete already" in capsys.readouterr().out
    assert {"scenario.yaml", "table.html", "trial-7.svg"} <= {path.name for path in tmp_path.iterdir()}


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target.partition("#")[0]).exists(), target
