"""Which of two doses goes forward: after a reduction, after a trigger, and randomised from the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
)
from trialsim.designs.rules import Monitor, Randomise, Rules, two_way
from trialsim.designs.selection import sizes
from trialsim.designs.toxicity import Pocock
from trialsim.engine.dose_arms import decided as of_arms
from trialsim.engine.dose_law import decided, law, when_left
from trialsim.engine.exact import distribution
from trialsim.engine.randomised import exact
from trialsim.engine.randomised import law as allocated
from trialsim.qualification.comparing import (
    Compared,
    Reference,
    Row,
    named,
    near,
    printed,
    response_rules,
    rows,
    same,
)
from trialsim.scenario.drift import Drift
from trialsim.scenario.truth import Rates

Float64 = NDArray[np.float64]
ENDS = {"futility": FUTILITY, "go": FINAL_GO, "nogo": FINAL_NO_GO}
NAMED = (("lower", LOWER), ("higher", HIGHER), ("undecided", UNDECIDED), ("no_comparison", NO_COMPARISON))


def two_doses() -> Rules:
    """1/25 6/70 with Pocock's boundary .30, .10 at both doses: reduce, then stop."""
    boundary = Pocock(kind="pocock", limit=0.30, phi=0.10).compile(70, 70)
    monitor = Monitor((boundary,) * 2, (0, 0), (REDUCE, STOP))
    return Rules(two_way((25, 70), (1, 6), (None, 6)), monitor, False, 70)


def rates(row: Row) -> Rates:
    """The response rate changes by ``drift`` from the first patient to the last."""
    response, toxicity = (float(row["p1"]), float(row["p2"])), (float(row["tox1"]), float(row["tox2"]))
    change = float(row["drift"])
    drift = Drift(change, Fraction(69), daily=False) if change else None
    return Rates(response, toxicity, float(row["odds_ratio"]), float(row["evaluable"]), drift=drift)


def cells(row: Row) -> Float64:
    """Of each patient in turn."""
    table = rates(row).cells(replaced=False)[..., 2:]
    return np.ascontiguousarray(np.broadcast_to(table, (2, 70, 4)))


def rule(name: str, any_end: bool = False) -> DoseChoice:
    """A rule by its name in the tables."""
    name, _, least = name.partition("_min")
    kind, *parts = name.split("_")
    stated: Any
    if name == "always_lower":
        stated = AlwaysLower(kind="always_lower")
    elif kind == "difference":
        keys: dict[str, Any] = {"kind": "difference", "lambda": float(parts[0])}
        stated = ObservedDifference(**keys)
    elif kind == "utility":
        stated = DoseUtility(kind="utility", response=float(parts[0]), toxicity=float(parts[1]))
    else:
        prior = {"jeffreys": (0.5, 0.5), "uniform": (1.0, 1.0)}[parts[0]]
        stated = NonInferiority(kind="posterior", delta=float(parts[1]), cutoff=float(parts[2]), prior=prior)
    return DoseChoice.of(stated, least=int(least or 1), any_end=any_end)


def _held(where: str, here: float, stated: str) -> Compared:
    return near(where, here, stated, max(printed(stated) / 10, 1e-11))


def decisions(rows: Sequence[Row]) -> Iterator[Compared]:
    """Every rule in every setting, after a go and whatever the end."""
    rules = two_doses()
    for setting, group in groupby(rows, lambda row: row["setting"]):
        block = list(group)
        any_end = [row for row in block if row["lower_any"]]
        after_go = decided(rules, cells(block[0]), [rule(row["rule"]) for row in block])
        for row, found in zip(block, after_go, strict=True):
            where = f"setting {setting}, rule {row['rule']}"
            for name, k in (*NAMED, ("no", NO_GO)):
                column = "no_go" if name == "no" else f"{name}_go"
                yield _held(f"{column}, {where}", found.outcomes[k], row[column])
        if not any_end:
            continue
        whatever = decided(rules, cells(block[0]), [rule(row["rule"], any_end=True) for row in any_end])
        for row, found in zip(any_end, whatever, strict=True):
            for name, k in NAMED:
                where = f"{name}_any, setting {setting}, rule {row['rule']}"
                yield _held(where, found.outcomes[k], row[f"{name}_any"])


