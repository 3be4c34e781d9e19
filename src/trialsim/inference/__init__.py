"""The analysis afterwards: estimates, p-values and intervals that know the design, exact for every way to end.

The ordering behind a p-value or an interval is always named; the default is the stagewise one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.inference.analysis import AnalysisPlan, PatientsAnalysis
from trialsim.inference.characteristics import Characteristics, characteristics
from trialsim.inference.design_text import looks_from
from trialsim.inference.harms import HarmRate, harm_rate
from trialsim.inference.observed import Analyses, analyse_observed
from trialsim.inference.orderings import STAGEWISE
from trialsim.inference.past_futility import analyse_past_futility
from trialsim.inference.posterior import JEFFREYS
from trialsim.inference.questions import two_questions
from trialsim.inference.sizes import analyse_overrun, analyse_set

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario

__all__ = [
    "Analyses",
    "AnalysisPlan",
    "Characteristics",
    "PatientsAnalysis",
    "analyse",
    "characteristics",
    "looks_from",
]

PATIENTS = "Patients"

of_design = characteristics


@takes
def analyse(
    scenario: Scenario | None = None,
    *,
    design: str | None = None,
    responses: int | None = None,
    stage1: int | None = None,
    n: int | None = None,
    stage1_n: int | None = None,
    stage2_n: int | None = None,
    overrun: int | None = None,
    toxicities: int | None = None,
    treated: int | None = None,
    p0: float | None = None,
    p1: float | None = None,
    confidence: float = 0.95,
    estimate: str = "umvue",
    interval: str = "stagewise",
    ordering: str = STAGEWISE,
    prior: tuple[float, float] = JEFFREYS,
    characteristics: bool = False,
    two_sided: bool = False,
    one_sided: str = "",
    went_on_past_futility: bool = False,
) -> Analyses:
    """Analyse the trial that was observed: of a scenario, or of a design and its counts.

    Args:
        scenario: a scenario, or the path of its file: its `observed` block is analysed with its design.
        design: instead, the cut-offs: ``"1/25,6/70"`` stops if responses <= 1 of 25, goes if responses > 6 of 70.
        responses, stage1: responses in all, and in stage 1 where known.
        n, stage1_n: patients analysed, in all and in stage 1, where other than planned (or where the trial could have
            ended at more than one look).
        stage2_n: patients in stage 2, in place of ``n``.
        overrun: patients already enrolled when the trial stopped after stage 1; their responses are among `responses`.
        toxicities, treated: patients with toxicity, and patients treated where other than those analysed.
        p0, p1: unacceptable and desirable rate (default: the scenario's); p-values need p0.
        confidence, prior: of the intervals; a and b of Beta(a, b).
        estimate, interval, ordering: which estimate, interval and ordering of the p-value are the primary ones.
        characteristics: whether bias, error and coverage under the design are worked out as well.
        two_sided: two-sided p-values: twice the smaller tail of the ordering, at most 1.
        one_sided: ``"lower"`` or ``"upper"``: intervals with that limit only, at the whole confidence.
        went_on_past_futility: the trial was not stopped where `stage1` responses of `stage1_n` patients said stop for
            futility; `responses` and `n` (default: as planned) are of all patients.

    Returns:
        Every set of patients, the primary one first: estimates, intervals, p-value and decision.

    Raises:
        DesignError: counts that the design cannot have, a scenario together with counts, or neither.

    Examples:
        >>> found = trialsim.analyse(design="1/10 5/29", responses=7, stage1=3, p0=0.1)
        >>> found.sets[0].decision, round(found.sets[0].p_value, 4)
        ('go', 0.0177)

    Sources: Jung SH, Kim KM, Stat Med 2004;23:881-896 (UMVUE); Tsiatis AA, Rosner GL, Mehta CR, Biometrics
    1984;40:797-803 (stagewise ordering); Jennison C, Turnbull BW, Group sequential methods, Chapman & Hall 2000,
    chapter 8 (two-sided p-values: twice the smaller tail, as equal-tailed intervals are inverted).
    """
    if stage2_n is not None:
        if n is not None or design is None:
            raise DesignError("--stage2-n goes with --design, and in place of --n")
        n = (stage1_n or looks_from(design).n[0]) + stage2_n
    plan = AnalysisPlan(
        p0, p1, confidence, estimate, interval, ordering, (prior[0], prior[1]), two_sided, one_sided
    )
    if scenario is not None:
        counts = (design, responses, stage1, n, stage1_n, overrun, toxicities, treated)
        if any(value is not None for value in counts) or went_on_past_futility:
            raise DesignError("a scenario states its own design and counts: give it alone, or --design")
        found = analyse_observed(scenario, plan)
    else:
        if design is None or responses is None:
            raise DesignError(
                "state a scenario, or a design and its responses: --design 1/25,6/70 --responses 3"
            )
        if went_on_past_futility:
            sets = _past_futility(design, plan, responses, stage1, n, stage1_n, overrun)
        else:
            sets = _sets(design, plan, responses, stage1, n, stage1_n, overrun)
        most = max(each.n for each in sets)
        if treated is not None and (toxicities is None or treated < most):
            raise DesignError(
                f"treated = {treated} goes with toxicities, and cannot be fewer than the {most} analysed"
            )
        harms: tuple[HarmRate, ...] = ()
        if toxicities is not None:
            harms = (harm_rate("toxicities", toxicities, treated or most, confidence),)
        notes = () if p0 is not None else ("p0 is not stated: there is no p-value.",)
        found = Analyses(f"Design {design}", sets, notes=notes, harms=harms, questions=two_questions(sets[0]))
    if not characteristics:
        return found
    primary = found.sets[0]
    rates = [rate for rate in (primary.plan.p0, primary.plan.p1) if rate is not None] or [0.1, 0.3, 0.5]
    return replace(found, characteristics=of_design(primary.looks, rates, confidence=confidence))


def _past_futility(
    design: str,
    plan: AnalysisPlan,
    responses: int,
    stage1: int | None,
    n: int | None,
    stage1_n: int | None,
    overrun: int | None,
) -> tuple[PatientsAnalysis, ...]:
    if stage1 is None or overrun is not None:
        raise DesignError(
            "with --went-on-past-futility, state the responses at the look that said stop (--stage1), those of all "
            "patients (--responses) and their number (--n), and no --overrun"
        )
    looks = looks_from(design)
    size = looks.planned_n if n is None else n
    return analyse_past_futility(looks, plan, n=size, x=responses, x1=stage1, n1=stage1_n)


def _sets(
    design: str,
    plan: AnalysisPlan,
    responses: int,
    stage1: int | None,
    n: int | None,
    stage1_n: int | None,
    overrun: int | None,
) -> tuple[PatientsAnalysis, ...]:
    looks = looks_from(design)
    if overrun is None:
        return (analyse_set(looks, plan, patients=PATIENTS, n=n, x=responses, x1=stage1, n1=stage1_n),)
    if stage1 is None or n is not None or stage1_n is not None:
        raise DesignError(
            "with --overrun, state the responses in stage 1 (--stage1) and in all (--responses), and no size: the "
            "sizes follow from the design"
        )
    return analyse_overrun(looks, plan, patients=PATIENTS, overrun=overrun, x=responses, x1=stage1)
