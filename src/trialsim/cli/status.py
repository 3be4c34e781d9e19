"""The command `trialsim status`: where a trial under way stands, what is due, and what is ahead."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from trialsim.cli.common import Jobs, Out, ScenarioPath, loaded, options
from trialsim.errors import DesignError


@options
def status(
    scenario: ScenarioPath,
    patients: Annotated[
        Path,
        typer.Argument(metavar="PATIENTS", help="a row a treated patient: .csv or .xlsx", show_default=False),
    ],
    out: Out,
    on: Annotated[
        str,
        typer.Option(
            "--on", metavar="DATE", help="the day whose end is looked at: 2026-03-31", show_default=False
        ),
    ],
    extracted: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="the day the file was made: with a later one than --on, what was not known yet is rolled back "
            "[default: --on]",
            show_default=False,
        ),
    ] = None,
    opened: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="the day accrual opened [default: the first patient's]", show_default=False
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="OURS=THEIRS", help="a column that the file calls otherwise; may be repeated"
        ),
    ] = None,
    prior: Annotated[
        tuple[float, float],
        typer.Option(metavar="A B", help="Beta prior of the response rate"),
    ] = (0.5, 0.5),
    replicates: Annotated[
        int, typer.Option("--replicates", "-r", min=100, max=100_000, help="simulated rests of the trial")
    ] = 2000,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="seed of the forecast [default: the scenario's]", show_default=False),
    ] = None,
    forecast: Annotated[bool, typer.Option(help="simulate the rest of the trial")] = True,
    went_on_anyway: Annotated[
        bool, typer.Option("--went-on-anyway", help="forecast a trial that the protocol has ended")
    ] = False,
    jobs: Jobs = None,
) -> None:
    """Say where a trial under way stands: what is decided, due and wrong, and what is ahead."""
    from trialsim.ongoing.status import status as worked_out

    (stated,), texts = loaded([scenario])
    asked: dict[str, Any] = {
        "on": on,
        "extracted": extracted,
        "opened": opened,
        "columns": _columns(columns or []),
        "prior": prior,
        "replicates": replicates,
        "seed": seed,
        "forecast": forecast,
        "went_on_anyway": went_on_anyway,
    }
    found = worked_out(stated, patients, **asked, jobs=jobs)
    out.give(found, texts=texts, asked=found.asked())


def _columns(texts: list[str]) -> dict[str, str]:
    """``enrolled=FPFV`` as a mapping."""
    pairs = [text.partition("=") for text in texts]
    for ours, sign, theirs in pairs:
        if not (ours and sign and theirs):
            raise DesignError(
                f"--column {ours + sign + theirs!r}: write OURS=THEIRS, such as enrolled=first_dose"
            )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
