"""One value of a scenario's text set or taken away, every other character left as it is.

Where values stand is known from the reader; an edit is a few patches of the text, put in at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trialsim.errors import TrialsimError
from trialsim.scenario import words
from trialsim.scenario.faults import Path
from trialsim.scenario.reading import Reader, not_held, resolve

Patch = tuple[int, int, str]
"""Start and end of a piece of text, and what comes in its place."""

LONG = 90
"""A block of more characters is written with a key a line."""

_PLAIN = re.compile(r"[A-Za-z0-9(][A-Za-z0-9 _./()+%<>=;'-]*")


class EditError(TrialsimError):
    """An edit that cannot be made, in a plain sentence."""


def tidy(value: Any) -> Any:
    """Plain data with numbers as a person would write them: 0.15 for 0.15000000000000002."""
    match value:
        case float() if len(short := f"{value:.15g}") < len(repr(value)) - 2:
            return float(short)
        case dict():
            return {key: tidy(inner) for key, inner in value.items()}
        case list() | tuple():
            return [tidy(inner) for inner in value]
    return value


def same(a: Any, b: Any) -> bool:
    """Whether two values are written alike; 1 is not true, and 1.0 is 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def put(data: Any, path: Path, value: Any) -> Any:
    """The data with a value set at a path, or taken away where it is None; what lies beside the path is shared."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if not rest and value is None:
        if isinstance(data, dict):
            return {key: inner for key, inner in data.items() if key != step}
        return [inner for i, inner in enumerate(data) if i != step]
    if isinstance(step, int) and not isinstance(data, dict):
        items = data if isinstance(data, list) else []
        items = items if step < len(items) else [*items, None]
        return [put(inner, rest, value) if i == step else inner for i, inner in enumerate(items)]
    block = data if isinstance(data, dict) else {}
    return {**block, step: put(block.get(step), rest, value)}


def patched(text: str, patches: Iterable[Patch]) -> str:
    """The text with all patches put in; what is inserted at one place keeps its order."""
    pieces, at = [], 0
    for start, end, new in sorted(patches, key=lambda patch: patch[:2]):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def inline(value: Any, flow: bool = True) -> str:
    """A value on one line; within a ``flow`` of entries commas and brackets end a plain text."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            text = repr(value)
            return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(text, text.removesuffix(".0"))
        case dict():
            entries = (f"{inline(key)}: {inline(inner)}" for key, inner in value.items())
            return f"{{{', '.join(entries)}}}"
        case list():
            return f"[{', '.join(map(inline, value))}]"
    text = str(value)
    if why := not_held(text):
        raise EditError(why)
    plain = _PLAIN.fullmatch(text.replace(",", "") if not flow else text) and text == text.strip()
    return text if plain and _means_itself(text) else json.dumps(text, ensure_ascii=False)


def _means_itself(text: str) -> bool:
    try:
        return resolve(text) == text
    except ValueError:
        return False


def _lines(entries: Mapping[Any, Any], indent: int) -> Iterator[str]:
    """Entries of a block, a line each; long blocks within are written in the same way."""
    for key, value in entries.items():
        text = inline(value, flow=False)
        if isinstance(value, dict) and value and (len(text) > LONG or indent == 0):
            yield f"{' ' * indent}{inline(key)}:\n"
            yield from _lines(value, indent + 2)
        else:
            yield f"{' ' * indent}{inline(key)}: {text}\n"


