"""Calendar time: the same bits on either kernel, for any block size; and variants that share their patients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import unrendered
from trialsim.engine import timed as module
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import trials_of
from trialsim.engine.timed import Timed, timed
from trialsim.kernels import patient as field
from trialsim.kernels.streams import stream_key
from trialsim.reporting.run.folder import report
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario


@pytest.mark.parametrize("block", [1, 777, 100_000])
def test_block_size(block: int, dasatinib: Scenario) -> None:
    trials = trials_of(Compiled.of(dasatinib))
    few = 500 if block == 1 else 3_000
    assert tallies(trials, few, 5, block=block) == tallies(trials, few, 5, jobs=1)


def test_either_kernel_gives_the_same_report(
    dasatinib: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every number of results.json, with and without the quick kernel."""
    unrendered(monkeypatch)
    assert all(trials.abreast for trials in timed(Compiled.of(dasatinib)).values())
    report(dasatinib, tmp_path / "quick", replicates=1_000)
    monkeypatch.setattr(module, "runs_abreast", lambda *_: False)
    assert not any(trials.abreast for trials in timed(Compiled.of(dasatinib)).values())
    report(dasatinib, tmp_path / "readable", replicates=1_000)
    quick, readable = (tmp_path / name / "results.json" for name in ("quick", "readable"))
    assert quick.read_bytes() == readable.read_bytes()


def test_either_kernel_gives_the_same_rows_at_full_size(dasatinib: Scenario) -> None:
    for trials in timed(Compiled.of(dasatinib)).values():
        key, readable = stream_key(99), replace(trials, abreast=False)
        assert np.array_equal(trials.rows(key, 10**6, 4_000), readable.rows(key, 10**6, 4_000))


def test_variants_see_the_same_patients(dasatinib: Scenario) -> None:
    """A change of the lag or of a rate leaves every other word where it was: common random numbers."""
    rules = compile_rules(dasatinib)
    one = timed(Compiled.of(dasatinib))["active"]
    lagged = Timed.of(rules, one.calendar._replace(lag=0), one.thresholds)
    key = stream_key(3)
    rows, patients = one.treated(key, 0, 200)
    _, others = lagged.treated(key, 0, 200)
    same = differ = 0
    for a, b in zip(patients, others, strict=True):
        both = (a[:, field.TOXICITY_KNOWN] > 0) & (b[:, field.TOXICITY_KNOWN] > 0)
        assert np.array_equal(a[both, field.STARTED], b[both, field.STARTED])  # the lag delays nobody
        alike = both & (a[:, field.LEVEL] == b[:, field.LEVEL])
        assert np.array_equal(
            a[alike, field.STARTED : field.RESPONDER + 1], b[alike, field.STARTED : field.RESPONDER + 1]
        )
        same += int(alike.sum())
        differ += int((both & ~alike).sum())
    assert same > 5_000
    assert differ > 500
    assert len(rows) == 200
