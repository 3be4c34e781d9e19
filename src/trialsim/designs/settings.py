"""Many searches at once: a table of settings as spreadsheets, R and pandas write it, and a table of answers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialsim.designs.finding import COLUMNS, KINDS, check_kind, find, needs, value_in
from trialsim.errors import DesignError
from trialsim.given import clip
from trialsim.results import to_frame
from trialsim.sheets import MISSING, read_csv

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answers:
    """Designs setting by setting; ``bad`` has a sentence for each setting without one."""

    rows: tuple[dict[str, Any], ...]
    bad: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a design, or one with the reason in ``note``."""
        return to_frame(list(self.rows))


@dataclass(frozen=True)
class Setting:
    """A row of a table of settings: the arguments of ``find``, what is carried along, and what is wrong with it."""

    where: str
    arguments: dict[str, Any]
    shown: dict[str, Any]
    fault: str = ""
    note: str = ""

    def answers(self, kind: str) -> tuple[list[dict[str, Any]], str]:
        """Rows of the answer, and a sentence where there is no design."""
        fault = self.fault
        if not fault:
            try:
                found = find(kind, **self.arguments)
            except DesignError as error:
                fault = str(error)
            except TypeError as error:  # an argument that is not there
                fault = str(error)
            else:
                return [self._row(design.row(), found.note) for design in found], ""
        return [self._row({}, fault)], f"{self.where}: {fault}"

    def _row(self, design: Mapping[str, Any], note: str) -> dict[str, Any]:
        carried = {
            f"given_{key}" if key == "power" or (key in _TAKEN and key not in self.arguments) else key: value
            for key, value in self.shown.items()
        }
        return {**carried, **(design or {"design": None}), "note": "; ".join(filter(None, (note, self.note)))}


_TAKEN = {*COLUMNS, "note"}
"""Columns of the answer; another column of such a name is carried along as ``given_NAME``, and the power wanted is."""


def find_many(kind: str, settings: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One search a setting (a mapping of ``find``'s arguments); a table with the setting before each design.

    A setting without a design has a row with the reason in ``note``.
    """
    # pandas has NaN where a setting says nothing
    said = ({key: value for key, value in each.items() if value == value} for each in settings)
    asked = [Setting(f"setting {k}", each, each) for k, each in enumerate(said, start=1)]
    return _answers(kind, asked).to_frame()


def find_in_file(kind: str, path: Path) -> Answers:
    """``find`` for each row of a CSV file whose columns are its arguments; further columns are carried along.

    Commas, semicolons (with decimal commas), tabs or blanks part the cells; headers are read in any case; ``40%`` is
    0.4; empty cells and NA say nothing. Every row that can be used is answered; another has the reason in ``note``.

    Raises:
        DesignError: the kind is unknown, the file cannot be read, or its header lacks what a search needs.
    """
    check_kind(kind)
    return _answers(kind, list(_settings(kind, path)))


def _answers(kind: str, settings: Iterable[Setting]) -> Answers:
    answered = [setting.answers(kind) for setting in settings]
    return Answers(
        tuple(row for rows, _ in answered for row in rows), tuple(bad for _, bad in answered if bad)
    )


# -- a file


def _settings(kind: str, path: Path) -> Iterator[Setting]:
    sheet = read_csv(path)
    wanted = needs(kind)
    must = f"a table of settings needs a header with {', '.join(wanted)} (power in place of beta), and a row a setting"
    if not sheet.rows:
        raise DesignError(f"{path}: {must}")
    names = list(sheet.names)
    keys = [_key(kind, name) for name in names]
    stated = {*keys, *(("beta",) if "power" in keys else ())}
    if missing := [key for key in wanted if key not in stated]:
        raise DesignError(f"{path}: line {sheet.line}: no column {', '.join(missing)}; {must}")
    known = [key for key in keys if key]
    if twice := sorted({key for key in known if known.count(key) > 1}):
        raise DesignError(f"{path}: line {sheet.line}: column {', '.join(twice)} is there twice")
    note = "; ".join(
        _near(kind, name) for name, key in zip(names, keys, strict=True) if not key and _near(kind, name)
    )
    for line, cells in sheet.rows:
        yield _setting(f"{path}: line {line}", names, keys, cells, note)


def _arguments(kind: str) -> list[str]:
    return [*dict.fromkeys((*KINDS[kind].model_fields, "p0", "p1", "alpha", "beta", "power"))][1:]


def _key(kind: str, name: str) -> str:
    """The argument that a column states, or "" for a column that is carried along."""
    return next((key for key in _arguments(kind) if key == name.lower()), "")


def _near(kind: str, name: str) -> str:
    """What to say of a column that looks like a slip of the keyboard."""
    near = difflib.get_close_matches(name.lower(), _arguments(kind), 1, 0.8) if len(name) > 4 else []
    return f"column `{clip(name)}` is carried along unread; did you mean `{near[0]}`?" if near else ""


def _setting(where: str, names: list[str], keys: list[str], cells: Sequence[str], note: str) -> Setting:
    arguments: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    faults = [f"{len(cells)} cells under {len(names)} headers"] if len(cells) > len(names) else []
    for name, key, cell in zip(names, keys, [*cells, *[""] * len(names)], strict=False):
        text = cell.strip()
        if not key:
            shown[name] = text
        elif text.lower() in MISSING:
            shown[key] = None
        else:
            try:
                arguments[key] = shown[key] = _value(text)
            except ValueError as reason:
                shown[key] = text
                faults.append(f"{key}: `{clip(text)}` {reason}")
    return Setting(where, arguments, shown, "; ".join(faults), note)


def _value(text: str) -> Any:
    """A cell: 0.05, 0,05, 5%, 18.0, TRUE, a list, a word."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+", text):
        raise ValueError("may be a decimal comma or thousands; write it without a comma")
    bare = text.removesuffix("%").rstrip()
    if re.fullmatch(r"[-+]?\d*,\d+([eE][-+]?\d+)?", bare):
        bare = bare.replace(",", ".")
    value = value_in(bare)
    if text.endswith("%"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("is not a number")
        return float(f"{value / 100:.12g}")
    return value
