"""Valid scenarios that once were not answered, or answered with a word that is no number (cases B, E5, F)."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import pytest

import trialsim
from tests.helpers import results_in, run, unrendered
from tests.property.test_valid_scenarios import NOTHING, consistent, missing_in
from trialsim.checks import expected
from trialsim.engine.operating import exact
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load, parse

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("name", "replicates"),
    [
        ("one-patient-calendar", 200),  # case B4
        ("few-and-slow", 1),  # case B5
        ("few-and-slow", 2),
        ("over-time", 100),  # case B7a
        ("none-in-report", 100),  # case B7b
        ("nobody-stays", 100),  # case F15
    ],
)
def test_a_run_is_reported(
    name: str, replicates: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unrendered(monkeypatch)
    out = tmp_path / "out"
    assert (
        run(["run", str(DATA / f"{name}.yaml"), "-o", str(out), "--replicates", str(replicates)], monkeypatch)
        == 0
    )
    assert [(path.name, *missing_in(path)) for path in out.rglob("*.*") if any(missing_in(path))] == []
    content = results_in(out)
    for case in content["cases"].values():
        consistent(case, content, name)


# case F15: nobody is evaluable, so nobody responds
def test_nobody_stays() -> None:
    values = exact(load(DATA / "nobody-stays.yaml"))["a"].at_once
    assert values is not None and values.exact is not None
    assert values.exact.values["p_go"] == values.exact.values["en_evaluable"] == 0


# case B7c: z where R p (1 - p) is at least 100
def test_z_of_a_rare_event() -> None:
    found = trialsim.simulate(load(DATA / "z-of-a-rare-event.yaml"), replicates=2000)
    shown = 0
    for oc in found.cases:
        assert oc.exact is not None
        for name, z in oc.z.items():
            p = oc.exact.values[name]
            if name.startswith("p_") or name == "pet":
                assert 2000 * p * (1 - p) >= 100, name
            assert abs(z) < 5, (oc.case, name)
            shown += 1
    assert shown > 10


def test_z_in_a_what_if() -> None:
    scenario = parse(TWO_STAGES.format(r=5, truth=0.02) + "variants: {worse: {truth.a.response: 0.01}}\n")
    found = trialsim.whatif(scenario, replicates=2000)
    assert found.base["a"]["p_go"].z is None  # P(go) is below 1 in 10,000
    assert found.base["a"]["en"].z is not None
    assert found.check.comparisons == sum(
        number.z is not None
        for numbers in (found.base["a"], {q: e.difference for q, e in found["worse"].effects["a"].items()})
        for number in numbers.values()
    )


TWO_STAGES = """schema: 1
name: two stages
endpoint: response
design: {{kind: simon, n1: 10, r1: 1, n: 29, r: {r}}}
truth: {{a: {{response: {truth}}}}}
"""


def tail(n: int, p: Fraction, above: int) -> Fraction:
    """P(Bin(n, p) > above)."""
    return sum((comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(above + 1, n + 1)), Fraction(0))


def test_gehan_ends_at_the_size_it_chose() -> None:
    """A second stage that is smaller than the largest is not an early end."""
    values = exact(load(Path(__file__).parents[2] / "configs" / "gehan.yaml")).cases[0].exact
    assert values is not None
    assert values.values["p_stop_futility"] == pytest.approx(values.values["pet"], abs=1e-12)
    assert 0 < values.values["pet"] < 1


# case F10: nothing that a spreadsheet would run
def test_no_formula_in_any_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unrendered(monkeypatch)
    file, out, trace = str(DATA / "formula-doses.yaml"), tmp_path / "out", tmp_path / "trial.csv"
    assert (
        run(["run", file, "-o", str(out), "--keep-patients", "2", "--keep-trials", "csv"], monkeypatch) == 0
    )
    assert run(["trace", file, "-o", str(trace)], monkeypatch) == 0
    written = [*out.rglob("*.csv"), trace]
    names = 0
    for path in written:
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            for cell in row:
                assert not cell.startswith(("=", "@", "\t", "\r")), (path, cell)
                names += cell.startswith("'=HYPERLINK")
    assert names > 10
    assert "'=HYPERLINK" in trace.read_text(encoding="utf-8")
    assert "'=HYPERLINK" in (out / "patients.csv").read_text(encoding="utf-8")


# case F18
@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\u061c", "\u2028", "\u200e"])
@pytest.mark.parametrize("where", ["name", "endpoint", "doses"])
def test_marks_that_are_not_seen_are_refused(mark: str, where: str) -> None:
    stated: dict[str, Any] = {"name": "n", "endpoint": "r", "doses": "100 mg"} | {where: f"100{mark}mg"}
    text = (
        f'schema: 1\nname: "{stated["name"]}"\nendpoint: "{stated["endpoint"]}"\ndoses: ["{stated["doses"]}"]\n'
        "design: {kind: single_stage, n: 9, r: 2}\ntruth: {a: {response: 0.3}}\n"
    ).replace(mark, f"\\u{ord(mark):04x}")
    with pytest.raises(trialsim.ScenarioError, match=rf"U\+{ord(mark):04X} .*: leave it out"):
        parse(text)


def test_names_in_any_script_are_kept() -> None:
    text = TWO_STAGES.format(r=5, truth=0.3) + 'doses: ["100 mg/m² – α", "שבעים"]\n'
    assert parse(text).doses == ("100 mg/m² – α", "שבעים")


# case F14: the check follows --replicates, and the progress bar counts its trials
def test_a_check_simulates_as_many_trials_as_the_run() -> None:
    scenario = load(DATA / "slow-check-seed11.yaml")
    counted: list[int] = []
    found = trialsim.check(scenario, replicates=100, jobs=1, progress=counted.append)
    assert sum(counted) == 100 == expected(Compiled.of(scenario), 100)
    assert any("from 100 simulated trials" in row.note for row in found)
    assert not any("20,000" in note for note in found.notes)
    again = trialsim.check(scenario, replicates=100, jobs=2)
    assert [row.to_dict() for row in again] == [row.to_dict() for row in found]


def test_what_no_number_looks_like() -> None:
    """The pattern finds what it is there to find, and leaves English alone."""
    assert all(NOTHING.search(text) for text in ("None", "a, None", "nan", "± inf", "-inf", "1,NaN,2"))
    assert not any(
        NOTHING.search(text) for text in ("None of them", "none", "information", "finance", "Nancy")
    )


CALENDAR = """conduct: {accrual: {per_month: 4}, assessment_weeks: [8], confirmed: false}
"""


@pytest.mark.parametrize(
    ("quantity", "needed"),
    [
        ("relative_dose_intensity", "conduct.patient_reductions"),
        ("patients_off", "conduct.patient_reductions"),
        ("treated", "conduct.overrun: exclude"),
        ("screened", "conduct.accrual.screening_failure"),
    ],
)
def test_a_quantity_that_is_not_there_is_refused_before_the_work(quantity: str, needed: str) -> None:
    asked = f"sensitivity: {{tornado: {{t: {{quantities: [{quantity}], inputs: {{truth.a.response: [0.1, 0.4]}}}}}}}}\n"
    with pytest.raises(
        trialsim.ScenarioError, match=f"`{quantity}` is no quantity of this scenario; needs `{needed}`"
    ):
        parse(TWO_STAGES.format(r=5, truth=0.3) + CALENDAR + asked)


def test_an_assurance_that_hardly_varies_has_a_histogram() -> None:
    """EN of one stage of 29 is 29 but for rounding, whatever is believed: between such numbers there are no 20 bins."""
    believed = "{quantity: en, draws: 64, inputs: {truth.a.response: {uniform: [0.01, 0.9]}}}"
    found = trialsim.sensitivity(
        parse(
            "schema: 1\nname: one stage\nendpoint: r\ndesign: {kind: single_stage, n: 29, r: 5}\n"
            f"truth: {{a: {{response: 0.3}}}}\nsensitivity: {{priors: {{p: {believed}}}}}\n"
        )
    )
    (result,) = found.to_dict()["analyses"]
    assert result["histogram"]["lowest"] == pytest.approx(29, abs=1e-9)
    assert sum(result["histogram"]["draws"]) == 128
