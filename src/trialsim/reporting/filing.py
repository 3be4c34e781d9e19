"""An answer as a folder: its report in every form, its numbers, and what is needed to work it out again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trialsim.answers import Answer
from trialsim.reporting.saying import report_of
from trialsim.results import digits12
from trialsim.timing import Clock
from trialsim.version import __version__
from trialsim.writing.csv import to_csv
from trialsim.writing.folder import to_json, write

SCHEMA = 1
"""Version of the layout of ``results.json``."""


def results_json(answer: Answer, texts: Mapping[str, str], asked: Mapping[str, Any]) -> bytes:
    """The content of ``results.json``.

    Parameters
    ----------
    texts : the scenario files that the answer is about, by the name under which they are kept.
    asked : what else decides the answer: the keywords of the function that works it out.
    """
    about = {"schema": SCHEMA, "kind": answer.kind, "trialsim": __version__}
    return to_json(digits12({**about, "asked": dict(asked), **answer.to_dict(), "texts": dict(texts)}))


def write_answer(
    answer: Answer,
    folder: str | os.PathLike[str],
    *,
    texts: Mapping[str, str],
    asked: Mapping[str, Any],
    clock: Clock | None = None,
    jobs: int | None = None,
    force: bool = False,
    docx: bool = False,
    full: bool = False,
) -> Path:
    """Write an answer as a folder, and return the path of its page; keywords as for ``writing.folder.write``."""
    return write(
        report_of(answer),
        folder,
        results=results_json(answer, texts, asked),
        tables={name: to_csv(rows) for name, rows in answer.tables().items()},
        texts=texts,
        clock=clock,
        jobs=jobs,
        force=force,
        docx=docx,
        full=full,
    )
