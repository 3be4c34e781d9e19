"""Faults planted one at a time in a copy of the package: `trialsim qualify` fails, and names the requirement.

The copy is what a wheel leaves: the package with its examples, and the list of its files beside it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import trialsim
from tests.helpers import ROOT
from trialsim.qualification import installation, operation
from trialsim.qualification.qualify import Qualification, qualify
from trialsim.qualification.tables import REFERENCES
from trialsim.version import __version__

OQ = {reference.file: f"OQ-{k}" for k, reference in enumerate(REFERENCES, start=1)}
WORDS, REFUSALS, RECORDED = (f"OQ-{len(REFERENCES) + k}" for k in (1, 2, 3))
DIST_INFO = f"trialsim-{__version__}.dist-info"


@dataclass(frozen=True)
class Fault:
    """What is changed in which file of the package, the test that finds it, and what the test must say."""

    file: str
    old: str
    new: str
    test: str
    told: str = ""

    def plant(self, package: Path) -> None:
        path = package / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) >= 1, (
            f"{self.file} has no {self.old!r} any more: the fault must be planted anew"
        )
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")
        if self.file.startswith(("kernels/", "codes")):
            # numba's cache does not see an edit of a function that another file's kernel calls
            for compiled in (package / "kernels" / "__pycache__").glob("*.nb?"):
                compiled.unlink()


def last_row(name: str) -> str:
    """The last row of a table, so that it can be left out."""
    return (installation.DATA / name).read_text(encoding="utf-8").splitlines(keepends=True)[-1]


DATA = "qualification/data"
FAULTS = {
    # reference numbers
    "a digit of Simon's type I error": Fault(
        f"{DATA}/simon.csv", "0.0415936463721", "0.0415936493721", OQ["simon"], "exact_type1"
    ),
    "a row of a table left out": Fault(
        f"{DATA}/bayes_point.csv", last_row("bayes_point.csv"), "", OQ["bayes_point"], "rows of the table"
    ),
    "two digits of a mean swapped": Fault(
        f"{DATA}/history.csv", "0.156425194278", "0.156425194287", OQ["history"], "mean_type1"
    ),
    "a table altered": Fault(f"{DATA}/inference.csv", "0.", "1.", "IQ-2", "table inference.csv"),
    # designs
    "Simon's last cut-off off by one": Fault(
        "designs/simon.py", "np.clip(r + 1 - np.arange", "np.clip(r - np.arange", OQ["simon"], "exact_power"
    ),
    "the rate of a BOP2 boundary": Fault(
        "designs/bop2.py", "posterior_above(m, prior, p0) for", "posterior_above(m, prior, p0 + 0.01) for",
        OQ["bop2_boundaries"], "cut-offs",
    ),
    "Bryant and Day's second stage off by one": Fault(
        "designs/bryant_day.py", "np.clip(responses - np.arange", "np.clip(responses - 1 - np.arange",
        OQ["bryant_day_exhaustive"], "alpha_r",
    ),
    "a toxicity cut-off at m of m forgotten": Fault(
        "designs/crossing.py", "if bounds[m] <= m:", "if bounds[m] < m:", OQ["toxicity_rules"], "p_act"
    ),
    "a tie of two doses decided the other way": Fault(
        "designs/dose_choice.py", "higher = gain > self.more_than", "higher = gain >= self.more_than",
        OQ["dose/randomise_after_trigger"], "lower_go",
    ),
    # inference and monitoring
    "both tails of an interval": Fault(
        "inference/intervals.py", "(1 - confidence) / 2", "(1 - confidence)", OQ["inference"], "95"
    ),
    "the last stage for the first": Fault(
        "inference/estimators.py", "return outcomes.first_rate", "return outcomes.last_rate", OQ["inference"], "umvue"
    ),
    "a cut-off of a redesign off by one": Fault(
        "monitoring/redesign.py", "            low = middle + 1\n    return low\n",
        "            low = middle + 1\n    return low + 1\n", OQ["running/redesign"], "c2",
    ),
    # reading
    "a first stage larger than the trial let through": Fault(
        "designs/error_rates.py", "    if n1 >= n:", "    if n1 >= n + 50:", REFUSALS, "n1: 40"
    ),
    # random numbers
    "a wrong word of the generator": Fault(
        "kernels/streams.py", "np.uint64(0x9E3779B9)", "np.uint64(0x9E3779B8)", WORDS, "Philox"
    ),
    "a wrong word of the seed": Fault("kernels/streams.py", "digest[4:8]", "digest[8:12]", WORDS, "key of seed"),
    # exact answers
    "toxicities above a bound in place of at it, in the chain": Fault(
        "kernels/chain.py", "crossable and t >= bound", "crossable and t > bound", "PQ-1", "protocol"
    ),
    "a swapped sign in the chain": Fault(
        "kernels/chain.py", "target[x + 1] += p * source[x]", "target[x + 1] -= p * source[x]", "PQ-1", "protocol"
    ),
    "a mean a little too large": Fault(
        "engine/exact.py", '"responses": responders.sum(),', '"responses": responders.sum() + 1e-9,', "PQ-1",
        "responses, protocol",
    ),
    "an odds ratio turned round": Fault(
        "scenario/truth.py", "s = 1 + (p_response + p_toxicity) * (odds_ratio - 1)",
        "s = 1 - (p_response + p_toxicity) * (odds_ratio - 1)", "PQ-1",
    ),
    # simulated trials
    "toxicities above a bound in place of at it, in the kernel": Fault(
        "kernels/trial.py", "crossed = toxic_n[lane] >= bound", "crossed = toxic_n[lane] > bound", "PQ-2", "trial"
    ),
    "a go at one response more": Fault(
        "kernels/trial.py", "responses[lane] >= tables.attained_ge[m]", "responses[lane] > tables.attained_ge[m]",
        "PQ-2", "trial",
    ),
    "more patients than are counted": Fault(
        "kernels/trial.py", "crossed = toxic_n[lane] >= bound", "crossed = toxic_n[lane] > bound", "PQ-3", "example"
    ),
    "an amendment that takes no time": Fault(
        "scenario/calendar.py", "lag=ticks(conduct.amendment_lag_weeks)", "lag=0", RECORDED, "example restart"
    ),
    "gaps between patients too long in one of two kernels": Fault(
        "kernels/clock.py", "return (e + 32) >> 6", "return (e + 320000) >> 6", "PQ-6", "of case"
    ),
    # the same bits
    "trials that come again in every block": Fault(
        "engine/montecarlo.py", "trials.tally(key, first, min", "trials.tally(key, first - chunk.first, min",
        "PQ-5", "in one piece",
    ),
    "a replicate lost where a run goes on": Fault(
        "engine/montecarlo.py", "            reached = stop\n", "            reached = stop + 1\n", "PQ-7", "case"
    ),
    # the installation
    "a file altered": Fault("results.py", '"""', '"""\n', "IQ-1", "trialsim/results.py"),
    "an example altered": Fault("configs/teaching.yaml", "p0: 0.10", "p0: 0.11", "IQ-1", "configs/teaching.yaml"),
    "a library that is too old": Fault(f"../{DIST_INFO}/METADATA", "numpy>=", "numpy>=9", "IQ-3", "numpy"),
}  # fmt: skip
"""At least twenty, each in a place of its own."""


def as_installed(place: Path) -> Path:
    """A copy of the package as a wheel leaves it."""
    package = place / "trialsim"
    shutil.copytree(Path(trialsim.__file__).parent, package)
    shutil.copytree(ROOT / "configs", package / "configs", dirs_exist_ok=True)
    beside = place / DIST_INFO
    beside.mkdir()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = "".join(f"Requires-Dist: {each}\n" for each in project["dependencies"])
    python = f"Requires-Python: {project['requires-python']}\n"
    (beside / "METADATA").write_text(
        f"Name: trialsim\nVersion: {__version__}\n{python}{needs}", encoding="utf-8"
    )
    lines = []
    for path in sorted(
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ):
        made = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")
        lines.append(f"{path.relative_to(place).as_posix()},sha256={made},{path.stat().st_size}\n")
    (beside / "RECORD").write_text("".join(lines), encoding="utf-8")
    return package


def asked(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`trialsim qualify` of the copy, in a folder outside the repository."""
    environment = {**os.environ, "PYTHONPATH": str(place)}
    return subprocess.run(
        [sys.executable, "-m", "trialsim", "qualify", "--seed", "7", *arguments],
        cwd=place, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught_and_named(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    fault.plant(as_installed(tmp_path))
    done = asked(tmp_path, "--only", fault.test, "--json")
    assert done.returncode == 1, done.stderr
    (test,) = json.loads(done.stdout)["tests"]
    assert (test["id"], test["result"]) == (fault.test, "fail")
    assert test["requirement"] and fault.told in " ".join(test["told"])


@pytest.mark.slow
def test_without_a_fault_every_test_passes(tmp_path: Path) -> None:
    as_installed(tmp_path)
    done = asked(tmp_path, "-o", "report", "--docx")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    assert found["passed"] and found["counts"] == {"pass": len(found["tests"]), "fail": 0, "not done": 0}
    assert sum(test["compared"] for test in found["tests"]) > 30_000
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {"report.html", "report.docx"}


def test_at_least_twenty_faults_are_planted() -> None:
    assert len(FAULTS) >= 20
    assert len({(fault.file, fault.old) for fault in FAULTS.values()}) >= 20
    assert {fault.test[:2] for fault in FAULTS.values()} == {"IQ", "OQ", "PQ"}


# -- four of them without a copy, in every run


def a_digit(patch: pytest.MonkeyPatch, place: Path) -> str:
    """Of a reference table, and of the digests beside it."""
    shutil.copytree(installation.DATA, place / "data")
    path = place / "data" / "curtailed_stochastic.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("0.0450190605196606", "0.0450190705196606"), encoding="utf-8")
    patch.setattr(installation, "DATA", place / "data")
    patch.setattr(operation, "rows", lambda name: REAL_ROWS(name, place / "data"))
    return OQ["curtailed_stochastic"]


REAL_ROWS = operation.rows


def a_table(patch: pytest.MonkeyPatch, place: Path) -> str:
    a_digit(patch, place)
    return "IQ-2"


def a_seed(patch: pytest.MonkeyPatch, _place: Path) -> str:
    patch.setattr(operation, "stream_key", lambda seed: (np.uint64(seed % 2**32), np.uint64(1)))
    return WORDS


def a_file(patch: pytest.MonkeyPatch, place: Path) -> str:
    package = place / "trialsim"
    package.mkdir()
    (place / DIST_INFO).mkdir()
    (package / "here.py").write_text("changed = True\n", encoding="utf-8")
    (package / "stranger.py").write_text("", encoding="utf-8")
    stated = base64.urlsafe_b64encode(hashlib.sha256(b"changed = False\n").digest()).decode().rstrip("=")
    record = f"trialsim/here.py,sha256={stated},16\ntrialsim/gone.py,sha256={stated},16\n"
    (place / DIST_INFO / "RECORD").write_text(record, encoding="utf-8")
    patch.setattr(installation, "PACKAGE", package)
    return "IQ-1"


PLANTED: dict[str, tuple[Callable[[pytest.MonkeyPatch, Path], str], str, int]] = {
    "a digit": (a_digit, "alpha", 1),
    "a table": (a_table, "curtailed_stochastic.csv", 1),
    "a seed": (a_seed, "key of seed 0", 3),
    "a file": (a_file, "trialsim/here.py", 3),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_is_caught_and_named_in_the_report(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, told, times = PLANTED[name]
    test = plant(monkeypatch, tmp_path)
    found = qualify(only=test, seed=7)
    (result,) = found.results
    assert (result.outcome, result.different, found.passed) == ("fail", times, False)
    assert told in " ".join(result.told)
    text = str(found)
    assert test in text and result.test.requirement in " ".join(text.split())
    assert "Do not use this installation" in text


def test_the_same_without_a_fault() -> None:
    for test in (OQ["curtailed_stochastic"], "IQ-2", WORDS):
        found: Qualification = qualify(only=test, seed=7)
        assert found.counts == {"pass": 1, "fail": 0, "not done": 0}


def test_what_ends_in_an_error_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "DIGESTS", Path("nowhere"))
    (result,) = qualify(only="IQ-2", seed=7).results
    assert result.outcome == "fail" and "FileNotFoundError" in result.told[0]


def test_the_same_seed_is_the_same_answer_and_a_fresh_one_is_stated() -> None:
    one, two = (qualify(only="PQ-2", seed=3, on="2026-03-31").to_dict() for _ in range(2))
    assert one == two
    fresh = [qualify(only="IQ-4") for _ in range(2)]
    assert fresh[0].seed != fresh[1].seed
    assert f"trialsim qualify --only IQ-4 --seed {fresh[0].seed}" in str(fresh[0])


def test_what_cannot_be_asked_is_refused() -> None:
    for wrong, words in (({"only": "XQ"}, "no test has that number"), ({"on": "31.3.2026"}, "write it as")):
        with pytest.raises(trialsim.DesignError, match=words):
            qualify(**wrong)


def test_the_digests_and_the_record_are_current() -> None:
    """After a change that the changelog tells: python tools/record.py."""
    (tables,) = qualify(only="IQ-2", seed=7).results
    assert tables.outcome == "pass", tables.told
    (recorded,) = qualify(only=RECORDED, seed=7).results
    assert recorded.outcome == "pass", recorded.told


@pytest.mark.parametrize("word", ["validated", "proved"])
def test_words_that_are_never_used_of_it(word: str) -> None:
    found = qualify(only="IQ", seed=7)
    assert word not in str(found.report()).lower()
    for place in (
        "reporting/qualify.py",
        "cli/qualify.py",
        "qualification/testing.py",
        "qualification/qualify.py",
    ):
        assert word not in (Path(trialsim.__file__).parent / place).read_text(encoding="utf-8").lower()
