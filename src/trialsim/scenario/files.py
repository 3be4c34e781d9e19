"""Scenario files: YAML in, a Scenario or every problem with its line out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from trialsim.errors import DesignError, Problem, ScenarioError
from trialsim.scenario import words
from trialsim.scenario.analyses import impossible_analyses
from trialsim.scenario.changes import impossible_variants
from trialsim.scenario.digest import digest
from trialsim.scenario.faults import MAX_FINDINGS, Faults, Finding
from trialsim.scenario.model import Scenario
from trialsim.scenario.reading import MAX_BYTES, Reader
from trialsim.scenario.schema import json_schema, schema_text

__all__ = ["digest", "json_schema", "load", "load_with_text", "parse", "schema_text", "validate"]


def load(path: str | os.PathLike[str]) -> Scenario:
    """Read a scenario file.

    Args:
        path: of the file, YAML.

    Returns:
        The scenario, every default filled in.

    Raises:
        ScenarioError: with every problem of the file, each at its line.

    Examples:
        >>> scenario = trialsim.load(trialsim.examples("teaching"))
        >>> list(scenario.truth)
        ['inactive', 'active', 'active_lower_dose_weaker']
    """
    return load_with_text(path)[0]


def load_with_text(path: str | os.PathLike[str]) -> tuple[Scenario, str]:
    """A scenario and the text of its file, which is read once: an edit, or a pipe's end, cannot part them."""
    name = os.fsdecode(path)
    try:
        text = text_of(name)
        return parse(text, name), text
    except ScenarioError:
        if (held := _another(name)) and os.path.isfile(name):
            raise _refused(name, held, line=0) from None
        raise


_OTHERS = {
    (
        ".csv",
        ".tsv",
        ".xlsx",
        ".xls",
    ): "a table, not a scenario (YAML); a table of settings goes to `trialsim find KIND --settings FILE`",
    (
        ".html",
        ".md",
        ".docx",
        ".pdf",
        ".tex",
    ): "a text to be read, not a scenario (YAML); a folder of trialsim keeps its scenario beside the report",
    ("results.json",): "the results of a run, not a scenario (YAML), which its folder keeps beside them",
}
"""How the name of a file ends that is meant for something else, and what is said of it if it is no scenario."""


def _another(name: str) -> str:
    """What a file is by its name, where that is no scenario; "" where it may be one."""
    return next((words for ends, words in _OTHERS.items() if name.lower().endswith(ends)), "")


def text_of(name: str) -> str:
    """The text of a scenario file; ScenarioError says why it cannot be read."""
    try:
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        stated = re.fullmatch(r"[-\d:]+/\d+([\s,]+[-\d:]+/\d+)*", name)
        more = (
            "; cut-offs are given to `trialsim oc`, or with `analyse --design`; in a file they stand as design: "
            "{kind: simon, n1: 10, r1: 1, n: 29, r: 5}"
            if stated
            else ""
        )
        if os.path.isfile(f"{name}.yaml"):
            more = f"; did you mean {name}.yaml?"
        raise _refused(name, f"no such file{more}", line=0) from None
    except IsADirectoryError:
        inside = os.path.join(name, "scenario.yaml")
        more = f"; did you mean {inside}?" if os.path.isfile(inside) else ""
        raise _refused(name, f"this is a folder, not a scenario file{more}", line=0) from None
    except OSError as error:
        raise _refused(
            name, f"cannot be read: {(error.strerror or 'unknown reason').lower()}", line=0
        ) from None
    except ValueError:  # a NUL in the path itself
        raise _refused(name, "this cannot be the name of a file", line=0) from None
    return _decoded(content, name).removeprefix("\ufeff")


def parse(text: str, name: str = "scenario") -> Scenario:
    """A scenario from its text; ``name`` stands for the file in error messages.

    Raises:
        ScenarioError: with every problem of the text, each at its line.
    """
    try:
        # models are frozen, what they hold in mappings is not: nobody may change what others are handed
        return _parsed(text).model_copy(deep=True)
    except ScenarioError as error:
        raise ScenarioError(name, error.problems) from None


@lru_cache(
    maxsize=64
)  # a command reads its file, and once more whether the text it keeps is that of its scenario
def _parsed(text: str) -> Scenario:
    reader = reader_of(text)
    data = reader.read()
    scenario, findings = by_the_models(data)
    findings += unknown_sources(data)
    if scenario is not None:
        findings += asked_of(scenario)
    problems = in_lines(reader, findings)
    if scenario is None or problems:
        raise ScenarioError("", problems)
    return scenario


def reader_of(text: str) -> Reader:
    """The reader of a text, which has one kind of line end, so that lines are counted as editors count them."""
    return Reader(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


def by_the_models(data: Any) -> tuple[Scenario | None, list[Finding]]:
    """The scenario that the models make of a file's data, or what they find wrong there."""
    if not isinstance(data, dict):
        return None, []
    try:
        return Scenario.model_validate(data), []
    except ValidationError as error:
        faults = Faults(json_schema())
        return None, faults.explain(data, error.errors(include_url=False, include_input=False))


def unknown_sources(data: Any) -> list[Finding]:
    """The keys of ``sources`` that name no input of a file."""
    return Faults(json_schema()).unknown_sources(data) if isinstance(data, dict) else []


def asked_of(scenario: Scenario) -> list[Finding]:
    """What is wrong with the changed scenarios that a scenario asks for, its variants and its analyses."""
    return [*impossible_variants(scenario), *impossible_analyses(scenario)]


def in_lines(reader: Reader, findings: Iterable[Finding]) -> list[Problem]:
    """Everything wrong with a text, each at its line."""
    problems = sorted({*reader.problems, *map(reader.located, findings)})
    if len(problems) > MAX_FINDINGS:
        line = problems[MAX_FINDINGS].line
        problems[MAX_FINDINGS:] = [
            Problem(line, "", f"only {MAX_FINDINGS} problems are listed; there are more")
        ]
    return problems


def at_its_line(error: DesignError, name: str, text: str) -> str:
    """What was found wrong when a scenario was compiled, at the line of the key that it begins with, if it does."""
    from trialsim.designs.target import NoDesign

    said = f"design: {error}" if isinstance(error, NoDesign) else str(error)
    key, _, what = said.partition(": ")
    reader, steps = reader_of(text), words.steps(key)
    data = reader.read()
    if not what or not isinstance(data, dict) or steps[0] not in data:
        return f"error: {said}"
    return reader.located(Finding(steps, what)).located(name)


def validate(path: str | os.PathLike[str]) -> tuple[Problem, ...]:
    """The problems of a scenario file.

    Args:
        path: of the file, YAML.

    Returns:
        Every problem with its line, key and what is allowed there; empty when the file can be used.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> trialsim.validate(path)
        ()
    """
    try:
        load(path)
    except ScenarioError as error:
        return error.problems
    return ()


def _refused(name: str, message: str, line: int = 1) -> ScenarioError:
    return ScenarioError(name, [Problem(line, "", message)])


def _decoded(content: bytes, name: str) -> str:
    """Text from bytes, refusing what is not UTF-8."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refused(name, "this file is UTF-16; save it as UTF-8")
    if b"\0" in content:
        raise _refused(name, "this is not a text file", content[: content.index(b"\0")].count(b"\n") + 1)
    if len(content) > MAX_BYTES:
        raise _refused(name, f"longer than {MAX_BYTES // 1000} kB: not a scenario file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(
            name, f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8", line
        ) from None
