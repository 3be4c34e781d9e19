"""The command `trialsim trace`: one simulated trial, patient by patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import (
    AsJson,
    AsLatex,
    AsMarkdown,
    Docx,
    Force,
    Quiet,
    ScenarioPath,
    filed,
    folder_of,
    form_of,
    show,
)


def trace(
    scenario: ScenarioPath,
    trial: Annotated[int, typer.Option(metavar="K", help="number of the trial, from 1")] = 1,
    case: Annotated[
        str | None, typer.Option(metavar="NAME", help="case [default: the first]", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="seed [default: the scenario's]", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER",
            help="file to write: .csv, or a swimmer plot as .svg, .png or .pdf; else a folder with all of it",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    docx: Docx = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
    as_latex: AsLatex = False,
    quiet: Quiet = False,
) -> None:
    """Print one simulated trial, patient by patient: the K-th that `run` simulates with the same seed."""
    from trialsim.reporting.trace import is_file, write

    form = form_of(as_json, as_markdown, as_latex)
    file = output if output is not None and is_file(output) else None
    folder = folder_of(None if file else output, force=force, docx=docx)
    from trialsim.scenario.files import load

    stated = load(scenario)
    from trialsim.engine.traces import trace as one

    found = one(stated, case, trial, seed)
    if file is not None:
        write(found, file)
    asked = {"case": case, "trial": trial, "seed": seed}
    page = file or filed(found, folder, [scenario], asked, force=force, docx=docx)
    show(found, form, quiet=quiet, page=page)
