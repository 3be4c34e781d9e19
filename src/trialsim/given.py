"""Values as people hand them over: from Python, NumPy, pandas and R, on the command line, and in CSV files.

A whole number may come as 7, 7.0 or ``np.int64(7)``, and as text (where everything is text) also as ``1e4``. In Python
a text is never taken for a number: "4" is refused, with what to write. Percentages, decimal commas and fractions are
refused with the number that is meant; only a table of settings, where a spreadsheet has written them, takes them
(``designs.settings``).
"""

from __future__ import annotations

import inspect
import math
import numbers
import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from trialsim.errors import DesignError

P = ParamSpec("P")
R = TypeVar("R")

MAX_REPLICATES = 1_000_000_000
MAX_SEED = 2**63 - 1
MAX_JOBS = 1000
"""Most worker threads: more would only wait for each other."""

BOUNDS = {"replicates": (1, MAX_REPLICATES), "seed": (0, MAX_SEED), "jobs": (1, MAX_JOBS)}
"""What these parameters may be, in whatever function."""

_NUMBER = re.compile(r"[-+]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][-+]?\d{1,3})?")


def plain(value: Any) -> Any:
    """The same as plain Python data: NumPy's numbers and arrays unpacked, whole floats as whole numbers."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if not isinstance(value, str | bytes | Mapping) and hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def whole(value: Any, name: str) -> int:
    """A whole number of any numeric type.

    Raises:
        DesignError: it is text, missing, true or false, or not whole; ``name`` says what was meant.
    """
    number_ = number(value, name, "a whole number")
    if not float(number_).is_integer():
        raise DesignError(f"{name} = {number_:g} must be a whole number")
    found = int(plain(value))
    low, high = BOUNDS.get(name, (found, found))
    if not low <= found <= high:
        raise DesignError(f"{name} = {found} must be a whole number from {low} to {high:,}")
    return found


def number(value: Any, name: str, wanted: str = "a number") -> float:
    """A finite number of any numeric type; ``whole`` has what is raised."""
    value = plain(value)
    if isinstance(value, str):
        hint = behind(value, whole_only="whole" in wanted)
        raise DesignError(f"{name} = {value!r} is text, not {wanted}{hint}")
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        raise DesignError(f"{name} is missing: state {wanted}")
    if isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal):
        raise DesignError(f"{name} = {clip(repr(value))} must be {wanted}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise DesignError(f"{name} = {found:g} is not a number that can be used")
    return found


def read(
    text: str, name: str, *, whole: bool = False, low: float | None = None, high: float | None = None
) -> float | int:
    """The number that a text on the command line is: ``0.05``, ``.05``, ``29``; a whole one also ``29.0``, ``1e4``.

    Raises:
        DesignError: it is none (5%, 0,05 and 1/5 are answered with what to write), not whole, or outside its bounds.
    """
    wanted = "a whole number" if whole else "a number"
    found = number_in(text.strip())
    if found is None:
        raise DesignError(f"{name}: `{clip(text)}` is text, not {wanted}{behind(text, whole_only=whole)}")
    if whole and not isinstance(found, int):
        raise DesignError(f"{name}: {text} is not a whole number")
    if (low is not None and found < low) or (high is not None and found > high):
        least = "" if low is None else f" from {low:,}" if high is not None else f" of at least {low:,}"
        most = "" if high is None else f" to {high:,}" if low is not None else f" of at most {high:,}"
        raise DesignError(f"{name}: {text} is not {wanted}{least}{most}")
    return found if whole else float(found)


def number_in(text: str) -> int | float | None:
    """The number that a text is, whole where it can be (``29``, ``29.0``, ``1e4``); None where it is none."""
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return None
    found: int | float = plain(float(text))
    return found if isinstance(found, float) else int(Decimal(text))


def number_behind(text: str) -> str:
    """What to write for a text meant as a number: 5%, 0,05, 1/5, 100 000, 1_000, or a number in quotes."""
    bare = text.strip()
    if re.fullmatch(r"\d{1,3}([,_ ]\d{3})+", bare) and bare[0] != "0":
        bare = re.sub(r"[,_ ]", "", bare)
    if (parts := re.fullmatch(r"(\d{1,9}) ?/ ?(\d{1,9})", bare)) and int(parts[2]):
        return f"write {float(Fraction(int(parts[1]), int(parts[2]))):.6g}"
    percent = bare.endswith("%")
    bare = bare.removesuffix("%").strip().replace(",", ".")
    if not _NUMBER.fullmatch(bare) or not math.isfinite(float(bare)):
        return ""
    if bare == text:
        return f"write {bare} without quotes"
    return f"write {(Decimal(bare) / 100 if percent else Decimal(bare)).normalize():f}"


def behind(text: str, *, whole_only: bool = False) -> str:
    """The end of a sentence about a text that is no number: ``; write 0.05``, or nothing."""
    hint = number_behind(text)
    figures = hint.removeprefix("write ").removesuffix(" without quotes")
    return "" if not hint or (whole_only and "." in figures) else f"; {hint}"


def clip(text: str) -> str:
    """Text short enough for a message."""
    return text if len(text) <= 60 else f"{text[:59]}…"


# -- what a function takes, from its annotations


def _numbers(value: Any, name: str, read: Callable[[Any, str], Any] = number) -> tuple[Any, ...]:
    value = plain(value)
    if isinstance(value, str) or value is None:
        read(value, name)
    if hasattr(value, "__iter__"):
        return tuple(read(each, f"{name}[{i}]") for i, each in enumerate(value))
    return (read(value, name),)


def _wholes(value: Any, name: str) -> tuple[int, ...]:
    return _numbers(value, name, whole)


def _pair(value: Any, name: str) -> tuple[float, ...]:
    pair = _numbers(value, name)
    if len(pair) != 2:
        raise DesignError(f"{name} must be two numbers, not {len(pair)}")
    return pair


def _flag(value: Any, name: str) -> bool:
    value = plain(value)
    if value not in (True, False):
        raise DesignError(f"{name} = {clip(repr(value))} must be True or False")
    return bool(value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise DesignError(f"{name} = {clip(repr(value))} must be text")
    return str(value)


def _texts(value: Any, name: str) -> tuple[str, ...]:
    """Names; one alone need not stand in a list."""
    if isinstance(value, str):
        return (value,)
    value = plain(value)
    if not isinstance(value, list | tuple):
        raise DesignError(f"{name} = {clip(repr(value))} must be a list of names")
    return tuple(_text(each, f"{name}[{i}]") for i, each in enumerate(value))


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DesignError(f"{name} = {clip(repr(value))} must be a dict with names as its keys")
    return {_text(key, f"a key of {name}"): plain(inner) for key, inner in value.items()}


def _scenarios(value: Any, name: str) -> dict[str, Any]:
    """Scenarios by name; those of a list by the names of their files, or their own."""
    if isinstance(value, list | tuple):
        found = [_scenario(each, f"{name}[{i}]") for i, each in enumerate(value)]
        paths = [os.fspath(each) if isinstance(each, str | os.PathLike) else "" for each in value]
        for called in (
            [
                os.path.splitext(os.path.basename(path))[0] or each.name
                for path, each in zip(paths, found, strict=True)
            ],
            [path or each.name for path, each in zip(paths, found, strict=True)],
        ):
            if len({*called}) == len(called):
                return dict(zip(called, found, strict=True))
        raise DesignError(f"{name}: two have the same name; give a dict with names as its keys")
    return {key: _scenario(each, f"{name}[{key!r}]") for key, each in _mapping(value, name).items()}


_loader: list[Callable[[str], Any]] = []


def load_through(loader: Callable[[str], Any]) -> None:
    """State who reads the scenario file that is given by its path in place of a scenario."""
    _loader[:] = [loader]


def _scenario(value: Any, name: str) -> Any:
    if isinstance(value, str | os.PathLike):
        return _loader[0](os.fsdecode(value))
    if not (hasattr(value, "truth") or hasattr(value, "scenario")):
        raise DesignError(f"{name} = {clip(repr(value))} must be a scenario, or the path of its file")
    return value


_READ: dict[str, Callable[[Any, str], Any]] = {
    "int": whole,
    "float": number,
    "bool": _flag,
    "str": _text,
    "Sequence[int]": _wholes,
    "Sequence[float]": _numbers,
    "tuple[float, float]": _pair,
    "Sequence[str]": _texts,
    "Mapping[str, Any]": _mapping,
    "Mapping[str, Scenario]": _scenarios,
    "Scenario": _scenario,
    "Scenario | Compiled": _scenario,
}
"""Annotation of a parameter -> how its value is read."""


def takes(function: Callable[P, R]) -> Callable[P, R]:
    """A public function that takes what its annotations say in whatever numeric type it comes.

    Values are handed on as plain Python data. What cannot stand for its parameter is refused with a sentence that
    names it (DesignError); a parameter that is missing or unknown is Python's own TypeError.
    """
    signature = inspect.signature(function)
    parameters = signature.parameters

    @wraps(function)
    def taking(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            kind = parameters[name].annotation
            if parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                bound.arguments[name] = plain(value)
            elif value is None and kind.endswith(" | None"):
                continue
            elif read := _READ.get(kind.removesuffix(" | None")):
                bound.arguments[name] = read(value, name)
        return function(*bound.args, **bound.kwargs)

    return taking
