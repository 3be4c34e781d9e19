"""User's words made fit to be drawn: one line, drawable characters only, no wider than the room there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font

from trialsim.scenario.every_design import without_own
from trialsim.scenario.model import Scenario

ELLIPSIS, MISSING = "…", "□"

_ASSUMED = {
    "design": ("design",),
    "toxicity rule": ("dose_reduction",),
    "evaluability": ("evaluability",),
    "response rates": ("truth.*.response",),
    "toxicity rates": ("truth.*.toxicity",),
}


@cache
def _font() -> FT2Font:
    # the font that ships with matplotlib, so that widths and files are the same on every machine
    font = FT2Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"))
    font.set_size(100.0, 72.0)
    return font


@cache
def _drawable() -> frozenset[int]:
    return frozenset(_font().get_charmap())


def clean(text: str) -> str:
    """One line without control characters; what the font cannot draw becomes a box."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(character)
        if kind[0] == "Z" or kind == "Cc":
            kept.append(" ")
        elif kind[0] != "C":
            kept.append(character if ord(character) in _drawable() else MISSING)
    return " ".join("".join(kept).split())


@cache
def _advance(character: str) -> float:
    """Width of one character in units of the font size."""
    return float(_font().load_char(ord(character)).linearHoriAdvance) / 65536 / 100


def width(text: str, size: float = 7.0) -> float:
    """Width in cm of clean text at a font size in points."""
    return sum(map(_advance, text)) * size * 2.54 / 72


def fit(text: str, room: float, size: float = 7.0) -> str:
    """``text``, clean and at most ``room`` cm wide; what is cut is the middle, since names often differ at the end."""
    text = clean(text)
    if width(text, size) <= room:
        return text
    low, high = 1, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(_cut(text, middle), size) <= room else (low, middle - 1)
    return _cut(text, low)


def _cut(text: str, keep: int) -> str:
    tail = keep // 3
    return text[: keep - tail].rstrip() + ELLIPSIS + (text[-tail:].lstrip() if tail else "")


def names_within(names: Sequence[str], room: float, size: float = 7.0) -> list[str]:
    """Names shortened to ``room`` cm; a number in front where shortening would make two of them the same."""
    short = [fit(name, room, size) for name in names]
    unreadable = any(2 * name.count(MISSING) > len(name) for name in short)
    if len(set(short)) == len(short) and all(short) and not unreadable:
        return short
    return [fit(f"{k}. {name}", room, size) for k, name in enumerate(names, start=1)]


def wrap(text: str, room: float, size: float = 7.0, most: int = 6) -> list[str]:
    """Clean text as lines of at most ``room`` cm; the last of ``most`` lines ends in an ellipsis if more follows."""
    lines: list[str] = []
    words = clean(text).split(" ")
    while words:
        line = fit(words.pop(0), room, size)
        while words and width(f"{line} {words[0]}", size) <= room:
            line = f"{line} {words.pop(0)}"
        lines.append(line)
        if len(lines) == most and words:
            lines[-1] = fit(f"{line} {' '.join(words)}", room, size)
            break
    return lines


def sentence(words: str) -> str:
    """Words with a capital at the start; the rest, which may be a name, as it is."""
    return words[:1].upper() + words[1:]


def at_once(scenario: Scenario) -> str:
    """What a figure without dates says in a report of a trial in calendar time."""
    if scenario.own_rules:
        who = "One dose" if scenario.from_start else "One cohort"
        who = who if not scenario.designs else f"Cohort {without_own(scenario)}"
        return f" {who} by itself, every outcome taken as known at once."
    return " Every outcome taken as known at once: without calendar time." if scenario.conduct else ""


def assumed(scenario: Scenario, *topics: str) -> str:
    """``Assumed: design, toxicity rates.`` for those topics that the scenario marks as assumed; "" if none is."""
    marked = [path for path, source in scenario.sources.items() if source.assumed]
    found = [topic for topic in topics if any(_about(path, topic) for path in marked)]
    return f" Assumed: {', '.join(found)}." if found else ""


def _about(path: str, topic: str) -> bool:
    for pattern in _ASSUMED[topic]:
        parts, wanted = path.split("."), pattern.split(".")
        # a source for the whole block speaks for its parts, and one for a part for the block
        if all(a == b or b == "*" for a, b in zip(parts, wanted, strict=False)):
            return True
    return False


def some(items: Sequence[str], room: float, size: float = 7.0) -> str:
    """As many of the items as fit into ``room`` cm, and how many more there are."""
    for keep in range(len(items), 0, -1):
        more = f" +{len(items) - keep}" if keep < len(items) else ""
        text = clean(", ".join(items[:keep])) + more
        if width(text, size) <= room:
            return text
    more = f" +{len(items) - 1}" if len(items) > 1 else ""
    return fit(items[0], max(room - width(more, size), 0.5), size) + more
