"""Whether a first run must compile."""

from __future__ import annotations

from pathlib import Path

from trialsim.kernels.chain import propagate
from trialsim.kernels.trial import simulate


def compile_note() -> str:
    """What to tell a user who is about to wait for compilation; "" when compiled kernels are on disk."""
    for dispatcher in (simulate, propagate):
        folder = dispatcher.stats.cache_path
        if folder is None:
            return "Compiling kernels (no writable cache folder: this happens in every run)"
        name = f"{Path(dispatcher.py_func.__code__.co_filename).stem}.{dispatcher.py_func.__name__}"
        if not any(Path(folder).glob(f"{name}-*.nbc")):
            return "Compiling kernels (first run only)"
    return ""
