"""Sensitivity analyses as a folder, written whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialsim.running.inputs import text_of
from trialsim.writing.folder import (
    ENVIRONMENT,
    FIGURES,
    PAGE,
    RESULTS,
    SCENARIO,
    TABLES,
    check_target,
    put_in_place,
)

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario
    from trialsim.varying.assess import SensitivityResults
    from trialsim.writing.report import Picture


def write(
    scenario: Scenario,
    results: SensitivityResults,
    folder: str | os.PathLike[str],
    *,
    force: bool = False,
    jobs: int | None = None,
    scenario_text: str | None = None,
) -> Path:
    """Write results.json, report.html, a CSV file an analysis, figures, the scenario and the environment.

    Parameters
    ----------
    force : replace the folder of an earlier run. Any other existing folder or file is never touched.
    scenario_text : the user's own text, copied as it is.

    Returns
    -------
    The path of ``report.html``.

    Raises
    ------
    OutputError : the folder cannot be written, or exists.
    """
    target = check_target(folder, force=force)
    text = text_of(scenario, scenario_text)
    put_in_place(target, lambda new: _write(new, scenario, results, text, jobs), force=force)
    return target / PAGE


def _write(new: Path, scenario: Scenario, results: SensitivityResults, text: str, jobs: int | None) -> None:
    from trialsim.figures.sensitivity import draw
    from trialsim.results import digits12
    from trialsim.writing.csv import to_csv
    from trialsim.writing.environment import environment
    from trialsim.writing.folder import to_json as to_bytes

    doc = results.to_dict()
    (new / RESULTS).write_bytes(to_bytes(doc))
    (new / SCENARIO).write_bytes(text.encode())
    (new / TABLES).mkdir()
    for k, analysis in enumerate(results.analyses, start=1):
        rows = [digits12(row) for row in analysis.rows()]
        columns = tuple(dict.fromkeys(key for row in rows for key in row))
        (new / TABLES / f"{analysis.kind}_{k}.csv").write_bytes(to_csv(rows, columns).encode())
    from trialsim.reporting.pieces import save_picture

    (new / FIGURES).mkdir()
    started = time.perf_counter()
    pictures: list[list[Picture]] = [[] for _ in results.analyses]
    for k, drawn in draw(results, scenario):
        pictures[k].append(save_picture(drawn, new / FIGURES))
    (new / PAGE).write_bytes(page(scenario, doc, pictures).encode())
    seconds = {"figures_and_page": round(time.perf_counter() - started, 3)}
    (new / ENVIRONMENT).write_bytes(environment(jobs, seconds))


def page(scenario: Scenario, doc: dict[str, Any], pictures: Sequence[Sequence[Picture]]) -> str:
    """The HTML of the analyses; ``pictures`` holds those of each. Everything from the scenario is escaped."""
    from trialsim.reporting.pieces import render
    from trialsim.reporting.sensitivity import in_short, sections
    from trialsim.varying.assurance import SCRAMBLES
    from trialsim.varying.evaluate import AT_ONCE
    from trialsim.writing.report import Numbered

    analyses = doc["analyses"]
    context = {
        "doc": doc,
        "endpoint": scenario.endpoint,
        "source": scenario.source,
        "short": in_short(doc),
        "sections": sections(doc),
        "pictures": pictures,
        "simulated": any(analysis["replicates"] is not None for analysis in analyses),
        "at_once": any(AT_ONCE in analysis["engine"] for analysis in analyses),
        "priors": any(analysis["kind"] == "priors" for analysis in analyses),
        "scrambles": SCRAMBLES,
        "replicates": f"{doc['simulation']['replicates']:,}",
        "table_number": Numbered(),
        "figure_number": Numbered(),
    }
    return render("sensitivity.html", context)
