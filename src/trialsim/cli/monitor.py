"""The command `trialsim monitor`: what a monitoring committee has on the table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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
from trialsim.errors import DesignError


def monitor(
    scenario: ScenarioPath,
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
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER",
            help="the decision table as a page to print (.html) or as rows (.csv); else a folder with all of it",
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
    """Print the decision table of the protocol, and conditional and predictive power at the interim; all exact."""
    from trialsim.reporting.monitor import SHEET, TABLE, write_file_of
    from trialsim.writing.folder import check_file

    form, counts = form_of(as_json, as_markdown, as_latex), _counts(now)
    is_file = output is not None and output.suffix.lower() in (SHEET, TABLE)
    if output is not None and is_file:
        check_file(output, force=force)
    folder = folder_of(None if is_file else output, force=force, docx=docx)
    from trialsim.scenario.files import load

    stated = load(scenario)
    from trialsim.monitoring.aids import monitor as monitored

    asked: dict[str, Any] = {
        "now": counts,
        "dose": dose,
        "at_dose": at_dose,
        "treated": treated,
        "all_toxicities": all_toxicities,
        "rates": rate or (),
        "prior": prior,
    }
    found = monitored(stated, **asked)
    if output is not None and is_file:
        page: Path | None = write_file_of(found, output, force=force)
    else:
        page = filed(found, folder, [scenario], asked, force=force, docx=docx)
    show(found, form, quiet=quiet, page=page)


def _counts(text: str | None) -> tuple[int, ...] | None:
    """``25,3`` or ``25,3,6`` as whole numbers."""
    if text is None:
        return None
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        counts = ()
    if len(counts) not in (2, 3) or min(counts) < 0:
        raise DesignError(
            f"--now {text!r} must be two or three whole numbers from 0: patients, responses, toxicities, such as 30,4,8"
        )
    return counts
