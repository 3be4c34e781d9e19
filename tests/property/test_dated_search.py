"""The search in calendar time: what it finds keeps its error rates there, and nothing clearly better was left out."""

from __future__ import annotations

import math
from typing import Any

import pytest

import trialsim
from tests.helpers import DASATINIB, ROOT, run
from trialsim.designs.simon import Simon
from trialsim.engine.exact import distribution
from trialsim.engine.whole_trial_dated import in_calendar_time
from trialsim.engine.whole_trial_found import InCalendarTime, RobustDesigns
from trialsim.errors import DesignError
from trialsim.reporting.find import report_of
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.writing.terminal import terminal

ROLES = {"poor": "null", "good": "alternative"}


def scenario(**changes: Any) -> Scenario:
    """A small trial in which an amendment takes a while, so that calendar time moves P(go)."""
    stated: dict[str, Any] = {
        "schema": 1,
        "name": "small",
        "endpoint": "response",
        "design": {"kind": "simon", "p0": 0.15, "p1": 0.5, "alpha": 0.1, "beta": 0.25},
        "doses": ["2 mg", "1 mg"],
        "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.25, "phi": 0.2}, "at_lowest_dose": "stop"},
        "conduct": {
            "accrual": {"per_month": 4},
            "assessment_weeks": [6, 12],
            "toxicity_window_weeks": 6,
            "interim": "continue",
            "amendment_lag_weeks": 6,
        },
        "truth": {
            "poor": {"response": 0.15, "toxicity": [0.5, 0.3]},
            "good": {"response": [0.5, 0.4], "toxicity": [0.5, 0.3]},
        },
        "simulation": {"replicates": 20_000, "seed": 5},
        **changes,
    }
    return Scenario.model_validate(stated)


def searched(of: Scenario, **keys: Any) -> RobustDesigns:
    return trialsim.find_robust(of, null=["poor"], alternative=["good"], calendar=True, **keys)


def in_calendar(
    of: Scenario, cuts: tuple[int, int, int, int], replicates: int, seed: int
) -> list[InCalendarTime]:
    n1, r1, n, r = cuts
    design = Simon(kind="simon", n1=n1, r1=r1, n=n, r=r)
    return list(
        in_calendar_time(Compiled.of(of.model_copy(update={"design": design})), ROLES, replicates, seed)
    )


def test_designs_keep_their_error_rates_in_trials_that_the_search_did_not_see() -> None:
    of = scenario()
    found = searched(of, nmax=24)
    assert found.dated is not None and found.dated.settled
    moved = 0.0
    for design in found:
        assert design.n1 is not None and design.r1 is not None
        null, good = in_calendar(of, (design.n1, design.r1, design.n, design.r), 20_000, 99)
        assert design.type_i_error <= 0.1 and design.power >= 0.75
        for case, told in ((null, design.type_i_error), (good, design.power)):
            apart = math.hypot(case.p_go.mcse, case.p_go.mcse)
            assert abs(case.p_go.estimate - told) < 4.5 * apart, (design, case)
        assert abs(null.en.estimate - design.en) < 4.5 * math.hypot(null.en.mcse, null.en.mcse)
        moved = max(
            moved, *(abs(case.p_go.estimate - case.at_once) / case.p_go.mcse for case in (null, good))
        )
    assert moved > 4  # calendar time does change P(go) here


def test_looks_that_weigh_pending_patients_are_searched_by_their_own_cut_offs() -> None:
    of = scenario()
    assert of.conduct is not None
    weighing = {"pending": "weigh_follow_up", "interim": "pause"}
    conduct = of.conduct.model_dump(mode="json", exclude_unset=True) | weighing
    found = searched(scenario(conduct=conduct), nmax=20, criterion="optimal", replicates=2000)
    best = found["optimal"]
    stated = {"kind": "simon", "p0": 0.15, "n1": best.n1, "r1": best.r1, "n": best.n, "r": best.r}
    trial = scenario(conduct=conduct, design=stated)
    assert found.dated is not None and best.type_i_error <= 0.1 and best.power >= 0.75
    for case in found.dated.designs["optimal"]:
        does = trialsim.simulate(trial, replicates=4000, seed=8)[case.case].simulated
        for told, name in ((case.p_go, "p_go"), (case.months, "duration_months")):
            apart = math.hypot(told.mcse, does.values[name].mcse)
            assert abs(told.estimate - does.values[name].estimate) < 4.5 * apart, (case, name)
    said = " ".join(terminal(report_of(found)).split())
    assert "The table of every outcome known at once is exact, in the scenario's own trial" in said
    cut_offs = scenario(conduct=conduct | {"weighing": {"cutoffs": [0.5]}})
    with pytest.raises(DesignError, match=r"conduct\.weighing\.cutoffs: are those of one design"):
        searched(cut_offs, nmax=20)


