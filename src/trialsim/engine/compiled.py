"""Rules turned into the arrays that kernels take."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np

from trialsim.codes import NEVER
from trialsim.designs.rules import Rules
from trialsim.kernels.tables import Tables


def tables_of(rules: Rules) -> Tables:
    """The arrays of ``rules`` (see ``Tables`` for shapes)."""
    looks, monitor = rules.looks, rules.monitor
    look_next = np.zeros((len(looks.n), looks.planned_n + 1), dtype=np.int32)
    for k, row in enumerate(looks.next):
        look_next[k, : len(row)] = row
    return Tables(
        look_n=np.array(looks.n, dtype=np.int32),
        look_next=look_next,
        toxic_ge=np.array(looks.toxic_ge or (NEVER,) * len(looks.n), dtype=np.int32),
        final=np.array([looks.is_final(k) for k in range(len(looks.n))]),
        at_n=np.array([not looks.ends_early(k) for k in range(len(looks.n))]),
        act_ge=np.array(monitor.act_ge, dtype=np.int32),
        at_enrolled=np.array(monitor.at_enrolled, dtype=np.int32),
        action=np.array(monitor.action, dtype=np.int32),
        stop_ge=np.array([monitor.stops_from(level) for level in range(rules.levels)], dtype=np.int32),
        replaced=rules.replaced,
        on_dose_change=rules.on_dose_change,
        attained_ge=np.array(rules.attained_ge, dtype=np.int32),
        randomise=np.array(astuple(rules.randomise) if rules.randomise else (0, 0, 0, 0), dtype=np.int32),
    )
