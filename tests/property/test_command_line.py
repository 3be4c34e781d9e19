"""Malformed scenarios through the command line: status 2, the line named, no traceback, nothing left behind."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.helpers import CONFIGS, TEACHING, UNDRAWN, child, ended, first_of, run, wait_until
from tests.property.test_malformed import TEXTS, mutated, refusal


@pytest.mark.parametrize("wanted", first_of(1, [100, 300]))
def test_malformed_scenarios(
    wanted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused, seed = 0, 0
    while refused < wanted:
        seed += 1
        text = mutated(TEXTS[seed % len(TEXTS)], seed, 1 + seed % 4)
        if refusal(text) is None:
            continue
        Path("bad.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        status = run(["run", "bad.yaml", "-o", "out"], monkeypatch)
        printed = capsys.readouterr()
        assert status == 2, (seed, printed)
        assert re.search(r"^bad\.yaml:\d+:", printed.err, re.MULTILINE), (seed, printed.err)
        assert "Traceback" not in printed.err
        assert not printed.out
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml"]
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


def test_an_interrupt_ends_cleanly(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(TEACHING.read_bytes())
    process = child(["run", "a.yaml", "-o", "out", "--replicates", "100000000"], tmp_path)
    ledger = tmp_path / "out.ledger"
    # two lines that say of what run, then one a chunk
    assert wait_until(lambda: ledger.exists() and ledger.read_bytes().count(b"\n") > 2, process)
    process.send_signal(signal.SIGINT)
    _, printed = ended(process)
    assert process.returncode == 130
    assert "interrupted; no report was written" in printed
    assert "Traceback" not in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "out.ledger"]


def test_a_terminal_that_knows_only_ascii(tmp_path: Path) -> None:
    text = TEACHING.read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text.replace("full dose", "30 µg/m²"), encoding="utf-8")
    process = child(
        ["run", "a.yaml", "-o", "out", "--replicates", "500"],
        tmp_path,
        first=UNDRAWN,
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONIOENCODING="ascii",
    )
    printed, errors = ended(process)
    assert process.returncode == 0, errors
    assert "\\xb5g" in printed
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize("results", ["{}", "[]", "no json"])
def test_reproduce_of_a_broken_folder(
    results: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text(results)
    (tmp_path / "scenario.yaml").write_bytes(TEACHING.read_bytes())
    assert run(["reproduce", str(tmp_path)], monkeypatch) == 2
    assert "results.json" in capsys.readouterr().err


def test_an_amendment_after_the_last_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (CONFIGS / "kluger-melanoma.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text.replace("after_patient: 17", "after_patient: 39"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["run", "a.yaml", "-o", "out"], monkeypatch) == 2
    assert "no patient follows patient 39" in capsys.readouterr().err
