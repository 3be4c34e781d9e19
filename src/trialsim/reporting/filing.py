"""An answer as a folder: its report in every form, its numbers, and what is needed to work it out again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from trialsim.answers import Answer
from trialsim.reporting.saying import csv_tables, document, report_of
from trialsim.timing import Clock
from trialsim.writing.folder import How, write
from trialsim.writing.seal import sealed


def results_json(answer: Answer, texts: Mapping[str, str], asked: Mapping[str, Any]) -> bytes:
    """The content of ``results.json``.

    Args:
        texts: the scenario files that the answer is about, by the name under which they are kept.
        asked: what else decides the answer: the keywords of the function that works it out.
    """
    return sealed({**document(answer, list(texts.values())), "asked": dict(asked), "texts": list(texts)})


def write_answer(
    answer: Answer,
    folder: str | os.PathLike[str],
    *,
    texts: Mapping[str, str],
    asked: Mapping[str, Any],
    clock: Clock | None = None,
    **how: Unpack[How],
) -> Path:
    """Write an answer as a folder, and return the path of its page; keywords as for ``writing.folder.write``."""
    return write(
        report_of(answer),
        folder,
        results=results_json(answer, texts, asked),
        tables=csv_tables(answer),
        texts=texts,
        clock=clock,
        **how,
    )
