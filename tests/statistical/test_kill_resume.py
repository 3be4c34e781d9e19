"""A run that is killed at any moment goes on with --resume, to the very bytes of a run that was never stopped."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

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
simulation: {replicates: 15000000, seed: 3}
"""


def prepare(limit: Callable[[], None] | None) -> None:
    """A child that hears an interrupt, even where the tests run in the background of a shell, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if limit is not None:
        limit()


def start(folder: Path, *options: str, limit: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from trialsim.cli import main; main()",
            "run",
            "small.yaml",
            "-o",
            "out",
            *options,
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: prepare(limit),
    )


def finished(folder: Path, *options: str) -> str:
    process = start(folder, *options)
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return printed


def scenario_in(folder: Path) -> Path:
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, float]:
    """results.json of a run that nobody stopped, and the seconds that it took with kernels compiled."""
    folder = scenario_in(tmp_path_factory.mktemp("whole"))
    finished(folder, "--replicates", "1000")
    began = time.perf_counter()
    finished(folder, "--force")
    return (folder / "out" / "results.json").read_bytes(), time.perf_counter() - began


def killed_and_resumed(folder: Path, rng: random.Random, seconds: float) -> bytes:
    """Kill at random moments, up to three times over, and go on with any number of workers: what comes out."""
    resume: list[str] = []
    for _ in range(3):
        process = start(folder, *resume, "--jobs", str(rng.choice([1, 2, 3])))
        time.sleep(rng.uniform(0.1, 1) * seconds)
        process.kill()
        _, errors = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL), errors
        if (folder / "out").exists():
            break
        resume = ["--resume"]
    else:
        finished(folder, "--resume", "--jobs", str(rng.choice([1, 2, 3])))
    return (folder / "out" / "results.json").read_bytes() if resume else b""


def check_kills(tmp_path: Path, seeds: range, uninterrupted: tuple[bytes, float]) -> None:
    whole, seconds = uninterrupted
    for seed in seeds:
        rng, found, tries = random.Random(seed), b"", 0
        while not found:  # a run that was complete before the first kill shows nothing
            tries += 1
            folder = tmp_path / f"{seed}-{tries}"
            folder.mkdir()
            found = killed_and_resumed(scenario_in(folder), rng, seconds / tries)
        assert found == whole, seed


def test_three_runs_killed_at_random_moments(tmp_path: Path, uninterrupted: tuple[bytes, float]) -> None:
    check_kills(tmp_path, range(3), uninterrupted)


@pytest.mark.slow
def test_a_hundred_runs_killed_at_random_moments(tmp_path: Path, uninterrupted: tuple[bytes, float]) -> None:
    check_kills(tmp_path, range(100, 200), uninterrupted)


def ledger_lines(folder: Path) -> int:
    ledger = folder / "out.ledger"
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def wait_for_lines(folder: Path, lines: int, process: subprocess.Popen[str]) -> None:
    while ledger_lines(folder) < lines:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_what_was_kept_is_not_simulated_again(tmp_path: Path, uninterrupted: tuple[bytes, float]) -> None:
    process = start(scenario_in(tmp_path), "--jobs", "1")
    wait_for_lines(tmp_path, 5, process)
    process.kill()
    process.communicate()
    kept = (tmp_path / "out.ledger").read_bytes()
    process = start(tmp_path, "--resume", "--jobs", "1")
    wait_for_lines(tmp_path, kept.count(b"\n") + 1, process)
    process.kill()
    process.communicate()
    assert (tmp_path / "out.ledger").read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    finished(tmp_path, "--resume")
    assert (tmp_path / "out" / "results.json").read_bytes() == uninterrupted[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "small.yaml"]


def test_an_interrupt_keeps_what_was_done(tmp_path: Path, uninterrupted: tuple[bytes, float]) -> None:
    process = start(scenario_in(tmp_path))
    wait_for_lines(tmp_path, 3, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command with --resume goes on from there\ninterrupted; no report was written" in errors
    assert "Traceback" not in errors and "Warning" not in errors
    finished(tmp_path, "--resume")
    assert (tmp_path / "out" / "results.json").read_bytes() == uninterrupted[0]


def test_another_seed_or_scenario_cannot_be_resumed(tmp_path: Path) -> None:
    process = start(scenario_in(tmp_path))
    wait_for_lines(tmp_path, 2, process)
    process.kill()
    process.communicate()
    for options, text, words in (
        (["--seed", "4"], SMALL, "the seed was 3, now 4"),
        (["--replicates", "20000000"], SMALL, "replicates was 15000000, now 20000000"),
        (
            [],
            SMALL.replace("0.40", "0.45"),
            "the scenario has changed; the rules or rates have changed in active",
        ),
    ):
        (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
        refused = start(tmp_path, "--resume", *options)
        _, errors = refused.communicate(timeout=60)
        assert refused.returncode == 2
        assert words in errors and "Traceback" not in errors
        assert ledger_lines(tmp_path) >= 2


def test_a_second_run_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = start(scenario_in(tmp_path))
    wait_for_lines(tmp_path, 2, first)
    second = start(tmp_path, "--resume", "--replicates", "500000")
    first.send_signal(signal.SIGSTOP)  # still there, however slow the second is to start
    _, errors = second.communicate(timeout=60)
    first.kill()
    first.communicate()
    assert second.returncode == 2
    assert "another run is writing" in errors


def test_a_file_that_may_not_grow(tmp_path: Path, uninterrupted: tuple[bytes, float]) -> None:
    """The limit on a file's size falls within a line: a plain error, and the run goes on from the lines before."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    process = start(scenario_in(tmp_path), limit=limit)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2, errors
    assert "replicates are kept" in errors and "file too large" in errors
    assert "Traceback" not in errors and "Warning" not in errors
    assert (tmp_path / "out.ledger").stat().st_size <= 2000
    assert ledger_lines(tmp_path) >= 2
    finished(tmp_path, "--resume")
    assert (tmp_path / "out" / "results.json").read_bytes() == uninterrupted[0]
