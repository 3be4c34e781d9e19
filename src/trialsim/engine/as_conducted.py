"""P(go) of the trial as it is conducted, calendar time included, against the true response rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from trialsim.engine.curves import Curve, Curves
from trialsim.engine.montecarlo import tallies
from trialsim.engine.ranges import Ranges
from trialsim.engine.tally import Tally, proportion
from trialsim.engine.timed import Timed
from trialsim.quantities import by_end
from trialsim.results import Estimate, OperatingCharacteristics, Results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.truth import Strata

MAX_REPLICATES = 20_000
"""Trials a point, at most."""

PATIENTS, PATIENTS_SLOWLY = 60_000_000, 5_000_000
"""Patients that all points may take, on the quick kernel and on the other: about a second."""


NEARLY = 0.01
"""Two curves no further apart than this look like one."""


@dataclass(frozen=True)
class Along:
    """P(go) along response rates: of the trial as conducted, of the trial with every outcome known at once, or of the
    design alone.

    ``errors`` are the estimates behind ``p_go`` where it is simulated, () where it is exact; ``nearly_same`` says that
    the curve can hardly be told from that of the trial as conducted, which is exact too.
    """

    what: Literal["conducted", "at_once", "alone"]
    response: tuple[float, ...]
    p_go: tuple[float, ...]
    errors: tuple[Estimate, ...] = ()
    nearly_same: bool = False


@dataclass(frozen=True)
class CasePoint:
    """A case: its response rate at the starting dose (mean over strata), the lowest at any dose, and its P(go)."""

    case: str
    response: float
    lowest: float
    p_go: Estimate
    exact: bool


@dataclass(frozen=True)
class AsConducted:
    """The cases as they came out, and the same trial under other response rates.

    Attributes:
        base: the case whose toxicity and association hold at ``points``: that with the highest P(go).
        alike: every case with the same toxicity and association.
        cases: every case that has an answer.
        points: P(go) by response rate, the same at every dose and in every stratum; empty where the exact curves
            already are the trial as conducted.
        replicates: simulated trials a point.
    """

    base: str
    alike: tuple[str, ...]
    cases: tuple[CasePoint, ...]
    points: dict[float, Estimate]
    replicates: int

    def curves(self, found: Curves) -> tuple[Along, ...]:
        """The trial as conducted, with outcomes known at once where that is another, and the design alone."""
        every, points = found.curves, self.points
        protocol = next((curve for curve in every if self.base in curve.line.cases), None)
        curves: list[Along] = []
        if not points:
            main = protocol or every[0]
            if len(main.response):
                curves.append(
                    Along("conducted", tuple(main.response.tolist()), tuple(main.values["p_go"].tolist()))
                )
            points = {} if curves else {rate: point.values["p_go"] for rate, point in main.points.items()}
            protocol = None if protocol is None else every[0]
        if points:
            of = tuple(points.values())
            curves.append(Along("conducted", tuple(points), tuple(e.estimate for e in of), of))
        thin: list[tuple[Literal["at_once", "alone"], Curve | None]] = []
        if self.points:
            thin.append(("at_once", protocol))
        # where the toxicity rule and evaluability change nothing, the design alone is the trial with outcomes at once
        if self.points or protocol is not None:
            thin.append(("alone", every[0]))
        for what, curve in thin:
            if curve is not None and len(curve.response):
                p_go = curve.values["p_go"]
                conducted = np.interp(curve.response, curves[0].response, curves[0].p_go)
                same = not self.points and bool(np.abs(p_go - conducted).max() < NEARLY)
                curves.append(Along(what, tuple(curve.response.tolist()), tuple(p_go.tolist()), (), same))
        return tuple(curves)

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows: cases, then points; exact values have no error."""
        every: list[tuple[str, str | None, float, Estimate]] = [
            ("exact" if point.exact else "simulated", point.case, point.response, point.p_go)
            for point in self.cases
        ]
        every += [("simulated", None, response, estimate) for response, estimate in self.points.items()]
        return [
            {"kind": kind, "case": case, "response": response, "quantity": "p_go", "value": e.estimate}
            | ({"mcse": e.mcse, "low": e.low, "high": e.high} if kind == "simulated" else {})
            for kind, case, response, e in every
        ]


def as_conducted(trial: Compiled, results: Results, shown: Ranges, replicates: int, seed: int) -> AsConducted:
    """Cases from the results, points simulated where calendar time or several cohorts decide."""
    bare = cases_of(trial, results)
    if not simulated(trial) or results.replicates is None:
        return bare
    trials = trials_along(trial, bare.base, shown.finely)
    one = next(iter(trials.values()))
    most_patients = (PATIENTS if one.abreast else PATIENTS_SLOWLY) // (one.patients * len(trials))
    replicates = max(min(replicates, MAX_REPLICATES, most_patients), 1)
    drawn = tallies({repr(p): each for p, each in trials.items()}, replicates, seed)
    return with_points(bare, {p: drawn[repr(p)] for p in trials})


def simulated(trial: Compiled) -> bool:
    """Whether the trial as it is conducted is simulated: otherwise the exact curves are it."""
    return trial.dated or trial.scenario.own_rules


def cases_of(trial: Compiled, results: Results) -> AsConducted:
    """The cases that have an answer, without points."""
    truths = trial.strata
    cases = tuple(
        CasePoint(oc.case, *_response(truths[oc.case]), *answer)
        for oc in results.cases
        if (answer := _p_go(oc)) is not None
    )
    harm = {name: tuple((r.toxicity, r.odds_ratio) for r in strata.rates) for name, strata in truths.items()}
    base = max(cases, key=lambda point: point.p_go.estimate).case if cases else next(iter(truths))
    alike = tuple(name for name, rates in harm.items() if rates == harm[base])
    return AsConducted(base, alike, cases, {}, 0)


def trials_along(trial: Compiled, base: str, rates: Iterable[float]) -> dict[float, Timed]:
    """The trials of a case with each of these response rates, the same at every dose and in every stratum."""
    truth = trial.strata[base]
    return {p: Timed.of(trial.rules, trial.calendar, _moved(truth, p).thresholds()) for p in rates}


def with_points(bare: AsConducted, drawn: Mapping[float, Tally]) -> AsConducted:
    """The same with P(go) at every rate that was simulated, as often at each."""
    points = {p: proportion(by_end(t.counts["ends"])["p_go"], t.replicates) for p, t in drawn.items()}
    return replace(bare, points=points, replicates=min(t.replicates for t in drawn.values()))


def _p_go(oc: OperatingCharacteristics) -> tuple[Estimate, bool] | None:
    """P(go) of a case and whether it is exact; None where there is no answer."""
    if oc.exact is not None:
        value = oc.exact.values["p_go"]
        return Estimate(value, 0.0, value, value), True
    return (oc.told["p_go"], False) if oc.simulated else None


def _response(truth: Strata) -> tuple[float, float]:
    """The response rate at the starting dose and the lowest at any dose, each the mean over strata."""
    by_dose = np.array(truth.shares) @ np.array([rates.response for rates in truth.rates])
    return round(float(by_dose[0]), 12), round(float(by_dose.min()), 12)


def _moved(truth: Strata, response: float) -> Strata:
    """The same truth with this response rate at every dose in every stratum, and no drift."""
    steady = truth.steady.rates
    rates = tuple(replace(each, response=(response,) * len(each.response)) for each in steady)
    return replace(truth, rates=rates)
