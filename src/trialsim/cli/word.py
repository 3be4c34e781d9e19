"""The command `trialsim docx`: the report of a run for Word."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def docx(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="folder written with -o, or by `trialsim run`")
    ],
) -> None:
    """Write the report of a folder for Word, report.docx; nothing of a run is computed again."""
    from trialsim.reporting.later import write_docx

    print(write_docx(folder))
