"""E-processes: slow twins, ties, Ville's bound; and the command's answer."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import combinations

import pytest
from scipy.integrate import quad

import trialsim
from tests.helpers import ROOT, SMALL, run
from trialsim.designs.exactly import decimal
from trialsim.errors import DesignError
from trialsim.inference.anytime import Test as Plan
from trialsim.inference.anytime import after_counts, after_path, in_parts
from trialsim.inference.e_process import (
    Boundary,
    Mixture,
    Ratio,
    boundary,
    course,
    limits,
    lower_limit,
    ratio_limit,
    reaches,
    value,
)
from trialsim.inference.stated import stated
from trialsim.monitoring.evidence import conditional_error, evidence
from trialsim.monitoring.redesign import conditional_go
from trialsim.qualification.comparing import rows
from trialsim.scenario.files import parse
from trialsim.writing.markdown import markdown

ALPHA = Fraction(1, 20)


def test_the_conditional_error_of_the_course_is_that_of_the_whole_table():
    met = 0
    for row in rows("running/evalue_simon_process"):
        looks, p0 = stated(row["design"]).looks, decimal(float(row["p0"]))
        n, x = int(row["n"]), int(row["x"])
        here = conditional_error(looks, p0, n, x)
        # after a look that stops for x no trial has so few
        error = conditional_go(looks, n, p0)[x]
        assert here == error or (here is None and n > looks.n[0] and x <= looks.next[0].count(-1) - 1)
        met += here is not None
    assert met > 60


# -- slow twins


def mixture_by_quadrature(process: Mixture, n: int, x: int) -> float:
    (a, b), p0 = process.prior, float(process.p0)

    def density(p: float) -> float:
        return p ** (a - 1) * (1 - p) ** (b - 1)

    def ratio(p: float) -> float:
        return (p / p0) ** x * ((1 - p) / (1 - p0)) ** (n - x) * density(p)

    return quad(ratio, p0, 1, limit=200)[0] / quad(density, p0, 1)[0]


@pytest.mark.parametrize("prior", [(1.0, 1.0), (2.0, 5.0), (0.5, 0.5), (1.5, 3.0)])
def test_the_mixture_is_a_mean_of_ratios(prior: tuple[float, float]):
    process = Mixture(Fraction(1, 10), prior)
    for n, x in ((1, 0), (1, 1), (10, 2), (10, 9), (29, 6)):
        assert value(process, n, x) == pytest.approx(mixture_by_quadrature(process, n, x), rel=1e-7)
        exact = process.exact(n, x)
        assert (exact is None) == (prior[0] % 1 > 0)
        assert exact is None or value(process, n, x) == pytest.approx(float(exact), rel=1e-11)


PROCESSES = (
    Ratio(Fraction(1, 10), Fraction(3, 10)),
    Ratio(Fraction(1, 2), Fraction(7, 10)),
    Mixture(Fraction(1, 10)),
    Mixture(Fraction(3, 10), (2.0, 3.0)),
)


@pytest.mark.parametrize("process", PROCESSES)
def test_at_p0_the_mean_of_the_next_value_is_the_present_one(process: Ratio | Mixture):
    p0 = process.p0
    assert process.exact(0, 0) == 1
    for n in range(8):
        for x in range(n + 1):
            ahead = p0 * process.exact(n + 1, x + 1) + (1 - p0) * process.exact(n + 1, x)
            assert ahead == process.exact(n, x)
            assert process.exact(n + 1, x + 1) > process.exact(n, x) > process.exact(n + 1, x)


def slowly(
    process: Ratio | Mixture, n: int, p: Fraction, level: Fraction, stop: Fraction | None
) -> tuple[Fraction, Fraction]:
    """P(reject by n) and mean patients, state by state, every e-value a fraction."""
    there, rejected, mean = {0: Fraction(1)}, Fraction(0), Fraction(0)
    for m in range(1, n + 1):
        mean += sum(there.values())
        grown: dict[int, Fraction] = {}
        for x, chance in there.items():
            for y, q in ((x, 1 - p), (x + 1, p)):
                e = process.exact(m, y)
                if e >= level:
                    rejected += chance * q
                elif stop is None or e > stop:
                    grown[y] = grown.get(y, Fraction(0)) + chance * q
        there = grown
    return rejected, mean


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("stop", [None, Fraction(1, 10)])
def test_the_course_is_that_of_every_state(process: Ratio | Mixture, stop: Fraction | None):
    for level in (Fraction(20), Fraction(4)):
        bounds = boundary(process, 25, level, stop)
        for p in (process.p0, process.p0 / 2, Fraction(2, 5)):
            p_reject, mean = slowly(process, 25, p, level, stop)
            found = course(bounds, float(p))
            assert found.p_reject == pytest.approx(float(p_reject), abs=1e-13)
            assert found.en == pytest.approx(float(mean), abs=1e-11)
            if p <= process.p0:
                assert p_reject <= 1 / level, "Ville"


def test_the_boundary_is_the_first_count_that_reaches():
    for process in PROCESSES:
        bounds = boundary(process, 30, Fraction(20), Fraction(1, 10))
        for n, (reject, stop) in enumerate(zip(bounds.reject, bounds.stop, strict=True), 1):
            values = [process.exact(n, x) for x in range(n + 1)]
            assert reject == next((x for x, e in enumerate(values) if e >= 20), n + 1)
            assert stop == max((x for x, e in enumerate(values) if e <= Fraction(1, 10)), default=-1)


def test_a_tie_is_decided_by_fractions():
    # M = 2^x (1/2)^(n - x)... of .4 to .2: 2 a response, 3/4 otherwise; 4/3 of nothing is lost
    process = Ratio(Fraction(1, 5), Fraction(2, 5))
    for level, x in ((Fraction(32), 5), (Fraction(1024), 10)):
        assert reaches(process, x, x, level)
        assert boundary(process, x, level).reject[-1] == x
        nearby = Fraction(10**15 + 1, 10**15)
        assert not reaches(process, x, x, level * nearby)
        assert reaches(process, x, x, level / nearby)
    # and a level that a stop for want of evidence meets exactly
    assert boundary(process, 2, Fraction(20), Fraction(9, 16)).stop == (-1, 0)
    assert boundary(process, 2, Fraction(20), Fraction(9, 16) / nearby).stop == (-1, -1)


def test_limits_agree_with_the_tests_that_they_invert():
    p1 = Fraction(3, 10)
    for n in (1, 7, 20, 60):
        for x in range(n + 1):
            low, high = limits(n, x, ALPHA)
            one, by_ratio = lower_limit(n, x, ALPHA), ratio_limit(n, x, p1, ALPHA)
            assert 0 <= low <= x / n <= high <= 1
            for p in (Fraction(k, 43) for k in range(1, 43)):
                two_sided = 1 / ((n + 1) * math.comb(n, x) * p**x * (1 - p) ** (n - x))
                assert (low < p < high) == (two_sided < 20)
                assert (p <= one) == reaches(Mixture(p), n, x, Fraction(20))
                if p < p1:
                    assert (p <= by_ratio) == reaches(Ratio(p, p1), n, x, Fraction(20))
            if x < n:
                more = limits(n, x + 1, ALPHA)
                assert more[0] > low or low == 0
                assert more[1] > high or high == 1


# -- the answer


def test_counts_and_the_path_to_them():
    test = Plan(Fraction(1, 10), Fraction(3, 10), ALPHA)
    outcomes = (1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    path, counts = after_path(test, outcomes), after_counts(test, 12, 3)
    assert path.rejected_at == 3
    assert counts.rejected_at is None
    assert path.e_values == counts.e_values
    assert path.largest == pytest.approx(27)
    assert path.lower["ratio"] > 0.1 > counts.lower["ratio"]
    assert path.p_value == pytest.approx(1 / 27)
    assert counts.p_value == 1 / counts.largest < 1
    assert after_counts(test, 12, 0).p_value == 1
    assert path.low >= counts.low
    assert path.high <= counts.high


def test_pending_outcomes_take_nothing_for_granted():
    test = Plan(Fraction(1, 10), Fraction(3, 10), ALPHA)
    open_path = (1, None, 0, None, 1, 0)
    found = after_path(test, open_path)
    assert (found.n, found.x, found.pending) == (6, 2, 2)
    for first in (0, 1):
        for second in (0, 1):
            known = after_path(test, (1, first, 0, second, 1, 0))
            assert found.largest <= known.largest
            assert found.low <= known.low
            assert found.high >= known.high
            assert all(found.lower[name] <= known.lower[name] for name in known.lower)
    assert after_path(test, (1, 0, 0, 0, 1, 0)).high < found.high


def test_the_planned_design_along_a_path():
    looks, p0 = stated("1/10 5/29").looks, Fraction(1, 10)
    assert conditional_error(looks, p0, 12, 1, (0,) * 10 + (1, 0)) == 0, "it stopped at the look"
    assert conditional_error(looks, p0, 12, 3, (1, 1, *(0,) * 9, 1)) == conditional_go(looks, 12, p0)[3]
    go = (1,) * 6 + (0,) * 24
    assert conditional_error(looks, p0, 30, 6, go) == 1, "beyond the planned number"
    assert conditional_error(looks, p0, 30, 6) is None


def test_the_price_of_freedom_beside_a_design():
    found = evidence("1/10 5/29", p0=0.1, p1=0.3, rates=[0.2])
    planned, ratio, stopped, mixture, _ = found.conducts
    assert [each.rule for each in found.conducts] == ["planned", "ratio", "ratio", "mixture", "mixture"]
    assert round(planned.p_reject["p1"], 4) == 0.8051
    assert round(ratio.p_reject["p1"], 4) == 0.7573
    assert set(ratio.p_reject) == {"p0", "p1", "0.2"}
    assert stopped.en["p0"] < ratio.en["p0"]
    # the n with the planned power, by the table of n before it
    more = [evidence("1/10 5/29", p0=0.1, p1=0.3, n=n).conducts[1].p_reject["p1"] for n in (32, 33)]
    assert more[0] < planned.p_reject["p1"] <= more[1]
    assert ratio.n_for_power == 33
    assert mixture.n_for_power == 45
    by_mixture = evidence("1/10 5/29", p0=0.1, p1=0.3, mixture=True)
    assert by_mixture.test.decides == "mixture" == by_mixture.conducts[1].rule


def test_a_trial_longer_than_planned_is_looked_at_to_its_end():
    found = evidence("1/10 5/29", p0=0.1, p1=0.3, now=(35, 9))
    assert found.n == 35
    assert found.now.rejected_at == 35
    assert found.planned_e is None
    assert len(list(found.boundary_rows())) == 70


def closed(values: dict[str, Fraction], level: Fraction) -> set[str]:
    """Parts that every set of parts with them rejects by its mean."""
    sets = [each for k in range(1, len(values) + 1) for each in combinations(values, k)]
    return {
        name
        for name in values
        if all(sum(values[part] for part in each) >= len(each) * level for each in sets if name in each)
    }


def test_claims_are_those_of_the_closed_test():
    test = Plan(Fraction(1, 10), Fraction(3, 10), ALPHA)
    rng, met = random.Random(3), set()
    drawn = [
        {name: (n := rng.randrange(4, 20), rng.randrange(n // 2 + 2)) for name in "ABC"} for _ in range(150)
    ]
    for counts in ({"A": (6, 3), "B": (9, 4), "C": (14, 5)}, *drawn):
        found = in_parts(test, counts)
        values = {name: Ratio(test.p0, test.p1).exact(*each) for name, each in counts.items()}
        claims = {part.name for part in found.parts if part.claimed}
        assert claims == closed(values, test.level)
        assert found.rejected == (sum(values.values()) >= 3 * test.level)
        assert found.rejected or not claims
        met.add((found.rejected, len(claims)))
    assert {(False, 0), (True, 0), (True, 1), (True, 3)} <= met


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"now": (10, 11)}, "now = 10, 11: patients"),
        ({"now": (10, 2, 3)}, "now = 10, 2, 3: patients"),
        ({"now": (10, 2), "outcomes": "01"}, "one is stated"),
        ({"parts": {"A": (10, 2)}}, "two or more"),
        ({"parts": {"A": (10, 2), "B": 3}}, "3 of B must be patients"),
        ({"parts": {"A": (10, 2), "B": (3, 4)}}, "parts: B = 3, 4: patients"),
        ({"parts": {"A": (10, 2), "B": (3, 1)}, "now": (3, 1)}, "one is stated"),
        ({"outcomes": "01x"}, "'x' is none; a patient is 1"),
        ({"outcomes": ""}, "0 patients"),
        ({"alpha": 1.0}, "alpha = 1 must lie between"),
        ({"futility": 0}, "futility = 0: an e-value between"),
        ({"n": 1001}, "from 1 to 1,000"),
        ({"n": 0}, "from 1 to 1,000"),
        ({"rates": [30]}, "rates: 30 must lie between"),
        ({"p1": 0.05}, "0 < p0 < p1 < 1"),
        ({"prior": (0, 1)}, "prior"),
    ],
)
def test_what_cannot_be_is_refused(more: dict, said: str):
    with pytest.raises(DesignError) as error:
        trialsim.evidence("1/10 5/29", **({"p0": 0.1, "p1": 0.3} | more))
    assert said in str(error.value)


def test_rates_are_asked_for():
    with pytest.raises(DesignError, match="state p0 and p1"):
        trialsim.evidence("1/10 5/29")


def test_the_command_says_what_was_reached_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked = ["evidence", "1/10", "5/29", "--p0", ".1", "--p1", ".3"]
    assert run([*asked, "--outcomes", "1110", "0000"], monkeypatch) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "It reached 20 with patient 3: p <= 10% is rejected, for good." in said
    assert run([*asked, "--now", "20", "5", "--markdown"], monkeypatch) == 0
    said = capsys.readouterr().out
    assert "not rejected. After 20 patients 6 or more reject." in said
    assert "Which analysis is allowed" in said
    assert run([*asked, "--part", "A=12,6", "--part", "B=20,2"], monkeypatch) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "that p <= 10% in every one of A and B is rejected. By itself it is rejected for A;" in said
    for part in ("A", "A=3", "=3,1"):
        assert run([*asked, "--part", part], monkeypatch) == 2
        assert "must be NAME=N,X" in capsys.readouterr().err
    assert run([*asked, "--part", "A=3,1", "--part", "A=4,1"], monkeypatch) == 2
    assert "A is stated twice" in capsys.readouterr().err
    assert run([*asked, "--now", "20"], monkeypatch) == 2
    assert "--now '20' must be two whole numbers" in capsys.readouterr().err


def test_runs_cover_every_patient_once():
    bounds = boundary(PROCESSES[0], 60, Fraction(20), Fraction(1, 10))
    told = {n: (c, s) for first, last, c, s in bounds.runs() for n in range(first, last + 1)}
    for n, (c, s) in enumerate(zip(bounds.reject, bounds.stop, strict=True), 1):
        assert told.get(n, (n + 1, -1)) == (c, s)
    assert not list(Boundary((2, 3), (-1, -1)).runs())


# -- where other answers tell it


def test_analyse_names_it_where_sizes_were_not_those_planned():
    asked = {"design": "1/10 5/29", "responses": 7, "stage1": 3, "p0": 0.1, "p1": 0.3}
    longer, planned = trialsim.analyse(**asked, n=32), trialsim.analyse(**asked)
    assert longer.sets[0].anytime == trialsim.evidence("1/10 5/29", p0=0.1, p1=0.3, now=(32, 7)).now
    said = " ".join(str(longer).split())
    assert "and this does: e-value 4.09 (likelihood ratio of 30% to 10%): does not reject p <= 10%" in said
    assert "and this does" not in str(planned)
    assert planned.to_dict()["sets"][0]["anytime"]["e_values"]["ratio"] == pytest.approx(
        (0.3 / 0.1) ** 7 * (0.7 / 0.9) ** 22
    )
    assert list(trialsim.analyse(**asked | {"p1": None}).sets[0].anytime.e_values) == ["mixture"]
    assert trialsim.analyse(**asked | {"p0": None, "p1": None}).sets[0].anytime is None
    wide = trialsim.analyse(**asked, confidence=0.9).sets[0].anytime_test
    assert wide.level == 10


def test_analyse_has_none_of_patients_from_whom_some_are_left_out():
    sets = {each.patients: each for each in trialsim.analyse(parse(SMALL)).sets}
    assert sets["All treated patients"].anytime is not None
    assert sets["Evaluable patients"].anytime is None


def test_status_weighs_all_treated_patients_in_enrolment_order():
    file, day = ROOT / "configs" / "patients-invented.csv", "2026-07-31"
    found = trialsim.status(ROOT / "configs" / "dasatinib.yaml", file, on=day, forecast=False)
    outcomes = "".join(
        "p" if p.responded is None and not p.inevaluable else str(int(p.responded or 0)) for p in found.seen
    )
    alone = trialsim.evidence("1/25 6/70", p0=0.05, p1=0.15, outcomes=outcomes)
    assert found.evidence == alone.now
    assert {*outcomes} == {"0", "1", "p"}
    assert "At any moment" in str(found)


def test_a_limit_of_the_ratio_that_p1_holds_down_is_called_that():
    told = {x: " ".join(str(evidence("1/10 5/29", now=(29, x), p0=0.1, p1=0.3)).split()) for x in (8, 29)}
    words = "The likelihood ratio of p1 gives no lower limit above p1 = 30%."
    assert words in told[29] and "Two-sided: 80.21% to 100.00%" in told[29]
    assert words not in told[8]


def test_the_price_names_the_patients_for_the_planned_power():
    priced = markdown(evidence("1/10 5/29", p0=0.1, p1=0.3).report())
    assert "Patients for the planned power" in priced and "n = 33" not in priced
