"""The command `trialsim redesign`: what may follow from where a trial stands, the type I error kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trialsim.cli.common import Out, design_given, options


@options
def redesign(
    design: Annotated[
        str,
        typer.Argument(
            metavar="DESIGN",
            help='"1/10 5/29" stops stage 1 if responses <= 1 of 10 and goes if > 5 of 29; a scenario file or a file '
            "with a block",
        ),
    ],
    out: Out,
    x1: Annotated[int, typer.Option("--x1", min=0, help="responses known so far", show_default=False)],
    m: Annotated[
        int | None,
        typer.Option(
            "--m",
            min=0,
            help="patients enrolled so far, those with pending outcomes included [default: the first look's]",
            show_default=False,
        ),
    ] = None,
    pending: Annotated[int, typer.Option(min=0, help="how many of them have a pending outcome")] = 0,
    n2: Annotated[
        int | None,
        typer.Option("--n2", min=1, help="patients after these, as many as are wanted", show_default=False),
    ] = None,
    x2: Annotated[
        int | None,
        typer.Option(
            "--x2",
            min=0,
            help="responses among the patients of --n2, once all are known: the p-value",
            show_default=False,
        ),
    ] = None,
    power: Annotated[
        float | None,
        typer.Option(
            help="conditional power at p1 that is wanted: the smallest rest is found", show_default=False
        ),
    ] = None,
    p0: Annotated[
        float | None,
        typer.Option(help="unacceptable response rate [default: the block's]", show_default=False),
    ] = None,
    p1: Annotated[
        float | None, typer.Option(help="desirable response rate [default: the block's]", show_default=False)
    ] = None,
) -> None:
    """Redesign the rest of a running trial so that its type I error is kept: conditional error, sizes, cut-offs."""
    from trialsim.monitoring.redesign import redesign as worked_out

    design, texts = design_given(design)
    asked: dict[str, Any] = {
        "x1": x1,
        "m": m,
        "pending": pending,
        "n2": n2,
        "x2": x2,
        "power": power,
        "p0": p0,
        "p1": p1,
    }
    found = worked_out(design, **asked)
    out.give(found, texts=texts, asked=asked if texts else {"design": design, **asked})
