"""Which numbers of a report are not numbers of its results.json: used by ``test_report_pack.py``.

What a report prints is taken apart into pieces of text. A piece loses the words that are not the report's own: those
of the scenario (names, notes, sources; all of it stands in results.json as ``scenario``), the digest, the version, and
sentences that results.json holds word for word. Every number that is left must be a rounding of a number of
results.json, by the digits that are printed; a whole number must be there as it is. What is said at a figure may also
be a number that this figure shows, which stands at it in results.json.
"""

from __future__ import annotations

import io
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from html.parser import HTMLParser
from typing import Any, NamedTuple

from trialsim.reporting.run.standards import STANDARDS, UNREAD

NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[−+-](?=\d))?(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<decimals>\.\d+)?"
    r"(?P<power>e[+-]?\d+)?(?P<percent>%)?(?!\w)"
)
"""A number in running text: p0, HER2 and NCT00371345 are none, 1/25 is two, 2,000 is one, −0.5 has its sign."""

OWN = [
    r"(Table|Figure) \d+\.",  # captions are counted
    r"p\(1 − p\)", r"1/(?=1024)", r"\[\d+\]",  # a formula; the tick's numerator; a place in a list
    r"from 5% to 95%", r"central 50, 80 and 95%",  # rates over which coverage is least; shades
    r"(Schell|others|Crowther|Kim|Mehta) \(?\d{4}\)?", r"ICH E9 \(R1\)", r"\b(19|20)\d\d;\d+:\d+-\d+\.",
    r"(?<=[a-z] )20\d\d(?=\.$)",  # literature
    *(re.escape(standard.source) for standard in STANDARDS), re.escape(UNREAD), r"^(5|12|17) (?=[A-Z][a-z]+$)",
    r"^\d+ (what-if questions|designs under)", r"(?<=panels of )\d+", r"^\d+ further values",  # counted
]  # fmt: skip
"""What the report says by itself that has a digit and is no result."""

HELD = ("check_notes", "disagreements")
"""Lists of sentences of results.json that are printed word for word."""

NAMED = ("origin", "rule", "design", "planned")
"""What in results.json stands in words, and is printed word for word."""

CONVENTIONS = (0.95, 1.96)
"""Every interval has this confidence, and reaches as many standard errors to either side."""

NOT_KNOWN = ("distributions", "data")
"""Long lists that no number of the text comes from, but at the figure that shows one: left out, so that nothing is
found there by chance."""

BLOCK = {"p", "li", "dt", "dd", "td", "th", "caption", "figcaption", "h1", "h2", "h3", "code", "title"}


class Printed(NamedTuple):
    """A number as a text has it.

    Attributes
    ----------
    text : as printed.
    value : what that says, a percentage as a proportion.
    step : one unit of the last digit that is printed.
    begin : where in the text it stands.
    """

    text: str
    value: float
    step: float
    begin: int

    @property
    def is_whole(self) -> bool:
        """Whether no digit was printed after the point: a count, or a rate in whole percent."""
        return "." not in self.text and "e" not in self.text

    def rounds(self, value: float) -> bool:
        """Whether ``value``, with or without its sign, would be printed like this; a whole number only itself."""
        slack = 1e-9 * max(1.0, abs(value)) if self.is_whole else 0.5 * self.step * (1 + 1e-6)
        near = abs(abs(value) - abs(self.value)) <= slack
        return near and not (self.text[0] == "−" and value > 0)


def printed(text: str) -> Iterator[Printed]:
    """Every number in a text, in order."""
    for found in NUMBER.finditer(text):
        digits = found["digits"].replace(",", "") + (found["decimals"] or "")
        power = int((found["power"] or "e0")[1:]) - (2 if found["percent"] else 0)
        decimals = len((found["decimals"] or ".")[1:])
        sign = "-" if found["sign"] in ("−", "-") else ""
        value = float(f"{sign}{digits}e{power}")
        yield Printed(found[0], value, 10.0 ** (power - decimals), found.start())


