"""The text of a scenario while it is worked on: what is wrong with it, and one value after another changed in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from trialsim.errors import Problem
from trialsim.page import leftovers
from trialsim.page.edits import EditError, Edits, patched, put, tidy
from trialsim.page.keys import node_at, typed
from trialsim.scenario import words
from trialsim.scenario.faults import Finding, Path
from trialsim.scenario.files import asked_of, by_the_models, in_lines, reader_of, unknown_sources
from trialsim.scenario.model import Scenario
from trialsim.scenario.reading import MAX_BYTES, MAX_DIGITS, Reader, value_of


@dataclass(frozen=True)
class Draft:
    """A scenario's text and what it says; never an error, however bad the text is.

    ``data`` is what the text holds as plain data, {} where it cannot be read. ``scenario`` is there where there are no
    ``problems``; those of variants and analyses, which take long, are found by ``checked``.
    """

    text: str
    name: str
    data: dict[str, Any] = field(repr=False)
    problems: tuple[Problem, ...]
    scenario: Scenario | None = field(repr=False)
    _reader: Reader = field(repr=False, compare=False)
    _sources: list[Finding] = field(repr=False, compare=False)
    """The keys of ``sources`` that name no input."""
    crlf: bool = field(default=False, compare=False)
    """Whether lines end as they do under Windows in the file that the text comes from."""
    told: str = field(default="", compare=False)
    """What went out of the text with the last change, in words."""

    @classmethod
    def of(cls, text: str, name: str = "scenario.yaml", *, crlf: bool | None = None) -> Draft:
        """The draft of a text; ``name`` stands for its file.

        Line ends are ``\\n`` while it is worked on, and in ``file`` what they were; ``crlf`` says so of a text without.
        """
        reader = reader_of(text)
        data = reader.read()
        made = cls._made(reader, data, name, unknown_sources(data))
        return replace(made, crlf=2 * text.count("\r\n") > text.count("\n") if crlf is None else crlf)

    @property
    def file(self) -> str:
        """The text with the line ends of its file."""
        return self.text.replace("\n", "\r\n") if self.crlf else self.text

    @classmethod
    def _made(cls, reader: Reader, data: Any, name: str, sources: list[Finding]) -> Draft:
        scenario, findings = by_the_models(data)
        problems = tuple(in_lines(reader, [*findings, *sources]))
        # what the models accept is kept though the reader may have more to say: `checked` asks it further
        stated = data if isinstance(data, dict) else {}
        return cls(reader.text, name, stated, problems, None if problems else scenario, reader, sources)

    def checked(self) -> Draft:
        """This draft with the problems of its variants and analyses too: all that ``trialsim.validate`` finds."""
        scenario, findings = (self.scenario, []) if self.scenario else by_the_models(self.data or None)
        if scenario is None:
            return self
        asked = asked_of(scenario)
        if not asked:
            return self
        problems = tuple(in_lines(self._reader, [*findings, *self._sources, *asked]))
        return replace(self, problems=problems, scenario=None)

    def line(self, path: str | Path) -> int:
        """The line of a value, or of the nearest block around it that is in the text."""
        return self._reader.located(Finding(_steps(path), "")).line

    def edited(self, path: str | Path, value: Any) -> Draft:
        """The draft with one value set, all else in the text as it was.

        Args:
            path: as in messages: ``truth.active.response[0]``, ``design.kind``; or its steps.
            value: plain data; None takes the key or item away.

        Returns:
            The new draft. What cannot be edited leaves the text as it is, and is told as a problem.
        """
        steps = _steps(path)
        if not steps:
            return self.refused(steps, "no key is named")
        return self._edited(steps, tidy(value))

    def edited_text(self, path: str | Path, text: str) -> Draft:
        """As ``edited``, with the value as it is typed in a box; nothing typed takes the key away."""
        steps = _steps(path)
        try:
            value = value_of(typed(text, node_at(self.data, steps)), words.path_text(steps))
        except (ValueError, EditError) as reason:
            return self.refused(steps, str(reason))
        return self.edited(steps, value)

    def holding(self, data: dict[str, Any]) -> Draft:
        """The draft with a text that holds other data; what is the same in both stays as it is written."""
        return self._edited((), tidy(data))

    def _edited(self, path: Path, value: Any) -> Draft:
        if not self.data:
            return self.refused(path, "the text cannot be read; mend it by hand first")
        try:
            patches = Edits(self._reader, self.data).set(path, value)
        except EditError as error:
            return self.refused(path, str(error))
        if not patches:
            return self
        if self._stays_in_place(path, value, new := patches[0][2]):
            reader = self._reader.rewritten(path, new)
            made = self._made(reader, put(self.data, path, value), self.name, self._sources)
            return replace(made, crlf=self.crlf)
        draft = Draft.of(patched(self.text, patches), self.name, crlf=self.crlf)
        return draft._cleared(self) if isinstance(value, dict) and path in ((), ("design",)) else draft

    def _cleared(self, before: Draft) -> Draft:
        """The draft without what belonged to values that another block of values has replaced."""
        gone = leftovers.sources(self._sources, before._sources)
        stale = leftovers.comments(self._reader, before.data.get("design"), self.data.get("design"))
        patches = stale + (leftovers.without_sources(self._reader, self.data, gone) if gone else [])
        if not patches:
            return self
        made = Draft.of(patched(self.text, patches), self.name, crlf=self.crlf)
        return replace(made, told=leftovers.told(gone, len(stale)))

    def _stays_in_place(self, path: Path, value: Any, new: str) -> bool:
        """Whether a value takes the place of another on one line, so that all else is known already."""
        span = self._reader.spans.get(path)
        if span is None or span.form != "scalar" or span.start == span.end or self._reader.problems:
            return False
        lines = "\n" in self.text[span.start : span.end]
        simple = isinstance(value, int | float) or (isinstance(value, str) and not new.startswith('"'))
        fits = len(new) <= MAX_DIGITS and len(self.text) + len(new) <= MAX_BYTES
        return simple and fits and not lines and ".inf" not in new and new != ".nan"

    def refused(self, path: Path, message: str) -> Draft:
        """The draft as it is, with a problem at a path: why a move was not made."""
        problem = Problem(self.line(path), words.path_text(path), message)
        return replace(self, problems=tuple(sorted({*self.problems, problem})), scenario=None)


def _steps(path: str | Path) -> Path:
    return words.steps(path) if isinstance(path, str) else tuple(path)
