"""What a session keeps: nothing of what was only looked at."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("shiny")

from shiny import reactive

from trialsim.page.session import aside, hidden


def contexts() -> int:
    """Shiny's contexts that are still held by something."""
    gc.collect()
    return sum(type(each).__name__ == "Context" for each in gc.get_objects())


def test_what_is_read_aside_leaves_no_trace() -> None:
    value, before = reactive.Value(7), contexts()
    for _ in range(50):
        with aside():
            assert value() == 7
    assert contexts() == before
    for _ in range(50):
        with reactive.isolate():
            assert value() == 7
    assert contexts() == before + 50, "Shiny mends this itself now: `aside` can go"


def test_outputs_are_asked_whether_they_are_seen_as_shiny_asks_and_without_a_trace() -> None:
    seen: dict[str, Any] = {
        f".clientdata_output_{name}_hidden": value
        for name, value in (("shown", reactive.Value(False)), ("folded", reactive.Value(True)))
    } | {".clientdata_output_new_hidden": reactive.Value[bool]()}
    is_hidden = hidden(SimpleNamespace(input=seen))  # type: ignore[arg-type]
    before = contexts()
    for _ in range(20):
        assert [is_hidden(name) for name in ("shown", "folded", "new")] == [False, True, True]
    assert contexts() == before
