"""The command `trialsim protocol`: the statistical section of a protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Force, Out, ScenarioPath, loaded
from trialsim.errors import TrialsimError
from trialsim.given import clip


def protocol(
    scenario: ScenarioPath,
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

    (stated,), texts = loaded([scenario])
    found = worked_out(stated)
    page = out.write(found, texts=texts, asked={})
    if file is None:
        out.show(found, page)
        return
    write_file(file, to_docx(found.report()))
    print(file)
