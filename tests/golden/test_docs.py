"""What the pages of docs/ show is what happens: commands, Python, scenario files and quoted sentences are run.

In the pages:

- a ``console`` block has commands after ``$``, each with its output below it; ``# exit status 2`` after a command says
  that it fails, and what is shown is then the message;
- a ``python`` block is run, and a ``text`` block right after it is what it prints;
- a ``yaml`` block whose first line is ``# NAME.yaml`` is written to that file;
- each paragraph of a quotation after ``<!-- in FILE -->`` stands in that file;
- a line ``...`` stands for any lines, or none. Where no output is shown, none is compared.

Blocks of a page are run in their order in one empty folder, which has ``configs/``.
"""

from __future__ import annotations

import contextlib
import html
import importlib.util
import io
import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import trialsim
from tests.helpers import ROOT, run, unrendered
from tests.published.reference import rows
from trialsim.cli import app
from trialsim.quantities import QUANTITIES, label
from trialsim.scenario.changes import variants
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.schema import schema_text

DOCS = ROOT / "docs"

FRAGMENTS = {"add-a-design.md", "gallery.md"}
"""Python that quotes the source instead of being meant to run; commands that ``make docs`` runs."""

BLOCK = re.compile(
    r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$|^<!-- in (?P<file>\S+) -->\n(?P<quoted>(?:^>[^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block of a page; ``after`` says that nothing but white space stands between it and the one before."""

    kind: str
    text: str
    after: bool


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in their order."""
    text, found, end = page.read_text(encoding="utf-8"), [], 0
    for match in BLOCK.finditer(text):
        after = not text[end : match.start()].strip()
        if match["file"]:
            found.append(Block(f"in {match['file']}", match["quoted"], after))
        else:
            found.append(Block(match["kind"], match["text"], after))
        end = match.end()
    return found


PAGES = sorted(page.name for page in DOCS.glob("*.md") if page.name not in FRAGMENTS)
RUN = [
    name
    for name in PAGES
    if any(
        block.kind in ("console", "python") or block.kind.startswith("in ") for block in blocks(DOCS / name)
    )
]


def same(shown: str, printed: str) -> bool:
    """Whether ``printed`` is what is shown, lines ``...`` standing for any lines or none."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + "\n"
        for line in shown.strip("\n").split("\n")
    )
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").split("\n"))
    return re.fullmatch(pattern, text) is not None


def words(text: str) -> str:
    """The text a reader sees of HTML, in single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.mark.parametrize("name", RUN)
def test_what_a_page_shows_is_what_happens(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    unrendered(monkeypatch)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    names: dict[str, object] = {}
    printed = ""
    for block in blocks(DOCS / name):
        if block.kind == "console":
            for command in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                line, _, shown = command.partition("\n")
                program, *arguments = shlex.split(line, comments=True)
                assert program == "trialsim", line
                expected = int((re.search(r"# exit status (\d)$", line) or ["", "0"])[1])
                status = run(arguments, monkeypatch)
                output = capsys.readouterr()
                assert status == expected, (line, output.err)
                happened = output.err if expected else output.out
                assert not shown.strip() or same(shown, happened), f"{line}\n{happened}"
        elif block.kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block.text, name, "exec"), names)
            printed = out.getvalue()
        elif block.kind == "text" and block.after and printed:
            assert same(block.text, printed), printed
            printed = ""
        elif block.kind == "yaml" and (file := re.match(r"# (\S+\.yaml)\n", block.text)):
            (tmp_path / file[1]).write_text(block.text, encoding="utf-8")
        elif block.kind.startswith("in "):
            quoted = re.sub(r"^> ?", "", block.text, flags=re.MULTILINE)
            text = words((tmp_path / block.kind.removeprefix("in ")).read_text(encoding="utf-8"))
            for passage in quoted.split("\n\n"):
                assert words(passage) in text, passage


INLINE = re.compile(r"`trialsim\s+([a-z][^`]*)`")
"""A command in a sentence, which may be broken over two lines."""
LISTED = re.compile(r"^(?:    |\$ |> ?\$ )(?:\.venv/bin/)?trialsim +(.*)$", re.MULTILINE)
"""A command in a block, of whatever kind."""


def commands_named(page: Path) -> list[str]:
    """Every command of a page, those of its sentences too."""
    text = page.read_text(encoding="utf-8")
    return [" ".join(found.split()) for found in (*INLINE.findall(text), *LISTED.findall(text))]


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), ROOT / "README.md"], ids=lambda page: page.name)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    """Those in sentences have placeholders and are not run; what no such option is, the parser refuses."""
    group = typer.main.get_command(app)
    for line in commands_named(page):
        name, *given = shlex.split(line.partition(" > ")[0], comments=True)
        command = group.commands.get(name)
        assert command is not None, line
        given = [each for each in given if each not in ("...", "…")]
        parser_of(command).parse_args(given)


