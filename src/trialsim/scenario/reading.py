"""The text of a scenario file as plain data, read as YAML 1.2 (core schema), every key and value with its line.

Nothing in a file is ever executed, repeated or merged: tags, anchors, aliases and merge keys are refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from copy import copy
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from trialsim.errors import Problem
from trialsim.scenario import words
from trialsim.scenario.faults import MAX_FINDINGS, UNREADABLE, Finding, Path

MAX_BYTES = 500_000
MAX_DEPTH = 20
MAX_NODES = 50_000
MAX_DIGITS = 40

# What XML 1.0 and HTML cannot carry, and the line separators that editors do not count as lines.
_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Marks that are not seen and turn the direction of what follows: a report's numbers would be read backwards."""
_FORBIDDEN = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_TURNS}\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"
)

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

# YAML 1.2 core schema, section 10.3.2 of the specification.
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_COUNTED = re.compile(r"(^|\.)(design\.looks\[\d+\]\.next|dose_reduction\.(rule|rules\[\d+\])\.boundary)$")
"""Where keys are counts: of responses in a pasted table of decisions, of patients in a pasted boundary."""
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def value_of(text: str, key: str = "value") -> Any:
    """One value as it would be written in a scenario file at ``key``, on one line: a number, ``[0.15, 0.08]``.

    Raises:
        ValueError: with the reason, where it cannot be read.
    """
    if "\n" in text or "\r" in text:
        raise ValueError("a value stands on one line")
    reader = Reader(f"{json.dumps(key)}: {text.strip()}")
    data = reader.read()
    if reader.problems:
        raise ValueError(reader.problems[0].message)
    return data[key]


class Span(NamedTuple):
    """Where in the text a value stands, from ``start`` to before ``end``, comments not counted."""

    start: int
    end: int
    key: int
    """Where its key begins; of the whole and of an item of a list, where the value does."""
    key_end: int
    """Behind the key and its colon; of the whole and of an item of a list, where the value begins."""
    form: str
    """``scalar``, or a ``flow`` or ``block`` of entries."""


