"""The shape of the house: floors, doors, public names, and what the quick commands must not import."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import trialsim
from trialsim import cli

SOURCE = Path(trialsim.__file__).parent
DOORS = {
    "numba": {"kernels/"},
    "ruamel": {"scenario/reading.py"},
    "joblib": {"engine/montecarlo.py"},
    "distributed": {"engine/montecarlo.py"},
    "matplotlib": {"figures/"},
    "pandas": {"answers.py", "results.py"},
    "jinja2": {"reporting/", "writing/"},
    "docx": {"writing/"},
    "openpyxl": {"sheets.py"},
    "pyarrow": {"engine/single_trials.py"},
    "typer": {"cli/"},
    "rich": {"cli/"},
    "htmltools": {"page/"},
    "shiny": {"page/"},
    "uvicorn": {"page/"},
}


@cache
def imported(path: Path) -> frozenset[str]:
    """Dotted names imported anywhere in a file, within functions too, but for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def imports(path: Path) -> set[str]:
    """Top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imported(path)}


def module_of(path: Path) -> str:
    """``designs.simon`` of a file below the source; a package is its ``__init__.py``, ``trialsim`` the topmost."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "trialsim"


def arrows() -> dict[str, set[str]]:
    """From each file to the files that it imports."""
    files = {module_of(path): path for path in SOURCE.rglob("*.py")}

    def home(name: str) -> str | None:
        """The file that an imported name is a piece of, if it is ours."""
        while name and name not in files:
            name = name.rpartition(".")[0]
        return name or None

    found: dict[str, set[str]] = {}
    for module, path in files.items():
        ours = (name.removeprefix("trialsim.") for name in imported(path) if name.startswith("trialsim"))
        found[module] = {target for name in ours if (target := home(name)) and target != module}
    return found


def circles(arrows: dict[str, set[str]]) -> set[frozenset[str]]:
    """The largest sets of files each of which leads to all others of its set."""

    def reached(start: str) -> set[str]:
        found, left = set(), [start]
        while left:
            new = arrows[left.pop()] - found
            found |= new
            left += new
        return found

    leads = {file: reached(file) for file in arrows}
    return {
        frozenset(other for other in there if file in leads[other])
        for file, there in leads.items()
        if file in there
    }


def test_floors_are_kept():
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_no_circle_of_files():
    assert not circles(arrows())


def test_a_circle_would_be_noticed():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == {frozenset("bc")}
    found = arrows()
    assert "engine.operating" in found["cli.run"], "an import within a function"
    assert "trialsim" not in found["cli.run"]
    assert "inference" in found["cli.analyse"], "an import from a package"


@pytest.mark.parametrize("library", DOORS)
def test_one_door_a_library(library):
    users = {p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*.py") if library in imports(p)}
    assert users
    strangers = {user for user in users if not any(user.startswith(door) for door in DOORS[library])}
    assert not strangers


def test_public_names_are_these():
    assert set(trialsim.__all__) == {
        "Aids", "Analyses", "Checks", "Comparison", "DesignError", "Evidence", "FoundDesigns", "StatedDesign",
        "OutputError",
        "Protocol", "Qualification", "Results", "Redesign", "RobustDesigns", "Run", "Scenario", "ScenarioError",
        "SensitivityResults", "Status", "Trace", "TrialsimError", "WhatIf", "WhatIfs", "__version__",
        "analyse", "app", "assess", "check", "compare", "docx", "evidence", "examples", "exact", "find",
        "find_robust", "init",
        "load", "monitor", "oc", "protocol", "qualify",
        "redesign", "report", "reproduce", "run", "schema", "sensitivity",
        "simulate", "status", "trace", "validate", "whatif",
    }  # fmt: skip
    for name in trialsim.__all__:
        assert getattr(trialsim, name) is not None


COMMANDS = {command.callback.__name__ for command in cli.app.registered_commands}


def test_no_floor_bears_the_name_of_a_command():
    """``trialsim.NAME`` is the function of a command: a package of that name would take its place when imported."""
    assert {"run", "find", "docx"} <= COMMANDS
    taken = COMMANDS | {"app", "status", "protocol", "qualify"}
    assert not {name for _, name, _ in pkgutil.iter_modules([str(SOURCE)])} & taken


def test_functions_stay_functions_once_everything_is_imported():
    names = [name for name in trialsim.__all__ if name != "__version__"]
    assert set(names) >= COMMANDS
    script = (
        "import importlib, pkgutil, trialsim\n"
        "for module in pkgutil.walk_packages(trialsim.__path__, 'trialsim.'): importlib.import_module(module.name)\n"
        f"print([name for name in {names} if not callable(getattr(trialsim, name))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_who_speaks_knows_how_it_is_written():
    def floor(module: str) -> str:
        return module.partition(".")[0]

    users = {floor(module) for module, there in arrows().items() if "writing" in map(floor, there)}
    assert users <= {"writing", "reporting", "figures", "page", "cli"}


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


SIMON = ["find", "simon", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--beta", "0.2"]
ANALYSE = ["analyse", "--design", "1/10,5/29", "--responses", "6", "--p0", "0.1", "--p1", "0.3"]


@pytest.mark.parametrize(
    ("arguments", "not_needed"),
    [
        (["--help"], {"numpy", "pydantic"}),
        (["validate", "configs/dasatinib.yaml"], {"numpy"}),
        (SIMON, {"ruamel"}),
        (ANALYSE, {"ruamel"}),
        (["analyse", "configs/kluger-melanoma.yaml"], set()),
    ],
)
def test_what_a_command_does_not_need_it_does_not_import(arguments, not_needed):
    """Seconds of processor time, each time it is asked (docs/decisions/0025-start.md)."""
    code = (
        "import contextlib, io\n"
        "from trialsim.cli import main\n"
        f"sys.argv = ['trialsim', *{arguments}]\n"
        "said = io.StringIO()\n"
        "with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "assert said.getvalue()"
    )
    heavy = {"numba", "scipy", "matplotlib", "pandas", "joblib", "jinja2", "docx"}
    assert not modules_after(code) & (heavy | not_needed)


def test_a_committees_sheet_imports_nothing_that_draws():
    code = (
        "import contextlib, io\n"
        "from trialsim.cli import main\n"
        "sys.argv = ['trialsim', 'monitor', 'configs/teaching.yaml']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()"
    )
    assert not modules_after(code) & {"matplotlib", "pandas", "joblib", "docx"}


def test_files_hold_one_idea():
    long = {
        p.name: n
        for p in SOURCE.rglob("*.py")
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
