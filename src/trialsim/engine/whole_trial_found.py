"""What a robust search found: designs, and what the ideal ones would really do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.designs.finding import FoundDesigns, held_words
from trialsim.designs.rules import Looks, two_way
from trialsim.results import Estimate, digits12

ROOM = (-0.02, 0.1)
"""Where no design keeps alpha and power at once: by how much calendar time may yet lower P(go) of a null case, and
raise that of an alternative. What is found with so much room is simulated, which gives the amount."""


@dataclass(frozen=True)
class Robust:
    """One design; ``r1`` and ``n1`` are None for a single stage.

    ``type_i_error`` is the largest P(go) over the null cases, ``power`` the least over the alternatives, ``en`` the
    expected patients treated under the first null case (or as the design's block weighs it). ``weights`` is the range
    of w for which the design minimises w n + (1 - w) EN.
    """

    criterion: str
    r1: int | None
    n1: int | None
    r: int
    n: int
    en: float
    type_i_error: float
    power: float
    weights: tuple[float, float] | None = None

    def looks(self) -> Looks:
        """The design as Rules take it."""
        if self.r1 is None or self.n1 is None:
            return two_way((self.n,), (self.r,), (self.r,))
        return two_way((self.n1, self.n), (self.r1, self.r), (None, self.r))

    def __str__(self) -> str:
        end = f"{self.r}/{self.n}"
        return end if self.n1 is None else f"{self.r1}/{self.n1} {end}"


@dataclass(frozen=True)
class Attained:
    """What one design does in one case of the scenario, toxicity rule and all.

    ``nominal`` is the error rate or power that an ideal design promises for a case of this role, None elsewhere.
    """

    label: str
    design: str
    case: str
    role: str
    nominal: float | None
    p_go: float
    en: float
    pet: float
    p_stop_toxicity: float
    p_dose_reduced: float


@dataclass(frozen=True)
class InCalendarTime:
    """What one design does in calendar time in one case: P(go) with every outcome known at once (exact), then P(go),
    expected patients and months in calendar time with their errors. ``role``: null or alternative."""

    case: str
    role: str
    at_once: float
    p_go: Estimate
    en: Estimate
    months: Estimate


@dataclass(frozen=True)
class Dated:
    """A search in calendar time.

    Attributes:
        designs: by criterion, what the design found does in each case that was asked for.
        replicates: simulated trials a case of these; ``screened``: of each of the ``looked_at`` designs before.
        seed: of the simulations.
        rounds: exact searches with alpha and power moved by what calendar time does; ``settled``: whether no
            design put forward or kept gives another amount to search with.
    """

    designs: Mapping[str, tuple[InCalendarTime, ...]]
    replicates: int
    screened: int
    looked_at: int
    seed: int
    rounds: int
    settled: bool


@dataclass(frozen=True, repr=False)
class RobustDesigns(Answer):
    """The designs of a robust search, and what they and the ideal ones do in each case.

    Attributes:
        null, alternative: the cases in which P(go) is bounded from above, and from below.
        searched: the range of n that was searched completely.
        stopped: why it ended before the n asked for.
        held: what was not moved.
        ideal: the designs of the same search where every patient is evaluable and there is no other rule.
        designs, best_by_n: by criterion; and that of least EN of every n that works.
        why_none, most_power: where there is no design, why, and the one that comes nearest.
        attained: what each design does in each case, with every outcome known at once.
        dated: where the search was in calendar time, what the designs do there; ``designs`` then have its estimates.
    """

    kind: ClassVar[str] = "find"

    scenario: str
    design_kind: str
    setting: Mapping[str, float]
    null: tuple[str, ...]
    alternative: tuple[str, ...]
    searched: tuple[int, int]
    stopped: str = ""
    held: Mapping[str, Any] = field(default_factory=dict)
    ideal: FoundDesigns | None = None
    designs: tuple[Robust, ...] = ()
    most_power: Robust | None = None
    why_none: str = ""
    attained: tuple[Attained, ...] = ()
    best_by_n: tuple[Robust, ...] = field(default=(), repr=False)
    dated: Dated | None = None

    def __iter__(self) -> Iterator[Robust]:
        return iter(self.designs)

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, criterion: str) -> Robust:
        for design in self.designs:
            if design.criterion == criterion:
                return design
        raise KeyError(f"{criterion!r} was not found; found: {', '.join(d.criterion for d in self.designs)}")

    @property
    def words(self) -> str:
        """What is searched for."""
        return "single-stage design" if self.design_kind == "single_stage" else "two-stage design"

    @property
    def note(self) -> str:
        """How far the search went, and what lies beyond."""
        low, high = self.searched
        beyond = "the least EN is that of these n; a larger n may have less"
        if self.design_kind == "single_stage":
            beyond = "`stable` speaks of these n"
        if not self.designs or self.dated is not None:
            beyond = ""
        how = "searched completely" if self.dated is None else "each exact search was complete"
        return "; ".join(
            filter(
                None,
                [
                    f"{how} from n = {low} to n = {high}",
                    self.stopped or beyond,
                    held_words(self.held),
                ],
            )
        )

    def role(self, case: str) -> str:
        """null, alternative, or neither ("")."""
        return "null" if case in self.null else "alternative" if case in self.alternative else ""

    @property
    def called(self) -> str:
        """The name of the scenario."""
        return self.scenario

    def rows(self) -> Iterator[dict[str, Any]]:
        """What every design does: one row a design and case."""
        return map(asdict, self.attained)

    def tables(self) -> dict[str, Iterable[dict[str, Any]]]:
        """``designs`` that were found, what they and the ideal ones do (``attained``), and the ``best_by_n``."""
        made = {"designs": self.designs, "best_by_n": self.best_by_n}
        tables = {"attained": self.rows(), **{name: map(_row, found) for name, found in made.items()}}
        return tables | ({"calendar_time": self._dated_rows()} if self.dated else {})

    def _dated_rows(self) -> Iterator[dict[str, Any]]:
        """One row a design found and case: the estimates in calendar time."""
        for criterion, cases in self.dated.designs.items() if self.dated else ():
            for case in cases:
                row: dict[str, Any] = {
                    "criterion": criterion,
                    "design": str(self[criterion]),
                    "case": case.case,
                    "role": case.role,
                }
                row |= {"p_go_at_once": case.at_once}
                for name in ("p_go", "en", "months"):
                    found = getattr(case, name)
                    row |= {name: found.estimate, f"{name}_mcse": found.mcse}
                yield row

    def to_dict(self) -> dict[str, Any]:
        """Everything but the best of each n, floats to 12 digits."""
        nearest = self.most_power
        found: dict[str, Any] = {
            "scenario": self.scenario,
            "design_kind": self.design_kind,
            "setting": dict(self.setting),
            "null": list(self.null),
            "alternative": list(self.alternative),
            "searched": list(self.searched),
            "held": dict(self.held),
            "note": self.note,
            "designs": [_row(design) for design in self.designs],
            "ideal": self.ideal.to_dict()["designs"] if self.ideal else [],
            "attained": [asdict(row) for row in self.attained],
        }
        if self.dated is not None:
            found["calendar_time"] = asdict(self.dated)
        if self.why_none:
            found |= {"why_none": self.why_none, "most_power": _row(nearest) if nearest else None}
        return dict(digits12(found))


def _row(design: Robust) -> dict[str, Any]:
    row = asdict(design) | {"design": str(design)}
    low, high = row.pop("weights") or (None, None)
    return row | {"weight_low": low, "weight_high": high}
