"""Whatever is typed into a scenario file: it is read, or refused in plain words at lines of that file."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import FILES as CONFIGS
from tests.unit.test_conduct_grammar import GOOD as CALENDAR
from trialsim.errors import ScenarioError
from trialsim.scenario import files

SIMON = """\
schema: 1
endpoint: confirmed response (RECIST)
name: Dasatinib in HER2+ and/or HR+ advanced breast cancer
source: Mayer EL et al. Clin Cancer Res 2011;17(21):6897-6904

design:
  kind: simon
  p0: 0.05
  p1: 0.15
  alpha: 0.05
  beta: 0.15
  criterion: optimal           # finds 1/25, 6/70

doses: [100 mg BID, 70 mg BID] # starting dose first

dose_reduction:
  rule: {kind: pocock, limit: 0.30, phi: 0.10}
  at_lowest_dose: stop

truth:                         # named cases
  inactive:    {response: 0.05,         toxicity: [0.45, 0.32]}
  active:      {response: [0.15, 0.11], toxicity: [0.45, 0.32]}
  as_observed: {response: 0.0435,       toxicity: 0.37, odds_ratio: 1}

evaluability: {probability: 0.9857, replaced: false, inevaluable: independent}

observed:
  treated: 70
  evaluable: 69
  responses: 3
  disease_control: 9
  toxicity_percent: 37
  dose_reduced: true

sources:
  design: {assumed: true, note: the publication states no formal design}
  truth.inactive.toxicity: {assumed: true, note: toxicity by dose is unreported}
  observed: {source: abstract}

simulation: {replicates: 100000, seed: 2011}
"""

TABLE = """\
# a decision table, three doses, an amendment
schema: 1
name: "a pasted table"
endpoint: 'response'
design:
  kind: rules
  looks:
    - n: 25
      next: {0: futile, 2: 70}
    - n: 70
      next:
        0: futile
        6: consider
        8: go
doses:
  - high
  - middle
  - low
dose_reduction:
  rule:
    kind: amendment
    after_patient: [10, 30]
truth:
  poor: {response: 0.05}
  good:
    response: [0.25, 0.2, 0.15]
    note: |
      more than
      one line
related_trials:
  - {name: Finn 2011, evaluable: 43, responses: 2}
"""

STATED = """\
{schema: 1, name: one line of JSON, endpoint: response,
 "design": {"kind": "single_stage", "n": 40, "r": 5},
 "dose_reduction": {"rule": {"kind": "posterior", "limit": 0.3, "cutoff": 0.9, "prior": [0.3, 0.7]}},
 "truth": {"H0": {"response": 5e-2, "toxicity": 0.2}}}
