"""Designs that follow from what is stated, without a search: Fleming's boundaries, Gehan's two stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trialsim.designs.alone import alone, written
from trialsim.designs.rules import Looks
from trialsim.designs.single_stage import search as single_stage
from trialsim.designs.target import NoDesign, Target
from trialsim.errors import DesignError

NEEDS: dict[str, tuple[str, ...]] = {"fleming": ("p0", "p1", "alpha"), "gehan": ("p1", "beta")}
"""What each kind cannot do without."""

SpecOf = Callable[[str, dict[str, Any]], Any]
"""Kind and keys -> the block of a design."""

STANDARD_ERROR = 0.1
"""What Gehan's second stage is for, where nothing else is asked: one of the two values that he tabulated."""


@dataclass(frozen=True)
class DerivedDesign:
    """A design and its exact operating characteristics; those at p0 are None where no p0 is stated."""

    n: int
    made: Looks
    words: str
    en_p0: float | None
    en_p1: float
    pet_p0: float | None
    type_i_error: float | None
    power: float

    @classmethod
    def of(cls, looks: Looks, words: str, p0: float | None, p1: float) -> DerivedDesign:
        """At the rates stated."""
        null, good = None if p0 is None else alone(looks, p0), alone(looks, p1)
        en, pet, level = (None, None, None) if null is None else (null.en, null.pet, null.p_go)
        return cls(looks.planned_n, looks, words, en, good.en, pet, level, good.p_go)

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return self.made

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Derived:
    """The designs under their names, what they follow from, how they are to be read, and the rates it is about."""

    named: tuple[tuple[str, DerivedDesign], ...]
    covered: str
    written_as: str
    about: tuple[str, ...] = ("p0", "p1", "alpha", "beta")


def fleming(spec_of: SpecOf, rates: Mapping[str, float], keys: Mapping[str, Any], **searched: Any) -> Derived:
    """Boundaries at the looks stated, with the level and the power that they attain.

    Raises:
        NoDesign: with these looks the power is less than 1 - beta.
    """
    _refuse("fleming", searched, "p0, alpha and the numbers of patients at its looks")
    p0, p1, alpha, beta = (rates.get(name) for name in ("p0", "p1", "alpha", "beta"))
    assert p0 is not None and p1 is not None and alpha is not None
    target = Target(p0, p1, alpha, 0.2 if beta is None else beta)
    if "n" not in keys:
        n = single_stage(target)["first"].n
        raise DesignError(
            "the cut-offs of fleming follow from p0, alpha and the numbers of patients at its looks, which are stated: "
            f"add n, such as n=[{(n + 1) // 2},{n}] (a single stage takes {n} patients for a beta of {target.beta:g})"
        )
    looks = spec_of("fleming", {"p0": p0, "p1": p1, "alpha": alpha, **keys}).compile()
    design = DerivedDesign.of(looks, written(looks), p0, p1)
    if beta is not None and design.power < 1 - beta:
        at = ", ".join(map(str, looks.n))
        raise NoDesign(
            f"with looks at {at} the power of Fleming's boundaries is {design.power:.4f}, less than {1 - beta:g}: more "
            "patients are needed"
        )
    covered = f"nothing; the cut-offs are the normal approximation at {alpha:g} and the looks stated"
    return Derived(
        (("derived", design),),
        f"{covered}; alpha and power are what they attain exactly",
        "written r:a/n, one a look: stop if responses <= r; go if > a; at the end go if > r",
    )


def gehan(spec_of: SpecOf, rates: Mapping[str, float], keys: Mapping[str, Any], **searched: Any) -> Derived:
    """The least stage 1 that misses p1 with a probability of beta at most, and stage 2 for a standard error."""
    _refuse("gehan", searched, "p1, beta and the standard error wanted")
    stated = {"standard_error": STANDARD_ERROR, "miss": rates["beta"], "p1": rates["p1"], **keys}
    stated |= {"p0": rates["p0"]} if "p0" in rates else {}
    spec = spec_of("gehan", stated)
    looks = spec.compile()
    n1, leads = looks.n[0], looks.next[0]
    sizes: dict[int, list[int]] = {}
    for x, code in enumerate(leads[1:], start=1):
        sizes.setdefault(n1 if code < 0 else looks.n[code], []).append(x)
    later = ", ".join(f"n = {n} after {_counts(xs)}" for n, xs in sizes.items())
    design = DerivedDesign.of(looks, f"0/{n1}; {later}", rates.get("p0"), rates["p1"])
    return Derived(
        (("derived", design),),
        f"nothing; n1 is the least with P(no response | p1) <= {spec.miss:g}, n gives a standard error of "
        f"{spec.standard_error:g} at the upper 75% limit of the rate in stage 1",
        "written 0/n1; n by the responses in stage 1: stop if nobody responds. Stage 2 estimates and tests nothing: "
        "alpha and power are the probabilities that stage 1 is passed, and no alpha is asked for",
        ("p0", "p1", "beta"),
    )


def _counts(xs: list[int]) -> str:
    """Which counts, in words."""
    runs: list[list[int]] = []
    for x in xs:
        if runs and runs[-1][-1] == x - 1:
            runs[-1].append(x)
        else:
            runs.append([x])
    return " or ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _refuse(kind: str, searched: Mapping[str, Any], needed: str) -> None:
    """What belongs to a search."""
    for key, value in searched.items():
        if value is not None:
            raise DesignError(f"{key} belongs to a search; a design of kind {kind} follows from {needed}")
