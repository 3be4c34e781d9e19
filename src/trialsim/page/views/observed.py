"""The observed trial: would its counts be surprising if a case were true?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from htmltools import Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.checks import trials_of
from trialsim.errors import TrialsimError
from trialsim.page.heard import word, words_of
from trialsim.page.outputs import fault, output_picture, picture, told
from trialsim.page.pictures.style import Picture
from trialsim.page.session import Asked, Visit, settled
from trialsim.page.tellings import Part, checked, drawn
from trialsim.scenario.model import Scenario
from trialsim.scenario.starting import example_files

NAME, TITLE = "observed", "The observed trial"

EXAMPLE = "dasatinib"

Checked = tuple[int, tuple[dict[str, Picture | str], list[Part]]]
"""Simulated trials a case so far; pictures by case and the report."""

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
        ui.output_ui("check_cases"),
        ui.output_ui("check_no_picture"),
        output_picture("check_picture"),
        ui.output_ui("check_rest"),
        id="observed",
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Check the observed trial of the scenario as it is."""
    asked: Asked[Checked] = Asked(visit)

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act = words_of(inputs.act())
        if act.get("act") == "open-observed":
            visit.open(example_files()[EXAMPLE].read_text(encoding="utf-8"))

    def answered() -> Checked | TrialsimError | None:
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

    @reactive.calc
    def cases() -> tuple[str, ...]:
        scenario = visit.draft().scenario
        return tuple(scenario.truth) if scenario and scenario.observed else ()

    @render.ui
    def check_cases() -> Tag | TagList:
        options = (ui.tags.option(each, value=each) for each in cases())
        if not cases():
            return TagList()
        return ui.tags.label(
            "Case in the picture ", ui.tags.select(*options, id="check_case"), class_="choice"
        )

    def shown() -> Picture | str | None:
        found = answered()
        if not isinstance(found, tuple):
            return None
        pictures = found[1][0]
        chosen = word(inputs.check_case()) if "check_case" in inputs else ""
        return pictures[chosen if chosen in pictures else next(iter(pictures))]

    @picture
    def check_picture() -> Picture | None:
        return drawn(shown() or "")

    @render.ui
    def check_no_picture() -> Tag | TagList:
        found = shown()
        return ui.p(found, class_="note") if isinstance(found, str) else TagList()

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
