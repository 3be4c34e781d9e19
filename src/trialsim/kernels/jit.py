"""The one door to numba: compile, cache where possible, and never trade exactness for speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


def compile_note() -> str:
    """What to tell a user who is about to wait for compilation; "" when compiled kernels are on disk."""
    from trialsim.kernels.chain import propagate
    from trialsim.kernels.trial import simulate

    for dispatcher in (simulate, propagate):
        folder = dispatcher.stats.cache_path
        if folder is None:
            return "Compiling kernels (no writable cache folder: this happens in every run)"
        name = f"{Path(dispatcher.py_func.__code__.co_filename).stem}.{dispatcher.py_func.__name__}"
        if not any(Path(folder).glob(f"{name}-*.nbc")):
            return "Compiling kernels (first run only)"
    return ""
