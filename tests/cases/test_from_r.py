"""What a newcomer who knows R typed, and what the program answers: each test types it again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import trialsim
from tests.helpers import run
from trialsim.figures.oc import draw

TWO_DOSES = """
schema: 1
name: Two doses
endpoint: response
design: {kind: simon, p0: 0.10, p1: 0.30, alpha: 0.05, beta: 0.20}
doses: [100 mg, 70 mg]
dose_reduction: {rule: {kind: pocock, limit: 0.30, phi: 0.10}, at_lowest_dose: stop}
truth:
  active: {response: 0.30, toxicity: [0.35, 0.20]}
simulation: {replicates: 500, seed: 1}
"""


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Types a command in an empty folder; the exit status, what is printed, and what is said beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trialsim.figures.draw_all", lambda *_: ())

    def typed(*arguments: str) -> tuple[int, str, str]:
        status = run(list(arguments), monkeypatch)
        said = capsys.readouterr()
        return status, " ".join(said.out.split()), " ".join(said.err.split())

    return typed


def written(**changes: str) -> None:
    """mine.yaml, with lines of the scenario in other words."""
    text = TWO_DOSES
    for key, line in changes.items():
        text = re.sub(rf"^( *){key}:.*$", rf"\g<1>{key}: {line}", text, flags=re.MULTILINE)
    Path("mine.yaml").write_text(text, encoding="utf-8")


# -- doses


@pytest.mark.parametrize("more", ["", "\ndose_amounts: [70, 100]"])
def test_doses_in_rising_order_are_refused(type_, more):
    written(doses=f"[70 mg, 100 mg]{more}")
    for command in ("validate", "run"):
        status, _, said = type_(command, "mine.yaml")
        assert status == 2
        assert "70 mg comes before 100 mg" in said or "70 comes before 100" in said
        assert "a dose reduction lowers the dose" in said
        assert "mine.yaml:6: doses" in said or "mine.yaml:7: dose_amounts" in said


@pytest.mark.parametrize(
    "doses",
    [
        "[100 mg, 70 mg]",
        "[full dose, reduced dose]",
        "[100 mg BID, 150 mg daily]",
        "[1st, 2nd]",
        "[2 g, 500 mg]",
    ],
)
def test_doses_of_which_nothing_is_known_to_rise_are_taken(type_, doses):
    written(doses=doses)
    assert type_("validate", "mine.yaml") == (0, "mine.yaml: ok", "")


@pytest.mark.parametrize("doses", ["[0.5 mg/kg, 1 mg/kg]", "[100 mg BID, 70 mg BID, 80 mg BID]"])
def test_more_names_that_rise(type_, doses):
    written(doses=doses, toxicity="0.3")
    Path("mine.yaml").write_text(
        Path("mine.yaml").read_text().replace("toxicity: [0.35, 0.20]", "toxicity: 0.3")
    )
    assert type_("validate", "mine.yaml")[0] == 2


def test_toxicity_that_rises_at_the_lower_dose_is_told(type_):
    written(active="{response: 0.30, toxicity: [0.20, 0.35]}")
    status, out, _ = type_("validate", "mine.yaml")
    assert status == 0
    assert "note: truth.active.toxicity rises from 0.2 at 100 mg to 0.35 at 70 mg, the lower dose" in out
    assert "note: truth.active.toxicity rises" in type_("protocol", "mine.yaml")[2]


# -- evaluability


def test_ten_per_cent_evaluable_is_doubted(type_):
    text = TWO_DOSES.replace("response: 0.30", "response: 0.05") + "evaluability: {probability: 0.10}\n"
    Path("mine.yaml").write_text(text, encoding="utf-8")
    status, out, _ = type_("validate", "mine.yaml")
    assert status == 0
    assert "90% of patients would be inevaluable; if 10% are, write 0.9" in out
    Path("mine.yaml").write_text(text.replace("0.10}\n", "0.90}\n"), encoding="utf-8")
    assert type_("validate", "mine.yaml") == (0, "mine.yaml: ok", "")


# -- run


def test_run_exact(type_):
    written()
    status, out, _ = type_("run", "mine.yaml", "--exact", "-o", "mine")
    assert status == 0
    assert "All exact." in out
    assert trialsim.reproduce("mine") == (True, ())
    status, _, said = type_("run", "mine.yaml", "--exact", "--replicates", "10", "-o", "other")
    assert (status, Path("other").exists()) == (2, False)
    assert "--exact simulates nothing" in said
    Path("timed.yaml").write_text(
        TWO_DOSES
        + "conduct: {accrual: {per_month: 2}, assessment_weeks: [8, 16], toxicity_window_weeks: 4}\n"
    )
    status, _, said = type_("run", "timed.yaml", "--exact", "-o", "other")
    assert (status, Path("other").exists()) == (2, False)
    assert "has no exact answer" in said


def test_resume_of_a_run_that_is_complete_does_nothing(type_):
    written()
    assert type_("run", "mine.yaml", "-o", "mine")[0] == 0
    before = {path: path.stat().st_mtime_ns for path in Path("mine").rglob("*")}
    status, out, _ = type_("run", "mine.yaml", "-o", "mine", "--resume")
    assert status == 0
    assert out.startswith("complete already; nothing to go on with") and out.endswith("report.html")
    assert {path: path.stat().st_mtime_ns for path in Path("mine").rglob("*")} == before
    for other in (["--seed", "2"], ["--replicates", "600"], ["--exact"], ["--keep-trials", "csv"]):
        status, _, said = type_("run", "mine.yaml", "-o", "mine", "--resume", *other)
        assert status == 2 and "exists" in said, other
    written(doses="[100 mg, 50 mg]")
    assert type_("run", "mine.yaml", "-o", "mine", "--resume")[0] == 2


@pytest.mark.parametrize(
    "command", ["whatif mine.yaml", "sensitivity mine.yaml", "compare mine.yaml other.yaml"]
)
def test_resume_of_any_answer_that_is_complete_does_nothing(type_, command):
    written()
    other = Path("mine.yaml").read_text().replace("seed: 1", "seed: 2")
    Path("other.yaml").write_text(other)
    asked = [*command.split(), "-o", "found", "--replicates", "50"]
    if command.startswith("whatif"):
        asked += ["--set", "truth.active.response=.4"]
    assert type_(*asked)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in Path("found").rglob("*")}
    assert "found exists" in type_(*asked)[2]
    status, out, _ = type_(*asked, "--resume")
    assert status == 0
    assert out.startswith("complete already; nothing to go on with") and out.endswith("report.html")
    assert {path: path.stat().st_mtime_ns for path in Path("found").rglob("*")} == before
    assert "found exists" in type_(*asked, "--resume", "--seed", "2")[2]
    Path("mine.yaml").write_text(other)
    assert "found exists" in type_(*asked, "--resume")[2]


# -- names of files for folders


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("prot2.docx", "--docx"),
        ("prot2.md", "--markdown"),
        ("prot2.tex", "--latex"),
        ("prot2.HTML", "report.html"),
        ("prot2.pdf", "prints to PDF"),
        ("prot2.json", "--json"),
        ("sub/prot2.csv", "CSV"),
    ],
)
def test_the_name_of_a_file_is_no_folder(type_, name, instead):
    written()
    for command in (["protocol"], ["run"], ["oc", "1/10,5/29", "--p0", ".1", "--p1", ".3"]):
        given = command if command[0] == "oc" else [*command, "mine.yaml"]
        status, _, said = type_(*given, "-o", name)
        assert status == 2
        assert "would be a folder, not a file: name a folder" in said and instead in said
        assert [path.name for path in Path().iterdir()] == ["mine.yaml"]


# -- the protocol, and what is said of one's own design


def test_notes_to_the_author_stand_outside_the_section_to_paste(type_):
    pytest.importorskip("docx")
    import docx

    type_("init", "calendar time", "mine.yaml")
    text = Path("mine.yaml").read_text(encoding="utf-8").replace("  interim: pause", "# interim: pause")
    Path("mine.yaml").write_text(text, encoding="utf-8")
    status, out, _ = type_("protocol", "mine.yaml")
    assert status == 0
    section, _, notes = out.partition("## Notes to the author, not for the protocol")
    assert section.index("## References") < section.index("## What the trial does")
    for words in (
        "does not say what accrual does",
        "is the default",
        "Neither marked as assumed",
        "Assumed by this",
    ):
        assert words not in section
        assert words in notes
    assert "is assumed" not in out
    assert type_("protocol", "mine.yaml", "--docx", "prot.docx")[0] == 0
    paragraphs = [paragraph.text for paragraph in docx.Document("prot.docx").paragraphs]
    assert "Contents" not in paragraphs
    assert "Notes to the author, not for the protocol" in paragraphs
    assert type_("run", "mine.yaml", "--replicates", "200", "-o", "mine", "--docx")[0] == 0
    assert "Contents" in [paragraph.text for paragraph in docx.Document("mine/report.docx").paragraphs]


@pytest.mark.parametrize("kind", ["simon", "calendar_time", "fleming", "bop2", "rules", "single_stage"])
def test_the_design_of_a_start_is_the_users_own(type_, kind):
    assert type_("init", kind, "mine.yaml")[0] == 0
    text = Path("mine.yaml").read_text(encoding="utf-8")
    assert "design: {assumed" not in text
    assert "sources:\n\n" not in text
    assert type_("validate", "mine.yaml") == (0, "mine.yaml: ok", "")
    out = type_("protocol", "mine.yaml")[1]
    assert "design is assumed" not in out


def test_page_one_calls_a_design_assumed_only_beside_a_publication(type_):
    written()
    with Path("mine.yaml").open("a") as file:
        file.write("sources: {design: {assumed: true, note: mine}}\n")
    said = "The design is assumed, not taken from a publication."
    assert said not in type_("run", "mine.yaml", "--exact", "-o", "mine")[1]
    with Path("mine.yaml").open("a") as file:
        file.write("source: A paper of 2019\n")
    assert said in type_("run", "mine.yaml", "--exact", "-o", "published")[1]


def test_word_files_are_named_as_they_were_asked_for(type_, monkeypatch):
    written()
    monkeypatch.setitem(sys.modules, "docx", None)
    status, _, said = type_("protocol", "mine.yaml", "--docx", "prot.docx")
    assert status == 2
    assert "prot.docx needs the package python-docx" in said and "report.docx" not in said
    status, _, said = type_("run", "mine.yaml", "--docx", "-o", "mine")
    assert (status, Path("mine").exists()) == (2, False)
    assert "report.docx needs the package python-docx" in said


@pytest.mark.parametrize(
    "asked", ["mine.yaml --docx -o mine", "--docx mine.yaml -o mine", "mine.yaml -o mine --docx"]
)
def test_a_protocol_for_word_goes_into_the_folder_as_with_other_commands(type_, asked):
    pytest.importorskip("docx")
    written()
    assert type_("protocol", *asked.split())[0] == 0
    assert Path("mine/report.docx").read_bytes()[:2] == b"PK"
    status, out, said = type_("protocol", "mine.yaml", "--docx")
    assert (status, out) == (2, "") and "name the Word file (--docx FILE), or a folder for it with -o" in said


def test_the_counts_of_inputs_are_the_same_in_every_place(type_):
    written()
    out = type_("run", "mine.yaml", "--markdown", "-o", "mine")[1]
    none, of = re.findall(r"Inputs: (\d+) of (\d+) are assumed, defaults or unsourced", out)[0]
    parts = re.findall(
        r"these (\d+) are marked as assumed, (\d+) left .* and (\d+) given without a source;", out
    )[0]
    assert int(none) == sum(map(int, parts)) == int(of) > 10


# -- figures


def test_every_rate_that_is_asked_for_is_marked():
    found = trialsim.oc("1/10,5/29", p0=0.1, p1=0.3, rates=[0.05, 0.1, 0.2, 0.3, 0.4])
    left, right = draw(found).figure.axes
    for axes, curves in ((left, 2), (right, 1)):
        marks = [line for line in axes.lines if line.get_marker() == "s"]
        assert len(marks) == curves
        assert all([*line.get_xdata()] == [0.05, 0.1, 0.2, 0.3, 0.4] for line in marks)
    (go, *_) = (line for line in left.lines if line.get_marker() == "s")
    assert [*go.get_ydata()] == pytest.approx([found[p].p_go for p in (0.05, 0.1, 0.2, 0.3, 0.4)])


# -- slips of whoever comes from R


TIMED = "conduct: {accrual: {per_month: 2}, assessment_weeks: [8, 16], toxicity_window_weeks: 4}\n"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "[0.35, 0.20]}",
            "[0.35, 0.20]}\n  low:\n    toxicity: c(0.40, 0.25)\n    response: 0.3",
            "write [0.40, 0.25]",
        ),
        ("toxicity: [0.35, 0.20]", "toxicity: c(0.40, 0.25)", "write [0.40, ...]"),
        ("assessment_weeks: [8, 16]", "assessment_weeks: 8", "8 is a number; write [8]"),
        (
            "toxicity_window_weeks",
            "confirmed: no, toxicity_window_weeks",
            "`no` is text; expected true or false: write false",
        ),
        (
            "toxicity_window_weeks",
            "confirmed: T, toxicity_window_weeks",
            "`T` is text; expected true or false: write true",
        ),
    ],
)
def test_values_as_r_writes_them(type_, before, after, told):
    text = TWO_DOSES + TIMED
    assert before in text
    Path("mine.yaml").write_text(text.replace(before, after), encoding="utf-8")
    status, _, said = type_("validate", "mine.yaml")
    assert status == 2
    assert told in said


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("oc 10/1,29/5 --p0 .1 --p1 .3", "did you mean 1/10? Patients come last"),
        ("find simon --pu .1 --pa .3", "--pu: called --p0 here"),
        ("find simon --p0 .1 --pa=.3", "called --p1 here"),
        ("find ph2simon --p0 .1 --p1 .3", "did you mean `simon`?"),
        ("whatif mine.yaml --set accrual=6", "did you mean `conduct.accrual.per_month`?"),
        ("run mine", "did you mean mine.yaml?"),
        ("run other", "no such file"),
    ],
)
def test_slips_are_told_with_what_was_meant(type_, command, told):
    Path("mine.yaml").write_text(TWO_DOSES + TIMED, encoding="utf-8")
    status, _, said = type_(*command.split())
    assert status == 2
    assert told in said
    assert "Traceback" not in said


def test_rates_as_several_words(type_):
    one = type_("oc", "1/10,5/29", "--p0", ".1", "--p1", ".3", "--rates", ".05", ".1", ".2")
    assert one[0] == 0
    assert one == type_("oc", "1/10,5/29", "--p0", ".1", "--p1", ".3", "--rates", ".05,.1,.2")
