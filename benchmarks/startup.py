"""Processor time of the quick commands, beside a bare Python that imports NumPy at the same moment.

Each is run once before it is measured: bytecode is written then. Reading a scenario is timed in this process; so is
refusing what is no scenario at all but large or deeply nested.
"""

from __future__ import annotations

import resource
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
RATES = ("--p0", "0.1", "--p1", "0.3")
COMMANDS = {
    "--help": ("--help",),
    "validate": ("validate", str(DASATINIB)),
    "find simon": ("find", "simon", *RATES, "--alpha", "0.05", "--beta", "0.2"),
    "analyse": ("analyse", "--design", "1/10,5/29", "--responses", "6", *RATES),
    "monitor": ("monitor", str(DASATINIB)),
}
AIM = 0.5
"""Seconds of processor time, user and system."""

HOSTILE = {
    "20,000 brackets": "[" * 20_000,
    "600,000 characters": "x" * 600_000,
    "60,000 values": "truth:\n" + " - 1\n" * 60_000,
}


def processor(*arguments: str) -> float:
    """Seconds of processor time that a Python of its own takes, to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def refused(text: str) -> None:
    """Read what cannot be read."""
    try:
        parse(text)
    except ScenarioError:
        return
    sys.exit("a text that is no scenario was read as one")


def rows(quick: bool) -> Sequence[Row]:
    """Each command v `import numpy`; above 1 is slower than that."""
    asked = [("-c", "import numpy"), *(("-m", "trialsim", *arguments) for arguments in COMMANDS.values())]
    turns = [[processor(*each) for each in asked] for _ in range(4 if quick else 10)][1:]
    base, *times = (list(column) for column in zip(*turns, strict=True))
    found = []
    for name, own in zip(COMMANDS, times, strict=True):
        ratio = statistics.median(b / a for a, b in zip(base, own, strict=True))
        median = statistics.median(own)
        seconds = f"{median:.2f} v {statistics.median(base):.2f} s of processor time"
        found.append(
            Row(
                f"trialsim {name} v python importing NumPy (times as long)",
                seconds,
                ratio,
                f"<= {AIM} s",
                median <= AIM,
            )
        )
    text = DASATINIB.read_text(encoding="utf-8")
    readings = {"configs/dasatinib.yaml": partial(parse, text)}
    readings |= {f"{name} refused": partial(refused, hostile) for name, hostile in HOSTILE.items()}
    for name, (own,) in zip(readings, (rounds(5, reading) for reading in readings.values()), strict=True):
        found.append(Row(f"reading {name}", f"{statistics.median(own) * 1e3:.0f} ms"))
    return found
