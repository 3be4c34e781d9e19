"""Every reference table that ships with the package: every number of it, and what is known to differ."""

from __future__ import annotations

import re

import pytest

from tests.helpers import ROOT, first_of
from trialsim.qualification.comparing import DATA, Compared, Reference, Row, rows
from trialsim.qualification.tables import REFERENCES

BY_FILE = {reference.file: reference for reference in REFERENCES}
BY_SETTING = ("dose/dose_decision", "dose/dose_margins")
"""Tables of which every run compares a few settings; the others come with the longer studies."""

QUICK = ("D08", "D23", "D29", "D42")
"""Both response rates alike and apart, an odds ratio, a drift."""

EXPLAINED = {"bayes_boundaries": 1, "bryant_day": 5, "toxicity_boundaries": 5, "inference_estimators": 2}
"""Tables with numbers that differ for a reason that is known, and how many."""

SETTINGS = sorted({row["setting"] for row in rows("dose/dose_margins")})


def held(reference: Reference, table: list[Row]) -> list[Compared]:
    """The comparisons that these rows allow; all are equal, or different for the reason that is told."""
    found = list(reference.compare(table))
    assert [one for one in found if not (one.equal or one.explained)][:5] == []
    return found


@pytest.mark.parametrize("name", [name for name in BY_FILE if name not in BY_SETTING])
def test_every_number_of_the_table(name: str) -> None:
    reference, table = BY_FILE[name], rows(name)
    found = held(reference, table)
    assert (len(table), len(found)) == (reference.rows, reference.numbers)
    assert sum(not one.equal for one in found) == reference.explained == EXPLAINED.get(name, 0)


@pytest.mark.parametrize("name", BY_SETTING)
@pytest.mark.parametrize(
    "setting", first_of(len(QUICK), sorted(SETTINGS, key=lambda each: (each not in QUICK, each)))
)
def test_every_number_of_a_setting(name: str, setting: str) -> None:
    reference = BY_FILE[name]
    found = held(reference, [row for row in rows(name) if row["setting"] == setting])
    assert len(found) == {"dose/dose_decision": 5 * 10 + 4 * 7, "dose/dose_margins": 14 + 6}[name]
    assert reference.numbers == len(SETTINGS) * len(found)


def test_no_table_is_left_out() -> None:
    files = {path.relative_to(DATA).with_suffix("").as_posix() for path in DATA.rglob("*.csv")}
    files.remove("recorded")
    assert files == BY_FILE.keys()
    assert sum(reference.numbers for reference in REFERENCES) > 20_000


@pytest.mark.parametrize("name", BY_FILE)
def test_a_changed_number_is_noticed(name: str) -> None:
    """A digit of one number of each table: the comparison is not blind."""
    reference = BY_FILE[name]
    for row in [row for row in rows(name) if any(map(is_number, row.values()))][::7]:
        before = [one.equal for one in reference.compare([row])]
        for column in filter(lambda column: is_number(row[column]), reversed([*row])):
            value = row[column]
            changed = {
                **row,
                column: f"{int(value) + 1}" if value.isdigit() else f"{float(value) + 0.01:.6f}",
            }
            if [one.equal for one in reference.compare([changed])] != before:
                return
    pytest.fail(f"nothing of {name} is compared")


def is_number(text: str) -> bool:
    return re.fullmatch(r"0\.\d{3,}|[1-9]\d*", text) is not None


def test_the_page_names_every_table() -> None:
    page = (ROOT / "docs" / "qualification.md").read_text(encoding="utf-8")
    assert [name for name in BY_FILE if f"| `{name.rpartition('/')[2]}` |" not in page] == []
