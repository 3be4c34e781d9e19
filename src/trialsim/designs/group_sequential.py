"""Toxicity looked at after stated numbers of patients: repeated tests, in Pocock's or O'Brien-Fleming's shape.

Boundaries in the power family: Wang SK, Tsiatis AA. Biometrics 1987;43:193-199, on exact binomial tails.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from trialsim.codes import NEVER
from trialsim.designs.crossing import crosses_rarely
from trialsim.designs.exactly import SAME
from trialsim.designs.look_range import LookSizesOrRange
from trialsim.designs.spec import OpenProbability, Spec, impossible
from trialsim.designs.toxicity import Action, Levels
from trialsim.errors import DesignError

SHAPES = {"pocock": 0.0, "obrien_fleming": 0.5}


class GroupSequential(Spec):
    """Act at a look when the exact test of the limit is significant at that look's level."""

    kind: Literal["group_sequential"]
    limit: OpenProbability = Field(description="highest acceptable toxicity rate", title="toxicity limit")
    phi: OpenProbability = Field(
        description="largest probability of crossing at any look when the rate is the limit",
        title="phi of the toxicity rule",
    )
    looks: LookSizesOrRange = Field(
        description="patients at the dose at each look, as a list or as {from: 6, to: 30, every: 3}",
        title="looks at toxicity",
    )
    shape: Literal["pocock", "obrien_fleming"] | None = Field(
        None,
        description="pocock (default): one level at every look; obrien_fleming: early looks are stricter",
        title="shape of the toxicity boundary",
    )
    delta: float | None = Field(
        None,
        ge=0,
        le=0.5,
        description="a shape in between: 0 is pocock, 0.5 obrien_fleming",
        title="shape of the toxicity boundary",
    )
    action: Action = None
    levels: Levels = None

    @property
    def last_look(self) -> int:
        """Patients at the last look."""
        return self.looks[-1]

    @model_validator(mode="after")
    def _possible(self) -> GroupSequential:
        if self.shape is not None and self.delta is not None:
            raise impossible("delta", "state `shape` or `delta`, not both")
        return self

    def compile(self, planned_n: int, most: int) -> tuple[int, ...]:  # noqa: ARG002 - one signature for all rules
        """Least toxicities that cross at each look, NEVER between looks."""
        if self.looks[-1] > most:
            raise DesignError(
                f"a look at {self.looks[-1]} patients at a dose, but a trial treats {most} at most"
            )
        delta = SHAPES[self.shape or "pocock"] if self.delta is None else self.delta
        cuts = boundaries(self.looks, self.limit, self.phi, self.limit, delta)[0]
        bounds = [NEVER] * (most + 1)
        for m, cut in zip(self.looks, cuts, strict=True):
            bounds[m] = cut + 1 if cut < m else NEVER
        return tuple(bounds)


def boundaries(
    looks: tuple[int, ...], limit: float, phi: float, rate: float, delta: float
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The two neighbours in the family around P(cross | rate) = phi: act if toxicities > bound.

    The first is the lowest boundary with P(cross | rate) <= phi; the second the next lower one (the first again if
    there is none). At look k the least b with P(Bin(n_k, limit) > b) <= Phi(z(a) / (n_k / N)^delta); every level a at
    which some cut-off changes is known exactly, so neighbours are found by bisection over those.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    from trialsim.designs.binomial import upper_tail

    share = np.array(looks) / looks[-1]
    tails = [np.minimum(upper_tail(n, limit)[1:], 1.0) for n in looks]  # P(X > 0), P(X > 1), ...
    levels = [ndtr(ndtri(tail) * s**delta) for tail, s in zip(tails, share, strict=True)]
    steps = np.unique(np.concatenate([[0.0], *levels]))
    # one step is the same number computed at two looks: where z is 0, or looks have equal shares, or delta is 0
    steps = steps[np.append(np.diff(steps) > SAME * steps[1:], True)]

    def cut_offs(a: float) -> tuple[int, ...]:
        return tuple(int((level > a * (1 + SAME)).sum()) for level in levels)

    def keeps_phi(a: float) -> bool:
        bounds = [NEVER] * (looks[-1] + 1)
        for n, cut in zip(looks, cut_offs(a), strict=True):
            bounds[n] = cut + 1
        return crosses_rarely(tuple(bounds), rate, looks[-1], phi)

    keeps, exceeds = 0, len(steps)  # steps[keeps] keeps phi, steps[exceeds] does not
    while exceeds - keeps > 1:
        middle = (keeps + exceeds) // 2
        if keeps_phi(float(steps[middle])):
            keeps = middle
        else:
            exceeds = middle
    return cut_offs(float(steps[keeps])), cut_offs(float(steps[min(exceeds, len(steps) - 1)]))
