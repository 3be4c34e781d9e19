"""What the pages of what-ifs and of compared designs share: the template engine, number cells, folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialsim.varying.effects import plus_minus, shown
from trialsim.varying.printing import table_digits
from trialsim.writing.numbers import NONE, Cell
from trialsim.writing.report import Picture, unbroken

if TYPE_CHECKING:
    from trialsim.figures.drawn import Drawn

Number = Mapping[str, Any]
"""A value as ``sensitivity.effects.Number.to_dict`` writes it."""


def render(template: str, context: Mapping[str, Any]) -> str:
    """The HTML of a template; everything that comes from a scenario is escaped."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader("trialsim.reporting", ""), PackageLoader("trialsim.writing", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["nb"] = unbroken
    return environment.get_template(template).render(context).strip() + "\n"


def minus(text: str) -> str:
    """Text with true minus signs before numbers."""
    return text.replace("-", "−") if text[:1] == "-" else text


def value_cell(quantity: str, number: Number | None, error: bool = False) -> Cell:
    """A value, with ``error`` also half the width of its interval."""
    if number is None:
        return Cell(NONE)
    decimals = table_digits(quantity)
    text = minus(shown(number["value"], decimals))
    if error and not number["exact"]:
        text += f" {plus_minus(number['plus_minus'], decimals)}"
    return Cell(text, number["value"])


def difference_cell(quantity: str, number: Number | None) -> Cell:
    """A difference with its sign and error; one within its error is set in grey."""
    if number is None:
        return Cell(NONE)
    value, decimals = number["value"], table_digits(quantity)
    error = 0.0 if number["exact"] else number["plus_minus"]
    if value == 0 and error == 0:
        return Cell("0", value, "none")
    text = shown(value, decimals)
    text = minus(text) if value < 0 else f"+{text}"
    told = text if number["exact"] else f"{text} {plus_minus(error, decimals)}"
    return Cell(told, value, "" if abs(value) > error else "none")


def save_picture(drawn: Drawn, folder: Path) -> Picture:
    """Write a figure into the folder, and give it as the page shows it."""
    from trialsim.reporting.pictures import picture

    (folder / f"{drawn.name}.svg").write_bytes(drawn.svg())
    (folder / f"{drawn.name}.csv").write_text(drawn.csv())
    return picture(drawn)


def replicates_words(runs: Iterable[tuple[int, int]]) -> str:
    """``100,000 a case, seed 2011``; several where scenarios differ."""
    return "; ".join(f"{replicates:,} a case, seed {seed}" for replicates, seed in dict.fromkeys(runs))
