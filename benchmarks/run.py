"""What trialsim's engines cost, measured beside straightforward NumPy on the same machine at the same moment.

    python -m benchmarks.run [--quick]

Absolute times belong to the machine; the ratios are what to compare. Everything but the scaling runs on one core,
contenders take turns in every round, and medians over rounds are printed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks import calendar_time, controls, numpy_twin, plain_search, sensitivity, startup, status
from benchmarks.measure import Row, rounds, seconds
from trialsim.codes import CONTINUE, FINAL_GO, GO_EARLY, NEVER, REDUCE, STOP
from trialsim.designs import bryant_day
from trialsim.designs.rules import Monitor, Rules, two_way
from trialsim.designs.simon import search
from trialsim.designs.target import Target
from trialsim.designs.toxicity import Pocock
from trialsim.engine.compiled import tables_of
from trialsim.engine.exact import distribution
from trialsim.engine.montecarlo import tallies
from trialsim.engine.trials import untimed
from trialsim.errors import DesignError
from trialsim.kernels.streams import stream_key
from trialsim.kernels.trial import END, N, columns, simulate
from trialsim.scenario.truth import Rates

SEED = 2011


def rules(n1: int, r1: int, n: int, r: int, monitored: bool = True) -> Rules:
    """Simon's design; two doses under a Pocock boundary that reduces, then stops; or one dose without a rule."""
    looks = two_way((n1, n), (r1, r), (None, r))
    if not monitored:
        return Rules(looks, Monitor(((NEVER,) * (n + 1),), (0,), (CONTINUE,)), False, n)
    bounds = Pocock(kind="pocock", limit=0.3, phi=0.1).compile(n, n)
    return Rules(looks, Monitor((bounds, bounds), (0, 0), (REDUCE, STOP)), False, n)


def two_doses(*response: float) -> Rates:
    """Response rates at two doses, of which the first is too toxic for the boundary."""
    return Rates(response, toxicity=(0.45, 0.32), odds_ratio=2.0, evaluable=0.9857)


def one_dose(response: float) -> Rates:
    """A response rate at one dose."""
    return Rates((response,), toxicity=(0.32,), odds_ratio=2.0, evaluable=0.9857)


TRIALS = {
    "dasatinib-like, 1/25 6/70, two doses": (rules(25, 1, 70, 6), two_doses(0.15, 0.11)),
    "3/19 12/54, two doses": (rules(19, 3, 54, 12), two_doses(0.3, 0.25)),
    "1/10 5/29, two doses": (rules(10, 1, 29, 5), two_doses(0.3, 0.25)),
    "3/19 12/54, no toxicity rule": (rules(19, 3, 54, 12, monitored=False), one_dose(0.3)),
    "1/10 5/29 at p0, no toxicity rule": (rules(10, 1, 29, 5, monitored=False), one_dose(0.1)),
}


def run_kernel(protocol: Rules, rates: Rates, replicates: int) -> NDArray[np.int32]:
    """The kernel as the Monte Carlo engine calls it, all replicates at once."""
    out = np.empty((replicates, columns(protocol.levels)), dtype=np.int32)
    nothing_kept = np.zeros((0, 0), dtype=np.int8)
    simulate(tables_of(protocol), rates.thresholds(), *stream_key(SEED), 0, out, nothing_kept)
    return out


