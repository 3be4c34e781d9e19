"""The command `trialsim compare`: several designs on the same truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Out, Work, loaded, options
from trialsim.cli.whatif import Cases, Scenarios, distinct, side_by_side


@options
def compare(
    scenario: Scenarios,
    out: Out,
    work: Work,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="scenario file whose cases are put under every design [default: the first]",
            show_default=False,
        ),
    ] = None,
    case: Cases = None,
) -> None:
    """Put several designs under the same truth: P(go), EN, toxicities, duration; dominated designs are marked."""
    distinct(scenario)
    from trialsim.scenario.files import digest
    from trialsim.varying.compare import Designs

    stems = [path.stem for path in scenario]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in scenario]
    scenarios, texts = loaded(scenario)
    designs, named = dict(zip(names, scenarios, strict=True)), None
    if truth is not None:
        (of_all,), text = loaded([truth])
        named = str(truth), of_all
        (texts["scenarios/truth of all.yaml"],) = text.values()
    side_by_side(
        lambda: Designs(designs, named, cases=case, **work.asked, jobs=work.jobs),
        out,
        work,
        marks=[digest(each) for each in (*designs.values(), *([named[1]] if named else []))],
        texts=texts,
        asked={"names": names, "truth": named[0] if named else None, "cases": case},
    )
