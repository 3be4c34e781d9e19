"""The command `trialsim check`: would the observed counts be surprising if a case were true?"""

from __future__ import annotations

from trialsim.cli.common import Out, ScenarioPath, Seed, loaded, options


@options
def check(scenario: ScenarioPath, out: Out, seed: Seed = None) -> None:
    """Hold the observed trial against each case: would its counts be surprising if the case were true?"""
    from trialsim.checks import check as checked

    (stated,), texts = loaded([scenario])
    out.give(checked(stated, seed=seed), texts=texts, asked={"seed": seed})
