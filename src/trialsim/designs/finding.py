"""Find designs by their error rates: the answers of every search in one form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from pydantic import TypeAdapter, ValidationError

from trialsim.answers import Answer
from trialsim.designs import Design
from trialsim.designs.alone import written
from trialsim.designs.error_rates import ErrorRates
from trialsim.designs.infeasible import Reached, feasible
from trialsim.designs.rules import Looks
from trialsim.designs.target import NoDesign, Target
from trialsim.errors import DesignError
from trialsim.given import behind, clip, number_in, takes
from trialsim.results import digits12

if TYPE_CHECKING:
    pass

_DESIGNS = {spec.model_fields["kind"].annotation: spec for spec in get_args(get_args(Design)[0])}
SEARCHES: dict[str, type[ErrorRates]] = {
    get_args(annotation)[0]: spec for annotation, spec in _DESIGNS.items() if hasattr(spec, "candidates")
}
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
    ``en`` is the expected n that the criterion speaks of, None where that is EN(p0).
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
    en: float | None = None
    looks: Looks | None = field(default=None, repr=False)

    def row(self) -> dict[str, Any]:
        """The numbers, without the table of decisions."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "looks"}

    def __str__(self) -> str:
        return self.design


@dataclass(frozen=True, repr=False)
class FoundDesigns(Answer):
    """The designs a search found. ``note`` says when it ended at a bound, ``setting`` what they were found for.

    ``keys`` are the further keys of the design's block, ``en_words`` says what EN a criterion speaks of if not EN(p0).
    """

    kind: ClassVar[str] = "find"

    design_kind: str
    designs: tuple[Found, ...]
    note: str = ""
    setting: Mapping[str, float] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    en_words: str = ""

    @property
    def called(self) -> str:
        """What was searched for."""
        return self.design_kind

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

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a design."""
        return (design.row() for design in self.designs)

    def tables(self) -> dict[str, Iterator[dict[str, Any]]]:
        """``designs``."""
        return {"designs": self.rows()}


@takes
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
    target = Target(p0, p1, alpha, beta, nmax)
    if weight is not None and (criterion != "admissible" or not 0 <= weight <= 1):
        raise DesignError("weight belongs to criterion `admissible` and lies between 0 and 1")
    stated = {**vars(target), **keys}
    # without a weight all admissible designs are meant, which a scenario file cannot ask for
    every_one = criterion == "admissible" and weight is None
    stated |= {} if every_one else {"criterion": criterion, "weight": weight}
    spec = spec_of(kind, {key: value for key, value in stated.items() if value is not None})
    try:
        candidates = spec.candidates()
    except NoDesign as error:
        raise (error if error.instead else NoDesign(error.what, _instead(spec, target))) from None
    named = [("admissible", d) for _, d in candidates.named] if every_one else candidates.named
    designs = tuple(_found(name, design) for name, design in named)
    words = spec.en_words if any(design.en is not None for design in designs) else ""
    further = {key: value for key, value in keys.items() if value is not None}
    return FoundDesigns(kind, designs, candidates.note, target.setting(), further, words)


def read_keys(pairs: Iterable[str]) -> dict[str, Any]:
    """``key=value`` texts as keys of a design's block."""
    found = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.isidentifier() or key in ("kind", "p0", "p1", "alpha", "beta"):
            raise DesignError(f"`{pair}` is not KEY=VALUE with a key of the design's block")
        found[key] = value_in(text)
    return found


def value_in(text: str) -> Any:
    """A number, true or false, a list, or a word."""
    if (number := number_in(text)) is not None:
        return number
    try:
        # JSON has no number .5
        return json.loads(re.sub(r"(?<![\w.])\.(?=\d)", "0.", text))
    except json.JSONDecodeError:
        return text


def _instead(spec: ErrorRates, target: Target) -> str:
    """What would be feasible in place of a target without a design."""
    keys = {key: value for key, value in spec.model_dump(exclude_unset=True).items() if value is not None}
    keys = {key: value for key, value in keys.items() if key not in ("kind", "criterion", "weight", "nmax")}
    least = {"criterion": "minimax"} if "minimax" in CRITERIA[spec.kind] else {}

    def search(other: Target) -> Reached:
        bound = {} if other.nmax is None else {"nmax": other.nmax}
        block = spec_of(spec.kind, keys | least | bound | other.setting())
        designs = [_found(name, design) for name, design in block.candidates().named]
        return Reached(
            min(d.n for d in designs),
            max(d.power for d in designs),
            min(d.type_i_error for d in designs),
        )

    return feasible(search, target, by_responses=not hasattr(spec, "toxicity"))


WANTED = {"int": "a whole number", "float": "a number", "bool": "true or false", "tuple": "a list"}
"""How a validation error's type begins -> what is wanted."""


def spec_of(kind: str, stated: dict[str, Any]) -> ErrorRates:
    """The block of a design of this kind with these keys; DesignError says what is wrong with them."""
    try:
        return TypeAdapter(SEARCHES[kind]).validate_python({"kind": kind, **stated})
    except ValidationError as error:
        raise DesignError("; ".join(_fault(kind, fault) for fault in error.errors())) from None


def _fault(kind: str, fault: Any) -> str:
    key = ".".join(str(step) for step in fault["loc"]) or fault.get("ctx", {}).get("key", "")
    if fault["type"] == "extra_forbidden":
        known = [name for name in SEARCHES[kind].model_fields if name != "kind"]
        return f"`{key}` is no key of {kind}; allowed: {', '.join(known)}"
    text, value = str(fault["msg"]), fault["input"]
    if not text.startswith("Input should be"):
        return f"{key}: {text[:1].lower()}{text[1:]}" if key else text
    for kind, wanted in WANTED.items():
        if fault["type"].startswith(kind):
            told = f"is text, not {wanted}{behind(value)}" if isinstance(value, str) else f"must be {wanted}"
            return f"{key} = {clip(repr(value))} {told}"
    return text.replace("Input should be", f"{key} = {clip(repr(value))} must be")


def _other_en(criterion: str, design: Any, en_p0: float) -> float | None:
    """The EN that a criterion speaks of; None where it is EN(p0)."""
    en = design.en_p1 if criterion == "h1_optimal" else getattr(design, "en", None)
    return None if en is None or abs(en - en_p0) < 1e-9 else float(en)


def _found(criterion: str, design: Any) -> Found:
    """A design of any kind as one row."""
    two_stage = all(hasattr(design, key) for key in ("r1", "n1")) and not hasattr(design, "b1")
    low, high = getattr(design, "weights", None) or (None, None)
    n = design.n[-1] if isinstance(design.n, tuple) else design.n
    r: Any = getattr(design, "r", None)
    en_p0: Any = getattr(design, "en_p0", n)
    en_p1: Any = getattr(design, "en_good", getattr(design, "en_p1", n))
    first, looks = getattr(design, "pet_p0", None), design.looks()
    if hasattr(design, "b1"):
        first = 1 - (design.en_poor_response - design.n1) / (n - design.n1)
    return Found(
        criterion=criterion,
        design=str(design) if "__str__" in vars(type(design)) else written(looks),
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
        en=_other_en(criterion, design, float(en_p0)),
        looks=None if looks.toxic_ge else looks,  # of those the rates at one response rate say too little
    )
