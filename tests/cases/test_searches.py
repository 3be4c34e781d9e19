"""What ``find`` covers and says: cases A1 to A3, C10, E3, E10, E13, F4, F14, F19, against enumeration of their own."""

from __future__ import annotations

import itertools
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from tests.helpers import run
from tests.unit.test_two_endpoint_designs import plain as both_endpoints
from trialsim.designs import bop2
from trialsim.designs.bryant_day import patient
from trialsim.designs.finding import DERIVED, SEARCHES, find, spec_of
from trialsim.designs.settings import find_in_file
from trialsim.designs.target import Target
from trialsim.engine.whole_trial import find_robust
from trialsim.errors import DesignError
from trialsim.scenario.files import load

SETTING: dict[str, Any] = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
MORE: dict[str, dict[str, Any]] = {
    "predictive_probability": {"prior": [0.1, 0.9], "min_n": 10},
    "posterior_probability": {"prior": [0.1, 0.9], "p_l": 0.05, "min_n": 10},
    "bop2": {"looks": [10, 20, 30]},
    "bop2_toxicity": {"looks": [10, 20, 30], "toxicity": [0.4, 0.15]},
    "bryant_day": {"toxicity": [0.4, 0.15]},
    "dual_criterion": {"decision_value": 0.2},
}
Cuts = tuple[tuple[int, int, int], ...]
"""Looks: n, stop if responses <=, go if >."""


def plain(cuts: Cuts, p: float) -> tuple[float, float]:
    """P(go) and EN, patient by patient."""
    state, go, en, k = {0: 1.0}, 0.0, 0.0, 0
    for m in range(1, cuts[-1][0] + 1):
        after: dict[int, float] = {}
        for x, chance in state.items():
            after[x] = after.get(x, 0.0) + chance * (1 - p)
            after[x + 1] = after.get(x + 1, 0.0) + chance * p
        state = after
        if cuts[k][0] != m:
            continue
        _, stop, more = cuts[k]
        ended = {x: c for x, c in state.items() if x <= stop or x > more or m == cuts[-1][0]}
        go += sum(c for x, c in ended.items() if x > more)
        en += m * sum(ended.values())
        state = {x: c for x, c in state.items() if x not in ended}
        k += 1
    return go, en


def read(design: str) -> Cuts:
    """The looks of a design as it is printed, taken at its word."""
    cuts = []
    for look in design.split():
        words, _, n = look.partition("/")
        r, _, a = words.partition(":")
        cuts.append((int(n), -1 if r == "-" else int(r), int(a) if a else int(n)))
    n_last, stop, more = cuts[-1]
    return (*cuts[:-1], (n_last, stop, stop if ":" not in design.split()[-1] else more))


@cache
def above(p0: float, m: int) -> tuple[float, ...]:
    """P(p > p0 | x of m) under a Beta(p0, 1 - p0) prior."""
    return tuple(stats.beta.sf(p0, p0 + x, 1 - p0 + m - x) for x in range(m + 1))


def by_posterior(at: list[int], p0: float, lambda_: float, gamma: float) -> Cuts:
    """BOP2 without an early go; looks that stop nobody are left out."""
    stop = [sum(v < lambda_ * (m / at[-1]) ** gamma for v in above(p0, m)) - 1 for m in at[:-1]]
    r = sum(v <= lambda_ for v in above(p0, at[-1])) - 1
    kept = ((m, low, m) for m, low in zip(at[:-1], stop, strict=True) if low >= 0)
    return (*kept, (at[-1], r, r))


# case A1
def test_bop2_has_the_power_that_a_gamma_above_1_gives() -> None:
    looks = [10, 20, 30, 40]
    found = find("bop2", p0=0.2, p1=0.4, alpha=0.1, beta=0.1, looks=looks)
    known = by_posterior(looks, 0.2, 0.8575, 1.26)
    assert [plain(known, p)[0] for p in (0.2, 0.4)] == pytest.approx([0.0835, 0.9191], abs=5e-5)
    assert found["most_power"].power > plain(by_posterior(looks, 0.2, 0.8575, 2.145), 0.4)[0] > 0.9247
    assert found["optimal"].power >= 0.9
    assert found["optimal"].en_p0 == pytest.approx(plain(known, 0.2)[1])
    for d in found:
        assert read(d.design) == by_posterior(looks, 0.2, d.constants["lambda"], d.constants["gamma"])
        assert plain(read(d.design), 0.2)[0] == pytest.approx(d.type_i_error, abs=1e-9)
        assert plain(read(d.design), 0.4)[0] == pytest.approx(d.power, abs=1e-9)
    assert "gamma from 0 to 10" in str(found)


