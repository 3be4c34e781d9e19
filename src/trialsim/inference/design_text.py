"""A design written in a few signs: 1/25,6/70 stops if responses <= 1 of 25 and goes if responses > 6 of 70."""

from __future__ import annotations

import re

from trialsim.designs.rules import DECISION_WORDS, Looks, two_way
from trialsim.designs.spec import MAX_PATIENTS
from trialsim.errors import DesignError
from trialsim.given import clip

LOOK = r"(\d+|[-–−])(?::(\d+))?/(\d+)"
"""One look: STOP/N or STOP:GO/N; a dash for no stop."""


def looks_from(text: str) -> Looks:
    """Looks from text: STOP/N at each look, the last one R/N; STOP:GO/N where responses > GO also end in a go.

    A dash for STOP: no stop for futility at that look. Looks are parted by blanks, as `find` writes them, or commas.

    Raises:
        DesignError: what is written is no design; the sentence names the part.
    """
    stops: list[int] = []
    goes: list[int | None] = []
    sizes: list[int] = []
    for part in _parts(text):
        match = re.fullmatch(LOOK, part)
        if not match:
            raise DesignError(_no_look(part))
        stop = int(match[1]) if match[1].isdecimal() else -1
        go, n = (int(match[2]) if match[2] else None), int(match[3])
        if n > MAX_PATIENTS:
            raise DesignError(f"{clip(part)!r}: a trial has at most {MAX_PATIENTS:,} patients")
        if sizes and n <= sizes[-1]:
            raise DesignError(f"looks must grow: {n} patients follow {sizes[-1]}")
        if not stop < n or (go is not None and not stop <= go <= n):
            swapped = f"; did you mean {n}/{stop}? Patients come last" if go is None and stop > n else ""
            raise DesignError(f"{part!r}: cut-offs must be below the {n} patients, and STOP <= GO{swapped}")
        stops.append(stop)
        goes.append(go)
        sizes.append(n)
    if goes[-1] is not None:
        raise DesignError("the last look has one cut-off: go if responses are above it")
    if stops[-1] < 0:
        raise DesignError("the last look needs its cut-off: go if responses are above it")
    goes[-1] = stops[-1]
    looks = two_way(tuple(sizes), tuple(stops), tuple(goes))
    for k, n in enumerate(sizes[:-1]):
        if k + 1 not in looks.next[k]:
            raise DesignError(f"no number of responses among {n} patients leads on to the next look")
    return looks


def _parts(text: str) -> list[str]:
    """The looks of a text, each without blanks."""
    close = re.sub(r"\s*([/:])\s*", r"\1", text)
    parts = [part for part in re.split(r"[\s,;]+", close) if part]
    if not parts:
        raise DesignError("no design is written: write R1/N1 R/N, such as 1/25 6/70")
    return parts


def _no_look(part: str) -> str:
    if part.startswith("?"):
        return f"{part!r} is more than a cut-off: state the design in a scenario file (`kind: rules`)"
    if "(toxic" in part or part == "<" or part.endswith(")"):
        return "cut-offs for toxicity (toxic < b) cannot be written here: state the design in a scenario file"
    return (
        f"{clip(part)!r} is not a look: write R1/N1 R/N such as 1/25 6/70, with STOP:GO/N for an early go and -/N "
        "for a look that does not stop"
    )


def design_words(looks: Looks) -> str:
    """What each number of responses leads to at each look."""
    words = []
    for k, n in enumerate(looks.n):
        runs = [f"{a}-{b} {DECISION_WORDS.get(d) or f'on to {looks.n[d]}'}" for a, b, d in looks.ranges(k)]
        words.append(f"after {n}: {', '.join(runs)}")
    return "; ".join(words)