def margins(rows: Sequence[Row]) -> Iterator[Compared]:
    """The joint law of both doses has the margins that are stated."""
    rules = two_doses()
    for row in rows:
        (found,) = decided(rules, cells(row), [rule("always_lower")])
        higher, lower, p = found.rates
        parts = list(law(rules, cells(row), [rule("utility_1_.3", any_end=True)]))

        def mean(name: str, parts: list[Any] = parts) -> float:
            return sum(float((part.p * getattr(part.seen, name)).sum()) for part in parts)

        def ending(*ends: int, parts: list[Any] = parts) -> float:
            return sum(float(part.p[np.isin(part.end, ends)].sum()) for part in parts)

        values = {
            "p_go": 1 - found.outcomes[NO_GO],
            "p_go_and_reduced": p,
            "p_dose_reduced": when_left(rules, cells(row))[2],
            "mean_rate1_given_go_reduced": higher / p,
            "mean_rate2_given_go_reduced": lower / p,
            "en": mean("n1") + mean("n2"),
            "responses": mean("x1") + mean("x2"),
            "p_stop_futility": ending(FUTILITY),
            "p_stop_toxicity": ending(TOXICITY, TOXICITY_AT_N),
            **{name: mean(name) for name in ("x1", "x2", "t2")},
            "en1": mean("n1"),
            "en2": mean("n2"),
        }
        for column, value in values.items():
            yield _held(f"{column}, {named(row, 'setting')}", value, row[column])
        known = distribution(rules, rates(row)).values
        of_chain = {
            "patients_dose_1": values["en1"],
            "responses_dose_1": values["x1"],
            "responses_dose_2": values["x2"],
            "toxicities_dose_1": mean("t1"),
            "p_go": values["p_go"],
            "p_dose_reduced": values["p_dose_reduced"],
        }
        for name, value in of_chain.items():
            where = f"{name} by the chain, {named(row, 'setting')}"
            yield near(where, value, known[name], 1e-12 * known[name])


def joint_law(table: Sequence[Row]) -> Iterator[Compared]:
    """Cell by cell; cells below 1e-9 are left out of the table."""
    settings = {row["setting"]: row for row in rows("dose/dose_margins")}
    for setting, some in groupby(table, key=lambda row: row["setting"]):
        found: dict[tuple[int, ...], float] = {}
        for part in law(two_doses(), cells(settings[setting]), [rule("difference_0", any_end=True)]):
            seen = part.seen
            columns = (seen.n1, seen.x1, seen.n2, seen.x2, part.end, part.p)
            for *counts, p in zip(*(column.tolist() for column in columns), strict=True):
                found[tuple(counts)] = found.get(tuple(counts), 0.0) + p
        stated: dict[tuple[int, ...], float] = {}
        for row in some:
            key = (*(int(row[name]) for name in ("n1", "x1", "n2", "x2")), ENDS[row["end"]])
            stated[key] = stated.get(key, 0.0) + float(row["probability"])
        for key, p in stated.items():
            yield near(f"setting {setting}, n1 x1 n2 x2 end {key}", found.get(key, 0.0), p, 1.1e-9)


