"""Files that the page makes on demand, in a process of its own: the report of a run, the protocol section."""

from __future__ import annotations

import tempfile
from pathlib import Path

from trialsim.scenario.files import parse

FORMS = {
    "protocol.docx": "the protocol section, for Word",
    "protocol.md": "the protocol section, as Markdown",
    "report.html": "the report of a run, a page that needs no connection",
    "report.docx": "the report of a run, for Word",
    "results.json": "every number of a run",
}
"""Name of the file -> what it is."""


def made(text: str, form: str) -> bytes:
    """A file of ``FORMS`` about the scenario of a text, byte for byte that of the command line.

    Raises:
        TrialsimError: the scenario has faults, or Word files need an extra that is not installed.
    """
    scenario = parse(text, "scenario.yaml")
    if form.startswith("protocol"):
        from trialsim.facts.protocol import protocol
        from trialsim.writing.markdown import markdown
        from trialsim.writing.word import check_installed, to_docx

        answer = protocol(scenario).report()
        if form.endswith(".md"):
            return markdown(answer).encode()
        check_installed()
        return to_docx(answer)
    from trialsim.reporting.run.folder import report

    with tempfile.TemporaryDirectory(prefix="trialsim-page-") as place:
        folder = Path(place) / "run"
        report(scenario, folder, docx=form.endswith(".docx"), scenario_text=text)
        return (folder / form).read_bytes()
