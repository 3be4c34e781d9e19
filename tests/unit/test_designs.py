"""Every kind of design: what it alone does by two computations, its simulation, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

import trialsim
from tests.helpers import CONFIGS, run
from trialsim.codes import CONTINUE, NEVER
from trialsim.designs import curtailed, gehan, simon, swog
from trialsim.designs.alone import alone, written
from trialsim.designs.finding import CRITERIA, SEARCHES, find
from trialsim.designs.fleming import boundaries
from trialsim.designs.group_sequential import GroupSequential
from trialsim.designs.registry import Design, ToxicityRule
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.designs.settings import find_many
from trialsim.designs.toxicity import crossing_probability
from trialsim.engine.exact import distribution
from trialsim.errors import DesignError
from trialsim.scenario.truth import Rates

EXAMPLES = (
    "simon-constrained", "mander-thompson", "three-stage", "fleming", "gehan", "swog", "sargent", "curtailed",
    "predictive-probability", "posterior-probability", "bop2", "optimal-looks",
)  # fmt: skip
SETTING = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
MORE: dict[str, dict[str, Any]] = {
    "curtailed": {"nmax": 30},
    "predictive_probability": {"prior": [0.1, 0.9], "min_n": 10, "nmax": 32},
    "posterior_probability": {"prior": [0.1, 0.9], "p_l": 0.05, "min_n": 10},
    "bop2": {"looks": [10, 20, 30]},
    "bop2_toxicity": {"looks": [10, 20, 30], "toxicity": [0.4, 0.15]},
    "bryant_day": {"toxicity": [0.4, 0.15]},
    "dual_criterion": {"decision_value": 0.2},
}


def design(**keys: Any) -> Any:
    return TypeAdapter(Design).validate_python(keys)


def by_chain(looks: Looks, p: float) -> dict[str, float]:
    """The chain that exact answers of a run come from."""
    never = (NEVER,) * (looks.planned_n + 1)
    return distribution(
        Rules(looks, Monitor((never,), (0,), (CONTINUE,)), False, looks.planned_n), Rates((p,), (0.2,))
    ).values


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_design_alone_is_what_the_chain_says(name):
    looks = trialsim.load(CONFIGS / f"{name}.yaml").design.compile()
    for p in (0.03, 0.1, 0.25, 0.6):
        here, chain = alone(looks, p), by_chain(looks, p)
        pairs = {
            "p_go": here.p_go, "p_consider": here.p_consider, "pet": here.pet, "en": here.en,
            "p_go_early": here.p_go_early, "p_stop_futility": here.p_stop_futility,
        }  # fmt: skip
        for key, value in pairs.items():
            assert value == pytest.approx(chain[key], abs=1e-10), (name, p, key)
        assert here.p_go + here.p_consider + here.p_no_go == pytest.approx(1)


@pytest.mark.parametrize("name", [*EXAMPLES, "group-sequential-toxicity"])
def test_simulation_agrees_with_exact(name):
    """|z| < 4.5 on every quantity of every case, 40,000 trials each, a fresh seed: fixed beforehand."""
    results = trialsim.simulate(trialsim.load(CONFIGS / f"{name}.yaml"), replicates=40_000, seed=711)
    assert not results.disagreements
    for case in results.cases:
        for key in ("p_go", "pet", "en"):
            assert case.simulated is not None and case.exact is not None
            estimate = case.simulated.values[key]
            if estimate.mcse > 0:
                assert abs(estimate.estimate - case.exact.values[key]) < 4.5 * estimate.mcse, (name, key)


@pytest.mark.parametrize("kind", SEARCHES)
def test_what_is_found_keeps_both_error_rates(kind):
    found = find(kind, **SETTING, **MORE.get(kind, {}))
    assert len(found)
    for d in found:
        assert d.type_i_error <= 0.05 + 1e-9
        if kind != "bop2":
            assert d.power >= 0.8 - 1e-9
        if d.looks is not None:
            assert alone(d.looks, 0.1).p_go == pytest.approx(d.type_i_error, abs=1e-9)
            assert alone(d.looks, 0.3).p_go == pytest.approx(d.power, abs=1e-9)
            assert alone(d.looks, 0.1).en == pytest.approx(d.en_p0, abs=1e-9)
    assert str(found)
    for criterion in CRITERIA[kind]:
        only = find(kind, **SETTING, **MORE.get(kind, {}), criterion=criterion)
        assert {d.criterion for d in only} == {criterion}


def test_what_is_found_compiles_to_the_same_looks():
    for kind in SEARCHES:
        if kind in ("bryant_day", "bop2_toxicity"):  # tests/unit/test_two_endpoint_designs.py
            continue
        keys = MORE.get(kind, {})
        spec = design(kind=kind, **SETTING, **keys)
        criterion = spec.default_criterion
        assert spec.compile() == find(kind, **SETTING, **keys, criterion=criterion)[criterion].looks, kind


def test_limits_of_simon_are_kept():
    stated = {"kind": "simon", **SETTING}
    assert written(design(**stated, balanced=True).compile()) == "1/13 5/26"
    looks = design(**stated, n1=14).compile()
    assert looks.n[0] == 14
    assert design(**stated, n=33).compile().n[1] == 33
    looks = design(**stated, min_pet=0.9).compile()
    assert alone(looks, 0.1).pet >= 0.9
    first, last = design(**stated, stage1_share=[0.6, 0.7]).compile().n
    assert 0.6 <= first / last <= 0.7
    at_p1 = design(**stated, en_weight_p1=1.0).compile()
    assert alone(at_p1, 0.3).en <= alone(design(**stated).compile(), 0.3).en


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_design_takes_calendar_time(name, tmp_path):
    text = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
    conduct = "conduct: {accrual: {per_month: PACE}, assessment_weeks: [8], confirmed: false}\n"
    path = tmp_path / "a.yaml"
    path.write_text(text + conduct.replace("PACE", "4"), encoding="utf-8")
    scenario = trialsim.load(path)
    results = trialsim.simulate(scenario, replicates=2_000, seed=3)
    assert not results.disagreements
    case = results.cases[-1]
    assert case.simulated is not None and case.simulated.values["en"].estimate > 0
    if name in ("bop2", "fleming"):
        path.write_text(text + conduct.replace("PACE", "0.001"), encoding="utf-8")
        assert "accrual" in str(trialsim.validate(path))


def test_gehan_of_the_textbook():
    assert gehan.first_stage(0.2, 0.05) == 14
    assert gehan.second_stage(14, 0.1)[:6] == [0, 1, 6, 9, 11, 11]
    for p1, miss in ((0.05, 0.05), (0.25, 0.1), (0.5, 0.01)):
        n1 = gehan.first_stage(p1, miss)
        assert (1 - p1) ** n1 <= miss < (1 - p1) ** (n1 - 1)


def test_swog_cut_offs_by_their_definition():
    from scipy.stats import binom

    assert swog.cut_offs(20, 40, 0.05, 0.2) == (0, 4)
    for n1, n, p0, p1 in ((20, 35, 0.1, 0.3), (25, 50, 0.3, 0.5), (15, 30, 0.2, 0.4)):
        r1, r = swog.cut_offs(n1, n, p0, p1)
        assert binom.cdf(r1, n1, p1) <= 0.02 < binom.cdf(r1 + 1, n1, p1)
        assert binom.sf(r, n, p0) <= 0.055 < binom.sf(r - 1, n, p0)


def test_fleming_boundaries():
    assert boundaries((20, 40), 0.05, 0.05) == ((0, 4), (4, 5))
    for n in ((15, 30), (20, 35, 50), (40,)):
        stop, go = boundaries(n, 0.1, 0.05)
        assert stop[-1] == go[-1] - 1
        assert all(low < high for low, high in zip(stop, go, strict=True))


def test_curtailment_changes_no_outcome():
    for cuts in ((29, 5, 10, 1), (70, 6, 25, 1), (120, 30, 40, 9)):
        n, r, n1, r1 = cuts
        looks = curtailed.looks_of(n, r, n1, r1)
        for p in (0.02, 0.05, 0.2):
            p_go, _, en = simon.operating_characteristics(r1, n1, r, n, p)
            here = alone(looks, p)
            assert here.p_go == pytest.approx(p_go, abs=1e-10)
            assert here.en < en


@pytest.mark.parametrize("shape", ["pocock", "obrien_fleming"])
def test_a_toxicity_boundary_at_looks_keeps_its_phi(shape):
    rule = GroupSequential(kind="group_sequential", limit=0.25, phi=0.1, looks=(10, 20, 35), shape=shape)
    bounds = rule.compile(35, 35)
    assert crossing_probability(bounds, 0.25, 35) <= 0.1
    assert {m for m, b in enumerate(bounds) if b < NEVER} <= {10, 20, 35}
    # one toxicity fewer at any look breaks it, or is another member of the family
    lower = [
        crossing_probability(tuple(b - 1 if m == k else b for m, b in enumerate(bounds)), 0.25, 35)
        for k in (10, 20, 35)
    ]
    assert max(lower) > 0.1


def test_obrien_fleming_is_stricter_early():
    shapes = [
        GroupSequential(
            kind="group_sequential", limit=0.3, phi=0.1, looks=(10, 20, 30, 40), shape=shape
        ).compile(40, 40)
        for shape in ("pocock", "obrien_fleming")
    ]
    assert shapes[1][10] > shapes[0][10]
    assert shapes[1][40] <= shapes[0][40]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "simon", **SETTING, "balanced": True, "stage1_share": [0.4, 0.6]}, "state one of them"),
    ({"kind": "simon", **SETTING, "n1": 30, "n": 20}, "stage 1 must be smaller"),
    ({"kind": "simon", "n1": 10, "r1": 1, "n": 29, "r": 5, "min_pet": 0.5}, "belongs to a search"),
    ({"kind": "simon", **SETTING, "en_prior": [1, 0]}, "above 0"),
    ({"kind": "simon", **SETTING, "en_prior": [1.0, 0.0]}, "above 0"),
    ({"kind": "mander_thompson", "p0": 0.3, "p1": 0.1}, "must be above"),
    ({"kind": "mander_thompson", "n1": 10, "r1": 3, "a1": 2, "n": 20, "r": 5}, "from r1 = 3"),
    ({"kind": "mander_thompson", "n1": 10, "r1": 3}, "missing: a1, n, r"),
    ({"kind": "multistage", "n": [10, 9], "stop_le": [0, 1]}, "stages must grow"),
    ({"kind": "multistage", "n": [10, 20], "stop_le": [0]}, "1 cut-offs for 2 stages"),
    ({"kind": "multistage", "n": [10, 20], "stop_le": [0, None]}, "last stage needs"),
    ({"kind": "multistage", "n": [10, 20], "stop_le": [10, 12]}, "no count of responses would pass"),
    ({"kind": "multistage", "n": [10, 20], "stop_le": [3, 5], "go_gt": [2]}, "but a stop up to 3"),
    ({"kind": "multistage", **SETTING, "go_gt": [2]}, "stated by n and stop_le"),
    ({"kind": "fleming", "p0": 0.1, "alpha": 0.05, "n": [20, 10]}, "stages must grow"),
    ({"kind": "fleming", "p0": 0.9, "alpha": 0.05, "n": [2]}, "rejects p0"),
    ({"kind": "gehan", "p1": 0.2, "miss": 0.05, "standard_error": 0.001}, "more than 10000"),
    ({"kind": "gehan", "p0": 0.3, "p1": 0.2, "miss": 0.05, "standard_error": 0.1}, "must be above"),
    ({"kind": "swog", "n1": 20, "n": 40}, "state both"),
    ({"kind": "swog", "p0": 0.1, "p1": 0.3, "n1": 40, "n": 40}, "stage 1 must be smaller"),
    ({"kind": "sargent", "n1": 10, "r1": 3, "n": 20, "r": 6, "s": 6}, "cut-offs must grow"),
    ({"kind": "curtailed", "n": 20, "r": 20}, "must be below n"),
    ({"kind": "curtailed", "n": 20, "r": 5, "n1": 10}, "needs both n1 and r1"),
    ({"kind": "curtailed", "n": 20, "r": 5, "every": 3}, "must fall on the end"),
    ({"kind": "curtailed", "n": 20, "r": 5, "futility_below": 0.2}, "computed at p1"),
    ({"kind": "curtailed", **SETTING, "every": 5}, "only full curtailment is searched"),
    ({"kind": "predictive_probability", "n": 20, "theta_l": 0.1, "theta_t": 0.9, "prior": [1.0, 1.0]}, "state p0"),
    ({"kind": "predictive_probability", **SETTING, "prior": [1.0, 0.0]}, "above 0"),
    ({"kind": "posterior_probability", "n": 20, "p_l": 0.1, "p_u": 0.9, "prior": [1.0, 1.0]}, "state the standard"),
    ({"kind": "posterior_probability", "p0": 0.5, "n": 20, "p_l": 0.1, "p_u": 0.9, "prior": [1.0, 1.0], "delta": 0.5},
     "must stay below 1"),
    ({"kind": "bop2", "p0": 0.1, "looks": [10, 20]}, "state p0, p1 and alpha"),
    ({"kind": "bop2", "p0": 0.1, "looks": [10, 10], "lambda": 0.9, "gamma": 1.0}, "looks must grow"),
    ({"kind": "bop2", "p0": 0.1, "looks": [10, 20], "lambda": 0.9}, "need lambda and gamma"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "said"), REFUSED)
def test_what_a_design_refuses(keys, said):
    with pytest.raises(ValidationError) as refused:
        design(**keys)
    assert said in str(refused.value)


def test_what_a_toxicity_boundary_refuses():
    rule = {"kind": "group_sequential", "limit": 0.3, "phi": 0.1, "looks": [10, 20]}
    for keys, said in (
        ({"looks": [20, 10]}, "looks must grow"),
        ({"shape": "pocock", "delta": 0.1}, "not both"),
    ):
        with pytest.raises(ValidationError, match=said):
            TypeAdapter(ToxicityRule).validate_python(rule | keys)
    with pytest.raises(DesignError, match="20 patients at a dose, but a trial treats 15"):
        TypeAdapter(ToxicityRule).validate_python(rule).compile(15, 15)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"kind": "simon", "nmax": 20}, "the least n that works is 25"),
        (
            {"kind": "simon", "balanced": True, "nmax": 25},
            "without the limit on n1 / n, 1/15 5/25 is possible",
        ),
        ({"kind": "simon", "n1": 5, "n": 20}, "without the limit on n"),
        ({"kind": "simon", "sise": 5}, "`sise` is no key of simon"),
        ({"kind": "mander_thompson", "nmax": 15}, "the least n that works is 24"),
        ({"kind": "multistage", "nmax": 15}, "no three-stage design with n <= 15"),
        ({"kind": "swog", "nmax": 12}, "n <= 12"),
        ({"kind": "sargent", "nmax": 12}, "n <= 12"),
        ({"kind": "bop2"}, "looks"),
        ({"kind": "bryant_day", "toxicity": [0.1, 0.3]}, "is the higher one"),
        ({"kind": "bryant_day", "toxicity": [0.3, 0.1], "nmax": 12}, "n <= 12"),
        ({"kind": "no_design"}, "is not known; allowed: simon"),
        ({"kind": "simon", "alpha": 5.0}, "did you mean 0.05"),
        ({"kind": "simon", "p0": 0.4}, "must be above"),
    ],
)
def test_what_a_search_cannot_do_is_said(keys, said):
    with pytest.raises(DesignError) as refused:
        find(**(SETTING | keys))
    assert said in str(refused.value)


def test_many_settings_in_one_call(tmp_path, monkeypatch, capsys):
    table = find_many("simon", [SETTING, {**SETTING, "nmax": 9}, {**SETTING, "balanced": True}])
    assert list(table["criterion"].dropna().unique()) == ["minimax", "admissible", "optimal"]
    assert table["note"].str.contains("n <= 9").sum() == 1
    path = tmp_path / "settings.csv"
    path.write_text("p0,p1,alpha,beta,balanced\n0.1,0.3,0.05,0.2,\n0.05,0.2,0.05,0.2,true\n")
    assert run(["find", "simon", "--settings", str(path)], monkeypatch) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("p0,p1,alpha,beta,balanced,criterion,design")
    assert "0.1,0.3,0.05,0.2,,optimal,1/10 5/29" in "\n".join(printed)
    path.write_text("p0,p1\n0.1,0.3\n")
    assert run(["find", "simon", "--settings", str(path)], monkeypatch) == 2
    assert "needs a header" in capsys.readouterr().err


def test_find_takes_the_keys_of_a_design_and_draws_it(tmp_path, monkeypatch, capsys):
    rates = ["--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--beta", "0.2"]
    picture = tmp_path / "candidates.png"
    status = run(
        ["find", "simon", *rates, "--set", "stage1_share=[0.5,0.7]", "--figure", str(picture)], monkeypatch
    )
    assert status == 0
    assert picture.stat().st_size > 10_000
    assert "optimal" in capsys.readouterr().out
    for wrong, said in (
        (["--set", "balanced"], "not KEY=VALUE"),
        (["--figure", str(tmp_path / "a.doc")], "end in .svg"),
        (["--set", "min_pet=70"], "min_pet"),
    ):
        assert run(["find", "simon", *rates, *wrong], monkeypatch) == 2
        assert said in capsys.readouterr().err
    assert run(["find", "simon", "--p0", "0.1"], monkeypatch) == 2
    assert "missing: p1, alpha, beta" in capsys.readouterr().err


def test_the_figure_of_candidates_shows_their_numbers():
    from trialsim.figures.candidates import draw

    found = find("simon", **SETTING)
    frame = draw(found).frame
    hull = {d.n: d.en_p0 for d in found}
    best = frame[frame["design"] == "best of its n"].set_index("x")["value"]
    for n, en in hull.items():
        assert best[n] == pytest.approx(en)
    assert (best >= min(hull.values()) - 1e-9).all()
    curve = frame[(frame["panel"] == "p_go") & (frame["design"] == "1/10 5/29")].set_index("x")["value"]
    assert curve[0.1] == pytest.approx(found["optimal"].type_i_error)
    assert curve[0.3] == pytest.approx(found["optimal"].power)
    assert (np.diff(curve.sort_index()) >= 0).all()
    with pytest.raises(DesignError, match="no P"):
        draw(find("bryant_day", **SETTING, toxicity=[0.4, 0.15]))


def test_find_tells_the_mean_type_i_error_over_a_history() -> None:
    """.2638 of 1/25 6/70 and .1605 of 1/10 5/29 stand in ``history.csv` of `trialsim.qualification`` and its source."""
    found = trialsim.find("simon", p0=0.05, p1=0.15, alpha=0.05, beta=0.15, history="1/20")
    assert round(found["optimal"].details["mean_type_i_error"], 4) == 0.2638
    found = trialsim.find("simon", p0=0.1, p1=0.3, alpha=0.05, beta=0.2, history="2/20")
    assert round(next(iter(found.rows()))["mean_type_i_error"], 4) > 0
    assert round(found["optimal"].details["mean_type_i_error"], 4) == 0.1605
    assert "mean_type_i_error" not in next(
        iter(trialsim.find("single_stage", p0=0.1, p1=0.3, alpha=0.05, beta=0.2).rows())
    )


@pytest.mark.parametrize("history", ["1.5/20", "21/20", ".05", "0/0", "a/b", "-1/20", "1/20/3"])
def test_a_history_that_is_no_count_is_refused(history: str) -> None:
    with pytest.raises(DesignError, match="history = "):
        trialsim.find("simon", p0=0.05, p1=0.15, alpha=0.05, beta=0.15, history=history)
