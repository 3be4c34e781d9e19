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
from trialsim.writing.folder import reason_of
from trialsim.writing.seal import ADDED, RESULTS, SEAL, alterations, fits, is_sealed, to_json

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

    Args:
        folder: written by ``report``, or by a command with -o.
        jobs: worker threads; default all processors.
        progress: called with the number of replicates just finished.

    Returns:
        Whether ``results.json`` is the same byte by byte and every other file is as it was written, and what differs,
        in words.

    Raises:
        OutputError: this is not a folder of trialsim, or its results.json cannot be read or was changed.

    Examples:
        >>> page = trialsim.report(trialsim.examples("teaching"), "mine", replicates=200)
        >>> trialsim.reproduce("mine")
        (True, ())
    """
    kept = Path(folder)
    recorded, content = recorded_in(kept)
    _, again = answered(kept, content, jobs, progress)
    beside = alterations(kept) or {}
    changed = tuple(f"{name}: {what}" for name, what in sorted(beside.items()) if what != ADDED)
    return again == recorded and not changed, (*_told(recorded, again), *changed)


def unsealed(folder: Path) -> str:
    """In words, that a folder is of an earlier version; "" for one that carries a seal."""
    if SEAL in recorded_in(folder)[1]:
        return ""
    return (
        f"{folder} is of an earlier version and carries no seal: whether report, tables and figures were changed since "
        "they were written cannot be told."
    )


def not_compared(folder: Path) -> str:
    """In words, what ``reproduce`` does not look at."""
    return unsealed(folder) or (
        "Report, tables and figures are held against the digests of the day they were written; they are not drawn "
        "again."
    )


def answered(
    folder: Path, content: dict[str, Any], jobs: int | None = None, progress: Progress | None = None
) -> tuple[Answer, bytes]:
    """The answer of a folder, worked out again from the copies of its scenario files, and its ``results.json``."""
    try:
        work_out, asked = AGAIN[content["kind"]], dict(content["asked"])
        texts = {name: _text(folder / name) for name in content["texts"]}
        found = work_out(dict(asked), texts, jobs, progress)
        again = results_json(found, texts, asked)
        # one of an earlier version carries no seal; everything else can be the same
        return found, again if SEAL in content else to_json(_unsealed(again))
    except Exception as error:
        # without a seal anything may stand there; with one, only another version asks differently
        if isinstance(error, TrialsimError) or (
            SEAL in content and not isinstance(error, KeyError | TypeError | ValueError)
        ):
            raise
        raise OutputError(
            f"{folder / RESULTS} does not say what was asked: it is of another version, or was changed"
        ) from None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {reason_of(error)}") from None


def _unsealed(recorded: bytes) -> dict[str, Any]:
    return {key: value for key, value in json.loads(recorded).items() if key != SEAL}


def _told(recorded: bytes, again: bytes) -> tuple[str, ...]:
    """What differs, in words; first that random numbers are drawn in another way, if they are."""
    if again == recorded:
        return ()
    before, now = _unsealed(recorded), _unsealed(again)
    differences = [*_other_streams(before, now), *_differences("", before, now)]
    if not differences:
        differences = ["the content is the same, but it is written differently (spaces, order or line ends)"]
    if len(differences) > MOST:
        differences[MOST:] = [f"and {len(differences) - MOST} more"]
    return tuple(differences)


def _other_streams(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """A sentence where the folder is of another version of the random streams."""
    old, new = (content.get("streams") for content in (before, now))
    if old is None or new is None or old == new:
        return []
    return [
        f"The random streams differ: the folder is of version {old}, this trialsim of version {new}. Simulated numbers "
        "then differ by chance, within their errors; exact ones do not."
    ]


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
    if not fits(recorded) and is_sealed(folder):
        raise OutputError(
            f"{folder / RESULTS} was changed after it was written: its seal does not fit its content. Run the scenario "
            "again, or take the folder from a copy"
        )
    if not isinstance(content, dict):
        raise OutputError(f"{folder / RESULTS} does not say what was asked: it is no file of trialsim")
    return recorded, content


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
