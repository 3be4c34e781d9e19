"""The command `trialsim oc`: operating characteristics of a design as it is stated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from trialsim.cli.common import Out, design_given, options
from trialsim.errors import DesignError


@options
def oc(
    design: Annotated[
        str,
        typer.Argument(
            metavar="DESIGN",
            help='"1/10 5/29" stops stage 1 if responses <= 1 of 10 and goes if > 5 of 29; "5/25" has a single stage, '
            '"0/6 2/17 5/29" three, "0:3/13 5/24" goes early if > 3 of 13, "-/14 14/44" does not stop; a block, '
            '"{kind: gehan, p1: 0.2, miss: 0.05, standard_error: 0.1}"; a kind, with --set; a scenario file or a file '
            "with a block",
        ),
    ],
    out: Out,
    p0: Annotated[
        float | None,
        typer.Option(help="unacceptable response rate [default: the block's]", show_default=False),
    ] = None,
    p1: Annotated[
        float | None, typer.Option(help="desirable response rate [default: the block's]", show_default=False)
    ] = None,
    rates: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="further response rates [default: every 5% up to p1 + (p1 - p0)]",
            show_default=False,
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(help="nominal type I error, held against the one attained", show_default=False),
    ] = None,
    beta: Annotated[
        float | None, typer.Option(help="nominal type II error, likewise", show_default=False)
    ] = None,
    power: Annotated[
        float | None, typer.Option(help="nominal power, in place of --beta", show_default=False)
    ] = None,
    toxicity: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="toxicity rates, for a design whose looks count toxicities [default: its block's]",
            show_default=False,
        ),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="where DESIGN is a kind: a key of its block"),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="write the figure of P(go) and EN (.svg, .png or .pdf)", show_default=False),
    ] = None,
) -> None:
    """Say what a stated design does: type I error, power, PET, EN and every end by look, exact."""
    from trialsim.inference.oc import oc as worked_out
    from trialsim.scenario.changes import read_changes

    if figure is not None:
        from trialsim.writing.folder import check_file

        check_file(figure, force=out.force, endings=(".svg", ".png", ".pdf"))
    design, texts = design_given(design)
    stated: Any = design
    if design.isidentifier():
        stated = {"kind": design, **read_changes(keys or [])}
    elif keys:
        raise DesignError(f"--set goes with a kind of design, such as gehan, in place of {design}")
    asked: dict[str, Any] = {
        "p0": p0,
        "p1": p1,
        "rates": None if rates is None else numbers("--rates", rates),
        "alpha": alpha,
        "beta": beta,
        "power": power,
        "toxicity": None if toxicity is None else numbers("--toxicity", toxicity),
    }
    found = worked_out(stated, **asked)
    if figure is not None:
        from trialsim.figures.candidates import save
        from trialsim.figures.oc import draw

        save(draw(found), figure, force=out.force)
    out.give(found, texts=texts, asked=asked if texts else {"design": stated, **asked})


def numbers(flag: str, text: str) -> list[float]:
    """``0.1,0.2`` as numbers."""
    from trialsim.given import read

    return [read(part, flag) for part in re.split(r"[\s,;]+", text.strip(" ,;"))]
