"""The monitoring aids: the printed table decides as the Rules do, the powers add up, files appear whole."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from scipy import stats

import trialsim
from tests.browser import print_to_pdf
from tests.helpers import DASATINIB, run, unrendered
from tests.helpers import FILES as CONFIGS
from tests.unit.test_reporting import small
from trialsim.codes import FUTILE, GO
from trialsim.designs.rules import ACTION_WORDS, DECISION_WORDS, Rules
from trialsim.engine.exact import distribution
from trialsim.errors import DesignError
from trialsim.facts.protocol import facts
from trialsim.figures.conditional_power import draw
from trialsim.monitoring.aids import Aids
from trialsim.monitoring.aids import monitor as monitoring_aids
from trialsim.monitoring.decision_table import DecisionTable, decision_table
from trialsim.reporting.decision_table import decisions, sizes
from trialsim.reporting.monitor import sheet
from trialsim.reporting.protocol_toxicity import boundary
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load, parse
from trialsim.scenario.model import Scenario
from trialsim.scenario.pending import waiting
from trialsim.writing.html import html
from trialsim.writing.latex import latex
from trialsim.writing.markdown import markdown

CONTINUOUS = """
schema: 1
name: A trial with a long name in a population that takes many words to describe, watched after each patient
endpoint: confirmed response by RECIST 1.1, assessed by the investigator, at any time on treatment
design: {kind: predictive_probability, p0: 0.2, p1: 0.35, prior: [0.5, 0.5], n: 100, min_n: 5, theta_l: 0.05,
  theta_u: 0.95, theta_t: 0.9}
doses: [800 mg twice daily with food, 600 mg twice daily with food, 400 mg twice daily with food]
dose_reduction: {rule: {kind: posterior, limit: 0.3, cutoff: 0.9, prior: [0.6, 1.4], min_n: 3}}
evaluability: {probability: 0.9, replaced: true}
truth: {a: {response: 0.2, toxicity: 0.3}}
"""

SMALL = """
schema: 1
name: <b>a & b</b>
endpoint: response
design: {kind: simon, p0: 0.1, p1: 0.3, n1: 10, r1: 1, n: 29, r: 5}
doses: [high, low]
dose_reduction: {rule: {kind: k_of_first_m, k: 3, m: 6}, at_lowest_dose: continue}
truth:
  active: {response: [0.3, 0.25], toxicity: [0.4, 0.2]}
"""

TOXIC_LOOKS = """
schema: 1
name: Toxicity at the looks
endpoint: response
design:
  kind: rules
  looks:
    - {n: 10, next: {0: futile, 2: 25}, toxic_ge: 5}
    - {n: 25, next: {0: futile, 6: go}, toxic_ge: 10}
truth:
  active: {response: 0.3, toxicity: 0.2}
