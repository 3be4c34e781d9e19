"""Pages in a real browser: what a page says of itself, axe-core's rules, and printing."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.helpers import HANG

CHROMIUM = shutil.which("chromium")
AXE = importlib.util.find_spec("axe_core_python")
MISSING = "needs chromium" if CHROMIUM is None else "needs the package axe-core-python" if AXE is None else ""
"""Why no browser test can be run; "" if they can."""

PLAIN = "<style>.scroll { background: #fff !important; }</style>"
"""Without the shadows at the sides of tables, behind which axe cannot tell the contrast."""

LOOK = """
const told = rules => rules.map(rule => [rule.id, rule.nodes.length, rule.nodes.map(node => node.html.slice(0, 99))]);
addEventListener("load", async () => {
  const root = document.documentElement, found = {
    width: root.clientWidth, wide: root.scrollWidth,
    clipped: [...document.querySelectorAll("p, h1, h2, h3, li, dd, figcaption, caption span")]
      .filter(part => part.getBoundingClientRect().right > root.clientWidth || part.scrollWidth > part.clientWidth + 1)
      .map(part => part.outerHTML.slice(0, 120)),
    images: [...document.images].filter(image => !image.naturalWidth).length,
  };
  frameElement.width = 1200;
  document.querySelectorAll("details").forEach(part => part.open = true);
  found.focus = [...document.querySelectorAll("a, summary, [tabindex='0']")].map(place => {
    place.focus();
    const style = getComputedStyle(place), here = document.activeElement === place;
    return [place.outerHTML.slice(0, 80), here && style.outlineStyle, style.outlineWidth];
  });
  const rules = await axe.run(document, {resultTypes: ["violations", "incomplete"]});
  found.violations = told(rules.violations);
  found.incomplete = told(rules.incomplete);
  found.passes = rules.passes.map(rule => rule.id);
  parent.next(found);
});
"""
"""What a page in a frame as wide as a telephone says of itself: what is cut off; then, wider, focus and axe's rules."""

FRAMES = """
const answers = {}, names = Object.keys(pages);
window.next = found => {
  if (found) answers[names.shift()] = found;
  document.querySelector("iframe")?.remove();
  const frame = document.createElement("iframe");
  if (names.length) {
    Object.assign(frame, {width: 405, height: 800, srcdoc: pages[names[0]]});
    frame.style.border = 0;
    document.body.append(frame);
  } else {
    const answer = document.createElement("pre");
    answer.id = "answer";
    answer.textContent = JSON.stringify(answers);
    document.body.append(answer);
  }
};
window.next();
"""
"""The pages in frames, one after another."""


def chromium(folder: Path, *flags: str) -> str:
    """What chromium prints; it keeps what it needs below ``folder``."""
    always = (
        "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
        "disable-component-update disable-sync"
    )
    command = [
        str(CHROMIUM),
        *(f"--{flag}" for flag in always.split()),
        f"--user-data-dir={folder / 'browser'}",
    ]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=HANG, check=True)
    return done.stdout


def open_to_scripts(page: str) -> str:
    """A page without the policy that keeps scripts out."""
    opened, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert count == 1
    return opened


def answer_of(page: str, folder: Path) -> Any:
    """What a page says of itself in ``<pre id="answer">`` once it is loaded."""
    path = folder / "looked-at.html"
    path.write_text(page, encoding="utf-8")
    flags = ("--window-size=1200,900", "--virtual-time-budget=600000", "--dump-dom")
    done = chromium(folder, *flags, f"file://{path}")
    found = re.search(r'<pre id="answer">(.*?)</pre>', done, re.DOTALL)
    assert found, done[-500:]
    return json.loads(html.unescape(found[1]))


def looks(pages: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """What each page says of itself, by its name: see ``LOOK``. The browser is started once."""
    assert AXE is not None and AXE.origin is not None
    rules = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    scripts = f"{PLAIN}<script>{rules}</script><script>{LOOK}</script></body>"
    opened = {name: open_to_scripts(page).replace("</body>", scripts) for name, page in pages.items()}
    held = json.dumps(opened).replace("<", "\\u003c")
    found: dict[str, Any] = answer_of(
        f"<!DOCTYPE html><body><script>const pages = {held};{FRAMES}</script></body>", folder
    )
    return found


def print_to_pdf(page: Path, pdf: Path) -> None:
    """Print a page as the browser does."""
    chromium(pdf.parent, f"--print-to-pdf={pdf}", page.as_uri())
