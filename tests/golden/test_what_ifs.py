"""The library of what-ifs: each question has its file, which differs from the dasatinib scenario as stated here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import trialsim
from tests.golden.what_ifs import FILES, README, corrections, dasatinib, id_of, library, questions, readme
from trialsim.designs.toxicity import Pocock, Posterior, crossing_probability
from trialsim.inference.attained import TwoStage, two_stage
from trialsim.scenario.changes import changed, variants
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import digest, validate
from trialsim.scenario.model import Scenario

BOTH: dict[str, dict[str, Any]] = {"inactive": {}, "active": {}}
BY_DOSE = [0.45, 0.32]

# What the scenario of each what-if states otherwise than configs/dasatinib.yaml (None: states nothing there), but for
# its cohorts, observed trial and related trials, which a what-if leaves out unless it says so.
CHANGES: dict[str, dict[str, Any]] = {
    "W5": {"dose_reduction.on_dose_change": "restart"},
    "W6": {"doses": ["70 mg BID"]},
    "W9": {"conduct.toxicity_window_weeks": 16, "conduct.early_onset": 0.3},
    "W12": {
        "dose_reduction.rule.kind": "posterior",
        "dose_reduction.rule.phi": None,
        "dose_reduction.rule.cutoff": 0.9,
        "dose_reduction.rule.prior": [2, 3],
        "dose_reduction.rule.min_n": 6,
        "dose_reduction.at_lowest_dose": "continue",
    },
    "W13": {
        "conduct.assessment_weeks": [17],
        "conduct.confirmed": False,
        "conduct.first_seen": None,
    },
    "W15": {"design.p1": 0.2, "design.criterion": "minimax", "cohorts.rules": "own"},
    "W16": {
        "cohorts.strata[0].name": "HR+",
        "cohorts.strata[0].share": 0.7,
        "cohorts.strata[1].name": "HER2+/HR-",
        "cohorts.strata[1].share": 0.3,
    },
    "W18": {"evaluability.inevaluable": "nonresponders"},
    "W19": {
        "design.alpha": None,
        "design.beta": None,
        "design.criterion": None,
        "design.n1": 25,
        "design.r1": 1,
        "design.n": 70,
        "design.r": 6,
    },
    "W20": {
        "doses": ["100 mg BID", "70 mg BID", "50 mg BID"],
        "dose_amounts": [200, 140, 100],
        "conduct.patient_reductions.hold_weeks": 2,
        "conduct.patient_reductions.max_reductions": 1,
        "conduct.patient_reductions.exposure_weight": 0.5,
    },
    "W21": {
        "endpoint": "disease control (a response, or stable disease for 16 weeks or more)",
        "design.p0": 0.1,
        "design.p1": 0.25,
        "design.beta": 0.1,
        "conduct.assessment_weeks": [9, 17],
        "conduct.confirmed": False,
        "conduct.first_seen": [0, 1],
        "observed.responses": 9,
        "observed.disease_control": None,
        "observed.serious": None,
    },
    "W22": {
        "design.kind": "bryant_day",
        "design.p1": 0.2,
        "design.toxicity": [0.5, 0.3],
        "doses": ["100 mg BID"],
        "dose_reduction.rule.kind": None,
        "dose_reduction.rule.limit": None,
        "dose_reduction.rule.phi": None,
        "dose_reduction.at_lowest_dose": None,
    },
    "W23": {
        "design.kind": "optimal_looks",
        "design.criterion": None,
        "design.looks": 2,
        "design.nmax": 70,
    },
}
# The cases of each truth; {} stands for the case as it is in configs/dasatinib.yaml.
TRUTH: dict[str, dict[str, dict[str, Any]]] = {
    "W1": {"inactive": {}},
    "W2": {"active": {}},
    "W3": {"active_dose_response": {}},
    "W4": {
        "steep_dose_response": {"response": [0.15, 0.08], "toxicity": BY_DOSE},
        "lower_dose_inactive": {"response": [0.15, 0.05], "toxicity": BY_DOSE},
    },
    "W5": {"active": {}, "active_dose_response": {}},
    "W6": {
        "inactive": {"response": 0.05, "toxicity": 0.32},
        "active": {"response": 0.15, "toxicity": 0.32},
        "active_dose_response": {"response": 0.11, "toxicity": 0.32},
    },
    "W7": {
        "as_observed": {
            "response": 0.0435,
            "toxicity": 0.37,
            "odds_ratio": 1,
            "serious": [0.2, 0.1],
            "stable_disease": 0.0909,
        }
    },
    "W8": {"steep_toxicity": {"response": 0.15, "toxicity": [0.6, 0.265]}},
    "W9": {"active": {}},
    "W10": {"active": {}},
    "W11": {"at_the_limit": {"response": 0.15, "toxicity": 0.3}},
    "W12": {
        "toxic": {"response": 0.15, "toxicity": BY_DOSE},
        "at_the_limit": {"response": 0.15, "toxicity": [0.3, 0.2]},
    },
    "W13": BOTH,
    "W14": BOTH,
    "W15": {
        "only_hormone_receptor_positive": {
            "response": 0.05,
            "toxicity": BY_DOSE,
            "cohorts": {"hormone-receptor positive": {"response": 0.2}},
        },
        "neither": {"response": 0.05, "toxicity": BY_DOSE},
        "both": {"response": 0.2, "toxicity": BY_DOSE},
    },
    "W16": {
        "only_hr_positive_respond": {
            "response": 0.08,
            "toxicity": BY_DOSE,
            "cohorts": {"HER2+/HR-": {"response": 0}},
        }
    },
    "W17": BOTH,
    "W18": {"inactive": {}},
    "W19": BOTH,
    "W20": {"active": {"response": 0.15, "toxicity": [0.45, 0.32, 0.22]}},
    "W21": {
        "inactive": {"response": 0.1, "toxicity": BY_DOSE},
        "active": {"response": 0.25, "toxicity": BY_DOSE},
        "as_observed": {"response": 0.1304, "toxicity": 0.37},
    },
    "W22": {
        "active_tolerable": {"response": 0.2, "toxicity": 0.3},
        "inactive": {"response": 0.05, "toxicity": 0.3},
        "toxic": {"response": 0.2, "toxicity": 0.5},
        "inactive_toxic": {"response": 0.05, "toxicity": 0.5},
    },
    "W23": BOTH,
}
STATES_COHORTS = {"W15", "W16"}
STATES_OBSERVED = {"W7", "W21"}
# The arms beside the scenario itself.
VARIANTS = {
    "W1": 2, "W2": 2, "W3": 2, "W4": 1, "W5": 1, "W6": 1, "W7": 0, "W8": 1, "W9": 2, "W10": 6, "W11": 10, "W12": 2,
    "W13": 6, "W14": 3, "W15": 0, "W16": 3, "W17": 2, "W18": 8, "W19": 9, "W20": 6, "W21": 1, "W22": 1,
    "W23": 5,
}  # fmt: skip


def leaves(block: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every path of plain data and the number, text or list of such that stands there."""
    if isinstance(block, dict):
        for key, value in block.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(block, list) and any(isinstance(item, dict) for item in block):
        for k, item in enumerate(block):
            yield from leaves(item, f"{path}[{k}]")
    else:
        yield path, block


