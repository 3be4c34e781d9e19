"""What several commands share: options, workers, the progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trialsim.errors import OutputError, TrialsimError

if TYPE_CHECKING:
    from trialsim.answers import Answer

ScenarioPath = Annotated[Path, typer.Argument(metavar="SCENARIO", help="scenario file (YAML)")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="workers [default: all processors]", show_default=False)
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="print nothing but errors and the path of the report")
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="also write results, tables, figures and a report into this folder",
        show_default=False,
    ),
]
Replicates = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10**9,
        help="simulated trials of everything that has no exact answer, and as its check [default: the scenario's]",
        show_default=False,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, max=2**63 - 1, help="seed [default: the scenario's]", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="overwrite an earlier run in the same folder")]
Resume = Annotated[
    bool, typer.Option("--resume", help="go on with a run into the same folder that was cut off")
]
Docx = Annotated[
    bool,
    typer.Option("--docx", help="also write the report into the folder for Word (needs trialsim[docx])"),
]
Full = Annotated[bool, typer.Option("--full", help="let every section of the page stand open, to be printed")]
AsJson = Annotated[bool, typer.Option("--json", help="print everything as JSON")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="print the whole report as Markdown")]
AsLatex = Annotated[bool, typer.Option("--latex", help="print the whole report as LaTeX")]
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


class Form(str, Enum):
    """What an answer is printed as, other than text to read."""

    json = "json"
    markdown = "markdown"
    latex = "latex"


def form_of(as_json: bool, as_markdown: bool, as_latex: bool) -> Form | None:
    """The form that is asked for; refused before anything is computed where there are two."""
    asked = [form for form, wanted in zip(Form, (as_json, as_markdown, as_latex), strict=True) if wanted]
    if len(asked) > 1:
        raise OutputError(f"{' and '.join(f'--{form.value}' for form in asked)}: one form can be printed")
    return asked[0] if asked else None


def folder_of(
    output: Path | None, *, force: bool = False, docx: bool = False, resume: bool = False
) -> Path | None:
    """The folder to write, if any; what cannot be written is refused before anything is computed."""
    if output is None:
        if resume:
            raise OutputError("--resume goes on with what a folder has kept: name it with -o")
        if docx:
            raise OutputError("--docx writes into the folder of the report: name it with -o")
        return None
    from trialsim.writing.folder import check_target

    target = check_target(output, force=force)
    if docx:
        from trialsim.writing.word import check_installed

        check_installed()
    return target


def text_of(path: Path) -> str:
    """A scenario file as it stands."""
    return path.read_bytes().decode("utf-8-sig")


def texts_of(paths: Sequence[Path]) -> dict[str, str]:
    """Scenario files as they stand, by the names under which a folder keeps them."""
    if len(paths) == 1:
        return {"scenario.yaml": text_of(paths[0])}
    stems = [path.stem for path in paths]
    twice = len(set(stems)) < len(stems)
    names = [f"{k}-{stem}" if twice else stem for k, stem in enumerate(stems, start=1)]
    return {f"scenarios/{name}.yaml": text_of(path) for name, path in zip(names, paths, strict=True)}


def filed(
    answer: Answer,
    folder: Path | None,
    paths: Sequence[Path],
    asked: Mapping[str, Any],
    *,
    force: bool = False,
    docx: bool = False,
    full: bool = False,
) -> Path | None:
    """Write an answer into its folder, if it has one, and give the path of its page."""
    if folder is None:
        return None
    from trialsim.reporting.filing import write_answer

    texts = texts_of(paths) if paths else {}
    return write_answer(answer, folder, texts=texts, asked=asked, force=force, docx=docx, full=full)


def show(
    answer: Answer,
    form: Form | None = None,
    *,
    quiet: bool = False,
    page: Path | None = None,
    disagreements: Sequence[str] = (),
) -> None:
    """Print an answer and the path of its page; a warning and exit status 1 where exact and simulated disagree.

    In a form for other programs nothing else is printed: the path goes to stderr.
    """
    if form is Form.json:
        from trialsim.reporting.saying import document

        print(json.dumps(document(answer), indent=1, ensure_ascii=False, allow_nan=False))
    elif form is Form.markdown:
        from trialsim.writing.markdown import markdown

        print(markdown(answer.report()), end="")
    elif form is Form.latex:
        from trialsim.writing.latex import latex

        print(latex(answer.report()), end="")
    elif not quiet:
        print(answer)
    if disagreements:
        print(
            "WARNING: simulated and exact answers disagree by more than chance allows on "
            f"{'; '.join(disagreements)}. Do not use this run; please report it.",
            file=sys.stderr,
        )
    if page is not None:
        beside = sys.stdout if form is None else sys.stderr
        print(page if quiet or form else f"\n{page}", file=beside, flush=True)
    if disagreements:
        raise typer.Exit(1)
