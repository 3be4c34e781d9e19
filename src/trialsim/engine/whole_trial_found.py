"""What a robust search found: designs, what the ideal ones would really do, and the words for both."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from trialsim.designs.finding import FoundDesigns
from trialsim.designs.rules import Looks, two_way
from trialsim.results import digits12, to_frame

if TYPE_CHECKING:
    import pandas as pd

WIDE = 110


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
class RobustDesigns:
    """The designs of a robust search, and what they and the ideal ones do in each case.

    ``searched`` is the range of n that was searched completely; ``stopped`` says why it ended before the n asked for.
    ``best_by_n`` has the least EN of every n that works. Where there is no design ``why_none`` says why, and
    ``most_power`` comes nearest.
    """

    scenario: str
    kind: str
    setting: Mapping[str, float]
    null: tuple[str, ...]
    alternative: tuple[str, ...]
    searched: tuple[int, int]
    stopped: str = ""
    ideal: FoundDesigns | None = None
    designs: tuple[Robust, ...] = ()
    most_power: Robust | None = None
    why_none: str = ""
    attained: tuple[Attained, ...] = ()
    best_by_n: tuple[Robust, ...] = field(default=(), repr=False)

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
        return "single-stage design" if self.kind == "single_stage" else "two-stage design"

    @property
    def note(self) -> str:
        """How far the search went, and what lies beyond."""
        low, high = self.searched
        beyond = "the least EN is that of these n; a larger n may have less"
        if self.kind == "single_stage":
            beyond = "`stable` speaks of these n"
        if not self.designs:
            beyond = ""
        return "; ".join(
            filter(None, [f"searched completely from n = {low} to n = {high}", self.stopped or beyond])
        )

    def role(self, case: str) -> str:
        """null, alternative, or neither ("")."""
        return "null" if case in self.null else "alternative" if case in self.alternative else ""

    def to_frame(self) -> pd.DataFrame:
        """What every design does: one row a design and case."""
        return to_frame([asdict(row) for row in self.attained])

    def to_dict(self) -> dict[str, Any]:
        """Everything but the best of each n, floats to 12 digits."""
        nearest = self.most_power
        found: dict[str, Any] = {
            "scenario": self.scenario,
            "kind": self.kind,
            "setting": dict(self.setting),
            "null": list(self.null),
            "alternative": list(self.alternative),
            "searched": list(self.searched),
            "note": self.note,
            "designs": [_row(design) for design in self.designs],
            "ideal": self.ideal.to_dict()["designs"] if self.ideal else [],
            "attained": [asdict(row) for row in self.attained],
        }
        if self.why_none:
            found |= {"why_none": self.why_none, "most_power": _row(nearest) if nearest else None}
        return dict(digits12(found))

    def __str__(self) -> str:
        setting = self.setting
        asked = (
            f"P(go) <= {setting['alpha']:g} in {', '.join(self.null)}; P(go) >= {1 - setting['beta']:g} in "
            f"{', '.join(self.alternative)}"
        )
        how = (
            "exact, in the scenario's own trial: its dose reduction, toxicity rule, evaluability and association; "
            "every outcome known before the next patient (calendar time does not enter)"
        )
        lines = [f"{self.words.capitalize()}s for: {self.scenario}", *_wrapped(asked), *_wrapped(how), ""]
        lines += self._designs() if self.designs else _wrapped(self.why_none)
        lines += ["", *self._table(), "", *_wrapped(self._legend()), *_wrapped(self.note)]
        return "\n".join(lines)

    def _designs(self) -> list[str]:
        first = self.null[0]
        wide = max(len(str(design)) for design in self.designs) + 2
        lines = [
            f"{'criterion':<12}{'design':<{wide}}{'EN':>8}{'alpha':>9}{'power':>9}   best for weight of n"
        ]
        if self.designs[0].weights is None:
            lines = [lines[0].rpartition("   best")[0]]
        for d in self.designs:
            weights = f"   {d.weights[0]:.3f} to {d.weights[1]:.3f}" if d.weights else ""
            lines.append(
                f"{d.criterion:<12}{d!s:<{wide}}{d.en:>8.2f}{d.type_i_error:>9.4f}{d.power:>9.4f}{weights}"
            )
        return [
            *lines,
            f"EN under {first}; alpha: largest P(go) over null cases; power: least over alternatives",
        ]

    def _table(self) -> list[str]:
        names = max([len("most power"), *(len(row.label) for row in self.attained)]) + 2
        wide = max([len("design"), *(len(row.design) for row in self.attained)]) + 2
        cases = max([len("case"), *(len(row.case) for row in self.attained)]) + 2
        lines = [
            f"{'what it does':<{names}}{'design':<{wide}}{'case':<{cases}}{'nominal':>8}{'P(go)':>9}{'EN':>8}{'PET':>8}"
            f"{'P(tox stop)':>13}"
        ]
        before = ""
        for row in self.attained:
            head = (row.label, row.design) if row.label + row.design != before else ("", "")
            before = row.label + row.design
            nominal = f"{row.nominal:.4f}" if row.nominal is not None else ""
            lines.append(
                f"{head[0]:<{names}}{head[1]:<{wide}}{row.case:<{cases}}{nominal:>8}{row.p_go:>9.4f}{row.en:>8.2f}"
                f"{row.pet:>8.4f}{row.p_stop_toxicity:>13.4f}"
            )
        return lines

    def _legend(self) -> str:
        written = "r/n: go if responses > r"
        if self.kind == "simon":
            written = "r1/n1 r/n: stop stage 1 if responses <= r1; go if responses > r"
        return (
            f"Written {written}. Ideal designs are found as if every patient were evaluable and toxicity stopped "
            f"nothing; nominal is the P(go) they promise at p0 = {self.setting['p0']:g} and p1 = "
            f"{self.setting['p1']:g}."
        )


def _row(design: Robust) -> dict[str, Any]:
    row = asdict(design) | {"design": str(design)}
    low, high = row.pop("weights") or (None, None)
    return row | {"weight_low": low, "weight_high": high}


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDE, subsequent_indent="  ")
