"""The command `trialsim run`: a scenario to a folder with its report."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import (
    Docx,
    Force,
    Full,
    Interrupted,
    Quiet,
    ScenarioPath,
    Work,
    options,
    progress,
    text_of,
    warn,
    workers,
)
from trialsim.cli.whatif import ledgers_beside


class Table(str, Enum):
    """Files that simulated trials can be kept in."""

    csv = "csv"
    parquet = "parquet"


@options
def run(
    scenario: ScenarioPath,
    work: Work,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="folder to write [default: runs/NAME-OF-FILE]", show_default=False
        ),
    ] = None,
    force: Force = False,
    docx: Docx = False,
    full: Full = False,
    quiet: Quiet = False,
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
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="also work out the sensitivity block, into the same report")
    ] = False,
) -> None:
    """Run a scenario: exact and simulated answers, the check against the observed trial, figures and a report."""
    begun = time.perf_counter()
    from trialsim.scenario.files import digest, load

    stated = load(scenario)
    folder = output or Path("runs") / scenario.stem
    from trialsim.writing.folder import check

    target = check(folder, force=force, docx=docx)
    if sensitivity:
        from trialsim.varying.assess import analyses_of

        analyses_of(stated)
    kept = None
    if keep_trials is not None or keep_patients is not None:
        from trialsim.engine.single_trials import Keep

        kept = Keep((keep_trials or Table.csv).value, trials=keep_trials is not None, patients=keep_patients)
        planned = stated.simulation.precision is not None and work.replicates is None
        kept.check(None if planned else work.replicates or stated.simulation.replicates)
    from trialsim.engine.operating import expected, kernels_used
    from trialsim.reporting.run.folder import write_run
    from trialsim.running.run import run as worked_out
    from trialsim.scenario.compiled import Compiled

    started = time.perf_counter()
    trial = Compiled.of(stated)
    total = expected(trial, work.replicates)
    with ledgers_beside(target, [digest(stated)], work, total) as ledgers:
        assert ledgers is not None
        with workers(work.dask, work.jobs), progress(total, quiet, kernels_used(trial)) as advance:
            found = worked_out(
                trial,
                **work.asked,
                jobs=work.jobs,
                sensitivity=sensitivity,
                progress=advance,
                ledger=ledgers(0),
                text=text_of(scenario),
            )
        seconds = {"loading": round(started - begun, 3)}
        path = write_run(found, folder, jobs=work.jobs, force=force, docx=docx, full=full, seconds=seconds)
    results = found.results
    if not quiet:
        from trialsim.reporting.run.report import in_brief
        from trialsim.writing.terminal import terminal

        print(terminal(in_brief(found)))
    warn(results.disagreements)
    print(path if quiet else f"\n{path}", flush=True)
    if kept is not None:
        try:
            count = results.replicates or 0
            with progress(count * len(stated.truth), quiet) as advance:
                files = kept.write(stated, target, seed=results.seed, replicates=count, progress=advance)
        except KeyboardInterrupt:
            raise Interrupted(
                "interrupted; the report is complete, but simulated trials were not kept"
            ) from None
        if not quiet:
            print(*files, sep="\n", flush=True)
    if results.disagreements:
        raise typer.Exit(1)