class _Broken(Exception):
    """The text cannot be read beyond this problem."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(line, "", message)


class Reader:
    """YAML events to plain data, keeping the line of every key and every value, and their places in the text.

    What can be read around is noted in ``problems`` and stands in the data as UNREADABLE.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self._lines: dict[Path, int] = {}
        self._key_lines: dict[Path, int] = {}
        self.spans: dict[Path, Span] = {}
        self._nodes = 0
        self._end = 0

    def read(self) -> Any:
        """The data of the one document; UNREADABLE when there is none to check."""
        if len(self.text) > MAX_BYTES:
            self._note(1, (), f"longer than {MAX_BYTES // 1000} kB: not a scenario file")
            return UNREADABLE
        for found in _FORBIDDEN.finditer(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            self._note(line, (), _cannot_hold(found))
            if len(self.problems) > MAX_FINDINGS:
                break
        if self.problems:
            return UNREADABLE
        try:
            data = self._document()
        except _Broken as broken:
            self.problems.append(broken.problem)
            return UNREADABLE
        if data is not UNREADABLE and not isinstance(data, dict):
            line = self._lines.get((), 1)
            held = words.shown(data)
            self._note(line, (), f"a scenario is a block of `key: value` lines; this file holds {held}")
        return data

    def located(self, finding: Finding) -> Problem:
        """A finding at the line of its path, or of the nearest block around it that is in the file."""
        path, lines = finding.path, self._key_lines if finding.at_key else self._lines
        while path and path not in lines:
            path, lines = path[:-1], self._lines
        return Problem(lines.get(path, 1), words.path_text(finding.path), finding.message)

    def rewritten(self, path: Path, value: str) -> Reader:
        """As if read anew, after the text of a scalar at ``path`` was replaced by that of another on the same line."""
        start, end = self.spans[path][:2]
        moved = len(value) - (end - start)
        other = copy(self)
        other.text = self.text[:start] + value + self.text[end:]
        other.spans = {
            at: span
            if span.end < end
            else Span(
                span.start + moved * (span.start >= end),
                span.end + moved,
                span.key + moved * (span.key >= end),
                span.key_end + moved * (span.key_end >= end),
                span.form,
            )
            for at, span in self.spans.items()
        }
        return other

    # -- events

    def _events(self) -> Iterator[Event]:
        """ruamel's events; whatever it stumbles over, in plain words."""
        events = YAML(typ="safe", pure=True).parse(self.text)
        line = 1
        while True:
            try:
                event = next(events, None)
            except MarkedYAMLError as error:
                raise _broken(error, line) from None
            except (YAMLError, ValueError, OverflowError):
                # numbers in escapes and directives that are no character and no version
                raise _Broken(
                    line, "this is not YAML: an escape or directive has an impossible number"
                ) from None
            if event is None:
                return
            line = event.end_mark.line + 1
            yield event

    def _document(self) -> Any:
        events = self._events()
        data: Any = None
        documents = 0
        for event in events:
            line = _line(event)
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Broken(line, "a second document begins here; one file is one scenario")
                if event.tags or event.version not in (None, (1, 2)):
                    raise _Broken(line, "only `%YAML 1.2` may stand before the content of a scenario file")
            elif isinstance(event, NodeEvent):
                self._lines[()] = line
                data = self._node(event, events, ())
        if not documents:
            self._note(1, (), "the file is empty")
            return UNREADABLE
        return data

    def _node(self, event: Event, events: Iterator[Event], path: Path) -> Any:
        line = _line(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _Broken(line, f"more than {MAX_NODES} values: not a scenario file")
        if len(path) > MAX_DEPTH:
            raise _Broken(line, f"nested more than {MAX_DEPTH} levels deep")
        start, self._end = event.start_mark.index, event.end_mark.index
        self.spans[path] = Span(start, self._end, start, start, "scalar")
        if isinstance(event, AliasEvent):
            self._note(
                line, path, f"`*{words.clip(event.anchor)}` repeats another value; write the value out"
            )
            return UNREADABLE
        if isinstance(event, NodeEvent) and event.anchor is not None:
            self._note(line, path, f"the anchor `&{words.clip(event.anchor)}` is not allowed; leave it out")
        data = self._content(event, events, path)
        flow = getattr(event, "flow_style", None)
        form = "scalar" if flow is None else "flow" if flow else "block"
        self.spans[path] = Span(start, self._end, start, start, form)
        if (tag := getattr(event, "tag", None)) is not None:
            short = words.clip(str(tag).replace("tag:yaml.org,2002:", "!!"))
            self._note(line, path, f"the tag `{short}` is not allowed; leave it out")
            return UNREADABLE
        return data

    def _content(self, event: Event, events: Iterator[Event], path: Path) -> Any:
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, events, path)
        if isinstance(event, SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := next(events), SequenceEndEvent):
                here = (*path, len(items))
                self._lines.setdefault(here, _line(item))
                items.append(self._node(item, events, here))
            if event.flow_style:
                self._end = item.end_mark.index
            return items
        assert isinstance(event, ScalarEvent)
        # a text of several lines (`|`) reaches to the next entry
        self._end = event.start_mark.index + len(
            self.text[event.start_mark.index : event.end_mark.index].rstrip()
        )
        return self._scalar(event, path)

    def _mapping(self, begin: MappingStartEvent, events: Iterator[Event], path: Path) -> Any:
        block: dict[str | int, Any] = {}
        refused = False
        while not isinstance(event := next(events), MappingEndEvent):
            line, problems = _line(event), len(self.problems)
            key = self._node(event, events, (*path, "?"))
            if len(self.problems) == problems:
                text = event.value if isinstance(event, ScalarEvent) else ""
                key = self._checked_key(key, text, line, path, block)
            usable = len(self.problems) == problems
            here = (*path, key) if usable else (*path, "?")
            if usable:
                self._key_lines.setdefault(here, line)
            value_event = next(events)
            stated = isinstance(value_event, ScalarEvent) and value_event.value != ""
            self._lines.setdefault(here, _line(value_event) if stated else line)
            key_start, key_end = event.start_mark.index, self._end
            value = self._node(value_event, events, here)
            span = self.spans[here]
            colon = self.text.find(":", key_end, max(span.start, key_end + 1)) + 1 or key_end
            if span.start == span.end:  # nothing is written: the next entry's place is told
                span = span._replace(start=colon, end=colon)
                self._end = colon
            self.spans.pop((*path, "?"), None)
            self.spans[here] = span._replace(key=key_start, key_end=colon)
            if usable:
                block[key] = value
            else:
                refused = True
        if begin.flow_style:
            self._end = event.end_mark.index
        nothing = refused and not block and (path == ("truth",) or path[-1:] == ("boundary",))
        return UNREADABLE if nothing else block

    def _checked_key(self, key: Any, text: str, line: int, path: Path, block: dict[str | int, Any]) -> Any:
        # a pasted table counts responses, a pasted boundary patients: whole numbers, which JSON writes as text
        counts = re.search(_COUNTED, words.path_text(path))
        if counts and not isinstance(key, bool) and re.fullmatch(r"[0-9]{1,9}", str(key)):
            key = int(key) if path[0] in ("design", "dose_reduction") else str(int(key))
        last, before = next(reversed(block.items()), ("", None))
        if isinstance(key, dict | list) or (key is None and not text):
            self._note(line, path, f"a key must be a word, not {words.shown(key)}")
        elif key is None or isinstance(key, bool):
            means = "nothing" if key is None else words.shown(key)
            self._note(line, path, f'`{text}` means {means} in YAML; as a name put it in quotes: "{text}"')
        elif counts and not str(key).isdecimal():
            what = "responses: write 0" if path[-1] == "next" else "patients: write 3, 6"
            rest = "1, 2, ..." if path[-1] == "next" else "9, ..."
            self._note(line, path, f"{words.shown(key)} is not a number of {what}, {rest}")
        elif (
            not counts and text.isdecimal() and type(before) is int and line == self._key_lines[(*path, last)]
        ):
            self._note(line, (*path, last), f"a comma ends a value here; write {before}.{text}, with a point")
            block[last] = UNREADABLE
        elif not counts and not isinstance(key, str):
            self._note(line, path, f"the key {words.shown(key)} is not a word; a name starts with a letter")
        elif key == "<<":
            self._note(line, path, "the merge key `<<` is not allowed; write the keys out")
        elif key in block:
            first = self._key_lines[(*path, key)]
            self._note(line, (*path, key), f"given twice; the first is on line {first}")
        return key

    def _scalar(self, event: ScalarEvent, path: Path) -> Any:
        text: str = event.value
        if event.tag is None and event.implicit[0]:  # written without quotes
            try:
                return resolve(text)
            except ValueError as reason:
                self._note(_line(event), path, str(reason))
                return UNREADABLE
        # JSON writes what lies beyond the BMP as two escapes
        text = _PAIR.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)
        if found := _FORBIDDEN.search(text):  # from an escape such as "\\x07"
            self._note(_line(event), path, _cannot_hold(found))
            return UNREADABLE
        return text

    def _note(self, line: int, path: Path, message: str) -> None:
        known = path[: path.index("?")] if "?" in path else path
        self.problems.append(Problem(line, words.path_text(known), message))


