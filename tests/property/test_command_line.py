"""Malformed scenarios through the command line: status 2, the line named, no traceback, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.property.test_malformed import TEXTS, mutated, refusal
from trialsim import cli

WANTED = 300
ROOT = Path(__file__).parents[2]


def run(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit status of the command line, in this process."""
    monkeypatch.setattr(sys, "argv", ["trialsim", *arguments])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_300_malformed_scenarios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused, seed = 0, 0
    while refused < WANTED:
        seed += 1
        text = mutated(TEXTS[seed % len(TEXTS)], seed, 1 + seed % 4)
        if refusal(text) is None:
            continue
        Path("bad.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        start = time.perf_counter()
        status = run(["run", "bad.yaml", "-o", "out"], monkeypatch)
        seconds = time.perf_counter() - start
        printed = capsys.readouterr()
        assert status == 2, (seed, printed)
        assert re.search(r"^bad\.yaml:\d+:", printed.err, re.MULTILINE), (seed, printed.err)
        assert "Traceback" not in printed.err
        assert not printed.out
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml"]
        assert seconds < 2
        refused += 1


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["find", "simon", "--p0", "0.3", "--p1", "0.1", "--alpha", "0.05", "--beta", "0.1"], "must be above"),
        (["find", "simon", "--p0", "0.1", "--p1", "0.3", "--alpha", "5", "--beta", "0.1"], "did you mean 0.05"),
        (["find", "simon", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--beta", "0.1", "--nmax", "9"], "n <= 9"),
        (["find", "single_stage", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--beta", "0.1",
          "--criterion", "optimal"], "first, stable"),
        (["run", "missing.yaml"], "missing.yaml"),
        (["reproduce", "nowhere"], "nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_plainly(
    arguments: list[str],
    fragment: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments, monkeypatch) == 2
    printed = capsys.readouterr()
    assert fragment in printed.err
    assert not printed.out
    assert not list(tmp_path.iterdir())


def test_init_validate_and_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"], monkeypatch) == 0
    assert run(["validate", "scenario.yaml"], monkeypatch) == 0
    assert run(["init"], monkeypatch) == 2
    assert "exists" in capsys.readouterr().err
    assert run(["schema"], monkeypatch) == 0
    assert '"$schema"' in capsys.readouterr().out


def test_the_example_is_the_teaching_scenario() -> None:
    example = ROOT / "src/trialsim/scenario/example.yaml"
    assert (ROOT / "configs/teaching.yaml").read_bytes() == example.read_bytes()


def start(arguments: list[str], folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from trialsim.cli import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a child that hears an interrupt, even where the tests run in the background of a shell, which ignores it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_an_interrupt_ends_cleanly(tmp_path: Path) -> None:
    text = (ROOT / "configs/teaching.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    process = start(["run", "a.yaml", "-o", "out", "--replicates", "300000000"], tmp_path)
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; no report was written" in printed
    assert "Traceback" not in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "out.ledger"]


def test_a_terminal_that_knows_only_ascii(tmp_path: Path) -> None:
    text = (ROOT / "configs/teaching.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text.replace("full dose", "30 µg/m²"), encoding="utf-8")
    process = start(
        ["run", "a.yaml", "-o", "out", "--replicates", "500"],
        tmp_path,
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONIOENCODING="ascii",
    )
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "\\xb5g" in printed
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize("results", ["{}", "[]", "no json"])
def test_reproduce_of_a_broken_folder(
    results: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text(results)
    (tmp_path / "scenario.yaml").write_text(
        (ROOT / "configs/teaching.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert run(["reproduce", str(tmp_path)], monkeypatch) == 2
    assert "results.json" in capsys.readouterr().err


def test_an_amendment_after_the_last_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "configs/kluger-melanoma.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text.replace("after_patient: 17", "after_patient: 39"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["run", "a.yaml", "-o", "out"], monkeypatch) == 2
    assert "no patient follows patient 39" in capsys.readouterr().err
