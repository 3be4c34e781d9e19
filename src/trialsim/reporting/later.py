"""The Word file of a folder that is already there: of a run from what it holds, of another answer worked out again."""

from __future__ import annotations

import json
import os
from pathlib import Path

from trialsim.errors import OutputError
from trialsim.reporting.again import AGAIN
from trialsim.reporting.folder import DOCX, FIGURES, RESULTS, SCENARIO
from trialsim.reporting.rerun import answered, recorded_in
from trialsim.reporting.saying import report_of as report_of_answer
from trialsim.writing.folder import reason_of, write_file


def write_docx(folder: str | os.PathLike[str]) -> Path:
    """Write ``report.docx`` into the folder of a report, in place of an earlier one, and return its path.

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
    recorded, content = recorded_in(kept)
    if content.get("kind") in AGAIN:
        found, again = answered(kept, content)
        if again != recorded:
            raise OutputError(f"{kept / RESULTS} is not what comes out now: trialsim reproduce {kept}")
        write_file(kept / DOCX, to_docx(report_of_answer(found)))
        return kept / DOCX
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
    pictures = pictures_of(doc, kept / FIGURES)
    try:
        made = to_docx(report_of(scenario, compile_rules(scenario), doc, pictures))
    except OSError as error:
        raise OutputError(f"{kept / FIGURES} cannot be read: {reason_of(error)}") from None
    write_file(kept / DOCX, made)
    return kept / DOCX
