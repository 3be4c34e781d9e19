"""What could be had where no design keeps both error rates: the power there is, the n it takes, the alpha."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trialsim.designs.error_rates import NoDesign
from trialsim.designs.single_stage import search as single_stage
from trialsim.designs.spec import MAX_PATIENTS

CLOSE = 1e-3
"""Width at which an interval of error rates is narrow enough to try what was found in it."""


@dataclass(frozen=True)
class Reached:
    """Of the designs that a search found: the least n, the largest power, the least type I error."""

    n: int
    power: float
    type_i_error: float


Search = Callable[[float, float, int | None], Reached]
"""From alpha, beta and the largest n to what is found; raises NoDesign."""


def feasible(
    search: Search, setting: tuple[float, float, float, float], nmax: int | None, *, by_responses: bool = True
) -> str:
    """What would be possible instead of a setting (p0, p1, alpha, beta) for which there is no design.

    With ``nmax``: the largest power at alpha within it (or, if alpha is kept by no design at all, the least type I
    error at this power), and the least n that keeps both. Without: the n that a single stage takes, where a decision is
    ``by_responses`` alone.
    """
    p0, p1, alpha, beta = setting
    said = []
    if nmax is not None:
        if power := most_power(search, alpha, beta, nmax):
            said.append(f"with n <= {nmax} the largest power at alpha = {alpha:g} is {power:.4f}")
        elif level := least_level(search, alpha, beta, nmax):
            said.append(f"with n <= {nmax} the least type I error at a power of {1 - beta:g} is {level:.4f}")
        else:
            said.append(f"with n <= {nmax} neither can be kept, whatever the other")
        if larger := _try(search, alpha, beta, None):
            return "; ".join([*said, f"the least n that works is {larger.n}"])
    if not by_responses:
        return "; ".join([*said, "a larger nmax may have one"])
    try:
        one = single_stage(p0, p1, alpha, beta)["first"]
    except NoDesign:
        return "; ".join([*said, f"even a single stage takes more than {MAX_PATIENTS} patients"])
    return "; ".join([*said, f"a single stage takes n = {one.n}"])


def most_power(search: Search, alpha: float, beta: float, nmax: int) -> float | None:
    """The largest power of designs with n <= nmax that keep alpha, less than 1 - beta; None if none keeps alpha."""
    fails, works = beta, 1 - 1e-6
    reached = _try(search, alpha, works, nmax)
    if reached is None:
        return None
    while works - fails > CLOSE:
        middle = (fails + works) / 2
        if found := _try(search, alpha, middle, nmax):
            reached, works = found, min(middle, 1 - found.power)
        else:
            fails = middle
    # from here each design found is better than the last, until there is none
    while found := _try(search, alpha, 1 - reached.power - 1e-9, nmax):
        reached = found
    return reached.power


def least_level(search: Search, alpha: float, beta: float, nmax: int) -> float | None:
    """The least type I error of designs with n <= nmax that keep beta; None if none does."""
    fails, works = alpha, 1 - 1e-6
    reached = _try(search, works, beta, nmax)
    if reached is None:
        return None
    while works - fails > CLOSE:
        middle = (fails + works) / 2
        if found := _try(search, middle, beta, nmax):
            reached, works = found, min(middle, found.type_i_error)
        else:
            fails = middle
    while reached.type_i_error > 1e-9 and (found := _try(search, reached.type_i_error - 1e-9, beta, nmax)):
        reached = found
    return reached.type_i_error


def _try(search: Search, alpha: float, beta: float, nmax: int | None) -> Reached | None:
    try:
        return search(alpha, beta, nmax)
    except NoDesign:
        return None
