"""Seconds to a stated error: a trial in calendar time with and without its twin as a control, and the NumPy twin."""

from __future__ import annotations

import math
import statistics
from functools import partial

from benchmarks import timed_numpy_twin
from benchmarks.calendar_time import DASATINIB, SEED
from benchmarks.measure import Row, rounds
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import in_pairs, simulate, trials_of
from trialsim.engine.timed import Timed
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load

MCSE = 0.0005
SHOWN = ("p_go", "p_stop_futility", "p_stop_toxicity", "en", "responses", "duration_months")


def rows(quick: bool) -> list[Row]:
    """Variance factors of every case, and what they are worth in time for P(go) of the active one."""
    trial = Compiled.of(load(DASATINIB))
    results = simulate(trial, replicates=20_000 if quick else 200_000, seed=SEED, totals=False)
    found = []
    for oc in results.cases:
        factors = ", ".join(f"{name} {oc.adjusted[name].variance_factor or math.inf:.1f}" for name in SHOWN)
        found.append(Row(f"variance plain / adjusted, dasatinib, {oc.case}", factors))
    stated = trials_of(trial)
    main, pair = stated["active"], in_pairs(trial, stated)["active"]
    assert isinstance(main, Timed)
    size = 16_384 if quick else 65_536
    twin = partial(timed_numpy_twin.simulate, trial.rules, main.calendar, main.thresholds, SEED, size)
    both = {"active": main, "twin": stated["active (outcomes known at once)"]}
    contenders = (
        partial(tallies, {"active": main}, size, SEED, jobs=1),
        partial(tallies, both, size, SEED, jobs=1),
        partial(tallies, {"active": pair}, size, SEED, jobs=1),
        twin,
    )
    for run in contenders:
        run()
    times = rounds(3 if quick else 7, *contenders)
    each = [statistics.median(own) / size for own in times]
    active = results["active"]
    assert active.simulated is not None
    errors = active.simulated.values["p_go"].mcse, active.adjusted["p_go"].mcse
    plain, adjusted = (active.simulated.replicates * (error / MCSE) ** 2 for error in errors)
    what = f"seconds to an mcse of {MCSE} of P(go), dasatinib, active, one core"
    cost = statistics.median(c / b for b, c in zip(times[1], times[2], strict=True)) - 1
    return [
        *found,
        Row("products of a trial and its twin: time they add to both", f"{cost:+.1%}"),
        Row(f"{what}: plain, with the twin as a check", f"{plain * each[1]:.2f} s ({plain:,.0f} trials)"),
        Row(f"{what}: the trial alone, plain", f"{plain * each[0]:.2f} s"),
        Row(
            f"{what}: adjusted v the NumPy twin",
            f"{adjusted * each[2]:.2f} s ({adjusted:,.0f} trials) v {plain * each[3]:.1f} s",
            plain * each[3] / (adjusted * each[2]),
        ),
        Row(
            f"{what}: adjusted v plain",
            f"{adjusted * each[2]:.2f} v {plain * each[1]:.2f} s",
            plain * each[1] / (adjusted * each[2]),
        ),
    ]