"""


@cache
def aids_of(name: str) -> Aids:
    return monitoring_aids(load(DASATINIB.with_name(f"{name}.yaml")))


def decided(table: list[dict[str, Any]], n: int, x: int) -> str:
    """What the CSV rows say of x responses at the look of n patients."""
    rows = [row for row in table if row["rule"] == "responses" and row["patients_from"] == n]
    (row,) = [row for row in rows if row["count_from"] <= x <= row["count_to"]]
    return row["decision"] if row["decision"] != "continue" else f"continue to {row['next_patients']}"


def acts(table: list[dict[str, Any]], dose: str, m: int, t: int) -> str:
    """What the CSV rows say of t toxicities among m patients at a dose."""
    rows = [row for row in table if row["rule"] == "toxicities" and row["dose"] == dose]
    (row,) = [row for row in rows if row["patients_from"] <= m <= row["patients_to"]] or [
        {"count_from": None}
    ]
    return row["decision"] if row["count_from"] is not None and t >= row["count_from"] else "none"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_table_decides_as_the_rules_do(path: Path) -> None:
    scenario = load(path)
    rules = compile_rules(scenario)
    table = decision_table(Compiled.of(scenario))
    assert as_rules(table, rules)
    rows = table.rows()
    for level, dose in enumerate(scenario.doses):
        for m in range(1, rules.max_treated + 1):
            bound = rules.monitor.act_ge[level][m]
            for t in {0, m, min(max(bound - 1, 0), m), min(bound, m)}:
                expected = ACTION_WORDS[rules.monitor.action[level]] if t >= bound else "none"
                assert acts(rows, dose, m, t) == expected


def as_rules(table: DecisionTable, rules: Rules) -> bool:
    """Every look and count, from the rows and from the looks that share a row."""
    looks, rows = rules.looks, table.rows()
    for k, n in enumerate(looks.n):
        cuts = [cut for cut in table.cut_offs or () if n in cut.n]
        for x, d in enumerate(looks.next[k]):
            words = f"continue to {looks.n[d]}" if d >= 0 else DECISION_WORDS[d]
            assert decided(rows, n, x) == words
            for cut in cuts:
                assert (d == FUTILE) == (cut.stop_le is not None and x <= cut.stop_le)
                assert (d == GO) == (cut.go_ge is not None and x >= cut.go_ge)
        assert len(cuts) == (table.cut_offs is not None)
    return True


def test_what_is_printed() -> None:
    printed = str(aids_of("dasatinib"))
    for words in (
        "25        <= 1      >= 2 (70)  -\n",
        "70        <= 6      -          >= 7\n",
        "4         >= 4        24-25     >= 13 ",
        "5-6       >= 5",
        "100 mg BID (lower the dose); 70 mg BID (stop the trial)",
        "Stop stage 1 if responses <= r1; go if responses > r; act on toxicity if toxicities >= b.",
        "Assumed by this scenario, stated by no publication: the design and the toxicity rule.",
        "prior Beta(0.5, 0.5) (Jeffreys)",
    ):
        assert words in printed, words
    assert printed.isascii()
    small = " ".join(str(monitoring_aids(parse(SMALL, "a.yaml"))).split())
    assert "At low, the lowest dose, toxicity leads to no action: the trial goes on." in small
    assert "low: stop" not in small


def test_toxicity_at_the_looks_is_printed() -> None:
    scenario = parse(TOXIC_LOOKS, "a.yaml")
    rules = compile_rules(scenario)
    assert rules.looks.toxic_ge == (5, 10)
    aids = monitoring_aids(scenario)
    looks = decisions(aids, facts(Compiled(scenario, rules)))
    assert looks.columns[-1] == "No go, for toxicity: toxicities"
    assert [row[-1].text for row in looks.groups[0].rows] == ["≥ 5", "≥ 10"]
    printed = " ".join(str(aids).split())
    assert "given that it does not stop the trial at the look" in printed
    asked = [row for row in aids.rows() if row["rule"] == "toxicities at the look"]
    assert [(row["patients_from"], row["count_from"]) for row in asked] == [(10, 5), (25, 10)]
    aids = monitoring_aids(scenario, now=(10, 3))
    assert aids.present is not None
    assert "toxicities" in aids.present.no_cases
    present = monitoring_aids(scenario, now=(12, 3, 9)).present
    assert present is not None
    # the tenth toxicity among the thirteen to come is all but certain to be there at the look
    assert present.cases["active"].p_stop_toxicity == pytest.approx(1 - 0.8**13, abs=1e-12)


def test_the_sheet_says_how_looks_weigh_pending_patients() -> None:
    stated = load(DASATINIB.with_name("pending-looks.yaml"))
    printed = " ".join(str(monitoring_aids(stated)).split())
    assert "the decisions above are those when every outcome is known" in printed
    assert "no more than 5 of 10 and 7 of 15 are pending" in printed
    assert "10 1 3.6215" in printed and "15 3 7.9219" in printed
    assert "later interim looks, which weigh pending patients, are taken to know every outcome" in printed
    waits = " ".join(str(monitoring_aids(waiting(stated))).split())
    assert "While some are pending" not in waits and "weigh pending" not in waits


def test_looks_in_few_words() -> None:
    assert sizes((10, 11, 12, 15, 16, 20)) == "10–12, 15, 16, 20"


def test_powers_of_the_dasatinib_design() -> None:
    aids = monitoring_aids(load(DASATINIB), rates=[0.1])
    assert [count.x for count in aids.counts] == list(range(26))
    assert aids.rates == {"p0": 0.05, "p1": 0.15, "0.1": 0.1}
    for count in aids.counts:
        for name, rate in aids.rates.items():
            assert count.at_rates[name] == pytest.approx(stats.binom(45, rate).sf(6 - count.x), abs=1e-12)
        observed = stats.binom(45, count.x / 25).sf(6 - count.x)
        assert count.at_observed == pytest.approx(observed, abs=1e-12)
        predictive = stats.betabinom(45, 0.5 + count.x, 25.5 - count.x).sf(6 - count.x)
        assert count.predictive == pytest.approx(predictive, abs=1e-11)
        assert count.decision == ("futile" if count.x <= 1 else "continue")


@pytest.mark.parametrize("name", ["dasatinib-sensitivity", "three-stage", "mander-thompson", "bop2"])
def test_cases_average_to_their_p_go(name: str) -> None:
    """Over the counts at the first look: go at once, or go on and go later."""
    scenario = load(DASATINIB.with_name(f"{name}.yaml"))
    aids = monitoring_aids(scenario)
    rules = aids.rules
    for case in aids.cases:
        total = 0.0
        for count in aids.counts:
            if count.n == rules.looks.n[0] and count.decision != "futile":
                reached, p_go = count.cases[case].reached, count.cases[case].p_go
                total += reached * (1.0 if count.decision == "go" else p_go or 0.0)
        p_go = distribution(rules, Compiled.of(scenario).truth(case)).values["p_go"]
        assert total == pytest.approx(p_go, abs=1e-7)  # counts rarer than 1e-9 are left out
        assert 0 < p_go < 1


def test_without_a_toxicity_rule_a_case_is_the_power_at_its_rate() -> None:
    aids = aids_of("predictive-probability")
    assert (aids.prior, aids.prior_from) == ((0.2, 0.8), "design")
    compared = 0
    for count in aids.counts:
        if count.cases["active"].p_go is not None:
            assert count.cases["active"].p_go == pytest.approx(count.at_rates["p1"], abs=1e-9)
            compared += 1
    assert compared > 100
    present = monitoring_aids(load(DASATINIB.with_name("sargent.yaml")), now=(15, 4)).present
    assert present is not None
    assert present.next_n == 26
    assert present.cases["inactive"].p_go == pytest.approx(present.at_rates["p0"], abs=1e-12)
    assert present.cases["inactive"].p_stop_toxicity == 0


def test_the_present_of_a_trial_that_just_passed_its_look() -> None:
    scenario = load(DASATINIB)
    aids = monitoring_aids(scenario, now=(25, 3, 4), prior=(1.0, 1.0))
    (count,) = [count for count in aids.counts if count.x == 3]
    assert aids.present is not None
    assert aids.present.at_rates == pytest.approx(count.at_rates)
    assert aids.present.predictive == pytest.approx(count.predictive)
    lower = monitoring_aids(scenario, now=(25, 3, 2), dose=2, at_dose=10).present
    assert lower is not None
    assert lower.now.treated == 25
    assert monitoring_aids(scenario, now=(25, 3)).present.no_cases.startswith("the toxicities")  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["dasatinib", "restart", "three-stage", "teaching", "finn-tnbc"])
def test_before_the_first_patient_the_rest_is_the_whole_trial(name: str) -> None:
    scenario = load(DASATINIB.with_name(f"{name}.yaml"))
    aids = monitoring_aids(scenario, now=(0, 0, 0))
    present = aids.present
    assert present is not None
    assert present.at_observed is None
    assert set(present.cases) == set(scenario.truth)
    for case, ends in present.cases.items():
        values = distribution(aids.rules, Compiled.of(scenario).truth(case)).values
        assert ends.p_go == pytest.approx(values["p_go"], abs=1e-12)
        toxic = values["p_stop_toxicity"] + values["p_stop_toxicity_at_n"]
        assert ends.p_stop_toxicity == pytest.approx(toxic, abs=1e-12)
    assert "CONTINUE. 0 patients with 0 responses" in str(aids)


def test_a_restart_has_no_answer_by_look() -> None:
    aids = monitoring_aids(load(DASATINIB.with_name("restart.yaml")))
    assert aids.counts
    assert not aids.cases
    assert "looks begin again at a new dose" in " ".join(str(aids).split())


def test_cohorts_with_their_own_rules() -> None:
    aids = monitoring_aids(load(DASATINIB.with_name("two-cohorts.yaml")))
    assert aids.table.cohorts == ("HER2-amplified", "hormone-receptor positive")
    assert "share the dose" in aids.no_cases
    # a sentence is told to its end
    told = " ".join(str(aids).split())
    assert "as soon as the toxicities seen among the first patients at the dose reach the boundary." in told
    assert "Each cohort has looks of its own, on its own patients" in str(aids)
    assert aids.table.doses[0].steps[-1].last == 70


def test_an_amendment_is_printed() -> None:
    stated = SMALL.replace(
        "{kind: k_of_first_m, k: 3, m: 6}, at_lowest_dose: continue", "{kind: amendment, after_patient: 7}"
    )
    aids = monitoring_aids(parse(stated, "a.yaml"), now=(9, 2), dose=2, at_dose=2)
    assert "After patient 7 of the trial new patients start at low instead of high" in str(aids)
    assert aids.present is not None
    assert 0 < aids.present.cases["active"].p_go < 1
    assert {
        "rule": "amendment",
        "dose": "high",
        "patients_from": 7,
        "patients_to": 7,
        "decision": "reduce",
    } in (aids.rows())


def test_figures_show_the_powers() -> None:
    aids = aids_of("predictive-probability")
    drawn = draw(aids)
    assert drawn is not None
    assert aids.looks_shown == (10, 18, 27, 35)
    assert len(drawn.figure.axes) == 4
    frame = drawn.frame[(drawn.frame["n"] == 18) & (drawn.frame["at"] == "p1")]
    shown = {round(float(x), 9): float(y) for x, y in drawn.figure.axes[1].lines[-3].get_xydata()}
    expected = dict(zip(frame["responses"].astype(float), frame["power"], strict=True))
    assert shown
    assert all(expected[x] == y for x, y in shown.items())
    assert draw(monitoring_aids(load(DASATINIB.with_name("finn-tnbc.yaml")))) is None


def test_the_page_escapes_what_a_user_wrote() -> None:
    page = html(monitoring_aids(parse(SMALL, "a.yaml")).report())
    assert "<b>a &" not in page
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in page


def test_many_steps_are_set_in_columns() -> None:
    scenario = parse(CONTINUOUS, "a.yaml")
    aids, fixed = monitoring_aids(scenario), facts(Compiled.of(scenario))
    table = aids.table
    assert table.cut_offs is not None
    assert len(decisions(aids, fixed).columns) == 9
    wide = boundary(fixed.toxicity)
    printed = [cell.text for row in wide.groups[0].rows for cell in row]
    assert len(wide.columns) == 8
    assert all(f"{step.first}" in " ".join(printed) for step in table.doses[0].steps)


# -- the command line


def numbers(content: Any) -> Iterator[float]:
    """Every number of a JSON document."""
    if isinstance(content, dict | list):
        for item in content.values() if isinstance(content, dict) else content:
            yield from numbers(item)
    elif isinstance(content, int | float):
        yield float(content)


def test_a_folder_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    config = str(DASATINIB)
    assert run(["monitor", config, "--now", "30,4,8", "-o", "out", "-q"], monkeypatch) == 0
    assert run(["monitor", config, "-o", "sheet.html", "-q"], monkeypatch) == 0
    assert run(["monitor", config, "-o", "table.csv", "-q"], monkeypatch) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "sheet.html", "table.csv"]
    assert {path.name for path in (tmp_path / "out/tables").iterdir()} >= {
        "decisions.csv",
        "now.csv",
        "power.csv",
    }
    assert trialsim.reproduce(tmp_path / "out")[0]
    assert (tmp_path / "out/tables/decisions.csv").read_bytes() == (tmp_path / "table.csv").read_bytes()
    kept = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/tables/now.csv").read_text(encoding="utf-8"))))
    by_name = {row["at"]: float(row["p_go"]) for row in rows}
    assert by_name["case active"] == kept["now"]["cases"]["active"]["p_go"]
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    found = {float(value) for value in re.findall(r'<data value="([^"]+)"', page)}
    assert len(found) > 60
    assert found <= set(numbers(kept))
    capsys.readouterr()
    assert run(["monitor", config, "--json"], monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["table"] == kept["table"]
    assert run(["monitor", config, "-o", "out", "-q"], monkeypatch) == 2
    assert run(["monitor", config, "-o", "out", "--force", "-q"], monkeypatch) == 0
    assert run(["monitor", config, "-o", "sheet.html", "--force", "-q"], monkeypatch) == 0


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--now", "abc"], "whole numbers"),
        (["--now", "30"], "whole numbers"),
        (["--now", "30,-1"], "whole numbers"),
        (["--now", "30,31"], "31 responses among 30 patients"),
        (["--now", "71,8"], "more than the planned number, 70"),
        (["--now", "30,1"], "ended at an earlier look"),
        (["--now", "30,4,31"], "31 patients with toxicity among 30"),
        (["--now", "30,4", "--dose", "3"], "doses 1 to 2"),
        (["--now", "30,4,2", "--dose", "2"], "--at-dose"),
        (["--now", "30,4,2", "--dose", "2", "--at-dose", "30"], "had an earlier dose"),
        (["--now", "30,4", "--treated", "31"], "30 were treated"),
        (["--dose", "2"], "--now"),
        (["--rate", "15"], "from 0 to 1"),
        (["--prior", "0", "1"], "above 0"),
        (["-o", "nowhere/sheet.html"], "not a folder"),
    ],
)
def test_what_cannot_be_is_said_plainly(
    arguments: list[str],
    fragment: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["monitor", str(DASATINIB), *arguments], monkeypatch) == 2
    printed = capsys.readouterr()
    assert fragment in printed.err
    assert "Traceback" not in printed.err
    assert not printed.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("now", "does", "told"),
    [
        (
            "12,2,5",
            "continue",
            "CONTINUE. 12 patients with 2 responses; 12 treated at 100 mg BID, 5 of them with toxicity.",
        ),
        ("12,2", "continue", "toxicities are not stated here, and not looked at"),
        ("12,2,8", "lower_dose", "ACT: lower to 70 mg BID. 12 patients with 2 responses"),
        ("12,2,8", "lower_dose", "It was met with patient 11 at the latest"),
        ("12,2,7", "continue", "The toxicity rule acts at 8 or more of 12."),
        ("30,4,20", "lower_dose", "It was met with patient 22 at the latest"),
        ("18,2,5", "continue", "The next look is after 25 patients."),
        ("25,1,5", "futile", "STOP for futility. 25 patients with 1 response"),
        ("25,1", "futile", "The look after 25 patients is due."),
        ("25,2,5", "continue", "The next look is after 70 patients."),
        ("70,8", "go", "GO. 70 patients with 8 responses"),
        ("70,6", "futile", "NO GO. 70 patients with 6 responses"),
    ],
)
def test_the_first_line_says_what_to_do(
    now: str,
    does: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Against the cut-offs 1/25 6/70, and the boundary as the rules have it, by one case of the trial."""
    stated = yaml.safe_load(DASATINIB.read_text(encoding="utf-8"))
    parts = {
        key: stated[key] for key in stated if key not in ("variants", "sensitivity", "observed", "sources")
    }
    path = tmp_path / "one-case.yaml"
    path.write_text(
        yaml.safe_dump({**parts, "truth": {"active": stated["truth"]["active"]}}), encoding="utf-8"
    )
    scenario = load(path)
    counts = [int(part) for part in now.split(",")]
    row = compile_rules(scenario).monitor.act_ge[0]
    if len(counts) > 2:
        assert (counts[2] >= row[counts[0]]) is (does == "lower_dose")
    assert run(["monitor", str(path), "--now", now], monkeypatch) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert told in said
    lead = {
        "continue": "CONTINUE.",
        "lower_dose": "ACT:",
        "go": "GO.",
        "futile": "STOP" if counts[0] < 70 else "NO GO",
    }
    assert said.removeprefix(scenario.name).strip().startswith(lead[does])
    aids = trialsim.monitor(scenario, now=counts)
    assert aids.today is not None and aids.today.does == does
    assert (aids.present is not None) is (does == "continue")
    assert aids.to_dict()["today"]["does"] == does


