"""Whatever is typed on the command line or stands in a table of settings: exit 0 or 2, and a sentence."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from tests.helpers import CONFIGS, SMALL, run

PART, ALL = 50, 1000

NUMBERS = (
    *(
        "0.1",
        ".1",
        "0.3",
        "0.5",
        "0.05",
        "0.2",
        "5%",
        "0,05",
        "1/5",
        "90%",
        "",
        " ",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "-1",
    ),
    *(
        "0",
        "1",
        "2",
        "7",
        "10",
        "29",
        "29.0",
        "1e1",
        "1e400",
        "0x10",
        "1_000",
        "1,000",
        "four",
        "None",
        "NA",
        "TRUE",
    ),
    *("\u0663", "--", "[1]", "{}", "9" * 30, "1.5", "-0", "+3", "1e-9", "\u00bd", "'7'"),
)
DESIGNS = (
    *(
        "1/10,5/29",
        "1/10 5/29",
        "2/18 7/45",
        "0:3/13 5/24",
        "-/14,14/44",
        "14/22",
        "5/29 1/10",
        "1/10",
        "",
        ",",
        "?/5",
    ),
    *(
        "1/10 (toxic < 3) 5/29",
        "x",
        "1:0/5 2/9",
        "9/9 9/9",
        "0/1,1/2",
        "1/0",
        "1/99999999999999999999",
        "-/5",
    ),
)
COUNTS = (
    "21,5,8",
    "8 1 2",
    "8,1",
    "8",
    "0,0",
    "29,5",
    "8,9",
    "-1,2",
    "8,1,2,3",
    "a,b",
    "",
    "8;1",
    "1e1,1",
    "8.5,1",
)
OUTCOMES = ("0010p1", "00 11", "1", "", "0x1", "1,1,0", "?" * 30, "1" * 2000, "\u0663", "-1")
PATHS = (
    "small.yaml",
    "small.yaml",
    "plain.yaml",
    "bad.yaml",
    "missing.yaml",
    ".",
    "",
    "rows.csv",
    "\x00",
    "-",
)
KINDS = ("simon", "single_stage", "fleming", "gehan", "rules", "NONSENSE", "bop2", "mander_thompson", "")
KEYS = (
    "nmax=forty",
    "n1=10",
    "n1=10.0",
    "balanced=TRUE",
    "balanced=true",
    "=",
    "x",
    "p0=.1",
    "min_pet=5%",
    "n1=",
    "r1=[1]",
)
CHANGES = (
    "truth.active.response=0.2",
    "truth.active.response=5%",
    "x=1",
    "=",
    "doses=[1",
    "design.n=9",
    "truth=null",
)
SEARCH_RATES = ("--p0", "--p1", "--alpha", "--beta")
COMMON = (
    ("--json", ()),
    ("--markdown", ()),
    ("--latex", ()),
    ("--quiet", ()),
    ("--docx", ()),
    ("-o", ("out", "", "small.yaml")),
)

OPTIONS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "find": (
        *((rate, NUMBERS) for rate in SEARCH_RATES), ("--power", NUMBERS), ("--nmax", NUMBERS[:32]), ("--set", KEYS),
        ("--criterion", ("optimal", "minimax", "best", "")), ("--weight", NUMBERS), ("--settings", PATHS), *COMMON,
    ),
    "analyse": (
        ("--design", DESIGNS), ("--responses", NUMBERS), ("--stage1", NUMBERS), ("--n", NUMBERS),
        ("--stage1-n", NUMBERS), ("--stage2-n", NUMBERS), ("--overrun", NUMBERS), ("--toxicities", NUMBERS),
        ("--treated", NUMBERS), ("--p0", NUMBERS), ("--p1", NUMBERS), ("--confidence", NUMBERS),
        ("--estimate", ("umvue", "mle", "x")), ("--interval", ("stagewise", "koyama_chen", "x")),
        ("--ordering", ("mle", "x")), *COMMON,
    ),
    "monitor": (
        ("--now", COUNTS), ("--dose", NUMBERS), ("--at-dose", NUMBERS), ("--treated", NUMBERS),
        ("--all-toxicities", NUMBERS), ("--rate", NUMBERS), *COMMON,
    ),
    "evidence": (
        ("--now", COUNTS), ("--outcomes", OUTCOMES), ("--part", ("A=8,1", "B=8;2", "A", "=8,1", "C=8,9", "")),
        ("--p0", NUMBERS), ("--p1", NUMBERS), ("--alpha", NUMBERS), ("--n", NUMBERS), ("--futility", NUMBERS),
        ("--rate", NUMBERS), ("--mixture", ()), *COMMON,
    ),
    "trace": (("--trial", NUMBERS), ("--case", ("active", "nobody", "")), ("--seed", NUMBERS), *COMMON),
    "check": (("--seed", NUMBERS), *COMMON),
    "protocol": COMMON[:3],
    "validate": (),
    "oc": (
        ("--p0", NUMBERS), ("--p1", NUMBERS), ("--rates", (".1,.2", "5%", "", "0.1;0.2", "x")), ("--alpha", NUMBERS),
        ("--power", NUMBERS), ("--beta", NUMBERS), *COMMON,
    ),
    "whatif": (("--set", CHANGES), ("--case", ("active", "x")), ("--jobs", NUMBERS), ("--seed", NUMBERS)),
    "compare": (("--truth", PATHS), ("--case", ("active", "x")), ("--jobs", NUMBERS)),
    "sensitivity": (("--only", ("tornado", "x", "")), ("--jobs", NUMBERS), ("--dask", ("nowhere",))),
    "run": (("--jobs", NUMBERS), ("--seed", NUMBERS), ("--keep-patients", NUMBERS), ("--keep-trials", ("csv", "x"))),
    "reproduce": (("--jobs", NUMBERS),),
    "docx": (),
    "schema": (),
    "nonsense": (),
}  # fmt: skip
SIMULATES = ("whatif", "compare", "sensitivity", "run")
WEIGHTS = {"find": 6, "analyse": 8, "monitor": 5, "oc": 5}
COMMANDS = [command for command in OPTIONS if command != "evidence" for _ in range(WEIGHTS.get(command, 1))]


def command_line(seed: int, command: str = "") -> list[str]:
    """A command with some of its options and values, half of them sensible, all decided by ``seed``."""
    rng = random.Random(seed)
    command = command or rng.choice(COMMANDS)
    words = [command]
    if command == "find" and rng.random() < 0.95:
        words.append(rng.choice(KINDS))
    elif command in ("oc", "evidence"):
        words.append(rng.choice((*DESIGNS, *KINDS, *PATHS, "{kind: single_stage, n: 20, r: 3}", "{", "n: 3")))
    elif command not in ("find", "schema", "nonsense") and not (command == "analyse" and rng.random() < 0.8):
        words += [rng.choice(PATHS) for _ in range(2 if command == "compare" else 1)]
    if command == "find" and rng.random() < 0.7:
        for option, value in zip(SEARCH_RATES, (".1", ".3", ".05", ".2"), strict=True):
            words += [option, value if rng.random() < 0.85 else rng.choice(NUMBERS)]
    if command == "analyse" and rng.random() < 0.7:
        words += ["--design", rng.choice(DESIGNS), "--responses", rng.choice(("7", "1", "0", *NUMBERS))]
    if command == "evidence" and rng.random() < 0.8:
        words += ["--p0", ".1", "--p1", ".3"]
    options = OPTIONS[command]
    for option, values in rng.sample(options, min(len(options), rng.randrange(4))):
        words.append(option)
        if values and rng.random() < 0.97:
            words.append(rng.choice(values))
    if command in SIMULATES:
        words += ["--replicates", rng.choice(("0", "5%", "-1", "20"))]
        words += ["-o", f"out{seed}"] if command == "run" else []
    return words


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small scenario, one without toxicity, a broken one, and a table of settings."""
    (tmp_path / "small.yaml").write_text(SMALL.replace("replicates: 400", "replicates: 20"))
    plain = "{schema: 1, name: a, endpoint: b, design: {kind: simon, n1: 10, r1: 1, n: 29, r: 5, p0: 0.1, p1: 0.3},\n"
    (tmp_path / "plain.yaml").write_text(
        f"{plain} truth: {{active: {{response: 0.3}}}}, simulation: {{replicates: 20}}}}"
    )
    (tmp_path / "bad.yaml").write_text((CONFIGS / "teaching.yaml").read_text().replace("0.30", "30%"))
    (tmp_path / "rows.csv").write_text("p0,p1,alpha,beta\n0.1,0.3,0.05,0.2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hold(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> int:
    """Run a command line; its status, having seen that it ended in words."""
    status = run(words, monkeypatch)  # anything but an exit would be raised here
    errors = capsys.readouterr().err
    assert status in (0, 2), (words, errors)
    assert "Traceback" not in errors, (words, errors)
    assert "Input should" not in errors, (words, errors)
    if status == 2:
        assert len(errors.strip()) > 15, words
    return status


def _lines(seeds: range, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    worked = sum(hold(command_line(seed), monkeypatch, capsys) == 0 for seed in seeds)
    assert 0.05 * len(seeds) < worked < 0.9 * len(seeds)


@pytest.mark.usefixtures("desk")
def test_random_command_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _lines(range(PART), monkeypatch, capsys)


@pytest.mark.usefixtures("desk")
def test_random_evidence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    statuses = [hold(command_line(seed, "evidence"), monkeypatch, capsys) for seed in range(15)]
    assert {*statuses} == {0, 2}


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
def test_1000_random_command_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _lines(range(PART, PART + ALL), monkeypatch, capsys)


# -- tables of settings

GOOD_CELLS = {"p0": ("0.1", "0,1", "10%", " .1"),
              "p1": ("0.3", "30%", "0,3"), "alpha": ("0.05", "5%"), "beta": ("0.2", "20%"),
              "nmax": ("", "NA", "60", "60.0", "6e1"), "balanced": ("", "FALSE", "false", "NA"),
              "criterion": ("", "optimal", "minimax")}  # fmt: skip
BAD_CELLS = (*NUMBERS, "=1+1", "\u202e", "a;b", 'a"b', "x" * 300, "[0.1,0.2]", "\ud7ff")
MORE = ("", "Name", "study id", "note", "design", "criteron", "n", "r1", "X.1")


def table(seed: int) -> tuple[bytes, int]:
    """A file of settings and the number of its rows, decided by ``seed``."""
    rng = random.Random(seed)
    keys = ["p0", "p1", "alpha", "beta", *rng.sample(["nmax", "balanced", "criterion"], rng.randrange(3))]
    columns = keys + rng.sample(MORE, rng.randrange(3))
    rng.shuffle(columns)
    if rng.random() < 0.1:
        columns.remove(rng.choice(keys))
    style = rng.choice((str, str.upper, str.title, lambda name: f" {name} "))
    rows = [[style(name) for name in columns]]
    count = rng.randrange(1, 4)
    for _ in range(count):
        row = [rng.choice(GOOD_CELLS.get(name, ("a", "b c", ""))) for name in columns]
        if rng.random() < 0.4:
            row[rng.randrange(len(row))] = rng.choice(BAD_CELLS)
        if rng.random() < 0.05:
            row = row[:-1] if rng.random() < 0.5 else [*row, "extra"]
        rows.append(row)
    out = io.StringIO()
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    csv.writer(
        out, delimiter=rng.choice(",;\t"), quoting=quoting, lineterminator=rng.choice(("\n", "\r\n"))
    ).writerows(rows)
    content = out.getvalue().encode(rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16")))
    if rng.random() < 0.05:
        at = rng.randrange(len(content))
        content = content[:at] + rng.randbytes(3) + content[at:]
    return content, count


def _tables(seeds: range, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    whole = 0
    for seed in seeds:
        content, count = table(seed)
        Path("random.csv").write_bytes(content)
        kind = ("simon", "single_stage")[seed % 2]
        status = run(["find", kind, "--settings", "random.csv"], monkeypatch)
        printed = capsys.readouterr()
        assert status in (0, 2), (seed, printed.err)
        assert "Traceback" not in printed.err
        assert "Input should" not in printed.out + printed.err, (seed, printed)
        if status == 2:
            assert "random.csv" in printed.err, (seed, printed.err)
        if printed.out:  # every row is in the answer, good or bad
            rows = list(csv.DictReader(io.StringIO(printed.out)))
            assert len(rows) >= count, (seed, printed.out)
            assert all(row["design"] or row["note"] for row in rows), (seed, printed.out)
            whole += 1
    assert whole > 0.5 * len(seeds)


@pytest.mark.usefixtures("desk")
def test_random_settings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _tables(range(PART), monkeypatch, capsys)


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
def test_1000_random_settings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _tables(range(PART, PART + ALL), monkeypatch, capsys)
