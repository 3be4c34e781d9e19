"""What the scenario file takes and refuses, case by case; the names of the cases are those of the issue's list."""

from __future__ import annotations

import json
from fractions import Fraction
from math import comb, prod
from pathlib import Path

import pytest

from tests.helpers import run
from trialsim import protocol
from trialsim.errors import ScenarioError
from trialsim.monitoring.aids import monitor
from trialsim.scenario.analyses import impossible_analyses, stated_or_default
from trialsim.scenario.changes import ChangeError, changed, read_changes, read_variant
from trialsim.scenario.files import digest, load, parse
from trialsim.scenario.model import Scenario
from trialsim.varying.assess import assess
from trialsim.varying.whatif import whatif

HERE = Path(__file__).parent
CONFIGS = HERE.parent.parent / "configs"


def scenario(design: str, truth: str = "{a: {response: 0.3, toxicity: 0.2}}", more: str = "") -> Scenario:
    return parse(
        f"schema: 1\nname: x\nendpoint: response\ndesign: {design}\ntruth: {truth}\n"
        f"simulation: {{replicates: 50, seed: 1}}\n{more}\n"
    )


def refused(design: str, truth: str = "{a: {response: 0.3}}", more: str = "") -> str:
    with pytest.raises(ScenarioError) as error:
        scenario(design, truth, more)
    return str(error.value)


def go_chance(n: int, at_least: int, p: Fraction) -> Fraction:
    return sum((comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(at_least, n + 1)), Fraction(0))


def rising(a: Fraction, k: int) -> Fraction:
    return prod((a + i for i in range(k)), start=Fraction(1))


@pytest.mark.parametrize(
    "design",
    [
        "{kind: bop2, p0: 0.2, looks: [10, 20], lambda: 0.9, gamma: 1}",
        "{kind: bop2_toxicity, p0: 0.2, p1: 0.4, toxicity: [0.3, 0.15], looks: [10, 20], lambda: 0.7, gamma: 1}",
    ],
)
def test_predictive_power_is_under_the_prior_of_the_rule(design: str) -> None:
    # case A7: Beta(p0, 1 - p0) where the design states no prior
    aids = monitor(scenario(design), now=(10, 4, 1) if "toxicity" in design else (10, 4))
    assert aids.prior == (0.2, 0.8)
    assert aids.prior_from == "design"
    last = aids.rules.looks.next[-1]
    least = next(x for x, decision in enumerate(last) if decision == -2)
    a, b = Fraction(1, 5) + 4, Fraction(4, 5) + 6
    expected = sum(
        comb(10, y) * rising(a, y) * rising(b, 10 - y) / rising(a + b, 10) for y in range(least - 4, 11)
    )
    assert aids.present is not None
    assert aids.present.predictive == pytest.approx(float(expected), abs=1e-12)


def test_a_stated_prior_and_none_at_all_stay_what_they_were() -> None:
    stated = "{kind: bop2, p0: 0.2, looks: [10, 20], prior: [1, 1], lambda: 0.9, gamma: 1}"
    assert monitor(scenario(stated)).prior == (1, 1)
    simon = monitor(scenario("{kind: simon, n1: 10, r1: 1, n: 29, r: 5}"))
    assert (simon.prior, simon.prior_from) == ((0.5, 0.5), "Jeffreys")


def test_a_pasted_table_can_be_varied() -> None:
    # case B7: the same two stages as 1/10 5/29, whose P(go) is a sum over binomials
    more = {"design.looks[1].next": {0: "futile", 7: "go"}}
    found = whatif(load(HERE / "data" / "rules-variant.yaml"), more)

    def p_go(p: Fraction, least: int) -> float:
        first = ((x, comb(10, x) * p**x * (1 - p) ** (10 - x)) for x in range(2, 11))
        return float(sum(chance * go_chance(19, max(least - x, 0), p) for x, chance in first))

    values = {v.name: v.effects["active"]["p_go"].other.value for v in found.variants}
    assert values == {
        "better": pytest.approx(p_go(Fraction(2, 5), 6), abs=1e-12),
        "changed": pytest.approx(p_go(Fraction(3, 10), 7), abs=1e-12),
    }
    assert "if 7 or more respond" in str(protocol(found.variants[1].scenario))


