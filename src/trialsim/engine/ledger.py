"""The ledger of a run: every chunk of replicates as it is finished, so that a run that was cut off can go on.

One JSON line a chunk, after a header that says of what run. Each line carries a seal, a hash of its content and of the
seal before it: a line that is torn, altered, moved or of another run does not fit. What counts is which replicates a
line holds, not how the run was cut into chunks, so a run goes on with any number of workers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from trialsim.engine.tally import Tally
from trialsim.errors import OutputError
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.version import __version__

FORMAT = 3
MARK = b'{"trialsim_ledger":'
"""How every ledger begins; a file that begins otherwise is somebody's own and is left alone."""


class Part(NamedTuple):
    """Replicates ``first``, ``first + 1``, ... of a case, counted."""

    case: str
    first: int
    tally: Tally

    @property
    def stop(self) -> int:
        """The first replicate after these."""
        return self.first + self.tally.replicates


class Ledger:
    """The finished chunks of a run on disk, held by one process at a time.

    Args:
        path: the file; it appears when the first replicates are about to be simulated.
        scenario: digest of the scenario.
        resume: go on with what an earlier run has left.
        force: drop what an earlier run has left.

    Attributes:
        replicates: how many are kept, over all cases.
    """

    def __init__(self, path: Path, scenario: str, *, resume: bool = False, force: bool = False) -> None:
        self.path = path
        self.replicates = 0
        self._scenario, self._resume, self._force = scenario, resume, force
        self._file, self._seal = -1, ""
        self._worthless = False
        self._made: list[Path] = []

    def begin(self, seed: int, replicates: int, trials: Mapping[str, str]) -> list[Part]:
        """Take hold of the file and return what an earlier run has finished, no replicate twice.

        Raises:
            OutputError: another process holds it, it keeps replicates without ``resume`` or ``force``, it is of another
                run, damaged, or cannot be written.
        """
        header = {
            "trialsim_ledger": FORMAT,
            "version": __version__,
            "streams": STREAM_VERSION,
            "scenario": self._scenario,
            "seed": seed,
            "replicates": replicates,
            "trials": dict(trials),
        }
        try:
            self._open()
            content = self._content()
            if not (self._resume or self._force):
                self._refuse_to_drop(content)
            parts, length = self._read(content, header) if self._resume else ([], 0)
            self._worthless = not parts
            os.ftruncate(self._file, length)
            if length == 0:
                self._append(header)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {_reason(error)}") from None
        parts = disjoint(parts)
        self.replicates = sum(part.tally.replicates for part in parts)
        return parts

    def append(self, part: Part) -> None:
        """Put a finished chunk on disk before anybody counts on it."""
        try:
            self._append({"case": part.case, "first": part.first, "tally": part.tally.to_dict()})
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written after {self.replicates:,} replicates: {_reason(error)}"
            ) from None
        self.replicates += part.tally.replicates
        self._worthless = False

    def discard(self) -> None:
        """Say that the run is complete: the ledger has done its work and goes."""
        self._worthless = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file; one that nobody needs is removed, as are empty folders made for it."""
        if self._file < 0:
            return
        if self._worthless:
            with contextlib.suppress(OSError):
                self.path.unlink()  # while it is held: afterwards it may be another run's
        self._drop()
        with contextlib.suppress(OSError):
            for folder in self._made:
                folder.rmdir()

    def _open(self) -> None:
        self._made = [folder for folder in self.path.parents if not folder.exists()]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        binary = getattr(os, "O_BINARY", 0)
        while True:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | binary, 0o666)
            if not _hold(self._file):
                self._drop()
                raise OutputError(
                    f"another run is writing {self.path}; wait for it, or choose another folder"
                )
            # the run before may have removed the file between our opening and holding it
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file), os.stat(self.path)):
                    return
            self._drop()

    def _drop(self) -> None:
        os.close(self._file)
        self._file = -1

    def _content(self) -> bytes:
        with open(self._file, "rb", closefd=False) as file:
            content = file.read()
        if not (content.startswith(MARK) or MARK.startswith(content)):
            self._drop()
            raise OutputError(f"{self.path} is not a ledger of trialsim; choose another folder")
        return content

    def _read(self, content: bytes, header: Mapping[str, Any]) -> tuple[list[Part], int]:
        """The parts that were kept, and the length of the file up to the last line that is sound."""
        *lines, torn = content.split(b"\n")
        parts: list[Part] = []
        length = 0
        for number, line in enumerate(lines, 1):
            entry = _unsealed(line, self._seal)
            if entry is None:
                if number == len(lines) and not torn:
                    break  # the last line was not finished
                self._refuse(f"line {number} is damaged")
            elif number == 1:
                if changes := _changes(entry, header):
                    self._refuse("; ".join(changes))
            else:
                parts.append(Part(entry["case"], entry["first"], Tally.from_dict(entry["tally"])))
            self._seal = _seal_of(line)
            length += len(line) + 1
        return parts, length

    def _refuse(self, why: str) -> None:
        self._drop()
        raise OutputError(
            f"the run cannot be resumed from {self.path}: {why}. With --force in place of --resume it starts "
            "from the beginning"
        )

    def _refuse_to_drop(self, content: bytes) -> None:
        """Replicates that took an hour are not dropped because a word was forgotten."""
        count, seal = 0, ""
        for line in content.split(b"\n"):
            entry = _unsealed(line, seal)
            if entry is not None and "tally" in entry:
                count += Tally.from_dict(entry["tally"]).replicates
            seal = _seal_of(line)
        if count:
            self._drop()
            raise OutputError(
                f"{self.path} keeps {count:,} replicates of a run that was cut off: go on from there with --resume, or "
                "drop them with --force"
            )

    def _append(self, entry: Mapping[str, Any]) -> None:
        line = _sealed(entry, self._seal)
        left = memoryview(line)
        while left:
            left = left[os.write(self._file, left) :]
        os.fsync(self._file)
        self._seal = _seal_of(line[:-1])


def disjoint(parts: Iterable[Part]) -> list[Part]:
    """The parts in order of replicates, leaving out any that holds a replicate a second time."""
    kept: list[Part] = []
    reached: dict[str, int] = {}
    for part in sorted(parts, key=lambda part: part.first):
        if part.first >= reached.get(part.case, 0):
            kept.append(part)
            reached[part.case] = part.stop
    return kept


def _sealed(entry: Mapping[str, Any], before: str) -> bytes:
    """A line: the entry, closed with the hash of itself and of the line before."""
    body = json.dumps(entry, separators=(",", ":"))
    seal = hashlib.sha256(f"{before}{body}".encode()).hexdigest()
    return f'{body[:-1]},"seal":"{seal}"}}\n'.encode()


def _seal_of(line: bytes) -> str:
    return line[-66:-2].decode()


def _unsealed(line: bytes, before: str) -> dict[str, Any] | None:
    """The entry of a line; None unless sealing it again gives the very same line."""
    try:
        entry = json.loads(line)
        entry.pop("seal")
    except (ValueError, RecursionError, AttributeError, KeyError):
        return None
    return entry if _sealed(entry, before) == line + b"\n" else None


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """In words, how the run of a ledger differs from the one that wants to go on."""
    if old["trialsim_ledger"] != FORMAT:
        return [f"it is in format {old['trialsim_ledger']}, not {FORMAT}"]
    words = {
        "version": "trialsim",
        "streams": "the layout of random numbers",
        "seed": "the seed",
        "replicates": "replicates",
    }
    found = [f"{word} was {old[key]}, now {new[key]}" for key, word in words.items() if old[key] != new[key]]
    if old["scenario"] != new["scenario"]:
        found.append("the scenario has changed")
    before, now = old["trials"], new["trials"]
    if cases := [case for case in {**before, **now} if before.get(case) != now.get(case)]:
        found.append(f"the rules or rates have changed in {', '.join(cases)}")
    return found


def _hold(file: int) -> bool:
    """Whether no other process holds the file; the system lets go of it however a process ends.

    Where there is no such lock (Windows, some network drives) the seals still keep the lines of two runs apart.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
