"""The command `trialsim trace`: one simulated trial, patient by patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Out, ScenarioPath, loaded, options


@dataclass
class OutOrFile(Out):
    """A file, a folder, or the terminal alone."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER",
            help="file to write: .csv, or a swimmer plot as .svg, .png or .pdf; else a folder with all of it",
            show_default=False,
        ),
    ] = None

    def is_file(self, path: Path) -> bool:
        from trialsim.reporting.trace import is_file

        return is_file(path, force=self.force)


@options
def trace(
    scenario: ScenarioPath,
    out: OutOrFile,
    trial: Annotated[int, typer.Option(metavar="K", help="number of the trial, from 1")] = 1,
    case: Annotated[
        str | None, typer.Option(metavar="NAME", help="case [default: the first]", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="seed [default: the scenario's]", show_default=False)
    ] = None,
) -> None:
    """Print one simulated trial, patient by patient: the K-th that `run` simulates with the same seed."""
    from trialsim.engine.traces import trace as one
    from trialsim.reporting.trace import write

    (stated,), texts = loaded([scenario])
    found = one(stated, case, trial, seed)
    if out.file is not None:
        write(found, out.file, force=out.force)
        out.show(found, out.file)
    else:
        out.give(found, texts=texts, asked={"case": case, "trial": trial, "seed": seed})
