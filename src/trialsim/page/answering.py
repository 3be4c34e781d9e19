"""What the page knows about a scenario, from the first glance to the numbers of `trialsim run`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from trialsim.designs.rules import Looks
from trialsim.engine.as_conducted import AsConducted, cases_of, simulated, trials_along, with_points
from trialsim.engine.curves import MAX_LINES, Curve, Curves, exact_values, lines
from trialsim.engine.exact import out_of_reach
from trialsim.engine.ranges import Ranges, ranges
from trialsim.engine.sharpening import FIRST, Drawn, sharpening
from trialsim.errors import TrialsimError
from trialsim.page.draft import Draft
from trialsim.reporting.run import dose_decision, first_page, rule_in_brief
from trialsim.results import Results
from trialsim.running.content import Document, of_results
from trialsim.running.inputs import inputs
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario
from trialsim.writing.html import fragment
from trialsim.writing.numbers import listed, rate
from trialsim.writing.report import Terms, Words, section

RATES = 16
"""Response rates along a curve, besides those that are marked."""

POINTS = 20_000
"""Simulated trials at each rate of a curve, in the end."""

BREATH = 0.12
"""Seconds that the browser has to itself to draw the first answer; a slider that moves on meets no work under way."""

NO_RULES = ("truth", "observed", "simulation", "name")
"""Blocks of a scenario that no rule of the protocol is made of."""

APART = 0.3
"""Seconds between two looks at numbers that grow sharper: each costs the browser a drawing."""

MOST_PATIENTS, MOST_REPLICATES = 1_000, 1_000_000
"""The largest trial that the page works out, and the most simulated trials a case; the command line takes more."""


@dataclass(frozen=True)
class Snapshot:
    """What is known so far.

    Attributes:
        trial: the scenario of the draft, compiled.
        shown: where axes begin and end, p0, p1 and the observed rate.
        results: exact, and simulated as far as it has got.
        curves: exact values by response rate: of the design alone at first, then of the trial with outcomes known at
            once too (from the start where that is the trial).
        conducted: P(go) of the cases, and by response rate where that is simulated.
        wanted: trials a case that `trialsim run` would simulate; None until they are planned.
        done: whether the numbers are those of `trialsim run`.
    """

    draft: Draft
    trial: Compiled
    shown: Ranges
    results: Results
    curves: Curves
    conducted: AsConducted
    wanted: int | None
    done: bool = False

    @cached_property
    def in_words(self) -> str:
        """The decision rule and the table of cases, as on the first page of a report but with every case, in HTML."""
        doc = self._doc
        words = Words(" ".join(rule_in_brief.rule(doc)), "The decision rule.", mark="box")
        return fragment(section("now", "", words, first_page.cases(doc, whole=True)))

    @cached_property
    def besides(self) -> str:
        """What the table of cases does not show, and where it is, in HTML."""
        return fragment(section("besides", "", *_besides(self._doc, self.trial.scenario)))

    @cached_property
    def _doc(self) -> Document:
        doc = of_results(self.trial, self.results, costs=False)
        doc["headline"] = self.trial.scenario.observed is not None  # all that the rule asks of it
        doc["inputs"] = inputs(self.trial.scenario, None, None)
        return doc

    @property
    def replicates(self) -> int:
        """Simulated trials a case so far."""
        return self.results.replicates or 0


def _besides(doc: Document, scenario: Scenario) -> Iterator[Terms | Words]:
    if "dose_decision" in doc:
        yield Terms((("Which dose goes forward", dose_decision.brief(doc)),))
    if scenario.history is not None or scenario.prior is not None:
        yield Words("What the history and the prior say of a go stands under “Doubt and prior”.", mark="note")
    rates = [case["truth"]["response"] for case in doc["cases"].values()]
    stated = {name: doc["design"][name] for name in ("p0", "p1")}
    missed = [
        f"{name} = {rate(p)}"
        for name, p in stated.items()
        if p is not None and not any(r[0] == p for r in rates)
    ]
    if missed:
        yield Words(
            f"No case begins with the true response rate {listed(missed, 'or')}: cases keep their rates when p0 and p1 "
            "are changed, and are changed under “True rates”.",
            mark="note",
        )


def answers(
    draft: Draft, looks: Looks | None = None, before: Compiled | None = None
) -> Iterator[Snapshot | None]:
    """Everything that moves with a slider, sharper and sharper; None is a pause without anything new.

    Args:
        draft: one that has a scenario.
        looks: those of its design, where they were found already.
        before: a trial whose rules hold for this one too where only its true rates or counts are others.

    Raises:
        TrialsimError: the trial cannot be, or is larger than the page works out.
    """
    scenario = draft.scenario
    assert scenario is not None
    rules = before.rules if before and _same_rules(before.scenario, scenario) else None
    trial = Compiled(scenario, rules or compile_rules(scenario, looks))
    _affordable(trial)
    shown = ranges(trial)
    asked = scenario.simulation
    sharper = sharpening(trial)
    results = next(sharper)
    assert results is not None
    rates = _along(shown)
    bare = cases_of(trial, results)
    drawn, curves = None, _curves(trial, rates, everything=not simulated(trial))
    if simulated(trial):
        trials = trials_along(trial, bare.base, rates)
        drawn = Drawn({repr(p): each for p, each in trials.items()}, asked.seed)
        drawn.more(FIRST)
    wanted = None if asked.precision else asked.replicates

    def now(results: Results, done: bool = False) -> Snapshot:
        conducted = cases_of(trial, results)
        if drawn:
            # the curve belongs to the case it was begun with, even if a later count puts another ahead
            points = {p: drawn.tallies[repr(p)] for p in rates}
            conducted = with_points(replace(conducted, base=bare.base, alike=bare.alike), points)
        found = Snapshot(draft, trial, shown, results, curves, conducted, wanted, done)
        _ = found.in_words  # here, not where everybody waits for it
        return found

    yield now(results)
    yield from still(BREATH)
    if simulated(trial):
        curves = _curves(trial, rates, everything=True)
        yield None
    latest, last, told = results, False, time.monotonic()
    while not last or (drawn and drawn.replicates < POINTS):
        reached = latest.replicates or 0
        # the cases come first, at a quarter of the work; the curve follows
        if (
            drawn
            and drawn.replicates < POINTS
            and (last or reached > 10 * drawn.replicates or reached >= POINTS)
        ):
            drawn.more(POINTS)
            yield None
        if not last:
            found = next(sharper, latest)
            last = found is latest
            latest = found or latest
            if latest.planned:
                wanted = latest.planned.replicates
        first_time = reached < POINTS <= (latest.replicates or 0)
        if first_time or time.monotonic() - told > APART:
            yield now(latest)
            told = time.monotonic()
        else:
            yield None
    yield now(latest, done=True)


def _same_rules(one: Scenario, other: Scenario) -> bool:
    """Whether two scenarios have the same protocol."""
    return all(
        getattr(one, key) == getattr(other, key) for key in Scenario.model_fields if key not in NO_RULES
    )


def still(seconds: float) -> Iterator[None]:
    """Nothing to do for a while, in which the work can be called off."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.02))
        yield None


