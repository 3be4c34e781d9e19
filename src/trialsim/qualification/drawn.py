"""Random small protocols and truths, to hold engines and oracles against each other.

Anything `Rules` accepts may come out, sensible or not: an engine must run the tables, not the design.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from trialsim.codes import (
    CONSIDER,
    CONTINUE,
    FUTILE,
    GO,
    NEVER,
    NEW_DOSE_ONLY,
    POOLED,
    REDUCE,
    RESTART,
    STOP,
)
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.qualification.enumeration import Dose, Inevaluable
from trialsim.scenario.truth import Rates

RATES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
ODDS_RATIOS = (0.25, 1.0, 4.0)
EVALUABLE = (1.0, 0.9, 0.6)
MONITORS = ("none", "monotone", "k_of_first_m", "posterior", "at_once")


def reachable(row: Sequence[int]) -> list[int]:
    """The boundary with NEVER wherever the cut-off exceeds the patients (index 0, unused, also NEVER)."""
    return [NEVER, *(b if b <= m else NEVER for m, b in enumerate(row[1:], start=1))]


def k_of_first_m(n: int, k: int, m: int) -> list[int]:
    """Act at k toxicities among the first m patients; later patients are not watched."""
    return [k if k <= patients <= m else NEVER for patients in range(n + 1)]


def random_row(rng: random.Random, n: int, onward: Sequence[int]) -> tuple[int, ...]:
    """The decisions of a look at n patients; `onward` lists the later looks."""
    if rng.random() < 0.3:  # any table at all, monotone or not
        choices = (FUTILE, GO, *onward) if onward else (FUTILE, GO, CONSIDER)
        row = [rng.choice(choices) for _ in range(n + 1)]
        if onward:
            row[rng.randint(0, n)] = rng.choice(onward)  # an interim look, not an early final one
        return tuple(row)
    # Stop up to `low`, go above `high`; in between go on (to which look may vary) or consider.
    low = rng.randint(-1, n - 1)
    high = rng.randint(low + 1, n) if onward or rng.random() < 0.5 else low
    return tuple(
        FUTILE if x <= low else GO if x > high else rng.choice(onward) if onward else CONSIDER
        for x in range(n + 1)
    )


def random_looks(rng: random.Random, max_n: int) -> Looks:
    """One to three looks, the last at max_n at most."""
    looks = rng.randint(1, min(3, max_n))
    n = tuple(sorted(rng.sample(range(1, max_n + 1), looks)))
    rows = [random_row(rng, size, tuple(range(k + 1, looks))) for k, size in enumerate(n)]
    if looks > 1 and rng.random() < 0.05:
        rows[0] = random_row(rng, n[0], ())  # legal: the first look is final, later looks are never reached
    return Looks(n, tuple(rows))


def with_toxic_looks(rng: random.Random, looks: Looks) -> Looks:
    """The same looks, some of which stop for toxicity too."""
    toxic_ge = tuple(rng.choice((NEVER, rng.randint(1, n), (n + 2) // 2)) for n in looks.n)
    return replace(looks, toxic_ge=toxic_ge)


def random_boundary(rng: random.Random, patients: int, kind: str | None = None) -> tuple[int, ...]:
    """A toxicity boundary for 1..patients at a level; `kind` is one of MONITORS, drawn if not given."""
    kind = kind or rng.choice(MONITORS[:4] * 5 + MONITORS[4:])
    row = [NEVER] * (patients + 1)
    if kind == "monotone":
        cut = rng.randint(1, 2)
        for m in range(1, patients + 1):
            row[m] = cut
            cut += rng.random() < 0.4
    elif kind == "k_of_first_m":
        first = rng.randint(1, patients)
        row = k_of_first_m(patients, rng.randint(1, first), first)
    elif (
        kind == "posterior"
    ):  # from some patient on, more than a share: the cut-off steps up, unmonitored before
        share = rng.choice((0.2, 0.35, 0.5))
        for m in range(rng.randint(1, patients), patients + 1):
            row[m] = int(share * m) + 1
    elif kind == "at_once":  # a cut-off of zero: acts whatever was seen
        for m in range(rng.randint(1, patients), patients + 1):
            row[m] = 0
    # Both ways of writing "cannot be reached" are legal.
    return tuple(reachable(row) if rng.random() < 0.5 else row)


def random_monitor(rng: random.Random, levels: int, patients: int) -> Monitor:
    """A boundary, perhaps an amendment, and an action for every level; often none at all, at any level."""
    last = levels - 1
    monitor = Monitor(
        act_ge=tuple(random_boundary(rng, patients) for _ in range(levels)),
        # Amendments always reduce, so none at the last level.
        at_enrolled=tuple(
            rng.randint(1, patients) if d < last and rng.random() < 0.25 else 0 for d in range(levels)
        ),
        action=tuple(
            rng.choice((REDUCE, REDUCE, STOP, CONTINUE)) if d < last else rng.choice((STOP, CONTINUE))
            for d in range(levels)
        ),
    )
    return with_stops(random.Random(repr(monitor)), monitor)


def with_stops(rng: random.Random, monitor: Monitor) -> Monitor:
    """The same monitor; in half of those that reduce somewhere, more toxicities stop the trial there instead."""
    if REDUCE not in monitor.action or rng.random() < 0.5:
        return monitor
    stop_ge = []
    for row in monitor.act_ge:
        beside = random_boundary(rng, len(row) - 1)
        later = rng.randint(0, 2)
        stop_ge.append(
            tuple(max(a, min(b, a + later if a < NEVER else NEVER)) for a, b in zip(row, beside, strict=True))
        )
    return replace(monitor, stop_ge=tuple(stop_ge))


def random_attained(rng: random.Random, planned_n: int) -> tuple[int, ...]:
    """Least responses for a go by number of patients analysed: a share of them, or any table at all."""
    if rng.random() < 0.5:
        share = rng.choice((0.0, 0.1, 0.3, 0.6))
        return tuple(int(share * m) + 1 for m in range(planned_n + 1))
    return tuple(rng.choice((NEVER, *range(m + 2))) for m in range(planned_n + 1))


def random_rules(
    rng: random.Random,
    max_n: int = 6,
    max_levels: int = 3,
    replaced: bool | None = None,
    levels: int | None = None,
    max_extra: int = 2,
    on_dose_change: int | None = POOLED,
) -> Rules:
    """A random protocol of at most max_n planned patients (and max_extra more where they are replaced).

    ``on_dose_change`` None: any that goes with the rest. Where looks begin again at a lower dose, each dose has
    fewer, so that the longest trial is hardly longer.
    """
    replaced = rng.random() < 0.5 if replaced is None else replaced
    levels = rng.randint(1, max_levels) if levels is None else levels
    if on_dose_change is None:
        on_dose_change = rng.choice((POOLED, RESTART) if replaced else (POOLED, NEW_DOSE_ONLY, RESTART))
    if on_dose_change == RESTART and levels > 1:
        max_n, max_extra = max(max_n // levels + 1, 2), min(max_extra, 1)
    looks = random_looks(rng, max_n)
    aside = random.Random(repr(looks))  # the other draws are the same with and without
    if not replaced and on_dose_change != NEW_DOSE_ONLY and aside.random() < 0.4:
        looks = with_toxic_looks(aside, looks)
    max_treated = looks.planned_n + (rng.randint(0, max_extra) if replaced else 0)
    monitor = random_monitor(rng, levels, max_treated)
    if on_dose_change == RESTART and rng.random() < 0.5:  # an amendment may come later than any one dose ends
        most = max_treated * levels
        at = tuple(rng.randint(n, most) if n else 0 for n in monitor.at_enrolled)
        monitor = replace(monitor, at_enrolled=at)
    attained = random_attained(rng, looks.planned_n) if on_dose_change == NEW_DOSE_ONLY else ()
    return Rules(looks, monitor, replaced, max_treated, on_dose_change, attained)


def random_truth(
    rng: random.Random, levels: int, evaluable: float | None = None, same_evaluability: bool = False
) -> tuple[Dose, ...]:
    """A random truth at every dose level.

    Who is evaluable may differ between levels unless `same_evaluability`. With inevaluable non-responders the
    response rate cannot exceed the evaluable rate.
    """
    doses: list[Dose] = []
    for _ in range(levels):
        if doses and same_evaluability:
            e, kind = doses[0].evaluable, doses[0].inevaluable
        else:
            e = rng.choice(EVALUABLE) if evaluable is None else evaluable
            kinds: tuple[Inevaluable, ...] = ("independent", "nonresponders")
            kind = rng.choice(kinds)
        possible = [r for r in (*RATES, e) if r <= e] if kind == "nonresponders" else RATES
        doses.append(Dose(rng.choice(possible), rng.choice(RATES), rng.choice(ODDS_RATIOS), e, kind))
    return tuple(doses)


def random_scenario(
    rng: random.Random, max_n: int = 6, max_n_inevaluable: int = 4, same_evaluability: bool = False
) -> tuple[Rules, tuple[Dose, ...]]:
    """A protocol and a truth small enough to enumerate: fewer patients where some are inevaluable."""
    levels = rng.randint(1, 3)
    evaluable = 1.0 if rng.random() < 0.4 else None
    truth = random_truth(rng, levels, evaluable, same_evaluability)
    all_evaluable = all(dose.evaluable == 1 for dose in truth)
    most = max_n if all_evaluable else min(max_n, max_n_inevaluable)
    rules = random_rules(rng, most, levels=levels, on_dose_change=None)
    return rules, truth


def random_case(
    rng: random.Random, max_n: int = 6, max_n_inevaluable: int = 4
) -> tuple[Rules, tuple[Dose, ...]]:
    """A protocol and a truth as a scenario can state them: one odds ratio and one evaluability for all doses."""
    rules, truth = random_scenario(rng, max_n, max_n_inevaluable, same_evaluability=True)
    return rules, tuple(dose._replace(odds_ratio=truth[0].odds_ratio) for dose in truth)


def rates_of(truth: tuple[Dose, ...]) -> Rates:
    """The truth as the engines have it."""
    return Rates(
        response=tuple(dose.response for dose in truth),
        toxicity=tuple(dose.toxicity for dose in truth),
        odds_ratio=truth[0].odds_ratio,
        evaluable=truth[0].evaluable,
        nonresponders=truth[0].inevaluable == "nonresponders",
    )
