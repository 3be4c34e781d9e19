"""The command `trialsim analyse`: the estimate afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trialsim.cli.common import Out, loaded, options
from trialsim.errors import OutputError

if TYPE_CHECKING:
    from trialsim.inference import Characteristics


@options
def analyse(
    out: Out,
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
    toxicities: Annotated[
        int | None,
        typer.Option(min=0, help="treated patients with toxicity, where known", show_default=False),
    ] = None,
    treated: Annotated[
        int | None,
        typer.Option(min=1, help="patients treated [default: those analysed]", show_default=False),
    ] = None,
    p0: Annotated[
        float | None, typer.Option(help="unacceptable rate [default: the scenario's]", show_default=False)
    ] = None,
    p1: Annotated[
        float | None, typer.Option(help="desirable rate [default: the scenario's]", show_default=False)
    ] = None,
    confidence: Annotated[float, typer.Option(help="confidence of the intervals")] = 0.95,
    estimate: Annotated[
        str,
        typer.Option(
            help="primary estimate: umvue, median_unbiased, bias_adjusted, bias_subtracted, mle, umvcue, conditional"
        ),
    ] = "umvue",
    interval: Annotated[
        str,
        typer.Option(
            help="primary interval: stagewise, stagewise_mid_p, mle_ordering, clopper_pearson, koyama_chen, "
            "koyama_chen_coded"
        ),
    ] = "stagewise",
    ordering: Annotated[
        str, typer.Option(help="ordering of the primary p-value: stagewise, mle, umvue")
    ] = "stagewise",
    prior: Annotated[tuple[float, float], typer.Option(metavar="A B", help="Beta prior of the posterior")] = (
        0.5,
        0.5,
    ),
    characteristics: Annotated[
        bool,
        typer.Option("--characteristics", help="print exact bias, error and coverage of the design as well"),
    ] = False,
    two_sided: Annotated[
        bool,
        typer.Option(
            "--two-sided", help="two-sided p-values: twice the smaller tail of the ordering, at most 1"
        ),
    ] = False,
    one_sided: Annotated[
        str,
        typer.Option(
            metavar="LIMIT",
            help="intervals with one limit, lower or upper, at the whole confidence",
            show_default=False,
        ),
    ] = "",
    went_on_past_futility: Annotated[
        bool,
        typer.Option(
            "--went-on-past-futility",
            help="the trial went on where --stage1 responses (of --stage1-n) said stop; --responses and --n are of all "
            "patients",
        ),
    ] = False,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="write the figure of bias, error and coverage into this folder",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Analyse the trial that happened: one estimate, interval and p-value that know the design, all others behind."""
    from trialsim.inference import analyse as analysed

    stated, texts = None, dict[str, str]()
    if scenario is not None:
        (stated,), texts = loaded([scenario])
    asked: dict[str, Any] = {
        "design": design,
        "responses": responses,
        "stage1": stage1,
        "n": n,
        "stage1_n": stage1_n,
        "stage2_n": stage2_n,
        "overrun": overrun,
        "toxicities": toxicities,
        "treated": treated,
        "p0": p0,
        "p1": p1,
        "confidence": confidence,
        "estimate": estimate,
        "interval": interval,
        "ordering": ordering,
        "prior": prior,
        "characteristics": characteristics,
        "two_sided": two_sided,
        "one_sided": one_sided,
        "went_on_past_futility": went_on_past_futility,
    }
    if figure is not None:
        _check(figure, out.force)
    found = analysed(stated, **asked)
    page = out.write(found, texts=texts, asked=asked)
    if figure is not None:
        from trialsim.inference.characteristics import characteristics as exact

        primary = found.sets[0]
        rates = [k / 1000 for k in range(1, 1000)]
        table = exact(primary.looks, rates, confidence=confidence)
        _write(figure, table, primary.plan.p0, primary.plan.p1)
    out.show(found, page)


def _check(folder: Path, force: bool) -> None:
    """Refuse what could not be written, before anything is computed."""
    from trialsim.writing.folder import check_file, check_target

    if not folder.is_dir():
        check_target(folder)
        return
    for ending in (".svg", ".csv", ".png"):
        check_file(folder / f"estimators{ending}", force=force)


def _write(folder: Path, table: Characteristics, p0: float | None, p1: float | None) -> None:
    from trialsim.figures.estimators import draw
    from trialsim.writing.folder import reason_of

    drawn = draw(table, p0=p0, p1=p1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {reason_of(error)}") from None
    drawn.save(folder, png=True)
