"""Find designs by their error rates: the answers of every search in one form."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import TypeAdapter, ValidationError

from trialsim.designs import Design
from trialsim.designs.alone import written
from trialsim.designs.bryant_day import BryantDayErrors
from trialsim.designs.error_rates import ErrorRates, check_setting
from trialsim.designs.rules import Looks
from trialsim.errors import DesignError
from trialsim.results import digits12, to_frame

if TYPE_CHECKING:
    import pandas as pd

_DESIGNS = {spec.model_fields["kind"].annotation: spec for spec in get_args(get_args(Design)[0])}
SEARCHES: dict[str, type[ErrorRates]] = {
    get_args(annotation)[0]: spec for annotation, spec in _DESIGNS.items() if hasattr(spec, "candidates")
} | {"bryant_day": BryantDayErrors}
"""Every kind of design that can be searched for."""

CRITERIA = {
    kind: tuple(get_args(get_args(spec.model_fields["criterion"].annotation)[0]))
    for kind, spec in SEARCHES.items()
}
"""What may be asked of each kind of design."""


@dataclass(frozen=True)
class Found:
    """One design. ``design`` is its short form; ``r1``, ``n1``, ``r`` are None where a design is more than that.

    ``weight_low`` to ``weight_high`` is the range of w for which the design minimises w n + (1 - w) EN among its kind.
    """

    criterion: str
    design: str
    r1: int | None
    n1: int | None
    r: int | None
    n: int
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float
    weight_low: float | None = None
    weight_high: float | None = None
    looks: Looks | None = field(default=None, repr=False)

    def row(self) -> dict[str, Any]:
        """The numbers, without the table of decisions."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "looks"}

    def __str__(self) -> str:
        return self.design


@dataclass(frozen=True)
class FoundDesigns:
    """The designs a search found. ``note`` says when it ended at a bound, ``setting`` what they were found for."""

    kind: str
    designs: tuple[Found, ...]
    note: str = ""
    setting: Mapping[str, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Found]:
        return iter(self.designs)

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, criterion: str) -> Found:
        for design in self.designs:
            if design.criterion == criterion:
                return design
        raise KeyError(f"{criterion!r} was not found; found: {', '.join(d.criterion for d in self.designs)}")

    def to_dict(self) -> dict[str, Any]:
        """``{"designs": [...]}``, floats to 12 digits."""
        found: dict[str, Any] = {"designs": [digits12(design.row()) for design in self.designs]}
        return found | ({"note": self.note} if self.note else {})

    def to_frame(self) -> pd.DataFrame:
        """A table, one row a design."""
        return to_frame([design.row() for design in self.designs])

    def __str__(self) -> str:
        wide = max(16, *(len(d.design) + 2 for d in self.designs))
        named = max(11, *(len(d.criterion) + 2 for d in self.designs))
        weighed = any(d.weight_low is not None for d in self.designs)
        head = f"{'criterion':<{named}}{'design':<{wide}}{'EN(p0)':>9}{'PET(p0)':>9}{'alpha':>9}{'power':>9}"
        lines = [head + ("   best for weight of n" if weighed else "")]
        for d in self.designs:
            weights = f"   {d.weight_low:.3f} to {d.weight_high:.3f}" if d.weight_low is not None else ""
            lines.append(
                f"{d.criterion:<{named}}{d.design:<{wide}}{d.en_p0:>9.2f}{d.pet_p0:>9.4f}{d.type_i_error:>9.4f}"
                f"{d.power:>9.4f}{weights}"
            )
        forms = {
            "single_stage": "written r/n: go if responses > r",
            "simon": "written r1/n1 r/n: stop stage 1 if responses <= r1; go if responses > r",
            "curtailed": "written r1/n1 r/n, ended as soon as the outcome is certain: go if responses > r",
            "bryant_day": "EN(p0) is the larger of the two nulls, alpha the larger level, PET that of poor response",
        }
        several = "written r/n, one a look: stop if responses <= r; r:a/n: go if responses > a; at the end go if > r"
        return "\n".join([*lines, forms.get(self.kind, several), *([self.note] if self.note else [])])


