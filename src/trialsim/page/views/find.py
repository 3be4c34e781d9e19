"""Find a design: what is searched for, the candidates, and the one that the scenario takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from htmltools import Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.designs.finding import DERIVED, KINDS, SEARCHES, FoundDesigns
from trialsim.designs.finding import find as search
from trialsim.errors import DesignError, TrialsimError
from trialsim.page.designing import LIMITS, NMAX, RATES, Key, arguments, block_of, keys, start
from trialsim.page.heard import form_of, word, words_of
from trialsim.page.outputs import box, fault, output_picture, picture, table_with, told
from trialsim.page.pictures.candidates import candidates
from trialsim.page.pictures.style import Picture
from trialsim.page.searches import SECONDS
from trialsim.page.session import Asked, Held, Visit
from trialsim.page.tellings import drawn, parts
from trialsim.writing.report import Table

NAME, TITLE = "find", "Find a design"

ASK = "find-ask"

KNOWN = (*SEARCHES, *DERIVED)
"""The kinds of designs that can be found."""


def panel() -> Tag:
    """What is asked, then what was found."""
    return ui.div(
        ui.p(
            "Every design that keeps both error rates is looked at, exactly: each with every patient evaluable and "
            f"without a toxicity rule. The page searches to n = {NMAX} at most, and for {SECONDS:.0f} s."
        ),
        ui.output_ui("find_kinds"),
        ui.output_ui("find_asks"),
        ui.output_ui("find_found"),
        output_picture("find_picture"),
        id="find",
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Search when asked to, and put the design that is chosen into the scenario."""
    asked: Held[tuple[int, dict[str, Any]] | None] = Held(None)
    typed: Held[dict[str, Any]] = Held({})
    refused = Held("")
    answer: Asked[FoundDesigns] = Asked(visit)

    @reactive.calc
    def stated() -> dict[str, Any]:
        """What the scenario says that a search begins with."""
        design = visit.draft().data.get("design")
        design = design if isinstance(design, dict) else {}
        return {key: design[key] for key in ("kind", *RATES) if key in design}

    def kind() -> str:
        chosen = word(inputs.find_kind()) if "find_kind" in inputs else ""
        return chosen if chosen in KNOWN else "simon"

    @render.ui
    def find_kinds() -> Tag:
        visit.opened()
        with reactive.isolate():
            present = stated().get("kind")
        options = (
            ui.tags.option(each.replace("_", " "), value=each, selected=each == present or None)
            for each in KNOWN
        )
        return ui.tags.label("Kind of design ", ui.tags.select(*options, id="find_kind"), class_="choice")

    @render.ui
    def find_asks() -> Tag:
        chosen = kind()
        stated()
        with reactive.isolate():
            design = visit.draft().data.get("design")
            begun = start(chosen, design if isinstance(design, dict) else {})
            held = {
                key: value
                for key, value in typed().items()
                if typed().get("kind") == chosen and key not in RATES
            }
        first = [
            _box(key, {**begun, **held})
            for key in keys(chosen)
            if key.needed or key.name in (*RATES, *LIMITS)
        ]
        more = [
            _box(key, {**begun, **held})
            for key in keys(chosen)
            if not key.needed and key.name not in (*RATES, *LIMITS)
        ]
        return ui.tags.form(
            ui.p((KINDS[chosen].__doc__ or "").splitlines()[0], class_="note"),
            *first,
            ui.tags.details(ui.tags.summary("Further conditions"), ui.div(*more)) if more else None,
            ui.p(ui.tags.button("Search", type="submit", data_act="search", data_with=ASK, data_kind=chosen)),
            id=ASK,
            class_="ask",
        )

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act, form = words_of(inputs.act()), form_of(inputs.act())
        if act.get("act") == "search" and act.get("kind") in KNOWN and form is not None:
            before = asked()
            typed.set({**form, "kind": act["kind"]})
            try:
                asked.set((before[0] + 1 if before else 1, arguments(act["kind"], form)))
                refused.set("")
            except DesignError as error:
                asked.set(None)
                refused.set(str(error))
        elif act.get("act") == "search-no-more":
            asked.set(None)
        elif act.get("act") == "use-design":
            use(act.get("which"))

    @reactive.effect
    @reactive.event(inputs.picked)
    def _() -> None:
        picked = words_of(inputs.picked())
        if picked.get("picture") == "candidates":
            use(picked.get("what", ""))

    def use(which: Any) -> None:
        """Put one of the designs found, by its short form, into the scenario."""
        found = answered()
        if isinstance(found, FoundDesigns) and which in (known := [str(each) for each in found]):
            design = found.designs[known.index(which)]
            present = visit.draft().data.get("design")
            visit.take(visit.draft().edited("design", block_of(found, design, present)), anew=True)

    def answered() -> FoundDesigns | TrialsimError | None:
        wanted = asked()
        if wanted is None:
            return answer(None, lambda: iter(()))
        return answer(wanted, lambda: visit.house.searches.call(search, **wanted[1]))

    @picture
    def find_picture() -> Picture | None:
        found = answered()
        if not isinstance(found, FoundDesigns):
            return None
        used = [str(design) for design, used in zip(found, _in_use(visit, found), strict=True) if used]
        return drawn(candidates(found, next(iter(used), "")))

    @render.ui
    def find_found() -> Tag | TagList:
        found = answered()
        if refused():
            return fault(refused())
        if asked() is None:
            return TagList()
        if isinstance(found, TrialsimError):
            return fault(found)
        if found is None:
            stop = ui.tags.button("Cancel", type="button", data_act="search-no-more")
            return ui.p("Searching … ", stop, role="status")
        return _told(found, _in_use(visit, found))


def _box(key: Key, values: Mapping[str, Any]) -> Tag:
    """A key of a search as a control."""
    value = values.get(key.name, "")
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    choices = None
    if key.choices:
        any_ = "all of them" if key.name == "criterion" else "as usual"
        choices = {"": any_, **{each: each.replace("_", " ") for each in key.choices}}
    return box(key.name, key.name.replace("_", " "), value, choices=choices, flag=key.flag, note=key.words)


def _in_use(visit: Visit, found: FoundDesigns) -> list[bool]:
    """Which of the designs the scenario has."""
    snapshot = visit.snapshot()
    looks = snapshot.trial.rules.looks if snapshot else None
    return [design.decisions == looks for design in found]


def _told(found: FoundDesigns, in_use: list[bool]) -> TagList:
    """The candidates with a button each, and the words of the report around them."""
    report = found.report()
    answer, *others = report.sections
    table = next(block for block in answer.blocks if isinstance(block, Table))
    beside = [
        ui.tags.span("in the scenario", class_="note")
        if used
        else ui.tags.button(
            "Use this design",
            type="button",
            data_act="use-design",
            data_which=str(design),
            aria_label=f"Use this design: {design.design} ({design.criterion})",
        )
        for design, used in zip(found, in_use, strict=True)
    ]
    rest = [block for block in answer.blocks if block is not table]
    notes = (ui.p(each, class_="note") for each in table.notes)
    return TagList(
        ui.h2(report.title),
        table_with(table, "In this scenario", beside),
        *notes,
        told(parts([replace(answer, title="", blocks=tuple(rest)), *others])),
    )
