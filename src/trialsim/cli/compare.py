"""The command `trialsim compare`: several designs on the same truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Out, Work, options, text_of, texts_of
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
    from trialsim.scenario.files import digest, load
    from trialsim.varying.compare import Designs

    stems = [path.stem for path in scenario]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in scenario]
    designs = {name: load(path) for name, path in zip(names, scenario, strict=True)}
    texts, named = texts_of(scenario), None
    if truth is not None:
        named = str(truth), load(truth)
        texts["scenarios/truth of all.yaml"] = text_of(truth)
    side_by_side(
        lambda: Designs(designs, named, cases=case, **work.asked, jobs=work.jobs),
        out,
        work,
        marks=[digest(each) for each in (*designs.values(), *([named[1]] if named else []))],
        texts=texts,
        asked={"names": names, "truth": named[0] if named else None, "cases": case},
    )