def find(
    kind: str,
    *,
    p0: float,
    p1: float,
    alpha: float,
    beta: float,
    criterion: str | None = None,
    weight: float | None = None,
    nmax: int | None = None,
    **keys: Any,
) -> FoundDesigns:
    """Find designs that keep both error rates, by exact search.

    Parameters
    ----------
    kind : one of SEARCHES, such as "simon" or "single_stage".
    p0, p1 : unacceptable and desirable response rate; alpha, beta : largest type I and II error.
    criterion : one of CRITERIA[kind]; all of them when left out.
    weight : weight of n, to pick one admissible design of Simon's.
    nmax : largest n to look at; without it the search ends when no larger n can be better, or says where it ended.
    keys : further keys of the design's block in a scenario file, such as ``balanced=True`` or ``prior=[0.2, 0.8]``.

    Raises
    ------
    DesignError : impossible input, or no design within ``nmax``.
    """
    if kind not in SEARCHES:
        raise DesignError(f"kind `{kind}` is not known; allowed: {', '.join(SEARCHES)}")
    if criterion is not None and criterion not in CRITERIA[kind]:
        raise DesignError(
            f"criterion `{criterion}` is not known; allowed for {kind}: {', '.join(CRITERIA[kind])}"
        )
    check_setting(p0, p1, alpha, beta, nmax)
    if weight is not None and (criterion != "admissible" or not 0 <= weight <= 1):
        raise DesignError("weight belongs to criterion `admissible` and lies between 0 and 1")
    stated = {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta, "nmax": nmax, **keys}
    # without a weight all admissible designs are meant, which a scenario file cannot ask for
    every_one = criterion == "admissible" and weight is None
    stated |= {} if every_one else {"criterion": criterion, "weight": weight}
    spec = _spec(kind, {key: value for key, value in stated.items() if value is not None})
    candidates = spec.candidates()  # type: ignore[attr-defined]
    named = [("admissible", d) for _, d in candidates.named] if every_one else candidates.named
    setting = {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta}
    return FoundDesigns(kind, tuple(_found(name, design) for name, design in named), candidates.note, setting)


def find_many(kind: str, settings: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One search a setting (a mapping of ``find``'s arguments); a table with the setting before each design.

    A setting without a design has a row with the reason in ``note``.
    """
    rows: list[dict[str, Any]] = []
    for setting in settings:
        try:
            found = find(kind, **setting)
        except DesignError as error:
            rows.append({**setting, "note": str(error)})
            continue
        rows += [{**setting, **design.row(), "note": found.note} for design in found]
    return to_frame(rows)


def find_in_file(kind: str, path: Path) -> pd.DataFrame:
    """``find_many`` of the settings in a CSV file, whose columns are arguments of ``find``."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DesignError(f"{path}: {getattr(error, 'strerror', None) or 'not a text file'}") from None
    if not rows or not {"p0", "p1", "alpha", "beta"} <= set(rows[0]):
        raise DesignError(f"{path}: needs a header with p0, p1, alpha and beta, and a row a setting")
    return find_many(kind, [{key: _value(text) for key, text in row.items() if key and text} for row in rows])


def read_keys(pairs: Iterable[str]) -> dict[str, Any]:
    """``key=value`` texts as keys of a design's block."""
    found = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.isidentifier() or key in ("kind", "p0", "p1", "alpha", "beta"):
            raise DesignError(f"`{pair}` is not KEY=VALUE with a key of the design's block")
        found[key] = _value(text)
    return found


def _value(text: str) -> Any:
    """A number, true or false, a list, or a word."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _spec(kind: str, stated: dict[str, Any]) -> ErrorRates:
    try:
        return TypeAdapter(SEARCHES[kind]).validate_python({"kind": kind, **stated})
    except ValidationError as error:
        raise DesignError("; ".join(_fault(kind, fault) for fault in error.errors())) from None


def _fault(kind: str, fault: Any) -> str:
    key = ".".join(str(step) for step in fault["loc"]) or fault.get("ctx", {}).get("key", "")
    if fault["type"] == "extra_forbidden":
        known = [name for name in SEARCHES[kind].model_fields if name != "kind"]
        return f"`{key}` is no key of {kind}; allowed: {', '.join(known)}"
    text = str(fault["msg"])
    return f"{key}: {text[:1].lower()}{text[1:]}" if key else text


def _found(criterion: str, design: Any) -> Found:
    """A design of any kind as one row."""
    two_stage = all(hasattr(design, key) for key in ("r1", "n1")) and not hasattr(design, "b1")
    low, high = getattr(design, "weights", None) or (None, None)
    n = design.n[-1] if isinstance(design.n, tuple) else design.n
    r: Any = getattr(design, "r", None)
    en_p0: Any = getattr(design, "en_p0", n)
    en_p1: Any = getattr(design, "en_good", getattr(design, "en_p1", n))
    first = getattr(design, "pet_p0", None)
    if hasattr(design, "b1"):
        first = 1 - (design.en_poor_response - design.n1) / (n - design.n1)
    return Found(
        criterion=criterion,
        design=str(design) if "__str__" in vars(type(design)) else written(design.looks()),
        r1=design.r1 if two_stage else None,
        n1=design.n1 if two_stage else None,
        r=r if isinstance(r, int) else None,
        n=n,
        en_p0=float(en_p0),
        en_p1=float(en_p1),
        pet_p0=float(first or 0.0),
        type_i_error=float(
            max(design.type_i_response, design.type_i_toxicity)
            if hasattr(design, "b1")
            else design.type_i_error
        ),
        power=float(design.power),
        weight_low=low,
        weight_high=high,
        looks=design.looks() if hasattr(design, "looks") else None,
    )
