"""The command `trialsim compare`: several designs on the same truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Work, loaded, options
from trialsim.cli.oc import numbers
from trialsim.cli.resumed import Resumable
from trialsim.cli.whatif import Cases, distinct, side_by_side
from trialsim.errors import TrialsimError

P0 = Annotated[
    float | None, typer.Option(help="with --design: unacceptable response rate", show_default=False)
]
P1 = Annotated[float | None, typer.Option(help="with --design: desirable response rate", show_default=False)]


@options
def compare(
    out: Resumable,
    work: Work,
    scenario: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SCENARIO...", help="scenario files (YAML)", show_default=False),
    ] = None,
    design: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DESIGN",
            help='in place of files, again for each: a design as for oc ("1/10 5/29", or a block), with --p0 and --p1',
            show_default=False,
        ),
    ] = None,
    p0: P0 = None,
    p1: P1 = None,
    rates: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="with --design: further response rates", show_default=False),
    ] = None,
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
    from trialsim.varying.compare import Designs, stated_designs

    if design:
        if scenario or truth:
            raise TrialsimError("--design stands in place of scenario files: give one or the other")
        designs, texts = stated_designs(design, p0, p1, numbers("--rates", rates) if rates else ())
    elif p0 is not None or p1 is not None or rates is not None:
        raise TrialsimError("--p0, --p1 and --rates go with --design; scenario files state their own")
    elif not scenario:
        raise TrialsimError("name two scenario files, or two designs: --design '1/10 5/29' --design 5/25")
    else:
        distinct(scenario)
        scenarios, texts = loaded(scenario)
        stems = [path.stem for path in scenario]
        names = stems if len(set(stems)) == len(stems) else [str(path) for path in scenario]
        designs = dict(zip(names, scenarios, strict=True))
    named = None
    if truth is not None:
        (of_all,), text = loaded([truth])
        named = str(truth), of_all
        (texts["scenarios/truth of all.yaml"],) = text.values()
    side_by_side(
        "compare",
        lambda: Designs(designs, named, cases=case, **work.asked, jobs=work.jobs),
        out,
        work,
        about=[*designs.values(), *([named[1]] if named else [])],
        texts=texts,
        asked={"names": list(designs), "truth": named[0] if named else None, "cases": case},
    )
