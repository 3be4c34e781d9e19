"""What-ifs: what may be asked, what is answered, and the folder; through the command line where a user would."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Seen, numbers_in, run
from trialsim.reporting.change_words import changes_in_words, told
from trialsim.reporting.sentences import Words, did
from trialsim.reporting.whatif import notes, report_of
from trialsim.scenario.files import parse
from trialsim.varying.effects import Effect, Number
from trialsim.varying.whatif import whatif

TEXT = """question: what does a weaker lower dose cost?
schema: 1
name: A small trial
endpoint: response
design: {kind: simon, n1: 6, r1: 0, n: 12, r: 3, p0: 0.1, p1: 0.4}
doses: [high, low]
dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}, at_lowest_dose: stop}
truth:
  inactive: {response: 0.1, toxicity: [0.5, 0.3]}
  active: {response: 0.4, toxicity: [0.5, 0.3]}
simulation: {replicates: 400, seed: 5}
"""
VARIANTS = """variants:
  weaker low dose: {truth.active.response: [0.4, 0.2]}
  larger: {design.n: 16}
"""
CONDUCT = """conduct:
  accrual: {per_month: 3}
  assessment_weeks: [8]
  confirmed: false
  toxicity_window_weeks: 6
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(TEXT + VARIANTS, encoding="utf-8")
    return tmp_path


