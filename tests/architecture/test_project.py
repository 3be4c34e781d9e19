"""What the project says of itself in several files is the same everywhere, and no more than is tested."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from types import ModuleType

import pytest

from tests.helpers import ROOT
from trialsim.version import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script behind ``make test-matrix``."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    found = importlib.util.spec_from_file_location("matrix", ROOT / "tools" / "matrix.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_one_version_everywhere() -> None:
    cited = re.findall(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    told = re.findall(r"^reduction\. Version (\S+), ", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert cited == told == [__version__]


def test_no_python_is_claimed_that_the_matrix_does_not_try(matrix: ModuleType) -> None:
    claimed = [
        line.split(" :: ")[-1]
        for line in PROJECT["classifiers"]
        if "Programming Language :: Python ::" in line
    ]
    assert tuple(claimed) == matrix.PROMISED
    assert PROJECT["requires-python"] == f">={matrix.PROMISED[0]}"


def test_the_lowest_versions_are_those_that_are_promised(matrix: ModuleType) -> None:
    lowest = matrix.lowest(matrix.requirements())
    for line in PROJECT["dependencies"]:
        assert line.replace(">=", "==") in lowest
    assert any(line.startswith("pyarrow==") for line in lowest), "the extras too"
    with pytest.raises(SystemExit, match="`numpy` has no lower bound"):
        matrix.lowest(["numpy"])


def test_a_python_that_is_not_there_is_not_found(matrix: ModuleType) -> None:
    here = "{}.{}".format(*sys.version_info)
    assert matrix.interpreter(here)
    assert matrix.interpreter("3.99") is None


def test_the_quick_tests_exist(matrix: ModuleType) -> None:
    assert [name for name in matrix.QUICK if not (ROOT / name).exists()] == []