def monte_carlo(quick: bool) -> list[Row]:
    """The kernel against the NumPy twin: the same trial, the same variables, the same columns filled."""
    replicates = 65536 if quick else 262144
    found = []
    for name, (protocol, rates) in TRIALS.items():
        kernel = partial(run_kernel, protocol, rates, replicates)
        twin = partial(numpy_twin.simulate, protocol, rates, SEED, replicates)
        exact = distribution(protocol, rates).values["p_go"]
        patients = []
        for who, run in (("the kernel", kernel), ("the NumPy twin", twin)):
            out = run()
            p_go = float(np.isin(out[:, END], (GO_EARLY, FINAL_GO)).mean())
            if abs(p_go - exact) > 4 * (exact * (1 - exact) / replicates) ** 0.5:
                sys.exit(
                    f"{who} disagrees with the exact answer on {name}: P(go) {p_go:.5f}, exact {exact:.5f}"
                )
            patients.append(int(out[:, N].sum()))
        times = rounds(5 if quick else 11, kernel, twin)
        ours, theirs = ([1e9 * t / all_ for t in own] for own, all_ in zip(times, patients, strict=True))
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        # without a toxicity rule the generators decide, and NumPy's is good
        floor = 2.2 if protocol.levels > 1 else 1
        found.append(
            Row(
                f"Monte Carlo kernel v NumPy twin: {name}",
                f"{statistics.median(ours):.1f} v {statistics.median(theirs):.1f} ns a patient",
                ratio,
                f"floor {floor}x",
                ratio >= floor,
            )
        )
    protocol, rates = next(iter(TRIALS.values()))
    (whole,) = rounds(5, partial(tallies, untimed(protocol, {"case": rates}), 100_000, SEED, jobs=1))
    found.append(
        Row("100,000 dasatinib-like trials, counted and summed", f"{statistics.median(whole) * 1e3:.0f} ms")
    )
    return found


def exact_chain(quick: bool) -> list[Row]:
    """The chain with dose reduction, Pocock boundary, toxicity stop at the last level and association."""
    found = []
    for protocol in (rules(10, 1, 29, 5), rules(19, 3, 54, 12), rules(30, 5, 100, 20)):
        times = [seconds(partial(distribution, protocol, truth)) for truth in scenarios(20 if quick else 100)]
        found.append(
            Row(
                f"exact chain, one scenario, n = {protocol.max_treated}",
                f"{statistics.median(times) * 1e3:.2f} ms",
            )
        )
    predicted = 10 * statistics.median(
        seconds(partial(many_scenarios, 1000)) for _ in range(1 if quick else 3)
    )
    name = "exact chain, 10,000 scenarios, n = 54"
    found.append(Row(f"{name} (10 x 1,000)", f"{predicted:.1f} s", None, "aim 10 s", predicted <= 10))
    if not quick:
        actual = seconds(partial(many_scenarios, 10_000))
        found.append(Row(f"{name} (all run)", f"{actual:.1f} s", None, "aim 10 s", actual <= 10))
    return found


def many_scenarios(count: int) -> None:
    """One trial of 54 patients under so many truths."""
    protocol = rules(19, 3, 54, 12)
    for truth in scenarios(count):
        distribution(protocol, truth)


def scenarios(count: int) -> list[Rates]:
    """As many different truths at two doses."""
    return [
        Rates(
            (0.1 + 0.3 * s, 0.08 + 0.25 * s),
            (0.5 - 0.2 * s, 0.35 - 0.15 * s),
            odds_ratio=2.0,
            evaluable=0.9857,
        )
        for s in np.linspace(0, 1, count).tolist()
    ]


Setting = tuple[float, float, float, float]


def settings(nmax: int, above: int) -> list[Setting]:
    """Every (p0, p1, alpha, beta) of a grid whose optimal design has above < n <= nmax."""
    grid = product(
        [k / 40 for k in range(1, 33)],
        (0.1, 0.125, 0.15, 0.2, 0.25),
        ((0.1, 0.1), (0.05, 0.2), (0.05, 0.1), (0.05, 0.05), (0.025, 0.1), (0.01, 0.2)),
    )
    found = []
    for p0, gain, (alpha, beta) in grid:
        if p0 + gain < 0.99:
            try:
                design = search(Target(p0, p0 + gain, alpha, beta, nmax)).optimal
            except DesignError:
                continue
            if design.n > above:
                found.append((p0, p0 + gain, alpha, beta))
    return found


