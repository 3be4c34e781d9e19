"""The command `trialsim docx`: the report of a folder for Word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Force


def docx(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="folder written with -o, or by `trialsim run`")
    ],
    force: Force = False,
) -> None:
    """Write the report of a folder for Word, report.docx: its answer is worked out again, and must be the same."""
    from trialsim.reporting.later import write_docx
    from trialsim.reporting.rerun import unsealed

    print(write_docx(folder, force=force))
    if note := unsealed(folder):
        print(note, file=sys.stderr)
