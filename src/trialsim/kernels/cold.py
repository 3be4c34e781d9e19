"""Whether a first run must compile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def compile_note(kernels: Iterable[str] = ("trial", "chain")) -> str:
    """What to tell a user who is about to wait for compilation of these; "" when they are on disk, compiled."""
    from trialsim.kernels import abreast, chain, conduct, dose_law, randomised, trial, whole_trial

    entries = {
        "trial": trial.simulate,
        "chain": chain.propagate,
        "abreast": abreast.fill,
        "conduct": conduct.simulate,
        "dose_law": dose_law.lower_dose,
        "randomised": randomised.both_doses,
        "whole_trial": whole_trial._forward,
    }
    for name in kernels:
        dispatcher = entries[name]
        folder = dispatcher.stats.cache_path
        if folder is None:
            return "Compiling kernels (no writable cache folder: this happens in every run)"
        stem = f"{Path(dispatcher.py_func.__code__.co_filename).stem}.{dispatcher.py_func.__name__}"
        if not any(Path(folder).glob(f"{stem}-*.nbc")):
            return "Compiling kernels (first use of this part)"
    return ""
