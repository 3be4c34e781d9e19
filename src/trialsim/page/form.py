"""The form as tags: each part of a scenario with its label, unit, explanation and a place for what is wrong with it.

What the browser sends back stands in attributes: ``data-path`` (a value that is typed or moved: ``Draft.edited_text``),
``data-switch``, ``data-add`` (with ``data-ask`` where a name is asked for) and ``data-remove`` (``page.moves``).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from htmltools import Tag, TagList, tags

from trialsim.page.draft import Draft
from trialsim.page.edits import inline
from trialsim.page.keys import FILE_ONLY, in_file_only
from trialsim.page.parts import Block, Control, Form, Offer, Part, walk
from trialsim.scenario import words
from trialsim.scenario.faults import Path
from trialsim.scenario.schema import json_schema

GROUPS = {
    "Trial": (),
    "Design": ("design",),
    "Doses and toxicity rule": ("doses", "dose_amounts", "dose_reduction"),
    "Which dose": ("dose_decision",),
    "True rates": ("truth",),
    "Evaluability": ("evaluability",),
    "Doubt and prior": ("history", "prior"),
    "Calendar time": ("conduct",),
    "Cohorts": ("cohorts",),
    "Observed trial": ("observed", "related_trials"),
    "Simulation": ("simulation",),
}
"""Group on the page -> the blocks of a scenario in it; the first has all that are in no other."""

OPEN = ("Design", "True rates")
"""Groups that are unfolded at first."""


def form(draft: Draft) -> Tag:
    """All groups of the form, and what stays in the file only."""
    only = ", ".join(in_file_only(draft.data))
    return tags.div(
        *(group(draft, name) for name in GROUPS),
        tags.p(f"In the file only: {only}.", class_="file-only"),
        class_="form",
    )


def group(draft: Draft, name: str) -> Tag:
    """One group of the form, which folds."""
    writer = _Writer(draft)
    parts = parts_of(draft, name)
    inner: list[Any] = []
    for part in parts:
        # a group of one block has its heading already
        alone = isinstance(part, Block) and len(parts) == 1
        inner.append(writer.inside(part) if alone and isinstance(part, Block) else writer.write(part))
    return tags.details(
        tags.summary(name), *inner, id=group_id(name), class_="group", open=name in OPEN or None
    )


def group_id(name: str) -> str:
    """The id of a group's tag."""
    return f"group-{name.lower().replace(' ', '-')}"


def parts_of(draft: Draft, name: str) -> list[Part]:
    """The parts of a group, one a block of the scenario that is not in the file only."""
    grouped = {key for keys in GROUPS.values() for key in keys}
    rest = [key for key in json_schema()["properties"] if key not in grouped and key not in FILE_ONLY]
    made = (Form(draft.data).top(key) for key in GROUPS[name] or rest)
    return [part for part in made if part is not None]


def structure(draft: Draft, name: str) -> Hashable:
    """What a group consists of; it is another only where the group must be drawn anew, not when a value moves."""
    return tuple(_outline(part) for whole in parts_of(draft, name) for part in walk(whole))


def _outline(part: Part) -> tuple[str, ...]:
    drawn = (part.kind, part.value if part.switch else "") if isinstance(part, Control) else ()
    return (type(part).__name__, words.path_text(part.path), part.label, *drawn)


def faults(draft: Draft) -> list[dict[str, Any]]:
    """Each problem with the ids of the places where it can be told, the nearest first, its line and its sentence."""
    found = []
    for problem in draft.problems:
        steps = words.steps(problem.key)
        ids = [fault_id(steps[:i]) for i in range(len(steps), 0, -1)]
        found.append({"ids": ids, "line": problem.line, "key": problem.key, "message": problem.message})
    return found


def control_id(path: Path, role: str = "c") -> str:
    """An id that no other path has: what is no letter or digit is written as its number."""
    text = ".".join(map(str, path))
    return role + "-" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in text)


def fault_id(path: Path) -> str:
    """The id of the place where a problem with a path is told."""
    return control_id(path, "fault")


