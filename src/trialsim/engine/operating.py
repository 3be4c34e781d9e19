"""Operating characteristics of a scenario: exact, simulated, and the two held against each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from trialsim.designs.binomial import two_sided_tails
from trialsim.engine.dose_decisions import allocated, arms_values, dose_values, no_exact_doses
from trialsim.engine.dose_paths import Paths, averages, p_go_averaged
from trialsim.engine.exact import distribution, independent_cohorts, inert, out_of_reach, too_large
from trialsim.engine.ledger import Ledger
from trialsim.engine.montecarlo import Progress, tallies
from trialsim.engine.precision import plan
from trialsim.engine.quantities import Side
from trialsim.engine.tally import Tally
from trialsim.engine.timed import at_once, timed
from trialsim.engine.trials import Trials, untimed
from trialsim.engine.with_twin import AT_ONCE as AT_ONCE
from trialsim.engine.with_twin import Sides, adjustments, apart, by_time, with_twins
from trialsim.given import takes
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.quantities import is_probability, quantity_names
from trialsim.results import Estimate, Exact, OperatingCharacteristics, Results, Simulated, is_normal
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import of_a_cohort
from trialsim.scenario.digest import digest
from trialsim.scenario.model import Scenario
from trialsim.version import __version__

PATHS = " (dose paths)"
"""Added to the name of a case: its dose paths, over which P(go) is averaged."""

DISAGREE = "simulation and exact calculation disagree by more than chance allows"
"""Why a run adjusts no number by its twins."""

FALSE_ALARM = 1e-4
"""Probability that a run with nothing wrong says that simulation and exact calculation disagree."""


@takes
def exact(scenario: Scenario | Compiled, *, totals: bool = True) -> Results:
    """Exact operating characteristics of every case, by a Markov chain over patients.

    Args:
        scenario: a scenario, or the path of its file.
        totals: whether to include the distributions of total responses and toxicities, which take most of the time.

    Returns:
        The results by case. A case without an exact answer says so in ``not_exact``; where calendar time decides,
        ``at_once`` is the exact answer if every outcome were known at once.

    Examples:
        >>> scenario = trialsim.load(trialsim.examples("teaching"))
        >>> round(trialsim.exact(scenario)["active"].exact.values["p_go"], 4)
        0.8028
    """
    trial = Compiled.of(scenario)
    return of_tallies(trial, exact_sides(trial, totals))


@takes
def simulate(
    scenario: Scenario | Compiled,
    *,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    totals: bool = True,
    ledger: Ledger | None = None,
) -> Results:
    """Simulated operating characteristics of every case, with the exact ones beside them and z between the two.

    Where calendar time decides there is no exact answer: the same trial with every outcome known at once is then
    simulated too and held against its exact answer, so that every run tests the engine.

    Args:
        scenario: a scenario, or the path of its file.
        replicates, seed: default to the scenario's ``simulation`` block; where it asks for a precision, replicates are
            planned from a pilot run.
        jobs: worker threads; default all processors, or what an enclosing ``joblib.parallel_config`` says.
        progress: called with the number of replicates just finished, those of the trials at once included.
        totals: whether the exact side includes the distributions of total responses and toxicities.
        ledger: keeps what is finished, so that a run that is cut off can go on.

    Returns:
        The results by case, the same bits for any number of jobs.

    Raises:
        DesignError: replicates, seed or jobs that cannot be.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> found = trialsim.simulate(path, replicates=1000, seed=1)
        >>> found["active"].simulated.values["p_go"].estimate
        0.8
    """
    trial = Compiled.of(scenario)
    asked = trial.scenario.simulation
    seed = asked.seed if seed is None else seed
    trials, planned = trials_of(trial), None
    together, sides = in_pairs(trial, trials), exact_sides(trial, totals)
    if replicates is None and asked.precision:
        mains = {name: together[name] for name in trial.scenario.truth}
        planned = plan(mains, asked.precision, seed, jobs, sides)
        replicates = planned.replicates
    replicates = asked.replicates if replicates is None else replicates
    drawn = apart(tallies(together, replicates, seed, jobs=jobs, progress=progress, ledger=ledger))
    found = of_tallies(trial, sides, trials, drawn, seed)
    return replace(found, planned=planned)


def expected(scenario: Scenario | Compiled, replicates: int | None = None) -> int | None:
    """How many replicates a run simulates in all; None where a pilot run has yet to plan it.

    A trial and its twin with outcomes known at once are one replicate.
    """
    trial = Compiled.of(scenario)
    asked = trial.scenario.simulation
    if replicates is None and asked.precision:
        return None
    return (asked.replicates if replicates is None else replicates) * len(in_pairs(trial, trials_of(trial)))


def in_pairs(trial: Compiled, trials: Mapping[str, Trials]) -> dict[str, Trials]:
    """The same trials, each that has a twin with outcomes known at once together with it."""
    sides = {
        name: (
            Side.of(trials[name], trial.false_go(name), dated=trial.dated),
            Side.of(trials[f"{name}{AT_ONCE}"], trial.false_go(name), dated=False),
        )
        for name in trial.scenario.truth
        if f"{name}{AT_ONCE}" in trials
    }
    return with_twins(trials, sides)


def trials_of(trial: Compiled) -> dict[str, Trials]:
    """What is simulated: the trials of every case and, in calendar time, the same with outcomes known at once."""
    if not trial.in_calendar:
        return dict(untimed(trial.rules, trial.rates, {name: trial.choice(name) for name in trial.rates}))
    mains = timed(trial)
    trials: dict[str, Trials] = dict(mains)
    if trial.dated:
        for name, main in mains.items():
            if averages(trial, main, name):
                trials[f"{name}{PATHS}"] = Paths.of(trial.rules, main)
        trials |= {
            f"{name}{AT_ONCE}": at_once(trial, main)
            for name, main in mains.items()
            if not not_exact(trial, name)
        }
    return trials


def not_exact(trial: Compiled, case: str | None = None) -> str:
    """Why there is no exact answer (in a case) even with outcomes known at once; "" where there is one."""
    if case is not None and trial.scenario.truth[case].dated:
        return "the response rate changes by date"
    if trial.dated and any(trial.calendar.amended_at):
        return "the dose is lowered at a date"
    if trial.scenario.apart:
        count = len(trial.cohorts)
        each = (of_a_cohort(trial.rules, count, c) for c in range(count))
        return next((too_large(one) for one in each if out_of_reach(one)), "")
    if trial.scenario.own_rules:
        shared = "cohorts with rules of their own share the dose and its toxicity boundary"
        return "" if inert(trial.rules.monitor) else shared
    if trial.rules.randomise is not None:
        return no_exact_doses(trial)
    return too_large(trial.rules) if out_of_reach(trial.rules) else ""


def exact_sides(trial: Compiled, totals: bool = True) -> dict[str, Exact | None]:
    """The exact answer of every case with every outcome known at once; None where there is none."""
    totals = totals and not trial.scenario.own_rules and not out_of_reach(trial.rules, carried=True)
    return {
        name: None if not_exact(trial, name) else _exact(trial, name, totals) for name in trial.scenario.truth
    }


def of_tallies(
    trial: Compiled,
    sides: Mapping[str, Exact | None],
    trials: Mapping[str, Trials] = {},
    drawn: Mapping[str, Tally] = {},
    seed: int | None = None,
) -> Results:
    """The results that ``exact_sides`` and the tallies of ``trials_of`` amount to; what is missing is left out."""
    cases = tuple(_case(trial, name, side, trials, drawn) for name, side in sides.items())
    wrong = any(oc.at_once and oc.at_once.disagreements for oc in cases)
    cases = tuple(_adjusted(trial, oc, trials, drawn, DISAGREE if wrong else "") for oc in cases)
    count = min((drawn[name].replicates for name in sides if name in drawn), default=None)
    return _results(trial, cases, seed, count)


def _case(
    trial: Compiled,
    name: str,
    side: Exact | None,
    trials: Mapping[str, Trials],
    drawn: Mapping[str, Tally],
) -> OperatingCharacteristics:
    """Everything known about a case; ``drawn`` holds the tallies of its ``trials``, if it was simulated."""
    doses, number = trial.scenario.doses, len(trial.scenario.truth)
    why_not = not_exact(trial, name)
    known = OperatingCharacteristics(name, doses, exact=side, not_exact=why_not)
    found = None
    if drawn:
        found = Side.of(trials[name], trial.false_go(name), dated=trial.dated).simulated(drawn[name])
        if paths := drawn.get(f"{name}{PATHS}"):
            averaged = p_go_averaged(paths, trial.rules, trial.truth(name))
            found = replace(found, values={**found.values, "p_go_averaged": averaged})
    if not trial.dated:
        known = replace(known, cohorts=trial.cohorts)
        return _beside(known, found, number) if found else known
    twin = known if known.exact else None
    mark = f"{name}{AT_ONCE}"
    if twin and mark in drawn:
        counted = Side.of(trials[mark], trial.false_go(name), dated=False).simulated(drawn[mark])
        if not trial.scenario.own_rules:
            always = quantity_names(len(doses), needs=("", "decision"))
            counted = replace(counted, values={q: e for q, e in counted.values.items() if q in always})
        twin = _beside(twin, counted, number)
    why_not = f"calendar time decides{f'; {why_not}' if why_not else ''}"
    return OperatingCharacteristics(
        name, doses, not_exact=why_not, simulated=found, cohorts=trial.cohorts, at_once=twin
    )


def _adjusted(
    trial: Compiled,
    oc: OperatingCharacteristics,
    trials: Mapping[str, Trials],
    drawn: Mapping[str, Tally],
    why_not: str,
) -> OperatingCharacteristics:
    """The case with its numbers adjusted by what its twin gave and should have given, where both are known."""
    exact, mark = oc.at_once and oc.at_once.exact, f"{oc.case}{AT_ONCE}"
    if not exact or not oc.simulated or mark not in trials:
        return oc
    one, twin = (
        Side.of(trials[name], trial.false_go(oc.case), dated=dated)
        for name, dated in ((oc.case, trial.dated), (mark, False))
    )
    counted = Sides.of(one, twin, oc.case, drawn)
    if counted is None:
        return oc
    adjusted = adjustments(counted, oc.simulated.values, exact.values, why_not)
    return replace(oc, adjusted=adjusted, by_time=by_time(counted))


def _exact(trial: Compiled, name: str, totals: bool) -> Exact:
    """The exact answer of a case with every outcome known at once."""
    if trial.scenario.own_rules:
        found = independent_cohorts(
            trial.rules, trial.by_cohort(name), trial.false_go(name), by_dose=trial.arms
        )
        return replace(found, values={**found.values, **arms_values(trial, name)}) if trial.arms else found
    if trial.rules.randomise is not None:
        return allocated(trial, name)
    found = distribution(trial.rules, trial.truth(name), totals)
    decided = dose_values(trial, name)
    return replace(found, values={**found.values, **decided}) if decided else found


def _beside(known: OperatingCharacteristics, drawn: Simulated, cases: int) -> OperatingCharacteristics:
    """Exact and simulated in one, with z and the quantities that disagree (Bonferroni over the whole run)."""
    z: dict[str, float] = {}
    disagreements = []
    if known.exact is not None:
        for name, value in known.exact.values.items():
            if name not in drawn.values:  # cohorts are counted where there are several
                continue
            estimate = drawn.values[name]
            z_value = _z(name, value, estimate, drawn.replicates)
            if z_value is not None:
                z[name] = z_value
            chance = FALSE_ALARM / (cases * len(known.exact.values))
            if disagrees(name, value, estimate, drawn.replicates, len(drawn.n) - 1, chance):
                disagreements.append(name)
    return replace(known, simulated=drawn, z=z, disagreements=tuple(disagreements))


def _z(name: str, value: float, estimate: Estimate, replicates: int) -> float | None:
    """(simulated - exact) / standard error; a probability's is the exact one. None with too little spread."""
    binomial = math.sqrt(max(value * (1 - value), 0.0) / replicates)
    error = binomial if is_probability(name) else estimate.mcse
    return (estimate.estimate - value) / error if is_normal(replicates, error) else None


