"""The analysis afterwards: estimates, p-values and intervals that know the design, exact for every way to end.

The ordering behind a p-value or an interval is always named; the default is the stagewise one.
"""

from __future__ import annotations

from trialsim.errors import DesignError
from trialsim.inference.analysis import Analysis, Asked, analyse_overrun, analyse_set
from trialsim.inference.characteristics import Characteristics, characteristics
from trialsim.inference.design_text import looks_from
from trialsim.inference.observed import Analyses, analyse_observed
from trialsim.inference.orderings import STAGEWISE
from trialsim.inference.posterior import JEFFREYS
from trialsim.scenario.model import Scenario

__all__ = ["Analyses", "Analysis", "Characteristics", "analyse", "characteristics", "looks_from"]

PATIENTS = "Patients"


def analyse(
    scenario: Scenario | None = None,
    *,
    design: str | None = None,
    responses: int | None = None,
    stage1: int | None = None,
    n: int | None = None,
    stage1_n: int | None = None,
    overrun: int | None = None,
    p0: float | None = None,
    p1: float | None = None,
    confidence: float = 0.95,
    ordering: str = STAGEWISE,
    prior: tuple[float, float] = JEFFREYS,
) -> Analyses:
    """Analyse the trial that was observed: of a scenario, or of a design and its counts.

    Parameters
    ----------
    scenario : its `observed` block is analysed with its design.
    design : instead, the cut-offs: ``"1/25,6/70"`` stops if responses <= 1 of 25, goes if responses > 6 of 70.
    responses, stage1 : responses in all, and in stage 1 where known.
    n, stage1_n : patients analysed, in all and in stage 1, where other than planned (or where the trial could have
        ended at more than one look).
    overrun : patients already enrolled when the trial stopped after stage 1; their responses are among `responses`.
    p0, p1 : unacceptable and desirable rate (default: the scenario's); p-values need p0.
    confidence, ordering, prior : of the intervals; of the first p-value (stagewise, mle, umvue); a and b of Beta(a, b).
    """
    asked = Asked(p0, p1, confidence, ordering, prior)
    if scenario is not None:
        counts = (design, responses, stage1, n, stage1_n, overrun)
        if any(value is not None for value in counts):
            raise DesignError("a scenario states its own design and counts: give it alone, or --design")
        return analyse_observed(scenario, asked)
    if design is None or responses is None:
        raise DesignError("state a scenario, or a design and its responses: --design 1/25,6/70 --responses 3")
    looks = looks_from(design)
    sets: tuple[Analysis, ...]
    if overrun is not None:
        if stage1 is None or n is not None or stage1_n is not None:
            raise DesignError(
                "with overrun, state the responses in stage 1 and in all; the sizes follow from the design"
            )
        sets = analyse_overrun(looks, asked, patients=PATIENTS, overrun=overrun, x=responses, x1=stage1)
    else:
        sets = (analyse_set(looks, asked, patients=PATIENTS, n=n, x=responses, x1=stage1, n1=stage1_n),)
    notes = () if p0 is not None else ("p0 is not stated: there is no p-value.",)
    return Analyses(f"Design {design}", sets, notes=notes)
