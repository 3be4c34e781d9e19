"""What the page shows of a scenario is what `trialsim run` finds, for every shipped scenario."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import CONFIGS
from trialsim import run
from trialsim.errors import TrialsimError
from trialsim.page import answering
from trialsim.page.answering import Snapshot, answers
from trialsim.page.draft import Draft
from trialsim.reporting.run import first_page, rule_in_brief
from trialsim.running.plain import BRIEF
from trialsim.writing.html import fragment
from trialsim.writing.report import Words, section

EVERY = sorted(CONFIGS.glob("**/*.yaml"))
REPLICATES = 700


def draft_of(file: Path, replicates: int = REPLICATES) -> Draft:
    """The draft of a shipped scenario with few replicates; its text is otherwise as shipped."""
    text = file.read_text(encoding="utf-8")
    few = re.sub(
        r"^simulation:.*(\n .*)*$", f"simulation: {{replicates: {replicates}, seed: 7}}", text, flags=re.M
    )
    return Draft.of(few if few != text else f"{text}\nsimulation: {{replicates: {replicates}, seed: 7}}\n")


def snapshots(draft: Draft) -> list[Snapshot]:
    return [found for found in answers(draft) if found]


@pytest.mark.parametrize(
    "file",
    # a what-if is like the file that it begins from; one has twelve cases
    [
        file
        if file.parent == CONFIGS and file.stem != "dose-decision"
        else pytest.param(file, marks=pytest.mark.slow)
        for file in EVERY
    ],
    ids=lambda file: file.stem,
)
def test_in_the_end_the_page_shows_the_first_page_of_the_run(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "POINTS", 500)
    draft = draft_of(file)
    assert draft.scenario is not None, draft.problems
    last = snapshots(draft)[-1]
    found = run(draft.scenario)
    doc = found.to_dict()
    words = Words(" ".join(rule_in_brief.rule(doc)), "The decision rule.", mark="box")
    assert last.done
    # of many cases the first page has some, and an appendix; the page has no appendix
    assert last.in_words == fragment(section("now", "", words, first_page.cases(doc, whole=True)))
    on_first_page, (here,) = first_page.cases(doc), first_page.cases(doc, whole=True).groups
    assert set(on_first_page.groups[0].rows) <= set(here.rows)
    if len(doc["cases"]) <= BRIEF:
        assert last.in_words == fragment(section("now", "", words, on_first_page))
    else:
        assert [row[0].text for row in here.rows] == list(doc["cases"])
    assert last.results.to_dict() == found.results.to_dict()


def test_numbers_are_provisional_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "POINTS", 1200)
    steps = snapshots(draft_of(CONFIGS / "dasatinib.yaml", 3000))
    assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[0].replicates < steps[-1].replicates == 3000
    assert steps[-1].conducted.replicates == 1200
    assert len(steps[0].conducted.points) >= 15
    # one run of random numbers: a point is never drawn anew
    assert all(a.replicates <= b.replicates for a, b in zip(steps, steps[1:], strict=False))


def test_the_curve_ends_where_it_would_begin_with_all_its_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "POINTS", 1200)
    by_parts = snapshots(draft_of(CONFIGS / "dasatinib.yaml", 3000))[-1].conducted.points
    monkeypatch.setattr(answering, "FIRST", 1200)
    at_once = snapshots(draft_of(CONFIGS / "dasatinib.yaml", 3000))[-1].conducted.points
    assert by_parts == at_once


def test_the_rules_of_the_trial_before_serve_only_while_they_are_the_same() -> None:
    draft = draft_of(CONFIGS / "dasatinib.yaml")
    before = next(answers(draft))
    assert before is not None
    moved = draft.edited("truth.active.response", 0.2)
    quick, whole = next(answers(moved, None, before.trial)), next(answers(moved))
    assert quick is not None
    assert whole is not None
    assert quick.trial.rules is before.trial.rules
    assert quick.in_words == whole.in_words
    for path, value in (("design.p1", 0.2), ("dose_reduction.rule.limit", 0.2)):
        other = next(answers(draft.edited(path, value), None, before.trial))
        assert other is not None
        assert other.trial.rules != before.trial.rules, path


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"design": {"kind": "single_stage", "n": 2000, "r": 300, "p0": 0.05, "p1": 0.15}}, "at most 1,000"),
        ({"simulation.replicates": 2_000_000}, "at most 1,000,000"),
    ],
)
def test_what_is_too_large_is_told_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    draft = Draft.of((CONFIGS / "dasatinib-single-stage.yaml").read_text(encoding="utf-8"))
    for path, value in change.items():
        draft = draft.edited(path, value)
    assert draft.scenario is not None, draft.problems
    with pytest.raises(TrialsimError, match=sentence):
        next(answers(draft))
