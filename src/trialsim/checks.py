"""Would the published result be surprising if a scenario were true? Compatibility, never confirmation.

The headline needs no design: the rates compatible with each observed count. Then each case is asked for the counts
it predicts with the observed numbers of patients held fixed (``given_sizes``), which no stopping rule can distort.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trialsim.designs.binomial import Float64, clopper_pearson
from trialsim.engine.exact import MAX_STATES, distribution, states
from trialsim.engine.montecarlo import paths
from trialsim.kernels.streams import stream_key, threshold
from trialsim.predictive import (
    DRAWS,
    Sizes,
    beta_binomial_pmf,
    compositions,
    interval,
    joint_pmf,
    mid_p,
    pooled_pmf,
    two_sided,
    two_sided_table,
)
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Case, Observed, Scenario
from trialsim.scenario.truth import Rates

if TYPE_CHECKING:
    import pandas as pd

GIVEN_SIZES, REACHED_N, UNCONDITIONAL, EXTERNAL = "given_sizes", "reached_n", "unconditional", "external"

VERDICTS = ((0.20, "compatible"), (0.05, "mild tension"), (0.01, "tension"), (0.0, "strong conflict"))
"""Least adjusted p for each verdict word."""

MAX_SPLITS = 3000
"""Most ways of splitting patients over doses that are tried where a publication does not report the split."""

RATE_KEYS = {"responses": "response", "disease_control": "stable_disease", "toxicities": "toxicity", "serious": "serious"}
"""The truth that each observed count speaks about."""

LABELS = {
    "responses": "Responses",
    "disease_control": "Disease control",
    "toxicities": "Patients with toxicity",
    "serious": "Patients with serious adverse events",
    "stage1_responses": "Responses in stage 1",
    "dose_reduced": "Dose reduced",
    "reaches_n": "Reaches the planned n",
    "patients_start_dose": "Evaluable patients at the starting dose",
}


@dataclass(frozen=True)
class Headline:
    """An observed count, the rates it is compatible with at 5%, and where each case's rate lies.

    ``candidates`` are the counts that a published percentage allows; ``position`` maps case to "inside", "below" or
    "above" the interval.
    """

    quantity: str
    observed: int
    denominator: int
    unit: str
    low: float
    high: float
    candidates: tuple[int, ...]
    rates: dict[str, float]
    position: dict[str, str]


@dataclass(frozen=True)
class Check:
    """One observed quantity under one case. ``pmf`` is the predictive distribution of the count."""

    case: str
    quantity: str
    conditioning: str
    observed: int
    denominator: int | None = None
    probability: float | None = None
    mid_p: float | None = None
    p_two_sided: float | None = None
    p_adjusted: float | None = None
    interval_50: tuple[int, int] | None = None
    interval_80: tuple[int, int] | None = None
    interval_95: tuple[int, int] | None = None
    verdict: str | None = None
    fitted: bool = False
    note: str = ""
    pmf: Float64 | None = None

    def to_dict(self) -> dict[str, Any]:
        """The row as it stands in ``results.json``."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "pmf"}


@dataclass(frozen=True)
class Curve:
    """Two-sided mid-p of an observed count against a common true rate: high where rate and count go together."""

    quantity: str
    rate: Float64
    p: Float64


@dataclass(frozen=True)
class LikelihoodRatio:
    """How many times more probable the named vector is under one case than under another, sizes fixed."""

    vector: tuple[str, ...]
    case: str
    against: str
    ratio: float | None


