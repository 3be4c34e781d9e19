"""How long the quick commands keep a user waiting, beside a bare Python that imports NumPy at the same moment.

Reading a scenario is timed in this process; so is refusing what is no scenario at all but large or deeply nested.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import Row, rounds
from trialsim.errors import ScenarioError
from trialsim.scenario.files import parse

DASATINIB = Path(__file__).parents[1] / "configs" / "dasatinib.yaml"
SETTING = ("--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--beta", "0.2")
COMMANDS = {
    "--help": ("--help",),
    "validate": ("validate", str(DASATINIB)),
    "find simon": ("find", "simon", *SETTING),
}
HOSTILE = {
    "20,000 brackets": "[" * 20_000,
    "600,000 characters": "x" * 600_000,
    "60,000 values": "truth:\n" + " - 1\n" * 60_000,
}


def start(code: str, *arguments: str) -> None:
    """A Python of its own, to its end."""
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)


def refused(text: str) -> None:
    """Read what cannot be read."""
    try:
        parse(text)
    except ScenarioError:
        return
    sys.exit("a text that is no scenario was read as one")


def rows(quick: bool) -> Sequence[Row]:
    """Each command v `import numpy`; above 1 is slower than that."""
    numpy = partial(start, "import numpy")
    commands = [
        partial(start, "from trialsim.cli import main; main()", *arguments) for arguments in COMMANDS.values()
    ]
    base, *times = rounds(3 if quick else 9, numpy, *commands)
    found = []
    for name, own in zip(COMMANDS, times, strict=True):
        ratio = statistics.median(b / a for a, b in zip(base, own, strict=True))
        seconds = f"{statistics.median(own):.2f} v {statistics.median(base):.2f} s"
        found.append(Row(f"trialsim {name} v python importing NumPy (times as long)", seconds, ratio))
    text = DASATINIB.read_text(encoding="utf-8")
    readings = {"configs/dasatinib.yaml": partial(parse, text)}
    readings |= {f"{name} refused": partial(refused, hostile) for name, hostile in HOSTILE.items()}
    for name, (own,) in zip(readings, (rounds(5, reading) for reading in readings.values()), strict=True):
        found.append(Row(f"reading {name}", f"{statistics.median(own) * 1e3:.0f} ms"))
    return found
