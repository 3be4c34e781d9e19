"""The ledger: what it gives back after any damage is true, and it says plainly what it cannot use."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import config
from trialsim.designs.rules import Rules
from trialsim.engine import ledger as module
from trialsim.engine.ledger import Ledger, Part, disjoint
from trialsim.engine.montecarlo import tallies
from trialsim.engine.tally import Tally
from trialsim.engine.trials import Untimed, fingerprint, untimed
from trialsim.errors import OutputError
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules

SCENARIO = config("teaching")
CASES = untimed(compile_rules(SCENARIO), Compiled.of(SCENARIO).rates)
RUN = {"inactive": "sha256:a", "active": "sha256:b"}


def part(case: str, first: int, replicates: int) -> Part:
    return Part(case, first, Tally(replicates, {"n": (first, replicates)}))


PARTS = [part("inactive", 0, 10), part("inactive", 10, 5), part("active", 0, 12)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with three chunks, as a kill leaves it."""
    file = tmp_path / "run.ledger"
    with Ledger(file, "sha256:s") as ledger:
        assert ledger.begin(1, 20, RUN) == []
        for each in PARTS:
            ledger.append(each)
    return file


def resumed(
    path: Path, seed: int = 1, replicates: int = 20, scenario: str = "sha256:s", **run: str
) -> list[Part]:
    with Ledger(path, scenario, resume=True) as ledger:
        parts = ledger.begin(seed, replicates, run or RUN)
        assert ledger.replicates == sum(each.tally.replicates for each in parts)
        return parts


def in_order(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda each: (each.case, each.first))


def test_what_was_kept_comes_back(path: Path) -> None:
    assert in_order(resumed(path)) == in_order(PARTS)
    assert in_order(resumed(path)) == in_order(PARTS)


def test_without_resume_nothing_is_dropped_but_by_force(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(OutputError) as refused, Ledger(path, "sha256:s") as ledger:
        ledger.begin(1, 20, RUN)
    kept = sum(part.tally.replicates for part in PARTS)
    assert f"keeps {kept} replicates of a run that was cut off" in str(refused.value)
    assert path.read_bytes() == before
    with Ledger(path, "sha256:s", force=True) as ledger:
        assert ledger.begin(1, 20, RUN) == []
        ledger.append(PARTS[2])
    assert resumed(path) == [PARTS[2]]


def test_torn_at_every_byte_of_the_last_line(path: Path) -> None:
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for length in range(last, len(whole)):
        path.write_bytes(whole[:length])
        with Ledger(path, "sha256:s", resume=True) as ledger:
            assert in_order(ledger.begin(1, 20, RUN)) == PARTS[:2]
            assert path.read_bytes() == whole[:last]
            ledger.append(PARTS[2])
        assert path.read_bytes() == whole


def test_torn_at_every_byte_of_the_header(path: Path) -> None:
    header = path.read_bytes().split(b"\n")[0]
    for length in range(len(header) + 1):
        path.write_bytes(header[:length])
        assert resumed(path) == []


def test_an_altered_byte_of_the_last_line_costs_that_line_and_elsewhere_the_ledger(path: Path) -> None:
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for at in range(len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        if at == last - 1:  # the end of the line before: the two are one damaged line now
            assert in_order(resumed(path)) == PARTS[:1]
        elif at >= last:
            assert in_order(resumed(path)) == PARTS[:2], at
        else:
            with pytest.raises(OutputError, match=r"line \d is damaged|is not a ledger"):
                resumed(path)


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 2, 3), (0, 1, 1, 2, 3), (1, 2, 3)])
def test_lines_moved_removed_or_repeated(path: Path, order: tuple[int, ...]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[k] for k in order))
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"line \d is damaged|is not a ledger"):
        resumed(path)
    assert path.read_bytes() == before


def test_lines_of_another_run_do_not_fit(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.ledger"
    with Ledger(other, "sha256:s") as ledger:
        ledger.begin(2, 20, RUN)
        for each in PARTS:
            ledger.append(each)
    mine, others = (file.read_bytes().splitlines(keepends=True) for file in (path, other))
    path.write_bytes(b"".join([*mine[:2], *others[2:]]))
    with pytest.raises(OutputError, match="line 3 is damaged"):
        resumed(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 2}, "the seed was 1, now 2"),
        ({"replicates": 30}, "replicates was 20, now 30"),
        ({"scenario": "sha256:t"}, "the scenario has changed"),
        ({"inactive": "sha256:a", "active": "sha256:c"}, "the rules or rates have changed in active"),
        ({"inactive": "sha256:a"}, "the rules or rates have changed in active"),
        ({"seed": 2, "scenario": "sha256:t"}, "the seed was 1, now 2; the scenario has changed"),
    ],
)
def test_a_ledger_of_another_run_is_refused_and_kept(
    path: Path, change: dict[str, object], words: str
) -> None:
    before = path.read_bytes()
    with pytest.raises(OutputError) as refused:
        resumed(path, **change)  # type: ignore[arg-type]
    assert f"{path}: {words}. With --force in place of --resume it starts" in str(refused.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "words"), [("__version__", "trialsim was"), ("FORMAT", "it is in format 3, not 4")]
)
def test_a_ledger_of_another_version_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.setattr(module, name, {"__version__": "9.9", "FORMAT": 4}[name])
    with pytest.raises(OutputError, match=words):
        resumed(path)


