"""The command `trialsim check`: would the observed counts be surprising if a case were true?"""

from __future__ import annotations

from trialsim.cli.common import (
    AsJson,
    AsLatex,
    AsMarkdown,
    Docx,
    Folder,
    Force,
    Quiet,
    ScenarioPath,
    Seed,
    folder_of,
    form_of,
    show,
    text_of,
)


def check(
    scenario: ScenarioPath,
    seed: Seed = None,
    output: Folder = None,
    force: Force = False,
    docx: Docx = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
    as_latex: AsLatex = False,
    quiet: Quiet = False,
) -> None:
    """Hold the observed trial against each case: would its counts be surprising if the case were true?"""
    form = form_of(as_json, as_markdown, as_latex)
    folder = folder_of(output, force=force, docx=docx)
    from trialsim.scenario.files import load

    stated = load(scenario)
    from trialsim.checks import check as checked

    found = checked(stated, seed=seed)
    page = None
    if folder is not None:
        from trialsim.reporting.filing import write_answer
        from trialsim.writing.folder import SCENARIO

        page = write_answer(
            found, folder, texts={SCENARIO: text_of(scenario)}, asked={"seed": seed}, force=force, docx=docx
        )
    show(found, form, quiet=quiet, page=page)
