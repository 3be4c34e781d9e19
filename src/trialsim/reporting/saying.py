"""Which file of this floor puts which answer into words, and the forms in which an answer shows itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from trialsim.answers import Answer
from trialsim.writing.report import Report

HOME: dict[str, str] = {"Protocol": "protocol", "Run": "run.report"}
"""Name of a class of answers -> the module here whose ``report_of`` puts it into words."""


def report_of(answer: Answer) -> Report:
    """An answer as a report."""
    made: Report = import_module(f"trialsim.reporting.{HOME[type(answer).__name__]}").report_of(answer)
    return made


def say(answer: Answer, form: str) -> Any:
    """An answer as a ``report``, or as text for a ``terminal`` or a ``notebook``."""
    report = report_of(answer)
    if form == "report":
        return report
    if form == "notebook":
        from trialsim.writing.html import html

        return html(report, part=True)
    from trialsim.writing.terminal import terminal

    return terminal(report)