def content(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["whatif", "small.yaml", "--set", "truth.actve.response=.1"], "did you mean `active`"),
        (["whatif", "small.yaml", "--set", "truth.active.response=5"], "did you mean 0.05"),
        (["whatif", "small.yaml", "--set", "truth.active.response=.4"], "changes nothing"),
        (["whatif", "small.yaml", "--set", "design.alpha=5"], "small.yaml"),
        (["whatif", "small.yaml", "--set", "x"], "expected PATH=VALUE"),
        (["whatif", "small.yaml", "small.yaml"], "the same file as small.yaml"),
        (["whatif", "small.yaml", "--case", "actve"], "did you mean `active`"),
        (["whatif", "missing.yaml"], "missing.yaml"),
        (["whatif", "small.yaml", "--resume"], "name it with -o"),
        (["whatif", "bare.yaml"], "nothing is asked"),
        (["whatif", "small.yaml", "--set", "design={kind: simon, p0: .1, p1: .11, alpha: .001, beta: .001}"],
         "variant"),
        (["whatif", "small.yaml", "-o", "full"], "exists"),
        (["compare", "small.yaml"], "two designs at least"),
        (["compare", "small.yaml", "./small.yaml"], "the same file"),
        (["compare", "small.yaml", "three.yaml"], "three: its doses"),
        (["compare", "small.yaml", "other.yaml", "--truth", "missing.yaml"], "missing.yaml"),
        (["compare", "small.yaml", "other.yaml", "--case", "actve"], "did you mean `active`"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_plainly(
    arguments: list[str],
    fragment: str,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bare = TEXT.partition("\n")[2]
    Path("bare.yaml").write_text(bare, encoding="utf-8")
    Path("other.yaml").write_text(bare.replace("r: 3", "r: 2"), encoding="utf-8")
    three = bare.replace("[high, low]", "[a, b, c]").replace("[0.5, 0.3]", "[0.5, 0.4, 0.3]")
    Path("three.yaml").write_text(three, encoding="utf-8")
    Path("full").mkdir()
    before = sorted(path.name for path in small.iterdir())
    folder = [] if "-o" in arguments or "--resume" in arguments else ["-o", "out"]
    assert run([*arguments, *folder], monkeypatch) == 2
    printed = capsys.readouterr()
    assert fragment in printed.err
    assert "Traceback" not in printed.err
    assert not printed.out
    assert sorted(path.name for path in small.iterdir()) == before


def test_a_folder_holds_what_was_found(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["whatif", "small.yaml", "--set", "truth.*.odds_ratio=4", "-o", "out"], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "Question: What does a weaker lower dose cost?" in printed
    assert {path.name for path in (small / "out").iterdir()} == {
        "results.json", "report.html", "report.md", "scenario.yaml", "environment.json", "tables", "figures",
    }  # fmt: skip
    assert not list(small.glob("*.ledger"))
    doc = content(small / "out")
    question = doc["questions"][0]
    assert [v["name"] for v in question["variants"]] == ["weaker low dose", "larger", "changed"]
    assert question["text"] == TEXT + VARIANTS
    known = numbers_in(doc)
    page = (small / "out/report.html").read_text(encoding="utf-8")
    shown = Seen(page).data
    assert len(shown) > 100
    for value, text in shown:
        assert json.loads(value) in known
        leading = re.match(r"[+−]?(\d[\d.]*)", text)
        assert leading, text
        decimals = len(leading[1].partition(".")[2])
        # a share is printed in percent
        told = float(leading[1]) / (100 if text.endswith("%") else 1)
        assert abs(abs(float(value)) - told) <= 0.5001 * 10 ** -(decimals + (2 if text.endswith("%") else 0))
    for variant in question["variants"]:
        assert variant["did"][:40] in _text(page)
    for path in (small / "out/tables").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows
        for row in rows:
            for cell in row.values():
                if re.fullmatch(r"-?\d[\d.]*(e-?\d+)?", cell):
                    assert float(cell) in known


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _text(page: str) -> str:
    words = _Words()
    words.feed(page)
    return " ".join("".join(words.text).replace("\u00a0", " ").split())


def test_several_files_one_report(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("plain.yaml").write_text(TEXT.replace("A small trial", "Only a question"), encoding="utf-8")
    assert run(["whatif", "small.yaml", "plain.yaml", "-o", "out", "--quiet"], monkeypatch) == 0
    assert capsys.readouterr().out.strip() == str(small / "out/report.html")
    doc = content(small / "out")
    first, second = doc["questions"]
    assert first["base"] == second["base"]  # the same trials: simulated once, and the same numbers
    assert second["variants"] == []
    assert second["answer"].startswith("If “inactive” is true: P(go) 0.0")
    page = _text((small / "out/report.html").read_text(encoding="utf-8"))
    for question in doc["questions"]:
        assert question["answer"] in page
    # an earlier folder is replaced with --force only
    assert run(["whatif", "plain.yaml", "-o", "out"], monkeypatch) == 2
    assert run(["whatif", "plain.yaml", "-o", "out", "--force", "--quiet"], monkeypatch) == 0


def test_json_on_the_terminal(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(
            ["whatif", "small.yaml", "--json", "--case", "active", "--seed", "3", "--replicates", "200"],
            monkeypatch,
        )
        == 0
    )
    question = json.loads(capsys.readouterr().out)["questions"][0]
    assert question["seed"] == 3 and question["replicates"] == 200
    assert list(question["base"]) == ["active"]
    go = question["variants"][0]["cases"]["active"]["p_go"]
    assert go["difference"]["exact"] is True
    assert go["difference"]["value"] == pytest.approx(go["variant"]["value"] - go["base"]["value"], abs=1e-11)
    assert small.is_dir()


def test_a_run_that_was_cut_off_goes_on(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import trialsim.writing.folder as pages

    arguments = ["whatif", "small.yaml", "-o", "out", "--quiet"]
    with monkeypatch.context() as patch:
        patch.setattr(pages, "html", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(arguments, patch)
    assert "--resume goes on" in capsys.readouterr().err
    assert sorted(path.name for path in small.iterdir()) == ["out.ledger", "small.yaml"]
    from trialsim.engine import montecarlo

    simulated = []
    original = montecarlo._simulate
    monkeypatch.setattr(montecarlo, "_simulate", lambda chunk: simulated.append(chunk) or original(chunk))
    assert run([*arguments, "--resume"], monkeypatch) == 0
    assert not simulated  # everything was in the ledger
    assert sorted(path.name for path in small.iterdir()) == ["out", "small.yaml"]


def test_variants_of_every_shape() -> None:
    """Cases added and renamed, doses taken away, calendar time added: what both have is compared, the rest is said."""
    stated = parse(TEXT + CONDUCT)
    both = {"response": 0.3, "toxicity": 0.3}
    answer = whatif(stated, {"truth": {"active": both, "middling": both}}, replicates=300)
    found = answer["changed"]
    assert found.only_here == ("middling",) and found.only_there == ("inactive",)
    assert list(found.effects) == ["active"]
    (note,) = notes(answer, found)
    assert "“middling”" in note and "“inactive”" in note
    answer = whatif(stated, {"conduct": None}, replicates=300)
    without = answer["changed"]
    assert "durations are not compared" in next(notes(answer, without))
    assert "duration_months" not in without.effects["active"]
    assert not without.effects["active"]["p_go"].difference.is_exact  # one side is in calendar time
    one = whatif(parse(TEXT), {"doses": ["low"], "truth.*.toxicity": 0.3}, replicates=300)["changed"]
    by_dose = one.effects["active"]
    assert by_dose["patients_dose_1"].other.value == 0
    assert by_dose["patients_dose_2"].other.value == by_dose["en"].other.value
    answer = whatif(parse(TEXT), {"doses": ["high", "lower"]}, replicates=300)
    assert "lower" in next(notes(answer, answer["changed"]))


def test_sentences_say_what_changed_and_what_it_did() -> None:
    from trialsim.reporting import whatif as words

    found = whatif(
        parse(TEXT), {"truth.active.response": [0.4, 0.2], "dose_reduction.rule.limit": 0.4}, replicates=300
    )
    said = " ".join((words.changed(found, found["changed"]), words.did(found, found["changed"])))
    assert said.startswith(
        "Changed: response rate in “active” from 40% to 40% / 20%; toxicity limit from 30% to 40%. If “active” is "
        "true, P(go) "
    )
    effect = found["changed"].effects["active"]["p_go"]
    assert f"from {effect.base.value:.3f} to {effect.other.value:.3f}" in said
    assert "(exact)" in said


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (
            Number(-0.067, 0.0015, -0.070, -0.064),
            "P(go) falls from 0.812 to 0.745, by 0.067 (95% 0.064 to 0.070)",
        ),
        (Number(0.001, 0.002, -0.003, 0.005), "P(go) is unchanged within error"),
        (Number(0.0009, 0.0001, 0.0007, 0.0011), "P(go) hardly changes (less than 0.001, or within error)"),
        (Number(0.0), "P(go) does not change"),
    ],
)
def test_what_counts_as_a_change(difference: Number, words: str) -> None:
    go = Effect("p_go", Number(0.812), Number(0.745), difference)
    same = Effect("en", Number(20.0), Number(20.0), Number(0.0))
    said = did({"active": {"p_go": go, "en": same}}, Words((), (), False, frozenset()))
    assert said == f"{words}; the expected number of patients does not change."


def test_a_difference_that_is_not_that_of_the_values_is_told_without_the_second() -> None:
    """Differences are adjusted by themselves: a fall must not be told beside values that rise."""
    go = Effect("p_go", Number(0.812), Number(0.815), Number(-0.004, 0.001, -0.006, -0.002))
    same = Effect("en", Number(20.0), Number(20.0), Number(0.0))
    said = did({"active": {"p_go": go, "en": same}}, Words((), (), False, frozenset()))
    assert said.startswith("P(go) falls by 0.004 (95% 0.002 to 0.006), from 0.812; ")


@pytest.mark.parametrize(("patients", "told"), [(14.0, True), (8.5, False), (0.5, False)])
def test_many_more_patients_in_another_case_are_told(patients: float, told: bool) -> None:
    def case(go: float, en: float) -> dict[str, Effect]:
        return {
            "p_go": Effect("p_go", Number(0.2), Number(0.2 + go), Number(go)),
            "en": Effect("en", Number(13.9), Number(13.9 + en), Number(en)),
        }

    effects = {"inactive": case(0.0, patients), "active": case(0.01, 4.3)}
    said = did(effects, Words((), (), False, frozenset({"inactive"})))
    assert said.startswith("If “active” is true, P(go) rises")
    more = f"If “inactive” is true, the expected number of patients rises from 13.9 to {13.9 + patients:.1f}"
    assert (more in said) is told and ("inactive" in said) is told


@pytest.mark.parametrize(("go", "told"), [(-0.0046, True), (0.0, False)])
def test_an_active_drug_is_told_of_where_an_inactive_one_comes_first(go: float, told: bool) -> None:
    """A variant that saves patients for an inactive drug may cost P(go) and months for an active one."""

    def case(go: float, en: float, months: float) -> dict[str, Effect]:
        return {
            "p_go": Effect("p_go", Number(0.5), Number(0.5 + go), Number(go)),
            "en": Effect("en", Number(50.0), Number(50.0 + en), Number(en)),
            "duration_months": Effect("duration_months", Number(18.0), Number(18.0 + months), Number(months)),
        }

    effects = {"inactive": case(-0.0012, -10.0, -0.9), "active": case(go, -1.7, 3.3)}
    said = did(effects, Words((), (), False, frozenset({"inactive"})))
    assert said.startswith("If “inactive” is true, P(go) falls")
    assert ("If “active” is true, P(go) falls from 0.500 to 0.495, by 0.005 (exact)" in said) is told
    assert "the expected duration rises from 18.0 to 21.3 months, by 3.3 (exact)" in said


@pytest.mark.parametrize(("more", "first"), [("", False), ("  smaller: {design.n: 11}\n", True)])
def test_the_numbers_of_many_variants_stand_before_what_is_said_of_each(more: str, first: bool) -> None:
    found = report_of(whatif(parse(TEXT + VARIANTS + more), replicates=200))
    kinds = [type(block).__name__ for block in found.sections[0].blocks]
    assert (kinds.index("Table") < kinds.index("Terms")) is first


def test_a_change_is_told_once_and_by_its_names() -> None:
    stated = parse(TEXT)
    from trialsim.scenario.changes import changed

    def words(changes: dict[str, Any]) -> str:
        return told(changes_in_words(stated, changed(stated, changes), changes))

    assert words({"truth.*.odds_ratio": 2}) == (
        "Changed: odds ratio of response and toxicity in every case from 1 to 2."
    )
    assert words({"truth.*.response": 0.1}) == "Changed: response rate in “active” from 40% to 10%."
    assert words({"truth.active.toxicity[1]": 0.2}) == (
        "Changed: toxicity rate at low in “active” from 30% to 20%."
    )
    assert words({"dose_reduction": None}) == "Changed: no toxicity rule (was pocock, limit 0.3, phi 0.1)."
    assert words({"design.n": 16}) == "Changed: planned n from 12 to 16 (the design becomes 0/6 3/16)."
