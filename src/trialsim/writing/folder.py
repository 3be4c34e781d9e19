"""A report as a folder, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from trialsim.errors import OutputError
from trialsim.timing import Clock
from trialsim.writing.csv import printed_tables
from trialsim.writing.environment import environment
from trialsim.writing.html import html
from trialsim.writing.markdown import markdown
from trialsim.writing.report import Report
from trialsim.writing.seal import (
    ADDED,
    CHANGED,
    DEBRIS,
    ENVIRONMENT,
    RESULTS,
    alterations,
    digests,
    fits,
    with_files,
)

PAGE, MARKDOWN, DOCX = "report.html", "report.md", "report.docx"
TABLES, FIGURES, SCENARIOS = "tables", "figures", "scenarios"
SCENARIO = "scenario.yaml"

KEPT = {f"{name}.{suffix}" for name in ("trials", "patients") for suffix in ("csv", "parquet")}
"""Single trials that a run was asked to keep."""

CONTENTS = {RESULTS, PAGE, MARKDOWN, DOCX, SCENARIO, ENVIRONMENT, TABLES, FIGURES, SCENARIOS, *KEPT}
"""Everything a folder holds at its top."""

SUFFIXES = {TABLES: {".csv"}, FIGURES: {".svg", ".png", ".csv"}, SCENARIOS: {".yaml"}}
"""What its subfolders hold."""


class How(TypedDict, total=False):
    """How a folder is written.

    ``force``: replace the folder of an earlier report, if all it holds is as it was written (any other existing folder
    or file is never touched); ``docx``:
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

    Args:
        folder: where to write. Nothing is left behind when anything fails.
        results: the content of ``results.json``.
        tables: CSV text by name, beside the tables of the report as they are printed.
        texts: the scenario files it was made from, by name, copied as they are.
        clock: wall times of what was done before, to stand beside those measured here in ``environment.json``.

    Raises:
        OutputError: the folder cannot be written, or exists; ``docx`` without the extra.
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
        made_by = environment(how.get("jobs"), clock.seconds)
        (new / ENVIRONMENT).write_bytes(with_files(made_by, digests(new)))

    put_in_place(target, fill, force=force)
    return target / PAGE


def record(folder: Path, files: Iterable[Path]) -> None:
    """Enter files that were written into a finished folder into its list."""
    environment = folder / ENVIRONMENT
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if fits(listed := environment.read_bytes()):
            write_file(environment, with_files(listed, digests(folder, files)))