def test_a_pasted_table_has_thresholds() -> None:
    # case B7: where P(go) of 1/10 5/29 passes .8
    (found,) = assess(load(HERE / "data" / "rules-threshold.yaml")).analyses
    (crossing,) = found.crossings

    def p_go(p: Fraction) -> Fraction:
        first = ((x, comb(10, x) * p**x * (1 - p) ** (10 - x)) for x in range(2, 11))
        return sum((chance * go_chance(19, max(6 - x, 0), p) for x, chance in first), Fraction(0))

    at = Fraction(crossing.at)
    assert p_go(at - Fraction(1, 10**6)) < Fraction(4, 5) < p_go(at + Fraction(1, 10**6))


@pytest.mark.parametrize("key", ["2", '"2"'])
def test_counts_of_a_pasted_table_may_be_written_as_json_does(key: str) -> None:
    table = f"{{kind: rules, looks: [{{n: 10, next: {{0: futile, {key}: go}}}}]}}"
    assert scenario(table).design.compile().next[0][1:3] == (-1, -2)
    data = scenario(table).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert parse(json.dumps(data)) == scenario(table)
    assert read_changes([f"design.looks[0].next={{0: futile, {key}: go}}"]) == {
        "design.looks[0].next": {"0": "futile", "2": "go"}
    }


def test_one_count_of_a_pasted_table_can_be_set() -> None:
    table = scenario("{kind: rules, looks: [{n: 10, next: {0: futile, 2: go}}]}")
    assert changed(table, {"design.looks[0].next.2": "consider"}).design.compile().next[0][2] == -3
    assert scenario("{kind: simon, n1: 10, r1: 1, n: 29, r: 5}", "{next: {response: 0.3}}").truth["next"]


@pytest.mark.parametrize("file", ["whatif-unnamed.yaml", "whatif-stage1.yaml"])
def test_an_observed_stage_1_is_told_beside_a_what_if(file: str) -> None:
    # cases B6 and F8
    found = whatif(load(HERE / "data" / file), replicates=50)
    assert "responses in stage 1" in str(found)


def test_an_observed_stage_1_is_told_beside_a_changed_config() -> None:
    # case F8
    found = whatif(load(CONFIGS / "lenvatinib-acc.yaml"), {"truth.active.response": 0.25}, replicates=50)
    assert "responses in stage 1" in str(found)


@pytest.mark.parametrize(
    ("design", "told"),
    [
        ("{kind: simon, n1: 10, r1: 3, n: 20, r: 20}", True),
        ("{kind: simon, n1: 18, r1: 18, n: 35, r: 20}", True),
        ("{kind: single_stage, n: 5, r: 5}", True),
        ("{kind: bryant_day, n1: 10, r1: 9, b1: 11, n: 20, r: 20, b: 21}", True),
        ("{kind: bop2, p0: 0.9, looks: [3], lambda: 0.99, gamma: 1}", True),
        ("{kind: mander_thompson, n1: 10, r1: 2, a1: 2, n: 20, r: 5}", False),
        ("{kind: rules, looks: [{n: 10, next: {0: futile, 2: consider}}]}", False),
    ],
)
def test_a_design_that_nobody_can_pass_says_so(design: str, told: bool) -> None:
    # case E4: it runs, P(go) is 0, and the protocol names no look that nobody reaches
    found = scenario(design)
    words = " ".join(str(protocol(found)).split())
    assert ("No number of responses leads to a go" in words) is told
    assert "Where the trial goes on to" not in words
    reached = protocol(found).facts.design.looks
    single = design.count("n1") == 0 or "r1: 18" in design or "a1: 2" in design
    assert (len(reached) == 1) is single


