"""Parts of one computation side by side: kernels let go of the interpreter, so threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Found = TypeVar("Found")


def side_by_side(parts: Iterable[Callable[[], Found]], jobs: int | None = None) -> list[Found]:
    """What each part returns, in their order; on ``jobs`` threads, default as many as there are processors."""
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        pending = [pool.submit(part) for part in parts]
        try:
            return [part.result() for part in pending]
        except BaseException:  # an interrupt does not wait for what has not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
