"""The scenario as a form, its faults, and its text."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from htmltools import HTML, Tag, TagList
from shiny import Inputs, reactive, render, req, ui

from trialsim.errors import Problem
from trialsim.page.draft import Draft
from trialsim.page.form import GROUPS, faults, group, group_id
from trialsim.page.heard import words_of
from trialsim.page.keys import in_file_only
from trialsim.page.links import link
from trialsim.page.moves import added, question_of, removed, switched
from trialsim.page.session import Visit
from trialsim.page.starts import NEW, NEW_TRIAL
from trialsim.scenario import words
from trialsim.scenario.starting import example_files, title_of

REFUSED = (
    "The trial is worked out. But the file also asks questions (variants, sensitivity) that do not fit it as it is "
    "now; no report can be made until they are changed or left out:"
)
"""Said of variants and sensitivity analyses that do not fit the scenario."""

ADDED = (
    "What a button adds begins with values of this page, not of your protocol: change them, and say under “sources” in "
    "the file where yours come from."
)
"""Said above the form, in which any block may have been added."""

MAX_VALUE = 10_000
"""Characters of the longest value that a control may send."""


def panel() -> Tag:
    """The examples to begin with, the form, what is wrong, and the file itself."""
    return ui.div(
        ui.tags.label(
            "Begin with", ui.tags.select(*_choices(), id="example", data_open="example"), class_="begin"
        ),
        ui.output_ui("wrong"),
        ui.tags.p(ADDED, class_="help"),
        *(ui.output_ui(_place(name)) for name in GROUPS),
        ui.tags.details(
            ui.tags.summary("The scenario file"),
            ui.output_ui("file_view"),
            ui.output_ui("left_out"),
            ui.tags.details(
                ui.tags.summary("Edit it by hand"),
                ui.output_ui("by_hand"),
                ui.tags.button("Apply", type="button", data_act="apply", data_from="hand"),
                data_told="by_hand_open",
            ),
            class_="file",
            data_told="file_open",
        ),
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Take edits, draw the groups of the form, and say what is wrong."""

    @reactive.effect
    @reactive.event(inputs.edit)
    async def _() -> None:
        draft = _edited(visit.draft(), inputs.edit())
        if draft is not None:
            visit.take(draft)
        await visit.connection.send_custom_message("edited", {})

    @reactive.effect
    @reactive.event(inputs.open)
    def _() -> None:
        asked = words_of(inputs.open())
        if asked.get("kind") == "example" and asked.get("name") == NEW:
            visit.open(NEW_TRIAL)
        elif asked.get("kind") == "example" and asked.get("name") in (files := example_files()):
            visit.open(files[asked["name"]].read_text(encoding="utf-8"))
        elif asked.get("kind") == "file" and "text" in asked:
            visit.open(asked["text"])
        elif asked.get("kind") == "text" and "text" in asked:
            visit.open(asked["text"], afresh=False)

    @reactive.effect
    async def _() -> None:
        draft = visit.draft()
        await visit.connection.send_custom_message("faults", {"faults": faults(draft)})
        await visit.connection.send_custom_message("address", {"address": link(draft.file)})

    @render.ui
    def wrong() -> TagList | Tag:
        draft, fault = visit.draft(), visit.fault()
        problems = draft.problems or visit.refused()
        told = ui.p(draft.told, class_="note", role="status") if draft.told else None
        if not problems:
            return TagList(told, ui.p(fault, class_="fault", role="alert") if fault else None)
        return ui.div(
            told,
            ui.p(fault or REFUSED, class_="fault"),
            ui.tags.ul(*(ui.tags.li(_told(p), _left_out(draft, p)) for p in problems)),
            class_="faults",
            role="alert",
        )

    for name in GROUPS:
        _drawn(visit, name)

    @render.ui
    def left_out() -> Tag:
        unfolded("file_open")
        return ui.p(f"In the file only: {', '.join(in_file_only(visit.draft().data))}.", class_="note")

    def unfolded(name: str) -> None:
        """Go on only where the visitor looks: a folded part of the page costs nothing at a move."""
        req(name in inputs and inputs[name]() is True)

    @render.ui
    def by_hand() -> Tag:
        unfolded("by_hand_open")
        text = visit.draft().text
        return ui.tags.textarea(
            text, id="hand", rows=24, spellcheck="false", aria_label="The scenario file, to be edited"
        )

    @render.ui
    def file_view() -> HTML:
        unfolded("file_open")
        draft, opened = visit.draft(), visit.opened()
        return file_lines(draft, opened)


def _place(name: str) -> str:
    return f"form_{group_id(name).replace('-', '_')}"


def _drawn(visit: Visit, name: str) -> None:
    """A group of the form, drawn anew only when other controls are needed."""

    @render.ui
    def drawn() -> TagList | Tag:
        visit.forms[name]()
        visit.revision()
        with reactive.isolate():
            return group(visit.draft(), name)

    visit.connection.output(id=_place(name))(drawn)


def _told(problem: Problem) -> str:
    where = f"line {problem.line}, {problem.key}: " if problem.key else f"line {problem.line}: "
    return where + problem.message


def _left_out(draft: Draft, problem: Problem) -> Tag | None:
    """What to press to be rid of a question that does not fit the trial: the form has no controls for it."""
    at = question_of(draft.data, problem.key)
    if at is None:
        return None
    said = f"Leave “{at[-1]}” out of the file"
    return ui.tags.button(said, type="button", data_remove=words.path_text(at), class_="leave")


def _edited(draft: Draft, asked: Any) -> Draft | None:
    """The draft after an edit as a control sends it; None for what no control sends."""
    if not isinstance(asked, dict):
        return None
    path, value, how = (asked.get(key) for key in ("path", "value", "how"))
    if not isinstance(path, str) or not 0 < len(path) <= 300 or not words.steps(path):
        return None
    if how == "set" and (value is None or isinstance(value, bool)):
        return draft.edited(path, value)
    if not isinstance(value, str) or len(value) > MAX_VALUE:
        return None
    moves: dict[str, Callable[[Draft, str, str], Draft]] = {
        "set": Draft.edited_text,
        "add": added,
        "switch": switched,
        "remove": lambda draft, path, _: removed(draft, path),
    }
    return moves[how](draft, path, value) if isinstance(how, str) and how in moves else None


def file_lines(draft: Draft, opened: str) -> HTML:
    """The text of the scenario, line by line; what has changed since it was opened, and faults, are marked."""
    import difflib

    before, lines = opened.splitlines(), draft.text.splitlines()
    changed = {
        k
        for tag, _, _, low, high in difflib.SequenceMatcher(None, before, lines, autojunk=False).get_opcodes()
        if tag != "equal"
        for k in range(low, max(high, low + (tag == "delete")))
    }
    faulty = {p.line - 1 for p in draft.problems}
    shown = []
    for k, line in enumerate(lines):  # written by hand: as tags, some hundred lines take 30 ms
        marks = " ".join(["changed"] * (k in changed) + ["faulty"] * (k in faulty))
        said = '<span class="visually-hidden"> (changed)</span>' if k in changed else ""
        shown.append(f'<li class="{marks}">{said}<code>{escape(line) or " "}</code></li>')
    return HTML(
        f'<ol class="lines" tabindex="0" aria-label="The scenario file, line by line">{"".join(shown)}</ol>'
    )


def _choices() -> list[Tag]:
    return [
        ui.tags.option("a new trial, or an example…", value=""),
        ui.tags.option("A new trial: rates only", value=NEW),
        *(ui.tags.option(f"{name}: {title_of(file)}", value=name) for name, file in example_files().items()),
    ]
