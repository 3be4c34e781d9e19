"""The yardstick in C of the timed kernel, compiled where there is a compiler: one trial after another."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timed_scenarios import refuse_others
from trialsim import codes
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.kernels import conduct_columns, tables
from trialsim.kernels.tables import PAUSE, Calendar, Int64

FLAGS = ("-O3", "-march=native", "-fno-tree-vectorize", "-std=c11")
"""Without the vectors that the compiler finds in a scalar loop: they cost 5-10%."""

SOURCE = Path(__file__).with_name("timed_c_twin.c")
MOST = 1024
"""Patients of a trial at most, as in the source."""

SIZES = ("levels", "strata", "cohorts", "looks", "most", "visits", "columns")
WHOLE = (*SIZES, "confirmation", "control_visit", "window", "early", "lag", "pause", "as_it_happens")
IN_32_BITS = ("look_n", "look_next", "final", "act_ge", "action", "attained_ge", "cohort_of")
IN_64_BITS = ("thresholds", "visit", "waits_until", "onset_scale", "stratum_by")


class _Design(ctypes.Structure):
    """The trial as the C source has it."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in WHOLE),
        ("ticks_per_patient", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in IN_32_BITS + IN_64_BITS),
    )


def simulate(
    rules: Rules, calendar: Calendar, thresholds: Int64, seed: int, replicates: int
) -> NDArray[np.int32] | None:
    """(replicates, columns) as ``conduct_columns`` describes them; None where there is no compiler."""
    refuse_others(rules, calendar)
    if rules.max_treated > MOST:
        raise ValueError(f"the yardstick in C simulates at most {MOST} patients")
    program = compiled()
    if program is None:
        return None
    levels, strata, _ = thresholds.shape
    described = tables_of(rules)._asdict() | calendar._asdict() | {"thresholds": thresholds}
    described |= {
        "levels": levels,
        "strata": strata,
        "looks": len(rules.looks.n),
        "most": rules.max_treated,
        "visits": len(calendar.visit),
        "columns": conduct_columns.columns(levels, calendar.cohorts),
        "waits_until": np.vstack([calendar.progressed_by, calendar.seen_by]),
        "pause": calendar.interim == PAUSE,
    }
    kept = {name: np.ascontiguousarray(described[name], dtype=np.int32) for name in IN_32_BITS}
    kept |= {name: np.ascontiguousarray(described[name], dtype=np.int64) for name in IN_64_BITS}
    design = _Design(
        **{name: int(described[name]) for name in WHOLE},
        ticks_per_patient=int(calendar.ticks_per_unit[0]) / 256,
        **{name: array.ctypes.data for name, array in kept.items()},
    )
    out = np.empty((replicates, described["columns"]), dtype=np.int32)
    program.simulate(
        ctypes.byref(design),
        ctypes.c_uint64(seed),
        ctypes.c_int64(replicates),
        out.ctypes.data_as(ctypes.c_void_p),
    )
    return out


@cache
def compiled() -> Any:
    """The compiled source, in a temporary folder that is gone at once; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library = Path(folder, "timed_c_twin.so")
        Path(folder, "timed_codes.h").write_text(_codes(), encoding="ascii")
        subprocess.run(
            [compiler, *FLAGS, "-shared", "-fPIC", "-I", folder, "-o", library, SOURCE, "-lm"], check=True
        )
        program = ctypes.CDLL(str(library))
    program.simulate.restype = None
    return program


def _codes() -> str:
    """Codes, columns and thresholds as a C header."""
    modules = (codes, conduct_columns, tables)
    names = {name: value for module in modules for name, value in vars(module).items()}
    lines = [f"{name} = {value}" for name, value in names.items() if name.isupper() and type(value) is int]
    return "enum { " + ", ".join(lines) + " };\n"
