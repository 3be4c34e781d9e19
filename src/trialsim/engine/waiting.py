"""What waiting at an interim look costs: the same trial with accrual paused, continued, or decided early."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trialsim.engine.montecarlo import tallies
from trialsim.engine.paired import Difference, Together, against, estimates
from trialsim.engine.quantities import Side
from trialsim.engine.tally import Tally
from trialsim.engine.timed import Timed, timed
from trialsim.kernels.tables import CONTINUE_ACCRUAL, EARLY_DECISION, PAUSE, WAIT, Calendar, Weighing
from trialsim.results import Estimate
from trialsim.scenario.compiled import Compiled

REPLICATES = 10_000
"""Trials a case and policy, at most."""

POLICIES = {"pause": PAUSE, "early_decision": EARLY_DECISION, "continue": CONTINUE_ACCRUAL}
"""What accrual does while a look waits for every outcome."""

WEIGH, LEAVE_OUT = "weigh_follow_up", "leave_out"
"""Looks that weigh pending patients; the same looks if they left them out."""

QUANTITIES = ("p_go", "en", "duration_months")


@dataclass(frozen=True)
class Waiting:
    """A case under one interim policy, beside the scenario's own: each quantity, and how it differs."""

    case: str
    policy: str
    own: bool
    replicates: int
    found: dict[str, Difference]

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows: each quantity under the policy, and its difference from the scenario's own policy."""
        return [
            {
                "case": self.case,
                "interim": self.policy,
                "own": self.own,
                "quantity": name,
                "estimate": found.other.estimate,
                "mcse": found.other.mcse,
                "low": found.other.low,
                "high": found.other.high,
                "difference": found.difference.estimate,
                "difference_mcse": found.difference.mcse,
                "difference_low": found.difference.low,
                "difference_high": found.difference.high,
            }
            for name, found in self.found.items()
        ]


def waiting_cost(trial: Compiled, seed: int, replicates: int) -> tuple[Waiting, ...]:
    """Every case under every interim policy, on the same patients; empty without an interim look or without dates.

    ``Difference.one`` is the scenario's own policy, ``other`` the one named. Where looks weigh pending
    patients, that is the scenario's own policy, and leaving them out is one more.
    """
    conduct = trial.scenario.conduct
    if conduct is None or len(trial.rules.looks.n) == 1 or not replicates:
        return ()
    weighs = trial.calendar.weighing.on
    policies = (WEIGH, LEAVE_OUT, *POLICIES) if weighs else tuple(POLICIES)
    replicates, interim = min(replicates, REPLICATES), WEIGH if weighs else conduct.interim
    # the scenario's own policy is simulated once, beside the others
    order = [interim, *(policy for policy in policies if policy != interim)]
    together = {
        case: Together(Side.of(own), tuple(Side.of(_under(trial, own, policy)) for policy in order[1:]))
        for case, own in timed(trial).items()
    }
    drawn = tallies(together, replicates, seed)
    return tuple(
        Waiting(case, policy, policy == interim, replicates, _found(drawn[case], order.index(policy)))
        for case in together
        for policy in policies
    )


def _under(trial: Compiled, own: Timed, policy: str) -> Timed:
    calendar = own.calendar
    if policy == LEAVE_OUT:
        calendar = calendar._replace(weighing=leaving_out(calendar))
    else:
        calendar = calendar._replace(interim=POLICIES[policy], weighing=WAIT)
    return replace(own, choice=None).under(trial.rules, calendar)


def leaving_out(calendar: Calendar) -> Weighing:
    """Looks at the same time that leave out whoever is pending, by the Beta posterior."""
    weighing = calendar.weighing
    alone = np.repeat(weighing.futile_from[..., :1], weighing.futile_from.shape[2], axis=2)
    return weighing._replace(
        credit=np.zeros_like(calendar.visit),
        doubt=0,
        futile_from=alone,
        node=WAIT.node,
        gain=WAIT.gain,
        unconfirmed=WAIT.unconfirmed,
    )


def _found(tally: Tally, k: int) -> dict[str, Difference]:
    """What the k-th trial of a tally shows beside the one, which is number 0."""
    if k:
        both = against(tally, k)
        return {name: both[name] for name in QUANTITIES}
    one = estimates(tally, 0)
    return {name: Difference(one[name], one[name], Estimate(0, 0, 0, 0), math.inf) for name in QUANTITIES}
