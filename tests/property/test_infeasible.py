"""Settings without a design: which bound failed, what would be feasible, and that what is said is so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.helpers import run
from trialsim.designs.finding import SEARCHES, find
from trialsim.designs.infeasible import Reached, least_level, most_power
from trialsim.designs.simon import operating_characteristics
from trialsim.designs.target import NoDesign, Target
from trialsim.errors import DesignError

SETTING: dict[str, Any] = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
MORE: dict[str, dict[str, Any]] = {
    "predictive_probability": {"prior": [0.1, 0.9], "min_n": 10},
    "posterior_probability": {"prior": [0.1, 0.9], "p_l": 0.05, "min_n": 10},
    "bop2": {"looks": [10, 15]},
    "bop2_toxicity": {"looks": [10, 15], "toxicity": [0.4, 0.15]},
    "bryant_day": {"toxicity": [0.4, 0.15]},
    "dual_criterion": {"decision_value": 0.2},
}
BOUNDED = [kind for kind in SEARCHES if kind not in ("bop2", "bop2_toxicity", "bryant_day", "optimal_looks")]


def command(kind: str, **changes: Any) -> list[str]:
    arguments = ["find", kind]
    for key, value in (SETTING | MORE.get(kind, {}) | changes).items():
        if key in (*SETTING, "nmax"):
            arguments += [f"--{key}", str(value)]
        else:
            arguments += ["--set", f"{key}={json.dumps(value)}"]
    return arguments


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"p0": 0.3, "p1": 0.1}, "p1 = 0.1 must be above the unacceptable rate p0 = 0.3"),
        ({"p0": 0.3}, "must be above"),
        ({"alpha": 5}, "alpha = 5 must lie between 0 and 1; did you mean 0.05?"),
        ({"beta": 20}, "did you mean 0.2?"),
        ({"p1": 30}, "did you mean 0.3?"),
        ({"alpha": 0}, "alpha = 0 must lie between 0 and 1"),
        ({"nmax": 0}, "nmax = 0 must be 1 or more"),
        ({"nmax": 20_000}, "nmax = 20000 must be less than or equal to 10000"),
    ],
)
def test_impossible_settings_of_every_kind(
    kind: str,
    changes: dict[str, Any],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(command(kind, **changes), monkeypatch) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("kind", BOUNDED)
def test_n_beyond_the_bound_says_what_would_do(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(kind, nmax=14), monkeypatch) == 2
    said = capsys.readouterr().err
    assert "with n <= 14 keeps alpha = 0.05 and beta = 0.2" in said
    power = float(re.findall(r"largest power at alpha = 0.05 is (\S+);", said)[0])
    n = int(re.findall(r"the least n that works is (\d+)", said)[0])
    setting = SETTING | MORE.get(kind, {})
    # the power that is named is reached, and no more than it
    assert max(
        d.power for d in find(kind, **setting | {"beta": 1 - power + 1e-4, "nmax": 14})
    ) == pytest.approx(power, abs=6e-5)
    with pytest.raises(DesignError):
        find(kind, **setting | {"beta": 1 - power - 1e-4, "nmax": 14})
    assert find(kind, **setting | {"nmax": n})
    with pytest.raises(DesignError):
        find(kind, **setting | {"nmax": n - 1})


def test_the_largest_power_is_that_of_every_design() -> None:
    def power(n_at_most: int, alpha: float) -> float:
        best = 0.0
        for n in range(2, n_at_most + 1):
            for n1 in range(1, n):
                for r in range(n):
                    for r1 in range(min(r, n1 - 1) + 1):
                        if operating_characteristics(r1, n1, r, n, 0.2)[0] <= alpha:
                            best = max(best, operating_characteristics(r1, n1, r, n, 0.4)[0])
        return best

    for n in (8, 11):
        with pytest.raises(DesignError, match=f"is {power(n, 0.1):.4f};"):
            find("simon", p0=0.2, p1=0.4, alpha=0.1, beta=0.05, nmax=n)


def test_where_alpha_is_what_fails() -> None:
    # the test of p0 at .055 leaves no smaller type I error to so few patients
    with pytest.raises(DesignError) as refused:
        find("swog", p0=0.1, p1=0.6, alpha=0.001, beta=0.3, nmax=12)
    said = str(refused.value)
    level = float(re.findall(r"the least type I error at a power of 0.7 is (\S+);", said)[0])
    assert find("swog", p0=0.1, p1=0.6, alpha=level + 1e-4, beta=0.3, nmax=12)
    with pytest.raises(DesignError):
        find("swog", p0=0.1, p1=0.6, alpha=level - 1e-4, beta=0.3, nmax=12)


def test_no_n_at_all() -> None:
    with pytest.raises(DesignError, match="even a single stage takes more than 10000 patients"):
        find("simon", p0=0.1, p1=0.102, alpha=0.05, beta=0.2, nmax=20)
    with pytest.raises(DesignError, match=r"n <= 200 .* a single stage takes n = 1510"):
        find("mander_thompson", p0=0.1, p1=0.12, alpha=0.05, beta=0.2)


def test_bisection_ends_at_the_best() -> None:
    """A made-up family of designs: powers and levels that are known."""
    designs = [(0.04, 0.31), (0.05, 0.613), (0.06, 0.7041), (0.2, 0.81)]

    def search(target: Target) -> Reached:
        assert target.nmax == 10
        for level, power in designs:
            if level <= target.alpha and power >= 1 - target.beta:
                return Reached(10, power, level)
        raise NoDesign("none")

    assert most_power(search, Target(0.1, 0.3, 0.055, 0.2, 10)) == 0.613
    assert most_power(search, Target(0.1, 0.3, 0.01, 0.2, 10)) is None
    assert least_level(search, Target(0.1, 0.3, 0.01, 0.35, 10)) == 0.06
    assert least_level(search, Target(0.1, 0.3, 0.01, 0.1, 10)) is None
