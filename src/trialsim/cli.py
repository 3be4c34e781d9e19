"""The command line: the same words as the Python API, plain errors, exit status 2 for what the user can mend."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from trialsim import cli_analyse
from trialsim.errors import OutputError, ScenarioError, TrialsimError
from trialsim.version import __version__

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Operating characteristics of single-arm phase 2 trials with dose reduction: exact, simulated, and checked "
    "against the trial that happened.",
)

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


class _Interrupted(TrialsimError):
    """Ctrl-C when part of the work is done."""


class Table(str, Enum):
    """Files that simulated trials can be kept in."""

    csv = "csv"
    parquet = "parquet"


def main() -> None:
    """Run the command line; errors the user can mend are sentences on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a name in Greek must not stop a run on a terminal that cannot show it
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except ScenarioError as error:
        _fail(str(error), 2)
    except _Interrupted as error:
        _fail(str(error), INTERRUPTED)
    except TrialsimError as error:
        _fail(f"error: {error}", 2)
    except OSError as error:
        _fail(f"error: output cannot be written: {(error.strerror or str(error)).lower()}", 2)
    except SystemExit as stop:
        # what an interrupt becomes inside a command
        if stop.code == INTERRUPTED:
            _fail("interrupted; no report was written", INTERRUPTED)
        raise


def _fail(message: str, status: int) -> None:
    if sys.stderr is not None:
        print(message, file=sys.stderr)
    sys.exit(status)


def _version(show: bool) -> None:
    if show:
        print(f"trialsim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    pass


@app.command()
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
    quiet: Quiet = False,
) -> None:
    """Run a scenario: exact and simulated answers, the check against the observed trial, figures and a report."""
    from trialsim.scenario.files import digest, load

    stated = load(scenario)
    folder = output or Path("runs") / scenario.stem
    from trialsim.reporting import check_target, report

    target = check_target(folder, force=force)
    kept = None
    if keep_trials is not None or keep_patients is not None:
        from trialsim.engine.keeping import Keep

        kept = Keep((keep_trials or Table.csv).value, trials=keep_trials is not None, patients=keep_patients)
        planned = stated.simulation.precision is not None and replicates is None
        kept.check(None if planned else replicates or stated.simulation.replicates)
    from trialsim.checks import check
    from trialsim.engine.ledger import Ledger
    from trialsim.engine.operating import expected, kernels_used, simulate

    started = time.perf_counter()
    total = expected(stated, replicates)
    ledger = Ledger(target.with_name(f"{target.name}.ledger"), digest(stated), resume=resume)
    try:
        with ledger:
            with _workers(dask, jobs), _progress(total, quiet, kernels_used(stated)) as advance:
                results = simulate(
                    stated, replicates=replicates, seed=seed, jobs=jobs, progress=advance, ledger=ledger
                )
            simulated = time.perf_counter()
            checks = check(stated, seed=results.seed)
            checked = time.perf_counter()
            path = report(
                stated,
                folder,
                results=results,
                checks=checks,
                jobs=jobs,
                force=force,
                scenario_text=scenario.read_bytes().decode("utf-8-sig"),
                seconds={
                    "simulate_and_exact": round(simulated - started, 3),
                    "check": round(checked - simulated, 3),
                },
            )
            ledger.discard()
    except BaseException:
        if ledger.replicates and sys.stderr is not None:
            print(
                f"{ledger.replicates:,} {f'of {total:,} ' if total else ''}replicates are kept in {ledger.path}; "
                "the same command with --resume goes on from there",
                file=sys.stderr,
            )
        raise
    if not quiet:
        print(results)
        if stated.observed:
            print(f"\nAgainst the observed trial\n{checks}")
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
            with _progress(count * len(stated.truth), quiet) as advance:
                files = kept.write(stated, target, seed=results.seed, replicates=count, progress=advance)
        except KeyboardInterrupt:
            raise _Interrupted(
                "interrupted; the report is complete, but simulated trials were not kept"
            ) from None
        if not quiet:
            print(*files, sep="\n", flush=True)
    if results.disagreements:
        raise typer.Exit(1)


