"""Monte Carlo: blocks of replicates over joblib, folded to integers that add."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.ledger import Ledger, Part
from trialsim.engine.tally import Tally
from trialsim.engine.trials import Trials, fingerprint
from trialsim.errors import TrialsimError
from trialsim.kernels.streams import stream_key
from trialsim.scenario.truth import Rates
from trialsim.timing import long_work
from trialsim.version import __version__

BLOCK = 8192
"""Replicates held in memory at once by a worker. No result depends on it."""

CHUNK_PATIENTS = 200_000_000
"""Patients simulated in one task at most: about a second, so that progress shows and an interrupt is heard."""

MAX_PATIENTS = 1_000_000_000_000
"""Most patients a run may simulate, an hour or more on one core: beyond it exact answers or a cluster are wanted."""

Progress = Callable[[int], None]
"""Called with the number of replicates just finished."""


CONNECT_SECONDS = 10
"""How long a dask scheduler may take to answer."""


class _Chunk(NamedTuple):
    """One task: replicates first, first + 1, ... of a case."""

    case: str
    trials: Trials
    seed: int
    first: int
    replicates: int
    block: int = BLOCK
    version: str = __version__


def tallies(
    cases: Mapping[str, Trials],
    replicates: int,
    seed: int,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    block: int = BLOCK,
    ledger: Ledger | None = None,
    held: Iterable[Part] = (),
) -> dict[str, Tally]:
    """Simulate ``replicates`` trials of every case; the same bits for any jobs, backend and block size.

    ``jobs`` defaults to the enclosing ``joblib.parallel_config``, else to all processors, as threads. A ``ledger``
    keeps every chunk as it is finished, and what it holds already is not simulated again; nor is what is ``held``.
    """
    import joblib

    patients = sum(trials.patients for trials in cases.values())
    if replicates * patients > MAX_PATIENTS:
        raise TrialsimError(
            f"{replicates:,} replicates of each of {len(cases)} simulated trials with up to "
            f"{max(trials.patients for trials in cases.values())} patients are more than would finish; at most "
            f"{MAX_PATIENTS // patients:,} are accepted, and 1,000,000 give a standard error of .0005 or less"
        )
    kept = list(held)
    if ledger is not None:
        kept = ledger.begin(seed, replicates, {case: fingerprint(trials) for case, trials in cases.items()})
    _, configured = joblib.parallel.get_active_backend(prefer="threads")
    workers = jobs or (configured if configured not in (None, 1) else os.cpu_count() or 1)
    largest = max(math.ceil(replicates / (4 * joblib.effective_n_jobs(workers))), BLOCK)
    # a generator: tasks come into being as workers become free, so memory does not grow with the replicates
    tasks = (
        joblib.delayed(_simulate)(chunk) for chunk in _missing(cases, kept, replicates, seed, largest, block)
    )
    totals: dict[str, Tally] = {}
    parallel = joblib.Parallel(n_jobs=workers, prefer="threads", return_as="generator")
    finished = 0
    with _closed(parallel(tasks)) as fresh, long_work("simulated trials", replicates * len(cases)) as done:
        for part in itertools.chain(kept, _recorded(fresh, ledger)):
            totals[part.case] = totals[part.case] + part.tally if part.case in totals else part.tally
            finished += part.tally.replicates
            if progress:
                progress(part.tally.replicates)
            else:
                done(finished)
    return {case: totals[case] for case in cases}


@contextlib.contextmanager
def cluster(address: str) -> Iterator[None]:
    """Simulate on the workers of the dask scheduler at ``address`` (as ``tcp://host:8786``).

    Raises:
        TrialsimError: dask is not installed, nobody answers, or the workers are lost or are not fit for the task.
    """
    import joblib

    try:
        from distributed import CancelledError, Client, KilledWorker
        from distributed.comm.core import CommClosedError
    except ImportError:
        raise TrialsimError('a cluster needs dask: pip install "trialsim[dask]"') from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said below, in one sentence
    try:
        client = Client(address, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise TrialsimError(f"no dask scheduler answers at {address}: {error}") from None
    try:
        with client, joblib.parallel_config(backend="dask"):
            for worker, answer in client.run(_same_version, __version__, on_error="return").items():
                if isinstance(answer, Exception):
                    raise TrialsimError(f"the dask worker {worker} cannot be used: {answer}")
            yield
    except TimeoutError:
        raise TrialsimError(f"the dask scheduler at {address} has no workers") from None
    except (CancelledError, KilledWorker, CommClosedError):
        raise TrialsimError(f"the dask scheduler at {address} or its workers were lost on the way") from None


def paths(
    rules: Rules, rates: Rates, seed: int, count: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    """The first ``count`` simulated trials patient by patient, (count, M) int8: 0 for not enrolled, else
    1 + level * 8 + evaluable * 4 + response * 2 + toxicity."""
    from trialsim.kernels.trial import columns, simulate

    out = np.zeros((count, columns(rules.levels)), dtype=np.int32)
    enrolled = np.zeros((count, rules.most_treated), dtype=np.int8)
    simulate(tables_of(rules), rates.thresholds(), *stream_key(seed), 0, out, enrolled)
    return enrolled


def _missing(
    cases: Mapping[str, Trials], kept: Iterable[Part], replicates: int, seed: int, largest: int, block: int
) -> Iterator[_Chunk]:
    """The replicates of every case that are not kept, in chunks of at most ``largest``."""
    held = {case: [(part.first, part.stop) for part in kept if part.case == case] for case in cases}
    for case, trials in cases.items():
        size = min(largest, max(CHUNK_PATIENTS // trials.patients, 1))
        reached = 0
        for start, stop in [*held[case], (replicates, replicates)]:
            for first in range(reached, start, size):
                yield _Chunk(case, trials, seed, first, min(size, start - first), block)
            reached = stop


@contextlib.contextmanager
def _closed(parts: Generator[Part, None, None]) -> Iterator[Generator[Part, None, None]]:
    """Tasks that are called off when the run is; joblib's warning that some were in vain is not for the user."""
    try:
        yield parts
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            parts.close()


def _recorded(parts: Iterable[Part], ledger: Ledger | None) -> Iterator[Part]:
    """The same parts, each in the ledger before anybody counts it."""
    for part in parts:
        if ledger is not None:
            ledger.append(part)
        yield part


def _same_version(version: str) -> None:
    """Refuse to work for another version of trialsim: its numbers may differ."""
    if version != __version__:
        raise TrialsimError(f"it has trialsim {__version__}, this machine {version}")


def _simulate(chunk: _Chunk) -> Part:
    """What a worker does: a chunk block by block, so that memory stays small."""
    _same_version(chunk.version)
    key = stream_key(chunk.seed)
    stop = chunk.first + chunk.replicates
    total: Tally | None = None
    for first in range(chunk.first, stop, chunk.block):
        tally = chunk.trials.tally(key, first, min(chunk.block, stop - first))
        total = tally if total is None else total + tally
    assert total is not None
    return Part(chunk.case, chunk.first, total)
