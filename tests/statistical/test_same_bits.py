"""Same scenario and seed, same bits: any number of workers, backend and block size."""

from __future__ import annotations

from pathlib import Path

import joblib
import pytest

from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import rates_of
from trialsim.reporting import report
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load

SCENARIO = Path(__file__).parents[2] / "configs" / "dasatinib.yaml"
REPLICATES = 30_000


@pytest.fixture(scope="module")
def one_job(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return results_bytes(tmp_path_factory.mktemp("one") / "run", jobs=1)


def results_bytes(folder: Path, jobs: int | None = None) -> bytes:
    report(load(SCENARIO), folder, replicates=REPLICATES, jobs=jobs)
    return (folder / "results.json").read_bytes()


def test_two_threads(one_job: bytes, tmp_path: Path) -> None:
    assert results_bytes(tmp_path / "run", jobs=2) == one_job


def test_loky_processes(one_job: bytes, tmp_path: Path) -> None:
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert results_bytes(tmp_path / "run") == one_job


def test_dask_cluster_of_two_processes(one_job: bytes, tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, Client(cluster), joblib.parallel_config(backend="dask"):
        assert results_bytes(tmp_path / "run") == one_job


@pytest.mark.parametrize("block", [1, 777, 100_000])
def test_block_size(block: int) -> None:
    scenario = load(SCENARIO)
    rules, rates = compile_rules(scenario), rates_of(scenario)
    few = 2_500 if block == 1 else REPLICATES
    assert tallies(rules, rates, few, 5, block=block) == tallies(rules, rates, few, 5, jobs=1)


def test_a_run_is_a_prefix_of_a_longer_run() -> None:
    """Replicate k is the same trial however many follow: tallies of two parts add up to the whole."""
    from trialsim.engine.compiled import tables_of
    from trialsim.engine.montecarlo import _Chunk, _simulate

    scenario = load(SCENARIO)
    rules, rates = compile_rules(scenario), rates_of(scenario)["active"]
    tables, thresholds = tables_of(rules), rates.thresholds()
    parts = [_simulate(_Chunk("a", tables, thresholds, 5, first, 1000, 512)) for first in (0, 1000)]
    assert parts[0] + parts[1] == tallies(rules, {"a": rates}, 2000, 5)["a"]
