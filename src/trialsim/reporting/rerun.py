"""Run a run folder's scenario again and compare the results byte by byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialsim.errors import OutputError
from trialsim.reporting.run.report import told
from trialsim.running.run import Run
from trialsim.writing.folder import RESULTS, SCENARIO, to_json

if TYPE_CHECKING:
    from trialsim.engine.montecarlo import Progress

MOST = 20
"""Differences told one by one."""


def reproduce(
    folder: str | os.PathLike[str], *, jobs: int | None = None, progress: Progress | None = None
) -> tuple[bool, tuple[str, ...]]:
    """Work out again what is in a folder, with its recorded seed and replicates.

    Returns
    -------
    Whether ``results.json`` is the same byte by byte, and what differs, in words.

    Raises
    ------
    OutputError : this is not a folder of an answer, or its results.json cannot be read.
    """
    _, differences = again(folder, jobs=jobs, progress=progress)
    if len(differences) > MOST:
        differences[MOST:] = [f"and {len(differences) - MOST} more"]
    return not differences, tuple(differences)


def again(
    folder: str | os.PathLike[str], *, jobs: int | None = None, progress: Progress | None = None
) -> tuple[Run, list[str]]:
    """The answer that is in a folder, worked out again, and what differs in ``results.json``."""
    kept = Path(folder)
    recorded, content = _recorded(kept)
    found = _again(kept, content, jobs, progress)
    now = to_json(told(found)[0])
    if now == recorded:
        return found, []
    return found, list(_differences("", content, json.loads(now))) or [
        "the content is the same, but it is written differently (spaces, order or line ends)"
    ]


def _again(folder: Path, content: dict[str, Any], jobs: int | None, progress: Progress | None) -> Run:
    """The same run once more."""
    from trialsim.running.run import run
    from trialsim.scenario.files import load

    # a planned number of replicates is planned again from the pilot run
    replicates = None if content.get("planned") is not None else content["replicates"]
    return run(
        load(folder / SCENARIO),
        replicates=replicates,
        seed=content["seed"],
        exact=content["replicates"] is None,
        jobs=jobs,
        sensitivity="sensitivity" in content,
        progress=progress,
        text=(folder / SCENARIO).read_bytes().decode("utf-8-sig"),
    )


def _recorded(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes of results.json and their content."""
    if not folder.is_dir():
        raise OutputError(f"{folder} is not a folder")
    for name in (RESULTS, SCENARIO):
        if not (folder / name).is_file():
            raise OutputError(f"{folder} is not a run folder: it has no {name}")
    try:
        recorded = (folder / RESULTS).read_bytes()
        content = json.loads(recorded)
    except OSError as error:
        raise OutputError(f"{folder / RESULTS} cannot be read: {(error.strerror or '').lower()}") from None
    except (ValueError, RecursionError):
        raise OutputError(f"{folder / RESULTS} cannot be read: it is not JSON") from None
    seed, replicates = (
        content.get(key) if isinstance(content, dict) else "" for key in ("seed", "replicates")
    )
    recorded_both = isinstance(content, dict) and "seed" in content and "replicates" in content
    exact_only = recorded_both and seed is None and replicates is None
    if not exact_only and not (_whole(seed, 0, 2**63) and _whole(replicates, 1, 10**9 + 1)):
        raise OutputError(f"{folder / RESULTS} records no seed and replicates to run again with")
    return recorded, content


def _whole(value: Any, least: int, limit: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < limit


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
