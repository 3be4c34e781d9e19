"""See the trial: its decision rule, its numbers by case, and a picture of each thing one may ask."""

from __future__ import annotations

from htmltools import HTML, Tag, TagList
from shiny import Inputs, Outputs, render, ui

from trialsim.page.outputs import output_picture, picture
from trialsim.page.pictures.p_go import p_go
from trialsim.page.pictures.style import Picture
from trialsim.page.session import Visit
from trialsim.reporting.run import first_page
from trialsim.running.content import of_results
from trialsim.writing.html import fragment
from trialsim.writing.report import Words, section

NAME, TITLE = "see", "The trial"


def panel() -> Tag:
    """The answer first, then pictures."""
    return ui.div(
        ui.output_ui("state"),
        ui.output_ui("answer"),
        output_picture("p_go"),
        id="see",
    )


def serve(visit: Visit, inputs: Inputs, outputs: Outputs) -> None:
    """Numbers and pictures of the latest snapshot."""

    @render.ui
    def state() -> Tag:
        snapshot = visit.snapshot()
        if snapshot is None:
            return ui.p("Working out the first numbers …", class_="state", role="status")
        return ui.p(_state(snapshot), class_="state", role="status")

    @render.ui
    def answer() -> TagList | HTML:
        snapshot = visit.snapshot()
        if snapshot is None:
            return TagList()
        doc = of_results(snapshot.trial, snapshot.results)
        words = Words(" ".join(first_page.rule(doc)), "The decision rule.", mark="box")
        return HTML(fragment(section("now", "", words, first_page.cases(doc))))

    @picture
    def p_go_() -> Picture | None:
        snapshot = visit.snapshot()
        if snapshot is None:
            return None
        found = snapshot.conducted
        along = found.curves(snapshot.curves)
        return p_go(
            snapshot.trial, snapshot.results, snapshot.shown, found, along, provisional=not snapshot.done
        )

    visit.connection.output(id="p_go")(p_go_)


def _state(snapshot) -> str:
    if snapshot.done:
        return f"These are the numbers of `trialsim run`: {snapshot.replicates:,} simulated trials a case."
    wanted = f" of {snapshot.wanted:,}" if snapshot.wanted else ""
    return f"Provisional: {snapshot.replicates:,}{wanted} simulated trials a case so far; the numbers sharpen while you look."
