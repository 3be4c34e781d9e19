"""A draft: what is wrong with a text, as ``files.parse`` says it, and edits that leave every other character alone."""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.helpers import FILES
from tests.property.test_malformed import TEXTS
from trialsim.errors import ScenarioError
from trialsim.page.draft import Draft
from trialsim.page.starts import NEW_TRIAL
from trialsim.scenario import files
from trialsim.scenario.reading import Reader

BY_NAME = {path.stem: path.read_text(encoding="utf-8") for path in FILES}
DASATINIB = BY_NAME["dasatinib"]

BAD = (
    "",
    "a: [1",
    "- 1\n- 2\n",
    "design: &x {kind: simon}\n",
    "design: *x\n",
    "{schema: 1, name: a, name: b}\n",
    "schema: 1\nname: \x07\n",
    "x" * (files.MAX_BYTES + 1),
    DASATINIB.replace("p0: 0.05", "p0: 0,05"),
    DASATINIB.replace("limit: 0.30", "limit: .nan"),
    DASATINIB.replace("odds_ratio: 1,", "odds_ratio: 1, odds_ratio: 2,"),
    DASATINIB.replace("conduct.accrual.per_month: 8", "conduct.accrual.per_month: -8"),
    DASATINIB.replace("quantity: duration_months", "quantity: duration", 1),
    DASATINIB.replace("  design: {assumed", "  desing: {assumed"),
)


def data_of(text: str) -> Any:
    reader = Reader(text)
    data = reader.read()
    assert not reader.problems
    return data


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path of the data but the topmost."""
    if path:
        yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, below in inner:
        yield from leaves(below, (*path, step))


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def with_value(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The data with one value set, worked out on the data alone."""
    data = deepcopy(data)
    *way, last = path
    above = at(data, tuple(way))
    if value is None:
        del above[last]
    else:
        above[last] = value
    return data


def changed_lines(before: str, after: str) -> list[int]:
    """Lines of the first text that are not in the second, counted from 1."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return [i + 1 for tag, i1, i2, *_ in matcher.get_opcodes() if tag != "equal" for i in range(i1, i2)]


# -- what is wrong


@pytest.mark.parametrize("text", [*TEXTS, *BAD])
def test_a_checked_draft_says_what_parse_says(text: str) -> None:
    draft, problems = Draft.of(text).checked(), ()
    try:
        scenario = files.parse(text, "scenario.yaml")
    except ScenarioError as error:
        scenario, problems = None, error.problems
    assert draft.problems == problems
    assert draft.scenario == scenario


def test_variants_and_analyses_are_looked_at_in_the_second_step() -> None:
    draft = Draft.of(DASATINIB.replace("conduct.accrual.per_month: 8", "conduct.accrual.per_month: -8"))
    assert draft.scenario is not None
    assert [problem.key for problem in draft.checked().problems] == [
        "variants.8 patients a month.conduct.accrual.per_month"
    ]


# -- values in the place of others

VALUES = (0.25, 3, "other text", "a: b # c", True, [0.1, 0.2], {"a": 1, "b": [1, 2]}, None)


@pytest.mark.parametrize("name", BY_NAME)
def test_any_value_set_anywhere_leaves_all_else(name: str) -> None:
    text, chance = BY_NAME[name], random.Random(name)
    data, draft = data_of(text), Draft.of(text)
    paths = list(leaves(data))
    for path in chance.sample(paths, min(15, len(paths))):
        value = chance.choice(VALUES)
        old = at(data, path)
        edited = draft.edited(path, value)
        assert edited.text != text or old == value
        after = with_value(data, path, value)
        assert data_of(edited.text) == edited.data == after, (path, value)
        first, last = draft.line(path), max(map(draft.line, leaves_below(data, path)))
        first = draft.line(path[:-1]) if value is None and not at(after, path[:-1]) else first
        assert set(changed_lines(text, edited.text)) <= set(range(first, last + 1)), (path, value)
        if not (value is None and isinstance(path[-1], int)):  # an item is gone, and the next in its place
            assert edited.edited(path, old).data == data


def leaves_below(data: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [path, *(path + below for below in leaves(at(data, path)))]


@pytest.mark.parametrize("name", BY_NAME)
def test_an_edit_knows_what_reading_anew_would_find(name: str) -> None:
    text, chance = BY_NAME[name], random.Random(name)
    draft = Draft.of(text)
    numbers = [path for path in leaves(draft.data) if type(at(draft.data, path)) in (int, float)]
    for path in chance.sample(numbers, min(8, len(numbers))):
        draft = draft.edited(path, chance.choice((0.123456, 7, -1)))
    anew = Draft.of(draft.text)
    assert draft == anew
    assert draft._reader.spans == anew._reader.spans


def test_present_values_change_nothing() -> None:
    draft = Draft.of(DASATINIB)
    for path in leaves(draft.data):
        assert draft.edited(path, at(draft.data, path)).text == DASATINIB


BLOCK = """\
# above
schema: 1
a:                 # beside a
  b: 1             # beside b
  # between
  c:
    - x: 1         # of x
      y: 2
    - - 5
      - 6
  d:
  e: |
    two
    lines

  f: {g: 1, "h": 2, i: {j: 3}}   # beside f
  k: [1,2, 3]