def parser_of(command: typer.core.TyperCommand) -> Any:
    """Its parser, which is asked for options alone: what a sentence leaves out may be missing."""
    context = command.make_context(command.name, [], resilient_parsing=True)
    context.resilient_parsing = False
    return command.make_parser(context)


def test_an_option_that_does_not_exist_is_noticed() -> None:
    page = "one may `trialsim run FILE --exactly`, or\n    trialsim oc 1/10,5/29 --p0 .1\n"
    assert [*INLINE.findall(page), *LISTED.findall(page)] == ["run FILE --exactly", "oc 1/10,5/29 --p0 .1"]
    parser = parser_of(typer.main.get_command(app).commands["run"])
    parser.parse_args(["FILE", "--exact"])
    with pytest.raises(Exception, match="--exactly"):
        parser.parse_args(["FILE", "--exactly"])


def test_every_kind_of_block_is_met() -> None:
    kinds = {block.kind.split()[0] for name in RUN for block in blocks(DOCS / name)}
    assert kinds >= {"console", "python", "text", "yaml", "in"}


def test_a_wrong_page_is_noticed() -> None:
    assert same("a\n...\nd", "a\nb\nc\nd\n")
    assert same("a\n...", "a")
    assert not same("a\n...\nd", "a\nb\nc")
    assert not same("a\nb", "a\nb\nc")
    assert not same("0.0471", "0.0472")


def test_links_lead_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")]:
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page: small letters, without punctuation, a hyphen for a space."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = [re.sub(r"\]\([^)]*\)", "]", head) for head in re.findall(r"^#+ +(.*)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w -]", "", head.strip().lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), ROOT / "README.md"], ids=lambda page: page.name)
def test_links_to_sections_lead_to_headings(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", text):
        where = page.parent / target if target else page
        if anchor.startswith("trialsim."):  # of a function, which Sphinx checks
            continue
        assert anchor in anchors(where), f"{page.name}: {target}#{anchor}"


def test_sections_that_are_named_exist() -> None:
    """A page that speaks of the section or heading "X" of a report means one that the report has."""
    told = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/trialsim/reporting").rglob("*.py")
    )
    named = {
        name
        for page in DOCS.glob("*.md")
        for name in re.findall(r'(?:section|heading)s?[^".]*"([A-Z][^"]+)"', page.read_text(encoding="utf-8"))
    }
    assert "Statistical section for the protocol" in {" ".join(name.split()) for name in named}
    assert [name for name in named if " ".join(name.split()) not in told] == []


FILE = re.compile(r"`((?:[\w.*-]+/)+[\w.*-]*|[\w-]+\.py)`")
"""A file or folder, as pages name it: with its folder, or a file of the program."""

WRITTEN = re.compile(r"runs/|tables/|docs/_build$|.*\bNAME\b")
"""What only a run or a build writes, or a reader will."""


@pytest.mark.parametrize("page", ["*.md", "decisions/*.md"])
def test_files_that_are_named_exist(page: str) -> None:
    homes = [ROOT, ROOT / "src", ROOT / "src" / "trialsim", DOCS]
    missing = []
    for path in DOCS.glob(page):
        for name in FILE.findall(path.read_text(encoding="utf-8")):
            known = any([*home.glob(name), *(home.rglob(name) if "/" not in name else ())] for home in homes)
            if not known and not WRITTEN.match(name) and name not in GONE:
                missing.append(f"{path.name}: {name}")
    assert not missing


GONE = {"reporting/content.py"}
"""What a decision says was there once."""


def test_the_house_has_the_floors_that_are_enforced() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    floors = [name.removeprefix("trialsim.") for layer in layers for name in layer.split(" | ")]
    page = (DOCS / "design.md").read_text(encoding="utf-8").partition("## Floors")[2]
    told = re.findall(r"^    (\w+)(?:/|\.py)  ", page, re.MULTILINE)
    assert told == [name for name in floors if name in told]
    assert set(floors) - {*told} == {"codes", "errors", "timing", "version"}


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {
        name for tree in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL) for name in tree.split()
    }
    assert {page.stem for page in DOCS.glob("*.md")} - {"index"} <= listed


