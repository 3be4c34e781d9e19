"""Find designs by their error rates: the answers of every search in one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trialsim.designs import simon, single_stage
from trialsim.errors import DesignError
from trialsim.results import digits12, to_frame

if TYPE_CHECKING:
    import pandas as pd

CRITERIA = {"simon": ("optimal", "minimax", "admissible"), "single_stage": ("first", "stable")}
"""What may be asked of each kind of design."""


@dataclass(frozen=True)
class Found:
    """One design: stop stage 1 if responses <= r1 of n1, go if responses > r of n.

    ``r1`` and ``n1`` are None for a single stage. ``weight_low`` to ``weight_high`` is the range of w for which the
    design minimises w n + (1 - w) EN(p0) among two-stage designs.
    """

    criterion: str
    r1: int | None
    n1: int | None
    r: int
    n: int
    en_p0: float
    pet_p0: float
    type_i_error: float
    power: float
    weight_low: float | None = None
    weight_high: float | None = None

    def __str__(self) -> str:
        stage1 = "" if self.n1 is None else f"{self.r1}/{self.n1} "
        return f"{stage1}{self.r}/{self.n}"


@dataclass(frozen=True)
class FoundDesigns:
    """The designs a search found. ``note`` says when the search ended at a bound."""

    kind: str
    designs: tuple[Found, ...]
    note: str = ""

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
        found: dict[str, Any] = {"designs": [digits12(asdict(design)) for design in self.designs]}
        return found | ({"note": self.note} if self.note else {})

    def to_frame(self) -> pd.DataFrame:
        """A table, one row a design."""
        return to_frame([asdict(design) for design in self.designs])

    def __str__(self) -> str:
        two_stage = self.kind == "simon"
        head = f"{'criterion':<11}{'design':<16}{'EN(p0)':>9}{'PET(p0)':>9}{'alpha':>9}{'power':>9}"
        lines = [head + ("   best for weight of n" if two_stage else "")]
        for d in self.designs:
            weights = f"   {d.weight_low:.3f} to {d.weight_high:.3f}" if d.weight_low is not None else ""
            lines.append(
                f"{d.criterion:<11}{d!s:<16}{d.en_p0:>9.2f}{d.pet_p0:>9.4f}{d.type_i_error:>9.4f}{d.power:>9.4f}{weights}"
            )
        stop = "stop stage 1 if responses <= r1; " if two_stage else ""
        lines.append(f"written {'r1/n1 r/n' if two_stage else 'r/n'}: {stop}go if responses > r")
        return "\n".join([*lines, *([self.note] if self.note else [])])


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
) -> FoundDesigns:
    """Find designs that keep both error rates, by exact and complete search.

    Parameters
    ----------
    kind : "simon" or "single_stage".
    p0, p1 : unacceptable and desirable response rate; alpha, beta : largest type I and II error.
    criterion : one of CRITERIA[kind]; all of them when left out.
    weight : weight of n, to pick one admissible design.
    nmax : largest n to look at; without it the search ends when no larger n can be better.

    Raises
    ------
    DesignError : impossible input, or no design within ``nmax``.
    """
    if kind not in CRITERIA:
        raise DesignError(f"kind `{kind}` is not known; allowed: {', '.join(CRITERIA)}")
    if criterion is not None and criterion not in CRITERIA[kind]:
        raise DesignError(
            f"criterion `{criterion}` is not known; allowed for {kind}: {', '.join(CRITERIA[kind])}"
        )
    for name, value in {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta}.items():
        if not 0 < value < 1:
            hint = f"; did you mean {value / 100:g}?" if 1 < value < 100 else ""
            raise DesignError(f"{name} = {value:g} must lie between 0 and 1{hint}")
    if p1 <= p0:
        raise DesignError(f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}")
    if nmax is not None and nmax < 1:
        raise DesignError(f"nmax = {nmax} must be 1 or more")
    if weight is not None and (criterion != "admissible" or not 0 <= weight <= 1):
        raise DesignError("weight belongs to criterion `admissible` and lies between 0 and 1")
    if kind == "single_stage":
        return _single_stage(p0, p1, alpha, beta, criterion, nmax)
    return _simon(p0, p1, alpha, beta, criterion, weight, nmax)


def _simon(
    p0: float,
    p1: float,
    alpha: float,
    beta: float,
    criterion: str | None,
    weight: float | None,
    nmax: int | None,
) -> FoundDesigns:
    search = simon.search(p0, p1, alpha, beta, nmax)
    if criterion is None:
        between = [("admissible", design) for design in search.admissible[1:-1]]
        chosen = [("minimax", search.minimax), *between, ("optimal", search.optimal)]
    elif criterion == "admissible" and weight is None:
        chosen = [("admissible", design) for design in search.admissible]
    else:
        chosen = [(criterion, search.choose(criterion, weight))]
    found = []
    for name, d in chosen:
        low, high = d.weights or (None, None)
        found.append(Found(name, d.r1, d.n1, d.r, d.n, d.en_p0, d.pet_p0, d.type_i_error, d.power, low, high))
    limit = nmax or simon.SEARCH_LIMIT
    note = "" if search.complete else f"searched to n = {limit}; a larger n may have a smaller EN(p0)"
    return FoundDesigns("simon", tuple(found), note)


def _single_stage(
    p0: float, p1: float, alpha: float, beta: float, criterion: str | None, nmax: int | None
) -> FoundDesigns:
    search = single_stage.search(p0, p1, alpha, beta, nmax)
    if criterion and criterion not in search:
        raise DesignError(f"no n up to nmax = {nmax} is safe for every larger n: raise nmax")
    names = [criterion] if criterion else [name for name in CRITERIA["single_stage"] if name in search]
    found = [
        Found(
            name,
            None,
            None,
            search[name].r,
            search[name].n,
            float(search[name].n),
            0.0,
            search[name].type_i_error,
            search[name].power,
        )
        for name in names
    ]
    return FoundDesigns("single_stage", tuple(found))
