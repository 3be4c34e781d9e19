"""Trials and patients kept as files are those that the run counted, the same every time, whole or not at all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers import DASATINIB, TEACHING, run
from tests.unit.test_traces import CONDUCT, OWN, scenario_of
from trialsim.engine import single_trials
from trialsim.engine.operating import simulate
from trialsim.engine.single_trials import END_NAMES, Keep
from trialsim.engine.traces import trace
from trialsim.errors import OutputError, TrialsimError
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario

SCENARIOS = {
    "dasatinib": load(DASATINIB),
    "teaching": load(TEACHING),
    "own rules": scenario_of(cohorts=OWN),
    "cohorts at once": scenario_of(cohorts=OWN, conduct=None),
    "patients reduced": scenario_of(conduct=CONDUCT | {"patient_reductions": {"max_reductions": 1}}),
    "overrun left out": scenario_of(conduct=CONDUCT | {"overrun": "exclude"}),
}


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are of no concern here."""
    monkeypatch.setattr("trialsim.figures.draw_all", lambda *_, **__: ())


def kept(scenario: Scenario, folder: Path, **how: object) -> dict[str, pd.DataFrame]:
    folder.mkdir(exist_ok=True)
    files = Keep(**how).write(scenario, folder, seed=5, replicates=600)  # type: ignore[arg-type]
    assert set(folder.iterdir()) == set(files)
    return {file.stem: pd.read_csv(file) for file in files}


@pytest.mark.parametrize("name", SCENARIOS)
def test_kept_trials_add_up_to_the_results(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_trials, "BLOCK", 250)  # several blocks, the last one smaller
    scenario = SCENARIOS[name]
    table = kept(scenario, tmp_path / "run")["trials"]
    results = simulate(scenario, replicates=600, seed=5, totals=False)
    assert len(table) == 600 * len(scenario.truth) and list(table["case"].unique()) == list(scenario.truth)
    for oc in results.cases:
        here = table[table["case"] == oc.case]
        assert here["trial"].tolist() == list(range(1, 601))
        assert set(here["end"]) <= set(END_NAMES.values())
        found = {
            "p_go": here["end"].isin(["go_early", "final_go"]).mean(),
            "p_stop_futility": (here["end"] == "futility").mean(),
            "p_dose_reduction_triggered": here["dose_reduction_triggered"].mean(),
            "p_dose_reduced": here["patients_before_dose_reduced"].notna().mean(),
            "en": here["patients"].mean(),
            "en_evaluable": here["evaluable"].mean(),
        }
        for level, dose in enumerate(scenario.doses, start=1):
            for what in ("patients", "responses", "toxicities"):
                found[f"{what}_dose_{level}"] = here[f"{what}_at_{dose}"].mean()
        for c, cohort in enumerate(scenario.cohorts.names if scenario.cohorts else (), start=1):
            for what in ("patients", "evaluable", "responses"):
                found[f"{what}_cohort_{c}"] = here[f"{what}_in_{cohort}"].mean()
            if scenario.own_rules:
                found[f"p_go_cohort_{c}"] = here[f"end_in_{cohort}"].isin(["go_early", "final_go"]).mean()
        if scenario.conduct:
            months = 30.4375
            found |= {
                f"{what}_months": here[f"{what}_days"].mean() / months
                for what in ("duration", "accruing", "paused", "waiting")
            }
            found["decision_months"] = here["decided_day"].mean() / months
            found["overrun"] = here["overrun"].mean()
            if here["dose_reduction_triggered"].any():
                found["trigger_months"] = here["dose_reduction_triggered_day"].mean() / months
        else:
            assert not [key for key in table if key.endswith(("_day", "_days"))]
        if name == "patients reduced":
            found["patients_reduced"] = here["patients_reduced"].mean()
            found["patients_off"] = here["patients_off_treatment"].mean()
            found["relative_dose_intensity"] = here["mean_relative_dose_intensity"].mean()
        for quantity, value in found.items():
            estimate = oc.simulated.values[quantity].estimate  # type: ignore[union-attr]
            assert value == pytest.approx(estimate, abs=2e-5), (oc.case, quantity)


@pytest.mark.parametrize("name", SCENARIOS)
def test_kept_patients_are_those_of_the_traces(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_trials, "PATIENT_CELLS", 1)  # a block for every trial
    scenario = SCENARIOS[name]
    table = kept(scenario, tmp_path / "run", trials=False, patients=3)["patients"]
    parts = [trace(scenario, case, k, 5).to_frame() for case in scenario.truth for k in (1, 2, 3)]
    assert [len(part) for part in parts] == table.groupby(["case", "trial"], sort=False).size().tolist()
    for key in table:
        together = [value for part in parts for value in part[key]]
        same = [a == b or (pd.isna(a) and pd.isna(b)) for a, b in zip(table[key], together, strict=True)]
        assert all(same), key


