"""How far a design is from the best that any design could do: a bound on EN(p0), and the distance from it.

Over all sequential designs of at most n patients, with looks after any patients and decisions at random if need be.
Error rates are paid for at two prices; every pair of prices gives a bound, and the highest of them is looked for. See
docs/decisions/0019-frontier.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from trialsim.designs.target import Target

if TYPE_CHECKING:
    from trialsim.designs.finding import FoundDesigns

MOST_PATIENTS = 600
"""Beyond this no bound is worked out: it costs the square of the patients."""

LARGEST_LOG_RATIO = 600.0
"""Likelihood ratios beyond the exponential of this are not followed."""

SMALL = 60
"""Up to so many patients the bound is worked out before numba would be imported."""

LARGEST_PRICE = 1e5
NEAR = 1e-10
"""The bound is the highest to within this; a lower one is a bound as well."""

KEPT = 1e-9
"""An error rate that is kept exactly may be above its limit by so much in floating point."""


@dataclass(frozen=True)
class Least:
    """No design has a smaller EN(p0) than ``en``; the prices, in patients, of a go at p0 and of one at p1."""

    en: float
    price: float
    worth: float


def followed(target: Target, nmax: int) -> bool:
    """Whether likelihood ratios of so many patients are numbers that can be computed with."""
    return nmax <= MOST_PATIENTS and nmax * math.log(target.p1 / target.p0) <= LARGEST_LOG_RATIO


@lru_cache(maxsize=256)
def least_en(target: Target, nmax: int) -> Least | None:
    """At least so many patients does every design of 1 to nmax patients that keeps the error rates expect at p0.

    None where no bound is worked out (MOST_PATIENTS, LARGEST_LOG_RATIO), or where there can be no design.
    """
    import numpy as np

    from trialsim.kernels.doubts import ROUNDING
    from trialsim.kernels.jit import plainly
    from trialsim.kernels.multipliers import highest, tables

    if not followed(target, nmax) or not target.within_reach(nmax):
        return None
    onward, work = np.zeros((nmax, nmax + 1)), np.zeros((3, nmax + 1))
    box = (0.0, LARGEST_PRICE, 0.0, LARGEST_PRICE)
    at = np.arange(1, nmax + 1)
    with plainly(nmax <= SMALL):
        null, _, ratio = tables(target.p0, target.p1, nmax)
        value, price, worth = highest(at, True, box, target.errors, np.inf, NEAR, null, ratio, onward, work)
    # so much may rounding have added
    value -= ROUNDING * nmax * (nmax + price + worth)
    return Least(float(value), float(price), float(worth))


def percent_above(en: float, least: float) -> float:
    """100 (EN(p0) / bound - 1)."""
    return 100 * (en / least - 1)


LEAST, ABOVE = "least_en_p0", "percent_above_least"
"""Of a design that was found: what no design can go below, and how far above that its EN(p0) is, in percent."""


def measured(found: FoundDesigns) -> FoundDesigns:
    """The same designs, each with its distance from the bound for as many patients as it may need itself.

    A design that was searched for within ``nmax`` as the best of all is measured there. Without: designs that look at
    toxicity, and those that state no p1 and no power, or do not keep the error rates that are stated.
    """
    setting = found.setting
    if not {"p0", "p1", "alpha", "beta"} <= set(setting):
        return found
    target = Target(setting["p0"], setting["p1"], setting["alpha"], setting["beta"])
    designs = []
    for design in found.designs:
        details = dict(design.details)
        if design.looks is not None and design.en_p0 is not None and design.type_i_error is not None:
            kept = design.type_i_error <= target.alpha + KEPT and design.power >= 1 - target.beta - KEPT
            least = least_en(target, int(details.get("nmax", design.n))) if kept else None
            if least is not None and least.en > 0:
                details |= {LEAST: least.en, ABOVE: percent_above(design.en_p0, least.en)}
        designs.append(replace(design, details=details))
    return replace(found, designs=tuple(designs))