def stated(scenario: Scenario) -> dict[str, Any]:
    """What a scenario says of its trial, but for the truth: path -> value."""
    not_inputs = {
        "schema_",
        "name",
        "question",
        "source",
        "sources",
        "simulation",
        "variants",
        "sensitivity",
        "truth",
    }
    data = scenario.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=not_inputs)
    return dict(leaves(data))


def test_every_question_has_one_file() -> None:
    assert [id_of(path) for path in FILES] == list(questions())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_begins_with_its_question(path: Path) -> None:
    row = questions()[id_of(path)]
    assert path.read_text(encoding="utf-8").splitlines()[0] == f"question: {row['question']}"
    assert not validate(path)
    scenario = library()[row["id"]]
    assert scenario.question == row["question"]
    assert scenario.name == f"{row['id']}: {row['name']}"
    assert scenario.simulation == dasatinib().simulation


@pytest.mark.parametrize("wid", questions())
def test_a_file_differs_from_the_dasatinib_scenario_as_stated(wid: str) -> None:
    kept = {"cohorts": wid in STATES_COHORTS, "observed": wid in STATES_OBSERVED, "related_trials": False}
    base = {
        path: value
        for path, value in stated(dasatinib()).items()
        if kept.get(re.split(r"[.\[]", path)[0], True) and not path.startswith("observed.cells")
    }
    found = stated(library()[wid])
    differences = {path: found.get(path) for path in base | found if base.get(path) != found.get(path)}
    assert differences == CHANGES.get(wid, {})


@pytest.mark.parametrize("wid", questions())
def test_a_truth_is_as_stated(wid: str) -> None:
    def cases(scenario: Scenario) -> dict[str, Any]:
        return dict(scenario.model_dump(mode="json", exclude_unset=True)["truth"])

    expected = {name: case or cases(dasatinib())[name] for name, case in TRUTH[wid].items()}
    assert cases(library()[wid]) == expected


@pytest.mark.parametrize("wid", questions())
def test_arms_are_counted_and_differ_from_one_another(wid: str) -> None:
    arms = [changed(library()[wid], {}), *variants(library()[wid]).values()]
    assert len(arms) == 1 + VARIANTS[wid]
    assert len({digest(arm) for arm in arms}) == len(arms)


@pytest.mark.parametrize("wid", questions())
def test_what_is_assumed_is_marked(wid: str) -> None:
    sources = library()[wid].sources
    assert sources["design"].assumed, "the publication states no formal design"
    assert sources["conduct"].assumed and sources["truth"].assumed


