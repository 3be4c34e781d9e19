"""The command `trialsim sensitivity`: what the answers hang on."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from trialsim.cli.common import (
    AsJson,
    AsLatex,
    AsMarkdown,
    Dask,
    Docx,
    Folder,
    Force,
    Full,
    Jobs,
    Quiet,
    Replicates,
    Resume,
    ScenarioPath,
    Seed,
    folder_of,
    form_of,
    progress,
    show,
    texts_of,
    workers,
)


def sensitivity(
    scenario: ScenarioPath,
    output: Folder = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="one analysis by its name, or a kind: tornado, grids, priors, thresholds, worst_case "
            "[default: all]",
            show_default=False,
        ),
    ] = None,
    replicates: Replicates = None,
    seed: Seed = None,
    jobs: Jobs = None,
    resume: Resume = False,
    dask: Dask = None,
    force: Force = False,
    docx: Docx = False,
    full: Full = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
    as_latex: AsLatex = False,
    quiet: Quiet = False,
) -> None:
    """Work out the sensitivity block of a scenario: tornado, grids, priors, thresholds, worst case."""
    form = form_of(as_json, as_markdown, as_latex)
    target = folder_of(output, force=force, docx=docx, resume=resume)
    from trialsim.scenario.files import load

    stated = load(scenario)
    from trialsim.engine.operating import kernels_used
    from trialsim.timing import Clock
    from trialsim.varying.assess import assess, expected
    from trialsim.varying.kept_points import Kept

    total = expected(stated, only)
    kept = Kept(None if target is None else target.with_name(f"{target.name}.points"), resume=resume)
    page, clock = None, Clock()
    asked: dict[str, Any] = {"only": only, "replicates": replicates, "seed": seed}
    try:
        with (
            kept,
            workers(dask, jobs),
            clock("points"),
            progress(total, quiet or form is not None, kernels_used(stated)) as advance,
        ):
            found = assess(stated, **asked, jobs=jobs, progress=advance, kept=kept)
        if target is not None:
            from trialsim.reporting.filing import write_answer

            page = write_answer(
                found,
                target,
                texts=texts_of([scenario]),
                asked=asked,
                clock=clock,
                jobs=jobs,
                force=force,
                docx=docx,
                full=full,
            )
        kept.discard()
    except BaseException:
        if kept.path is not None and kept.points and sys.stderr is not None:
            print(
                f"{len(kept.points):,} points are kept in {kept.path}; "
                "the same command with --resume goes on from there",
                file=sys.stderr,
            )
        raise
    show(found, form, quiet=quiet, page=page)
