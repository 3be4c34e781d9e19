"""The oracle that enumerates (it ships, for `trialsim qualify`), and toxicity boundaries by trying them all."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from scipy import stats

from trialsim.codes import NEVER
from trialsim.qualification.drawn import k_of_first_m as k_of_first_m
from trialsim.qualification.drawn import reachable as reachable
from trialsim.qualification.enumeration import Cells as Cells
from trialsim.qualification.enumeration import Dose as Dose
from trialsim.qualification.enumeration import Inevaluable as Inevaluable
from trialsim.qualification.enumeration import Outcome as Outcome
from trialsim.qualification.enumeration import State as State
from trialsim.qualification.enumeration import add_at as add_at
from trialsim.qualification.enumeration import after_patient as after_patient
from trialsim.qualification.enumeration import cell_probabilities as cell_probabilities
from trialsim.qualification.enumeration import cells_of as cells_of
from trialsim.qualification.enumeration import enumerate_outcomes as enumerate_outcomes
from trialsim.qualification.enumeration import enumerate_trial as enumerate_trial
from trialsim.qualification.enumeration import plackett as plackett
from trialsim.qualification.enumeration import summarise as summarise

# --- toxicity boundaries -----------------------------------------------------------------------------------


def crossing_probability(act_ge: Sequence[int], p: Fraction) -> Fraction:
    """P(the toxicities among the first m reach act_ge[m] for some m), one patient after the other."""
    alive = {0: Fraction(1)}  # toxicities -> probability, among trials that have not crossed
    crossed = Fraction(0)
    for cut in act_ge[1:]:
        following: dict[int, Fraction] = defaultdict(Fraction)
        for t, mass in alive.items():
            following[t] += mass * (1 - p)
            following[t + 1] += mass * p
        crossed += sum((mass for t, mass in following.items() if t >= cut), Fraction(0))
        alive = {t: mass for t, mass in following.items() if t < cut}
    return crossed


def upper_tails(n: int, p: Fraction) -> list[Fraction]:
    """P(Bin(n, p) >= b) for b = 0..n."""
    terms = [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]
    return [sum(terms[b:], Fraction(0)) for b in range(n + 1)]


def pocock_boundary(n: int, limit: float, phi: float) -> list[int]:
    """Ivanova, Qaqish & Schell: the largest breakpoint whose boundary is crossed with probability <= phi.

    Tries every breakpoint from the largest down. A breakpoint above phi is passed over without trying: its
    boundary is crossed at the patient it came from alone with more than phi.
    """
    p, most = Fraction(str(limit)), Fraction(str(phi))
    tails = [upper_tails(m, p) for m in range(n + 1)]
    breakpoints = {tail for m in range(1, n + 1) for tail in tails[m][1:] if tail <= most}
    for a in sorted(breakpoints, reverse=True):
        row = [NEVER] * (n + 1)
        for m in range(1, n + 1):
            row[m] = min((b for b in range(1, m + 1) if tails[m][b] <= a), default=NEVER)
        if crossing_probability(row, p) <= most:
            return row
    return [NEVER] * (n + 1)


def posterior_above(limit: float, a: float, b: float) -> float | Fraction:
    """P(theta > limit) under Beta(a, b): exact for whole a and b, where a tie with a cut-off is possible."""
    if a == int(a) and b == int(b):
        # The a-th of a + b - 1 uniform times lies above `limit` when fewer than a of them lie below.
        size = int(a) + int(b) - 1
        return 1 - upper_tails(size, Fraction(str(limit)))[int(a)]
    return float(stats.beta.sf(limit, a, b))


def posterior_boundary(n: int, limit: float, cutoff: float, a: float, b: float, min_n: int) -> list[int]:
    """Act at m >= min_n when P(theta > limit | data) > cutoff (strictly) under a Beta(a, b) prior.

    A cut-off of 0 toxicities is possible, where the prior alone is alarming.
    """
    row = [NEVER] * (n + 1)
    for m in range(max(1, min_n), n + 1):
        for t in range(m + 1):
            if posterior_above(limit, a + t, b + m - t) > Fraction(str(cutoff)):
                row[m] = t
                break
    return row
