"""Designs found by their error rates in words: ideal ones, and those found in a scenario's own trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialsim.designs.finding import SEARCHES, FoundDesigns
from trialsim.engine.whole_trial_found import RobustDesigns
from trialsim.reporting.about import MADE_BY
from trialsim.reporting.pictures import undrawn
from trialsim.writing.numbers import Cell, listed, probability_cell, rate, value_cell
from trialsim.writing.report import Group, Pictures, Report, Row, Table, Words, plain, section


def report_of(found: FoundDesigns | RobustDesigns) -> Report:
    """The designs found, with what they do."""
    return _ideal(found) if isinstance(found, FoundDesigns) else _robust(found)


def document(found: FoundDesigns | RobustDesigns, _: Sequence[str] = ()) -> dict[str, Any]:
    """``results.json``; every answer's ``kind`` is the command that it answers."""
    return found.to_dict() | {"kind": found.kind, "design_kind": found.design_kind}


def _ideal(found: FoundDesigns) -> Report:
    setting = found.setting
    title = (
        f"Designs of kind {found.design_kind} for p0 = {rate(setting['p0'])}, p1 = {rate(setting['p1'])}, type I "
        f"error at most {setting['alpha']:g}, power at least {1 - setting['beta']:g}"
    )
    weighed = any(d.weight_low is not None for d in found)
    other = any(d.en is not None for d in found)
    heads = ("Criterion", "Design", "EN(p0)", "EN(p1)", "PET(p0)", "alpha", "power")
    rows: list[Row] = []
    for d in found:
        en = [value_cell("en", value) for value in (d.en_p0, d.en_p1)]
        chances = [probability_cell(value) for value in (d.pet_p0, d.type_i_error, d.power)]
        more: list[Cell | str] = [value_cell("en", d.en_p0 if d.en is None else d.en)] if other else []
        more += [_weights(d.weight_low, d.weight_high)] if weighed else []
        rows.append((d.criterion, d.design, *en, *chances, *more))
    table = Table(
        "designs",
        "Designs that keep both error rates",
        (*heads, *(("EN",) if other else ()), *((WEIGHT,) if weighed else ())),
        plain(rows),
        tuple(filter(None, (SEARCHES[found.design_kind].written_as, found.en_words, found.note))),
        words=(1,),
    )
    drawn = []
    if all(d.looks is not None for d in found):
        drawn = [undrawn("candidates", found)]
    method = section(
        "method",
        "How it was computed",
        Words(
            "By exact and complete search: every design up to the n named is looked at, or no other can be better. "
            "Each is worked out with every patient evaluable and no toxicity rule: alpha is its P(go) at p0, power "
            "that at p1, EN the expected number of patients and PET the probability of stopping early."
        ),
        folded=True,
    )
    answer = section("answer", "The designs", table, Pictures(tuple(drawn)))
    return Report(title, "Designs by their error rates", (answer, method), MADE_BY)


WEIGHT = "best for weight of n"


def _weights(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _robust(found: RobustDesigns) -> Report:
    setting = found.setting
    asked = (
        f"P(go) ≤ {setting['alpha']:g} in {listed(found.null)}; P(go) ≥ {1 - setting['beta']:g} in "
        f"{listed(found.alternative)}."
    )
    how = (
        "Exact, in the scenario's own trial: its dose reduction, toxicity rule, evaluability and association; every "
        "outcome known before the next patient (calendar time does not enter)."
    )
    answer = section(
        "answer",
        "The designs",
        Words(asked, "Asked:", "convention"),
        _designs(found) if found.designs else Words(found.why_none, mark="warning"),
        _attained(found),
        Words(how, mark="note"),
        Pictures((undrawn("whole_trial", found),)),
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
    note = f"EN under {found.null[0]}; alpha: largest P(go) over null cases; power: least over alternatives."
    heads = ("Criterion", "Design", "EN", "alpha", "power", *((WEIGHT,) if weighed else ()))
    return Table("designs", "Designs that keep both error rates", heads, plain(rows), (note,), words=(1,))


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
    return Table(
        "attained",
        "What each design does in this scenario’s trial",
        ("", "nominal", "P(go)", "EN", "PET", "P(tox stop)", "P(dose reduced)"),
        tuple(Group(title, rows) for title, rows in groups.items()),
        (legend, f"{found.note[:1].upper()}{found.note[1:]}."),
    )
