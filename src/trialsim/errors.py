"""What can go wrong for a reason the user can mend; each prints as plain sentences and exits with status 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TrialsimError(Exception):
    """Base of every error that a user can mend."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a file: its line (from 1; 0: the file as such), which key, and what is allowed there."""

    line: int
    key: str
    message: str

    def located(self, file: str) -> str:
        """``file:line: key: message``, the form that editors and terminals turn into a link; no line of no text."""
        line = f":{self.line}" if self.line else ""
        key = f" {self.key}:" if self.key else ""
        return f"{file}{line}:{key} {self.message}"


class FileError(TrialsimError):
    """A file that a user wrote cannot be used; every line of the message begins with the file and its line."""


class ScenarioError(FileError):
    """A scenario file that cannot be used; carries every problem found, not only the first."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(problem.located(file) for problem in self.problems))

    def __reduce__(self) -> tuple[type, tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.file, self.problems)


class DesignError(TrialsimError):
    """No design meets the stated requirements, or the stated numbers contradict each other."""


class OutputError(TrialsimError):
    """The run folder cannot be written, read or overwritten."""
