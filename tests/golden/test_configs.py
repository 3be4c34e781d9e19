"""Every file in configs/ through the command line, and its main numbers as they were when first looked at.

The expected numbers are in ``expected.json``: exact ones to 10 digits, simulated ones (2,000 replicates) to the bit.
After a change that is meant to change numbers, print the new ones with ``python -m tests.golden.test_configs`` and
say so in CHANGELOG.md under "Changed numbers".
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import CONFIGS, FILES, results_in, run, unrendered

NAMES = [path.stem for path in FILES]
EXPECTED = Path(__file__).parent / "expected.json"
NUMBERS = ("p_go", "pet", "en", "p_stop_toxicity", "p_dose_reduced", "responses", "toxicities")


PICTURED = ("dasatinib", "two-cohorts", "restart", "bop2-toxicity", "group-sequential-toxicity", "finn-tnbc")
"""Scenarios of every kind, whose figures are made, for the fields that they have in results.json."""


@cache
def results_of(name: str) -> dict[str, Any]:
    """The content of results.json of a scenario at 2,000 replicates, from the command line; nothing is drawn."""
    with tempfile.TemporaryDirectory() as parent, pytest.MonkeyPatch.context() as patch:
        if name in PICTURED:
            unrendered(patch)
        else:
            patch.setattr("trialsim.figures.draw_all", lambda *_, **__: ())
        folder = Path(parent) / "run"
        command = ["run", str(CONFIGS / f"{name}.yaml"), "-o", str(folder), "--replicates", "2000", "--quiet"]
        assert run(command, patch) == 0
        return results_in(folder)


def main_numbers(results: dict[str, Any]) -> dict[str, Any]:
    design = {key: results["design"][key] for key in ("kind", "n1", "r1", "n", "r")}
    cases = {
        name: {
            "exact": exact(case),
            "simulated": {key: case["simulated"][key]["estimate"] for key in NUMBERS},
        }
        for name, case in results["cases"].items()
    }
    verdicts = [[row["case"], row["quantity"], row["verdict"]] for row in results["checks"] if row["verdict"]]
    return {"design": design, "cases": cases, "verdicts": verdicts}


def exact(case: dict[str, Any]) -> dict[str, float] | None:
    """The exact answer of a case, in calendar time that of the trial with outcomes known at once; None without one."""
    values = (case.get("at_once") or case)["exact"]
    return values and {key: float(f"{values[key]:.10g}") for key in NUMBERS}


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_runs_and_gives_its_numbers(name: str) -> None:
    found = main_numbers(results_of(name))
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))[name]
    assert found["design"] == expected["design"]
    assert found["verdicts"] == expected["verdicts"]
    assert found["cases"].keys() == expected["cases"].keys()
    for name, case in expected["cases"].items():
        assert found["cases"][name]["simulated"] == case["simulated"]
        if case["exact"] is None:
            assert found["cases"][name]["exact"] is None
        else:
            assert found["cases"][name]["exact"] == pytest.approx(case["exact"], rel=1e-9)


def main() -> None:
    """Write ``expected.json`` anew."""
    numbers = {name: main_numbers(results_of(name)) for name in NAMES}
    EXPECTED.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