def test_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        kept(SCENARIOS["dasatinib"], tmp_path / name, patients=4)
    for file in ("trials.csv", "patients.csv"):
        first = (tmp_path / "a" / file).read_bytes()
        assert first == (tmp_path / "b" / file).read_bytes() and b"\r" not in first


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = single_trials.columns_of_timed

    def fails(scenario: Scenario, case: str, *rest: object) -> object:
        if case == "active":
            raise OSError(28, "No space left on device")
        return plain(scenario, case, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(single_trials, "columns_of_timed", fails)
    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(OutputError, match=r"trials\.csv cannot be written: no space left"):
        Keep().write(SCENARIOS["dasatinib"], folder, seed=1, replicates=100)
    assert [path.name for path in tmp_path.iterdir()] == ["run"] and not list(folder.iterdir())


def test_memory_does_not_grow_with_the_replicates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    plain = single_trials.columns_of_timed
    monkeypatch.setattr(single_trials, "columns_of_timed", lambda *a: (sizes.append(len(a[4])), plain(*a))[1])
    (tmp_path / "run").mkdir()
    Keep().write(SCENARIOS["own rules"], tmp_path / "run", seed=1, replicates=2 * single_trials.BLOCK + 1)
    assert sizes == [single_trials.BLOCK, single_trials.BLOCK, 1]


def test_parquet_without_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.chdir(tmp_path)
    assert run(["run", str(TEACHING), "-o", "out", "--keep-trials", "parquet"], monkeypatch) == 2
    assert 'pip install "trialsim[parquet]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_parquet_holds_what_csv_holds(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", exc_type=ImportError)
    for name in ("dasatinib", "own rules", "teaching"):
        scenario, folder = SCENARIOS[name], tmp_path / name
        tables = kept(scenario, folder, patients=2)
        for stem, path in zip(
            tables, Keep("parquet", patients=2).write(scenario, folder, seed=5, replicates=600), strict=True
        ):
            table = pd.read_parquet(path)
            assert list(table) == list(tables[stem])
            again = tmp_path / "again.csv"
            table.to_csv(again, index=False)
            pd.testing.assert_frame_equal(pd.read_csv(again), tables[stem], check_dtype=False)


def test_impossible_values() -> None:
    with pytest.raises(TrialsimError, match="csv or parquet"):
        Keep("xlsx").check(10)
    for patients in (0, 11):
        with pytest.raises(TrialsimError, match="cannot be kept"):
            Keep(patients=patients).check(10)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--keep-trials", "xlsx"], "xlsx"),
        (["--keep-trials"], "requires an argument"),
        (["--keep-patients", "0"], "--keep-patients: 0 is not a whole number of at least 1"),
        (["--keep-patients", "many"], "--keep-patients: `many` is text, not a whole number"),
        (["--keep-patients", "301"], "the patients of 301 trials a case cannot be kept; 300 are simulated"),
    ],
)
def test_what_the_command_refuses(
    more: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["run", str(TEACHING), "-o", "out", "--replicates", "300", *more], monkeypatch) == 2
    assert words in " ".join(capsys.readouterr().err.replace("│", "").split())
    assert not list(tmp_path.iterdir())


def test_a_run_that_keeps_its_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["run", str(TEACHING), "-o", "out", "--replicates", "300"]
    assert run([*asked, "--keep-trials", "csv", "--keep-patients", "2"], monkeypatch) == 0
    assert capsys.readouterr().out.endswith("trials.csv\n" + str(Path("out/patients.csv").resolve()) + "\n")
    assert len(pd.read_csv("out/trials.csv")) == 900
    assert pd.read_csv("out/patients.csv")["trial"].max() == 2
    assert run(["reproduce", "out"], monkeypatch) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_whose_replicates_are_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEACHING.read_text(encoding="utf-8")
    stated = "simulation: {replicates: 20000, seed: 1}"
    assert stated in text
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(
        text.replace(stated, "simulation: {precision: {p_go: 0.01}, seed: 1}"), encoding="utf-8"
    )
    assert run(["run", "a.yaml", "-o", "out", "--keep-trials", "csv"], monkeypatch) == 0
    planned = json.loads(Path("out/results.json").read_bytes())["replicates"]
    assert len(pd.read_csv("out/trials.csv")) == 3 * planned


def test_an_interrupt_while_trials_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(single_trials, "columns_of_untimed", interrupted)
    asked = ["run", str(TEACHING), "-o", "out", "--replicates", "300", "--keep-trials", "csv"]
    assert run(asked, monkeypatch) == 130
    assert "the report is complete, but simulated trials were not kept" in capsys.readouterr().err
    assert Path("out/report.html").is_file() and not Path("out/trials.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
