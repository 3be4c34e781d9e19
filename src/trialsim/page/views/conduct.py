"""Conduct and analysis: the decision table, where the trial stands, and the analysis when it is over."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from htmltools import Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.errors import DesignError, TrialsimError
from trialsim.page.heard import form_of, words_of
from trialsim.page.outputs import box, fault, output_picture, picture, told
from trialsim.page.pictures.style import Picture
from trialsim.page.session import Asked, Held, Visit, settled
from trialsim.page.tellings import COUNTS, PLACES, Told, analysed, decisions, standing, whole_numbers
from trialsim.scenario.model import Scenario

NAME, TITLE = "conduct", "Conduct and analysis"

NOW, OVER = "conduct-now", "conduct-over"

TABLE = "conduct_table"

Wanted = tuple[Any, ...] | DesignError | str
"""What is to be worked out (a function and its numbers), why it cannot be, or what is missing."""


def panel() -> Tag:
    """The three parts."""
    return ui.div(
        ui.output_ui(TABLE),
        ui.h2("Where do we stand?"),
        ui.p("How likely is a go from here, given what is known of the patients so far?"),
        ui.output_ui("conduct_place"),
        output_picture("standing_picture"),
        ui.output_ui("conduct_standing"),
        ui.h2("The analysis afterwards"),
        ui.p("One estimate, interval and p-value that know the design; the trial is over."),
        ui.output_ui("conduct_counts"),
        output_picture("analysed_picture"),
        ui.output_ui("conduct_analysed"),
        id="conduct",
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Only calls ``monitor`` and ``analyse``."""
    place: Held[dict[str, int] | DesignError | None] = Held(None)
    counts: Held[dict[str, int] | DesignError | None] = Held(None)

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act, form = words_of(inputs.act()), form_of(inputs.act())
        if form is None:
            return
        for name, labels, value in (("stand", PLACES, place), ("analyse", COUNTS, counts)):
            if act.get("act") == name:
                try:
                    value.set(whole_numbers(form, labels))
                except DesignError as error:
                    value.set(error)

    @reactive.effect
    @reactive.event(visit.opened)
    def _() -> None:
        place.set(None)
        counts.set(None)

    @reactive.calc
    def doses() -> tuple[str, ...]:
        scenario = visit.draft().scenario
        return scenario.doses if scenario else ()

    @render.ui
    def conduct_place() -> Tag:
        several = len(doses()) > 1
        boxes = [
            box("dose", label, choices={str(k): name for k, name in enumerate(doses(), 1)})
            if key == "dose"
            else box(key, label)
            for key, label in PLACES.items()
            if several or key not in ("dose", "at_dose", "all_toxicities")
        ]
        return _form(NOW, boxes, "Work it out", "stand")

    @reactive.calc
    def stated() -> dict[str, int]:
        scenario = visit.draft().scenario
        return _observed(scenario) if scenario else {}

    @render.ui
    def conduct_counts() -> Tag:
        boxes = [box(key, label, stated().get(key, "")) for key, label in COUNTS.items()]
        return _form(OVER, boxes, "Analyse these numbers", "analyse")

    def shown(name: str, given: Callable[[Scenario], Wanted], drawn: str = "") -> None:
        """A part that is worked out in a process of its own; or a sentence that says why there is nothing."""
        asked: Asked[Told] = Asked(visit)

        @reactive.calc
        def found() -> Told | TrialsimError | str:
            draft = visit.draft()
            wanted = (
                given(draft.scenario)
                if draft.scenario
                else "The scenario has a fault: it is told beside the form."
            )
            if not isinstance(wanted, tuple):
                asked(None, lambda: iter(()))
                return wanted
            function, *numbers = wanted
            work = partial(visit.house.searches.call, function, draft.scenario, *numbers)
            return asked((draft.text, numbers), lambda: settled(work)) or "Working it out …"

        @render.ui
        def words() -> TagList | Tag:
            each = found()
            if isinstance(each, str):
                return ui.p(each, class_="note", role="status")
            if isinstance(each, TrialsimError):
                return fault(each)
            return told(each[1], ui.h2 if name == TABLE else ui.h3)

        @picture
        def picture_() -> Picture | None:
            each = found()
            return each[0] if isinstance(each, tuple) else None

        visit.connection.output(id=name)(words)
        if drawn:
            visit.connection.output(id=drawn)(picture_)

    def of_place(_: Scenario) -> Wanted:
        found = place()
        return (
            found
            if isinstance(found, DesignError)
            else "Fill in the numbers."
            if found is None
            else (standing, found)
        )

    def of_counts(scenario: Scenario) -> Wanted:
        found = counts()
        if found is None and scenario.observed is None:
            return "The scenario has no observed trial: fill in the numbers."
        return found if isinstance(found, DesignError) else (analysed, found)

    shown(TABLE, lambda _: (decisions,))
    shown("conduct_standing", of_place, "standing_picture")
    shown("conduct_analysed", of_counts, "analysed_picture")


def _form(name: str, boxes: list[Tag], press: str, act: str) -> Tag:
    button = ui.tags.button(press, type="submit", data_act=act, data_with=name)
    return ui.tags.form(*boxes, ui.p(button), id=name, class_="ask")


def _observed(scenario: Scenario) -> dict[str, int]:
    """What the scenario says of the observed trial, as the form of the analysis asks it."""
    observed = scenario.observed
    if observed is None:
        return {}
    said: dict[str, Any] = {key: getattr(observed, key) for key in COUNTS if "." not in key}
    if observed.stage1:
        said |= {"stage1.evaluable": observed.stage1.evaluable, "stage1.responses": observed.stage1.responses}
    candidates = observed.toxicity_candidates()
    if len(candidates) == 1:
        said["toxicities"] = candidates[0]
    return {key: value for key, value in said.items() if value is not None}
