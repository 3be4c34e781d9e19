"""Observed counts by cohort and dose: the rates each is compatible with, and what each case predicts for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trialsim.checks.given_sizes import counts_of, is_fitted
from trialsim.checks.predictive import interval, pooled_pmf
from trialsim.checks.rows import CellCheck
from trialsim.designs.binomial import clopper_pearson, mid_p, two_sided
from trialsim.engine.patients import rates_by_dose
from trialsim.scenario.model import Case, Observed, Scenario
from trialsim.scenario.observed import Cell


def cell_checks(scenario: Scenario, observed: Observed) -> Iterator[CellCheck]:
    """One row an observed cell and case; cells overlap with the totals, so they carry no verdict."""
    for number, cell in enumerate(observed.cells):
        for name, case in scenario.truth.items():
            yield _row(scenario, observed, number, cell, name, case)


def _row(scenario: Scenario, observed: Observed, number: int, cell: Cell, name: str, case: Case) -> CellCheck:
    low, high = (None, None) if cell.responses is None else clopper_pearson(cell.responses, cell.evaluable)
    total = counts_of(observed).get("responses")
    fitted = total is not None and is_fitted(scenario, name, case, "responses", *total)
    base = CellCheck(
        name, number, cell.cohort, cell.dose, cell.evaluable, cell.responses, low, high, fitted=fitted
    )
    parts = _parts(scenario, observed, cell, case)
    if parts is None:
        return replace(base, note="the split over doses is unreported, and the assumed rate differs by dose")
    pmf = pooled_pmf([n for n, _ in parts], [p for _, p in parts])
    rate = sum(n * p for n, p in parts) / cell.evaluable
    predicted = replace(base, rate=rate, interval_95=interval(pmf, 0.95))
    if cell.responses is None:
        return predicted
    return replace(predicted, mid_p=mid_p(pmf, cell.responses), p_two_sided=two_sided(pmf, cell.responses))


def _parts(scenario: Scenario, observed: Observed, cell: Cell, case: Case) -> list[tuple[int, float]] | None:
    """(Patients, response rate) of the parts of a cell whose patients share a rate; None if they are unknown."""
    doses = range(len(scenario.doses)) if cell.dose is None else [scenario.doses.index(cell.dose)]
    named = scenario.cohorts.names if scenario.cohorts else ()
    cohorts = named if cell.cohort is None else (cell.cohort,)
    by_cohort = {cohort: rates_by_dose(scenario, case, cohort)["responses"] for cohort in cohorts}
    size = {(c.cohort, c.dose): c.evaluable for c in observed.cells}
    found = [(size.get((c, scenario.doses[d])), by_cohort[c][d]) for c in cohorts for d in doses]
    known = [(n, p) for n, p in found if n is not None]
    if found and len(known) == len(found) and sum(n for n, _ in known) == cell.evaluable:
        return known
    rates = rates_by_dose(scenario, case, cell.cohort)["responses"]
    if len({rates[d] for d in doses}) == 1:
        return [(cell.evaluable, rates[doses[0]])]
    split = observed.evaluable_by_dose
    if cell.cohort is None and split is not None and cell.evaluable == observed.evaluable:
        return list(zip(split, rates, strict=True))
    return None
