"""Who works for the sessions of the page: a few threads, the first answers of everybody before anybody's refinements.

Work is a generator: each step takes a fraction of a second and yields what it found, or None. Between two steps a job
can be called off, so that a slider that moves on leaves no work behind, and a session that ends frees its own.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from trialsim.errors import TrialsimError
from trialsim.timing import until

SECONDS = 120.0
"""Computing time that one answer may take."""

_END = object()

Work = Callable[[], Iterator[Any]]
Publish = Callable[[Any], None]


class Job:
    """Work for one answer: what it yields is published, or the error that ended it; nothing after ``cancel``."""

    def __init__(self, work: Work, publish: Publish) -> None:
        self._work, self._publish = work, publish
        self._steps: Iterator[Any] | None = None
        self.cancelled = self.finished = False
        self.turns, self.spent = 0, 0.0

    def cancel(self) -> None:
        """Call the work off: the step that is being done is the last, and nobody hears of it."""
        self.cancelled = True

    def step(self) -> bool:
        """Do one step; whether there is more to do."""
        began = time.monotonic()
        try:
            with until(lambda: self.cancelled or self.spent + time.monotonic() - began > SECONDS):
                if self.spent > SECONDS:
                    raise KeyboardInterrupt
                if self._steps is None:
                    self._steps = self._work()
                found = next(self._steps, _END)
        except TrialsimError as error:
            self._say(error)
            return False
        except KeyboardInterrupt:
            self._say(
                TrialsimError(
                    f"this takes more than {SECONDS:.0f} s of computing time, which is all that the page gives to one "
                    "answer; the command line has no such limit"
                )
            )
            return False
        except Exception:
            self._say(TrialsimError("this could not be worked out, through a fault of the program"))
            raise
        finally:
            self.turns += 1
            self.spent += time.monotonic() - began
        if found is not None and found is not _END:
            self._say(found)
        return found is not _END and not self.cancelled

    def close(self) -> None:
        """Let the work put away what it holds."""
        self.finished = True
        if self._steps is not None and hasattr(self._steps, "close"):
            self._steps.close()

    def _say(self, found: Any) -> None:
        if not self.cancelled:
            self._publish(found)


class Desk:
    """The threads, and what waits for them."""

    def __init__(self, workers: int | None = None) -> None:
        self._waiting: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._threads = [
            threading.Thread(target=self._serve, name=f"desk-{k}", daemon=True)
            for k in range(workers or max(os.cpu_count() or 1, 2))
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, work: Work, publish: Publish) -> Job:
        """Have work done; ``publish`` is called in a thread of the desk with all that it finds, or its error."""
        job = Job(work, publish)
        self._waiting.put((0, next(self._numbers), job))
        return job

    def close(self) -> None:
        """Do nothing that waits any more, and end the threads."""
        for _ in self._threads:
            self._waiting.put((-1, next(self._numbers), None))

    def _serve(self) -> None:
        while True:
            _, _, job = self._waiting.get()
            if job is None:
                return
            more = False
            try:
                more = not job.cancelled and job.step()
            except Exception:
                traceback.print_exc()  # a fault of ours: the session has been told, the log has the rest
            if more:
                self._waiting.put((job.turns, next(self._numbers), job))
            else:
                job.close()
