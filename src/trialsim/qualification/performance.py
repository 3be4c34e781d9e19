"""Performance: exact, enumerated and simulated answers against each other on fresh seeds, and the same bits always."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trialsim.codes import (
    ACCRUAL,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILITY,
    GO_EARLY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.exact import distribution
from trialsim.engine.ledger import Ledger
from trialsim.engine.montecarlo import BLOCK, tallies
from trialsim.engine.operating import simulate, trials_of
from trialsim.engine.timed import timed
from trialsim.kernels.streams import stream_key
from trialsim.kernels.trial import END, EVALUABLE, LEVELS, REDUCED_AFTER, TRIGGERED, N, columns
from trialsim.kernels.trial import simulate as simulate_kernel
from trialsim.qualification.comparing import Compared, near, same
from trialsim.qualification.drawn import random_case, rates_of
from trialsim.qualification.enumeration import Dose, cells_of, enumerate_trial
from trialsim.qualification.testing import PERFORMANCE, Setting, Test
from trialsim.qualification.twin import simulate_trial, thresholds
from trialsim.results import OperatingCharacteristics
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load
from trialsim.scenario.starting import example_files

EXACT = (
    "teaching",
    "three-stage",
    "bop2-toxicity",
    "bryant-day",
    "restart",
    "lead-in",
    "two-cohorts",
    "dose-decision",
)
"""Examples that are simulated beside their exact answers."""

IN_CALENDAR = ("dasatinib",)
EACH = 20
"""Trials of each random protocol."""

REASONS = {
    FUTILITY: "futility",
    TOXICITY: "toxicity",
    GO_EARLY: "go_early",
    FINAL_NO_GO: "final_no_go",
    FINAL_GO: "final_go",
    FINAL_CONSIDER: "final_consider",
    TOXICITY_AT_N: "toxicity_at_n",
    ACCRUAL: "accrual_cap",
}


def trial_of(name: str) -> Compiled:
    """An example, compiled."""
    return Compiled.of(load(example_files()[name]))


def enumerated(setting: Setting) -> Iterator[Compared]:
    """The chain on small random protocols against every sequence of patients, in rational arithmetic."""
    rng = setting.drawn("enumerated")
    for k in range(setting.times(200, 2_000)):
        rules, truth = random_case(rng)
        stated = enumerate_trial(rules, cells_of(truth))
        found = distribution(rules, rates_of(truth), totals=True)
        for name, value in found.values.items():
            yield near(f"{name}, protocol {k + 1}", value, stated[name], 1e-12)
        for name in ("n", "responses", "toxicities", "reduction_patient"):
            here, there = getattr(found, name), stated["distributions"][name]
            apart = float(np.abs(np.asarray(here) - np.asarray(there)).max())
            yield near(f"distribution of {name}, protocol {k + 1}", apart, 0.0, 1e-12)


def by_the_twin(setting: Setting) -> Iterator[Compared]:
    """The compiled kernel on random protocols, trial by trial, against a twin in plain Python."""
    rng = setting.drawn("twin")
    for k in range(setting.times(400, 4_000)):
        rules, truth = random_case(rng, max_n=30, max_n_inevaluable=25)
        seed, first = rng.randrange(2**63), rng.randrange(2**47)
        rows = _kernel(rules, truth, seed, first, EACH)
        slow = [thresholds(dose) for dose in truth]
        for row in range(EACH):
            trial = simulate_trial(rules, slow, seed, first + row)
            stated = {
                **{key: trial[key] for key in ("reason", "n", "evaluable", "reduction_patient", "triggered")},
                "by_dose": list(
                    zip(
                        trial["patients_by_level"],
                        trial["responses_by_level"],
                        trial["toxicities_by_level"],
                        strict=True,
                    )
                ),
            }
            yield same(
                f"trial {first + row} of protocol {k + 1}, seed {seed}", _told(rules, rows[row]), stated
            )


def _kernel(rules: Rules, truth: tuple[Dose, ...], seed: int, first: int, count: int) -> Any:
    out = np.zeros((count, columns(rules.levels)), dtype=np.int32)
    nothing = np.zeros((0, 0), dtype=np.int8)
    simulate_kernel(tables_of(rules), rates_of(truth).thresholds(), *stream_key(seed), first, out, nothing)
    return out


def _told(rules: Rules, row: Any) -> dict[str, Any]:
    by_level = row[LEVELS : LEVELS + 3 * rules.levels].reshape(rules.levels, 3)
    return {
        "reason": REASONS.get(int(row[END]), "none"),
        "n": int(row[N]),
        "evaluable": int(row[EVALUABLE]),
        "reduction_patient": int(row[REDUCED_AFTER]),
        "triggered": bool(row[TRIGGERED]),
        "by_dose": [tuple(map(int, level)) for level in by_level],
    }


def exact_and_simulated(setting: Setting) -> Iterator[Compared]:
    """Examples with an exact answer, simulated with a fresh seed: every quantity within what chance allows."""
    for name in EXACT:
        yield from _beside(name, setting, setting.times(20_000, 200_000))


def at_once(setting: Setting) -> Iterator[Compared]:
    """The patients of a trial in calendar time, with outcomes known at once, against the exact answer."""
    for name in IN_CALENDAR:
        yield from _beside(name, setting, setting.times(20_000, 200_000))


def _beside(name: str, setting: Setting, replicates: int) -> Iterator[Compared]:
    seed = setting.drawn(name).randrange(2**63)
    found = simulate(trial_of(name), replicates=replicates, seed=seed, jobs=setting.jobs)
    for case in found.cases:
        side: OperatingCharacteristics | None = case.at_once or case
        if side is None or side.exact is None or side.simulated is None:
            continue
        for quantity, value in side.exact.values.items():
            if quantity in side.simulated.values:
                where = f"{quantity}, example {name}, case {case.case}, seed {seed}"
                here = side.simulated.values[quantity].estimate
                yield Compared(where, here, value, quantity not in side.disagreements and math.isfinite(here))


def same_bits(setting: Setting) -> Iterator[Compared]:
    """Jobs and blocks of any size: the same counts."""
    for name, replicates in (("teaching", 20_000), ("dasatinib", 3_000)):
        seed = setting.drawn(f"bits {name}").randrange(2**63)
        trials = trials_of(trial_of(name))
        one = tallies(trials, replicates, seed, jobs=1)
        for case in one:
            whole = trials[case].tally(stream_key(seed), 0, replicates)
            where = f"in one piece, example {name}, case {case}, seed {seed}"
            yield same(where, one[case].to_dict(), whole.to_dict())
        for words, jobs, block in (("two jobs", 2, BLOCK), ("blocks of 777", 1, 777)):
            other = tallies(trials, replicates, seed, jobs=jobs, block=block)
            for case in one:
                where = f"{words}, example {name}, case {case}, seed {seed}"
                yield same(where, other[case].to_dict(), one[case].to_dict())


def either_kernel(setting: Setting) -> Iterator[Compared]:
    """The quick kernel of calendar time against the readable one: the same rows."""
    seed = setting.drawn("kernels").randrange(2**63)
    key, first, count = stream_key(seed), 10**6, setting.times(2_000, 20_000)
    for case, trials in timed(trial_of("dasatinib")).items():
        yield same(f"the quick kernel runs case {case}", trials.abreast, True)
        quick = trials.rows(key, first, count)
        readable = replace(trials, abreast=False).rows(key, first, count)
        for k in np.flatnonzero((quick != readable).any(axis=1))[:3].tolist():
            where = f"trial {first + k} of case {case}, seed {seed}"
            yield same(where, quick[k].tolist(), readable[k].tolist())
        yield same(f"rows of case {case}, seed {seed}", int((quick != readable).any(axis=1).sum()), 0)


class _Cut(Exception):
    """Stands for whatever cuts a run off."""


def resumed(setting: Setting) -> Iterator[Compared]:
    """A run that is cut off and goes on from what it has kept counts what an uncut one does."""
    trials = trials_of(trial_of("teaching"))
    seed = setting.drawn("resumed").randrange(2**63)
    whole = tallies(trials, 30_000, seed, jobs=1)

    def cut(_: int) -> None:
        raise _Cut

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.ledger"
        try:
            with Ledger(path, "qualification") as ledger:
                tallies(trials, 30_000, seed, jobs=1, ledger=ledger, progress=cut)
            yield same("a run is cut off", "it was not", "it was")
        except _Cut:
            pass
        with Ledger(path, "qualification", resume=True) as ledger:
            again = tallies(trials, 30_000, seed, jobs=1, ledger=ledger)
            ledger.discard()
    for case in whole:
        yield same(f"case {case}, seed {seed}", again[case].to_dict(), whole[case].to_dict())


TESTS = (
    Test(
        "PQ-1", PERFORMANCE, "Exact answers are those of enumeration.",
        "Random small protocols: the Markov chain against every sequence of patients in rational arithmetic, to 1e-12.",
        enumerated,
    ),
    Test(
        "PQ-2", PERFORMANCE, "Simulated trials follow the protocol, trial by trial.",
        "Random protocols: the compiled kernel against a twin in plain Python that shares no code with it.",
        by_the_twin,
    ),
    Test(
        "PQ-3", PERFORMANCE, "Simulated and exact answers agree.",
        "Examples with outcomes known at once, with fresh seeds: every quantity within what chance allows. A sound "
        "installation fails here once in ten thousand for each example.", exact_and_simulated,
    ),
    Test(
        "PQ-4", PERFORMANCE, "Trials in calendar time decide as exact answers do where outcomes are known at once.",
        "An example in calendar time with a fresh seed. A sound installation fails here once in ten thousand.", at_once,
    ),
    Test(
        "PQ-5", PERFORMANCE, "The same scenario and seed give the same bits, however the work is shared out.",
        "All trials in one piece, one job, two jobs, and blocks of another size.", same_bits,
    ),
    Test(
        "PQ-6", PERFORMANCE, "The quick kernel of calendar time runs the trials of the readable one.",
        "Every column of every trial of an example, with a fresh seed.", either_kernel,
    ),
    Test(
        "PQ-7", PERFORMANCE, "A run that was cut off goes on to the same bits.",
        "A run is cut off after its first part and resumed.", resumed,
    ),
)  # fmt: skip