@dataclass(frozen=True)
class Checks:
    """Everything the observed trial has to say about a scenario, and what it cannot say."""

    headline: tuple[Headline, ...]
    rows: tuple[Check, ...]
    curves: tuple[Curve, ...]
    likelihood_ratios: tuple[LikelihoodRatio, ...]
    notes: tuple[str, ...]

    def __iter__(self) -> Iterator[Check]:
        return iter(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, one row a case, quantity and conditioning."""
        import pandas as pd

        return pd.DataFrame([row.to_dict() for row in self.rows])

    def __str__(self) -> str:
        lines = []
        for h in self.headline:
            lines.append(
                f"{LABELS[h.quantity]} {h.observed}/{h.denominator} {h.unit}: "
                f"rates from {h.low:.2%} to {h.high:.2%} are compatible at 5%"
            )
        for row in self.rows:
            p = "" if row.p_adjusted is None else f", adjusted p {row.p_adjusted:.3f}"
            of = "" if row.denominator is None else f"/{row.denominator}"
            predicted = f" predicted {row.interval_95[0]}-{row.interval_95[1]}" if row.interval_95 else ""
            chance = "" if row.probability is None else f" probability {row.probability:.4f}"
            word = row.verdict or ("fitted, no verdict" if row.fitted else "no verdict")
            lines.append(
                f"{row.case}: {label(row.quantity)} ({row.conditioning}) {row.observed}{of}{predicted}{chance}{p}: {word}"
            )
        return "\n".join([*lines, *self.notes])


def label(quantity: str) -> str:
    """The words for a checked quantity."""
    if quantity in LABELS:
        return LABELS[quantity]
    return f"Responses at dose {quantity.rpartition('_')[2]}"


def check(scenario: Scenario, *, seed: int | None = None) -> Checks:
    """Hold the observed trial of a scenario against each of its cases.

    ``seed`` (default: the scenario's) drives the joint draws behind multiplicity-adjusted p-values.
    """
    seed = scenario.simulation.seed if seed is None else seed
    observed = scenario.observed
    if observed is None:
        return Checks((), (), (), (), ("The scenario has no `observed` block: nothing to check against.",))
    counts = _counts(observed)
    rows: list[Check] = []
    splits: dict[str, Sizes] = {}
    for name, case in scenario.truth.items():
        sizes, given = _given_sizes(scenario, name, case, observed, counts, seed)
        rows += given
        if sizes is not None:
            splits[name] = sizes
        rows += _by_design(scenario, name, observed, seed)
    rows += _external(scenario, observed)
    return Checks(
        headline=_headlines(scenario, observed, counts, splits),
        rows=tuple(rows),
        curves=tuple(_curve(q, y, n) for q, (y, n) in counts.items()),
        likelihood_ratios=_likelihood_ratios(scenario, counts, splits),
        notes=_notes(scenario, observed),
    )


def _counts(observed: Observed) -> dict[str, tuple[int, int]]:
    """The totals that are known to the patient: quantity -> (count, denominator)."""
    found: dict[str, tuple[int, int]] = {}
    if observed.evaluable is not None:
        for name in ("responses", "disease_control"):
            count = getattr(observed, name)
            if count is not None:
                found[name] = (count, observed.evaluable)
    if observed.treated is not None:
        candidates = observed.toxicity_candidates()
        if len(candidates) == 1:
            found["toxicities"] = (candidates[0], observed.treated)
        if observed.serious is not None:
            found["serious"] = (observed.serious, observed.treated)
    return found


def _rates(scenario: Scenario, case: Case) -> dict[str, tuple[float, ...]]:
    """The rate by dose behind each quantity, where the case states it; response is among evaluable patients."""
    levels = len(scenario.doses)
    response = case.by_dose("response", levels)
    assert response is not None
    if scenario.evaluability.inevaluable == "nonresponders":
        response = tuple(p / scenario.evaluability.probability for p in response)
    rates = {"responses": response}
    stable = case.by_dose("stable_disease", levels)
    if stable is not None:
        rates["disease_control"] = tuple(p + (1 - p) * s for p, s in zip(response, stable, strict=True))
    for quantity in ("toxicities", "serious"):
        stated = case.by_dose(RATE_KEYS[quantity], levels)
        if stated is not None:
            rates[quantity] = stated
    return rates


def _splits(observed: Observed, levels: int) -> list[Sizes]:
    """Every way the observed patients can have been spread over doses, given what is reported; [] if too many."""
    evaluable, treated = observed.evaluable, observed.treated
    evaluable_splits = [observed.evaluable_by_dose] if observed.evaluable_by_dose else None
    treated_splits = [observed.treated_by_dose] if observed.treated_by_dose else None
    most = max(evaluable or 0, treated or 0)
    if levels > 2 and (evaluable_splits is None or treated_splits is None) and most ** (levels - 1) > MAX_SPLITS:
        return []
    if evaluable is None and treated is not None:
        return [Sizes((0,) * levels, t) for t in treated_splits or compositions(treated, levels)]
    assert evaluable is not None
    if treated is None:
        return [Sizes(e, e) for e in evaluable_splits or compositions(evaluable, levels)]
    others = compositions(treated - evaluable, levels)
    sizes = []
    for t in treated_splits or [None]:
        for e in evaluable_splits or [None]:
            if e is not None and t is not None:
                sizes.append(Sizes(e, t))
            elif t is not None:
                sizes += [
                    Sizes(tuple(x - y for x, y in zip(t, o, strict=True)), t)
                    for o in others
                    if all(x >= y for x, y in zip(t, o, strict=True))
                ]
            else:
                for split in [e] if e is not None else compositions(evaluable, levels):
                    # patients who were treated but not evaluable may have had either dose
                    sizes += [Sizes(split, tuple(x + y for x, y in zip(split, o, strict=True))) for o in others]
    return sizes if len(sizes) <= MAX_SPLITS else []


def _pmfs(scenario: Scenario, case: Case, sizes: Sizes, counts: dict[str, tuple[int, int]]) -> dict[str, Float64]:
    rates = _rates(scenario, case)
    unit = {"responses": sizes.evaluable, "disease_control": sizes.evaluable}
    return {q: pooled_pmf(unit.get(q, sizes.treated), rates[q]) for q in counts if q in rates}


def _given_sizes(
    scenario: Scenario, name: str, case: Case, observed: Observed, counts: dict[str, tuple[int, int]], seed: int
) -> tuple[Sizes | None, list[Check]]:
    """The counts of one case with the numbers of patients fixed as observed, by dose where known."""
    candidates = _splits(observed, len(scenario.doses))
    if not candidates:
        note = "the split over doses is unreported and has too many possibilities"
        return None, [Check(name, q, GIVEN_SIZES, y, n, note=note) for q, (y, n) in counts.items()]
    table = [_pmfs(scenario, case, sizes, counts) for sizes in candidates]
    p_values = [{q: two_sided(mid_p(pmf, counts[q][0])) for q, pmf in pmfs.items()} for pmfs in table]
    # where the split is unreported the case gets the benefit of the doubt: the split least in conflict
    best = max(range(len(candidates)), key=lambda k: min(p_values[k].values(), default=0.0))
    sizes, pmfs = candidates[best], table[best]
    observed_counts = {q: counts[q][0] for q in pmfs}
    if len(scenario.doses) > 1 and observed.responses_by_dose and observed.evaluable_by_dose:
        response = _rates(scenario, case)["responses"]
        for level, (y, n) in enumerate(zip(observed.responses_by_dose, observed.evaluable_by_dose, strict=True)):
            pmfs[f"responses_dose_{level + 1}"] = pooled_pmf((n,), (response[level],))
            observed_counts[f"responses_dose_{level + 1}"] = y
    if observed.stage1 is not None and observed.stage1.evaluable <= sum(sizes.evaluable):
        pmfs["stage1_responses"] = _stage1_pmf(scenario, case, sizes, observed.stage1.evaluable)
        observed_counts["stage1_responses"] = observed.stage1.responses
    fitted = {q for q in pmfs if _is_fitted(scenario, name, case, q, observed_counts[q], len(pmfs[q]) - 1)}
    adjusted = _adjusted(scenario, case, sizes, observed, pmfs, observed_counts, fitted, seed)
    rows = []
    for quantity, pmf in pmfs.items():
        spread = [p[quantity] for p in p_values if quantity in p]
        note = ""
        if spread and max(spread) - min(spread) > 1e-12:
            note = (
                f"the dose of every patient is not reported; over the possible splits the two-sided p runs from "
                f"{min(spread):.3g} to {max(spread):.3g}, and the split least in conflict is shown: "
                f"{_split_words(scenario, sizes, quantity)}"
            )
        row = _row(name, quantity, GIVEN_SIZES, observed_counts[quantity], pmf)
        p = adjusted.get(quantity)
        rows.append(
            replace(row, p_adjusted=p, verdict=_verdict(p), fitted=quantity in fitted, note=note)
        )
    return sizes, rows


def _split_words(scenario: Scenario, sizes: Sizes, quantity: str) -> str:
    unit = sizes.treated if quantity in ("toxicities", "serious") else sizes.evaluable
    return ", ".join(f"{n} at {dose}" for n, dose in zip(unit, scenario.doses, strict=True))


def _stage1_pmf(scenario: Scenario, case: Case, sizes: Sizes, stage1: int) -> Float64:
    """Responses among the first evaluable patients: the starting dose comes first in enrolment order."""
    left, first = stage1, []
    for n in sizes.evaluable:
        first.append(min(n, left))
        left -= first[-1]
    return pooled_pmf(first, _rates(scenario, case)["responses"])


def _row(case: str, quantity: str, conditioning: str, observed: int, pmf: Float64) -> Check:
    lower = mid_p(pmf, observed)
    return Check(
        case,
        quantity,
        conditioning,
        observed,
        len(pmf) - 1,
        mid_p=lower,
        p_two_sided=two_sided(lower),
        interval_50=interval(pmf, 0.50),
        interval_80=interval(pmf, 0.80),
        interval_95=interval(pmf, 0.95),
        pmf=pmf,
    )


def _verdict(p_adjusted: float | None) -> str | None:
    if p_adjusted is None:
        return None
    return next(word for least, word in VERDICTS if p_adjusted >= least)


def _is_fitted(scenario: Scenario, name: str, case: Case, quantity: str, count: int, denominator: int) -> bool:
    """Whether the rate was set from this very count: said in ``sources``, or plain from the digits."""
    base = "responses" if quantity.startswith("responses_dose") or quantity == "stage1_responses" else quantity
    path = f"truth.{name}.{RATE_KEYS[base]}"
    for key in (path, f"truth.{name}"):
        stated = scenario.sources[key].fitted if key in scenario.sources else None
        if stated is not None:
            return stated
    value = getattr(case, RATE_KEYS[base])
    if value is None or isinstance(value, tuple) or base == "disease_control" or quantity != base:
        return False
    digits = len(f"{value:.10f}".rstrip("0").partition(".")[2])
    return digits >= 2 and round(count / denominator, digits) == value


def _adjusted(
    scenario: Scenario,
    case: Case,
    sizes: Sizes,
    observed: Observed,
    pmfs: dict[str, Float64],
    counts: dict[str, int],
    fitted: set[str],
    seed: int,
) -> dict[str, float]:
    """Single-step min-p: how often the least two-sided p of a predicted trial is as small as each observed one."""
    from trialsim.kernels.prediction import BY_DOSE, predict

    family = [q for q in pmfs if q not in fitted]
    if not family:
        return {}
    levels = len(scenario.doses)
    column = {"responses": 0, "disease_control": 1, "toxicities": 2, "serious": 3, "stage1_responses": 4}
    column |= {f"responses_dose_{level + 1}": BY_DOSE + level for level in range(levels)}
    out = np.zeros((DRAWS, BY_DOSE + levels), dtype=np.int32)
    stage1 = observed.stage1.evaluable if observed.stage1 else 0
    predict(
        np.array(sizes.evaluable, dtype=np.int64),
        np.array(sizes.treated, dtype=np.int64),
        stage1,
        _prediction_thresholds(scenario, case),
        *stream_key(seed),
        out,
    )
    least = np.full(DRAWS, np.inf)
    tables = {q: two_sided_table(pmfs[q]) for q in family}
    for q in family:
        least = np.minimum(least, tables[q][out[:, column[q]]])
    return {q: float(np.count_nonzero(least <= tables[q][counts[q]] * (1 + 1e-9)) / DRAWS) for q in family}


def _evaluable_rates(scenario: Scenario, case: Case) -> Rates:
    """The truth among evaluable patients, with the stated margins and association."""
    levels = len(scenario.doses)
    toxicity = case.by_dose("toxicity", levels) or (0.0,) * levels
    return Rates(_rates(scenario, case)["responses"], toxicity, case.odds_ratio)


def _prediction_thresholds(scenario: Scenario, case: Case) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    levels = len(scenario.doses)
    outcome = _evaluable_rates(scenario, case).thresholds()[:, :3]
    toxicity = case.by_dose("toxicity", levels) or (0.0,) * levels
    serious = case.by_dose("serious", levels) or (0.0,) * levels
    stable = case.by_dose("stable_disease", levels) or (0.0,) * levels
    rows = [
        [threshold(s / t if t > 0 else 0.0), threshold(d)] for s, t, d in zip(serious, toxicity, stable, strict=True)
    ]
    return np.hstack([outcome, np.array(rows, dtype=np.int64)])


def _by_design(scenario: Scenario, name: str, observed: Observed, seed: int) -> list[Check]:
    """What the stated design adds: does the trial get as far as it did, and what is seen of those that do."""
    rules = compile_rules(scenario)
    rates = Rates.of(scenario.truth[name], scenario.evaluability, rules.levels)
    if states(rules, carried=True) > MAX_STATES:
        return []
    trial = distribution(rules, rates, totals=True)
    rows = []
    if observed.dose_reduced is not None:
        chance = trial.values["p_dose_reduced"]
        rows.append(
            Check(
                name,
                "dose_reduced",
                UNCONDITIONAL,
                int(observed.dose_reduced),
                probability=chance if observed.dose_reduced else 1 - chance,
                note="the probability of what was observed; a single flag carries no verdict",
            )
        )
    size = observed.evaluable if rules.replaced else observed.treated or observed.evaluable
    if size != rules.looks.planned_n:
        return rows
    reaches = 1 - trial.values["pet"]
    rows.append(
        Check(name, "reaches_n", UNCONDITIONAL, size, probability=reaches, note=f"planned n = {rules.looks.planned_n}")
    )
    if reaches < 1e-6:
        return rows
    assert trial.joint_responses is not None
    if observed.responses is not None and not rules.replaced:
        given = trial.joint_responses[rules.looks.planned_n] / trial.n[rules.looks.planned_n]
        rows.append(_row(name, "responses", REACHED_N, observed.responses, given))
    if rules.levels > 1 and observed.evaluable_by_dose is not None:
        rows += _start_dose(name, observed.evaluable_by_dose[0], paths(rules, rates, seed, 20_000), rules.looks.planned_n)
    return rows


def _start_dose(
    name: str, observed: int, trials: np.ndarray[tuple[int, int], np.dtype[np.int8]], planned_n: int
) -> list[Check]:
    """Evaluable patients at the starting dose among simulated trials that reached the planned n."""
    enrolled = trials > 0
    code = trials - 1
    reached = enrolled.sum(axis=1) >= planned_n
    if not reached.any():
        return []
    at_start = (enrolled & (code < 8) & (code & 4 > 0))[reached].sum(axis=1)
    pmf = np.bincount(at_start, minlength=trials.shape[1] + 1) / len(at_start)
    note = f"from {len(at_start):,} simulated trials that reached the planned n"
    return [replace(_row(name, "patients_start_dose", REACHED_N, observed, pmf), note=note)]


def _external(scenario: Scenario, observed: Observed) -> list[Check]:
    """The responses predicted from other trials alone, assuming one common rate (Jeffreys prior)."""
    if not scenario.related_trials or observed.responses is None or observed.evaluable is None:
        return []
    x = sum(trial.responses for trial in scenario.related_trials)
    m = sum(trial.evaluable for trial in scenario.related_trials)
    pmf = beta_binomial_pmf(observed.evaluable, x + 0.5, m - x + 0.5)
    names = ", ".join(f"{t.name} ({t.responses}/{t.evaluable})" for t in scenario.related_trials)
    row = _row("related trials", "responses", EXTERNAL, observed.responses, pmf)
    return [replace(row, note=f"predicted from {names}, assuming one common response rate, Jeffreys prior")]


def _headlines(
    scenario: Scenario, observed: Observed, counts: dict[str, tuple[int, int]], splits: dict[str, Sizes]
) -> tuple[Headline, ...]:
    found = []
    for quantity, (count, n) in counts.items():
        low, high = clopper_pearson(count, n)
        rates = {}
        for name, sizes in splits.items():
            by_dose = _rates(scenario, scenario.truth[name]).get(quantity)
            if by_dose is not None:
                unit = sizes.treated if quantity in ("toxicities", "serious") else sizes.evaluable
                rates[name] = sum(k * p for k, p in zip(unit, by_dose, strict=True)) / sum(unit)
        position = {k: "below" if p < low else "above" if p > high else "inside" for k, p in rates.items()}
        candidates = observed.toxicity_candidates() if quantity == "toxicities" else (count,)
        unit_word = "treated" if quantity in ("toxicities", "serious") else "evaluable"
        found.append(Headline(quantity, count, n, unit_word, low, high, candidates, rates, position))
    return tuple(found)


def _curve(quantity: str, count: int, n: int) -> Curve:
    from scipy.special import bdtr, bdtrc

    rate = np.linspace(0, 1, 1001)
    below = bdtr(count - 1, n, rate) if count else np.zeros_like(rate)
    lower = below + (1 - bdtrc(count, n, rate) - below) / 2
    return Curve(quantity, rate, np.clip(2 * np.minimum(lower, 1 - lower), 0, 1))


def _likelihood_ratios(
    scenario: Scenario, counts: dict[str, tuple[int, int]], splits: dict[str, Sizes]
) -> tuple[LikelihoodRatio, ...]:
    """Every case against the first, on (responses, toxicities) where both are known, else on responses."""
    names = [name for name in scenario.truth if name in splits]
    if "responses" not in counts or len(names) < 2 or not any(sum(s.evaluable) for s in splits.values()):
        return ()
    with_toxicity = "toxicities" in counts and all(scenario.truth[name].toxicity is not None for name in names)
    vector = ("responses", "toxicities") if with_toxicity else ("responses",)
    likelihood = {}
    for name in names:
        rates = _evaluable_rates(scenario, scenario.truth[name])
        table = rates.cells(replaced=False)
        cells = [{(r, t): float(row[2 + 2 * r + t]) for r in (0, 1) for t in (0, 1)} for row in table]
        joint = joint_pmf(splits[name], cells)
        y = counts["responses"][0]
        likelihood[name] = float(joint[y, counts["toxicities"][0]] if with_toxicity else joint[y].sum())
    first = names[0]
    return tuple(
        LikelihoodRatio(vector, name, first, likelihood[name] / likelihood[first] if likelihood[first] > 0 else None)
        for name in names[1:]
    )


def _notes(scenario: Scenario, observed: Observed) -> tuple[str, ...]:
    """What the check cannot say, and what was assumed, in sentences."""
    notes = [
        "The check asks whether the observed counts would be surprising if a case were true. Compatibility does not "
        "confirm a case: many other assumptions are as compatible.",
        "Sizes are fixed as observed, so no stopping rule enters the verdicts.",
    ]
    candidates = observed.toxicity_candidates()
    if observed.toxicity_percent is not None and len(candidates) == 1:
        notes.append(
            f"{observed.toxicity_percent}% of {observed.treated} treated patients is {candidates[0]} patients, the only "
            "count that rounds to it."
        )
    elif len(candidates) > 1:
        notes.append(
            f"{observed.toxicity_percent}% of {observed.treated} treated patients could be "
            f"{', '.join(map(str, candidates))}: state `observed.toxicities` to have it checked."
        )
    source = scenario.sources.get("design")
    if source is not None and source.assumed:
        notes.append(
            "The design is assumed, not taken from the publication: what depends on it is shown without a verdict."
        )
    return tuple(notes)
