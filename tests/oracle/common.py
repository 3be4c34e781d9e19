"""What the oracle tests share: a random scenario in both vocabularies."""

from __future__ import annotations

import random

from tests.oracle.brute_force import Dose
from tests.oracle.strategies import random_scenario
from trialsim.designs.rules import Rules
from trialsim.scenario.truth import Rates


def rates_of(truth: tuple[Dose, ...]) -> Rates:
    return Rates(
        response=tuple(dose.response for dose in truth),
        toxicity=tuple(dose.toxicity for dose in truth),
        odds_ratio=truth[0].odds_ratio,
        evaluable=truth[0].evaluable,
        nonresponders=truth[0].inevaluable == "nonresponders",
    )


def random_case(
    rng: random.Random, max_n: int = 6, max_n_inevaluable: int = 4
) -> tuple[Rules, tuple[Dose, ...]]:
    """A protocol and a truth as a scenario can state them: one odds ratio and one evaluability for all doses."""
    rules, truth = random_scenario(rng, max_n, max_n_inevaluable, same_evaluability=True)
    return rules, tuple(dose._replace(odds_ratio=truth[0].odds_ratio) for dose in truth)
