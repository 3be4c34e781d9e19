"""How numbers are printed: probabilities to four decimals, rates in percent, means to two decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialsim.quantities import is_probability

NONE = "–"
"""What stands where there is no number."""


@dataclass(frozen=True)
class Cell:
    """One entry of a table: its text, and the number of ``results.json`` behind it (None for words)."""

    text: str
    value: float | int | None = None
    mark: str = ""
    rows: int = 1
    """Rows it stands for; 0 where the cell above already does."""

    @property
    def machine(self) -> str:
        """The number as it stands in ``results.json``."""
        return repr(float(f"{self.value:.12g}") if isinstance(self.value, float) else self.value)


def probability(p: float | None) -> str:
    """A probability to four decimals, never rounded to 0 or 1 unless it is."""
    if p is None:
        return NONE
    if 0 < p < 0.00005:
        return "<0.0001"
    if 0.99995 < p < 1:
        return ">0.9999"
    return f"{p:.4f}"


def chance(p: float) -> str:
    """A probability in a sentence: three decimals, and none where it is certain."""
    if min(p, 1 - p) < 1e-12:
        return "1" if p > 0.5 else "0"
    if 0 < p < 0.0005:
        return "below 0.001"
    if 0.9995 <= p < 1:
        return "above 0.999"
    return f"{p:.3f}"


def p_value(p: float, decimals: int = 3) -> str:
    """A p-value to so many decimals, four below 0.001; never 0, and never 1 because of rounding."""
    if p < 0.0001:
        return "<0.0001"
    text = f"{p:.{4 if p < 0.001 else decimals}f}"
    return f">{1 - 10.0**-decimals:.{decimals}f}" if float(text) == 1 > p else text


def rate(p: float) -> str:
    """A rate in percent, with the digits it was given (4.35%)."""
    return f"{100 * p:.4g}%"


def percent(p: float) -> str:
    """An estimated rate in percent, two decimals."""
    return f"{100 * p:.2f}%"


def rates(values: Sequence[float]) -> str:
    """Rates by dose: one number where they are all the same, else separated by slashes."""
    return rate(values[0]) if len(set(values)) == 1 else " / ".join(rate(p) for p in values)


def signed(z: float | None) -> str:
    """A z value to two decimals, with a true minus sign."""
    if z is None:
        return NONE
    return f"{z:.2f}".replace("-", "−")


def times(ratio: float) -> str:
    """A likelihood ratio to two or three digits."""
    if ratio >= 1e6:
        return f"{ratio:.2e}"
    return f"{float(f'{ratio:.3g}'):,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def count(n: int, one: str, many: str = "") -> str:
    """``1 response``, ``2 responses``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


UNKNOWN = "unknown"
"""The error of a mean of one trial, in words."""


def fixed(value: float, decimals: int) -> str:
    """A number to so many decimals, never -0.0, with a true minus sign; ``0`` where it is."""
    text = f"{value:.{decimals}f}" if value else "0"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def plus_minus(error: float, decimals: int) -> str:
    """Half of an interval, after ±; one too small for so many decimals is given by its bound."""
    if error != error:
        return f"± {UNKNOWN}"
    text = f"{error:.{decimals}f}"
    return f"± {text}" if float(text) > 0 or error == 0 else f"± <{10.0**-decimals:.{decimals}f}"


def with_error(quantity: str, value: float, mcse: float | None) -> str:
    """A quantity in a sentence, with its Monte Carlo standard error where it was simulated."""
    text = value_text(quantity, value)
    return f"{text} (mcse {mcse_cell(quantity, mcse).text})" if mcse else text


def value_text(quantity: str, value: float | None) -> str:
    """A quantity of the operating characteristics: probabilities to four decimals, means to two."""
    if value is None or is_probability(quantity):
        return probability(value)
    return f"{value:.2f}".replace("-", "−")


def value_cell(quantity: str, value: float | None, mark: str = "") -> Cell:
    """A quantity of the operating characteristics as a table shows it."""
    return Cell(value_text(quantity, value), value, "" if value is None else mark)


def difference_cell(quantity: str, value: float | None) -> Cell:
    """A difference of two values of a quantity, with its sign."""
    if value is None:
        return Cell(NONE)
    return Cell(f"{value:+.{4 if is_probability(quantity) else 2}f}".replace("-", "−"), value)


def mcse_cell(quantity: str, value: float | None) -> Cell:
    """A Monte Carlo standard error, one digit more than its estimate."""
    if value is None:
        return Cell(NONE)
    if value != value:
        return Cell(UNKNOWN)
    return Cell(f"{value:.{5 if is_probability(quantity) else 3}f}", value)


def probability_cell(value: float | None, mark: str = "") -> Cell:
    """A probability as a table shows it."""
    return Cell(probability(value), value, mark)
