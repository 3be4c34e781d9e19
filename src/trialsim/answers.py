"""What every command finds: numbers that know their rows, and print themselves by the report that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.writing.report import Picture, Report

Speaker = Callable[["Answer", str], Any]
"""An answer, and the form in which it is wanted ("report", "terminal", "notebook") -> it in that form."""

_speaker: list[Speaker] = []


def speak_through(speaker: Speaker) -> None:
    """State who puts answers into words; the top floor does, so that numbers know nothing of words."""
    _speaker[:] = [speaker]


class Answer:
    """Base of all answers.

    A subclass has ``rows()`` and ``to_dict()``, all numbers unrounded, and the command that it answers as ``kind``. (A
    dataclass is declared with ``repr=False``, or it would print itself whole.)
    """

    kind: ClassVar[str]

    def rows(self) -> Iterable[Mapping[str, Any]]:
        """One dict a number."""
        raise TypeError(f"{type(self).__name__} has no rows")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        raise TypeError(f"{type(self).__name__} has no plain data")

    def tables(self) -> Mapping[str, Iterable[Mapping[str, Any]]]:
        """Rows by the name of the CSV file that a folder keeps them in."""
        return {self.kind: self.rows()}

    @property
    def called(self) -> str:
        """What it is about, in a few words."""
        return str(getattr(self, "name", ""))

    def to_frame(self) -> pd.DataFrame:
        """A pandas table of the rows."""
        return to_frame(list(self.rows()))

    def report(self) -> Report:
        """The answer in words, tables and figures, from which every form of it is made."""
        report: Report = _speaker[0](self, "report")
        return report

    def figures(self) -> tuple[Picture, ...]:
        """The figures of its report, drawn when they are asked for (``.drawing.svg()``)."""
        return tuple(self.report().pictures())

    def __str__(self) -> str:
        return str(_speaker[0](self, "terminal"))

    def __repr__(self) -> str:
        about = f" {self.called!r}" if self.called else ""
        return f"<{type(self).__name__}{about}: print() shows it; .to_frame(), .to_dict(), .report(), .figures()>"

    def _repr_html_(self) -> str:
        return str(_speaker[0](self, "notebook"))


def to_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A pandas table, one row an entry."""
    import pandas as pd

    return pd.DataFrame(list(rows))
