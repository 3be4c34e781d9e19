"""A run that is killed at any moment goes on with --resume, to the very bytes of a run that was never stopped.

What a killed run leaves behind changes only where it writes: the moments are therefore counted, not timed. A child
counts its steps (lines of the ledger, files and folders opened, made, renamed or removed below its folder) and sends
itself the signal in the midst of one of them, at the same place on any machine, however busy.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import child, ended, first_of, run
from trialsim.figures import FIGURES

SMALL = """
schema: 1
name: Ten patients
endpoint: objective response
design: {kind: simon, n1: 5, r1: 0, n: 10, r: 2}
doses: [full dose]
truth:
  inactive: {response: 0.10}
  active: {response: 0.40}
sources:
  design: {assumed: true, note: a test}
  truth: {assumed: true, note: a test}
simulation: {replicates: 400000, seed: 3}
"""


STEPS = """
import os, sys
from signal import SIGINT, default_int_handler
from signal import signal as hear

hear(SIGINT, default_int_handler)  # even where the tests run in the background of a shell, which ignores it
signal, at, folder = int(sys.argv.pop(1)), int(sys.argv.pop(1)), os.getcwd()
me, steps, whole = os.getpid(), 0, os.write

def step():
    global steps
    steps += os.getpid() == me
    return steps == at and os.getpid() == me

