"""How a design ends by itself, look by look: every patient evaluable, one response rate. Exact, for any Looks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Any

from trialsim.codes import CONSIDER, FUTILE, GO, NEVER
from trialsim.designs.bryant_day import patient, patient_is
from trialsim.designs.rules import Looks


@dataclass(frozen=True)
class Ends:
    """P(the trial ends at this look in ...); ``p_toxicity``: for toxicity, whatever the responses."""

    n: int
    p_go: float
    p_consider: float
    p_no_go: float
    p_toxicity: float

    @property
    def p(self) -> float:
        """P(the trial ends at this look)."""
        whole = self.p_go + self.p_consider + self.p_no_go + self.p_toxicity
        # the only look of those that can end a trial does so for certain, whatever the last bit of the sum
        return 1.0 if abs(whole - 1) < 1e-12 else whole


def ends(looks: Looks, p: float, toxicity: float = 0.0, odds_ratio: float = 1.0) -> tuple[Ends, ...]:
    """P(each end) at every look, at response rate p and toxicity rate ``toxicity``, associated by an odds ratio."""
    watched = looks.toxic_ge if looks.too_toxic and toxicity > 0 else (NEVER,) * len(looks.n)
    one = patient(p, toxicity if looks.too_toxic else 0.0, odds_ratio)
    return tuple(Ends(n, *map(float, ways)) for n, *ways in _by_look(looks, watched, one))


def p_go_is(looks: Looks, p: Fraction, toxicity: Fraction, odds_ratio: Fraction) -> Fraction | None:
    """P(go) as a fraction; None where the association makes it none."""
    one = patient_is(p, toxicity, odds_ratio)
    if one is None:
        return None
    whole = math.lcm(*(part.denominator for part in one))
    cells = tuple(int(part * whole) for part in one)
    watched = looks.toxic_ge or (NEVER,) * len(looks.n)
    return sum((Fraction(int(go), whole**n) for n, go, *_ in _by_look(looks, watched, cells)), Fraction(0))


def _by_look(looks: Looks, watched: tuple[int, ...], one: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Look by look n and what ends there in go, consider, no go and for toxicity: probabilities, or of whole numbers
    ``one`` those times (their sum)^n."""
    import numpy as np

    first = np.ones((1, 1), dtype=float if isinstance(one[1], float) else object)
    arriving = {0: _grown(first, one, looks.n[0])}
    for k, n in enumerate(looks.n):
        here = arriving.pop(k, np.zeros((n + 1, 1)))
        tolerable, toxic = here[:, : watched[k]], here[:, watched[k] :].sum()
        decisions = np.array(looks.next[k])
        yield n, *(tolerable[decisions == end].sum() for end in (GO, CONSIDER, FUTILE)), toxic
        for later in np.unique(decisions[decisions >= 0]).tolist():
            kept = np.where((decisions == later)[:, None], tolerable, 0)
            moved = _grown(kept, one, looks.n[later] - n)
            arriving[later] = _sum(arriving[later], moved) if later in arriving else moved


def _grown(state: Any, one: tuple[Any, ...], patients: int) -> Any:
    """The distribution of (responses, toxicities) after more patients; one column where nobody has toxicity."""
    import numpy as np

    toxic, neither, both, response = one
    for _ in range(patients):
        x, t = state.shape
        wider = np.zeros((x + 1, t + 1 if toxic + both > 0 else t), dtype=state.dtype)
        wider[:x, :t] += neither * state
        wider[1:, :t] += response * state
        if toxic + both > 0:
            wider[:x, 1:] += toxic * state
            wider[1:, 1:] += both * state
        state = wider
    return state


def _sum(a: Any, b: Any) -> Any:
    import numpy as np

    total = np.zeros(tuple(map(max, zip(a.shape, b.shape, strict=True))), dtype=a.dtype)
    total[: a.shape[0], : a.shape[1]] += a
    total[: b.shape[0], : b.shape[1]] += b
    return total


def spread(found: tuple[Ends, ...]) -> tuple[float, float, int]:
    """Mean and standard deviation of the number of patients; and its median, the least n with P(N <= n) >= 1/2."""
    mean = sum(look.n * look.p for look in found)
    sd = math.sqrt(sum((look.n - mean) ** 2 * look.p for look in found))
    # a chance of one half exactly must not be missed by rounding
    by_now = zip(found, accumulate(look.p for look in found), strict=True)
    return mean, sd, next(look.n for look, p in by_now if p >= 0.5 - 1e-12)
