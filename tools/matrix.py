"""Every Python that the project promises, and the lowest versions of its libraries: wheel and quick tests under each.

``python tools/matrix.py`` takes the interpreters it finds on the path and where pyenv and uv keep them; ``python
tools/matrix.py 3.12`` only that one, ``lowest`` only the lowest versions. What is not found is printed as NOT TESTED.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from wheel import ROOT, TESTED, build, call, clean, environment, smoke

PROMISED = ("3.11", "3.12", "3.13")
EXTRAS = ("dask", "docx", "parquet")
TEST_TOOLS = ("axe-core-python", "hypothesis", "jsonschema", "pytest", "pytest-xdist")
"""Of the extra ``dev``; the linters are no part of a promise."""

QUICK = (
    "tests/published",
    "tests/golden/test_readme.py",
    "tests/oracle/test_counting.py",
    "tests/unit/test_answers.py",
    "tests/unit/test_designs.py",
    "tests/unit/test_inference.py",
    "tests/unit/test_results.py",
    "tests/unit/test_whatif.py",
)
JOB = ("run", "dasatinib.yaml", "-o", "report", "--replicates", "2000")


def project() -> dict[str, object]:
    """The table ``project`` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements() -> list[str]:
    """What trialsim needs, its extras, and the tools of the tests, as pyproject.toml writes them."""
    table = project()
    extras: dict[str, list[str]] = table["optional-dependencies"]  # type: ignore[assignment]
    needed: list[str] = list(table["dependencies"])  # type: ignore[call-overload]
    needed += [line for extra in EXTRAS for line in extras[extra]]
    return needed + [line for line in extras["dev"] if re.split(r"[><=\[]", line)[0] in TEST_TOOLS]


def lowest(lines: list[str]) -> list[str]:
    """Constraints that hold each requirement at its lower bound; one without a bound is an error."""
    found = []
    for line in lines:
        bound = re.fullmatch(r"([\w.-]+)>=([\w.]+)", line)
        if not bound:
            raise SystemExit(f"pyproject.toml: `{line}` has no lower bound that could be tested")
        found.append(f"{bound[1]}=={bound[2]}")
    return found


def interpreter(version: str) -> Path | None:
    """A Python of this version that starts, if there is one here."""
    for path in _places(version):
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, env=clean(), capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == version:
            return path
    return None


def _places(version: str) -> Iterator[Path]:
    if sys.version.startswith(f"{version}."):
        yield Path(sys.executable)
    if path := shutil.which(f"python{version}"):
        yield Path(path)
    home = Path.home()
    for kept in (home / ".pyenv" / "versions", home / ".local" / "share" / "uv" / "python"):
        yield from sorted(kept.glob(f"*{version}.*/bin/python{version}"))


def tried(python: Path, wheel: Path, place: Path, constraints: Path) -> str:
    """Wheel and quick tests under one Python; the last line of the tests."""
    place.mkdir()
    programs = environment(python, place / "venv", wheel, *requirements(), constraints=constraints)
    smoke(programs, place / "empty", JOB)
    quick = ("-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow and not browser", *QUICK)
    told = call(programs / "python", *quick, folder=ROOT).strip().splitlines()
    return next(line for line in reversed(told) if "passed" in line)


def main() -> None:
    """Try what is asked for, print a line for each, and fail if one failed."""
    names = (*PROMISED, "lowest")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", metavar="WHICH", help=", ".join(names))
    asked = parser.parse_args().only or names
    if unknown := {*asked} - {*names}:
        parser.error(f"{', '.join(sorted(unknown))}: there is {', '.join(names)}")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        wheel = build(sys.executable, home / "dist")
        bounds = home / "lowest.txt"
        bounds.write_text("\n".join(lowest(requirements())), encoding="utf-8")
        for name in asked:
            version, constraints = (PROMISED[0], bounds) if name == "lowest" else (name, TESTED)
            what = f"Python {version}, {'lowest' if name == 'lowest' else 'tested'} versions of the libraries"
            python = interpreter(version)
            if python is None:
                print(f"{what}: NOT TESTED, there is no Python {version} here", flush=True)
                continue
            try:
                print(f"{what}: wheel works; {tried(python, wheel, home / name, constraints)}", flush=True)
            except SystemExit as error:
                failed = True
                print(f"{what}: FAILED\n{error}", flush=True)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
