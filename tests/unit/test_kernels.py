"""The door to numba, and the address of a random number."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from trialsim.kernels import jit
from trialsim.kernels.streams import philox, stream_key
from trialsim.kernels.tables import threshold


@jit.kernel
def _words(c0, c1, c2, c3, k0, k1):
    return philox(c0, c1, c2, c3, k0, k1)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_vectors(counter, key, words):
    """Random123, kat_vectors, philox4x32 with 10 rounds."""
    assert tuple(int(w) for w in _words(*map(np.uint64, (*counter, *key)))) == words


def test_thresholds_reach_both_ends():
    assert threshold(0.0) == 0
    assert threshold(1.0) == 2**32
    assert threshold(0.5) == 2**31


def test_seeds_have_different_keys():
    assert len({stream_key(seed) for seed in range(1000)}) == 1000


def test_kernels_compile_where_nothing_can_be_cached(monkeypatch):
    njit = numba.njit

    def refuses(*args, **options):
        if options.get("cache"):

            def decorate(function):
                raise RuntimeError(f"cannot cache function {function.__name__!r}: no locator available")

            return decorate
        return njit(*args, **options)

    monkeypatch.setattr(numba, "njit", refuses)
    assert jit.kernel(lambda x: x + 1)(1) == 2


SMALL = """
from trialsim import timing
from trialsim.kernels.jit import kernel
timing.listener = print

@kernel
def one_more(x):
    return x + 1

print(one_more(1), one_more(2.0))
"""


def test_who_waits_for_the_compiler_is_told_once(tmp_path):
    """In a first run; a second one only reads what the first has kept."""
    (tmp_path / "small.py").write_text(SMALL)
    place = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONPATH": os.pathsep.join(sys.path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", "import small"],
            cwd=tmp_path,
            env=place,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for _ in range(2)
    ]
    assert told == [[jit.COMPILING.format(jit.FIRST), "2 3.0"], ["2 3.0"]]


def test_other_errors_of_the_compiler_are_not_hidden(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("something else")

    monkeypatch.setattr(numba, "njit", broken)
    with pytest.raises(RuntimeError, match="something else"):
        jit.kernel(lambda x: x)(1)