def test_bop2_needs_no_beta_and_says_to_which_gamma_it_looked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["find", "bop2", "--p0", ".2", "--p1", ".4", "--alpha", ".1", "--set", "looks=[10,20,30,40]"]
    assert run(command, monkeypatch) == 0
    said = capsys.readouterr().out
    assert "0.8864" in said
    assert "power at least" not in said
    assert "every gamma from 0 to 1; held fixed: looks = [10, 20, 30, 40]" in said
    assert run([*command, "--set", "gamma_most=10"], monkeypatch) == 0
    assert "0.9290" in capsys.readouterr().out
    assert run([*command, "--power", ".95"], monkeypatch) == 2
    assert "0.9290, over every lambda and every gamma to 10, less than 0.95" in capsys.readouterr().err


@pytest.mark.parametrize(("p0", "p1", "alpha"), [(0.2, 0.5, 0.1), (0.1, 0.4, 0.05), (0.35, 0.6, 0.2)])
def test_no_lambda_and_gamma_do_better_than_those_found(p0: float, p1: float, alpha: float) -> None:
    at = [4, 8, 12]
    found = bop2.search(tuple(at), p0, p1, alpha, 0.5, largest=2.0)
    most, least, seen = 0.0, float("inf"), set()
    for i, j in itertools.product(range(2, 100), range(41)):
        cuts = by_posterior(at, p0, i / 100, j / 20)
        if cuts in seen:
            continue
        seen.add(cuts)
        (level, en), (power, _) = plain(cuts, p0), plain(cuts, p1)
        if level <= alpha:
            most = max(most, power)
            least = min(least, en) if power >= 0.5 else least
    assert len(seen) > 15
    assert found["most_power"].power >= most - 1e-9
    assert found["optimal"].en_p0 <= least + 1e-9


# case A2
def test_bop2_for_toxicity_too() -> None:
    looks, toxicity = [10, 20, 30, 40], [0.3, 0.15]
    setting = {"p0": 0.2, "p1": 0.4, "alpha": 0.05, "looks": looks, "toxicity": toxicity}
    known = spec_of("bop2_toxicity", setting | {"alpha": None, "lambda": 0.76, "gamma": 1.75}).compile()
    assert both_endpoints(known, patient(0.4, 0.15, 1.0))[0] == pytest.approx(0.9268, abs=5e-5)
    assert both_endpoints(known, patient(0.2, 0.3, 1.0))[0] == pytest.approx(0.0469, abs=5e-5)
    for d in find("bop2_toxicity", **setting, beta=0.1):
        assert d.power >= (0.9268 if d.criterion == "most_power" else 0.9)
        assert d.decisions is not None
        assert both_endpoints(d.decisions, patient(0.4, 0.15, 1.0))[0] == pytest.approx(d.power, abs=1e-9)
        assert both_endpoints(d.decisions, patient(0.2, 0.3, 1.0))[0] <= 0.05


# case A3
SCENARIO = """
schema: 1
name: small
endpoint: response
design: {kind: simon, p0: 0.2, p1: 0.4, alpha: 0.05, ERRORS}
truth:
  inactive: {response: 0.2}
  active: {response: 0.4}
"""


def scenario(tmp_path: Path, errors: str) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SCENARIO.replace("ERRORS", errors), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_power_for_beta_is_asked_about(kind: str) -> None:
    with pytest.raises(DesignError, match=r"power of 0\.2: power 0\.8 is beta 0\.2"):
        find(kind, **SETTING | MORE.get(kind, {}) | {"beta": 0.8})
    with pytest.raises(DesignError, match=r"beta of 0\.8"):
        find(kind, **SETTING | MORE.get(kind, {}) | {"beta": None, "power": 0.2})
    with pytest.raises(DesignError, match=r"is alpha 0\.05 meant"):
        find(kind, **SETTING | MORE.get(kind, {}) | {"alpha": 0.95})


