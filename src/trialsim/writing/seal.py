"""The seals of a folder: whether what stands in it is still what was written.

Every JSON file closes with a digest of its own content, and ``environment.json`` lists the digest of every other file.
A seal tells a changed number from the one that was worked out; against somebody who seals anew it is no guard, and only
working everything out again is (``trialsim reproduce``).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SEAL, FILES = "seal", "files"
RESULTS, ENVIRONMENT = "results.json", "environment.json"
CHANGED, ADDED, MISSING = "changed since it was written", "not written by trialsim", "no longer there"

EMPTY, END = b"{}\n", b"\n}\n"
"""A JSON file without content, and how every other ends."""

DEBRIS = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave behind."""


def to_json(content: Mapping[str, Any]) -> bytes:
    """A JSON file; ``content`` has no NaN."""
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def sealed(content: Mapping[str, Any]) -> bytes:
    """A JSON file that closes with the digest of its content."""
    open_one = to_json({key: value for key, value in content.items() if key != SEAL})
    seal = to_json({SEAL: f"sha256:{hashlib.sha256(open_one).hexdigest()}"})
    # the seal is the last key: what stands before it is not written a second time, for large files take long
    return seal if open_one == EMPTY else open_one.removesuffix(END) + b"," + seal.removeprefix(b"{")


def fits(recorded: bytes) -> bool | None:
    """Whether the seal of a JSON file fits its content, to the byte; None where it carries no seal.

    Raises:
        ValueError, RecursionError: it is not JSON.
    """
    content = json.loads(recorded)
    if not isinstance(content, dict) or SEAL not in content:
        return None
    try:
        return sealed(content) == recorded
    except ValueError:  # NaN, or half a character: nothing that was ever written
        return False


def digests(folder: Path, only: Iterable[Path] | None = None) -> dict[str, str]:
    """The digest of every file in a folder but ``environment.json``, by its name there; links are not followed."""
    found = {}
    for path in sorted(folder.rglob("*") if only is None else only):
        name = path.relative_to(folder).as_posix()
        if name == ENVIRONMENT or path.name in DEBRIS:
            continue
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                found[name] = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        elif path.is_symlink() or not path.is_dir():
            found[name] = "no file"
        elif not any(path.iterdir()):
            found[name] = "empty folder"
    return found


def alterations(folder: Path) -> dict[str, str] | None:
    """What is not as it was written: names of files, and in words what became of them; None where no list was kept.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        recorded = (folder / ENVIRONMENT).read_bytes()
        if not fits(recorded):
            return {ENVIRONMENT: CHANGED} if is_sealed(folder) else None
    except FileNotFoundError:
        return {ENVIRONMENT: MISSING} if is_sealed(folder) else None
    except (ValueError, RecursionError):
        return {ENVIRONMENT: CHANGED}
    listed = json.loads(recorded).get(FILES, {})
    now = digests(folder)
    added = {name: ADDED for name in now if name not in listed}
    gone = {name: MISSING for name in listed if name not in now}
    return added | gone | {name: CHANGED for name in now if name in listed and now[name] != listed[name]}


def is_sealed(folder: Path) -> bool:
    """Whether a folder was written with seals, even if one of them has been taken off since; read from either file."""
    for name in (RESULTS, ENVIRONMENT):
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if fits((folder / name).read_bytes()) is not None:
                return True
    return False


def with_files(environment: bytes, files: Mapping[str, str]) -> bytes:
    """``environment.json`` that also lists these files."""
    content = json.loads(environment)
    return sealed({**content, FILES: {**content.get(FILES, {}), **files}})
