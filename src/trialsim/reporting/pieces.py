"""The template engine of the page of monitoring aids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trialsim.writing.report import unbroken


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
