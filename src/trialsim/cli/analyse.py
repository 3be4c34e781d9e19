"""The command `trialsim analyse`: the estimate afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from trialsim.errors import DesignError, OutputError


def analyse(
    scenario: Annotated[
        Path | None,
        typer.Argument(
            metavar="SCENARIO", help="scenario file (YAML) with an observed block", show_default=False
        ),
    ] = None,
    design: Annotated[
        str | None,
        typer.Option(
            metavar="R1/N1,R/N",
            help="cut-offs instead of a scenario: 1/25,6/70 stops if responses <= 1 of 25 and goes if > 6 of 70; "
            "STOP:GO/N goes early if responses > GO; - for no stop",
            show_default=False,
        ),
    ] = None,
    responses: Annotated[int | None, typer.Option(min=0, help="responses in all", show_default=False)] = None,
    stage1: Annotated[
        int | None, typer.Option(min=0, help="responses in stage 1, where known", show_default=False)
    ] = None,
    n: Annotated[
        int | None,
        typer.Option("--n", min=1, help="patients analysed [default: as planned]", show_default=False),
    ] = None,
    stage1_n: Annotated[
        int | None, typer.Option(min=1, help="patients in stage 1 [default: as planned]", show_default=False)
    ] = None,
    stage2_n: Annotated[
        int | None, typer.Option(min=1, help="patients in stage 2 [default: as planned]", show_default=False)
    ] = None,
    overrun: Annotated[
        int | None,
        typer.Option(
            min=1, help="patients enrolled beyond stage 1 when the trial stopped there", show_default=False
        ),
    ] = None,
    p0: Annotated[
        float | None, typer.Option(help="unacceptable rate [default: the scenario's]", show_default=False)
    ] = None,
    p1: Annotated[
        float | None, typer.Option(help="desirable rate [default: the scenario's]", show_default=False)
    ] = None,
    confidence: Annotated[float, typer.Option(help="confidence of the intervals")] = 0.95,
    ordering: Annotated[
        str, typer.Option(help="ordering of the first p-value: stagewise, mle, umvue")
    ] = "stagewise",
    prior: Annotated[tuple[float, float], typer.Option(metavar="A B", help="Beta prior of the posterior")] = (
        0.5,
        0.5,
    ),
    characteristics: Annotated[
        bool,
        typer.Option("--characteristics", help="print exact bias, error and coverage of the design as well"),
    ] = False,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="write the figure of bias, error and coverage into this folder",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Analyse the trial that happened: estimates, p-values and intervals that know the design, all exact."""
    from trialsim.inference import analyse as analysed
    from trialsim.inference.characteristics import characteristics as exact

    stated = None
    if scenario is not None:
        from trialsim.scenario.files import load

        stated = load(scenario)
    if stage2_n is not None:
        if n is not None or design is None:
            raise DesignError("--stage2-n goes with --design, and in place of --n")
        from trialsim.inference import looks_from

        n = (stage1_n or looks_from(design).n[0]) + stage2_n
    found = analysed(
        stated,
        design=design,
        responses=responses,
        stage1=stage1,
        n=n,
        stage1_n=stage1_n,
        overrun=overrun,
        p0=p0,
        p1=p1,
        confidence=confidence,
        ordering=ordering,
        prior=prior,
    )
    looks = found.sets[0].looks
    asked = found.sets[0].asked
    rates = [rate for rate in (asked.p0, asked.p1) if rate is not None] or [0.1, 0.3, 0.5]
    table = exact(looks, rates, confidence=confidence) if characteristics else None
    if as_json:
        more = {"characteristics": table.to_dict()} if table else {}
        print(json.dumps(found.to_dict() | more, indent=1))
    else:
        print(found)
        if table:
            print(f"\n{table}")
    if figure is not None:
        _write(
            figure,
            exact(looks, [k / 1000 for k in range(1, 1000)], confidence=confidence),
            asked.p0,
            asked.p1,
        )


def _write(folder: Path, table: object, p0: float | None, p1: float | None) -> None:
    from trialsim.figures.estimators import draw
    from trialsim.inference.characteristics import Characteristics

    assert isinstance(table, Characteristics)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draw(table, p0=p0, p1=p1).save(folder)
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}") from None
