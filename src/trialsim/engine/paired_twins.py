"""A trial and variants of it, each with its twin beside it: values and differences adjusted (``engine.controls``).

A twin is the same trial with every outcome known at once, whose means the exact chain knows. A value is adjusted as
that of a run is, to the same bits. A difference is a regression of its own, on the controls of both twins: the
difference of two adjusted values can hold more chance than the plain one does. Trials with one twin share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trialsim.engine.controls import Sums, adjusted, adjusted_difference, withheld
from trialsim.engine.paired import Together, against, estimates, moments, totals_of
from trialsim.engine.quantities import Paired, Side, unit
from trialsim.engine.tally import Tally
from trialsim.engine.trials import Key, fingerprint
from trialsim.engine.with_twin import FIXED
from trialsim.kernels.tables import Int64
from trialsim.quantities import is_probability
from trialsim.results import Adjusted

NONE = -1
"""In place of the number of a twin: there is none."""


@dataclass(frozen=True, eq=False)
class WithTwins:
    """One trial and others beside it, and the twins of those that have one.

    Attributes:
        twins: each once.
        of: of every trial, the one first, which of the twins is its own, or NONE.
    """

    together: Together
    twins: tuple[Side, ...]
    of: tuple[int, ...]

    @property
    def patients(self) -> int:
        """Largest number of patients all trials can treat together."""
        return self.together.patients + sum(side.trials.patients for side in self.twins)

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """What ``Together`` counts, and sums and products of quantities with controls (``TwinSums``).

        ``xT NAME``: sum of a quantity of a twin. ``A xT NAME``: sums of products of a quantity of A with the same one
        of a twin (0: it has none), and with each of FIXED there; A is a trial ``yK`` or a twin. ``yK apart NAME``,
        ``dK apart NAME``: replicates in which a quantity is not that of its twin (not 0, where it has none), and in
        which its difference from the one is not that of their twins.
        """
        sides = (self.together.one, *self.together.others)
        read = [side.paired(key, first, count) for side in sides]
        counts: dict[str, tuple[int, ...]] = {}
        for k, each in enumerate(read):
            counts |= moments(k, read[0], each)
        trials = [_Numbers.of(each, scaled=True) for each in read]
        twins = [_Numbers.of(side.paired(key, first, count)) for side in self.twins]
        for t, twin in enumerate(twins):
            totals = twin.values.sum(axis=1).tolist()
            counts |= {f"x{t} {name}": (total,) for name, total in zip(twin.names, totals, strict=True)}
        for k, t in self._trials_by_twin:
            counts |= _products(f"y{k} x{t}", trials[k], twins[t])
        for t, u in self._twins_by_twin:
            counts |= _products(f"x{t} x{u}", twins[t], twins[u])
        nothing = _Numbers.of({}, count=count)
        own = [twins[t] if t != NONE else nothing for t in self.of]
        for k, trial in enumerate(trials):
            for name, y in trial.rows:
                x = own[k].get(name)
                counts[f"y{k} apart {name}"] = (int(np.count_nonzero(y != x)),)
                if k and name in trials[0].places:
                    moved = (y - trials[0].get(name)) != (x - own[0].get(name))
                    counts[f"d{k} apart {name}"] = (int(np.count_nonzero(moved)),)
        return Tally(count, counts)

    @cached_property
    def _trials_by_twin(self) -> list[tuple[int, int]]:
        """Each trial with its own twin and with that of the one; the one with all."""
        pairs = [(k, t) for k in range(len(self.of)) for t in (self.of[k], self.of[0])]
        return _once([*pairs, *((0, t) for t in self.of)])

    @cached_property
    def _twins_by_twin(self) -> list[tuple[int, int]]:
        """Each twin with itself, and with that of the one both ways."""
        one = self.of[0]
        return _once([(t, u) for each in self.of for t, u in ((each, each), (one, each), (each, one))])


def beside(one: Side, others: Sequence[Side], twins: Sequence[Side | None]) -> Together | WithTwins:
    """A trial and others, with their twins (the one's first) where any has one; equal twins are simulated once."""
    together = Together(one, tuple(others))
    places: dict[str, int] = {}
    kept: list[Side] = []
    of: list[int] = []
    for twin in twins:
        if twin is None:
            of.append(NONE)
            continue
        mark = fingerprint(Together(twin, ()))
        if mark not in places:
            places[mark] = len(kept)
            kept.append(twin)
        of.append(places[mark])
    return WithTwins(together, tuple(kept), tuple(of)) if kept else together


@dataclass(frozen=True, eq=False)
class _Numbers:
    """(Q, count) quantities that are means over all replicates, and (FIXED, count) those that go with all."""

    names: tuple[str, ...]
    places: Mapping[str, int]
    values: Int64
    fixed: Int64

    @classmethod
    def of(cls, read: Mapping[str, Paired], *, scaled: bool = False, count: int = 0) -> _Numbers:
        """From what is read of a side; quantities in other units than 1 only of trials (``scaled``)."""
        kept = {
            name: each.values
            for name, each in read.items()
            if each.among is None and (scaled or unit(name) == 1)
        }
        count = len(next(iter(kept.values()))) if kept else count
        nothing = np.zeros(count, dtype=np.int64)
        fixed = np.stack([kept.get(name, nothing) for name in FIXED])
        values = np.stack(list(kept.values())) if kept else np.zeros((0, count), dtype=np.int64)
        return cls(tuple(kept), {name: q for q, name in enumerate(kept)}, values, fixed)

    @property
    def rows(self) -> Iterator[tuple[str, Int64]]:
        """Each quantity by name."""
        return zip(self.names, self.values, strict=True)

    def get(self, name: str) -> Int64:
        """A quantity; 0 where there is no such."""
        return self.values[self.places[name]] if name in self.places else np.zeros_like(self.fixed[0])


def _products(mark: str, one: _Numbers, twin: _Numbers) -> dict[str, tuple[int, ...]]:
    # ticks (below 2**32) times patients: a block of many thousands stays below 2**63
    fixed = (one.values @ twin.fixed.T).tolist()
    return {
        f"{mark} {name}": (int(y @ twin.get(name)) if name in twin.places else 0, *with_fixed)
        for (name, y), with_fixed in zip(one.rows, fixed, strict=True)
    }


def _once(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    return [pair for pair in dict.fromkeys(pairs) if NONE not in pair]


Means = Mapping[str, float]
"""Known means of a twin, by quantity."""

Control = tuple[int, str]
"""A quantity of a twin."""


@dataclass(frozen=True)
class TwinSums:
    """What a tally of ``WithTwins`` says of trials and their twins.

    Attributes:
        of: as in ``WithTwins``.
    """

    tally: Tally
    of: tuple[int, ...]

    def twin(self, k: int) -> dict[str, tuple[int, int]]:
        """Sum and sum of squares of each quantity of the twin of the k-th trial."""
        t, counts = self.of[k], self.tally.counts
        marks = (f"x{t} ", f"x{t} x{t} ")
        names = [key.removeprefix(marks[0]) for key in counts if key.startswith(marks[0])]
        return {
            name: (counts[marks[0] + name][0], counts[marks[1] + name][0])
            for name in names
            if marks[1] + name in counts
        }

    def values(self, k: int, mu: Means, why_not: str = "") -> dict[str, Adjusted]:
        """The adjusted numbers of the k-th trial, as a run of it has them."""
        found: dict[str, Adjusted] = {}
        plain = estimates(self.tally, k)
        for name, (y, yy, *_) in totals_of(self.tally, k).items():
            controls, own = self._controls(k, name, mu)
            if not controls or name not in plain or f"y{k} apart {name}" not in self.tally.counts:
                continue
            if why_not:
                found[name] = withheld(plain[name], why_not)
                continue
            xy = [self._with(f"y{k}", name, control) for control in controls]
            sums = self._sums(y, yy, controls, xy, self._count(f"y{k} apart {name}") if own else None)
            found[name] = adjusted(
                sums,
                [mu[control] for _, control in controls],
                [control for _, control in controls],
                plain[name],
                probability=is_probability(name),
                unit=unit(name),
            )
        return found

    def differences(self, k: int, mu_one: Means, mu: Means, why_not: str = "") -> dict[str, Adjusted]:
        """The adjusted differences of the k-th trial from the one; controls of the one's twin are named as stated."""
        if NONE in (self.of[0], self.of[k]):
            return {}
        found: dict[str, Adjusted] = {}
        one, other = totals_of(self.tally, 0), totals_of(self.tally, k)
        for name, difference in against(self.tally, k).items():
            plain = difference.difference
            if f"d{k} apart {name}" not in self.tally.counts:
                continue
            (ours, owns), (theirs, own) = self._controls(0, name, mu_one), self._controls(k, name, mu)
            # own twins first, each control once where both trials have the same twin
            controls = dict.fromkeys([*theirs[: int(own)], *ours[: int(owns)]])
            count = len(controls)
            controls |= dict.fromkeys([*theirs, *ours])
            if not controls:
                continue
            if why_not:
                found[name] = withheld(plain, why_not)
                continue
            xy = [self._with(f"y{k}", name, c) - self._with("y0", name, c) for c in controls]
            y_other, _, _, y, yy = other[name]
            sums = self._sums(y, yy, list(controls), xy, self._count(f"d{k} apart {name}"))
            means = [(mu if t == self.of[k] else mu_one)[control] for t, control in controls]
            names = [control if t == self.of[k] else f"{control} as stated" for t, control in controls]
            happens = [one[name][0], y_other, *sums.x[:count]]
            found[name] = adjusted_difference(
                sums,
                means,
                names,
                plain,
                own=count,
                happens=happens if is_probability(name) else (),
                unit=unit(name),
            )
        return found

    def _controls(self, k: int, name: str, mu: Means) -> tuple[list[Control], bool]:
        """The controls of a quantity of the k-th trial, and whether the first is its own twin."""
        t = self.of[k]
        there = [each for each in (name, *FIXED) if each in mu and f"x{t} {each}" in self.tally.counts]
        return [(t, each) for each in dict.fromkeys(there)], name in there

    def _sums(
        self, y: int, yy: int, controls: Sequence[Control], xy: Sequence[int], apart: int | None
    ) -> Sums:
        x = [self._count(f"x{t} {name}") for t, name in controls]
        xx = [[self._with(f"x{t}", name, other) for other in controls] for t, name in controls]
        return Sums(self.tally.replicates, y, yy, x, xy, xx, apart)

    def _with(self, mark: str, name: str, control: Control) -> int:
        """Sum of products of a quantity with a control."""
        t, other = control
        if other in FIXED:
            return self.tally.counts[f"{mark} x{t} {name}"][1 + FIXED.index(other)]
        if name in FIXED:  # of two twins: the other way round
            return self.tally.counts[f"x{t} {mark} {other}"][1 + FIXED.index(name)]
        return self.tally.counts[f"{mark} x{t} {name}"][0]

    def _count(self, key: str) -> int:
        return self.tally.counts[key][0]
