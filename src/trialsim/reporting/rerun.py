"""Work out again what is in a folder, and compare the results byte by byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialsim.errors import OutputError, TrialsimError
from trialsim.given import takes
from trialsim.reporting.again import AGAIN
from trialsim.reporting.filing import results_json
from trialsim.writing.folder import RESULTS, reason_of

if TYPE_CHECKING:
    from trialsim.answers import Answer
    from trialsim.engine.montecarlo import Progress

MOST = 20
"""Differences told one by one."""


@takes
def reproduce(
    folder: str | os.PathLike[str], *, jobs: int | None = None, progress: Progress | None = None
) -> tuple[bool, tuple[str, ...]]:
    """Work a folder out again from its copies of the scenario files, as it was asked for.

    Returns
    -------
    Whether ``results.json`` is the same byte by byte, and what differs, in words.

    Raises
    ------
    OutputError : this is not a folder of trialsim, or its results.json cannot be read.
    """
    kept = Path(folder)
    recorded, content = recorded_in(kept)
    _, again = answered(kept, content, jobs, progress)
    return again == recorded, _told(recorded, content, again)


def answered(
    folder: Path, content: dict[str, Any], jobs: int | None = None, progress: Progress | None = None
) -> tuple[Answer, bytes]:
    """The answer of a folder, worked out again from the copies of its scenario files, and its ``results.json``."""
    try:
        work_out, asked = AGAIN[content["kind"]], dict(content["asked"])
        texts = {name: _text(folder / name) for name in content["texts"]}
        found = work_out(dict(asked), texts, jobs, progress)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, TrialsimError):
            raise
        raise OutputError(
            f"{folder / RESULTS} does not say what was asked: it is of another version"
        ) from None
    return found, results_json(found, texts, asked)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {reason_of(error)}") from None


def _told(recorded: bytes, content: dict[str, Any], again: bytes) -> tuple[str, ...]:
    """What differs, in words."""
    if again == recorded:
        return ()
    differences = list(_differences("", content, json.loads(again)))
    if not differences:
        differences = ["the content is the same, but it is written differently (spaces, order or line ends)"]
    if len(differences) > MOST:
        differences[MOST:] = [f"and {len(differences) - MOST} more"]
    return tuple(differences)


def recorded_in(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes of results.json and their content."""
    if not folder.is_dir():
        raise OutputError(f"{folder} is not a folder")
    if not (folder / RESULTS).is_file():
        raise OutputError(f"{folder} is not a run folder: it has no {RESULTS}")
    try:
        recorded = (folder / RESULTS).read_bytes()
        content = json.loads(recorded)
    except OSError as error:
        raise OutputError(f"{folder / RESULTS} cannot be read: {reason_of(error)}") from None
    except (ValueError, RecursionError):
        raise OutputError(f"{folder / RESULTS} cannot be read: it is not JSON") from None
    return recorded, content if isinstance(content, dict) else {}


def _differences(path: str, old: Any, new: Any) -> list[str]:
    """Where two results differ: one line a key, recorded value and the one found now."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in [*old, *(key for key in new if key not in old)]:
            here = f"{path}.{key}" if path else key
            if key not in new:
                found.append(f"{here}: recorded, but not found now")
            elif key not in old:
                found.append(f"{here}: found now, but not recorded")
            else:
                found += _differences(here, old[key], new[key])
        return found
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return [f"{path}: {len(old)} entries recorded, {len(new)} now"]
        return [
            line
            for k, (a, b) in enumerate(zip(old, new, strict=True))
            for line in _differences(f"{path}[{k}]", a, b)
        ]
    if type(old) is type(new) and old == new:
        return []
    return [f"{path}: {_shown(old)} recorded, {_shown(new)} now"]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
