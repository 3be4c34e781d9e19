"""The command `trialsim protocol`: the statistical section of a protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import Force, ScenarioPath
from trialsim.errors import TrialsimError


def protocol(
    scenario: ScenarioPath,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="print Markdown [default]")] = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="print LaTeX")] = False,
    docx: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write it for Word instead", show_default=False)
    ] = None,
    force: Force = False,
) -> None:
    """Print the statistical section of a protocol: design, rules, conduct and error rates, in complete sentences."""
    if as_markdown + as_latex + (docx is not None) > 1:
        raise TrialsimError("state one of --markdown, --latex and --docx FILE")
    if docx is not None:
        from trialsim.writing.folder import check_file, write_file
        from trialsim.writing.word import check_installed, to_docx

        check_installed()
        check_file(docx, force=force)
    from trialsim.facts.protocol import protocol as worked_out
    from trialsim.scenario.files import load

    report = worked_out(load(scenario)).report()
    if docx is not None:
        write_file(docx, to_docx(report))
        print(docx)
    elif as_latex:
        from trialsim.writing.latex import latex

        print(latex(report), end="")
    else:
        from trialsim.writing.markdown import markdown

        print(markdown(report), end="")
