"""Example trials of a run, chosen by a stated rule: patient by patient, as results.json keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trialsim.codes import FINAL_GO, FUTILITY, GO_EARLY, TOXICITY
from trialsim.running.plain import Document
from trialsim.scenario.compiled import Compiled

LOOKED_AT = 1000
"""The first trials of a case among which an example is looked for."""

FIELDS = (
    "enrolled_day", "dose", "cohort", "evaluable", "response", "response_first_seen_day", "toxicity",
    "toxicity_onset_day", "serious", "overrun",
)  # fmt: skip
"""What results.json keeps of a patient, as columns."""


def examples(compiled: Compiled, seed: int, inactive: str, active: str) -> list[Document]:
    """Up to three trials that a run with this seed simulates, as plain data.

    One of ``active`` that ends in a go, one of ``inactive`` that stops early, and, where the dose can change, one of
    ``active`` that changes it without a go: each the first of its kind among the first ``LOOKED_AT`` of the case.
    """
    from trialsim.engine.timed import timed
    from trialsim.engine.traces import trace
    from trialsim.kernels.streams import stream_key

    trials, key = timed(compiled), stream_key(seed)
    found: list[Document] = []
    kinds: list[tuple[str, str, Callable[[Any], Any]]] = [("go", active, _is_go), ("stop", inactive, _stops)]
    if len(compiled.scenario.doses) > 1:
        kinds.append(("reduced", active, _is_reduced_without_go))
    for kind, case, is_one in kinds:
        for first in range(0, LOOKED_AT, 100):
            there = is_one(trials[case].treated(key, first, 100)[0])
            if there.any():
                number = first + int(there.argmax()) + 1
                found.append(_example(kind, trace(compiled, case, number, seed)))
                break
    return found


def _is_go(rows: Any) -> Any:
    from trialsim.kernels import conduct_columns as column

    return (rows[:, column.END] == FINAL_GO) | (rows[:, column.END] == GO_EARLY)


def _stops(rows: Any) -> Any:
    from trialsim.kernels import conduct_columns as column

    return (rows[:, column.END] == FUTILITY) | (rows[:, column.END] == TOXICITY)


def _is_reduced_without_go(rows: Any) -> Any:
    from trialsim.kernels import conduct_columns as column

    return (rows[:, column.REDUCED_AFTER] > 0) & ~_is_go(rows)


def _example(kind: str, trace: Any) -> Document:
    """A trial as results.json keeps it, in whole days; what applies to none of its patients is left out."""
    columns = {name: [patient.get(name) for patient in trace.patients] for name in FIELDS}
    for name in columns:
        if name.endswith("_day"):
            columns[name] = [_whole(day) for day in columns[name]]
    return {
        "kind": kind,
        "case": trace.case,
        "trial": trace.trial,
        "seed": trace.seed,
        "end": trace.end,
        "events": [{"day": _whole(event.day), "what": event.what} for event in trace.events],
        "patients": {
            "patient": list(range(1, len(trace.patients) + 1)),
            **{name: values for name, values in columns.items() if any(v is not None for v in values)},
        },
    }


def _whole(day: float | None) -> int | None:
    """A day without its fraction, counted as a calendar does."""
    return None if day is None else int(day)
