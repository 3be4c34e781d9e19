"""The command `trialsim protocol`: the statistical section of a protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialsim.cli.common import Force, Out, loaded
from trialsim.cli.compare import P0, P1
from trialsim.errors import TrialsimError
from trialsim.given import clip

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario


def protocol(
    scenario: Annotated[
        Path | None,
        typer.Argument(metavar="SCENARIO", help="scenario file (YAML)", show_default=False),
    ] = None,
    design: Annotated[
        str | None,
        typer.Option(
            metavar="DESIGN",
            help='in place of a file: a design as for oc ("1/10 5/29", or a block), with --p0 and --p1',
            show_default=False,
        ),
    ] = None,
    p0: P0 = None,
    p1: P1 = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="also write results, tables and the section into this folder",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="print Markdown [default]")] = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="print LaTeX")] = False,
    docx: Annotated[
        str | None,
        typer.Option(
            metavar="[FILE]",
            help="write the section for Word into this file instead of printing it; without a FILE, as for other "
            "commands, also into the folder of -o (needs trialsim[docx])",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Print the statistical section of a protocol: design, rules, conduct and error rates, in complete sentences."""
    file, beside = Path(docx) if docx else None, docx == ""
    if as_json + as_markdown + as_latex + (file is not None) > 1:
        raise TrialsimError("state one of --json, --markdown, --latex and --docx FILE")
    if file is not None and file.suffix.lower() != ".docx" and not file.is_dir():
        raise TrialsimError(
            f"--docx: {clip(str(file))} does not end in .docx, and Word would not open it by its name"
        )
    if beside and output is None:
        raise TrialsimError("--docx: name the Word file (--docx FILE), or a folder for it with -o")
    form = {"as_json": as_json, "as_latex": as_latex, "as_markdown": not (as_json or as_latex)}
    out = Out(output=output, force=force, docx=beside, **form)
    if file is not None:
        from trialsim.writing.folder import check_file, write_file
        from trialsim.writing.word import check_installed, to_docx

        check_installed(str(file))
        check_file(file, force=force)
    from trialsim.facts.protocol import protocol as worked_out

    (stated,), texts = _read(scenario, design, p0, p1)
    found = worked_out(stated)
    page = out.write(found, texts=texts, asked={})
    if file is None:
        out.show(found, page)
        return
    write_file(file, to_docx(found.report()))
    print(file)


def _read(
    scenario: Path | None, design: str | None, p0: float | None, p1: float | None
) -> tuple[list[Scenario], dict[str, str]]:
    """The scenario, or that of a design, and its text as a folder keeps it."""
    if design is not None and scenario is not None:
        raise TrialsimError("--design stands in place of a scenario file: give one or the other")
    if design is not None:
        from trialsim.inference.stated import as_scenario

        stated, text = as_scenario(design, p0, p1)
        return [stated], {"scenario.yaml": text}
    if p0 is not None or p1 is not None:
        raise TrialsimError("--p0 and --p1 go with --design; a scenario file states its own")
    if scenario is None:
        raise TrialsimError("name a scenario file, or a design: --design '1/10 5/29' --p0 .10 --p1 .30")
    return loaded([scenario])
