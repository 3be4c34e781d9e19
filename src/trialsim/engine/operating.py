"""Operating characteristics of a scenario: exact, simulated, and the two held against each other."""

from __future__ import annotations

import math

from trialsim.designs.rules import Rules
from trialsim.engine.exact import MAX_STATES, distribution, states
from trialsim.engine.montecarlo import Progress, tallies
from trialsim.engine.tally import simulated
from trialsim.errors import TrialsimError
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.results import Estimate, OperatingCharacteristics, Results, Simulated, is_probability
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import digest
from trialsim.scenario.model import MAX_REPLICATES, Scenario
from trialsim.scenario.truth import Rates
from trialsim.version import __version__

FALSE_ALARM = 1e-4
"""Probability that a run with nothing wrong says that simulation and exact calculation disagree."""


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
    if not (isinstance(replicates, int) and 1 <= replicates <= MAX_REPLICATES):
        raise TrialsimError(
            f"replicates = {replicates!r} must be a whole number from 1 to {MAX_REPLICATES:,}"
        )
    if not (isinstance(seed, int) and 0 <= seed < 2**63):
        raise TrialsimError(f"seed = {seed!r} must be a whole number from 0 to {2**63 - 1}")
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
            chance = FALSE_ALARM / (cases * len(known.exact.values))
            if _disagrees(name, value, estimate, drawn.replicates, len(drawn.n) - 1, chance):
                disagreements.append(name)
    return OperatingCharacteristics(
        known.case, known.doses, known.exact, known.not_exact, drawn, z, tuple(disagreements)
    )


def _z(name: str, value: float, estimate: Estimate, replicates: int) -> float | None:
    """(simulated - exact) / standard error; a probability's is the exact one. None where there is no spread."""
    if is_probability(name):
        variance = value * (1 - value) / replicates
        if variance < 1e-12 / replicates:
            return None
        return (estimate.estimate - value) / math.sqrt(variance)
    if not estimate.mcse > 0:
        return None
    return (estimate.estimate - value) / estimate.mcse


def _disagrees(
    name: str, value: float, estimate: Estimate, replicates: int, most: int, chance: float
) -> bool:
    """Whether the simulated number lies further from the exact one than chance allows with probability ``chance``.

    Probabilities by their binomial distribution. Means by the empirical Bernstein bound (Maurer & Pontil, COLT 2009,
    theorem 4) for counts from 0 to ``most``, which needs no normality: a mean that hangs on a few rare trials would
    cry wolf otherwise.
    """
    if is_probability(name):
        from scipy.special import bdtr, bdtrc

        count = round(estimate.estimate * replicates)
        lower = float(bdtr(count, replicates, value))
        upper = float(bdtrc(count - 1, replicates, value)) if count else 1.0
        return 2 * min(lower, upper) < chance
    if replicates < 2:
        return False
    log = math.log(4 / chance)
    allowed = estimate.mcse * math.sqrt(2 * log) + 7 * most * log / (3 * (replicates - 1))
    return abs(estimate.estimate - value) > allowed


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
