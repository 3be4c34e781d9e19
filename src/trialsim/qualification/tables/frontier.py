"""How little EN(p0) can be: the bound, and the best designs with a few looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from trialsim.designs.efficiency_bound import least_en
from trialsim.designs.optimal_looks import OptimalDesign, search
from trialsim.designs.target import Target
from trialsim.qualification.comparing import Compared, Reference, Row, named, near, same

GRID = 1e-6
"""The reference tries 28 x 28 pairs of prices: its bounds may be below the highest, by so much at most."""

Cuts = list[tuple[int, int, int]]
SETTING = ("p0", "p1", "alpha", "beta", "nmax")


def target(row: Row) -> Target:
    """What a row asks for."""
    p0, p1, alpha, beta = (float(row[key]) for key in SETTING[:4])
    return Target(p0, p1, alpha, beta, int(row["nmax"]))


@cache
def least(asked: Target) -> float:
    """The least possible EN(p0); nan where no design keeps the error rates."""
    bound = least_en(asked, asked.nmax or 0)
    return float("nan") if bound is None else bound.en


def bounds(table: Sequence[Row]) -> Iterator[Compared]:
    """The bound of every setting."""
    for row in table:
        found, stated = least(target(row)), float(row["bound_en_p0"])
        yield Compared(f"bound_en_p0, {named(row, *SETTING)}", found, stated, -6e-9 <= found - stated < GRID)


def seen(design: OptimalDesign) -> Cuts:
    """n, what stops and what does not go of each look that decides something, as the reference writes it."""
    return [
        (n, stop, n if go is None else go)
        for n, stop, go in zip(design.n, design.stop_le, design.go_gt, strict=True)
    ]


def written(row: Row) -> Cuts:
    """The same of the reference, without looks and cut-offs that no count can meet."""
    found: Cuts = []
    low = high = before = 0
    words = [word.split("/") for word in row["design"].split()]
    for k, (cuts, at) in enumerate(words):
        n, (stop, _, go) = int(at), cuts.partition(":")
        stops, high = int(stop), high + int(at) - before
        goes = int(go) if go else stops if k == len(words) - 1 else n
        if k == len(words) - 1:
            return [*found, (n, stops, goes)]
        if stops >= low or goes < high:
            found.append((n, stops if stops >= low else -1, goes if goes < high else n))
        low, high, before = max(low, stops + 1), min(high, goes), n
    return found


def is_quick(row: Row) -> bool:
    """Whether a search takes well under a second: up to three looks, four of up to 30 patients."""
    looks = row["looks"]
    return looks.isdigit() and (int(looks) <= 3 or (looks == "4" and int(row["nmax"]) <= 30))


def designs(table: Sequence[Row]) -> Iterator[Compared]:
    """The best designs with a few looks; one that the reference did not settle may be bettered."""
    for row in filter(is_quick, table):
        asked, where = target(row), named(row, *SETTING, "looks", "early_go")
        found = search(asked, int(row["looks"]), row["early_go"] == "1")
        if row["proved_optimal"] != "1":
            stated = float(row["en_p0"])
            yield Compared(f"en_p0, {where}", found.en_p0, stated, found.en_p0 <= stated + 6e-9)
            continue
        yield same(f"design, {where}", seen(found), written(row))
        yield near(f"en_p0, {where}", found.en_p0, row["en_p0"], 6e-9)
        yield near(f"attained_alpha, {where}", found.type_i_error, row["attained_alpha"], 6e-9)
        yield near(f"power, {where}", found.power, row["power"], 6e-9)
        yield near(f"en_p1, {where}", found.en_p1, row["en_p1"], 6e-7)
        above = 100 * (found.en_p0 / least(asked) - 1)
        yield near(f"distance_percent, {where}", above, row["distance_percent"], 6e-4)


APART = "written apart from trialsim: prices on a grid, complete search"
REFERENCES = (
    Reference("frontier_bound", "the least EN(p0) that any design could have", APART, bounds, 9, 9),
    Reference("frontier_designs", "the best designs with up to three looks", APART, designs, 84, 252),
)
