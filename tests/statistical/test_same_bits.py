"""Same scenario and seed, same bits: any number of workers, backend and block size; and the memory stays the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest

from tests.helpers import DASATINIB as SCENARIO
from tests.helpers import SMALL, TEACHING, run, unrendered
from trialsim.engine import montecarlo
from trialsim.engine.montecarlo import _Chunk, _simulate, cluster, tallies
from trialsim.engine.trials import untimed
from trialsim.errors import TrialsimError
from trialsim.reporting.run.folder import report
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load, parse

REPLICATES = 20_000
"""Two blocks and a half."""


@pytest.fixture(scope="module")
def one_job(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return results_bytes(tmp_path_factory.mktemp("one") / "run", SMALL, jobs=1)


@pytest.fixture(scope="module")
def two_processes() -> Iterator[Any]:
    """A dask scheduler with two workers, each a process with one thread."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as found:
        yield found


def results_bytes(folder: Path, text: str, jobs: int | None = None) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        unrendered(patch)
        report(parse(text), folder, replicates=REPLICATES, jobs=jobs, scenario_text=text)
    return (folder / "results.json").read_bytes()


def test_two_threads(tmp_path: Path) -> None:
    text = SCENARIO.read_text(encoding="utf-8")
    one, two = (results_bytes(tmp_path / str(jobs), text, jobs=jobs) for jobs in (1, 2))
    assert one == two


def test_loky_processes(one_job: bytes, tmp_path: Path) -> None:
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert results_bytes(tmp_path / "run", SMALL) == one_job


def test_dask_cluster_of_two_processes(one_job: bytes, two_processes: Any, tmp_path: Path) -> None:
    from distributed import Client

    with Client(two_processes), joblib.parallel_config(backend="dask"):
        assert results_bytes(tmp_path / "run", SMALL) == one_job


def test_dask_from_the_command_line(
    two_processes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unrendered(monkeypatch)
    address, folder = two_processes.scheduler_address, str(tmp_path / "run")
    stated = ["run", str(TEACHING), "--replicates", str(REPLICATES)]
    assert run([*stated, "-o", folder, "--dask", address], monkeypatch) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert run([*stated, "-o", str(tmp_path / "here"), "--jobs", "1"], monkeypatch) == 0
    assert (tmp_path / "run/results.json").read_bytes() == (tmp_path / "here/results.json").read_bytes()
    assert run(["reproduce", folder, "--dask", address], monkeypatch) == 0


def test_chunks_are_simulated_by_the_workers_of_the_cluster(two_processes: Any) -> None:
    scenario = load(SCENARIO)
    cases = untimed(compile_rules(scenario), Compiled.of(scenario).rates)
    told: list[int] = []
    with cluster(two_processes.scheduler_address):
        found = tallies(cases, REPLICATES, 5, progress=told.append)
    assert found == tallies(cases, REPLICATES, 5, jobs=1)
    assert sum(told) == len(cases) * REPLICATES and len(told) > len(cases)
    with two_processes.get_client() as client:
        assert all(client.run(lambda: "trialsim.kernels.trial" in sys.modules).values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dask", "tcp://127.0.0.1:1"], "no dask scheduler answers at tcp://127.0.0.1:1"),
        (["--dask", "nonsense"], "no dask scheduler answers at nonsense"),
        (["--dask", "tcp://127.0.0.1:1", "--jobs", "2"], "--jobs is for this machine"),
    ],
)
def test_a_cluster_that_is_not_there(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(montecarlo, "CONNECT_SECONDS", 1)
    assert run(["run", str(SCENARIO), "-o", str(tmp_path / "run"), *arguments], monkeypatch) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_dask_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(TrialsimError, match=r'pip install "trialsim\[dask\]"'), cluster("tcp://127.0.0.1:1"):
        pytest.fail("there is no cluster")


def test_a_cluster_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    def no_worker(*_: object, **__: object) -> None:
        raise TimeoutError  # what joblib raises after ten seconds

    monkeypatch.setattr("joblib.effective_n_jobs", no_worker)
    scenario = load(SCENARIO)
    cases = untimed(compile_rules(scenario), Compiled.of(scenario).rates)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        pytest.raises(TrialsimError, match="has no workers"),
        cluster(empty.scheduler_address),
    ):
        tallies(cases, 1000, 5)


def test_a_worker_of_another_version_is_refused() -> None:
    scenario = load(SCENARIO)
    trials = untimed(compile_rules(scenario), Compiled.of(scenario).rates)["active"]
    with pytest.raises(TrialsimError, match=r"this machine 0\.0"):
        _simulate(_Chunk("active", trials, 5, 0, 10, version="0.0"))


@pytest.mark.parametrize("block", [1, 777, 100_000])
def test_block_size(block: int) -> None:
    scenario = load(SCENARIO)
    cases = untimed(compile_rules(scenario), Compiled.of(scenario).rates)
    few = 2_500 if block == 1 else REPLICATES
    assert tallies(cases, few, 5, block=block) == tallies(cases, few, 5, jobs=1)


def test_a_run_is_a_prefix_of_a_longer_run() -> None:
    """Replicate k is the same trial however many follow: tallies of two parts add up to the whole."""
    scenario = load(SCENARIO)
    trials = untimed(compile_rules(scenario), Compiled.of(scenario).rates)["active"]
    parts = [_simulate(_Chunk("a", trials, 5, first, 1000, 512)) for first in (0, 1000)]
    assert parts[0].tally + parts[1].tally == tallies({"a": trials}, 2000, 5)["a"]


PEAK = """
import resource, sys
from trialsim.engine.montecarlo import tallies
from trialsim.engine.trials import untimed
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load

scenario = load(sys.argv[1])
tallies(untimed(compile_rules(scenario), Compiled.of(scenario).rates), int(sys.argv[2]), 1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_replicates(tmp_path: Path) -> None:
    """A hundred million replicates of ten patients need the memory of a million."""
    from tests.statistical.test_kill_resume import SMALL as TEN

    path = tmp_path / "small.yaml"
    path.write_text(TEN, encoding="utf-8")

    def peak(replicates: int) -> int:
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(path), str(replicates)],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    peak(1000)  # compiles, should that be needed
    assert peak(100_000_000) < 1.1 * peak(1_000_000)
