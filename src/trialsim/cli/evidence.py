"""The command `trialsim evidence`: the response test that may be looked at after any patient."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trialsim.cli.common import Out, counts_in, design_given, options
from trialsim.errors import DesignError


@options
def evidence(
    design: Annotated[
        str,
        typer.Argument(
            metavar="DESIGN",
            help='the planned design: "1/10 5/29" stops stage 1 if responses <= 1 of 10 and goes if > 5 of 29; a '
            "scenario file or a file with a block",
        ),
    ],
    out: Out,
    now: Annotated[
        str | None,
        typer.Option(
            metavar="N,X",
            help="where the trial stands: N patients enrolled, X responses known among them",
            show_default=False,
        ),
    ] = None,
    outcomes: Annotated[
        str | None,
        typer.Option(
            metavar="01?..",
            help="instead, every patient in enrolment order: 1 response, 0 none (also for one who cannot be "
            "evaluated), p or ? pending",
            show_default=False,
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=N,X",
            help="instead, the patients and responses of a cohort, or of a dose at which the test was begun anew; "
            "repeated",
            show_default=False,
        ),
    ] = None,
    p0: Annotated[
        float | None,
        typer.Option(help="unacceptable response rate [default: the block's]", show_default=False),
    ] = None,
    p1: Annotated[
        float | None, typer.Option(help="desirable response rate [default: the block's]", show_default=False)
    ] = None,
    alpha: Annotated[float, typer.Option(help="type I error: an e-value of 1/alpha rejects")] = 0.05,
    n: Annotated[
        int | None,
        typer.Option(
            "--n", min=1, help="patients at most [default: those of the design]", show_default=False
        ),
    ] = None,
    mixture: Annotated[
        bool,
        typer.Option(
            "--mixture",
            help="let the mixture over the rates above p0 decide, and not the likelihood ratio of p1",
        ),
    ] = False,
    prior: Annotated[tuple[float, float], typer.Option(metavar="A B", help="Beta prior of that mixture")] = (
        1.0,
        1.0,
    ),
    futility: Annotated[
        float, typer.Option(help="e-value at which the trial may stop for want of evidence")
    ] = 0.1,
    rate: Annotated[
        list[float] | None,
        typer.Option(
            metavar="P",
            help="true response rate at which to tell what happens, besides p0 and p1; may be repeated",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Weigh the evidence against p0 after any patient, planned or not: e-value, limits, boundary, and its price."""
    from trialsim.monitoring.evidence import evidence as worked_out

    design, texts = design_given(design)
    asked: dict[str, Any] = {
        "now": counts_in(now, (2,), "two whole numbers from 0: patients, responses, such as 20,6"),
        "outcomes": outcomes,
        "parts": _parts(part) if part else None,
        "p0": p0,
        "p1": p1,
        "alpha": alpha,
        "n": n,
        "mixture": mixture,
        "prior": prior,
        "futility": futility,
        "rates": rate or (),
    }
    found = worked_out(design, **asked)
    out.give(found, texts=texts, asked=asked if texts else {"design": design, **asked})


def _parts(texts: list[str]) -> dict[str, tuple[int, ...]]:
    """``A=20,6`` and so on as counts by name."""
    found: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, equals, counts = text.partition("=")
        wanted = "NAME=N,X: a cohort or dose, its patients and responses, such as A=20,6"
        if not (name.strip() and equals):
            raise DesignError(f"--part {text!r} must be {wanted}")
        if name.strip() in found:
            raise DesignError(f"--part {text!r}: {name.strip()} is stated twice")
        found[name.strip()] = counts_in(counts, (2,), wanted, "--part") or ()
    return found
