"""Toxicity boundaries, and how often they are crossed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from trialsim.codes import GO, STOP
from trialsim.designs.crossing import crossing_probability, first_met
from trialsim.designs.group_sequential import boundaries as sequential
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.engine.exact import distribution
from trialsim.qualification.comparing import (
    Compared,
    Reference,
    Row,
    as_printed,
    ints,
    named,
    near,
    numbers,
    response_rules,
    same,
    toxicity_rules,
)
from trialsim.scenario.boundaries import boundaries
from trialsim.scenario.dose_reduction import DoseReduction
from trialsim.scenario.truth import Rates

BETWEEN = (
    "their bisection may leave out a member of the family between its two boundaries; ours lies between them"
)


def crossings(rows: Sequence[Row]) -> Iterator[Compared]:
    """P(a boundary is crossed), before the last look and at all, and expected patients."""
    for row in rows:
        where = f"case {row['case']}"
        rules = toxicity_rules(ints(row["looks"]), tuple(b + 1 for b in ints(row["max_tox_allowed"])))
        values = distribution(rules, Rates((0.5,), (float(row["ptox"]),))).values
        crossed = values["p_stop_toxicity"] + values["p_stop_toxicity_at_n"]
        yield as_printed(f"pcross, {where}", crossed, row["pcross"])
        yield as_printed(f"pstop_before_final, {where}", values["p_stop_toxicity"], row["pstop_before_final"])
        yield near(f"ess, {where}", values["en"], row["ess"], 1e-8)


def clinfun_boundaries(rows: Sequence[Row]) -> Iterator[Compared]:
    """Both boundaries of each setting crossed at both rates, and the boundary that is found."""
    for row in rows:
        where = named(row, "fn", "p_lo", "p_hi", "delta", "priority", "looks")
        looks, low, high = ints(row["looks"]), ints(row["lo_bdry"]), ints(row["hi_bdry"])
        for side, bounds in (("lo", low), ("hi", high)):
            for rate, suffix in ((float(row["p_lo"]), "plo"), (float(row["p_hi"]), "phi")):
                crossed, en = _crossed(row["fn"], looks, bounds, rate)
                key = f"{side}_pcross_at_{suffix}"
                yield as_printed(f"{key}, {where}", crossed, row[key])
                key = f"{side}_ess_{suffix}"
                yield near(f"{key}, {where}", en, row[key], 1e-8)
        yield _found(where, row, looks, low, high)


def _crossed(fn: str, looks: tuple[int, ...], bounds: tuple[int, ...], rate: float) -> tuple[float, float]:
    if fn == "toxbdry":
        rules = toxicity_rules(looks, tuple(b + 1 for b in bounds))
        values = distribution(rules, Rates((0.5,), (rate,))).values
        return values["p_stop_toxicity"] + values["p_stop_toxicity_at_n"], values["en"]
    last = (None,) * (len(looks) - 1) + (bounds[-1] + 1,)
    values = distribution(response_rules(looks, bounds, last), Rates((rate,), (0.3,))).values
    return values["p_go"], values["en"]


def _found(
    where: str, row: Row, looks: tuple[int, ...], low: tuple[int, ...], high: tuple[int, ...]
) -> Compared:
    p_lo, p_hi, c0, c1, delta = numbers(row, "p_lo", "p_hi", "cP0", "cP1", "delta")
    if row["fn"] == "futilbdry":
        # futility by responses is toxicity by non-responses
        high, low = (tuple(n - x - 1 for n, x in zip(looks, side, strict=True)) for side in (high, low))
        found = sequential(looks, 1 - p_hi, 1 - c0, 1 - p_lo, delta)
    elif row["priority"] == "null":
        found = sequential(looks, p_lo, c0, p_lo, delta)
    else:
        found = sequential(looks, p_lo, c1, p_hi, delta)
    here, stated = tuple(map(tuple, found)), (high, low)
    between = all(a <= b for a, b in zip(here[0], high, strict=True)) and all(
        a >= b for a, b in zip(here[1], low, strict=True)
    )
    equal = here == stated
    return Compared(f"boundary, {where}", here, stated, equal, BETWEEN if between and not equal else "")


def stated_rules(spec: str, kind: str) -> list[dict[str, Any]]:
    """The rules of a setting as a scenario states them."""
    parts = {
        key.strip(): float(value)
        for key, value in re.findall(r"(limit|combined phi|phi|min_n) ([.\d]+)", spec)
    }
    found: list[dict[str, Any]] = []
    if lead_in := re.search(r"(\d+) of first (\d+)", spec):
        found.append({"kind": "k_of_first_m", "k": int(lead_in[1]), "m": int(lead_in[2])})
    if "{" in spec:
        pasted = {int(m): int(b) for m, b in re.findall(r"(\d+): (\d+)", spec)}
        found.append({"kind": "pasted", "boundary": pasted})
    phi = "combined_phi" if "combined phi" in parts else "phi"
    rule: dict[str, Any] = {"limit": parts.get("limit"), phi: parts.get(phi.replace("_", " "))}
    rule |= {"min_n": int(parts["min_n"])} if "min_n" in parts else {}
    if "pocock" in kind or "pocock" in spec:
        found.append({"kind": "pocock", **rule})
    if kind == "posterior_phi" and (prior := re.search(r"Beta\(([.\d]+),([.\d]+)\)", spec)):
        found.append({"kind": "posterior", "prior": [float(prior[1]), float(prior[2])], **rule})
    return found


@cache
def _compiled(spec: str, kind: str, n: int) -> tuple[tuple[Any, ...], tuple[tuple[int, ...], ...]]:
    block = DoseReduction.model_validate({"rules": stated_rules(spec, kind)})
    (here,) = boundaries(block, ("single dose",), n, n)
    return tuple(bound.rule for bound in here), tuple(bound.row for bound in here)


def _steps(row: tuple[int, ...]) -> str:
    """The boundary as the reference writes it: the first m with a cut-off, and the last m at each."""
    last = {b: m for m, b in enumerate(row) if m and b <= m}
    first = min((m for m, b in enumerate(row) if m and b <= m), default=0)
    return f"from {first} " + " ".join(f"{m}:{b}" for b, m in last.items())


def protocol_rules(rows: Sequence[Row]) -> Iterator[Compared]:
    """Rules as protocols have them: the boundary, how often it acts, when, and which rule first."""
    for row in rows:
        where = named(row, "setting", "rate")
        for column, value in _of_rules(row).items():
            stated = row[column]
            if column == "boundary" or (stated != "" and value is None):
                yield same(f"{column}, {where}", value, stated)
            elif stated != "":
                # a small probability is held to its own digits, a printed cut-off to all of them
                within = 0.0 if column == "cutoff_printed" else max(2e-11 * abs(float(stated)), 1e-14)
                yield near(f"{column}, {where}", value, stated, within)


def _of_rules(row: Row) -> dict[str, Any]:
    """Every column of a row, worked out anew."""
    n, p = int(row["N"]), float(row["rate"])
    rules, bounds = _compiled(row["spec"], row["kind"], n)
    together = tuple(map(min, zip(*bounds, strict=True)))
    first = first_met(bounds, p, n)
    # the chain stops the trial where the rule acts; all others are treated to the end
    looks = Looks((n,), ((GO,) * (n + 1),))
    chain = distribution(
        Rules(looks, Monitor((together,), (0,), (STOP,)), False, n), Rates((0.2,), (p,))
    ).values
    stopped = chain["p_stop_toxicity"] + chain["p_stop_toxicity_at_n"]
    found: dict[str, Any] = {
        "boundary": _steps(together),
        "p_act": crossing_probability(together, p, n),
        "p_act_by_12": crossing_probability(together, p, min(n, 12)),
        "p_first_rule_only": first.get((0,), 0.0),
        "p_second_rule_only": first.get((1,), 0.0),
        "p_both": first.get((0, 1), 0.0),
        "p_first_alone": crossing_probability(bounds[0], p, n),
        "p_second_alone": crossing_probability(bounds[1], p, n) if len(bounds) > 1 else None,
        "mean_m_at_act": (chain["en"] - n * (1 - stopped)) / stopped,
    }
    if cut := getattr(rules[0], "found", lambda _: None)(n):
        found |= {"cutoff_low": cut.low, "cutoff_next": cut.next, "cutoff_printed": cut.cutoff}
        found["crossing_one_step_laxer"] = cut.laxer
    return found


REFERENCES = (
    Reference(
        "boundary_crossing", "how often a toxicity boundary is crossed", "clinfun 1.1.5 (bdrycross.prob) on R 4.2.2",
        crossings, 80, 240,
    ),
    Reference(
        "toxicity_boundaries", "group sequential boundaries for toxicity and futility",
        "clinfun 1.1.5 (toxbdry, futilbdry) on R 4.2.2", clinfun_boundaries, 56, 504, 5,
    ),
    Reference(
        "toxicity_rules", "toxicity rules as protocols have them",
        "exact chains and enumeration of all sequences, written apart from trialsim", protocol_rules, 115, 1135,
    ),
)  # fmt: skip
