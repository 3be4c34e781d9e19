"""Bryant-Day designs of other programs, run as Rules by the Markov chain behind every scenario's exact answer."""

from __future__ import annotations

import pytest

from tests.published.reference import rows
from trialsim.codes import CONTINUE, NEVER
from trialsim.designs import bop2_toxicity
from trialsim.designs.rules import Monitor, Rules, two_way
from trialsim.engine.exact import distribution
from trialsim.scenario.truth import Rates

BD_CUTS = {
    "bryant_day.csv": (
        "c1_resp_go_if_ge",
        "c1_nontox_go_if_ge",
        "c_resp_accept_if_ge",
        "c_nontox_accept_if_ge",
    ),
    "bryant_day_exhaustive.csv": ("c1_resp_ge", "c1_nontox_ge", "c_resp_ge", "c_nontox_ge"),
}
CORNERS = {"r0t0": (0, 0), "r1t0": (1, 0), "r0t1": (0, 1), "r1t1": (1, 1)}


def numbers(row: dict[str, str], *keys: str) -> list[float]:
    return [float(row[key]) for key in keys]


@pytest.mark.parametrize(("name", "designs"), [("bryant_day.csv", 12), ("bryant_day_exhaustive.csv", 10)])
def test_every_bryant_day_design_by_the_chain(name: str, designs: int) -> None:
    """P(go) where one rate or none is bad, and EN in all four corners: seven numbers a design."""
    table = rows(name)
    assert len(table) == designs
    exact = "exact_" if name == "bryant_day.csv" else ""
    for row in table:
        response, toxicity = numbers(row, "p_resp0", "p_resp1"), numbers(row, "p_tox0", "p_tox1")
        n1, n, c1, free_1, c, free = (int(row[key]) for key in ("n1", "n", *BD_CUTS[name]))
        looks = two_way((n1, n), (c1 - 1, c - 1), (None, c - 1), (n1 - free_1 + 1, n - free + 1))
        rules = Rules(looks, Monitor(((NEVER,) * (n + 1),), (0,), (CONTINUE,)), False, n)
        found = {
            corner: distribution(rules, Rates((response[i],), (toxicity[j],))).values
            for corner, (i, j) in CORNERS.items()
        }
        wanted = {"r0t1": "alpha_r", "r1t0": "alpha_t", "r1t1": "power"}
        for corner, key in wanted.items():
            assert found[corner]["p_go"] == pytest.approx(float(row[f"{exact}{key}"]), abs=1e-9), (row, key)
        for corner, values in found.items():
            assert values["en"] == pytest.approx(float(row[f"EN_{corner}"]), abs=1e-9), (row, corner)
            ends = ("p_go", "p_no_go", "p_stop_futility", "p_stop_toxicity", "p_stop_toxicity_at_n")
            assert sum(values[key] for key in ends) == pytest.approx(1, abs=1e-12)


BOP2FE = {
    (0.7, 1.0): ((3, 5, 8, 10, 13, 16, 19), (5, 6, 7, 8, 9, 10, 11)),
    (0.7, 0.8): ((3, 5, 8, 11, 13, 16, 19), (5, 6, 7, 8, 9, 10, 11)),
    (0.6, 0.9): ((3, 5, 8, 10, 13, 16, 18), (5, 6, 8, 9, 10, 11, 12)),
}
"""What BOP2FE prints for response .45 and toxicity .30, looks after 10, 15, ..., 40 patients (its README, several
versions): by lambda and gamma, stop if responses <= and if toxicities >=."""


@pytest.mark.parametrize("parameters", BOP2FE)
def test_every_cut_off_of_bop2_for_response_and_toxicity(parameters: tuple[float, float]) -> None:
    at = (10, 15, 20, 25, 30, 35, 40)
    seen = bop2_toxicity.watched(at, (0.45, 0.30), ((0.45, 0.55), (0.30, 0.70)))
    assert tuple(zip(*bop2_toxicity.cut_offs(at, seen, *parameters), strict=True)) == BOP2FE[parameters]
