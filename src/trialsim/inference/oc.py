"""Operating characteristics of a design as it is stated, by itself and exact, over response rates."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.codes import CONSIDER
from trialsim.designs.ends import Ends, ends, spread
from trialsim.designs.nominal import Nominal, nominal
from trialsim.designs.rules import DECISION_WORDS, Looks
from trialsim.designs.spec import TESTS_NOTHING
from trialsim.designs.target import beta_of, doubtful
from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.inference.stated import Stated, stated
from trialsim.results import digits12
from trialsim.scenario.model import Scenario


@dataclass(frozen=True)
class AtRate:
    """What the design does at one response rate (and, where looks count toxicities, one toxicity rate).

    ``pet`` is the probability of ending before the planned n, of which ``p_stop_futility`` and ``p_go_early`` are
    parts; ``en``, ``sd_n`` and ``median_n`` are of the number of patients; ``ends`` has each end at each look.
    """

    p: float
    toxicity: float | None
    p_go: float
    p_consider: float
    p_no_go: float
    p_toxicity: float
    pet: float
    p_stop_futility: float
    p_go_early: float
    en: float
    sd_n: float
    median_n: int
    ends: tuple[Ends, ...]

    @classmethod
    def of(cls, looks: Looks, p: float, toxicity: float | None, odds_ratio: float) -> AtRate:
        """Worked out from every way to end."""
        found = ends(looks, p, toxicity or 0.0, odds_ratio)
        mean, sd, median = spread(found)
        go, consider, no_go, toxic = (sum(getattr(look, f"p_{end}") for look in found) for end in ENDS)
        early = [look for k, look in enumerate(found) if looks.ends_early(k)]
        pet, futility, go_early = (sum(getattr(e, part) for e in early) for part in ("p", "p_no_go", "p_go"))
        return cls(p, toxicity, go, consider, no_go, toxic, pet, futility, go_early, mean, sd, median, found)

    def row(self) -> dict[str, Any]:
        """The numbers without the ends by look."""
        return {key: value for key, value in vars(self).items() if key != "ends"}


ENDS = ("go", "consider", "no_go", "toxicity")
"""The ways to end, in the order of ``AtRate``."""


@dataclass(frozen=True, repr=False)
class StatedDesign(Answer):
    """The answer of `trialsim oc`.

    Attributes:
        design, looks: its short form (its kind where it has none), and its decisions.
        design_kind: the kind of its block; None where it was written in a few signs.
        p0, p1, nominal: as stated; nominal is None where neither alpha nor beta was.
        at: at p0 and p1, then at every other rate, each with every toxicity rate.
        odds_ratio: of response and toxicity, where looks count toxicities.
    """

    kind: ClassVar[str] = "oc"

    design: str
    design_kind: str | None
    looks: Looks
    p0: float | None
    p1: float | None
    nominal: Nominal | None
    at: tuple[AtRate, ...]
    odds_ratio: float = 1.0

    @property
    def called(self) -> str:
        """The design."""
        return self.design

    def __getitem__(self, p: float) -> AtRate:
        for found in self.at:
            if found.p == p:
                return found
        raise KeyError(f"{p} is not among the rates {', '.join(f'{each.p:g}' for each in self.at)}")

    @property
    def tests(self) -> bool:
        """Whether P(go) at p0 and p1 is a type I error and a power: not where toxicity counts, or nothing is tested."""
        return not self.watches_toxicity and self.design_kind not in TESTS_NOTHING

    @property
    def watches_toxicity(self) -> bool:
        """Whether looks count toxicities."""
        return self.looks.too_toxic > 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a rate."""
        return (found.row() for found in self.at)

    def tables(self) -> dict[str, Iterator[dict[str, Any]]]:
        """``oc``, a row a rate; ``ends``, a row a rate and look."""
        by_look = (
            {"p": found.p, "toxicity": found.toxicity, **asdict(look)}
            for found in self.at
            for look in found.ends
        )
        return {"oc": self.rows(), "ends": by_look}

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        looks = [
            {
                "n": n,
                "responses_from": low,
                "responses_to": high,
                "decision": DECISION_WORDS.get(d) or self.looks.n[d],
            }
            for k, n in enumerate(self.looks.n)
            for low, high, d in self.looks.ranges(k)
        ]
        rates = [
            {**each.row(), "ends": [{**asdict(look), "p_any": look.p} for look in each.ends]}
            for each in self.at
        ]
        found: dict[str, Any] = digits12(
            {
                "design": self.design,
                "design_kind": self.design_kind,
                "n": self.looks.planned_n,
                "looks": looks,
                "p0": self.p0,
                "p1": self.p1,
                "type_i_error": self[self.p0].p_go if self.tests and self.p0 is not None else None,
                "power": self[self.p1].p_go if self.tests and self.p1 is not None else None,
                "nominal": None if self.nominal is None else asdict(self.nominal),
                "odds_ratio": self.odds_ratio if self.watches_toxicity else None,
                "rates": rates,
            }
        )
        return found


