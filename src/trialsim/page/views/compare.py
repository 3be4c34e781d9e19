"""Compare: what is on the screen against what was pinned, on the same patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from htmltools import Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.errors import TrialsimError
from trialsim.page import pins
from trialsim.page.answering import MOST_REPLICATES, Snapshot
from trialsim.page.heard import form_of, words_of
from trialsim.page.outputs import fault, told
from trialsim.page.pins import MARKS, MOST, Against, Pin
from trialsim.page.session import Asked, Visit, found_quickly
from trialsim.page.tellings import parts
from trialsim.varying.answers import WhatIf
from trialsim.varying.compare import Comparison

NAME, TITLE = "compare", "Compare"

LONGEST = 60
"""Characters of the name of a pin."""


def panel() -> Tag:
    """The pins, each with what differs from it."""
    return ui.div(
        ui.p(
            "Pin the trial that is on the screen, then change something: what differs is worked out on the same "
            f"patients, so that small differences show. At most {MOST} pins are kept, as long as this page is open."
        ),
        ui.output_ui("pin_more"),
        *(ui.div(ui.output_ui(f"pin_head_{k}"), ui.output_ui(f"pin_body_{k}")) for k in range(MOST)),
        id="compare",
    )


def serve(visit: Visit, inputs: Inputs) -> None:
    """Keep pins, and compare with them what is on the screen."""

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act, form = words_of(inputs.act()), form_of(inputs.act())
        kept, snapshot = visit.pins(), visit.snapshot()
        at = next((k for k, pin in enumerate(kept) if str(pin.key) == act.get("pin")), None)
        if act.get("act") == "pin" and snapshot is not None and len(kept) < MOST:
            key = max((pin.key for pin in kept), default=0) + 1
            visit.pins.set((*kept, Pin(key, f"Pin {key}", snapshot)))
        elif act.get("act") == "unpin" and at is not None:
            visit.pins.set((*kept[:at], *kept[at + 1 :]))
        elif act.get("act") == "back" and at is not None:
            visit.take(kept[at].snapshot.draft, anew=True)
        elif act.get("act") == "name" and at is not None and form is not None:
            name = " ".join(str(form.get("name", "")).split())[:LONGEST]
            if name:
                visit.pins.set((*kept[:at], replace(kept[at], name=name), *kept[at + 1 :]))

    @reactive.effect
    def _() -> None:
        # the numbers of a pin go on sharpening as long as it is on the screen
        snapshot = visit.snapshot()
        with reactive.isolate():
            kept = visit.pins()
        if snapshot is not None:
            sharper = tuple(pin.sharper(snapshot) for pin in kept)
            if sharper != kept:
                visit.pins.set(sharper)

    @render.ui
    def pin_more() -> Tag:
        full = len(visit.pins()) >= MOST
        off = full or visit.snapshot() is None or None
        return ui.p(
            ui.tags.button("Pin what is on screen", type="button", data_act="pin", disabled=off),
            ui.tags.span(" Remove a pin to make room for another.", class_="note") if full else None,
        )

    for k in range(MOST):
        _shown(visit, k)


def _shown(visit: Visit, k: int) -> None:
    """The k-th pin."""
    asked: Asked[Against] = Asked(visit)

    @reactive.calc
    def named() -> tuple[int, str] | None:
        kept = visit.pins()
        return (kept[k].key, kept[k].name) if k < len(kept) else None

    @reactive.calc
    def differing() -> tuple[Pin, Snapshot] | None:
        """The pin and what is on the screen; numbers that sharpen are not a change of either."""
        kept, snapshot = visit.pins(), visit.snapshot()
        return (kept[k], snapshot) if k < len(kept) and snapshot else None

    @render.ui
    def head() -> TagList | Tag:
        pin = named()
        if pin is None:
            return TagList()
        key, name = str(pin[0]), pin[1]
        form = f"pin-name-{k}"
        return TagList(
            ui.h2(name),
            ui.tags.form(
                ui.tags.label(
                    "Name ", ui.tags.input(type="text", name="name", value=name, maxlength=str(LONGEST))
                ),
                ui.tags.button("Rename", type="submit", data_act="name", data_pin=key, data_with=form),
                ui.tags.button("Go back to it", type="button", data_act="back", data_pin=key),
                ui.tags.button("Remove", type="button", data_act="unpin", data_pin=key),
                id=form,
                class_="choice",
            ),
        )

    @render.ui
    def body() -> TagList | Tag:
        both = differing()
        if both is None:
            asked(None, lambda: iter(()))
            return TagList()
        pin, snapshot = both
        wanted = _wanted(pin)
        against = asked(
            (pin.key, pin.name, pin.snapshot.draft.text, snapshot.draft.text, wanted),
            lambda: _work(visit, pin, snapshot, wanted),
        )
        if isinstance(against, TrialsimError):
            return fault(f"The two cannot be compared on the same patients: {against}.")
        if against is None:
            return ui.p("Working out the differences …", role="status")
        if not against.words:
            return ui.p("Nothing that decides a number of the trial differs from this pin.", class_="note")
        inputs_ = ui.tags.ul(*(ui.tags.li(each) for each in against.words))
        changed = ui.div(ui.p("On screen, against this pin:"), inputs_)
        if against.found is None:
            return TagList(changed, ui.p("Working out the differences …", role="status"))
        how = ui.p(_how(against.found, wanted), role="status", class_="note")
        return TagList(changed, how, told(parts(pins.sections(against.found, pin.name, str(pin.key)))))

    visit.connection.output(id=f"pin_head_{k}")(head)
    visit.connection.output(id=f"pin_body_{k}")(body)


def _wanted(pin: Pin) -> int:
    """The replicates of the pinned scenario: its own, or as many as the precision takes that it asks for."""
    asked = pin.scenario.simulation
    return min(asked.replicates if not asked.precision else pin.snapshot.wanted or MARKS[-1], MOST_REPLICATES)


def _work(visit: Visit, pin: Pin, snapshot: Snapshot, wanted: int) -> Iterator[Any]:
    """The comparison, in steps; in a process of its own where a design is searched for at length."""
    asked = (pin.scenario, snapshot.trial.scenario, pin.name)
    if all(found_quickly(each.design) for each in asked[:2]):
        yield from pins.compared(*asked, wanted)
        return
    for replicates in sorted({*(mark for mark in MARKS if mark < wanted), wanted}):
        yield from visit.house.searches.call(pins.compared_at, *asked, replicates)


def _how(found: WhatIf | Comparison, wanted: int) -> str:
    """How far the simulated numbers are."""
    trials = f"{found.replicates:,} simulated trials a case, the same patients on both sides"
    error = "± is half of a 95% interval of the difference."
    if found.replicates < wanted:
        return f"Provisional: {trials}, of {wanted:,}; the differences sharpen while you look. {error}"
    exact = not any(found.not_exact.values())
    return f"Exact; {trials} as a check." if exact else f"{trials[0].upper()}{trials[1:]}. {error}"
