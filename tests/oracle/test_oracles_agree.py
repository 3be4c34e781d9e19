"""The oracles against hand calculation, published numbers and each other, before anything is held to them."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from scipy import stats

from tests.helpers import first_of
from tests.oracle.brute_force import (
    Dose,
    cell_probabilities,
    cells_of,
    crossing_probability,
    enumerate_outcomes,
    enumerate_trial,
    k_of_first_m,
    plackett,
    pocock_boundary,
    posterior_above,
    posterior_boundary,
)
from tests.oracle.naive import Thresholds, key_of, philox4x32, simulate_trial, threshold, thresholds, words
from tests.oracle.strategies import (
    MONITORS,
    random_boundary,
    random_rules,
    random_scenario,
    random_truth,
    scenario_strategy,
)
from trialsim.codes import (
    CONSIDER,
    CONTINUE,
    FUTILE,
    GO,
    NEVER,
    NEW_DOSE_ONLY,
    POOLED,
    REDUCE,
    RESTART,
    STOP,
)
from trialsim.designs.rules import Looks, Monitor, Rules, two_way

PARTS = ("p_go", "p_no_go", "p_consider", "p_stop_futility", "p_stop_toxicity", "p_stop_toxicity_at_n")
ANALYSED = {POOLED: "pooled", NEW_DOSE_ONLY: "new dose only", RESTART: "restart"}
FIVE_SIGMA = math.erfc(5 / math.sqrt(2))


# --- random words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_known_answers(counter: str, key: str, expected: str) -> None:
    """Known-answer vectors published with Random123."""
    c0, c1, c2, c3 = (int(word, 16) for word in counter.split())
    k0, k1 = (int(word, 16) for word in key.split())
    assert philox4x32((c0, c1, c2, c3), (k0, k1)) == tuple(int(word, 16) for word in expected.split())


def test_layout_of_the_counter() -> None:
    key = key_of(7)
    assert all(0 <= word < 2**32 for word in key)
    assert key != key_of(8)
    replicate = 5 * 2**32 + 3
    assert words(key, replicate, 2) == philox4x32((3, 5, 2, 0), key)
    assert words(key, replicate, 2, course=1, domain=2, group=9) == philox4x32(
        (3, 5 + 2**16, 2, 2 * 2**16 + 9), key
    )


def test_thresholds_of_sure_events() -> None:
    """A sure event is below 2^32, which every word is; an impossible one is below 0."""
    assert (threshold(0.0), threshold(0.5), threshold(1.0)) == (0, 2**31, 2**32)
    assert thresholds(Dose(0.0, 0.25, 4.0)) == Thresholds(0, (2**30, 2**30), (2**32, 2**32))
    assert thresholds(Dose(1.0, 0.25, 4.0, 1.0, "nonresponders")).toxicity == (2**30, 2**30)
    assert thresholds(Dose(0.5, 0.0, 4.0, 0.75, "nonresponders")) == Thresholds(2**31, (0, 0), (2**31, 2**32))
    assert thresholds(Dose(0.5, 1.0, 0.25, 0.75)).toxicity == (2**32, 2**32)


# --- one patient -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("psi", "p11"), [(0.25, 0.006703), (1, 0.0185), (4, 0.034306)])
def test_plackett_numbers(psi: float, p11: float) -> None:
    assert plackett(0.05, 0.37, psi) == pytest.approx(p11, abs=5e-7)


def test_plackett_is_the_odds_ratio() -> None:
    for p_r in (0.05, 0.3, 0.5, 0.9):
        for p_t in (0.1, 0.37, 0.5, 0.95):
            for psi in (0.05, 0.25, 1.0, 4.0, 50.0):
                p11 = plackett(p_r, p_t, psi)
                assert p11 * (1 - p_r - p_t + p11) / ((p_r - p11) * (p_t - p11)) == pytest.approx(psi)


def test_cells_have_the_stated_margins() -> None:
    rng = random.Random(1)
    for _ in range(300):
        (dose,) = random_truth(rng, 1)
        cells = cell_probabilities(*dose)
        assert all(p >= 0 for p in cells.values())
        assert sum(cells.values()) == pytest.approx(1)
        assert sum(p for (_, _, t), p in cells.items() if t) == pytest.approx(dose.toxicity)
        assert sum(p for (e, _, _), p in cells.items() if e) == pytest.approx(dose.evaluable)
        share = dose.evaluable if dose.inevaluable == "independent" else 1
        assert sum(p for (_, r, _), p in cells.items() if r) == pytest.approx(dose.response * share)


def test_responders_cannot_outnumber_the_evaluable() -> None:
    with pytest.raises(ValueError, match="every responder is evaluable"):
        cell_probabilities(0.7, 0.2, 1.0, 0.6, "nonresponders")


# --- whole trials by hand ----------------------------------------------------------------------------------


def protocol(
    looks: Looks,
    *,
    act_ge: tuple[tuple[int, ...], ...] = (),
    action: tuple[int, ...] = (CONTINUE,),
    at_enrolled: tuple[int, ...] = (),
    max_treated: int = 0,
    on_dose_change: int = POOLED,
    attained_ge: tuple[int, ...] = (),
) -> Rules:
    """Rules with what is not stated left out: no boundary, no amendment, nobody replaced, all analysed together."""
    size = max_treated or looks.planned_n
    rows = act_ge or ((NEVER,) * (size + 1),) * len(action)
    return Rules(
        looks, Monitor(rows, at_enrolled or (0,) * len(action), action), replaced=size > looks.planned_n,
        max_treated=size, on_dose_change=on_dose_change, attained_ge=attained_ge,
    )  # fmt: skip


RESPONDS, NOTHING, SICK, BOTH = Dose(1, 0), Dose(0, 0), Dose(0, 1), Dose(1, 1)

GO_IF_ANY = two_way((3,), (0,), (0,))
TWO_LOOKS = two_way((2, 4), (0, 1), (None, 1))
WATCH_ONE = (NEVER, 1, 1, 1)


@pytest.mark.parametrize(
    ("rules", "truth", "expected"),
    [
        pytest.param(
            protocol(GO_IF_ANY, act_ge=((NEVER, NEVER, NEVER, 3),), action=(STOP,)),
            [BOTH],
            {"reason": "toxicity_at_n", "verdict": "no_go", "n": 3, "triggered": False},
            id="a toxicity stop outranks go, also at n",
        ),
        pytest.param(
            protocol(TWO_LOOKS, act_ge=((NEVER, NEVER, 2, 2, 2),), action=(STOP,)),
            [SICK],
            {"reason": "toxicity", "n": 2},
            id="a toxicity stop outranks futility",
        ),
        pytest.param(
            protocol(GO_IF_ANY, act_ge=((NEVER, NEVER, NEVER, 3), WATCH_ONE), action=(REDUCE, STOP)),
            [BOTH, BOTH],
            {"reason": "final_go", "triggered": True, "reduction_patient": 0, "patients_by_level": [3, 0]},
            id="triggered by the last patient is not reduced",
        ),
        pytest.param(
            protocol(GO_IF_ANY, act_ge=(WATCH_ONE, WATCH_ONE), action=(REDUCE, CONTINUE)),
            [BOTH, BOTH],
            {"reason": "final_go", "reduction_patient": 1, "patients_by_level": [1, 2],
             "responses_by_level": [1, 2]},
            id="a switch takes effect from the next patient, responses are kept, continue does nothing",
        ),
        pytest.param(
            protocol(
                GO_IF_ANY,
                act_ge=((NEVER, 9, 2, 2), (NEVER, 9, 9, 3), (NEVER, 1, 1, 1)),
                action=(REDUCE, STOP, STOP),
            ),
            [SICK, SICK, SICK],
            {"reason": "final_no_go", "reduction_patient": 2, "patients_by_level": [2, 1, 0],
             "toxicities_by_level": [2, 1, 0]},
            id="toxicities start from zero at the new level",
        ),
        pytest.param(
            protocol(GO_IF_ANY, at_enrolled=(1, 2, 0), action=(STOP, CONTINUE, STOP)),
            [RESPONDS, NOTHING, NOTHING],
            {"reason": "final_go", "reduction_patient": 1, "patients_by_level": [1, 1, 1]},
            id="an amendment reduces whatever the action, counts patients of the whole trial",
        ),
        pytest.param(
            protocol(GO_IF_ANY, act_ge=(WATCH_ONE, WATCH_ONE), at_enrolled=(1, 0), action=(STOP, STOP)),
            [SICK, NOTHING],
            {"reason": "toxicity", "n": 1, "triggered": False},
            id="a toxicity stop outranks an amendment",
        ),
        pytest.param(
            protocol(GO_IF_ANY, max_treated=5),
            [Dose(1, 0, 1, 0)],
            {"reason": "accrual_cap", "verdict": "no_go", "n": 5, "evaluable": 0, "responses": 0},
            id="accrual ends without a go when too few are evaluable",
        ),
        pytest.param(
            protocol(GO_IF_ANY),
            [Dose(1, 0, 1, 0)],
            {"reason": "final_no_go", "n": 3, "evaluable": 0, "responses": 0},
            id="not replaced, an inevaluable patient is a non-response",
        ),
        pytest.param(
            protocol(GO_IF_ANY, max_treated=5, act_ge=((NEVER,) * 5 + (1,),), action=(STOP,)),
            [Dose(0, 1, 1, 0)],
            {"reason": "toxicity", "n": 5},
            id="a toxicity stop at the cap is early: the final look was not due",
        ),
        pytest.param(
            protocol(Looks((1, 2, 3), ((FUTILE, 2), (GO, GO, GO), (GO, FUTILE, FUTILE, CONSIDER)))),
            [RESPONDS],
            {"reason": "final_consider", "verdict": "consider", "n": 3},
            id="a look may be passed over",
        ),
        pytest.param(
            protocol(Looks((1, 2, 3), ((FUTILE, 1), (GO, GO, GO), (GO, GO, GO, GO)))),
            [RESPONDS],
            {"reason": "go_early", "n": 2},
            id="every end is early where no count leads to the planned n",
        ),
        pytest.param(
            protocol(Looks((1, 2, 3), ((2, 1), (GO, GO, GO), (GO, GO, GO, GO)))),
            [RESPONDS],
            {"reason": "final_go", "n": 2},
            id="a look that cannot lead on is final where another count leads to the planned n",
        ),
        pytest.param(
            protocol(TWO_LOOKS), [NOTHING], {"reason": "futility", "n": 2, "verdict": "no_go"}, id="futility"
        ),
        pytest.param(
            protocol(two_way((2, 4), (0, 1), (1, 1))),
            [RESPONDS],
            {"reason": "go_early", "n": 2},
            id="go early",
        ),
        pytest.param(
            protocol(
                TWO_LOOKS, act_ge=((NEVER, 9, 9, 3, 3), (NEVER,) * 5), action=(REDUCE, CONTINUE),
                on_dose_change=RESTART,
            ),
            [BOTH, BOTH],
            {"reason": "final_go", "n": 7, "patients_by_level": [3, 4], "reduction_patient": 3},
            id="restart: both looks are made again, with the patients at the new dose",
        ),
        pytest.param(
            protocol(
                TWO_LOOKS, act_ge=((NEVER, 9, 9, 3, 3), (NEVER,) * 5), action=(REDUCE, CONTINUE),
                on_dose_change=RESTART,
            ),
            [BOTH, NOTHING],
            {"reason": "futility", "n": 5, "patients_by_level": [3, 2], "responses": 3},
            id="restart: responses at the old dose do not count at the new one",
        ),
        pytest.param(
            protocol(
                TWO_LOOKS, act_ge=((NEVER, 9, 9, 9, 4), (NEVER,) * 5), action=(REDUCE, CONTINUE),
                on_dose_change=RESTART,
            ),
            [BOTH, BOTH],
            {"reason": "final_go", "n": 4, "triggered": True, "reduction_patient": 0},
            id="restart: a trigger at the last patient of the looks changes nothing",
        ),
        pytest.param(
            protocol(
                GO_IF_ANY, at_enrolled=(2, 4, 0), action=(STOP, STOP, STOP), max_treated=4,
                act_ge=((NEVER,) * 5, (NEVER,) * 5, (NEVER, NEVER, NEVER, NEVER, 4)), on_dose_change=RESTART,
            ),
            [Dose(1, 1, 1, 0)] * 3,
            {"reason": "toxicity", "n": 8, "patients_by_level": [2, 2, 4], "evaluable": 0},
            id="restart: amendments count patients of the trial, each dose has max_treated",
        ),
        pytest.param(
            protocol(
                GO_IF_ANY, at_enrolled=(2, 4, 0), action=(STOP, STOP, STOP), max_treated=4, on_dose_change=RESTART,
            ),
            [Dose(1, 1, 1, 0)] * 3,
            {"reason": "accrual_cap", "n": 8, "patients_by_level": [2, 2, 4]},
            id="restart: accrual ends after max_treated patients at one dose",
        ),
        pytest.param(
            protocol(
                TWO_LOOKS, at_enrolled=(1, 0), action=(STOP, STOP), on_dose_change=NEW_DOSE_ONLY,
                attained_ge=(0, 0, 0, 3, 0),
            ),
            [RESPONDS, RESPONDS],
            {"reason": "final_go", "n": 4, "patients_by_level": [1, 3], "responses_by_level": [1, 3]},
            id="new dose only: enough responses at the new dose",
        ),
        pytest.param(
            protocol(
                TWO_LOOKS, at_enrolled=(1, 0), action=(STOP, STOP), on_dose_change=NEW_DOSE_ONLY,
                attained_ge=(0, 0, 0, 1, 0),
            ),
            [RESPONDS, NOTHING],
            {"reason": "final_no_go", "n": 4, "patients_by_level": [1, 3], "responses_by_level": [1, 0]},
            id="new dose only: no interim look, responses at the old dose do not count",
        ),
        pytest.param(
            protocol(
                TWO_LOOKS, at_enrolled=(2, 3, 0), action=(STOP, STOP, STOP), on_dose_change=NEW_DOSE_ONLY,
                attained_ge=(0, 1, NEVER, NEVER, NEVER),
            ),
            [RESPONDS] * 3,
            {"reason": "final_go", "n": 4, "patients_by_level": [2, 1, 1]},
            id="new dose only: after a second reduction the last dose alone counts",
        ),
        pytest.param(
            protocol(
                TWO_LOOKS, act_ge=((NEVER, 1, 1, 1, 1), (NEVER, 9, 9, 3, 9)), action=(REDUCE, STOP),
                on_dose_change=NEW_DOSE_ONLY, attained_ge=(0,) * 5,
            ),
            [BOTH, BOTH],
            {"reason": "toxicity_at_n", "n": 4, "verdict": "no_go"},
            id="new dose only: a toxicity stop outranks the verdict",
        ),
    ],
)  # fmt: skip
def test_sure_trials(rules: Rules, truth: list[Dose], expected: dict[str, Any]) -> None:
    """With rates of 0 and 1 there is one path, and its end can be told by reading the rules."""
    trial = simulate_trial(rules, [thresholds(dose) for dose in truth], seed=1, replicate=0)
    assert {name: trial[name] for name in expected} == expected

    outcomes = enumerate_outcomes(rules, cells_of(truth))
    assert list(outcomes.values()) == [1]
    (end,) = outcomes
    assert end.reason == trial["reason"]
    assert sum(end.state.patients) == trial["n"]
    assert sum(end.state.evaluable) == trial["evaluable"]
    assert list(end.state.patients) == trial["patients_by_level"]
    assert list(end.state.responses) == trial["responses_by_level"]
    assert list(end.state.toxicities) == trial["toxicities_by_level"]
    assert end.state.reduction_patient == trial["reduction_patient"]
    assert end.state.triggered == trial["triggered"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"on_dose_change": 3}, "pooled, of the new dose only, or begins again"),
        ({"on_dose_change": NEW_DOSE_ONLY}, "for 0..3 patients"),
        ({"on_dose_change": NEW_DOSE_ONLY, "attained_ge": (0, 0, 0)}, "for 0..3 patients"),
        ({"attained_ge": (0, 0, 0, -1)}, "for 0..3 patients"),
        (
            {"on_dose_change": NEW_DOSE_ONLY, "attained_ge": (0,) * 4, "max_treated": 5},
            "patients cannot be replaced",
        ),
    ],
)
def test_analysis_sets_that_cannot_be_run_are_refused(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        protocol(GO_IF_ANY, **change)


def test_two_stage_formulas() -> None:
    """Without toxicity rules, the sums of MODEL.md section 1."""
    r1, n1, r, n, p = 0, 3, 2, 8, 0.3
    exact = enumerate_trial(
        protocol(two_way((n1, n), (r1, r), (None, r))), cells_of([Dose(p, 0.4, 4.0)])
    )  # fmt: skip
    pet = stats.binom.cdf(r1, n1, p)
    go = sum(stats.binom.pmf(x1, n1, p) * stats.binom.sf(r - x1, n - n1, p) for x1 in range(r1 + 1, n1 + 1))
    assert exact["pet"] == exact["p_stop_futility"] == pytest.approx(pet, abs=1e-14)
    assert exact["en"] == pytest.approx(n1 + (1 - pet) * (n - n1), abs=1e-13)
    assert exact["p_go"] == pytest.approx(go, abs=1e-14)
    assert exact["toxicities"] == pytest.approx(0.4 * exact["en"], abs=1e-13)
    assert exact["joint_n_responses"][n1][0] == pytest.approx(pet, abs=1e-14)


def test_replaced_nonresponders_by_the_formula() -> None:
    """A look at evaluable patients sees response rate pR / e, after a negative binomial number treated."""
    p, e, cap = 0.3, 0.6, 7
    rules = protocol(two_way((3,), (1,), (1,)), max_treated=cap)
    exact = enumerate_trial(rules, cells_of([Dose(p, 0.2, 4.0, e, "nonresponders")]))
    enough = stats.binom.sf(2, cap, e)
    assert exact["p_go"] == pytest.approx(enough * stats.binom.sf(1, 3, p / e), abs=1e-14)
    assert exact["p_no_go"] == pytest.approx(1 - exact["p_go"], abs=1e-14)
    assert exact["distributions"]["n"][3] == pytest.approx(e**3, abs=1e-14)
    assert exact["distributions"]["n"][4] == pytest.approx(3 * e**3 * (1 - e), abs=1e-14)
    assert exact["en_evaluable"] == pytest.approx(e * exact["en"], abs=1e-13)


def test_toxicity_stop_alone_is_the_crossing_probability() -> None:
    """With nothing else to end it, the trial is stopped as often as the boundary is crossed."""
    row = (NEVER, NEVER, 2, 2, 3, 3, 3, 4)
    looks = Looks((7,), ((GO,) * 8,))
    exact = enumerate_trial(
        protocol(looks, act_ge=(row,), action=(STOP,)), [{(1, 0, 1): 0.375, (1, 0, 0): 0.625}]
    )
    stopped = exact["p_stop_toxicity"] + exact["p_stop_toxicity_at_n"]
    assert stopped == pytest.approx(float(crossing_probability(row, Fraction(3, 8))), abs=1e-15)


# --- brute force and naive simulation together -------------------------------------------------------------


def test_probabilities_sum_to_exactly_one() -> None:
    """Cells that are whole 64ths sum to one without rounding; so must the ends of the trial."""
    rng = random.Random(2)
    for _ in range(25):
        rules = random_rules(rng, max_n=4, max_extra=1, on_dose_change=None)
        cells = []
        for _ in range(rules.levels):
            cuts = sorted(rng.randint(0, 64) for _ in range(5))
            parts = [b - a for a, b in zip([0, *cuts], [*cuts, 64], strict=True)]
            keys = [(1, 1, 1), (1, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0)]
            cells.append({key: part / 64 for key, part in zip(keys, parts, strict=True)})
        assert sum(enumerate_outcomes(rules, cells).values()) == Fraction(1)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(scenario_strategy(max_n=5, max_n_inevaluable=3))
def test_parts_make_wholes(scenario: tuple[Rules, tuple[Dose, ...]]) -> None:
    rules, truth = scenario
    exact = enumerate_trial(rules, cells_of(truth))
    near: dict[str, Any] = {"rel": 1e-12, "abs": 1e-12}
    assert sum(exact[part] for part in PARTS) == pytest.approx(1, **near)
    early = exact["p_stop_futility"] + exact["p_stop_toxicity"] + exact["p_go_early"]
    assert exact["pet"] == pytest.approx(early, **near)
    assert exact["p_dose_reduced"] <= exact["p_dose_reduction_triggered"] + 1e-12
    spread = exact["distributions"]
    for name, mean, whole in (
        ("n", "en", 1),
        ("responses", "responses", 1),
        ("toxicities", "toxicities", 1),
        ("reduction_patient", None, exact["p_dose_reduced"]),
    ):
        assert len(spread[name]) == rules.most_treated + 1
        assert sum(spread[name]) == pytest.approx(whole, **near)
        if mean:
            assert sum(i * p for i, p in enumerate(spread[name])) == pytest.approx(exact[mean], **near)
    for mean, by_dose in (("en", "patients"), ("responses", "responses"), ("toxicities", "toxicities")):
        doses = [exact[f"{by_dose}_dose_{d}"] for d in range(1, rules.levels + 1)]
        assert sum(doses) == pytest.approx(exact[mean], **near)
    for n, row in enumerate(exact["joint_n_responses"]):
        assert sum(row) == pytest.approx(spread["n"][n], **near)
    # Wald: a patient's outcome is drawn after the decision to treat, so means are rates times patients.
    for d, dose in enumerate(truth, start=1):
        counted = dose.response * (dose.evaluable if dose.inevaluable == "independent" else 1)
        patients = exact[f"patients_dose_{d}"]
        assert exact[f"toxicities_dose_{d}"] == pytest.approx(dose.toxicity * patients, **near)
        assert exact[f"responses_dose_{d}"] == pytest.approx(counted * patients, **near)


def assert_frequency(count: int, trials: int, p: float, what: str) -> None:
    """The count is within five sigma of its binomial, by tails so that rare events are judged too."""
    p = min(max(p, 0.0), 1.0)
    tail = min(stats.binom.cdf(count, trials, p), stats.binom.sf(count - 1, trials, p))
    assert 2 * tail > FIVE_SIGMA, f"{what}: {count} of {trials}, expected {trials * p:.2f}"


def varied_scenario(seed: int) -> tuple[Rules, tuple[Dose, ...]]:
    """A random scenario in which at least four different ends each take 2% of the trials."""
    rng = random.Random(seed)
    while True:
        rules, truth = random_scenario(rng, max_n=6)
        ends: Counter[str] = Counter()
        for end, p in enumerate_outcomes(rules, cells_of(truth)).items():
            ends[end.reason] += p  # type: ignore[assignment]
        if sum(p > 0.02 for p in ends.values()) >= 4:
            return rules, truth


@pytest.mark.parametrize("seed", first_of(2, range(6)))
def test_simulated_frequencies(seed: int) -> None:
    """20,000 naive trials against the exact distribution of the full way to end, and every scalar."""
    rules, truth = varied_scenario(seed)
    outcomes = enumerate_outcomes(rules, cells_of(truth))
    exact = enumerate_trial(rules, cells_of(truth))
    bounds = [thresholds(dose) for dose in truth]
    trials = 20_000
    runs = [simulate_trial(rules, bounds, seed=1000 + seed, replicate=i) for i in range(trials)]

    # Every way to end, told apart as finely as both oracles can.
    seen = Counter(
        (
            run["reason"],
            run["evaluable"],
            tuple(run["patients_by_level"]),
            tuple(run["responses_by_level"]),
            tuple(run["toxicities_by_level"]),
            run["triggered"],
            run["reduction_patient"],
        )
        for run in runs
    )
    expected: dict[tuple[Any, ...], Fraction] = {}
    for (reason, s), p in outcomes.items():
        known = (sum(s.evaluable), s.patients, s.responses, s.toxicities, s.triggered, s.reduction_patient)
        end = (reason, *known)
        expected[end] = expected.get(end, Fraction(0)) + p  # the pending look at the end may differ
    assert set(seen) <= set(expected)
    for end, p in expected.items():
        assert_frequency(seen[end], trials, float(p), str(end))

    # The quantities by name.
    reasons = Counter(run["reason"] for run in runs)
    verdicts = Counter(run["verdict"] for run in runs)
    counts = {
        "p_go": verdicts["go"],
        "p_consider": verdicts["consider"],
        "p_no_go": reasons["final_no_go"] + reasons["accrual_cap"],
        "pet": reasons["futility"] + reasons["toxicity"] + reasons["go_early"],
        "p_stop_futility": reasons["futility"],
        "p_stop_toxicity": reasons["toxicity"],
        "p_go_early": reasons["go_early"],
        "p_stop_toxicity_at_n": reasons["toxicity_at_n"],
        "p_dose_reduction_triggered": sum(run["triggered"] for run in runs),
        "p_dose_reduced": sum(run["reduction_patient"] > 0 for run in runs),
    }
    for name, count in counts.items():
        assert_frequency(count, trials, exact[name], name)
    for name in ("n", "responses", "toxicities", "reduction_patient"):
        frequencies = Counter(run[name] for run in runs)
        if name == "reduction_patient":
            frequencies[0] = 0  # not reduced: no mass
        for i, p in enumerate(exact["distributions"][name]):
            assert_frequency(frequencies[i], trials, p, f"{name} = {i}")
    means = {"en": "n", "en_evaluable": "evaluable", "responses": "responses", "toxicities": "toxicities"}
    values = {mean: [run[name] for run in runs] for mean, name in means.items()}
    for d in range(rules.levels):
        for name in ("patients", "responses", "toxicities"):
            values[f"{name}_dose_{d + 1}"] = [run[f"{name}_by_level"][d] for run in runs]
    for name, numbers in values.items():
        mean = sum(numbers) / trials
        variance = sum((x - mean) ** 2 for x in numbers) / (trials - 1)
        assert abs(mean - exact[name]) <= 5 * math.sqrt(variance / trials) + 1e-9, name


def test_strategies_reach_every_corner() -> None:
    """The random scenarios contain, often enough to matter, everything they are meant to."""
    rng = random.Random(3)
    found: Counter[str] = Counter()
    for _ in range(2000):
        rules, truth = random_scenario(rng)
        looks, monitor = rules.looks, rules.monitor
        found[f"{len(looks.n)} looks"] += 1
        found[f"{rules.levels} levels"] += 1
        found["replaced"] += rules.replaced
        found["replaced with room"] += rules.max_treated > looks.planned_n
        found["consider"] += any(CONSIDER in row for row in looks.next)
        found["skips a look"] += len(looks.n) == 3 and 2 in looks.next[0]
        found["adaptive"] += len(looks.n) == 3 and {1, 2} <= set(looks.next[0])
        found["final before the last"] += any(looks.is_final(k) for k in range(len(looks.n) - 1))
        found["amendment"] += any(monitor.at_enrolled)
        found["stop and amendment"] += any(
            a == STOP and at for a, at in zip(monitor.action, monitor.at_enrolled, strict=True)
        )
        found["last stops"] += monitor.action[-1] == STOP
        found["last continues"] += monitor.action[-1] == CONTINUE
        found["no boundary"] += all(b == NEVER for row in monitor.act_ge for b in row)
        found["zero cut-off"] += any(0 in row for row in monitor.act_ge)
        if any(monitor.at_enrolled) or REDUCE in monitor.action:
            found[ANALYSED[rules.on_dose_change]] += 1
            found[f"{ANALYSED[rules.on_dose_change]}, replaced"] += rules.replaced
        for dose in truth:
            found[f"odds ratio {dose.odds_ratio}"] += 1
            found[f"evaluable {dose.evaluable}, {dose.inevaluable}"] += 1
            found["rate 0"] += 0 in dose[:2]
            found["rate 1"] += 1 in dose[:2]
    wanted = [
        *(f"{i} looks" for i in (1, 2, 3)),
        *(f"{i} levels" for i in (1, 2, 3)),
        *("replaced", "replaced with room", "consider", "skips a look", "adaptive", "final before the last"),
        *(*ANALYSED.values(), "pooled, replaced", "restart, replaced"),
        *("amendment", "stop and amendment", "last stops", "last continues", "no boundary", "zero cut-off"),
        *(f"odds ratio {psi}" for psi in (0.25, 1.0, 4.0)),
        *(f"evaluable {e}, {k}" for e in (1.0, 0.9, 0.6) for k in ("independent", "nonresponders")),
        *("rate 0", "rate 1"),
    ]
    assert {name: found[name] for name in wanted if found[name] < 20} == {}
    for kind in MONITORS:
        assert len(random_boundary(rng, 5, kind)) == 6


# --- toxicity boundaries -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pocock_70() -> list[int]:
    """The MODEL.md example, by trying every breakpoint in exact fractions."""
    return pocock_boundary(70, 0.30, 0.10)


def test_pocock_steps(pocock_70: list[int]) -> None:
    """MODEL.md names each cut-off at the last patient it holds for: 5 at 5 and 6, then 6 at 7, 8 and 9."""
    named = {4: 4, 6: 5, 9: 6, 11: 7, 13: 8, 15: 9, 18: 10, 20: 11}
    assert {m: pocock_70[m] for m in range(21) if NEVER > pocock_70[m] < pocock_70[m + 1]} == named
    assert pocock_70[:4] == [NEVER] * 4


@pytest.mark.parametrize(
    ("p", "cross"), [("0.30", 0.0994), ("0.35", 0.2820), ("0.40", 0.5676), ("0.45", 0.8254)]
)
def test_pocock_crossing(pocock_70: list[int], p: str, cross: float) -> None:
    assert float(crossing_probability(pocock_70, Fraction(p))) == pytest.approx(cross, abs=5e-5)


def test_pocock_edges() -> None:
    assert pocock_boundary(1, 0.3, 0.1) == [NEVER, NEVER]  # one toxicity of one has probability .3 already
    assert pocock_boundary(1, 0.3, 0.3) == [NEVER, 1]  # as often as allowed is allowed
    assert pocock_boundary(2, 0.5, 0.25) == [NEVER, NEVER, 2]


@pytest.mark.parametrize(
    ("p", "act"), [("0.20", 0.0545), ("0.30", 0.3386), ("0.37", 0.7127), ("0.45", 0.9599)]
)
def test_posterior_crossing(p: str, act: float) -> None:
    row = posterior_boundary(70, 0.30, 0.90, 0.6, 1.4, 6)
    assert row[:6] == [NEVER] * 6
    assert float(crossing_probability(row, Fraction(p))) == pytest.approx(act, abs=5e-5)


def test_posterior_ties_are_strict() -> None:
    """A uniform prior and as many toxicities as not: exactly one half, which is not above one half."""
    assert posterior_above(0.5, 3, 3) == Fraction(1, 2)
    assert posterior_boundary(4, 0.5, 0.5, 1, 1, 1) == [NEVER, 1, 2, 2, 3]
    for a, b in ((1, 1), (2, 5), (6, 3)):
        assert float(posterior_above(0.3, a, b)) == pytest.approx(stats.beta.sf(0.3, a, b), abs=1e-14)


def test_k_of_first_m() -> None:
    row = k_of_first_m(70, 6, 12)
    assert row == [NEVER] * 6 + [6] * 7 + [NEVER] * 58
    assert float(crossing_probability(row, Fraction(3, 10))) == pytest.approx(stats.binom.sf(5, 12, 0.3))