"""

TEXTS = (SIMON, TABLE, STATED, CALENDAR, *(path.read_text(encoding="utf-8") for path in CONFIGS))

JUNK = (
    *(
        "NaN",
        ".nan",
        ".inf",
        "-.inf",
        "true",
        "yes",
        "~",
        "[]",
        "{}",
        "-1",
        "0",
        "37",
        "1e999",
        "1e-300",
        "9" * 5000,
    ),
    *(
        "5%",
        "0,05",
        "0x1F",
        "0o17",
        "2011",
        "''",
        "x" * 5000,
        '"\\x00"',
        '"\\UFFFFFFFF"',
        "[0.1, [0.2]]",
        "{0.1}",
    ),
    *(
        "!!python/object",
        "!!python/object/apply:os.system [ls]",
        "!x",
        "&a",
        "*a",
        "&a *a",
        "<<: *a",
        "|-",
        ">",
    ),
    *("-", "?", ":", "%", "@", "`", "<<", "]]", "}}", "{", "[", "'", '"', "#", "---", "...", "a: b: c"),
    *("[" * 50, "{a: " * 50, "{response: {response: 1}}", "{at_first: 0.1}", "[9, 9]", "{HER2: {}}", "1e-12"),
)
CONTROL = ("\x00", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff", "\ud800", "\uffff", "\t", "\r", "\x0c")
JARGON = ("Traceback", "pydantic", "Input should", "function-", "[type=", "ruamel", "object at 0x")


def delete_line(lines: list[str], at: int, _: random.Random) -> None:
    del lines[at]


def repeat_line(lines: list[str], at: int, _: random.Random) -> None:
    lines.insert(at, lines[at])


def swap_lines(lines: list[str], at: int, rng: random.Random) -> None:
    other = rng.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def replace_value(lines: list[str], at: int, rng: random.Random) -> None:
    key, colon, _ = lines[at].partition(": ")
    lines[at] = f"{key}{colon}{rng.choice(JUNK)}"


def replace_word(lines: list[str], at: int, rng: random.Random) -> None:
    words = lines[at].split(" ")
    words[rng.randrange(len(words))] = rng.choice(JUNK)
    lines[at] = " ".join(words)


def swap_values(lines: list[str], at: int, rng: random.Random) -> None:
    other = rng.randrange(len(lines))
    here, there = lines[at].partition(": "), lines[other].partition(": ")
    lines[at], lines[other] = "".join((*here[:2], there[2])), "".join((*there[:2], here[2]))


def misspell(lines: list[str], at: int, rng: random.Random) -> None:
    line = lines[at]
    if len(line) > 1:
        i = rng.randrange(len(line) - 1)
        lines[at] = line[:i] + line[i + 1] + line[i] + line[i + 2 :]


def indent(lines: list[str], at: int, rng: random.Random) -> None:
    lines[at] = rng.choice((" ", "  ", "\t", "        ")) + lines[at]


def unindent(lines: list[str], at: int, _: random.Random) -> None:
    lines[at] = lines[at].lstrip()


def insert_control(lines: list[str], at: int, rng: random.Random) -> None:
    i = rng.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:i] + rng.choice(CONTROL) + lines[at][i:]


def drop_character(lines: list[str], at: int, rng: random.Random) -> None:
    if lines[at]:
        i = rng.randrange(len(lines[at]))
        lines[at] = lines[at][:i] + lines[at][i + 1 :]


def cut_off(lines: list[str], at: int, _: random.Random) -> None:
    del lines[at + 1 :]


def another_file(lines: list[str], at: int, rng: random.Random) -> None:
    lines[at:at] = rng.choice(TEXTS).splitlines()


MUTATIONS: tuple[Callable[[list[str], int, random.Random], None], ...] = (
    delete_line,
    repeat_line,
    swap_lines,
    replace_value,
    replace_value,
    replace_word,
    replace_word,
    swap_values,
    misspell,
    indent,
    unindent,
    insert_control,
    drop_character,
    cut_off,
    another_file,
)


def mutated(text: str, seed: int, times: int) -> str:
    """The text after a few changes, all of them decided by ``seed``."""
    rng = random.Random(seed)
    lines = text.splitlines()
    for _ in range(times):
        if lines:
            rng.choice(MUTATIONS)(lines, rng.randrange(len(lines)), rng)
    return "\n".join(lines) + rng.choice(("\n", ""))


def refusal(text: str) -> ScenarioError | None:
    """The error of a text, or None where it is good; never anything else."""
    try:
        files.parse(text)
    except ScenarioError as error:
        return error
    return None


def check(text: str) -> None:
    error = refusal(text)
    if error is not None:
        last = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 2
        assert error.problems
        assert all(1 <= problem.line <= last and problem.message for problem in error.problems), str(error)
        assert not any(word in str(error) for word in JARGON), str(error)


def test_the_texts_are_good_before_they_are_changed() -> None:
    for text in TEXTS:
        files.parse(text)


@settings(max_examples=250, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(TEXTS), st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_a_changed_file_is_read_or_refused_in_plain_words(text: str, seed: int, times: int) -> None:
    check(mutated(text, seed, times))


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all(text: str) -> None:
    check(text)


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(SIMON)))
def test_any_bytes_in_a_file(tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    content = SIMON.encode()
    path.write_bytes(content[:at] + junk + content[at:])
    for problem in files.validate(path):
        assert 1 <= problem.line <= path.read_bytes().count(b"\n") + path.read_bytes().count(b"\r") + 2
        assert not any(word in problem.message for word in JARGON)
