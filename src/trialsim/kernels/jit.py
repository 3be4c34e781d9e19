"""The one door to numba: compile, cache where possible, and never trade exactness for speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` without the GIL and without fast-math, cached on disk where a folder is writable.

    numba refuses to decorate when neither the install folder nor the user's cache folder is writable; the
    kernel is then compiled afresh in each process.
    """
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return numba.njit(nogil=True, error_model="numpy")(function)


inline = numba.njit(inline="always", error_model="numpy")
"""For the small functions that kernels of the same file are written in."""
