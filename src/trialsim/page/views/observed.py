"""The observed trial: would its counts be surprising if a case were true?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from htmltools import Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.checks import trials_of
from trialsim.errors import TrialsimError
from trialsim.page.outputs import fault, output_picture, picture, told
from trialsim.page.pictures.style import Picture
from trialsim.page.session import Asked, Visit, settled
from trialsim.page.tellings import Told, checked
from trialsim.scenario.model import Scenario
from trialsim.scenario.starting import example_files

NAME, TITLE = "observed", "The observed trial"

EXAMPLE = "dasatinib"

FIRST = 200
"""Trials a case of the first answer; only what depends on the design is simulated."""


def panel() -> Tag:
    """What is asked, and the check."""
    return ui.div(
        ui.p(
            "If a trial like this one has happened, its counts can be held against each case: would they be surprising "
            "if the case were true? The counts are entered under “Observed trial” in the form."
        ),
        ui.p(
            ui.tags.button("Open a trial that really happened", type="button", data_act="open-observed"),
            " Dasatinib in advanced breast cancer (Mayer et al. 2011). Its counts are facts, as published; its design "
            "is assumed: the publication states none.",
        ),
        ui.output_ui("check_found"),
        output_picture("check_picture"),
        ui.output_ui("check_rest"),
        id="observed",
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Check the observed trial of the scenario as it is."""
    asked: Asked[tuple[int, Told]] = Asked(visit)

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act = inputs.act()
        if isinstance(act, dict) and act.get("act") == "open-observed":
            visit.open(example_files()[EXAMPLE].read_text(encoding="utf-8"))

    def answered() -> tuple[int, Told] | TrialsimError | None:
        scenario = visit.draft().scenario
        if scenario is None or scenario.observed is None:
            return asked(None, lambda: iter(()))
        return asked(visit.draft().text, lambda: settled(lambda: _work(visit, scenario)))

    @render.ui
    def check_found() -> TagList | Tag:
        draft = visit.draft()
        if draft.scenario is None:
            return ui.p("The scenario has a fault: it is told beside the form.", class_="note")
        if draft.scenario.observed is None:
            return ui.p(
                "The scenario says nothing of an observed trial. ",
                ui.tags.button("State what was observed", type="button", data_add="observed"),
            )
        found = answered()
        if isinstance(found, TrialsimError):
            return fault(found)
        if found is None:
            return ui.p("Holding the counts against each case …", role="status")
        replicates, (_, sections) = found
        wanted = trials_of(draft.scenario)
        so_far = (
            ui.p(
                f"Provisional where the design enters: {replicates:,} of {wanted:,} simulated trials a case so far.",
                class_="note",
                role="status",
            )
            if replicates < wanted
            else None
        )
        return TagList(so_far, told(sections[:1]))

    @picture
    def check_picture() -> Picture | None:
        found = answered()
        return found[1][0] if isinstance(found, tuple) else None

    @render.ui
    def check_rest() -> TagList:
        found = answered()
        return told(found[1][1][1:]) if isinstance(found, tuple) else TagList()


def _work(visit: Visit, scenario: Scenario) -> Iterator[Any]:
    """The check with few simulated trials, then with all of them where that does not take too long."""
    wanted = trials_of(scenario)
    first = min(FIRST, wanted)
    for found in visit.house.searches.call(checked, scenario, first):
        yield found and (first, found)
    if wanted > first:
        with suppress(TrialsimError):
            for found in visit.house.searches.call(checked, scenario, wanted):
                yield found and (wanted, found)
