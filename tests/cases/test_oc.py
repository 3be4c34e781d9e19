"""Operating characteristics of stated designs against every path in fractions; nominal error rates beside cut-offs."""

from __future__ import annotations

import json
from fractions import Fraction
from math import sqrt
from pathlib import Path

import pytest

import trialsim
from tests.golden.test_results_json import PAGE, listed, unlisted
from tests.helpers import CONFIGS, TEACHING, run
from trialsim.codes import CONSIDER, FUTILE, GO, NEVER
from trialsim.errors import DesignError, TrialsimError
from trialsim.inference.stated import stated

DATA = Path(__file__).parent / "data"
WORDS = {GO: "p_go", CONSIDER: "p_consider", FUTILE: "p_no_go"}
TOXIC = {"kind": "rules", "looks": [{"n": 3, "next": {0: "futile", 1: 6}, "toxic_ge": 2},
                                    {"n": 6, "next": {0: "futile", 3: "go"}, "toxic_ge": 3}]}  # fmt: skip
CONSIDERS = {"kind": "rules", "looks": [{"n": 3, "next": {0: "futile", 1: 5, 2: 8}}, {"n": 5, "next": {0: "go"}},
                                        {"n": 8, "next": {0: "futile", 4: "consider", 6: "go"}}]}  # fmt: skip


def paths(looks, p, t=Fraction(0)):
    """{(n, end): probability} by every sequence of (response, toxicity), walked to where it ends."""
    one = {(x, y): (p if x else 1 - p) * (t if y else 1 - t) for x in (0, 1) for y in (0, 1)}
    found: dict[tuple[int, str], Fraction] = {}

    def walk(k, n, x, y, chance):
        if not chance:
            return
        if n < looks.n[k]:
            for (response, toxic), q in one.items():
                walk(k, n + 1, x + response, y + toxic, chance * q)
            return
        decision = looks.next[k][x]
        if looks.toxic_ge and looks.toxic_ge[k] < NEVER and y >= looks.toxic_ge[k]:
            decision, word = -9, "p_toxicity"
        elif decision < 0:
            word = WORDS[decision]
        if decision >= 0:
            walk(decision, n, x, y, chance)
        else:
            found[n, word] = found.get((n, word), Fraction(0)) + chance

    walk(0, 0, 0, 0, Fraction(1))
    return found


@pytest.mark.parametrize(
    "design",
    ["1/4 3/9", "4/9", "0/3 1/6 3/10", "0:2/4 3/9", "-/4 3/9", "0/3,2:3/6,4/10", CONSIDERS, TOXIC],
    ids=str,
)
def test_against_every_path(design):
    toxic = [0.25] if design is TOXIC else None
    found = trialsim.oc(design, p0=0.1, p1=0.3, rates=[0.55], toxicity=toxic)
    looks = stated(design).looks
    assert [at.p for at in found.at] == [0.1, 0.3, 0.55]
    for at in found.at:
        exact = paths(looks, Fraction(str(at.p)), Fraction(str(at.toxicity or 0)))
        assert sum(exact.values()) == 1
        for look in at.ends:
            for word in (*WORDS.values(), "p_toxicity"):
                assert getattr(look, word) == pytest.approx(float(exact.get((look.n, word), 0)), abs=1e-13)
        en = sum(n * q for (n, _), q in exact.items())
        variance = sum((n - en) ** 2 * q for (n, _), q in exact.items())
        assert at.en == pytest.approx(float(en), abs=1e-12)
        assert at.sd_n == pytest.approx(sqrt(variance), abs=1e-7)
        assert at.median_n == next(
            m for m in looks.n if 2 * sum(q for (n, _), q in exact.items() if n <= m) >= 1
        )
        # early: a look from which some count leads on
        leads_on = {n for n, row in zip(looks.n, looks.next, strict=True) if max(row) >= 0}
        early = {
            word: sum(q for (n, w), q in exact.items() if n in leads_on and w == word) for _, word in exact
        }
        assert at.pet == pytest.approx(float(sum(early.values())), abs=1e-13)
        assert at.p_go_early == pytest.approx(float(early.get("p_go", 0)), abs=1e-13)
        assert at.p_stop_futility == pytest.approx(float(early.get("p_no_go", 0)), abs=1e-13)
        assert at.p_go + at.p_no_go + at.p_consider + at.p_toxicity == pytest.approx(1, abs=1e-13)