@app.command()
def trace(
    scenario: ScenarioPath,
    trial: Annotated[int, typer.Option(metavar="K", help="number of the trial, from 1")] = 1,
    case: Annotated[
        str | None, typer.Option(metavar="NAME", help="case [default: the first]", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="seed [default: the scenario's]", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="file to write: .csv, or a swimmer plot as .svg, .png or .pdf"),
    ] = None,
) -> None:
    """Print one simulated trial, patient by patient: the K-th that `run` simulates with the same seed."""
    from trialsim.scenario.files import load

    stated = load(scenario)
    from trialsim.engine.traces import trace as one

    if output is not None:
        from trialsim.figures.swimmer import check_output

        check_output(output)
    traced = one(stated, case, trial, seed)
    if output is not None:
        from trialsim.figures.swimmer import write

        write(traced, output)
    print(traced)
    if output is not None:
        print(f"\n{output}")


@app.command()
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


@app.command()
def find(
    kind: Annotated[str, typer.Argument(help="kind of design: simon, single_stage, multistage, ...")],
    p0: Annotated[float | None, typer.Option(help="unacceptable response rate")] = None,
    p1: Annotated[float | None, typer.Option(help="desirable response rate")] = None,
    alpha: Annotated[float | None, typer.Option(help="largest type I error")] = None,
    beta: Annotated[float | None, typer.Option(help="largest type II error")] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            help="simon: optimal, minimax, admissible; single_stage: first, stable; others as in their scenario block "
            "[default: all]"
        ),
    ] = None,
    weight: Annotated[float | None, typer.Option(help="weight of n, to pick one admissible design")] = None,
    nmax: Annotated[int | None, typer.Option(help="largest n to look at [default: no bound needed]")] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="a further key of the design's block: balanced=true, prior=[0.2,0.8]",
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with a setting a row (p0,p1,alpha,beta,...): print a CSV table of all designs"
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="write a figure of the designs found (.svg, .png or .pdf)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Find designs by their error rates, by exact and complete search."""
    from trialsim.designs.finding import find as search
    from trialsim.designs.finding import find_in_file, read_keys

    if settings is not None:
        print(find_in_file(kind, settings).to_csv(index=False), end="")
        return
    rates: dict[str, Any] = {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta}
    if missing := [name for name, value in rates.items() if value is None]:
        raise TrialsimError(f"a search needs --p0, --p1, --alpha and --beta; missing: {', '.join(missing)}")
    stated = {"criterion": criterion, "weight": weight, "nmax": nmax, **read_keys(keys or [])}
    found = search(kind, **rates, **stated)
    if figure is not None:
        from trialsim.figures.candidates import write

        write(found, figure)
    print(json.dumps(found.to_dict(), indent=1) if as_json else found)


app.command()(cli_analyse.analyse)


@app.command()
def reproduce(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="folder written by `trialsim run`")],
    jobs: Jobs = None,
    dask: Dask = None,
    quiet: Quiet = False,
) -> None:
    """Run a run folder's scenario again and compare the results bit by bit; exit status 1 if they differ."""
    from trialsim.reporting import reproduce as again

    with _workers(dask, jobs), _progress(None, quiet) as advance:
        same, differences = again(folder, jobs=jobs, progress=advance)
    if not same:
        print(f"{folder}: differs\n" + "\n".join(differences), file=sys.stderr)
        raise typer.Exit(1)
    print(f"{folder}: results.json reproduced bit by bit")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="file to write")] = Path("scenario.yaml"),
) -> None:
    """Write a commented example scenario to start from; an existing file is left alone."""
    from importlib.resources import files

    text = files("trialsim.scenario").joinpath("example.yaml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(f"{path} exists; choose another name") from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    print(f"{path} written; run it with: trialsim run {path}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from trialsim.scenario.schema import schema_text

    print(schema_text(), end="")


def _workers(dask: str | None, jobs: int | None) -> AbstractContextManager[None]:
    """Where to simulate: on this machine, or on the cluster behind a dask scheduler."""
    if dask is None:
        return nullcontext()
    if jobs is not None:
        raise TrialsimError("--jobs is for this machine; with --dask every worker of the cluster is used")
    from trialsim.engine.montecarlo import cluster

    return cluster(dask)


@contextmanager
def _progress(
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
