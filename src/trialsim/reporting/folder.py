"""A run as a folder, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trialsim.errors import OutputError, TrialsimError

if TYPE_CHECKING:
    from trialsim.checks import Checks
    from trialsim.engine.montecarlo import Progress
    from trialsim.results import Results
    from trialsim.scenario.model import Scenario
    from trialsim.varying.assess import SensitivityResults

RESULTS, PAGE, SCENARIO, ENVIRONMENT = "results.json", "report.html", "scenario.yaml", "environment.json"
TABLES, FIGURES, DOCX = "tables", "figures", "report.docx"

KEPT = {f"{name}.{suffix}" for name in ("trials", "patients") for suffix in ("csv", "parquet")}
"""Single trials that a run was asked to keep."""

CONTENTS = {RESULTS, PAGE, DOCX, SCENARIO, ENVIRONMENT, TABLES, FIGURES, *KEPT}
"""Everything a run folder holds at its top."""

SUFFIXES = {TABLES: {".csv"}, FIGURES: {".svg", ".png", ".csv"}}
"""What its subfolders hold."""

DEBRIS = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave behind."""


def report(
    scenario: Scenario,
    folder: str | os.PathLike[str],
    *,
    results: Results | None = None,
    checks: Checks | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    scenario_text: str | None = None,
    seconds: Mapping[str, float] | None = None,
    docx: bool = False,
    sensitivity: SensitivityResults | None = None,
) -> Path:
    """Write a run folder: the page to read, results.json, tables, figures, the scenario, and the environment.

    Parameters
    ----------
    folder : where to write. Nothing is left behind when anything fails.
    results, checks : what was already computed for this scenario (checks with the seed of the results); what is
        missing is computed.
    replicates, seed : in place of those of the scenario; of no effect when results are given.
    jobs, progress : as for ``simulate``.
    force : replace the folder of an earlier run. Any other existing folder or file is never touched.
    scenario_text : the user's own text, copied as it is; it must be the text of ``scenario``.
    seconds : wall times of what was computed before, to stand beside those measured here in ``environment.json``.
    docx : also write the report as ``report.docx`` (needs the extra ``docx``).
    sensitivity : the sensitivity analyses of this scenario (``sensitivity.assess``), to become a section of it.

    Returns
    -------
    The path of ``report.html``.

    Raises
    ------
    OutputError : the folder cannot be written, or exists; ``docx`` without the extra.
    """
    target = check_target(folder, force=force)
    if docx:
        from trialsim.writing.word import check_installed

        check_installed()
    from trialsim.checks import check
    from trialsim.engine.operating import simulate

    text = text_of(scenario, scenario_text)
    clock = Clock()
    clock.seconds.update(seconds or {})
    if results is None:
        with clock("simulate_and_exact"):
            results = simulate(scenario, replicates=replicates, seed=seed, jobs=jobs, progress=progress)
    _check_results(scenario, results, sensitivity)
    if checks is None:
        with clock("check"):
            checks = check(scenario, seed=results.seed)
    chosen, found = results, checks

    def write(new: Path) -> None:
        _write(new, scenario, chosen, found, sensitivity, text, jobs, clock, docx)

    put_in_place(target, write, force=force)
    return target / PAGE


def check_target(folder: str | os.PathLike[str], *, force: bool = False) -> Path:
    """The folder to write, as an absolute path; refused in plain words before anything is computed.

    Raises
    ------
    OutputError : it exists (without ``force``), is not the folder of an earlier run, or cannot be written.
    """
    try:
        target = Path(folder).resolve()
        if not target.name:
            raise OutputError(f"{target} cannot be a run folder; name a new folder")
        parent = next(folder for folder in target.parents if os.path.lexists(folder))
        if not parent.is_dir():
            raise OutputError(f"{parent} is not a folder, so {target} cannot be written")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise OutputError(f"no permission to write in {parent}")
        if not os.path.lexists(target):
            return target
        if not target.is_dir():
            raise OutputError(f"{target} is a file, not a folder; choose another name")
        if not force:
            raise OutputError(f"{target} exists; choose another name, or replace an earlier run with --force")
        if why := _not_a_run(target):
            raise OutputError(f"{target} is not replaced, because {why}; choose another name")
    except (OSError, ValueError, RuntimeError) as error:
        raise OutputError(f"{os.fsdecode(folder)!r} cannot be written: {reason_of(error)}") from None
    return target


