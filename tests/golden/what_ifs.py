"""The library of what-ifs as tests read it, and the tables of its README.

``configs/what-ifs/README.md`` is written by ``python -m tests.golden.what_ifs``; no number in it is typed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.helpers import CONFIGS, config
from trialsim.designs.simon import Simon
from trialsim.inference.attained import METHOD_WORDS, Attained, Reading, TwoStage, readings, two_stage
from trialsim.scenario.changes import variants
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario

LIBRARY = CONFIGS / "what-ifs"
FILES = sorted(LIBRARY.glob("*.yaml"))
README = LIBRARY / "README.md"
WITH_QUESTIONS = Path(__file__).parent / "data" / "what-ifs.csv"


@cache
def questions() -> dict[str, dict[str, str]]:
    """The rows of the list of questions, by id."""
    with WITH_QUESTIONS.open(encoding="utf-8", newline="") as lines:
        return {row["id"]: row for row in csv.DictReader(lines)}


def id_of(path: Path) -> str:
    """W5 of ``w05-restart-at-70-mg.yaml``."""
    return f"W{int(path.stem[1:3])}"


@cache
def library() -> dict[str, Scenario]:
    """Every scenario of the library, by id."""
    return {id_of(path): load(path) for path in FILES}


def dasatinib() -> Scenario:
    """The scenario that the library starts from."""
    return config("dasatinib")


def sizes() -> tuple[TwoStage, list[int]]:
    """The design of W19 as planned, and every final size that it simulates."""
    scenario = library()["W19"]
    looks = [compile_rules(arm).looks for arm in (scenario, *variants(scenario).values())]
    planned = two_stage(looks[0])
    assert planned is not None
    return planned, sorted(look.planned_n for look in looks)


def corrections(n: int) -> dict[str, Reading]:
    """What each method makes of a trial planned as W19 that ended with n patients and the least responses for a go."""
    planned, design = sizes()[0], library()["W19"].design
    assert isinstance(design, Simon) and design.p0 is not None
    seen = Attained(n1=planned.n1, n=n, x=planned.r + 1, x1=planned.r1 + 1)
    return {reading.method: reading for reading in readings(planned, seen, design.p0, design.p1)}


def correction_table() -> Iterator[str]:
    """Error rates of each method at each size of W19, and what it decides about the least favourable go as planned."""
    planned, every_n = sizes()
    methods = list(corrections(planned.n))
    yield f"| n | {' | '.join(METHOD_WORDS[method] for method in methods)} |"
    yield f"|---{'|---' * len(methods)}|"
    for n in every_n:
        found = corrections(n)
        cells = (f"{found[m].alpha:.4f}, {found[m].power:.3f}, {found[m].decision}" for m in methods)
        yield f"| {n}{' (planned)' if n == planned.n else ''} | {' | '.join(cells)} |"


def file_table() -> Iterator[str]:
    """Each question, its file, what varies, and how many trials are simulated."""
    yield "| id | question | file | what varies | arms x cases |"
    yield "|---|---|---|---|---|"
    for path in FILES:
        row, scenario = questions()[id_of(path)], library()[id_of(path)]
        arms = f"{1 + len(scenario.variants)} x {len(scenario.truth)}"
        varies = row["changes from the dasatinib base"]
        yield f"| {row['id']} | {row['question']} | [{path.name}]({path.name}) | {varies} | {arms} |"


def readme() -> str:
    """The text of the README, its tables made anew."""
    text = README.read_text(encoding="utf-8")
    for name, table in (("files", file_table()), ("corrections", correction_table())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = before + begin + "\n".join(table) + "\n" + end + rest.split(end)[1]
    return text


def main() -> None:
    """Write the tables of the README anew."""
    README.write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
