"""Cases from practice: what engines are asked of trials that are large, or that end before their planned n."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, product
from math import comb, prod
from pathlib import Path

import pytest

import trialsim
from tests.helpers import CONFIGS, material_of, run
from trialsim.codes import FUTILE, GO
from trialsim.designs.alone import alone
from trialsim.designs.bop2_toxicity import search as bop2_toxicity
from trialsim.designs.bop2_toxicity import watched
from trialsim.designs.curtailed import looks_of as curtailed
from trialsim.designs.ends import p_go_is
from trialsim.designs.rules import two_way
from trialsim.designs.target import Target
from trialsim.engine import over_time
from trialsim.engine.over_time import followed, patients_over_time
from trialsim.engine.timed import timed
from trialsim.engine.whole_trial_search import Search
from trialsim.errors import ScenarioError
from trialsim.figures import draw_all
from trialsim.running.content import content
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load, parse

# -- case F2: what is drawn of a large trial in calendar time is bounded, and told


@pytest.mark.parametrize(
    ("patients", "trials"), [(70, 2_000), (1_000, 2_000), (1_001, 1_998), (10_000, 200), (9_000_000, 1)]
)
def test_followed_trials_have_so_many_patients_together(patients: int, trials: int) -> None:
    assert followed(patients) == trials


def test_the_number_of_trials_that_are_followed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load(CONFIGS / "dasatinib.yaml")
    trial = Compiled.of(scenario)
    trials = next(iter(timed(trial).values()))
    monkeypatch.setattr(over_time, "PATIENTS", 1_234 * trials.patients)
    ran = trialsim.run(scenario, replicates=50)
    assert patients_over_time(trials, 1).trials == 1_234
    assert content(ran)["method"]["trials_over_time"] == 1_234
    figures = {figure.name: figure for figure in draw_all(material_of(scenario, ran.results, None))}
    assert "the first 1,234 simulated trials of each case" in figures["dose_over_time"].caption


# -- case E5: no count leads to the planned n, so that every trial ends before it


def tail(n: int, p: Fraction, above: int) -> Fraction:
    """P(more than so many of n)."""
    return sum((comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(above + 1, n + 1)), Fraction(0))


ALWAYS_EARLY = [
    ("{kind: mander_thompson, n1: 10, r1: 2, a1: 2, n: 20, r: 5}", 10, 2),
    ("{kind: mander_thompson, n1: 1, r1: 0, a1: 0, n: 2, r: 1}", 1, 0),
    ("{kind: simon, n1: 18, r1: 18, n: 35, r: 20}", 18, 18),
    ("{kind: multistage, n: [6, 15], stop_le: [3, 5], go_gt: [3]}", 6, 3),
    # a later look that is never reached leads to the last
    ("{kind: multistage, n: [6, 15, 20], stop_le: [3, 5, 8], go_gt: [3, 9]}", 6, 3),
]


@pytest.mark.parametrize(("design", "n1", "above"), ALWAYS_EARLY)
@pytest.mark.parametrize("interim", ["", "pause", "continue", "early_decision"])
def test_every_trial_ends_early(design: str, n1: int, above: int, interim: str) -> None:
    text = f"schema: 1\nname: e\nendpoint: r\ndesign: {design}\ntruth: {{a: {{response: 0.1}}}}\n"
    if interim:
        text += f"conduct: {{accrual: {{per_month: 4}}, assessment_weeks: [8], confirmed: false, interim: {interim}}}\n"
    scenario = parse(text)
    oc = trialsim.simulate(scenario, replicates=300)["a"]
    twin = oc.at_once or oc
    assert twin.exact is not None
    assert oc.simulated is not None
    go = float(tail(n1, Fraction(1, 10), above))
    by_itself = alone(Compiled.of(scenario).rules.looks, 0.1)
    for values in (twin.exact.values, vars(by_itself)):
        assert values["p_go_early"] == pytest.approx(go, abs=1e-12)
        assert values["p_stop_futility"] == pytest.approx(1 - go, abs=1e-12)
        assert values["pet"] == pytest.approx(1, abs=1e-12)
        assert values["p_no_go" if values is twin.exact.values else "p_consider"] == 0
        assert values["en"] == pytest.approx(n1, abs=1e-9)
    assert oc.simulated.values["pet"].estimate == 1
    assert not twin.disagreements


def test_a_toxicity_stop_of_such_a_trial_is_early() -> None:
    """Also with the last patient that it ever treats."""
    text = (
        "schema: 1\nname: e\nendpoint: r\ndesign: {kind: mander_thompson, n1: 3, r1: 1, a1: 1, n: 6, r: 2}\n"
        "dose_reduction: {rule: {kind: k_of_first_m, k: 1, m: 3}, at_lowest_dose: stop}\n"
        "truth: {a: {response: 0.4, toxicity: 0.3}}\n"
    )
    for conduct in (
        "",
        "conduct: {accrual: {per_month: 4}, assessment_weeks: [8], confirmed: false,"
        " toxicity_window_weeks: 8, interim: continue}\n",
    ):
        oc = trialsim.simulate(parse(text + conduct), replicates=300)["a"]
        twin = oc.at_once or oc
        assert twin.exact is not None
        assert oc.simulated is not None
        assert twin.exact.values["p_stop_toxicity"] == pytest.approx(1 - 0.7**3, abs=1e-12)
        assert twin.exact.values["pet"] == pytest.approx(1, abs=1e-12)
        assert oc.simulated.values["p_stop_toxicity_at_n"].estimate == 0
        assert oc.simulated.values["pet"].estimate == 1


def test_sizes_that_counts_choose_are_planned() -> None:
    """A look that always ends the trial is no early end where others go on to a larger n."""
    text = (
        "schema: 1\nname: e\nendpoint: r\n"
        "design: {kind: rules, looks: [{n: 4, next: {0: futile, 1: 8, 2: 12}}, {n: 8, next: {0: futile, 3: go}},"
        " {n: 12, next: {0: futile, 4: go}}]}\ntruth: {a: {response: 0.3}}\n"
    )
    scenario = parse(text)
    oc = trialsim.simulate(scenario, replicates=300)["a"]
    assert oc.exact is not None
    for pet in (oc.exact.values["pet"], alone(Compiled.of(scenario).rules.looks, 0.3).pet):
        assert pet == pytest.approx(0.7**4, abs=1e-12)


# -- tolerances that a search, or a threshold, could live on


@pytest.mark.parametrize(
    ("threshold", "futile", "goes_at_once"),
    [(0.36, 0.2, True), (0.3600000001, 0.2000000001, False), (0.3599999999, 0.1999999999, True)],
)
def test_a_conditional_power_at_its_threshold(threshold: float, futile: float, goes_at_once: bool) -> None:
    """Two patients to come, each a response with 1/5: 1 - .8^2 = .36 for one response more."""
    looks = curtailed(3, 0, None, None, 0.2, (0.0, threshold))
    assert (looks.n[0] == 1 and looks.next[0][0] == GO) is goes_at_once
    # and for futility: the one patient to come is a response with 1/5
    looks = curtailed(2, 0, None, None, 0.2, (futile, 1.0))
    assert (looks.n[0] == 1 and looks.next[0][0] == FUTILE) is (futile >= 0.2)


@pytest.mark.parametrize(("alpha", "beta", "found"), [(".14", ".55", True), (".1399999999999", ".55", False),
                                                      (".14", ".5499999999999", False)])  # fmt: skip
def test_bop2_toxicity_attains_its_rates_exactly(alpha: str, beta: str, found: bool) -> None:
    """One patient: a go is a response without toxicity, .2 x .7 = .14 where both are bad, .5 x .9 = .45."""
    seen = watched((1,), (0.2, 0.3), ((0.2, 0.8), (0.3, 0.7)))
    designs = bop2_toxicity((1,), seen, (0.2, 0.5), (0.3, 0.1), float(alpha), beta=float(beta))
    assert ("optimal" in designs) is found
    if found:
        assert str(designs["optimal"]) == "0/1 (toxic < 1)"


def test_p_go_of_two_endpoints_as_a_fraction() -> None:
    """Every sequence of four patients, response and toxicity independent or with an odds ratio of 4."""
    looks = two_way((2, 4), (0, 1), (None, 1), (2, 3))
    half, third = Fraction(1, 2), Fraction(1, 3)
    for odds, one in (
        (1, {(0, 0): half * (1 - third), (0, 1): half * third, (1, 0): half * (1 - third), (1, 1): half * third}),
        # both rates 1/2 and an odds ratio of 4: both with 1/3
        (4, {(0, 0): third, (0, 1): half - third, (1, 0): half - third, (1, 1): third}),
    ):  # fmt: skip
        total = Fraction(0)
        for patients in product(one, repeat=4):
            x, t = (tuple(accumulate(p[k] for p in patients)) for k in (0, 1))
            if x[1] > 0 and t[1] < 2 and x[3] > 1 and t[3] < 3:
                total += prod((one[p] for p in patients), start=Fraction(1))
        assert p_go_is(looks, half, third if odds == 1 else half, Fraction(odds)) == total
    assert p_go_is(looks, half, third, Fraction(2)) is None


@pytest.mark.parametrize(
    ("kind", "rates", "errors", "design"),
    [
        ("single_stage", (0.05, 0.95), (0.05, 0.05), (0, 1)),  # attained exactly: alpha and power
        ("single_stage", (0.05, 0.95), (0.0499999999999, 0.05), (1, 3)),
        ("simon", (0.01, 0.5), (0.01, 0.25), (1, 5)),  # 0/2 1/41 falls short of .75 by less than 1e-12
    ],
)
def test_a_robust_search_has_no_tolerance(
    kind: str, rates: tuple[float, float], errors: tuple[float, float], design: tuple[int, int]
) -> None:
    (p0, p1), (alpha, beta) = rates, errors
    scenario = parse(
        f"schema: 1\nname: t\nendpoint: r\ndesign: {{kind: {kind}, p0: {p0}, p1: {p1}, alpha: {alpha}, beta: {beta}}}\n"
        f"truth: {{bad: {{response: {p0}}}, good: {{response: {p1}}}}}\n"
    )
    target = Target(p0, p1, alpha, beta, 41)
    best = next(Search(scenario, scenario.design, ("bad",), ("good",), target, None).best_of_each_n())
    assert (best.r, best.n) == design


# -- what is told when a scenario is read, not later

PARTS = {
    "design": "{kind: simon, n1: 10, r1: 1, n: 29, r: 5}",
    "truth": "{a: {response: 0.3, toxicity: [0.3, 0.2]}}",
    "rule": "{kind: group_sequential, limit: 0.3, phi: 0.1, looks: [10, 29]}",
    "more": "",
}
LATE = [
    ({"rule": "{kind: group_sequential, limit: 0.3, phi: 0.1, looks: [10, 20, 40]}"},
     "scenario:7: dose_reduction.rule.looks: no look comes after 40 of 29 patients; at most 29"),
    ({"design": "{kind: bop2, p0: 0.1, looks: [10, 20], lambda: 0.8, gamma: 1}"},
     "scenario:7: dose_reduction.rule.looks: no look comes after 29 of 20 patients; at most 20"),
    ({"design": "{kind: predictive_probability, p0: 0.1, n: 29, theta_l: .05, theta_t: .9, prior: [1, 1], min_n: 30}"},
     "scenario:4: design.min_n: no look comes after 30 of 29 patients; at most 29"),
    ({"more": "conduct: {accrual: {per_month: 2}, assessment_weeks: [8, 16], toxicity_window_weeks: 8}\n"
              "sensitivity: {grids: {c: {over: {truth.a.odds_ratio: [1, 2]}, quantity: serious}}}\n"},
     "`serious` is no quantity of this scenario; needs `truth.a.serious`"),
    ({"more": "conduct: {accrual: {per_month: 2}, assessment_weeks: [8, 16], toxicity_window_weeks: 8}\n"
              "sensitivity: {grids: {c: {over: {truth.a.odds_ratio: [1, 2]}, quantity: disease_control}}}\n"},
     "`disease_control` is no quantity of this scenario; needs `truth.a.stable_disease`"),
    ({"more": "conduct: {accrual: {per_month: 2}, assessment_weeks: [8, 16], toxicity_window_weeks: 8}\n"
              "sensitivity: {grids: {c: {over: {truth.a.odds_ratio: [1, 2]}, quantity: p_go_all}}}\n"},
     "`p_go_all` is no quantity of this scenario; needs `cohorts.rules: own` and several cohorts"),
]  # fmt: skip


def scenario_text(**parts: str) -> str:
    stated = PARTS | parts
    return (
        f"schema: 1\nname: e\nendpoint: r\ndesign: {stated['design']}\ndoses: [full, reduced]\n"
        f"truth: {stated['truth']}\n"
        f"dose_reduction: {{rule: {stated['rule']}, at_lowest_dose: stop}}\n{stated['more']}"
    )


@pytest.mark.parametrize(("parts", "said"), LATE)
def test_what_cannot_come_is_refused_at_its_line(parts: dict[str, str], said: str) -> None:
    parse(scenario_text())
    with pytest.raises(ScenarioError) as refused:
        parse(scenario_text(**parts))
    assert said in str(refused.value)


NOMINAL = (
    "schema: 1\nname: n\nendpoint: r\ndesign: {kind: simon, n1: 8, r1: 1, n: 24, r: R, p0: 0.1, p1: 0.3, alpha: 0.05,"
    " beta: 0.2}\ntruth: {a: {response: 0.1}}\nsimulation: {replicates: 50, seed: 1}\n"
)


def test_cut_offs_that_miss_their_nominal_rates_say_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case C6, by `validate` and on page one."""
    monkeypatch.chdir(tmp_path)
    said = "the type I error 0.0516 exceeds alpha = 0.05 and the power 0.7082 is below 0.8"
    meant = "0/8 4/24 has type I error 0.0778 and power 0.8572"
    for r, missed in ((4, True), (None, False)):
        text = NOMINAL.replace("R", str(r)) if missed else NOMINAL.replace("n1: 8, r1: 1, n: 24, r: R, ", "")
        Path("s.yaml").write_text(text)
        for command in (["validate", "s.yaml"], ["run", "s.yaml", "-o", "out", "--force"]):
            assert run(command, monkeypatch) == 0
            printed = " ".join(capsys.readouterr().out.split())
            assert (said in printed and meant in printed) is missed