def _not_a_run(folder: Path) -> str:
    """Why a folder is not the untouched folder of an earlier run; "" if it is."""
    try:
        recorded = json.loads((folder / RESULTS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return f"it is not the folder of an earlier run (no readable {RESULTS})"
    if not isinstance(recorded, dict) or "trialsim" not in recorded:
        return f"it is not the folder of an earlier run ({RESULTS} is not trialsim's)"
    strange = [entry.name for entry in folder.iterdir() if entry.name not in CONTENTS | DEBRIS]
    for name, suffixes in SUFFIXES.items():
        if (inner := folder / name).is_dir():
            entries = (entry for entry in inner.iterdir() if entry.name not in DEBRIS)
            strange += [
                f"{name}/{entry.name}" for entry in entries if entry.is_dir() or entry.suffix not in suffixes
            ]
    if strange:
        return f"it also holds what no run has written ({', '.join(sorted(strange)[:3])})"
    return ""


def put_in_place(target: Path, write: Callable[[Path], None], *, force: bool) -> None:
    """Build the folder beside its place and move it in; on any failure everything is as before."""
    mark = secrets.token_hex(4)
    new, old = (target.with_name(f".{target.name[:100]}.{mark}.{word}") for word in ("new", "old"))
    missing = [parent for parent in target.parents if not parent.exists()]
    placed = False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new.mkdir()
        write(new)
        check_target(target, force=force)
        if os.path.lexists(target):
            os.rename(target, old)
        os.rename(new, target)
        placed = True
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {reason_of(error)}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if placed:
            shutil.rmtree(old, ignore_errors=True)
        elif old.exists() and not os.path.lexists(target):
            os.rename(old, target)
        if not placed:
            with contextlib.suppress(OSError):
                for parent in missing:
                    parent.rmdir()


def reason_of(error: BaseException) -> str:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return words.lower() or "unknown reason"


def _write(
    new: Path,
    scenario: Scenario,
    results: Results,
    checks: Checks,
    sensitivity: SensitivityResults | None,
    text: str,
    jobs: int | None,
    clock: Clock,
    docx: bool,
) -> None:
    """Everything a run folder holds."""
    from trialsim.reporting.run.composing import compose
    from trialsim.reporting.run.document import to_bytes
    from trialsim.reporting.run.page import html
    from trialsim.reporting.run.report import pictures_of, report_of
    from trialsim.reporting.run.tables import of_report, of_sensitivity, tables
    from trialsim.writing.environment import environment

    with clock("figures"):
        composed = compose(scenario, results, checks, text, sensitivity)
        (new / FIGURES).mkdir()
        for _, drawn in composed.drawn:
            drawn.save(new / FIGURES, png=docx)
    rules, doc = composed.rules, composed.doc
    (new / RESULTS).write_bytes(to_bytes(doc))
    (new / SCENARIO).write_bytes(text.encode())
    with clock("page"):
        made = report_of(
            scenario, rules, doc, pictures_of(doc, {drawn.name: drawn for _, drawn in composed.drawn})
        )
        (new / TABLES).mkdir()
        csv = {**tables(rules, doc), **of_report(made), **of_sensitivity(sensitivity)}
        for name, content in csv.items():
            (new / TABLES / name).write_bytes(content.encode())
        (new / PAGE).write_bytes(html(made).encode())
    if docx:
        from trialsim.writing.word import to_docx

        with clock("docx"):
            (new / DOCX).write_bytes(to_docx(made))
    (new / ENVIRONMENT).write_bytes(environment(jobs, clock.seconds))


def text_of(scenario: Scenario, text: str | None) -> str:
    """The text to keep, which must read back as this very scenario."""
    from trialsim.reporting.run.inputs import to_yaml
    from trialsim.scenario.files import digest, parse

    kept = to_yaml(scenario) if text is None else text
    if digest(parse(kept, SCENARIO)) != digest(scenario):
        raise TrialsimError("the text given is not the text of this scenario")
    return kept


def _check_results(scenario: Scenario, results: Results, sensitivity: SensitivityResults | None) -> None:
    """Refuse results of another scenario, and a case without any answer."""
    from trialsim.scenario.files import digest

    if results.digest != digest(scenario) or (sensitivity and sensitivity.digest != results.digest):
        raise TrialsimError("the results given are those of another scenario")
    for oc in results.cases:
        if oc.exact is None and oc.simulated is None:
            raise TrialsimError(f"case {oc.case} has no exact answer ({oc.not_exact}): simulate it")


class Clock:
    """Wall time by part of the work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[part] = round(time.perf_counter() - start, 3)
