"""What the page shows: pictures, whose numbers go to the browser, and reports; and what it asks in a form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from htmltools import HTML, Tag, TagList
from shiny import ui
from shiny.render.renderer import Renderer

from trialsim.page.pictures.style import Picture
from trialsim.page.tellings import Part
from trialsim.writing.report import Table

WAITING = "Working it out …"
"""In the place of a picture that will be there soon."""


class picture(Renderer[Picture | str]):
    """Sends a Picture to its place, or the sentence that says why there is none; None leaves the place empty."""

    def auto_output_ui(self) -> Tag:
        """Where it goes."""
        return output_picture(self.output_id)

    async def transform(self, value: Picture | str) -> Any:
        """As the page's script takes it."""
        if isinstance(value, str):
            return {"note": value, "waiting": value == WAITING}
        return {
            "name": value.name,
            "title": value.title,
            "caption": value.caption,
            "alt": value.alt,
            "figure": value.figure,
            "columns": list(value.columns),
            "rows": [[cell.text for cell in row] for row in value.rows],
            "csv": value.csv(),
        }


def output_picture(name: str) -> Tag:
    """The place of a picture: its heading, what is drawn, its caption, its files, and its numbers as a table."""
    return ui.tags.figure(id=name, class_="picture")


# -- reports


def told(found: Iterable[Part], heading: Callable[..., Tag] = ui.h2) -> TagList:
    """Parts of a report under their headings; what is for those who ask opens on demand."""
    shown = TagList()
    for each in found:
        inside = HTML(each.html)
        if each.folded:
            shown.append(ui.tags.details(ui.tags.summary(each.title), inside))
        else:
            shown.extend([heading(each.title) if each.title else None, inside])
    return shown


def table_with(table: Table, head: str, beside: Sequence[Tag]) -> Tag:
    """A table of a report without groups, with something to press at the end of each row."""
    rows = [row for group in table.groups for row in group.rows]
    return ui.div(
        ui.tags.table(
            ui.tags.caption(f"{table.caption}."),
            ui.tags.thead(ui.tags.tr(*(ui.tags.th(each, scope="col") for each in (*table.columns, head)))),
            ui.tags.tbody(
                *(
                    ui.tags.tr(
                        ui.tags.th(row[0].text, scope="row"),
                        *(
                            ui.tags.td(c.text, class_="words" if k in table.words else None)
                            for k, c in enumerate(row[1:], 1)
                        ),
                        ui.tags.td(press),
                    )
                    for row, press in zip(rows, beside, strict=True)
                )
            ),
        ),
        class_="scroll",
        role="region",
        tabindex="0",
        aria_label=table.caption,
    )


def fault(error: Exception | str) -> Tag:
    """Why there is nothing to show."""
    return ui.p(str(error), class_="fault", role="alert")


# -- forms


def box(
    name: str,
    words: str,
    value: Any = "",
    *,
    choices: Mapping[str, str] | None = None,
    flag: bool = False,
    note: str = "",
) -> Tag:
    """A control of a form with its label: a choice, a yes or no, else a text."""
    if choices is not None:
        options = (
            ui.tags.option(said, value=each, selected=each == value or None) for each, said in choices.items()
        )
        control = ui.tags.select(*options, name=name)
    elif flag:
        control = ui.tags.input(type="checkbox", name=name, checked=value is True or None)
    else:
        control = ui.tags.input(
            type="text", name=name, value=str(value), autocomplete="off", spellcheck="false"
        )
    said = ui.tags.span(words, ui.tags.small(note, class_="note") if note else None)
    return ui.tags.label(*([control, said] if flag else [said, control]), class_="asked")
