"""Conduct and analysis: the decision table, where the trial stands, and the analysis when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from htmltools import Tag, TagList
from shiny import Inputs, Outputs, reactive, render, ui

from trialsim.errors import DesignError, TrialsimError
from trialsim.page.outputs import box, fault, told
from trialsim.page.session import Asked, Visit, settled
from trialsim.page.tellings import COUNTS, PLACES, Part, analysed, decisions, standing, whole_numbers
from trialsim.scenario.model import Scenario

NAME, TITLE = "conduct", "Conduct and analysis"

NOW, OVER = "conduct-now", "conduct-over"

TABLE = "conduct_table"


def panel() -> Tag:
    """The three parts."""
    return ui.div(
        ui.output_ui(TABLE),
        ui.h2("Where do we stand?"),
        ui.p("How likely is a go from here, given what is known of the patients so far?"),
        ui.output_ui("conduct_place"),
        ui.output_ui("conduct_standing"),
        ui.h2("The analysis afterwards"),
        ui.p("One estimate, interval and p-value that know the design; the trial is over."),
        ui.output_ui("conduct_counts"),
        ui.output_ui("conduct_analysed"),
        id="conduct",
    )


def serve(visit: Visit, inputs: Inputs, outputs: Outputs) -> None:
    """Only calls ``monitor`` and ``analyse``."""
    place: reactive.Value[dict[str, int] | str | None] = reactive.Value(None)
    counts: reactive.Value[dict[str, int] | str | None] = reactive.Value(None)

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act = inputs.act()
        if not isinstance(act, dict) or not isinstance(act.get("chosen"), dict):
            return
        for name, labels, value in (("stand", PLACES, place), ("analyse", COUNTS, counts)):
            if act.get("act") == name:
                try:
                    value.set(whole_numbers(act["chosen"], labels))
                except DesignError as error:
                    value.set(str(error))

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

    def shown(name: str, given: Callable[[Scenario], tuple[Callable[..., list[Part]], Any] | str]) -> None:
        """A part that is worked out in a process of its own; or a sentence that says why there is nothing."""
        asked: Asked[list[Part]] = Asked(visit)

        @render.ui
        def drawn() -> TagList | Tag:
            draft = visit.draft()
            scenario = draft.scenario
            if scenario is None:
                return ui.p("The scenario has a fault: it is told beside the form.", class_="note")
            wanted = given(scenario)
            if isinstance(wanted, str):
                asked(None, lambda: iter(()))
                return ui.p(wanted, class_="note") if wanted.endswith(".") else fault(wanted)
            function, numbers = wanted
            arguments = () if numbers is _NONE else (numbers,)
            work = lambda: visit.house.searches.call(function, scenario, *arguments)  # noqa: E731
            found = asked((draft.text, numbers), lambda: settled(work))
            if isinstance(found, TrialsimError):
                return fault(found)
            return (
                ui.p("Working it out …", role="status")
                if found is None
                else told(found, ui.h2 if name == TABLE else ui.h3)
            )

        visit.connection.output(id=name)(drawn)

    def of_place(_: Scenario) -> tuple[Callable[..., list[Part]], Any] | str:
        found = place()
        return (
            found
            if isinstance(found, str)
            else (standing, found)
            if found is not None
            else "Fill in the numbers."
        )

    def of_counts(scenario: Scenario) -> tuple[Callable[..., list[Part]], Any] | str:
        found = counts()
        if found is None and scenario.observed is None:
            return "The scenario has no observed trial: fill in the numbers."
        return found if isinstance(found, str) else (analysed, found)

    shown(TABLE, lambda _: (decisions, _NONE))
    shown("conduct_standing", of_place)
    shown("conduct_analysed", of_counts)


_NONE = "nothing"


def _form(name: str, boxes: list[Tag], press: str, act: str) -> Tag:
    button = ui.tags.button(press, type="submit", data_act=act, data_with=name)
    return ui.tags.form(*boxes, ui.p(button), id=name, class_="ask")


def _observed(scenario: Scenario) -> Mapping[str, int]:
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
