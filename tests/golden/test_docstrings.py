"""Docstrings of the public names: complete, and their examples run; and the commands' options are keywords."""

from __future__ import annotations

import doctest
import inspect
import re

import pytest
from typer.main import get_command

import trialsim
from tests.helpers import unrendered
from trialsim.cli import app

FUNCTIONS = [name for name in trialsim._HOME if inspect.isroutine(getattr(trialsim, name))]
CLASSES = [name for name in trialsim._HOME if inspect.isclass(getattr(trialsim, name))]


def sections(name: str) -> dict[str, str]:
    """The sections of a docstring by heading, what stands before them under ""."""
    found, heading = {"": ""}, ""
    for line in inspect.getdoc(getattr(trialsim, name)).splitlines():
        if begun := re.fullmatch(r"(Args|Attributes|Returns|Raises|Examples):", line):
            heading = begun[1]
            found[heading] = ""
        elif line and not line.startswith(" "):
            heading = ""
            found[heading] += f"{line}\n"
        else:
            found[heading] += f"{line}\n"
    return found


def named(section: str) -> list[str]:
    """The names that a section describes."""
    entries = re.findall(r"^    (\w+(?:, \w+)*): \S", section, re.MULTILINE)
    return [name for entry in entries for name in entry.split(", ")]


def test_every_public_name_is_a_function_or_a_class() -> None:
    assert sorted([*FUNCTIONS, *CLASSES]) == sorted(trialsim._HOME)


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_it_begins_with_one_sentence(name: str) -> None:
    first, *rest = inspect.getdoc(getattr(trialsim, name)).splitlines()
    assert re.fullmatch(r"[A-Z].*[.?]", first)
    assert not rest or rest[0] == ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_takes_and_gives(name: str) -> None:
    parts = sections(name)
    parameters = list(inspect.signature(getattr(trialsim, name)).parameters)
    assert sorted(named(parts.get("Args", ""))) == sorted(parameters)
    assert parts["Returns"].strip()
    assert ">>> " in parts["Examples"]


@pytest.mark.parametrize("name", [name for name in CLASSES if not name.endswith("Error")])
def test_a_class_describes_only_attributes_that_it_has(name: str) -> None:
    kind, described = getattr(trialsim, name), named(sections(name).get("Attributes", ""))
    has = {*dir(kind), *getattr(kind, "__dataclass_fields__", {}), *getattr(kind, "model_fields", {})}
    assert {*described} <= has


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_the_examples_run(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    text = inspect.getdoc(getattr(trialsim, name))
    test = doctest.DocTestParser().get_doctest(text, {"trialsim": trialsim}, name, None, None)
    said: list[str] = []
    assert doctest.DocTestRunner().run(test, out=said.append).failed == 0, "".join(said)


# -- commands and functions

SHOWN = {
    "output": "a folder: answer.write(folder), or report()",
    "force": "of that folder",
    "docx": "of that folder",
    "full": "of that folder",
    "as_json": "to_dict()",
    "as_markdown": "what is printed",
    "as_latex": "what is printed",
    "quiet": "what is printed",
    "figure": "answer.figures()",
    "jobs": "a function without long work has none",
    "dask": "trialsim.engine.montecarlo.cluster(address), as a context",
    "resume": "goes on with what a folder has kept",
}
"""Options that are no keywords because they are about output or about who does the work."""

OWN = {
    ("run", "keep_trials"): "writes files beside the report, which are no part of the answer",
    ("run", "keep_patients"): "likewise",
    ("find", "settings"): "a table for spreadsheets; in Python a loop",
    ("find", "keys"): "any further keyword",
    ("oc", "keys"): "the design as a dict",
}
"""(command, option) that is no keyword, and why."""

CALLED = {
    ("app", "no_browser"): "browser",
    ("find", "looks"): "keys",
    ("find", "early_go"): "keys",
    ("evidence", "rate"): "rates",
    ("evidence", "part"): "parts",
    ("monitor", "rate"): "rates",
    ("whatif", "change"): "changes",
    ("whatif", "variant"): "variants",
    ("whatif", "case"): "cases",
    ("compare", "case"): "cases",
    ("compare", "scenario"): "designs",
    ("validate", "scenario"): "path",
}
"""(command, option) -> the keyword, where an option that is repeated is a list in Python."""

COMMANDS = get_command(app).commands


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_a_keyword_of_the_function_of_that_name(command: str) -> None:
    keywords = inspect.signature(getattr(trialsim, command)).parameters
    options = [parameter.name for parameter in COMMANDS[command].params if parameter.name != "help"]
    lacking = [
        name
        for name in options
        if CALLED.get((command, name), name) not in keywords
        and name not in SHOWN
        and (command, name) not in OWN
    ]
    assert lacking == []


def test_no_exception_is_out_of_date() -> None:
    there = {(command, each.name) for command in COMMANDS for each in COMMANDS[command].params}
    assert {*OWN, *CALLED} <= there
    assert {*SHOWN} <= {name for _, name in there}


# -- scenarios by their paths


def test_a_path_is_taken_where_a_scenario_is(tmp_path) -> None:
    path = trialsim.examples("teaching", tmp_path / "a.yaml")
    scenario = trialsim.load(path)
    for given in (path, str(path)):
        assert trialsim.exact(given).to_dict() == trialsim.exact(scenario).to_dict()
    with pytest.raises(trialsim.ScenarioError, match=r"no such file"):
        trialsim.exact(tmp_path / "none.yaml")


def test_designs_are_compared_by_the_names_of_their_files(tmp_path) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for name, path in zip(("teaching", "simon-constrained"), paths, strict=True):
        trialsim.examples(name, path)
    by_list = trialsim.compare(list(map(str, paths)), replicates=200)
    by_name = trialsim.compare({"a": paths[0], "b": trialsim.load(paths[1])}, replicates=200)
    assert by_list.to_dict() == by_name.to_dict()
    with pytest.raises(trialsim.DesignError, match="two have the same name"):
        trialsim.compare([paths[0], paths[0]])
    with pytest.raises(trialsim.DesignError, match=r"designs\[1\] = 7 must be a scenario"):
        trialsim.compare([paths[0], 7])


def test_find_in_a_scenario_is_the_robust_search(tmp_path) -> None:
    path = trialsim.examples("teaching", tmp_path / "a.yaml")
    stated = {"criterion": "minimax", "nmax": 30}
    by_scenario = trialsim.find(scenario=path, **stated)
    assert by_scenario.to_dict() == trialsim.find_robust(trialsim.load(path), **stated).to_dict()
    for wrong in ({}, {"null": ["inactive"], "kind": "simon"}):
        with pytest.raises(trialsim.DesignError, match="state"):
            trialsim.find(**wrong)


def test_designs_that_are_written_are_compared_as_by_the_command() -> None:
    designs = ["1/10 5/29", "1/15 5/25"]
    found = trialsim.compare(design=designs, p0=0.1, p1=0.3, replicates=200)
    assert [each.name for each in found.designs] == designs
    stated = trialsim.oc(designs[1], p0=0.1, p1=0.3)
    assert found[designs[1]].power == pytest.approx(stated[0.3].p_go, abs=1e-12)
    for wrong in ({"design": designs}, {"p0": 0.1}, {"designs": {}}):
        with pytest.raises(trialsim.TrialsimError):
            trialsim.compare(**wrong)