def test_case_c5(monkeypatch, capsys):
    assert run(["oc", "0/8 4/24", "--p0", "0.1", "--p1", "0.3"], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert all(number in printed for number in ("0.0778", "0.8572", "0.4305"))
    at = trialsim.oc("1/8 4/24", p0=0.1, p1=0.3)
    assert (round(at[0.1].p_go, 4), round(at[0.3].p_go, 4), round(at[0.1].pet, 3)) == (0.0516, 0.7082, 0.813)


def test_case_c6_at_the_command(monkeypatch, capsys):
    command = ["oc", "1/8 4/24", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05"]
    for more in (["--beta", "0.2"], ["--power", "0.8"]):
        assert run([*command, *more], monkeypatch) == 0
        printed = " ".join(capsys.readouterr().out.split())
        assert "the type I error 0.0516 exceeds alpha = 0.05 and the power 0.7082 is below 0.8" in printed
        assert 'Is r1 meant as "at least 1"? 0/8 4/24 has type I error 0.0778 and power 0.8572.' in printed


def test_case_c6_in_a_scenario(monkeypatch, capsys):
    path = str(DATA / "nominal.yaml")
    assert run(["validate", path], monkeypatch) == 0
    capsys.readouterr()
    assert run(["protocol", path], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "0.0516 exceeds alpha = 0.05" in printed and "0/8 4/24 has type I error 0.0778" in printed
    assert "among all" not in printed  # nothing was searched
    found = trialsim.run(trialsim.load(path), replicates=1000).to_dict()["design"]
    assert (found["alpha"], found["beta"], found["criterion"]) == (0.05, 0.2, None)


@pytest.mark.parametrize(
    ("design", "rates", "errors", "kept", "meant"),
    [
        # P(X > 3 of 5 | .5) = 6/32 exactly: a level attained exactly is kept
        ("3/5", (0.5, 0.9), (0.1875, 0.2), (True, True), None),
        ("3/5", (0.5, 0.9), (0.1874, 0.2), (False, True), None),
        ("1/10 5/29", (0.1, 0.3), (0.05, 0.2), (True, True), None),
        # written 2/10 6/29 for "at least 2" and "at least 6"
        ("2/10 6/29", (0.1, 0.3), (0.05, 0.2), (True, False), "1/10 5/29"),
        ("2/10 5/29", (0.1, 0.3), (0.05, 0.2), (True, False), "1/10 5/29"),
        ("0/8 4/24", (0.1, 0.3), (0.05, 0.2), (False, True), None),
        ("6/25", (0.1, 0.3), (0.05, 0.2), (True, False), "5/25"),
    ],
)
def test_nominal_error_rates(design, rates, errors, kept, meant):
    found = trialsim.oc(design, p0=rates[0], p1=rates[1], alpha=errors[0], beta=errors[1]).nominal
    assert found is not None
    assert (found.attained.keeps_alpha, found.attained.keeps_beta) == kept
    assert (found.meant and found.meant.design) == meant


def test_error_rates_of_looks_that_count_toxicities_are_not_held_against_responses_alone():
    """Bryant and Day's limits hold at pairs of rates: at p0 and the acceptable toxicity P(go) is .0958, within .10."""
    for name in ("bryant-day", "bop2-toxicity"):
        found = trialsim.oc(CONFIGS / f"{name}.yaml")
        assert found.nominal is None and "Nominal and attained" not in str(found)
    assert trialsim.oc(CONFIGS / "bryant-day.yaml").at[1].p_go == pytest.approx(0.0958, abs=5e-5)
    with pytest.raises(trialsim.DesignError, match="no one type I error and no one power"):
        trialsim.oc(CONFIGS / "bryant-day.yaml", alpha=0.1)


def test_beta_of_three_outcomes_is_not_held_against_the_power():
    """Sargent's beta limits P(no go | p1), .0946 here; the power, P(go | p1), is .8048, as its pi of .8 asks."""
    found = trialsim.oc(CONFIGS / "sargent.yaml")
    assert found.nominal is not None and (found.nominal.alpha, found.nominal.beta) == (0.05, None)
    assert found[0.3].p_no_go <= 0.1 < 1 - found[0.3].p_go and "below 0.9" not in str(found)
    asked = trialsim.oc(CONFIGS / "sargent.yaml", power=0.9).nominal
    assert asked is not None and asked.attained.keeps_beta is False


def test_a_design_of_many_looks_is_told_by_its_last():
    printed = " ".join(str(trialsim.oc(CONFIGS / "curtailed.yaml")).split())
    assert "24 looks, the first after 6 patients; after 29, the last" in printed
    assert "futile with 0-5; go with 6-29" in printed.replace("–", "-")


def test_a_look_that_ends_every_trial_does_so_for_certain():
    """.1703 and .8297 are 1, whatever their last bit."""
    last = trialsim.oc("-/14 14/44", p0=0.2, p1=0.4)[0.4].ends[-1]
    assert last.p == 1 and last.p_go + last.p_no_go == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("command", ["oc", "evidence"])
def test_a_design_may_begin_with_a_look_that_only_goes(command, monkeypatch, capsys):
    more = ["--now", "5,2"] if command == "evidence" else []
    assert run([command, "-:2/5 6/20", *more, "--p0", "0.2", "--p1", "0.5"], monkeypatch) == 0
    assert "-:2/5 6/20" in capsys.readouterr().out
    assert run([command, "-1/10 5/29", *more, "--p0", "0.2", "--p1", "0.5"], monkeypatch) == 2
    assert "'-1/10' is not a look" in capsys.readouterr().err


def test_blocks_files_and_scenarios_are_one(tmp_path):
    block = {
        "kind": "simon",
        "p0": 0.1,
        "p1": 0.3,
        "n1": 8,
        "r1": 1,
        "n": 24,
        "r": 4,
        "alpha": 0.05,
        "beta": 0.2,
    }
    inline = "{kind: simon, p0: 0.1, p1: 0.3, n1: 8, r1: 1, n: 24, r: 4, alpha: 0.05, beta: 0.2}"
    file = tmp_path / "block.yaml"
    file.write_text("\n".join(f"{key}: {value}" for key, value in block.items()))
    scenario = trialsim.load(DATA / "nominal.yaml")
    for design in (block, inline, file, str(file), scenario, DATA / "nominal.yaml"):
        found = trialsim.oc(design)
        assert (found.design, found.p0, found.p1) == ("1/8 4/24", 0.1, 0.3)
        assert found.nominal is not None and found.nominal.meant is not None


@pytest.mark.parametrize(
    ("design", "more"),
    [
        ("1/10 5/29", ["--p0", "0.1", "--p1", "0.3"]),
        (str(DATA / "nominal.yaml"), ["--rates", "0.2,0.25"]),
        ("gehan", ["--set", "p1=0.2", "--set", "miss=0.05", "--set", "standard_error=0.1", "--p0", "0.05"]),
        ("{kind: rules, looks: [{n: 9, next: {0: futile, 4: go}}]}", ["--rates", "0.2"]),
    ],
)
def test_folder_reproduces_and_makes_word(design, more, tmp_path, monkeypatch):
    folder = tmp_path / "oc"
    assert run(["oc", design, *more, "-o", str(folder)], monkeypatch) == 0
    assert run(["reproduce", str(folder)], monkeypatch) == 0
    assert run(["docx", str(folder)], monkeypatch) == 0
    assert (folder / "report.docx").stat().st_size > 5000
    kept = json.loads((folder / "results.json").read_text())
    assert kept["kind"] == "oc" and len(kept["rates"]) == len(trialsim.oc(**_call(design, more)).at)


def _call(design, more):
    options = dict(zip(more[::2], more[1::2], strict=True)) if "--set" not in more else {}
    if design == "gehan":
        return {"design": {"kind": "gehan", "p1": 0.2, "miss": 0.05, "standard_error": 0.1}, "p0": 0.05}
    read = {key[2:]: [float(p) for p in text.split(",")] for key, text in options.items()}
    return {"design": design} | {key: value if key == "rates" else value[0] for key, value in read.items()}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"design": "1/10 5/9", "p0": 0.1}, "looks must grow"),
        ({"design": "1/10 5/29"}, "state p0 and p1"),
        ({"design": "1/10 5/29", "p0": 10, "p1": 0.3}, "p0 = 10 must lie between 0 and 1"),
        ({"design": "1/10 5/29", "p0": 0.3, "p1": 0.1}, "must be above"),
        ({"design": "1/10 5/29", "p0": 0.1, "beta": 0.2, "power": 0.9}, "do not agree"),
        ({"design": "1/10 5/29", "p0": 0.1, "toxicity": [0.2]}, "no look"),
        ({"design": {"n": 3}, "p0": 0.1}, "states its kind"),
        ({"design": {"kind": "simon", "n1": 10, "r1": 1, "n": 29, "s": 5}, "p0": 0.1}, "s"),
        ({"design": "{kind: simon, n1: 10", "p0": 0.1}, "cannot be read"),
    ],
)
def test_refusals_are_sentences(given, words):
    with pytest.raises(DesignError, match=words):
        trialsim.oc(**given)


