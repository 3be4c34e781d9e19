"""Whether the analyses under ``sensitivity`` can be made: every path, case, quantity and value at its line."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from trialsim.quantities import quantity_names
from trialsim.scenario import words
from trialsim.scenario.changes import ChangeError, changed, places, value_at
from trialsim.scenario.faults import Finding
from trialsim.scenario.model import Scenario
from trialsim.scenario.sensitivity import (
    Analysis,
    Grid,
    Prior,
    Priors,
    Sensitivity,
    Threshold,
    Tornado,
    WorstCase,
    quantities_of,
)

TAIL = 1e-6
"""Probability in each tail of a prior that is left out of account."""

MOST_VALUES = 60
"""Values of an input that are tried one by one before anything is computed; of more, the ends and the second."""

MOST_CORNERS = 64
"""Combinations of ends that are tried together; where there were more, each input is tried by itself."""

BLOCKS = {"conduct": "conduct", "dose_decision": "decision", "history": "history", "prior": "prior"}
"""Blocks of a scenario that bring quantities of their own, and by what such quantities are known."""

Point = dict[str, Any]


def impossible_analyses(scenario: Scenario) -> list[Finding]:
    """What is wrong with the ``sensitivity`` block of a scenario."""
    found = []
    if scenario.sensitivity is not None:
        for kind, name, analysis in scenario.sensitivity.all():
            at = ("sensitivity", kind, name)
            found += [Finding((*at, *f.path), f.message) for f in _impossible(scenario, analysis)]
    return found


def case_of(scenario: Scenario, analysis: Analysis) -> str:
    """The case that an analysis looks at."""
    return analysis.case or next(iter(scenario.truth))


NOT_STATED = "default (the file has no sensitivity block)"
"""The name of the analysis that a scenario without any is given."""


def stated_or_default(scenario: Scenario) -> Sensitivity:
    """The ``sensitivity`` block of a scenario; without one, a tornado of what every such trial hangs on.

    The case with the highest response rate, each of its inputs low and high: response .05 to either side, toxicity .10,
    the odds ratio halved and doubled, accrual too, withdrawals none and .05 a month, the evaluable share .10 less.
    """
    if scenario.sensitivity is not None:
        return scenario.sensitivity
    levels = len(scenario.doses)
    case = max(
        scenario.truth, key=lambda name: (scenario.truth[name].by_dose("response", levels) or (0.0,))[0]
    )
    truth, conduct = scenario.truth[case], scenario.conduct
    wanted: dict[str, tuple[Any, Any]] = {}
    for key, step in (("response", 0.05), ("toxicity", 0.1)):
        if rates := truth.by_dose(key, levels):
            low, high = ([round(min(max(p + d, 0.001), 0.999), 6) for p in rates] for d in (-step, step))
            wanted[f"truth.{case}.{key}"] = (low[0], high[0]) if len(set(rates)) == 1 else (low, high)
    if truth.toxicity is not None:
        wanted[f"truth.{case}.odds_ratio"] = (0.5 * truth.odds_ratio, 2.0 * truth.odds_ratio)
    share = scenario.evaluability.probability
    wanted["evaluability.probability"] = (round(max(share - 0.1, 0.05), 6), share)
    if conduct is not None:
        wanted["conduct.withdrawal_per_month"] = (0.0, max(0.05, 2 * conduct.withdrawal_per_month))
        if isinstance(pace := conduct.accrual.per_month, float | int):
            wanted["conduct.accrual.per_month"] = (pace / 2, pace * 2)
    quantities = ("p_go", "en") if conduct is None else ("p_go", "en", "duration_months")
    possible = {
        path: ends
        for path, ends in wanted.items()
        if ends[0] != ends[1] and all(_can_be(scenario, path, end) for end in ends)
    }
    return Sensitivity(tornado={NOT_STATED: Tornado(case=case, quantities=quantities, inputs=possible)})


def _can_be(scenario: Scenario, path: str, value: Any) -> bool:
    try:
        changed(scenario, {path: value})
    except ChangeError:
        return False
    return True


def base_value(scenario: Scenario, path: str) -> Any:
    """What the scenario states at a path, defaults included; the values by case where a ``*`` finds different ones."""
    full = scenario.model_dump(mode="json", by_alias=True)
    found = {words.path_text(place): value_at(full, place) for place in places(full, path)}
    values = list(found.values())
    return values[0] if all(value == values[0] for value in values) else found


def _missing(scenario: Scenario, case: str | None = None) -> dict[str, str]:
    """The quantities that an input which is not stated (of the case, else of any) would bring, and that input."""
    conduct, cohorts, named = scenario.conduct, scenario.cohorts, case if case in scenario.truth else None
    several = scenario.own_rules and cohorts is not None and len(cohorts.names) > 1
    missing = {} if several else {"p_go_all": "needs `cohorts.rules: own` and several cohorts"}
    if conduct is None:
        return missing
    for name, key in (("serious", "serious"), ("disease_control", "stable_disease")):
        if not any(
            any(truth.within(s.name, s.cohort_name).by_dose(key, len(scenario.doses)) or ())
            for each, truth in scenario.truth.items()
            for s in scenario.strata
            if named in (None, each)
        ):
            missing[name] = f"needs `truth.{named or next(iter(scenario.truth))}.{key}`"
    needs = {
        ("patients_reduced", "patients_off", "relative_dose_intensity"): (
            "patient_reductions",
            conduct.patient_reductions is not None,
        ),
        ("treated",): ("overrun: exclude", conduct.overrun == "exclude"),
        ("screened",): ("accrual.screening_failure", conduct.accrual.screening_failure > 0),
    }
    return missing | {
        name: f"needs `conduct.{key}`" for names, (key, there) in needs.items() if not there for name in names
    }


def known_quantities(scenario: Scenario, case: str | None = None) -> tuple[str, ...]:
    """The operating characteristics that analyses of a scenario (of one case) can watch."""
    cohorts = len(scenario.cohorts.names) if scenario.cohorts else 0
    needs = ["", "cohorts", *(name for key, name in BLOCKS.items() if getattr(scenario, key) is not None)]
    names = quantity_names(len(scenario.doses), cohorts, needs)
    no = {"p_go_averaged", "p_false_go", *_missing(scenario, case)}
    if getattr(scenario.design, "p0", None) is None:
        no.add("p_dose_inactive")
    return tuple(name for name in names if name not in no)


def _impossible(scenario: Scenario, analysis: Analysis) -> Iterator[Finding]:
    """What is wrong with one analysis; paths begin at its own block."""
    before = 0
    for finding in _names(scenario, analysis):
        before += 1
        yield finding
    for place, path in _inputs(analysis):
        try:
            base_value(scenario, path)
        except ChangeError as error:
            before += 1
            yield Finding(place, error.message)
    if before:
        return  # what else is wrong follows from that
    refused = list(itertools.islice(_refused(scenario, analysis), 2))
    if isinstance(analysis, Threshold) and len({finding.message for finding in refused}) < len(refused):
        yield Finding(("input",), refused[0].message)  # whatever the value
    else:
        yield from refused[:1]  # the next values would be refused for the same reason
    if isinstance(analysis, Tornado):
        yield from _bars(scenario, analysis)


def _names(scenario: Scenario, analysis: Analysis) -> Iterator[Finding]:
    cases = list(scenario.truth)
    if analysis.case is None and len(cases) > 1:
        yield Finding(("case",), f"missing: which case is looked at? (allowed: {words.listed(cases)})")
    elif analysis.case is not None and analysis.case not in cases:
        yield Finding(("case",), f"`{analysis.case}` is no case{words.meant(analysis.case, cases)}")
    known, dated = known_quantities(scenario, analysis.case), quantity_names(0, needs=("conduct",))
    for i, name in enumerate(quantities_of(analysis)):
        at = ("quantities", i) if isinstance(analysis, Tornado) else ("quantity",)
        if name not in known:
            needed = (key for key, need in BLOCKS.items() if name in quantity_names(0, needs=(need,)))
            block, why = next(needed, ""), _missing(scenario, analysis.case).get(name, "")
            if block and getattr(scenario, block) is None:
                why = f"needs the `{block}` block"
            near = words.nearest(name, known)
            hint = f"did you mean `{near}`?" if near else f"such are {words.listed(known[:6])}"
            yield Finding(at, f"`{name}` is no quantity of this scenario; {why or hint}")
        elif analysis.engine == "at_once" and name in dated:
            yield Finding(at, f"`{name}` belongs to calendar time; with `engine: at_once` there is none")


def _inputs(analysis: Analysis) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where each input is named, and its path."""
    if isinstance(analysis, Threshold):
        yield ("input",), analysis.input
        return
    key = "over" if isinstance(analysis, Grid | WorstCase) else "inputs"
    for path in getattr(analysis, key):
        yield (key, path), path


