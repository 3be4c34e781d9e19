"""The command `trialsim run`: a scenario to a folder with its report."""

from __future__ import annotations

import sys
import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Dask, Interrupted, Jobs, Quiet, ScenarioPath, progress, workers


class Table(str, Enum):
    """Files that simulated trials can be kept in."""

    csv = "csv"
    parquet = "parquet"


def run(
    scenario: ScenarioPath,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="folder to write [default: runs/NAME-OF-FILE]", show_default=False
        ),
    ] = None,
    jobs: Jobs = None,
    replicates: Annotated[
        int | None,
        typer.Option(
            min=1, max=10**9, help="simulated trials a case [default: the scenario's]", show_default=False
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="seed [default: the scenario's]", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="overwrite an earlier run in the same folder")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with a run into the same folder that was cut off")
    ] = False,
    dask: Dask = None,
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
    docx: Annotated[
        bool, typer.Option("--docx", help="also write the report for Word (needs trialsim[docx])")
    ] = False,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="also work out the sensitivity block, into the same report")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="the page with every section open, so that all of it is printed")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run a scenario: exact and simulated answers, the check against the observed trial, figures and a report."""
    begun = time.perf_counter()
    from trialsim.scenario.files import digest, load

    stated = load(scenario)
    folder = output or Path("runs") / scenario.stem
    from trialsim.writing.folder import check_target

    target = check_target(folder, force=force)
    if docx:
        from trialsim.writing.word import check_installed

        check_installed()
    if sensitivity:
        from trialsim.varying.assess import analyses_of

        analyses_of(stated)
    kept = None
    if keep_trials is not None or keep_patients is not None:
        from trialsim.engine.single_trials import Keep

        kept = Keep((keep_trials or Table.csv).value, trials=keep_trials is not None, patients=keep_patients)
        planned = stated.simulation.precision is not None and replicates is None
        kept.check(None if planned else replicates or stated.simulation.replicates)
    from trialsim.engine.ledger import Ledger
    from trialsim.engine.operating import expected, kernels_used
    from trialsim.running.run import run as worked_out
    from trialsim.scenario.compiled import Compiled

    started = time.perf_counter()
    trial = Compiled.of(stated)
    total = expected(trial, replicates)
    ledger = Ledger(target.with_name(f"{target.name}.ledger"), digest(stated), resume=resume)
    try:
        with ledger:
            with workers(dask, jobs), progress(total, quiet, kernels_used(trial)) as advance:
                found = worked_out(
                    trial,
                    replicates=replicates,
                    seed=seed,
                    jobs=jobs,
                    sensitivity=sensitivity,
                    progress=advance,
                    ledger=ledger,
                    text=scenario.read_bytes().decode("utf-8-sig"),
                )
            from trialsim.reporting.run.folder import write_run

            seconds = {"loading": round(started - begun, 3)}
            path = write_run(found, folder, jobs=jobs, force=force, docx=docx, full=full, seconds=seconds)
            ledger.discard()
    except BaseException:
        if ledger.replicates and sys.stderr is not None:
            print(
                f"{ledger.replicates:,} {f'of {total:,} ' if total else ''}replicates are kept in {ledger.path}; "
                "the same command with --resume goes on from there",
                file=sys.stderr,
            )
        raise
    results = found.results
    if not quiet:
        from trialsim.reporting.run.report import in_brief
        from trialsim.writing.terminal import terminal

        print(terminal(in_brief(found)))
    if results.disagreements:
        print(
            "WARNING: simulated and exact answers disagree by more than chance allows on "
            f"{'; '.join(results.disagreements)}. Do not use this run; please report it.",
            file=sys.stderr,
        )
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
