"""Reading a scenario file: what is accepted, and that every fault is told in plain words at its own line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import trialsim.scenario
from trialsim.errors import Problem, ScenarioError
from trialsim.scenario import files

GOOD = """\
# a comment
schema: 1
endpoint: confirmed response (RECIST)
name: Dasatinib in advanced breast cancer

design:
  kind: simon
  p0: 0.05
  p1: 0.15
  alpha: 0.05
  beta: 0.15

doses: [100 mg BID, 70 mg BID]

dose_reduction:
  rule: {kind: pocock, limit: 0.30, phi: 0.10}
  at_lowest_dose: stop

truth:
  inactive: {response: 0.05, toxicity: [0.45, 0.32]}
  active:
    response: 0.15
    toxicity:
      - 0.45
      - 0.32

observed:
  treated: 70
  evaluable: 69
  responses: 3
  toxicity_percent: 37
  dose_reduced: true

sources:
  design: {assumed: true, note: none is published}
  truth.inactive.toxicity: {assumed: true}

simulation: {replicates: 100000, seed: 2011}
"""

RULES = """\
schema: 1
endpoint: response
name: a pasted table
design:
  kind: rules
  looks:
    - {n: 25, next: {0: futile, 2: 70}}
    - n: 70
      next:
        0: futile
        7: go
