"""A design in whatever way it is stated: in a few signs, as a block, by its kind and keys, in a file, in a scenario."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from pydantic import ValidationError

from trialsim.codes import FUTILE, GO
from trialsim.designs.alone import written
from trialsim.designs.rules import Looks
from trialsim.errors import DesignError, TrialsimError
from trialsim.inference.attained import two_stage
from trialsim.inference.design_text import looks_from
from trialsim.scenario import words
from trialsim.scenario.faults import Faults
from trialsim.scenario.files import parse, text_of
from trialsim.scenario.model import Scenario
from trialsim.scenario.reading import Reader
from trialsim.scenario.schema import json_schema

AROUND: dict[str, Any] = {
    "schema": 1,
    "name": "design",
    "endpoint": "response",
    "truth": {"stated": {"response": 0.5, "toxicity": 0.5}},
}
"""The rest of the scenario in which a block is read."""


@dataclass(frozen=True)
class Stated:
    """A design as it was stated, and what it compiles to.

    Attributes:
        name: its short form; where it has none, what it was called.
        spec: its block; None where it was written in a few signs.
    """

    name: str
    looks: Looks
    spec: Any = None

    def get(self, key: str) -> Any:
        """A key of its block; None where there is none."""
        return getattr(self.spec, key, None)


def stated(design: str | os.PathLike[str] | Mapping[str, Any] | Scenario, **missing: Any) -> Stated:
    """Read a design.

    Args:
        design: ``"1/10 5/29"``; a block, as a mapping or as YAML (``"{kind: gehan, ...}"``); a scenario, or its
            YAML; the path (.yaml, .yml) of a file that holds a scenario or a block.
        missing: keys to be given to a block of a design that takes them and does not state them.

    Raises:
        DesignError: it cannot be read, or is impossible.
        ScenarioError: so is the file.
    """
    if isinstance(design, Scenario):
        return _of(_of_scenario(design))
    if isinstance(design, Mapping):
        return _of(_block(dict(design), missing))
    text = os.fspath(design).strip()
    if text.endswith((".yaml", ".yml")) and "\n" not in text:
        return _of(_in_text(text_of(text), text, missing))
    if "{" in text or "\n" in text:
        return _of(_in_text(text, "design", missing))
    looks = looks_from(text)
    return Stated(written(looks), looks)


def _of(spec: Any) -> Stated:
    looks = spec.compile()
    short = written(looks)
    return Stated(spec.kind if "?" in short or len(looks.n) > 8 else short, looks, spec)


def _of_scenario(scenario: Scenario) -> Any:
    """The one design of a scenario."""
    if scenario.designs:
        raise DesignError(
            "`cohorts.designs`: cohorts have designs of their own; state the block of one, such as {kind: simon, ...}"
        )
    return scenario.design


def _in_text(text: str, name: str, missing: Mapping[str, Any]) -> Any:
    """The design of a scenario, or the block that is all that a text holds; ``name`` is that of its file."""
    if re.search(r"^design\s*:", text, re.MULTILINE):
        return _of_scenario(parse(text, name))
    reader = Reader("design:\n" + indent(text.replace("\r\n", "\n").replace("\r", "\n"), "  "))
    data = reader.read()
    if reader.problems:
        raise DesignError(f"{name}: the block cannot be read: {reader.problems[0].message}")
    return _block(data["design"], missing)


def _block(block: Any, missing: Mapping[str, Any]) -> Any:
    """A design's block as its model; what is wrong with it in the words that a scenario file is answered with."""
    if not isinstance(block, dict) or "kind" not in block:
        raise DesignError("a design's block states its kind: {kind: simon, n1: 10, r1: 1, n: 29, r: 5}")
    full = {**AROUND, "design": block}
    taken = _keys(block["kind"])
    full["design"] = {**{k: v for k, v in missing.items() if v is not None and k in taken}, **block}
    try:
        return Scenario.model_validate(full).design
    except ValidationError as error:
        findings = Faults(json_schema()).explain(full, error.errors(include_url=False, include_input=False))
        finding = findings[0]
        at = words.path_text(finding.path).removeprefix("design").lstrip(".")
        raise DesignError(f"{at}: {finding.message}" if at else finding.message) from None


def _keys(kind: Any) -> set[str]:
    """The keys that a kind of design takes."""
    mapping = json_schema()["properties"]["design"]["discriminator"]["mapping"]
    if kind not in mapping:
        return set()
    return set(json_schema()["$defs"][mapping[kind].rpartition("/")[2]]["properties"])


def as_scenario(
    design: str, p0: float | None, p1: float | None, rates: Sequence[float] = ()
) -> tuple[Scenario, str]:
    """A scenario of a design written in a few signs or as a block, and its text; its cases are p0, p1 and ``rates``."""
    if p0 is None or p1 is None:
        raise TrialsimError("--design needs --p0 and --p1, the response rates under which it is put")
    signs = design.replace("−", "-")
    text = scenario_text(signs, p0, p1, rates)
    return parse(text, signs), text


def scenario_text(design: str, p0: float, p1: float, rates: Sequence[float] = ()) -> str:
    """A scenario file of a design written in a few signs or as a block, under p0, p1 and other rates as its cases."""
    block = design if "{" in design else json.dumps(as_block(looks_from(design), p0, p1))
    named = {f"rate_{rate:g}".replace(".", "_"): rate for rate in rates if rate not in (p0, p1)}
    cases = {"p0": p0, "p1": p1, **named}
    return (
        f"schema: 1\nname: {json.dumps(design)}\nendpoint: response\ndesign: {block}\n"
        f"truth: {json.dumps({name: {'response': rate} for name, rate in cases.items()})}\n"
    )


def as_block(looks: Looks, p0: float, p1: float) -> dict[str, Any]:
    """The block of a design that was written in a few signs."""
    rates = {"p0": p0, "p1": p1}
    stop = [row.count(FUTILE) - 1 for row in looks.next]
    go = [n - row.count(GO) for n, row in zip(looks.n, looks.next, strict=True)]
    if len(looks.n) == 1:
        return {"kind": "single_stage", **rates, "n": looks.n[0], "r": stop[0]}
    if (design := two_stage(looks)) and design.r1 >= 0:
        return {"kind": "simon", **rates, **vars(design)}
    early = [None if above >= n else above for above, n in zip(go[:-1], looks.n, strict=False)]
    return {
        "kind": "multistage",
        **rates,
        "n": list(looks.n),
        "stop_le": [None if r < 0 else r for r in stop],
        "go_gt": early,
    }
