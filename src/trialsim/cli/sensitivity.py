"""The command `trialsim sensitivity`: what the answers hang on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Dask, Jobs, Quiet, ScenarioPath, progress, workers
from trialsim.errors import OutputError


def sensitivity(
    scenario: ScenarioPath,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="also write tables, figures and a report into this folder",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="one analysis by its name, or a kind: tornado, grids, priors, thresholds, worst_case "
            "[default: all]",
            show_default=False,
        ),
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10**9,
            help="simulated trials a point, where there is no exact answer [default: the scenario's]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="seed [default: the scenario's]", show_default=False),
    ] = None,
    jobs: Jobs = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with a run into the same folder that was cut off")
    ] = False,
    dask: Dask = None,
    force: Annotated[
        bool, typer.Option("--force", help="overwrite an earlier run in the same folder")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    quiet: Quiet = False,
) -> None:
    """Work out the sensitivity block of a scenario: tornado, grids, priors, thresholds, worst case."""
    from trialsim.scenario.files import load

    stated = load(scenario)
    if resume and output is None:
        raise OutputError("--resume goes on with what a folder has kept: name it with -o")
    target = None
    if output is not None:
        from trialsim.reporting import check_target

        target = check_target(output, force=force)
    from trialsim.engine.operating import kernels_used
    from trialsim.varying.assess import assess, expected
    from trialsim.varying.kept_points import Kept

    total = expected(stated, only)
    kept = Kept(None if target is None else target.with_name(f"{target.name}.points"), resume=resume)
    page = None
    try:
        with kept, workers(dask, jobs), progress(total, quiet or as_json, kernels_used(stated)) as advance:
            found = assess(
                stated, only=only, replicates=replicates, seed=seed, jobs=jobs, progress=advance, kept=kept
            )
        if output is not None:
            from trialsim.reporting.sensitivity_folder import write

            text = scenario.read_bytes().decode("utf-8-sig")
            page = write(stated, found, output, force=force, jobs=jobs, scenario_text=text)
        kept.discard()
    except BaseException:
        if kept.path is not None and kept.points and sys.stderr is not None:
            print(
                f"{len(kept.points):,} points are kept in {kept.path}; "
                "the same command with --resume goes on from there",
                file=sys.stderr,
            )
        raise
    if as_json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    elif not quiet:
        print(found)
    if page is not None and not as_json:
        print(page if quiet else f"\n{page}", flush=True)
