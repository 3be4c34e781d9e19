"""The form of a scenario: its parts as the browser's own controls, each with label, unit, default and a line of help."""

from __future__ import annotations

import re
from collections.abc import Iterator

from htmltools import Tag, TagList, tags

from trialsim.page.draft import Draft
from trialsim.page.parts import Block, Control, Form, Offer, Part, in_file_only, walk
from trialsim.scenario import words
from trialsim.scenario.faults import Path
from trialsim.scenario.schema import json_schema

TITLES = {
    "trial": "The trial",
    "design": "Design",
    "doses": "Doses and toxicity rule",
    "truth": "True rates",
    "evaluability": "Evaluability",
    "conduct": "Calendar time",
    "cohorts": "Cohorts",
    "observed": "Observed trial",
    "simulation": "Simulation",
}
"""Groups of the form, in order, with their headings."""

GROUPS = tuple(TITLES)

ELSEWHERE = {
    "doses": "doses", "dose_amounts": "doses", "dose_reduction": "doses", "toxicity": "doses",
    "related_trials": "observed",
}  # fmt: skip
"""Topmost keys that stand in a group of another name; a key that is no group and not here stands in ``trial``."""

OPEN = ("design", "truth")
"""Groups that stand open at first."""


def keys_of(group: str) -> tuple[str, ...]:
    """The topmost keys of a group, in the order of the models."""
    return tuple(
        key
        for key in json_schema()["properties"]
        if ELSEWHERE.get(key, key if key in TITLES else "trial") == group
    )


def parts(draft: Draft, name: str) -> list[Part]:
    """The parts of a group."""
    form = Form(draft.data)
    return [part for key in keys_of(name) if (part := form.top(key)) is not None]


def group(draft: Draft, name: str) -> Tag:
    """A group of the form."""
    inside = [_part(part, top=True) for part in parts(draft, name)]
    return tags.details(tags.summary(TITLES[name]), *inside, open="" if name in OPEN else None, class_="group")


def form(draft: Draft) -> TagList:
    """The whole form, and what it leaves to the file."""
    return TagList(*(group(draft, name) for name in GROUPS), file_only(draft))


def file_only(draft: Draft) -> Tag:
    """The keys that the form does not show."""
    return tags.p(f"In the file only: {', '.join(in_file_only(draft.data))}.", class_="note")


def structure(draft: Draft, name: str) -> tuple[object, ...]:
    """What must change for a group to be drawn anew: its controls and their choices, not what is in them."""
    return tuple(
        (type(part).__name__, part.path, part.label, part.rare)
        + ((part.kind, part.options, part.value if part.switch else "") if isinstance(part, Control) else ())
        for top in parts(draft, name)
        for part in walk(top)
    )


def name_of(path: Path, mark: str = "") -> str:
    """An id for what belongs to a path, made of letters, digits and hyphens."""
    text = re.sub(r"[^A-Za-z0-9]", lambda found: f"-{ord(found[0]):x}-", words.path_text(path))
    return f"at-{text}{mark and '--'}{mark}"


# -- parts as tags


def _part(part: Part, *, top: bool = False) -> Tag:
    if isinstance(part, Control):
        return _control(part)
    if isinstance(part, Offer):
        return _offer(part)
    return _block(part, top=top)


def _block(block: Block, *, top: bool) -> Tag:
    """Its parts under a heading; those that are seldom wanted on demand."""
    wanted = [part for part in block.parts if not part.rare]
    rare = [part for part in block.parts if part.rare]
    remove = (
        tags.button(block.removable, type="button", data_remove=words.path_text(block.path))
        if block.removable
        else None
    )
    single = len(block.parts) == 1 and isinstance(block.parts[0], Control) and block.parts[0].label == block.label
    return tags.fieldset(
        None if single else tags.legend(_capital(block.label)),
        None if single or not block.help else tags.p(block.help, class_="help"),
        *map(_part, wanted),
        tags.details(tags.summary("More"), *map(_part, rare), class_="more") if rare else None,
        remove,
        class_="top" if top else None,
    )


def _offer(offer: Offer) -> Tag:
    path, place = words.path_text(offer.path), name_of(offer.path, "add")
    return tags.div(
        tags.label(offer.asks, tags.input(type="text", id=place, maxlength=40)) if offer.asks else None,
        tags.button(offer.label, type="button", data_add=path, **_described(offer.help, place)),
        _help(offer.help, place),
        class_="offer",
    )


def _control(control: Control) -> Tag:
    path, place = words.path_text(control.path), name_of(control.path, "switch" if control.switch else "")
    label = _capital(control.label) + (f" ({control.unit})" if control.unit else "")
    about = {"id": place, **_described(control.help, place, fault=True)}
    to = {"data_switch": path} if control.switch else {"data_path": path}
    boxes: list[Tag] = []
    if control.kind == "choice":
        options = control.options
        if control.value not in [value for value, _ in options]:
            options = (*options, (control.value, control.value or "not stated"))
        choices = [
            tags.option(told, value=value, selected="" if value == control.value else None) for value, told in options
        ]
        boxes.append(tags.select(*choices, **about, **to))
    elif control.kind == "yes":
        boxes.append(tags.input(type="checkbox", checked="" if control.value == "true" else None, **about, **to))
    else:
        if control.slider:
            low, high, step = control.slider
            boxes.append(
                tags.input(
                    type="range", min=f"{low:g}", max=f"{high:g}", step=f"{step:g}", value=control.value,
                    aria_label=label, **to,
                )
            )  # fmt: skip
        numeric = control.kind == "number"
        boxes.append(
            tags.input(
                type="text",
                inputmode="decimal" if numeric else None,
                value=control.value,
                maxlength=control.longest or 2000,
                class_="number" if numeric else "text",
                autocomplete="off",
                **about,
                **to,
            )
        )
    return tags.div(
        tags.label(label, for_=place),
        tags.span(*boxes, class_="boxes"),
        _help(control.help, place),
        tags.span("", class_="fault", id=f"{place}--fault", data_of=path, role="status"),
        class_=f"control {control.kind}",
    )


def _help(text: str, place: str) -> Tag | None:
    return tags.span(text, class_="help", id=f"{place}--help") if text else None


def _described(help_: str, place: str, *, fault: bool = False) -> dict[str, str]:
    by = [f"{place}--help"] * bool(help_) + [f"{place}--fault"] * fault
    return {"aria_describedby": " ".join(by)} if by else {}


def _capital(text: str) -> str:
    """A label with a capital letter, but for symbols such as p0."""
    return text if re.match(r"[a-z]\d|n\b|r\b", text) else text[:1].upper() + text[1:]


def controls(draft: Draft) -> Iterator[Control]:
    """Every control of the form."""
    for name in GROUPS:
        for top in parts(draft, name):
            yield from (part for part in walk(top) if isinstance(part, Control))
