"""The command `trialsim compare`: several designs on the same truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli import common
from trialsim.cli.whatif import Cases, Scenarios, distinct, ledgers_beside


def compare(
    scenario: Scenarios,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="scenario file whose cases are put under every design [default: the first]",
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
    """Put several designs under the same truth: P(go), EN, toxicities, duration; dominated designs are marked."""
    distinct(scenario)
    form = common.form_of(as_json, as_markdown, as_latex)
    target = common.folder_of(output, force=force, docx=docx, resume=resume)
    from trialsim.scenario.files import digest, load

    stems = [path.stem for path in scenario]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in scenario]
    designs = {name: load(path) for name, path in zip(names, scenario, strict=True)}
    named = None if truth is None else (str(truth), load(truth))
    from trialsim.timing import Clock
    from trialsim.varying.compare import Designs

    clock = Clock()
    marks = [digest(each) for each in (*designs.values(), *([named[1]] if named else []))]
    with common.workers(dask, jobs):
        with clock("prepare"):
            prepared = Designs(designs, named, cases=case, replicates=replicates, seed=seed, jobs=jobs)
        run = prepared.prepared
        with ledgers_beside(target, marks, resume) as ledgers:
            with (
                clock("simulate_and_exact"),
                common.progress(run.replicates, quiet or form is not None, run.kernels) as advance,
            ):
                found = prepared.run(jobs=jobs, progress=advance, ledgers=ledgers)
            page = None
            if target is not None:
                from trialsim.reporting.filing import write_answer

                texts = common.texts_of(scenario)
                if truth is not None:
                    texts["scenarios/truth of all.yaml"] = common.text_of(truth)
                keywords = {"names": names, "truth": named[0] if named else None, "cases": case}
                page = write_answer(
                    found,
                    target,
                    texts=texts,
                    asked={**keywords, "replicates": replicates, "seed": seed},
                    clock=clock,
                    jobs=jobs,
                    force=force,
                    docx=docx,
                    full=full,
                )
    common.show(found, form, quiet=quiet, page=page, disagreements=found.disagreements)
