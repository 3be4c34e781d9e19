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
    filed,
    folder_of,
    form_of,
    show,
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
    page = filed(found, folder, [scenario], {"seed": seed}, force=force, docx=docx)
    show(found, form, quiet=quiet, page=page)
