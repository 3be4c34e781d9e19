"""The pictures of the gallery: made by the commands that the page shows, anew if page or program change."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import trialsim

RUN = "import sys; from trialsim.cli import main; sys.argv[0] = 'trialsim'; main()"


def commands(page: str) -> list[list[str]]:
    """The commands that a page shows after ``$``, without the name of the program."""
    return [shlex.split(line)[1:] for line in re.findall(r"^\$ (.*)$", page, re.MULTILINE)]


def draw_gallery(page: Path, place: Path) -> None:
    """Run the commands of the page in ``place``/gallery, unless this very program has done so."""
    text = page.read_text(encoding="utf-8")
    program = sorted(Path(trialsim.__file__).parent.rglob("*.py"))
    digest = sha256(text.encode() + b"".join(file.read_bytes() for file in program)).hexdigest()
    gallery, done = place / "gallery", place / "gallery" / "made-by"
    if done.is_file() and done.read_text(encoding="utf-8") == digest:
        return
    shutil.rmtree(gallery, ignore_errors=True)
    gallery.mkdir(parents=True)
    root = page.parent.parent
    for arguments in commands(text):
        here = [str(root / word) if word.startswith("configs/") else word for word in arguments]
        made = subprocess.run(
            [sys.executable, "-c", RUN, *here], cwd=place, capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise SystemExit(f"trialsim {shlex.join(arguments)}\n{made.stderr}")
    done.write_text(digest, encoding="utf-8")
