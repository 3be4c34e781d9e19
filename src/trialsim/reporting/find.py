"""Designs found by their error rates in words: ideal ones, and those found in a scenario's own trial."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trialsim.designs.efficiency_bound import ABOVE
from trialsim.designs.finding import DERIVED, FoundDesigns, held_words
from trialsim.designs.over_history import MEAN_TYPE_I
from trialsim.engine.whole_trial_found import ROOM, Dated, RobustDesigns
from trialsim.reporting.about import MADE_BY
from trialsim.reporting.pictures import undrawn
from trialsim.writing.numbers import Cell, count, listed, mcse_cell, probability_cell, rate, value_cell
from trialsim.writing.report import Block, Group, Pictures, Report, Row, Table, Terms, Words, plain, section


def report_of(found: FoundDesigns | RobustDesigns) -> Report:
    """The designs found, with what they do."""
    return _ideal(found) if isinstance(found, FoundDesigns) else _robust(found)


def document(found: FoundDesigns | RobustDesigns, _: Sequence[str] = ()) -> dict[str, Any]:
    """``results.json``; every answer's ``kind`` is the command that it answers."""
    return found.to_dict() | {"kind": found.kind, "design_kind": found.design_kind}


def _ideal(found: FoundDesigns) -> Report:
    weighed = any(d.weight_low is not None for d in found)
    other = any(d.en is not None for d in found)
    constants = any(d.constants for d in found)
    heads = ["Criterion", "Design", "EN(p0)", "EN(p1)", "PET(p0)", "alpha", "power"]
    measured = any(ABOVE in d.details for d in found)
    heads += ["above bound"] * measured
    heads += ["mean alpha"] * bool(found.history) + ["EN"] * other + [WEIGHT] * weighed + ["with"] * constants
    rows: list[Row] = []
    for d in found:
        en = [value_cell("en", value) for value in (d.en_p0, d.en_p1)]
        chances = [probability_cell(value) for value in (d.pet_p0, d.type_i_error, d.power)]
        above = d.details.get(ABOVE)
        more: list[Cell | str] = ["" if above is None else f"{above:.1f}%"] * measured
        more += [probability_cell(d.details.get(MEAN_TYPE_I))] * bool(found.history)
        more += [value_cell("en", d.en_p0 if d.en is None else d.en)] * other
        more += [_weights(d.weight_low, d.weight_high)] * weighed
        more += [", ".join(f"{key} {value:g}" for key, value in d.constants.items())] * constants
        bounded = found.within is not None and d.criterion != "minimax"
        criterion = f"{d.criterion} (n <= {found.within})" if bounded else d.criterion
        assert d.decisions is not None
        design = d.design if len(d.design) <= LONGEST else f"to n = {d.n} (its looks below)"
        rows.append((criterion, design, *en, *chances, *more))
    table = Table(
        "designs",
        _caption(found),
        tuple(heads),
        plain(rows),
        tuple(
            filter(
                None,
                (
                    found.written_as,
                    _dash(found),
                    found.en_words,
                    found.note,
                    _history(found),
                    _bound(found) * measured,
                ),
            )
        ),
        words=(1,),
    )
    drawn = []
    if all(d.looks is not None for d in found) and "p0" in found.setting:
        drawn = [undrawn("candidates", found)]
    covered = "Every design within what is named as searched is looked at, or no other can be better."
    if "not proved" in found.note:
        covered = "The search ended before every design within what is named as searched was settled."
    method = section(
        "method",
        "How it was computed",
        Words(
            f"{covered} Each is worked out with every patient evaluable and no toxicity rule: alpha is its P(go) at "
            "p0, power that at p1, EN the expected number of patients and PET the probability of stopping early."
        ),
        folded=True,
    )
    long = [(f"{d.criterion}, n = {d.n}", d.design) for d in found if len(d.design) > LONGEST]
    held = held_words(found.held)
    searched = (f"Searched: {found.covered}", held)
    if (set(found.held) - {"every"}) & set(re.findall(r"\w+", found.covered)):
        # "all n1" is not what was searched where n1 is stated
        searched = (f"Searched, where not held fixed: {found.covered}", held)
    blocks: list[Block] = [table, *([Terms(tuple(long))] if long else [])]
    answer = section(
        "answer", "The designs", *blocks, Words(f"{'; '.join(filter(None, searched))}.", mark="note"),
        Pictures(tuple(drawn)),
    )  # fmt: skip
    return Report(_title(found), "Designs by their error rates", (answer, method), MADE_BY)


