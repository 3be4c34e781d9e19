"""Folders whose random numbers were drawn in another way: read, worked out again, and the difference is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import trialsim
from tests.helpers import TEACHING, run
from trialsim.engine import ledger, operating
from trialsim.engine.ledger import Ledger
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import trials_of
from trialsim.errors import OutputError
from trialsim.kernels import streams
from trialsim.scenario.compiled import Compiled
from trialsim.varying import answers, compare

OLD = streams.STREAM_VERSION - 1


def of_old_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (streams, operating, answers, compare, ledger):
        monkeypatch.setattr(module, "STREAM_VERSION", OLD)


SET = ["--set", "truth.active.response=0.4"]
ASKED = {
    "run": ["run", str(TEACHING)],
    "whatif": ["whatif", str(TEACHING), *SET],
    "compare": ["compare", str(TEACHING), str(TEACHING.parent / "simon-constrained.yaml")],
}


@pytest.mark.parametrize("command", ASKED)
def test_reproduce_says_that_the_streams_differ(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as then:
        of_old_streams(then)
        assert run([*ASKED[command], "-o", "out", "--replicates", "300"], then) == 0
        assert trialsim.reproduce("out") == (True, ())
    assert json.loads(Path("out/results.json").read_bytes())["streams"] == OLD
    same, differences = trialsim.reproduce("out")
    assert not same
    assert differences[0] == (
        f"The random streams differ: the folder is of version {OLD}, this trialsim of version "
        f"{streams.STREAM_VERSION}. Simulated numbers then differ by chance, within their errors; exact ones do not."
    )
    assert any("simulated" in line for line in differences[1:])
    assert not any(".exact." in line for line in differences)
    capsys.readouterr()
    assert run(["reproduce", "out"], monkeypatch) == 1
    assert differences[0] in capsys.readouterr().err


def test_nothing_is_said_where_the_streams_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*ASKED["run"], "-o", "out", "--replicates", "200"], monkeypatch) == 0
    path = Path("out/results.json")
    content = json.loads(path.read_bytes())
    content["replicates"] = 201
    del content["seal"]
    path.write_text(json.dumps(content), encoding="utf-8")
    (path.parent / "environment.json").unlink()
    same, differences = trialsim.reproduce("out")
    assert not same
    assert not any("random streams" in line for line in differences)


def test_a_ledger_of_other_streams_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = trials_of(Compiled.of(trialsim.load(str(TEACHING))))
    path = tmp_path / "ledger"
    with monkeypatch.context() as then:
        of_old_streams(then)
        with Ledger(path, "x") as kept:
            tallies(trials, 300, 1, ledger=kept)
    with (
        pytest.raises(OutputError, match=f"the layout of random numbers was {OLD}, now"),
        Ledger(path, "x", resume=True) as kept,
    ):
        tallies(trials, 300, 1, ledger=kept)
