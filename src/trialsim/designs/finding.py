"""Find designs by their error rates: the answers of every search in one form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, get_args

from pydantic import TypeAdapter, ValidationError

from trialsim.answers import Answer
from trialsim.designs import derived
from trialsim.designs.alone import written
from trialsim.designs.efficiency_bound import ABOVE, LEAST, measured
from trialsim.designs.error_rates import ErrorRates
from trialsim.designs.infeasible import Reached, feasible
from trialsim.designs.key_faults import faults
from trialsim.designs.over_history import MEAN_TYPE_I, counted, told
from trialsim.designs.pasted import as_rules
from trialsim.designs.registry import Design
from trialsim.designs.rules import Looks
from trialsim.designs.target import NoDesign, Target, beta_of, check_probability, doubtful
from trialsim.errors import DesignError
from trialsim.given import number_in, takes
from trialsim.results import digits12

_DESIGNS = {spec.model_fields["kind"].annotation: spec for spec in get_args(get_args(Design)[0])}
KINDS: dict[str, Any] = {get_args(annotation)[0]: spec for annotation, spec in _DESIGNS.items()}
"""Every kind of design."""

SEARCHES: dict[str, type[ErrorRates]] = {
    get_args(annotation)[0]: spec for annotation, spec in _DESIGNS.items() if hasattr(spec, "candidates")
}
"""Every kind of design that can be searched for."""

CRITERIA = {
    kind: tuple(get_args(get_args(spec.model_fields["criterion"].annotation)[0]))
    for kind, spec in SEARCHES.items()
}
"""What may be asked of each kind of design."""

DERIVED = {"fleming": derived.fleming, "gehan": derived.gehan}
"""Kinds that are not searched for, but follow from what is stated."""


@dataclass(frozen=True)
class Found:
    """One design. ``design`` is its short form; ``r1``, ``n1``, ``r`` are None where a design is more than that.

    ``weight_low`` to ``weight_high`` is the range of w for which the design minimises w n + (1 - w) EN among its kind.
    ``en`` is the expected n that the criterion speaks of, None where that is EN(p0). ``constants`` are those that the
    cut-offs come from, ``decisions`` its looks; ``looks`` the same, None where toxicities are looked at too.
    """

    criterion: str
    design: str
    r1: int | None
    n1: int | None
    r: int | None
    n: int
    en_p0: float | None
    en_p1: float
    pet_p0: float | None
    type_i_error: float | None
    power: float
    weight_low: float | None = None
    weight_high: float | None = None
    en: float | None = None
    looks: Looks | None = field(default=None, repr=False)
    constants: Mapping[str, float] = field(default_factory=dict, repr=False)
    details: Mapping[str, float] = field(default_factory=dict, repr=False)
    decisions: Looks | None = field(default=None, repr=False)

    def row(self) -> dict[str, Any]:
        """The numbers, without the table of decisions."""
        mean = {key: value for key, value in self.details.items() if key in (MEAN_TYPE_I, LEAST, ABOVE)}
        return {name: getattr(self, name) for name in COLUMNS} | {**self.constants} | mean

    def whole(self) -> dict[str, Any]:
        """Everything: what else this kind of design has, and its decisions as ``kind: rules`` takes them."""
        found = self.row() | {**self.details}
        return found | ({} if self.decisions is None else {"looks": as_rules(self.decisions)})

    def __str__(self) -> str:
        return self.design


COLUMNS = tuple(f.name for f in fields(Found) if f.name not in ("looks", "constants", "details", "decisions"))
"""The numbers of every design; its constants stand beside them."""


@dataclass(frozen=True, repr=False)
class FoundDesigns(Answer):
    """The designs a search found.

    Attributes:
        designs: by criterion; ``found["optimal"]`` is one of them.
        note, within: when the search ended at a bound, that it did, and the bound.
        setting, keys: what they were found for: the rates, and the further keys of the block.
        en_words, written_as: what EN a criterion speaks of, if not EN(p0); how a design is to be read.
        covered, held: what was searched, and what was not moved.
        history: what is known of the control, where that was given, and the distribution that it leaves.

    Examples:
        >>> found = trialsim.find("single_stage", p0=0.1, p1=0.3, alpha=0.05, beta=0.2)
        >>> [(each.criterion, each.design) for each in found]
        [('first', '5/25'), ('stable', '6/29')]
    """

    kind: ClassVar[str] = "find"

    design_kind: str
    designs: tuple[Found, ...]
    note: str = ""
    setting: Mapping[str, float] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    en_words: str = ""
    written_as: str = ""
    covered: str = ""
    held: Mapping[str, Any] = field(default_factory=dict)
    within: int | None = None
    history: str = ""

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
        """The designs, whole, and what was searched; floats to 12 digits."""
        found: dict[str, Any] = {
            "setting": dict(self.setting),
            "designs": [digits12(design.whole()) for design in self.designs],
            "searched": self.covered,
            "held": {**self.held},
        }
        more = {"note": self.note, "history": self.history}
        return found | {key: words for key, words in more.items() if words}

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
    p0: float | None = None,
    p1: float | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    power: float | None = None,
    criterion: str | None = None,
    weight: float | None = None,
    nmax: int | None = None,
    history: str | None = None,
    doing: Callable[[str], None] | None = None,
    **keys: Any,
) -> FoundDesigns:
    """Find designs that keep both error rates, by exact search; or derive them, where that is how a kind is planned.

    Args:
        kind: one of SEARCHES, such as "simon" or "single_stage", or of DERIVED.
        p0, p1: unacceptable and desirable response rate.
        alpha, beta, power: largest type I and II error; least power, in place of beta.
        criterion: one of CRITERIA[kind]; all of them when left out.
        weight: weight of n, to pick one admissible design of Simon's.
        nmax: largest n to look at; without it the search ends when no larger n can be better, or says where it ended.
        history: responses/patients of the control, such as "1/20": each design's mean type I error is told too.
        doing: called with a sentence when work goes on unasked: what could be had where nothing is found.
        keys: further keys of the design's block in a scenario file, such as ``balanced=True`` or ``prior=[0.2, 0.8]``.

    Raises:
        DesignError: impossible input, or no design within ``nmax``.
    """
    check_kind(kind)
    counted(history)  # refused before a search, not after it
    for name, value in (("alpha", alpha), ("beta", beta), ("power", power)):
        if value is not None and 0 < value < 1 and (asked := doubtful(name, value)):
            raise DesignError(asked)
    if power is not None:
        check_probability("power", power)
        beta = beta_of(power, beta)
    given = {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta}
    rates = {name: value for name, value in given.items() if value is not None}
    if missing := [name for name in needs(kind) if name not in rates]:
        raise DesignError(
            f"a search of kind {kind} needs {', '.join(needs(kind))}; missing: {', '.join(missing)}"
        )
    further = {key: value for key, value in keys.items() if value is not None}
    if kind in DERIVED:
        made = DERIVED[kind](spec_of, rates, further, nmax=nmax, criterion=criterion, weight=weight)
        rates = {name: value for name, value in rates.items() if name in made.about}
        return told(measured(FoundDesigns(
            kind, tuple(_found(*named) for named in made.named), setting=rates, keys=further, covered=made.covered,
            written_as=made.written_as,
        )), history)  # fmt: skip
    if criterion is not None and criterion not in CRITERIA[kind]:
        raise DesignError(
            f"criterion `{criterion}` is not known; allowed for {kind}: {', '.join(CRITERIA[kind])}"
        )
    target = Target(**{"beta": 0.5} | rates, nmax=nmax)  # any beta will do where a search takes none
    if weight is not None and (criterion != "admissible" or not 0 <= weight <= 1):
        raise DesignError("weight belongs to criterion `admissible` and lies between 0 and 1")
    # without a weight all admissible designs are meant, which a scenario file cannot ask for
    every_one = criterion == "admissible" and weight is None
    stated = rates | {"nmax": nmax} | ({} if every_one else {"criterion": criterion, "weight": weight})
    spec = spec_of(kind, {key: value for key, value in stated.items() if value is not None} | further)
    try:
        candidates = spec.candidates()
    except NoDesign as error:
        raise NoDesign(
            error.what, "; ".join(filter(None, (_hint(error, spec, target, doing), held_words(spec.held()))))
        ) from None
    named = [("admissible", d) for _, d in candidates.named] if every_one else candidates.named
    designs = tuple(_found(name, design) for name, design in named)
    words = spec.en_words if any(design.en is not None for design in designs) else ""
    bound = target.nmax or candidates.within
    covered = [candidates.covered or spec.searched, *([f"n <= {bound}"] if bound else [])]
    return told(measured(FoundDesigns(
        kind, designs, candidates.note, rates, further, words, spec.written_as, ", ".join(covered), spec.held(),
        candidates.within,
    )), history)  # fmt: skip


OF_R = {"ph2simon": "simon", "ph2single": "single_stage", "twostage": "simon", "two_stage": "simon"}
"""Kinds as R's programs name them."""


