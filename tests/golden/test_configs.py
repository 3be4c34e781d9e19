"""Every file in configs/ through the command line, and its main numbers as they were when first looked at.

The expected numbers are in ``expected.json``: exact ones to 10 digits, simulated ones (2,000 replicates) to the bit.
After a change that is meant to change numbers, print the new ones with ``python -m tests.golden.test_configs`` and
say so in CHANGELOG.md under "Changed numbers".
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.property.test_command_line import run

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
EXPECTED = Path(__file__).parent / "expected.json"
NUMBERS = ("p_go", "pet", "en", "p_stop_toxicity", "p_dose_reduced", "responses", "toxicities")


def main_numbers(folder: Path) -> dict[str, Any]:
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
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


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_scenario_runs_and_gives_its_numbers(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert run(["run", str(path), "-o", str(folder), "--replicates", "2000", "--quiet"], monkeypatch) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    found = main_numbers(folder)
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))[path.stem]
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
    numbers = {}
    for path in CONFIGS:
        with tempfile.TemporaryDirectory() as parent, pytest.MonkeyPatch.context() as patch:
            folder = Path(parent) / "run"
            run(["run", str(path), "-o", str(folder), "--replicates", "2000", "--quiet"], patch)
            numbers[path.stem] = main_numbers(folder)
    EXPECTED.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
