"""The page as an application: what stands where, and who serves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from htmltools import HTMLDependency, Tag, TagList
from shiny import App, Inputs, Outputs, reactive, ui
from shiny import Session as Connection

from trialsim.page.answering import Snapshot, answers
from trialsim.page.desk import Desk
from trialsim.page.draft import Draft
from trialsim.page.links import LinkError, read_link
from trialsim.page.searches import Searches
from trialsim.page.session import House, Visit, found_quickly
from trialsim.page.views import compare, conduct, find, form, home, observed, running, see
from trialsim.version import __version__

VIEWS = (see, find, compare, observed, conduct, running, home)
"""The tabs, in order."""

STATIC = Path(__file__).parent / "static"


def application(text: str) -> App:
    """The page as an ASGI application.

    Args:
        text: the scenario that a visitor without a link begins with.
    """
    house = House(Desk(), Searches())
    house.searches.warm()
    # while a browser loads the page: the first visitor then waits for no import and no kernel
    house.desk.ask(lambda: _first_answer(text), lambda _: None)

    def server(inputs: Inputs, _: Outputs, connection: Connection) -> None:
        # files come as text in a message of their own
        connection.set_message_handler("uploadInit", _refused)
        visit = Visit(house, connection, text)
        _linked(visit, inputs)
        form.serve(visit, inputs)
        for view in VIEWS:
            view.serve(visit, inputs)

    app = App(_page(), server)
    app.sanitize_errors = True
    app.on_shutdown(house.desk.close)
    app.on_shutdown(house.searches.close)
    return app


def _first_answer(text: str) -> Iterator[Snapshot | None]:
    """What a first visitor asks for, if it is found quickly."""
    draft = Draft.of(text)
    if draft.scenario is not None and found_quickly(draft.scenario.design):
        yield next(answers(draft))


async def _refused(*_: Any) -> None:
    raise ValueError("nothing is uploaded here")


def _linked(visit: Visit, inputs: Inputs) -> None:
    """Begin with the scenario that the address holds, if it holds one."""

    @reactive.effect
    @reactive.event(inputs[".clientdata_url_hash"])
    def _() -> None:
        address = str(inputs[".clientdata_url_hash"]())
        try:
            text = read_link(address)
        except LinkError as error:
            ui.notification_show(str(error), type="error", duration=None, session=visit.connection)
            return
        if text is not None:
            visit.open(text)


def _page() -> Tag:
    return ui.page_fluid(
        _files(),
        # what pulses while something is worked out is painted over and over, in time that the pictures need
        ui.busy_indicators.use(spinners=False, pulse=False),
        ui.head_content(ui.tags.link(rel="icon", href="data:,")),
        ui.a("Skip to the numbers", href="#answers", class_="skip jump"),
        ui.tags.header(
            ui.h1("trialsim"),
            ui.p("Single-arm phase 2 trials: move a number, see the trial."),
            class_="masthead",
        ),
        ui.a(
            "Change the scenario ↓", href="#form", class_="to-form jump"
        ),  # on a telephone the form comes last
        ui.tags.main(
            ui.tags.section(form.panel(), id="form", aria_label="The scenario"),
            ui.tags.section(
                ui.navset_underline(
                    *(ui.nav_panel(v.TITLE, v.panel(), value=v.NAME) for v in VIEWS), id="view"
                ),
                id="answers",
                aria_label="What the trial does",
            ),
            id="page",
        ),
        title="trialsim",
        lang="en",
    )


def _files() -> TagList:
    """Scripts and style, all from here."""
    return TagList(
        HTMLDependency(
            "plotly",
            "1",
            source={"package": "plotly", "subdir": "package_data"},
            script={"src": "plotly.min.js"},
        ),
        HTMLDependency(
            "trialsim-page",
            __version__,
            source={"package": "trialsim.page", "subdir": "static"},
            script={"src": "page.js"},
            stylesheet={"href": "page.css"},
        ),
    )