def _dash(found: FoundDesigns) -> str:
    """What a dash in place of a cut-off means, where one is printed."""
    return "a dash: never futile there" if any(re.search(r"(^| )-:", d.design) for d in found) else ""


def _history(found: FoundDesigns) -> str:
    """What the mean type I error is a mean over; "" where it was not asked for."""
    if not found.history:
        return ""
    counts, _, control = found.history.partition(": ")
    return (
        f"mean alpha: mean type I error by the design alone, P(go) of a drug that is no better than the control, over "
        f"what the control’s rate may be given {counts} responses: {control}; no bound"
    )


def _caption(found: FoundDesigns) -> str:
    if found.design_kind in DERIVED:
        return "What follows from what is stated"
    return f"Designs that keep {'both error rates' if 'beta' in found.setting else 'alpha'}"


def _title(found: FoundDesigns) -> str:
    setting = found.setting
    stated = [f"{name} = {rate(setting[name])}" for name in ("p0", "p1") if name in setting]
    if "alpha" in setting:
        nominal = " (nominal)" if found.design_kind == "fleming" else ""
        stated.append(f"type I error at most {setting['alpha']:g}{nominal}")
    if "beta" in setting:
        stated.append(f"power at least {1 - setting['beta']:g}")
    return f"Designs of kind {found.design_kind} for {', '.join(stated)}"


LONGEST = 60
"""Letters of a design that fit into a table; the looks of a longer one stand below it."""

WEIGHT = "best for weight of n"


def _bound(found: FoundDesigns) -> str:
    """What EN(p0) is compared with; it may be that no design reaches it."""
    many = (
        f"with n <= {found.within}"
        if found.design_kind == "optimal_looks"
        else "of as many patients or fewer"
    )
    return (
        f"above bound: EN(p0) above what no design {many} can go below at these error rates, not even with a look "
        "after every patient"
    )