@takes
def oc(
    design: str | os.PathLike[str] | Mapping[str, Any] | Scenario,
    *,
    p0: float | None = None,
    p1: float | None = None,
    rates: Sequence[float] | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    power: float | None = None,
    toxicity: Sequence[float] | None = None,
) -> StatedDesign:
    """What a stated design does by itself: type I error, power, PET, EN and every end by look, exact.

    Every patient is evaluable and there is no other rule than the looks.

    Args:
        design: ``"1/10 5/29"``, ``"5/25"``, ``"0/6 2/17 5/29"``, ``"0:3/13 5/24"`` (early go), ``"-/14 14/44"`` (no
            stop); a block of any kind, ``{"kind": "gehan", ...}``; the path of a scenario or of a file with a block; a
            scenario.
        p0: Unacceptable response rate (default: the block's).
        p1: Desirable response rate (default: the block's).
        rates: Further response rates (default: every 5% up to p1 + (p1 - p0)).
        alpha: Nominal type I error, held against the one attained (default: the block's).
        beta: Nominal type II error, likewise.
        power: Nominal power, in place of beta.
        toxicity: Toxicity rates, for a design whose looks count toxicities (default: its block's; else nobody has any).

    Returns:
        The answer: ``found[0.1].p_go``, ``.to_frame()``, ``.to_dict()``; printed as the command prints it.

    Raises:
        DesignError: the design cannot be read or is impossible, or a rate is none.

    Examples:
        >>> import trialsim
        >>> found = trialsim.oc("1/10 5/29", p0=0.1, p1=0.3)
        >>> round(found[0.1].p_go, 4), round(found[0.3].p_go, 4), round(found[0.1].en, 2)
        (0.0471, 0.8051, 15.01)
    """
    if power is not None:
        _check("power", power)
        beta = beta_of(power, beta)
    read = stated(design, p0=p0, p1=p1, alpha=alpha, beta=beta)
    p0, p1 = (read.get(name) if value is None else value for name, value in (("p0", p0), ("p1", p1)))
    alpha, beta = (
        _nominal(read, name) if value is None else value for name, value in (("alpha", alpha), ("beta", beta))
    )
    for name, value in (("p0", p0), ("p1", p1), ("alpha", alpha), ("beta", beta)):
        if value is not None:
            _check(name, value)
    if p0 is not None and p1 is not None and p1 <= p0:
        raise DesignError(f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}")
    if p0 is None and p1 is None and not rates:
        raise DesignError(
            "state p0 and p1 (--p0 .10 --p1 .30), or the response rates that are asked for (--rates .10,.20,.30)"
        )
    first = [p for p in (p0, p1) if p is not None]
    asked = dict.fromkeys([*first, *(_curve(p0, p1) if rates is None else rates)])
    toxic = _toxicity(read, toxicity)
    if read.looks.too_toxic and (alpha is not None or beta is not None):
        raise DesignError(
            "alpha, beta, power: the looks of this design count toxicities too, so it has no one type I error and no "
            "one power; P(go) is told at every pair of response and toxicity rates"
        )
    for name, values in (("rates", asked), ("toxicity", toxic)):
        for value in values:
            if value is not None and not 0 <= value <= 1:
                raise DesignError(f"{name}: {value:g} must lie between 0 and 1 (a rate, not a percentage)")
    odds_ratio = read.get("odds_ratio") or 1.0
    return StatedDesign(
        read.name,
        getattr(read.spec, "kind", None),
        read.looks,
        p0,
        p1,
        None if alpha is None and beta is None else nominal(read.looks, p0, p1, alpha, beta),
        tuple(AtRate.of(read.looks, p, t, odds_ratio) for p in asked for t in toxic),
        odds_ratio,
    )


def _check(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise DesignError(f"{name} = {value:g} must lie between 0 and 1 (a rate, not a percentage)")
    if asked := doubtful(name, value):
        raise DesignError(asked)


def _nominal(read: Stated, name: str) -> Any:
    """The block's error rate, where it limits P(go) at p0 or p1: a boundary may come from it, or other limits be meant.

    Looks that count toxicities have a limit at every pair of rates; of three outcomes beta limits P(no go) at p1.
    """
    if not hasattr(read.spec, "is_searched") or read.looks.too_toxic:
        return None
    three = any(CONSIDER in row for row in read.looks.next)
    return None if three and name == "beta" else read.get(name)


def _curve(p0: float | None, p1: float | None) -> list[float]:
    """Every 5% from 5% to beyond p1 as far as p1 is beyond p0."""
    low, high = (p if p is not None else q for p, q in ((p0, p1), (p1, p0)))
    assert low is not None and high is not None
    return [k / 100 for k in range(5, 100, 5) if k / 100 <= max(2 * high - low, high + 0.1) + 1e-9]


def _toxicity(read: Stated, toxicity: Sequence[float] | None) -> Sequence[float | None]:
    """The toxicity rates to look at; one None for a design that counts none."""
    if not read.looks.too_toxic:
        if toxicity:
            raise DesignError("toxicity: no look of this design counts toxicities")
        return (None,)
    return tuple(toxicity or read.get("toxicity") or (0.0,))
