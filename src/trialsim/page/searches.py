"""Searches for designs, which cannot be called off half way: each in a process of its own, which can be ended."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from trialsim.errors import TrialsimError

SECONDS = 60.0
"""How long one search may take."""

SECONDS_A_FILE = 240.0
"""How long a report may take, which is a whole run with its pictures."""

PAUSE = 0.05
"""Seconds between two looks at whether a search is finished."""


class _Worker:
    """A process that answers one call after another."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def end(self) -> None:
        """End it, whatever it is doing."""
        self.process.kill()
        self.connection.close()


class Searches:
    """A few processes; a call that is not waited for to its end costs its process, and the next gets a fresh one."""

    def __init__(self, workers: int = 2) -> None:
        self._free: list[_Worker | None] = [None] * workers
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Start the processes before they are needed."""
        with self._lock:
            self._free = [worker or _Worker() for worker in self._free]

    def call(
        self, function: Callable[..., Any], /, *args: Any, file: str = "", **keywords: Any
    ) -> Iterator[Any]:
        """Yield None until the answer is there, then the answer; ``file`` names the one that is made, if one is.

        Raises:
            TrialsimError: what the function raised, or that it takes too long for the page.
        """
        began = time.monotonic()
        while (worker := self._taken()) is _NONE:
            time.sleep(PAUSE)
            yield None
        worker = worker if isinstance(worker, _Worker) and worker.process.is_alive() else _Worker()
        finished = False
        try:
            worker.connection.send((function, args, keywords))
            while not worker.connection.poll(PAUSE):
                if time.monotonic() - began > (SECONDS_A_FILE if file else SECONDS):
                    raise _too_long(file)
                yield None
            error, found = _received(worker)
            finished = True
            if error:
                raise TrialsimError(error)
            yield found
        finally:
            if not finished:
                worker.end()
            with self._lock:
                self._free.append(worker if finished else None)

    def close(self) -> None:
        """End every process that waits."""
        with self._lock:
            free, self._free = self._free, []
        for worker in free:
            if worker is not None:
                worker.end()

    def _taken(self) -> Any:
        with self._lock:
            return self._free.pop() if self._free else _NONE


def _too_long(file: str) -> TrialsimError:
    if file:
        return TrialsimError(
            f"{file} takes more than {SECONDS_A_FILE:.0f} s, which is all that the page gives to a file: the machine "
            "may be busy. Try it again, or download the scenario file; `trialsim run` and `trialsim protocol` have no "
            "such limit"
        )
    return TrialsimError(
        f"the search takes more than {SECONDS:.0f} s, which is all that the page gives to one; "
        "`trialsim find` has no such limit, and a smaller nmax makes it quicker"
    )


_NONE = object()


def _received(worker: _Worker) -> tuple[str, Any]:
    try:
        answer: tuple[str, Any] = worker.connection.recv()
    except (EOFError, OSError):
        raise TrialsimError("the search was ended before it was finished: try it again") from None
    return answer


def _serve(connection: Connection) -> None:
    """What a process does: call what it is sent, and send back what comes of it, or the sentence of an error."""
    while True:
        try:
            function, args, keywords = connection.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        try:
            answer = ("", function(*args, **keywords))
        except TrialsimError as error:
            answer = (str(error), None)
        except KeyboardInterrupt:
            return
        connection.send(answer)