def after_the_trigger(rows: Sequence[Row]) -> Iterator[Compared]:
    """Both doses in turn."""
    rules = replace(two_doses(), randomise=Randomise(ALTERNATE))
    both = [replace(rule("difference_.05"), compared=whose) for whose in ("concurrent", "all")]
    for row in rows:
        if row["allocation"] != "alternate":
            continue
        found = allocated(rules, cells(row), both)
        concurrent, everybody = (each.outcomes for each in found.decided)
        values = exact(rules, rates(row), found).values
        pairs = (
            (values["p_go"], "p_go"),
            (concurrent[NO_COMPARISON], "no_comparison_go"),
            (everybody[NO_COMPARISON], "no_comparison_go"),
            (concurrent[LOWER], "lower_go_concurrent"),
            (concurrent[HIGHER], "higher_go_concurrent"),
            (everybody[LOWER], "lower_go_all"),
            (everybody[HIGHER], "higher_go_all"),
        )
        for value, column in pairs:
            yield _held(f"{column}, {named(row, 'setting')}", value, row[column])
        for name in ("en", "patients_dose_1", "toxicities"):
            yield near(f"{name}, {named(row, 'setting')}", values[name], row[name])


def from_the_start(rows: Sequence[Row]) -> Iterator[Compared]:
    """Each dose with its own design; any cut-off from k / n to below (k + 1) / n is the same rule."""
    for row in rows:
        n1, r1, n, r, k = (int(row[name]) for name in ("n1", "r1", "n", "r", "k"))
        rules = response_rules((n1, n), (r1, r), (None, r + 1))
        table = np.array([[1 - p, 0, p, 0] for p in (float(row["p1"]), float(row["p2"]))])
        stated: dict[str, Any] = {"kind": "difference", "lambda": round((k + 0.5) / n, 6)}
        choice = DoseChoice.of(ObservedDifference(**stated), compared="arms")
        passed, (found,) = of_arms(rules, table, [choice])
        none, only_higher, only_lower, higher, lower = (
            float(row[name]) for name in ("none", "only_higher", "only_lower", "both_higher", "both_lower")
        )
        for what, here, wanted in (
            ("none", passed.none, none),
            ("only_higher", passed.only_higher, only_higher),
            ("only_lower", passed.only_lower, only_lower),
            ("both", passed.both, higher + lower),
            ("no go", found.outcomes[NO_GO], none),
            ("higher", found.outcomes[HIGHER], only_higher + higher),
            ("lower", found.outcomes[LOWER], only_lower + lower),
        ):
            yield near(f"{what}, {named(row, 'setting', 'p1', 'p2', 'k')}", here, wanted, 1e-11)


def selection(rows: Sequence[Row]) -> Iterator[Compared]:
    """The smallest number of patients that selects the better dose often enough."""
    for row in rows:
        found = sizes(
            {"higher": float(row["higher"]), "delta": float(row["delta"]), "pcs": float(row["target"])}
        )
        first, where = found["first"], named(row, "setting")
        yield same(f"n and k, {where}", (first.n, first.k), (int(row["n_first"]), int(row["k"])))
        yield near(f"pcs_equal, {where}", first.pcs_equal, row["pcs_equal"], 1e-11)
        yield near(f"pcs_different, {where}", first.pcs_different, row["pcs_different"], 1e-11)
        yield same(f"n_stable_to_400, {where}", found["stable"].n, int(row["n_stable_to_400"]))


APART = "exact chains and closed forms written apart from trialsim"
REFERENCES = (
    Reference("dose/dose_decision", "which dose goes forward, by ten rules", APART, decisions, 220, 1716),
    Reference("dose/dose_margins", "both doses of a trial: patients, responses, ends", APART, margins, 22, 440),
    Reference("dose/dose_joint_law", "the joint law of both doses", APART, joint_law, 228, 226),
    Reference(
        "dose/randomise_after_trigger", "both doses in turn after a trigger", APART, after_the_trigger, 10, 50
    ),
    Reference(
        "dose/randomised_simon_each_arm", "two doses randomised from the start", APART, from_the_start, 48, 336
    ),
    Reference("dose/randomised_smallest_n", "patients that a correct selection takes", APART, selection, 30, 120),
)  # fmt: skip
