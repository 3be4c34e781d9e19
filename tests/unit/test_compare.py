"""Designs on the same truth: whose cases, which doses, and which design is dominated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import trialsim
from tests.helpers import CONFIGS, Seen, numbers_in, run
from trialsim.errors import TrialsimError
from trialsim.reporting.compare import dominated, notes
from trialsim.scenario.files import load, parse
from trialsim.varying.compare import YARDSTICKS, compare

TEXT = """
schema: 1
name: first
endpoint: response
design: {kind: simon, n1: 10, r1: 1, n: 29, r: 5, p0: 0.1, p1: 0.3}
doses: [high, low]
dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}, at_lowest_dose: stop}
truth:
  inactive: {response: 0.1, toxicity: [0.4, 0.2]}
  active: {response: [0.3, 0.25], toxicity: [0.4, 0.2]}
simulation: {replicates: 500, seed: 2}
"""
MINIMAX = TEXT.replace("n1: 10, r1: 1, n: 29, r: 5", "n1: 15, r1: 1, n: 25, r: 5")
WASTEFUL = TEXT.replace("n1: 10, r1: 1, n: 29, r: 5", "n1: 13, r1: 2, n: 31, r: 5")
"""Worse than 1/10 5/29 by every yardstick: type I error .0474, power .781, EN 15.4 and 27.4, n 31."""
SINGLE = re.sub(r"doses.*\n|dose_reduction.*\n|toxicity: \[[^]]*\]", "", TEXT.replace("[0.3, 0.25]", "0.5"))


def test_values_are_those_of_each_design_under_the_first_truth() -> None:
    found = compare({"a": parse(TEXT), "b": parse(MINIMAX.replace("[0.3, 0.25]", "0.9"))})
    alone = trialsim.exact(parse(MINIMAX), totals=False)
    for case in ("inactive", "active"):
        exact = alone[case].exact
        assert exact is not None
        for quantity in ("p_go", "en", "pet", "toxicities"):
            assert found.values[case]["b"][quantity].value == pytest.approx(exact.values[quantity], abs=1e-12)
        share = exact.values["patients_dose_1"] / exact.values["en"]
        if case == "active":
            assert found.share(case, "b") == pytest.approx(share)
    assert found.better_dose == {"inactive": None, "active": "high"}
    assert found["a"].alpha == pytest.approx(0.0471, abs=5e-5)  # Simon 1989: 1/10 5/29
    assert found["a"].en_p0 == pytest.approx(15.0, abs=0.05)
    assert found["b"].en_p0 == pytest.approx(19.5, abs=0.05)


def test_dominated_designs_are_marked() -> None:
    found = compare({"a": parse(TEXT), "minimax": parse(MINIMAX), "twin": parse(TEXT)})
    # neither Simon's optimal nor his minimax design is dominated, nor is a twin by its twin
    assert all(design.dominated_by == () for design in found.designs)
    assert dominated(found) == ("No design is dominated by another.",)
    again = compare({"wasteful": parse(WASTEFUL), "a": parse(TEXT), "minimax": parse(MINIMAX)})
    assert again["wasteful"].dominated_by == ("a",)
    assert again["a"].dominated_by == again["minimax"].dominated_by == ()
    assert dominated(again)[0].startswith("wasteful is dominated by a")
    a, worse = again["a"], again["wasteful"]
    for name, (_, sign) in YARDSTICKS.items():
        assert sign * (getattr(a, name) - getattr(worse, name)) > 0


def test_without_p0_and_p1_nothing_is_dominated() -> None:
    bare = [parse(text.replace(", p0: 0.1, p1: 0.3", "")) for text in (TEXT, WASTEFUL)]
    found = compare({"a": bare[0], "b": bare[1]})
    assert "No design states both p0 and p1" in dominated(found)[0]
    assert found["b"].alpha is None
    assert found["b"].dominated_by == ()


def test_doses_are_matched_by_name_or_refused() -> None:
    first = parse(TEXT)
    low = (
        TEXT.replace("doses: [high, low]", "doses: [low]")
        .replace("[0.4, 0.2]", "0.9")
        .replace("[0.3, 0.25]", "0.9")
    )
    found = compare({"a": first, "low only": parse(low), "bare": parse(SINGLE)})
    assert found["low only"].scenario.truth["active"].response == (0.25,)
    assert found["bare"].scenario.truth["active"].response == (0.3,)
    assert found.share("active", "bare") == 1
    assert found.share("active", "low only") == 0
    three = (
        TEXT.replace("[high, low]", "[a, b, c]").replace("0.2]", "0.2, 0.1]").replace("0.25]", "0.25, 0.2]")
    )
    with pytest.raises(TrialsimError, match="b: its doses"):
        compare({"a": first, "b": parse(three)})


def test_a_comparison_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("a", TEXT), ("b", MINIMAX), ("truth", TEXT.replace("[0.3, 0.25]", "0.2"))):
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    assert run(["compare", "a.yaml", "b.yaml", "--truth", "truth.yaml", "-o", "out"], monkeypatch) == 0
    assert "2 designs under the truth of truth.yaml" in capsys.readouterr().out
    doc = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    known = numbers_in(doc)
    shown = Seen((tmp_path / "out/report.html").read_text(encoding="utf-8")).data
    assert len(shown) > 30
    assert all(json.loads(value) in known for value, _ in shown)
    exact = trialsim.exact(parse(TEXT.replace("[0.3, 0.25]", "0.2")), totals=False)["active"].exact
    assert exact is not None
    assert doc["cases"]["active"]["a"]["values"]["p_go"]["value"] == pytest.approx(
        exact.values["p_go"], abs=1e-11
    )
    assert run(["compare", "a.yaml", "b.yaml", "--json"], monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["truth"] == "a"


def test_designs_made_for_other_hypotheses_are_named() -> None:
    names = ("teaching", "fleming")
    told = " ".join(notes(compare([load(CONFIGS / f"{name}.yaml") for name in names], replicates=1000)))
    assert "was made for p0 = 5% and p1 = 20%" in told
    assert "All are compared at p0 = 10% and p1 = 30%" in told
    teaching = load(CONFIGS / "teaching.yaml")
    same = [teaching, teaching.model_copy(update={"name": "again"})]
    assert "was made for" not in " ".join(notes(compare(same, replicates=1000)))


def test_numbers_of_a_design_without_calendar_time_are_not_called_adjusted() -> None:
    both = {
        "timed": load(CONFIGS / "dasatinib.yaml"),
        "untimed": load(CONFIGS / "dasatinib-single-stage.yaml"),
    }
    found = compare(both, replicates=1000, cases=["active"])
    number = found.to_dict()["cases"]["active"]["untimed"]["values"]["p_go"]
    assert not number["exact"] and "adjusted" not in number
    assert "no calendar time: its numbers, and the differences" in " ".join(str(found).split())
