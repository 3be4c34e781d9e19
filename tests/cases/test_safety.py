"""Files, interrupts and full disks: nothing of a user's is lost, nothing is half-written (cases A9, F5-F7, F11-F17)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import SMALL, ended, run, unrendered
from trialsim import timing
from trialsim.figures import FIGURES
from trialsim.writing.seal import to_json

# -- case F5: the bytes of a scenario are read once


def piped(text: str) -> str:
    """A name under which a text can be read once, as ``<(cat FILE)`` gives it."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return f"/dev/fd/{reading}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with pictures that cost nothing, of a run only two."""
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    monkeypatch.setattr("trialsim.figures.FIGURES", FIGURES[2:4])
    return tmp_path


@pytest.mark.parametrize("name", ["run", "whatif", "sensitivity", "monitor", "analyse", "trace", "check"])
def test_a_pipe_is_read_once(name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run([name, piped(SMALL), "-o", "out"], monkeypatch) == 0
    assert (place / "out" / "scenario.yaml").read_text() == SMALL


def test_pipes_to_compare(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = SMALL.replace("r: 3", "r: 2")
    designs = [piped(SMALL), piped(other)]
    assert run(["compare", *designs, "--truth", piped(SMALL), "-o", "out"], monkeypatch) == 0
    kept = [(place / "out" / "scenarios" / f"{Path(name).name}.yaml").read_text() for name in designs]
    assert kept == [SMALL, other]
    assert (place / "out" / "scenarios" / "truth of all.yaml").read_text() == SMALL


@pytest.mark.parametrize("new", [SMALL.replace("r: 3", "r: 2"), "half a fi", None])
def test_a_file_changed_while_it_runs(new: str | None, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialsim.engine import operating

    file, simulate = place / "small.yaml", operating.simulate

    def changing(*given, **keywords):  # type: ignore[no-untyped-def]
        file.unlink() if new is None else file.write_text(new)
        return simulate(*given, **keywords)

    file.write_text(SMALL)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(operating, "simulate", changing)
        assert run(["run", "small.yaml", "-o", "out"], meanwhile) == 0
    assert (place / "out" / "scenario.yaml").read_text() == SMALL
    assert run(["reproduce", "out"], monkeypatch) == 0


# -- case F6: --force replaces only what a run wrote

FIND = ["find", "simon", "--p0", ".1", "--p1", ".3", "--alpha", ".05", "--beta", ".2"]
ANALYSE = ["analyse", "--design", "1/10,5/29", "--responses", "7", "--stage1", "3", "--p0", ".1"]


def test_an_untouched_folder_is_replaced(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "small.yaml").write_text(SMALL)
    command = ["run", "small.yaml", "-o", "out", "--docx", "--keep-trials", "csv", "--keep-patients", "2"]
    assert run(command, monkeypatch) == 0
    assert run(["docx", "out", "--force"], monkeypatch) == 0
    (place / "out" / "tables" / ".DS_Store").touch()
    (place / "out" / "report.md").unlink()
    assert run([*command, "--force"], monkeypatch) == 0
    assert (place / "out" / "report.md").is_file()
    assert sorted(path.name for path in place.iterdir()) == ["out", "small.yaml"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tables/mine.csv", "tables/mine.csv is not written by trialsim"),
        ("figures/mine.svg", "figures/mine.svg is not written by trialsim"),
        ("scenarios", "scenarios is not written by trialsim"),
        ("report.html", "report.html is changed since it was written"),
        ("results.json", "results.json is changed since it was written"),
        ("environment.json", "environment.json is changed since it was written"),
        ("tables/designs.csv", "tables/designs.csv is changed since it was written"),
        ("link", "link is not written by trialsim"),
    ],
)
def test_what_a_user_put_in_a_folder_stays(
    name: str, why: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*FIND, "-o", "out"], monkeypatch) == 0
    path = place / "out" / name
    if name == "scenarios":
        path.mkdir()
    elif name == "link":  # a link to pictures elsewhere
        (place / "pictures").mkdir()
        (place / "pictures" / "p.svg").write_text("mine")
        path.symlink_to(place / "pictures")
    else:
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(" ")
    capsys.readouterr()
    assert run([*FIND, "-o", "out", "--force"], monkeypatch) == 2
    assert why in capsys.readouterr().err
    assert os.path.lexists(path)
    assert name != "link" or (place / "pictures" / "p.svg").is_file()


def test_a_folder_without_its_list_is_not_replaced(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*FIND, "-o", "out"], monkeypatch) == 0
    (place / "out" / "environment.json").unlink()
    assert run([*FIND, "-o", "out", "--force"], monkeypatch) == 2
    assert "environment.json is no longer there" in capsys.readouterr().err


# -- case F7: an existing file is refused without --force, by every command that writes one

FILES = [
    ([*FIND, "--figure", "a.svg"], ["a.svg"]),
    ([*ANALYSE, "--figure", "a"], ["a/estimators.svg", "a/estimators.csv", "a/estimators.png"]),
    (["monitor", "small.yaml", "-o", "a b.html"], ["a b.html"]),
    (["monitor", "small.yaml", "-o", "ä.csv"], ["ä.csv"]),
    (["trace", "small.yaml", "-o", "a.csv"], ["a.csv"]),
    (["trace", "small.yaml", "-o", "a.svg"], ["a.svg"]),
    (["protocol", "small.yaml", "--docx", "a.docx"], ["a.docx"]),
    (["find", "--scenario", "robust.yaml", "--nmax", "20", "--figure", "a.SVG"], ["a.SVG"]),
]
ROBUST = SMALL.replace("{kind: simon, n1: 6, r1: 0, n: 12, r: 3, p0: 0.1, p1: 0.4}", "{kind: simon, p0: 0.1, "
    "p1: 0.4, alpha: 0.2, beta: 0.4, criterion: optimal}")  # fmt: skip


@pytest.mark.parametrize(("command", "names"), FILES)
def test_one_rule_for_files(
    command: list[str],
    names: list[str],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (place / "small.yaml").write_text(SMALL)
    (place / "robust.yaml").write_text(ROBUST)
    for name in names:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("mine")
        assert run(command, monkeypatch) == 2
        printed = capsys.readouterr()
        assert f"{name} exists; choose another name, or replace it with --force" in printed.err
        assert printed.out == "" and (place / name).read_text() == "mine"
        (place / name).unlink()
    for name in names:
        (place / name).write_text("mine")
    assert run([*command, "--force"], monkeypatch) == 0
    assert all((place / name).read_bytes() != b"mine" for name in names)
    (place / names[-1]).unlink()
    (place / names[-1]).mkdir()
    assert run([*command, "--force"], monkeypatch) == 2
    assert "is a folder, not a file" in capsys.readouterr().err
    left = {Path(name).parts[0] for name in names} | {"small.yaml", "robust.yaml"}
    assert {path.name for path in place.iterdir()} == left


@pytest.mark.parametrize("command", [command for command, _ in FILES])
def test_a_file_where_a_folder_is_expected(
    command: list[str],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (place / "small.yaml").write_text(SMALL)
    (place / "robust.yaml").write_text(ROBUST)
    (place / "taken").write_text("mine")
    assert run([*command[:-1], f"taken/{command[-1]}"], monkeypatch) == 2
    assert "taken" in capsys.readouterr().err


# -- case F11: a folder is sealed


def altered(recorded: bytes, rng: random.Random) -> bytes:
    """A results.json with one thing changed: a byte, a number, a key, or all of a branch."""
    if rng.random() < 0.3:
        at = rng.randrange(len(recorded))
        return (
            recorded[:at]
            + bytes([rng.choice([b for b in range(256) if b != recorded[at]])])
            + recorded[at + 1 :]
        )
    content = json.loads(recorded)
    block = content
    while True:
        key = rng.choice(list(block) if isinstance(block, dict) else range(len(block)))
        inner = block[key]
        if not (isinstance(inner, dict | list) and inner) or rng.random() < 0.3:
            break
        block = inner
    if rng.random() < 0.3:
        del block[key]
    else:
        new = [None, [], {}, "", "x", -1, 1.5, 10**400, True, [[]], {"a": None}, "../../etc", "\0"]
        block[key] = rng.choice([value for value in new if value != inner or type(value) is not type(inner)])
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


@pytest.mark.parametrize("command", ["reproduce", "docx"])
def test_a_changed_results_file_is_answered_with_a_sentence(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*ANALYSE, "-o", "out"], monkeypatch) == 0
    file = place / "out" / "results.json"
    recorded, rng = file.read_bytes(), random.Random(11)
    for _ in range(60):
        file.write_bytes(altered(recorded, rng))
        capsys.readouterr()
        assert run([command, "out"], monkeypatch) == 2, file.read_bytes()
        printed = capsys.readouterr()
        assert printed.err.count("\n") == 1 and "results.json" in printed.err and not printed.out
    file.write_bytes(recorded)
    assert run([command, "out"], monkeypatch) == 0


def unseal(folder: Path) -> None:
    """A folder as earlier versions wrote it."""
    for name in ("results.json", "environment.json"):
        content = json.loads((folder / name).read_bytes())
        del content["seal"]
        content.pop("files", None)
        (folder / name).write_bytes(to_json(content))


@pytest.mark.parametrize("name", ["analyse", "monitor", "trace", "check", "whatif"])
def test_without_a_seal_changes_are_no_traceback(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "small.yaml").write_text(SMALL)
    assert run([name, "small.yaml", "-o", "out"], monkeypatch) == 0
    file = place / "out" / "results.json"
    content, rng = json.loads(file.read_bytes()), random.Random(12)
    unseal(place / "out")
    del content["seal"]
    decides = {key: content[key] for key in ("kind", "asked", "texts")}
    for _ in range(15):
        one = altered(to_json(decides), rng)
        with contextlib.suppress(ValueError):  # what is no JSON is written as it is
            kept = json.loads(one)
            one = json.dumps(
                {**{key: content[key] for key in content if key not in decides}, **kept}
            ).encode()
        file.write_bytes(one)
        assert run(["reproduce", "out", "-q"], monkeypatch) in (1, 2)
        assert capsys.readouterr().err


def test_a_folder_of_an_earlier_version(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*ANALYSE, "-o", "out"], monkeypatch) == 0
    unseal(place / "out")
    assert run(["reproduce", "out"], monkeypatch) == 0
    assert "carries no seal" in capsys.readouterr().out
    assert run(["docx", "out"], monkeypatch) == 0
    assert "carries no seal" in capsys.readouterr().err
    assert run([*ANALYSE, "-o", "out", "--force"], monkeypatch) == 0


@pytest.mark.parametrize(
    "name", ["report.html", "report.md", "tables/table_02_estimates_1.csv", "environment.json"]
)
def test_reproduce_looks_at_the_rest_of_the_folder(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*ANALYSE, "-o", "out"], monkeypatch) == 0
    (place / "out" / "notes.txt").write_text("mine")
    assert run(["reproduce", "out"], monkeypatch) == 0
    assert "are not drawn again" in capsys.readouterr().out
    file = place / "out" / name
    file.write_bytes(file.read_bytes().replace(b"1", b"2"))
    assert run(["reproduce", "out"], monkeypatch) == 1
    assert f"{name}: changed since it was written" in capsys.readouterr().err
    file.unlink()
    assert run(["reproduce", "out"], monkeypatch) == 1
    assert f"{name}: no longer there" in capsys.readouterr().err


# -- cases F12, F17: signals

DOOR = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # even in the background of a shell, which ignores it
where, sent, me = sys.argv.pop(1), int(sys.argv.pop(1)), os.getpid()
left = where.split("+")

def hook(event, arguments):
    seen = f"{event} {os.path.basename(str(arguments[0]))}" if arguments else event
    if left and seen.startswith(left[0].split("*")[0]) and seen.endswith(left[0].split("*")[-1]):
        left.pop(0)
        os.kill(me, sent)

sys.addaudithook(hook)
if where.startswith("os.mkdir"):  # the figures are of no concern
    import trialsim.figures
    trialsim.figures.draw_all = lambda *_: ()
from trialsim.__main__ import main
main()
"""
"""The command line in a process that sends itself a signal at each of some events, in their order."""


