"""The running trial: a file of the patients so far, what the protocol says now, and what is ahead."""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from htmltools import Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.errors import TrialsimError
from trialsim.page.heard import form_of, words_of
from trialsim.page.outputs import box, fault, told
from trialsim.page.session import MAX_TEXT, Asked, Held, Visit, settled
from trialsim.page.tellings import Part, running

NAME, TITLE = "running", "The running trial"

DAYS = "running-days"

COLUMNS = (
    "id, enrolled, dose, cohort, evaluable, response, response_date, confirmed_date, toxicity, toxicity_date, "
    "off_treatment"
)


def panel() -> Tag:
    """The file, the days, and the status."""
    return ui.div(
        ui.p(
            "What does the protocol say now: enrol the next patient, at which dose, or wait, for whom? A file of the "
            "patients so far, a row a treated patient, answers it. Only this page reads it, and nothing of it is kept."
        ),
        ui.p(
            ui.tags.label(
                "Choose a file of patients (.csv)",
                ui.tags.input(type="file", accept=".csv,.txt", data_open="patients"),
                class_="upload",
            )
        ),
        ui.p(
            f"Its columns: {COLUMNS}. Days are written 2026-03-31. ",
            ui.code("trialsim status"),
            " reads Excel files too.",
            class_="note",
        ),
        ui.output_ui("running_days"),
        ui.output_ui("running_status"),
        id="running",
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Read the patients against the scenario as it is."""
    patients: Held[tuple[str, str] | None] = Held(None)
    days: Held[tuple[str, str]] = Held(("", ""))
    asked: Asked[list[Part]] = Asked(visit)

    @reactive.effect
    @reactive.event(inputs.patients)
    def _() -> None:
        said = words_of(inputs.patients())
        if "text" not in said or len(said["text"]) > MAX_TEXT:
            return
        patients.set((said.get("name", ""), said["text"]))
        last = last_day(said["text"])
        days.set((last, last))

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        form = form_of(inputs.act())
        if form is not None and words_of(inputs.act()).get("act") == "status":
            days.set((str(form.get("on", "")).strip(), str(form.get("extracted", "")).strip()))

    @render.ui
    def running_days() -> Tag | None:
        file = patients()
        if file is None:
            return None
        on, extracted = days()
        boxes = [
            box("on", "The day whose end is looked at", on),
            box(
                "extracted",
                "The day the file was made",
                extracted,
                note="what was known later is rolled back",
            ),
        ]
        button = ui.tags.button("Where does it stand?", type="submit", data_act="status", data_with=DAYS)
        return ui.tags.form(ui.p(f"File: {file[0]}"), *boxes, ui.p(button), id=DAYS, class_="ask")

    @render.ui
    def running_status() -> TagList | Tag | None:
        file, draft = patients(), visit.draft()
        if file is None:
            return None
        if draft.scenario is None:
            return ui.p("The scenario has a fault: it is told beside the form.", class_="note", role="status")
        on, extracted = days()
        if not on:
            return ui.p("Fill in the day whose end is looked at.", class_="note", role="status")
        work = partial(visit.house.searches.call, running, draft.scenario, file[1], on, extracted or None)
        found = asked((draft.text, file, on, extracted), lambda: settled(work))
        if found is None:
            return ui.p("Working it out …", class_="note", role="status")
        if isinstance(found, TrialsimError):
            return TagList(*(fault(line) for line in str(found).splitlines()))
        return told(found)


def last_day(text: str) -> str:
    """The last day in a file that is not ahead of today; "" where there is none."""
    today = date.today().isoformat()
    return max((day for day in re.findall(r"\b\d{4}-\d\d-\d\d\b", text) if day <= today), default="")