class Pieces(HTMLParser):
    """The text of a page, block by block, with alternative texts and labels."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = [""]
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag == "style"
        for key, value in attrs:
            if key in ("alt", "aria-label", "title"):
                self.found.append(value or "")
        if tag in BLOCK:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        if tag in BLOCK:
            self.found.append("")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found[-1] += data


def of_html(html: str) -> list[str]:
    """The pieces of text of a page."""
    return [piece for piece in Pieces(html).found if piece.strip()]


def of_docx(content: bytes) -> list[str]:
    """The pieces of text of a Word file: paragraphs, cells, alternative texts, header and footer."""
    import docx
    from docx.oxml.ns import qn

    file = docx.Document(io.BytesIO(content))
    parts = [file.element.body, file.sections[0].footer._element, file.sections[0].header._element]
    found = []
    for part in parts:
        for paragraph in part.iter(qn("w:p")):
            texts = (
                "\n" if t.tag == qn("w:br") else t.text or "" for t in paragraph.iter(qn("w:t"), qn("w:br"))
            )
            if paragraph.getparent().tag.endswith("ftr"):
                texts = (t.text or "" for r in paragraph.iterchildren(qn("w:r")) for t in r.iter(qn("w:t")))
            found.append("".join(texts))
        for about in part.iter(qn("wp:docPr")):
            found += [about.get("descr") or "", about.get("title") or ""]
    return [piece for piece in found if piece.strip()]


class Known:
    """The numbers of a results.json, and the words in it that are not the report's own."""

    def __init__(self, doc: dict[str, Any], texts: Iterable[str] = ()) -> None:
        texts = tuple(texts)
        self.doc, self.texts = doc, [text.strip() for text in (doc.get("scenario", ""), *texts)]
        self.numbers = sorted({*CONVENTIONS, *_numbers(doc), *_numbers([_yaml(text) for text in texts])})

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Strings with a digit that stand in results.json, longest first."""
        found = {f"trialsim {self.doc['trialsim']}", *_digests(self.doc)}
        found |= {string for text in self.texts for string in _strings(_yaml(text))}
        for key in HELD:
            found |= {re.sub("`([^`]*)`", r"“\1”", sentence) for sentence in self.doc.get(key, ())}
        found |= set(_named(self.doc))
        rows = (row for name in ("checks", "check_cells") for row in self.doc.get(name, ()))
        found |= {row["note"] for row in rows if row["note"]}
        cases = self.doc.get("cases", {})
        adjusted = [case.get("adjusted", {}) for case in cases.values()] if isinstance(cases, dict) else []
        found |= {row["plain_because"] for each in adjusted for row in each.values() if row["plain_because"]}
        trials = self.doc.get("examples", [self.doc])
        found |= {event["what"] for row in trials for event in row.get("events", ())}
        longest = sorted((text for text in found if re.search(r"\d", text)), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest)), re.IGNORECASE)

    def shown_at(self, text: str) -> list[float]:
        """The numbers of the figures that a text is a caption or an alternative text of, none for any other text."""
        data = [
            row["data"] for row in self.doc.get("figures", ()) if text == row["alt"] or row["caption"] in text
        ]
        return sorted({number for columns in data for number in _numbers(list(columns.values()))})

    def missing(self, piece: str) -> Iterator[Printed]:
        """The numbers of a piece of text that are not numbers of results.json."""
        text = piece.replace("\u00a0", " ").replace("‑", "-").strip()
        if text in self.texts or not re.search(r"\d", text):
            return
        shown = self.shown_at(text)
        text = self.words.sub("…", text)
        for own in OWN:
            text = re.sub(own, "…", text)
        text = re.sub(r"(\d+), (\d+) and (\d+)%", r"\1%, \2% and \3%", text)
        for number in printed(text):
            if not _has(self.numbers, number, text) and not _has(shown, number, text):
                yield number


def _has(numbers: list[float], number: Printed, text: str) -> bool:
    """Whether a number is a rounding of one of these, which are in order."""
    before = text[: number.begin].rstrip()
    if before.endswith(("<", "below")) and number.value in (0.0001, 0.001):
        return any(0 < value < number.value for value in numbers)
    if before.endswith((">", "above")) and number.value in (0.9999, 0.999):
        return any(number.value < value < 1 for value in numbers)
    close = 1.01 * number.step
    return any(
        number.rounds(value)
        for near in (number.value, -number.value)
        for value in numbers[bisect_left(numbers, near - close) : bisect_right(numbers, near + close)]
    )


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in NOT_KNOWN:
                yield from _numbers(item)
            if key.startswith("percent_") and isinstance(item, int | float):
                yield item / 100
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _yaml(text: str) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(text)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key in NAMED and isinstance(item, str))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _named(item)


def _digests(value: Any) -> Iterator[str]:
    return (string for string in _strings(value) if string.startswith("sha256:"))


def missing(doc: dict[str, Any], pieces: list[str], texts: Iterable[str] = ()) -> list[tuple[str, str]]:
    """(number, the text it stands in) of every number that is not found; ``texts``: the scenarios beside ``doc``."""
    known = Known(doc, texts)
    return [(number.text, piece) for piece in pieces for number in known.missing(piece)]


def load(path: Any) -> dict[str, Any]:
    """A results.json."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
