"""Bryant and Day's designs for response and toxicity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.designs import bryant_day
from trialsim.designs.target import Target
from trialsim.qualification.comparing import Compared, Reference, Row, named, near_all, numbers

CUTS = ("c1_resp_go_if_ge", "c1_nontox_go_if_ge", "c_resp_accept_if_ge", "c_nontox_accept_if_ge")
CUTS_EXHAUSTIVE = ("c1_resp_ge", "c1_nontox_ge", "c_resp_ge", "c_nontox_ge")
NARROW = "their search looks at a narrow range of n; without it the expected size is no larger"


def _compared(rows: Sequence[Row], cuts: Sequence[str], prefix: str, alpha: str) -> Iterator[Compared]:
    """Operating characteristics of each design, and whether the search without bounds of n finds it or a better one."""
    keys = [f"{prefix}{key}" for key in ("alpha_r", "alpha_t", "power")]
    keys += ["EN_r0t0", "EN_r1t0", "EN_r0t1", "EN_r1t1"]
    for row in rows:
        where = named(row, "p_resp0", "p_resp1", "p_tox0", "p_tox1", "criterion")
        (r0, r1), (t0, t1) = numbers(row, "p_resp0", "p_resp1"), numbers(row, "p_tox0", "p_tox1")
        sizes = tuple(int(row[key]) for key in ("n1", "n", *cuts))
        design = bryant_day.characteristics(sizes, (r0, r1), (t0, t1))
        values = (
            design.type_i_response, design.type_i_toxicity, design.power,
            design.en_neither, design.en_toxic, design.en_poor_response, design.en_good,
        )  # fmt: skip
        yield from near_all(where, values, row, keys)
        target = Target(r0, r1, float(row[alpha]), 1 - float(row["power_req"]))
        search = bryant_day.search(target, (t0, t1))
        found = search.optimal if row["criterion"] == "optimal" else search.minimax
        equal = str(found) == str(design)
        better = prefix and (
            found.en <= design.en + 1e-9
            if row["criterion"] == "optimal"
            else (found.n, found.en) <= (design.n, design.en + 1e-9)
        )
        explained = NARROW if better and not equal else ""
        yield Compared(f"design, {where}", str(found), str(design), equal, explained)


def of_eurosarc(rows: Sequence[Row]) -> Iterator[Compared]:
    """Designs found in a restricted range of n."""
    return _compared(rows, CUTS, "exact_", "alpha_r")


def exhaustive(rows: Sequence[Row]) -> Iterator[Compared]:
    """Designs found by trying them all."""
    return _compared(rows, CUTS_EXHAUSTIVE, "", "alpha")


REFERENCES = (
    Reference(
        "bryant_day", "designs for response and toxicity", "EurosarcBayes 1.1 on R 4.2.2; exact by enumeration",
        of_eurosarc, 12, 96, 5,
    ),
    Reference(
        "bryant_day_exhaustive", "the same by trying every design", "exhaustive search by enumeration",
        exhaustive, 10, 80,
    ),
)  # fmt: skip
