"""Results that grow sharper: the replicates of a run, part after part, with an answer after each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from trialsim.engine.ledger import Part
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import exact_sides, in_pairs, of_tallies, trials_of
from trialsim.engine.precision import plan
from trialsim.engine.tally import Tally
from trialsim.engine.trials import Trials
from trialsim.engine.with_twin import apart
from trialsim.results import Results
from trialsim.scenario.compiled import Compiled

FIRST = 500
"""Replicates of the first answer."""

MANY = 20_000
"""Replicates at which a part ends in any case: numbers that a visitor waits for."""

SLICE = 0.2
"""Seconds that a part should take: after each the work can be called off. No number depends on it."""


class Drawn:
    """The tallies of some trials, and how to get more of the same replicates."""

    def __init__(self, trials: Mapping[str, Trials], seed: int) -> None:
        self.trials, self.seed = dict(trials), seed
        self.tallies: dict[str, Tally] = {}
        self.replicates = 0
        self._next = FIRST

    def more(self, most: int) -> None:
        """Simulate one part more, up to ``most`` replicates of each."""
        began, before = time.monotonic(), self.replicates
        reached = min(self._next, most)
        held = [Part(case, 0, tally) for case, tally in self.tallies.items()]
        self.tallies = tallies(self.trials, reached, self.seed, jobs=1, held=held)
        self.replicates = reached
        pace = (time.monotonic() - began) / (reached - before)
        self._next = reached + max(min(int(SLICE / pace), 8 * reached), 1)


def sharpening(trial: Compiled, *, most: int | None = None) -> Iterator[Results | None]:
    """The results of a scenario, sharper and sharper; the last is that of ``simulate`` to the last bit.

    The first is of the trials alone, after which each runs beside its twin with outcomes known at once, whose exact
    answer adjusts it; what else a run simulates comes last, and with it the distributions of totals of that answer.
    None is a pause in which the work can be called off, with nothing new.

    Args:
        most: replicates at which to end, in place of the scenario's own.
    """
    # where dates decide, the exact answer is that of another trial: it can wait
    sides = dict.fromkeys(trial.scenario.truth) if trial.dated else exact_sides(trial)
    asked, seed = trial.scenario.simulation, trial.scenario.simulation.seed
    every = trials_of(trial)
    alone = Drawn({name: every[name] for name in sides}, seed)
    alone.more(min(FIRST, most or FIRST))
    yield of_tallies(trial, sides, every, alone.tallies, seed)
    drawn, together = alone, in_pairs(trial, every)
    if trial.dated:
        sides = exact_sides(trial, totals=False)
        yield None
        drawn = Drawn({name: together[name] for name in sides}, seed)
    planned = None
    if asked.precision and most is None:
        planned = plan(drawn.trials, asked.precision, seed, 1, sides)
    wanted = most or (planned.replicates if planned else asked.replicates)
    while drawn.replicates < wanted:
        drawn.more(min(wanted, MANY) if drawn.replicates < MANY else wanted)
        if drawn.replicates < wanted:
            yield of_tallies(trial, sides, every, apart(drawn.tallies), seed)
    rest = Drawn({name: each for name, each in together.items() if name not in sides}, seed)
    while rest.trials and rest.replicates < wanted:
        rest.more(wanted)
        yield None
    if trial.dated:
        sides = exact_sides(trial)
    found = of_tallies(trial, sides, every, apart(drawn.tallies | rest.tallies), seed)
    yield replace(found, planned=planned)
