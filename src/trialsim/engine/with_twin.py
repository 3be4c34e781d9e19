"""A trial in calendar time beside its twin, on the same patients: both counted, and the products of their quantities.

The twin is the same trial with every outcome known at once. It is simulated anyway, since it alone has an exact answer
to be held against; that it runs replicate by replicate beside the trial makes its quantities controls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.engine.controls import Sums, adjusted, withheld
from trialsim.engine.quantities import Side, unit
from trialsim.engine.tally import Tally, mean
from trialsim.engine.trials import Key, Trials, chosen
from trialsim.kernels import counting
from trialsim.kernels.tables import Int32, Int64
from trialsim.quantities import is_probability
from trialsim.results import Adjusted, Estimate

FIXED = ("p_stop_futility", "p_stop_toxicity", "en", "patients_dose_1")
"""Quantities of the twin that every quantity is adjusted by, after its own twin: stated once, never chosen by data."""

AT_ONCE = " (outcomes known at once)"
"""Added to the name of a case: the same patients in a trial that knows every outcome before the next patient."""

PRODUCTS = " (products with the trial at once)"
"""Added to the name of a case: sums of products of its quantities with those of its twin."""

_TRIAL, _TWIN = "trial ", "twin "


@dataclass(frozen=True, eq=False)
class WithTwin:
    """The trials of one case, each with its twin."""

    one: Side
    twin: Side

    @property
    def patients(self) -> int:
        """Largest number of patients both can treat together."""
        return self.one.trials.patients + self.twin.trials.patients

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """Counts of the trial and of its twin, and under the name of a quantity its products (``controls_of``)."""
        one, twin = (side.trials.rows(key, first, count) for side in (self.one, self.twin))
        counts: dict[str, tuple[int, ...]] = {}
        for mark, side, rows in ((_TRIAL, self.one, one), (_TWIN, self.twin, twin)):
            tally = side.trials.counted(rows)
            counts |= {f"{mark}{name}": values for name, values in tally.counts.items()}
        found = self._products(one, twin).T.tolist()
        return Tally(count, counts | dict(zip(self._layout.names, map(tuple, found), strict=True)))

    @cached_property
    def _layout(self) -> _Layout:
        return _Layout.of(self.one, self.twin)

    def _products(self, one: Int32, twin: Int32) -> Int64:
        layout, levels = self._layout, len(self.one.doses)
        calendar = self.one.calendar
        outcomes = np.zeros((len(one), 2), dtype=np.int64)
        for k, (side, rows) in enumerate(((self.one, one), (self.twin, twin))):
            if side.trials.choice is not None:
                outcomes[:, k] = chosen(side.trials.choice, rows, side.first)
        total = np.zeros((2 + 2 * len(layout.fixed), len(layout.names)), dtype=np.int64)
        # a number of a trial is below 2**32, and the twin's count patients: so many replicates stay below 2**53
        most = max((1 << 21) // (self.twin.trials.patients + 1), 1)
        for start in range(0, len(one), most):
            some = slice(start, start + most)
            out = np.zeros(total.shape)
            counting.products(
                one[some],
                self.one.first,
                levels,
                calendar.cohorts if calendar else 0,
                self.one.false_go,
                twin[some],
                self.twin.first,
                outcomes[some],
                layout.direct,
                layout.groups,
                layout.tables,
                layout.fixed,
                out,
            )
            total += out.astype(np.int64)
        return total


@dataclass(frozen=True, eq=False)
class _Layout:
    """What ``counting.products`` is told of the quantities of a trial and of its twin."""

    names: tuple[str, ...]
    direct: Int64
    groups: Int64
    tables: Float64
    fixed: Int64

    @classmethod
    def of(cls, one: Side, twin: Side) -> _Layout:
        here, there = (side.read_by(side.trials.width + counting.DERIVED) for side in (one, twin))
        known = {name: there[name][0] for name in here if name in there and unit(name) == 1}
        numbers = [name for name, (_, events) in here.items() if not events]
        # events of the same column in the trial and in the twin go together
        groups: dict[tuple[int, int], list[str]] = {}
        for name, (place, events) in here.items():
            if events:
                groups.setdefault((place, known.get(name, -1)), []).append(name)
        names = [*numbers, *(name for group in groups.values() for name in group)]
        shape = (
            len(groups),
            max((len(here[name][1]) for group in groups.values() for name in group), default=0),
            max(map(len, groups.values()), default=0),
        )
        tables, places, start = np.zeros(shape), [], len(numbers)
        for g, (columns, group) in enumerate(groups.items()):
            for k, name in enumerate(group):
                tables[g, : len(here[name][1]), k] = here[name][1]
            places.append([*columns, start, start + len(group)])
            start += len(group)
        return cls(
            tuple(names),
            np.array([[here[name][0], known.get(name, -1)] for name in numbers], dtype=np.int64),
            np.array(places, dtype=np.int64),
            tables,
            np.array([names.index(name) for name in FIXED if name in known], dtype=np.int64),
        )


def sums_of(found: Sides, name: str, mu: Mapping[str, float]) -> tuple[Sums, tuple[str, ...]] | None:
    """The totals of a quantity of the trial and of its controls, and which these are; None where nothing is to be had.

    Args:
        mu: the known means of the twin.
    """
    fixed = [each for each in FIXED if each in found.products and each in found.twin]
    own = name in found.twin and name in mu and unit(name) == 1
    controls = tuple(dict.fromkeys([*([name] if own else []), *(each for each in fixed if each in mu)]))
    if name not in found.products or not controls:
        return None

    def with_control(of: str, control: str, side: int) -> int:
        """Sum of products of a control with a quantity of the trial (side 0) or of the twin (1)."""
        if control in fixed:
            return found.products[of][2 + 2 * fixed.index(control) + side]
        return found.products[of][0] if side == 0 else found.twin[of][1]

    xx = [[0] * len(controls) for _ in controls]
    for j, one in enumerate(controls):
        for k, other in enumerate(controls[: j + 1]):
            # at most one of the two is not among the fixed ones, unless they are the same
            of, control = (other, one) if one in fixed else (one, other)
            xx[j][k] = xx[k][j] = with_control(of, control, 1)
    total, squares, _ = found.trial[name]
    sums = Sums(
        found.replicates,
        total,
        squares,
        [found.twin[control][0] for control in controls],
        [with_control(name, control, 0) for control in controls],
        xx,
        found.products[name][1] if own else None,
    )
    return sums, controls


class Sides(NamedTuple):
    """What was counted of a case: totals of its trials and of their twins (``Side.totals``), and the products."""

    replicates: int
    trial: Mapping[str, tuple[int, int, int]]
    twin: Mapping[str, tuple[int, int, int]]
    products: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, one: Side, twin: Side, name: str, drawn: Mapping[str, Tally]) -> Sides | None:
        """What tallies that are ``apart`` hold of a case; None where its twin was not simulated beside it."""
        products = drawn.get(f"{name}{PRODUCTS}")
        if products is None:
            return None
        both = one.totals(drawn[name]), twin.totals(drawn[f"{name}{AT_ONCE}"])
        return cls(products.replicates, *both, products.counts)


def adjustments(
    counted: Sides, plain: Mapping[str, Estimate], mu: Mapping[str, float], why_not: str = ""
) -> dict[str, Adjusted]:
    """By quantity the adjusted number; the plain one and why, where that is what it keeps.

    Args:
        plain: the numbers without controls.
        mu: the known means of the twin.
        why_not: why none is adjusted.
    """
    found = {}
    for name, estimate in plain.items():
        known = sums_of(counted, name, mu) if name in counted.trial else None
        if known is None:
            continue
        sums, names = known
        found[name] = (
            withheld(estimate, why_not)
            if why_not
            else adjusted(
                sums,
                [mu[control] for control in names],
                names,
                estimate,
                probability=is_probability(name),
                unit=unit(name),
            )
        )
    return found


def by_time(counted: Sides) -> dict[str, Estimate]:
    """By quantity of both, the trial less its twin, with the error of the differences (as ``engine.paired`` has it)."""
    found = {}
    for name, (total, squares, _) in counted.trial.items():
        if name in counted.products and name in counted.twin and unit(name) == 1:
            twin, product = counted.twin[name], counted.products[name][0]
            found[name] = mean(total - twin[0], squares - 2 * product + twin[1], counted.replicates)
    return found


def with_twins(trials: Mapping[str, Trials], sides: Mapping[str, tuple[Side, Side]]) -> dict[str, Trials]:
    """What is simulated: the same trials, each that has a twin together with it."""
    together = {name: WithTwin(*both) for name, both in sides.items()}
    twins = {f"{name}{AT_ONCE}" for name in sides}
    return {name: together.get(name, each) for name, each in trials.items() if name not in twins}


def apart(drawn: Mapping[str, Tally]) -> dict[str, Tally]:
    """Tallies as if every twin had been simulated by itself; the products have a name of their own."""
    found: dict[str, Tally] = {}
    for name, tally in drawn.items():
        parts: dict[str, dict[str, tuple[int, ...]]] = {_TRIAL: {}, _TWIN: {}, "": {}}
        for key, values in tally.counts.items():
            mark = next(mark for mark in parts if key.startswith(mark))
            parts[mark][key.removeprefix(mark)] = values
        if parts[_TWIN]:
            for suffix, mark in (("", _TRIAL), (AT_ONCE, _TWIN), (PRODUCTS, "")):
                found[f"{name}{suffix}"] = Tally(tally.replicates, parts[mark])
        else:
            found[name] = tally
    return found
