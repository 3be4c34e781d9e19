"""The command `trialsim sensitivity`: what the answers hang on."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from trialsim.cli import common


def sensitivity(
    scenario: common.ScenarioPath,
    output: common.Folder = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="one analysis by its name, or a kind: tornado, grids, priors, thresholds, worst_case "
            "[default: all]",
            show_default=False,
        ),
    ] = None,
    replicates: common.Replicates = None,
    seed: common.Seed = None,
    jobs: common.Jobs = None,
    resume: common.Resume = False,
    dask: common.Dask = None,
    force: common.Force = False,
    docx: common.Docx = False,
    full: common.Full = False,
    as_json: common.AsJson = False,
    as_markdown: common.AsMarkdown = False,
    as_latex: common.AsLatex = False,
    quiet: common.Quiet = False,
) -> None:
    """Work out the sensitivity block of a scenario: tornado, grids, priors, thresholds, worst case."""
    form = common.form_of(as_json, as_markdown, as_latex)
    target = common.folder_of(output, force=force, docx=docx, resume=resume)
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
            common.workers(dask, jobs),
            clock("points"),
            common.progress(total, quiet or form is not None, kernels_used(stated)) as advance,
        ):
            found = assess(stated, **asked, jobs=jobs, progress=advance, kept=kept)
        if target is not None:
            from trialsim.reporting.filing import write_answer

            page = write_answer(
                found,
                target,
                texts=common.texts_of([scenario]),
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
    common.show(found, form, quiet=quiet, page=page)
