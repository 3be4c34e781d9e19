"""The command `trialsim run`: a scenario to a folder with its report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trialsim.cli.common import (
    Interrupted,
    ScenarioPath,
    Work,
    loaded,
    options,
    progress,
    workers,
)
from trialsim.cli.resumed import Resumable
from trialsim.cli.whatif import ledgers_beside
from trialsim.errors import OutputError
from trialsim.timing import Clock

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario


class Table(str, Enum):
    """Files that simulated trials can be kept in."""

    csv = "csv"
    parquet = "parquet"


@dataclass
class RunOut(Resumable):
    """As for every answer, but that there always is a folder."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="folder to write [default: runs/NAME-OF-FILE]", show_default=False
        ),
    ] = None


def _asked(stated: Scenario, work: Work, exact: bool, sensitivity: bool) -> dict[str, Any]:
    """What a folder of this run says that was asked."""
    planned = stated.simulation.precision is not None and work.replicates is None
    replicates = None if exact or planned else work.replicates or stated.simulation.replicates
    seed = None if exact else stated.simulation.seed if work.seed is None else work.seed
    return {"replicates": replicates, "seed": seed, "exact": exact, "sensitivity": sensitivity}


@options
def run(
    scenario: ScenarioPath,
    work: Work,
    out: RunOut,
    keep_trials: Annotated[
        Table | None,
        typer.Option(
            help="also write every simulated trial, a row each (parquet needs trialsim[parquet])",
            show_default=False,
        ),
    ] = None,
    keep_patients: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="also write the patients of the first N trials of each case, a row each",
            show_default=False,
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="simulate nothing; refused where a case has no exact answer")
    ] = False,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="also work out the sensitivity block, into the same report")
    ] = False,
) -> None:
    """Run a scenario: exact and simulated answers, the check against the observed trial, figures and a report."""
    begun = time.perf_counter()
    from trialsim.scenario.files import digest

    (stated,), texts = loaded([scenario])
    if exact and (work.replicates is not None or keep_trials is not None or keep_patients is not None):
        raise OutputError(
            "--exact simulates nothing: leave out --replicates, --keep-trials and --keep-patients"
        )
    out.output = out.output or Path("runs") / scenario.stem
    resume = work.resume and keep_trials is None and keep_patients is None
    if not out.opened("run", _asked(stated, work, exact, sensitivity), [stated], resume=resume):
        return
    target = out.folder
    assert target is not None
    if sensitivity:
        from trialsim.varying.assess import analyses_of

        analyses_of(stated)
    kept = None
    if keep_trials is not None or keep_patients is not None:
        from trialsim.engine.single_trials import Keep

        kept = Keep((keep_trials or Table.csv).value, trials=keep_trials is not None, patients=keep_patients)
        planned = stated.simulation.precision is not None and work.replicates is None
        kept.check(None if planned else work.replicates or stated.simulation.replicates)
    from trialsim.checks import expected as checked
    from trialsim.engine.operating import expected
    from trialsim.reporting.run.folder import asked_of
    from trialsim.running.run import run as worked_out
    from trialsim.scenario.compiled import Compiled
    from trialsim.writing.folder import SCENARIO, record

    started = time.perf_counter()
    trial = Compiled.of(stated)
    total = 0 if exact else expected(trial, work.replicates)
    with ledgers_beside(out, [digest(stated)], work, total) as ledgers:
        assert ledgers is not None
        with (
            workers(work.dask, work.jobs),
            progress(
                total and total + checked(trial, work.replicates),
                out.prints_nothing_else,
            ) as advance,
        ):
            found = worked_out(
                trial,
                **work.asked,
                jobs=work.jobs,
                exact=exact,
                sensitivity=sensitivity,
                progress=advance,
                ledger=ledgers(0),
                text=texts[SCENARIO],
            )
        clock = Clock({"loading": round(started - begun, 3), **found.seconds})
        page = out.write(found, texts=texts, asked=asked_of(found), clock=clock, jobs=work.jobs)
    results, status = found.results, 0
    try:
        out.show(found, page)
    except typer.Exit as stop:
        status = stop.exit_code
    if kept is not None:
        try:
            count = results.replicates or 0
            with progress(count * len(stated.truth), out.prints_nothing_else) as advance:
                files = kept.write(stated, target, seed=results.seed, replicates=count, progress=advance)
            record(target, files)
        except KeyboardInterrupt:
            raise Interrupted(
                "interrupted; the report is complete, but simulated trials were not kept"
            ) from None
        if not out.prints_nothing_else:
            print(*files, sep="\n", flush=True)
    if status:
        raise typer.Exit(status)
