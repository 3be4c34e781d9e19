"""Files to start from: every kind loads, validates and runs; the examples are found, listed and copied."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

import trialsim
from tests.helpers import CONFIGS, run
from trialsim.designs.registry import Design
from trialsim.errors import OutputError, TrialsimError
from trialsim.scenario.files import validate
from trialsim.scenario.starting import KINDS, examples, init

DESIGNS = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(Design)[0])}
PARTS = {
    "calendar_time": lambda s: s.conduct,
    "dose_reduction": lambda s: s.dose_reduction,
    "cohorts": lambda s: s.cohorts,
    "observed": lambda s: s.observed,
}


def test_there_is_a_start_for_every_kind_of_design_and_every_part() -> None:
    # case C14
    assert set(KINDS) == DESIGNS | set(PARTS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_start_loads_validates_and_runs(kind: str, tmp_path: Path) -> None:
    file = init(kind, tmp_path / "trial.yaml")
    assert validate(file) == ()
    scenario = trialsim.load(file)
    assert PARTS[kind](scenario) if kind in PARTS else scenario.design.kind == kind
    ran = trialsim.run(scenario, replicates=50)
    assert not ran.results.disagreements
    assert set(ran.to_dict()["cases"]) == set(scenario.truth)
    assert file.read_text(encoding="utf-8").count(f"trialsim run {file}") == 1


@pytest.mark.parametrize("first", ["trial.yaml", "trial.YML", Path("trial.yml")])
def test_a_first_argument_with_the_ending_of_a_file_is_the_path(
    first: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert init(first) == Path(first)
    assert trialsim.load(first).design.kind == "simon"
    with pytest.raises(TrialsimError, match="one file is written"):
        init(first, "another.yaml")


def test_the_path_has_a_default_and_a_file_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert init("Bop2-Toxicity") == Path("scenario.yaml")
    before = Path("scenario.yaml").read_bytes()
    for again in (lambda: init(), lambda: init("gehan"), lambda: examples("bop2", "scenario.yaml")):
        with pytest.raises(OutputError, match=r"scenario.yaml exists; choose another name"):
            again()
    assert Path("scenario.yaml").read_bytes() == before


def test_an_unknown_kind_lists_the_kinds() -> None:
    with pytest.raises(TrialsimError) as error:
        init("simom")
    assert "did you mean `simon`?" in str(error.value)
    assert all(kind in str(error.value) for kind in KINDS)


def test_every_example_is_listed_and_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    listed = examples()
    assert isinstance(listed, dict)
    files = [*CONFIGS.glob("*.yaml"), *CONFIGS.glob("what-ifs/*.yaml")]
    assert set(listed) == {file.stem for file in files}
    assert all(listed.values())
    for file in files:
        copied = examples(file.stem)
        assert isinstance(copied, Path)
        assert trialsim.load(copied) == trialsim.load(file)
    assert examples("w05", "mine.yaml") == Path("mine.yaml")
    assert examples("dasatinib.yaml", "das.yaml") == Path("das.yaml")
    with pytest.raises(TrialsimError, match="did you mean `teaching`"):
        examples("teachin.g")


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, path: Path) -> None:
            self.file = open(path, "x")  # noqa: SIM115

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, text: str) -> None:
            self.file.write(text[:10])
            raise OSError(28, "No space left on device")

    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *how, **more: Full(self) if how == ("x",) else opened(self, *how, **more)
    )
    with pytest.raises(OutputError, match=r"(?i)no space left"):
        init("simon", tmp_path / "a.yaml")
    assert list(tmp_path.iterdir()) == []


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "rules", "table.yaml"], monkeypatch) == 0
    assert run(["validate", "table.yaml"], monkeypatch) == 0
    assert run(["init", "table.yaml"], monkeypatch) == 2
    assert run(["init", "nothing"], monkeypatch) == 2
    assert run(["examples"], monkeypatch) == 0
    assert run(["examples", "bop2"], monkeypatch) == 0
    assert run(["examples", "bop2"], monkeypatch) == 2
    printed = capsys.readouterr()
    assert "teaching" in printed.out and "bop2.yaml written" in printed.out
    assert "bop2.yaml exists" in printed.err and "dual_criterion" in printed.err
