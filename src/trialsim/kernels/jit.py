"""The one door to numba: compile, cache where possible, and never trade exactness for speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numba.extending

from trialsim.errors import TrialsimError

if getattr(numba.config, "DISABLE_JIT", 0):
    raise TrialsimError(
        "NUMBA_DISABLE_JIT is set, so that nothing is compiled: trials would take thousands of times as long, and "
        "numbers would not be those of a compiled run; unset it"
    )


_ALIKE: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_UNCOUNTED: dict[str, Any] = {"_nrt": False, **_ALIKE}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` without the GIL and without fast-math, cached on disk where a folder is writable.

    numba refuses to decorate when neither the install folder nor the user's cache folder is writable; the
    kernel is then compiled afresh in each process.
    """
    return _cached(function, _ALIKE)


def plain_kernel(function: Callable[..., Any]) -> Any:
    """As ``kernel``, for one that allocates nothing (``plain``): work space is given to it."""
    return _cached(function, _UNCOUNTED)


def _cached(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return numba.njit(**options)(function)


@numba.extending.intrinsic
def leading_zeros(typing_context: Any, word: Any) -> Any:  # noqa: ARG001 - numba's signature
    """Zeros before the first bit of a word, all of them for 0: one instruction, in vectors too."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctlz(arguments[0], numba.core.cgutils.false_bit)

    return word(word), build


@numba.extending.intrinsic
def widest_vectors(typing_context: Any) -> Any:  # noqa: ARG001 - numba's signature
    """In a kernel: let its loops fill vectors of 512 bits where the processor has them; LLVM would stay at 256."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        # a plain set: llvmlite's own check knows only attributes without a value
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return numba.types.none(), build


inline = numba.njit(inline="always", error_model="numpy")
"""For the small functions that kernels of the same file are written in."""

plain = numba.njit(**_UNCOUNTED)
"""For functions that allocate nothing and only look into arrays they are given: numba then counts no references, which
costs more than the work where many small arrays are passed around."""

part = numba.njit(forceinline=True, **_UNCOUNTED)
"""As ``plain``, and compiled into its caller: for the parts of one large kernel, since a call hands over every field of
every array."""
