"""What-ifs, comparisons and sensitivity analyses in calendar time: values as a run adjusts them, differences by
themselves.

The slow twin of the bookkeeping here reads single trials and regresses in floats, as a book on regression has it. The
truth of a difference in calendar time is not known: coverage takes it from all replicates of a study together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

import trialsim
from tests.helpers import config
from trialsim.engine.controls import CONSTANT, FEW, MOVES_ALIKE, RARE, SAME
from trialsim.engine.ledger import Ledger
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import DISAGREE, exact_sides
from trialsim.engine.paired import Together, against
from trialsim.engine.paired_twins import Means, TwinSums, WithTwins, beside
from trialsim.engine.quantities import Side, unit
from trialsim.engine.tally import Tally
from trialsim.engine.timed import timed
from trialsim.engine.with_twin import FIXED
from trialsim.kernels.streams import stream_key
from trialsim.results import Adjusted
from trialsim.scenario.changes import variant
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.varying import simulated_points, twins
from trialsim.varying.assess import assess
from trialsim.varying.compare import compare
from trialsim.varying.kept_points import Kept
from trialsim.varying.twins import twin_of
from trialsim.varying.whatif import whatif

CASE = "active"
CHANGES = {
    "faster": {"conduct.accrual.per_month": 8},
    "weaker": {"truth.active.response": [0.12, 0.10]},
    "toxic": {"truth.active.toxicity": [0.55, 0.40]},
    "stricter": {"design.r": 7},
}
LOOKED_AT = ("p_go", "p_dose_reduced", "en", "responses", "patients_dose_1", "duration_months", "overrun")


class Study:
    """The dasatinib trial and variants of it, one case."""

    def __init__(self, names: Sequence[str] = tuple(CHANGES)) -> None:
        stated = config("dasatinib")
        self.scenarios = [stated, *(variant(stated, CHANGES[name]) for name in names)]
        trials = [Compiled.of(scenario) for scenario in self.scenarios]
        self.sides = [Side.of(timed(trial)[CASE]) for trial in trials]
        self.twins = [twin_of(trial, CASE, side) for trial, side in zip(trials, self.sides, strict=True)]
        self.means: list[Means] = [exact_sides(trial, totals=False)[CASE].values for trial in trials]  # type: ignore[union-attr]
        together = beside(self.sides[0], self.sides[1:], self.twins)
        assert isinstance(together, WithTwins)
        self.together = together

    def sums(self, tally: Tally) -> TwinSums:
        return TwinSums(tally, self.together.of)

    def differences(self, tally: Tally, k: int) -> dict[str, Adjusted]:
        return self.sums(tally).differences(k, self.means[0], self.means[k])

    def written_out(self, k: int, name: str, seed: int, count: int) -> tuple[float, float, int, float]:
        """Estimate, standard error, replicates apart and t of a difference, from single trials."""
        key = stream_key(seed)
        one, other = (self.sides[j].paired(key, 0, count)[name].values / unit(name) for j in (0, k))
        controls, apart = [], (other - one) * unit(name)
        for j in (k, 0):
            twin = self.twins[j]
            assert twin is not None
            read = twin.paired(key, 0, count)
            own = name in read and name in self.means[j]
            if own:
                apart = apart - (1 if j else -1) * read[name].values
            names = dict.fromkeys([*([name] if own else []), *FIXED])
            controls += [read[each].values - self.means[j][each] for each in names]
        kept: list[np.ndarray] = []
        for control in controls:
            trial = np.column_stack([np.ones(count), *kept, control])
            if np.linalg.matrix_rank(trial) == trial.shape[1]:
                kept.append(control)
        table = np.column_stack([np.ones(count), *kept])
        coefficients, *_ = np.linalg.lstsq(table, other - one, rcond=None)
        left = other - one - table @ coefficients
        df = count - table.shape[1]
        spread = np.linalg.inv(table.T @ table)[0, 0]
        return (
            float(coefficients[0]),
            float(left @ left / df * spread) ** 0.5,
            int((apart != 0).sum()),
            float(student.ppf(0.975, df)),
        )


@pytest.fixture(scope="module")
def study() -> Study:
    return Study()


def test_differences_are_those_of_a_regression_on_single_trials(study: Study) -> None:
    count = 2_500
    tally = study.together.tally(stream_key(5), 0, count)
    compared = 0
    for k in range(1, len(study.sides)):
        found = study.differences(tally, k)
        for name in LOOKED_AT:
            estimate, mcse, apart, quantile = study.written_out(k, name, 5, count)
            assert tally.counts[f"d{k} apart {name}"] == (apart,)
            if found[name].plain_because:
                assert found[name].plain_because in (MOVES_ALIKE, SAME)
                continue
            compared += 1
            assert found[name].estimate == pytest.approx(estimate, rel=1e-7, abs=1e-10)
            assert found[name].mcse == pytest.approx(mcse, rel=1e-7)
            assert found[name].high - estimate == pytest.approx(quantile * mcse, rel=1e-6)
    assert compared >= 20


def test_trials_and_differences_are_counted_as_without_twins(study: Study) -> None:
    """A tally with twins holds the plain one, to the bit; a twin that is shared is simulated once."""
    alone = Together(study.sides[0], tuple(study.sides[1:]))
    plain, both = (each.tally(stream_key(2), 0, 700) for each in (alone, study.together))
    assert plain.counts.items() <= both.counts.items()
    stated = config("dasatinib")
    lag = Compiled.of(variant(stated, {"conduct.amendment_lag_weeks": 0}))
    side = Side.of(timed(lag)[CASE])
    pair = beside(study.sides[0], [side], [study.twins[0], twin_of(lag, CASE, side)])
    assert isinstance(pair, WithTwins)
    assert pair.of == (0, 0)
    assert isinstance(beside(study.sides[0], [side], [None, None]), Together)


def test_products_are_those_of_single_trials(study: Study) -> None:
    key, count = stream_key(9), 400
    tally, of = study.together.tally(key, 0, count), study.together.of
    read = [side.paired(key, 0, count) for side in study.sides]
    beside_them = [side.paired(key, 0, count) for side in study.together.twins]
    fixed = [[twin[name].values for name in FIXED] for twin in beside_them]
    seen = 0
    for k, trial in enumerate(read):
        for t in {of[k], of[0]}:
            for name in LOOKED_AT:
                y = trial[name].values
                x = beside_them[t][name].values if name in beside_them[t] else np.zeros_like(y)
                expected = (int(y @ x), *(int(y @ f) for f in fixed[t]))
                assert tally.counts[f"y{k} x{t} {name}"] == expected
                seen += 1
    for t, u in {(of[0], of[0]), (of[0], of[2]), (of[2], of[0])}:
        for name in ("p_go", "en", "responses"):
            x, z = beside_them[t][name].values, beside_them[u][name].values
            assert tally.counts[f"x{t} x{u} {name}"] == (int(x @ z), *(int(x @ f) for f in fixed[u]))
    assert seen > 50


def test_values_are_those_of_a_run(study: Study) -> None:
    """What-if, comparison, tornado and grid tell, to the bit, what a run of each scenario tells."""
    stated = config("dasatinib")
    runs = [
        trialsim.simulate(s, replicates=3_000, seed=8, totals=False)[CASE].adjusted for s in study.scenarios
    ]
    assert sum(not a.plain_because for a in runs[0].values()) > 20
    found = whatif(stated, variants=CHANGES, replicates=3_000, seed=8, cases=[CASE])
    base = found.base[CASE]
    assert {q: n.adjusted for q, n in base.items() if n.adjusted} == {
        q: runs[0][q] for q in runs[0] if q in base
    }
    for name, run in zip(CHANGES, runs[1:], strict=True):
        effects = found[name].effects[CASE]
        assert {q: e.other.adjusted for q, e in effects.items() if e.other.adjusted} == {
            q: run[q] for q in run if q in effects
        }
        assert effects["p_go"].told.base.value == runs[0]["p_go"].estimate
    designs = compare(
        {"stated": stated, "stricter": study.scenarios[4]}, replicates=3_000, seed=8, cases=[CASE]
    )
    assert designs.values[CASE]["stricter"]["p_go"].adjusted == runs[4]["p_go"]
    assert designs.effects[CASE]["stricter"]["p_go"].difference.adjusted == (
        found["stricter"].effects[CASE]["p_go"].difference.adjusted
    )


def test_a_sensitivity_analysis_tells_what_runs_tell(tmp_path: Path) -> None:
    path = "conduct.accrual.per_month"
    stated = config("dasatinib").model_copy(update={"sensitivity": None})
    blocks = {
        "tornado": {"a": {"case": CASE, "quantities": ["p_go", "duration_months"], "inputs": {path: [3, 8]}}},
        "grids": {"b": {"case": CASE, "quantity": "p_go", "over": {path: [3, 8]}}},
    }
    scenario = _with_sensitivity(stated, blocks)
    runs = {
        value: trialsim.simulate(variant(stated, {path: value}), replicates=2_000, seed=4, totals=False)[CASE]
        for value in (3, 8)
    }
    found = assess(scenario, replicates=2_000, seed=4)
    tornado, grid = (each.to_dict() for each in found.analyses)
    (bar,) = tornado["quantities"][0]["bars"]
    for key, k, value in (("at_low", 0, 3), ("at_high", 1, 8)):
        adjusted, counted = runs[value].adjusted["p_go"], runs[value].simulated
        assert counted is not None
        assert bar[key]["adjusted"]["estimate"] == adjusted.estimate
        assert bar[key]["estimate"] == counted.values["p_go"].estimate == grid["estimates"][k]
        assert grid["adjusted"][k]["mcse"] == adjusted.mcse
    (row, _, *_) = found.analyses[0].rows()
    assert row["adjusted"] == bar["at_low"]["adjusted"]["estimate"]
    moved = bar["low_minus_stated"]
    assert (
        row["adjusted_difference"] == moved["adjusted"]["estimate"] != row["difference"] == moved["estimate"]
    )
    assert "adjusted by the exact answer" in str(found)
    assert f"{runs[8].adjusted['p_go'].estimate:.4f}" in str(found)
    # points that are kept come back with their adjusted numbers
    with Kept(tmp_path / "points") as kept:
        assess(scenario, replicates=2_000, seed=4, kept=kept)
    with Kept(tmp_path / "points", resume=True) as kept:
        again = assess(scenario, replicates=2_000, seed=4, kept=kept)
        assert kept.resumed
    assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())


def test_a_tornado_tells_the_differences_of_what_ifs() -> None:
    """Of an input that moves the exact means of the twin."""
    path = "truth.active.response"
    block = {"tornado": {"a": {"case": CASE, "quantities": ["p_go"], "inputs": {path: [0.10, 0.20]}}}}
    stated = config("dasatinib").model_copy(update={"sensitivity": None})
    found = assess(_with_sensitivity(stated, block), replicates=2_000, seed=4).analyses[0].to_dict()
    (bar,) = found["quantities"][0]["bars"]
    for key, value in (("low_minus_stated", 0.10), ("high_minus_stated", 0.20)):
        asked = whatif(stated, {path: value}, replicates=2_000, seed=4, cases=[CASE])
        difference = asked["changed"].effects[CASE]["p_go"].difference
        assert difference.adjusted is not None
        assert bar[key]["adjusted"] == vars(difference.adjusted)
        assert bar[key]["estimate"] == difference.value


def _with_sensitivity(stated: Scenario, blocks: dict[str, object]) -> Scenario:
    content = stated.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"sensitivity": blocks}
    return Scenario.model_validate(content)


def test_the_same_bits_for_any_jobs_and_block_and_after_a_resume(study: Study, tmp_path: Path) -> None:
    stated = config("dasatinib")
    one, two = (
        whatif(stated, CHANGES["weaker"], replicates=9_000, jobs=jobs, cases=[CASE]).to_dict()
        for jobs in (1, 2)
    )
    assert json.dumps(one) == json.dumps(two)
    assert '"adjusted"' in json.dumps(one)
    cases = {"x": study.together}
    small, large = (tallies(cases, 3_000, 9, block=block)["x"] for block in (700, 8192))
    assert small == large
    assert study.differences(small, 2) == study.differences(large, 2)
    path = tmp_path / "ledger"
    with Ledger(path, "x") as ledger:
        tallies(cases, 3_000, 9, ledger=ledger)
        kept = path.read_bytes()
    path.write_bytes(kept)
    with Ledger(path, "x", resume=True) as ledger:
        assert tallies(cases, 3_000, 9, ledger=ledger)["x"] == large
        assert ledger.replicates == 3_000


def test_the_variance_of_differences_is_smaller(study: Study) -> None:
    """More for a drug that responds otherwise, less for conduct, of which the twin knows nothing but who comes."""
    tally = study.together.tally(stream_key(1), 0, 8_192)
    faster, weaker, toxic, _ = (study.differences(tally, k) for k in range(1, 5))
    least = {
        "faster": (faster, {"p_go": 1.0, "en": 1.2, "duration_months": 1.4}),
        "weaker": (weaker, {"p_go": 1.2, "responses": 2.0}),
        "toxic": (toxic, {"p_go": 1.0, "p_dose_reduced": 1.5}),
    }
    for found, factors in least.values():
        for name, factor in factors.items():
            assert not found[name].plain_because
            assert found[name].variance_factor is not None
            assert found[name].variance_factor > factor, name


class Coverage:
    """Of many seeds, how often the interval of an adjusted difference holds what all of them give."""

    def __init__(self, study: Study, seeds: range, replicates: int) -> None:
        parts = [study.together.tally(stream_key(seed), 0, replicates) for seed in seeds]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        self.shares: dict[tuple[int, str], float] = {}
        for k in range(1, len(study.sides)):
            truth, found = study.differences(total, k), [study.differences(part, k) for part in parts]
            for name in LOOKED_AT:
                if not any(each[name].plain_because for each in found):
                    value = truth[name].estimate
                    held = sum(each[name].low <= value <= each[name].high for each in found)
                    self.shares[k, name] = held / len(found)


def test_adjusted_differences_cover() -> None:
    """40 seeds: a limit that coverage of .95 leaves with probability below .001 in each of some ten."""
    found = Coverage(Study(["faster", "weaker"]), range(40), 2_000).shares
    assert len(found) >= 8
    assert all(share >= 0.8 for share in found.values()), found


@pytest.mark.slow
def test_adjusted_differences_cover_over_300_seeds(study: Study) -> None:
    """A share of .95 has a standard error of .0126 here: .90 is four of these below."""
    found = Coverage(study, range(5_000, 5_300), 2_000).shares
    assert len(found) >= 20
    assert all(0.90 <= share <= 0.99 for share in found.values()), found
    assert 0.94 <= sum(found.values()) / len(found) <= 0.965


def test_below_its_guards_the_plain_difference_stands(study: Study) -> None:
    few = study.together.tally(stream_key(1), 0, 199)
    plain = against(few, 2)
    for name, a in study.differences(few, 2).items():
        assert a.plain_because == FEW
        assert (a.estimate, a.mcse) == (plain[name].difference.estimate, plain[name].difference.mcse)
    # own twins only where replicates are too few for ten controls; a duration then has none
    some = study.differences(study.together.tally(stream_key(1), 0, 700), 2)
    assert some["p_go"].controls == ("p_go", "p_go as stated")
    assert some["duration_months"].plain_because == CONSTANT
    more = study.differences(study.together.tally(stream_key(1), 0, 2_000), 1)
    assert more["p_stop_futility"].plain_because == MOVES_ALIKE
    rare = study.differences(study.together.tally(stream_key(3), 0, 300), 3)
    assert rare["p_stop_toxicity_at_n"].plain_because == RARE


def test_a_twin_that_disagrees_withholds_every_adjusted_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(trial: Compiled, totals: bool = True) -> object:
        sides = exact_sides(trial, totals)
        sides[CASE].values["en"] += 2.0  # type: ignore[union-attr]
        return sides

    monkeypatch.setattr(twins, "exact_sides", shifted)
    found = whatif(config("dasatinib"), CHANGES["faster"], replicates=5_000, cases=[CASE, "inactive"])
    assert found.disagreements
    assert all("en (outcomes known at once)" in each for each in found.disagreements)
    for numbers in found.base.values():
        assert {n.adjusted.plain_because for n in numbers.values() if n.adjusted} == {DISAGREE}
    assert not found.adjusted


def test_a_sensitivity_analysis_says_that_a_twin_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> dict[str, list[str]]:
        return {"x": ["en"]}

    monkeypatch.setattr(simulated_points, "disagreements", wrong)
    path = "conduct.accrual.per_month"
    block = {"tornado": {"a": {"case": CASE, "quantities": ["p_go"], "inputs": {path: [3, 8]}}}}
    stated = config("dasatinib").model_copy(update={"sensitivity": None})
    found = assess(_with_sensitivity(stated, block), replicates=1_000)
    (panel,) = found.analyses[0].to_dict()["quantities"]
    assert panel["as_stated"]["adjusted"]["plain_because"] == DISAGREE
    assert panel["as_stated"]["adjusted"]["mcse"] == panel["as_stated"]["mcse"]
    text = " ".join(str(found).split())
    assert f"Not adjusted by the trial with every outcome known at once: {DISAGREE}." in text
    assert "adjusted by the exact answer" not in text


def test_reports_tell_adjusted_numbers_and_keep_both() -> None:
    found = whatif(config("dasatinib"), CHANGES["weaker"], replicates=3_000, seed=8, cases=[CASE])
    effect = found["changed"].effects[CASE]["p_go"]
    told, plain = effect.told, effect
    assert f"{told.base.value:.3f}" != f"{plain.base.value:.3f}"
    assert f"from {told.base.value:.3f} to {told.other.value:.3f}" in str(found)
    assert "adjusted by the exact answer" in str(found)
    rows = [r for r in found.tables()["differences"] if r["variant"] == "changed"]
    row = next(r for r in rows if r["quantity"] == "p_go")
    assert (row["difference"], row["adjusted"]) == (plain.difference.value, told.difference.value)
    assert row["variance_factor"] == effect.variance_factor != row["adjusted_variance_factor"]
    exact = whatif(config("teaching"), {"truth.active.response": 0.32}, replicates=500)
    assert not exact.adjusted
    assert "adjusted" not in json.dumps(exact.to_dict())
    assert "adjusted by the exact answer" not in str(exact)
