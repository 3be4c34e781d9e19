"""The monitoring aids as a printable page, a CSV file, or a folder with everything; whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trialsim.errors import OutputError
from trialsim.monitoring.aids import Aids
from trialsim.reporting import monitor_rows as rows_of
from trialsim.reporting import monitor_words as words
from trialsim.running.inputs import text_of
from trialsim.writing.csv import to_csv
from trialsim.writing.folder import (
    ENVIRONMENT,
    FIGURES,
    PAGE,
    RESULTS,
    SCENARIO,
    TABLES,
    check_target,
    put_in_place,
    reason_of,
)

if TYPE_CHECKING:
    from trialsim.writing.report import Picture

SHEET, TABLE = ".html", ".csv"
"""What a single file is, by its suffix: the decision table as a page to print, or as rows."""

LONG = 24
"""Rows of a table from which on the printed sheet is set in smaller type, to stay on one page."""


def check_output(output: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Where to write, refused in plain words before anything is computed: a file if it ends in .html or .csv.

    Raises
    ------
    OutputError : it exists (without ``force``), is no earlier output, or cannot be written.
    """
    path = Path(output)
    if path.suffix.lower() not in (SHEET, TABLE):
        return check_target(path, force=force)
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


def write(
    aids: Aids, output: str | os.PathLike[str], *, force: bool = False, scenario_text: str | None = None
) -> Path:
    """Write the decision table as one page (.html) or as rows (.csv), or everything into a folder.

    Parameters
    ----------
    force : replace an earlier file, or the folder of an earlier run.
    scenario_text : the user's own text, kept in the folder as it is.

    Returns
    -------
    The path of the file, or of the folder's ``report.html``.

    Raises
    ------
    OutputError : it exists, or cannot be written.
    """
    target = check_output(output, force=force)
    suffix = target.suffix.lower()
    if suffix == SHEET:
        return _file(target, page(aids, powers=False).encode(), force)
    if suffix == TABLE:
        return _file(target, to_csv(rows_of.decision_rows(aids.table), rows_of.DECISIONS).encode(), force)
    text = text_of(aids.scenario, scenario_text)
    put_in_place(target, _folder(aids, text), force=force)
    return target / PAGE


def _file(target: Path, content: bytes, force: bool) -> Path:
    """Write a file under another name first, so that it appears whole."""
    new = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.new")
    try:
        new.write_bytes(content)
        check_output(target, force=force)  # a file may have come up meanwhile
        os.replace(new, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {reason_of(error)}") from None
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    return target


def _folder(aids: Aids, text: str) -> Callable[[Path], None]:
    def fill(new: Path) -> None:
        from trialsim.figures.conditional_power import draw
        from trialsim.reporting.pieces import save_picture
        from trialsim.results import digits12
        from trialsim.writing.environment import environment
        from trialsim.writing.folder import to_json as to_bytes

        started = time.perf_counter()
        (new / RESULTS).write_bytes(to_bytes(aids.to_dict()))
        (new / SCENARIO).write_bytes(text.encode())
        (new / TABLES).mkdir()
        files: dict[str, tuple[rows_of.Rows, tuple[str, ...]]] = {
            "decisions": (rows_of.decision_rows(aids.table), rows_of.DECISIONS),
            "power": (rows_of.power_rows(aids), rows_of.POWER),
        }
        if aids.present is not None:
            files["now"] = (rows_of.present_rows(aids, aids.present), rows_of.PRESENT)
        for name, (rows, columns) in files.items():
            (new / TABLES / f"{name}.csv").write_bytes(to_csv(map(digits12, rows), columns).encode())
        (new / FIGURES).mkdir()
        drawn = draw(aids)
        picture = None if drawn is None else save_picture(drawn, new / FIGURES)
        (new / PAGE).write_bytes(page(aids, picture=picture).encode())
        seconds = {"figures_and_page": round(time.perf_counter() - started, 3)}
        (new / ENVIRONMENT).write_bytes(environment(None, seconds))

    return fill


def page(aids: Aids, *, powers: bool = True, picture: Picture | None = None) -> str:
    """The HTML: the decision table, which prints on one page, and with ``powers`` what follows from the counts."""
    from trialsim.reporting.pieces import render
    from trialsim.writing.report import Numbered

    decisions, boundary = words.decisions(aids.table), words.boundary(aids.table)
    present = aids.present if powers else None
    rows = sum(len(group.rows) for table in (decisions, boundary) for group in table.groups)
    context = {
        "doc": aids.to_dict(),
        "title": aids.scenario.name,
        "endpoint": aids.scenario.endpoint,
        "design": words.design_words(aids),
        "assumed": words.assumed_words(aids),
        "cohorts": ", ".join(aids.table.cohorts),
        "decisions": decisions,
        "boundary": boundary,
        "long": rows > LONG,
        "toxicity": words.toxicity_words(aids),
        "counted": words.counted_words(aids),
        "convention": words.convention(),
        "powers": [words.power(aids, n) for n in aids.looks_shown] if powers else [],
        "now": words.present_table(aids, present) if present else None,
        "standing": words.present_words(aids, present) if present else "",
        "notes": words.power_notes(aids),
        "picture": picture,
        "table_number": Numbered(),
        "figure_number": Numbered(),
    }
    return render("monitor.html", context)
