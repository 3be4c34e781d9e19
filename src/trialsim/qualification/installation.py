"""Installation: the files, the reference tables, the libraries and the arithmetic of this machine."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from trialsim.qualification.comparing import DATA, Compared, same
from trialsim.qualification.testing import INSTALLATION, CannotBeDone, Setting, Test
from trialsim.version import __version__

PACKAGE = Path(__file__).parents[1]
DIGESTS = DATA / "SHA256SUMS"

LIBRARIES = (
    "numpy", "scipy", "numba", "llvmlite", "matplotlib", "pandas", "joblib", "pydantic", "ruamel.yaml", "jinja2",
    "rich", "typer", "python-docx",
)  # fmt: skip
"""Whose versions are recorded."""


def machine() -> dict[str, str | int | None]:
    """What this machine is: versions, platform, processor."""
    return {
        "trialsim": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "processors": os.cpu_count(),
    }


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """The model of the processor, where the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.processor() or "not told by the system"


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; "missing" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def _record() -> Path:
    """The list of files that the installer left beside the package.

    Raises:
        CannotBeDone: there is none, as where the package is used from its source.
    """
    found = PACKAGE.parent / f"trialsim-{__version__}.dist-info" / "RECORD"
    if not found.is_file():
        raise CannotBeDone(
            f"no list of installed files (trialsim-{__version__}.dist-info/RECORD) stands beside the package: it was "
            "not installed from a wheel"
        )
    return found


def files(_setting: Setting) -> Iterator[Compared]:
    """Every file of the package against the list that came with the wheel; and no program file beside them."""
    listed = set()
    with _record().open(encoding="utf-8", newline="") as record:
        for name, stated, *_rest in csv.reader(record):
            path = PACKAGE.parent / name
            if not stated or not name.startswith(f"{PACKAGE.name}/"):
                continue
            listed.add(path)
            kind, _, value = stated.partition("=")
            here = digest(path)
            if here != "missing":
                here = base64.urlsafe_b64encode(bytes.fromhex(here)).decode().rstrip("=")
            yield Compared(f"file {name}", here, value, kind == "sha256" and here == value)
    for found in sorted(PACKAGE.rglob("*.py")):
        if found not in listed:
            yield same(f"file {found.relative_to(PACKAGE.parent)}", "present", "not part of the release")


def tables(_setting: Setting) -> Iterator[Compared]:
    """The reference tables against the digests that were made with them."""
    listed = set()
    for line in DIGESTS.read_text(encoding="utf-8").splitlines():
        stated, name = line.split(maxsplit=1)
        listed.add(name)
        yield same(f"table {name}", digest(DATA / name), stated)
    for path in sorted(DATA.rglob("*.csv")):
        name = path.relative_to(DATA).as_posix()
        if name not in listed:
            yield same(f"table {name}", "present", "not listed")


def libraries(_setting: Setting) -> Iterator[Compared]:
    """Python and the libraries that the package needs, not older than it states."""
    record = _record()
    stated = (record.parent / "METADATA").read_text(encoding="utf-8")
    needed = re.findall(r"^Requires-Dist: ([\w.-]+)\s*>=\s*([\d.]+)$", stated, re.MULTILINE)
    least = re.search(r"^Requires-Python: >=([\d.]+)$", stated, re.MULTILINE)
    for name, lowest in [("Python", least[1] if least else "3"), *needed]:
        here = platform.python_version() if name == "Python" else _version(name)
        enough = here is not None and _numbers(here) >= _numbers(lowest)
        yield Compared(name, here, f"{lowest} or newer", enough)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def arithmetic(_setting: Setting) -> Iterator[Compared]:
    """Double precision as IEEE 754 has it, rounding included."""
    info = sys.float_info
    yield same("digits of a double", (info.radix, info.mant_dig, info.max_exp), (2, 53, 1024))
    for text, stated in (
        ("0.1 + 0.2", "0x1.3333333333334p-2"),
        ("1 / 3", "0x1.5555555555555p-2"),
        ("2 ** 0.5", "0x1.6a09e667f3bcdp+0"),
        ("1e16 + 1", "0x1.1c37937e08000p+53"),
        ("0.5 ** 1074", "0x0.0000000000001p-1022"),
    ):
        left, sign, right = re.split(r" (\*\*|[+/]) ", text)
        a, b = float(left), float(right)
        here = a + b if sign == "+" else a / b if sign == "/" else a**b
        yield same(text, here.hex(), stated)


TESTS = (
    Test(
        "IQ-1", INSTALLATION, "The installed files are those of the release.",
        "SHA-256 of every file of the package against the list (RECORD) that the installer left; no other program file "
        "stands among them.", files,
    ),
    Test(
        "IQ-2", INSTALLATION, "The reference tables are those that were made with this version.",
        "SHA-256 of every table against the list that ships with them.", tables,
    ),
    Test(
        "IQ-3", INSTALLATION, "Python and the libraries are not older than the package asks for.",
        "Installed versions against the lowest that the package states.", libraries,
    ),
    Test(
        "IQ-4", INSTALLATION, "The machine computes in double precision.",
        "The form of a double, and five operations to the last bit.", arithmetic, numbers=6,
    ),
)  # fmt: skip
