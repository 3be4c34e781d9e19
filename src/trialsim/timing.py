"""Wall time: what each part of the work took, what long work says meanwhile, and how it is asked to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, TypeVar

Found = TypeVar("Found")


class Clock:
    """Wall time by part of the work."""

    def __init__(self, before: Mapping[str, float] | None = None) -> None:
        self.seconds: dict[str, float] = dict(before or {})

    @contextlib.contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[part] = round(time.perf_counter() - start, 3)


LONG = 5.0
"""Seconds from which on a part of the work is said to take long."""

stop = threading.Event()
"""Set by an interrupt, for work in threads other than the one that hears it."""

_own = threading.local()


@contextlib.contextmanager
def until(ended: Callable[[], bool]) -> Iterator[None]:
    """Long work of this thread is called off, by KeyboardInterrupt, as soon as ``ended`` says so."""
    _own.ended = ended
    try:
        yield
    finally:
        del _own.ended


heard: list[int] = []
"""The signals that have asked the command line to stop."""

listener: Callable[[str], None] | None = None
"""Is told what takes long; the command line has one."""


def tell(words: str) -> None:
    """Say something about the work while it goes on, if anybody listens."""
    if listener is not None:
        listener(words)


@contextlib.contextmanager
def long_work(what: str, steps: int) -> Iterator[Callable[[int], None]]:
    """Work in ``steps``: call what is given with how many are done. It says once how long the rest will take, if long.

    The clock starts after the first of them, which may have waited for a kernel to be compiled.

    Raises:
        KeyboardInterrupt: the work is to stop.
    """
    began, first, said = 0.0, 0, False

    def done(count: int) -> None:
        nonlocal began, first, said
        if stop.is_set() or getattr(_own, "ended", bool)():
            raise KeyboardInterrupt
        if said or listener is None:
            return
        if not first:
            began, first = time.monotonic(), count
            return
        passed = time.monotonic() - began
        left = passed * (steps - count) / (count - first)
        if passed > LONG / 10 and passed + left > LONG:
            said = True
            tell(f"{what}: about {left:.0f} s more")

    yield done


def hear() -> dict[int, Any]:
    """Take SIGTERM and SIGHUP for an interrupt, and return the handlers that were there before.

    The first signal raises KeyboardInterrupt; a second must not break what clears up after it; a third ends the
    process. A signal that is ignored, as in the background of a shell, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is _obey:
        return {}
    heard.clear()
    stop.clear()
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    found = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in found:
        signal.signal(number, _obey)
    return found


def _obey(number: int, _frame: FrameType | None) -> None:
    heard.append(number)
    stop.set()
    if len(heard) == 1:
        raise KeyboardInterrupt
    if len(heard) > 2:
        os._exit(status())


def status() -> int:
    """Exit status after an interrupt, as shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (heard[0] if heard else signal.SIGINT)


def meanwhile(work: Callable[[], Found]) -> Found:
    """What ``work`` returns. The main thread only waits for it, and so hears an interrupt in the midst of a kernel."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    from concurrent.futures import Future

    found: Future[Found] = Future()

    def beside() -> None:
        try:
            found.set_result(work())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=beside, daemon=True).start()
    return found.result()
