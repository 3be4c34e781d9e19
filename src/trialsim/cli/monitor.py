"""The command `trialsim monitor`: what a monitoring committee has on the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Quiet, ScenarioPath
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
    force: Annotated[
        bool, typer.Option("--force", help="overwrite an earlier file, or run in the same folder")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    quiet: Quiet = False,
) -> None:
    """Print the decision table of the protocol, and conditional and predictive power at the interim; all exact."""
    from trialsim.scenario.files import load

    stated = load(scenario)
    counts = _counts(now)
    from trialsim.reporting.monitor import check_output, write

    if output is not None:
        check_output(output, force=force)
    from trialsim.monitoring.aids import monitoring_aids

    found = monitoring_aids(
        stated,
        now=counts,
        dose=dose,
        at_dose=at_dose,
        treated=treated,
        all_toxicities=all_toxicities,
        rates=rate or (),
        prior=prior,
    )
    page = None
    if output is not None:
        page = write(found, output, force=force, scenario_text=scenario.read_bytes().decode("utf-8-sig"))
    if as_json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False, allow_nan=False))
    elif not quiet:
        from trialsim.reporting.monitor_text import text

        print(text(found))
    if page is not None and not as_json:
        print(page if quiet else f"\n{page}", flush=True)


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