# below
doses: [high, low]
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("a.b", 2, "b: 1 ", "b: 2 "),
        ("a.f.h", "x, y", '"h": 2', '"h": "x, y"'),
        ("a.f.i.j", None, "{j: 3}", "{}"),
        ("a.f.g", None, "{g: 1, ", "{"),
        ("a.f.i", None, ', i: {j: 3}', ""),
        ("a.f.new", True, "{j: 3}}", "{j: 3}, new: true}"),
        ("a.k[3]", 4, "2, 3]", "2, 3, 4]"),
        ("a.k[1]", 9, "[1,2", "[1,9"),
        ("a.k[1]", None, "[1,2, 3]", "[1,3]"),
        ("a.d", 5, "d:\n", "d: 5\n"),
        ("a.d", [1, 2], "d:\n", "d: [1, 2]\n"),
        ("a.d.x", 5, "d:\n", "d: {x: 5}\n"),
        ("a.b", None, "  b: 1             # beside b\n", ""),
        ("a.c", 1, "c:\n    - x: 1         # of x\n      y: 2\n    - - 5\n      - 6\n", "c: 1\n"),
        ("a.c[0].x", None, "x: 1         # of x\n      y: 2", "y: 2"),
        ("a.c[0].z", 3, "      y: 2\n", "      y: 2\n      z: 3\n"),
        ("a.c[1]", None, "    - - 5\n      - 6\n", ""),
        ("a.c[1][0]", None, "- - 5\n      - 6", "- - 6"),
        ("a.c[1][2]", 7, "      - 6\n", "      - 6\n      - 7\n"),
        ("a.c[2]", {"x": 1}, "      - 6\n", "      - 6\n    - {x: 1}\n"),
        ("a.e", "one", "|\n    two\n    lines", "one"),
        ("a.l", 1, "  k: [1,2, 3]\n", "  k: [1,2, 3]\n  l: 1\n"),
        ("a.l.m", 1, "  k: [1,2, 3]\n", "  k: [1,2, 3]\n  l: {m: 1}\n"),
        ("a.b[1]", 2, "b: 1 ", "b: [1, 2] "),
        ("new", {"x": 1, "y": {"z": "q: r"}}, "low]\n", 'low]\n\nnew:\n  x: 1\n  y: {z: "q: r"}\n'),
        ("new", 1 / 3, "low]\n", "low]\nnew: 0.3333333333333333\n"),
        ("new", 0.1 + 0.05, "low]\n", "low]\nnew: 0.15\n"),
    ],
)  # fmt: skip
def test_edits_as_a_person_would_make_them(path: str, value: Any, old: str, new: str) -> None:
    assert BLOCK.count(old) == 1
    assert Draft.of(BLOCK).edited(path, value).text == BLOCK.replace(old, new)


def test_a_block_becomes_another_key_by_key() -> None:
    text = "design:\n  kind: simon   # two stages\n  p0: 0.1       # null\n  beta: 0.2\ntruth: {a: {}}\n"
    edited = Draft.of(text).edited("design", {"kind": "swog", "p0": 0.1, "n1": 20, "n": 40})
    assert edited.text == (
        "design:\n  kind: swog\n  p0: 0.1       # null\n  n1: 20\n  n: 40\ntruth: {a: {}}\n"
    )


def test_a_file_without_a_last_line_end_keeps_to_that() -> None:
    assert Draft.of("schema: 1").edited("seed.x", 2).text == "schema: 1\n\nseed:\n  x: 2"


# -- what cannot be edited, and what is typed


@pytest.mark.parametrize("text", ["", "a: [1", "- 1\n", "x" * (files.MAX_BYTES + 1)])
def test_what_cannot_be_read_stays(text: str) -> None:
    edited = Draft.of(text).edited("design.p0", 0.1)
    assert edited.text == text
    assert any("cannot be read" in problem.message for problem in edited.problems)


