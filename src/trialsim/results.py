"""What comes out: operating characteristics, each number with its error, as objects that print themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from trialsim.answers import Answer
from trialsim.answers import to_frame as to_frame
from trialsim.quantities import label, quantity_names

Float64 = NDArray[np.float64]

LEAST_SPREAD = 10.0
"""Least R times standard error at which a number of R trials is told in standard errors: R p (1 - p) >= 100 of a
probability. With less it hangs on a few trials, and is not normal enough for such words."""


def is_normal(replicates: int, standard_error: float) -> bool:
    """Whether a simulated number varies enough that its distance from the exact one in standard errors means much."""
    return replicates * standard_error >= LEAST_SPREAD * (1 - 1e-9)


def csv_field(value: Any) -> Any:
    """A value as every CSV file here has it: 12 digits, nothing where there is none, and a quote before what a
    spreadsheet would run as a formula."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.12g}"
    if isinstance(value, list | tuple):
        return csv_field("; ".join("none" if item is None else str(item) for item in value))
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def digits12(value: Any) -> Any:
    """``value`` with every float inside rounded to 12 significant digits and None for what is no number (the error of
    a mean of one trial), ready for JSON."""
    if isinstance(value, float | np.floating):
        return float(f"{value:.12g}") if np.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return [digits12(item) for item in value.tolist()]
    if isinstance(value, Mapping):
        return {key: digits12(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [digits12(item) for item in value]
    return int(value) if isinstance(value, np.integer) else value


@dataclass(frozen=True)
class Estimate:
    """A simulated number: its Monte Carlo standard error and 95% interval."""

    estimate: float
    mcse: float
    low: float
    high: float


@dataclass(frozen=True)
class Adjusted(Estimate):
    """A simulated number, adjusted by what the twin of its trials gave and should have given (docs/methods.md).

    Attributes:
        variance_factor: how many times smaller its variance is than the plain number's; None where nothing is left.
        controls: the quantities of the twin that it is adjusted by.
        plain_because: why it is the plain number after all; "" where it is not.
    """

    variance_factor: float | None
    controls: tuple[str, ...]
    plain_because: str = ""


@dataclass(frozen=True)
class Exact:
    """The exact distribution of one trial under one truth; M is the largest number of treated patients.

    Attributes:
        values: every scalar operating characteristic by name.
        n: (M + 1,) P(n patients treated).
        reduction_patient: (M + 1,) P(patient i is the last at the starting dose, and patients follow at a lower one).
        patients: (K, M + 1) P(patient i is treated, at this level); nan where patients are randomised from the start.
        joint_responses, joint_toxicities: (M + 1, M + 1) P(n treated and this total); None when not asked for.
    """

    values: dict[str, float]
    n: Float64
    reduction_patient: Float64
    patients: Float64
    joint_responses: Float64 | None = None
    joint_toxicities: Float64 | None = None

    @property
    def responses(self) -> Float64 | None:
        """(M + 1,) distribution of the total number of counted responses."""
        return None if self.joint_responses is None else self.joint_responses.sum(axis=0)

    @property
    def toxicities(self) -> Float64 | None:
        """(M + 1,) distribution of the total number of patients with toxicity."""
        return None if self.joint_toxicities is None else self.joint_toxicities.sum(axis=0)


@dataclass(frozen=True)
class Simulated:
    """What ``replicates`` simulated trials gave; the counts (one entry for each value from 0) are exact integers."""

    replicates: int
    values: dict[str, Estimate]
    n: tuple[int, ...]
    responses: tuple[int, ...]
    toxicities: tuple[int, ...]
    reduction_patient: tuple[int, ...]
    days: tuple[int, ...] = ()
    """Trials by duration in whole days; empty where calendar time was not simulated."""


def adjusted_columns(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """An adjusted number as columns of a table: empty but for ``not_adjusted``, why, where the plain one stands."""
    row = row or {}
    stands = bool(row) and not row["plain_because"]
    numbers = {
        "adjusted": "estimate",
        "adjusted_mcse": "mcse",
        "adjusted_low": "low",
        "adjusted_high": "high",
        "variance_factor": "variance_factor",
    }
    found = {column: row[key] if stands else None for column, key in numbers.items()}
    return {**found, "not_adjusted": row.get("plain_because") or None}


_NOTHING = Simulated(0, {}, (), (), (), ())


def _estimate(simulated: Simulated | None, name: str) -> float | None:
    return simulated.values[name].estimate if simulated and name in simulated.values else None


@dataclass(frozen=True)
class OperatingCharacteristics:
    """One case: exact where an exact answer exists, simulated, and how far apart they are.

    ``z`` is (simulated - exact) / standard error, where enough trials vary (``is_normal``); ``disagreements`` names
    quantities further apart than chance allows; ``not_exact`` says why there is no exact answer ("" where there is
    one). Where calendar time decides, ``at_once`` is the same trial with every outcome known at once: exact, simulated
    and held against each other; ``adjusted`` are the simulated numbers once what the twin gave is set against what it
    should have given (``docs/methods.md``).
    """

    case: str
    doses: tuple[str, ...]
    exact: Exact | None = None
    not_exact: str = ""
    simulated: Simulated | None = None
    z: dict[str, float] = field(default_factory=dict)
    disagreements: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    at_once: OperatingCharacteristics | None = None
    adjusted: dict[str, Adjusted] = field(default_factory=dict)
    by_time: dict[str, Estimate] = field(default_factory=dict)
    """What calendar time changes in each quantity, trial by trial on the same patients, not adjusted."""

    @property
    def told(self) -> dict[str, Estimate]:
        """The simulated numbers as they are told where each stands by itself: adjusted where there is such a number.

        Parts that are to add up (months, doses, cohorts, ways of ending) are told unadjusted.
        """
        return {**(self.simulated.values if self.simulated else {}), **self.adjusted}

    @property
    def names(self) -> tuple[str, ...]:
        """The scalar quantities, in reading order."""
        names = quantity_names(len(self.doses))
        more = (self.simulated or self.exact or _NOTHING).values
        return (*names, *(name for name in more if name not in names))

    def label(self, name: str) -> str:
        """The words for one of the quantities."""
        return label(name, self.doses, self.cohorts, own="p_go_all" in self.names)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a quantity: case, quantity, label, exact, estimate, mcse, low, high, z; and exact_at_once,
        estimate_at_once, z_at_once (of the trial with outcomes known at once) where calendar time decides, and what
        the number is once adjusted by them (``adjusted_columns``)."""
        twin = self.at_once
        for name in self.names:
            estimate = self.simulated.values[name] if self.simulated else None
            at_once = (
                {
                    "exact_at_once": twin.exact.values.get(name) if twin.exact else None,
                    "estimate_at_once": _estimate(twin.simulated, name),
                    "z_at_once": twin.z.get(name),
                }
                if twin
                else {}
            )
            yield {
                "case": self.case,
                "quantity": name,
                "label": self.label(name),
                "exact": self.exact.values.get(name) if self.exact else None,
                "estimate": estimate.estimate if estimate else None,
                "mcse": estimate.mcse if estimate else None,
                "low": estimate.low if estimate else None,
                "high": estimate.high if estimate else None,
                "z": self.z.get(name),
                **at_once,
                **(adjusted_columns(vars(self.adjusted[name])) if name in self.adjusted else {}),
            }

    def to_dict(self) -> dict[str, Any]:
        """The case as it stands in ``results.json``."""
        simulated = self.simulated
        return {
            "exact": dict(self.exact.values) if self.exact else None,
            "not_exact": self.not_exact or None,
            "simulated": {
                name: {"estimate": e.estimate, "mcse": e.mcse, "low": e.low, "high": e.high}
                for name, e in simulated.values.items()
            }
            if simulated
            else None,
            "z": self.z,
            "disagreements": list(self.disagreements),
            "distributions": self._distributions(),
            **({"cohorts": list(self.cohorts)} if self.cohorts else {}),
            **({"at_once": self.at_once.to_dict()} if self.at_once else {}),
            **({"adjusted": {name: vars(a) for name, a in self.adjusted.items()}} if self.adjusted else {}),
        }

    def _distributions(self) -> dict[str, Any]:
        kinds = ("n", "responses", "toxicities", "reduction_patient")
        both: dict[str, Any] = {
            kind: {
                "exact": getattr(self.exact, kind) if self.exact else None,
                "simulated": list(getattr(self.simulated, kind)) if self.simulated else None,
            }
            for kind in kinds
        }
        if self.simulated and self.simulated.days:
            both["days"] = {"exact": None, "simulated": list(self.simulated.days)}
        return both


@dataclass(frozen=True)
class Planned:
    """How the replicates were planned: standard errors wanted by quantity, replicates of the pilot, and of the run."""

    wanted: dict[str, float]
    pilot: int
    replicates: int


@dataclass(frozen=True, repr=False)
class Results(Answer):
    """The operating characteristics of every case of a scenario, and what is needed to get the same again.

    Attributes:
        cases: ``found["active"]`` is one of them, with its exact and its simulated values.
        digest, version, streams, seed, replicates: of the scenario, the program, its random streams and the run; no
            seed and no replicates where nothing was simulated.
        planned: the replicates that a stated precision took.

    Examples:
        >>> found = trialsim.exact(trialsim.examples("teaching"))
        >>> [case.case for case in found.cases]
        ['inactive', 'active', 'active_lower_dose_weaker']
    """

    kind: ClassVar[str] = "operating_characteristics"

    name: str
    digest: str
    version: str
    streams: int
    seed: int | None
    replicates: int | None
    cases: tuple[OperatingCharacteristics, ...]
    planned: Planned | None = None
    """Where the scenario asked for a precision instead of stating replicates."""

    def __getitem__(self, case: str) -> OperatingCharacteristics:
        for oc in self.cases:
            if oc.case == case:
                return oc
        raise KeyError(f"{case!r} is not a case; the cases are {', '.join(oc.case for oc in self.cases)}")

    @property
    def disagreements(self) -> tuple[str, ...]:
        """``case: quantity`` wherever simulation and exact calculation differ by more than chance allows."""
        held = [oc.at_once or oc for oc in self.cases]
        return tuple(f"{oc.case}: {name}" for oc in held for name in oc.disagreements)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a case and quantity."""
        return (row for oc in self.cases for row in oc.rows())

    def to_dict(self) -> dict[str, Any]:
        """Every case as it stands in ``results.json``, and what is needed to get the same again."""
        found: dict[str, Any] = digits12(
            {
                "name": self.name,
                "digest": self.digest,
                "trialsim": self.version,
                "streams": self.streams,
                "seed": self.seed,
                "replicates": self.replicates,
                "cases": {oc.case: oc.to_dict() for oc in self.cases},
            }
        )
        return found
