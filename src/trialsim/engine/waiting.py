"""What waiting at an interim look costs: the same trial with accrual paused, continued, or decided early."""

from __future__ import annotations

from dataclasses import dataclass

from trialsim.engine.paired import Difference, differences
from trialsim.engine.timed import Timed, timed
from trialsim.kernels.tables import CONTINUE_ACCRUAL, EARLY_DECISION, PAUSE
from trialsim.scenario.compiled import Compiled

REPLICATES = 10_000
"""Trials a case and policy, at most."""

POLICIES = {"pause": PAUSE, "early_decision": EARLY_DECISION, "continue": CONTINUE_ACCRUAL}

QUANTITIES = ("p_go", "en", "duration_months")


@dataclass(frozen=True)
class Waiting:
    """A case under one interim policy, beside the scenario's own: each quantity, and how it differs."""

    case: str
    policy: str
    own: bool
    found: dict[str, Difference]


def waiting_cost(trial: Compiled, seed: int, replicates: int) -> tuple[Waiting, ...]:
    """Every case under every interim policy, on the same patients; empty without an interim look or without dates.

    ``Difference.one`` is the scenario's own policy, ``other`` the one named.
    """
    conduct = trial.scenario.conduct
    if conduct is None or len(trial.rules.looks.n) == 1:
        return ()
    own = timed(trial)
    rows: dict[tuple[str, str], Waiting] = {}
    for policy, code in POLICIES.items():
        other = {
            case: Timed.of(trial.rules, trials.calendar._replace(interim=code), trials.thresholds)
            for case, trials in own.items()
        }
        for case, found in differences(own, other, min(replicates, REPLICATES), seed).items():
            chosen = {name: found[name] for name in QUANTITIES}
            rows[case, policy] = Waiting(case, policy, policy == conduct.interim, chosen)
    return tuple(rows[case, policy] for case in own for policy in POLICIES)