def _weights(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _robust(found: RobustDesigns) -> Report:
    setting = found.setting
    asked = (
        f"P(go) ≤ {setting['alpha']:g} in {listed(found.null)}; P(go) ≥ {1 - setting['beta']:g} in "
        f"{listed(found.alternative)}."
    )
    what = "The table of every outcome known at once is exact" if found.dated else "Exact"
    how = (
        f"{what}, in the scenario's own trial: its dose reduction, toxicity rule, evaluability and association; every "
        "outcome known before the next patient (calendar time does not enter)."
    )
    dated: list[Block] = []
    drawn: list[Block] = [Pictures((undrawn("whole_trial", found),))]
    if found.dated is not None:  # the figure is of exact answers at once
        dated, drawn = [_dated(found), Words(_simulated(found, found.dated), mark="note")], []
    answer = section(
        "answer",
        "The designs",
        Words(asked, "Asked:", "convention"),
        _designs(found) if found.designs else Words(found.why_none, mark="warning"),
        *dated,
        _attained(found),
        Words(how, mark="note"),
        *drawn,
    )
    title = f"{found.words.capitalize()}s for: {found.scenario}"
    return Report(title, "Designs for the scenario’s own trial", (answer,), MADE_BY)


def _designs(found: RobustDesigns) -> Table:
    weighed = found.designs[0].weights is not None
    rows: list[Row] = []
    for d in found.designs:
        cells = [value_cell("en", d.en), probability_cell(d.type_i_error), probability_cell(d.power)]
        more = [_weights(*(d.weights or (None, None)))] if weighed else []
        rows.append((d.criterion, str(d), *cells, *more))
    where = ", in calendar time (simulated)" if found.dated else ""
    note = f"EN under {found.null[0]}; alpha: largest P(go) over null cases; power: least over alternatives{where}."
    heads = ("Criterion", "Design", "EN", "alpha", "power", *((WEIGHT,) if weighed else ()))
    return Table("designs", "Designs that keep both error rates", heads, plain(rows), (note,), words=(1,))


def _dated(found: RobustDesigns) -> Table:
    """What the designs found do in calendar time."""
    groups = []
    for criterion, cases in found.dated.designs.items() if found.dated else ():
        rows: list[Row] = []
        for case in cases:
            cells = [
                cell
                for name, each in (("p_go", case.p_go), ("en", case.en), ("duration_months", case.months))
                for cell in (value_cell(name, each.estimate), mcse_cell(name, each.mcse))
            ]
            rows.append((case.case, probability_cell(case.at_once), *cells))
        groups.append(Group(f"{criterion}: {found[criterion]}", rows))
    heads = ("", "P(go) at once", "P(go)", "error", "EN", "error", "Months", "error")
    note = (
        "P(go) at once is exact, with every outcome known before the next patient; the rest is in calendar time, with "
        "Monte Carlo standard errors."
    )
    return Table("calendar-time", "In calendar time", heads, tuple(groups), (note,))


def _simulated(found: RobustDesigns, dated: Dated) -> str:
    """How a search in calendar time was made, and what its errors mean."""
    searches = count(dated.rounds, "search", "searches")
    screened = (
        f"Screened exactly with alpha and power moved by what calendar time does to P(go), in {searches}"
    )
    if not dated.looked_at:
        low, high = (f"{100 * abs(room):g}" for room in ROOM)
        return (
            f"{screened}: none put a design forward, not even with {low} percentage points more of alpha and {high} "
            "fewer of power, so that none was simulated."
        )
    new = (
        "until no design put forward or kept gave another amount to search with"
        if dated.settled
        else "which still gave another amount to search with, so that a better design may be left"
    )
    simulated = (
        f"{count(dated.looked_at, 'design was', 'designs were')} simulated {dated.screened:,} times a case"
    )
    kept = f"those above {dated.replicates:,} times with other patients (seed {dated.seed})"
    return (
        f"{screened}, {new}. {simulated}, {kept if found.designs else 'and none kept both'}: "
        "the exact P(go) at once plus the difference on the same patients. Alpha and power are kept by these "
        "estimates: one within its error of the limit may lie beyond it."
    )


def _attained(found: RobustDesigns) -> Table:
    """What each design does in every case, the ideal ones too."""
    groups: dict[str, list[Row]] = {}
    for row in found.attained:
        nominal = "" if row.nominal is None else probability_cell(row.nominal)
        chances = [probability_cell(p) for p in (row.pet, row.p_stop_toxicity, row.p_dose_reduced)]
        cells = (row.case, nominal, probability_cell(row.p_go), value_cell("en", row.en), *chances)
        groups.setdefault(f"{row.label}: {row.design}", []).append(cells)
    written = "r/n: go if responses > r"
    if found.design_kind == "simon":
        written = "r1/n1 r/n: stop stage 1 if responses ≤ r1; go if responses > r"
    legend = (
        f"Written {written}. Ideal designs are found as if every patient were evaluable and toxicity stopped nothing; "
        f"nominal is the P(go) they promise at p0 = {found.setting['p0']:g} and p1 = {found.setting['p1']:g}."
    )
    at_once = ", with every outcome known at once" if found.dated else ""
    return Table(
        "attained",
        f"What each design does in this scenario’s trial{at_once}",
        ("", "nominal", "P(go)", "EN", "PET", "P(tox stop)", "P(dose reduced)"),
        tuple(Group(title, rows) for title, rows in groups.items()),
        (legend, f"{found.note[:1].upper()}{found.note[1:]}."),
    )