def test_a_stable_size_that_is_not_found_is_told() -> None:
    found = trialsim.find("single_stage", p0=0.1, p1=0.3, alpha=0.05, beta=0.1, nmax=34)
    assert [d.criterion for d in found.designs] == ["first"]
    assert found.note == "up to n = 34 no n is found from which on every larger one works (stable)"
    assert not trialsim.find("single_stage", p0=0.1, p1=0.3, alpha=0.05, beta=0.1, nmax=400).note


def test_a_setting_without_a_design_ends_in_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "s.csv"
    file.write_text("p0,p1,alpha,beta,nmax\n.1,.3,.05,.2,50\n.1,.3,.05,.2,20\n")
    assert run(["find", "simon", "--settings", str(file)], monkeypatch) == 2
    printed = capsys.readouterr()
    reason = "no two-stage design with n <= 20 keeps alpha = 0.05 and beta = 0.2"
    assert "optimal,1/10 5/29" in printed.out
    assert reason in printed.out.splitlines()[-1]
    assert f"line 3: {reason}" in printed.err


def test_a_search_does_not_claim_what_it_held() -> None:
    found = trialsim.find("simon", p0=0.1, p1=0.3, alpha=0.05, beta=0.2, n1=13, n=43)
    said = " ".join(str(found).split())
    assert "Searched, where not held fixed: all n1, r1 of 0 or more, r and n" in said
    assert "held fixed: n1 = 13, n = 43." in said
