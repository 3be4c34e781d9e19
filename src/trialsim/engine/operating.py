"""Operating characteristics of a scenario: exact, simulated, and the two held against each other."""

from __future__ import annotations

import math

from trialsim.designs.rules import Rules
from trialsim.engine.exact import MAX_STATES, distribution, states
from trialsim.engine.montecarlo import Progress, tallies
from trialsim.engine.tally import simulated
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.results import Estimate, OperatingCharacteristics, Results, Simulated
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Rates
from trialsim.version import __version__

FALSE_ALARM = 1e-4
"""Probability that a run with nothing wrong says that simulation and exact calculation disagree."""

ENOUGH_EVENTS = 100
"""A mean is held against its exact value only when this many trials' worth of its counts are expected; below that
the normal approximation would cry wolf."""


def exact(scenario: Scenario, *, totals: bool = True) -> Results:
    """Exact operating characteristics of every case, by a Markov chain over patients.

    ``totals=False`` leaves out the distributions of total responses and toxicities and is about fifty times faster.
    A case without an exact answer (too many states) says so in ``not_exact``.
    """
    rules = compile_rules(scenario)
    cases = tuple(_exact_case(scenario, rules, name, totals) for name in scenario.truth)
    return _results(scenario, cases, None, None)


def simulate(
    scenario: Scenario,
    *,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    totals: bool = True,
) -> Results:
    """Simulated operating characteristics of every case, with the exact ones beside them and z between the two.

    Parameters
    ----------
    replicates, seed : default to the scenario's ``simulation`` block.
    jobs : worker threads; default all processors, or what an enclosing ``joblib.parallel_config`` says.
    progress : called with the number of replicates just finished.
    totals : whether the exact side includes the distributions of total responses and toxicities.
    """
    replicates = scenario.simulation.replicates if replicates is None else replicates
    seed = scenario.simulation.seed if seed is None else seed
    rules = compile_rules(scenario)
    rates = rates_of(scenario)
    drawn = tallies(rules, rates, replicates, seed, jobs=jobs, progress=progress)
    cases = tuple(
        _beside(_exact_case(scenario, rules, name, totals), simulated(drawn[name]), len(rates))
        for name in rates
    )
    return _results(scenario, cases, seed, replicates)


def rates_of(scenario: Scenario) -> dict[str, Rates]:
    """The truth of every case as numbers by dose level."""
    levels = len(scenario.doses)
    return {name: Rates.of(case, scenario.evaluability, levels) for name, case in scenario.truth.items()}


def _exact_case(scenario: Scenario, rules: Rules, name: str, totals: bool) -> OperatingCharacteristics:
    rates = Rates.of(scenario.truth[name], scenario.evaluability, rules.levels)
    needed = states(rules)
    if needed > MAX_STATES:
        why = f"the exact chain would need {needed:,} states, more than {MAX_STATES:,}"
        return OperatingCharacteristics(name, scenario.doses, not_exact=why)
    totals = totals and states(rules, carried=True) <= MAX_STATES
    return OperatingCharacteristics(name, scenario.doses, exact=distribution(rules, rates, totals))


def _beside(known: OperatingCharacteristics, drawn: Simulated, cases: int) -> OperatingCharacteristics:
    """Exact and simulated in one, with z and the quantities that disagree (Bonferroni over the whole run)."""
    z: dict[str, float] = {}
    disagreements = []
    if known.exact is not None:
        for name, value in known.exact.values.items():
            estimate = drawn.values[name]
            z_value = _z(name, value, estimate, drawn.replicates)
            if z_value is not None:
                z[name] = z_value
            compared = cases * len(known.exact.values)
            if _p_value(name, value, estimate, drawn.replicates, len(drawn.n) - 1) < FALSE_ALARM / compared:
                disagreements.append(name)
    return OperatingCharacteristics(
        known.case, known.doses, known.exact, known.not_exact, drawn, z, tuple(disagreements)
    )


def _is_probability(name: str) -> bool:
    return name.startswith("p_") or name == "pet"


def _z(name: str, value: float, estimate: Estimate, replicates: int) -> float | None:
    """(simulated - exact) / standard error; a probability's is the exact one. None where there is no spread."""
    if _is_probability(name):
        variance = value * (1 - value) / replicates
        if variance < 1e-12 / replicates:
            return None
        return (estimate.estimate - value) / math.sqrt(variance)
    if not estimate.mcse > 0:
        return None
    return (estimate.estimate - value) / estimate.mcse


def _p_value(name: str, value: float, estimate: Estimate, replicates: int, most: int) -> float:
    """Two-sided: how often chance alone puts the simulated number this far from the exact one.

    Probabilities by the binomial distribution, means by the normal one; ``most`` is the largest count in a trial.
    """
    if _is_probability(name):
        from scipy.special import bdtr, bdtrc

        count, p = round(estimate.estimate * replicates), min(max(value, 0.0), 1.0)
        lower = float(bdtr(count, replicates, p))
        upper = float(bdtrc(count - 1, replicates, p)) if count else 1.0
        return min(1.0, 2 * min(lower, upper))
    z = _z(name, value, estimate, replicates)
    if replicates * value < ENOUGH_EVENTS * most:
        return 1.0
    if z is None:
        return 1.0 if math.isclose(value, estimate.estimate, rel_tol=1e-9) else 0.0
    return math.erfc(abs(z) / math.sqrt(2))


def _results(
    scenario: Scenario, cases: tuple[OperatingCharacteristics, ...], seed: int | None, replicates: int | None
) -> Results:
    return Results(
        name=scenario.name,
        digest=digest(scenario),
        version=__version__,
        streams=STREAM_VERSION,
        seed=seed,
        replicates=replicates,
        cases=cases,
    )
