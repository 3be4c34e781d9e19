"""Bryant and Day's design: two stages that look at responses and at toxicities.

Stop after stage 1 if responses <= r1 or toxicities >= b1; go at the end if responses > r and toxicities < b.

Bryant J, Day R. Incorporating toxicity considerations into the design of two-stage phase II clinical trials.
Biometrics 1995;51:1372-1383.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from trialsim.designs.bayes import power as raised
from trialsim.designs.error_rates import Candidates, ErrorRates, check_stages
from trialsim.designs.exactly import best_by_value, decimal, settled
from trialsim.designs.front import Front
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import AsTuple, CutOff, OpenProbability, impossible
from trialsim.designs.target import NoDesign, Target, widening

SEARCH_LIMIT = 80

MAX_N = 1000
"""Largest n of a design stated outright: its error rates take time as n^3."""

STATED = ("n1", "r1", "b1", "n", "r", "b")

Size = Annotated[int, Field(ge=1, le=MAX_N)]


def _higher_first(toxicity: tuple[float, float]) -> tuple[float, float]:
    if toxicity[1] >= toxicity[0]:
        raise impossible("", "the unacceptable rate comes first and is the higher one")
    return toxicity


TwoRates = Annotated[tuple[OpenProbability, OpenProbability], AsTuple, AfterValidator(_higher_first)]
"""Unacceptable and acceptable toxicity rate."""


class BryantDay(ErrorRates):
    """Two stages with cut-offs for responses and toxicities: found by error rates, or stated as n1, r1, b1, n, r, b.

    p0, p1 and alpha are those of the response.
    """

    default_criterion: ClassVar[str] = "optimal"
    searched: ClassVar[str] = "all n1, r1, b1, n, r and b"
    written_as: ClassVar[str] = (
        "EN(p0) is the larger of the two nulls, alpha the larger level, PET that of poor response"
    )

    watches_toxicity: ClassVar[bool] = True
    outright: ClassVar[tuple[str, ...]] = STATED

    kind: Literal["bryant_day"]
    criterion: Literal["optimal", "minimax"] | None = Field(
        None, description="optimal: least larger EN of the two nulls; minimax: least n, then that"
    )
    toxicity: TwoRates | None = Field(None, description="unacceptable and acceptable toxicity rate")
    alpha_toxicity: OpenProbability | None = Field(
        None, description="largest P(go) where toxicity is unacceptable (default: alpha)"
    )
    odds_ratio: float = Field(1.0, gt=0, le=1e6, description="association of response and toxicity")
    n1: Size | None = Field(None, description="patients in stage 1")
    r1: CutOff | None = Field(None, description="stop after stage 1 if responses <= r1")
    b1: Size | None = Field(
        None, description="stop after stage 1 if toxicities >= b1 (n1 + 1: whatever the toxicities, go on)"
    )
    n: Size | None = Field(None, description="patients in both stages", title="planned n")
    r: CutOff | None = Field(None, description="go if responses > r of n, and toxicities < b")
    b: Size | None = Field(None, description="no go if toxicities >= b of n (n + 1: never)")

    @model_validator(mode="after")
    def _possible(self) -> BryantDay:
        if not self.stated_outright():
            if self.toxicity is None:
                raise impossible(
                    "toxicity", "missing: the search needs the unacceptable and the acceptable rate"
                )
            return self
        if self.alpha_toxicity is not None:
            raise impossible(
                "alpha_toxicity", f"`alpha_toxicity` belongs to a search; {', '.join(STATED)} are stated"
            )
        n1, r1, b1, n, r, b = self._stated()
        check_stages(n1, n)
        for key, value, most in (("r1", r1, n1 - 1), ("b1", b1, n1 + 1), ("r", r, n), ("b", b, n + 1)):
            if value > most:
                raise impossible(key, f"{key} = {value} must be at most {most}")
        if r1 > r:
            raise impossible("r1", f"r1 = {r1} cannot exceed r = {r}: stage 1 would ask more than the end")
        return self

    def _stated(self) -> tuple[int, int, int, int, int, int]:
        n1, r1, b1, n, r, b = (getattr(self, key) for key in STATED)
        return n1, r1, b1, n, r, b

    def held(self) -> dict[str, Any]:
        """With the level where toxicity is unacceptable."""
        return super().held() | {"alpha_toxicity": self.alpha_toxicity or self.alpha}

    def compile(self) -> Looks:
        """Two looks, each with a cut-off for toxicities too."""
        if self.n1 is not None:
            n1, r1, b1, n, r, b = self._stated()
            return two_way((n1, n), (r1, r), (None, r), (b1, b))
        return self.best()

    def candidates(self) -> Candidates:
        """The designs that a search finds, and whether it ended at its bound."""
        assert self.toxicity is not None
        found = search(self.target, self.toxicity, self.alpha_toxicity, odds_ratio=self.odds_ratio)
        return Candidates.of(self.criterion, found, self.nmax or SEARCH_LIMIT)


def p_go_and_en(looks: Looks, response: float, toxicity: float, odds_ratio: float) -> Sequence[float]:
    """P(go), EN and P(end before the planned n) of looks that only stop early, or go at the end; exact."""
    import numpy as np

    from trialsim.codes import FUTILE, NEVER
    from trialsim.kernels.two_endpoints import by_looks

    out = np.zeros(3)
    by_looks(
        np.array(patient(response, toxicity, odds_ratio)),
        np.array(looks.n),
        np.array([row.count(FUTILE) - 1 for row in looks.next]),
        np.array(looks.toxic_ge or (NEVER,) * len(looks.n)),
        out,
    )
    return [float(value) for value in out]


@dataclass(frozen=True)
class BryantDayDesign:
    """A design: stop after stage 1 if responses <= r1 or toxicities >= b1; go if responses > r and toxicities < b.

    ``type_i_response`` is P(go) where response is poor and toxicity acceptable, ``type_i_toxicity`` where response is
    good and toxicity unacceptable, ``power`` where both are good; ``en_*`` the expected n there, ``en_neither`` where
    both are bad. ``weights`` as for Simon's designs, with the larger EN of the two nulls.
    """

    n1: int
    r1: int
    b1: int
    n: int
    r: int
    b: int
    type_i_response: float
    type_i_toxicity: float
    power: float
    en_poor_response: float
    en_toxic: float
    en_good: float
    en_neither: float
    weights: tuple[float, float] | None = None

    @property
    def en_p0(self) -> float:
        """The larger EN of the two nulls, under the name that tables of designs have for it."""
        return self.en

    @property
    def en(self) -> float:
        """The larger EN of the two nulls: what is least for the optimal design."""
        return max(self.en_poor_response, self.en_toxic)

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return two_way((self.n1, self.n), (self.r1, self.r), (None, self.r), (self.b1, self.b))

    def __str__(self) -> str:
        """Responses and toxicities of each stage."""
        return f"stop <= {self.r1} or >= {self.b1} toxic /{self.n1}, go > {self.r} and < {self.b} toxic /{self.n}"


def patient(response: float, toxicity: float, odds_ratio: float) -> tuple[float, float, float, float]:
    """P(no response, toxic), P(no response, free), P(response, toxic), P(response, free of toxicity): Plackett."""
    s = 1 + (response + toxicity) * (odds_ratio - 1)
    root = math.sqrt(s * s - 4 * odds_ratio * (odds_ratio - 1) * response * toxicity)
    both = 2 * odds_ratio * response * toxicity / (s + root)
    return toxicity - both, 1 - response - toxicity + both, both, response - both


def patient_is(response: Fraction, toxicity: Fraction, odds_ratio: Fraction) -> tuple[Fraction, ...] | None:
    """The same as fractions; None where they are none."""
    s = 1 + (response + toxicity) * (odds_ratio - 1)
    root = raised(s * s - 4 * odds_ratio * (odds_ratio - 1) * response * toxicity, Fraction(1, 2))
    if root is None:
        return None
    both = 2 * odds_ratio * response * toxicity / (s + root)
    return toxicity - both, 1 - response - toxicity + both, both, response - both


def search(
    target: Target,
    toxicity: tuple[float, float],
    alpha_toxicity: float | None = None,
    *,
    odds_ratio: float = 1.0,
) -> Front[BryantDayDesign]:
    """Optimal, minimax and every admissible design among all n1 < n and all cut-offs, for one odds ratio.

    Args:
        target: rates and type I error of the response; without nmax the search ends when no larger n can be better, or
            at SEARCH_LIMIT.
        toxicity: unacceptable and acceptable toxicity rate.
        alpha_toxicity: largest P(go) where toxicity is unacceptable (default: alpha).
        odds_ratio: association of response and toxicity, the same under every hypothesis.

    Raises:
        DesignError: no design within nmax.
    """
    from trialsim.kernels import two_endpoints

    (r0, r1), (t0, t1) = target.rates, toxicity
    cells = [patient(r, t, odds_ratio) for r, t in ((r0, t1), (r1, t0), (r1, t1))]
    errors = target.alpha, alpha_toxicity or target.alpha, 1 - target.beta
    limit = target.nmax or SEARCH_LIMIT
    exact = _Exactly(target, toxicity, errors[1], odds_ratio)

    def up_to(nmax: int) -> tuple[list[BryantDayDesign], bool]:
        rows, complete = settled(
            lambda book: two_endpoints.search(cells, errors, nmax, book),
            two_endpoints.COLUMNS, exact.decide,
        )  # fmt: skip
        found = (
            characteristics(tuple(map(int, row[:6])), target.rates, toxicity, odds_ratio) for row in rows
        )
        powers = (lambda d: d.power), exact.power
        return best_by_value(found, lambda d: d.n, ((lambda d: d.en), exact.en), powers), complete

    designs, complete = widening(up_to, 40, limit)
    if not designs:
        raise NoDesign(
            f"no design with n <= {limit} keeps both alphas and beta for response {r0:g} and {r1:g}, "
            f"toxicity {t0:g} and {t1:g}"
        )
    return Front.of(designs, [(design.n, design.en) for design in designs], complete, exact.en)


class _Exactly:
    """P(go) and EN as fractions; with an association the four probabilities of a patient are taken to 60 decimals."""

    def __init__(
        self, target: Target, toxicity: tuple[float, float], alpha_toxicity: float, odds_ratio: float
    ) -> None:
        (r0, r1), (t0, t1) = target.rates, toxicity
        self.cells = [_patient_exactly(r, t, odds_ratio) for r, t in ((r0, t1), (r1, t0), (r1, t1))]
        self.limits = [decimal(target.alpha), decimal(alpha_toxicity), 1 - decimal(target.beta)]
        self.slack = Fraction(0) if odds_ratio == 1 else Fraction(1, 10**40)

    def decide(self, what: int, cuts: tuple[int, ...]) -> bool:
        """Whether a design keeps one of the alphas, or the power."""
        from trialsim.kernels.doubts import LEVEL, POWER

        if what == POWER:
            return self.p_go(cuts, 2) >= self.limits[2] - self.slack
        which = 0 if what == LEVEL else 1
        return self.p_go(cuts, which) <= self.limits[which] + self.slack

    def p_go(self, cuts: tuple[int, ...], which: int) -> Fraction:
        """P(go) of n1, n and the least responses and patients free of toxicity of each stage."""
        n1, n, a, b, c, d = cuts
        total = Fraction(0)
        later = _joint(n - n1, self.cells[which])
        for (x, y), mass in _joint(n1, self.cells[which]).items():
            if x >= a and y >= b:
                total += mass * sum(p for (u, v), p in later.items() if x + u >= c and y + v >= d)
        return total

    def power(self, design: BryantDayDesign) -> Fraction:
        """P(go) where both are good."""
        d = design
        return self.p_go((d.n1, d.n, d.r1 + 1, d.n1 - d.b1 + 1, d.r + 1, d.n - d.b + 1), 2)

    def en(self, design: BryantDayDesign) -> Fraction:
        """The larger EN of the two nulls."""
        d = design
        on: Fraction = max(
            sum((p for (x, y), p in _joint(d.n1, cells).items() if x > d.r1 and y > d.n1 - d.b1), Fraction(0))
            for cells in self.cells[:2]
        )
        return d.n1 + on * (d.n - d.n1)


@lru_cache(maxsize=32)
def _joint(n: int, cells: tuple[Fraction, ...]) -> dict[tuple[int, int], Fraction]:
    """P(responses, patients free of toxicity) of n patients; ``cells`` as ``patient``."""
    law = {(0, 0): Fraction(1)}
    for _ in range(n):
        grown: dict[tuple[int, int], Fraction] = {}
        for (x, y), mass in law.items():
            for (u, v), p in zip(((0, 0), (0, 1), (1, 0), (1, 1)), cells, strict=True):
                grown[x + u, y + v] = grown.get((x + u, y + v), Fraction(0)) + mass * p
        law = grown
    return law


def _patient_exactly(response: float, toxicity: float, odds_ratio: float) -> tuple[Fraction, ...]:
    """``patient`` as fractions."""
    r, t, ratio = decimal(response), decimal(toxicity), decimal(odds_ratio)
    s = 1 + (r + t) * (ratio - 1)
    square = s * s - 4 * ratio * (ratio - 1) * r * t
    root = Fraction(math.isqrt(square.numerator * square.denominator * 10**120), square.denominator * 10**60)
    both = 2 * ratio * r * t / (s + root)
    return t - both, 1 - r - t + both, both, r - both


def characteristics(
    cuts: Sequence[int],
    response: tuple[float, float],
    toxicity: tuple[float, float],
    odds_ratio: float = 1.0,
) -> BryantDayDesign:
    """A design and its OCs; ``cuts`` are n1, n and the least responses and patients without toxicity of each stage."""
    import numpy as np

    from trialsim.kernels.two_endpoints import joint

    n1, n, responses_1, free_1, responses, free = cuts
    (r0, r1), (t0, t1) = response, toxicity
    go, en = [], []
    for rates in ((r0, t1), (r1, t0), (r1, t1), (r0, t0)):
        pmf, tail = joint(np.array(patient(*rates, odds_ratio)), max(n1, n - n1))
        first = pmf[n1, responses_1 : n1 + 1, free_1 : n1 + 1]
        left = np.clip(responses - np.arange(responses_1, n1 + 1), 0, n - n1 + 1)
        right = np.clip(free - np.arange(free_1, n1 + 1), 0, n - n1 + 1)
        size = n - n1 + 2
        later = np.zeros((size, size))
        later[:-1, :-1] = tail[n - n1, : size - 1, : size - 1]
        go.append(float((first * later[np.ix_(left, right)]).sum()))
        en.append(n1 + float(first.sum()) * (n - n1))
    return BryantDayDesign(
        n1, responses_1 - 1, n1 - free_1 + 1, n, responses - 1, n - free + 1,
        go[0], go[1], go[2], en[0], en[1], en[2], en[3],
    )  # fmt: skip
