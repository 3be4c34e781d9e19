"""Interim looks that weigh pending patients: what a scenario states of them, and the tables that it becomes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from trialsim.codes import DAYS_PER_MONTH, FUTILE
from trialsim.designs.exactly import decimal
from trialsim.designs.pending_looks import MOST_EXACT, Look, Posterior, cut_off_range, futile_from, nodes
from trialsim.designs.rules import Looks
from trialsim.designs.spec import AsTuple, OpenProbability, Prior, Probability, Spec, impossible
from trialsim.errors import DesignError
from trialsim.scenario.values import Lag, Weeks, ticks

if TYPE_CHECKING:
    from trialsim.kernels.tables import Weighing as Tables
    from trialsim.scenario.conduct import Conduct
    from trialsim.scenario.model import Scenario

BLOCK = "conduct.weighing"


class Weighing(Spec):
    """How interim looks weigh pending patients (`pending: weigh_follow_up`)."""

    posterior: Posterior = Field(
        "beta",
        description="beta: the weights of pending patients are added to the non-responses; exact: the likelihood of "
        "their follow-up is integrated",
        title="posterior with pending patients",
    )
    follow_up: Literal["visits", "uniform"] = Field(
        "visits",
        description="weight of a pending patient as part of a non-response. visits: share of responses that are first "
        "seen at the visits the patient has passed; uniform: weeks since enrolment over `window_weeks`",
        title="what follow-up weighs",
    )
    window_weeks: Weeks | None = Field(
        None,
        description="weeks of follow-up without response that weigh as much as a non-response, with follow_up: "
        "uniform (default: to the last visit at which a response can be first seen)",
        title="weeks that weigh as a non-response",
    )
    most_pending: Probability = Field(
        0.5,
        description="largest share of a look's patients whose outcome may be pending; while there are more, the look "
        "is not taken",
        title="largest share of pending patients",
    )
    least_weeks: Lag = Field(
        0.0,
        description="weeks from the enrolment of a look's last patient to the look, at least",
        title="least follow-up of a look's last patient",
    )
    p0: OpenProbability | None = Field(
        None,
        description="response rate that the posterior probability is about (default: p0 of the design)",
        title="response rate that is not enough",
    )
    prior: Prior | None = Field(
        None,
        description="[a, b] of the Beta prior of the response rate (default: that of a bop2 design, else p0, 1 - p0)",
        title="prior of the response rate",
    )
    cutoffs: Annotated[tuple[OpenProbability, ...], AsTuple, Field(min_length=1, max_length=100)] | None = (
        Field(
            None,
            description="one a look that can be futile: futile if P(p > p0) is below it (default: that of a bop2 "
            "design, else halfway between what the most responses that are futile and one more would leave)",
            title="cut-offs of the posterior probability",
        )
    )

    @model_validator(mode="after")
    def _possible(self) -> Weighing:
        if self.window_weeks is not None and self.follow_up == "visits":
            raise impossible(
                "window_weeks", "with follow_up: visits the visits say what weighs; write follow_up: uniform"
            )
        return self


@dataclass(frozen=True)
class Weighed:
    """The rule as it is carried out, all defaults filled in.

    Attributes:
        looks: the interim looks, with their cut-offs of the posterior probability; r = -1 where no count is futile.
        allowed: pending patients with whom each may be taken.
        window: ticks of follow-up that weigh as a non-response.
        credit: ticks that count from each visit on; () where those since enrolment count.
        confirms: P(an unconfirmed response is confirmed).
        own_cut_offs: whether the cut-offs are those by which the design itself was made.
    """

    posterior: Posterior
    p0: float
    prior: tuple[float, float]
    looks: tuple[Look, ...]
    allowed: tuple[int, ...]
    minimum: int
    window: int
    credit: tuple[int, ...]
    confirms: float
    own_cut_offs: bool = False

    @cached_property
    def futile_from(self) -> Any:
        """(L, R + 1, n + 1) least ticks without response that are futile (``pending_looks.futile_from``)."""
        return futile_from(self.looks, self.p0, self.prior, self.window, self.confirms)

    def least(self, k: int, responses: int, pending: int) -> int | None:
        """Least total follow-up, in ticks, of so many pending patients at which look k is futile, 0 if it always is,
        with no unconfirmed response; None where it never is. By the Beta posterior."""
        look = self.looks[k]
        if responses > look.r:
            return None
        without = (look.n - responses - pending) * self.window
        least = max(int(self.futile_from[k, responses, 0]) - without, 0)
        return least if least <= pending * self.window else None

    def tables(self, looks: int) -> Tables:
        """The rule as the kernel reads it, for so many looks, the final ones included."""
        import numpy as np

        from trialsim.kernels.tables import WAIT
        from trialsim.kernels.tables import Weighing as Tables

        later = looks - len(self.looks)
        table = np.pad(self.futile_from, ((0, later), (0, 0), (0, 0)))
        doubt = round((1 - self.confirms) * self.window)
        exact = self.posterior == "exact" and table.shape[1] > 0
        if exact:
            most = max(look.n for look in self.looks)
            rate, mass = nodes(self.p0, self.prior, most)
            cut = np.array([look.cut_off for look in self.looks])
            gain = mass * ((rate > self.p0) - cut[:, None])
            u = np.arange(most + 1)[:, None]
            unconfirmed = rate ** (self.confirms * u) * (1 - rate) ** ((1 - self.confirms) * u)
        return Tables(
            True,
            np.array([*self.allowed, *(0,) * later], dtype=np.int64),
            self.minimum,
            self.window,
            np.array(self.credit, dtype=np.int64),
            doubt,
            table,
            rate if exact else WAIT.node,
            np.pad(gain, ((0, later), (0, 0))) if exact else WAIT.gain,
            unconfirmed if exact else WAIT.unconfirmed,
        )


def weighed(scenario: Scenario, looks: Looks) -> Weighed | None:
    """The rule of a scenario; None where its looks wait for every outcome.

    Raises:
        DesignError: the rule does not go with the design, or its cut-offs contradict it.
    """
    conduct = scenario.conduct
    if conduct is None or conduct.pending == "wait":
        return None
    stated = conduct.weighing or Weighing()
    p0 = stated.p0 or scenario.design.p0
    if p0 is None:
        raise DesignError(f"{BLOCK}.p0: missing; the design states no p0 that futility could be about")
    prior = stated.prior or getattr(scenario.design, "response_prior", None) or (p0, 1 - p0)
    if stated.posterior == "exact" and max(prior) > MOST_EXACT:
        raise DesignError(
            f"{BLOCK}.prior: {max(prior):g} is above {MOST_EXACT:g}, the most that posterior: exact takes; "
            "write posterior: beta"
        )
    interim = tuple(k for k in range(len(looks.n)) if not looks.is_final(k))
    if not interim:
        raise DesignError(
            "conduct.pending: the design has no interim look, at which patients could be pending"
        )
    if interim != tuple(range(len(interim))):
        raise DesignError("conduct.pending: a look that always ends the trial comes before one that does not")
    cut = [_futile_to(looks, k) for k in interim]
    last = conduct.assessment_weeks[-2 if conduct.confirmed else -1]
    window = ticks(stated.window_weeks or last)
    seen = conduct.seen_by()
    return Weighed(
        stated.posterior,
        p0,
        prior,
        tuple(_looks(scenario, looks, cut, p0, prior, stated)),
        tuple(math.floor(decimal(stated.most_pending) * looks.n[k]) for k in interim),
        ticks(stated.least_weeks),
        window,
        tuple(round(share * window) for share in seen) if stated.follow_up == "visits" else (),
        _confirms(conduct),
        stated.cutoffs is None and bool(_of_bop2(scenario, looks)),
    )


def waiting(scenario: Scenario) -> Scenario:
    """The scenario whose looks wait for every outcome: what exact answers are about, whatever its design."""
    conduct = scenario.conduct
    if conduct is None or conduct.pending == "wait":
        return scenario
    waits = conduct.model_copy(update={"pending": "wait", "weighing": None})
    return scenario.model_copy(update={"conduct": waits})


def check_pending(scenario: Scenario) -> None:
    """Refuses, where it stands in the file, a rule that does not go with a design whose looks are stated."""
    conduct = scenario.conduct
    if conduct is None or conduct.pending == "wait" or getattr(scenario.design, "is_searched", False):
        return
    try:
        looks = scenario.design.compile()
    except DesignError:
        return  # what is wrong with the design by itself is said where it is used
    try:
        weighed(scenario, looks)
    except DesignError as error:
        key, _, why = str(error).partition(": ")
        raise impossible(key, why) from None


def _futile_to(looks: Looks, k: int) -> int:
    """The most responses that are futile at a look, -1 if none are; refuses a table that cannot be weighed."""
    row = looks.next[k]
    r = row.count(FUTILE) - 1
    later = {decision for decision in row if decision >= 0}
    order = [0 if d == FUTILE else 1 if d >= 0 else 2 for d in row]
    if len(later) > 1:
        raise DesignError(
            f"conduct.pending: after the look at {looks.n[k]} patients the next one depends on the responses, so that "
            "it cannot be taken while outcomes are pending; write pending: wait"
        )
    if order != sorted(order):
        raise DesignError(
            f"conduct.pending: at the look at {looks.n[k]} patients more responses do not plainly lead further, so "
            "that a posterior probability cannot decide it; write pending: wait"
        )
    return r


def _looks(
    scenario: Scenario,
    looks: Looks,
    cut: list[int],
    p0: float,
    prior: tuple[float, float],
    stated: Weighing,
) -> list[Look]:
    """The interim looks with the cut-offs stated, those of the design's own rule, or halfway."""
    ranges = {k: cut_off_range(looks.n[k], r, p0, prior) for k, r in enumerate(cut) if r >= 0}
    given = stated.cutoffs
    if given is not None and len(given) != len(ranges):
        raise DesignError(
            f"{BLOCK}.cutoffs: {len(given)} for {len(ranges)} interim looks that can be futile; one for each"
        )
    own = _of_bop2(scenario, looks) if given is None else {}
    found = []
    for k, r in enumerate(cut):
        if r < 0:
            found.append(Look(looks.n[k], r, 0.0))
            continue
        low, high = ranges[k]
        cut_off = given[list(ranges).index(k)] if given else own.get(k, (low + high) / 2)
        if given and not low < cut_off <= high:
            raise DesignError(
                f"{BLOCK}.cutoffs: {cut_off:g} at the look at {looks.n[k]} patients contradicts its cut-off for "
                f"responses, futile with {r} or fewer: above {low:.6f} and at most {high:.6f} agree with it"
            )
        found.append(Look(looks.n[k], r, cut_off))
    return found