def _refused(scenario: Scenario, analysis: Analysis) -> Iterator[Finding]:
    """Values that are not possible, alone or with the ends of others."""
    for place, point in _tried(analysis):
        try:
            changed(scenario, point)
        except ChangeError as error:
            values = words.listed(f"{path} = {words.shown(value)}" for path, value in point.items())
            alone = len(point) == 1 and error.path in point
            yield Finding(place, error.message if alone else f"with {values}: {error.message}")


def _tried(analysis: Analysis) -> Iterator[tuple[tuple[str, ...], Point]]:
    """Values that must be possible, each at the place it would be told of: every one alone, then ends together."""
    ends: dict[str, tuple[Any, ...]] = {}
    key = "inputs"
    if isinstance(analysis, Threshold):
        for at, value in (("from", analysis.from_), ("to", analysis.to)):
            yield (at,), {analysis.input: value}
    elif isinstance(analysis, Tornado):
        ends = dict(analysis.inputs)
    elif isinstance(analysis, Grid):
        key, ends = "over", dict(analysis.axes())
    elif isinstance(analysis, WorstCase):
        key, ends = "over", dict(analysis.over)
    elif isinstance(analysis, Priors):
        ends = {path: support(prior) for path, prior in analysis.inputs.items()}
    for path, values in ends.items():
        for value in values if len(values) <= MOST_VALUES else (*values[:2], values[-1]):
            yield (key, path), {path: value}
    # the bars of a tornado never meet
    if len(ends) > 1 and 2 ** len(ends) <= MOST_CORNERS and not isinstance(analysis, Tornado):
        for corner in itertools.product(*((values[0], values[-1]) for values in ends.values())):
            yield (key,), dict(zip(ends, corner, strict=True))


