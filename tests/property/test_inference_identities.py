"""What must hold of the inference after any design: unbiased, a p-value that is the attained alpha, true coverage."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from tests.published.reference import ints, response_rules, rows
from trialsim.codes import GO
from trialsim.designs import simon
from trialsim.designs.rules import Looks, two_way
from trialsim.engine.exact import distribution
from trialsim.inference import characteristics
from trialsim.inference.estimators import expected, umvcue, umvue
from trialsim.inference.intervals import INTERVALS, least_coverage
from trialsim.inference.orderings import at_least, ranks
from trialsim.inference.outcomes import outcomes_of
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load
from trialsim.scenario.truth import Rates

RATES = np.array([0.001, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.999])


@lru_cache
def two_stage_designs() -> tuple[tuple[int, int, int, int], ...]:
    """The different designs among those of clinfun."""
    cut_offs = (tuple(int(row[key]) for key in ("r1", "n1", "r", "n")) for row in rows("simon.csv"))
    return tuple(sorted(set(cut_offs)))


def multistage_designs() -> list[Looks]:
    found = []
    for row in rows("multistage.csv"):
        stop = tuple(-1 if word == "-Inf" else int(word) for word in row["futility_stop_if_le"].split())
        go = tuple(None if word == "Inf" else int(word) for word in row["efficacy_stop_if_ge"].split())
        found.append(response_rules(ints(row["stage_n_cum"]), stop, go).looks)
    return found


def every_design() -> list[Looks]:
    return [
        two_way((n1, n), (r1, r), (None, r)) for r1, n1, r, n in two_stage_designs()
    ] + multistage_designs()


def test_the_umvue_is_unbiased_and_the_umvcue_among_trials_that_reach_the_last_look():
    compared = 0
    for looks in every_design():
        outcomes = outcomes_of(looks)
        assert np.max(np.abs(expected(outcomes, umvue(outcomes), RATES) - RATES)) < 1e-12, looks.n
        pmf = outcomes.pmf(RATES) * (outcomes.look == len(looks.n) - 1)
        reached = pmf.sum(axis=1)
        often = reached > 1e-6
        mean = (pmf @ umvcue(outcomes))[often] / reached[often]
        assert np.max(np.abs(mean - RATES[often])) < 1e-12, looks.n
        compared += len(RATES)
    assert compared >= 300 * len(RATES)


def test_the_p_value_at_the_first_go_is_the_attained_alpha():
    compared = 0
    for row in rows("simon.csv"):
        r1, n1, r, n = (int(row[key]) for key in ("r1", "n1", "r", "n"))
        outcomes = outcomes_of(two_way((n1, n), (r1, r), (None, r)))
        p0 = float(row["p0"])
        p = at_least(outcomes.pmf(p0), ranks(outcomes))[0, outcomes.find(1, r + 1)]
        alpha = simon.operating_characteristics(r1, n1, r, n, p0)[0]
        assert p == pytest.approx(alpha, abs=1e-13)
        assert p == pytest.approx(float(row["exact_type1"]), abs=1e-9)
        compared += 1
    assert compared == 491


def test_the_p_value_at_the_least_go_is_the_attained_alpha_with_more_stages_too():
    for row, looks in zip(rows("multistage.csv"), multistage_designs(), strict=True):
        outcomes = outcomes_of(looks)
        p0 = float(row["p0"])
        least = min(
            j
            for j, (k, x) in enumerate(zip(outcomes.look, outcomes.x, strict=True))
            if looks.next[k][x] == GO
        )
        p = at_least(outcomes.pmf(p0), ranks(outcomes))[0, least]
        go = tuple(next((x for x, d in enumerate(row_) if d == GO), None) for row_ in looks.next)
        stop = tuple(sum(d == -1 for d in row_) - 1 for row_ in looks.next)
        rules = response_rules(looks.n, stop, go)
        assert p == pytest.approx(distribution(rules, Rates((p0,), (0.3,))).values["p_go"], abs=1e-12)


@lru_cache
def least_coverages() -> dict[str, list[float]]:
    """Least coverage of each 95% interval over rates from .05 to .95 for sixty designs, and of the default over all."""
    every = [d for d in two_stage_designs() if d[3] <= 80]
    found: dict[str, list[float]] = {name: [] for name in (*INTERVALS, "over 0 to 1")}
    for r1, n1, r, n in every[:: len(every) // 60][:60]:
        outcomes = outcomes_of(two_way((n1, n), (r1, r), (None, r)))
        for name, method in INTERVALS.items():
            limits = method(outcomes, 0.95)
            found[name].append(least_coverage(outcomes, limits))
            if name == "stagewise":
                found["over 0 to 1"].append(least_coverage(outcomes, limits, (0.0, 1.0)))
    return found


def test_the_exact_intervals_cover_what_they_promise_at_every_rate():
    found = least_coverages()
    assert len(found["stagewise"]) == 60
    assert min(found["over 0 to 1"]) >= 0.95 - 1e-9
    assert min(found["stagewise"]) >= 0.95 - 1e-9
    assert min(found["mle_ordering"]) >= 0.95 - 1e-9


def test_the_others_do_not_and_by_as_much_as_the_documentation_says():
    found = least_coverages()
    said = {
        name: (round(min(values), 3), round(float(np.median(values)), 3), round(max(values), 3))
        for name, values in found.items()
    }
    assert said == {
        "stagewise": (0.95, 0.951, 0.975),
        "stagewise_mid_p": (0.912, 0.924, 0.93),
        "mle_ordering": (0.95, 0.951, 0.975),
        "clopper_pearson": (0.936, 0.944, 0.974),
        "koyama_chen": (0.744, 0.88, 0.913),
        "koyama_chen_coded": (0.744, 0.88, 0.913),
        "over 0 to 1": (0.95, 0.951, 0.975),
    }


def test_characteristics_are_those_sums():
    looks = two_way((25, 70), (1, 6), (None, 6))
    table = characteristics(looks, [0.05, 0.15])
    outcomes = outcomes_of(looks)
    for name, bias in table.bias.items():
        assert np.all(table.mse[name] > bias**2), name
    assert np.abs(table.bias["umvue"]).max() < 1e-13
    observed = outcomes.x / outcomes.n
    assert table.bias["mle"] == pytest.approx(expected(outcomes, observed, table.p) - table.p, abs=1e-15)
    assert len(table.to_frame()) == 2 * (7 + 6)
    assert "least" in str(table)
    assert table.to_dict()["least_coverage"]["stagewise"] >= 0.95


@pytest.mark.parametrize("config", sorted(Path("configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_kind_of_design_has_its_outcomes_and_an_unbiased_estimate(config):
    outcomes = outcomes_of(compile_rules(load(config)).looks)
    pmf = outcomes.pmf(RATES)
    assert pmf.sum(axis=1) == pytest.approx(np.ones(len(RATES)), abs=1e-13)
    assert pmf @ umvue(outcomes) == pytest.approx(RATES, abs=1e-12)
    limits = INTERVALS["stagewise"](outcomes, 0.95)
    assert least_coverage(outcomes, limits, (0.0, 1.0)) >= 0.95 - 1e-9
