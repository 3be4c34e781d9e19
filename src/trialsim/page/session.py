"""One visitor of the page: a scenario as text, what is known about it, and what is still being worked out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shiny import Session as Connection
from shiny import reactive
from shiny.reactive._core import get_current_context

from trialsim.designs.rules import Looks
from trialsim.errors import Problem, TrialsimError
from trialsim.page.answering import Snapshot, answers, still
from trialsim.page.desk import Desk, Job
from trialsim.page.draft import Draft
from trialsim.page.form import GROUPS, structure
from trialsim.page.pins import Pin
from trialsim.page.searches import Searches
from trialsim.scenario.compiled import Compiled

Found = TypeVar("Found")

MAX_TEXT = 100_000
"""Characters of the longest scenario that the page reads; those of the examples have 10,000 at most."""

STILL = 0.4
"""Seconds without a change after which work begins that takes long."""

QUICK = ("simon", "single_stage")
"""Kinds of designs that are found in milliseconds."""


class Held(reactive.Value[Found]):
    """A value of a session. Shiny looks for the names of its own in the sources of every caller, for a log that is not
    kept: half of the time in which a session begins."""

    def _try_infer_name(self) -> None:
        return None


@dataclass(frozen=True)
class House:
    """What all visitors share."""

    desk: Desk
    searches: Searches


def found_quickly(design: Any) -> bool:
    """Whether the looks of a design are stated, or found in milliseconds."""
    return not getattr(design, "is_searched", False) or design.kind in QUICK


def looks_found(design: Any) -> Looks:
    """The looks of a design, searched for where it states error rates; in a process of its own."""
    looks: Looks = design.compile()
    return looks


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Read values without being told of their changes, and without a trace.

    Shiny's own ``isolate`` leaves each of its contexts with what it has read until that changes: 30 kB a move.
    """
    with reactive.isolate():
        try:
            yield
        finally:
            get_current_context().invalidate()


def hidden(connection: Connection) -> Callable[[str], bool]:
    """Whether an output is out of sight, as Shiny asks for each at every message, without a trace."""

    def is_hidden(name: str) -> bool:
        with aside():
            seen = connection.input[f".clientdata_output_{name}_hidden"]
            return not seen.is_set() or bool(seen())

    return is_hidden