@pytest.mark.parametrize("resume", [True, False])
def test_somebody_elses_file_is_left_alone(tmp_path: Path, resume: bool) -> None:
    path = tmp_path / "run.ledger"
    path.write_text("date,amount\n")
    with pytest.raises(OutputError, match="is not a ledger"), Ledger(path, "s", resume=resume) as ledger:
        ledger.begin(1, 20, RUN)
    assert path.read_text() == "date,amount\n"


def test_replicates_are_never_counted_twice() -> None:
    parts = [part("a", 0, 10), part("a", 5, 10), part("b", 5, 10), part("a", 0, 10), part("a", 15, 5)]
    assert disjoint(parts) == [parts[0], parts[2], parts[4]]


def test_one_process_at_a_time(path: Path) -> None:
    with Ledger(path, "sha256:s", resume=True) as ledger:
        ledger.begin(1, 20, RUN)
        script = (
            "from pathlib import Path; from trialsim.engine.ledger import Ledger; import sys\n"
            f"Ledger(Path(sys.argv[1]), 'sha256:s').begin(1, 20, {RUN!r})"
        )
        second = subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, text=True, check=False
        )
        assert "another run is writing" in second.stderr
        with pytest.raises(OutputError, match="another run is writing"):
            resumed(path)
    assert len(resumed(path)) == 3


def test_nothing_is_left_of_a_run_that_kept_nothing_or_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / "run.ledger"
    with Ledger(path, "sha256:s") as ledger:
        ledger.begin(1, 20, RUN)
        assert path.is_file()
    assert not list(tmp_path.iterdir())
    with Ledger(path, "sha256:s") as ledger:
        ledger.begin(1, 20, RUN)
        ledger.append(PARTS[0])
        ledger.discard()
    assert not list(tmp_path.iterdir())


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk takes half a line and then nothing: the lines before it stay."""
    write = os.write
    left = iter([40])

    def full(file: int, content: bytes) -> int:
        for room in left:
            return write(file, content[:room])
        raise OSError(errno.ENOSPC, "No space left on device")

    with Ledger(path, "sha256:s", resume=True) as ledger:
        ledger.begin(1, 20, RUN)
        monkeypatch.setattr(module.os, "write", full)
        with pytest.raises(OutputError, match="after 27 replicates: no space left on device"):
            ledger.append(part("active", 12, 8))
        monkeypatch.undo()
    assert not path.read_bytes().endswith(b"\n")
    assert in_order(resumed(path)) == in_order(PARTS)


def test_a_run_goes_on_with_other_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after 1, 2, ... chunks, gone on with other chunk sizes and workers: the same tallies."""
    path, replicates = tmp_path / "run.ledger", 60_000
    whole = tallies(CASES, replicates, 7)
    monkeypatch.setattr("trialsim.engine.montecarlo.BLOCK", 1)
    for stop, (sizes, jobs) in enumerate(
        [((300_000, 700_000), 2), ((700_000, 300_000), 1), ((450_000, 10**9), 2)], 1
    ):
        done: list[int] = []

        def cut_off(count: int, done: list[int] = done, stop: int = stop) -> None:
            done.append(count)
            if len(done) == stop:
                raise KeyboardInterrupt

        monkeypatch.setattr("trialsim.engine.montecarlo.CHUNK_PATIENTS", sizes[0])
        with pytest.raises(KeyboardInterrupt), Ledger(path, "s", force=True) as ledger:
            tallies(CASES, replicates, 7, jobs=2, ledger=ledger, progress=cut_off)
        monkeypatch.setattr("trialsim.engine.montecarlo.CHUNK_PATIENTS", sizes[1])
        told: list[int] = []
        with Ledger(path, "s", resume=True) as ledger:
            assert tallies(CASES, replicates, 7, jobs=jobs, ledger=ledger, progress=told.append) == whole
            assert ledger.replicates == sum(told) == 3 * replicates
        assert told[:stop] == done


def test_a_complete_ledger_needs_no_simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.ledger"
    with Ledger(path, "s") as ledger:
        whole = tallies(CASES, 500, 7, ledger=ledger)
    monkeypatch.setattr(Untimed, "tally", lambda *_: pytest.fail("simulated again"))
    with Ledger(path, "s", resume=True) as ledger:
        assert tallies(CASES, 500, 7, ledger=ledger) == whole


def test_too_many_replicates_leave_no_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialsim.errors import TrialsimError

    monkeypatch.setattr("trialsim.engine.montecarlo.MAX_PATIENTS", 100)
    with pytest.raises(TrialsimError, match="are accepted"), Ledger(tmp_path / "a", "s") as ledger:
        tallies(CASES, 500, 7, ledger=ledger)
    assert not list(tmp_path.iterdir())


def different(rules: Rules) -> Iterator[Untimed]:
    """Trials that differ from the active case in one number."""
    active = CASES["active"]
    for name in ("look_n", "look_next", "act_ge", "action"):
        table = getattr(active.tables, name).copy()
        table.flat[-1] += 1
        yield dataclasses.replace(active, tables=active.tables._replace(**{name: table}))
    yield dataclasses.replace(active, tables=active.tables._replace(replaced=not rules.replaced))
    yield dataclasses.replace(
        active, thresholds=active.thresholds + np.eye(*active.thresholds.shape, dtype=int)
    )


def test_every_number_that_decides_is_in_the_fingerprint() -> None:
    prints = [fingerprint(each) for each in (CASES["active"], *different(compile_rules(SCENARIO)))]
    assert len(set(prints)) == len(prints) == 7
    again = untimed(compile_rules(SCENARIO), Compiled.of(SCENARIO).rates)["active"]
    assert fingerprint(again) == prints[0]
    assert json.dumps(prints[0]).startswith('"sha256:')
