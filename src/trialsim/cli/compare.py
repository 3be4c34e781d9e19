"""The command `trialsim compare`: several designs on the same truth."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Dask, Jobs, Quiet, progress, workers
from trialsim.cli.whatif import (
    AsJson,
    Cases,
    Folder,
    Force,
    Replicates,
    Resume,
    Scenarios,
    Seed,
    close_with,
    distinct,
    ledgers_beside,
)
from trialsim.errors import OutputError


def compare(
    scenario: Scenarios,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="scenario file whose cases are put under every design [default: the first]",
            show_default=False,
        ),
    ] = None,
    replicates: Replicates = None,
    seed: Seed = None,
    jobs: Jobs = None,
    case: Cases = None,
    output: Folder = None,
    force: Force = False,
    resume: Resume = False,
    dask: Dask = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put several designs under the same truth: P(go), EN, toxicities, duration; dominated designs are marked."""
    distinct(scenario)
    if resume and output is None:
        raise OutputError("--resume goes on with what a folder has kept: name it with -o")
    from trialsim.scenario.files import digest, load

    stems = [path.stem for path in scenario]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in scenario]
    designs = {name: load(path) for name, path in zip(names, scenario, strict=True)}
    named = None if truth is None else (str(truth), load(truth))
    target = None
    if output is not None:
        from trialsim.reporting import check_target

        target = check_target(output, force=force)
    from trialsim.varying.compare import Designs

    started = time.perf_counter()
    marks = [digest(each) for each in (*designs.values(), *([named[1]] if named else []))]
    with workers(dask, jobs):
        prepared = Designs(designs, named, cases=case, replicates=replicates, seed=seed, jobs=jobs)
        run = prepared.prepared
        with ledgers_beside(target, marks, resume) as ledgers:
            with progress(run.replicates, quiet or as_json, run.kernels) as advance:
                found = prepared.run(jobs=jobs, progress=advance, ledgers=ledgers)
            page = None
            if target is not None:
                from trialsim.reporting.compare import write

                texts = [path.read_bytes().decode("utf-8-sig") for path in scenario]
                seconds = {"simulate_and_exact": round(time.perf_counter() - started, 3)}
                page = write(found, target, texts=texts, jobs=jobs, force=force, seconds=seconds)
    if as_json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(found)
    close_with(found.disagreements, page, quiet=quiet, as_json=as_json)
