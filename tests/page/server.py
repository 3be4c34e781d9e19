"""The page served for a test: a process of its own in an empty folder, and a browser that looks at it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.browser import CHROMIUM
from tests.helpers import HANG

MISSING = (
    "needs chromium"
    if CHROMIUM is None
    else "needs the package playwright"
    if importlib.util.find_spec("playwright") is None
    else ""
)
"""Why no browser test of the page can be run; "" if they can."""


class Served:
    """A server that listens: its address, its folder, and what it has said."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, address: str, errors: Path) -> None:
        self.process, self.folder, self.address, self._errors = process, folder, address, errors

    @property
    def errors(self) -> str:
        """What it has written to the error stream."""
        return self._errors.read_text(encoding="utf-8")

    @property
    def websocket(self) -> str:
        """Where a session is begun."""
        return self.address.replace("http", "ws") + "websocket/"

    def memory(self) -> int:
        """Bytes that it holds (Linux)."""
        status = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii")
        return int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Served]:
    """The page at a free port of this machine, served from an empty folder."""
    home, errors = folder / "home", folder / "errors.txt"
    home.mkdir()
    command = [sys.executable, "-m", "trialsim", "app", *arguments, "--no-browser"]
    with errors.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=stream, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), errors.read_text(encoding="utf-8")
        yield Served(process, home, address, errors)
    finally:
        process.terminate()
        process.wait(timeout=HANG)
        process.stdout.close()


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Chromium under Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield opened
        finally:
            opened.close()