@pytest.mark.parametrize(
    ("design", "more", "said"),
    [
        (  # case A5: a percentage stays one
            "{kind: simon, n1: 10, r1: 1, n: 29, r: 5}",
            "observed: {treated: 270, evaluable: 270, responses: 60, toxicity_percent: 37%}",
            "observed.toxicity_percent: `37%` is text, not a number; write 37",
        ),
        ("{kind: simon, p0: 10%, p1: .3, alpha: .05, beta: .2}", "", "`10%` is text, not a number; write 0.1"),
        ("{kind: simon, n1: 10%, r1: 1, n: 29, r: 5}", "", "`10%` is text, not a number; expected a whole number"),
        ("{kind: simon, p0: 1/5, p1: .3, alpha: .05, beta: .2}", "", "`1/5` is text, not a number; write 0.2"),
        ("{kind: simon, n1: 1/5, r1: 1, n: 29, r: 5}", "", "`1/5` is text, not a number; expected a whole number"),
        (  # case A6: the patients of stage 2 alone
            "{kind: simon, p0: .1, p1: .3, n1: 10, r1: 1, n2: 19, r: 5}",
            "",
            "design.n2: a design states `n`, the patients of both stages: write `n: 29` (n = n1 + n2)",
        ),
        ("{kind: mander_thompson, n1: 7, r1: 1, a1: 3, n2: 5, r: 5}", "", "write `n: 12`"),
        ("{kind: simon, pu: .1, pa: .3, ep1: .05, ep2: .2}", "", "design.pu: called `p0` here: unacceptable response"),
        ("{kind: simon, pu: .1, pa: .3, ep1: .05, ep2: .2}", "", "design.ep2: called `beta` here"),
        ("{kind: simon, n1: 10, r1: 1, n: 29, r2: 5}", "", "design.r2: called `r` here: go if responses > r of n"),
        ("{kind: simon, p0: .9, p1: .7, alpha: .05, beta: .2}", "", "count those without it: p0 = 0.1, p1 = 0.3"),
        # case C11
        ("{kind: simon, p0: 0,10, p1: 0,30, alpha: .05, beta: .2}", "", "a comma ends a value here; write 0.10"),
        ("\n  kind: simon\n  p0: 0,10\n  p1: .3\n  alpha: .05\n  beta: .2", "", "text, not a number; write 0.1"),
        ("{kind: simon, n1: 10, r1: 1, n: 29, r: 5}", "simulation: {nsim: 9}", "called `replicates` here"),
        (
            "{kind: simon, n1: 10, r1: 1, n: 29, r: 5}",
            "conduct: {accrual_rate: 4, assessment_weeks: [8, 16]}",
            "conduct.accrual_rate: stated as `accrual: {per_month: ...}`",
        ),
        # case C12
        ("{kind: rules}", "", "the form is `looks: - {n: 10, next: {0: futile, 2: 11, 4: go}}`"),
        ("{kind: rules, looks: {10: futile}}", "", "the form is `looks: - {n: 10, next: {0: futile, 2: 11, 4: go}}`"),
        ("{kind: rules, looks: [{n: 10, next: {2: go}}]}", "", "the form is `looks: - {n: 10"),
    ],
)  # fmt: skip
def test_a_hint_is_right_for_the_key_at_which_it_stands(design: str, more: str, said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse(f"schema: 1\nname: x\nendpoint: y\ndesign: {design}\ntruth: {{a: {{response: .3}}}}\n{more}\n")
    assert said in str(error.value)


def test_the_form_that_the_error_shows_is_read() -> None:
    looks = "[{n: 10, next: {0: futile, 2: 11, 4: go}}, {n: 11, next: {0: futile, 3: go}}]"
    first = scenario(f"{{kind: rules, looks: {looks}}}").design.compile().next[0]
    assert first[:5] == (-1, -1, 1, 1, -2)


@pytest.mark.parametrize("name", ["null", "~", "true"])
def test_a_case_that_yaml_takes_for_a_value_is_explained(name: str) -> None:
    # case C11
    said = refused("{kind: simon, n1: 10, r1: 1, n: 29, r: 5}", f"{{{name}: {{response: 0.3}}}}")
    assert f'as a name put it in quotes: "{name}"' in said and "entries" not in said


def test_a_case_named_null_in_quotes_runs() -> None:
    assert set(scenario("{kind: simon, n1: 10, r1: 1, n: 29, r: 5}", '{"null": {response: 0.3}}').truth) == {
        "null"
    }


SIMON = "{kind: simon, n1: 10, r1: 1, n: 29, r: 5}"


@pytest.mark.parametrize(
    ("stated", "shares", "said"),
    [
        ((0.333, 0.333, 0.333), (Fraction(1, 3),) * 3, "stated as 0.333, 0.333, 0.333, taken in proportion"),
        ((0.33, 0.33, 0.33), (Fraction(1, 3),) * 3, "taken in proportion"),
        (
            (0.17, 0.33, 0.51),
            (Fraction(17, 101), Fraction(33, 101), Fraction(51, 101)),
            "taken in proportion",
        ),
        ((None, None, None), (Fraction(1, 3),) * 3, "equal parts"),
        (
            (0.5, None, None),
            (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)),
            "equal parts of what the stated ones",
        ),
        ((0.2, 0.3, 0.5), (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2)), ""),
    ],
)
def test_shares_of_strata(stated: tuple[float | None, ...], shares: tuple[Fraction, ...], said: str) -> None:
    # case C11
    found = scenario(SIMON, more=strata(stated))
    assert found.cohorts is not None
    assert [s.share for s in found.cohorts.strata] == pytest.approx(
        [float(share) for share in shares], abs=1e-15
    )
    assert (
        found.cohorts.shares_from.startswith(said)
        if said.startswith("equal")
        else said in found.cohorts.shares_from
    )
    words = " ".join(str(protocol(found)).split())
    which = "Shares that the scenario does not state" if stated[0] and None in stated else "The shares"
    assert (f"{which} are {found.cohorts.shares_from}." in words) is bool(said)
    faster = changed(found, {"truth.a.response": 0.4}).cohorts
    assert faster is not None
    assert [s.share for s in faster.strata] == [s.share for s in found.cohorts.strata]


