"""The Word file of a run that is already there: the run is made again from its folder, and must be the same."""

from __future__ import annotations

import os
from pathlib import Path

from trialsim.errors import OutputError
from trialsim.reporting.rerun import again
from trialsim.writing.folder import DOCX, write_file


def write_docx(folder: str | os.PathLike[str]) -> Path:
    """Write ``report.docx`` into a run folder, in place of an earlier one, and return its path.

    Raises
    ------
    OutputError : this is not a run folder, its results cannot be found again, or the file cannot be written.
    """
    from trialsim.reporting.run.report import report_of
    from trialsim.writing.word import check_installed, to_docx

    check_installed()
    found, differences = again(folder)
    if differences:
        raise OutputError(
            f"{folder} cannot be worked out again as it was ({differences[0]}): run the scenario anew"
        )
    target = Path(folder) / DOCX
    write_file(target, to_docx(report_of(found)))
    return target
