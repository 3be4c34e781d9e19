"""The command `trialsim sensitivity`: what the answers hang on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trialsim.cli.common import ScenarioPath, Work, kept, loaded, options, progress, workers
from trialsim.cli.resumed import Resumable


@options
def sensitivity(
    scenario: ScenarioPath,
    out: Resumable,
    work: Work,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="one analysis by its name, or a kind: tornado, grids, priors, thresholds, worst_case "
            "[default: all]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Work out the sensitivity block of a scenario: tornado, grids, priors, thresholds, worst case.

    A scenario without such a block is given a tornado: response, toxicity and their association, accrual, withdrawals
    and evaluability, each low and high.
    """
    from trialsim.timing import Clock
    from trialsim.varying.assess import assess, expected
    from trialsim.varying.kept_points import Kept

    (stated,), texts = loaded([scenario])
    asked: dict[str, Any] = {"only": only, **work.asked}
    if not out.opened("sensitivity", asked, [stated], resume=work.resume):
        return
    path = work.beside(out.folder, "points")
    total, clock = expected(stated, only), Clock()
    points = Kept(path, resume=work.resume, force=out.force)

    def held() -> str:
        return f"{len(points.points):,} points are kept in {path}" if path and points.points else ""

    with kept(held):
        with (
            points,
            workers(work.dask, work.jobs),
            clock("points"),
            progress(total, out.prints_nothing_else) as advance,
        ):
            found = assess(stated, **asked, jobs=work.jobs, progress=advance, kept=points)
        page = out.write(found, texts=texts, asked=asked, clock=clock, jobs=work.jobs)
        points.discard()
    out.show(found, page)