def strata(shares: tuple[float | None, ...]) -> str:
    each = (f"{{name: S{i}{'' if s is None else f', share: {s}'}}}" for i, s in enumerate(shares))
    return f"cohorts: {{strata: [{', '.join(each)}]}}"


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ((0.5, 0.4, 0.05), "the shares must add up to 1; they add up to 0.95"),
        ((0.250, 0.250, 0.4875), "the shares must add up to 1"),
        ((0.6, 0.6, None), "nothing is left for the others"),
    ],
)
def test_shares_that_are_not_those_of_everybody(stated: tuple[float | None, ...], said: str) -> None:
    assert said in refused(SIMON, more=strata(stated))


def test_accrual_pauses_at_an_interim_look_unless_the_file_says_otherwise() -> None:
    block = "conduct: {accrual: {per_month: 4}, assessment_weeks: [8, 16], toxicity_window_weeks: 8%s}"
    said = ("", ", interim: pause", ", interim: continue")
    left_out, pause, on = (scenario(SIMON, more=block % more) for more in said)
    default = "The scenario does not say what accrual does while an interim look is pending; the pause is the default."
    texts = [" ".join(str(protocol(each)).split()) for each in (left_out, pause, on)]
    assert [default in text for text in texts] == [True, False, False]
    closed = "Accrual pauses when the patients of an interim look are enrolled"
    assert [text.count(closed) for text in texts] == [1, 1, 0]
    # the digest of a file that states it stands for the same trial as before the default was changed
    digests = [digest(each) for each in (left_out, pause, on)]
    assert digests[0] == digests[1] != digests[2]