@pytest.mark.slow
def test_no_design_of_few_patients_is_clearly_better() -> None:
    """Every design of at most 13 patients near the limits, simulated one by one."""
    of = scenario(design={"kind": "simon", "p0": 0.15, "p1": 0.5, "alpha": 0.15, "beta": 0.35})
    found = searched(of, nmax=13, criterion="optimal")
    best = found["optimal"]
    (null, _) = found.dated.designs["optimal"] if found.dated else ((), ())
    assert isinstance(null, InCalendarTime)
    looked = 0
    for n in range(2, 14):
        trial = Compiled.of(of.model_copy(update={"design": Simon(kind="simon", n1=1, r1=0, n=n, r=n - 1)}))
        for n1 in range(1, n):
            for r1 in range(min(n1, 4)):
                for r in range(r1, min(n, 7)):
                    design = Simon(kind="simon", n1=n1, r1=r1, n=n, r=r)
                    trial = Compiled.of(of.model_copy(update={"design": design}))
                    alpha, power = (distribution(trial.rules, trial.truth(c)).values for c in ROLES)
                    near = alpha["p_go"] < 0.18 and power["p_go"] > 0.55 and alpha["en"] < best.en + 0.5
                    if not near:
                        continue
                    looked += 1
                    poor, good = in_calendar(of, (n1, r1, n, r), 1500, 7)
                    clearly = poor.p_go.estimate + 4 * poor.p_go.mcse < 0.15
                    clearly = clearly and good.p_go.estimate - 4 * good.p_go.mcse > 0.65
                    if clearly:
                        assert poor.en.estimate + 4 * poor.en.mcse > null.en.estimate - 4 * null.en.mcse, (
                            design
                        )
    assert looked > 10


def test_where_calendar_time_changes_nothing_the_exact_designs_are_found() -> None:
    """One response rate and a rule that never stops: who is at which dose then does not matter."""
    truth = {
        "poor": {"response": 0.15, "toxicity": [0.5, 0.3]},
        "good": {"response": 0.5, "toxicity": [0.5, 0.3]},
    }
    calm = scenario().conduct
    assert calm is not None
    paused = calm.model_copy(update={"interim": "pause"}).model_dump(mode="json", exclude_unset=True)
    rule = {"rule": {"kind": "pocock", "limit": 0.25, "phi": 0.2}, "at_lowest_dose": "continue"}
    of = scenario(truth=truth, dose_reduction=rule, conduct=paused)
    exact = trialsim.find_robust(of, null=["poor"], alternative=["good"], nmax=24)
    dated = searched(of, nmax=24, replicates=500)
    assert dated.dated is not None and dated.dated.settled
    for criterion in ("optimal", "minimax"):
        assert str(dated[criterion]) == str(exact[criterion])
        for case in dated.dated.designs[criterion]:
            assert case.p_go.estimate == case.at_once and case.p_go.mcse == 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (f"--scenario {DASATINIB} --replicates 100", "--replicates is about the simulations of --calendar"),
        (
            f"--scenario {DASATINIB} --null inactive --alternative active --calendar --criterion admissible",
            "a search in calendar time finds optimal and minimax, not admissible",
        ),
        ("simon --p0 .1 --p1 .3 --alpha .05 --beta .2 --calendar", "add --scenario FILE"),
    ],
)
def test_on_the_command_line(
    asked: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["find", *asked.split()], monkeypatch) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_scenario_without_dates_is_refused() -> None:
    with pytest.raises(DesignError, match="needs the block `conduct`"):
        searched(scenario(conduct=None))


@pytest.mark.slow
def test_the_page_of_the_manual_has_the_numbers_of_the_search() -> None:
    """The table of docs/robust-search.md, which takes too long to be made with the other pages."""
    found = trialsim.find_robust(
        trialsim.load(DASATINIB),
        null=["inactive"],
        alternative=["active"],
        criterion="optimal",
        calendar=True,
    )
    page = (ROOT / "docs/robust-search.md").read_text(encoding="utf-8")
    assert f"finds {found['optimal']}:" in page and found.dated is not None
    for case in found.dated.designs["optimal"]:
        cells = [f"{case.at_once:.4f}", f"{case.p_go.estimate:.4f}", f"{case.p_go.mcse:.5f}"]
        cells = [cell.removeprefix("0") for cell in cells] + [
            f"{case.en.estimate:.1f}",
            f"{case.months.estimate:.1f}",
        ]
        assert f"| {' | '.join([case.case, *cells])} |" in page


def test_where_no_design_keeps_power_at_once_calendar_time_may_still_add_it() -> None:
    of = scenario()
    assert not trialsim.find_robust(of, null=["poor"], alternative=["good"], nmax=12).designs
    found = searched(of, nmax=12)
    assert found.designs
    assert found.dated is not None
    assert "0 designs" not in terminal(report_of(found))
    assert found.dated.looked_at >= len(found.designs)


def test_a_search_that_puts_nothing_forward_does_not_speak_of_simulations() -> None:
    found = searched(scenario(), nmax=3)
    assert not found.designs
    words = " ".join(terminal(report_of(found)).split())
    assert "none put a design forward" in words or "and none kept both" in words
    assert "those above" not in words