def check_kind(kind: str) -> None:
    """Refuse a kind that is neither searched for nor derived."""
    if kind in SEARCHES or kind in DERIVED:
        return
    if kind in KINDS:
        raise DesignError(
            f"a design of kind {kind} is stated, not searched for: write it into a scenario's design block, and "
            "`trialsim run` says what it does"
        )
    known = [*SEARCHES, *DERIVED, "selection"]
    wanted = OF_R.get(kind.lower(), kind.lower())
    near = next((f"; did you mean `{each}`?" for each in known if each == wanted), "")
    raise DesignError(f"kind `{kind}` is not known{near}; allowed: {', '.join(known)}")


def needs(kind: str) -> tuple[str, ...]:
    """What a search for this kind cannot do without."""
    return derived.NEEDS[kind] if kind in DERIVED else SEARCHES[kind].needs


def held_words(held: Mapping[str, Any]) -> str:
    """What a search does not move, in words; "" of nothing."""
    return f"held fixed: {', '.join(f'{key} = {json.dumps(held[key])}' for key in held)}" if held else ""


def _hint(error: NoDesign, spec: ErrorRates, target: Target, doing: Callable[[str], None] | None) -> str:
    """What would be feasible in place of a target without a design."""
    if error.instead or isinstance(getattr(spec, "looks", None), tuple):
        return error.instead
    if doing is not None:
        doing("nothing found so far; working out what could be had instead")
    return _instead(spec, target)


