"""A trial that went on though its design had stopped it for futility: what can still be said, and of whom.

The test is over: it is that of the patients on whom the stop was decided. Of all patients there is the analysis that
takes no notice of the stop, as of a trial of one stage and a fixed size. A go needs more than r responses among all n
with the stop or without it, so P(go) with the stop is at most P(go) without; whatever share of the trials that are
stopped goes on, and why, no more than P(X_n > r) of all trials claim a go, and no more than a of all trials have a
p-value of a or less. The patients after the stop are a sample of their own, whatever the reason for going on: it can
have depended only on those before.
"""

from __future__ import annotations

from dataclasses import replace

from trialsim.codes import FUTILE, GO
from trialsim.designs.alone import alone
from trialsim.designs.binomial import binomial_pmf
from trialsim.designs.rules import Looks, two_way
from trialsim.errors import DesignError
from trialsim.inference.analysis import AnalysisPlan, PatientsAnalysis, analysis, counted
from trialsim.inference.sizes import analyse_set

UP_TO, ALL, AFTER = "Patients up to the stop", "All patients, the stop ignored", "Patients after the stop"
"""The three sets of patients, the primary one first."""

STANDS = "no go: the futility stop stands"
"""The decision, whatever came of the patients after it."""


def analyse_past_futility(
    planned: Looks, plan: AnalysisPlan, *, n: int, x: int, x1: int, n1: int | None = None
) -> tuple[PatientsAnalysis, ...]:
    """The patients up to the stop, all patients, and those after the stop.

    Args:
        planned: the design.
        plan: what is asked.
        n, x: all patients, and their responses.
        x1, n1: responses and patients at the look that said stop; n1 None: the first look as planned.

    Raises:
        DesignError: x1 of n1 did not stop the trial, or the counts cannot be.
    """
    at = planned.n[0] if n1 is None else n1
    if n <= at:
        raise DesignError(
            f"{n} patients in all, {at} up to the stop: a trial that went on past futility has more (--n)"
        )
    first = analyse_set(planned, plan, patients=UP_TO, n=at, x=x1, n1=n1 if n1 not in planned.n else None)
    if first.decision != "stop for futility":
        raise DesignError(
            f"{counted(x1)} among {at} patients: {first.decision} by this design, no stop for futility on the way"
        )
    if not 0 <= x - x1 <= n - at:
        raise DesignError(
            f"{counted(x1)} up to the stop and {x} in all cannot be, with {at} and {n} patients"
        )
    return (
        first,
        replace(_fixed(plan, ALL, n, x), notes=_of_all(planned, plan, n, x)),
        replace(_fixed(plan, AFTER, n - at, x - x1), notes=(_AFTER,)),
    )


def _fixed(plan: AnalysisPlan, patients: str, n: int, x: int) -> PatientsAnalysis:
    """Patients of a fixed number: no cut-off of their own decides anything."""
    r = min(x, n - 1)
    return replace(
        analysis(two_way((n,), (r,), (r,)), 0, plan, patients, x, None), decision=STANDS, fixed=True
    )


_AFTER = (
    "Valid whatever the reason for going on, which can have depended only on the patients before, if the number after "
    "the stop did not depend on their responses."
)


def _of_all(planned: Looks, plan: AnalysisPlan, n: int, x: int) -> tuple[str, ...]:
    notes = [
        "As of one stage with a fixed number of patients: exact if every trial like this one goes on to that number. "
        "If only some do, p-values and limits err no more often than they say, counted over all trials, stopped ones "
        "without a claim; the estimate is too high if the more promising ones go on. The number must not have "
        "depended on responses."
    ]
    if n == planned.planned_n and plan.p0 is not None and (r := last_cut_off(planned)) is not None:
        without = float(binomial_pmf(n, plan.p0)[r + 1 :].sum())
        notes.append(
            f"The last cut-off with the stop ignored (non-binding): > {r} of {n} has type I error {without:.4f} at p0, "
            f"against {alone(planned, plan.p0).p_go:.4f} with the stop. {counted(x).capitalize()} "
            f"{'would have passed' if x > r else 'would not have passed'} it; the trial was not allowed to get there."
        )
    return tuple(notes)


def last_cut_off(looks: Looks) -> int | None:
    """The cut-off of the last look; None where it has none, or where an earlier look may go: then it is no bound."""
    row = looks.next[-1]
    r = sum(decision == FUTILE for decision in row) - 1
    early = any(decision == GO for each in looks.next[:-1] for decision in each)
    return None if early or looks.toxic_ge or set(row) != {FUTILE, GO} else r
