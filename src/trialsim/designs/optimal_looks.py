"""The design of least EN(p0) with a few looks, or one after every patient: stop if responses are few, go if many.

With at most K looks the search is exact: the bound of every schedule of looks discards most of them, and the cut-offs
of the rest are found by branch and bound. After every patient only small trials can be settled. See
docs/decisions/0019-frontier.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs import simon, single_stage
from trialsim.designs.alone import at_both
from trialsim.designs.efficiency_bound import LARGEST_LOG_RATIO, Least, followed, least_en
from trialsim.designs.error_rates import Candidates, ErrorRates, require_error_rates
from trialsim.designs.exactly import compared, en_at, p_go_at, settled
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import MAX_PATIENTS as MOST_STATED
from trialsim.designs.target import NoDesign, Target
from trialsim.errors import DesignError

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

MOST_SCHEDULES = 6_000_000
"""Schedules of looks that one search may have: the four looks of 100 patients, the five of 60."""

MOST_PATIENTS = 200
"""Largest n of a search."""

NODES = 3_000_000
"""Pairs of cut-offs that a search tries before it gives up settling: some seconds. Not a time: the same file gives the
same design on any machine."""

Row = tuple[int, ...]
Cuts = tuple[tuple[int, ...], tuple[int, ...], tuple[int | None, ...]]


class OptimalLooks(ErrorRates):
    """The least EN(p0) with at most so many looks, at times found by the search, or with looks after every patient."""

    default_criterion: ClassVar[str] = "optimal"

    kind: Literal["optimal_looks"]
    criterion: Literal["optimal"] | None = Field(None, description="optimal: least EN(p0)")
    looks: Annotated[int, Field(ge=1, le=8)] | Literal["every"] = Field(
        3, description="at most so many looks, the last one included; every: after every patient"
    )
    early_go: bool = Field(False, description="whether a look before the last may end in a go")
    nodes: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        NODES,
        description="pairs of cut-offs tried before the search gives up and says that its design is not proved",
    )

    @model_validator(mode="after")
    def _complete(self) -> OptimalLooks:
        require_error_rates(self, "the looks themselves, as `kind: multistage`")
        return self

    def stated_size(self) -> int | None:
        """Its looks are a number of looks, not of patients."""
        return None

    def compile(self) -> Looks:
        """One look a line of what the search found."""
        return self.best()

    def held(self) -> dict[str, Any]:
        """A go before the last look is searched only where it is asked for."""
        more = {"nodes": self.nodes} if self.nodes != NODES else {}
        return {"looks": self.looks, "early_go": self.early_go, **more}

    def found(self) -> OptimalDesign:
        """What the search finds."""
        return search(self.target, self.looks, self.early_go, self.nodes)

    def candidates(self) -> Candidates:
        """The best design, and whether no other is better."""
        found = self.found()
        covered = "all cut-offs" if self.looks == "every" else "all schedules and cut-offs"
        return Candidates((("optimal", found),), found.nmax, covered, _proof(found))


@dataclass(frozen=True)
class OptimalDesign:
    """What a search found, exact; ``proved``: no design with such looks, n <= nmax and these errors has less EN(p0).

    ``nodes``: pairs of cut-offs that were tried.
    """

    n: tuple[int, ...]
    stop_le: tuple[int, ...]
    go_gt: tuple[int | None, ...]
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float
    proved: bool
    nodes: int
    nmax: int

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return two_way(self.n, self.stop_le, self.go_gt)


def _proof(found: OptimalDesign) -> str:
    if found.proved:
        return "proved: no other design that was searched has a smaller EN(p0)"
    return f"not proved: after {found.nodes:,} nodes it is not settled whether another has a smaller EN(p0)"


@lru_cache(maxsize=32)
def search(
    target: Target, looks: int | Literal["every"], early_go: bool = False, nodes: int = NODES
) -> OptimalDesign:
    """The design of least EN(p0) with at most so many looks; without ``nmax`` within n of Simon's optimal design.

    Raises:
        DesignError: no design keeps both error rates; more schedules than can be searched.
    """
    nmax = target.nmax or _of_simon(target)
    many = 1 if looks == "every" else comb(nmax, min(looks, nmax))
    if nmax > MOST_PATIENTS or many > MOST_SCHEDULES or not followed(target, nmax):
        why = f"{many:,} schedules of {looks} looks, more than {MOST_SCHEDULES:,}"
        if nmax > MOST_PATIENTS:
            why = f"more than {MOST_PATIENTS} patients"
        elif many <= MOST_SCHEDULES:
            why = f"likelihood ratios above {LARGEST_LOG_RATIO:g} on the logarithmic scale"
        raise DesignError(
            f"a search for optimal_looks up to n = {nmax} has {why}; state a smaller nmax or fewer looks"
        )
    what = "design of looks after any patients" if looks == "every" else f"design of at most {looks} looks"
    bound = least_en(target, nmax)
    if bound is None:
        raise target.none_found(what, nmax, _one_look(target))
    if looks == "every":
        rows, proved, tried = _every(target, nmax, early_go, nodes, bound)
    else:
        rows, proved, tried = _scheduled(target, nmax, min(looks, nmax), early_go, nodes, bound)
    if not rows:
        given_up = "" if proved else f"not proved: the search ended after {tried:,} nodes"
        raise target.none_found(what, nmax, "; ".join(filter(None, (given_up, _one_look(target)))))
    return _best([_design(cuts, target, proved, tried, nmax) for cuts in rows], target)


def _design(cuts: Cuts, target: Target, proved: bool, nodes: int, nmax: int) -> OptimalDesign:
    return OptimalDesign(*cuts, *at_both(two_way(*cuts), target.rates), proved, nodes, nmax)


def _one_look(target: Target) -> str:
    """What would keep the error rates: the least design with one look, which a larger search has too."""
    try:
        one = single_stage.search(replace(target, nmax=None))["first"]
    except NoDesign:
        return f"even a single stage takes more than {MOST_STATED} patients"
    return f"a single stage takes n = {one.n}, so that nmax = {one.n} has a design"


def _of_simon(target: Target) -> int:
    try:
        return simon.search(target).optimal.n
    except NoDesign as error:
        raise NoDesign(f"{error.what}, so that no nmax follows from it: state nmax", error.instead) from None


def _best(designs: list[OptimalDesign], target: Target) -> OptimalDesign:
    """The least EN(p0), then the largest power, then the fewest looks."""
    best, *others = sorted(designs, key=lambda d: (len(d.n), d.n))
    en, power = en_at(target.p0), p_go_at(target.p1)
    for design in others:
        order = compared(design, best, lambda d: d.en_p0, en) or -compared(
            design, best, lambda d: d.power, power
        )
        best = design if order < 0 else best
    return best


def _scheduled(
    target: Target, nmax: int, looks: int, early_go: bool, nodes: int, bound: Least
) -> tuple[list[Cuts], bool, int]:
    """The best cut-offs of all schedules, whether they are settled, and nodes; see docs/decisions/0019-frontier.md."""
    import numpy as np

    from trialsim.kernels.multipliers import highest, tables
    from trialsim.kernels.schedules import BEST, CLOSE, OPEN, WIDE, bounds, settle

    errors = target.errors
    null, good, ratio = tables(target.p0, target.p1, nmax)
    onward, work = np.zeros((looks, nmax + 1)), np.zeros((3, nmax + 1))
    nothing = np.zeros((0, looks), dtype=np.int64), np.zeros(0)

    def run(book: Any, room: int) -> tuple[Float64, Float64]:
        state, out = _start(target, nmax, looks, room)
        prices = chosen = (bound.price, bound.worth)
        highest_least, seen = -np.inf, set[tuple[int, ...]]()
        # the prices at which the least bound of all schedules is high: those of the schedule that has it, and again
        while len(seen) < PASSES:
            _, least, at = bounds(looks, nmax, early_go, prices, errors, null, ratio, -np.inf, *nothing)
            gained, highest_least = least - highest_least, max(least, highest_least)
            chosen = prices if gained > 0 else chosen
            if gained < LITTLE or tuple(at) in seen:
                break
            seen.add(tuple(at))
            box = (prices[0] / WIDE, prices[0] * WIDE, prices[1] / WIDE, prices[1] * WIDE)
            value, *found = highest(at, early_go, box, errors, np.inf, PRICED, null, ratio, onward, work)
            prices = (found[0], found[1])
            one = at[None].copy(), np.array([value])
            settle(*one, early_go, prices, errors, null, good, ratio, nodes, state, out, book)
        count, many = SCHEDULES + 1, SCHEDULES
        while count > many:
            many = max(many, count)
            schedules, values = np.zeros((many, looks), dtype=np.int64), np.zeros(many)
            below = state[BEST] + CLOSE
            count, _, _ = bounds(looks, nmax, early_go, chosen, errors, null, ratio, below, schedules, values)
        order = np.argsort(values[:count], kind="stable")
        state[OPEN] = 0
        settle(
            schedules[order],
            values[order],
            early_go,
            chosen,
            errors,
            null,
            good,
            ratio,
            nodes,
            state,
            out,
            book,
        )
        return state, out

    return _run(target, looks, run)


PASSES = 5
"""Prices tried for all schedules at once."""

LITTLE = 0.02
"""Patients by which a pass must raise the least bound of all schedules for another one to be tried."""

SCHEDULES = 400_000
"""Schedules that there is room for at first."""

PRICED = 1e-6


def _start(target: Target, nmax: int, looks: int, room: int) -> tuple[Float64, Float64]:
    """A search begins with the single stage that keeps the error rates, if there is one; EN is at most nmax."""
    import numpy as np

    from trialsim.kernels.schedules import BEST, CLOSE, FOUND

    state, out = np.zeros(5), np.zeros((room, 3 * looks + 1))
    state[BEST] = nmax + CLOSE
    try:
        one = single_stage.search(replace(target, nmax=nmax))["first"]
    except NoDesign:
        return state, out
    if looks == nmax or one.n >= looks:
        at = np.arange(1, nmax + 1) if looks == nmax else np.arange(one.n - looks + 1, one.n + 1)
        ends = at >= one.n
        out[0] = [*at, *np.where(ends, one.r, -1), *np.where(ends, one.r, at), one.n]
        state[BEST], state[FOUND] = one.n, 1
    return state, out


def _run(
    target: Target, looks: int, run: Callable[[Any, int], tuple[Float64, Float64]]
) -> tuple[list[Cuts], bool, int]:
    """What a search finds once doubts are settled and there is room for every design; whether it is settled; nodes."""
    from trialsim.kernels.schedules import FOUND, LACKING, NODES, OPEN

    def found(room: int) -> tuple[Float64, Float64]:
        return settled(
            lambda book: run(book, room),
            3 * looks,
            lambda what, row: target.decide(what, two_way(*_cuts(row))),
        )

    room = ROOM
    state, out = found(room)
    while state[LACKING]:
        room *= 4
        state, out = found(room)
    rows = {_cuts(tuple(map(int, row[:-1]))) for row in out[: int(state[FOUND])].tolist()}
    return sorted(rows, key=repr), not state[OPEN], int(state[NODES])


ROOM = 500


def _cuts(row: Row) -> Cuts:
    """n, stop_le and go_gt of the looks that decide something; a last look with one cut-off."""
    looks = len(row) // 3
    kept: list[tuple[int, int, int | None]] = []
    low, high, before = 0, 0, 0  # responses that can be there
    for n, stop, go in zip(row[:looks], row[looks : 2 * looks], row[2 * looks :], strict=True):
        high, before = high + n - before, n
        stops, goes = stop >= low, go < high
        if stop >= go or n == row[looks - 1]:
            # nobody goes on
            kept.append((n, go, go))
            break
        if stops or goes:
            kept.append((n, stop if stops else -1, go if goes else None))
        low, high = max(low, stop + 1), min(high, go)
    return tuple(n for n, _, _ in kept), tuple(stop for _, stop, _ in kept), tuple(go for _, _, go in kept)


def _every(
    target: Target, nmax: int, early_go: bool, nodes: int, bound: Least
) -> tuple[list[Cuts], bool, int]:
    """Looks after every patient: starts around the prices of the bound, cut-offs moved, then branch and bound."""
    import numpy as np

    from trialsim.kernels.multipliers import dual, highest, tables
    from trialsim.kernels.schedules import NODES, OPEN, WIDE, branch, improve

    errors = target.errors
    null, good, ratio = tables(target.p0, target.p1, nmax)
    onward, work = np.zeros((nmax, nmax + 1)), np.zeros((3, nmax + 1))
    at = np.arange(1, nmax + 1)
    around = [(bound.price * a, bound.worth * b) for a in AROUND for b in AROUND]

    def run(book: Any, room: int) -> tuple[Float64, Float64]:
        state, out = _start(target, nmax, nmax, room)
        for hard in HARD:
            for prices in around:
                dual(at, early_go, prices, errors, null, ratio, onward, work)
                stop, go = _of_prices(prices, ratio, onward, early_go)
                paid = (hard * bound.price, hard * bound.worth)
                improve(at, early_go, stop, go, paid, errors, null, good, nodes, state, out, book)
        tried, state[NODES] = state[NODES], 0
        box = (bound.price / WIDE, bound.price * WIDE, bound.worth / WIDE, bound.worth * WIDE)
        _, *found = highest(at, early_go, box, errors, np.inf, PRICED, null, ratio, onward, work)
        prices = (found[0], found[1])
        if not branch(at, early_go, prices, errors, null, good, onward, nodes, state, out, book):
            state[OPEN] = 1
        state[NODES] += tried
        return state, out

    return _run(target, nmax, run)


AROUND = (1 / 1.05, 1.0, 1.05)
"""Starts are the designs of least cost at the prices of the bound times these."""

HARD = (10.0, 3.0, 1.5)
"""While cut-offs are moved, an error rate that is not kept costs its price times these, one after the other."""


def _of_prices(
    prices: tuple[float, float], ratio: Float64, onward: Float64, early_go: bool
) -> tuple[Any, Any]:
    """The cut-offs of least cost, from what going on costs."""
    import numpy as np

    nmax = len(onward)
    stop, go = np.full(nmax, -1), np.arange(1, nmax + 1)
    for k in range(nmax):
        n, last = k + 1, k == nmax - 1
        now = prices[0] - prices[1] * ratio[n, : n + 1]
        later = np.full(n + 1, np.inf) if last else onward[k, : n + 1]
        stops = (later >= 0) & ((now >= 0) | (not (early_go or last)))
        goes = (now <= later) & ~stops & (early_go or last)
        stop[k] = stops.sum() - 1
        # from the first count that goes on all do; far above it rounding hides what going on costs
        go[k] = goes.argmax() - 1 if goes.any() else n
    go[-1] = stop[-1]
    return stop, go
