"""The counts of a trial with the observed numbers of patients held fixed: no stopping rule enters."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np

from trialsim.checks.predictive import DRAWS, Sizes, compositions, pooled_pmf
from trialsim.checks.rows import GIVEN_SIZES, CaseCheck, row_of, verdict_of
from trialsim.designs.binomial import Float64, two_sided, two_sided_table
from trialsim.engine.patients import RATE_KEYS, cells_by_dose, rates_by_dose
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Int64, threshold
from trialsim.scenario.model import Case, Observed, Scenario

MAX_SPLITS = 3000
"""Most ways of splitting patients over doses that are tried where a publication does not report the split."""


def counts_of(observed: Observed) -> dict[str, tuple[int, int]]:
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


def _splits(
    observed: Observed, levels: int, *, response_varies: bool = True, toxicity_varies: bool = True
) -> list[Sizes]:
    """Every way the observed patients can have been spread over doses, given what is reported; [] if too many.

    Where a rate is the same at every dose the split behind it cannot matter, and one stands for all.
    """
    evaluable = observed.evaluable or 0
    treated = observed.treated if observed.treated is not None else evaluable
    at_evaluable = observed.evaluable_by_dose
    at_treated = observed.treated_by_dose if observed.treated is not None else at_evaluable

    def ways(patients: int) -> int:
        return comb(patients + levels - 1, levels - 1)

    def among(t: tuple[int, ...]) -> tuple[int, ...]:
        """Evaluable patients among the treated where their doses do not matter: the first ones."""
        left, first = evaluable, []
        for n in t:
            first.append(min(n, left))
            left -= first[-1]
        return tuple(first)

    # patients who were treated but not evaluable may have had any dose
    others = treated - evaluable
    if at_treated is not None:
        if at_evaluable is not None:
            return [Sizes(at_evaluable, at_treated)]
        if not response_varies:
            return [Sizes(among(at_treated), at_treated)]
        if ways(others) > MAX_SPLITS:
            return []
        fits = (
            o for o in compositions(others, levels) if all(x <= t for x, t in zip(o, at_treated, strict=True))
        )
        return [Sizes(tuple(t - x for t, x in zip(at_treated, o, strict=True)), at_treated) for o in fits]
    if at_evaluable is None and not response_varies:
        if ways(treated if toxicity_varies else 0) > MAX_SPLITS:
            return []
        splits = compositions(treated, levels) if toxicity_varies else [(treated, *(0,) * (levels - 1))]
        return [Sizes(among(t), t) for t in splits]
    rest_ways = ways(others) if toxicity_varies else 1
    if (1 if at_evaluable is not None else ways(evaluable)) * rest_ways > MAX_SPLITS:
        return []
    rest = compositions(others, levels) if toxicity_varies else [(*(0,) * (levels - 1), others)]
    known = [at_evaluable] if at_evaluable is not None else compositions(evaluable, levels)
    return [Sizes(e, tuple(x + y for x, y in zip(e, o, strict=True))) for e in known for o in rest]


def _pmfs(
    scenario: Scenario, case: Case, sizes: Sizes, counts: dict[str, tuple[int, int]]
) -> dict[str, Float64]:
    rates = rates_by_dose(scenario, case)
    unit = {"responses": sizes.evaluable, "disease_control": sizes.evaluable}
    return {q: pooled_pmf(unit.get(q, sizes.treated), rates[q]) for q in counts if q in rates}


def checks_given_sizes(
    scenario: Scenario,
    name: str,
    case: Case,
    observed: Observed,
    counts: dict[str, tuple[int, int]],
    seed: int,
) -> tuple[Sizes | None, list[CaseCheck]]:
    """The counts of one case with the numbers of patients fixed as observed, by dose where known."""
    rates = rates_by_dose(scenario, case)
    varies = {q for q in counts if q in rates and len(set(rates[q])) > 1}
    candidates = _splits(
        observed,
        len(scenario.doses),
        response_varies=bool(varies & {"responses", "disease_control"}),
        toxicity_varies=bool(varies & {"toxicities", "serious"}),
    )
    if not candidates:
        note = "the split over doses is unreported and has too many possibilities"
        return None, [CaseCheck(name, q, GIVEN_SIZES, y, n, note=note) for q, (y, n) in counts.items()]
    table = [_pmfs(scenario, case, sizes, counts) for sizes in candidates]
    p_values = [{q: two_sided(pmf, counts[q][0]) for q, pmf in pmfs.items()} for pmfs in table]
    # where the split is unreported the case gets the benefit of the doubt: the split least in conflict
    best = max(range(len(candidates)), key=lambda k: min(p_values[k].values(), default=0.0))
    sizes, pmfs = candidates[best], table[best]
    observed_counts = {q: counts[q][0] for q in pmfs}
    if len(scenario.doses) > 1 and observed.responses_by_dose and observed.evaluable_by_dose:
        response = rates_by_dose(scenario, case)["responses"]
        for level, (y, n) in enumerate(
            zip(observed.responses_by_dose, observed.evaluable_by_dose, strict=True)
        ):
            pmfs[f"responses_dose_{level + 1}"] = pooled_pmf((n,), (response[level],))
            observed_counts[f"responses_dose_{level + 1}"] = y
    if observed.stage1 is not None and observed.stage1.evaluable <= sum(sizes.evaluable):
        pmfs["stage1_responses"] = _stage1_pmf(scenario, case, sizes, observed.stage1.evaluable)
        observed_counts["stage1_responses"] = observed.stage1.responses
    fitted = {q for q in pmfs if is_fitted(scenario, name, case, q, observed_counts[q], len(pmfs[q]) - 1)}
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
        row = row_of(name, quantity, GIVEN_SIZES, observed_counts[quantity], pmf)
        p = adjusted.get(quantity)
        rows.append(replace(row, p_adjusted=p, verdict=verdict_of(p), fitted=quantity in fitted, note=note))
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
    return pooled_pmf(first, rates_by_dose(scenario, case)["responses"])


def is_fitted(scenario: Scenario, name: str, case: Case, quantity: str, count: int, denominator: int) -> bool:
    """Whether the rate was set from this very count: said in ``sources``, or plain from the digits."""
    base = (
        "responses" if quantity.startswith("responses_dose") or quantity == "stage1_responses" else quantity
    )
    path = f"truth.{name}.{RATE_KEYS[base]}"
    for key in (path, f"truth.{name}"):
        stated = scenario.sources[key].fitted if key in scenario.sources else None
        if stated is not None:
            return stated
    value = getattr(case, RATE_KEYS[base])
    if any(getattr(group, RATE_KEYS[base]) is not None for group in case.cohorts.values()):
        return False
    if not isinstance(value, float) or base == "disease_control" or quantity != base:
        return False
    # two or more significant digits that are the observed proportion, rounded, and no hypothesis of a design
    decimals = f"{value:.10f}".rstrip("0").partition(".")[2]
    designs = scenario.every_design.values()
    hypotheses = [getattr(design, key, None) for design in designs for key in ("p0", "p1")]
    return (
        len(decimals.lstrip("0")) >= 2
        and value not in hypotheses
        and round(count / denominator, len(decimals)) == value
    )


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
        0,
        out,
    )
    least = np.full(DRAWS, np.inf)
    tables = {q: two_sided_table(pmfs[q]) for q in family}
    for q in family:
        least = np.minimum(least, tables[q][out[:, column[q]]])
    raw = {q: float(tables[q][counts[q]]) for q in family}
    if len(family) == 1:
        return raw
    # the least of several p-values is at most each of them, so chance alone puts an adjusted p below the raw one
    as_small = {q: np.count_nonzero(least <= raw[q] * (1 + 1e-9)) for q in family}
    return {q: max(raw[q], float(as_small[q] + 1) / (DRAWS + 1)) for q in family}


def _prediction_thresholds(scenario: Scenario, case: Case) -> Int64:
    """(K, 5) integers for ``kernels.prediction``: an evaluable patient, whose outcomes have the stated margins."""
    rates = rates_by_dose(scenario, case)
    never = (0.0,) * len(scenario.doses)
    rows = []
    for (none, toxic, response, both), total, serious, controlled in zip(
        cells_by_dose(scenario, case).tolist(),
        rates.get("toxicities", never),
        rates.get("serious", never),
        rates.get("disease_control", rates["responses"]),
        strict=True,
    ):
        without = none + toxic
        chances = (
            response + both,
            _share(toxic, without),
            _share(both, response + both),
            _share(serious, total),
            _share(controlled - response - both, without),
        )
        rows.append([threshold(min(max(p, 0.0), 1.0)) for p in chances])
    return np.array(rows, dtype=np.int64)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
