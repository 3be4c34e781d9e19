"""What belonged to values that are gone: their sources, and the words at the ends of their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from trialsim.page.edits import Edits, Patch, same
from trialsim.scenario import words
from trialsim.scenario.faults import Finding
from trialsim.scenario.reading import Reader

OWN = ("kind", "p0", "p1", "alpha", "beta", "power")
"""Keys of a design whose comment stays while their value does: those of others speak of the design that was found."""

_COMMENT = re.compile(r"[ \t]+#[^\n]*")


def sources(unknown: Sequence[Finding], before: Sequence[Finding]) -> list[str]:
    """The keys of ``sources`` that name no input any more, but did before."""
    known = {finding.path for finding in before}
    return [str(finding.path[1]) for finding in unknown if finding.path not in known]


def without_sources(reader: Reader, data: Any, keys: Sequence[str]) -> list[Patch]:
    """The patches that take these sources out; all of the block where none is left."""
    left = {key: value for key, value in data["sources"].items() if key not in keys}
    return Edits(reader, data).set(("sources",), left or None)


def comments(reader: Reader, old: Any, new: Any) -> list[Patch]:
    """The patches that take the comments behind values of another design out of its lines."""
    if not isinstance(old, dict) or not isinstance(new, dict) or same(old, new):
        return []
    return list(_comments(reader, old, new))


def _comments(reader: Reader, old: dict[Any, Any], new: dict[Any, Any]) -> Iterator[Patch]:
    for path, span in reader.spans.items():
        if path[:1] != ("design",) or len(path) < 2:
            continue
        key = path[1]
        stays = key in OWN and same(old.get(key), new.get(key))
        if not stays and (found := _COMMENT.match(reader.text, span.end)):
            yield (found.start(), found.end(), "")


def told(keys: Sequence[str], comments: int) -> str:
    """What went with a change, in words; "" where nothing did."""
    said = []
    if keys:
        named = words.listed([f"`{key}`" for key in keys[:6]]) + (" and others" if len(keys) > 6 else "")
        said.append(f"the {'source' if len(keys) == 1 else 'sources'} of {named}")
    if comments:
        said.append(f"{comments} {'comment' if comments == 1 else 'comments'} in the lines of the design")
    return f"Taken out of the file with what was there before: {', and '.join(said)}." if said else ""
