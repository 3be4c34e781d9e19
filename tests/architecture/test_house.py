"""The shape of the house: floors, doors, public names, and what the quick commands must not import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trialsim

SOURCE = Path(trialsim.__file__).parent
DOORS = {
    "numba": {"kernels/"},
    "ruamel": {"scenario/reading.py"},
    "joblib": {"engine/montecarlo.py"},
    "distributed": {"engine/montecarlo.py"},
    "matplotlib": {"figures/"},
    "pandas": {"results.py"},
    "jinja2": {"reporting/", "writing/"},
    "docx": {"writing/"},
    "pyarrow": {"engine/single_trials.py"},
    "typer": {"cli/"},
    "rich": {"cli/"},
}


def imports(path: Path) -> set[str]:
    """Top-level packages imported anywhere in a file, but for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_floors_are_kept():
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("library", DOORS)
def test_one_door_a_library(library):
    users = {p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*.py") if library in imports(p)}
    assert users
    strangers = {user for user in users if not any(user.startswith(door) for door in DOORS[library])}
    assert not strangers


def test_public_names_are_these():
    assert set(trialsim.__all__) == {
        "DesignError", "OutputError", "Scenario", "ScenarioError", "TrialsimError", "__version__",
        "analyse", "assess", "check", "compare", "exact", "find", "find_robust", "load", "report", "reproduce",
        "simulate", "validate", "whatif",
    }  # fmt: skip
    for name in trialsim.__all__:
        assert getattr(trialsim, name) is not None


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import trialsim.cli",
        "import trialsim.scenario.files as f; assert not f.validate('configs/dasatinib.yaml')",
    ],
)
def test_quick_commands_import_nothing_heavy(code):
    assert not modules_after(code) & {"numba", "scipy", "matplotlib", "pandas", "joblib", "jinja2"}


def test_files_hold_one_idea():
    long = {
        p.name: n
        for p in SOURCE.rglob("*.py")
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
