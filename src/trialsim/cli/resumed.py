"""What --resume finds: a folder that holds this very answer already needs nothing done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialsim.cli.common import Out
from trialsim.errors import TrialsimError

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario


@dataclass
class Resumable(Out):
    """As for every answer, but that the folder may be there: what it holds is known with what is asked."""

    def __post_init__(self) -> None:
        """The place is looked at by ``opened``."""
        self._forms()

    def opened(self, kind: str, asked: Mapping[str, Any], about: Sequence[Scenario], *, resume: bool) -> bool:
        """Whether there is something to do, which then has a place; what is complete is told with its page."""
        page = complete(self.output, kind, asked, about) if resume and self.output is not None else None
        if page is None:
            self._place()
            return True
        print(page if self.prints_nothing_else else f"complete already; nothing to go on with\n\n{page}")
        return False


def complete(folder: Path, kind: str, asked: Mapping[str, Any], about: Sequence[Scenario]) -> Path | None:
    """The page of a folder that holds this very answer, finished; None where it holds another, or none.

    ``about``: the scenarios that the answer is about, in the order in which the folder keeps them.
    """
    from trialsim.reporting.rerun import recorded_in
    from trialsim.scenario.files import digest, load
    from trialsim.version import __version__
    from trialsim.writing.folder import PAGE

    page = folder / PAGE
    if not page.is_file():
        return None
    try:
        _, content = recorded_in(folder)
        same = {"kind": kind, "trialsim": __version__, "asked": dict(asked)}
        if any(content.get(key) != value for key, value in same.items()):
            return None
        kept = [load(folder / name) for name in content["texts"]]
    except TrialsimError:
        return None
    # the seed is no part of a digest, and decides where none was asked for
    first, second = ([(digest(each), each.simulation) for each in those] for those in (kept, about))
    return page.resolve() if first == second else None
