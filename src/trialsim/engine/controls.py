"""Control variates: a simulated number, adjusted by how far the twin with outcomes known at once missed its own.

Y is a quantity of a trial in calendar time, X_j quantities of the same replicate's twin, whose means mu_j the exact
chain knows. The estimate is that of the regression of Y on X at mu: Ybar - sum_j beta_j (Xbar_j - mu_j). It is worked
out once, from totals in whole numbers and in fractions throughout, so that it has the same bits wherever it is worked
out, and so that a control which never varies, or is a sum of others, is recognised without a tolerance of rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from trialsim.results import Adjusted, Estimate

LEAST = 20
"""Replicates in which something must differ before a standard error can be trusted; with fewer the plain number is
given, since a residual variance that hangs on so few is as good as unknown."""

EACH = 100
"""Replicates for each coefficient of the regression, its constant included."""

COLLINEAR = 10**9
"""A control is left out when what the controls before it leave of its sum of squares is this many times smaller."""

FEW = f"fewer than {2 * EACH} trials"
RARE = f"fewer than {LEAST} trials in which it happens, or in which it does not"
ALIKE = f"fewer than {LEAST} trials that differ from those with outcomes known at once"
MOVES_ALIKE = f"fewer than {LEAST} trials whose difference is not that of those with outcomes known at once"
CONSTANT = "no control varies"
SAME = "it is the same in every trial"


@dataclass(frozen=True)
class Sums:
    """Totals over ``replicates`` of a quantity and its controls, whole numbers of any size.

    Attributes:
        y, yy: sum of the quantity and of its square.
        x, xy: by control, sum and sum of products with the quantity.
        xx: (J, J) sums of products of two controls.
        apart: replicates in which the quantity is not that of its own twin; None where it has none.
    """

    replicates: int
    y: int
    yy: int
    x: Sequence[int]
    xy: Sequence[int]
    xx: Sequence[Sequence[int]]
    apart: int | None

    def first(self, count: int) -> Sums:
        """The same with the first controls only."""
        return Sums(
            self.replicates,
            self.y,
            self.yy,
            self.x[:count],
            self.xy[:count],
            [row[:count] for row in self.xx[:count]],
            self.apart,
        )


@dataclass(frozen=True)
class Fit:
    """The regression at the known means: estimate, standard error, degrees of freedom, which controls it kept."""

    estimate: float
    mcse: float
    df: int
    kept: tuple[int, ...]


def fitted(sums: Sums, mu: Sequence[float]) -> Fit:
    """The regression on those controls that vary and that are no sum of the ones before.

    Gaussian elimination of R sum XX - sum X sum X, bordered with the quantity and with R mu - sum X; what is left in
    the border is all that is asked of it: the sum of squares left, the adjustment and the distance of the means.
    Numbers stay whole (Bareiss, Math Comput 1968;22:565): each stands for itself divided by the pivot before, and
    no division leaves a remainder.
    """
    count, replicates = len(sums.x), sums.replicates
    known = [Fraction(value) for value in mu]
    scale = math.lcm(1, *(value.denominator for value in known))
    y, away, size = count, count + 1, count + 2
    rows = [
        [
            *(replicates * sums.xx[j][k] - sums.x[j] * sums.x[k] for k in range(count)),
            replicates * sums.xy[j] - sums.x[j] * sums.y,
            scale * sums.x[j] - replicates * int(scale * known[j]),
        ]
        for j in range(count)
    ]
    rows.append([*[0] * count, replicates * sums.yy - sums.y**2, 0])
    rows.append([0] * size)
    own = [row[j] for j, row in enumerate(rows)]
    kept, before = [], 1
    for j in range(count):
        row, pivot = rows[j], rows[j][j]
        if own[j] == 0 or pivot * COLLINEAR <= own[j] * before:
            continue
        kept.append(j)
        for i in range(j + 1, size):  # the matrix is symmetric: the upper half of it will do
            share, below = row[i], rows[i]
            for k in range(i, size):
                below[k] = (below[k] * pivot - share * row[k]) // before
        before = pivot
    left = Fraction(rows[y][y], before)
    moved, distance = -Fraction(rows[y][away], before * scale), -Fraction(rows[away][away], before * scale**2)
    df = replicates - len(kept) - 1
    variance = left * (1 + distance) / (replicates**2 * df) if df > 0 else None
    mcse = math.nan if variance is None else math.sqrt(variance)
    return Fit(float((sums.y - moved) / replicates), mcse, df, tuple(kept))


def adjusted(
    sums: Sums,
    mu: Sequence[float],
    names: Sequence[str],
    plain: Estimate,
    *,
    probability: bool,
    unit: float = 1,
) -> Adjusted:
    """The adjusted number of a quantity, or the plain one and why.

    Args:
        sums: its own twin, if it has one, is the first control.
        mu, names: of the controls, in the same order.
        plain: the number without controls.
        probability: whether the quantity is an event.
        unit: what 1 of the number is in the sums.
    """
    if why := kept_plain(sums, probability=probability):
        return _plain(plain, why)
    limits = (0.0, 1.0) if probability else (-math.inf, math.inf)
    return _regressed(sums, mu, names, plain, 0 if sums.apart is None else 1, limits, unit)


def adjusted_difference(
    sums: Sums,
    mu: Sequence[float],
    names: Sequence[str],
    plain: Estimate,
    *,
    own: int,
    happens: Sequence[int] = (),
    unit: float = 1,
) -> Adjusted:
    """The adjusted difference between two trials on the same patients, or the plain one and why.

    Args:
        sums: of the differences, whose controls are those of both twins, the own ones first; ``apart`` counts the
            replicates in which the difference is not that of the own twins (not 0, where there are none).
        mu, names: of the controls, in the same order.
        plain: the difference without controls.
        own: how many of the controls are own twins.
        happens: of an event, in how many replicates it happens in either trial and in the own twins.
        unit: what 1 of the number is in the sums.
    """
    if sums.replicates < 2 * EACH:
        return _plain(plain, FEW)
    if _least(happens, sums.replicates) < LEAST:
        return _plain(plain, RARE)
    if sums.replicates * sums.yy == sums.y**2:
        return _plain(plain, SAME)
    if sums.apart is not None and sums.apart < LEAST:
        return _plain(plain, MOVES_ALIKE)
    return _regressed(sums, mu, names, plain, own, (-math.inf, math.inf), unit)


def _regressed(
    sums: Sums,
    mu: Sequence[float],
    names: Sequence[str],
    plain: Estimate,
    own: int,
    limits: tuple[float, float],
    unit: float,
) -> Adjusted:
    """The regression on all controls, where replicates are too few on the ``own`` first ones only."""
    fit = fitted(sums, mu)
    if sums.replicates < EACH * (len(fit.kept) + 1):
        fit = fitted(sums.first(own), mu[:own])
    if not fit.kept:
        return _plain(plain, CONSTANT)
    estimate, mcse = fit.estimate / unit, fit.mcse / unit
    reach = _t(fit.df) * mcse
    low, high = max(estimate - reach, limits[0]), min(estimate + reach, limits[1])
    factor = (plain.mcse / mcse) ** 2 if mcse > 0 else None
    return Adjusted(estimate, mcse, low, high, factor, tuple(names[j] for j in fit.kept))


def kept_plain(sums: Sums, *, probability: bool) -> str:
    """Why a quantity keeps its plain number whatever its controls are; "" where it does not."""
    if sums.replicates < 2 * EACH:
        return FEW
    if probability and fewest(sums) < LEAST:
        return RARE
    if not probability and sums.replicates * sums.yy == sums.y**2:
        return SAME
    return ALIKE if sums.apart is not None and sums.apart < LEAST else ""


def fewest(sums: Sums) -> int:
    """The least number of replicates in which an event happens, or does not, in the trial or in its own twin."""
    happens = [sums.y] if sums.apart is None else [sums.y, sums.x[0]]
    return _least(happens, sums.replicates)


def _least(happens: Sequence[int], replicates: int) -> int:
    return min((min(count, replicates - count) for count in happens), default=replicates)


def withheld(plain: Estimate, why: str) -> Adjusted:
    """The plain number in place of an adjusted one."""
    return _plain(plain, why)


def _plain(plain: Estimate, why: str) -> Adjusted:
    return Adjusted(plain.estimate, plain.mcse, plain.low, plain.high, 1.0, (), why)


def _t(df: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.975))