def test_figure(tmp_path, monkeypatch):
    file = tmp_path / "oc.svg"
    assert run(["oc", "5/25", "--p0", "0.1", "--p1", "0.3", "--figure", str(file)], monkeypatch) == 0
    assert file.read_text().count("<path") > 5


def test_designs_written_short_are_compared(tmp_path, monkeypatch, capsys):
    written = [
        "1/10 5/29",
        "5/25",
        "0:3/13 5/24",
        "-/14 6/30",
        "{kind: gehan, p1: 0.3, miss: 0.1, standard_error: 0.1}",
    ]
    folder = tmp_path / "compared"
    command = [
        "compare",
        *(word for design in written for word in ("--design", design)),
        "--p0",
        "0.1",
        "--p1",
        "0.3",
    ]
    assert run([*command, "--rates", "0.2", "--replicates", "500", "-o", str(folder)], monkeypatch) == 0
    found = json.loads((folder / "results.json").read_text())
    for design, row in zip(written, found["designs"], strict=True):
        alone = trialsim.oc(design, p0=0.1, p1=0.3)
        assert row["name"] == design
        assert (row["alpha"], row["power"]) == pytest.approx((alone[0.1].p_go, alone[0.3].p_go))
        value = found["cases"]["rate_0_2"][design]["values"]["p_go"]
        assert (
            value["exact"]
            if isinstance(value.get("exact"), float)
            else value["value"] == pytest.approx(trialsim.oc(design, rates=[0.2])[0.2].p_go)
        )
    assert run(["reproduce", str(folder)], monkeypatch) == 0
    for wrong in (["--design", "5/25"], ["--design", "5/25", "--design", "5/25"], ["a.yaml"], []):
        assert run(["compare", *wrong, "--p0", "0.1", "--p1", "0.3"], monkeypatch) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_protocol_tells_what_the_trial_as_written_does(tmp_path, monkeypatch, capsys):
    scenario = trialsim.load("configs/teaching.yaml")
    exact = trialsim.exact(scenario)
    found = trialsim.protocol(scenario)
    assert [(c.case, c.p_go, c.en, c.mcse) for c in found.cases] == [
        (c.case, c.exact.values["p_go"], c.exact.values["en"], None) for c in exact.cases
    ]
    folder = tmp_path / "protocol"
    assert run(["protocol", "configs/teaching.yaml", "-o", str(folder)], monkeypatch) == 0
    assert f"{exact.cases[0].exact.values['p_go']:.4f}" in capsys.readouterr().out
    assert run(["reproduce", str(folder)], monkeypatch) == 0
    assert run(["docx", str(folder)], monkeypatch) == 0
    # in calendar time there is no exact answer: simulated, with its error, with the scenario's seed
    timed = trialsim.protocol(trialsim.load("configs/dasatinib.yaml"))
    simulated = trialsim.simulate(trialsim.load("configs/dasatinib.yaml"), totals=False)
    assert [(c.p_go, c.mcse) for c in timed.cases] == [
        (c.adjusted["p_go"].estimate, c.adjusted["p_go"].mcse) for c in simulated.cases
    ]


