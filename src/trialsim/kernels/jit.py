"""The one door to numba: compile when first called, cache where possible, and never trade exactness for speed.

numba takes longer to import than a small search takes in plain Python. So a decorated function waits: it is handed to
numba when a kernel is called, and ``plainly`` runs it as it is written. Without fast-math both do the same operations
in the same order, and give the same bits.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from trialsim import timing
from trialsim.errors import TrialsimError

COMPILING = (
    "Compiling kernels for this machine: {}; seconds for a search, about a minute for trials in calendar time"
)
FIRST = "in a first run only"
EVERY = "in every run, since no folder for them can be written (NUMBA_CACHE_DIR names another)"

_unkept = threading.Event()
"""Set where no folder could be found for what is compiled."""

_lock = threading.RLock()
_here = threading.local()


class Waiting:
    """A function that numba sees when it, or another that waits, is first called.

    A kernel calls others by their names in its module, and numba must find its own kind there: they are handed over
    with it, and take their places in that module. Elsewhere this object passes calls on.
    """

    def __init__(self, function: Callable[..., Any], made: Callable[[Callable[..., Any]], Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = self._plain = function
        self._made, self._compiled = made, None

    def __call__(self, *arguments: Any) -> Any:
        if self._compiled is None and getattr(_here, "plainly", False):
            return self._plain(*arguments)
        return self.compiled(*arguments)

    def alone(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Run ``function`` in place of this one where nothing is compiled: quicker in Python, and the same bits."""
        self._plain = function
        return function

    @property
    def compiled(self) -> Any:
        """What numba makes of it; it compiles, or reads its cache, when that is called."""
        if self._compiled is None:
            with _lock:
                _hand_over(self)
        return self._compiled


def _hand_over(each: Waiting) -> Any:
    """Give a function to numba, after those that it calls: nothing is called before all of them are there."""
    if each._compiled is None:
        names = each.py_func.__globals__
        for name in each.py_func.__code__.co_names:
            if isinstance(there := names.get(name), Waiting):
                names[name] = _hand_over(there)
        each._compiled = each._made(each.py_func)
    return each._compiled


@functools.cache
def _numba() -> Any:
    """numba, which says once that it compiles: what is in its cache it only reads."""
    import numba
    import numba.extending
    from numba.core import event

    if getattr(numba.config, "DISABLE_JIT", 0):
        raise TrialsimError(
            "NUMBA_DISABLE_JIT is set, so that nothing is compiled: trials would take thousands of times as long, and "
            "numbers would not be those of a compiled run; unset it"
        )

    class Told(event.Listener):
        """Tells who waits."""

        said = False

        def on_start(self, _: Any) -> None:
            """A kernel is not in the cache."""
            if not Told.said:
                Told.said = True
                timing.tell(COMPILING.format(EVERY if _unkept.is_set() else FIRST))

        def on_end(self, _: Any) -> None:
            """It is compiled."""

    event.register("numba:compile", Told())  # type: ignore[no-untyped-call]
    return numba


@contextlib.contextmanager
def plainly(small: bool = True) -> Iterator[None]:
    """Kernels of this thread run as plain Python, if the work is small and numba is not there already."""
    before = getattr(_here, "plainly", False)
    _here.plainly = small and "numba" not in sys.modules
    try:
        yield
    finally:
        _here.plainly = before


_ALIKE: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_UNCOUNTED: dict[str, Any] = {"_nrt": False, **_ALIKE}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` without the GIL and without fast-math, cached on disk where a folder is writable.

    numba refuses to decorate when neither the install folder nor the user's cache folder is writable; the
    kernel is then compiled afresh in each process.
    """
    return Waiting(function, functools.partial(_cached, options=_ALIKE))


def plain_kernel(function: Callable[..., Any]) -> Any:
    """As ``kernel``, for one that allocates nothing (``plain``): work space is given to it."""
    return Waiting(function, functools.partial(_cached, options=_UNCOUNTED))


def _cached(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    numba = _numba()
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        _unkept.set()
        return numba.njit(**options)(function)


def _zeros(word: Any) -> Any:
    return 8 * word.itemsize - int(word).bit_length()


def _counted(_: Callable[..., Any]) -> Any:
    numba = _numba()

    def typed(typing_context: Any, word: Any) -> Any:  # noqa: ARG001 - numba's signature
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            return builder.ctlz(arguments[0], numba.core.cgutils.false_bit)

        return word(word), build

    return numba.extending.intrinsic(typed)


leading_zeros = Waiting(_zeros, _counted)
"""Zeros before the first bit of a word, all of them for 0: one instruction, in vectors too."""


def _as_they_are() -> None:
    """Vectors of plain Python."""


def _widened(_: Callable[..., Any]) -> Any:
    numba = _numba()

    def typed(typing_context: Any) -> Any:  # noqa: ARG001 - numba's signature
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            # a plain set: llvmlite's own check knows only attributes without a value
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
            return context.get_dummy_value()

        return numba.types.none(), build

    return numba.extending.intrinsic(typed)


widest_vectors = Waiting(_as_they_are, _widened)
"""In a kernel: let its loops fill vectors of 512 bits where the processor has them; LLVM would stay at 256."""


def _with(**options: Any) -> Callable[[Callable[..., Any]], Waiting]:
    return lambda function: Waiting(function, lambda it: _numba().njit(**options)(it))


inline = _with(inline="always", error_model="numpy")
"""For the small functions that kernels of the same file are written in."""

plain = _with(**_UNCOUNTED)
"""For functions that allocate nothing and only look into arrays they are given: numba then counts no references, which
costs more than the work where many small arrays are passed around."""

part = _with(forceinline=True, **_UNCOUNTED)
"""As ``plain``, and compiled into its caller: for the parts of one large kernel, since a call hands over every field of
every array."""
