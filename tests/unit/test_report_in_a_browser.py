"""Pages in a real browser: axe-core's rules, contrast, keyboard focus, nothing cut off on a telephone, and printing.

Runs where chromium is installed, with the axe-core that the package axe-core-python carries; else it is skipped.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import trialsim
from tests.browser import answer_of, looks, print_to_pdf
from tests.helpers import ANSWERS, CONFIGS, config, run
from trialsim.writing.html import html

pytestmark = pytest.mark.browser

RULES = {"color-contrast", "region", "landmark-one-main", "heading-order", "bypass"}
"""Rules of axe that say something of every page."""


@pytest.fixture(scope="module")
def pages(answers: dict[str, Path]) -> dict[str, str]:
    """The page of every answer."""
    found = {name: (folder / "report.html").read_text(encoding="utf-8") for name, folder in answers.items()}
    return {**found, "protocol": html(trialsim.protocol(config("two-cohorts")).report())}


@pytest.fixture(scope="module")
def seen(pages: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each says of itself, and one of them that was made worse."""
    worse = re.sub(r' alt="[^"]*"', "", pages["analyse"], count=1).replace(
        "--soft: #54585f", "--soft: #b0b4ba"
    )
    worse = worse.replace("<h1>", '<h1 style="width: 500px">')
    return looks({**pages, "worse": worse}, tmp_path_factory.mktemp("browser"))


def sound(found: dict[str, Any]) -> None:
    """A page without a violation, on which a keyboard reaches every place visibly and nothing is cut off."""
    assert found["violations"] == []
    assert set(found["passes"]) >= RULES
    # where a cell stands for several rows axe cannot tell what is behind it; its colours are those of any other cell
    unsure = [node for rule, _, nodes in found["incomplete"] if rule == "color-contrast" for node in nodes]
    assert all(node.startswith("<td rowspan=") for node in unsure), unsure
    assert found["focus"]
    assert [place for place in found["focus"] if place[1:] != ["solid", "2px"]] == []
    assert found["wide"] == found["width"] == 390  # the frame has a scroll bar
    assert found["clipped"] == []
    assert found["images"] == 0


@pytest.mark.parametrize("name", [*ANSWERS, "protocol"])
def test_the_page_of_every_answer_is_for_everyone(seen: dict[str, Any], name: str) -> None:
    sound(seen[name])


@pytest.mark.slow
def test_the_page_of_a_long_run_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound(
        looks({"run": page_of("dasatinib", tmp_path, monkeypatch).read_text(encoding="utf-8")}, tmp_path)[
            "run"
        ]
    )


def test_a_violation_would_be_found(seen: dict[str, Any]) -> None:
    found = seen["worse"]
    assert {rule for rule, *_ in found["violations"]} >= {"image-alt", "color-contrast"}
    assert found["clipped"] and found["wide"] > found["width"]


def page_of(name: str, folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """The page of a run of a scenario of configs/."""
    path = next(CONFIGS.rglob(f"{name}.yaml"))
    command = ["run", str(path), "-o", str(folder / name), "--replicates", "500", "-q"]
    assert run(command, patch) == 0
    return folder / name / "report.html"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs pdftotext")
@pytest.mark.parametrize("name", ["dasatinib", "two-cohorts", "w05-restart-at-70-mg", "w22-joint-design"])
def test_the_first_page_is_one_page_when_printed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = tmp_path / "report.pdf"
    print_to_pdf(page_of(name, tmp_path, monkeypatch), pdf)

    def printed(number: int) -> str:
        command = ["pdftotext", "-f", str(number), "-l", str(number), str(pdf), "-"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    first = " ".join(printed(1).split())
    assert first.endswith("are assumed, defaults or unsourced.")
    assert printed(2).startswith("Statistical section for the protocol")


PART = """
<body style="margin: 0"><p id="outside">Outside.</p>PART<script>
const answer = document.createElement("pre"), part = document.querySelector(".trialsim");
const style = (what, of) => getComputedStyle(typeof what === "string" ? part.querySelector(what) : what)[of];
answer.id = "answer";
answer.textContent = JSON.stringify({
  ink: style(part, "color"), font: style(part, "fontFamily"), title: style(".title", "fontWeight"),
  kind: style(".kind", "color"), table: style("table", "borderCollapse"), box: style(".box", "borderTopStyle"),
  outside: getComputedStyle(document.querySelector("#outside")).fontFamily,
  page: getComputedStyle(document.body).padding,
});
document.body.append(answer);
</script></body>
"""


def test_in_a_notebook_the_style_is_that_of_the_page_and_stays_inside(tmp_path: Path) -> None:
    part = html(trialsim.run(config("teaching"), exact=True).report(), part=True)
    found = answer_of(PART.replace("PART", part), tmp_path)
    assert found["ink"] == "rgb(27, 29, 33)" and found["kind"] == "rgb(84, 88, 95)"
    assert found["font"].startswith("Charter") and not found["outside"].startswith("Charter")
    assert found["title"] == "600" and found["table"] == "collapse" and found["box"] == "solid"
    assert found["page"] == "0px"
