"""The command `trialsim whatif`: what changing an assumption does, with its error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trialsim.cli.common import Out, Work, kept, loaded, options, progress, workers
from trialsim.cli.resumed import Resumable
from trialsim.errors import TrialsimError

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario
    from trialsim.varying.answers import WhatIfs
    from trialsim.varying.compare import Comparison, Designs
    from trialsim.varying.side_by_side import Ledgers
    from trialsim.varying.whatif import Questions

Scenarios = Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="scenario files (YAML)")]
Cases = Annotated[
    list[str] | None,
    typer.Option(
        "--case", metavar="NAME", help="case to look at, may be repeated [default: all]", show_default=False
    ),
]


@options
def whatif(
    scenario: Scenarios,
    out: Resumable,
    work: Work,
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
    variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME: ]PATH=VALUE, ...",
            help="a variant of its own, may be repeated: 'slow: conduct.accrual.per_month=2, conduct.interim=pause'",
            show_default=False,
        ),
    ] = None,
    case: Cases = None,
) -> None:
    """Say what changing an assumption does: the scenario and its variants on the same simulated patients."""
    distinct(scenario)
    from trialsim.scenario.changes import read_changes, read_variant
    from trialsim.varying.whatif import Asked, Questions

    scenarios, texts = loaded(scenario)
    changes = read_changes(change or ())
    more = dict(map(read_variant, variant or ()))
    if len(more) < len(variant or ()):
        raise TrialsimError("--variant: two variants have the same name")
    files = [str(path) for path in scenario]
    asked = [
        Asked.of(stated, changes, more=more, file=file, cases=case)
        for file, stated in zip(files, scenarios, strict=True)
    ]
    side_by_side(
        "whatif",
        lambda: Questions(asked, **work.asked, jobs=work.jobs),
        out,
        work,
        about=scenarios,
        texts=texts,
        asked={"files": files, "set": change or [], "variants": variant or [], "cases": case},
    )


def side_by_side(
    kind: str,
    prepare: Callable[[], Questions | Designs],
    out: Resumable,
    work: Work,
    *,
    about: Sequence[Scenario],
    texts: dict[str, str],
    asked: dict[str, Any],
) -> None:
    """Simulate the scenarios ``about`` side by side, write and show what comes out."""
    from trialsim.scenario.files import digest
    from trialsim.timing import Clock

    asked = {**asked, **work.asked}
    if not out.opened(kind, asked, about, resume=work.resume):
        return
    clock = Clock()
    with workers(work.dask, work.jobs):
        with clock("prepare"):
            ready = prepare()
        rounds = ready.prepared.replicates
        with ledgers_beside(out, [digest(each) for each in about], work) as ledgers:
            with (
                clock("simulate_and_exact"),
                progress(rounds, out.prints_nothing_else) as advance,
            ):
                found: WhatIfs | Comparison = ready.run(jobs=work.jobs, progress=advance, ledgers=ledgers)
            page = out.write(found, texts=texts, asked=asked, clock=clock, jobs=work.jobs)
    out.show(found, page)


def distinct(paths: Sequence[Path]) -> None:
    """Refuse the same file twice."""
    seen: dict[Path, Path] = {}
    for path in paths:
        real = path.resolve()
        if real in seen:
            raise TrialsimError(f"{path}: the same file as {seen[real]}; give each file once")
        seen[real] = path


@contextmanager
def ledgers_beside(
    out: Out, digests: Sequence[str], work: Work, total: int | None = None
) -> Iterator[Ledgers | None]:
    """Ledgers beside the folder, which go once it is written; without a folder nothing is kept."""
    path = work.beside(out.folder, "ledger")
    if path is None:
        yield None
        return
    import hashlib

    from trialsim.engine.ledger import Ledger

    mark = digests[0]
    if len(digests) > 1:
        mark = f"sha256:{hashlib.sha256(' '.join(digests).encode()).hexdigest()}"
    made: list[Ledger] = []

    def held() -> str:
        parts = [each for each in made if each.replicates]
        count, places = sum(each.replicates for each in parts), ", ".join(str(each.path) for each in parts)
        return (
            f"{count:,} {f'of {total:,} ' if total else ''}replicates are kept in {places}" if parts else ""
        )

    with kept(held), ExitStack() as open_ones:

        def ledger(k: int) -> Ledger:
            one = path if k == 0 else path.with_suffix(f".{k + 1}.ledger")
            made.append(open_ones.enter_context(Ledger(one, mark, resume=work.resume, force=out.force)))
            return made[-1]

        yield ledger
        for each in made:
            each.discard()
