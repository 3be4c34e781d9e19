"""Single-stage and two-stage designs of other programs, searched again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.designs import curtailed, mander_thompson, sargent, simon, single_stage
from trialsim.designs.alone import alone
from trialsim.designs.target import Target
from trialsim.engine.exact import distribution
from trialsim.qualification.comparing import (
    Compared,
    Reference,
    Row,
    as_printed,
    named,
    near,
    near_all,
    numbers,
    response_rules,
    same,
)
from trialsim.scenario.truth import Rates

SETTING = ("p0", "p1", "alpha", "beta")


def _target(row: Row, nmax: int | None = None) -> Target:
    p0, p1, alpha, beta = numbers(row, *SETTING)
    return Target(p0, p1, alpha, beta, nmax)


def simon_designs(rows: Sequence[Row]) -> Iterator[Compared]:
    """Every design, its exact operating characteristics, and those of the chain on a seventh of them."""
    for k, row in enumerate(rows):
        where = named(row, *SETTING, "criterion")
        found = simon.search(_target(row, int(row["nmax"])))
        wanted = int(row["r1"]), int(row["n1"]), int(row["r"]), int(row["n"])
        if row["criterion"] == "admissible":
            match = [d for d in found.admissible if (d.r1, d.n1, d.r, d.n) == wanted]
        else:
            match = [found.choose(row["criterion"])]
        here = [(d.r1, d.n1, d.r, d.n) for d in match]
        yield same(f"design, {where}", here, [wanted])
        if not match:
            continue
        design = match[0]
        values = (design.en_p0, design.pet_p0, design.type_i_error, design.power)
        yield from near_all(where, values, row, ("exact_EN_p0", "exact_PET_p0", "exact_type1", "exact_power"))
        at_p1 = simon.operating_characteristics(*wanted, float(row["p1"]))
        yield from near_all(where, at_p1, row, ("exact_power", "exact_PET_p1", "exact_EN_p1"))
        if row["qLo"] not in ("", "NA"):
            low, high = design.weights or (float("nan"),) * 2
            yield near(f"qLo, {where}", low, row["qLo"], 6e-4)
            yield near(f"qHi, {where}", high, row["qHi"], 6e-4)
        if k % 7 == 0:
            yield from _by_chain(where, row, wanted)


def _by_chain(where: str, row: Row, design: tuple[int, ...]) -> Iterator[Compared]:
    r1, n1, r, n = design
    rules = response_rules((n1, n), (r1, r), (None, r + 1))
    for name, errors in (("p0", ("exact_type1",)), ("p1", ("exact_power",))):
        values = distribution(rules, Rates((float(row[name]),), (0.3,))).values
        yield near(f"{errors[0]} by the chain, {where}", values["p_go"], row[errors[0]])
        yield near(f"exact_PET_{name} by the chain, {where}", values["pet"], row[f"exact_PET_{name}"])
        yield near(f"exact_EN_{name} by the chain, {where}", values["en"], row[f"exact_EN_{name}"])


def programs_compared(rows: Sequence[Row]) -> Iterator[Compared]:
    """Six programs on twelve settings."""
    for row in rows:
        where = named(row, "peer", *SETTING, "criterion")
        design = simon.search(_target(row)).choose(row["criterion"])
        wanted = tuple(int(row[key]) for key in ("r1", "n1", "r", "n"))
        yield same(f"design, {where}", (design.r1, design.n1, design.r, design.n), wanted)
        for name, value in (("EN0", design.en_p0), ("type1", design.type_i_error), ("power", design.power)):
            if row[name] != "NA":
                yield as_printed(f"{name}, {where}", value, row[name])


def single_stages(rows: Sequence[Row]) -> Iterator[Compared]:
    """Both definitions: the first n, and the n from which all larger ones are enough too."""
    for row in rows:
        found = single_stage.search(_target(row))
        for criterion in ("first", "stable"):
            where = f"{criterion}, {named(row, *SETTING)}"
            design = found[criterion]
            wanted = int(row[f"bf_{criterion}_n"]), int(row[f"bf_{criterion}_r"])
            yield same(f"design, {where}", (design.n, design.r), wanted)
            yield near(f"type1, {where}", design.type_i_error, row[f"bf_{criterion}_type1"])
            yield near(f"power, {where}", design.power, row[f"bf_{criterion}_power"])
            if criterion == "first":
                clinfun = int(row["clinfun_n"]), int(row["clinfun_r"])
                yield same(f"clinfun, {where}", (design.n, design.r), clinfun)


def fleming(rows: Sequence[Row]) -> Iterator[Compared]:
    """The best two-sided design of each n, and where one is the optimum of all n."""
    for row in rows:
        where = named(row, "p0", "pa", "alpha_param", "beta_param", "N")
        p0, p1, alpha, beta = numbers(row, "p0", "pa", "alpha_param", "beta_param")
        design = {d.n: d for d in mander_thompson.best_by_n(Target(p0, p1, alpha, beta), 50)}[int(row["N"])]
        # their stage 1 goes at a or more responses
        wanted = (*(int(row[key]) for key in ("r1", "n1", "r2")), int(row["a"]) - 1)
        yield same(f"design, {where}", (design.r1, design.n1, design.r, design.a1), wanted)
        values = (design.en_p0, design.en_p1, design.pet_p0, design.type_i_error, 1 - design.power)
        yield from near_all(where, values, row, ("EN.p0", "EN.pa", "PET.p0", "alpha", "beta"))
        if row["OPT"]:
            best = mander_thompson.search(Target(p0, p1, alpha, beta, 50)).optimal
            yield same(f"optimum, {where}", best.looks(), design.looks())


def three_outcomes(rows: Sequence[Row]) -> Iterator[Compared]:
    """Both designs with three outcomes."""
    setting = ("p0", "pa", "alpha_param", "beta_param", "eta_param", "pi_param")
    p0, p1, alpha, beta, eta, pi = numbers(rows[0], *setting)
    found = sargent.search(Target(p0, p1, alpha, beta), eta, pi).designs
    for row, design in zip(rows, (found[0], found[-1]), strict=False):
        where = f"design {row['design_nr']}"
        wanted = tuple(int(row[key]) for key in ("r1", "n1", "r2", "s", "N"))
        yield same(f"design, {where}", (design.r1, design.n1, design.r, design.s, design.n), wanted)
        pairs = {
            "alpha": design.type_i_error, "beta": design.beta, "eta": design.eta, "pi": design.power,
            "lambda": design.consider_p0, "delta": design.consider_p1, "EN.p0": design.en_p0,
            "PET.p0": design.pet_p0,
        }  # fmt: skip
        yield from near_all(where, pairs.values(), row, tuple(pairs))


def curtailed_designs(rows: Sequence[Row]) -> Iterator[Compared]:
    """The undominated designs with certain curtailment: these and no others."""
    found = {(d.r1, d.n1, d.r, d.n): d for d in curtailed.search(Target(0.1, 0.3, 0.05, 0.2, 30))}
    stated = {tuple(int(row[key]) for key in ("r1", "n1", "r", "n")) for row in rows}
    yield same("all undominated designs", sorted(found), sorted(stated))
    keys = ("alpha", "power", "EssH0", "Ess")
    for row in rows:
        where = named(row, "r1", "n1", "r", "n")
        design = found.get((int(row["r1"]), int(row["n1"]), int(row["r"]), int(row["n"])))
        if design is None:
            yield same(f"design, {where}", None, where)
            continue
        values = (design.type_i_error, design.power, design.en_p0, design.en_p1)
        yield from near_all(where, values, row, keys)
        at_p1 = alone(design.looks(), 0.3)
        yield from near_all(f"{where}, look by look", (at_p1.p_go, at_p1.en), row, ("power", "Ess"))


def stochastic_curtailment(rows: Sequence[Row]) -> Iterator[Compared]:
    """Designs that stop where conditional power leaves stated bounds."""
    for row in rows:
        thresholds = (float(row["thetaF"]), float(row["thetaE"]))
        looks = curtailed.looks_of(int(row["n"]), int(row["r"]), None, None, 0.3, thresholds, int(row["C"]))
        null, alternative = alone(looks, 0.1), alone(looks, 0.3)
        values = (null.p_go, alternative.p_go, null.en, alternative.en)
        where = named(row, "n", "r", "thetaF", "thetaE")
        yield from near_all(where, values, row, ("alpha", "power", "EssH0", "Ess"))


REFERENCES = (
    Reference(
        "simon", "Simon's two-stage designs: optimal, minimax and admissible",
        "clinfun 1.1.5 (ph2simon, twostage.admissible) on R 4.2.2; operating characteristics by enumeration",
        simon_designs, 491, 5336,
    ),
    Reference(
        "simon_programs_compared", "Simon's designs as six programs print them",
        "clinfun, OneArmPhaseTwoStudy, PhIIdesign, desmon, gen2stage, singlearm on R 4.2.2",
        programs_compared, 132, 324,
    ),
    Reference(
        "single_stage", "exact single-stage designs, smallest and stable n",
        "clinfun 1.1.5 (ph2single) on R 4.2.2; enumeration", single_stages, 168, 1176,
    ),
    Reference(
        "fleming_two_stage", "two-stage designs that may stop for either reason",
        "PhIIdesign 0.2.0 on R 4.2.2", fleming, 19, 116,
    ),
    Reference(
        "sargent_two_stage", "two-stage designs with three outcomes", "PhIIdesign 0.2.0 on R 4.2.2",
        three_outcomes, 2, 18,
    ),
    Reference(
        "curtailed_nonstochastic", "curtailed designs", "curtailment 0.2.6 on R 4.2.2", curtailed_designs, 6, 37,
    ),
    Reference(
        "curtailed_stochastic", "designs with stochastic curtailment", "curtailment 0.2.6 on R 4.2.2",
        stochastic_curtailment, 2, 8,
    ),
)  # fmt: skip