class Edits:
    """The patches that bring a text to hold other data."""

    def __init__(self, reader: Reader, data: Any) -> None:
        self.reader, self.text, self.data = reader, reader.text, data

    def set(self, path: Path, value: Any) -> list[Patch]:
        """The patches that set a value, or take it away where it is None.

        Raises:
                EditError: the path leads nowhere, or the value holds what no file can.
        """
        old = self._at(path)
        if path in self.reader.spans:
            if value is None:
                return self._entries(path[:-1], [path[-1]], {})
            if same(old, value):
                return []
            if isinstance(old, dict) and isinstance(value, dict) and old.keys() & value.keys():
                return self._by_key(path, old, value)
            if isinstance(old, list) and isinstance(value, list) and old and value:
                return self._by_item(path, old, value)
            return self._replaced(path, value)
        if value is None:
            return []
        *_, step = path
        above = self._at(path[:-1])
        if isinstance(above, dict) and path[:-1] in self.reader.spans:
            return self._entries(path[:-1], [], {step: value})
        if isinstance(above, list) and step == len(above):
            return self._entries(path[:-1], [], {step: value})
        if isinstance(step, str) and not isinstance(above, list):
            return self.set(path[:-1], {step: value})
        if above is None and step == 0:
            return self.set(path[:-1], [value])
        doses = self.data.get("doses")
        levels = len(doses) if isinstance(doses, list) else 1
        if isinstance(above, int | float) and not isinstance(above, bool) and int(step) < levels:
            # one rate for all doses becomes one a dose
            return self.set(path[:-1], [value if i == step else above for i in range(levels)])
        raise EditError(f"nothing is stated at `{words.path_text(path[:-1])}` that has a part [{step}]")

    def _at(self, path: Path) -> Any:
        data = self.data
        for step in path:
            if isinstance(data, dict):
                data = data.get(step)
            elif isinstance(data, list) and isinstance(step, int) and step < len(data):
                data = data[step]
            else:
                return None
        return data

    def _in_flow(self, path: Path) -> bool:
        return any(self.reader.spans[path[:i]].form == "flow" for i in range(len(path)))

    def _line_end(self, at: int) -> int:
        """The end of a line, before its line break."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found

    def _replaced(self, path: Path, value: Any) -> list[Patch]:
        span = self.reader.spans[path]
        new = inline(value, self._in_flow(path))
        anchor = span.key_end if isinstance(path[-1], str) else self._dash(path)
        if "\n" not in self.text[anchor : span.start]:
            before = self.text[span.start - 1]
            if span.start == span.end and before not in " \n":  # nothing was written there
                new = f" {new}" if before in ":-" else f": {new}"
            return [(span.start, span.end, new)]
        # a block on the lines below: what is said beside the key stays
        first, last = self._line_end(anchor), self._line_end(span.end)
        return [(anchor, anchor, f" {new}"), (first, last, "")]

    def _dash(self, path: Path) -> int:
        """Behind the dash of an item; where there is none, where the value begins."""
        span = self.reader.spans[path]
        if self.reader.spans[path[:-1]].form != "block":
            return span.start
        return self._begin(path) + 1

    def _begin(self, path: Path) -> int:
        """Where an entry begins: at its key, its dash, or its value."""
        span, around = self.reader.spans[path], self.reader.spans[path[:-1]]
        step = path[-1]
        if isinstance(self._at(path[:-1]), dict) or around.form == "flow":
            return span.key
        if step == 0:
            return around.start
        before = self.reader.spans[(*path[:-1], int(step) - 1)].end
        column = around.start - (self.text.rfind("\n", 0, around.start) + 1)
        found = re.compile(rf"^ {{{column}}}-(?=\s|$)", re.M).search(self.text, self._line_end(before))
        return found.end() - 1 if found else span.start

    def _by_key(self, path: Path, old: dict[Any, Any], new: dict[Any, Any]) -> list[Patch]:
        """A block turned into another, key by key: what both have keeps its place and its comment."""
        kept = [key for key in old if key in new]
        inner = [patch for key in kept for patch in self.set((*path, key), new[key])]
        gone = [key for key in old if key not in new]
        added = {key: value for key, value in new.items() if key not in old}
        return inner + (self._entries(path, gone, added) if gone or added else [])

    def _by_item(self, path: Path, old: list[Any], new: list[Any]) -> list[Patch]:
        """A list turned into another: items changed in place, some left out, or more of them at the end."""
        if any(item is None and before is not None for item, before in zip(new, old, strict=False)):
            return self._replaced(path, new)
        if len(new) >= len(old):
            inner = [patch for i in range(len(old)) for patch in self.set((*path, i), new[i])]
            more = dict(enumerate(new[len(old) :], len(old)))
            return inner + (self._entries(path, [], more) if more else [])
        left, gone = list(new), []
        for i, item in enumerate(old):
            if left and same(item, left[0]):
                left.pop(0)
            else:
                gone.append(i)
        return self._replaced(path, new) if left else self._entries(path, gone, {})

    def _entries(self, path: Path, gone: list[Any], added: dict[Any, Any]) -> list[Patch]:
        """Entries of a block or list taken away, and others added behind those that stay."""
        span, here = self.reader.spans[path], self._at(path)
        steps = list(here) if isinstance(here, dict) else list(range(len(here)))
        kept = [step for step in steps if step not in gone]
        if not kept and (gone or span.form == "scalar"):
            empty: Any = added if isinstance(here, dict) else list(added.values())
            return self._replaced(path, empty) if path else [(span.start, span.end, inline(empty))]
        patches = []
        for i, j in _runs([step in gone for step in steps]):
            places = [(*path, step) for step in steps]
            after = self._begin(places[j]) if j < len(steps) else None
            patches.append(
                self._without(places[i - 1] if i else None, places[i], places[j - 1], after, span.form)
            )
        return patches + (self._added(path, kept, added) if added else [])

    def _without(self, before: Path | None, first: Path, last: Path, after: int | None, form: str) -> Patch:
        """A run of entries taken away; not all of the block, so that one stands before or after."""
        begin, end = self._begin(first), self.reader.spans[last].end
        line = self.text.rfind("\n", 0, begin) + 1
        if form == "block" and not self.text[line:begin].strip():
            return (line, min(self._line_end(end) + 1, len(self.text)), "")
        if after is not None:
            return (begin, after, "")
        assert before is not None
        return (self.reader.spans[before].end, end, "")

    def _added(self, path: Path, kept: list[Any], added: dict[Any, Any]) -> list[Patch]:
        span = self.reader.spans[path]
        named = isinstance(self._at(path), dict)
        if span.form == "flow":
            entries = (
                f"{inline(key)}: {inline(value)}" if named else inline(value) for key, value in added.items()
            )
            new = ", ".join(entries)
            if not kept:
                return [(span.start + 1, span.start + 1, new)]
            at = self.reader.spans[(*path, kept[-1])].end
            return [(at, at, f", {new}")]
        column = span.start - (self.text.rfind("\n", 0, span.start) + 1)
        if named:
            new = "".join(_lines(added, column))
        else:
            new = "".join(f"{' ' * column}- {inline(value, False)}\n" for value in added.values())
        if not path and any(isinstance(value, dict) for value in added.values()):
            new = f"\n{new}"  # the blocks of a file stand apart
        at = self._line_end(self.reader.spans[(*path, kept[-1])].end)
        if at == len(self.text):
            return [(at, at, f"\n{new.removesuffix(chr(10))}")]
        return [(at + 1, at + 1, new)]


def _runs(flags: list[bool]) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of each run of True."""
    begin = None
    for i, flag in enumerate([*flags, False]):
        if flag and begin is None:
            begin = i
        elif not flag and begin is not None:
            yield begin, i
            begin = None