truth: {only: {response: 0.1}}
"""

JARGON = ("Traceback", "pydantic", "Input should", "function-", "[type=", "tuple", "ruamel")


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        files.parse(text)
    assert not any(word in str(caught.value) for word in JARGON), str(caught.value)
    return caught.value.problems


def edited(old: str, new: str, text: str = GOOD) -> tuple[str, int]:
    """The text with one passage replaced, and the line on which the new passage begins."""
    assert text.count(old) == 1, old
    return text.replace(old, new), text[: text.index(old)].count("\n") + 1


def only(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


# -- what is accepted


def test_a_good_file_gives_the_scenario(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    scenario = files.load(path)
    assert scenario.design.p0 == 0.05
    assert scenario.truth["active"].toxicity == (0.45, 0.32)
    assert files.validate(path) == ()
    assert files.validate(str(path)) == ()
    assert files.parse(RULES).design.kind == "rules"


@pytest.mark.parametrize(
    ("written", "read"),
    [("5e-2", 0.05), (".05", 0.05), ("5.e-2", 0.05), ("+0.05", 0.05), ("0.5E-1", 0.05)],
)
def test_numbers_are_read_as_yaml_1_2(written: str, read: float) -> None:
    assert files.parse(edited("p0: 0.05", f"p0: {written}")[0]).design.p0 == read


@pytest.mark.parametrize(("written", "read"), [("0o17", 15), ("0x1F", 31), ("007", 7), ("+7", 7)])
def test_integers_are_read_as_yaml_1_2(written: str, read: int) -> None:
    assert files.parse(edited("seed: 2011", f"seed: {written}")[0]).simulation.seed == read


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "y", "1_000", "2011-01-01", "12:30:45", "=", "nan"]
)
def test_words_that_older_yaml_reads_otherwise_are_text(word: str) -> None:
    assert files.parse(edited("name: Dasatinib in advanced breast cancer", f"name: {word}")[0]).name == word


def test_null_leaves_an_optional_key_out() -> None:
    for empty in ("~", "null", "", "Null"):
        text = GOOD.replace("dose_reduced: true", f"dose_reduced: {empty}")
        observed = files.parse(text).observed
        assert observed is not None
        assert observed.dose_reduced is None


@pytest.mark.parametrize(
    "text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), "%YAML 1.2\n---\n" + GOOD + "...\n"]
)
def test_byte_order_mark_windows_lines_and_version_are_fine(text: str, tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(text.encode())
    assert files.load(path) == files.parse(GOOD)


# -- text that is not YAML, or not plain YAML


@pytest.mark.parametrize(
    ("old", "new", "key", "fragment"),
    [
        (
            "p0: 0.05",
            "p0: !!python/object/apply:os.system [ls]",
            "design.p0",
            "!!python/object/apply:os.system",
        ),
        ("p0: 0.05", "p0: !foo 0.05", "design.p0", "tag `!foo`"),
        ("p0: 0.05", "p0: ! 0.05", "design.p0", "tag `!`"),
        ("p0: 0.05", "p0: !!float 0.05", "design.p0", "tag `!!float`"),
        ("p0: 0.05", "p0: &rate 0.05", "design.p0", "anchor `&rate`"),
        ("p0: 0.05", "p0: *rate", "design.p0", "`*rate`"),
        ("p0: 0.05", "<<: {p0: 0.05}", "design", "merge key"),
        ("p1: 0.15", "p0: 0.06", "design.p0", "given twice; the first is on line 8"),
        ("p1: 0.15", "3: 0.15", "design", "the key 3 is not a word"),
        ("p1: 0.15", "true: 0.15", "design", "`true` means true in YAML; as a name put it in quotes"),
        ("p1: 0.15", "[p1]: 0.15", "design", "a key must be a word"),
        ("p1: 0.15", "? {p1: 1}\n  : 0.15", "design", "a key must be a word"),
        ("p1: 0.15", "~: 0.15", "design", "`~` means nothing in YAML; as a name put it in quotes"),
        ("p0: 0.05", "p0: .nan", "design.p0", ".nan is not a number that can be used"),
        ("p0: 0.05", "p0: -.Inf", "design.p0", "-.Inf is not a number that can be used"),
        ("p0: 0.05", "p0: 1e999", "design.p0", "too large"),
        ("p0: 0.05", f"p0: {'9' * 5000}", "design.p0", "5000 characters"),
        ("p0: 0.05", 'p0: "\\x07"', "design.p0", "U+0007"),
        ("p0: 0.05", 'p0: "\\0"', "design.p0", "U+0000"),
        ("p0: 0.05", 'p0: "\\ud800"', "design.p0", "U+D800"),
    ],
)
def test_only_plain_yaml_is_read(old: str, new: str, key: str, fragment: str) -> None:
    text, line = edited(old, new)
    found = [problem for problem in problems(text) if fragment in problem.message]
    assert [(problem.line, problem.key) for problem in found] == [(line, key)]


@pytest.mark.parametrize(
    ("old", "new", "after", "fragment"),
    [
        ("  p0: 0.05", "\tp0: 0.05", 0, "a tab"),
        ("  p1: 0.15", " p1: 0.15", 0, "indentation"),
        ("  p1: 0.15", "    p1: 0.15", 0, "indentation"),
        ("  p1: 0.15", "  p1 0.15", 0, "not `key: value`"),
        ("  p1: 0.15", "  p1:0.15", 0, "a colon needs a space"),
        ("  p1: 0.15", "- p1", 0, "`-`"),
        ("kind: simon", 'kind: "simon', 0, "a quotation mark is not closed"),
        ("[0.45, 0.32]}", "[0.45, 0.32}", 0, "closing `]`"),
        ("phi: 0.10}", "phi: 0.10", 1, "a comma or the closing `}` is missing (opened on line 16)"),
        ("[100 mg BID, 70 mg BID]", "[100 mg BID, 70 mg BID]]", 0, "`]` closes nothing"),
        ("[100 mg BID, 70 mg BID]", "[100 mg BID,, 70 mg BID]", 0, "a comma with no value"),
        ("name: Das", "name: @Das", 0, "`@` cannot begin a value"),
        ("name: Das", "name: Study: Das", 0, "text with a `: ` in quotes"),
        ("name: Das", 'name: "\\q', 0, "backslash"),
        ("name: Das", 'name: "\\UFFFFFFFF', 0, "impossible number"),
        ("name: Das", 'name: "x" Das', 0, "text after the end"),
        ("kind: simon", "kind: si\x07mon", 0, "U+0007"),
        ("kind: simon", "kind: si\x00mon", 0, "U+0000"),
        ("kind: simon", "kind: si\x85mon", 0, "U+0085"),
        ("kind: simon", "kind: si\u2028mon", 0, "U+2028"),
        ("kind: simon", "kind: si\ufeffmon", 0, "U+FEFF"),
        ("simulation:", "---\nsimulation:", 0, "a second document"),
        ("schema: 1", "%YAML 1.1\n---\nschema: 1", 1, "%YAML 1.2"),
        ("schema: 1", "%TAG ! tag:x:\n---\nschema: 1", 1, "%YAML 1.2"),
    ],
)
def test_broken_yaml_is_told_at_its_line(old: str, new: str, after: int, fragment: str) -> None:
    text, line = edited(old, new)
    problem = only(text)
    assert problem.line == line + after
    assert fragment in problem.message


@pytest.mark.parametrize(
    ("text", "line", "fragment"),
    [
        ("", 1, "empty"),
        ("# nothing\n\n", 1, "empty"),
        ("---\n", 2, "holds nothing"),
        ("just words\n", 1, "holds `just words`"),
        ("\n- a\n- b\n", 2, "holds a list"),
        ("12", 1, "holds 12"),
        ("!x {schema: 1}", 1, "tag `!x`"),
        ("*x", 1, "`*x`"),
        ("]", 1, "closes nothing"),
        ("{", 1, "a bracket is not closed"),
        ("[" * 20_000, 1, "nested"),
        ("- " * 20_000, 1, "nested"),
        ("x" * 600_000, 1, "500 kB"),
        ("truth:\n" + " - 1\n" * 60_000, 49_999, "more than 50000 values"),
    ],
)
def test_text_that_is_no_scenario_at_all(text: str, line: int, fragment: str) -> None:
    problem = only(text)
    assert problem.line == line
    assert fragment in problem.message


def test_an_alias_bomb_is_refused_at_once() -> None:
    rows = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    found = problems("\n".join(rows))
    assert found[0].line == 1
    assert "anchor `&a0`" in found[0].message


@pytest.mark.parametrize(
    ("content", "line", "fragment"),
    [
        (b"schema: 1\nname: caf\xe9\n", 2, "byte 0xe9 is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 3, "not a text file"),
        ("schema: 1\n".encode("utf-16"), 1, "UTF-16"),
        (b"#" * 600_000, 1, "500 kB"),
    ],
)
def test_bytes_that_are_no_text(content: bytes, line: int, fragment: str, tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    (problem,) = files.validate(path)
    assert problem.line == line
    assert fragment in problem.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, fragment in (
        (tmp_path / "missing.yaml", "no such file"),
        (tmp_path, "a folder"),
        ("a\0b", "name of a file"),
    ):
        (problem,) = files.validate(path)
        assert problem.line == 0
        assert fragment in problem.message
    with pytest.raises(ScenarioError, match=r"missing\.yaml: no such file"):
        files.load(tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    ("name", "content", "fragment"),
    [
        (
            "d2.csv",
            "file,label\na,P(go): H0 rejected: x\n",
            "a table, not a scenario (YAML); a table of settings goes",
        ),
        ("set.CSV", "p0,p1\n.1,.3\n", "`trialsim find KIND --settings FILE`"),
        ("report.md", "# *Operating* characteristics\n", "a text to be read, not a scenario"),
        ("report.html", "<p>" * 200_000, "a text to be read, not a scenario"),
        ("results.json", '{"schema": 1, "kind": "run"}', "the results of a run, not a scenario"),
    ],
)
def test_files_of_another_kind(name: str, content: str, fragment: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    (problem,) = files.validate(path)
    assert problem.line == 0
    assert fragment in problem.message
    path.write_text(GOOD)  # a scenario is one under any name
    assert files.validate(path) == ()


def test_a_folder_that_keeps_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(GOOD)
    (problem,) = files.validate(tmp_path)
    assert problem.message.endswith(f"did you mean {tmp_path / 'scenario.yaml'}?")


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs a file that its owner may not read"
)
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    (problem,) = files.validate(path)
    assert "permission denied" in problem.message


# -- keys and values that do not fit


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        # rates
        ("p0: 0.05", "p0: 5", "design.p0", "5 is outside 0 to 1 (0 and 1 excluded); did you mean 0.05?"),
        ("p0: 0.05", "p0: 0", "design.p0", "0 is outside 0 to 1 (0 and 1 excluded)"),
        (
            "0.05, toxicity",
            "37, toxicity",
            "truth.inactive.response",
            "37 is outside 0 to 1; did you mean 0.37?",
        ),
        (
            "0.05, toxicity",
            "100, toxicity",
            "truth.inactive.response",
            "100 is outside 0 to 1; did you mean 1?",
        ),
        ("0.05, toxicity", "101, toxicity", "truth.inactive.response", "101 is outside 0 to 1"),
        ("0.05, toxicity", "-1, toxicity", "truth.inactive.response", "-1 is outside 0 to 1"),
        (
            "[0.45, 0.32]",
            "[0.45, 37]",
            "truth.inactive.toxicity[1]",
            "37 is outside 0 to 1; did you mean 0.37?",
        ),
        ("- 0.45", "- 4.5", "truth.active.toxicity[0]", "4.5 is outside 0 to 1; did you mean 0.045?"),
        (
            "- 0.45",
            "- x",
            "truth.active.toxicity[0]",
            "`x` is text, not a number; expected a number from 0 to 1",
        ),
        ("- 0.45", "-", "truth.active.toxicity[0]", "empty; expected a number from 0 to 1"),
        ("[0.45, 0.32]", "[]", "truth.inactive.toxicity", "a list of 0; expected 1 to 8"),
        (
            "[0.45, 0.32]",
            "high",
            "truth.inactive.toxicity",
            "`high` is text, not a number; expected a number from 0 to 1, or a list, each item a number from 0 to 1, "
            "or a block of keys: at_first, slope",
        ),
        (
            "[0.45, 0.32]",
            "{at_first: 0.4}",
            "truth.inactive.toxicity.slope",
            "missing; expected here: change of",
        ),
        (
            "[0.45, 0.32]",
            "[0.4, 0.3, 0.2]",
            "truth.inactive.toxicity",
            "3 rates for 2 doses (100 mg BID, 70 mg BID)",
        ),
        # numbers and what is taken for one
        ("p0: 0.05", "p0: true", "design.p0", "true is not a number; expected a number above 0 and below 1"),
        ("p0: 0.05", "p0: 5%", "design.p0", "`5%` is text, not a number; write 0.05"),
        ("p0: 0.05", "p0: 0,05", "design.p0", "`0,05` is text, not a number; write 0.05"),
        ("p0: 0.05", 'p0: "0.05"', "design.p0", "`0.05` is text, not a number; write 0.05 without quotes"),
        (
            "p0: 0.05",
            "p0: low",
            "design.p0",
            "`low` is text, not a number; expected a number above 0 and below 1",
        ),
        (
            "seed: 2011",
            "seed: 20.5",
            "simulation.seed",
            "20.5 is not a whole number; expected a whole number of at ",
        ),
        ("100000,", "1e5,", "simulation.replicates", "100000.0 is not a whole number; write 100000"),
        ("100000,", "100_000,", "simulation.replicates", "`100_000` is text, not a number; write 100000"),
        ("100000,", "0,", "simulation.replicates", "0 is outside 1 to 1000000000"),
        (
            "treated: 70",
            "treated: 7.5",
            "observed.treated",
            "7.5 is not a whole number; expected a whole number from 1",
        ),
        ("schema: 1", "schema: 2", "schema", "2 is not possible here (allowed: 1)"),
        # text, true and false
        (
            "name: Dasatinib in advanced breast cancer",
            "name: 2011",
            "name",
            "2011 is a number; expected text of at most",
        ),
        (
            "name: Dasatinib in advanced breast cancer",
            "name: true",
            "name",
            "put it in quotes to make it text",
        ),
        ("name: Dasatinib in advanced breast cancer", 'name: ""', "name", "empty text"),
        (
            "name: Dasatinib in advanced breast cancer",
            f"name: {'x' * 301}",
            "name",
            "text of 301 characters; at most 300",
        ),
        ("[100 mg BID, 70 mg BID]", "[100, 70 mg BID]", "doses[0]", "100 is a number"),
        (
            "dose_reduced: true",
            "dose_reduced: yes",
            "observed.dose_reduced",
            "`yes` is text; expected true or false",
        ),
        (
            "dose_reduced: true",
            "dose_reduced: 1",
            "observed.dose_reduced",
            "1 is a number; expected true or false",
        ),
        # words of a list
        (
            "at_lowest_dose: stop",
            "at_lowest_dose: stp",
            "dose_reduction.at_lowest_dose",
            "did you mean `stop`?",
        ),
        ("beta: 0.15", "criterion: best", "design.criterion", "(allowed: optimal, minimax or admissible)"),
        ("kind: simon", "kind: simom", "design.kind", "`simom` is unknown; did you mean `simon`? (allowed: "),
        ("kind: simon", "kind: 2", "design.kind", "2 is no kind (allowed: "),
        ("kind: pocock", "kind: pococ", "dose_reduction.rule.kind", "did you mean `pocock`? (allowed: "),
        # blocks
        (
            "{kind: pocock, limit: 0.30, phi: 0.10}",
            "none",
            "dose_reduction.rule",
            "`none` is text; expected a block with",
        ),
        ("kind: pocock, ", "", "dose_reduction.rule.kind", "missing (allowed: "),
        (
            "limit: 0.30, ",
            "",
            "dose_reduction.rule.limit",
            "missing; expected here: highest acceptable toxicity rate",
        ),
        # keys
        (
            "alpha: 0.05",
            "alpah: 0.05",
            "design.alpah",
            "unknown key; did you mean `alpha`? (allowed: kind, p0, p1, ",
        ),
        (
            "phi: 0.10",
            "phi: 0.10, zzz: 1",
            "dose_reduction.rule.zzz",
            "unknown key (allowed: kind, limit, phi, combined_phi, min_n, action, levels)",
        ),
        (
            "at_lowest_dose: stop",
            "limit: 0.3",
            "dose_reduction.limit",
            "unknown key here: it belongs under `dose_reduction.rule` (allowed here: rule, rules, at_lowest_dose, "
            "on_dose_change)",
        ),
        ("simulation: {", "sensitivity: {}\nsimulation: {", "sensitivity", "no analysis is stated"),
        (
            "simulation: {",
            "interim: pause\nsimulation: {",
            "interim",
            "unknown key here: it belongs under `conduct` (allowed here: schema, ",
        ),
        # rules between keys, which the models state themselves
        ("p1: 0.15", "p1: 0.01", "design.p1", "the desirable rate p1 = 0.01 must be above"),
        (
            "  responses: 3",
            "  responses: 300",
            "observed.responses",
            "responses = 300 cannot exceed evaluable = 69",
        ),
        (
            "toxicity_percent: 37",
            "toxicity_percent: 1e-300",
            "observed.toxicity_percent",
            "no count of 70 gives",
        ),
        ("[100 mg BID, 70 mg BID]", "[100 mg, 100 mg]", "doses", "each dose must have its own name"),
        # sources
        (
            "truth.inactive.toxicity:",
            "truth.inactive.toxcity:",
            "sources.truth.inactive.toxcity",
            "this file gives no such input; did you mean `truth.inactive.toxicity`?",
        ),
        (
            "truth.inactive.toxicity:",
            "observed.serious:",
            "sources.observed.serious",
            "this file gives no such input",
        ),
        (
            "truth.inactive.toxicity:",
            "x:",
            "sources.x",
            "this file gives no such input; inputs are, for example, ",
        ),
    ],
)
def test_one_fault_one_message_at_its_line(old: str, new: str, key: str, message: str) -> None:
    text, line = edited(old, new)
    problem = only(text)
    assert (problem.line, problem.key) == (line, key)
    assert message in problem.message
    if not message.endswith((" ", "most")) and "outside" in message:
        assert problem.message == message


def test_a_missing_key_is_told_at_the_line_of_its_block() -> None:
    text = GOOD.replace("  kind: simon\n", "").replace("endpoint: confirmed response (RECIST)\n", "")
    found = problems(text)
    assert [(p.line, p.key) for p in found] == [(2, "endpoint"), (5, "design.kind")]
    assert found[0].message == "missing; expected here: the primary endpoint in words"


def test_a_case_name_that_cannot_be_one() -> None:
    text, line = edited("  active:", "  in active:")
    problem = only(text)
    assert (problem.line, problem.key) == (line, "truth.in active")
    assert "`in active` cannot be a name here: start with a letter" in problem.message


def test_a_missing_block_inside_a_list_is_told_at_its_item() -> None:
    text = GOOD + "related_trials:\n  - {name: A, evaluable: 9, responses: 1}\n  - {name: B, responses: 1}\n"
    problem = only(text)
    assert (problem.line, problem.key) == (text.count("\n"), "related_trials[1].evaluable")


@pytest.mark.parametrize(
    ("old", "new", "key", "fragment"),
    [
        ("2: 70}", "2: 71}", "design.looks[0].next", "71 is not the n of a later look"),
        ("2: 70}", "2: futil}", "design.looks[0].next.2", "did you mean `futile`?"),
        ("2: 70}", "2: 3.5}", "design.looks[0].next.2", "3.5 is not a whole number"),
        ("7: go", "x: go", "design.looks[1].next", "`x` is not a number of responses"),
        ("7: go", "'7.5': go", "design.looks[1].next", "`7.5` is not a number of responses"),
        ("7: go", "0: go", "design.looks[1].next.0", "given twice; the first is on line 10"),
        ("7: go", "0x0: go", "design.looks[1].next.0", "given twice; the first is on line 10"),
        ("- n: 70", "- n: many", "design.looks[1].n", "`many` is text, not a number"),
    ],
)
def test_pasted_tables(old: str, new: str, key: str, fragment: str) -> None:
    text, line = edited(old, new, RULES)
    found = problems(text)
    assert [(p.line, p.key) for p in found if fragment in p.message] == [(line, key)]


def test_every_fault_is_listed_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("p0: 0.05", "p0: 5")
        .replace("p1: 0.15", "p1: 0.15\n  p1: 0.2")
        .replace("alpha:", "alpah:")
        .replace("limit: 0.30, ", "")
        .replace("- 0.32", "- !x 0.32")
        .replace("dose_reduced: true", "dose_reduced: maybe")
        .replace("  design: {assumed", "  desing: {assumed")
    )
    found = problems(text)
    assert [p.key for p in found] == [
        "design.p0",
        "design.p1",
        "design.alpah",
        "dose_reduction.rule.limit",
        "truth.active.toxicity[1]",
        "observed.dose_reduced",
        "sources.desing",
    ]
    assert list(found) == sorted(found)


def test_a_file_full_of_faults_is_cut_short() -> None:
    found = problems("".join(f"k{i}: 1\n" for i in range(2000)))
    assert len(found) == 101
    assert any("only 100 problems are listed" in problem.message for problem in found)


def test_sources_may_name_inputs_left_at_their_default() -> None:
    text = GOOD.replace(
        "  design: {assumed", "  evaluability.probability: {assumed: true}\n  design: {assumed"
    )
    assert "evaluability.probability" in files.parse(text).sources
    assert only(text.replace("evaluability.prob", "sources.prob")).key == "sources.sources.probability"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("thall_simon", "called `posterior_probability` here"),
    ],
)
def test_a_design_under_another_name_or_not_simulated_is_told_as_such(kind: str, said: str) -> None:
    problem = only(edited("kind: simon", f"kind: {kind}")[0])
    assert said in problem.message


def test_the_message_names_file_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(edited("p0: 0.05", "p0: 5")[0])
    with pytest.raises(ScenarioError) as caught:
        files.load(path)
    assert str(caught.value).startswith(f"{path}:8: design.p0: 5 is outside 0 to 1")


# -- schema and digest


def test_the_shipped_schema_is_fresh() -> None:
    shipped = Path(trialsim.scenario.__file__).with_name("schema.json")
    assert shipped.read_text(encoding="utf-8") == files.schema_text(), (
        "write files.schema_text() to schema.json"
    )


def test_the_schema_accepts_good_files_and_refuses_what_the_models_refuse() -> None:
    validator = jsonschema.Draft202012Validator(files.json_schema())
    validator.check_schema(files.json_schema())
    yaml = YAML(typ="safe", pure=True)
    for text in (GOOD, RULES):
        assert list(validator.iter_errors(yaml.load(text))) == []
    for old, new in (
        ("[0.45, 0.32]", "[]"),
        ("[0.45, 0.32]", "[0.45, 32]"),
        ("inactive: {", "in active: {"),
        ("alpha:", "alpah:"),
        ("kind: simon", "kind: simom"),
    ):
        assert not validator.is_valid(yaml.load(edited(old, new)[0]))


def test_the_digest_is_of_what_is_stated() -> None:
    digest = files.digest(files.parse(GOOD))
    assert digest.startswith("sha256:")
    assert len(digest) == 71
    lines = GOOD.splitlines()
    shuffled = "\n".join([*lines[25:], *lines[11:25], *lines[:11]])
    same = (
        shuffled,
        GOOD.replace("kind: simon", "kind: simon   # a comment"),
        GOOD.replace("replicates: 100000", "replicates: 5"),
        GOOD.replace("0.05, toxicity", "5e-2, toxicity"),
        GOOD + "evaluability: {probability: 1}\n",
    )
    for text in same:
        assert files.digest(files.parse(text)) == digest
    for old, new in (("- 0.32", "- 0.33"), ("beta: 0.15", "beta: 0.2"), ("70 mg BID", "80 mg BID")):
        assert files.digest(files.parse(edited(old, new)[0])) != digest


def test_the_digest_does_not_drift_between_versions() -> None:
    assert (
        files.digest(files.parse(RULES))
        == "sha256:3b836aeb6b16324d5c7c26596e4cdee17d01f961cba9be4a2205593f9bdc5a59"
    )


# -- cost


def test_importing_needs_no_heavy_library() -> None:
    heavy = "{'scipy', 'numba', 'pandas'}"
    code = f"import sys, trialsim.scenario.files; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


OWN_WORDS = {"design", "doses", "dose_amounts", "evaluability", "cohorts", "strata", "kind", "note", "truth"}
"""Keys that are words already."""
NOT_TOLD = {"schema", "name", "source", "question", "variants", "sensitivity", "simulation", "observed",
            "related_trials", "sources", "design"}  # fmt: skip
"""Blocks that no variant changes, or (the design's symbols) that are the field's own words."""


def inputs(node, path=()):
    """Every key below a part of the schema, with its own part."""
    while "$ref" in node:
        node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
    below = [*node.get("anyOf", ()), *node.get("oneOf", ()), *filter(None, [node.get("items")])]
    for part in (*below, *node.get("patternProperties", {}).values()):
        yield from inputs(part, path)
    for key, part in node.get("properties", {}).items():
        if path or key not in NOT_TOLD:
            yield (*path, key), part
            if key != "designs":  # symbols, as those of `design`
                yield from inputs(part, (*path, key))


SCHEMA = files.json_schema()


@pytest.mark.parametrize("path", sorted({path for path, _ in inputs(SCHEMA)}), ids=".".join)
def test_every_input_has_words(path):
    """A variant is told by what its keys are called; strata and cohorts state the same rates as a case."""
    titles = {
        part.get("title")
        for at, part in inputs(SCHEMA)
        if at == path or (at[-1:] == path[-1:] and path[0] == "truth")
    }
    assert path[-1] in OWN_WORDS or titles - {None}, f"{'.'.join(path)}: state a title"
