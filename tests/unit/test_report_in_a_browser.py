"""The page in a real browser: axe-core's rules, contrast, keyboard focus, and nothing cut off on a telephone.

Runs where chromium is installed, with the axe-core that the package axe-core-python carries; else it is skipped.
"""

from __future__ import annotations

import html
import importlib.util
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.property.test_command_line import run

CONFIGS = Path(__file__).parents[2] / "configs"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = importlib.util.find_spec("axe_core_python")

pytestmark = pytest.mark.skipif(
    BROWSER is None or AXE is None, reason="needs chromium and the package axe-core-python"
)

PLAIN = "<style>.scroll { background: #fff !important; }</style>"
"""Without the shadows at the sides of tables, behind which axe cannot tell the contrast."""

LOOK = """
const answer = document.createElement("pre");
answer.id = "answer";
const focus = [...document.querySelectorAll("a, [tabindex='0']")].map(place => {
  place.focus();
  const style = getComputedStyle(place);
  const here = document.activeElement === place;
  return [place.outerHTML.slice(0, 80), here && style.outlineStyle, style.outlineWidth];
});
axe.run(document, {resultTypes: ["violations", "incomplete"]}).then(found => {
  const told = rules => rules.map(rule => [rule.id, rule.nodes.length, rule.nodes.map(node => node.html.slice(0, 99))]);
  answer.textContent = JSON.stringify({
    violations: told(found.violations), incomplete: told(found.incomplete),
    passes: found.passes.map(rule => rule.id), focus: focus,
  });
  document.body.append(answer);
});
"""

NARROW = """
<script>addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument, answer = document.createElement("pre");
  answer.id = "answer";
  answer.textContent = JSON.stringify({
    width: page.documentElement.clientWidth, wide: page.documentElement.scrollWidth,
    clipped: [...page.querySelectorAll("p, h1, h2, h3, li, dd, figcaption, caption span")]
      .filter(part => part.getBoundingClientRect().right > 390 || part.scrollWidth > part.clientWidth + 1)
      .map(part => part.outerHTML.slice(0, 120)),
    images: [...page.images].filter(image => !image.naturalWidth).length,
  });
  document.body.append(answer);
})</script>
"""


def answer_of(page: str, folder: Path) -> Any:
    """What a page says of itself in ``<pre id="answer">`` once it is loaded."""
    path = folder / "looked-at.html"
    path.write_text(page, encoding="utf-8")
    flags = (
        "headless no-sandbox disable-gpu no-first-run disable-background-networking disable-component-update "
        "disable-sync window-size=1200,900 virtual-time-budget=60000 dump-dom"
    )
    command = [str(BROWSER), *(f"--{flag}" for flag in flags.split())]
    command += [f"--user-data-dir={folder / 'browser'}", f"file://{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout
    found = re.search(r'<pre id="answer">(.*?)</pre>', done, re.DOTALL)
    assert found, done[-500:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module", params=["teaching", pytest.param("dasatinib", marks=pytest.mark.slow)])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a run, open to scripts."""
    return _page(request.param, tmp_path_factory.mktemp("run"))


@cache
def _page(name: str, folder: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trialsim.figures.DPI", 40)
        command = [
            "run",
            str(CONFIGS / f"{name}.yaml"),
            "-o",
            str(folder / "run"),
            "--replicates",
            "500",
            "-q",
        ]
        assert run(command, patch) == 0
    text = (folder / "run" / "report.html").read_text(encoding="utf-8")
    closed, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    assert count == 1
    return closed


def test_axe_finds_no_violation(page: str, tmp_path: Path) -> None:
    assert AXE is not None and AXE.origin is not None
    axe = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    looked = page.replace("</body>", f"{PLAIN}<script>{axe}</script><script>{LOOK}</script></body>")
    found = answer_of(looked, tmp_path)
    assert found["violations"] == []
    assert {"color-contrast", "image-alt", "region", "landmark-one-main", "heading-order", "bypass"} <= set(
        found["passes"]
    )
    # where a cell stands for several rows axe cannot tell what is behind it; its colours are those of any other cell
    unsure = [node for rule, _, nodes in found["incomplete"] if rule == "color-contrast" for node in nodes]
    assert all(node.startswith("<td rowspan=") for node in unsure)
    assert len(found["focus"]) > 20
    assert [place for place in found["focus"] if place[1:] != ["solid", "2px"]] == []


def test_axe_would_find_one(page: str, tmp_path: Path) -> None:
    assert AXE is not None and AXE.origin is not None
    axe = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    worse = re.sub(r' alt="[^"]*"', "", page, count=1).replace("--soft: #54585f", "--soft: #b0b4ba")
    found = answer_of(
        worse.replace("</body>", f"{PLAIN}<script>{axe}</script><script>{LOOK}</script></body>"), tmp_path
    )
    assert {rule for rule, *_ in found["violations"]} >= {"image-alt", "color-contrast"}


def test_nothing_is_cut_off_at_the_width_of_a_telephone(page: str, tmp_path: Path) -> None:
    frame = f'<iframe width="405" height="800" style="border: 0" srcdoc="{html.escape(page)}"></iframe>'
    found = answer_of(f"<!DOCTYPE html><body>{frame}{NARROW}</body>", tmp_path)
    assert found["wide"] == found["width"] == 390  # the frame has a scroll bar
    assert found["clipped"] == []
    assert found["images"] == 0
