"""Reports as parts of the page: what takes long, for a process of its own; what comes back is ready to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from trialsim.checks import check
from trialsim.errors import DesignError
from trialsim.given import read
from trialsim.inference import analyse
from trialsim.monitoring.aids import monitor
from trialsim.ongoing.status import status
from trialsim.page.pictures.analysis import analysis
from trialsim.page.pictures.compatibility import compatibility
from trialsim.page.pictures.monitor import monitor as chances
from trialsim.page.pictures.style import Picture
from trialsim.reporting.analyse import OTHERS
from trialsim.scenario.changes import ChangeError, changed
from trialsim.scenario.model import Scenario
from trialsim.sheets import csv_sheet
from trialsim.writing.html import fragments
from trialsim.writing.report import Block, Pictures, Points, Section, Words

RESTS = 1000
"""Rests of a running trial that the page simulates, in each case and by the posterior."""


class Part(NamedTuple):
    """A section of a report: its heading, what stands in it as HTML (all text escaped), whether it opens on demand."""

    title: str
    html: str
    folded: bool


Told = tuple[Picture | None, list[Part]]
"""An answer as the page shows it: a picture, where there is one, and the parts of its report."""


def drawn(found: Picture | str) -> Picture | None:
    """A picture, where there is one; why there is none stands in the report."""
    return found if isinstance(found, Picture) else None


def parts(sections: Iterable[Section]) -> list[Part]:
    """Sections without their figures, which the page draws itself."""
    return _parts([each for each in map(_undrawn, sections) if not each.is_empty])


def _parts(kept: Sequence[Section]) -> list[Part]:
    return [Part(each.title, html, each.folded) for each, html in zip(kept, fragments(kept), strict=True)]


def _undrawn(section: Section) -> Section:
    blocks = tuple(_here(block) for block in section.blocks if not isinstance(block, Pictures))
    inside = tuple(part for part in map(_undrawn, section.parts) if not part.is_empty)
    return replace(section, blocks=blocks, parts=inside)


def _here(block: Block) -> Block:
    """A block without what it says of files and options that the page does not have."""
    if not isinstance(block, Points):
        return block
    return Points(tuple(item for item in block.items if item != OTHERS and "CSV files" not in item))


def checked(scenario: Scenario, replicates: int) -> tuple[dict[str, Picture | str], list[Part]]:
    """The observed trial held against each case: a picture of each (or why there is none), and the report."""
    found = check(scenario, replicates=replicates, jobs=1)
    return {case: compatibility(found, case) for case in scenario.truth}, parts(found.report().sections)


def decisions(scenario: Scenario) -> Told:
    """The decision table of the protocol; how likely a go is from each look, on demand."""
    first, *powers = monitor(scenario).report().sections
    sheet = replace(first, title="The decision table of the protocol")
    later = [replace(each, title="How likely is a go from each look?", folded=True) for each in powers]
    return None, parts([sheet, *later])


PLACES = {
    "n": "Patients so far",
    "x": "Responses",
    "toxicities": "Patients with toxicity at the current dose",
    "dose": "Current dose",
    "at_dose": "Patients treated at the current dose",
    "treated": "Patients treated at all doses",
    "all_toxicities": "Patients with toxicity at all doses",
}
"""Where a trial stands: argument of ``monitor`` -> what is asked."""

_OPTIONS = {
    "--now": "where the trial stands",
    "--dose": PLACES["dose"],
    "--at-dose": PLACES["at_dose"],
    "--treated": PLACES["treated"],
    "--all-toxicities": PLACES["all_toxicities"],
}


def standing(scenario: Scenario, counts: Mapping[str, int]) -> Told:
    """What the protocol says now, and how the trial will end from where it stands if it goes on.

    Raises:
        DesignError: counts at which it cannot be, in words for who fills in a form.
    """
    place = dict(counts)
    if missing := [PLACES[key] for key in ("n", "x") if key not in place]:
        raise DesignError(f"not stated: {' and '.join(f'“{each}”' for each in missing)}")
    stated = [place.pop(key) for key in ("n", "x", "toxicities") if key in place]
    try:
        found = monitor(scenario, now=stated, **place)  # type: ignore[arg-type]
    except DesignError as error:
        raise DesignError(in_labels(str(error))) from None
    sheet, *later = found.report().sections
    said = tuple(
        replace(block, text=in_labels(block.text))
        for block in sheet.blocks
        if isinstance(block, Words) and block.mark == "box"
    )
    kept = later[-1].blocks if later and found.present else ()
    kept = (*said, *kept[:2], *(block for block in kept[2:] if isinstance(block, Points)))
    return drawn(chances(found)), parts([replace(sheet, title="", blocks=kept, parts=(), folded=False)])


def in_labels(message: str) -> str:
    """A sentence about options of the command line as one about the boxes of the form."""
    for option, label in _OPTIONS.items():
        message = re.sub(rf"{option}(?![-\w])(?: [A-Z](?:,[A-Z])*(?![\w=]))?", f"“{label}”", message)
    return message


def running(scenario: Scenario, text: str, on: str, extracted: str | None) -> list[Part]:
    """Where a trial under way stands, from the text of a file of its patients; with its figures as they are printed.

    Raises:
        TrialsimError: the file has faults, or a day is none.
    """
    found = status(
        scenario, csv_sheet(text, "the file"), on=on, extracted=extracted or None, replicates=RESTS, jobs=1
    )
    return _parts(found.report().sections)


COUNTS = {
    "treated": "Treated patients",
    "evaluable": "Evaluable patients",
    "responses": "Responses",
    "stage1.evaluable": "Evaluable patients in stage 1",
    "stage1.responses": "Responses in stage 1",
    "toxicities": "Treated patients with toxicity",
}
"""What an analysis asks of a trial that is over: key of ``observed`` -> what is asked."""


def analysed(scenario: Scenario, counts: Mapping[str, int] | None) -> Told:
    """The analysis of the observed trial of a scenario, or of ``counts`` in its place."""
    if counts is not None:
        block: dict[str, Any] = {key: value for key, value in counts.items() if "." not in key}
        stage1 = {key.partition(".")[2]: value for key, value in counts.items() if "." in key}
        try:
            scenario = changed(scenario, {"observed": block | ({"stage1": stage1} if stage1 else {})})
        except ChangeError as error:
            raise DesignError(error.message) from None
    found = analyse(scenario)
    return analysis(found.sets[0]), parts(found.report().sections)


def whole_numbers(typed: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, int]:
    """The boxes of a form that are filled in, as whole numbers.

    Raises:
        DesignError: what is typed is none.
    """
    stated = {
        key: typed[key].strip() for key in labels if isinstance(typed.get(key), str) and typed[key].strip()
    }
    return {key: int(read(text, f"“{labels[key]}”", whole=True, low=0)) for key, text in stated.items()}
