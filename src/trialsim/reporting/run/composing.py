"""What a run folder is made from: the rules, the content of results.json, and the figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trialsim.designs.rules import Rules
from trialsim.reporting.run.document import Document, document
from trialsim.reporting.run.quoted import quoted
from trialsim.results import Results, digits12
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario

if TYPE_CHECKING:
    from trialsim.checks import Checks
    from trialsim.figures import Drawn
    from trialsim.varying.assess import SensitivityResults


@dataclass(frozen=True)
class Composed:
    """Everything of a run that is written down.

    Attributes
    ----------
    doc : the content of ``results.json``, the words of the figures included.
    drawn : the figures themselves, each with the number of the sensitivity analysis it belongs to, if any.
    sensitivity : the sensitivity analyses, if they were asked for.
    """

    rules: Rules
    doc: Document
    drawn: tuple[tuple[int | None, Drawn], ...]
    sensitivity: SensitivityResults | None = None


def compose(
    scenario: Scenario,
    results: Results,
    checks: Checks,
    text: str | None = None,
    sensitivity: SensitivityResults | None = None,
) -> Composed:
    """Put together what a run found; ``text`` is the scenario as its file has it."""
    import trialsim.figures as figures

    rules = compile_rules(scenario)
    doc = document(scenario, rules, results, checks, text)
    seed = scenario.simulation.seed if results.seed is None else results.seed
    drawn: list[tuple[int | None, Drawn]] = [
        (None, figure) for figure in figures.draw_all(scenario, results, checks, seed=seed)
    ]
    if sensitivity is not None:
        from trialsim.figures.sensitivity import draw
        from trialsim.reporting.saying import document as said

        doc["sensitivity"] = said(sensitivity)
        drawn += draw(sensitivity, scenario)
    return Composed(rules, {**doc, "figures": figure_words(drawn)}, tuple(drawn), sensitivity)


def figure_words(drawn: Sequence[tuple[int | None, Drawn]]) -> list[dict[str, Any]]:
    """The words of every figure, and the numbers of its data that they quote."""
    return [
        {
            "name": figure.name,
            "analysis": analysis,
            "title": figure.title,
            "caption": figure.caption,
            "alt": figure.alt,
            "quoted": digits12(quoted((figure.title, figure.caption, figure.alt), _numbers(figure.frame))),
        }
        for analysis, figure in drawn
    ]


def _numbers(frame: Any) -> list[float]:
    """Every number in the data of a figure."""
    values: list[float] = []
    for name in frame.columns:
        column = frame[name].dropna()
        if column.dtype.kind in "iuf":
            values.extend(map(float, column.unique()))
        else:
            texts = (re.fullmatch(r"-?\d+(\.\d+)?", str(value)) for value in column.unique())
            values.extend(float(text[0]) for text in texts if text)
    return values