def test_power_is_read_wherever_beta_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = {key: SETTING[key] for key in ("p0", "p1", "alpha")}
    assert find("simon", **setting, power=0.8) == find("simon", **SETTING)
    assert find("simon", **SETTING, power=0.8) == find("simon", **SETTING)
    with pytest.raises(DesignError, match="do not agree"):
        find("simon", **SETTING, power=0.9)
    table = tmp_path / "settings.csv"
    table.write_text("p0,p1,alpha,power\n0.1,0.3,0.05,0.8\n0.1,0.3,0.05,0.1\n", encoding="utf-8")
    frame = find_in_file("simon", table).to_frame()
    assert list(frame["given_power"])[-1] == 0.1
    assert "1/10 5/29" in set(frame["design"])
    assert "which one is meant?" in list(frame["note"])[-1]
    table.write_text("p1,beta\n0.2,0.05\n", encoding="utf-8")
    assert find_in_file("gehan", table).rows[0]["design"].startswith("0/14; n = 15 after 1")
    by_beta, by_power = (load(scenario(tmp_path, text)) for text in ("beta: 0.2", "power: 0.8"))
    assert by_beta.design == by_power.design
    assert load(scenario(tmp_path, "power: 0.8, beta: 0.2")).design == by_beta.design
    robust = find_robust(by_beta, power=0.7, nmax=45)
    assert robust.setting["beta"] == 0.3
    for errors, said in (
        ("beta: 0.8", "which one is meant?"),
        ("power: 0.1", "which one is meant?"),
        ("power: 0.9, beta: 0.2", "do not agree"),
        ("power: 80", "outside 0 to 1"),
    ):
        assert run(["validate", str(scenario(tmp_path, errors))], monkeypatch) == 2
        printed = capsys.readouterr()
        assert said in printed.err + printed.out
    path = scenario(tmp_path, "beta: 0.2")
    assert run(["find", "--scenario", str(path), "--beta", ".8"], monkeypatch) == 2
    assert "which one is meant?" in capsys.readouterr().err


# case C10
def test_fleming_is_derived_from_its_looks() -> None:
    d = find("fleming", p0=0.1, p1=0.3, alpha=0.05, n=[15, 25])["derived"]
    assert plain(read(d.design), 0.1) == pytest.approx((d.type_i_error, d.en_p0))
    assert plain(read(d.design), 0.3) == pytest.approx((d.power, d.en_p1))
    with pytest.raises(DesignError, match=r"add n, such as n=\[13,25\]"):
        find("fleming", **SETTING)
    with pytest.raises(DesignError, match="more patients are needed"):
        find("fleming", **SETTING, n=[8, 16])
    with pytest.raises(DesignError, match="nmax belongs to a search"):
        find("fleming", **SETTING, n=[15, 25], nmax=30)


def test_gehan_is_derived_from_p1_and_beta() -> None:
    found = find("gehan", p1=0.2, beta=0.05)
    d = found["derived"]
    assert d.design == "0/14; n = 15 after 1, n = 20 after 2, n = 23 after 3, n = 25 after 4 to 14"
    assert 0.8**14 <= 0.05 < 0.8**13
    assert d.power == pytest.approx(1 - 0.8**14)
    assert d.type_i_error is None
    assert "0/14; n = 15 after 1" in str(found)
    at_p0 = find("gehan", p0=0.05, p1=0.2, beta=0.05, alpha=0.05)["derived"]
    assert at_p0.type_i_error == pytest.approx(1 - 0.95**14)
    with pytest.raises(DesignError, match="needs p1, beta; missing: beta"):
        find("gehan", p1=0.2)


def test_what_is_stated_and_what_cannot_be() -> None:
    with pytest.raises(DesignError, match="kind rules is stated, not searched for"):
        find("rules", **SETTING)
    with pytest.raises(DesignError, match=r"p0 = 0\.7, p1 = 0\.9"):
        find("simon", **SETTING | {"p0": 0.3, "p1": 0.1})
    with pytest.raises(DesignError, match=r"the largest power at n = 20 is 0\.7625, in one stage or two"):
        find("simon", **SETTING, n=20)
    # where one response is a go, a stop after stage 1 costs power
    two = max(plain(((n1, 0, n1), (5, 0, 0)), 0.3)[0] for n1 in range(1, 5))
    assert f"{two:.4f}" == "0.7599"
    with pytest.raises(DesignError, match=r"n = 5 is 0\.8319 in one stage, 0\.7599 in two"):
        find("simon", p0=0.01, p1=0.3, alpha=0.05, beta=0.1, n=5)


