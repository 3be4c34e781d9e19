"""Example trials of a run, patient by patient, laid out for reading."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_uppercase

from trialsim.running.plain import Document, from_start, own_rules
from trialsim.writing.numbers import NONE, Cell
from trialsim.writing.report import Row, Table, beside, plain

ABREAST = 2
"""Patients set side by side in a table."""

SHORT = 14
"""Letters of a cell that is kept on one line."""

WHY = {
    "go": "the first that ends in a go",
    "stop": "the first that stops early for futility or toxicity",
    "reduced": "the first in which patients are treated at a lower dose and that does not end in a go",
}
"""The rule by which an example is chosen among the trials of a case, in the order of their numbers."""


def rule_words(doc: Document) -> str:
    """By which rule the examples were chosen."""
    parts = "; ".join(f"of “{row['case']}”, {WHY[row['kind']]}" for row in doc["examples"])
    return (
        f"Chosen by rule, each the first of its kind in the order in which the run numbers its trials: {parts}. They "
        "show how the rules work on patients; how often such a trial happens stands in the tables above."
    )


def title(row: Document) -> str:
    """The heading of an example."""
    return f"“{row['case']}”, trial {row['trial']}: {row['end']}"


def events(row: Document) -> list[str]:
    """What happened to the trial, one line a day; one line an event where there are no days."""
    days: dict[int | str, list[str]] = {}
    for number, event in enumerate(row["events"]):
        day = f"event {number}" if event["day"] is None else event["day"]
        days.setdefault(day, []).append(f"{event['what'][:1].upper()}{event['what'][1:]}.")
    return [
        " ".join(said) if isinstance(day, str) else f"Day {day}: {' '.join(said)}"
        for day, said in days.items()
    ]


def table(doc: Document, row: Document, number: int) -> Table:
    """The patients of an example in the order of enrolment, two abreast."""
    heads = ["Patient"]
    columns = row["patients"]
    dated = "enrolled_day" in columns
    heads += ["Day in"] if dated else []
    doses = len(set(columns["dose"])) > 1
    heads += ["Dose"] if doses else []
    # cohorts matter where they have rules of their own, and are not the doses; letters, so that two patients have
    # room side by side
    named = dict.fromkeys(columns.get("cohort", ())) if own_rules(doc) and not from_start(doc) else {}
    marks = [*ascii_uppercase, *(f"A{letter}" for letter in ascii_uppercase)]
    letters = dict(zip(named, marks, strict=False))
    heads += ["Cohort"] if letters else []
    heads += ["Response", *(["Toxicity"] if "toxicity" in columns else [])]
    words = [k for k, head in enumerate(heads * ABREAST) if head not in ("Patient", "Day in")]
    caption = f"The patients of trial {row['trial']} of case “{row['case']}”, in the order of enrolment"
    notes = []
    if not doses:
        notes.append(f"Every patient had {columns['dose'][0]}.")
    if letters:
        notes.append(f"Cohorts: {', '.join(f'{letter}, {name}' for name, letter in letters.items())}.")
    if dated:
        notes.append(
            "Day in: the day of enrolment, from the start of the first patient. A response is dated by its first "
            "sight, a toxicity by its onset."
        )
    if any(columns.get("overrun") or ()):
        notes.append("Overrun: enrolled while the decision that ended the trial was pending.")
    cells = [_patient(columns, i, dated, doses, letters) for i in range(len(row["patients"]["patient"]))]
    return Table(
        f"example-{number}",
        caption,
        tuple(heads * ABREAST),
        plain(beside(cells, ABREAST)),
        (" ".join(notes),) if notes else (),
        words=tuple(words),
    )


def _patient(columns: Document, i: int, dated: bool, doses: bool, letters: dict[str, str]) -> Row:
    cells = [Cell(str(columns["patient"][i]), columns["patient"][i])]
    if dated:
        cells.append(Cell(str(columns["enrolled_day"][i]), columns["enrolled_day"][i]))
    if doses:
        cells.append(Cell(_short(columns["dose"][i])))
    if letters:
        cells.append(Cell(letters[columns["cohort"][i]]))
    response = _seen(columns, i, "response", "response_first_seen_day")
    if not columns["evaluable"][i]:
        response = "not evaluable"
    if columns.get("overrun") and columns["overrun"][i]:
        response += ", overrun"
    cells.append(Cell(response))
    if "toxicity" in columns:
        serious = columns.get("serious", [None] * (i + 1))[i]
        toxicity = _seen(columns, i, "toxicity", "toxicity_onset_day")
        cells.append(Cell(f"serious, {toxicity}" if serious else toxicity))
    return tuple(cells)


def _seen(columns: Document, i: int, what: str, day: str) -> str:
    if columns[what][i] is None:
        return NONE
    if not columns[what][i]:
        return "no"
    seen = columns[day][i] if day in columns else None
    return "yes" if seen is None else _short(f"yes, day {seen}")


def _short(text: str) -> str:
    """A short text that is kept on one line."""
    return text.replace(" ", "\u00a0") if len(text) <= SHORT else text


def patient_rows(doc: Document) -> Iterator[Document]:
    """One row a patient of every example, for a CSV table."""
    for row in doc["examples"]:
        for i in range(len(row["patients"]["patient"])):
            values = {name: column[i] for name, column in row["patients"].items()}
            yield {"case": row["case"], "trial": row["trial"], **values}


def event_rows(doc: Document) -> Iterator[Document]:
    """One row an event of every example, for a CSV table."""
    for row in doc["examples"]:
        for event in row["events"]:
            yield {"case": row["case"], "trial": row["trial"], **event}
