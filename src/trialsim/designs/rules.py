"""Rules: what the protocol does, as tables of integers that every engine runs without asking for the design.

Convention, everywhere: stop stage 1 if responses <= r1; go if responses > r; act on toxicity if toxicities >= b.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from trialsim.codes import CONSIDER, CONTINUE, FUTILE, GO, NEVER, NEW_DOSE_ONLY, POOLED, REDUCE, RESTART, STOP

DECISION_WORDS = {FUTILE: "futile", GO: "go", CONSIDER: "consider"}
ACTION_WORDS = {CONTINUE: "continue", REDUCE: "reduce", STOP: "stop"}


@dataclass(frozen=True)
class Looks:
    """When responses are looked at, and what each count leads to.

    Attributes:
        n: look k happens when ``n[k]`` patients (treated, or evaluable under ``Rules.replaced``) are known; increasing.
        next: ``next[k][x]`` for x = 0..n[k] responses: FUTILE, GO, the index of a later look, or (only where no count
            leads to a later look) CONSIDER.
        toxic_ge: ``toxic_ge[k]``: whatever the responses, stop for toxicity when the toxicities among the same n[k]
            patients, at whichever dose, reach it (NEVER where look k does not ask); empty where no look does.
    """

    n: tuple[int, ...]
    next: tuple[tuple[int, ...], ...]
    toxic_ge: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.n) != len(self.next) or not self.n:
            raise ValueError("one row of decisions a look")
        if any(a >= b for a, b in zip(self.n, self.n[1:], strict=False)) or self.n[0] < 1:
            raise ValueError("looks must be at increasing numbers of patients, the first at 1 or more")
        for k, (n, row) in enumerate(zip(self.n, self.next, strict=True)):
            if len(row) != n + 1:
                raise ValueError(
                    f"look {k} at {n} patients needs decisions for 0..{n} responses, not {len(row)}"
                )
            if any(not (k < d < len(self.n) or d in DECISION_WORDS) for d in row):
                raise ValueError(f"look {k}: a decision is futile, go, consider or a later look")
            if CONSIDER in row and not self.is_final(k):
                raise ValueError(
                    f"look {k}: `consider` is a decision of a final look, not of an interim look"
                )
        if self.toxic_ge and len(self.toxic_ge) != len(self.n):
            raise ValueError("one cut-off for toxicities a look")
        for k, b in enumerate(self.toxic_ge):
            if b != NEVER and not 1 <= b <= self.n[k]:
                raise ValueError(f"look {k}: toxicities reach a cut-off from 1 to {self.n[k]}, or never")

    @property
    def planned_n(self) -> int:
        """The planned total number of patients."""
        return self.n[-1]

    @cached_property
    def saturation(self) -> int:
        """Smallest s such that s or more responses lead to the same decision at every look from then on."""
        s = 0
        for row in self.next:
            last_change = max((x for x in range(1, len(row)) if row[x] != row[x - 1]), default=0)
            s = max(s, last_change)
        return s

    @property
    def too_toxic(self) -> int:
        """The largest number of toxicities that a look asks for; 0 where none does."""
        return max((b for b in self.toxic_ge if b < NEVER), default=0)

    def is_final(self, k: int) -> bool:
        """Whether look k always ends the trial (no count leads to a later look)."""
        return all(d < 0 for d in self.next[k])

    def ends_early(self, k: int) -> bool:
        """Whether an end at look k comes before what is planned: it could have led on, or nothing leads to the last.

        A look that may end in `consider` is a final look wherever it stands.
        """
        if k == len(self.n) - 1 or CONSIDER in self.next[k]:
            return False
        return not (self.is_final(k) and self._last_is_reached)

    @cached_property
    def _last_is_reached(self) -> bool:
        """Whether some counts lead to the last look."""
        reached = {0}
        for k, row in enumerate(self.next):
            if k in reached:
                reached.update(row)
        return len(self.n) - 1 in reached

    def ranges(self, k: int) -> Iterator[tuple[int, int, int]]:
        """The row of look k as (from, to, decision) runs of response counts, both ends included."""
        row = self.next[k]
        start = 0
        for x in range(1, len(row) + 1):
            if x == len(row) or row[x] != row[start]:
                yield start, x - 1, row[start]
                start = x


@dataclass(frozen=True)
class Monitor:
    """Toxicity monitoring, a row per dose level.

    Attributes:
        act_ge: ``act_ge[level][m]``: act when the toxicities among the first m patients at the level reach it
            (index 0 unused; NEVER where there is no action). Rows cover ``Rules.max_treated`` patients.
        at_enrolled: leave the level after this many patients of the whole trial whatever was seen; 0 = never.
        action: REDUCE (later patients start one level lower), STOP, or CONTINUE (a boundary that is only watched).
        stop_ge: at a level that reduces, toxicities from which the trial stops instead, ``act_ge`` or more (several
            rules with actions of their own); not read at other levels, and empty where no level needs it.
    """

    act_ge: tuple[tuple[int, ...], ...]
    at_enrolled: tuple[int, ...]
    action: tuple[int, ...]
    stop_ge: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if not len(self.act_ge) == len(self.at_enrolled) == len(self.action) >= 1:
            raise ValueError("one boundary, one amendment patient and one action a dose level")
        if self.action[-1] == REDUCE or self.at_enrolled[-1]:
            raise ValueError("there is no dose below the last level")
        if self.stop_ge and [len(row) for row in self.stop_ge] != [len(row) for row in self.act_ge]:
            raise ValueError("the boundaries of stopping and of acting cover the same patients")
        for act, stop in zip(self.act_ge, self.stop_ge, strict=False):
            if any(s < a for a, s in zip(act, stop, strict=True)):
                raise ValueError("a count that stops the trial is one at which the boundary acts")

    def stops_from(self, level: int) -> tuple[int, ...]:
        """Toxicities among the first m = 0, 1, ... patients at a level that stop the trial; NEVER where none do."""
        if self.action[level] == STOP:
            return self.act_ge[level]
        if self.action[level] == REDUCE and self.stop_ge:
            return self.stop_ge[level]
        return (NEVER,) * len(self.act_ge[level])

    def stops(self, level: int) -> bool:
        """Whether toxicities at a level can stop the trial."""
        return any(b <= m for m, b in enumerate(self.stops_from(level)) if m)

    @cached_property
    def saturation(self) -> int:
        """Toxicities at a level beyond which the boundary no longer tells counts apart."""
        rows = (*self.act_ge, *self.stop_ge)
        return max((b for row in rows for b in row[1:] if b < NEVER), default=0)

    @property
    def may_stop(self) -> bool:
        """Whether a boundary, if it is reached, stops the trial at some level."""
        return STOP in self.action or bool(self.stop_ge)

    def steps(self, level: int) -> list[tuple[int, int]]:
        """The boundary as (m, b) pairs where b changes, only for m at which b toxicities are possible."""
        return self._steps(self.act_ge[level])

    def stop_steps(self, level: int) -> list[tuple[int, int]]:
        """The same of the boundary that stops the trial at a level that otherwise reduces; empty elsewhere."""
        both = self.action[level] == REDUCE and bool(self.stop_ge)
        return self._steps(self.stop_ge[level]) if both else []

    @staticmethod
    def _steps(row: tuple[int, ...]) -> list[tuple[int, int]]:
        steps: list[tuple[int, int]] = []
        for m in range(1, len(row)):
            reachable = row[m] if row[m] <= m else NEVER
            if reachable != (steps[-1][1] if steps else NEVER):
                steps.append((m, reachable))
        return steps


@dataclass(frozen=True)
class Randomise:
    """Allocation between the first two dose levels, from the first patient on who would have had the lower one.

    Attributes:
        how: ALTERNATE (the lower dose first), BLOCKS or COIN; or FROM_START: both doses from the first patient on, each
            with looks of its own (``per_dose`` then says nothing).
        lower, higher: the ratio; of so many patients so many get the dose.
        per_dose: allocation ends when each dose has so many patients since then (0: at the planned n); a dose that has
            them first waits for the other, and afterwards everybody gets the lower one.
    """

    how: int
    lower: int = 1
    higher: int = 1
    per_dose: int = 0


@dataclass(frozen=True)
class Rules:
    """A compiled protocol.

    Attributes:
        looks, monitor: the two tables.
        replaced: looks count evaluable patients and accrual goes on until there are enough (else looks count
            treated patients, and an inevaluable one is a non-response).
        max_treated: the trial ends, without a go, when this many patients were treated (under RESTART: at one dose);
            equals the planned n unless inevaluable patients are replaced.
        on_dose_change: from the first patient at a lower dose on, looks go on with the patients of all doses (POOLED);
            or begin again (RESTART); or there is only a verdict at the planned n, on the patients at the last dose
            (NEW_DOSE_ONLY, never with replacement).
        attained_ge: ``attained_ge[m]``: least responses for a go when m patients are analysed instead of the planned
            n (NEVER where no count suffices); required under NEW_DOSE_ONLY.
        randomise: how patients are allocated once the first dose was left; None: all get the next one.
        each: the rules of each cohort, where cohorts that share nothing have designs of their own; ``looks`` and
            ``monitor`` are then those of a cohort without one, and ``max_treated`` is of all together.
    """

    looks: Looks
    monitor: Monitor
    replaced: bool
    max_treated: int
    on_dose_change: int = POOLED
    attained_ge: tuple[int, ...] = ()
    randomise: Randomise | None = None
    each: tuple[Rules, ...] = ()

    def __post_init__(self) -> None:
        if self.max_treated < self.looks.planned_n:
            raise ValueError("a trial cannot end before its planned n")
        if any(len(row) != self.max_treated + 1 for row in self.monitor.act_ge):
            raise ValueError("the toxicity boundary must cover every patient that can be treated")
        if self.on_dose_change not in (POOLED, NEW_DOSE_ONLY, RESTART):
            raise ValueError(
                "after a dose change the analysis is pooled, of the new dose only, or begins again"
            )
        if self.on_dose_change == NEW_DOSE_ONLY and self.replaced:
            raise ValueError("patients cannot be replaced where only those at the new dose are analysed")
        if self.looks.too_toxic and self.replaced:
            raise ValueError(
                "patients cannot be replaced where looks count toxicities, which are of the treated"
            )
        if self.looks.too_toxic and self.on_dose_change == NEW_DOSE_ONLY:
            raise ValueError("the verdict on the new dose alone has no cut-off for toxicities")
        if (self.attained_ge or self.on_dose_change == NEW_DOSE_ONLY) and (
            len(self.attained_ge) != self.looks.planned_n + 1 or min(self.attained_ge) < 0
        ):
            raise ValueError(
                f"the least responses for a go must be stated for 0..{self.looks.planned_n} patients"
            )

    @property
    def levels(self) -> int:
        """Number of dose levels, K."""
        return len(self.monitor.action)

    def changed(self, change: Callable[[Rules], Rules]) -> Rules:
        """The rules with a change made to them, and to those of every cohort."""
        return replace(change(self), each=tuple(map(change, self.each)))

    @property
    def most_treated(self) -> int:
        """The largest number of patients a trial can treat, all dose levels together."""
        return self.max_treated * (self.levels if self.on_dose_change == RESTART else 1)

    @property
    def saturation(self) -> int:
        """A number of responses from which on more of them change no decision."""
        if self.on_dose_change != NEW_DOSE_ONLY:
            return self.looks.saturation
        reachable = [x for m, x in enumerate(self.attained_ge) if x <= m]
        return max([self.looks.saturation, *reachable])


def two_way(
    n: tuple[int, ...],
    stop_le: tuple[int, ...],
    go_gt: tuple[int | None, ...],
    toxic_ge: tuple[int, ...] = (),
) -> Looks:
    """Looks from cut-offs: at look k stop if responses <= stop_le[k], go if responses > go_gt[k] (None: no go).

    ``toxic_ge[k]``: stop for toxicity at so many toxicities; a number that n[k] patients cannot have is NEVER.
    """
    last = len(n) - 1
    rows = []
    for k, (size, low, high) in enumerate(zip(n, stop_le, go_gt, strict=True)):
        go_above = size if high is None else high
        onward = FUTILE if k == last else k + 1
        rows.append(tuple(FUTILE if x <= low else GO if x > go_above else onward for x in range(size + 1)))
    return Looks(
        n, tuple(rows), tuple(b if b <= size else NEVER for b, size in zip(toxic_ge, n, strict=False))
    )


@dataclass(frozen=True)
class CutOffs:
    """A design in the field's short form; ``n1`` and ``r1`` are None for a single stage."""

    n: int
    r: int
    n1: int | None = None
    r1: int | None = None

    def __str__(self) -> str:
        """``r1/n1, r/n``."""
        end = f"{self.r}/{self.n}"
        return end if self.n1 is None else f"{self.r1}/{self.n1}, {end}"


def cut_offs(looks: Looks) -> CutOffs | None:
    """The short form of a one- or two-stage table that stops early only for futility; None for any other table."""
    first, last = looks.next[0], looks.next[-1]
    r = last.count(FUTILE) - 1
    if len(looks.n) > 2 or r < 0 or last != (FUTILE,) * (r + 1) + (GO,) * (looks.n[-1] - r):
        return None
    if len(looks.n) == 1:
        return CutOffs(looks.n[0], r)
    r1 = first.count(FUTILE) - 1
    if r1 < 0 or first != (FUTILE,) * (r1 + 1) + (1,) * (looks.n[0] - r1):
        return None
    return CutOffs(looks.n[1], r, looks.n[0], r1)
