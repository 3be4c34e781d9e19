"""Two versions of trialsim beside one another: how long each takes for scenarios that both know.

    python -m benchmarks.against OLDER_CHECKOUT [SCENARIO ...] [--rounds 9]

Each version runs in a process of its own, which has compiled its kernels before the first round; they take turns, a
scenario after the other, on one core. Printed: the median over rounds of new / old, and its range. Above 1 is slower
than before.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
DEFAULT = (
    "dasatinib-single-stage", "simon-constrained", "group-sequential-toxicity", "bryant-day",  # outcomes at once
    "dasatinib", "restart", "two-cohorts",  # calendar time
)  # fmt: skip
REPLICATES = {"at once": 400_000, "calendar": 40_000}

CHILD = """
import sys, time
import trialsim
for line in sys.stdin:
    path, replicates = line.rsplit(maxsplit=1)
    scenario = trialsim.load(path)
    start = time.perf_counter()
    if int(replicates):
        trialsim.simulate(scenario, replicates=int(replicates), jobs=1)
    else:
        trialsim.exact(scenario)
    print(time.perf_counter() - start, flush=True)
"""


class Version:
    """A checkout at work."""

    def __init__(self, root: Path) -> None:
        known = {**os.environ, "PYTHONPATH": str(root / "src")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=known
        )

    def seconds(self, path: Path, replicates: int) -> float:
        """How long the version takes for so many replicates of a scenario; 0: for its exact answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(path, replicates, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """The end."""
        self._process.communicate()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("older", type=Path)
    parser.add_argument("scenarios", nargs="*", default=DEFAULT)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    versions = [Version(asked.older.resolve()), Version(HERE)]
    for name in asked.scenarios:
        path = asked.older.resolve() / "configs" / f"{name}.yaml"
        dated = "\nconduct:" in path.read_text(encoding="utf-8")
        for what, replicates in (("exact", 0), ("simulated", REPLICATES["calendar" if dated else "at once"])):
            for version in versions:
                version.seconds(path, min(replicates, 1_000))  # compiles what it needs
            pairs = [[version.seconds(path, replicates) for version in versions] for _ in range(asked.rounds)]
            ratios = sorted(new / old for old, new in pairs)
            times = " v ".join(f"{statistics.median(column):.3f}" for column in zip(*pairs, strict=True))
            print(
                f"{name:28s} {what:10s} {times} s   new / old {statistics.median(ratios):.3f} "
                f"({ratios[0]:.3f} to {ratios[-1]:.3f})",
                flush=True,
            )
    for version in versions:
        version.close()


if __name__ == "__main__":
    main()