def test_a_file_without_analyses_is_given_a_tornado() -> None:
    found = scenario(SIMON, "{low: {response: 0.1}, high: {response: 0.3}}")
    (tornado,) = assess(found).analyses
    assert (tornado.name, tornado.case) == ("default (the file has no sensitivity block)", "high")
    bars = {bar.input: bar for bar in tornado.panels[0].bars}
    assert set(bars) == {"truth.high.response", "evaluability.probability"}

    def p_go(p: Fraction) -> float:
        first = ((x, comb(10, x) * p**x * (1 - p) ** (10 - x)) for x in range(2, 11))
        return float(sum(chance * go_chance(19, max(6 - x, 0), p) for x, chance in first))

    ends = [end.estimate for end in bars["truth.high.response"].ends]
    assert ends == pytest.approx([p_go(Fraction(1, 4)), p_go(Fraction(7, 20))], abs=1e-12)
    # an inevaluable patient is a non-response: 90% of 30%
    low = bars["evaluability.probability"].ends[0].estimate
    assert low == pytest.approx(p_go(Fraction(27, 100)), abs=1e-12)


@pytest.mark.parametrize("config", ["two-cohorts", "dasatinib", "bop2-toxicity", "lenvatinib-acc"])
def test_every_kind_of_scenario_has_a_default_tornado(config: str) -> None:
    found = load(CONFIGS / f"{config}.yaml").model_copy(update={"sensitivity": None})
    block = stated_or_default(found)
    (analysis,) = block.tornado.values()
    assert f"truth.{analysis.case}.response" in analysis.inputs
    asked = found.model_copy(update={"sensitivity": block})
    assert impossible_analyses(asked) == []


def test_variants_on_one_line() -> None:
    text = "slow: truth.a.response=[0.3, 0.2], truth.a.odds_ratio=2,conduct.accrual={per_month: 2}"
    assert read_variant(text) == (
        "slow",
        {
            "truth.a.response": [0.3, 0.2],
            "truth.a.odds_ratio": 2,
            "conduct.accrual": {"per_month": 2},
        },
    )
    assert read_variant("truth.a.response=.4") == ("truth.a.response=.4", {"truth.a.response": 0.4})
    assert read_variant("dose_reduction.rule={kind: none}")[1] == {"dose_reduction.rule": {"kind": "none"}}
    found = whatif(scenario(SIMON), variants={"b": {"truth.a.response": 0.4}, "c": {"truth.a.response": 0.5}})
    assert [variant.name for variant in found.variants] == ["b", "c"]
    for wrong in ("x", "a: x", ": truth.a.response=.4", "a: truth.a.response=.4, truth.a.response=.5"):
        with pytest.raises(ChangeError):
            read_variant(wrong)


def test_variants_of_the_command_line_are_reproduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = str(HERE / "data" / "rules-variant.yaml"), str(tmp_path / "out")
    variants = ["--variant", "worse: truth.active.response=.2", "--variant", "truth.active.response=.35"]
    assert run(["whatif", data, *variants, "-o", out, "--replicates", "50", "-q"], monkeypatch) == 0
    assert run(["reproduce", out, "-q"], monkeypatch) == 0
    assert run(["whatif", data, *variants[:2], *variants[:2]], monkeypatch) == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "  criterion: optimal",
            "  nmax: 20\n  criterion: optimal",
            "scenario.yaml:{}: design: no two-stage design with n <= 20",
        ),
        (
            "per_month: 4.5",
            "per_month: 0.01",
            "scenario.yaml:{}: conduct.accrual: 70 patients would take 583 years to enrol; at most 500",
        ),
    ],
)
def test_what_only_compiling_finds_is_told_at_its_line(
    old: str,
    new: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (CONFIGS / "dasatinib.yaml").read_text(encoding="utf-8")
    assert old in text
    monkeypatch.chdir(tmp_path)
    Path("scenario.yaml").write_text(text.replace(old, new), encoding="utf-8")
    key = told.split(": ")[1].split(".")
    lines = text.replace(old, new).splitlines()
    line = next(k for k, each in enumerate(lines, start=1) if each.lstrip().startswith(f"{key[-1]}:"))
    assert run(["run", "scenario.yaml", "-o", "run"], monkeypatch) == 2
    assert capsys.readouterr().err.startswith(told.format(line))
