"""Pictures as outputs of the page: numbers go to the browser, which draws them."""

from __future__ import annotations

from typing import Any

from htmltools import Tag
from shiny import ui
from shiny.render.renderer import Renderer

from trialsim.page.pictures.style import Picture


class picture(Renderer[Picture]):  # noqa: N801 - a decorator, as Shiny's own are called
    """Sends a Picture to its place; None leaves the place empty."""

    def auto_output_ui(self) -> Tag:
        """Where it goes."""
        return output_picture(self.output_id)

    async def transform(self, value: Picture) -> Any:
        """As the page's script takes it."""
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
