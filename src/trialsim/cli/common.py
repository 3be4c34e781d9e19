"""What several commands share: options, how an answer is shown, workers, the progress bar."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass, field, fields, is_dataclass
from functools import reduce, wraps
from operator import or_
from pathlib import Path
from shutil import get_terminal_size
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

import typer

from trialsim import timing
from trialsim.cli.told import files_read
from trialsim.errors import DesignError, OutputError, TrialsimError
from trialsim.given import MAX_JOBS, MAX_REPLICATES, MAX_SEED, read

if TYPE_CHECKING:
    from trialsim.answers import Answer
    from trialsim.scenario.model import Scenario
    from trialsim.timing import Clock
    from trialsim.writing.folder import How

ScenarioPath = Annotated[Path, typer.Argument(metavar="SCENARIO", help="scenario file (YAML)")]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_JOBS, help="workers [default: all processors]", show_default=False),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="print nothing but errors and the path of the report")
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, max=MAX_SEED, help="seed [default: the scenario's]", show_default=False),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="replace an existing file, or an earlier folder with nothing else in it"),
]
Docx = Annotated[
    bool,
    typer.Option("--docx", help="also write the report into the folder for Word (needs trialsim[docx])"),
]
Full = Annotated[bool, typer.Option("--full", help="let every section of the page stand open, to be printed")]
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


@dataclass(frozen=True)
class _Numeric:
    """An option that takes numbers: typer hands over their text, and what is no number is refused in our own words."""

    flag: str
    wanted: type
    low: float | None
    high: float | None

    @classmethod
    def of(cls, parameter: inspect.Parameter) -> tuple[inspect.Parameter, _Numeric | None]:
        """A parameter as typer is shown it; and how its text is read, if it takes numbers."""
        kind, *more = get_args(parameter.annotation) or (parameter.annotation,)
        stated = str(kind)
        wanted = next((each for each in (float, int) if each is kind or each.__name__ in stated), None)
        if wanted is None or not more:
            return parameter, None
        info = copy(more[0])
        flag = next(iter(info.param_decls or ()), f"--{parameter.name.replace('_', '-')}")
        numeric = cls(flag, wanted, info.min, info.max)
        info.min = info.max = None
        info.metavar = info.metavar or ("FLOAT" if wanted is float else "INTEGER")
        default = parameter.default
        if isinstance(default, tuple):
            default = tuple(map(str, default))
        elif isinstance(default, float | int):
            default = str(default)
        text: Any = _as_text(kind)
        return parameter.replace(annotation=Annotated[text, info], default=default), numeric

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return read(value, self.flag, whole=self.wanted is int, low=self.low, high=self.high)
        return type(value)(map(self, value)) if isinstance(value, list | tuple) else value


def _as_text(kind: Any) -> Any:
    """A type with text in place of every number."""
    if kind in (float, int):
        return str
    parts = tuple(map(_as_text, get_args(kind)))
    if isinstance(kind, UnionType):
        return reduce(or_, parts)
    return get_origin(kind)[parts] if parts else kind


def options(command: Callable[..., None]) -> Callable[..., None]:
    """A command in which each dataclass among the parameters stands for its fields, an option each."""
    shown: list[inspect.Parameter] = []
    bundles: dict[str, tuple[type, list[str]]] = {}
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        kind = parameter.annotation
        if not (isinstance(kind, type) and is_dataclass(kind)):
            shown.append(parameter.replace(kind=parameter.KEYWORD_ONLY))
            continue
        hints = get_type_hints(kind, include_extras=True)
        given = [each for each in fields(kind) if each.init]
        bundles[name] = kind, [each.name for each in given]
        shown += [
            inspect.Parameter(
                each.name, parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name]
            )
            for each in given
        ]

    numeric: dict[str, _Numeric] = {}
    for i, parameter in enumerate(shown):
        shown[i], reads = _Numeric.of(parameter)
        if reads:
            numeric[parameter.name] = reads

    @wraps(command)
    def bundled(**given: Any) -> None:
        for name, reads in numeric.items():
            given[name] = reads(given[name])
        for name, (kind, names) in bundles.items():
            given[name] = kind(**{each: given.pop(each) for each in names})
        command(**given)

    bundled.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    return bundled


@dataclass
class Out:
    """How an answer is shown: in one form on the terminal, and whole in a folder.

    What cannot be written, or two forms at once, is refused before anything is computed.
    """

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="also write results, tables, figures and a report into this folder",
            show_default=False,
        ),
    ] = None
    force: Force = False
    docx: Docx = False
    full: Full = False
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False
    as_markdown: Annotated[bool, typer.Option("--markdown", help="print the whole report as Markdown")] = (
        False
    )
    as_latex: Annotated[bool, typer.Option("--latex", help="print the whole report as LaTeX")] = False
    quiet: Quiet = False
    folder: Path | None = field(init=False, default=None)
    file: Path | None = field(init=False, default=None)
    form: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self._forms()
        self._place()

    def _forms(self) -> None:
        wanted = {"json": self.as_json, "markdown": self.as_markdown, "latex": self.as_latex}
        forms = [form for form, asked in wanted.items() if asked]
        if self.quiet:
            timing.listener = None
        if len(forms) > 1:
            raise OutputError(f"{' and '.join(f'--{form}' for form in forms)}: one form can be printed")
        self.form = forms[0] if forms else ""

    def _place(self) -> None:
        if self.output is not None and self.is_file(self.output):
            self.file = self.output
        elif self.output is not None:
            from trialsim.writing.folder import check

            self.folder = check(self.output, force=self.force, docx=self.docx)
        if self.docx and self.folder is None:
            raise OutputError("--docx writes into the folder of the report: name it with -o")

    def is_file(self, _path: Path) -> bool:
        """Whether a single file is wanted in place of a folder."""
        return False

    @property
    def prints_nothing_else(self) -> bool:
        """Whether the terminal is for the answer alone, without a progress bar."""
        return self.quiet or bool(self.form)

    def write(
        self,
        answer: Answer,
        *,
        texts: Mapping[str, str],
        asked: Mapping[str, Any],
        clock: Clock | None = None,
        jobs: int | None = None,
    ) -> Path | None:
        """The folder, where one is wanted, and the path of its page; keywords as for ``filing.write_answer``."""
        if self.folder is None:
            return None
        from trialsim.reporting.filing import write_answer

        how: How = {"jobs": jobs, "force": self.force, "docx": self.docx, "full": self.full}
        return write_answer(answer, self.folder, texts=texts, asked=asked, clock=clock, **how)

    def show(self, answer: Answer, page: Path | None = None) -> None:
        """Print an answer and the path of its page; exit status 1 where exact and simulated disagree.

        In a form for other programs nothing else is printed: the path goes to stderr.
        """
        if self.form == "json":
            from trialsim.reporting.saying import document

            print(json.dumps(document(answer), indent=1, ensure_ascii=False, allow_nan=False))
        elif self.form == "markdown":
            from trialsim.writing.markdown import markdown

            print(markdown(answer.report()), end="")
        elif self.form == "latex":
            from trialsim.writing.latex import latex

            print(latex(answer.report()), end="")
        elif not self.quiet:
            from trialsim.reporting.saying import in_terminal

            # what is kept in a file is the same wherever it was asked for
            print(in_terminal(answer, get_terminal_size().columns if sys.stdout.isatty() else None))
        disagreements = getattr(answer, "disagreements", ())
        warn(disagreements)
        if page is not None:
            beside = sys.stderr if self.form else sys.stdout
            print(page if self.prints_nothing_else else f"\n{page}", file=beside, flush=True)
        if disagreements:
            raise typer.Exit(1)

    def give(self, answer: Answer, *, texts: Mapping[str, str], asked: Mapping[str, Any]) -> None:
        """Write and show; keywords as for ``write``."""
        self.show(answer, self.write(answer, texts=texts, asked=asked))


@dataclass
class Work:
    """How much is simulated, and by whom."""

    replicates: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_REPLICATES,
            help="simulated trials a case, of everything that has no exact answer and as its check "
            "[default: the scenario's]",
            show_default=False,
        ),
    ] = None
    seed: Seed = None
    jobs: Jobs = None
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with a run into the same folder that was cut off")
    ] = False
    dask: Dask = None

    @property
    def asked(self) -> dict[str, Any]:
        """What decides the numbers."""
        return {"replicates": self.replicates, "seed": self.seed}

    def beside(self, folder: Path | None, ending: str) -> Path | None:
        """Where what is done already is kept, until the folder is written."""
        if folder is None and self.resume:
            raise OutputError("--resume goes on with what a folder has kept: name it with -o")
        return None if folder is None else folder.with_name(f"{folder.name}.{ending}")


def warn(disagreements: Sequence[str]) -> None:
    """Say on stderr where exact and simulated answers disagree."""
    if disagreements:
        print(
            "WARNING: simulated and exact answers disagree by more than chance allows on "
            f"{'; '.join(disagreements)}. Do not use this run; please report it.",
            file=sys.stderr,
        )


@contextmanager
def kept(said: Callable[[], str]) -> Iterator[None]:
    """Say what is kept, if anything, where the work is cut off."""
    try:
        yield
    except BaseException:
        if (words := said()) and sys.stderr is not None:
            print(f"{words}; the same command with --resume goes on from there", file=sys.stderr)
        raise


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
    total: int | None, quiet: bool, doing: str = "Simulating"
) -> Iterator[Callable[..., None] | None]:
    """A progress bar on a terminal; nothing elsewhere."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=total)

        def advance(count: int, of: int | None = None) -> None:
            """``count`` more; or, with ``of``, so many of them by now."""
            by_now: dict[str, Any] = {"advance": count} if of is None else {"completed": count, "total": of}
            bar.update(task, description=doing, **by_now)

        yield advance


