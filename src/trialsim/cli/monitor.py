"""The command `trialsim monitor`: what a monitoring committee has on the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from trialsim.cli.common import Out, ScenarioPath, counts_in, loaded, options


@dataclass
class OutOrSheet(Out):
    """The decision table as a file, a folder, or the terminal alone."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER",
            help="the decision table as a page to print (.html) or as rows (.csv); else a folder with all of it",
            show_default=False,
        ),
    ] = None

    def is_file(self, path: Path) -> bool:
        from trialsim.reporting.monitor import SHEET, TABLE
        from trialsim.writing.folder import check_file

        if is_file := path.suffix.lower() in (SHEET, TABLE):
            check_file(path, force=self.force)
        return is_file


@options
def monitor(
    scenario: ScenarioPath,
    out: OutOrSheet,
    now: Annotated[
        str | None,
        typer.Option(
            metavar="N,X[,T]",
            help="where the trial stands: N patients, X responses, T patients with toxicity at the current dose",
            show_default=False,
        ),
    ] = None,
    dose: Annotated[int, typer.Option(metavar="K", help="current dose, 1 for the starting dose")] = 1,
    at_dose: Annotated[
        int | None,
        typer.Option(
            metavar="M", help="patients treated at the current dose [default: N]", show_default=False
        ),
    ] = None,
    treated: Annotated[
        int | None,
        typer.Option(metavar="M", help="patients treated at all doses [default: N]", show_default=False),
    ] = None,
    all_toxicities: Annotated[
        int | None,
        typer.Option(
            metavar="T",
            help="patients with toxicity at all doses, where looks ask for them",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option(
            metavar="P",
            help="true response rate at which to tell the power, besides p0 and p1; may be repeated",
            show_default=False,
        ),
    ] = None,
    prior: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="A B",
            help="Beta prior of the predictive power [default: the design's, else .5 .5]",
            show_default=False,
        ),
    ] = None,
    cohort: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="the cohort whose sheet is wanted, where cohorts share nothing (monitor: own)",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the decision table of the protocol, and conditional and predictive power at the interim; all exact."""
    wanted = "two or three whole numbers from 0: patients, responses, toxicities, such as 30,4,8"
    counts = counts_in(now, (2, 3), wanted)
    from trialsim.monitoring.aids import monitor as monitored
    from trialsim.reporting.monitor import write_file_of

    (stated,), texts = loaded([scenario])
    asked: dict[str, Any] = {
        "now": counts,
        "dose": dose,
        "at_dose": at_dose,
        "treated": treated,
        "all_toxicities": all_toxicities,
        "rates": rate or (),
        "prior": prior,
        "cohort": cohort,
    }
    found = monitored(stated, **asked)
    if out.file is not None:
        out.show(found, write_file_of(found, out.file, force=out.force))
    else:
        out.give(found, texts=texts, asked=asked)
