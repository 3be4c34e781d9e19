"""A commented example scenario to start from."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from trialsim.errors import OutputError


def init(path: str | os.PathLike[str] = "scenario.yaml") -> Path:
    """Write a commented example scenario to start from, and return its path; an existing file is left alone.

    Raises
    ------
    OutputError : the file exists, or cannot be written.
    """
    target = Path(path)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(files("trialsim.scenario").joinpath("example.yaml").read_text(encoding="utf-8"))
    except FileExistsError:
        raise OutputError(f"{target} exists; choose another name") from None
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from None
    return target
