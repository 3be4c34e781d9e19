"""Every valid scenario is answered by every command: no traceback, nothing missing printed, and the sums come out."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import ROOT, first_of, results_in, run, unrendered
from tests.property.valid_scenarios import scenario
from trialsim.quantities import QUANTITIES

ALWAYS = (*range(6), 21, 234, 338)
"""Seeds of every run; the others of the thousand are tried with the longer studies. 21: a planned cut-off beyond the
patients analysed; 234: a quantity that a case has in no arm; 338: a last look without a cut-off."""
MANY = 1000
NOTHING = re.compile(r"(?<![\w/.-])(None|NaN|nan|-?inf|-?[Ii]nfinity)(?![\w-])(?! of)")
"""A value that is missing or no number, where words are read; "None of the ..." begins a sentence."""

ENDS = ("p_go", "p_no_go", "p_consider", "p_stop_futility", "p_stop_toxicity", "p_stop_toxicity_at_n")
PET = ("p_stop_futility", "p_stop_toxicity", "p_go_early")
ROUNDED = 1e-9
"""What 12 printed digits and adding up leave of an identity."""
LEAST_VARIANCE = 100
"""z is shown where R p (1 - p) is at least this (the normal approximation holds)."""


@pytest.mark.parametrize("seed", first_of(len(ALWAYS), [*ALWAYS, *sorted({*range(MANY)} - {*ALWAYS})]))
def test_a_valid_scenario_is_answered(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if seed % 10 != 9:
        unrendered(monkeypatch)
    answered(seed, tmp_path, monkeypatch, capsys)
    monkeypatch.chdir(ROOT)
    shutil.rmtree(tmp_path)


def answered(
    seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Put the scenario of a seed through every command that has something to say about it, and look at all it says."""
    text = scenario(seed)
    stated = yaml.safe_load(text)
    monkeypatch.chdir(folder)
    Path("s.yaml").write_text(text, encoding="utf-8")
    for arguments in commands(stated):
        status = run(arguments, monkeypatch)
        said = capsys.readouterr()
        assert status == 0, (seed, arguments, said.err)
        assert not NOTHING.search(said.out), (seed, arguments, NOTHING.search(said.out))
    for path in sorted(folder.rglob("*.*")):
        for missing in missing_in(path):
            raise AssertionError((seed, path.relative_to(folder), missing))
    content = results_in(folder / "run")
    for name, case in content["cases"].items():
        for side in (case, case.get("at_once")):
            if side:
                consistent(side, content, f"seed {seed}, case {name}")


def commands(stated: dict[str, Any]) -> Iterator[list[str]]:
    """The commands that have something to say about a scenario."""
    yield ["run", "s.yaml", "-o", "run", "--jobs", "1"]
    yield ["monitor", "s.yaml", "-o", "monitor"]
    yield ["protocol", "s.yaml"]
    yield ["trace", "s.yaml", "-o", "trace"]
    if "observed" in stated:
        yield ["check", "s.yaml", "-o", "check"]
    if "variants" in stated:
        yield ["whatif", "s.yaml", "-o", "whatif", "--jobs", "1"]
    if "sensitivity" in stated:
        yield ["sensitivity", "s.yaml", "-o", "sensitivity", "--replicates", "100", "--jobs", "1"]


# -- what must not be in a file


class Words(HTMLParser):
    """The text of a page, without its style and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in ("style", "script"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.found.append(data)


def missing_in(path: Path) -> Iterator[str]:
    """Where a file says None, NaN or infinity."""
    if path.suffix not in (".html", ".md", ".csv", ".json", ".svg"):
        return
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        texts = list(strings(json.loads(text, parse_constant=lambda found: f" {found} ")))
    elif path.suffix in (".html", ".svg"):
        words = Words()
        words.feed(text)
        texts = words.found
    else:
        texts = text.splitlines()
    for each in texts:
        if NOTHING.search(each):
            yield each[:300]


def strings(value: Any) -> Iterator[str]:
    """Every text in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


# -- what must come out


def consistent(case: dict[str, Any], content: dict[str, Any], where: str) -> None:
    """The identities of a case, exact and simulated, by results.json alone."""
    count = content["replicates"]
    exact = case["exact"]
    sides = {
        "exact": exact,
        "simulated": case["simulated"] and {q: each["estimate"] for q, each in case["simulated"].items()},
    }
    for side, values in sides.items():
        if not values:
            continue
        at = f"{where}, {side}"
        assert math.isclose(sum(values[q] for q in ENDS), 1, abs_tol=ROUNDED), at
        assert math.isclose(values["pet"], sum(values[q] for q in PET), abs_tol=ROUNDED), at
        assert values["p_go_early"] <= values["p_go"] + ROUNDED, at
        for name, value in values.items():
            if name.startswith("p_") or name == "pet":
                assert -ROUNDED <= value <= 1 + ROUNDED, (at, name)
        for name, mean in (("n", "en"), ("responses", "responses"), ("toxicities", "toxicities")):
            found = case["distributions"][name][side]
            if found is not None:
                total = 1 if side == "exact" else count
                assert math.isclose(sum(found), total, rel_tol=ROUNDED), (at, name)
                average = sum(k * p for k, p in enumerate(found)) / total
                assert math.isclose(average, values[mean], rel_tol=1e-8, abs_tol=ROUNDED), (at, name)
        doses = len(content["doses"])
        for stem, whole in (("patients", "en"), ("responses", "responses"), ("toxicities", "toxicities")):
            parts = sum(values[f"{stem}_dose_{k + 1}"] for k in range(doses))
            assert math.isclose(parts, values[whole], rel_tol=1e-8, abs_tol=ROUNDED), (at, stem)
        assert values["en_evaluable"] <= values["en"] + ROUNDED, at
        assert values["responses"] <= values["en_evaluable"] + ROUNDED, at
        own = content["cohorts"] is not None and content["cohorts"]["rules"] == "own"
        restarts = content["question"]["after_dose_change"] == "restart"
        if not own and not restarts:
            counted = "en_evaluable" if content["evaluability"]["replaced"] else "en"
            assert values[counted] <= content["design"]["n"] + 1e-6, at
    for name in case["z"]:
        entry = next(q for q in QUANTITIES if name == q.name or name.startswith(f"{q.name}_"))
        if entry.kind == "probability":
            assert count * exact[name] * (1 - exact[name]) >= LEAST_VARIANCE * (1 - ROUNDED), (where, name)
    assert not case["disagreements"], where
