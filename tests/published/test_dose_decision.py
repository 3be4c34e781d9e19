"""The dose decision against tables computed apart from the project (data/dose, described in data/README.md)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest

from tests.helpers import first_of
from tests.published.reference import printed, rows
from trialsim.codes import ALTERNATE, FINAL_GO, FINAL_NO_GO, FUTILITY, REDUCE, STOP, TOXICITY, TOXICITY_AT_N
from trialsim.designs.dose_choice import (
    HIGHER,
    LOWER,
    NO_COMPARISON,
    NO_GO,
    UNDECIDED,
    AlwaysLower,
    DoseChoice,
    DoseUtility,
    NonInferiority,
    ObservedDifference,
    non_inferior,
)
from trialsim.designs.rules import Monitor, Randomise, Rules, two_way
from trialsim.designs.toxicity import Pocock
from trialsim.engine.dose_law import decided, law, when_left
from trialsim.engine.exact import distribution
from trialsim.engine.randomised import exact
from trialsim.engine.randomised import law as allocated
from trialsim.scenario.drift import Drift
from trialsim.scenario.truth import Rates

BOUNDARY = Pocock(kind="pocock", limit=0.30, phi=0.10).compile(70, 70)
RULES = Rules(
    two_way((25, 70), (1, 6), (None, 6)), Monitor((BOUNDARY,) * 2, (0, 0), (REDUCE, STOP)), False, 70
)
ENDS = {"futility": FUTILITY, "go": FINAL_GO, "nogo": FINAL_NO_GO}


def rates(row: dict[str, str]) -> Rates:
    """The response rate changes by ``drift`` from the first patient to the last."""
    response, toxicity = (float(row["p1"]), float(row["p2"])), (float(row["tox1"]), float(row["tox2"]))
    change = float(row["drift"])
    drift = Drift(change, Fraction(69), daily=False) if change else None
    return Rates(response, toxicity, float(row["odds_ratio"]), float(row["evaluable"]), drift=drift)


def cells(row: dict[str, str]) -> np.ndarray:
    """Of each patient in turn."""
    table = rates(row).cells(replaced=False)[..., 2:]
    return np.ascontiguousarray(np.broadcast_to(table, (2, 70, 4)))


def rule(name: str, any_end: bool = False) -> DoseChoice:
    name, _, least = name.partition("_min")
    kind, *numbers = name.split("_")
    if name == "always_lower":
        stated = AlwaysLower(kind="always_lower")
    elif kind == "difference":
        stated = ObservedDifference(**{"kind": "difference", "lambda": float(numbers[0])})
    elif kind == "utility":
        stated = DoseUtility(kind="utility", response=float(numbers[0]), toxicity=float(numbers[1]))
    else:
        prior = {"jeffreys": (0.5, 0.5), "uniform": (1.0, 1.0)}[numbers[0]]
        stated = NonInferiority(
            kind="posterior", delta=float(numbers[1]), cutoff=float(numbers[2]), prior=prior
        )
    return DoseChoice.of(stated, least=int(least or 1), any_end=any_end)


def compared(pairs: list[tuple[float, str]]) -> int:
    for found, stated in pairs:
        assert found == pytest.approx(float(stated), abs=max(printed(stated) / 10, 1e-11))
    return len(pairs)


SETTINGS = {
    setting: list(block)
    for setting, block in groupby(rows("dose/dose_decision.csv"), lambda row: row["setting"])
}
QUICK = ("D08", "D23", "D29", "D42")
"""Both response rates alike and apart, an odds ratio, a drift; the other settings come with the longer studies."""
NAMED = (("lower", LOWER), ("higher", HIGHER), ("undecided", UNDECIDED), ("no_comparison", NO_COMPARISON))


@pytest.mark.parametrize(
    "setting", first_of(len(QUICK), sorted(SETTINGS, key=lambda each: each not in QUICK))
)
def test_every_rule_in_every_setting(setting: str):
    block, count = SETTINGS[setting], 0
    any_end = [row for row in block if row["lower_any"]]
    after_go = decided(RULES, cells(block[0]), [rule(row["rule"]) for row in block])
    for row, found in zip(block, after_go, strict=True):
        count += compared([(found.outcomes[k], row[f"{name}_go"]) for name, k in NAMED])
        count += compared([(found.outcomes[NO_GO], row["no_go"])])
    whatever = decided(RULES, cells(block[0]), [rule(row["rule"], any_end=True) for row in any_end])
    for row, found in zip(any_end, whatever, strict=True):
        count += compared([(found.outcomes[k], row[f"{name}_any"]) for name, k in NAMED])
    assert count == 5 * 10 + 4 * 7


def test_no_number_of_the_table_is_left_out():
    assert sum(map(len, SETTINGS.values())) == 220
    assert {len(block) for block in SETTINGS.values()} == {10}


@pytest.mark.parametrize(
    "setting", first_of(len(QUICK), sorted(SETTINGS, key=lambda each: each not in QUICK))
)
def test_the_law_has_the_margins_of_the_tables_and_of_the_chain(setting: str):
    (row,) = (each for each in rows("dose/dose_margins.csv") if each["setting"] == setting)
    (found,) = decided(RULES, cells(row), [rule("always_lower")])
    higher, lower, p = found.rates
    p_go, reduced = 1 - found.outcomes[NO_GO], when_left(RULES, cells(row))[2]
    parts = list(law(RULES, cells(row), [rule("utility_1_.3", any_end=True)]))

    def mean(name: str) -> float:
        return sum(float((part.p * getattr(part.seen, name)).sum()) for part in parts)

    def ending(*ends: int) -> float:
        return sum(float(part.p[np.isin(part.end, ends)].sum()) for part in parts)

    of_table = {
        "p_go": p_go,
        "p_go_and_reduced": p,
        "p_dose_reduced": reduced,
        "mean_rate1_given_go_reduced": higher / p,
        "mean_rate2_given_go_reduced": lower / p,
        "en": mean("n1") + mean("n2"),
        "responses": mean("x1") + mean("x2"),
        "p_stop_futility": ending(FUTILITY),
        "p_stop_toxicity": ending(TOXICITY, TOXICITY_AT_N),
    }
    of_table |= {name: mean(name) for name in ("x1", "x2", "t2")} | {"en1": mean("n1"), "en2": mean("n2")}
    assert compared([(value, row[column]) for column, value in of_table.items()]) == 14
    known = distribution(RULES, rates(row)).values
    of_chain = {
        "patients_dose_1": mean("n1"),
        "responses_dose_1": mean("x1"),
        "responses_dose_2": mean("x2"),
        "toxicities_dose_1": mean("t1"),
        "p_go": p_go,
        "p_dose_reduced": reduced,
    }
    for name, value in of_chain.items():
        assert value == pytest.approx(known[name], rel=1e-12)


def test_the_joint_law_cell_by_cell():
    settings = {row["setting"]: row for row in rows("dose/dose_margins.csv")}
    count = 0
    for setting, some in groupby(rows("dose/dose_joint_law.csv"), key=lambda row: row["setting"]):
        found: dict[tuple[int, ...], float] = {}
        for part in law(RULES, cells(settings[setting]), [rule("difference_0", any_end=True)]):
            seen = part.seen
            keys = zip(
                seen.n1.tolist(),
                seen.x1.tolist(),
                seen.n2.tolist(),
                seen.x2.tolist(),
                part.end.tolist(),
                part.p.tolist(),
                strict=True,
            )
            for n1, x1, n2, x2, end, p in keys:
                key = (n1, x1, n2, x2, end)
                found[key] = found.get(key, 0.0) + p
        stated: dict[tuple[int, ...], float] = {}
        for row in some:
            end = ENDS[row["end"]]
            key = (*(int(row[name]) for name in ("n1", "x1", "n2", "x2")), end)
            stated[key] = stated.get(key, 0.0) + float(row["probability"])
        for key, p in stated.items():
            assert found[key] == pytest.approx(p, abs=1.1e-9)  # cells below 1e-9 are left out of the table
        count += len(stated)
    assert count > 200


def test_both_doses_in_turn_after_the_trigger():
    rules = replace(RULES, randomise=Randomise(ALTERNATE))
    both = [replace(rule("difference_.05"), compared=whose) for whose in ("concurrent", "all")]
    count = 0
    for row in rows("dose/randomise_after_trigger.csv"):
        if row["allocation"] != "alternate":
            continue
        found = allocated(rules, cells(row), both)
        concurrent, everybody = (each.outcomes for each in found.decided)
        values = exact(rules, rates(row), found).values
        count += compared(
            [
                (values["p_go"], row["p_go"]),
                (concurrent[NO_COMPARISON], row["no_comparison_go"]),
                (everybody[NO_COMPARISON], row["no_comparison_go"]),
                (concurrent[LOWER], row["lower_go_concurrent"]),
                (concurrent[HIGHER], row["higher_go_concurrent"]),
                (everybody[LOWER], row["lower_go_all"]),
                (everybody[HIGHER], row["higher_go_all"]),
            ]
        )
        for name in ("en", "patients_dose_1", "toxicities"):
            assert values[name] == pytest.approx(float(row[name]), abs=1e-9)
            count += 1
    assert count == 50


def test_posterior_probabilities_of_the_model():
    """MODEL: 23 and 46 evaluable, 3 responses, Jeffreys: 1, 2, 3 of them at the higher dose."""
    chances = non_inferior(23, 46, 0.05, (0.5, 0.5))
    assert [round(chances[x, 3 - x], 4) for x in (1, 2, 3)] == [0.7920, 0.4101, 0.0967]
