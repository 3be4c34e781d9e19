"""The least favourable values of inputs within their ranges: corners, a scan of the inside, and a search from the best.

A search, not a theorem: between the points of the scan a worse one could hide. The result says how dense it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from trialsim.kernels.tables import Float64
from trialsim.results import Estimate
from trialsim.scenario.sensitivity import WorstCase
from trialsim.varying.analysed import Analysed, engines, plain, row_of, short
from trialsim.varying.answered import SIMULATED
from trialsim.varying.evaluate import Asked, Evaluator
from trialsim.varying.points import Point
from trialsim.varying.ranges import inside, takes_whole
from trialsim.varying.twins import Told, unadjusted

KIND = "worst_case"

EXACT_SIDE = {1: 65, 2: 17, 3: 7, 4: 4, 5: 3}
SIMULATED_SIDE = {1: 17, 2: 7, 3: 4, 4: 3, 5: 2}
"""Number of inputs -> values of each in the scan, both ends included."""

STARTS = 3
"""Points of the scan from which a search begins, where there is an exact answer."""


@dataclass(frozen=True, repr=False)
class WorstCaseResult(Analysed):
    """The worst point found.

    Attributes:
        answer: the quantity there; where it was simulated, with patients that the search has not seen.
        corner: whether every input is at an end of its range.
        scanned, side: points of the scan, and values of each input.
        searched: points of the search from the best of them; 0 where points are simulated.
        gained: what the search added to the scan.
    """

    kind: ClassVar[str] = KIND

    quantity: str
    label: str
    worst: str
    ranges: dict[str, tuple[float, float]]
    point: dict[str, float]
    answer: Estimate
    own_answer: Estimate
    opposite: Estimate
    corner: bool
    scanned: int
    side: int
    searched: int
    gained: float

    @property
    def inputs(self) -> Iterable[str]:
        """The inputs that move together."""
        return self.ranges

    def to_dict(self) -> dict[str, Any]:
        """The analysis as it stands in ``results.json``."""
        return {
            **self.about(),
            "quantity": self.quantity,
            "label": self.label,
            "worst": self.worst,
            "ranges": {path: list(ends) for path, ends in self.ranges.items()},
            "point": self.point,
            "answer": plain(self.answer),
            "as_stated": plain(self.own_answer),
            "opposite_end": plain(self.opposite),
            "at_a_corner": self.corner,
            "points_scanned": self.scanned,
            "values_of_each": self.side,
            "points_searched": self.searched,
            "gained_by_search": self.gained,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row an input."""
        own = self.own_answer
        adjusted = {"adjusted_as_stated": own.estimate} if isinstance(own, Told) else {}
        for path, (low, high) in self.ranges.items():
            yield {
                "input": path,
                "low": low,
                "high": high,
                "worst_at": self.point[path],
                "quantity": self.quantity,
                **row_of(self.answer),
                "as_stated": unadjusted(self.own_answer).estimate,
                **adjusted,
            }


def count(spec: WorstCase) -> int:
    """How many points the analysis works out, as far as can be told."""
    return int(2 + EXACT_SIDE[len(spec.over)] ** len(spec.over))


def run(name: str, spec: WorstCase, evaluator: Evaluator) -> WorstCaseResult:
    """Corners and inside on a lattice; where points are exact, Nelder and Mead's search from the best of them."""
    scenario, asked, quantity = evaluator.scenario, Asked.by(spec, evaluator.scenario), spec.quantity
    sign = -1.0 if spec.worst == "highest" else 1.0
    (own,) = evaluator(asked, [{}])
    noisy = own.engine == SIMULATED
    side = (SIMULATED_SIDE if noisy else EXACT_SIDE)[len(spec.over)]
    whole = {path: takes_whole(scenario, path, *ends) for path, ends in spec.over.items()}

    def point(shares: tuple[float, ...]) -> dict[str, float]:
        found = {
            path: inside(*ends, share) for (path, ends), share in zip(spec.over.items(), shares, strict=True)
        }
        return {path: round(value) if whole[path] else value for path, value in found.items()}

    def value(where: Point) -> float:
        (answer,) = evaluator(asked, [where])
        return sign * answer[quantity].estimate

    lattice = [
        tuple(k / (side - 1) for k in each) for each in itertools.product(range(side), repeat=len(spec.over))
    ]
    answers = evaluator(asked, [point(shares) for shares in lattice])
    values = np.array([sign * answer[quantity].estimate for answer in answers])
    best = np.argsort(values, kind="stable")
    chosen, least, searched = point(lattice[best[0]]), float(values[best[0]]), 0
    if not noisy and not any(whole.values()):
        for start in best[:STARTS]:
            shares, fun, calls = _search(lambda s: value(point(s)), lattice[start], 1 / (side - 1))
            searched += calls
            if fun < least - 1e-12:
                chosen, least = point(shares), fun
    # the winner among noisy points was lucky: patients that the search has not seen say what it is worth
    own, answer = evaluator(replace(asked, seed=(evaluator.seed + 1) % 2**63), [{}, chosen])
    ends = spec.over.items()
    return WorstCaseResult(
        scenario,
        name,
        asked.case,
        engines([own, *answers]),
        evaluator.replicates if noisy else None,
        quantity,
        short(scenario, quantity),
        spec.worst,
        dict(ends),
        chosen,
        answer[quantity],
        own[quantity],
        answers[best[-1]][quantity],
        all(chosen[path] in limits for path, limits in ends),
        len(lattice),
        side,
        searched,
        float(values[best[0]] - least),
    )


def _search(function: Any, start: tuple[float, ...], step: float) -> tuple[tuple[float, ...], float, int]:
    """Nelder and Mead within the unit cube, beginning with a simplex of one step of the lattice."""
    from scipy.optimize import minimize

    first = np.array(start)
    inward: Float64 = np.where(first > 0.5, -step, step)
    simplex = np.vstack([first, first + np.diag(inward)])

    def clipped(shares: Float64) -> float:
        return float(function(tuple(np.clip(shares, 0, 1).tolist())))

    found = minimize(
        clipped,
        first,
        method="Nelder-Mead",
        bounds=[(0, 1)] * len(start),
        options={"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-9, "maxfev": 80 * len(start)},
    )
    return tuple(np.clip(found.x, 0, 1).tolist()), float(found.fun), int(found.nfev)
