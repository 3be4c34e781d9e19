"""See the trial: its decision rule and its numbers by case, then a picture of each thing one may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from htmltools import HTML, Tag, TagList
from shiny import Inputs, reactive, render, ui

from trialsim.engine.boundary_runs import boundary_runs
from trialsim.engine.curves import heat_map
from trialsim.engine.power_ledger import power_ledgers
from trialsim.engine.traces import Trace, trace
from trialsim.errors import TrialsimError
from trialsim.page.answering import Snapshot
from trialsim.page.heard import word, words_of
from trialsim.page.outputs import WAITING, output_picture, picture, told
from trialsim.page.pictures.boundary import boundary
from trialsim.page.pictures.en_pet import en_pet
from trialsim.page.pictures.harm import harm
from trialsim.page.pictures.heat_map import heat_map as heat
from trialsim.page.pictures.months import months
from trialsim.page.pictures.p_go import p_go
from trialsim.page.pictures.power_ledger import power_ledger
from trialsim.page.pictures.style import Picture
from trialsim.page.pictures.swimmer import swimmer
from trialsim.page.session import Asked, Held, Visit
from trialsim.page.tellings import parts
from trialsim.page.views import further

NAME, TITLE = "see", "The trial"

PICTURES = {
    "p_go": "Probability of a go",
    "ledger": "Why it is what it is",
    "en_pet": "Patients and early stops",
    "harm": "Harm",
    "months": "Months",
    "boundary": "Toxicity boundary",
    "swimmer": "One example trial",
    "heat": "Response and toxicity",
}
"""Name of a picture -> what its tab says."""

OF_A_CASE = ("ledger", "boundary", "swimmer")
"""Pictures of one case; the others show all cases, or no case of its own."""

ENOUGH = 10_000
"""Trials a case from which on what is simulated beside the run is simulated with as many."""

MOST_TRIALS = 100_000
"""The last example trial that can be looked at."""


def panel() -> Tag:
    """The answer first, then pictures."""
    more = {name: _chooser() for name in OF_A_CASE}
    step = {"type": "button", "data_act": "trial"}
    more["swimmer"] = ui.div(
        _chooser(),
        ui.p(
            ui.tags.button("Previous trial", **step, data_by="-1"),
            ui.tags.button("Next trial", **step, data_by="1"),
            class_="choice",
        ),
        ui.output_ui("swimmer_list"),
    )
    return ui.div(
        ui.h2("What the trial does", class_="visually-hidden"),
        ui.output_ui("state"),
        ui.output_ui("answer"),
        ui.navset_pill(
            *(
                ui.nav_panel(title, more.get(name), output_picture(name), value=name)
                for name, title in PICTURES.items()
            ),
            *(ui.nav_panel(title, ui.output_ui(name), value=name) for name, title in further.TABS.items()),
            id="picture",
        ),
        id="see",
    )


def _chooser() -> Tag:
    """The case in a picture of one case; it is the same in all of them."""
    return ui.tags.label("Case in this picture ", ui.tags.select(data_set="case"), class_="choice")


def serve(visit: Visit, inputs: Inputs) -> None:
    """Numbers and pictures of the latest snapshot; what is not on the screen is not worked out."""
    number = Held(1)

    @render.ui
    def state() -> Tag:
        snapshot = visit.snapshot()
        return ui.p(
            *(["Working out the first numbers …"] if snapshot is None else _state(snapshot)),
            class_="state",
            role="status",
        )

    @render.ui
    def answer() -> TagList | HTML:
        snapshot = visit.snapshot()
        return TagList() if snapshot is None else HTML(snapshot.in_words + snapshot.besides)

    @reactive.calc
    def cases() -> tuple[list[str], str]:
        snapshot = visit.snapshot()
        return (list(snapshot.trial.scenario.truth), _case(snapshot, None)) if snapshot else ([], "")

    offered: list[tuple[list[str], str]] = []

    @reactive.effect
    async def _() -> None:
        if cases() not in offered:
            offered[:] = [cases()]
            names, first = cases()
            await visit.connection.send_custom_message(
                "choices", {"of": "case", "names": names, "first": first}
            )

    @reactive.effect
    @reactive.event(inputs.act)
    def _() -> None:
        act = words_of(inputs.act())
        if act.get("act") == "trial" and act.get("by") in ("1", "-1"):
            number.set(min(max(number() + int(act["by"]), 1), MOST_TRIALS))

    def chosen(snapshot: Snapshot) -> str:
        return _case(snapshot, word(inputs.case()) if "case" in inputs else "")

    def shown(name: str, draw: Callable[[Snapshot], Picture | str | None]) -> None:
        """A picture, or the sentence that says why there is none."""

        @picture
        def drawn() -> Picture | str | None:
            snapshot = visit.snapshot()
            return draw(snapshot) if snapshot else None

        visit.connection.output(id=name)(drawn)

    further.serve(visit)
    asked: dict[str, Asked[Any]] = {name: Asked(visit) for name in ("ledger", "boundary", "swimmer", "heat")}

    def answered(
        name: str, key: Any, work: Callable[[], Any], draw: Callable[[Any], Picture | str], none: str
    ) -> Picture | str:
        found = asked[name](key, lambda: _one(work))
        if isinstance(found, TrialsimError):
            return str(found)
        if found is None:
            return WAITING
        return none if found is _NONE else draw(found)

    def of_ledger(snapshot: Snapshot) -> Picture | str:
        rough = not snapshot.done and snapshot.replicates < ENOUGH
        key = (snapshot.results.digest, snapshot.done, rough or snapshot.replicates, chosen(snapshot))
        return answered(
            "ledger",
            key[:3],
            lambda: power_ledgers(snapshot.trial, snapshot.results, jobs=1),
            lambda found: power_ledger(
                snapshot.trial.scenario,
                found.of(chosen(snapshot))[0],
                replicates=snapshot.replicates,
                provisional=not snapshot.done,
            ),
            "",
        )

    def of_boundary(snapshot: Snapshot) -> Picture | str:
        case, seed = chosen(snapshot), snapshot.trial.scenario.simulation.seed
        return answered(
            "boundary",
            (snapshot.results.digest, seed, case),
            lambda: boundary_runs(snapshot.trial, seed, case),
            lambda found: boundary(snapshot.trial, found),
            "There is no boundary for toxicity to draw: it takes a toxicity rule (“Doses and toxicity rule” in the "
            "form) and a case with a toxicity rate (“True rates”).",
        )

    def traced(snapshot: Snapshot) -> tuple[Any, Callable[[], Trace]]:
        case, which, scenario = chosen(snapshot), number(), snapshot.trial.scenario
        key = (snapshot.results.digest, scenario.simulation.seed, case, which)
        return key, lambda: trace(scenario, case, which)

    def of_trace(snapshot: Snapshot) -> Picture | str:
        return answered("swimmer", *traced(snapshot), swimmer, "")

    @render.ui
    def swimmer_list() -> TagList:
        snapshot = visit.snapshot()
        if snapshot is None or snapshot.trial.dated:
            return TagList()
        key, work = traced(snapshot)
        found = asked["swimmer"](key, lambda: _one(work))
        return told(parts(found.report().sections)) if isinstance(found, Trace) else TagList()

    def of_p_go(s: Snapshot) -> Picture:
        pins = [pin.along for pin in visit.pins() if pin.along and pin.snapshot.draft is not s.draft]
        curves = s.conducted.curves(s.curves)
        return p_go(s.trial, s.results, s.shown, s.conducted, curves, pins=pins, provisional=not s.done)

    shown("p_go", of_p_go)
    shown("ledger", of_ledger)
    shown("en_pet", lambda s: en_pet(s.results, provisional=not s.done))
    shown(
        "harm",
        lambda s: (
            harm(s.results, provisional=not s.done)
            if any(case.toxicity is not None for case in s.trial.scenario.truth.values())
            else "No case states a rate of toxicity: add one in the form, under “True rates”, to see how many "
            "patients are harmed."
        ),
    )
    shown(
        "months",
        lambda s: (
            months(s.results, provisional=not s.done)
            if s.trial.dated
            else "The scenario has no calendar time: add it in the form to see how long the trial takes."
        ),
    )
    shown("boundary", of_boundary)
    shown("swimmer", of_trace)
    shown(
        "heat",
        lambda s: answered(
            "heat",
            s.results.digest,
            lambda: heat_map(s.trial, s.shown.response, s.shown.toxicity),
            lambda found: heat(s.trial, found),
            "P(go) does not depend on toxicity here, or there is no exact answer over both rates.",
        ),
    )


_NONE: Any = object()


def _one(work: Callable[[], Any]) -> Iterator[Any]:
    """Work of one step, of which None is an answer."""
    found = work()
    yield _NONE if found is None else found


def _case(snapshot: Snapshot, wanted: Any) -> str:
    """The case that is looked at: the one that was chosen, else the one with the highest P(go)."""
    return wanted if wanted in snapshot.trial.scenario.truth else snapshot.conducted.base


def _state(snapshot: Snapshot) -> list[Tag | str]:
    """How far the numbers are those of a run."""
    if snapshot.done:
        return [
            "The numbers of ",
            ui.code("trialsim run"),
            f": {snapshot.replicates:,} simulated trials a case.",
        ]
    wanted = f" of {snapshot.wanted:,}" if snapshot.wanted else ""
    return [
        ui.strong("Provisional: "),
        f"{snapshot.replicates:,}{wanted} simulated trials a case so far; the numbers sharpen while you look.",
    ]
