"""A qualification in words: requirement, test and result, the machine, and what is not shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trialsim.qualification.qualify import Qualification
from trialsim.qualification.testing import FAIL, INSTALLATION, NOT_DONE, OPERATION, PASS, PERFORMANCE, Result
from trialsim.reporting.about import MADE_BY
from trialsim.writing.numbers import Cell, count
from trialsim.writing.report import (
    Points,
    Report,
    Row,
    Section,
    Table,
    Terms,
    Words,
    in_quotes,
    plain,
    section,
)

PARTS = {
    INSTALLATION: ("IQ", "Installation", "Whether what was released is what is installed here."),
    OPERATION: (
        "OQ",
        "Operation",
        "Whether the functions give the numbers of other programs and of independent calculations, and those recorded "
        "when this version was made.",
    ),
    PERFORMANCE: (
        "PQ",
        "Performance",
        "Whether exact, enumerated and simulated answers agree on this machine, with seeds that nobody chose, and "
        "whether the same request always gives the same bits.",
    ),
}

NOT_SHOWN = (
    "That the program is without faults: a test finds the faults that it meets, and what no test here touches may be "
    "wrong.",
    "That a scenario says what its protocol says, that its assumptions hold, or that a design suits its question: that "
    "is for the people who write and read it.",
    "That the words, figures and layout of reports are right: only numbers are compared here.",
    "That durations, drop-out and other quantities of calendar time agree with an independent calculation: on this "
    "machine they are held against the numbers recorded with this version and against a second kernel. (The project's "
    "own tests hold them against an event simulation written apart.)",
    "That the files are those of the authors where somebody has changed them and the list of files together: compare "
    "the digest of the wheel with the one published.",
    "That another machine, another version of a library, or this one after an update would do the same: repeat the "
    "tests there.",
    "That your procedures for software are met: the report is material for your own judgement, and for your signature.",
)


def report_of(found: Qualification) -> Report:
    """Everything."""
    parts = [_part(found, part) for part in PARTS]
    return Report(
        f"Qualification of {found.called}",
        "Installation, operation and performance on one machine",
        (
            section(
                "answer",
                "",
                _answer(found),
                _failed(found),
                _by_part(found),
                Words(f"The same tests again: {again(found)}", mark="note"),
            ),
            section("not-shown", "What this does not show", Points(NOT_SHOWN)),
            *(part for part in parts if not part.is_empty),
            section("machine", "The machine", _machine(found)),
            section("signatures", "Signatures", SIGNATURES),
        ),
        MADE_BY,
        warning=_warning(found),
        about=(("Day", found.on.isoformat()), ("Seed", str(found.seed))),
    )


def in_brief(found: Qualification) -> Report:
    """The same for a terminal: what was found, by part, and what is not shown."""
    whole = report_of(found)
    kept = tuple(part for part in whole.sections if part.key in ("answer", "not-shown"))
    return replace(whole, sections=kept)


SIGNATURES = Terms(
    (
        ("Tests done by", "name, date, signature: ______________________________"),
        ("Reviewed by", "name, date, signature: ______________________________"),
    )
)


def again(found: Qualification) -> str:
    """The command that does the same tests again."""
    only = f" --only {found.only}" if found.only else ""
    return f"trialsim qualify{' --full' if found.full else ''}{only} --seed {found.seed}"


def _warning(found: Qualification) -> tuple[str, ...]:
    failed = found.of(FAIL)
    if not failed:
        return ()
    names = ", ".join(result.test.id for result in failed)
    return (
        f"{count(len(failed), 'test')} failed: {names}.",
        "Do not use this installation until it is known why.",
    )


def _answer(found: Qualification) -> Words:
    done, failed, left = (len(found.of(outcome)) for outcome in (PASS, FAIL, NOT_DONE))
    compared = sum(result.compared for result in found.results)
    explained = sum(result.explained for result in found.results)
    words = (
        f"On {found.on}, {count(len(found.results), 'test')} of {found.called.partition(',')[0]} in the "
        f"{'longer' if found.full else 'short'} form, with seed {found.seed}: {done} passed, {failed} failed, {left} "
        f"could not be done here. {count(compared, 'comparison')} were made."
    )
    if explained:
        words += f" {explained} numbers of other programs differ for a reason that is known, and count as explained."
    return Words(words, "Result.")


def _by_part(found: Qualification) -> Table:
    rows: list[Row] = []
    for row in found.by_part():
        short, title, _ = PARTS[row["part"]]
        counted = [Cell(f"{row[key]:,}", row[key]) for key in ("tests", PASS, FAIL, NOT_DONE, "compared")]
        rows.append((f"{title} ({short})", *counted))
    heads = ("Part", "Tests", "Passed", "Failed", "Not done", "Comparisons")
    return Table("parts", "Tests by part", heads, plain(rows))


def _failed(found: Qualification) -> Terms:
    """What failed and what could not be done, with what was seen."""
    rows = []
    for result in (*found.of(FAIL), *found.of(NOT_DONE)):
        seen = ". ".join(_sentence(words) for words in result.told)
        rows.append((f"{result.test.id}, {result.outcome}", f"{result.test.requirement} {seen}."))
    return Terms(tuple(rows))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _part(found: Qualification, part: str) -> Section:
    short, title, what = PARTS[part]
    results = [result for result in found.results if result.test.part == part]
    if not results:
        return section(short.lower(), title)
    return section(
        short.lower(),
        f"{title} ({short})",
        Words(what),
        _table(part, f"{title}: requirement, test, result", results),
    )


def _table(key: str, caption: str, results: Sequence[Result]) -> Table:
    rows: list[Row] = []
    for result in results:
        test = result.test
        how = in_quotes(test.how) + (f" Source: {test.source}." if test.source else "")
        equal = result.compared - result.different - result.explained
        different = f"{result.different}" + (
            f" (and {result.explained} explained)" if result.explained else ""
        )
        rows.append(
            (
                test.id,
                test.requirement,
                how,
                Cell(f"{result.compared:,}", result.compared),
                Cell(f"{equal:,}", equal),
                Cell(different, result.different),
                result.outcome,
            )
        )
    heads = ("Test", "Requirement", "How it is tested", "Compared", "Equal", "Different", "Result")
    return Table(key, caption, heads, plain(rows), words=(1, 2, 6))


def _machine(found: Qualification) -> Table:
    rows: list[Row] = [
        (name, "not installed" if value is None else str(value)) for name, value in found.machine.items()
    ]
    return Table("machine", "Versions, platform and processor", ("What", "Here"), plain(rows), words=(1,))