def resolve(text: str) -> bool | int | float | str | None:
    """What a value written without quotes stands for: nothing, true or false, a number, or else text.

    Raises:
        ValueError: with the reason, for numbers that no computation could use.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that can be used")
    whole, real = _INT.fullmatch(text), _FLOAT.fullmatch(text)
    if (whole or real) and len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters; at most {MAX_DIGITS} are read")
    if whole:
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if real:
        number = float(text)
        if math.isinf(number):
            raise ValueError(f"{text} is too large a number")
        return number
    return text


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def not_held(text: str) -> str:
    """Why a scenario file cannot hold a text, or ""."""
    found = _FORBIDDEN.search(text)
    return _cannot_hold(found) if found else ""


def _cannot_hold(found: re.Match[str]) -> str:
    why = " (it is not seen, and turns the text after it)" if re.match(f"[{_TURNS}]", found.group()) else ""
    return f"the character U+{ord(found.group()):04X}{why} cannot be part of a scenario file: leave it out"


def _broken(error: MarkedYAMLError, line: int) -> _Broken:
    """ruamel's complaint, at the line where the trouble begins: where a quote was opened, if one was."""
    problem, opened = str(error.problem or error.context or ""), error.context_mark
    if error.problem_mark is not None:
        line = error.problem_mark.line + 1
    if opened is None or opened.line + 1 == line or "block" in str(error.context):
        return _Broken(line, words.yaml_fault(problem))
    if "stream end" in problem or "end of stream" in problem or "simple key" in str(error.context):
        return _Broken(opened.line + 1, words.yaml_fault(problem))
    return _Broken(line, f"{words.yaml_fault(problem)} (opened on line {opened.line + 1})")
