"""The Word file of a run that is already there; only its pictures are drawn again."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trialsim.errors import OutputError
from trialsim.reporting.folder import DOCX, FIGURES, RESULTS, SCENARIO

if TYPE_CHECKING:
    from trialsim.writing.report import Drawing


def write_docx(folder: str | os.PathLike[str]) -> Path:
    """Write ``report.docx`` into a run folder, in place of an earlier one, and return its path.

    Raises
    ------
    OutputError : this is not the folder of a run of this version, its parts do not belong together, or the file
        cannot be written.
    """
    from trialsim.reporting.run.report import pictures_of, report_of
    from trialsim.scenario.compiling import compile_rules
    from trialsim.scenario.files import digest, load
    from trialsim.version import __version__
    from trialsim.writing.word import check_installed, to_docx

    kept = Path(folder)
    check_installed()
    for name in (RESULTS, SCENARIO):
        if not (kept / name).is_file():
            raise OutputError(f"{kept} is not a run folder: it has no {name}")
    scenario = load(kept / SCENARIO)
    try:
        doc = json.loads((kept / RESULTS).read_bytes())
        version, of = doc["trialsim"], doc["digest"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise OutputError(f"{kept / RESULTS} cannot be read: it is not trialsim's") from None
    if of != digest(scenario):
        raise OutputError(f"{kept / SCENARIO} is not the scenario of {RESULTS}: it was changed after the run")
    if version != __version__ or "figures" not in doc:
        raise OutputError(
            f"{kept} was written by another version (trialsim {version}): run the scenario again"
        )
    target, new = kept / DOCX, kept / f".{secrets.token_hex(4)}.{DOCX}"
    try:
        pictures = pictures_of(doc, _drawings(kept, [row["name"] for row in doc["figures"]]))
        new.write_bytes(to_docx(report_of(scenario, compile_rules(scenario), doc, pictures)))
        os.replace(new, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        new.unlink(missing_ok=True)
    return target


def _drawings(kept: Path, names: list[str]) -> Mapping[str, Drawing]:
    """The pictures of the folder; a folder written without Word has none for it, and then they are drawn again."""
    from trialsim.reporting.rerun import run_again
    from trialsim.reporting.run.report import OnDisk

    if all((kept / FIGURES / f"{name}.png").is_file() for name in names):
        return {name: OnDisk(kept / FIGURES / name) for name in names}
    return {drawn.name: drawn for _, drawn in run_again(kept).drawn}
