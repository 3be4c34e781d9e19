"""Malformed scenarios through the command line: status 2, the line named, no traceback, nothing left behind."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from tests.property.test_malformed import TEXTS, mutated, refusal
from trialsim import cli

WANTED = 300


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
    root = Path(cli.__file__).parents[2]
    assert (root / "configs/teaching.yaml").read_bytes() == (
        root / "src/trialsim/scenario/example.yaml"
    ).read_bytes()