class Visit:
    """The state of a session.

    Attributes:
        draft: the scenario's text and what it says; the one state that everything else follows from.
        opened: the text as it was opened, against which changes are marked.
        snapshot: the latest numbers of a draft without faults; of an earlier draft until its own are there.
        pins: what is kept to be compared with.
        refused: problems of variants and analyses, for which a run would refuse the file; found last.
        fault: why there are no numbers for the present draft; "" where there are or will be.
        forms: what must change for a group of the form to be drawn anew.
    """

    def __init__(self, house: House, connection: Connection, text: str) -> None:
        self.house, self.connection = house, connection
        self._loop = asyncio.get_running_loop()
        self._jobs: list[Job] = []
        self._job: Job | None = None
        self._reading: Job | None = None
        self._looks: dict[str, Looks] = {}
        draft = Draft.of(text)
        self.draft = Held(draft)
        self.opened = Held(text)
        self.snapshot: Held[Snapshot | None] = Held(None)
        self.fault = Held("")
        self.refused: Held[tuple[Problem, ...]] = Held(())
        self.pins: Held[tuple[Pin, ...]] = Held(())
        self.revision = Held(0)
        self.forms = {group: Held(structure(draft, group)) for group in GROUPS}
        connection.on_ended(self.close)
        # a method of Shiny's own; without this all works, and a session grows
        vars(connection)["_is_hidden"] = hidden(connection)
        self._answer(draft)

    # -- what changes the scenario

    def open(self, text: str, *, afresh: bool = True) -> None:
        """Go on with another text, read in a thread; ``afresh``: as a scenario to which changes are compared."""
        if len(text) > MAX_TEXT:
            self.fault.set(
                f"This text is longer than {MAX_TEXT // 1000} kB, more than the page reads; `trialsim run` reads it."
            )
            return

        def read(draft: Draft) -> None:
            if afresh:
                self.opened.set(draft.text)
            self.take(draft, anew=True)

        if self._reading:
            self._reading.cancel()  # of two texts the later one counts, however long the earlier one takes
        with aside():
            crlf = None if afresh else self.draft().crlf  # a text box has line ends of its own
        self._reading = self.ask(lambda: at_once(lambda: Draft.of(text, crlf=crlf)), read)

    def take(self, draft: Draft, *, anew: bool = False) -> None:
        """Go on with this draft; ``anew`` draws every control again."""
        self.draft.set(draft)
        if anew:
            with aside():
                self.revision.set(self.revision() + 1)
        self._answer(draft)
        with aside():
            for group, form in self.forms.items():
                if (new := structure(draft, group)) != form():  # Shiny asks whether it is the same object
                    form.set(new)

    # -- what is worked out

    def _answer(self, draft: Draft) -> None:
        if self._job:
            self._job.cancel()
            self._job = None
        self.refused.set(())
        if draft.scenario is None:
            self.fault.set("The numbers are those before the last change: the scenario has a fault.")
            return
        self.fault.set("")
        with aside():
            latest = self.snapshot()
        before = latest.trial if latest else None
        self._job = self.ask(lambda: self._work(draft, before), self._told)

    def _work(self, draft: Draft, before: Compiled | None) -> Iterator[Any]:
        design = draft.scenario.design if draft.scenario else None
        looks = None
        if not found_quickly(design):
            key = design.model_dump_json()  # type: ignore[union-attr]
            if key not in self._looks:
                for found in self.house.searches.call(looks_found, design):
                    yield None
                    if found is not None:
                        self._looks[key] = found
            looks = self._looks[key]
        yield from answers(draft, looks, before)
        yield draft.checked()

    def _told(self, found: Any) -> None:
        if isinstance(found, TrialsimError):
            self.fault.set(str(found))
        elif isinstance(found, Draft):
            self.refused.set(found.problems)
        else:
            self.snapshot.set(found)

    def ask(self, work: Callable[[], Iterator[Any]], told: Callable[[Any], None]) -> Job:
        """Have work done by the desk; ``told`` hears what is found (or the TrialsimError) where values may be set."""
        job: Job

        async def tell(found: Any) -> None:
            async with reactive.lock():
                if not job.cancelled:
                    told(found)
                    await reactive.flush()

        def publish(found: Any) -> None:
            asyncio.run_coroutine_threadsafe(tell(found), self._loop)

        job = self.house.desk.ask(work, publish)
        self._jobs = [each for each in self._jobs if not each.finished] + [job]
        return job

    def close(self) -> None:
        """Call off everything that is still being worked out."""
        for job in self._jobs:
            job.cancel()


class Asked(Generic[Found]):
    """An answer that is worked out when somebody looks at it, and again when what it depends on has changed."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._held: Held[tuple[Any, Found | TrialsimError] | None] = Held(None)
        self._key: Any = None
        self._job: Job | None = None

    def __call__(self, key: Any, work: Callable[[], Iterator[Found | None]]) -> Found | TrialsimError | None:
        """The answer to ``work`` for this key, or its error; None while it is not there yet.

        To be called where it is shown; it is shown again as soon as there is more.
        """
        held = self._held()
        if self._key != key:
            self._key = key
            if self._job:
                self._job.cancel()

            def keep(found: Found | TrialsimError) -> None:
                self._held.set((key, found))

            self._job = self._visit.ask(work, keep)
        return held[1] if held and held[0] == key else None


def at_once(work: Callable[[], Found]) -> Iterator[Found]:
    """Work of one step."""
    yield work()


def settled(work: Callable[[], Iterator[Found]]) -> Iterator[Found | None]:
    """Work that takes long, begun only when nothing has changed for a moment."""
    yield from still(STILL)
    yield from work()
