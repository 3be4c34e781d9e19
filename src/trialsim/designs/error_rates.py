"""What every design that is found by its error rates states, and the plain refusals that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from trialsim.designs.spec import OpenProbability, Patients, Spec, impossible
from trialsim.errors import DesignError


@dataclass(frozen=True)
class Candidates:
    """The designs that a search puts forward, each under its criterion; ``note`` says when it ended at a bound."""

    named: tuple[tuple[str, Any], ...]
    note: str = ""

    @classmethod
    def of(
        cls, criterion: str | None, designs: Sequence[Any], complete: bool, limit: int, best: str = "optimal"
    ) -> Candidates:
        """From designs of growing n and falling EN: the first is minimax, the last ``best``, the rest admissible."""
        first, last = ("minimax", designs[0]), (best, designs[-1])
        between = [("admissible", design) for design in designs[1:-1]]
        if criterion is None:
            named = (first, *between, last)
        elif criterion == "admissible":
            named = tuple(("admissible", design) for design in designs)
        else:
            named = (first if criterion == "minimax" else last,)
        return cls(named, "" if complete else f"searched to n = {limit}; a larger n may have a smaller EN")


class ErrorRates(Spec):
    """p0, p1, alpha and beta: a design is searched for; without alpha and beta it is stated outright."""

    default_criterion: ClassVar[str | None] = None
    """What is searched for where the file names no criterion."""

    written_as: ClassVar[str] = (
        "written r/n, one a look: stop if responses <= r; r:a/n: go if responses > a; at the end go if > r"
    )
    """How the short form of a design that was found is to be read."""

    @property
    def en_words(self) -> str:
        """What EN a criterion speaks of where it is not EN(p0)."""
        return "EN: at p1 for h1_optimal, else at p0"

    p0: OpenProbability | None = Field(None, description="unacceptable response rate (H0)")
    p1: OpenProbability | None = Field(None, description="desirable response rate (H1)")
    alpha: OpenProbability | None = Field(None, description="largest type I error to accept")
    beta: OpenProbability | None = Field(None, description="largest type II error to accept")
    nmax: Patients | None = Field(None, description="largest n to search")

    def four(self) -> tuple[float, float, float, float]:
        """p0, p1, alpha, beta of a design that is searched for."""
        p0, p1, alpha, beta = self.p0, self.p1, self.alpha, self.beta
        assert p0 is not None and p1 is not None and alpha is not None and beta is not None
        return p0, p1, alpha, beta

    def stated_outright(self, keys: tuple[str, ...]) -> bool:
        """Whether the design is stated by ``keys``; refuses half a statement, and a statement beside a search."""
        check_rates(self.p0, self.p1)
        names = f"{', '.join(keys[:-1])} and {keys[-1]}" if len(keys) > 1 else keys[0]
        missing = [key for key in keys if getattr(self, key) is None]
        if len(missing) == len(keys):
            require_error_rates(self, names)
            return False
        if missing:
            raise impossible("", f"a design stated outright needs {names}; missing: {', '.join(missing)}")
        refuse_search_keys(self, names)
        return True


def check_rates(p0: float | None, p1: float | None) -> None:
    """Refuse p1 <= p0: the desirable rate must be the higher one."""
    if p0 is not None and p1 is not None and p1 <= p0:
        raise impossible(
            "p1", f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}"
        )


def require_error_rates(spec: Spec, alternative: str) -> None:
    """A search needs p0, p1, alpha and beta."""
    missing = [key for key in ("p0", "p1", "alpha", "beta") if getattr(spec, key) is None]
    if missing:
        raise impossible(
            "",
            f"to find a design, state p0, p1, alpha and beta (missing: {', '.join(missing)}); or state {alternative}",
        )


SEARCH_KEYS = ("alpha", "beta", "criterion", "weight", "nmax")


def refuse_search_keys(spec: Spec, stated: str, keys: tuple[str, ...] = SEARCH_KEYS) -> None:
    """A design stated outright is not searched for."""
    for key in keys:
        if getattr(spec, key, None) not in (None, False):
            raise impossible(key, f"`{key}` belongs to a search; this design is stated outright by {stated}")


class NoDesign(DesignError):
    """A search found nothing; ``instead`` says what would be feasible, where that is known."""

    def __init__(self, what: str, instead: str = "") -> None:
        self.what, self.instead = what, instead
        super().__init__(f"{what}; {instead}" if instead else what)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.what, self.instead)


def none_found(
    what: str, limit: int, p0: float, p1: float, alpha: float, beta: float, instead: str = ""
) -> NoDesign:
    """No design within the bound: which bound failed, and what would be feasible."""
    bound = f"no {what} with n <= {limit} keeps alpha = {alpha:g} and beta = {beta:g}"
    return NoDesign(f"{bound} for p0 = {p0:g}, p1 = {p1:g}", instead)


def check_setting(p0: float, p1: float, alpha: float, beta: float, nmax: int | None) -> None:
    """Refuse what no search can answer: rates or errors outside 0 to 1, p1 <= p0, an empty range of n."""
    for name, value in {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta}.items():
        if not 0 < value < 1:
            hint = f"; did you mean {value / 100:g}?" if 1 < value < 100 else ""
            raise DesignError(f"{name} = {value:g} must lie between 0 and 1{hint}")
    if p1 <= p0:
        raise DesignError(f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}")
    if nmax is not None and nmax < 1:
        raise DesignError(f"nmax = {nmax} must be 1 or more")
