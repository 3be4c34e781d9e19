"""Redesign of a running trial by conditional error, in rational arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from trialsim.monitoring.redesign import Redesign, redesign
from trialsim.qualification.comparing import Compared, Reference, Row, named, rows, same, to_all_digits

SETTLED = {"0.000000000000": "futile", "1.000000000000": "go"}


@cache
def _rates(design: str) -> tuple[float, float]:
    row = next(row for row in rows("running/conditional_error") if row["design"] == design)
    return float(row["p0"]), float(row["p1"])


@cache
def _asked(design: str, x1: str, power: str = "") -> Redesign:
    p0, p1 = _rates(design)
    return redesign(design, x1=int(x1), p0=p0, p1=p1, power=float(power) if power else None)


def conditional_errors(table: Sequence[Row]) -> Iterator[Compared]:
    """Where a trial may stand after stage 1: conditional error and power, and whether it is settled."""
    for row in table:
        where = named(row, "design", "x1")
        found = _asked(row["design"], row["x1"])
        (standing,) = found.standings
        yield to_all_digits(f"conditional_error, {where}", standing.error, row["conditional_error"])
        yield to_all_digits(f"conditional_power_p1, {where}", standing.power, row["conditional_power_p1"])
        yield to_all_digits(f"attained_alpha, {where}", found.attained, row["attained_alpha"])
        yield to_all_digits(f"e_value, {where}", standing.error / found.attained, row["e_value"])
        yield same(f"decision, {where}", standing.decision, SETTLED.get(row["conditional_error"], "open"))


def second_stages(table: Sequence[Row]) -> Iterator[Compared]:
    """Every other size of the rest, with the least cut-off that keeps the conditional error."""
    for row in table:
        where = named(row, "design", "x1", "n2")
        found = _asked(row["design"], row["x1"])
        (standing,) = found.standings
        rest = found.rest(int(row["n2"]), standing)
        yield to_all_digits(f"conditional_error, {where}", standing.error, row["conditional_error"])
        yield same(f"c2, {where}", rest.c2, int(row["c2"]))
        yield to_all_digits(f"conditional_error_used, {where}", rest.used, row["conditional_error_used"])
        yield to_all_digits(f"conditional_power_p1, {where}", rest.power, row["conditional_power_p1"])
        yield same(f"total_n, {where}", found.m + rest.n2, int(row["total_n"]))


def smallest(table: Sequence[Row]) -> Iterator[Compared]:
    """The smallest rest of a wanted conditional power, by both definitions."""
    for row in table:
        where = named(row, "design", "x1", "wanted_conditional_power")
        found = _asked(row["design"], row["x1"], row["wanted_conditional_power"])
        for name in ("first", "stable"):
            n2 = getattr(found, name)
            wanted = int(row[f"{name}_n2"]), int(row[f"{name}_c2"])
            if n2 is None:
                yield same(f"{name} n2 and c2, {where}", None, wanted)
                continue
            rest = found.rest(n2, found.standings[0])
            yield same(f"{name} n2 and c2, {where}", (n2, rest.c2), wanted)
            yield to_all_digits(f"{name}_power, {where}", rest.power, row[f"{name}_power"])


APART = "rational arithmetic, written apart from trialsim"
REFERENCES = (
    Reference("running/conditional_error", "conditional error after stage 1", APART, conditional_errors, 16, 80),
    Reference("running/redesign", "second stages that keep it", APART, second_stages, 956, 4780),
    Reference("running/redesign_min_n2", "the smallest second stage of a wanted power", APART, smallest, 33, 132),
)  # fmt: skip
