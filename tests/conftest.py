"""Fixtures that several files share, worked out once a session, and the line that says which browser tests ran."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import MISSING
from tests.helpers import ANSWERS, PATIENTS, SMALL, config, run
from trialsim.scenario.model import Scenario


@pytest.fixture(scope="session")
def dasatinib() -> Scenario:
    """The scenario of configs/dasatinib.yaml."""
    return config("dasatinib")


@pytest.fixture(scope="session", autouse=True)
def _coarse() -> Iterator[None]:
    """Pictures for Word are quickly drawn where they are coarse; what they show is drawn in SVG too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trialsim.figures.drawn.DPI", 40)
        yield


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of every answer about a small trial, by the name of its command; see ``helpers.ANSWERS``.

    Worked out by the first of several workers that asks, for all of them: nothing may be written into these folders.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = tmp_path_factory.getbasetemp().parent / "answers"
    else:
        place = tmp_path_factory.mktemp("answers")
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            shutil.rmtree(place, ignore_errors=True)  # what a worker left that failed
            place.mkdir()
            work_out_answers(place)
            (place / "complete").touch()
    return {name: place / name for name in ANSWERS}


def work_out_answers(place: Path) -> None:
    """Ask every command of ``helpers.ANSWERS`` in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        Path("small.yaml").write_text(SMALL, encoding="utf-8")
        Path("patients.csv").write_text(PATIENTS, encoding="utf-8")
        Path("other.yaml").write_text(SMALL.replace("r: 3", "r: 2"), encoding="utf-8")
        for name, arguments in ANSWERS.items():
            assert run([*arguments.split(), "-o", name], patch) == 0


def pytest_configure() -> None:
    """A shell's `&` and `nohup` have signals ignored, by children too; the tests send them to see what they do."""
    for each, heard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, heard)


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: it is left out where the collector looks for garbage."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser the tests marked ``browser`` are skipped."""
    if MISSING:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of all: how many tests looked at pages in a browser, and how many could not."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker
        return

    def count(*outcomes: str) -> int:
        reports = (report for outcome in outcomes for report in reporter.stats.get(outcome, ()))
        return sum("browser" in getattr(report, "keywords", ()) for report in reports)

    reporter.write_line(
        f"{count('passed', 'failed')} browser tests run, {count('skipped')} skipped: no browser"
    )
