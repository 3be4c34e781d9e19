"""What somebody new to the program tries first, and must not be answered with silence or with a false word."""

import textwrap

import pytest

import trialsim
from tests.helpers import run
from trialsim.errors import DesignError
from trialsim.scenario.changes import ChangeError, read_changes
from trialsim.writing.terminal import _heading

OVER_RAN = {"design": "1/10,5/29", "p0": 0.10, "p1": 0.30}


@pytest.mark.parametrize(
    "more",
    [
        ["--json"],
        ["-o", "folder"],
        ["--criterion", "minimax"],
        ["--set", "n1=12"],
        ["--power", ".9"],
        ["--nmax", "30"],
    ],
)
def test_settings_refuse_what_they_would_ignore(more, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.csv").write_text("p0,p1,alpha,beta\n.1,.3,.05,.2\n")
    assert run(["find", "simon", "--settings", "s.csv", *more], monkeypatch) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert more[0] in said.err
    assert "CSV" in said.err


def test_a_change_with_a_plus_is_not_taken_for_the_value():
    with pytest.raises(ChangeError, match="reads as an addition"):
        read_changes(["truth.active.toxicity=+0.10"])
    assert read_changes(["truth.active.toxicity=0.10"]) == {"truth.active.toxicity": 0.10}


def test_only_sizes_that_were_attained_are_called_so():
    stopped = str(trialsim.analyse(responses=1, stage1_n=13, **OVER_RAN))
    assert stopped.count("the size attained was 13") == 2  # the decision, and the sentence to quote
    went_on = str(trialsim.analyse(responses=7, stage1=3, stage1_n=12, **OVER_RAN))
    assert " ".join(went_on.split()).count("the sizes attained were 12 and 29") == 2
    assert "attained were" not in str(trialsim.analyse(responses=7, **OVER_RAN))
    assert "the size attained was 23" in str(trialsim.analyse(design="5/22", responses=6, n=23))


def test_a_trial_that_stopped_with_more_patients_is_told_how_to_say_so():
    with pytest.raises(DesignError) as refused:
        trialsim.analyse(responses=2, stage1=1, n=13, **OVER_RAN)
    said = str(refused.value)
    assert "--overrun 3 in place of --n 13" in said and "--stage1-n 13" in said
    assert "0/10,5/29" in said and "5/13" not in said
    with pytest.raises(DesignError, match=r"--stage1-n.*--overrun"):
        trialsim.analyse(responses=1, n=13, **OVER_RAN)
    # what the sentences name does answer
    assert trialsim.analyse(responses=2, stage1=1, overrun=3, **OVER_RAN).sets[0].n == 10
    assert trialsim.analyse(responses=1, stage1_n=13, **OVER_RAN).sets[0].n == 13


@pytest.mark.parametrize("command", ["compare", "analyse", "run"])
@pytest.mark.parametrize("design", ["1/8 4/24", "1/8,4/24", "0:3/13 5/24"])
def test_cut_offs_in_place_of_a_file_are_recognised(command, design, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run([command, design], monkeypatch) == 2
    assert "trialsim oc" in capsys.readouterr().err


def test_words_that_name_the_options(monkeypatch, capsys):
    assert run(["oc", "1/8 4/24", "--alpha", ".05"], monkeypatch) == 2
    assert "--p0 .10 --p1 .30" in capsys.readouterr().err
    assert run(["find", "Simon", "--p0", ".1"], monkeypatch) == 2
    assert "did you mean `simon`?" in capsys.readouterr().err


def test_a_long_path_is_broken_where_its_parts_end():
    assert _heading("evaluability.probability", 23) == ["evaluability.", "  probability"]
    assert _heading("conduct.accrual.per_month", 24) == ["conduct.accrual.per_", "  month"]
    plain = "Expected patients at the starting dose, 0.05 and up"
    assert _heading(plain, 20) == textwrap.wrap(plain, 20, subsequent_indent="  ")
