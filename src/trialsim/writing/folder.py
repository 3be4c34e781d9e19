"""A report as a folder, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from trialsim.errors import OutputError
from trialsim.timing import Clock
from trialsim.writing.csv import printed_tables
from trialsim.writing.environment import environment
from trialsim.writing.html import html
from trialsim.writing.markdown import markdown
from trialsim.writing.report import Report

RESULTS, PAGE, MARKDOWN, DOCX = "results.json", "report.html", "report.md", "report.docx"
ENVIRONMENT, TABLES, FIGURES, SCENARIOS = "environment.json", "tables", "figures", "scenarios"
SCENARIO = "scenario.yaml"

KEPT = {f"{name}.{suffix}" for name in ("trials", "patients") for suffix in ("csv", "parquet")}
"""Single trials that a run was asked to keep."""

CONTENTS = {RESULTS, PAGE, MARKDOWN, DOCX, SCENARIO, ENVIRONMENT, TABLES, FIGURES, SCENARIOS, *KEPT}
"""Everything a folder holds at its top."""

SUFFIXES = {TABLES: {".csv"}, FIGURES: {".svg", ".png", ".csv"}, SCENARIOS: {".yaml"}}
"""What its subfolders hold."""

DEBRIS = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave behind."""


class How(TypedDict, total=False):
    """How a folder is written.

    ``force``: replace the folder of an earlier report (any other existing folder or file is never touched); ``docx``:
    also as ``report.docx`` (needs the extra ``docx``); ``full``: see ``writing.html.html``; ``jobs``: workers, as
    ``environment.json`` has it.
    """

    jobs: int | None
    force: bool
    docx: bool
    full: bool


def write(
    report: Report,
    folder: str | os.PathLike[str],
    *,
    results: bytes,
    tables: Mapping[str, str],
    texts: Mapping[str, str],
    clock: Clock | None = None,
    **how: Unpack[How],
) -> Path:
    """Write a report in every form, with its numbers and figures, and return the path of its page.

    Parameters
    ----------
    folder : where to write. Nothing is left behind when anything fails.
    results : the content of ``results.json``.
    tables : CSV text by name, beside the tables of the report as they are printed.
    texts : the scenario files it was made from, by name, copied as they are.
    clock : wall times of what was done before, to stand beside those measured here in ``environment.json``.

    Raises
    ------
    OutputError : the folder cannot be written, or exists; ``docx`` without the extra.
    """
    force = how.get("force", False)
    target = check_target(folder, force=force)
    clock = clock or Clock()

    def fill(new: Path) -> None:
        (new / RESULTS).write_bytes(results)
        for name, text in texts.items():
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_bytes(text.encode())
        with clock("figures"):
            for picture in report.pictures():
                (new / FIGURES).mkdir(exist_ok=True)
                (new / FIGURES / f"{picture.name}.svg").write_bytes(picture.drawing.svg())
                (new / FIGURES / f"{picture.name}.csv").write_bytes(picture.drawing.csv().encode())
        with clock("page"):
            (new / TABLES).mkdir()
            for name, text in {
                **{f"{key}.csv": csv for key, csv in tables.items()},
                **printed_tables(report),
            }.items():
                (new / TABLES / name).write_bytes(text.encode())
            (new / PAGE).write_bytes(html(report, full=how.get("full", False)).encode())
            (new / MARKDOWN).write_bytes(markdown(report).encode())
        if how.get("docx"):
            from trialsim.writing.word import to_docx

            with clock("docx"):
                (new / DOCX).write_bytes(to_docx(report))
        (new / ENVIRONMENT).write_bytes(environment(how.get("jobs"), clock.seconds))

    put_in_place(target, fill, force=force)
    return target / PAGE


def check_file(path: Path, *, force: bool = False) -> Path:
    """A file to write, as an absolute path; refused in plain words before anything is computed.

    Raises
    ------
    OutputError : it exists (without ``force``), or there is no folder to write it in.
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder, not a file; choose another name")
        if os.path.lexists(path) and not force:
            raise OutputError(f"{path} exists; choose another name, or replace it with --force")
        if not path.parent.is_dir():
            raise OutputError(f"{path} cannot be written: {path.parent} is not a folder")
    except (OSError, ValueError) as error:
        raise OutputError(f"{os.fsdecode(path)!r} cannot be written: {reason_of(error)}") from None
    return path.absolute()


def write_file(target: Path, content: bytes) -> None:
    """Write one file, whole or not at all.

    Raises
    ------
    OutputError : it cannot be written.
    """
    new = target.with_name(f".{secrets.token_hex(4)}.{target.name}")
    try:
        new.write_bytes(content)
        os.replace(new, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {reason_of(error)}") from None
    finally:
        new.unlink(missing_ok=True)


def to_json(content: Mapping[str, object]) -> bytes:
    """The bytes of ``results.json``; ``content`` has no NaN."""
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


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


def check(folder: str | os.PathLike[str], *, force: bool = False, docx: bool = False) -> Path:
    """The folder, refused before anything is computed where it, or its Word file, could not be written later."""
    target = check_target(folder, force=force)
    if docx:
        from trialsim.writing.word import check_installed

        check_installed()
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
    """What went wrong, in the words of the operating system."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return words.lower() or "unknown reason"
