"""The one door to both searches: of designs by themselves, and in a scenario's own trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

from trialsim.designs import finding, selection
from trialsim.designs.finding import FoundDesigns
from trialsim.designs.selection import SelectionSizes
from trialsim.engine.whole_trial import find_robust
from trialsim.engine.whole_trial_found import RobustDesigns
from trialsim.engine.whole_trial_search import Progress
from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.scenario.model import Scenario


@overload
def find(kind: str | None = None, *, scenario: Scenario, **stated: Any) -> RobustDesigns: ...
@overload
def find(kind: Literal["selection"], **stated: Any) -> SelectionSizes: ...
@overload
def find(kind: str, **stated: Any) -> FoundDesigns: ...
@takes
def find(
    kind: str | None = None,
    *,
    p0: float | None = None,
    p1: float | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    power: float | None = None,
    criterion: str | None = None,
    weight: float | None = None,
    nmax: int | None = None,
    history: str | None = None,
    scenario: Scenario | None = None,
    null: Sequence[str] | None = None,
    alternative: Sequence[str] | None = None,
    calendar: bool = False,
    replicates: int | None = None,
    progress: Progress | None = None,
    doing: Callable[[str], None] | None = None,
    **keys: Any,
) -> FoundDesigns | RobustDesigns | SelectionSizes:
    """Find designs that keep both error rates, by exact and complete search.

    Kinds that are planned otherwise, such as ``gehan``, are derived.

    ``find("selection", higher=0.2, delta=0.1, pcs=0.7)`` finds how many patients at each of two doses choose the
    right one: ``higher`` is the response rate at the higher dose, ``delta`` by how much the lower may do worse, ``pcs``
    the least probability of correct selection.

    With ``scenario`` the error rates are kept in its own trial, with its toxicity rule, evaluability and association.

    Args:
        kind: such as "simon", "single_stage" or "gehan"; with a scenario its own by default.
        p0, p1: unacceptable and desirable response rate.
        alpha, beta: largest type I and II error.
        power: least power, in place of beta.
        criterion: such as "optimal", "minimax" or "admissible"; all that the kind has when left out.
        weight: weight of n, to pick one admissible design of Simon's.
        nmax: largest n to look at; without it the search ends when no larger n can be better, or says where it ended;
            with a scenario it is 1.5 times the ideal n.
        history: responses/patients of the control, such as "1/20": each design's mean type I error is told too.
        scenario: a scenario, or the path of its file; what is stated here replaces what its design states.
        null: with a scenario, the cases in which P(go) must not exceed alpha (default: those that respond at p0 or less
            at every dose); EN is that of the first.
        alternative: with a scenario, the cases in which P(go) must reach 1 - beta (default: those that respond at p1 or
            more at the first dose).
        calendar: with a scenario, keep the error rates in calendar time, by simulation.
        replicates: with ``calendar``, simulated trials a case of the designs found; default those of the scenario.
        progress: with a scenario, called with n and nmax as the search goes on.
        doing: without one, called with a sentence when work goes on that was not asked for.
        keys: further keys of the design's block in a scenario file, such as ``balanced=True`` or ``prior=[0.2, 0.8]``.

    Returns:
        A design a criterion, by name; with a scenario beside the ideal ones, and with what each does in every case.

    Raises:
        DesignError: impossible input, no design within ``nmax``, or a trial that has no exact answer of this kind.

    Examples:
        >>> found = trialsim.find("simon", p0=0.1, p1=0.3, alpha=0.05, power=0.8)
        >>> found["optimal"].design, found["minimax"].design
        ('1/10 5/29', '1/15 5/25')

    Sources: Simon R, Control Clin Trials 1989;10:1-10 (optimal, minimax); Jung SH et al., Stat Med 2004;23:561-569
    (admissible). Those of the other kinds stand at their keys in the reference of scenario files.
    """
    stated: dict[str, Any] = {"p0": p0, "p1": p1, "alpha": alpha, "beta": beta, "power": power}
    chosen: dict[str, Any] = {"criterion": criterion, "weight": weight, "nmax": nmax, **keys}
    if scenario is not None and history is not None:
        raise DesignError(
            "history goes with ideal designs; with a scenario state `history` in its file, and run gives the mean type "
            "I error of its own trial"
        )
    if scenario is not None:
        given = {name: value for name, value in stated.items() if value is not None}
        chosen |= {"null": null, "alternative": alternative, **given}
        chosen |= {"calendar": calendar, "replicates": replicates}
        return find_robust(scenario, kind=kind, progress=progress, **chosen)
    if calendar or replicates is not None:
        raise DesignError("calendar and replicates are about a scenario's own trial: state scenario as well")
    if null or alternative:
        raise DesignError("null and alternative name cases of a scenario: state scenario as well")
    if kind is None:
        raise DesignError('name the kind of design, as in find("simon", ...); or state a scenario')
    if kind == selection.KIND:
        return selection.sizes(stated | chosen)
    return finding.find(kind, history=history, doing=doing, **stated, **chosen)
