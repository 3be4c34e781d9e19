"""The command `trialsim docx`: the report of a run for Word."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def docx(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="folder written by `trialsim run`")],
) -> None:
    """Write the report of a run folder for Word, report.docx; its pictures are drawn again."""
    from trialsim.reporting.later import write_docx

    print(write_docx(folder))