def disagrees(name: str, value: float, estimate: Estimate, replicates: int, most: int, chance: float) -> bool:
    """Whether the simulated number lies further from the exact one than chance allows with probability ``chance``.

    Probabilities by their binomial distribution. Means by the empirical Bernstein bound (Maurer & Pontil, COLT 2009,
    theorem 4) for counts from 0 to ``most``, which needs no normality: a mean that hangs on a few rare trials would
    cry wolf otherwise.
    """
    if is_probability(name):
        return two_sided_tails(round(estimate.estimate * replicates), replicates, value) < chance
    if replicates < 2:
        return False
    log, apart = math.log(4 / chance), abs(estimate.estimate - value)
    allowed = estimate.mcse * math.sqrt(2 * log) + 7 * most * log / (3 * (replicates - 1))
    # a count that varies by a patient or more cannot hang on trials too rare to be seen
    spread = estimate.mcse * math.sqrt(replicates)
    varied = spread >= 1 and apart > estimate.mcse * (8 + 4 * most / math.sqrt(replicates))
    return apart > allowed or varied


def _results(
    trial: Compiled, cases: tuple[OperatingCharacteristics, ...], seed: int | None, replicates: int | None
) -> Results:
    return Results(
        name=trial.scenario.name,
        digest=digest(trial.scenario),
        version=__version__,
        streams=STREAM_VERSION,
        seed=seed,
        replicates=replicates,
        cases=cases,
    )
