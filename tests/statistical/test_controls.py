"""Adjusted numbers cover the truth as often as they say, and depend on nothing but scenario, seed and replicates.

The truth of a trial in calendar time is not known: it is taken from all replicates of a study together, adjusted, which
is 45 times as precise as one of 2,000 seeds. Coverage of .95 over 2,000 seeds has a standard error of .0049. Cells were
fixed beforehand: the active case of the dasatinib trial, five quantities (one without a twin of its own), 2,000 and
20,000 replicates; and the smallest numbers of replicates at which each of the fallbacks applies.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import trialsim
from tests.helpers import config, first_of
from trialsim.designs.binomial import clopper_pearson
from trialsim.engine import operating
from trialsim.engine.controls import ALIKE, FEW, RARE
from trialsim.engine.ledger import Ledger
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import DISAGREE, exact_sides, in_pairs, trials_of
from trialsim.engine.tally import Tally
from trialsim.engine.with_twin import FIXED, Sides, WithTwin, adjustments, apart
from trialsim.kernels.streams import stream_key
from trialsim.results import Adjusted, Estimate
from trialsim.scenario.changes import changed
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

QUANTITIES = ("p_go", "p_stop_futility", "en", "responses", "duration_months")


class Study:
    """Batches of one case, each with a seed of its own."""

    def __init__(self, scenario: Scenario, case: str, quantities: tuple[str, ...] = QUANTITIES) -> None:
        trial = Compiled.of(scenario)
        self.pair = in_pairs(trial, trials_of(trial))[case]
        assert isinstance(self.pair, WithTwin)
        self.mu = exact_sides(trial, totals=False)[case].values  # type: ignore[union-attr]
        self.quantities = quantities

    def adjusted(self, tally: Tally) -> dict[str, tuple[Adjusted, Estimate]]:
        assert isinstance(self.pair, WithTwin)
        drawn = apart({"": tally})
        counted = Sides.of(self.pair.one, self.pair.twin, "", drawn)
        assert counted is not None
        values = self.pair.one.simulated(drawn[""]).values
        plain = {name: values[name] for name in self.quantities if name in values}
        return {name: (a, plain[name]) for name, a in adjustments(counted, plain, self.mu).items()}

    def coverage(self, replicates: int, seeds: range) -> dict[str, dict[str, float]]:
        """By quantity the shares of seeds whose interval, adjusted or plain, holds the truth, and of those adjusted."""
        found, total = [], None
        for seed in seeds:
            tally = self.pair.tally(stream_key(seed), 0, replicates)
            total = tally if total is None else total + tally
            found.append(self.adjusted(tally))
        assert total is not None
        truth = {name: a.estimate for name, (a, _) in self.adjusted(total).items()}
        return {
            name: {
                "adjusted": sum(f[name][0].low <= value <= f[name][0].high for f in found) / len(found),
                "plain": sum(f[name][1].low <= value <= f[name][1].high for f in found) / len(found),
                "leaning": sum(bool(f[name][0].controls) for f in found) / len(found),
                "bias": (sum(f[name][0].estimate for f in found) / len(found) - value)
                / (sum(f[name][0].mcse ** 2 for f in found) / len(found) ** 2) ** 0.5,
            }
            for name, value in truth.items()
        }


def within(shares: dict[str, dict[str, float]], least: float, most: float) -> bool:
    return all(least <= share["adjusted"] <= most for share in shares.values())


@pytest.fixture(scope="module")
def active() -> Study:
    return Study(config("dasatinib"), "active")


def test_adjusted_intervals_cover(active: Study) -> None:
    """50 seeds; a limit that coverage of .95 leaves with probability below .01 in any of five."""
    found = active.coverage(2_000, range(50))
    assert within(found, 0.84, 1.0)
    assert found["p_go"]["leaning"] == 1
    assert found["p_stop_futility"]["leaning"] < 0.1  # too few trials differ from their twins


@pytest.mark.slow
@pytest.mark.parametrize("replicates", [2_000, 20_000])
def test_adjusted_intervals_cover_over_2000_seeds(active: Study, replicates: int) -> None:
    assert within(active.coverage(replicates, range(10_000, 12_000)), 0.935, 0.97)


@pytest.mark.slow
def test_few_replicates_keep_one_control_and_cover(active: Study) -> None:
    found = active.coverage(250, range(10_000, 12_000))
    assert within({name: found[name] for name in ("p_go", "en", "responses")}, 0.935, 0.97)


def test_below_its_guards_the_plain_number_stands(active: Study) -> None:
    """The smallest runs, and a go that hangs on a few trials: intervals of plain numbers, with the reason."""
    own = active.adjusted(active.pair.tally(stream_key(1), 0, 499))
    assert own["p_go"][0].controls == ("p_go",)
    assert own["duration_months"][0].plain_because  # no twin of its own to keep
    assert len(active.adjusted(active.pair.tally(stream_key(1), 0, 600))["p_go"][0].controls) == 5
    for a, plain in active.adjusted(active.pair.tally(stream_key(1), 0, 199)).values():
        assert (a.estimate, a.mcse, a.low, a.high) == (plain.estimate, plain.mcse, plain.low, plain.high)
        assert a.plain_because == FEW
    tally = active.pair.tally(stream_key(1), 0, 2_000)
    assert active.adjusted(tally)["p_stop_futility"][0].plain_because == ALIKE
    rare = Study(changed(config("dasatinib"), {"truth.inactive.response": 0.01}), "inactive")
    a, plain = rare.adjusted(rare.pair.tally(stream_key(1), 0, 2_000))["p_go"]
    assert a.plain_because == RARE
    assert (a.low, a.high) == clopper_pearson(round(plain.estimate * 2_000), 2_000)


@pytest.mark.parametrize(
    "name", first_of(3, ["dasatinib", "two-doses-randomised", "dose-decision", "two-cohorts", "restart"])
)
def test_products_are_those_of_single_trials(name: str) -> None:
    """Sums over trials written out, from quantities that are read in another way."""
    trial = Compiled.of(config(name))
    stated = trials_of(trial)
    for case, pair in list(in_pairs(trial, stated).items())[:2]:
        if not isinstance(pair, WithTwin):
            continue
        key, count = stream_key(4), 600
        drawn = apart({case: pair.tally(key, 0, count)})
        sides = Sides.of(pair.one, pair.twin, case, drawn)
        assert sides is not None
        one, twin = pair.one.paired(key, 0, count), pair.twin.paired(key, 0, count)
        fixed = [q for q in FIXED if q in twin]
        assert len(fixed) == 4
        for q, (yx, differ, *with_fixed) in sides.products.items():
            y = one[q].values
            assert sides.trial.get(q, (y.sum(), y @ y))[:2] == (y.sum(), y @ y), q
            x = twin[q].values if q in twin else np.zeros(count, dtype=np.int64)
            if q == "relative_dose_intensity":
                continue
            assert (yx, differ) == (y @ x, (y != x).sum()), q
            expected = [int(v @ twin[f].values) for f in fixed for v in (y, x)]
            assert with_fixed == expected, q
        # and both trials are those that are simulated by themselves
        assert drawn[case] == stated[case].tally(key, 0, count)
        mark = f"{case}{operating.AT_ONCE}"
        assert drawn[mark] == stated[mark].tally(key, 0, count)


def test_adjusted_numbers_have_the_same_bits_for_any_jobs_and_block_and_after_a_resume(
    tmp_path: Path,
) -> None:
    scenario = config("dasatinib")
    one, two = (
        trialsim.simulate(scenario, replicates=9_000, seed=3, jobs=jobs, totals=False) for jobs in (1, 2)
    )
    assert one.to_dict() == two.to_dict()
    assert any(a.controls for a in one["active"].adjusted.values())
    trial = Compiled.of(scenario)
    pairs = {"active": in_pairs(trial, trials_of(trial))["active"]}
    small, large = (tallies(pairs, 3_000, 9, block=block)["active"] for block in (700, 8192))
    assert small == large
    path = tmp_path / "ledger"
    with Ledger(path, "x") as ledger:
        tallies(pairs, 3_000, 9, ledger=ledger)
        kept = path.read_bytes()
    path.write_bytes(kept)
    with Ledger(path, "x", resume=True) as ledger:
        assert tallies(pairs, 3_000, 9, ledger=ledger)["active"] == large
        assert ledger.replicates == 3_000


def test_a_run_in_which_the_twins_disagree_adjusts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain is off by .02 in one quantity of one case: every case keeps its plain numbers, and says why."""

    def shifted(trial: Compiled, totals: bool = True) -> object:
        sides = exact_sides(trial, totals)
        sides["active"].values["en"] += 2.0  # type: ignore[union-attr]
        return sides

    monkeypatch.setattr(operating, "exact_sides", shifted)
    found = trialsim.simulate(config("dasatinib"), replicates=20_000, seed=3, totals=False)
    assert found.disagreements == ("active: en",)
    for oc in found.cases:
        assert {a.plain_because for a in oc.adjusted.values()} == {DISAGREE}
        assert oc.simulated is not None
        assert all(oc.told[q].mcse == e.mcse for q, e in oc.simulated.values.items())


def test_an_exact_scenario_has_no_adjusted_numbers() -> None:
    assert not trialsim.simulate(config("teaching"), replicates=1_000)["active"].adjusted
