"""What a design does by itself: every patient evaluable, one response rate, no toxicity rule. Exact, for any Looks."""

from __future__ import annotations

from dataclasses import dataclass

from trialsim.codes import CONSIDER, FUTILE, GO, NEVER
from trialsim.designs.rules import Looks, two_way


@dataclass(frozen=True)
class Alone:
    """Exact operating characteristics at one response rate; ``pet`` is any end before what is planned."""

    p_go: float
    p_consider: float
    p_no_go: float
    p_go_early: float
    p_stop_futility: float
    pet: float
    en: float


def alone(looks: Looks, p: float) -> Alone:
    """P(go), PET, EN and the like of a design at response rate p: look by look, the responses of each trial.

    Where looks ask for toxicity too: nobody has any.
    """
    import numpy as np

    from trialsim.designs.binomial import binomial_pmf

    arriving = {0: binomial_pmf(looks.n[0], p)}
    p_end = {FUTILE: 0.0, GO: 0.0, CONSIDER: 0.0}
    early = {FUTILE: 0.0, GO: 0.0}
    en = 0.0
    for k, n in enumerate(looks.n):
        here = arriving.pop(k, None)
        if here is None:
            continue
        decisions = np.array(looks.next[k])
        for end in p_end:
            mass = float(here[decisions == end].sum())
            p_end[end] += mass
            en += n * mass
            if end in early and looks.ends_early(k):
                early[end] += mass
        for later in np.unique(decisions[decisions >= 0]).tolist():
            moved = np.convolve(np.where(decisions == later, here, 0.0), binomial_pmf(looks.n[later] - n, p))
            arriving[later] = arriving.get(later, 0.0) + moved
    return Alone(
        p_end[GO],
        p_end[CONSIDER],
        p_end[FUTILE],
        early[GO],
        early[FUTILE],
        early[GO] + early[FUTILE],
        en,
    )


def at_both(looks: Looks, rates: tuple[float, float]) -> tuple[float, float, float, float, float]:
    """EN(p0), EN(p1), PET(p0), type I error and power of a design at rates p0 and p1."""
    null, alternative = (alone(looks, p) for p in rates)
    return null.en, alternative.en, null.pet, null.p_go, alternative.p_go


def cut_off_looks(n: tuple[int, ...], stop_le: tuple[int, ...], go_ge: tuple[int | None, ...]) -> Looks:
    """Looks from cut-offs, go where responses reach ``go_ge``; looks that decide nothing are left out, but the last."""
    keep = [
        k
        for k in range(len(n))
        if k == len(n) - 1 or stop_le[k] >= 0 or ((go := go_ge[k]) is not None and go <= n[k])
    ]
    return two_way(
        tuple(n[k] for k in keep),
        tuple(stop_le[k] for k in keep),
        tuple(None if (go := go_ge[k]) is None else go - 1 for k in keep),
    )


def written(looks: Looks) -> str:
    """A design in the field's short form: ``r/n`` stop if responses <= r; ``r:a/n`` and go if responses > a.

    Looks from which some counts lead elsewhere than to the next look are written as ?/n. ``(toxic < b)``: stop at b
    toxicities or more.
    """
    words: list[str] = []
    for k, n in enumerate(looks.n):
        row = looks.next[k]
        r = row.count(FUTILE) - 1
        a = n - row.count(GO)
        onward = {*row[r + 1 : a + 1]}
        last = k == len(looks.n) - 1
        b = looks.toxic_ge[k] if looks.toxic_ge else NEVER
        toxic = f" (toxic < {b})" if b < NEVER else ""
        if len(onward) > 1 or any(d != FUTILE for d in row[: r + 1]) or any(d != GO for d in row[a + 1 :]):
            words.append(f"?/{n}{toxic}")
        elif last and a == r:
            words.append(f"{r}/{n}{toxic}")
        else:
            words.append(f"{r if r >= 0 else '-'}{f':{a}' if a < n else ''}/{n}{toxic}")
    return " ".join(words)
