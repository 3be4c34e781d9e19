"""What several test files share: the scenarios of configs/, the command line in this process, children to wait for."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imsave
from scipy.special import bdtrc

from trialsim import cli
from trialsim.checks import Checks
from trialsim.designs.rules import Rules
from trialsim.engine.pictured import pictured
from trialsim.engine.power_ledger import power_ledgers
from trialsim.figures import Material
from trialsim.results import Results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
FILES = tuple(sorted(CONFIGS.glob("*.yaml")))
DASATINIB, TEACHING = CONFIGS / "dasatinib.yaml", CONFIGS / "teaching.yaml"

HANG = 900
"""Seconds after which a child counts as hung: far more than compiling every kernel takes on a busy machine."""


# -- scenarios of configs/, each read and compiled once


@cache
def config(name: str) -> Scenario:
    """A scenario of configs/ by the name of its file."""
    return load(CONFIGS / f"{name}.yaml")


@cache
def rules_of(name: str) -> Rules:
    """Its rules; a search for the design is done once."""
    return compile_rules(config(name))


SMALL = """question: what does a weaker lower dose cost?
schema: 1
name: A small trial
endpoint: response
design: {kind: simon, n1: 6, r1: 0, n: 12, r: 3, p0: 0.1, p1: 0.4}
doses: [high, low]
dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}, at_lowest_dose: stop}
evaluability: {probability: 0.9}
truth:
  inactive: {response: 0.1, toxicity: [0.5, 0.3]}
  active: {response: 0.4, toxicity: [0.5, 0.3], odds_ratio: 2}
observed: {treated: 12, evaluable: 11, responses: 4, toxicities: 5}
conduct:
  accrual: {per_month: 3}
  assessment_weeks: [8]
  confirmed: false
  toxicity_window_weeks: 6
variants:
  weaker low dose: {truth.active.response: [0.4, 0.2]}
sensitivity:
  tornado:
    active drug: {case: active, quantities: [p_go], inputs: {"truth.active.response[0]": [0.3, 0.5]}}
simulation: {replicates: 400, seed: 5}
"""
"""A scenario that every command has something to say about."""

PATIENTS = """id,enrolled,dose,evaluable,response,response_date,toxicity,toxicity_date
1,2026-01-05,high,yes,no,2026-03-02,yes,2026-01-20
2,2026-01-12,high,yes,yes,2026-03-09,yes,2026-02-01
3,2026-01-20,high,yes,no,2026-03-17,yes,2026-02-03
4,2026-03-02,low,pending,pending,,pending,
"""
"""Patients of that trial: the boundary was reached, and one had the lower dose."""

ANSWERS = {
    "run": "run small.yaml --docx",
    "whatif": "whatif small.yaml",
    "compare": "compare small.yaml other.yaml",
    "sensitivity": "sensitivity small.yaml",
    "find": "find simon --p0 .1 --p1 .3 --alpha .05 --beta .2",
    "oc": "oc 0/6,3/12 --p0 .1 --p1 .4 --alpha .05",
    "monitor": "monitor small.yaml",
    "redesign": "redesign 1/10,5/29 --x1 3 --power .9 --p0 .1 --p1 .3",
    "evidence": "evidence 1/10,5/29 --outcomes 0010?1 --p0 .1 --p1 .3",
    "status": "status small.yaml patients.csv --on 2026-03-31 --replicates 100",
    "analyse": "analyse small.yaml",
    "trace": "trace small.yaml",
    "check": "check small.yaml",
    "qualify": "qualify --only IQ --seed 1 --on 2026-03-31",
}
"""Answer -> the command that asks for it of small.yaml."""


def material_of(
    scenario: Scenario, results: Results, checks: Checks | None, seed: int | None = None
) -> Material:
    """What figures are drawn from."""
    trial = Compiled.of(scenario)
    power = power_ledgers(trial, results)
    return Material(trial, results, checks, power, pictured(trial, results, seed=seed))


# -- the command line


def run(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit status of the command line, in this process."""
    monkeypatch.setattr(sys, "argv", ["trialsim", *arguments])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made, with their numbers and words, but written as empty pictures: rendering takes longest."""
    dot = io.BytesIO()
    imsave(dot, [[0.0]], format="png")
    empty = b'<svg xmlns="http://www.w3.org/2000/svg" width="226pt"/>'
    monkeypatch.setattr("trialsim.figures.Drawn.svg", lambda _: empty)
    monkeypatch.setattr("trialsim.figures.Drawn.png", lambda _: dot.getvalue())


def first_of(few: int, values: Iterable[Any]) -> list[Any]:
    """Parameters of a study that is run in part: the first ``few`` always, the others with the longer studies."""
    sets = [value if isinstance(value, tuple) else (value,) for value in values]
    return [pytest.param(*each, marks=[pytest.mark.slow] if k >= few else []) for k, each in enumerate(sets)]


def beyond(k: Any, n: Any, p: Any) -> Any:
    """P(X > k) for X ~ Binomial(n, p), of arrays too: a tenth of the time of ``scipy.stats.binom.sf``."""
    k, n, p = np.broadcast_arrays(k, n, p)
    return np.where(k < 0, 1.0, np.where(k < n, bdtrc(np.clip(k, 0, n), n, p), 0.0))[()]


def results_in(folder: Path) -> dict[str, Any]:
    """The content of results.json of a folder."""
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return found


# -- children


UNDRAWN = "from trialsim import figures; figures.FIGURES = figures.FIGURES[2:4]; "
"""What a child does first of which two figures are enough: drawing takes longest."""


def child(
    arguments: list[str],
    folder: Path,
    limit: Callable[[], None] | None = None,
    first: str = "",
    **environment: str,
) -> subprocess.Popen[str]:
    """The command line in a process of its own; ``limit`` is called in it before it begins, ``first`` is run."""

    def prepare() -> None:
        # it hears an interrupt, even where the tests run in the background of a shell, which ignores it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if limit is not None:
            limit()

    return subprocess.Popen(
        [sys.executable, "-c", f"{first}from trialsim.cli import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a child printed, on either stream, once it has come to its end."""
    return process.communicate(timeout=HANG)


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[Any]) -> bool:
    """Wait for a child to have done something; whether it did before it ended. A child that hangs is an error."""
    look = 0.005
    for _ in range(int(HANG / look)):
        if happened():
            return True
        try:
            process.wait(timeout=look)
        except subprocess.TimeoutExpired:
            continue
        return happened()
    process.kill()
    raise TimeoutError(f"nothing of what was waited for in {HANG} seconds: {process.communicate()}")


class Seen(HTMLParser):
    """Elements, attributes, the text of the body, and the numbers of the tables of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.data: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in ("meta", "img"):
            self._open.append(tag)
        if tag == "data":
            self.data.append((dict(attrs)["value"] or "", ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data
        if self._open and self._open[-1] == "data":
            self.data[-1] = (self.data[-1][0], data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def numbers_in(value: Any) -> set[float]:
    """Every number anywhere in a JSON value."""
    if isinstance(value, dict):
        return set().union(*map(numbers_in, value.values()))
    if isinstance(value, list):
        return set().union(*map(numbers_in, value))
    return {value} if isinstance(value, int | float) and not isinstance(value, bool) else set()