def test_a_rule_that_stops_and_a_look_that_asks_for_toxicity() -> None:
    """The lowest dose of a rule of two among three; a look that stops from 5 toxicities among 10."""
    scenario = small_of_two_doses()
    lowest = trialsim.monitor(scenario, now=(5, 2, 2), dose=2, at_dose=2)
    assert lowest.today is not None and lowest.today.does == "stop_for_toxicity"
    higher = trialsim.monitor(scenario, now=(2, 1, 2))
    assert higher.today is not None and higher.today.does == "lower_dose" and higher.today.boundary == 2
    # after three patients the rule asks no more, and two of the first three had toxicity at least
    with pytest.raises(DesignError, match="has lowered the dose by then"):
        trialsim.monitor(scenario, now=(5, 2, 4))
    # where the trial is over by its responses, no dose is lowered
    futile = trialsim.monitor(scenario, now=(6, 0, 0))
    assert futile.today is not None and futile.today.does == "futile" and futile.today.look == 6
    with pytest.raises(DesignError, match="ended at an earlier look"):
        trialsim.monitor(scenario, now=(7, 0, 0))


def small_of_two_doses() -> Scenario:
    return small(dose_reduction={"rule": {"kind": "k_of_first_m", "k": 2, "m": 3}}, evaluability=None)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("pdfinfo"), reason="needs pdfinfo")
