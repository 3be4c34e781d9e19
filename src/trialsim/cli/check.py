"""The command `trialsim check`: would the observed counts be surprising if a case were true?"""

from __future__ import annotations

from trialsim.cli.common import Out, ScenarioPath, Seed, options, texts_of


@options
def check(scenario: ScenarioPath, out: Out, seed: Seed = None) -> None:
    """Hold the observed trial against each case: would its counts be surprising if the case were true?"""
    from trialsim.checks import check as checked
    from trialsim.scenario.files import load

    found = checked(load(scenario), seed=seed)
    out.give(found, texts=texts_of([scenario]), asked={"seed": seed})
