"""The status of a running trial from end to end: what it says, what it refuses, and that it is worked out again."""

from __future__ import annotations

import json
import shlex
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

import trialsim
from tests.helpers import CONFIGS, PATIENTS, ROOT, SMALL, results_in, run
from tests.running_sets import protocol, scenario
from trialsim.figures import patients_so_far
from trialsim.ongoing.kept import as_kept, kept
from trialsim.ongoing.patients import read_patients

DATA = ROOT / "tests/published/data/running"
INVENTED = CONFIGS / "patients-invented.csv"


def said(name: str, **more: object) -> str:
    options = {"on": protocol(name)["cut_off"], "forecast": False, **more}
    return " ".join(str(trialsim.status(scenario(name), DATA / f"patients_{name}.csv", **options)).split())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("S1", "PAUSED: enrol nobody. The look after 10 patients waits for 4 outcomes (007, 008, 009, 010), by"),
        ("S1", "1 response, 5 without and 4 pending"),
        ("S3", "CLOSED: stopped early for futility. Decided on 2026-05-06."),
        ("S3", "2 patients enrolled after the trial was stopped for futility (2026-05-06): 018, 019."),
        ("S3", "only the analysis of the first 10 patients"),
        ("S6", "CLOSED: stopped early for toxicity. Decided on 2026-07-14."),
        ("S6", "called for on 2026-02-20 by the toxicity rule; new patients get 70 mg BID from 2026-03-06 on"),
        ("S6", "13 of 27 patients, 5 pending; the boundary is reached, with 11 among the first 20 at this dose"),
        ("S7", "ENROL the next patient."),
        ("S7", "A go is certain whatever the pending outcomes bring; it is decided when the last look is due."),
        ("S7", "6 responses, 16 without, 5 pending and 3 not evaluable"),
    ],
)  # fmt: skip
def test_what_the_worked_sets_are_told(name: str, words: str) -> None:
    assert words in said(name)


def test_a_trial_that_ended_has_no_forecast_unless_it_went_on() -> None:
    asked = {"on": protocol("S3")["cut_off"], "replicates": 200}
    ended = trialsim.status(scenario("S3"), DATA / "patients_S3.csv", **asked)
    assert ended.prospects is not None and not ended.prospects.forecasts and not ended.prospects.chances
    assert "AHEAD" not in str(ended)
    went_on = trialsim.status(scenario("S3"), DATA / "patients_S3.csv", **asked, went_on_anyway=True)
    assert went_on.prospects is not None
    assert "The protocol has ended this trial. What follows is as if it went on." in str(went_on)
    # 3 of 13 known respond, 6 pending, 10 to come, more than 5 of 29 needed: by enumeration of the binomial
    by_case = {chance.case: chance.looks_alone for chance in went_on.prospects.chances}
    forecast = went_on.prospects.forecasts
    for case, p_go in by_case.items():
        assert abs(forecast[case].p_go.value - p_go) < 4 * forecast[case].p_go.mcse + 1e-9
        assert forecast[case].final_n is not None and forecast[case].final_n.mean == 29


def test_the_forecast_agrees_with_the_exact_answer() -> None:
    found = trialsim.status(scenario("S1"), DATA / "patients_S1.csv", on="2026-04-13", replicates=1000)
    assert found.prospects is not None
    for chance in found.prospects.chances:
        share = found.prospects.forecasts[chance.case].p_go
        assert abs(share.value - chance.looks_alone) < 4 * share.mcse
    accrual = found.prospects.accrual
    assert (accrual.shape, accrual.rate, found.prospects.still_to_come) == (9.5, 68, 19)
    one, two = (
        trialsim.status(scenario("S1"), DATA / "patients_S1.csv", on="2026-04-13", replicates=300, jobs=jobs)
        for jobs in (1, 2)
    )
    assert one.to_dict() == two.to_dict()


def test_history_is_replayed() -> None:
    scenario_, frame = CONFIGS / "dasatinib.yaml", pd.read_csv(INVENTED, dtype=str)
    days = [date(2026, 2, 1) + timedelta(30 * k) for k in range(7)]
    states = [
        trialsim.status(str(scenario_), frame, on=day, extracted="2026-07-31", forecast=False).state
        for day in days
    ]
    assert [state.treated for state in states] == sorted(state.treated for state in states)
    triggered = [state.changes[0].trigger for state in states if state.changes]
    assert triggered == [date(2026, 4, 26)] * len(triggered) and 2 <= len(triggered) < len(states)
    for state, day in zip(states, days, strict=True):
        assert all(change.trigger <= day for change in state.changes)


def test_patients_that_are_kept_come_back() -> None:
    read = read_patients(INVENTED, trialsim.load(CONFIGS / "dasatinib.yaml"), cut_off="2026-07-31")
    assert as_kept(json.loads(json.dumps(kept(read)))) == read


def test_no_column_but_ours_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    lines = PATIENTS.splitlines()
    named = [f"{lines[0]},name", *(f"{line},Grete Samsa" for line in lines[1:])]
    Path("patients.csv").write_text("\n".join(named), encoding="utf-8")
    assert (
        run(
            ["status", "small.yaml", "patients.csv", "--on", "2026-03-31", "-r", "100", "-o", "out"],
            monkeypatch,
        )
        == 0
    )
    for file in Path("out").rglob("*"):
        assert not file.is_file() or b"Grete" not in file.read_bytes(), file
    assert results_in(Path("out"))["state"]["changes"][0]["trigger"] == "2026-02-03"
    assert run(["reproduce", "out"], monkeypatch) == 0


