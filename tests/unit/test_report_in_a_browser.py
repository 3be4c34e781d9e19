"""The page in a real browser: axe-core's rules, contrast, keyboard focus, and nothing cut off on a telephone.

Runs where chromium is installed, with the axe-core that the package axe-core-python carries; else it is skipped.
"""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

import pytest

from tests.browser import answer_of, axe, open_to_scripts
from tests.helpers import CONFIGS, run

pytestmark = pytest.mark.browser

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


@pytest.fixture(scope="module", params=["teaching", pytest.param("dasatinib", marks=pytest.mark.slow)])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a run, open to scripts."""
    return _page(request.param, tmp_path_factory.mktemp("run"))


@cache
def _page(name: str, folder: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trialsim.figures.drawn.DPI", 40)
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
    return open_to_scripts(text)


def test_axe_finds_no_violation(page: str, tmp_path: Path) -> None:
    found = axe(page, tmp_path)
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
    worse = re.sub(r' alt="[^"]*"', "", page, count=1).replace("--soft: #54585f", "--soft: #b0b4ba")
    found = axe(worse, tmp_path)
    assert {rule for rule, *_ in found["violations"]} >= {"image-alt", "color-contrast"}


def test_nothing_is_cut_off_at_the_width_of_a_telephone(page: str, tmp_path: Path) -> None:
    frame = f'<iframe width="405" height="800" style="border: 0" srcdoc="{html.escape(page)}"></iframe>'
    found = answer_of(f"<!DOCTYPE html><body>{frame}{NARROW}</body>", tmp_path)
    assert found["wide"] == found["width"] == 390  # the frame has a scroll bar
    assert found["clipped"] == []
    assert found["images"] == 0
