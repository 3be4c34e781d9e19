"""Reading the reference tables, and Rules for boundaries that are looked at now and then."""

from __future__ import annotations

import csv
from pathlib import Path

from trialsim.codes import CONTINUE, NEVER, STOP
from trialsim.designs.rules import Looks, Monitor, Rules, two_way

DATA = Path(__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ints(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split())


def printed(value: str, digits: int = 12) -> float:
    """How far a number may be from ``value`` as printed: half a unit of its last digit, at most 1e-9 apart."""
    mantissa = value.lower().partition("e")[0].lstrip("-")
    significant = len(mantissa.replace(".", "").lstrip("0"))
    if significant >= digits:
        return 1e-9
    exponent = int(value.lower().partition("e")[2] or 0)
    return max(1e-9, 0.5 * 10.0 ** (exponent - len(mantissa.partition(".")[2])) * 1.0000001)


def response_rules(n: tuple[int, ...], stop_le: tuple[int, ...], go_ge: tuple[int | None, ...]) -> Rules:
    """Rules without toxicity: at look k stop if responses <= stop_le[k], go if responses >= go_ge[k]."""
    looks = two_way(n, stop_le, tuple(None if go is None else go - 1 for go in go_ge))
    return Rules(looks, Monitor(((NEVER,) * (n[-1] + 1),), (0,), (CONTINUE,)), False, n[-1])


def toxicity_rules(n: tuple[int, ...], act_ge: tuple[int, ...]) -> Rules:
    """Rules that stop if toxicities reach act_ge[k] at look k, and otherwise treat all n patients."""
    bounds = dict(zip(n, act_ge, strict=True))
    row = tuple(bounds.get(m, NEVER) for m in range(n[-1] + 1))
    return Rules(Looks((n[-1],), ((-2,) * (n[-1] + 1),)), Monitor((row,), (0,), (STOP,)), False, n[-1])
