"""A run as a folder: one page to read, the numbers behind it, the figures, and what is needed to run it again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from trialsim.given import takes
from trialsim.reporting.filing import write_answer
from trialsim.reporting.run.report import told
from trialsim.running.run import Run, run
from trialsim.timing import Clock
from trialsim.writing.folder import SCENARIO, How, check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialsim.scenario.model import Scenario


@takes
def report(
    scenario: Scenario,
    folder: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    force: bool = False,
    docx: bool = False,
    full: bool = False,
    scenario_text: str | None = None,
    seconds: Mapping[str, float] | None = None,
    **asked: Any,
) -> Path:
    """Run a scenario and write a folder: the page to read, results.json, tables, figures, scenario, and environment.

    Args:
        scenario: a scenario, or the path of its file.
        folder: where to write. Nothing is left behind when anything fails.
        jobs: worker threads; default all processors.
        force: replace the folder of an earlier run. Any other existing folder or file is never touched.
        docx: also write the report as ``report.docx`` (needs the extra ``docx``).
        full: whether the sections that open on demand stand open, so that they are printed.
        scenario_text: the user's own text, copied as it is; it must be the text of ``scenario``.
        seconds: wall times of what was done before, to stand beside those measured here in ``environment.json``.
        asked: as for ``run``, such as ``replicates``, ``seed`` or ``sensitivity``.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: the folder cannot be written, or exists; ``docx`` without the extra.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> trialsim.report(path, "mine", replicates=200).name
        'report.html'
    """
    check(folder, force=force, docx=docx)
    found = run(scenario, jobs=jobs, text=scenario_text, **asked)
    return write_run(found, folder, jobs=jobs, force=force, docx=docx, full=full, seconds=seconds)


def write_run(
    found: Run,
    folder: str | os.PathLike[str],
    *,
    seconds: Mapping[str, float] | None = None,
    **how: Unpack[How],
) -> Path:
    """Write what a run found as a folder; keywords as for ``report``."""
    clock = Clock({**(seconds or {}), **found.seconds})
    with clock("drawing"):
        told(found)
    return write_answer(
        found, folder, texts={SCENARIO: found.text}, asked=asked_of(found), clock=clock, **how
    )


def asked_of(found: Run) -> dict[str, Any]:
    """The keywords of ``run`` that give the same run again."""
    results = found.results
    return {
        # a number of replicates that a pilot run has planned is planned again
        "replicates": None if results.planned else results.replicates,
        "seed": results.seed,
        "exact": results.replicates is None,
        "sensitivity": found.sensitivity is not None,
    }
