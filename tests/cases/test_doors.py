"""How values come in (cases B1-B3, C1, C8, C9, C14, A8, F9, F15, F19, E12): Python, R, the command line, CSV tables."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import trialsim
from tests.helpers import TEACHING, child, config, ended, run
from trialsim.answers import Answer
from trialsim.designs.settings import find_in_file, find_many
from trialsim.errors import DesignError
from trialsim.given import number_behind, number_in, plain, whole
from trialsim.inference import looks_from
from trialsim.scenario.files import parse
from trialsim.writing.numbers import p_value

SETTING = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.2}
RATES = ["--p0", ".1", "--p1", ".3", "--alpha", ".05", "--beta", ".2"]


# -- the ground floor


@pytest.mark.parametrize(
    "value", [7, 7.0, np.int64(7), np.int8(7), np.float64(7.0), np.float32(7), np.array(7), pd.Series([7])[0]]
)
def test_whole_numbers_of_every_type(value):
    assert whole(value, "n") == 7
    assert type(whole(value, "n")) is int


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("7", "n = '7' is text, not a whole number; write 7 without quotes"),
        ("40%", "is text, not a whole number"),
        (7.5, "n = 7.5 must be a whole number"),
        (True, "n = True must be a whole number"),
        (np.bool_(True), "must be a whole number"),
        (None, "n is missing"),
        (pd.NA, "n is missing"),
        (float("nan"), "not a number that can be used"),
        (10**400, "not a number that can be used"),
        ([7], "must be a whole number"),
        (7j, "must be a whole number"),
    ],
)
def test_what_is_no_whole_number(value, said):
    with pytest.raises(DesignError) as caught:
        whole(value, "n")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "number"),
    [("29", 29), ("29.0", 29), ("1e4", 10000), ("1e+05", 100000), (".05", 0.05), ("5e-2", 0.05), ("-3", -3)],
)
def test_numbers_in_text(text, number):
    assert number_in(text) == number
    assert type(number_in(text)) is type(number)


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "5%", "0,05", "1/5", "1_000", "0x1F", "four"])
def test_text_that_is_no_number(text):
    assert number_in(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5%", "write 0.05"),
        ("0,05", "write 0.05"),
        ("1/5", "write 0.2"),
        ("90%", "write 0.9"),
        ("1/3", "write 0.333333"),
        ("1,000", "write 1000"),
        ("0,125", "write 0.125"),
        ("1/0", ""),
        ("n%", ""),
    ],
)
def test_the_number_behind_a_text(text, said):
    assert number_behind(text) == said


def test_plain_data_all_the_way_down():
    given = {"a": np.array([1.0, 0.5]), "b": (np.int64(2), [np.float64(3)]), "c": "x"}
    assert plain(given) == {"a": [1, 0.5], "b": (2, [3]), "c": "x"}


# -- Python: cases B2 and B3


@pytest.mark.parametrize("seven", [7, 7.0, np.int64(7), np.float64(7)])
def test_analyse_takes_whole_numbers_of_every_type(seven):
    found = trialsim.analyse(
        design="1/10,5/29", responses=seven, n=np.float64(29), p0=np.float64(0.1), prior=np.array([1, 1])
    )
    assert found.to_dict() == trialsim.analyse(
        design="1/10 5/29", responses=7, n=29, p0=0.1, prior=(1, 1)
    ).to_dict() | {"name": "Design 1/10,5/29"}


@pytest.mark.parametrize("ten", [10, 10.0, np.int64(10), np.float64(10)])
def test_find_takes_whole_numbers_of_every_type(ten):
    found = trialsim.find("simon", **SETTING, n1=ten, nmax=np.float64(50))
    assert found["optimal"].design == "1/10 5/29"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"p0": "0.4"}, "p0 = '0.4' is text, not a number; write 0.4 without quotes"),
        ({"p0": "40%"}, "write 0.4"),
        ({"p1": None}, "p1"),
        ({"nmax": "forty"}, "nmax = 'forty' is text, not a whole number"),
        ({"nmax": 9.5}, "nmax = 9.5 must be a whole number"),
        ({"n1": "ten"}, "n1 = 'ten' is text, not a whole number"),
        ({"min_pet": "5%"}, "min_pet = '5%' is text, not a number; write 0.05"),
        ({"balanced": "yes"}, "balanced"),
        ({"alpha": float("nan")}, "alpha = nan"),
        ({"criterion": 3}, "criterion = 3 must be text"),
    ],
)
def test_find_refuses_in_a_sentence(wrong, said):
    with pytest.raises((DesignError, TypeError)) as caught:
        trialsim.find("simon", **{**SETTING, **wrong})
    assert said in str(caught.value)
    assert "Input should" not in str(caught.value)


def test_simulations_take_whole_numbers_of_every_type():
    scenario = config("teaching")
    plainly = trialsim.simulate(scenario, replicates=400, seed=3).to_dict()
    assert trialsim.simulate(scenario, replicates=4e2, seed=np.int64(3)).to_dict() == plainly
    assert trialsim.run(scenario, replicates=np.float64(400), seed=3.0, jobs=1.0).results.to_dict() == plainly
    assert (
        trialsim.trace(scenario, trial=np.int64(2)).to_dict() == trialsim.trace(scenario, trial=2.0).to_dict()
    )
    assert (
        trialsim.monitor(scenario, now=np.array([8, 1, 2]), rates=np.array([0.2])).to_dict()
        == trialsim.monitor(scenario, now=(8, 1, 2), rates=[0.2]).to_dict()
    )


CALLS: dict[str, Any] = {
    "simulate": lambda x: trialsim.simulate(config("teaching"), replicates=x),
    "seed": lambda x: trialsim.simulate(config("teaching"), replicates=100, seed=x),
    "jobs": lambda x: trialsim.run(config("teaching"), replicates=100, jobs=x),
    "whatif": lambda x: trialsim.whatif(config("teaching"), {"truth.active.odds_ratio": x}, replicates=100),
    "compare": lambda x: trialsim.compare(
        {"a": config("teaching"), "b": config("mander-thompson")}, replicates=x
    ),
    "trace": lambda x: trialsim.trace(config("teaching"), trial=x),
    "monitor": lambda x: trialsim.monitor(config("teaching"), now=(8, x)),
    "dose": lambda x: trialsim.monitor(config("teaching"), now=(8, 1), dose=x),
    "check": lambda x: trialsim.check(config("dasatinib"), seed=x),
    "sensitivity": lambda x: trialsim.sensitivity(config("teaching"), replicates=x),
    "find": lambda x: trialsim.find("simon", **SETTING, nmax=x),
    "weight": lambda x: trialsim.find("simon", **SETTING, criterion="admissible", weight=x),
    "robust": lambda x: trialsim.find_robust(config("teaching"), nmax=x),
    "responses": lambda x: trialsim.analyse(design="1/10 5/29", responses=x, p0=0.1),
    "p0": lambda x: trialsim.analyse(design="1/10 5/29", responses=7, p0=x),
    "overrun": lambda x: trialsim.analyse(design="1/10 5/29", responses=1, stage1=1, overrun=x),
    "toxicities": lambda x: trialsim.analyse(design="1/10 5/29", responses=7, toxicities=x),
    "prior": lambda x: trialsim.analyse(design="1/10 5/29", responses=7, prior=(x, 1)),
    "scenario": lambda x: trialsim.simulate(x),
    "protocol": lambda x: trialsim.protocol(x),
    "exact": lambda x: trialsim.exact(x),
    "load": lambda x: trialsim.load(x),
}
"""Public functions, each with one argument to be varied."""

VALUES = [3, 3.0, np.int64(3), np.float64(3), "3", "a.yaml", None, -1, 0.5, float("nan"), [3], True, 10**30]


LONG = ("robust", "check")
"""Calls that take seconds for each value."""


@pytest.mark.parametrize("call", [pytest.param(c, marks=pytest.mark.slow) if c in LONG else c for c in CALLS])
def test_every_call_works_or_says_why_not(call):
    answers, refusals = [], []
    for value in VALUES:
        try:
            answers.append(CALLS[call](value))
        except (trialsim.TrialsimError, TypeError) as error:
            refusals.append(str(error))
    assert min(map(len, refusals)) > 10
    assert not any("Input should" in words for words in refusals)
    for answer in answers:
        assert len(repr(answer).splitlines()) <= 30


def test_a_path_where_a_scenario_is_wanted():
    with pytest.raises(trialsim.ScenarioError, match=r"a\.yaml: no such file"):
        trialsim.simulate("a.yaml")  # type: ignore[arg-type]


def test_repr_is_short():
    scenario = config("teaching")
    found: list[Any] = [
        trialsim.simulate(scenario, replicates=100),
        trialsim.run(scenario, replicates=100),
        trialsim.find("simon", **SETTING),
        trialsim.monitor(scenario),
        trialsim.protocol(scenario),
        trialsim.trace(scenario),
        trialsim.check(scenario),
        trialsim.analyse(design="1/10 5/29", responses=7),
        trialsim.whatif(scenario, {"truth.active.odds_ratio": np.float64(3)}, replicates=100),
        trialsim.validate(TEACHING),
        scenario,
    ]
    assert all(isinstance(each, Answer) for each in found[1:9])
    assert max(len(repr(each).splitlines()) for each in found) <= 30


# -- designs in our own notation: case C1


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("1/10 5/29", (10, 29)),
        ("1/10,5/29", (10, 29)),
        ("1/10, 5/29", (10, 29)),
        ("2/18 7/45", (18, 45)),
        ("0:3/13 5/24", (13, 24)),
        (" 0 : 3 / 13 ; 5 / 24 ", (13, 24)),
        ("–/14 14/44", (14, 44)),
        ("14/22", (22,)),
    ],
)
def test_a_design_as_find_writes_it(text, sizes):
    assert looks_from(text).n == sizes
    assert looks_from(text) == looks_from(text.replace(" ", "").replace(";", ",") if "," in text else text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no design is written"),
        ("1/10 5", "'5' is not a look"),
        ("1/10 (toxic < 3) 5/29", "cut-offs for toxicity"),
        ("?/5 3/10", "kind: rules"),
        ("1/10 5/99999999999999", "at most 10,000 patients"),
        ("5/29 1/10", "looks must grow"),
    ],
)
def test_what_is_no_design(text, said):
    with pytest.raises(DesignError) as caught:
        looks_from(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("written", [["1/10 5/29"], ["1/10,5/29"], ["1/10", "5/29"], ["1/10,", "5/29"]])
def test_a_design_on_the_command_line(written, monkeypatch, capsys):
    assert run(["oc", *written, "--p0", ".1", "--p1", ".3"], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "0.0471" in printed
    assert "0.8051" in printed


# -- the command line: cases A8, C9, C14, F9, F15


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["find", "simon", "--p0", "5%", *RATES[2:]], "--p0: `5%` is text, not a number; write 0.05"),
        (["find", "simon", "--p0", "0,05", *RATES[2:]], "write 0.05"),
        (["find", "simon", "--p0", "1/5", *RATES[2:]], "write 0.2"),
        (["find", "simon", *RATES, "--set", "nmax=forty"], "nmax = 'forty' is text"),
        (["find", "simon", *RATES, "--nmax", "0,5"], "--nmax: `0,5` is text, not a whole number"),
        (["find", "simon", *RATES, "--set", "min_pet=5%"], "write 0.05"),
        (["analyse", "--design", "1/10", "5/29", "--responses", "7", "--confidence", "90%"], "write 0.9"),
        (["analyse", "--design", "1/10,5/29", "--responses", "7", "--prior", "nan", "1"], "--prior: `nan`"),
        (["analyse", "--design", "1/10,5/29", "--responses", "7", "--prior", "1e300", "1"], "1,000,000"),
        (["monitor", "t.yaml", "--prior", "inf", "1"], "--prior: `inf`"),
        (["monitor", "t.yaml", "--rate", "5%"], "write 0.05"),
        (["monitor", "plain.yaml", "--now", "8,1,2"], "no toxicity rule"),
        (["monitor", "t.yaml", "--now", "8"], "two or three whole numbers"),
        (["run", "t.yaml", "--jobs", "1000001"], "--jobs: 1000001 is not a whole number from 1 to 1,000"),
        (["run", "t.yaml", "--replicates", "0"], "--replicates: 0 is not a whole number from 1"),
        (["trace", "t.yaml", "--trial", "1.5"], "--trial: 1.5 is not a whole number"),
    ],
)
def test_the_command_line_says_what_to_write(arguments, said, tmp_path, monkeypatch, capsys):
    (tmp_path / "t.yaml").write_bytes(TEACHING.read_bytes())
    (tmp_path / "plain.yaml").write_text(
        "{schema: 1, name: plain, endpoint: response, design: {kind: simon, n1: 10, r1: 1, n: 29, r: 5},\n"
        " truth: {a: {response: 0.1}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run(arguments, monkeypatch) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out


@pytest.mark.parametrize("now", [["21,5,8"], ["21", "5", "8"], ["21 5 8"], ["21, 5, 8"], ["21.0,5,8"]])
def test_counts_with_and_without_commas(now, monkeypatch, capsys):
    # case C14
    arguments = ["monitor", str(TEACHING), "--json", "--now", *now, "--prior", "1", "1e0"]
    assert run(arguments, monkeypatch) == 0
    stands = json.loads(capsys.readouterr().out)["now"]["now"]
    assert (stands["n"], stands["x"], stands["toxicities"]) == (21, 5, 8)


def test_whole_numbers_as_r_pastes_them(monkeypatch, capsys):
    assert run(["find", "simon", *RATES, "--nmax", "1e+02", "--set", "n1=10.0", "--json"], monkeypatch) == 0
    assert '"design": "1/10 5/29"' in capsys.readouterr().out


# -- tables of settings: cases B1 and C8


def answers(
    text: str | bytes, tmp_path: Path, monkeypatch, capsys, kind: str = "simon"
) -> tuple[int, list[dict], str]:
    """Status, rows and errors of `find --settings` on a file with this content."""
    path = tmp_path / "settings.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    status = run(["find", kind, "--settings", str(path)], monkeypatch)
    printed = capsys.readouterr()
    return status, list(csv.DictReader(io.StringIO(printed.out))), printed.err


GOOD = {
    "plain": "p0,p1,alpha,beta\n0.1,0.3,0.05,0.2\n",
    "any case, blanks": "P0, P1 ,Alpha,BETA\n 0.1 , 0.3, 0.05 ,0.2\n",
    "semicolons and decimal commas": "p0;p1;alpha;beta\n0,1;0,3;0,05;0,2\n",
    "tabs": "p0\tp1\talpha\tbeta\n0.1\t0.3\t0.05\t0.2\n",
    "sep": "sep=;\np0;p1;alpha;beta\n0,1;0,3;0,05;0,2\n",
    "BOM": "\ufeffp0,p1,alpha,beta\n0.1,0.3,0.05,0.2\n",
    "utf-16": "p0\tp1\talpha\tbeta\n0.1\t0.3\t0.05\t0.2\n".encode("utf-16"),
    "carriage returns": "p0,p1,alpha,beta\r\n0.1,0.3,0.05,0.2\r\n\r\n",
    "quoted": '"p0","p1","alpha","beta"\n"0.1","0.3","0.05","0.2"\n',
    "quoted decimal commas": 'p0,p1,alpha,beta\n"0,1","0,3","0,05","0,2"\n',
    "percentages": "p0,p1,alpha,beta\n10%,30%,5%,20 %\n",
    "R write.csv": '"","p0","p1","alpha","beta","nmax"\n"1",0.1,0.3,0.05,0.2,NA\n',
    "R write.table": '"p0" "p1" "alpha" "beta"\n"1" 0.1 0.3 0.05 0.2\n',
    "pandas": ",p0,p1,alpha,beta,nmax\n0,0.1,0.3,0.05,0.2,\n",
    "whole floats": "p0,p1,alpha,beta,nmax\n0.1,0.3,0.05,0.2,50.0\n",
    "upper-case false": "p0,p1,alpha,beta,balanced\n0.1,0.3,0.05,0.2,FALSE\n",
    "scientific": "p0,p1,alpha,beta,nmax\n1e-1,3e-1,5e-2,2e-1,1e+02\n",
    "cp1252": "trial,p0,p1,alpha,beta\nMünchen,0.1,0.3,0.05,0.2\n".encode("cp1252"),
}


@pytest.mark.parametrize("content", GOOD)
def test_a_table_as_spreadsheets_r_and_pandas_write_it(content, tmp_path, monkeypatch, capsys):
    status, rows, errors = answers(GOOD[content], tmp_path, monkeypatch, capsys)
    assert (status, errors) == (0, "")
    assert [row["design"] for row in rows] == ["1/15 5/25", "1/12 5/26", "1/11 5/27", "1/10 5/29"]
    assert {(row["p0"], row["p1"], row["alpha"], row["beta"]) for row in rows} == {
        ("0.1", "0.3", "0.05", "0.2")
    }
    assert {(row["n1"], row["note"]) for row in rows} >= {("10", "")}


def test_every_good_row_is_answered_and_a_bad_one_has_its_note(tmp_path, monkeypatch, capsys):
    # case B1
    text = (
        "name,p0,p1,alpha,beta,nmax\n"
        'a,40%,0.6,0.05,0.2,\nb,NA,0.3,0.05,0.2,\nc,"0,1",0.3,0.05,0.2,50\nd,,0.3,0.05,0.2,\n'
        'e,0.1,0.3,0.05,0.2,forty\nf,0.3,0.1,0.05,0.2,\ng,0.1,0.3,0.05,0.2,"1,000"\nh,0.1,0.3,0.05,0.2,40%\n'
        "i,0.1,0.3,0.05,0.2,,extra\nj,0.1,0.3,0.05,0.2,9\n"
    )
    status, rows, errors = answers(text, tmp_path, monkeypatch, capsys)
    assert status == 2
    first = {row["name"]: row for row in reversed(rows)}
    assert list("abcdefghij") == list(dict.fromkeys(row["name"] for row in rows))
    assert (first["a"]["p0"], first["a"]["design"]) == ("0.4", "17/34 20/39")
    assert first["c"]["design"] == "1/15 5/25"
    for name, line, said in (
        ("b", 3, "p0"),
        ("d", 5, "p0"),
        ("e", 6, "nmax = 'forty' is text, not a whole number"),
        ("f", 7, "p1 = 0.1 must be above"),
        ("g", 8, "may be a decimal comma or thousands"),
        ("h", 9, "nmax = 0.4 must be a whole number"),
        ("i", 10, "7 cells under 6 headers"),
    ):
        assert first[name]["design"] == ""
        assert said in first[name]["note"]
        assert f"settings.csv: line {line}: " in errors
    assert "n <= 9" in first["j"]["note"]
    assert "settings.csv: line 11: " in errors


def test_a_column_of_the_answer_and_a_slip_are_carried_along(tmp_path, monkeypatch, capsys):
    text = "design,criteron,p0,p1,alpha,beta\nours,optimal,0.1,0.3,0.05,0.2\n"
    status, rows, _ = answers(text, tmp_path, monkeypatch, capsys)
    assert status == 0
    assert {row["given_design"] for row in rows} == {"ours"}
    assert all("did you mean `criterion`?" in row["note"] for row in rows)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a header"),
        ("p0,p1,alpha,beta\n", "needs a header"),
        ("p0,p1\n0.1,0.3\n", "no column alpha, beta"),
        ("p0,p0,p1,alpha,beta\n1,1,1,1,1\n", "there twice"),
        (b"\x00\x01\x02", "not a text file"),
        ("x" * 200_000 + "\n1\n", "not a CSV table"),
    ],
)
def test_a_table_that_cannot_be_used(text, said, tmp_path, monkeypatch, capsys):
    status, rows, errors = answers(text, tmp_path, monkeypatch, capsys)
    assert (status, rows) == (2, [])
    assert said in errors
    assert "settings.csv" in errors


def test_an_unknown_kind_beside_a_table(tmp_path, monkeypatch, capsys):
    # case F19
    status, _, errors = answers(GOOD["plain"], tmp_path, monkeypatch, capsys, "NONSENSE")
    assert status == 2
    assert "`NONSENSE` is not known" in errors


def test_rows_of_pandas(tmp_path):
    table = pd.DataFrame([{**SETTING, "nmax": 50.0}, {**SETTING, "nmax": np.nan}])
    found = find_many("simon", table.to_dict("records"))
    assert list(found["design"].unique()) == ["1/15 5/25", "1/12 5/26", "1/11 5/27", "1/10 5/29"]
    path = tmp_path / "a.csv"
    table.to_csv(path)
    assert not find_in_file("simon", path).bad


# -- odds and ends: cases F19 and E12


def test_json_escapes_beyond_the_bmp():
    text = '{"schema": 1, "name": "\\ud83d\\ude00 drug", "endpoint": "response", "design": {"kind": "single_stage",\n'
    good = parse(f'{text} "n": 20, "r": 5}}, "truth": {{"a": {{"response": 0.1}}}}}}')
    assert good.name == "\U0001f600 drug"
    with pytest.raises(trialsim.ScenarioError, match=r"U\+D83D"):
        parse(good.model_dump_json(by_alias=True).replace("\U0001f600", "\\ud83d"))


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "<0.0001"),
        (1e-9, "<0.0001"),
        (4e-4, "0.0004"),
        (0.018, "0.018"),
        (0.99999, ">0.999"),
        (1.0, "1.000"),
    ],
)
def test_a_p_value_is_never_0(p, text):
    assert p_value(p) == text


def test_a_small_p_value_in_words():
    # case E12
    words = str(trialsim.analyse(design="1/10,5/29", responses=25, stage1=9, p0=0.1))
    assert "p-value against p0 = 10% is <0.0001" in words.replace("\n", " ")


@pytest.mark.parametrize("name", ["\U0001f600" * 61, "é" * 123])
def test_a_long_name_in_few_characters(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for more in ([], ["--force"]):
        assert (
            run(["analyse", "--design", "1/10 5/29", "--responses", "7", "-o", name, *more], monkeypatch) == 0
        )
    assert capsys.readouterr().err == ""
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_empty_folder_is_replaced_with_force_alone(tmp_path, monkeypatch, capsys):
    (tmp_path / "out").mkdir()
    arguments = ["analyse", "--design", "1/10 5/29", "--responses", "7", "-o", str(tmp_path / "out")]
    assert run(arguments, monkeypatch) == 2
    assert "exists" in capsys.readouterr().err
    assert run([*arguments, "--force"], monkeypatch) == 0
    assert (tmp_path / "out" / "report.html").is_file()


def test_without_a_compiler_a_sentence(tmp_path):
    process = child(["run", str(TEACHING)], tmp_path, NUMBA_DISABLE_JIT="1")
    _, errors = ended(process)
    assert process.returncode == 2
    assert "NUMBA_DISABLE_JIT is set" in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_one_patient_is_no_patients(tmp_path, monkeypatch, capsys):
    # case E12
    (tmp_path / "one.yaml").write_text(
        "{schema: 1, name: one, endpoint: response,\n"
        " design: {kind: simon, n1: 1, r1: 0, n: 2, r: 1, p0: 0.1, p1: 0.5},\n"
        " doses: [high, low],\n"
        " dose_reduction: {rule: {kind: k_of_first_m, k: 1, m: 1}, at_lowest_dose: stop},\n"
        " truth: {a: {response: 0.1, toxicity: [0.3, 0.2]}}, simulation: {replicates: 50},\n"
        " observed: {treated: 1, evaluable: 1, responses: 0, toxicities: 1}}\n"
    )
    monkeypatch.chdir(tmp_path)
    for words in (
        "run -o out --markdown",
        "monitor --now 0,0 --markdown",
        "analyse --markdown",
        "trace",
        "protocol",
    ):
        command, *options = words.split()
        assert run([command, "one.yaml", *options], monkeypatch) == 0
        assert not re.search(r"\b1 (evaluable )?(patients|responses|looks)\b", capsys.readouterr().out), words


@pytest.mark.parametrize(
    "further", [["--alpha", ".05"], ["--json"], ["--nmax", "30"], ["--set", "balanced=true"]]
)
def test_settings_go_with_no_other_option(tmp_path, monkeypatch, capsys, further):
    (tmp_path / "s.csv").write_text("p0,p1,alpha,beta\n0.1,0.3,0.05,0.2\n")
    assert run(["find", "simon", "--settings", str(tmp_path / "s.csv"), *further], monkeypatch) == 2
    assert f"without {further[0]}" in capsys.readouterr().err
