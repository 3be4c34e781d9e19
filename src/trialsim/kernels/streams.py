"""Which random numbers belong to whom: a counter-based generator keyed by seed, replicate, patient and purpose.

Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC11, 2011). A number depends on nothing but its address, so any
order of work, any number of workers and any variant of a scenario see the same patient in the same way.

Address: key = hash of (stream version, seed); c0 = replicate, low 32 bits; c1 = replicate, high 16 bits, and the
treatment course above them; c2 = enrolment index; c3 = domain above, group of purposes below. Frozen groups of
four words: 0 = response, toxicity, evaluable, gap; 1 = onset, progression, dropout, cohort; 2 = serious event,
stable disease, screening, first sight of a response; 3 = allocation to a dose.
"""

from __future__ import annotations

import hashlib

import numpy as np

from trialsim.kernels.jit import inline

STREAM_VERSION = 1
"""Part of every result: a change of layout is a change of numbers."""

DOMAIN_TRIAL, DOMAIN_PREDICTION = 0, 1
GROUP_OUTCOME, GROUP_COURSE, GROUP_EVENT, GROUP_ALLOCATION = range(4)
MAX_REPLICATES = 1 << 48

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


def stream_key(seed: int) -> tuple[np.uint64, np.uint64]:
    """The two key words of a seed."""
    digest = hashlib.sha256(f"trialsim stream {STREAM_VERSION} seed {seed}".encode("ascii")).digest()
    return np.uint64(int.from_bytes(digest[:4], "little")), np.uint64(int.from_bytes(digest[4:8], "little"))


@inline
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Four 32-bit words (in uint64) of counter (c0, c1, c2, c3) under key (k0, k1); ten rounds."""
    # says that they have 32 bits, so that vectors are multiplied by one instruction and not by three
    c0, c2, k0, k1 = c0 & _LOW, c2 & _LOW, k0 & _LOW, k1 & _LOW
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0 = (p1 >> _SHIFT) ^ c1 ^ k0
        c1 = p1 & _LOW
        c2 = (p0 >> _SHIFT) ^ c3 ^ k1
        c3 = p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3
