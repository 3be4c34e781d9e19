"""From random words to whole ticks, in integer arithmetic that every machine does alike (docs/conduct.md)."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np

from trialsim.kernels.jit import inline
from trialsim.kernels.tables import Int32

UNIT = 1 << 20
"""Unit-rate time in which one patient is expected."""

NEVER_TICK = 1 << 40
"""A time that no trial reaches."""


def _logarithms() -> tuple[Int32, int]:
    """round(2**26 ln(1 + i / 1024)) for i = 0..1024, and round(2**26 ln 2).

    Decimal rounds its logarithms correctly, so the table is the same everywhere.
    """
    with localcontext(prec=30):
        scale = Decimal(1 << 26)
        table = [int((scale * (1 + Decimal(i) / 1024).ln()).to_integral_value()) for i in range(1025)]
        return np.array(table, dtype=np.int32), int((scale * Decimal(2).ln()).to_integral_value())


_LOG, _LN2 = _logarithms()


@inline
def unit_gap(word):  # type: ignore[no-untyped-def]
    """An exponential gap of mean 1, in 2**-20, from a 32-bit word; error of the logarithm below 2e-7."""
    v = max(np.int64(word), 1)
    zeros = 0
    while v < 0x80000000:
        v <<= 1
        zeros += 1
    f = (v << 1) & 0xFFFFFFFF
    i = f >> 22
    r = (f >> 8) & 0x3FFF
    low, high = np.int64(_LOG[i]), np.int64(_LOG[i + 1])
    e = (zeros + 1) * _LN2 - low - ((high - low) * r >> 14)
    return (e + 32) >> 6


@inline
def ticks_of(calendar, unit):  # type: ignore[no-untyped-def]
    """The tick at which the accrual curve has reached a unit-rate time."""
    j = calendar.piece_unit.shape[0] - 1
    while calendar.piece_unit[j] > unit:
        j -= 1
    return calendar.piece_tick[j] + ((unit - calendar.piece_unit[j]) * calendar.ticks_per_unit[j] >> 28)


@inline
def units_of(calendar, tick):  # type: ignore[no-untyped-def]
    """The unit-rate time that the accrual curve has reached at a tick."""
    j = calendar.piece_tick.shape[0] - 1
    while calendar.piece_tick[j] > tick:
        j -= 1
    return calendar.piece_unit[j] + ((tick - calendar.piece_tick[j]) * calendar.units_per_tick[j] >> 16)