@pytest.mark.parametrize("wid", questions())
def test_every_arm_runs(wid: str) -> None:
    scenario = library()[wid]
    for arm in [scenario, *variants(scenario).values()]:
        for case in trialsim.simulate(arm, replicates=200, totals=False).cases:
            assert case.simulated is not None and case.simulated.replicates == 200
            assert not case.disagreements
            assert case.at_once is None or not case.at_once.disagreements


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cut_offs_named_in_a_comment_are_those_found(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"# finds (\d+)/(\d+), (\d+)/(\d+)", text)
    scenario = library()[id_of(path)]
    if getattr(scenario.design, "alpha", None) is None:
        assert not named
        return
    (numbers,) = named
    looks = compile_rules(scenario).looks
    assert two_stage(looks) == TwoStage(*map(int, numbers))
    toxic = re.findall(r"fewer than (\d+) and (\d+) toxicities", text)
    assert looks.toxic_ge == (tuple(map(int, toxic[0])) if toxic else ())


EVERYBODY_EVALUABLE = {"evaluability": None}


def p_go_of_looks(scenario: Scenario, changes: dict[str, Any], case: str = "inactive") -> float:
    """Exact P(go) without a toxicity rule."""
    plain = changed(scenario, {"conduct": None, "dose_reduction": None, **changes})
    found = trialsim.exact(plain, totals=False)[case].exact
    assert found is not None
    return found.values["p_go"]


def test_w1_has_the_type_i_error_of_the_design_without_its_toxicity_rule() -> None:
    assert p_go_of_looks(library()["W1"], EVERYBODY_EVALUABLE) == pytest.approx(0.0498, abs=5e-5)


def test_w11_rules_cross_as_often_as_the_model_says() -> None:
    """Section 3 of the statistical model: at a rate of .30 within 70 patients."""
    scenario = library()["W11"]
    assert scenario.dose_reduction is not None
    posterior = variants(scenario)["posterior .90"].dose_reduction
    assert posterior is not None
    for rule, expected in ((scenario.dose_reduction.rule, 0.0994), (posterior.rule, 0.3386)):
        assert isinstance(rule, Pocock | Posterior)
        assert crossing_probability(rule.compile(70, 70), 0.30, 70) == pytest.approx(expected, abs=5e-5)


def test_w12_prior_acts_no_later_than_the_vague_one() -> None:
    scenario = library()["W12"]
    vague = compile_rules(variants(scenario)["vague prior"]).monitor.act_ge
    informed = compile_rules(scenario).monitor.act_ge
    assert all(b <= a for a, b in zip(vague[0], informed[0], strict=True))
    assert informed[0] != vague[0]
    assert informed[1] == vague[1], "the prior speaks of the first dose alone"


def test_w14_sites_enrol_at_the_same_rate_in_the_end() -> None:
    opening = variants(library()["W14"])["ten sites opening"].conduct
    stated = library()["W14"].conduct
    assert opening is not None and stated is not None
    assert opening.accrual.pieces()[-1][1] == pytest.approx(stated.accrual.per_month)


def test_w15_makes_a_false_go_as_often_as_the_model_says() -> None:
    """Section 11: at least one false go of two cohorts, .0560."""
    assert p_go_of_looks(library()["W15"], EVERYBODY_EVALUABLE, "neither") == pytest.approx(0.0560, abs=5e-5)


def test_w18_lifts_the_type_i_error_as_the_model_says() -> None:
    """Section 6: non-responders replaced, without a toxicity rule."""
    arms = variants(library()["W18"])
    for name, expected in (("5%", 0.0620), ("10%", 0.0775)):
        assert p_go_of_looks(arms[f"inevaluable {name} replaced"], {}) == pytest.approx(expected, abs=5e-5)
    one_of_70 = p_go_of_looks(arms["inevaluable 1/70 replaced"], {"evaluability.probability": 69 / 70})
    assert one_of_70 == pytest.approx(0.0530, abs=5e-5)


def test_w20_third_dose_continues_the_line_of_the_first_two() -> None:
    def logit(rate: float) -> float:
        return math.log(rate / (1 - rate))

    slope = (logit(0.32) - logit(0.45)) / math.log(70 / 100)
    third = 1 / (1 + math.exp(-(logit(0.45) + slope * math.log(50 / 100))))
    assert round(third, 2) == 0.22


def test_w22_decides_in_calendar_time_as_at_once() -> None:
    """One dose and no rule but the looks: when outcomes are known changes dates and overrun, never the verdict."""
    replicates = 2000
    for case in trialsim.simulate(library()["W22"], replicates=replicates, totals=False).cases:
        assert case.simulated is not None and case.at_once is not None and case.at_once.exact is not None
        p = case.at_once.exact.values["p_go"]
        apart = abs(case.simulated.values["p_go"].estimate - p)
        assert apart < 4 * math.sqrt(p * (1 - p) / replicates)


def test_readme_is_as_the_files_are() -> None:
    assert README.read_text(encoding="utf-8") == readme()


def test_corrections_are_those_of_the_command() -> None:
    found = trialsim.analyse(design="1/25,6/70", responses=7, stage1=2, n=73, p0=0.05, p1=0.15)
    assert tuple(corrections(73).values()) == found.sets[0].readings
