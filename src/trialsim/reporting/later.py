"""The Word file of a folder that is already there: its answer is worked out again, and must be the same."""

from __future__ import annotations

import os
from pathlib import Path

from trialsim.errors import OutputError
from trialsim.reporting.rerun import answered, recorded_in
from trialsim.reporting.saying import report_of
from trialsim.writing.folder import DOCX, check_file, record, write_file
from trialsim.writing.seal import RESULTS
from trialsim.writing.word import check_installed, to_docx


def write_docx(folder: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write the report of a folder for Word, ``report.docx`` (needs the extra ``docx``).

    Args:
        folder: written by ``report``, or by a command with -o.
        force: replace an earlier ``report.docx``.

    Returns:
        The path of the file.

    Raises:
        OutputError: this is not a folder of trialsim, it was changed, its answer comes out differently now, or the file
            is there already or cannot be written.

    Examples:
        >>> page = trialsim.report(trialsim.examples("teaching"), "mine", replicates=200)
        >>> trialsim.docx("mine").name
        'report.docx'
    """
    kept = Path(folder)
    check_installed()
    recorded, content = recorded_in(kept)
    target = check_file(kept / DOCX, force=force)
    found, again = answered(kept, content)
    if again != recorded:
        raise OutputError(
            f"{kept / RESULTS} is not what comes out now: trialsim reproduce {kept} says what differs"
        )
    write_file(target, to_docx(report_of(found)))
    record(kept, [kept / DOCX])
    return kept / DOCX
