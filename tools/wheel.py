"""The wheel as a stranger gets it: built, installed into an empty environment, run in an empty folder.

``python tools/wheel.py`` builds it, runs the main job from it and qualifies it, with the versions of constraints.txt;
``--main-job`` leaves the qualification out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTED = ROOT / "constraints.txt"
MAIN_JOB = ("run", "dasatinib.yaml", "-o", "report", "--sensitivity")
"""What ``make run`` does."""

SEARCH = ("find", "simon", "--p0", ".10", "--p1", ".30", "--alpha", ".05", "--beta", ".20")


def clean() -> dict[str, str]:
    """The environment without what would let a program find this checkout."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}


def call(*command: str | Path, folder: Path | None = None) -> str:
    """Run a command and return what it prints; end with its output if it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=clean(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(python: str | Path, folder: Path) -> Path:
    """Build the wheel into a folder, and return it."""
    call(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("trialsim-*.whl")
    return wheel


def environment(python: str | Path, folder: Path, *packages: str | Path, constraints: Path = TESTED) -> Path:
    """An environment of its own with these packages, and the folder of its programs."""
    call(python, "-m", "venv", folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    # most of the libraries' modules are never imported: those that are, are compiled to bytecode then
    install = (programs / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    call(*install, "--disable-pip-version-check", "-c", constraints, *packages)
    return programs


def smoke(programs: Path, folder: Path, job: tuple[str, ...] = MAIN_JOB) -> None:
    """In an empty folder: the program copies an example, runs it, finds a design; the numbers are there."""
    folder.mkdir()
    trialsim = programs / "trialsim"
    call(trialsim, "examples", "dasatinib", "dasatinib.yaml", folder=folder)
    call(trialsim, *job, folder=folder)
    found = json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))
    chances = [case["simulated"]["p_go"]["estimate"] for case in found["cases"].values()]
    if not chances or not all(0 < chance < 1 for chance in chances):
        raise SystemExit(f"the report of the wheel has no P(go): {chances}")
    if not (folder / "report" / "report.html").stat().st_size:
        raise SystemExit("the wheel wrote an empty report.html")
    design = call(trialsim, *SEARCH, folder=folder)
    if "1/10 5/29" not in design:
        raise SystemExit(f"the wheel does not find Simon's design:\n{design}")


def qualified(programs: Path, folder: Path) -> None:
    """The qualification of the installed wheel: every test passes, and none is left out."""
    call(programs / "trialsim", "qualify", "-o", "qualification", folder=folder)
    found = json.loads((folder / "qualification" / "results.json").read_text(encoding="utf-8"))
    if found["counts"] != {"pass": len(found["tests"]), "fail": 0, "not done": 0}:
        raise SystemExit(f"the wheel does not qualify: {found['counts']}")
    print(f"{found['counts']['pass']} tests of the installation passed, with seed {found['seed']}")


def main() -> None:
    """Build, install, run."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        wheel = build(sys.executable, home / "dist")
        programs = environment(sys.executable, home / "venv", wheel)
        smoke(programs, home / "empty")
        if "--main-job" not in sys.argv:
            qualified(programs, home / "empty")
        print(f"{wheel.name}: installed into an empty environment, and the main job run in an empty folder")


if __name__ == "__main__":
    main()