def test_the_protocol_of_a_design_that_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rates = ["--p0", ".1", "--p1", ".3"]
    assert run(["protocol", "--design", "1/10 5/29", *rates, "-o", "section"], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "a type I error of 0.0471 at a response rate of 10% and a power of 0.8051" in printed
    assert "19 more will be enrolled, 29 in all" in printed
    assert run(["reproduce", "section"], monkeypatch) == 0
    assert (
        trialsim.protocol(design="1/10 5/29", p0=0.1, p1=0.3).to_dict()
        == trialsim.protocol("section/scenario.yaml").to_dict()
    )
    searched = "{kind: simon, p0: .1, p1: .3, alpha: .05, beta: .2}"
    assert run(["protocol", "--design", searched, *rates], monkeypatch) == 0
    assert "It is Simon’s optimal two-stage design." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a scenario file, or a design"),
        (["--design", "5/25"], "--design needs --p0 and --p1"),
        (["--design", "5/25", "--p0", ".1"], "--design needs --p0 and --p1"),
        (["--design", "5/25", "--p0", ".3", "--p1", ".1"], "p1"),
        (["--design", "5 25", "--p0", ".1", "--p1", ".3"], "'5' is not a look"),
        (["--p0", ".1", "section.yaml"], "--p0 and --p1 go with --design"),
        (["--design", "5/25", "--p0", ".1", "--p1", ".3", "section.yaml"], "give one or the other"),
    ],
)
def test_a_protocol_needs_a_file_or_a_design(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["protocol", *words], monkeypatch) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [{}, {"scenario": TEACHING, "design": "5/25"}, {"scenario": TEACHING, "p0": 0.1}]
)
def test_a_protocol_in_python_needs_one_of_both(given):
    with pytest.raises(TrialsimError, match=r"one or the other|go with design"):
        trialsim.protocol(**given)


def test_every_field_is_listed():
    given = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
    for design in ("1/8 4/24", "5/25"):
        assert unlisted(json.loads(json.dumps(trialsim.oc(design, **given).to_dict())), listed(PAGE)) == set()
