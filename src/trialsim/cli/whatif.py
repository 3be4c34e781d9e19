"""The command `trialsim whatif`: what changing an assumption does, with its error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialsim.cli.common import Dask, Jobs, Quiet, progress, workers
from trialsim.errors import OutputError, TrialsimError

if TYPE_CHECKING:
    from trialsim.engine.ledger import Ledger
    from trialsim.varying.side_by_side import Ledgers

Scenarios = Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="scenario files (YAML)")]
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
        min=1, max=10**9, help="simulated trials a case [default: each scenario's]", show_default=False
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, max=2**63 - 1, help="seed [default: each scenario's]", show_default=False),
]
Cases = Annotated[
    list[str] | None,
    typer.Option(
        "--case", metavar="NAME", help="case to look at, may be repeated [default: all]", show_default=False
    ),
]
Force = Annotated[bool, typer.Option("--force", help="overwrite an earlier run in the same folder")]
Resume = Annotated[
    bool, typer.Option("--resume", help="go on with a run into the same folder that was cut off")
]
AsJson = Annotated[bool, typer.Option("--json", help="print everything as JSON")]


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
    """Say what changing an assumption does: the scenario and its variants on the same simulated patients."""
    distinct(scenario)
    if resume and output is None:
        raise OutputError("--resume goes on with what a folder has kept: name it with -o")
    from trialsim.scenario.changes import read_changes
    from trialsim.scenario.files import digest, load

    loaded = [load(path) for path in scenario]
    changes = read_changes(change or ())
    target = None
    if output is not None:
        from trialsim.reporting import check_target

        target = check_target(output, force=force)
    from trialsim.varying.whatif import Asked, Questions, results

    started = time.perf_counter()
    asked = [
        Asked.of(stated, changes, file=str(path), cases=case)
        for path, stated in zip(scenario, loaded, strict=True)
    ]
    with workers(dask, jobs):
        questions = Questions(asked, replicates=replicates, seed=seed, jobs=jobs)
        prepared = questions.prepared
        with ledgers_beside(target, [digest(each) for each in loaded], resume) as ledgers:
            with progress(prepared.replicates, quiet or as_json, prepared.kernels) as advance:
                found = questions.run(jobs=jobs, progress=advance, ledgers=ledgers)
            page = None
            if target is not None:
                from trialsim.reporting.whatif import write

                texts = [path.read_bytes().decode("utf-8-sig") for path in scenario]
                seconds = {"simulate_and_exact": round(time.perf_counter() - started, 3)}
                page = write(found, target, texts=texts, jobs=jobs, force=force, seconds=seconds)
    if as_json:
        print(json.dumps(results(found), indent=1, ensure_ascii=False, allow_nan=False))
    elif not quiet:
        from trialsim.varying.printing import contents

        print(found[0] if len(found) == 1 else contents(found))
    close_with([w for each in found for w in each.disagreements], page, quiet=quiet, as_json=as_json)


def distinct(paths: Sequence[Path]) -> None:
    """Refuse the same file twice."""
    seen: dict[Path, Path] = {}
    for path in paths:
        real = path.resolve()
        if real in seen:
            raise TrialsimError(f"{path}: the same file as {seen[real]}; give each file once")
        seen[real] = path


def close_with(disagreements: Sequence[str], page: Path | None, *, quiet: bool, as_json: bool) -> None:
    """The path of the report; a warning and exit status 1 where exact and simulated disagree."""
    if disagreements:
        print(
            "WARNING: simulated and exact answers disagree by more than chance allows on "
            f"{'; '.join(disagreements)}. Do not use this run; please report it.",
            file=sys.stderr,
        )
    if page is not None:
        print(
            page if quiet or as_json else f"\n{page}", file=sys.stderr if as_json else sys.stdout, flush=True
        )
    if disagreements:
        raise typer.Exit(1)


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