class _Writer:
    """Parts as tags, with the problems of a draft in their places."""

    def __init__(self, draft: Draft) -> None:
        self.told: dict[str, list[str]] = {}
        for problem in draft.problems:
            self.told.setdefault(problem.key, []).append(problem.message)

    def write(self, part: Part) -> Tag:
        """A part as it stands in the form."""
        match part:
            case Offer():
                return self._offer(part)
            case Control():
                return self._control(part)
        return tags.fieldset(tags.legend(part.label), self.inside(part), id=control_id(part.path, "b"))

    def inside(self, block: Block) -> TagList:
        """What a block consists of, without its heading; what is rarely used is folded."""
        common = [part for part in block.parts if not part.rare]
        rare = [part for part in block.parts if part.rare] if common else []
        # a box for the whole of the block has the place of its faults
        boxed = any(
            isinstance(part, Control) and part.path == block.path and not part.switch for part in block.parts
        )
        pieces: list[Any] = [_help(block), None if boxed else self._fault(block.path)]
        pieces += map(self.write, common or block.parts)
        if rare:
            more = tags.details(tags.summary(f"More of {block.label} ({len(rare)})"), class_="more")
            more.extend(map(self.write, rare))
            pieces.append(more)
        if block.removable:
            says = block.removable if block.removable != "Leave out" else f"Leave out {block.label}"
            pieces.append(tags.button(says, type="button", **{"data-remove": words.path_text(block.path)}))
        return TagList(*pieces)

    def _offer(self, offer: Offer) -> Tag:
        asks = {"data-ask": offer.asks} if offer.asks else {}
        path = words.path_text(offer.path)
        button = tags.button(
            offer.label, type="button", id=control_id(offer.path, "a"), **{"data-add": path}, **asks
        )
        # what is asked a name for is added to the block around it, which has the place of its faults
        fault = None if offer.asks else self._fault(offer.path)
        return tags.div(button, _help(offer), fault, class_="offer")

    def _fault(self, path: Path) -> Tag:
        """The place of what is wrong there."""
        told = " ".join(self.told.get(words.path_text(path), ()))
        return tags.span(told, class_="fault", id=fault_id(path))

    def _control(self, control: Control) -> Tag:
        path = words.path_text(control.path)
        # a switch stands in the block that it turns, which has the place of its faults
        role = "s" if control.switch else "c"
        here, help_id = control_id(control.path, role), control_id(control.path, f"{role}-help")
        attributes = {
            "id": here,
            "data-switch" if control.switch else "data-path": path,
            "aria-describedby": f"{help_id} {fault_id(control.path)}"
            if control.help
            else fault_id(control.path),
            "aria-invalid": "true" if self.told.get(path) else None,
        }
        label = tags.label(control.label, **{"for": here})
        unit = tags.span(control.unit, class_="unit") if control.unit else None
        help_ = tags.span(*_marked(control.help), class_="help", id=help_id) if control.help else None
        fault = None if control.switch else self._fault(control.path)
        match control.kind:
            case "choice":
                box = [_select(control, attributes)]
            case "yes":
                box = [tags.input(type="checkbox", checked=control.value == "true" or None, **attributes)]
            case "number":
                # no number box: a browser would send nothing at all for 0,15 or 5%
                number = tags.input(type="text", inputmode="decimal", value=control.value, **attributes)
                box = [*_range(control, path), number]
            case _:
                longest = str(control.longest) if control.longest else None
                box = [tags.input(type="text", value=control.value, maxlength=longest, **attributes)]
        return tags.div(label, *box, unit, help_, fault, class_=f"control {control.kind}")


def _select(control: Control, attributes: dict[str, Any]) -> Tag:
    known = [value for value, _ in control.options]
    options = (
        control.options if control.value in known else ((control.value, control.value), *control.options)
    )
    return tags.select(
        *(
            tags.option(label.replace("`", ""), value=value, selected=value == control.value or None)
            for value, label in options
        ),
        **attributes,
    )


def _range(control: Control, path: str) -> list[Tag]:
    if control.slider is None:
        return []
    low, high, step = map(inline, control.slider)
    attributes = {
        "data-path": path,
        "aria-label": f"{control.label}, slider",
        "id": control_id(control.path, "r"),
    }
    return [tags.input(type="range", min=low, max=high, step=step, value=control.value, **attributes)]


def _help(part: Block | Offer) -> Tag | None:
    return tags.p(*_marked(part.help), class_="help") if part.help else None


def _marked(text: str) -> list[Tag | str]:
    """Text in which what stands between backticks is set as a key of the file."""
    pieces = text.split("`")
    return [tags.code(piece) if k % 2 else piece for k, piece in enumerate(pieces)]
