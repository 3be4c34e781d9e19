"""Every field of every results.json stands on docs/results.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.golden.test_configs import PICTURED, results_of
from tests.helpers import ANSWERS, ROOT, results_in
from trialsim.quantities import QUANTITIES
from trialsim.scenario.schema import schema_text

Place = tuple[str, ...]

PAGE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
OPEN = {"NAME", "COLUMN", "PATH"}
"""Parts of a listed field that stand for any word."""


def listed(page: str) -> set[Place]:
    """The fields that the tables of the page list: ``a.{b, c}[]`` is (a, b) and (a, c)."""
    fields: set[Place] = set()
    for cell in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE):
        for field in re.findall(r"`([^`]+)`", cell):
            parts = [re.split(r", *", part.strip("{}")) for part in field.replace("[]", "").split(".")]
            fields |= set(product(*parts))
    return fields


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where every value of a file stands; entries of a list stand where the list does."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*place, key))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from places(inner, place)
    else:
        yield place


KEYS = {
    key
    for block in [json.loads(schema_text()), *json.loads(schema_text())["$defs"].values()]
    for key in block.get("properties", {})
}
QUANTITY = re.compile(
    "|".join(re.sub(r"\d+", r"\\d+", re.escape(name)) for q in QUANTITIES for name in q.names(2, 2))
)


def stands_for(part: str, key: str) -> bool:
    return (
        part == key
        or part in OPEN
        or (part == "KEY" and key in KEYS)
        or (part == "QUANTITY" and QUANTITY.fullmatch(key) is not None)
    )


def unlisted(found: dict[str, Any], fields: set[Place]) -> set[Place]:
    """Fields of a file that no listed field stands for; the analyses of a run are those of ``sensitivity``.

    What is null or empty may be where a listed field would have more below it.
    """
    there = {place[1:] if place[0] == "sensitivity" else place for place in places(found)}
    return {
        place
        for place in there
        if not any(len(place) <= len(field) and all(map(stands_for, field, place)) for field in fields)
    }


@pytest.mark.parametrize("name", ANSWERS)
def test_every_field_of_an_answer_is_listed(name: str, answers: dict[str, Path]) -> None:
    assert unlisted(results_in(answers[name]), listed(PAGE)) == set()


@pytest.mark.parametrize("name", PICTURED)
def test_every_field_of_a_run_is_listed(name: str) -> None:
    assert "figures" in results_of(name)
    assert unlisted(results_of(name), listed(PAGE)) == set()


def test_the_fields_of_history_and_prior_are_listed() -> None:
    found = results_of("dasatinib-history")
    assert {"history", "prior"} <= found.keys()
    assert unlisted(found, listed(PAGE)) == set()


def test_a_field_that_is_not_listed_is_noticed() -> None:
    fields = listed("| `cases.NAME.{exact, z}.QUANTITY` | x |\n| `schema` | y |\n")
    assert unlisted({"schema": 1, "cases": {"active": {"z": {"p_go": 0.1}}}}, fields) == set()
    assert unlisted({"schema": 1, "new": 2}, fields) == {("new",)}
    assert unlisted(json.loads('{"cases": {"a": {"exact": {"p_goo": 1}}}}'), fields) == {
        ("cases", "a", "exact", "p_goo")
    }
