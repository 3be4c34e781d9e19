"""Files, interrupts and full disks: nothing of a user's is lost, nothing is half-written (cases A9, F5-F7, F11-F17)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers import SMALL, run, unrendered

# -- case F5: the bytes of a scenario are read once


def piped(text: str) -> str:
    """A name under which a text can be read once, as ``<(cat FILE)`` gives it."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return f"/dev/fd/{reading}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with pictures that cost nothing."""
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    return tmp_path


@pytest.mark.parametrize("name", ["run", "whatif", "sensitivity", "monitor", "analyse", "trace", "check"])
def test_a_pipe_is_read_once(name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run([name, piped(SMALL), "-o", "out"], monkeypatch) == 0
    assert (place / "out" / "scenario.yaml").read_text() == SMALL


def test_pipes_to_compare(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = SMALL.replace("r: 3", "r: 2")
    designs = [piped(SMALL), piped(other)]
    assert run(["compare", *designs, "--truth", piped(SMALL), "-o", "out"], monkeypatch) == 0
    kept = [(place / "out" / "scenarios" / f"{Path(name).name}.yaml").read_text() for name in designs]
    assert kept == [SMALL, other]
    assert (place / "out" / "scenarios" / "truth of all.yaml").read_text() == SMALL


@pytest.mark.parametrize("new", [SMALL.replace("r: 3", "r: 2"), "half a fi", None])
def test_a_file_changed_while_it_runs(new: str | None, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialsim.engine import operating

    file, simulate = place / "small.yaml", operating.simulate

    def changing(*given, **keywords):  # type: ignore[no-untyped-def]
        file.unlink() if new is None else file.write_text(new)
        return simulate(*given, **keywords)

    file.write_text(SMALL)
    monkeypatch.setattr(operating, "simulate", changing)
    assert run(["run", "small.yaml", "-o", "out"], monkeypatch) == 0
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert (place / "out" / "scenario.yaml").read_text() == SMALL
    assert run(["reproduce", "out"], monkeypatch) == 0