# case E3
@pytest.mark.parametrize("kind", ["posterior_probability", "predictive_probability", "bop2"])
def test_what_is_printed_is_the_design(kind: str) -> None:
    keys = {
        "posterior_probability": {"prior": [1, 1], "p_l": 0.05},
        "predictive_probability": {"prior": [1, 1]},
    }
    keys |= {"bop2": {"looks": list(range(5, 31, 5)), "efficacy_stop": True}}
    found = find(kind, **SETTING, **keys[kind], **({"nmax": 40} if kind != "bop2" else {}))
    for d in found:
        assert plain(read(d.design), 0.1)[0] == pytest.approx(d.type_i_error, abs=1e-9)
        assert plain(read(d.design), 0.3)[0] == pytest.approx(d.power, abs=1e-9)
        # from the constants that are named, with what the block states
        block = (
            {key: value for key, value in keys[kind].items() if key != "efficacy_stop"}
            | d.constants
            | {"p0": 0.1}
        )
        stated = spec_of(kind, block | ({"n": d.n} if kind != "bop2" else {}))
        assert stated.compile() == d.decisions
        text = str(found)
        assert all(f"{name} {value:g}" in text for name, value in d.constants.items())
        assert "".join(d.design.split()) in "".join(text.split())
    if kind == "posterior_probability":
        assert (found["smallest"].type_i_error, found["smallest"].power) == pytest.approx(
            (0.0432, 0.8140), abs=5e-5
        )
        assert "at the last look, between the two, consider" in " ".join(str(found).split())


# case E10
@pytest.mark.parametrize("kind", [*SEARCHES, *DERIVED])
def test_json_has_whole_designs(kind: str) -> None:
    keys = MORE.get(kind, {}) | ({"n": [15, 25]} if kind == "fleming" else {})
    found = find(kind, **SETTING, **keys)
    for d, row in zip(found, found.to_dict()["designs"], strict=True):
        assert (
            spec_of("rules", {"looks": json.loads(json.dumps(row["looks"]), object_hook=counts)}).compile()
            == d.decisions
        )
        more = {"mander_thompson": ["a1"], "sargent": ["s", "consider_p0"], "posterior_probability": ["p_u"]}
        more |= {
            "bryant_day": [
                "r1",
                "b1",
                "b",
                "type_i_response",
                "type_i_toxicity",
                "en_poor_response",
                "en_toxic",
            ]
        }
        more |= {"bop2": ["lambda", "gamma"], "predictive_probability": ["theta_l", "theta_t"]}
        assert all(row[key] is not None for key in more.get(kind, []))


def counts(block: dict[str, Any]) -> dict[Any, Any]:
    return {int(key) if key.isdigit() else key: value for key, value in block.items()}


# case E13
def test_a_bound_below_the_answer_stands_in_the_line() -> None:
    text = str(find("curtailed", **SETTING, nmax=30, criterion="optimal"))
    assert re.search(r"optimal \(n <= 30\)\s+\d+/\d+ \d+/\d+", text)
    complete = str(find("simon", **SETTING))
    assert "(n <=" not in complete


# cases F4, F14
def test_what_no_test_can_keep_is_told_before_the_search() -> None:
    for n in (5, 9, 14):
        target = Target(0.2, 0.5, 0.1, 0.2)
        levels = [stats.binom.sf(r, n, 0.2) for r in range(-1, n + 1)]
        powers = [stats.binom.sf(r, n, 0.5) for r in range(-1, n + 1)]
        at = next(k for k, level in enumerate(levels) if level <= 0.1)
        share = (0.1 - levels[at]) / (levels[at - 1] - levels[at])
        most = powers[at] + share * (powers[at - 1] - powers[at])
        assert target.within_reach(n) == (most >= 0.8)
    said: list[str] = []
    for kind in ("multistage", "sargent", "mander_thompson", "curtailed"):
        with pytest.raises(DesignError, match=r"a single stage takes n = .*; a larger nmax may have one"):
            find(kind, **SETTING | {"p0": 0.3, "p1": 0.35}, doing=said.append)
    assert len(said) == 4
    with pytest.raises(DesignError, match="no stage 1 has a PET of 1"):
        find("simon", **SETTING, min_pet=1)


@pytest.mark.parametrize("kind", SEARCHES)
def test_what_was_held_is_said_in_success_and_failure(kind: str) -> None:
    keys = MORE.get(kind, {})
    found = find(kind, **SETTING, **keys)
    assert "Searched: " in str(found)
    assert all(f"{key} = " in str(found) for key in keys)
    short = {"looks": [10, 12]} if "looks" in keys else {"nmax": 8}
    with pytest.raises(DesignError) as refused:
        find(kind, **SETTING | keys | short)
    assert all(f"{key} = " in str(refused.value) for key in keys)


# case F19
def test_an_unknown_kind_is_refused_before_the_file_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["find", "NONSENSE", "--settings", "no-such-file.csv"], monkeypatch) == 2
    assert "kind `NONSENSE` is not known" in capsys.readouterr().err
    command = ["find", "simon", "--p0", ".1", "--p1", ".3", "--alpha", ".05", "--beta", ".2"]
    for key in ("doing", "progress", "power"):
        assert run([*command, "--set", f"{key}=3"], monkeypatch) == 2
        assert "is not KEY=VALUE" in capsys.readouterr().err