def short(name: str) -> str:
    """The beginning of a name, so that with a mark and an ending it still is one: names have at most 255 bytes."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore")


def check_file(path: Path, *, force: bool = False, endings: tuple[str, ...] = ()) -> Path:
    """A file to write, as an absolute path; refused in plain words before anything is computed.

    Raises:
        OutputError: it exists (without ``force``), its name has none of the ``endings``, or there is no folder to write
            it in.
    """
    try:
        if endings and path.suffix.lower() not in endings:
            raise OutputError(
                f"{path} cannot be written: its name must end in {', '.join(endings[:-1])} or {endings[-1]}"
            )
        if path.is_dir():
            raise OutputError(f"{path} is a folder, not a file; choose another name")
        if os.path.lexists(path) and not force:
            raise OutputError(f"{path} exists; choose another name, or replace it with --force")
        if not path.parent.is_dir():
            raise OutputError(f"{path} cannot be written: {path.parent} is not a folder")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OutputError(f"{path} cannot be written: no permission to write in {path.parent}")
    except (OSError, ValueError) as error:
        raise OutputError(f"{os.fsdecode(path)!r} cannot be written: {reason_of(error)}") from None
    return path.absolute()


def write_file(target: Path, content: bytes) -> None:
    """Write one file, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_files({target: content})


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write files beside their places and move them in when all are whole.

    Raises:
        OutputError: one cannot be written; then none is.
    """
    mark, new = secrets.token_hex(4), {}
    try:
        for target, content in contents.items():
            new[target] = target.with_name(f".{short(target.name)}.{mark}")
            new[target].write_bytes(content)
        for target, written in new.items():
            os.replace(written, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {reason_of(error)}") from None
    finally:
        for written in new.values():
            with contextlib.suppress(OSError):
                written.unlink()


FILES = {
    ".docx": "--docx writes the report for Word",
    ".md": "--markdown prints the report as Markdown",
    ".tex": "--latex prints the report as LaTeX",
    ".html": "the page report.html is written into it",
    ".pdf": "the page report.html, which is written into it, prints to PDF",
    ".csv": "its tables are written as CSV",
    ".json": "results.json is written into it, and --json prints it",
}
"""What a name ends in that asks for a file, and how that file is had."""


def check_target(folder: str | os.PathLike[str], *, force: bool = False) -> Path:
    """The folder to write, as an absolute path; refused in plain words before anything is computed.

    Raises:
        OutputError: it exists (without ``force``), is not the folder of an earlier run, or cannot be written.
    """
    try:
        target = Path(folder).resolve()
        if not target.name:
            raise OutputError(f"{target} cannot be a run folder; name a new folder")
        if instead := FILES.get(target.suffix.lower()):
            raise OutputError(
                f"{os.fsdecode(folder)} would be a folder, not a file: name a folder; {instead}"
            )
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
    """Why a folder is not the untouched folder of an earlier run; "" if it is, or is empty."""
    if all(entry.name in DEBRIS for entry in folder.iterdir()):
        return ""
    try:
        recorded = json.loads((folder / RESULTS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return f"it is not the folder of an earlier run (no readable {RESULTS})"
    if not isinstance(recorded, dict) or "trialsim" not in recorded:
        return f"it is not the folder of an earlier run ({RESULTS} is not trialsim's)"
    altered = alterations(folder)
    if altered is not None:
        own = [
            f"{name} is {what}"
            for name, what in sorted(altered.items())
            if what in (ADDED, CHANGED) or name == ENVIRONMENT
        ]
        more = [f"{len(own) - 3} more"] if len(own) > 3 else []
        return f"it holds what no run has written: {'; '.join(own[:3] + more)}" if own else ""
    # a folder of an earlier version has no list: what it holds is known by name alone
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
    """Build the folder beside its place and move it in; on any failure everything is as before.

    What a process that was killed has left of the same folder is cleared away.
    """
    mark = secrets.token_hex(4)
    new, old = (target.with_name(f".{short(target.name)}.{mark}.{word}") for word in ("new", "old"))
    missing = [parent for parent in target.parents if not parent.exists()]
    placed, held = False, -1
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new.mkdir()
        held = _hold(new)
        _clear(target, new)
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
        if held >= 0:
            os.close(held)
        if placed:
            shutil.rmtree(old, ignore_errors=True)
        elif old.exists() and not os.path.lexists(target):
            os.rename(old, target)
        if not placed:
            with contextlib.suppress(OSError):
                for parent in missing:
                    parent.rmdir()


def _hold(folder: Path) -> int:
    """A descriptor by which this process alone holds a folder, however it ends; -1 if another does, or none can."""
    try:
        import fcntl

        held = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return -1
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return -1
    return held


def _clear(target: Path, new: Path) -> None:
    """Remove unfinished folders of the same name that are older than ``new`` and that nobody holds any more.

    The folder that was about to be replaced goes too, unless it is all there is.
    """
    kinds = "new|old" if os.path.lexists(target) else "new"
    left = re.compile(re.escape(f".{short(target.name)}.") + f"[0-9a-f]{{8}}[.]({kinds})")
    for other in target.parent.iterdir():
        with contextlib.suppress(OSError):
            older = left.fullmatch(other.name) and other.stat().st_mtime_ns < new.stat().st_mtime_ns
            if older and (held := _hold(other)) >= 0:
                shutil.rmtree(other, ignore_errors=True)
                os.close(held)


def reason_of(error: BaseException) -> str:
    """What went wrong, in the words of the operating system."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return words.lower() or "unknown reason"
