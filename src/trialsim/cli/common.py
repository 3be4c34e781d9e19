"""What several commands share: options, workers, the progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from trialsim.errors import TrialsimError

ScenarioPath = Annotated[Path, typer.Argument(metavar="SCENARIO", help="scenario file (YAML)")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="workers [default: all processors]", show_default=False)
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="print nothing but errors and the path of the report")
]


Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="simulate on the workers of this dask scheduler (tcp://host:8786) [default: this machine]",
        show_default=False,
    ),
]

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


class Interrupted(TrialsimError):
    """Ctrl-C when part of the work is done."""


def workers(dask: str | None, jobs: int | None) -> AbstractContextManager[None]:
    """Where to simulate: on this machine, or on the cluster behind a dask scheduler."""
    if dask is None:
        return nullcontext()
    if jobs is not None:
        raise TrialsimError("--jobs is for this machine; with --dask every worker of the cluster is used")
    from trialsim.engine.montecarlo import cluster

    return cluster(dask)


@contextmanager
def progress(
    total: int | None, quiet: bool, kernels: Collection[str] = ("trial", "chain")
) -> Iterator[Callable[[int], None] | None]:
    """A progress bar on a terminal; elsewhere one line, and only when kernels must be compiled first."""
    from trialsim.kernels.cold import compile_note

    note = compile_note(kernels)
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        if note and not quiet and sys.stderr is not None:
            print(note, file=sys.stderr)
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(note or "Simulating", total=total)

        def advance(count: int) -> None:
            bar.update(task, advance=count, description="Simulating")

        yield advance
