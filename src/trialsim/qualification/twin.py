"""A plain-Python twin of the Monte Carlo kernel: the same random words, the same trials, one at a time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

from trialsim.codes import CONSIDER, FUTILE, GO, NEW_DOSE_ONLY, REDUCE, RESTART, STOP
from trialsim.designs.rules import Rules
from trialsim.qualification.enumeration import Dose, plackett
from trialsim.qualification.planned import ends_at_the_planned_n

WORD = 2**32


def philox4x32(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Philox4x32-10 (Salmon et al. 2011)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, WORD)
        high1, low1 = divmod(0xCD9E8D57 * c2, WORD)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % WORD, (k1 + 0xBB67AE85) % WORD
    return c0, c1, c2, c3


def key_of(seed: int) -> tuple[int, int]:
    """The key of a seed: two little-endian words."""
    digest = hashlib.sha256(f"trialsim stream 1 seed {seed}".encode("ascii")).digest()
    return int.from_bytes(digest[0:4], "little"), int.from_bytes(digest[4:8], "little")


def words(
    key: tuple[int, int], replicate: int, patient: int, course: int = 0, domain: int = 0, group: int = 0
) -> tuple[int, int, int, int]:
    """The four words of one patient (0 = the first) of one replicate."""
    return philox4x32(
        (replicate % WORD, (replicate >> 32) | (course << 16), patient, (domain << 16) | group), key
    )


def threshold(p: float) -> int:
    """An event of probability p happens when its word is below this."""
    return math.floor(p * WORD + 0.5)


class Thresholds(NamedTuple):
    """The thresholds of one dose level; pairs are indexed by response."""

    response: int
    toxicity: tuple[int, int]
    evaluable: tuple[int, int]


def thresholds(dose: Dose) -> Thresholds:
    """The thresholds of a dose."""
    p_r, p_t = dose.response, dose.toxicity
    p11 = plackett(p_r, p_t, dose.odds_ratio)
    t_given_response = p11 / p_r if p_r > 0 else p_t
    t_given_none = (p_t - p11) / (1 - p_r) if p_r < 1 else p_t
    e_given_response = e_given_none = dose.evaluable
    if dose.inevaluable == "nonresponders":
        e_given_response = 1.0
        e_given_none = (dose.evaluable - p_r) / (1 - p_r) if p_r < 1 else 1.0
    return Thresholds(
        threshold(p_r),
        (threshold(t_given_none), threshold(t_given_response)),
        (threshold(e_given_none), threshold(e_given_response)),
    )


Drifting = Callable[[int, int], Thresholds]
"""The thresholds at a level of a patient in enrolment order, 1 = the first."""


def simulate_trial(
    rules: Rules, truth: Sequence[Thresholds] | Drifting, seed: int, replicate: int
) -> dict[str, Any]:
    """One trial from first patient to verdict."""
    key = key_of(seed)
    looks, monitor = rules.looks, rules.monitor
    patients, responses, toxicities = ([0] * rules.levels for _ in range(3))  # by level
    level = k = evaluable = m = tox_here = reduction_patient = 0
    seen = seen_evaluable = seen_responses = seen_toxicities = 0  # what looks go by: they may begin anew
    triggered = switch = only_new_dose = False
    reason = ""

    for i in count(1):
        if switch:
            reduction_patient = reduction_patient or i - 1
            level, m, tox_here, switch = level + 1, 0, 0, False
            if rules.on_dose_change == RESTART:
                k = seen = seen_evaluable = seen_responses = seen_toxicities = 0
            elif rules.on_dose_change == NEW_DOSE_ONLY:
                only_new_dose, seen_responses = True, 0

        # 1. record
        w = words(key, replicate, i - 1)
        at = truth(level, i) if callable(truth) else truth[level]
        is_response = w[0] < at.response
        is_toxicity = w[1] < at.toxicity[is_response]
        is_evaluable = w[2] < at.evaluable[is_response]
        m += 1
        tox_here += is_toxicity
        patients[level] += 1
        toxicities[level] += is_toxicity
        evaluable += is_evaluable
        responses[level] += is_response and is_evaluable
        seen += 1
        seen_evaluable += is_evaluable
        seen_responses += is_response and is_evaluable
        seen_toxicities += is_toxicity
        due = (is_evaluable and seen_evaluable == looks.n[k]) if rules.replaced else seen == looks.n[k]
        final = ends_at_the_planned_n(looks, k)
        if only_new_dose:
            due, final = i == looks.n[-1], True

        # 2. toxicity: a stop outranks everything, an amendment always means reduce
        if tox_here >= monitor.act_ge[level][m]:
            stops = (
                monitor.action[level] == REDUCE and monitor.stop_ge and tox_here >= monitor.stop_ge[level][m]
            )
            if monitor.action[level] == STOP or stops:
                reason = "toxicity_at_n" if due and final else "toxicity"
                break
            switch = monitor.action[level] == REDUCE
        if monitor.at_enrolled[level] and i >= monitor.at_enrolled[level]:
            switch = True
        triggered = triggered or switch

        # 3. look
        if due and looks.toxic_ge and seen_toxicities >= looks.toxic_ge[k]:
            reason = "toxicity_at_n" if final else "toxicity"
            break
        if due:
            if only_new_dose:
                decision = GO if seen_responses >= rules.attained_ge[m] else FUTILE
            else:
                decision = looks.next[k][seen_responses]
            if decision in (FUTILE, GO, CONSIDER):
                early, at_last = {
                    FUTILE: ("futility", "final_no_go"),
                    GO: ("go_early", "final_go"),
                    CONSIDER: ("", "final_consider"),
                }[decision]
                reason = at_last if final else early
                break
            k = decision

        # 4. nobody else may be treated
        if seen == rules.max_treated:
            reason = "accrual_cap"
            break

    verdicts = {"go_early": "go", "final_go": "go", "final_consider": "consider"}
    return {
        "verdict": verdicts.get(reason, "no_go"),
        "reason": reason,
        "n": sum(patients),
        "evaluable": evaluable,
        "responses": sum(responses),
        "toxicities": sum(toxicities),
        "reduction_patient": reduction_patient,
        "triggered": triggered,
        "patients_by_level": patients,
        "responses_by_level": responses,
        "toxicities_by_level": toxicities,
    }
