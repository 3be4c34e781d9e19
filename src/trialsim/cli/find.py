"""The command `trialsim find`: designs by their error rates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from trialsim.errors import TrialsimError


def find(
    kind: Annotated[str, typer.Argument(help="kind of design: simon, single_stage, multistage, ...")],
    p0: Annotated[float | None, typer.Option(help="unacceptable response rate")] = None,
    p1: Annotated[float | None, typer.Option(help="desirable response rate")] = None,
    alpha: Annotated[float | None, typer.Option(help="largest type I error")] = None,
    beta: Annotated[float | None, typer.Option(help="largest type II error")] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            help="simon: optimal, minimax, admissible; single_stage: first, stable; others as in their scenario block "
            "[default: all]"
        ),
    ] = None,
    weight: Annotated[float | None, typer.Option(help="weight of n, to pick one admissible design")] = None,
    nmax: Annotated[int | None, typer.Option(help="largest n to look at [default: no bound needed]")] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="a further key of the design's block: balanced=true, prior=[0.2,0.8]",
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with a setting a row (p0,p1,alpha,beta,...): print a CSV table of all designs"
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="write a figure of the designs found (.svg, .png or .pdf)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Find designs by their error rates, by exact and complete search."""
    from trialsim.designs.finding import find as search
    from trialsim.designs.finding import find_in_file, read_keys

    if settings is not None:
        print(find_in_file(kind, settings).to_csv(index=False), end="")
        return
    rates: dict[str, Any] = {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta}
    if missing := [name for name, value in rates.items() if value is None]:
        raise TrialsimError(f"a search needs --p0, --p1, --alpha and --beta; missing: {', '.join(missing)}")
    stated = {"criterion": criterion, "weight": weight, "nmax": nmax, **read_keys(keys or [])}
    found = search(kind, **rates, **stated)
    if figure is not None:
        from trialsim.figures.candidates import write

        write(found, figure)
    print(json.dumps(found.to_dict(), indent=1) if as_json else found)
