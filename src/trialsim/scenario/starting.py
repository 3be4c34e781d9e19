"""Scenario files to start from: one a kind of design and a part of a trial, and the examples of ``configs/``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from trialsim.errors import OutputError, TrialsimError
from trialsim.scenario import words

PACKAGE = Path(__file__).parents[1]

KINDS = {
    "simon": "teaching",
    "single_stage": "",
    "mander_thompson": "mander-thompson",
    "multistage": "three-stage",
    "optimal_looks": "optimal-looks",
    "fleming": "fleming",
    "gehan": "gehan",
    "swog": "swog",
    "sargent": "sargent",
    "curtailed": "curtailed",
    "predictive_probability": "predictive-probability",
    "posterior_probability": "posterior-probability",
    "bop2": "bop2",
    "bop2_toxicity": "bop2-toxicity",
    "bryant_day": "bryant-day",
    "dual_criterion": "dual-criterion",
    "rules": "",
    "calendar_time": "",
    "dose_reduction": "teaching",
    "cohorts": "two-cohorts",
    "observed": "",
}
"""What ``init`` writes -> the example of ``configs/`` that it is; "" where the file is its own, in ``starts/``."""


def init(kind: str | os.PathLike[str] = "simon", path: str | os.PathLike[str] | None = None) -> Path:
    """Write a commented scenario to start from, and return its path; an existing file is left alone.

    Args:
        kind: a kind of design, or calendar_time, dose_reduction, cohorts or observed; a name that ends in .yaml or .yml
            is the path.
        path: the file to write; default scenario.yaml.

    Returns:
        The path of the file.

    Raises:
        TrialsimError: no such kind.
        OutputError: the file exists, or cannot be written.

    Examples:
        >>> str(trialsim.init("gehan", "mine.yaml"))
        'mine.yaml'
    """
    if Path(kind).suffix.lower() in (".yaml", ".yml"):
        if path is not None:
            raise TrialsimError(f"{kind} and {path}: one file is written; name a kind of design and a path")
        kind, path = "simon", kind
    return _copied(start_of(str(kind)), Path(path or "scenario.yaml"), own=True)


def start_of(kind: str) -> Path:
    """The file that ``init`` copies for a kind of scenario; TrialsimError where there is no such kind."""
    name = re.sub(r"[- ]", "_", kind.lower())
    if name not in KINDS:
        raise TrialsimError(f"`{kind}` is no kind of scenario{words.meant(name, KINDS)}")
    own = PACKAGE / "scenario" / "starts" / f"{name}.yaml"
    return example_files()[KINDS[name]] if KINDS[name] else own


def examples(name: str | None = None, path: str | os.PathLike[str] | None = None) -> dict[str, str] | Path:
    """List the example scenarios, or copy one of them; an existing file is left alone.

    Args:
        name: the example to copy, or how its name begins; default none.
        path: the file to write; default NAME.yaml.

    Returns:
        What each is, by name; or the path of the copy.

    Raises:
        TrialsimError: no such example.
        OutputError: the file exists, or cannot be written.

    Examples:
        >>> trialsim.examples()["teaching"]
        'Teaching example'
        >>> str(trialsim.examples("teaching"))
        'teaching.yaml'
    """
    found = example_files()
    if name is None:
        return {each: title_of(file) for each, file in found.items()}
    wanted = re.sub(r"\.ya?ml$", "", Path(name).name)
    begun = [each for each in found if each.startswith(wanted)]  # w05 will do
    if wanted not in found and len(begun) != 1:
        raise TrialsimError(f"`{name}` is no example{words.meant(wanted, found)}")
    chosen = wanted if wanted in found else begun[0]
    return _copied(found[chosen], Path(path or f"{chosen}.yaml"))


def example_files() -> dict[str, Path]:
    """The files of ``configs/`` by name: in the installed package, or in the checkout that it was installed from."""
    places = (PACKAGE / "configs", PACKAGE.parents[1] / "configs")
    home = next((place for place in places if place.is_dir()), None)
    if home is None:
        raise TrialsimError(f"the examples are missing from this installation: no folder {places[0]}")
    return {file.stem: file for file in (*sorted(home.glob("*.yaml")), *sorted(home.glob("what-ifs/*.yaml")))}


def title_of(file: Path) -> str:
    found = re.search(r"^name: *(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip("\"'") if found else ""


def _copied(file: Path, target: Path, *, own: bool = False) -> Path:
    """The file at its new place, with the command that runs it there; ``own``: as the design of whoever starts."""
    text = file.read_text(encoding="utf-8").replace(f"configs/{file.name}", str(target))
    if own:
        text = re.sub(r"^  design: \{assumed: true, note: an example\}\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^sources:\n(?! )", "", text, flags=re.MULTILINE)
    if "trialsim run " not in text:
        text = f"# Run it with:  trialsim run {target}\n{text}"
    made = False
    try:
        with target.open("x", encoding="utf-8") as writing:
            made = True
            writing.write(text)
    except FileExistsError:
        raise OutputError(f"{target} exists; choose another name") from None
    except OSError as error:
        if made:  # a full disk is often noticed as late as when the file is closed
            target.unlink()
        raise OutputError(f"{target} cannot be written: {(error.strerror or str(error)).lower()}") from None
    return target
