"""What every design that is found by its error rates states, and the plain refusals that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from trialsim.designs.front import Front
from trialsim.designs.rules import Looks
from trialsim.designs.spec import OpenProbability, Patients, Spec, impossible
from trialsim.designs.target import Target, beta_of, doubtful, not_above
from trialsim.errors import DesignError


@dataclass(frozen=True)
class Candidates:
    """The designs that a search puts forward, each under its criterion.

    ``within`` is the n at which it ended though a larger n may have a smaller EN (None: no larger n has), ``lacking``
    what was not found or not settled; ``note`` says so, and ``covered`` what was searched where that depends on it.
    """

    named: tuple[tuple[str, Any], ...]
    within: int | None = None
    covered: str = ""
    lacking: str = ""

    @property
    def note(self) -> str:
        """That the search ended at a bound, and what it lacks."""
        ended = f"searched to n = {self.within}; a larger n may have a smaller EN"
        return "; ".join(filter(None, (self.lacking, "" if self.within is None else ended)))

    @classmethod
    def of(cls, criterion: str | None, found: Front[Any], limit: int, best: str = "optimal") -> Candidates:
        """The design that a criterion names; without one minimax, the admissible ones, and ``best``."""
        named: tuple[tuple[str, Any], ...]
        if criterion is None:
            between = [("admissible", design) for design in found.admissible[1:-1]]
            named = (("minimax", found.minimax), *between, (best, found.optimal))
        elif criterion == "admissible":
            named = tuple(("admissible", design) for design in found.admissible)
        else:
            named = ((criterion, found.choose(criterion)),)
        return cls(named, None if found.complete else limit)


class ErrorRates(Spec):
    """p0, p1, alpha and beta: a design is searched for; where it is stated outright, alpha and beta are nominal."""

    default_criterion: ClassVar[str | None] = None
    """What is searched for where the file names no criterion."""

    outright: ClassVar[tuple[str, ...]] = ()
    """The keys that state a design outright; none where alpha always asks for a search."""

    written_as: ClassVar[str] = (
        "written r/n, one a look: stop if responses <= r; r:a/n: go if responses > a; at the end go if > r"
    )
    """How the short form of a design that was found is to be read."""

    searched: ClassVar[str] = ""
    """What a search covers, where it is not all that a design of this kind can be."""

    needs: ClassVar[tuple[str, ...]] = ("p0", "p1", "alpha", "beta")
    """What a search cannot do without."""

    @property
    def en_words(self) -> str:
        """What EN a criterion speaks of where it is not EN(p0)."""
        return "EN: at p1 for h1_optimal, else at p0"

    kind: str
    p0: OpenProbability | None = Field(None, description="unacceptable response rate (H0)")
    p1: OpenProbability | None = Field(None, description="desirable response rate (H1)")
    alpha: OpenProbability | None = Field(None, description="largest type I error to accept")
    beta: OpenProbability | None = Field(None, description="largest type II error to accept")
    power: OpenProbability | None = Field(
        None, description="least power, in place of beta (beta = 1 - power)"
    )
    nmax: Patients | None = Field(None, description="largest n to search")
    criterion: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_beta(cls, data: Any) -> Any:
        """A power is kept as the beta that it is."""
        power = data.get("power") if isinstance(data, dict) else None
        if isinstance(power, bool) or not isinstance(power, int | float) or not 0 < power < 1:
            return data
        if asked := doubtful("power", power):
            raise impossible("power", asked)
        beta = data.get("beta")
        if beta is not None and not isinstance(beta, float):
            return data
        try:
            beta = beta_of(power, beta)
        except DesignError as error:
            raise impossible("power", str(error)) from None
        return {key: value for key, value in data.items() if key != "power"} | {"beta": beta}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        check_rates(self.p0, self.p1)
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if value is not None and (asked := doubtful(name, value)):
                raise impossible(name, asked)
        return self

    def held(self) -> dict[str, Any]:
        """What a search does not move: keys of the block, with the values that those have which are left out."""
        free = {"kind", *self.needs, "p0", "p1", "alpha", "beta", "power", "criterion", "weight", "nmax"}
        stated = {key: getattr(self, key) for key in type(self).model_fields if key not in free}
        return {key: value for key, value in stated.items() if value is not None and value is not False}

    @property
    def is_searched(self) -> bool:
        """Whether alpha and beta are what a search keeps, not what stated cut-offs are held against."""
        stated = bool(self.outright) and all(getattr(self, key) is not None for key in self.outright)
        return self.alpha is not None and not stated

    @property
    def target(self) -> Target:
        """What a design is searched for."""
        p0, p1, alpha, beta = self.p0, self.p1, self.alpha, self.beta
        assert p0 is not None and p1 is not None and alpha is not None and beta is not None
        return Target(p0, p1, alpha, beta, self.nmax)

    def candidates(self) -> Candidates:
        """The designs that a search finds, each under its criterion; all criteria where none is stated."""
        raise NotImplementedError

    def chosen(self) -> Any:
        """The design that is searched for: under the criterion stated, else the default one."""
        asked = self if self.criterion else self.model_copy(update={"criterion": self.default_criterion})
        return asked.candidates().named[0][1]

    def best(self) -> Looks:
        """Its looks."""
        looks: Looks = self.chosen().looks()
        return looks

    def stated_outright(self) -> bool:
        """Whether the design is stated outright; refuses half a statement, and a statement beside a search."""
        keys = self.outright
        names = f"{', '.join(keys[:-1])} and {keys[-1]}" if len(keys) > 1 else keys[0]
        missing = [key for key in keys if getattr(self, key) is None]
        if len(missing) == len(keys):
            require_error_rates(self, names)
            return False
        if missing:
            raise impossible("", f"a design stated outright needs {names}; missing: {', '.join(missing)}")
        # one type I error and one power say too little of cut-offs for responses and toxicities
        refused = ("alpha", "beta") if "toxicity" in type(self).model_fields else ()
        refuse_search_keys(self, names, (*refused, *SEARCH_KEYS))
        return True


def check_stages(n1: int, n: int) -> None:
    """Refuse a stage 1 that is the whole trial."""
    if n1 >= n:
        raise impossible("n1", f"stage 1 must be smaller than the whole trial: n1 = {n1}, n = {n}")


def check_rates(p0: float | None, p1: float | None) -> None:
    """Refuse p1 <= p0: the desirable rate must be the higher one."""
    if p0 is not None and p1 is not None and p1 <= p0:
        raise impossible("p1", not_above(p0, p1))


def require_error_rates(spec: Spec, alternative: str) -> None:
    """A search needs p0, p1, alpha and beta."""
    missing = [key for key in ("p0", "p1", "alpha", "beta") if getattr(spec, key) is None]
    if missing:
        raise impossible(
            "",
            f"to find a design, state p0, p1, alpha and beta (missing: {', '.join(missing)}); or state {alternative}",
        )


SEARCH_KEYS = ("criterion", "weight", "nmax")
"""What asks for a search whatever else is stated; alpha and beta may stand beside cut-offs, as nominal."""


def refuse_search_keys(spec: Spec, stated: str, keys: tuple[str, ...] = SEARCH_KEYS) -> None:
    """A design stated outright is not searched for."""
    for key in keys:
        if getattr(spec, key, None) not in (None, False):
            raise impossible(key, f"`{key}` belongs to a search; this design is stated outright by {stated}")
