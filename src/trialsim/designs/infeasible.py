"""What could be had where no design keeps both error rates: the power there is, the n it takes, the alpha."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from trialsim.designs.single_stage import search as single_stage
from trialsim.designs.spec import MAX_PATIENTS
from trialsim.designs.target import NoDesign, Target

CLOSE = 1e-3
"""Width at which an interval of error rates is narrow enough to try what was found in it."""


@dataclass(frozen=True)
class Reached:
    """Of the designs that a search found: the least n, the largest power, the least type I error."""

    n: int
    power: float
    type_i_error: float


Search = Callable[[Target], Reached]
"""From a target to what is found; raises NoDesign."""


def feasible(search: Search, target: Target, *, by_responses: bool = True) -> str:
    """What would be possible instead of a target for which there is no design.

    With ``nmax``: the largest power at alpha within it (or, if alpha is kept by no design at all, the least type I
    error at this power), and the least n that keeps both. Without: the n that a single stage takes, where a decision is
    ``by_responses`` alone.
    """
    said, nmax, free = [], target.nmax, replace(target, nmax=None)
    if nmax is not None:
        if power := most_power(search, target):
            said.append(f"with n <= {nmax} the largest power at alpha = {target.alpha:g} is {power:.4f}")
        elif level := least_level(search, target):
            said.append(
                f"with n <= {nmax} the least type I error at a power of {1 - target.beta:g} is {level:.4f}"
            )
        else:
            said.append(f"with n <= {nmax} neither can be kept, whatever the other")
        if larger := _try(search, free):
            return "; ".join([*said, f"the least n that works is {larger.n}"])
    if not by_responses:
        return "; ".join([*said, "a larger nmax may have one"])
    try:
        one = single_stage(free)["first"]
    except NoDesign:
        return "; ".join([*said, f"even a single stage takes more than {MAX_PATIENTS} patients"])
    said.append(f"a single stage takes n = {one.n}")
    return "; ".join([*said, *(["a larger nmax may have one"] if nmax is None else [])])


def most_power(search: Search, target: Target) -> float | None:
    """The largest power of designs that keep alpha and nmax, less than 1 - beta; None if none keeps alpha."""
    reached = _least(search, target, "beta", lambda found: 1 - found.power)
    return None if reached is None else reached.power


def power_at(n: int, target: Target, two_stages: float | None) -> str:
    """The largest power of n patients, in one stage and in two."""
    from trialsim.designs.binomial import upper_tail

    null, good = (upper_tail(n, p) for p in target.rates)
    one = max((float(g) for level, g in zip(null, good, strict=True) if level <= target.alpha), default=0.0)
    said = f"the largest power at n = {n} is {one:.4f}"
    if two_stages is None or one == 0:
        return said if one else f"no cut-off of {n} patients keeps alpha = {target.alpha:g}"
    if f"{two_stages:.4f}" == f"{one:.4f}":
        return f"{said}, in one stage or two"
    return f"{said} in one stage, {two_stages:.4f} in two"


def least_level(search: Search, target: Target) -> float | None:
    """The least type I error of designs that keep beta and nmax; None if none does."""
    reached = _least(search, target, "alpha", lambda found: found.type_i_error)
    return None if reached is None else reached.type_i_error


def _least(
    search: Search, target: Target, key: Literal["alpha", "beta"], attained: Callable[[Reached], float]
) -> Reached | None:
    """The design that attains least of one error rate, the other kept; None if there is none."""

    def within(rate: float) -> Reached | None:
        other = replace(target, alpha=rate) if key == "alpha" else replace(target, beta=rate)
        return _try(search, other)

    fails, works = getattr(target, key), 1 - 1e-6
    reached = within(works)
    if reached is None:
        return None
    while works - fails > CLOSE:
        middle = (fails + works) / 2
        if found := within(middle):
            reached, works = found, min(middle, attained(found))
        else:
            fails = middle
    # from here each design found is better than the last, until there is none
    while attained(reached) > 1e-9 and (found := within(attained(reached) - 1e-9)):
        reached = found
    return reached


def _try(search: Search, target: Target) -> Reached | None:
    try:
        return search(target)
    except NoDesign:
        return None