def _along(shown: Ranges) -> list[float]:
    """The rates of a curve: evenly spread, p0, p1 and the observed rate among them."""
    low, high = shown.response
    return [float(p) for p in np.union1d(np.linspace(low, high, RATES), np.array(shown.marked))]


def _curves(trial: Compiled, rates: list[float], *, everything: bool) -> Curves:
    """The exact curve of the design alone and, with ``everything``, those of the whole protocol."""
    grid, every = np.array(rates), lines(trial)
    chosen = every[: MAX_LINES if everything else 1]
    found = [
        Curve(line, each, exact_values(line, each), {})
        for line in chosen
        for each in [grid[:0] if out_of_reach(line.rules) else grid]
    ]
    return Curves(tuple(found), len(every) - len(chosen), 0, trial.scenario.simulation.seed)


def _affordable(trial: Compiled) -> None:
    """Refuse what would keep others waiting."""
    most, replicates = trial.rules.max_treated, trial.scenario.simulation.replicates
    if most > MOST_PATIENTS:
        raise TrialsimError(
            f"this trial treats up to {most:,} patients; the page works out trials of at most {MOST_PATIENTS:,}, "
            "`trialsim run` larger ones"
        )
    if replicates > MOST_REPLICATES:
        raise TrialsimError(
            f"simulation.replicates is {replicates:,}; the page simulates at most {MOST_REPLICATES:,} trials a case, "
            "`trialsim run` more"
        )
