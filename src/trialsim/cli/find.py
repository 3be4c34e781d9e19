"""The command `trialsim find`: designs by their error rates, ideal or in the scenario's own trial."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trialsim.cli.common import Out, loaded, options, progress
from trialsim.errors import TrialsimError
from trialsim.timing import meanwhile
from trialsim.writing.numbers import listed

if TYPE_CHECKING:
    from trialsim.designs.finding import FoundDesigns
    from trialsim.designs.selection import SelectionSizes
    from trialsim.engine.whole_trial_found import RobustDesigns


@options
def find(
    out: Out,
    kind: Annotated[
        str | None,
        typer.Argument(
            help="kind of design: simon, single_stage, multistage, ...; with --scenario its own [default]",
            show_default=False,
        ),
    ] = None,
    p0: Annotated[float | None, typer.Option(help="unacceptable response rate")] = None,
    p1: Annotated[float | None, typer.Option(help="desirable response rate")] = None,
    alpha: Annotated[float | None, typer.Option(help="largest type I error")] = None,
    beta: Annotated[float | None, typer.Option(help="largest type II error")] = None,
    power: Annotated[float | None, typer.Option(help="least power, in place of --beta")] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            help="simon: optimal, minimax, admissible; single_stage: first, stable; others as in their scenario block "
            "[default: all]"
        ),
    ] = None,
    weight: Annotated[float | None, typer.Option(help="weight of n, to pick one admissible design")] = None,
    nmax: Annotated[
        int | None,
        typer.Option(
            help="largest n to look at [default: none where the search needs none, else the kind's own, which the "
            "output names; with --scenario 1.5 times the ideal n]"
        ),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="a further key of the design's block: balanced=true, prior=[0.2,0.8]",
        ),
    ] = None,
    looks: Annotated[
        str | None,
        typer.Option(metavar="K", help="optimal_looks: at most so many looks; every: after every patient"),
    ] = None,
    early_go: Annotated[
        bool, typer.Option("--early-go", help="optimal_looks: a look before the last may end in a go")
    ] = False,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="Y/M",
            help="Y responses among M patients on the control: each design's mean type I error over what the control's "
            "rate may be",
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with a setting a row (p0,p1,alpha,beta,...): print a CSV table of all designs"
        ),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(
            metavar="SCENARIO",
            help="robust search: error rates hold in this scenario's own trial, with its toxicity rule, evaluability "
            "and association; options given here replace its design's",
        ),
    ] = None,
    null: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE",
            help="with --scenario: a case with P(go) <= alpha (again for more); EN is that of the first "
            "[default: those at p0 or less at every dose]",
        ),
    ] = None,
    alternative: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE",
            help="with --scenario: a case with P(go) >= 1 - beta (again for more) "
            "[default: those at p1 or more at the first dose]",
        ),
    ] = None,
    calendar: Annotated[
        bool,
        typer.Option(
            "--calendar",
            help="with --scenario: the error rates hold in calendar time, by simulation of what exact searches put "
            "forward; criterion optimal or minimax (single_stage: first)",
        ),
    ] = False,
    replicates: Annotated[
        int | None,
        typer.Option(
            help="with --calendar: simulated trials a case of the designs found [default: the scenario's]"
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="write a figure of the designs found (.svg, .png or .pdf)")
    ] = None,
) -> None:
    """Find designs by their error rates, by exact and complete search."""
    from trialsim.designs.finding import check_kind, needs, read_keys, value_in
    from trialsim.designs.finding import find as search
    from trialsim.designs.selection import KIND as SELECTION
    from trialsim.designs.selection import sizes

    if kind == SELECTION and (settings is not None or scenario is not None or figure is not None):
        option = (
            "--settings" if settings is not None else "--scenario" if scenario is not None else "--figure"
        )
        raise TrialsimError(f"{option} is about designs of one dose; it does not go with selection")
    if settings is not None:
        if scenario is not None:
            raise TrialsimError("--settings lists settings of ideal designs; it does not go with --scenario")
        if kind is None:
            raise TrialsimError("name the kind of design first: trialsim find simon --settings FILE")
        beside = {
            "--p0": p0, "--p1": p1, "--alpha": alpha, "--beta": beta, "--power": power, "--criterion": criterion,
            "--weight": weight, "--nmax": nmax, "--set": keys, "--null": null, "--alternative": alternative,
            "--looks": looks, "--early-go": early_go or None, "--history": history,
            "--calendar": calendar or None, "--replicates": replicates, "--figure": figure, "-o": out.output,
            f"--{out.form}": out.form,
        }  # fmt: skip
        if ignored := [name for name, value in beside.items() if value not in (None, "", [])]:
            raise TrialsimError(
                "--settings prints a CSV table, a setting a row, whose columns say everything; "
                f"without {listed(ignored)}"
            )
        from trialsim.designs.settings import find_in_file
        from trialsim.writing.csv import to_csv

        found_in_all = find_in_file(kind, settings)
        print(to_csv(found_in_all.rows), end="")
        if found_in_all.bad:
            raise TrialsimError("\n".join(found_in_all.bad))
        return
    if figure is not None:
        from trialsim.writing.folder import check_file

        check_file(figure, force=out.force, endings=(".svg", ".png", ".pdf"))
    rates: dict[str, Any] = {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta, "power": power}
    stated = {"criterion": criterion, "weight": weight, "nmax": nmax, **read_keys(keys or [])}
    stated |= {"looks": value_in(looks)} if looks is not None else {}
    stated |= {"early_go": True} if early_go else {}
    found: FoundDesigns | RobustDesigns | SelectionSizes
    texts: dict[str, str] = {}
    if scenario is not None and history is not None:
        raise TrialsimError(
            "--history goes with ideal designs; with --scenario state `history` in the file, and `trialsim run` gives "
            "the mean type I error of its own trial"
        )
    if scenario is not None:
        given = {name: value for name, value in rates.items() if value is not None}
        asked = {"kind": kind, "null": null, "alternative": alternative, **stated, **given}
        if calendar:
            asked |= {"calendar": True, "replicates": replicates}
        elif replicates is not None:
            raise TrialsimError(
                "--replicates is about the simulations of --calendar; without it all is exact"
            )
        found, texts = _robust(scenario, asked, out.prints_nothing_else)
    elif calendar or replicates is not None:
        raise TrialsimError(
            "--calendar and --replicates are about a scenario's own trial: add --scenario FILE"
        )
    elif kind == SELECTION:
        asked = {"kind": kind, **rates, **stated}
        found = meanwhile(
            lambda: sizes(rates | stated | {"null": null or None, "alternative": alternative or None})
        )
    else:
        if null or alternative:
            raise TrialsimError("--null and --alternative name cases of a scenario: add --scenario FILE")
        if kind is None:
            raise TrialsimError(
                "name the kind of design, as in `trialsim find simon`; or give --scenario FILE"
            )
        check_kind(kind)
        named = {name for name, value in rates.items() if value is not None}
        named |= {"beta"} if power is not None else set()
        if missing := [name for name in needs(kind) if name not in named]:
            wanted = listed([f"--{name}" for name in needs(kind)])
            wanted += " (--power will do in place of --beta)" if "beta" in missing else ""
            raise TrialsimError(
                f"a search for a design of kind {kind} needs {wanted}; missing: {', '.join(missing)}"
            )
        asked = {"kind": kind, **rates, **stated, "history": history}
        doing = None if out.prints_nothing_else else _say
        found = meanwhile(lambda: search(**asked, doing=doing))
    if figure is not None:
        from importlib import import_module

        name = "candidates" if scenario is None else "whole_trial"
        import_module(f"trialsim.figures.{name}").write(found, figure, force=out.force)
    out.give(found, texts=texts, asked=asked)
    if scenario is not None and not found.designs:
        from trialsim.engine.whole_trial_found import RobustDesigns

        assert isinstance(found, RobustDesigns)
        raise TrialsimError(
            f"no {found.words} with n <= {found.searched[1]} keeps alpha and power in this scenario"
        )


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _robust(path: Path, asked: dict[str, Any], quiet: bool) -> tuple[RobustDesigns, dict[str, str]]:
    """Search in the scenario's own trial; its file as it was read stands beside what is found."""
    from trialsim.engine.whole_trial import find_robust

    (scenario,), texts = loaded([path])
    with progress(None, quiet, "Searching") as advance:
        return meanwhile(lambda: find_robust(scenario, progress=advance, **asked)), texts
