"""Which file of this floor puts which answer into words, and the forms in which an answer shows itself."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from trialsim.answers import Answer
from trialsim.results import digits12
from trialsim.version import __version__
from trialsim.writing.csv import to_csv
from trialsim.writing.report import Report

SCHEMA = 1
"""Version of the layout of ``results.json``."""

HOME = {
    "Results": "operating",
    "Run": "run.report",
    "WhatIf": "whatif",
    "WhatIfs": "whatif",
    "Comparison": "compare",
    "SensitivityResults": "sensitivity",
    "TornadoResult": "sensitivity",
    "GridResult": "sensitivity",
    "AssuranceResult": "sensitivity",
    "ThresholdResult": "sensitivity",
    "WorstCaseResult": "sensitivity",
    "FoundDesigns": "find",
    "RobustDesigns": "find",
    "SelectionSizes": "selection",
    "StatedDesign": "oc",
    "Analyses": "analyse",
    "Characteristics": "analyse_tables",
    "Aids": "monitor",
    "Redesign": "redesign",
    "Evidence": "evidence",
    "Checks": "check",
    "Status": "status",
    "Trace": "trace",
    "Protocol": "protocol",
    "Qualification": "qualify",
}
"""Name of a class of answers -> the module here whose ``report_of`` puts it into words."""


def report_of(answer: Answer) -> Report:
    """An answer as a report."""
    made: Report = _home(answer).report_of(answer)
    return made


def document(answer: Answer, texts: Sequence[str] = ()) -> dict[str, Any]:
    """An answer as it stands in ``results.json``: its plain data, with sentences where its file here adds some.

    ``texts``: the scenario files that it is about.
    """
    about = {"schema": SCHEMA, "kind": answer.kind, "trialsim": __version__}
    home = _home(answer)
    plain = home.document(answer, texts) if hasattr(home, "document") else answer.to_dict()
    found: dict[str, Any] = digits12({**about, **plain})
    return found


def csv_tables(answer: Answer) -> dict[str, str]:
    """CSV text by name: the rows of an answer, in tables of its file here where that makes its own."""
    home = _home(answer)
    if hasattr(home, "csv_tables"):
        found: dict[str, str] = home.csv_tables(answer)
        return found
    return {name: to_csv(rows) for name, rows in answer.tables().items()}


def _home(answer: Answer) -> Any:
    return import_module(f"trialsim.reporting.{HOME[type(answer).__name__]}")


def say(answer: Answer, form: str) -> Any:
    """An answer as a ``report``, or as text for a ``terminal`` (in brief where its file can) or a ``notebook``."""
    if form == "report":
        return report_of(answer)
    if form == "notebook":
        from trialsim.writing.html import html

        return html(report_of(answer), part=True)
    return in_terminal(answer)


def in_terminal(answer: Answer, wide: int | None = None) -> str:
    """An answer as text, in lines of at most ``wide`` characters where that is less than usual."""
    from trialsim.writing.terminal import LEAST_WIDE, WIDE, terminal

    said: Report = getattr(_home(answer), "in_brief", report_of)(answer)
    return terminal(said, WIDE if wide is None else max(LEAST_WIDE, min(wide, WIDE)))
