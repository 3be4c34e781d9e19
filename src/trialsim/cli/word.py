"""The command `trialsim docx`: the report of a folder for Word."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def docx(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="folder written with -o, or by `trialsim run`")
    ],
) -> None:
    """Write the report of a folder for Word, report.docx: its answer is worked out again, and must be the same."""
    from trialsim.reporting.later import write_docx

    print(write_docx(folder))
