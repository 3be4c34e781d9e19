"""Scenarios with inputs changed by path: what is reached, what is refused, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import CONFIGS
from trialsim.errors import ScenarioError
from trialsim.scenario.changes import ChangeError, changed, read_changes, variants
from trialsim.scenario.files import digest, load, parse

DASATINIB = load(CONFIGS / "dasatinib.yaml")
TEXT = (CONFIGS / "dasatinib.yaml").read_text(encoding="utf-8").partition("# What if:")[0]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_change_is_the_same_scenario(path: Path) -> None:
    stated = load(path)
    again = changed(stated, {})
    assert digest(again) == digest(stated.model_copy(update={"variants": {}, "sensitivity": None}))
    assert again.truth == stated.truth


def test_what_a_path_reaches() -> None:
    found = changed(
        DASATINIB,
        {
            "truth.active.toxicity[0]": 0.6,
            "truth.as_observed.toxicity[1]": 0.3,  # stated as one rate for both doses
            "truth.*.odds_ratio": 4,
            "evaluability.probability": 0.9,
            "truth.new": {"response": 0.3, "toxicity": 0.2},
            "dose_reduction.rule": {"kind": "none"},
            "conduct": None,
        },
    )
    assert found.truth["active"].toxicity == (0.6, 0.32)
    assert found.truth["as_observed"].toxicity == (0.37, 0.3)
    assert {case.odds_ratio for name, case in found.truth.items() if name != "new"} == {4}
    assert found.truth["new"].odds_ratio == 1
    assert found.evaluability.probability == 0.9
    assert found.evaluability.replaced == DASATINIB.evaluability.replaced
    assert found.dose_reduction is not None and found.dose_reduction.rule.kind == "none"
    assert found.conduct is None
    assert DASATINIB.truth["active"].toxicity == (0.45, 0.32), "the scenario itself stays as it is"


REFUSED = (
    (["truth.actve.response=.1"], "`truth` has no `actve`; did you mean `active`?"),
    (["truth.active.respons=.1"], "truth.active.respons: unknown key; did you mean `response`?"),
    (["truth.active.response=5"], "truth.active.response: 5 is outside 0 to 1; did you mean 0.05?"),
    (["truth.active.toxicity[2]=.1"], "`truth.active.toxicity` has no [2]; it has 2 values"),
    (["truth.active.toxicity[-1]=.1"], "not a path such as"),
    (["evaluabilty.probability=.9"], "did you mean `evaluability`?"),
    (["conduct=null", "conduct.accrual.per_month=3"], "states no `conduct`; set it as a whole"),
    (["conduct.accrual.per_month=fast"], "`fast` is text, not a number"),
    (["name.x=2"], "which has no parts"),
    (["schema=2"], "`schema` is no input of the trial"),
    (["variants=2"], "`variants` is no input of the trial"),
    (["x"], "expected PATH=VALUE"),
    (["truth.active.response="], "expected PATH=VALUE"),
    (["truth.active.response=[.1"], "the closing `]` is missing"),
    (["truth.active.response=.1", "truth.active.response=.2"], "given twice"),
    (["truth.active.response=.1\ntruth: 1"], "a value stands on one line"),
    (["truth..active=3"], "not a path such as"),
    (["doses=[one]"], "rates for 1 dose"),
)


@pytest.mark.parametrize(("pairs", "message"), REFUSED)
def test_what_is_refused(pairs: list[str], message: str) -> None:
    with pytest.raises(ChangeError) as caught:
        changed(DASATINIB, read_changes(pairs))
    assert message in str(caught.value)


VARIANTS = """
variants:
  steep:
    truth.active.toxicity[0]: 0.6
  as stated:
    conduct.accrual.per_month: 4.5
  slip:
    conduct.acrual.per_month: 3
  both:
    doses: [one]
    evaluability.probability: 0.9
"""


def test_variants_of_a_file_are_refused_at_their_lines() -> None:
    start = TEXT.count("\n") + 2
    with pytest.raises(ScenarioError) as caught:
        parse(TEXT + VARIANTS)
    found = {problem.key: (problem.line - start, problem.message) for problem in caught.value.problems}
    assert found.keys() == {
        "variants.as stated",
        "variants.slip.conduct.acrual.per_month",
        "variants.both",
    }
    assert found["variants.as stated"][1].startswith("changes nothing")
    assert found["variants.slip.conduct.acrual.per_month"][0] == 6


def test_variants_of_a_file() -> None:
    stated = parse(TEXT + VARIANTS.partition("  as stated")[0])
    found = variants(stated)
    assert found["steep"].truth["active"].toxicity == (0.6, 0.32)
    assert found["steep"].variants == {}
