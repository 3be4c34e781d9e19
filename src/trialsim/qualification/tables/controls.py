"""Estimates adjusted by control variates, from whole-number tallies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.engine.controls import Sums, adjusted, fitted
from trialsim.engine.tally import proportion
from trialsim.qualification.comparing import Compared, Reference, Row, named, same


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(";")]


def sums_of(row: Row) -> Sums:
    """The tallies of a row."""
    x, apart = _numbers(row["sum_x"]), row["squared_differences"]
    lower = iter(_numbers(row["sum_xx"]))
    xx = [[0] * len(x) for _ in x]
    for j in range(len(x)):
        for k in range(j + 1):
            xx[j][k] = xx[k][j] = next(lower)
    has_twin = row["controls"].split("+")[0] == row["quantity"]
    return Sums(
        int(row["R"]),
        int(row["sum_y"]),
        int(row["sum_yy"]),
        x,
        _numbers(row["sum_xy"]),
        xx,
        # of events the squared difference is 0 or 1; of means the file does not count them
        (int(apart) if apart else 1000) if has_twin else None,
    )


def worked(table: Sequence[Row]) -> Iterator[Compared]:
    """Controls kept, estimate, error and what is reported, digit for digit."""
    for row in table:
        sums, mu = sums_of(row), [float(part) for part in row["mu"].split(";")]
        names, where = row["controls"].split("+"), named(row, "setting", "case", "R", "quantity", "controls")
        fit = fitted(sums, mu)
        yield same(f"kept, {where}", ";".join(names[j] for j in fit.kept), row["kept"])
        yield same(f"df, {where}", fit.df, int(row["df"]))
        yield same(f"cv_estimate, {where}", f"{fit.estimate:.12g}", row["cv_estimate"])
        yield same(f"cv_mcse, {where}", f"{fit.mcse:.12g}", row["cv_mcse"])
        if not row["fallback"]:
            continue
        found = adjusted(sums, mu, names, proportion(sums.y, sums.replicates), probability=True)
        yield same(f"fallback, {where}", bool(found.plain_because), bool(int(row["fallback"])))
        for key, value in (("reported", found.estimate), ("low", found.low), ("high", found.high)):
            yield same(f"{key}, {where}", f"{value:.12g}", row[key])


REFERENCES = (
    Reference(
        "dose/cv_worked", "estimates adjusted by control variates, from their tallies",
        "least squares in whole numbers, written apart from trialsim", worked, 72, 448,
    ),
)  # fmt: skip
