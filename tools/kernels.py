"""Every kernel compiled into numba's cache, each by a small call that needs it.

``python tools/kernels.py``, beside other checks: two workers that run the tests then compile nothing twice.
"""

from __future__ import annotations

from pathlib import Path

import trialsim

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
RATES = {"p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2}
TOXICITY = {"p0": 0.2, "p1": 0.5, "toxicity": [0.4, 0.15], "alpha": 0.15}

SEARCHES = {
    "simon": {**RATES, "nmax": 20},
    "curtailed": {**RATES, "nmax": 20},
    "mander_thompson": RATES,
    "sargent": RATES,
    "multistage": {**RATES, "nmax": 20},
    "optimal_looks": {**RATES, "nmax": 20},
    "bop2": {"looks": [5, 10, 20], **RATES},
    "bop2_toxicity": {"looks": [8, 16], **TOXICITY},
    "bryant_day": {**TOXICITY, "beta": 0.2},
}
"""Kind of a design -> a search for it that ends at once."""


def main() -> None:
    """Trials at once and in calendar time, quick and readable; the exact chains; predictions; searches."""
    at_once, timed = (trialsim.load(CONFIGS / f"{name}.yaml") for name in ("teaching", "dasatinib"))
    trialsim.simulate(at_once, replicates=100)
    trialsim.simulate(timed, replicates=100)
    trialsim.trace(timed)
    trialsim.check(timed)
    trialsim.status(timed, CONFIGS / "patients-invented.csv", on="2026-07-31", replicates=100)
    for name in ("dose-decision", "two-doses-randomised"):
        trialsim.simulate(trialsim.load(CONFIGS / f"{name}.yaml"), replicates=100)
    for kind, stated in SEARCHES.items():
        trialsim.find(kind, **stated)
    trialsim.find("optimal_looks", **RATES, nmax=20, looks="every")
    trialsim.find(scenario=at_once, nmax=20, alpha=0.3, beta=0.5)


if __name__ == "__main__":
    main()
