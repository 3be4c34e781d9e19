"""Probabilities of numbers of responses and toxicities, kept only where there are any.

Of patients whose outcome is known there is one number: a table of all that could ever come would be nearly all zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialsim.kernels.tables import Float64

NEGLIGIBLE = 1e-19
"""A probability that is left out: a million times as much changes no answer in its first twelve decimals."""


@dataclass(frozen=True, eq=False)
class Counts:
    """P(responses, toxicities): those of the first row and column, and the probabilities from there on.

    Attributes:
        responses, toxicities: of the first row, and of the first column.
        p: (R, T) the probabilities.
    """

    responses: int
    toxicities: int
    p: Float64

    @property
    def total(self) -> float:
        """The sum of the probabilities."""
        return float(self.p.sum())

    def times(self, factor: float, responses: int, toxicities: int) -> Counts:
        """With so much of the probability, and so many more of both."""
        return Counts(self.responses + responses, self.toxicities + toxicities, factor * self.p)

    def plus(self, other: Counts) -> Counts:
        """The sum of two."""
        row, column = min(self.responses, other.responses), min(self.toxicities, other.toxicities)
        high = max(each.responses + each.p.shape[0] for each in (self, other))
        wide = max(each.toxicities + each.p.shape[1] for each in (self, other))
        p = np.zeros((high - row, wide - column))
        for each in (self, other):
            down, right = each.responses - row, each.toxicities - column
            p[down : down + each.p.shape[0], right : right + each.p.shape[1]] += each.p
        return Counts(row, column, p)

    def toxic_from(self, least: int) -> tuple[Counts | None, Counts | None]:
        """With fewer toxicities, and with at least so many; None where there are none."""
        at = min(max(least - self.toxicities, 0), self.p.shape[1])
        below, above = self.p[:, :at], self.p[:, at:]
        return (
            Counts(self.responses, self.toxicities, below) if below.any() else None,
            Counts(self.responses, self.toxicities + at, above) if above.any() else None,
        )

    def of_responses(self, low: int, high: int) -> Counts | None:
        """With ``low`` to ``high`` responses, both included; None where there are none."""
        first, last = max(low - self.responses, 0), min(high - self.responses + 1, len(self.p))
        p = self.p[first:last] if first < last else self.p[:0]
        return Counts(self.responses + first, self.toxicities, p) if p.any() else None

    def trimmed(self) -> Counts | None:
        """Without outer rows and columns that are less than ``NEGLIGIBLE`` together; None where all is.

        Of 500 patients the far tails are most of the table and nothing of the probability.
        """
        rows, columns = _kept(self.p.sum(axis=1)), _kept(self.p.sum(axis=0))
        if rows is None or columns is None:
            return None
        return Counts(
            self.responses + rows.start, self.toxicities + columns.start, self.p[rows, columns].copy()
        )

    def with_toxicities(self, number: int) -> Counts:
        """The same responses, however many toxicities there were: now ``number`` of them."""
        return Counts(self.responses, number, self.p.sum(axis=1, keepdims=True))


def _kept(sums: Float64) -> slice | None:
    """From the first to the last place that its tail does not leave out; None where all is left out."""
    up, down = np.cumsum(sums), np.cumsum(sums[::-1])
    if up[-1] <= NEGLIGIBLE:
        return None
    first, after = int(np.argmax(up > NEGLIGIBLE)), int(np.argmax(down > NEGLIGIBLE))
    return slice(first, len(sums) - after)
