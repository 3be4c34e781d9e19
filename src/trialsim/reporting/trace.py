"""One simulated trial in words: what happened to it, and to each patient; as a file too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trialsim.engine.traces import Trace
from trialsim.errors import OutputError
from trialsim.reporting.about import MADE_BY
from trialsim.reporting.pictures import undrawn
from trialsim.writing.csv import frame_to_csv
from trialsim.writing.folder import check_file, write_file
from trialsim.writing.numbers import NONE, Cell
from trialsim.writing.report import Picture, Pictures, Points, Report, Table, Words, plain, section

SUFFIXES = (".svg", ".png", ".pdf", ".csv")
"""What a trial can be written as, if not as a folder."""

DAYS = (
    "Days count from the start of the first patient. Seen: first sight of a counted response; known: response outcome "
    "known (a response: confirmed); onset: of toxicity; off: end of treatment."
)

HEADS = {
    "patient": "No.",
    "enrolled_day": "Enrolled",
    "dose": "Dose",
    "stratum": "Stratum",
    "cohort": "Cohort",
    "evaluable": "Evaluable",
    "response": "Response",
    "response_first_seen_day": "Seen",
    "outcome_known_day": "Known",
    "toxicity": "Toxicity",
    "toxicity_onset_day": "Onset",
    "serious": "Serious",
    "disease_control": "Control",
    "treatment_ended_day": "Off",
    "own_dose_reductions": "Reduced",
    "overrun": "Overrun",
    "reported": "Reported",
}
"""Columns of the table of patients."""

FLAGS = ("evaluable", "response", "toxicity", "serious", "disease_control", "overrun", "reported")
MOST_LETTERS = 30


def report_of(trace: Trace) -> Report:
    """The trial: how it ended, what happened when, every patient."""
    pictures: tuple[Picture, ...] = ()
    if trace.dated:
        pictures = (undrawn("swimmer", trace),)
    ended = f"Trial {trace.trial} of case {trace.case}, seed {trace.seed}: {trace.end}."
    events = section("events", "What happened", _events(trace))
    patients = section("patients", "The patients", _patients(trace), Pictures(pictures))
    about = (("Case", trace.case), ("Trial", str(trace.trial)), ("Seed", str(trace.seed)))
    first = section("trial", "", Words(ended, mark="convention"))
    return Report(trace.scenario, "One simulated trial", (first, events, patients), MADE_BY, about=about)


def _events(trace: Trace) -> Table | Points:
    if not trace.dated:
        return Points(tuple(event.what for event in trace.events))
    rows = ((Cell(f"{int(day or 0)}", day), Cell(what)) for day, what in trace.events)
    caption = "What happened, in days since the first patient started"
    return Table("events", caption, ("Day", "Event"), plain(rows), words=(1,))


def _patients(trace: Trace) -> Table:
    """The patients; what applies to nobody is left out."""
    patients = trace.patients
    shown = [
        name
        for name in HEADS
        if name in patients[0] and any(patient[name] is not None for patient in patients)
    ]
    if "cohort" in shown and all(patient["cohort"] == patient["stratum"] for patient in patients):
        shown.remove("stratum")
    if "reported" in shown and all(patient["reported"] for patient in patients):
        shown.remove("reported")
    rows = (tuple(_cell(name, patient[name]) for name in shown) for patient in patients)
    words = tuple(k for k, name in enumerate(shown) if name in ("dose", "stratum", "cohort"))
    notes = (DAYS,) if trace.dated else ()
    heads = tuple(HEADS[name] for name in shown)
    return Table("patients", "Patients in order of enrolment", heads, plain(rows), notes, words)


def _cell(name: str, value: Any) -> Cell:
    if value is None:
        return Cell(NONE)
    if name in FLAGS:
        return Cell("yes" if value else "no")
    if isinstance(value, float):
        return Cell(str(int(value)), value)
    text = str(value)
    return Cell(text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 3]}...")


def is_file(path: Path, *, force: bool = False) -> bool:
    """Whether a name is that of a file; refused before a trial is simulated where it can be neither file nor folder.

    Raises:
        OutputError: the ending is unknown, the file exists, or there is no folder to write it in.
    """
    if not path.suffix:
        return False
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(
            f"{path} cannot be written: its name must end in {', '.join(SUFFIXES[:-1])} or .csv, or be that of a "
            "folder, without an ending"
        )
    check_file(path, force=force)
    return True


def write(trace: Trace, path: Path, *, force: bool = False) -> None:
    """Write a trial as a table (.csv) or a swimmer plot, whole or not at all; the same trial gives the same bytes.

    Raises:
        OutputError: the file exists (without ``force``) or cannot be written.
        TrialsimError: a plot of a trial without a calendar.
    """
    is_file(path, force=force)
    if path.suffix.lower() == ".csv":
        content = frame_to_csv(trace.to_frame()).encode()
    else:
        from trialsim.figures.swimmer import draw

        content = draw(trace).drawing(path.suffix.lower()[1:])
    write_file(check_file(path, force=force), content)
