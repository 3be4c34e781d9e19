"""Trials abreast draw a group of words only where something hangs on it: each reason alone, against the scalar kernel.

The scalar kernel draws all groups for everybody.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.oracle.conduct_strategies import random_conduct
from tests.oracle.test_conduct_against_events import common, lanes, scalar
from trialsim.engine.timed import runs_abreast
from trialsim.kernels.abreast_draw import needed_groups
from trialsim.kernels.streams import GROUP_COURSE, GROUP_EVENT, GROUP_OUTCOME
from trialsim.kernels.tables import SERIOUS, STABLE, TOXIC, TOXIC_IF_NOT, TOXIC_IF_SO, Calendar, Int64
from trialsim.scenario.truth import CERTAIN

OUTCOME, COURSE, EVENT = (1 << group for group in (GROUP_OUTCOME, GROUP_COURSE, GROUP_EVENT))

REASONS = {
    "": OUTCOME,
    "toxicity": OUTCOME | COURSE,
    "progression": OUTCOME | COURSE,
    "withdrawal": OUTCOME | COURSE,
    "strata": OUTCOME | COURSE,
    "toxicity serious": OUTCOME | COURSE | EVENT,
    "stable": OUTCOME | EVENT,
    "screening": OUTCOME | EVENT,
    "sight progression": OUTCOME | COURSE | EVENT,
}
"""What may happen in a trial, and the groups it needs."""


def only(reason: str, calendar: Calendar, thresholds: Int64) -> tuple[Calendar, Int64]:
    """The trial in which nothing else happens."""
    p = thresholds.copy()
    if "toxicity" not in reason:
        p[..., [TOXIC_IF_NOT, TOXIC_IF_SO, TOXIC]] = 0
    if "serious" not in reason:
        p[..., SERIOUS] = 0
    if "stable" not in reason:
        p[..., STABLE] = 0
    if "strata" not in reason:
        p = np.ascontiguousarray(p[:, :1])
        calendar = calendar._replace(
            stratum_by=np.array([CERTAIN]), cohort_of=np.zeros(1, dtype=np.int32), cohorts=1
        )
    if "progression" not in reason:
        calendar = calendar._replace(confirmation=len(calendar.visit) - 1)
    for name, key, quiet in (
        ("withdrawal", "missed_by", 0),
        ("screening", "screening", 0),
        ("sight", "seen_by", CERTAIN),
    ):
        if name not in reason:
            calendar = calendar._replace(**{key: np.full_like(getattr(calendar, key), quiet)})
    return calendar, p


@pytest.mark.parametrize("reason", REASONS)
def test_a_group_is_drawn_where_a_reason_alone_asks_for_it(reason: str) -> None:
    rng = random.Random(f"words {reason}")
    done = tried = 0
    while done < 25:
        tried += 1
        assert tried < 5_000
        rules, calendar, thresholds = random_conduct(rng)
        rules, calendar = common(rules, calendar)
        calendar, p = only(reason, calendar, thresholds)
        if not runs_abreast(rules, calendar) or needed_groups.py_func(calendar, p) != REASONS[reason]:
            continue
        done += 1
        assert np.array_equal(lanes(rules, calendar, p, done, 40), scalar(rules, calendar, p, done, 40))
