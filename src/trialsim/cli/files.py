"""Commands about files: validate, reproduce, init, examples, schema."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialsim.cli.common import Dask, Jobs, Quiet, options, progress, workers

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario


def validate(
    scenario: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="scenario files (YAML)")],
) -> None:
    """Check scenario files without running them; every problem is printed as file:line: key: message."""
    from trialsim.errors import ScenarioError
    from trialsim.scenario.doubts import doubts
    from trialsim.scenario.files import load

    bad = False
    for path in scenario:
        try:
            stated = load(path)
        except ScenarioError as error:
            bad = True
            for problem in error.problems:
                print(problem.located(str(path)), file=sys.stderr)
            continue
        print(f"{path}: ok")
        for doubt in (*doubts(stated), *_nominal(stated)):
            print(f"note: {doubt}")
    if bad:
        raise typer.Exit(2)


def _nominal(scenario: Scenario) -> Iterator[str]:
    """What is to be said of nominal error rates that stated cut-offs miss."""
    if getattr(scenario.design, "is_searched", True):
        return
    from trialsim.facts.protocol import nominal_of
    from trialsim.reporting.oc import missed_words

    yield from missed_words(nominal_of(scenario, scenario.design.compile()))


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
    kind: Annotated[
        str,
        typer.Argument(
            help="a kind of design (`trialsim init list` names them), or calendar_time, dose_reduction, cohorts, "
            "observed; a name that ends in .yaml is the file to write"
        ),
    ] = "simon",
    path: Annotated[
        Path | None, typer.Argument(help="file to write [default: scenario.yaml]", show_default=False)
    ] = None,
) -> None:
    """Write a commented scenario to start from. An existing file is left alone."""
    from trialsim.scenario.starting import KINDS
    from trialsim.scenario.starting import init as started

    if kind == "list" and path is None:
        print("\n".join(KINDS))
        return
    written = started(kind, path)
    print(f"{written} written; run it with: trialsim run {written}")


def examples(
    name: Annotated[
        str | None, typer.Argument(help="example to copy [default: list them all]", show_default=False)
    ] = None,
    path: Annotated[
        Path | None, typer.Argument(help="file to write [default: NAME.yaml]", show_default=False)
    ] = None,
) -> None:
    """List the example scenarios, or copy one of them. An existing file is left alone."""
    from trialsim.scenario.starting import examples as found

    shown = found(name, path)
    if isinstance(shown, Path):
        print(f"{shown} written; run it with: trialsim run {shown}")
    else:
        width = max(map(len, shown))
        print("\n".join(f"{each:<{width}}  {title}" for each, title in shown.items()))


def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from trialsim.scenario.schema import schema_text

    print(schema_text(), end="")