def _bars(scenario: Scenario, analysis: Tornado) -> Iterator[Finding]:
    """Inputs that are not moved."""
    for path, (low, high) in analysis.inputs.items():
        if low == high:
            base = base_value(scenario, path)
            same = " and what the scenario states" if _same(base, low) else ""
            yield Finding(
                ("inputs", path), f"low and high are both {words.shown(low)}{same}: nothing is moved"
            )


def _same(base: Any, value: Any) -> bool:
    """Whether a stated value is this one; a list of the same rates counts as one rate."""
    return bool(base == value or (isinstance(base, list) and base and all(each == value for each in base)))


def support(prior: Prior) -> tuple[float, float]:
    """Between which values nearly all of a prior lies: all but TAIL on either side where it has no ends."""
    if prior.kind in ("beta", "logit_normal"):
        return quantile(prior, TAIL), quantile(prior, 1 - TAIL)
    return prior.numbers[0], prior.numbers[-1]


def quantile(prior: Prior, u: float) -> float:
    """The value below which a prior has probability u (0 < u < 1)."""
    numbers = prior.numbers
    match prior.kind:
        case "uniform":
            low, high = numbers
            return low + u * (high - low)
        case "log_uniform":
            low, high = numbers
            return float(low * (high / low) ** u)
        case "triangular":
            low, mode, high = numbers
            split = (mode - low) / (high - low)
            if u < split:
                return low + math.sqrt(u * (high - low) * (mode - low))
            return high - math.sqrt((1 - u) * (high - low) * (high - mode))
        case "logit_normal":
            from statistics import NormalDist

            median, sd = numbers
            logit = math.log(median) - math.log1p(-median) + sd * NormalDist().inv_cdf(u)
            return 1 / (1 + math.exp(-logit))
    from scipy.special import betaincinv

    return float(betaincinv(numbers[0], numbers[1], u))


def prior_words(prior: Prior) -> str:
    """A prior as it is written: beta(6, 34)."""
    return f"{prior.kind.replace('_', '-')}({words.listed(f'{number:g}' for number in prior.numbers)})"
