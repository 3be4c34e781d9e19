"""The command `trialsim whatif`: what changing an assumption does, with its error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialsim.cli import common
from trialsim.errors import TrialsimError

if TYPE_CHECKING:
    from trialsim.engine.ledger import Ledger
    from trialsim.varying.side_by_side import Ledgers

Scenarios = Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="scenario files (YAML)")]
Cases = Annotated[
    list[str] | None,
    typer.Option(
        "--case", metavar="NAME", help="case to look at, may be repeated [default: all]", show_default=False
    ),
]


def whatif(
    scenario: Scenarios,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="an input to change, may be repeated; all together are one variant, beside those of the "
            "scenario's `variants` block",
            show_default=False,
        ),
    ] = None,
    replicates: common.Replicates = None,
    seed: common.Seed = None,
    jobs: common.Jobs = None,
    case: Cases = None,
    output: common.Folder = None,
    force: common.Force = False,
    docx: common.Docx = False,
    full: common.Full = False,
    resume: common.Resume = False,
    dask: common.Dask = None,
    as_json: common.AsJson = False,
    as_markdown: common.AsMarkdown = False,
    as_latex: common.AsLatex = False,
    quiet: common.Quiet = False,
) -> None:
    """Say what changing an assumption does: the scenario and its variants on the same simulated patients."""
    distinct(scenario)
    form = common.form_of(as_json, as_markdown, as_latex)
    target = common.folder_of(output, force=force, docx=docx, resume=resume)
    from trialsim.scenario.changes import read_changes
    from trialsim.scenario.files import digest, load

    loaded = [load(path) for path in scenario]
    changes = read_changes(change or ())
    from trialsim.timing import Clock
    from trialsim.varying.whatif import Asked, Questions

    clock = Clock()
    files = [str(path) for path in scenario]
    asked = [
        Asked.of(stated, changes, file=file, cases=case) for file, stated in zip(files, loaded, strict=True)
    ]
    with common.workers(dask, jobs):
        with clock("prepare"):
            questions = Questions(asked, replicates=replicates, seed=seed, jobs=jobs)
        prepared = questions.prepared
        with ledgers_beside(target, [digest(each) for each in loaded], resume) as ledgers:
            with (
                clock("simulate_and_exact"),
                common.progress(prepared.replicates, quiet or form is not None, prepared.kernels) as advance,
            ):
                found = questions.run(jobs=jobs, progress=advance, ledgers=ledgers)
            page = None
            if target is not None:
                from trialsim.reporting.filing import write_answer

                keywords = {"files": files, "set": change or [], "cases": case}
                page = write_answer(
                    found,
                    target,
                    texts=common.texts_of(scenario),
                    asked={**keywords, "replicates": replicates, "seed": seed},
                    clock=clock,
                    jobs=jobs,
                    force=force,
                    docx=docx,
                    full=full,
                )
    common.show(found, form, quiet=quiet, page=page, disagreements=found.disagreements)


def distinct(paths: Sequence[Path]) -> None:
    """Refuse the same file twice."""
    seen: dict[Path, Path] = {}
    for path in paths:
        real = path.resolve()
        if real in seen:
            raise TrialsimError(f"{path}: the same file as {seen[real]}; give each file once")
        seen[real] = path


@contextmanager
def ledgers_beside(target: Path | None, digests: Sequence[str], resume: bool) -> Iterator[Ledgers | None]:
    """Ledgers beside the folder, which go once it is written; without a folder nothing is kept."""
    if target is None:
        yield None
        return
    import hashlib
    from contextlib import ExitStack

    from trialsim.engine.ledger import Ledger

    mark = f"sha256:{hashlib.sha256(' '.join(digests).encode()).hexdigest()}"
    made: list[Ledger] = []
    with ExitStack() as held:

        def ledger(k: int) -> Ledger:
            name = f"{target.name}.ledger" if k == 0 else f"{target.name}.{k + 1}.ledger"
            made.append(held.enter_context(Ledger(target.with_name(name), mark, resume=resume)))
            return made[-1]

        try:
            yield ledger
        except BaseException:
            kept = [each for each in made if each.replicates]
            if kept and sys.stderr is not None:
                print(
                    f"{sum(each.replicates for each in kept):,} replicates are kept in "
                    f"{', '.join(str(each.path) for each in kept)}; the same command with --resume goes on from there",
                    file=sys.stderr,
                )
            raise
        for each in made:
            each.discard()
