"""Searches in processes of their own: answered, refused in words, ended when nobody waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers import HANG
from trialsim import find
from trialsim.errors import TrialsimError
from trialsim.page import searches as module
from trialsim.page.searches import Searches


@pytest.fixture(scope="module")
def searches() -> Iterator[Searches]:
    made = Searches(1)
    made.warm()
    yield made
    made.close()


def answer(steps: Iterator[Any]) -> Any:
    return [found for found in steps if found is not None][-1]


SEARCH = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}


def test_the_answer_is_that_of_the_function(searches: Searches) -> None:
    found = answer(searches.call(find, "simon", **SEARCH))
    assert found["optimal"].design == find("simon", **SEARCH)["optimal"].design == "1/10 5/29"


def test_an_error_comes_back_in_its_words(searches: Searches) -> None:
    with pytest.raises(TrialsimError) as ours:
        find("simon", **{**SEARCH, "p1": 0.05})
    with pytest.raises(TrialsimError) as theirs:
        answer(searches.call(find, "simon", **{**SEARCH, "p1": 0.05}))
    assert str(theirs.value) == str(ours.value)


def test_a_search_that_nobody_waits_for_is_ended(searches: Searches) -> None:
    steps = searches.call(time.sleep, HANG)
    assert next(steps) is None
    steps.close()  # type: ignore[attr-defined]
    assert answer(searches.call(max, 3, 4)) == 4


def test_a_search_that_takes_too_long_is_ended_with_a_sentence(
    searches: Searches, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(searches.call(max, 1, 2))
    monkeypatch.setattr(module, "SECONDS", 0.1)
    with pytest.raises(TrialsimError, match="`trialsim find` has no such limit"):
        answer(searches.call(time.sleep, HANG))


def test_a_file_has_longer_and_a_sentence_of_its_own(
    searches: Searches, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(searches.call(max, 1, 2))
    monkeypatch.setattr(module, "SECONDS", 0.1)
    assert answer(searches.call(sum, range(20_000_000), file="report.docx")) > 0
    monkeypatch.setattr(module, "SECONDS_A_FILE", 0.1)
    with pytest.raises(TrialsimError, match=r"report\.docx takes more than .* download the scenario file"):
        answer(searches.call(time.sleep, HANG, file="report.docx"))


def test_a_process_that_dies_is_replaced(searches: Searches) -> None:
    import os

    with pytest.raises(TrialsimError, match="try it again"):
        answer(searches.call(os._exit, 1))
    assert answer(searches.call(max, 5, 6)) == 6


def test_closing_ends_the_processes() -> None:
    made = Searches(1)
    assert answer(made.call(max, 1, 2)) == 2
    (worker,) = made._free
    assert worker is not None
    made.close()
    worker.process.join(HANG)
    assert not worker.process.is_alive()