@pytest.mark.parametrize(
    "path", ["truth.active.toxicity[5]", "cohorts.strata[7]", "doses.x", "truth.none.response[1]"]
)
def test_paths_that_lead_nowhere_are_told(path: str) -> None:
    edited = Draft.of(DASATINIB).edited(path, 0.1)
    assert edited.text == DASATINIB
    assert edited.scenario is None
    assert [problem.key for problem in edited.problems] == [path]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("0,15", "write 0.15"),
        ("15%", "write 0.15"),
        ("1.5", "outside 0 to 1"),
        ('"x', "quotation mark"),
        (".inf", "not a number"),
    ],
)
def test_what_is_typed_is_told_in_plain_words_at_its_line(typed: str, told: str) -> None:
    edited = Draft.of(DASATINIB).edited_text("truth.active.response", typed)
    (problem,) = edited.problems
    assert told in problem.message
    assert (problem.key, problem.line) == ("truth.active.response", 49)
    good = edited.edited_text("truth.active.response", "0.2")
    assert good.scenario is not None
    assert good.text == DASATINIB.replace("response: 0.15, ", "response: 0.2, ")


def test_nothing_typed_takes_the_key_away() -> None:
    edited = Draft.of(DASATINIB).edited_text("conduct.amendment_lag_weeks", " ")
    assert edited.text == DASATINIB.replace("  amendment_lag_weeks: 6\n", "")


def test_one_rate_becomes_one_a_dose() -> None:
    edited = Draft.of(DASATINIB).edited("truth.active.response[1]", 0.11)
    assert edited.text == DASATINIB.replace(
        "active:      {response: 0.15,", "active:      {response: [0.15, 0.11],"
    )


@pytest.mark.parametrize(
    "value",
    [
        "a\nschema: 2",
        "}, x: {",
        "# gone",
        "&a",
        "*b",
        "!!int",
        "null",
        "0x1F",
        "'",
        '"',
        "a\\",
        "- a",
        "a: b",
        "é, ü",
    ],
)
def test_a_hostile_text_stays_a_text(value: str) -> None:
    edited = Draft.of(DASATINIB).edited("name", value)
    assert data_of(edited.text) == {**data_of(DASATINIB), "name": value}
    assert edited == Draft.of(edited.text)


@pytest.mark.parametrize("value", ["\x07", "a\u202eb", "\ud800"])
def test_what_no_file_can_hold_is_told(value: str) -> None:
    edited = Draft.of(DASATINIB).edited("name", value)
    assert edited.text == DASATINIB
    assert "cannot be part of a scenario file" in edited.problems[0].message


def test_line_ends_stay_those_of_the_file() -> None:
    windows = DASATINIB.replace("\n", "\r\n")
    draft = Draft.of(windows)
    assert draft.text == DASATINIB
    assert draft.file == windows
    for moved in (draft.edited("design.p1", 0.2), draft.edited("conduct", None), draft.holding(draft.data)):
        assert moved.file == moved.text.replace("\n", "\r\n")
    assert Draft.of(DASATINIB).edited("conduct", None).file.count("\r") == 0


def test_a_replaced_design_takes_its_sources_and_comments_with_it() -> None:
    text = DASATINIB.replace("sources:\n", "sources:\n  design.criterion: {source: a talk}\n").replace(
        "p0: 0.05\n", "p0: 0.05   # as published\n"
    )
    draft = Draft.of(text)
    assert draft.scenario is not None, draft.problems
    new = draft.edited("design", {"kind": "simon", "p0": 0.05, "n1": 20, "r1": 1, "n": 40, "r": 5})
    assert new.scenario is not None, new.problems
    assert "design.criterion" not in new.text
    assert "finds 1/25" not in new.text
    assert "p0: 0.05   # as published" in new.text
    assert "design.criterion" in new.told
    assert new.data["sources"] == data_of(DASATINIB)["sources"]
    moved = draft.edited("design", {**draft.data["design"], "criterion": "minimax"})
    assert "finds 1/25" not in moved.text
    assert "1 comment" in moved.told
    assert "as published" in moved.text
    assert not draft.edited("design.p1", 0.2).told


def test_a_new_trial_is_a_scenario_without_fault() -> None:
    draft = Draft.of(NEW_TRIAL)
    assert draft.checked().scenario is not None, draft.problems
