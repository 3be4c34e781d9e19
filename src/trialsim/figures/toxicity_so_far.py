"""Toxicities of a trial under way against the boundary: the path at each dose, and what pending patients may add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np

from trialsim.codes import NEVER
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLUE, PALE, RC, WIDE, Key, Sheet, count_ticks
from trialsim.figures.toxicity_boundary import BOUNDARY, CROSSED, NO_LINE
from trialsim.figures.words import fit
from trialsim.ongoing.boundary import AtDose
from trialsim.writing.numbers import count

LEFT, GAP, RIGHT, BELOW, HIGH, HEAD = 1.15, 1.3, 0.3, 0.85, 4.2, 0.5
PATH: dict[str, Any] = {"color": BLUE, "linewidth": 1.8}
PENDING: dict[str, Any] = {"facecolor": PALE, "edgecolor": "none"}


def draw(name: str, at_doses: Sequence[AtDose], doses: Sequence[str], rows: Sequence[Sequence[int]]) -> Drawn:
    """A panel a dose that was given; ``rows``: by dose the boundary, ``rows[level][m]``."""
    with matplotlib.rc_context(RC):
        return _draw(name, at_doses, doses, rows)


def _draw(
    name: str, at_doses: Sequence[AtDose], doses: Sequence[str], rows: Sequence[Sequence[int]]
) -> Drawn:
    shown = [dose for dose in at_doses if dose.treated]
    wide = (WIDE - LEFT - RIGHT - GAP * (len(shown) - 1)) / len(shown)
    sheet = Sheet(WIDE, BELOW + HIGH + HEAD, _footer(), _keys(shown), columns=2)
    for k, dose in enumerate(shown):
        left = LEFT + k * (wide + GAP)
        axes = sheet.axes(left, BELOW, wide, HIGH)
        sheet.write(left, BELOW + HIGH + 0.12, fit(doses[dose.level], wide), fontweight="bold", va="bottom")
        m = np.arange(dose.treated + 1)
        path = np.array([0, *dose.path])
        most = path + np.array([0, *dose.pending_path])
        ahead = min(len(rows[dose.level]) - 1, dose.treated + max(4, dose.treated // 4))
        bounds = np.array([b if b <= at else np.nan for at, b in enumerate(rows[dose.level][: ahead + 1])])
        axes.fill_between(m, path, most, step="post", zorder=2, **PENDING)
        axes.step(m, path, where="post", zorder=4, **PATH)
        axes.step(np.arange(1, ahead + 1), bounds[1:], where="post", zorder=5, **BOUNDARY)
        if crossed := dose.as_it_happens or dose.complete_only:
            axes.plot([crossed.m], [dose.path[crossed.m - 1]], zorder=6, **CROSSED, **NO_LINE)
        axes.set_xlim(0, ahead * 1.02)
        axes.set_ylim(0, 1.08 * float(np.nanmax([1.0, *bounds, most.max()])))
        count_ticks(axes.xaxis, 8)
        count_ticks(axes.yaxis, 6)
        axes.set_xlabel("Patients at the dose, in order of enrolment")
        if k == 0:
            axes.set_ylabel("Patients with toxicity")
    return Drawn(
        "toxicity_so_far",
        "Toxicity so far, and the boundary",
        "Patients with toxicity among the first m at the dose, with the boundary: the rule acts where the path reaches "
        "it. The band is where the path would run if pending patients had toxicity too.",
        f"Toxicity of {name}: " + "; ".join(_words(dose, doses) for dose in shown) + ".",
        sheet.figure,
        [row for dose in shown for row in _rows(dose, doses)],
    )


def _rows(dose: AtDose, doses: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "dose": doses[dose.level],
            "patients": m,
            "toxicities": dose.path[m - 1],
            "pending": dose.pending_path[m - 1],
            "boundary": None if dose.boundary[m - 1] >= NEVER else dose.boundary[m - 1],
        }
        for m in range(1, dose.treated + 1)
    ]


def _keys(shown: Sequence[AtDose]) -> list[Key]:
    keys = [Key("boundary: act if toxicities ≥ b", BOUNDARY), Key("toxicities so far", PATH)]
    if any(dose.pending for dose in shown):
        keys.append(
            Key(
                "if every pending patient had toxicity",
                patch=PENDING,
            )
        )
    if any(dose.as_it_happens or dose.complete_only for dose in shown):
        keys.append(Key("the boundary is reached", CROSSED | NO_LINE))
    return keys


def _words(dose: AtDose, doses: Sequence[str]) -> str:
    words = f"{dose.yes} of {count(dose.treated, 'patient')} at {doses[dose.level]}, {dose.pending} pending"
    crossed = dose.as_it_happens or dose.complete_only
    return f"{words}, the boundary reached at patient {crossed.m}" if crossed else words


def _footer() -> str:
    return "Patients count at the dose of their first day, in order of enrolment."