def test_the_sheet_prints_on_one_page(tmp_path: Path) -> None:
    texts = {"continuous": parse(CONTINUOUS, "a.yaml"), **{path.stem: load(path) for path in CONFIGS}}
    for name in ("continuous", "dasatinib", "predictive-probability", "two-cohorts", "curtailed"):
        aids = monitoring_aids(texts[name])
        assert pages(tmp_path / f"{name}.html", html(sheet(aids))) == 1, name
    # before the powers, too, it has one page to itself
    first = [section.key for section in aids.report().sections]
    assert first == ["first-page", "powers"]
    assert pages(tmp_path / "whole.html", html(aids.report())) > 1
    second = subprocess.run(
        ["pdftotext", "-f", "2", "-l", "2", tmp_path / "whole.pdf", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert second.strip().startswith("How likely is a go from here?")


def pages(file: Path, text: str) -> int:
    """Pages of a page of HTML when it is printed on A4."""
    file.write_text(text, encoding="utf-8")
    pdf = file.with_suffix(".pdf")
    print_to_pdf(file, pdf)
    about = subprocess.run(["pdfinfo", pdf], check=True, capture_output=True, text=True).stdout
    assert "A4" in about
    found = re.search(r"Pages: +(\d+)", about)
    assert found is not None
    return int(found[1])


def test_the_aids_in_every_form() -> None:
    aids = trialsim.monitor(load(DASATINIB), now=(30, 4, 8))
    assert isinstance(aids, trialsim.Aids)
    assert len(repr(aids)) < 200
    assert len(aids.to_frame()) == len(aids.rows())
    assert "How likely is a go from here?" in aids._repr_html_()
    (picture,) = aids.figures()
    assert picture.drawing.svg().startswith(b"<?xml")
    assert "| Patients | Stop, no go |" in markdown(aids.report())
    assert r"\section" in latex(aids.report())