def counts_in(
    text: str | None, lengths: Collection[int], wanted: str, flag: str = "--now"
) -> tuple[int, ...] | None:
    """``25,3`` or ``25 3 6`` behind a flag as whole numbers; ``wanted`` says what they must be."""
    if text is None:
        return None
    try:
        parts = re.split(r"[\s,;]+", text.strip(" ,;"))
        counts = [int(read(part, flag, whole=True, low=0)) for part in parts]
    except DesignError:
        counts = []
    if len(counts) not in lengths:
        raise DesignError(f"{flag} {text!r} must be {wanted}")
    return tuple(counts)


def loaded(paths: Sequence[Path]) -> tuple[list[Scenario], dict[str, str]]:
    """Scenarios and the texts of their files, by the names under which a folder keeps them; each file is read once."""
    from trialsim.scenario.doubts import doubts
    from trialsim.scenario.files import load_with_text

    scenarios, texts = zip(*map(load_with_text, paths), strict=True)
    files_read[:] = zip(map(str, paths), texts, strict=True)
    for doubt in dict.fromkeys(doubt for scenario in scenarios for doubt in doubts(scenario)):
        timing.tell(f"note: {doubt}")
    stems = [path.stem for path in paths]
    twice = len(set(stems)) < len(stems)
    names = [f"{k}-{stem}" if twice else stem for k, stem in enumerate(stems, start=1)]
    kept = ["scenario.yaml"] if len(paths) == 1 else [f"scenarios/{name}.yaml" for name in names]
    return list(scenarios), dict(zip(kept, texts, strict=True))


def design_given(design: str) -> tuple[str, dict[str, str]]:
    """A design as it was typed; where it is a scenario file, its text too, as a folder keeps it."""
    from trialsim.scenario.files import text_of

    is_file = design.endswith((".yaml", ".yml")) and Path(design).is_file()
    return design.replace("−", "-"), {"scenario.yaml": text_of(design)} if is_file else {}
