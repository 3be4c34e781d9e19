"""Numbers in a text, and whether a number as it is printed is a rounding of one that was computed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[−+-](?=\d))?(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<decimals>\.\d+)?"
    r"(?P<power>e[+-]?\d+)?(?P<percent>%)?(?!\w)"
)
"""A number in running text: p0, HER2 and NCT00371345 are none, 1/25 is two, 2,000 is one, −0.5 has its sign."""


class Printed(NamedTuple):
    """A number as a text has it.

    Attributes
    ----------
    text : as printed.
    value : what that says, a percentage as a proportion.
    step : one unit of the last digit that is printed.
    begin : where in the text it stands.
    """

    text: str
    value: float
    step: float
    begin: int

    @property
    def is_whole(self) -> bool:
        """Whether no digit was printed after the point: a count, or a rate in whole percent."""
        return "." not in self.text and "e" not in self.text

    def rounds(self, value: float) -> bool:
        """Whether ``value``, with or without its sign, would be printed like this; a whole number only itself."""
        slack = 1e-9 * max(1.0, abs(value)) if self.is_whole else 0.5 * self.step * (1 + 1e-6)
        near = abs(abs(value) - abs(self.value)) <= slack
        return near and not (self.text[0] == "−" and value > 0)


def printed(text: str) -> Iterator[Printed]:
    """Every number in a text, in order."""
    for found in NUMBER.finditer(text):
        digits = found["digits"].replace(",", "") + (found["decimals"] or "")
        power = int((found["power"] or "e0")[1:]) - (2 if found["percent"] else 0)
        decimals = len((found["decimals"] or ".")[1:])
        sign = "-" if found["sign"] in ("−", "-") else ""
        value = float(f"{sign}{digits}e{power}")
        yield Printed(found[0], value, 10.0 ** (power - decimals), found.start())


def quoted(texts: Iterable[str], values: Iterable[float]) -> list[float]:
    """Those of ``values`` that the texts quote: for each number in a text the nearest that is printed like it."""
    pool = sorted({float(value) for value in values})
    found = set()
    for number in (number for text in texts for number in printed(text)):
        near = [value for value in pool if number.rounds(value)]
        if near:
            found.add(min(near, key=lambda value: abs(value - number.value)))
    return sorted(found)
