"""The observed trial."""

from __future__ import annotations

from htmltools import Tag
from shiny import Inputs, Outputs, ui

from trialsim.page.session import Visit

NAME, TITLE = "observed", "The observed trial"


def panel() -> Tag:
    """What stands where."""
    return ui.div()


def serve(visit: Visit, inputs: Inputs, outputs: Outputs) -> None:
    """Nothing yet."""
