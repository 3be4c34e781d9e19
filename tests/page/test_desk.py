"""Threads of the page: what is called off is dropped, first answers go before refinements, faults are told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from trialsim.errors import TrialsimError
from trialsim.page import desk as desks
from trialsim.page.desk import Desk
from trialsim.timing import long_work

HANG = 60.0


class Heard:
    """What a job has published, and a way to wait for it."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, found: Any) -> None:
        with self._changed:
            self.found.append(found)
            self._changed.notify_all()

    def wait(self, count: int) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.found) >= count, HANG)
        return self.found


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(1)
    yield made
    made.close()


def test_everything_that_is_found_is_told_in_order(desk: Desk) -> None:
    heard = Heard()
    desk.ask(lambda: iter([1, None, 2, 3]), heard)
    assert heard.wait(3) == [1, 2, 3]


def test_first_answers_of_others_go_before_refinements(desk: Desk) -> None:
    order, begun, done = [], threading.Event(), Heard()
    go_on = threading.Event()

    def long() -> Iterator[str]:
        begun.set()
        assert go_on.wait(HANG)
        for k in range(3):
            order.append(f"long {k}")
            yield f"long {k}"

    desk.ask(long, done)
    assert begun.wait(HANG)
    for name in "ab":
        desk.ask(lambda name=name: iter([order.append(name) or name]), done)  # type: ignore[misc]
    go_on.set()
    done.wait(5)
    assert order == ["long 0", "a", "b", "long 1", "long 2"]


def test_what_is_called_off_is_not_told_and_is_put_away(desk: Desk) -> None:
    put_away, first, heard = threading.Event(), threading.Event(), Heard()
    called_off = threading.Event()

    def work() -> Iterator[int]:
        try:
            yield 1
            first.set()
            assert called_off.wait(HANG)
            yield 2
            yield 3
        finally:
            put_away.set()

    job = desk.ask(work, heard)
    assert first.wait(HANG)
    job.cancel()
    called_off.set()
    assert put_away.wait(HANG)
    assert heard.found == [1]
    assert job.spent > 0


def test_long_work_within_a_step_hears_that_it_is_called_off(desk: Desk) -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> Iterator[int]:
        try:
            with long_work("counting", 10) as done:
                while True:
                    begun.set()
                    done(1)
        finally:
            ended.set()
        yield 1

    heard = Heard()
    job = desk.ask(work, heard)
    assert begun.wait(HANG)
    job.cancel()
    assert ended.wait(HANG)
    assert not heard.found


def test_an_answer_that_takes_too_much_is_ended_with_a_sentence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "SECONDS", -1.0)
    heard = Heard()
    desk.ask(lambda: iter([1, 2]), heard)
    (error,) = heard.wait(1)
    assert "computing time" in str(error)


def test_errors_are_told_and_the_thread_lives_on(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    def refused() -> Iterator[int]:
        yield 1
        raise TrialsimError("this cannot be")

    def broken() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    heard = Heard()
    desk.ask(refused, heard)
    assert str(heard.wait(2)[1]) == "this cannot be"
    desk.ask(broken, heard)
    assert str(heard.wait(4)[3]) == "this could not be worked out, through a fault of the program"
    desk.ask(lambda: iter([7]), heard)
    assert heard.wait(5)[4] == 7
    assert "ZeroDivisionError" in capsys.readouterr().err
