"""Scenario files: YAML in, a Scenario or every problem with its line out."""

from __future__ import annotations

import os
import re

from pydantic import ValidationError

from trialsim.errors import Problem, ScenarioError
from trialsim.scenario.analyses import impossible_analyses
from trialsim.scenario.changes import impossible_variants
from trialsim.scenario.digest import digest
from trialsim.scenario.faults import MAX_FINDINGS, Faults, Finding
from trialsim.scenario.model import Scenario
from trialsim.scenario.reading import Reader
from trialsim.scenario.schema import json_schema, schema_text

__all__ = ["digest", "json_schema", "load", "load_with_text", "parse", "schema_text", "validate"]

MAX_BYTES = 500_000


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
    text = text_of(name)
    return parse(text, name), text


def text_of(name: str) -> str:
    """The text of a scenario file; ScenarioError says why it cannot be read."""
    try:
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        stated = re.fullmatch(r"[-\d:]+/\d+([\s,]+[-\d:]+/\d+)*", name)
        more = "; cut-offs are given to `trialsim oc`, or with `analyse --design`" if stated else ""
        if os.path.isfile(f"{name}.yaml"):
            more = f"; did you mean {name}.yaml?"
        raise _refused(name, f"no such file{more}") from None
    except IsADirectoryError:
        raise _refused(name, "this is a folder, not a scenario file") from None
    except OSError as error:
        raise _refused(name, f"cannot be read: {(error.strerror or 'unknown reason').lower()}") from None
    except ValueError:  # a NUL in the path itself
        raise _refused(name, "this cannot be the name of a file") from None
    return _decoded(content, name).removeprefix("\ufeff")


def parse(text: str, name: str = "scenario") -> Scenario:
    """A scenario from its text; ``name`` stands for the file in error messages.

    Raises:
        ScenarioError: with every problem of the text, each at its line.
    """
    if len(text) > MAX_BYTES:
        raise _refused(name, f"longer than {MAX_BYTES // 1000} kB: not a scenario file")
    # one kind of line end, so that the lines counted here are those of an editor
    reader = Reader(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    data = reader.read()
    scenario: Scenario | None = None
    findings: list[Finding] = []
    if isinstance(data, dict):
        faults = Faults(json_schema())
        try:
            scenario = Scenario.model_validate(data)
        except ValidationError as error:
            findings = faults.explain(data, error.errors(include_url=False, include_input=False))
        findings += faults.unknown_sources(data)
        if scenario is not None:
            findings += [*impossible_variants(scenario), *impossible_analyses(scenario)]
    problems = sorted({*reader.problems, *map(reader.located, findings)})
    if scenario is not None and not problems:
        return scenario
    if len(problems) > MAX_FINDINGS:
        line = problems[MAX_FINDINGS].line
        problems[MAX_FINDINGS:] = [
            Problem(line, "", f"only {MAX_FINDINGS} problems are listed; there are more")
        ]
    raise ScenarioError(name, problems)


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
