"""Pages in a real browser: what a page says of itself, axe-core's rules, and printing."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import shutil
import subprocess
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
    flags = ("--window-size=1200,900", "--virtual-time-budget=60000", "--dump-dom")
    done = chromium(folder, *flags, f"file://{path}")
    found = re.search(r'<pre id="answer">(.*?)</pre>', done, re.DOTALL)
    assert found, done[-500:]
    return json.loads(html.unescape(found[1]))


def axe(page: str, folder: Path) -> Any:
    """What axe-core finds on a page that is open to scripts, and the outline of each place that takes the focus."""
    assert AXE is not None and AXE.origin is not None
    rules = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    return answer_of(
        page.replace("</body>", f"{PLAIN}<script>{rules}</script><script>{LOOK}</script></body>"), folder
    )


def print_to_pdf(page: Path, pdf: Path) -> None:
    """Print a page as the browser does."""
    chromium(pdf.parent, f"--print-to-pdf={pdf}", page.as_uri())
