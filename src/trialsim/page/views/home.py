"""Take it home: the file, the report, the protocol section, a link, and the command that gives the same numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from htmltools import Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.errors import TrialsimError
from trialsim.page.heard import words_of
from trialsim.page.made import FORMS, made
from trialsim.page.session import Asked, Held, Visit

NAME, TITLE = "home", "Take it home"


def panel() -> Tag:
    """Files, link, command and Python."""
    return ui.div(
        ui.h2("The scenario file"),
        ui.p(
            "Everything here follows from this file. It opens the page again, and ",
            ui.code("trialsim run"),
            " reads it.",
        ),
        ui.p(
            ui.download_link("scenario_file", "Download the scenario file"),
            ui.tags.label(
                "Open one of yours",
                ui.tags.input(type="file", accept=".yaml,.yml", data_open="file"),
                class_="upload",
            ),
        ),
        ui.h2("Reports"),
        ui.p(
            "Made by ",
            ui.code("trialsim run"),
            " and ",
            ui.code("trialsim protocol"),
            ", with the replicates and the seed of the file.",
        ),
        ui.tags.label(
            "Which ",
            ui.tags.select(
                *(ui.tags.option(f"{name}: {what}", value=name) for name, what in FORMS.items()),
                id="which_file",
            ),
        ),
        ui.tags.button("Make it", type="button", data_act="make", data_with="which_file"),
        ui.output_ui("making"),
        ui.h2("A link to this page as it is"),
        ui.p(
            "The address of this page holds the whole scenario behind the #; nothing of it is kept on the server. ",
            ui.tags.button("Copy the link", type="button", data_act="copy"),
        ),
        ui.h2("The same numbers elsewhere"),
        ui.output_ui("elsewhere"),
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Make what is asked for."""
    asked: Held[tuple[str, str] | None] = Held(None)
    answer: Asked[bytes] = Asked(visit)

    def file_name() -> str:
        name = re.sub(r"[^a-z0-9]+", "-", str(visit.draft().data.get("name", "")).lower()).strip("-")[:60]
        return f"{name or 'scenario'}.yaml"

    @render.download_link(filename=lambda: file_name())
    def scenario_file() -> Iterator[bytes]:
        with reactive.isolate():
            yield visit.draft().file.encode()

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act = words_of(inputs.act())
        if act.get("act") == "make" and act.get("chosen") in FORMS:
            asked.set((visit.draft().text, act["chosen"]))

    @render.ui
    def making() -> TagList | Tag:
        wanted = asked()
        if wanted is None:
            return TagList()
        text, form = wanted
        found = answer(wanted, lambda: visit.house.searches.call(made, text, form, file=form))
        if isinstance(found, TrialsimError):
            return ui.p(str(found), class_="fault", role="alert")
        if found is None:
            return ui.p(
                f"Making {form} … A report is a whole run with its pictures and can take a minute."
                if form.startswith("report")
                else f"Making {form} …",
                role="status",
            )
        changed = "" if visit.draft().text == text else " (of the scenario as it was before the last change)"
        return ui.p(ui.download_link("made_file", f"Download {form}"), changed, role="status")

    @render.download_link(filename=lambda: (asked() or ("", "file"))[1])
    def made_file() -> Iterator[bytes]:
        with reactive.isolate():
            wanted = asked()
            found = answer(wanted, lambda: iter(()))
        if isinstance(found, bytes):
            yield found

    @render.ui
    def elsewhere() -> Tag:
        name = file_name()
        return ui.div(
            ui.p("On the command line, with the downloaded file:"),
            ui.pre(ui.code(f"trialsim run {name}"), tabindex="0"),
            ui.p("In Python:"),
            ui.pre(
                ui.code(
                    "import trialsim\n\n"
                    f'scenario = trialsim.load("{name}")\n'
                    "found = trialsim.run(scenario)\n"
                    "print(found.results)\n"
                    f'trialsim.report(scenario, "runs/{name.removesuffix(".yaml")}")'
                ),
                tabindex="0",
            ),
        )
