"""What a dose decision, a history and a prior make of the trial: the words and tables of the report, on the page."""

from __future__ import annotations

from collections.abc import Iterator

from htmltools import Tag, TagList
from shiny import render, ui

from trialsim.engine.bayesian import over_prior
from trialsim.engine.history import over_history
from trialsim.errors import TrialsimError
from trialsim.page.answering import Snapshot
from trialsim.page.outputs import WAITING, fault, told
from trialsim.page.session import Asked, Visit
from trialsim.page.tellings import Part, parts
from trialsim.reporting.run import believed
from trialsim.reporting.run.dose_arms import dose_arms
from trialsim.reporting.run.dose_decision import dose_decision
from trialsim.running.content import of_results
from trialsim.running.plain import from_start

TABS = {"which_dose": "Which dose", "doubt": "Doubt and prior"}
"""Name of an output -> what its tab says: the words of the group of the form that it answers."""

NO_DOSE = (
    "The scenario does not say which dose goes forward. Add a dose decision in the form, under “Which dose”; it needs "
    "two doses, and a toxicity rule that leads from one to the other."
)
MORE_OF_DOSE = (
    "Other rules on the same trials, a drift and what another allocation adds stand in the report "
    "(“Take it home”)."
)
NO_DOUBT = (
    "The scenario says nothing of what p0 rests on, nor of what the drug may be. Add either in the form, under “Doubt "
    "and prior”."
)

IN_THE_REPORT, ON_THE_PAGE = "“What calendar time changes”", "“Why it is what it is”"
"""What calendar time changes of P(go): where the report tells it, and where the page does."""


def serve(visit: Visit) -> None:
    """Work out and tell what is looked at."""
    asked: Asked[list[Part]] = Asked(visit)

    @render.ui
    def which_dose() -> TagList | Tag:
        snapshot = visit.snapshot()
        if snapshot is None:
            return TagList()
        found = of_the_doses(snapshot)
        more = ui.p(MORE_OF_DOSE, class_="note")
        return TagList(told(found), more) if found else ui.p(NO_DOSE, class_="note")

    @render.ui
    def doubt() -> TagList | Tag:
        snapshot = visit.snapshot()
        scenario = snapshot.trial.scenario if snapshot else None
        if snapshot is None or scenario is None:
            return TagList()
        if scenario.history is None and scenario.prior is None:
            return ui.p(NO_DOUBT, class_="note")
        found = asked(snapshot.draft.text, lambda: _of_the_doubt(snapshot))
        if isinstance(found, TrialsimError):
            return fault(found)
        return ui.p(WAITING, role="status") if found is None else told(found)


def of_the_doses(snapshot: Snapshot) -> list[Part]:
    """What becomes of the doses, as far as it is simulated; nothing where no dose decision is stated."""
    doc = of_results(snapshot.trial, snapshot.results, costs=False)
    return parts([dose_arms(doc) if from_start(doc) else dose_decision(doc)])


def of_the_doubt(snapshot: Snapshot) -> list[Part]:
    """What history and prior make of the type I error and of a go, exact."""
    doc = of_results(snapshot.trial, snapshot.results, costs=False)
    for name, found in (("history", over_history(snapshot.trial)), ("prior", over_prior(snapshot.trial))):
        doc |= {name: found.to_dict()} if found else {}
    sections = parts([believed.history(doc), believed.prior(doc)])
    return [each._replace(html=each.html.replace(IN_THE_REPORT, ON_THE_PAGE)) for each in sections]


def _of_the_doubt(snapshot: Snapshot) -> Iterator[list[Part]]:
    yield of_the_doubt(snapshot)