def write(file, content):
    if step():  # half a line
        whole(file, content[: len(content) // 2])
        os.kill(me, signal)
        return len(content) // 2
    return whole(file, content)

def audited(event, arguments):
    changes = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
    written = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    path = str(arguments[0]) if changes or written else ""
    if path.startswith(folder) and step():
        os.kill(me, signal)

os.write = write
sys.addaudithook(audited)
from trialsim.cli import main
from trialsim import figures
figures.FIGURES = figures.FIGURES[2:4]  # drawing takes longest
try:
    main()
finally:
    print(steps)
"""
TWO = FIGURES[2:4]
NEVER = 0
LEDGER = 10
"""The first steps of a run on one worker, which are those of its ledger."""

RUN = ["run", "small.yaml", "-o", "out"]


def start(folder: Path, *options: str, at: int = NEVER, sent: int = signal.SIGKILL) -> subprocess.Popen[str]:
    """A run of the small scenario that sends itself a signal in the midst of its step ``at``."""
    return subprocess.Popen(
        [sys.executable, "-c", STEPS, str(int(sent)), str(at), *RUN, *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(folder: Path, *options: str) -> int:
    """A run to its end, and how many steps it took."""
    process = start(folder, *options)
    printed, errors = ended(process)
    assert process.returncode == 0, errors
    return int(printed.split()[-1])


def killed(folder: Path, at: int, *options: str) -> None:
    process = start(folder, *options, at=at)
    _, errors = ended(process)
    assert process.returncode == -signal.SIGKILL, errors


def scenario_in(folder: Path) -> Path:
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    return folder


def results(folder: Path) -> bytes:
    return (folder / "out" / "results.json").read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int]:
    """results.json of a run that nobody stopped, and the steps that it took on one worker."""
    folder = scenario_in(tmp_path_factory.mktemp("whole"))
    steps = finished(folder, "--jobs", "1")
    return results(folder), steps


def killed_and_resumed(folder: Path, rng: random.Random, steps: int) -> bytes:
    """Kill at random steps, up to three times over, and go on with any number of workers: what comes out."""
    resume: list[str] = []
    for _ in range(3):
        most = rng.choice((LEDGER, steps))  # the ledger is a small part of all that is written
        options = [*resume, "--jobs", str(rng.choice([1, 2, 3]))]
        process = start(folder, *options, at=rng.randint(1, most))
        _, errors = ended(process)
        assert process.returncode in (0, -signal.SIGKILL), errors
        if (folder / "out").exists():  # what was left took fewer steps, or only the ledger was to be removed
            break
        resume = ["--resume"]
    else:
        finished(folder, "--resume", "--jobs", str(rng.choice([1, 2, 3])))
    return results(folder)


@pytest.mark.parametrize("seed", first_of(1, range(3)))
def test_runs_killed_at_random_moments(seed: int, tmp_path: Path, uninterrupted: tuple[bytes, int]) -> None:
    whole, steps = uninterrupted
    assert killed_and_resumed(scenario_in(tmp_path), random.Random(seed), steps) == whole


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_runs_killed_at_random_moments(
    seed: int, tmp_path: Path, uninterrupted: tuple[bytes, int]
) -> None:
    whole, steps = uninterrupted
    assert killed_and_resumed(scenario_in(tmp_path), random.Random(seed), steps) == whole


def ledger_lines(folder: Path) -> int:
    ledger = folder / "out.ledger"
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def test_what_was_kept_is_not_simulated_again(tmp_path: Path, uninterrupted: tuple[bytes, int]) -> None:
    killed(scenario_in(tmp_path), 7, "--jobs", "1")
    kept = (tmp_path / "out.ledger").read_bytes()
    assert kept.count(b"\n") == 5 and not kept.endswith(b"\n")
    killed(tmp_path, 3, "--resume", "--jobs", "1")
    again = (tmp_path / "out.ledger").read_bytes()
    assert again.startswith(kept[: kept.rindex(b"\n") + 1]) and again.count(b"\n") == 6
    finished(tmp_path, "--resume")
    assert results(tmp_path) == uninterrupted[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "small.yaml"]


@pytest.mark.parametrize("at", first_of(1, [LEDGER + 2, 5, 20]))
def test_an_interrupt_keeps_what_was_done(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: tuple[bytes, int]
) -> None:
    """In the midst of a line of the ledger, as the report begins, and while it is written."""
    process = start(scenario_in(tmp_path), "--jobs", "1", at=at, sent=signal.SIGINT)
    _, errors = ended(process)
    assert process.returncode == 130
    assert "the same command with --resume goes on from there\ninterrupted; no report was written" in errors
    assert "Traceback" not in errors and "Warning" not in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.ledger", "small.yaml"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trialsim.figures.FIGURES", TWO)
    assert run([*RUN, "--resume", "-q"], monkeypatch) == 0
    assert results(tmp_path) == uninterrupted[0]


def test_another_seed_or_scenario_cannot_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    killed(scenario_in(tmp_path), 4)
    for options, text, words in (
        (["--seed", "4"], SMALL, "the seed was 3, now 4"),
        (["--replicates", "500000"], SMALL, "replicates was 400000, now 500000"),
        (
            [],
            SMALL.replace("0.40", "0.45"),
            "the scenario has changed; the rules or rates have changed in active",
        ),
    ):
        (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
        assert run([*RUN, "--resume", *options], monkeypatch) == 2
        assert words in capsys.readouterr().err
        assert ledger_lines(tmp_path) >= 2


def test_a_second_run_into_the_same_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first = start(scenario_in(tmp_path), at=4, sent=signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(first.pid, os.WUNTRACED)[1])
    assert run([*RUN, "--resume", "--replicates", "500000"], monkeypatch) == 2
    assert "another run is writing" in capsys.readouterr().err
    first.kill()
    ended(first)


def test_a_file_that_may_not_grow(tmp_path: Path, uninterrupted: tuple[bytes, int]) -> None:
    """The limit on a file's size falls within a line: a plain error, and the run goes on from the lines before."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    process = child(RUN, scenario_in(tmp_path), limit)
    _, errors = ended(process)
    assert process.returncode == 2, errors
    assert "replicates are kept" in errors and "file too large" in errors
    assert "Traceback" not in errors and "Warning" not in errors
    assert (tmp_path / "out.ledger").stat().st_size <= 2000
    assert ledger_lines(tmp_path) >= 2
    finished(tmp_path, "--resume")
    assert results(tmp_path) == uninterrupted[0]
