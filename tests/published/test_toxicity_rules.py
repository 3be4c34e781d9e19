"""Toxicity rules as protocols have them against the statistical model; their table is in test_tables.py."""

from __future__ import annotations

from typing import Any

import pytest

from trialsim.codes import NEVER
from trialsim.designs.crossing import crossing_probability, first_met
from trialsim.scenario.boundaries import boundaries
from trialsim.scenario.dose_reduction import DoseReduction

# MODEL-DOSE.md, D16, (computed): N 70, limit .30, phi .10; P(act by 70) at .20, .30, .37, .45, and which first at .30.
POCOCK = {"kind": "pocock", "limit": 0.3, "phi": 0.1}
SIX_OF_TWELVE = {"kind": "k_of_first_m", "k": 6, "m": 12}
FOUR_OF_SIX = {"kind": "k_of_first_m", "k": 4, "m": 6}
PASTED = {"kind": "pasted", "boundary": {6: 4, 12: 6}}
POSTERIOR = {"kind": "posterior", "limit": 0.3, "phi": 0.1, "prior": [0.6, 1.4], "min_n": 6}
COMBINED = {"kind": "pocock", "limit": 0.3}
TABLE = [
    ([POCOCK], (0.0068, 0.0994, 0.3893, 0.8254), None),
    ([POCOCK | {"min_n": 6}], (0.0060, 0.0987, 0.3913, 0.8275), None),
    ([POCOCK | {"min_n": 10}], (0.0042, 0.0997, 0.4084, 0.8442), None),
    ([POCOCK | {"min_n": 20}], (0.0023, 0.0993, 0.4242, 0.8563), None),
    ([SIX_OF_TWELVE, POCOCK], (0.0210, 0.1576, 0.4510, 0.8472), (0.0888, 0.0517, 0.0170)),
    ([SIX_OF_TWELVE, POCOCK | {"min_n": 13}], (0.0203, 0.1655, 0.4781, 0.8680), (0.1178, 0.0477, 0.0)),
    ([SIX_OF_TWELVE, COMBINED | {"combined_phi": 0.2, "min_n": 13}],
     (0.0219, 0.1997, 0.5522, 0.9084), (0.1178, 0.0818, 0.0)),
    ([FOUR_OF_SIX, COMBINED | {"combined_phi": 0.1, "min_n": 7}],
     (0.0175, 0.0996, 0.3233, 0.7535), (0.0705, 0.0291, 0.0)),
    ([PASTED], (0.0299, 0.1441, 0.2920, 0.5052), None),
    ([PASTED, POCOCK | {"min_n": 13}], (0.0307, 0.1886, 0.4972, 0.8735), (0.1441, 0.0445, 0.0)),
    ([POSTERIOR], (0.0063, 0.0999, 0.3911, 0.8263), None),
    ([POSTERIOR | {"phi": 0.2}], (0.0193, 0.1999, 0.5628, 0.9142), None),
    ([POSTERIOR | {"prior": [1, 1]}], (0.0079, 0.0994, 0.3763, 0.8120), None),
    ([POSTERIOR | {"prior": [3, 7]}], (0.0031, 0.0983, 0.4186, 0.8532), None),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "acts", "first"), TABLE)
def test_the_table_of_the_model(rules: list[dict[str, Any]], acts: tuple[float, ...], first: Any) -> None:
    (here,) = boundaries(DoseReduction.model_validate({"rules": rules}), ("single dose",), 70, 70)
    rows = [bound.row for bound in here]
    together = tuple(map(min, zip(*rows, strict=True)))
    assert [round(crossing_probability(together, p, 70), 4) for p in (0.20, 0.30, 0.37, 0.45)] == list(acts)
    if first is not None:
        met = first_met(rows, 0.3, 70)
        assert [round(met.get(which, 0.0), 4) for which in ((0,), (1,), (0, 1))] == list(first)


def test_min_n_up_to_the_first_cut_off_changes_nothing_and_from_5_two_cut_offs_fall() -> None:
    def row(min_n: int | None, n: int = 70) -> tuple[int, ...]:
        rule = POCOCK | ({"min_n": min_n} if min_n else {})
        return boundaries(DoseReduction.model_validate({"rule": rule}), ("single dose",), n, n)[0][0].row

    for min_n in (1, 2, 3, 4):
        assert [b if b <= m else NEVER for m, b in enumerate(row(min_n)) if m] == [
            b if b <= m else NEVER for m, b in enumerate(row(None)) if m
        ]
    fallen = [(m, a, b) for m, (a, b) in enumerate(zip(row(None), row(5), strict=True)) if m > 4 and a != b]
    assert fallen == [(26, 14, 13), (64, 28, 27)]
    # attained crossing need not fall (N 43)
    assert [round(crossing_probability(row(k, 43), 0.3, 43), 4) for k in (1, 6)] == [0.0876, 0.0994]
