"""Points of a sweep as they are worked out, on disk, so that a run that was cut off can go on.

One JSON line a point, under the fingerprint of everything that decides its numbers: the changed scenario, the case, the
engine, replicates and seed, and the version of trialsim. A line of another run fits no point of this one and is never
looked up, so it does no harm; a line that is torn or altered does not fit its own hash and is passed over.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from trialsim.errors import OutputError

MARK = {"trialsim_sweep": 1}
"""The first line of every such file; a file that begins otherwise is somebody's own and is left alone."""

Entry = dict[str, Any]


class Kept:
    """Finished points, in memory and, with a path, on disk.

    Args:
        path: the file; it appears with the first finished point. None keeps points in memory only.
        resume: use what an earlier run has left.
        force: drop what an earlier run has left.

    Attributes:
        resumed: how many points an earlier run has left.

    Raises:
        OutputError: there are points, and neither ``resume`` nor ``force`` is asked for; the file cannot be read.
    """

    def __init__(self, path: Path | None = None, *, resume: bool = False, force: bool = False) -> None:
        self.path = path
        self.points: dict[str, Entry] = {}
        self._file: io.FileIO | None = None
        if path is not None and path.exists():
            self._read(path)
            if force and not resume:
                self.points.clear()
            elif self.points and not resume:
                raise OutputError(
                    f"{path} keeps {len(self.points):,} points of a run that was cut off: go on from there with "
                    "--resume, or drop them with --force"
                )
        self.resumed = len(self.points)

    def add(self, points: Mapping[str, Entry]) -> None:
        """Keep finished points; on disk before anybody counts on them.

        Raises:
            OutputError: the file cannot be written.
        """
        if self.path is not None and points:
            self._write(self.path, points)
        self.points.update(points)

    def _write(self, path: Path, points: Mapping[str, Entry]) -> None:
        lines = [_sealed({"key": key, **entry}) for key, entry in points.items()]
        try:
            if self._file is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = io.FileIO(path, "a" if self.resumed else "w")
                # an earlier run may have ended in the middle of a line
                lines.insert(0, b"\n" if self.resumed else _sealed(MARK))
            left = memoryview(b"".join(lines))
            while left:
                left = left[self._file.write(left) or 0 :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from None

    def discard(self) -> None:
        """Say that the run is complete: the file has done its work and goes."""
        self.close()
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def close(self) -> None:
        """Let go of the file; one that holds no point is removed."""
        if self._file is None or self.path is None:
            return
        self._file.close()
        self._file = None
        if not self.points:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, path: Path) -> None:
        try:
            first, *lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise OutputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
        if first and _unsealed(first) != MARK:
            raise OutputError(f"{path} is not a file of trialsim; choose another folder")
        for line in lines:
            entry = _unsealed(line)
            if entry is not None and "key" in entry:
                self.points[entry.pop("key")] = entry


def _sealed(entry: Mapping[str, Any]) -> bytes:
    body = json.dumps(entry, separators=(",", ":"))
    return f"{_seal(body)} {body}\n".encode()


def _unsealed(line: bytes) -> Entry | None:
    """The entry of a line that is whole; None for any other."""
    seal, _, body = line.decode("utf-8", "replace").partition(" ")
    if seal != _seal(body):
        return None
    entry: Entry = json.loads(body)
    return entry


def _seal(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
