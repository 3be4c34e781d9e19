"""The tables of the page on calendar time, cohorts and analysis sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.engine.waiting import LEAVE_OUT, WEIGH, Waiting
from trialsim.quantities import is_probability, label
from trialsim.reporting.run.summary import largest_errors
from trialsim.running.content import Document
from trialsim.running.plain import cohort_names, counted, from_start, is_timed, own_rules
from trialsim.writing.numbers import (
    NONE,
    Cell,
    count,
    difference_cell,
    mcse_cell,
    percent,
    probability_cell,
    rate,
    rates,
    value_cell,
)
from trialsim.writing.report import Group, Row, Table, plain

OWN_ENDS = (
    "In the tables of the whole trial its end is the first of these that a cohort has: a go, consider, a stop for "
    "toxicity, no go at the planned n, too few evaluable patients, a stop for futility."
)
"""How the ends of cohorts add up to one."""


def changes(doc: Document) -> Table:
    """Calendar time against outcomes known at once, case by case."""
    groups = []
    for name, found in (doc["calendar_time_changes"] or {}).items():
        rows = [
            (
                label(quantity, doc["doses"], cohort_names(doc), own=own_rules(doc)),
                value_cell(quantity, row["at_once"]),
                value_cell(quantity, row["in_calendar_time"]),
                difference_cell(quantity, row["same_patients"]),
                mcse_cell(quantity, row["same_patients_mcse"]),
            )
            for quantity, row in found.items()
            if row["at_once"] or row["in_calendar_time"]
        ]
        groups.append(Group(name, rows))
    return Table(
        "changes",
        "What calendar time changes",
        ("Quantity", "Outcomes at once", "Calendar time", "Difference on the same patients", "mcse"),
        tuple(groups),
        (
            "Outcomes at once: exact, if every outcome were known before the next patient; calendar time: simulated. "
            "The difference is that of both trials simulated on the same patients, in which chance cancels, and not "
            "quite that of the two numbers beside it.",
        ),
    )


WAITS = {
    WEIGH: "Pending patients weighed (this scenario)",
    LEAVE_OUT: "Pending patients left out",
    "early_decision": "Wait until certain",
    "pause": "Wait, accrual pauses",
    "continue": "Wait, accrual goes on",
}


def pending(found: Sequence[Waiting]) -> Table:
    """Looks that weigh pending patients against waiting and against leaving them out; empty where they wait."""
    cases = dict.fromkeys(row.case for row in found if row.policy == WEIGH)
    groups = []
    for case in cases:
        rows: list[Row] = []
        for policy, words in WAITS.items():
            row = next(row for row in found if (row.case, row.policy) == (case, policy))
            cells: list[Cell] = []
            for name in ("p_go", "duration_months", "en"):
                both = row.found[name]
                cells.append(value_cell(name, both.other.estimate))
                gap = both.difference
                told = f"{difference_cell(name, gap.estimate).text} ({mcse_cell(name, gap.mcse).text})"
                cells.append(Cell(NONE if row.own else told))
            rows.append((words, *cells))
        groups.append(Group(case, rows))
    return Table(
        "pending",
        "Looks that weigh pending patients, against looks that wait",
        ("Interim look", "P(go)", "Difference", "Months", "Difference", "Patients", "Difference"),
        tuple(groups),
        (
            "Differences from this scenario's own looks, on the same patients, with their standard errors in brackets. "
            "P(go) at the response rate of no interest is the type I error, at the desired one the power. Months: to "
            f"the last outcome or decision.{_of_trials(found)}",
        ),
    )


def _of_trials(found: Sequence[Waiting]) -> str:
    """On how many trials a table of policies rests, which may be fewer than those of other tables."""
    if not found:
        return ""
    errors = [row.found["p_go"].other.mcse for row in found]
    return (
        f" From {count(found[0].replicates, 'trial')} a case: P(go) may differ from other tables by chance (mcse at "
        f"most {max(errors):.2g})."
    )


def durations(doc: Document) -> Table:
    """How long the trial takes, in what it spends its months, and who is enrolled while a decision is pending."""
    parts = ("accruing_months", "paused_months", "waiting_months")
    rows: list[Row] = []
    largest = 0.0
    for name, case in doc["cases"].items() if is_timed(doc) else ():
        values = case["simulated"]
        low, middle, high = (values[f"duration_{q}_months"]["estimate"] for q in ("p10", "median", "p90"))
        means = ("duration_months", *parts, "decision_months", "overrun")
        largest = max([largest, *(values[q]["mcse"] or 0.0 for q in means)])
        rows.append(
            (
                name,
                value_cell("duration_median_months", middle),
                f"{low:.1f}–{high:.1f}",
                *(value_cell(quantity, values[quantity]["estimate"]) for quantity in means),
            )
        )
    return Table(
        "durations",
        "How long the trial takes, in months, and its overrun, in patients",
        (
            "Case", "Median", "10%–90%", "Mean", "Accruing", "Closed", "Waiting", "To the decision", "Overrun",
        ),
        plain(rows),
        (
            "From the first patient in to the last outcome known. The mean is the sum of the months accruing, "
            "with accrual closed (paused, on hold, or full), and waiting after accrual. Overrun: patients "
            f"enrolled while the decision that ended the trial was pending. mcse of a mean at most {largest:.2g}.",
        ),
    )  # fmt: skip


def cohorts(doc: Document) -> Table:
    """Patients, responses and (with own rules) the verdict of each cohort, or of each dose where these are cohorts."""
    if doc["cohorts"] is None or len(doc["cohorts"]["names"]) < 2:
        return Table("cohorts", "Cohorts", (), ())
    own, arms = doc["cohorts"]["rules"] == "own", from_start(doc)
    title = "Cohorts, each by its own rules" if own else "Cohorts, under pooled rules"
    last = "All cohorts (P(go): in at least one)" if own else "All cohorts"
    every, false = "Go in every cohort", "Go in a cohort at or below p0"
    if arms:
        title, last = "Doses, each by its own rules", "Both doses (P(go): for at least one)"
        every, false = "Go for both doses", "Go for a dose at or below p0"
    groups, errors = [], _Errors()
    for name, case in doc["cases"].items():
        exact = case["exact"] if "patients_cohort_1" in (case["exact"] or {}) else None
        if not (known := exact or case["simulated"]):
            continue
        case = {**case, "exact": exact}
        rows = []
        for c, cohort in enumerate(doc["cohorts"]["names"], start=1):
            quantities = [f"{what}_cohort_{c}" for what in ("patients", "evaluable", "responses")]
            quantities += [f"p_go_cohort_{c}"] if own else []
            rows.append((cohort, *errors.cells(case, quantities)))
        rows.append(
            (last, *errors.cells(case, ["en", "en_evaluable", "responses", *(["p_go"] if own else [])]))
        )
        for q, words in {"p_go_all": every, "p_false_go": false}.items() if own else ():
            if q in known:
                rows.append((words, *[NONE] * 3, *errors.cells(case, [q])))
        groups.append(Group(name, rows))
    return Table(
        "cohorts",
        title,
        ("Dose" if arms else "Cohort", "Patients", "Evaluable", "Responses", *(["P(go)"] if own else [])),
        tuple(groups),
        (f"{errors}.", *([OWN_ENDS.replace("a cohort", "a dose") if arms else OWN_ENDS] if own else [])),
    )


class _Errors:
    """The largest Monte Carlo standard errors of the numbers of a table."""

    def __init__(self) -> None:
        self.mean = self.chance = 0.0

    def cells(self, case: Document, quantities: list[str]) -> list[Cell]:
        """The numbers of a case, exact where they are, else as they were counted."""
        for quantity in quantities if not case["exact"] else ():
            error = case["simulated"][quantity]["mcse"] or 0.0
            if is_probability(quantity):
                self.chance = max(self.chance, error)
            else:
                self.mean = max(self.mean, error)
        return [value_cell(quantity, counted(case, quantity)) for quantity in quantities]

    def __str__(self) -> str:
        if not self.mean and not self.chance:
            return "All exact"
        words = f"Simulated; mcse of a mean at most {self.mean:.2g}"
        return words + (f", of a probability at most {self.chance:.2g}" if self.chance else "")


def analysis_sets(doc: Document) -> Table:
    """All treated and evaluable patients side by side."""
    show = doc["evaluability"]["probability"] < 1 or any(
        row["p_go_evaluable"] is not None for row in doc["analysis_sets"].values()
    )
    told = any(row["p_go_evaluable"] is not None for row in doc["analysis_sets"].values())
    rows = []
    for name, row in doc["analysis_sets"].items() if show else ():
        verdicts = (
            [probability_cell(row["p_go_treated"]), probability_cell(row["p_go_evaluable"])] if told else []
        )
        shares = [_share(row["responses_per_treated"]), _share(row["responses_per_evaluable"])]
        counts = [value_cell("en", row[key]) for key in ("responses", "treated", "evaluable")]
        rows.append((name, *verdicts, *counts, *shares))
    heads = ["P(go), stated rule", "P(go), evaluable"] if told else []
    notes = ["Expected numbers, and their ratios. A response can only be counted in an evaluable patient."]
    if told:
        notes.append(
            "P(go), evaluable: the final look takes the evaluable patients alone, with the single-stage cut-off "
            "for their number, which can be stricter than the planned one; trials that end early keep their verdict."
        )
    shown = ["en", "en_evaluable", "responses", *(["p_go", "p_go_evaluable"] if told else [])]
    notes.append(largest_errors(doc, shown))
    return Table(
        "analysis-sets",
        "All treated patients and evaluable patients",
        ("Case", *heads, "Responses", "Treated", "Evaluable", "Per treated", "Per evaluable"),
        plain(rows),
        (" ".join(filter(None, notes)),),
    )


def _share(value: float | None) -> Cell | str:
    return NONE if value is None else Cell(percent(value), value)


def strata(doc: Document) -> Table:
    """The rates of each stratum, where a case has them differ."""
    groups = []
    for name, case in doc["cases"].items():
        rows = [
            (
                row["name"],
                *((NONE if row[key] is None else rates(row[key])) for key in ("response", "toxicity")),
                Cell(f"{row['odds_ratio']:g}", row["odds_ratio"]),
            )
            for row in case["truth"]["strata"] or ()
        ]
        if rows:
            groups.append(Group(name, rows))
    return Table(
        "strata",
        "The rates by stratum, in the cases in which strata differ",
        ("Stratum", "True response", "True toxicity", "Odds ratio"),
        tuple(groups),
        ("Elsewhere on this page the rates of such a case are averages over the strata, in their shares.",),
        words=(1, 2),
    )


def cells(doc: Document) -> Table:
    """Responses by cohort and dose as published, and what each case predicts for them."""
    groups: dict[int, tuple[str, list[Row]]] = {}
    for row in doc["check_cells"]:
        _, rows = groups.setdefault(row["number"], (_cell_title(row), []))
        marked = f"{row['case']} *" if row["fitted"] else row["case"]
        ends = row["interval_95"]
        rows.append(
            (
                marked,
                NONE if row["rate"] is None else Cell(rate(row["rate"]), row["rate"]),
                (NONE if ends is None else f"{ends[0]}–{ends[1]}"),
                probability_cell(row["p_two_sided"]),
            )
        )
    return Table(
        "cells",
        "Responses by cohort and dose, numbers of patients fixed as observed",
        ("Case", "Assumed rate", "Predicted, 95%", "Two-sided mid-p"),
        tuple(Group(title, rows) for title, rows in groups.values()),
        tuple(_cell_notes(doc)),
    )


def _cell_title(row: Document) -> str:
    where = f"{row['cohort'] or 'All cohorts'}, {row['dose'] or 'all doses'}"
    if row["responses"] is None:
        return f"{where}: unreported responses of {row['evaluable']} evaluable"
    compatible = f"{percent(row['low'])} – {percent(row['high'])}"
    return f"{where}: {row['responses']} of {row['evaluable']} evaluable (compatible rates {compatible})"


def _cell_notes(doc: Document) -> Iterator[str]:
    yield (
        "Compatible rates: Clopper-Pearson, 95%. Cells are parts of the totals and overlap: p-values are not "
        "adjusted, and there is no verdict. Where responses are unreported the prediction stands alone."
    )
    if any(row["fitted"] for row in doc["check_cells"]):
        yield "* The rate of this case was set from the total that these patients are part of."
    origins = dict.fromkeys(row["origin"] for row in doc["check_cells"])
    yield f"Where the counts come from: {' '.join(origins)}"
    for note in dict.fromkeys(row["note"] for row in doc["check_cells"] if row["note"]):
        yield f"No prediction: {note}."
