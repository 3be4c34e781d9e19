"""Pages in a real browser: what a page says of itself, axe-core's rules, and printing."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.helpers import HANG, wait_until

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


SEND = """
<script>{
  const send = () => {
    const answer = document.querySelector("#answer");
    return answer && fetch("/", {method: "POST", body: answer.textContent});
  };
  send() || new MutationObserver((_, watch) => send() && watch.disconnect())
    .observe(document, {childList: true, subtree: true});
}</script>
"""
"""Sends the answer as soon as it stands on the page, however long that takes on a busy machine."""


def command(folder: Path, *flags: str) -> list[str]:
    """Chromium with what every test wants of it; it keeps what it needs below ``folder``."""
    always = (
        "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
        "disable-component-update disable-sync"
    )
    profile = f"--user-data-dir={folder / 'browser'}"
    return [str(CHROMIUM), *(f"--{flag}" for flag in always.split()), profile, *flags]


def open_to_scripts(page: str) -> str:
    """A page without the policy that keeps scripts out."""
    opened, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert count == 1
    return opened


def answer_of(page: str, folder: Path) -> Any:
    """What a page says of itself in ``<pre id="answer">`` as soon as that is there."""
    answers: list[bytes] = []

    class Desk(BaseHTTPRequestHandler):
        """Gives the page out, and takes its answer in."""

        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page + SEND).encode() if self.path == "/" else b"")

        def do_POST(self) -> None:
            answers.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        process = subprocess.Popen(
            command(folder, "--window-size=1200,900", address),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert wait_until(lambda: bool(answers), process), "the browser ended without an answer"
        finally:
            process.terminate()
            process.wait(timeout=HANG)
            server.shutdown()
    return json.loads(answers[0])


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
    asked = command(pdf.parent, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    subprocess.run(asked, capture_output=True, timeout=HANG, check=True)
