"""The page "From R" in real R, where R and its packages are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import HANG, ROOT

PAGE = (ROOT / "docs" / "from-r.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"^```r\n(.*?)^```$.*?^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
"""Each script of the page, and what the page says it prints."""

NEEDED = {"command line": ("jsonlite",), "reticulate": ("jsonlite", "reticulate")}


def missing(packages: tuple[str, ...]) -> str:
    """What of R is not installed here, for the reason of a skip; "" if all is."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "needs R"
    for package in packages:
        asked = [rscript, "-e", f"quit(status = !requireNamespace('{package}', quietly = TRUE))"]
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            return f"needs the R package {package}"
    return ""


@pytest.mark.parametrize(("way", "number"), [("command line", 0), ("reticulate", 1)])
def test_the_page_prints_what_it_says(way: str, number: int, tmp_path: Path) -> None:
    if reason := missing(NEEDED[way]):
        pytest.skip(reason)
    script, shown = SCRIPTS[number]
    (tmp_path / "script.R").write_text(script, encoding="utf-8")
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "RETICULATE_PYTHON": sys.executable,
    }
    done = subprocess.run(
        ["Rscript", "script.R"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == shown.strip()


def test_the_script_to_copy_is_that_of_the_page() -> None:
    script = (ROOT / "docs" / "from_r.R").read_text(encoding="utf-8")
    assert script.partition("\n")[2] == SCRIPTS[0][0]
