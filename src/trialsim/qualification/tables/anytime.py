"""Tests that may be looked at after any patient: e-values, boundaries, confidence sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache

from trialsim.designs.exactly import decimal
from trialsim.inference.e_process import (
    Mixture,
    Process,
    Ratio,
    boundary,
    course,
    ever_outside,
    limits,
    lower_limit,
)
from trialsim.inference.stated import stated
from trialsim.monitoring.redesign import conditional_go
from trialsim.qualification.comparing import Compared, Reference, Row, named, same, to_all_digits

ALPHA = Fraction(1, 20)
MOST = 140
"""Patients of the longest boundary of the table."""


def process_of(p0: str, p1: str, kind: str) -> Process:
    """The e-process that a row is about."""
    if kind == "fixed_p1":
        return Ratio(Fraction(p0), Fraction(p1))
    return Mixture(Fraction(p0), *([(0.5, 0.5)] if "jeffreys" in kind else []))


def characteristics(table: Sequence[Row]) -> Iterator[Compared]:
    """P(reject) and mean patients with a look after every patient."""
    for row in table:
        where = named(row, "p0", "p1", "kind", "N", "threshold", "futility_e", "p")
        stop = Fraction(row["futility_e"]) if row["futility_e"] else None
        process = process_of(row["p0"], row["p1"], row["kind"])
        found = course(boundary(process, int(row["N"]), Fraction(row["threshold"]), stop), float(row["p"]))
        yield to_all_digits(f"p_reject, {where}", found.p_reject, row["p_reject"])
        yield to_all_digits(f"en, {where}", found.en, row["en"])


@cache
def _rejects(p0: str, p1: str, kind: str) -> tuple[int, ...]:
    return boundary(process_of(p0, p1, kind), MOST, Fraction(20)).reject


def boundaries(table: Sequence[Row]) -> Iterator[Compared]:
    """The least responses that reject, by patients."""
    for row in table:
        n = int(row["n"])
        at = _rejects(row["p0"], row["p1"], row["kind"])[n - 1]
        where = named(row, "p0", "p1", "kind", "n")
        yield same(f"boundary, {where}", "" if at > n else str(at), row["reject_if_responses_at_least"])


def sequences(table: Sequence[Row]) -> Iterator[Compared]:
    """Limits that hold at any moment."""
    for row in table:
        n, x = int(row["n"]), int(row["x"])
        low, high = limits(n, x, ALPHA)
        where = named(row, "n", "x")
        yield to_all_digits(
            f"lower_one_sided_95, {where}", lower_limit(n, x, ALPHA), row["lower_one_sided_95"]
        )
        yield to_all_digits(f"lower_two_sided_95, {where}", low, row["lower_two_sided_95"])
        yield to_all_digits(f"upper_two_sided_95, {where}", high, row["upper_two_sided_95"])


def misses(table: Sequence[Row]) -> Iterator[Compared]:
    """How often such limits ever miss the rate."""
    for row in table:
        two, one = ever_outside(Fraction(row["p"]), int(row["N"]), ALPHA)
        where = named(row, "p", "N")
        yield to_all_digits(f"p_ever_outside_two_sided, {where}", two, row["p_ever_outside_two_sided"])
        key = "p_ever_lower_one_sided_above_p"
        yield to_all_digits(f"{key}, {where}", one, row[key])


@cache
def _errors(design: str, n: int, p0: float) -> tuple[Fraction, ...]:
    return conditional_go(stated(design).looks, n, decimal(p0))


def planned(table: Sequence[Row]) -> Iterator[Compared]:
    """The e-value of a planned two-stage test, patient by patient."""
    for row in table:
        n, x, p0 = int(row["n"]), int(row["x"]), float(row["p0"])
        error, whole = _errors(row["design"], n, p0)[x], _errors(row["design"], 0, p0)[0]
        where = named(row, "design", "n", "x")
        yield to_all_digits(f"conditional_p_go, {where}", float(error), row["conditional_p_go"])
        yield to_all_digits(f"e_value, {where}", float(error / whole), row["e_value"])


APART = "exact recursions, written apart from trialsim"
REFERENCES = (
    Reference("running/evalue_oc", "P(reject) and mean patients of e-processes", APART, characteristics, 72, 144),
    Reference("running/evalue_boundary", "responses at which an e-value reaches 20", APART, boundaries, 280, 280),
    Reference("running/evalue_confidence_sequence", "confidence sequences", APART, sequences, 22, 66),
    Reference("running/evalue_cs_coverage", "how often a confidence sequence ever misses", APART, misses, 3, 6),
    Reference("running/evalue_simon_process", "e-values of planned designs", APART, planned, 83, 166),
)  # fmt: skip