def signalled(where: str, sent: int, folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit status of such a process and what it printed on stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", DOOR, where, str(int(sent)), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors = ended(process)[1]
    return process.returncode, errors


RUN = ["run", "small.yaml", "-o", "out", "--jobs", "1"]


@pytest.mark.parametrize("where", ["import typer", "import trialsim.cli.run", "import numba", "import yaml"])
def test_an_interrupt_at_the_door(where: str, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    where = where.replace("yaml", "ruamel.yaml")
    status, errors = signalled(where, signal.SIGINT, tmp_path, *RUN)
    assert status == 130
    assert errors.count("\n") == 1 and errors.startswith("interrupted"), errors
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


ONCE, TWICE = "os.mkdir .out.*.new", "os.mkdir .out.*.new+shutil.rmtree .out"


@pytest.mark.parametrize(
    ("where", "sent", "expected"),
    [
        (ONCE, signal.SIGINT, 130),
        (TWICE, signal.SIGTERM, 143),
        (ONCE, signal.SIGHUP, 129),
        pytest.param(TWICE, signal.SIGINT, 130, marks=pytest.mark.slow),
        pytest.param(ONCE, signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(TWICE, signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_a_signal_while_the_folder_is_written(where: str, sent: int, expected: int, tmp_path: Path) -> None:
    """Once, and a second time while what was begun is removed."""
    (tmp_path / "small.yaml").write_text(SMALL)
    status, errors = signalled(where, sent, tmp_path, *RUN)
    assert status == expected, errors
    *before, kept, said = errors.splitlines()
    assert all(line.startswith("Compiling kernels") for line in before)
    assert kept.endswith("the same command with --resume goes on from there")
    assert said == "interrupted; no report was written"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.ledger", "small.yaml"]


def test_what_a_killed_run_left_is_cleared(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _ = signalled("open report.html", signal.SIGKILL, place, *ANALYSE, "-o", "out")
    assert status == -signal.SIGKILL
    (left,) = place.iterdir()
    assert left.name.startswith(".out.") and left.name.endswith(".new")
    others = [".out.mine.new", ".outer.01234567.new", ".out.0123456.new"]
    for name in others:
        (place / name).mkdir()
    held = place / ".out.01234567.new"  # somebody is still writing it
    held.mkdir()
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert run([*ANALYSE, "-o", "out"], monkeypatch) == 0
    assert {path.name for path in place.iterdir()} == {"out", held.name, *others}
    os.close(descriptor)
    assert run([*ANALYSE, "-o", "out", "--force"], monkeypatch) == 0
    assert {path.name for path in place.iterdir()} == {"out", *others}


def test_an_exact_calculation_hears_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two slices, in whatever thread it runs."""
    from trialsim.engine import exact
    from trialsim.scenario.compiled import Compiled
    from trialsim.scenario.files import parse

    trial = Compiled.of(parse(SMALL))
    rates = trial.rates["active"]
    whole = exact.distribution(trial.rules, rates).values
    monkeypatch.setattr(exact, "SLICE", 1)
    assert exact.distribution(trial.rules, rates).values == whole  # slices change no bit
    slices = []

    @contextlib.contextmanager
    def counted(what: str, steps: int):  # type: ignore[no-untyped-def]
        with timing.long_work(what, steps) as done:

            def one(count: int) -> None:
                slices.append(count)
                if count == 3:
                    timing.stop.set()
                done(count)

            yield one

    monkeypatch.setattr(exact, "long_work", counted)
    try:
        with pytest.raises(KeyboardInterrupt):
            exact.distribution(trial.rules, rates)
    finally:
        timing.stop.clear()
    assert slices == [1, 2, 3]


def test_the_main_thread_hears_while_a_kernel_runs() -> None:
    release = threading.Event()

    def kernel() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        release.wait()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            timing.meanwhile(kernel)
    finally:
        signal.signal(signal.SIGINT, before)
        release.set()
    assert timing.meanwhile(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        timing.meanwhile(lambda: 1 // 0)


# -- cases F1-F3: long work is told, or bounded and told


def test_long_work_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = iter([0.0, 0.2, 1.0, 2.0, 3.0]), []
    monkeypatch.setattr(timing.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(timing, "listener", said.append)
    with timing.long_work("exact answer", 100) as done:
        for count in (1, 2, 3, 4):
            done(count)
    assert said == ["exact answer: about 48 s more"]  # 97 steps at the pace of the second and third


# -- case A9: what an earlier run has kept is not dropped because a word was forgotten


@pytest.mark.parametrize("command", ["run", "whatif", "sensitivity"])
def test_kept_work_is_not_dropped(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "small.yaml").write_text(SMALL)
    asked = [command, "small.yaml", "-o", "out", "--jobs", "1"]
    with monkeypatch.context() as broken:
        broken.setattr("trialsim.cli.common.Out.write", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
        assert run(asked, broken) == 130
    said = capsys.readouterr().err
    assert "are kept in" in said and "with --resume goes on from there" in said
    (file,) = place.glob("out.*")
    kept = file.read_bytes()
    assert run(asked, monkeypatch) == 2
    refused = capsys.readouterr().err
    assert "of a run that was cut off: go on from there with --resume, or drop them with --force" in refused
    assert file.read_bytes() == kept and not (place / "out").exists()
    assert run([*asked, "--resume"], monkeypatch) == 0
    assert sorted(path.name for path in place.iterdir()) == ["out", "small.yaml"]
    file.write_bytes(kept)
    assert run([*asked, "--force"], monkeypatch) == 0
    assert sorted(path.name for path in place.iterdir()) == ["out", "small.yaml"]


# -- case F16: a full disk, and other places that cannot be written


@contextlib.contextmanager
def full(room: int) -> Iterator[None]:
    """Lets no file grow beyond a number of bytes, as a disk that is nearly full does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


FULL = [
    ["init", "new.yaml"],
    ["examples", "teaching", "new.yaml"],
    [*ANALYSE, "--figure", "a"],
    [*ANALYSE, "-o", "a"],
    [*FIND, "--figure", "a.svg"],
    ["monitor", "small.yaml", "-o", "a.html"],
    ["trace", "small.yaml", "-o", "a.csv"],
    ["protocol", "small.yaml", "--docx", "a.docx"],
    ["sensitivity", "small.yaml", "-o", "a", "--jobs", "1"],
    ["whatif", "small.yaml", "-o", "a", "--jobs", "1"],
]


@pytest.mark.parametrize("room", [40, 200])
@pytest.mark.parametrize("command", FULL)
def test_a_full_disk(
    command: list[str],
    room: int,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (place / "warm").mkdir()  # kernels that are compiled now are not written to the cache later
    for folder in (place / "warm", place):
        (folder / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(place / "warm")
    assert run(command, monkeypatch) == 0
    monkeypatch.chdir(place)
    capsys.readouterr()
    with full(room):
        status = run(command, monkeypatch)
    said = capsys.readouterr().err
    assert status == 2, said
    assert "cannot be written" in said and "file too large" in said
    left = {path.name for path in place.iterdir()} - {"small.yaml", "warm"}
    if not left <= {"a"} or any((place / "a").glob("*")):
        # what was kept of a long computation is whole, and told
        (file,) = left
        assert file in ("a.ledger", "a.points") and (place / file).stat().st_size
        assert f"kept in {place / file}" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("command", FULL)
def test_a_folder_that_may_not_be_written(
    command: list[str], place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "small.yaml").write_text(SMALL)
    place.chmod(0o500)
    try:
        assert run(command, monkeypatch) == 2
    finally:
        place.chmod(0o700)
    assert "permission" in capsys.readouterr().err
    assert [path.name for path in place.iterdir()] == ["small.yaml"]