def test_every_fault_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    Path("patients.csv").write_text(
        PATIENTS.replace("2026-03-02,yes,2026-01-20", "37%,yes,2025-01-20").replace("low", "lower"),
        encoding="utf-8",
    )
    assert run(["status", "small.yaml", "patients.csv", "--on", "2026-03-31", "-o", "out"], monkeypatch) == 2
    told = capsys.readouterr().err
    places = [line.split(" ")[0] for line in told.splitlines()]
    assert places == [
        "patients.csv:2:",
        "patients.csv:2:",
        "patients.csv:5:",
    ]
    assert "response_date" in told and "37%" in told and "toxicity_date" in told and "lower" in told
    assert "Traceback" not in told and not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--on yesterday", "2026-03-31"),
        ("--on 2026-03-31 --extracted 2026-03-01", "after the day the file was made"),
        ("--on 2026-03-31 --opened 2026-02-01", "after the first patient was enrolled"),
        ("--on 2026-03-31 --column enrolled", "OURS=THEIRS"),
        ("--on 2026-03-31 --column enrolled=first", "first"),
        ("--on 2026-03-31 --prior 0 1", "more than 0"),
    ],
)
def test_what_is_refused(
    arguments: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    Path("patients.csv").write_text(PATIENTS, encoding="utf-8")
    assert run(["status", "small.yaml", "patients.csv", *arguments.split()], monkeypatch) == 2
    told = capsys.readouterr().err
    assert words in told and "Traceback" not in told


def test_pending_outcomes_after_an_end_are_named_and_do_not_reverse_it() -> None:
    words = said("S3")
    assert "6 outcomes are pending (014, 015, 016, 017, 018, 019); they do not reverse the end." in words
    assert "036, 037, 038 and 1 more); they do not reverse the end" in said("S6")
    assert "reverse" not in said("S7")


def test_the_sheet_names_the_command_that_analyses_a_trial_that_went_on_past_futility(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(found: trialsim.Status) -> list[str]:
        return shlex.split(next(line for line in str(found).splitlines() if "trialsim analyse" in line))[1:]

    frame = pd.read_csv(DATA / "patients_S3.csv", dtype=str).fillna("")
    on = protocol("S3")["cut_off"]
    some_pending = command(trialsim.status(scenario("S3"), frame, on=on, forecast=False))
    assert some_pending[some_pending.index("--responses") + 1] == "R"
    pending = frame["response"].isin(["pending", ""])
    frame.loc[pending, "response"], frame.loc[pending, "response_date"] = "no", "2026-08-20"
    told = command(trialsim.status(scenario("S3"), frame, on="2026-08-20", forecast=False))
    assert run([*told, "--json"], monkeypatch) == 0
    sets = json.loads(capsys.readouterr().out)["sets"]
    assert [(each["responses"], each["n"]) for each in sets] == [(1, 10), (3, 19), (2, 9)]
    # nobody is told to analyse what did not go on
    assert "trialsim analyse" not in said("S1") + said("S6") + said("S7")


def test_patients_stand_by_their_ids_where_these_are_short() -> None:
    frame = pd.read_csv(DATA / "patients_S6.csv", dtype=str).fillna("")

    def ticks(ids: list[str]) -> list[str]:
        found = trialsim.status(
            scenario("S6"), frame.assign(id=ids), on=protocol("S6")["cut_off"], forecast=False
        )
        figure = patients_so_far.draw("x", found.seen, found.state.on, found.scenario.doses, []).figure
        return [label.get_text() for label in figure.axes[0].get_yticklabels()]

    short = [f"FR-07-{k:03}" for k in range(len(frame))]
    assert ticks(short) == short
    assert ticks([f"site 07, patient {k:03}" for k in range(len(frame))])[:2] == ["2", "4"]


def test_what_the_conduct_says_cannot_be_says_nothing_of_a_patient() -> None:
    # on the day of the last chance of a response nothing is known yet, which the conduct knows nobody to do
    row = {"id": "1", "enrolled": "2026-01-05", "dose": "100 mg BID", "response": "pending", "toxicity": "no"}
    frame = pd.DataFrame([row | {"response_date": "", "confirmed_date": "", "toxicity_date": ""}])
    found = trialsim.status(scenario("S6"), frame, on=date(2026, 1, 5) + timedelta(7 * 17), forecast=False)
    assert found.prospects is not None
    assert 0 < found.prospects.mean_rate < 1
    for chance in found.prospects.chances:
        assert 0 < chance.looks_alone < 1
        assert chance.go is None or 0 < chance.go < 1


def test_a_look_that_weighs_pending_patients_is_replayed_and_forecast() -> None:
    trial = trialsim.load(CONFIGS / "dasatinib.yaml")
    assert trial.conduct is not None
    conduct = trial.conduct.model_copy(update={"interim": "pause", "pending": "weigh_follow_up"})
    weighs = trial.model_copy(update={"conduct": conduct})

    def on(day: str, **more: object) -> str:
        found = trialsim.status(
            weighs, INVENTED, on=day, extracted="2026-08-01", **{"forecast": False, **more}
        )
        return " ".join(str(found).split())

    assert "13 pending, 12 may be" in on("2026-05-29")
    decided = on("2026-05-30", forecast=True, replicates=100)
    assert "goes on, 2026-05-30" in decided
    assert "Interim looks weigh pending patients" in decided
    assert "The chance of a go has no exact number here" in decided
    assert "When, and how many patients" in decided
    waits = trialsim.status(trial, INVENTED, on="2026-05-30", extracted="2026-08-01", forecast=False)
    assert waits.state.looks[0].decided is None