def test_the_reference_has_every_public_name() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\.\. auto\w+:: (\w+)", page, re.MULTILINE))
    assert set(trialsim.__all__) - {"__version__"} <= named


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    """The script that writes the generated parts of the pages."""
    found = importlib.util.spec_from_file_location("generated", DOCS / "generated.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_generated_tables_are_current(generated: ModuleType) -> None:
    assert [page.name for page in generated.stale()] == [], "make pages"


def test_a_page_that_is_behind_is_noticed(generated: ModuleType) -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert generated.page_with(page, "another help") != page


NEVER_WRITTEN = {("Bop2", "nmax"), ("Bop2Toxicity", "nmax")}
"""Keys of the schema that a scenario is refused with: there the looks state the largest n."""


def test_the_scenario_page_has_every_key_of_the_schema_with_an_example(generated: ModuleType) -> None:
    schema = json.loads(schema_text())
    places = generated._places(schema, schema["$defs"])
    blocks_of_keys = {name: block for name, block in schema["$defs"].items() if "properties" in block}
    assert {*blocks_of_keys} == {*places}
    page = (DOCS / "scenario.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (`[^\n]*)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    for name, block in blocks_of_keys.items():
        section = sections[generated._title(block, places[name])]
        shown = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", section.replace("\\|", ""), re.MULTILINE))
        assert [*shown] == [key for key in block["properties"] if key != "kind"]
        without = {(name, key) for key, example in shown.items() if not example.strip()}
        assert without <= NEVER_WRITTEN, "add it to docs/examples/every-key.yaml, then make pages"


NOT_A_FIGURE = {
    "__init__", "drawn", "labels", "map_cases", "marks", "sensitivity", "style", "words",
}  # fmt: skip
"""Files of figures/ that draw nothing by themselves."""


def test_the_gallery_has_every_figure_once() -> None:
    figures = {path.stem for path in (ROOT / "src/trialsim/figures").glob("*.py")} - NOT_A_FIGURE
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^:alt: .*: figure (\w+)$", page, re.MULTILINE)) == sorted(figures)


@pytest.mark.parametrize("path", sorted(DOCS.glob("examples/*.yaml")), ids=lambda path: path.stem)
def test_an_example_of_keys_is_a_scenario(path: Path) -> None:
    """Every variant too: it is compiled, with the searches that it asks for."""
    scenario = trialsim.load(path)
    for trial in (scenario, *variants(scenario).values()):
        assert compile_rules(trial).looks.n


def test_the_methods_have_every_kind_of_design_and_rule() -> None:
    kinds = set(re.findall(r'"kind": \{\s*"const": "(\w+)"', schema_text())) - {
        "simon",
        "single_stage",
        "none",
    }
    assert len(kinds) > 15
    page = (DOCS / "methods.md").read_text(encoding="utf-8")
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in page] == []


def test_notation_has_every_quantity_and_its_label() -> None:
    page = (DOCS / "notation.md").read_text(encoding="utf-8")
    for q in QUANTITIES:
        written = label(q.names(1, 1)[0]).replace("|", r"\|")  # in a cell of a table
        row = rf"^\| `{q.name}` \| {re.escape(written)} \|"
        first = re.escape(f"`{q.names(1, 1)[0]}`")
        assert re.search(row if q.per == "trial" else first, page, re.MULTILINE), q.name


CITED = re.compile(r"^<!-- (\w+\.csv): (.*?) where (.*?) -->\n(?:\|.*\n){2}((?:\|.*\n)+)", re.MULTILINE)


def test_numbers_of_other_programs_are_those_of_the_reference_tables() -> None:
    """A table after ``<!-- FILE.csv: COLUMN ... where KEY=VALUE ... -->`` has these columns of such rows."""
    cited = CITED.findall((DOCS / "coming-from.md").read_text(encoding="utf-8"))
    assert len(cited) == 5
    for file, columns, where, table in cited:
        keys = [part.split("=") for part in where.split()]
        known = [row for row in rows(file) if all(equal(row[key], value) for key, value in keys)]
        for line in table.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            shown = dict(zip(columns.split(), cells, strict=True))
            assert any(all(equal(row[key], cell) for key, cell in shown.items()) for row in known), (
                file,
                line,
            )


def equal(printed: str, shown: str) -> bool:
    """Whether a number of a table, rounded as it is shown, is the number shown; or the same words."""
    try:
        digits = len(shown.partition(".")[2])
        return f"{float(printed):.{digits}f}" == f"{float(shown):.{digits}f}"
    except ValueError:
        return printed == shown
