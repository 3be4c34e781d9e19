"""Doubt about p0 and a prior of the drug, from the file to the report: refusals, words, what-ifs, sensitivity."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import trialsim
from tests.helpers import CONFIGS, run
from trialsim.engine.bayesian import over_prior
from trialsim.engine.history import over_history
from trialsim.engine.operating import exact
from trialsim.errors import ScenarioError
from trialsim.reporting.run import believed
from trialsim.results import digits12
from trialsim.running.content import of_results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load, parse
from trialsim.writing.report import Table, Words

BASE: dict[str, Any] = {
    "schema": 1, "name": "doubt", "endpoint": "response",
    "design": {"kind": "simon", "n1": 5, "r1": 0, "n": 12, "r": 2, "p0": 0.1, "p1": 0.4},
    "doses": ["higher", "lower"],
    "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.2}},
    "truth": {"low": {"response": 0.1, "toxicity": [0.5, 0.3]}, "high": {"response": 0.4, "toxicity": 0.2}},
}  # fmt: skip
POINT = {"weight": 1, "response": 0.4, "toxicity": 0.2}


def scenario(**keys: Any) -> trialsim.Scenario:
    return parse(json.dumps(BASE | keys), "doubt.yaml")


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"history": {"responses": 2.5, "patients": 50}}, "history.responses", "2.5 is not a whole number"),
    ({"history": {"responses": 51, "patients": 50}}, "history.responses", "51 responses among 50 patients"),
    ({"history": {"responses": -1, "patients": 50}}, "history.responses", "outside 0"),
    ({"history": {"responses": 1, "patients": 0}}, "history.patients", "outside 1"),
    ({"history": {"responses": 1}}, "history.patients", "among how many"),
    ({"history": {"patients": 20}}, "history", "none is"),
    ({"history": {"p0": 0.05, "patients": 20}}, "history.p0", "a rate and a size are no count"),
    ({"history": {"beta": [1, 9], "patients": 20}}, "history.patients", "belongs to counts"),
    ({"history": {"beta": [1, 9], "responses": 1, "patients": 2}}, "history", "responses, beta are stated"),
    ({"history": {"beta": [0, 9]}}, "history.beta", "two numbers above 0"),
    ({"history": {"beta": [1, 2, 3]}}, "history.beta", "a list of 3"),
    (
        {"history": {"mixture": [{"weight": 0.5, "beta": [1, 9]}, {"weight": 0.4, "beta": [2, 9]}]}},
        "history.mixture",
        "add up to 0.9, not 1",
    ),
    ({"history": {"mixture": [{"weight": 1, "beta": [1, 9]}]}}, "history.mixture", "a list of 1"),
    ({"prior": {"beta": [1, 9]}}, "prior.active", "missing"),
    ({"prior": {"active": "above_p0"}}, "prior", "none is"),
    ({"prior": {"beta": [1, 9], "active": "works"}}, "prior.active", "`works` is not possible"),
    ({"prior": {"beta": [1, 9], "active": {"above": 15}}}, "prior.active.above", "did you mean 0.15?"),
    ({"prior": {"beta": [1, 9], "active": "above_p0", "dose": "first"}}, "prior.dose", "start, both or last"),
    ({"prior": {"beta": [1, 9], "active": "above_p0", "tolerable": 0}}, "prior.tolerable", "outside 0 to 1"),
    (
        {"prior": {"beta": [1, 9], "active": "above_p0", "utility": {"right_go": 1}}},
        "prior.utility.wrong_go",
        "missing",
    ),
    ({"prior": {"points": [{**POINT, "weight": 0.9}], "active": "above_p0"}}, "prior.points", "add up to 0.9"),
    ({"prior": {"points": [{**POINT, "response": 4}], "active": "above_p0"}}, "prior.points[0].response", "0.04"),
    (
        {"prior": {"points": [{**POINT, "response": [0.1] * 3}], "active": "above_p0"}},
        "prior.points[0].response",
        "3 rates for 2 doses",
    ),
    ({"prior": {"points": [{"weight": 1, "response": 0.1}], "active": "above_p0"}}, "prior.points[0]", "pocock"),
    (
        {"prior": {"beta": [1, 9], "active": "at_least_p1"}, "design": {"kind": "single_stage", "n": 9, "r": 1}},
        "prior.active",
        "needs p1",
    ),
    (
        {"prior": {"beta": [1, 9], "active": "above_p0", "tolerable": 0.3}, "dose_reduction": None,
         "truth": {"low": {"response": 0.1}}},
        "prior.tolerable",
        "`low` has none",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "place", "why"), REFUSED, ids=[f"{place}: {why}" for _, place, why in REFUSED]
)
def test_what_cannot_be_is_refused_at_its_key(keys: dict[str, Any], place: str, why: str) -> None:
    kept = {key: value for key, value in (BASE | keys).items() if value is not None}
    with pytest.raises(ScenarioError) as caught:
        parse(json.dumps(kept, indent=1), "doubt.yaml")
    lines = str(caught.value).splitlines()
    assert any(f" {place}: " in line and why in line and line.startswith("doubt.yaml:") for line in lines), (
        lines
    )


def tables_and_words(of: trialsim.Scenario) -> tuple[dict[str, Table], str]:
    """The two sections of the report, without the rest of the run."""
    trial = Compiled.of(of)
    doc = of_results(trial, exact(trial, totals=False), costs=False)
    found = {"history": over_history(trial), "prior": over_prior(trial)}
    doc |= {key: digits12(each.to_dict()) for key, each in found.items() if each}
    blocks = [*believed.history(doc).all_blocks(), *believed.prior(doc).all_blocks()]
    words = " ".join(block.text for block in blocks if isinstance(block, Words))
    return {block.key: block for block in blocks if isinstance(block, Table)}, words


def column(table: Table, k: int) -> dict[str, str]:
    return {row[0].text: row[k].text for group in table.groups for row in group.rows}


def test_the_report_has_the_numbers_of_the_reference_table() -> None:
    """Those of 1/25 6/70 over 5 of 100 (Jeffreys) are printed in ``history.csv` of `trialsim.qualification``."""
    of = load(CONFIGS / "dasatinib-history.yaml")
    tables, words = tables_and_words(of)
    alone, conducted = column(tables["history"], 1), column(tables["history"], 2)
    assert alone["Type I error at p0 = 5%"] == "0.0498"
    assert alone["Mean type I error, control Beta(5.5, 95.5)"] == "0.1173"
    assert alone["Mean type I error, control Beta(5, 95)"] == "0.0938"
    assert conducted["Mean type I error, control Beta(5.5, 95.5)"] == "0.1019"
    assert alone["P(type I error > alpha = 0.05)"] == "0.5272"
    assert "a drug whose true response rate at both doses is at least p1 = 0.15" in words
    prior = column(tables["prior"], 2)
    assert float(prior["P(active | go)"]) + float(prior["False discovery: P(not active | go)"]) == 1
    assert "in closed form" in words and "calendar time" not in words


def test_in_calendar_time_the_report_says_that_outcomes_are_known_at_once() -> None:
    of = load(CONFIGS / "dasatinib.yaml").model_copy(
        update={"history": scenario(history={"beta": [1, 9]}).history}
    )
    _, words = tables_and_words(of)
    assert "every outcome known before the next patient. What calendar time does" in words


def test_a_conditional_on_nothing_is_a_dash() -> None:
    of = scenario(prior={"points": [POINT], "active": {"above": 0.9}})
    tables, _ = tables_and_words(of)
    conducted = column(tables["prior"], 2)
    assert conducted["P(active)"] == "0.0000" and conducted["Average power: P(go | active)"] == "–"
    over = over_prior(Compiled.of(of))
    assert over is not None
    row = over.to_dict()["conducted"][0]
    assert row["average_power"] is None and row["average_type_i_error"] == row["assurance"]


def test_each_toxicity_has_its_column_and_decides_what_is_tolerable() -> None:
    of = scenario(prior={"beta": [4, 6], "active": "above_p0", "tolerable": 0.2})
    found = over_prior(Compiled.of(of))
    assert found is not None and found.alone is None
    (toxic, harmless) = (numbers for _, numbers in found.conducted)
    assert toxic.p_active == 0 and toxic.p_active_given_go == 0
    assert harmless.p_active > 0.9 and harmless.p_active_given_go > 0.9
    tables, _ = tables_and_words(of)
    assert tables["prior"].columns[2:] == ("As conducted: low", "As conducted: high")


KEYS = {"history": {"responses": 1, "patients": 20}, "prior": {"points": [POINT], "active": "above_p0"}}


def test_csv_and_json_have_them_and_other_scenarios_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doubt.yaml").write_text(json.dumps(BASE | KEYS, indent=1), encoding="utf-8")
    monkeypatch.setattr("trialsim.figures.draw_all", lambda *_, **__: ())
    command = ["run", str(tmp_path / "doubt.yaml"), "--exact", "-o", str(tmp_path / "run"), "--quiet"]
    assert run(command, monkeypatch) == 0
    found = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((tmp_path / "run" / "tables" / "history.csv").open(encoding="utf-8")))
    (mean,) = (r for r in rows if r["trial"] == "design alone" and r["quantity"] == "mean")
    assert float(mean["value"]) == found["history"]["alone"]["mean"]
    assert (tmp_path / "run" / "tables" / "prior.csv").exists()
    assert {"history", "prior"}.isdisjoint(trialsim.run(scenario(), exact=True).to_dict())


def test_what_if_tells_what_more_patients_on_the_control_change() -> None:
    of = scenario(history={"responses": 2, "patients": 20})
    found = trialsim.whatif(of, {"history.patients": 40}, replicates=200)
    for case in ("low", "high"):
        effect = found["changed"].effects[case]["mean_type_i_error"]
        assert effect.difference.is_exact and effect.difference.value < 0
        assert effect.base.value + effect.difference.value == pytest.approx(effect.other.value, abs=1e-15)
        assert found["changed"].effects[case]["p_go"].difference.value == 0
    assert "the mean type I error falls from" in str(found)


def test_sensitivity_watches_the_mean_type_i_error() -> None:
    grid = {"quantity": "mean_type_i_error", "case": "low", "over": {"history.patients": [10, 20, 40]}}
    of = scenario(history={"responses": 2, "patients": 20}, sensitivity={"grids": {"controls": grid}})
    (analysis,) = trialsim.sensitivity(of).analyses
    values = [row["estimate"] for row in analysis.rows()]
    assert values == sorted(values, reverse=True) and len(set(values)) == 3
    each = [
        over_history(Compiled.of(scenario(history={"responses": 2, "patients": m}))) for m in (10, 20, 40)
    ]
    assert values == [over.conducted[0][1].mean for over in each if over]
    with pytest.raises(ScenarioError, match="needs the `history` block"):
        scenario(sensitivity={"grids": {"controls": {**grid, "over": {"truth.low.response": [0.1, 0.2]}}}})