def simon_search(quick: bool) -> list[Row]:
    """Optimal, minimax and all admissible designs in one search, everything compiled."""
    found = []
    for nmax, above in ((100, 0), (200, 100), (500, 200)):
        known = settings(nmax, above)
        some = [known[k * len(known) // 50] for k in range(50)]
        times = [min(rounds(3, partial(search, Target(*setting, nmax)))[0]) for setting in some]
        found.append(
            Row(
                f"Simon search, {above} < n <= {nmax}, 50 settings",
                f"{statistics.median(times) * 1e3:.2f} ms (slowest {max(times) * 1e3:.1f})",
            )
        )
        if nmax > 200:
            continue
        many = [known[k % len(known)] for k in range(500)]
        total = statistics.median(seconds(partial(search_all, many, nmax)) for _ in range(3))
        found.append(Row(f"Simon search, {above} < n <= {nmax}, 500 settings", f"{total:.2f} s"))
    toxic = partial(bryant_day.search, Target(0.3, 0.5, 0.1, 0.15), (0.4, 0.2))
    found.append(Row("Bryant-Day search, complete", f"{min(rounds(3, toxic)[0]) * 1e3:.0f} ms"))
    compared: list[tuple[Setting, int]] = [((0.05, 0.25, 0.1, 0.1), 40), ((0.1, 0.3, 0.05, 0.2), 50)]
    if not quick:
        compared.append(((0.2, 0.4, 0.05, 0.1), 70))
    for setting, nmax in compared:
        ours, theirs = search(Target(*setting, nmax)), plain_search.search(*setting, nmax)
        mine = tuple((d.r1, d.n1, d.r, d.n) for d in (ours.optimal, ours.minimax))
        if mine != theirs:
            sys.exit(f"the searches disagree on {setting}: {mine} and {theirs}")
        a, b = rounds(
            3, partial(search, Target(*setting, nmax)), partial(plain_search.search, *setting, nmax)
        )
        ratio = statistics.median(y / x for x, y in zip(a, b, strict=True))
        p0, p1, alpha, beta = setting
        found.append(
            Row(
                f"Simon search v NumPy and scipy.stats: {p0}, {p1}, {alpha}, {beta}, n <= {nmax}",
                f"{statistics.median(a) * 1e3:.2f} v {statistics.median(b) * 1e3:.0f} ms",
                ratio,
            )
        )
    return found


def search_all(many: Sequence[Setting], nmax: int) -> None:
    """One search after another."""
    for setting in many:
        search(Target(*setting, nmax))


def scaling(quick: bool) -> list[Row]:
    """One worker against two, beside what the second core is worth to anybody at that moment."""
    protocol, rates = next(iter(TRIALS.values()))
    replicates = 1_000_000 if quick else 4_000_000
    before = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    run = partial(tallies, untimed(protocol, {"case": rates}), replicates, SEED)
    contenders = [partial(run, jobs=jobs) for jobs in (1, 2)] + [partial(hash_many, jobs) for jobs in (1, 2)]
    times = rounds(3 if quick else 7, *contenders)
    found = []
    names = (
        f"{replicates:,} dasatinib-like trials, jobs 1 v 2",
        f"for comparison: sha256, 1 v 2 threads (load average before: {before:.1f})",
    )
    for name, one, two in zip(names, times[::2], times[1::2], strict=True):
        ratio = statistics.median(a / b for a, b in zip(one, two, strict=True))
        found.append(Row(name, f"{statistics.median(one):.2f} v {statistics.median(two):.2f} s", ratio))
    return found


def hash_many(jobs: int) -> None:
    """Work that two threads share perfectly, where there are two free cores."""
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(hashlib.sha256, [bytes(1 << 25)] * 24))


def machine() -> str:
    """Processor, cores and versions in a line."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    versions = f"python {platform.python_version()}, numba {numba.__version__}, numpy {np.__version__}"
    return f"{model}, {os.cpu_count()} cores, {platform.system()}; {versions}"


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| what | median | ratio | floor or aim |", "|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}x"
        verdict = "" if row.kept is None else ": kept" if row.kept else ": MISSED"
        lines.append(f"| {row.name} | {row.median} | {ratio} | {row.bound}{verdict} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return 1 if a floor or an aim was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, nothing that takes long")
    quick = parser.parse_args(arguments).quick
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if cores:
        os.sched_setaffinity(0, {min(cores)})
    rows = [*calendar_time.one_core(quick), *monte_carlo(quick), *exact_chain(quick), *simon_search(quick)]
    if cores:
        os.sched_setaffinity(0, cores)
    rows += [*controls.rows(quick), *calendar_time.all_cores(quick), *scaling(quick), *startup.rows(quick)]
    rows += status.rows(quick)
    if not quick:
        rows += [*sensitivity.rows(), *sensitivity.robust_search()]
    print(f"{machine()}\n\n{table(rows)}")
    return int(any(row.kept is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
