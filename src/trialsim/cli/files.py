"""Commands about files: validate, reproduce, init, schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Dask, Jobs, Quiet, options, progress, workers


def validate(
    scenario: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="scenario files (YAML)")],
) -> None:
    """Check scenario files without running them; every problem is printed as file:line: key: message."""
    from trialsim.scenario.files import validate as problems_of

    bad = False
    for path in scenario:
        problems = problems_of(path)
        bad = bad or bool(problems)
        for problem in problems:
            print(problem.located(str(path)), file=sys.stderr)
        if not problems:
            print(f"{path}: ok")
    if bad:
        raise typer.Exit(2)


@options
def reproduce(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="folder written with -o, or by `trialsim run`")
    ],
    jobs: Jobs = None,
    dask: Dask = None,
    quiet: Quiet = False,
) -> None:
    """Work out again what a folder holds and compare the results bit by bit; exit status 1 if they differ."""
    from trialsim.reporting.rerun import not_compared
    from trialsim.reporting.rerun import reproduce as again

    with workers(dask, jobs), progress(None, quiet) as advance:
        same, differences = again(folder, jobs=jobs, progress=advance)
    if not same:
        print(f"{folder}: differs\n" + "\n".join(differences), file=sys.stderr)
        raise typer.Exit(1)
    print(f"{folder}: results.json reproduced bit by bit")
    if not quiet:
        print(not_compared(folder))


def init(
    path: Annotated[Path, typer.Argument(help="file to write")] = Path("scenario.yaml"),
) -> None:
    """Write a commented example scenario to start from; an existing file is left alone."""
    from trialsim.scenario.starting import init as written

    written(path)
    print(f"{path} written; run it with: trialsim run {path}")


def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from trialsim.scenario.schema import schema_text

    print(schema_text(), end="")
