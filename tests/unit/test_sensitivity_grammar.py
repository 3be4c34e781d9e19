"""The ``sensitivity`` block: what may be written, and every fault at its line, also through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import CONFIGS, run
from trialsim.errors import ScenarioError
from trialsim.scenario.analyses import base_value, quantile, support
from trialsim.scenario.changes import changed
from trialsim.scenario.files import load, parse
from trialsim.scenario.sensitivity import Grid, Prior, Steps

TEXT = (CONFIGS / "teaching.yaml").read_text(encoding="utf-8")
LINES = TEXT.count("\n")

GOOD = """sensitivity:
  tornado:
    one:
      case: active
      inputs:
        truth.active.response: [0.25, 0.35]
  grids:
    map:
      case: active
      over:
        truth.active.response: {from: 0.2, to: 0.4, steps: 3}
        truth.active.odds_ratio: [0.5, 1, 2]
  priors:
    belief:
      case: active
      inputs:
        truth.active.response: {beta: [6, 14]}
  thresholds:
    how far:
      case: active
      input: truth.active.toxicity
      from: 0.1
      to: 0.9
      below: 0.7
  worst_case:
    least:
      case: inactive
      worst: highest
      over:
        truth.inactive.odds_ratio: [0.25, 4]
"""


def problems(block: str) -> str:
    """What is wrong with the teaching example and this block."""
    try:
        parse(TEXT + block, "s.yaml")
    except ScenarioError as error:
        return str(error)
    return ""


def test_the_block_is_read_and_a_changed_scenario_does_not_carry_it_on() -> None:
    scenario = parse(TEXT + GOOD)
    assert scenario.sensitivity is not None
    kinds = [kind for kind, _, _ in scenario.sensitivity.all()]
    assert kinds == ["tornado", "grids", "priors", "thresholds", "worst_case"]
    assert changed(scenario, {"truth.active.response": 0.2}).sensitivity is None
    assert problems(GOOD) == ""


# what is replaced in GOOD, by what, the line after the scenario's own, and words of the message
FAULTS = (
    ("[0.25, 0.35]", "[0.25, 1.35]", 6, "1.35 is outside 0 to 1"),
    ("[0.25, 0.35]", "[0.3, 0.3]", 6, "low and high are both 0.3 and what the scenario states: nothing is moved"),
    ("[0.25, 0.35]", "[0.2, 0.2]", 6, "low and high are both 0.2: nothing is moved"),
    ("[0.25, 0.35]", "[0.2]", 6, "a list of 1; expected 2"),
    ("[0.25, 0.35]", "high", 6, "`high` is text; expected a list"),
    ("truth.active.response: [0.25", "truth.activ.response: [0.25", 6, "did you mean `active`?"),
    ("truth.active.response: [0.25", "truth.active.respons: [0.25", 6, "did you mean `response`?"),
    ("truth.active.response: [0.25", "sensitivity.grids: [0.25", 6, "`sensitivity` is no input of the trial"),
    ("case: active\n      inputs:\n        truth.active.response: [", "case: activ\n      inputs:\n        "
     "truth.active.response: [", 4, "`activ` is no case; did you mean `active`?"),
    ("case: active\n      inputs:\n        truth.active.response: [", "inputs:\n        truth.active.response: [", 3,
     "missing: which case is looked at?"),
    ("      case: active\n      over", "      case: active\n      quantity: p_goo\n      over", 10,
     "`p_goo` is no quantity of this scenario; did you mean `p_go`?"),
    ("      case: active\n      over", "      case: active\n      quantity: duration_months\n      over", 10,
     "needs the `conduct` block"),
    ("{from: 0.2, to: 0.4, steps: 3}", "{from: 0.2, to: 1.4, steps: 3}", 11, "1.4 is outside 0 to 1"),
    ("{from: 0.2, to: 0.4, steps: 3}", "{from: -0.2, to: 0.4, steps: 3}", 11, "-0.2 is outside 0 to 1"),
    ("{from: 0.2, to: 0.4, steps: 3}", "{from: 0.4, to: 0.2, steps: 3}", 11, "0.2 is not above `from`, 0.4"),
    ("{from: 0.2, to: 0.4, steps: 3}", "{from: 0.2, to: 0.4, steps: 1}", 11, "1 is outside 2 to 1000"),
    ("{from: 0.2, to: 0.4, steps: 3}", "{from: 0, to: 0.4, steps: 3, scale: log}", 11,
     "a log scale needs values above 0"),
    ("[0.5, 1, 2]", "[2, 1]", 10, "the values of truth.active.odds_ratio must increase"),
    ("[0.5, 1, 2]", "[]", 12, "a list of 0; expected 2 to 1000"),
    ("[0.5, 1, 2]", "[0, 1, 2]", 12, "0 is outside 0 to 1000000"),
    ("{beta: [6, 14]}", "{beta: [6, 0]}", 17, "0 is outside 0 to 1000000"),
    ("{beta: [6, 14]}", "{gamma: [6, 1]}", 17, "unknown key"),
    ("{beta: [6, 14]}", "{}", 17, "one distribution is needed, 0 are stated"),
    ("{beta: [6, 14]}", "{beta: [6, 14], uniform: [0, 1]}", 17, "one distribution is needed, 2 are stated"),
    ("{beta: [6, 14]}", "{uniform: [0.2, 1.2]}", 17, "1.2 is outside 0 to 1"),
    ("{beta: [6, 14]}", "{uniform: [0.2, 0.2]}", 17, "the numbers must increase"),
    ("below: 0.7", "below: 0.7\n      above: 0.8", 19, "one limit is needed: `below` or `above`"),
    ("      below: 0.7\n", "", 19, "one limit is needed: `below` or `above`"),
    ("to: 0.9\n", "to: 0.1\n", 23, "nothing lies between"),
    ("to: 0.9\n", "to: 9\n", 23, "9 is outside 0 to 1"),
    ("input: truth.active.toxicity", "input: truth.active.toxicities", 21, "did you mean `toxicity`?"),
    ("worst: highest", "worst: biggest", 28, "`biggest` is not possible here"),
    ("[0.25, 4]", "[4, 0.25]", 29, "truth.inactive.odds_ratio: 0.25 is not above 4"),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS)
def test_every_fault_is_told_at_its_line(old: str, new: str, line: int, words: str) -> None:
    assert GOOD.count(old) == 1, old
    told = problems(GOOD.replace(old, new))
    assert words in told, told
    assert f"s.yaml:{LINES + line}:" in told, told


def test_an_empty_block_and_ends_that_are_impossible_together() -> None:
    assert "no analysis is stated" in problems("sensitivity: {}\n")
    together = "truth.active.serious: [0, 0.15]\n        truth.active.toxicity: [0.1, 0.4]"
    text = GOOD.replace("worst: highest", "worst: lowest").replace(
        "truth.inactive.odds_ratio: [0.25, 4]", together
    )
    told = problems(text)
    assert "with truth.active.serious = 0.15, truth.active.toxicity = 0.1" in told
    assert "the rate of serious events cannot exceed that of toxicity" in told


def test_values_are_what_was_written() -> None:
    steps = Steps.model_validate({"from": 0.05, "to": 0.25, "steps": 5})
    assert steps.values() == (0.05, 0.1, 0.15, 0.2, 0.25)
    whole = Steps.model_validate({"from": 10, "to": 70, "steps": 4}).values()
    assert whole == (10, 30, 50, 70)
    assert all(isinstance(value, int) for value in whole)
    ratios = Steps.model_validate({"from": 0.25, "to": 4, "steps": 5, "scale": "log"})
    assert ratios.values() == (0.25, 0.5, 1, 2, 4)
    grid = Grid.model_validate({"over": {"a": {"from": 0, "to": 1, "steps": 1000}, "b": [1, 2]}})
    assert len(grid.axes()["a"]) == 1000
    two = {name: {"from": 0, "to": 1, "steps": steps} for name, steps in (("a", 1000), ("b", 200))}
    with pytest.raises(ValueError, match="200,000 points; at most 40,000"):
        Grid.model_validate({"over": two})


def test_base_values_by_path() -> None:
    stated = load(CONFIGS / "dasatinib.yaml")
    assert base_value(stated, "truth.active.toxicity[1]") == 0.32
    assert base_value(stated, "truth.as_observed.toxicity[1]") == 0.37
    assert base_value(stated, "truth.active.odds_ratio") == 1
    assert base_value(stated, "truth.*.odds_ratio") == 1
    several = base_value(stated, "truth.*.response")
    assert isinstance(several, dict)
    assert several["truth.active.response"] == 0.15


@pytest.mark.parametrize(
    ("prior", "median", "low"),
    [
        ({"uniform": [0.2, 0.4]}, 0.3, 0.2),
        ({"log_uniform": [0.25, 4]}, 1.0, 0.25),
        ({"triangular": [0.0, 0.5, 1.0]}, 0.5, 0.0),
        ({"logit_normal": [0.2, 0.5]}, 0.2, 0.0),
        ({"beta": [7, 7]}, 0.5, 0.0),
    ],
)
def test_quantiles_of_priors(prior: dict[str, list[float]], median: float, low: float) -> None:
    stated = Prior.model_validate(prior)
    assert quantile(stated, 0.5) == pytest.approx(median)
    values = [quantile(stated, u) for u in (1e-6, 0.1, 0.3, 0.7, 0.9, 1 - 1e-6)]
    assert values == sorted(values)
    assert low <= support(stated)[0] < median < support(stated)[1]


def test_triangular_quantiles_against_scipy() -> None:
    from scipy.stats import beta, triang

    prior = Prior.model_validate({"triangular": [0.2, 0.32, 0.5]})
    other = Prior.model_validate({"beta": [6, 34]})
    for u in (0.01, 0.3, 0.4, 0.41, 0.9):
        assert quantile(prior, u) == pytest.approx(triang.ppf(u, 0.4, 0.2, 0.3), abs=1e-12)
        assert quantile(other, u) == pytest.approx(beta.ppf(u, 6, 34), abs=1e-12)


@pytest.mark.parametrize(
    ("block", "arguments", "words"),
    [
        (GOOD.replace("[0.25, 0.35]", "[0.25, 1.35]"), [], "1.35 is outside 0 to 1"),
        (GOOD.replace("case: inactive", "case: nobody"), [], "`nobody` is no case"),
        ("", ["--only", "grids"], "--only grids: no such analysis (allowed: tornado, default"),
        (GOOD, ["--only", "tornadoo"], "--only tornadoo: no such analysis; did you mean `tornado`?"),
        (GOOD, ["--resume"], "--resume goes on with what a folder has kept"),
        (
            GOOD.replace("from: 0.1\n", "from: 0.1\n      engine: exactly\n"),
            [],
            "`exactly` is not possible here",
        ),
    ],
)
def test_faults_through_the_command_line(
    block: str,
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(TEXT + block, encoding="utf-8")
    assert run(["sensitivity", "s.yaml", *arguments], monkeypatch) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert not printed.out
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]