def _of_bop2(scenario: Scenario, looks: Looks) -> dict[int, float]:
    """lambda (n / N)^gamma at each look of a bop2 design under its own prior and p0; {} of any other."""
    design: Any = scenario.design
    stated = scenario.conduct.weighing if scenario.conduct else None
    if design.kind != "bop2" or (stated is not None and (stated.p0 is not None or stated.prior is not None)):
        return {}
    found = design.constants()
    return {
        k: found["lambda"] * float(Fraction(n, looks.planned_n)) ** found["gamma"]
        for k, n in enumerate(looks.n)
    }


def _confirms(conduct: Conduct) -> float:
    """P(an unconfirmed response is confirmed): that its patient is still in the trial at the next visit."""
    if not conduct.confirmed or not conduct.withdrawal_per_month:
        return 1.0
    weeks = conduct.assessment_weeks
    by = (0.0, *conduct.seen_by())
    months = [week * 7 / DAYS_PER_MONTH for week in weeks]
    stays = [math.exp(-conduct.withdrawal_per_month * month) for month in months]
    first = [by[v + 1] - by[v] for v in range(len(weeks) - 1)]
    sighted = sum(share * stays[v] for v, share in enumerate(first))
    return sum(share * stays[v + 1] for v, share in enumerate(first)) / sighted