NO_KEYS = {
    *("kind", "p0", "p1", "alpha", "beta", "power", "history", "doing"),
    *("scenario", "null", "alternative", "progress"),
}
"""Arguments of a search, here or in a scenario's own trial, that are no further keys of a block."""


def read_keys(pairs: Iterable[str]) -> dict[str, Any]:
    """``key=value`` texts as keys of a design's block."""
    found = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.isidentifier() or key in NO_KEYS:
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
    free = {"criterion": "minimax" if "minimax" in CRITERIA[spec.kind] else None}
    if hasattr(spec, "weight"):
        free["weight"] = None

    def search(other: Target) -> Reached:
        # not checked again: error rates are tried that nobody would state
        block = spec.model_copy(update={**free, "nmax": other.nmax, **other.setting()})
        designs = [_found(name, design) for name, design in block.candidates().named]
        return Reached(
            min(d.n for d in designs),
            max(d.power for d in designs),
            min(d.type_i_error or 0.0 for d in designs),
        )

    return feasible(search, target, by_responses=not hasattr(spec, "toxicity"))


def spec_of(kind: str, stated: dict[str, Any]) -> Any:
    """The block of a design of this kind with these keys; DesignError says what is wrong with them."""
    try:
        return TypeAdapter(KINDS[kind]).validate_python({"kind": kind, **stated})
    except ValidationError as error:
        raise DesignError(faults(kind, KINDS[kind], error)) from None


def _other_en(criterion: str, design: Any, en_p0: float | None) -> float | None:
    """The EN that a criterion speaks of; None where it is EN(p0)."""
    en = design.en_p1 if criterion == "h1_optimal" else getattr(design, "en", None)
    return None if en is None or en_p0 is None or abs(en - en_p0) < 1e-9 else float(en)


def _found(criterion: str, design: Any) -> Found:
    """A design of any kind as one row."""
    toxic = hasattr(design, "b1")
    low, high = getattr(design, "weights", None) or (None, None)
    n = design.n[-1] if isinstance(design.n, tuple) else design.n
    en_p0: Any = getattr(design, "en_p0", n)
    en_p1: Any = getattr(design, "en_good", getattr(design, "en_p1", n))
    first, looks = getattr(design, "pet_p0", 0.0), design.looks()
    level = max(design.type_i_response, design.type_i_toxicity) if toxic else design.type_i_error
    if toxic:
        first = 1 - (design.en_poor_response - design.n1) / (n - design.n1)
    cuts = [
        value if isinstance(value := getattr(design, key, None), int) else None for key in ("r1", "n1", "r")
    ]
    row = Found(
        criterion=criterion,
        design=str(design) if "__str__" in vars(type(design)) else written(looks),
        r1=cuts[0],
        n1=cuts[1],
        r=cuts[2],
        n=n,
        en_p0=None if en_p0 is None else float(en_p0),
        en_p1=float(en_p1),
        pet_p0=None if first is None else float(first),
        type_i_error=None if level is None else float(level),
        power=float(design.power),
        weight_low=low,
        weight_high=high,
        en=_other_en(criterion, design, en_p0),
        looks=None if looks.toxic_ge else looks,  # of those the rates at one response rate say too little
        constants=getattr(design, "constants", {}),
        decisions=looks,
    )
    apart = {f.name for f in fields(row)} | {"complete", "lambda_", "gamma", "eta" if row.constants else ""}
    more = {
        key: value
        for key, value in vars(design).items()
        if isinstance(value, int | float) and key not in apart
    }
    return replace(row, details=more)
