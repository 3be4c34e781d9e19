"""Monte Carlo: blocks of replicates over joblib, folded to integers that add."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.tally import Tally, fold
from trialsim.errors import TrialsimError
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Int64, Tables
from trialsim.scenario.truth import Rates

BLOCK = 8192
"""Replicates held in memory at once by a worker. No result depends on it."""

CHUNK_PATIENTS = 200_000_000
"""Patients simulated in one task at most: about a second, so that progress shows and an interrupt is heard."""

MAX_PATIENTS = 1_000_000_000_000
"""Most patients a run may simulate, an hour or more on one core: beyond it exact answers or a cluster are wanted."""

Progress = Callable[[int], None]
"""Called with the number of replicates just finished."""


class _Chunk(NamedTuple):
    """One task: replicates first, first + 1, ... of a case."""

    case: str
    tables: Tables
    thresholds: Int64
    seed: int
    first: int
    replicates: int
    block: int


def tallies(
    rules: Rules,
    cases: Mapping[str, Rates],
    replicates: int,
    seed: int,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    block: int = BLOCK,
) -> dict[str, Tally]:
    """Simulate ``replicates`` trials of every case; the same bits for any jobs, backend and block size.

    ``jobs`` defaults to the enclosing ``joblib.parallel_config``, else to all processors, as threads.
    """
    import joblib

    patients = replicates * rules.max_treated * len(cases)
    if patients > MAX_PATIENTS:
        most = MAX_PATIENTS // (rules.max_treated * len(cases))
        raise TrialsimError(
            f"{replicates:,} replicates of {len(cases)} case(s) with up to {rules.max_treated} patients are more than "
            f"would finish; at most {most:,} are accepted, and 1,000,000 give a standard error of .0005 or less"
        )
    tables = tables_of(rules)
    _, configured = joblib.parallel.get_active_backend(prefer="threads")
    workers = jobs or (configured if configured not in (None, 1) else os.cpu_count() or 1)
    most_in_chunk = max(CHUNK_PATIENTS // rules.max_treated, 1)
    size = min(most_in_chunk, max(math.ceil(replicates / (4 * abs(workers))), BLOCK))
    chunks = [
        _Chunk(case, tables, rates.thresholds(), seed, first, min(size, replicates - first), block)
        for case, rates in cases.items()
        for first in range(0, replicates, size)
    ]
    totals: dict[str, Tally] = {}
    done = joblib.Parallel(n_jobs=workers, prefer="threads", return_as="generator")(
        joblib.delayed(_simulate)(chunk) for chunk in chunks
    )
    for chunk, tally in zip(chunks, done, strict=True):
        totals[chunk.case] = totals[chunk.case] + tally if chunk.case in totals else tally
        if progress:
            progress(chunk.replicates)
    return totals


def paths(
    rules: Rules, rates: Rates, seed: int, count: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    """The first ``count`` simulated trials patient by patient, (count, M) int8: 0 for not enrolled, else
    1 + level * 8 + evaluable * 4 + response * 2 + toxicity."""
    from trialsim.kernels.trial import columns, simulate

    out = np.zeros((count, columns(rules.levels)), dtype=np.int32)
    enrolled = np.zeros((count, rules.max_treated), dtype=np.int8)
    simulate(tables_of(rules), rates.thresholds(), *stream_key(seed), 0, out, enrolled)
    return enrolled


def _simulate(chunk: _Chunk) -> Tally:
    from trialsim.kernels.trial import columns, simulate

    key = stream_key(chunk.seed)
    nothing_kept = np.zeros((0, 0), dtype=np.int8)
    most = chunk.tables.act_ge.shape[1] - 1
    width = columns(len(chunk.tables.action))
    total: Tally | None = None
    for first in range(chunk.first, chunk.first + chunk.replicates, chunk.block):
        out = np.empty((min(chunk.block, chunk.first + chunk.replicates - first), width), dtype=np.int32)
        simulate(chunk.tables, chunk.thresholds, *key, first, out, nothing_kept)
        tally = fold(out, most)
        total = tally if total is None else total + tally
    assert total is not None
    return total
