"""The command `trialsim qualify`: installation, operation and performance tested on the machine where it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from trialsim.cli.common import Jobs, Out, options, progress
from trialsim.given import MAX_SEED


@dataclass
class Whole(Out):
    """As for every answer; the longer form has the name that elsewhere opens every section, which stand open here."""

    full: Annotated[
        bool, typer.Option("--full", help="ten times as many random protocols and simulated trials")
    ] = False


@options
def qualify(
    out: Whole,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=MAX_SEED, help="seed of all that is drawn [default: a fresh one]", show_default=False
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="DATE", help="the day of the report [default: today]", show_default=False
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="PART", help="IQ, OQ, PQ, or a test such as PQ-3 [default: all]", show_default=False
        ),
    ] = None,
    jobs: Jobs = None,
) -> None:
    """Test installation, operation and performance on this machine, for the file: requirement, test, result."""
    from trialsim.qualification.qualify import qualify as worked_out
    from trialsim.qualification.qualify import tests_of

    with progress(len(tests_of(only)), out.prints_nothing_else, "Testing") as done:
        found = worked_out(full=out.full, seed=seed, on=on, only=only, jobs=jobs, progress=done)
    out.give(found, texts={}, asked=found.asked)
    if not found.passed:
        raise typer.Exit(1)
