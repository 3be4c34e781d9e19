"""``environment.json``: everything that may differ between two runs with the same results, and nothing else."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from trialsim.version import __version__
from trialsim.writing.seal import sealed

PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "matplotlib",
    "pandas",
    "joblib",
    "pydantic",
    "ruamel.yaml",
    "jinja2",
    "python-docx",
)


def environment(jobs: int | None, seconds: Mapping[str, float]) -> bytes:
    """Versions, machine, number of jobs, and wall times in seconds, as JSON."""
    content = {
        "trialsim": __version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "jobs": jobs,
        "wall_seconds": dict(seconds),
    }
    return sealed(content)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
