"""Patients of a trial under way: read from files and frames, every fault at once, and seen at the end of a day."""

from __future__ import annotations

import csv
import io
import pickle
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from tests.running_sets import FOLDER, protocol, scenario, table
from trialsim.errors import DesignError, TrialsimError
from trialsim.ongoing.columns import COLUMNS
from trialsim.ongoing.faults import PatientsError
from trialsim.ongoing.known import seen
from trialsim.ongoing.patients import Patients, read_patients
from trialsim.ongoing.seen import Seen
from trialsim.scenario.compiled import Compiled

SETS = ("S1", "S3", "S6", "S7")
Row = dict[str, str]


@cache
def compiled(of: str) -> Compiled:
    return Compiled.of(scenario(of))


def read(of: str, source: object, **stated: object) -> Patients:
    return read_patients(source, compiled(of), **{"cut_off": protocol(of)["cut_off"], **stated})


def written(rows: list[Row], path: Path, mark: str = ",", encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=mark)
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding=encoding)
    return path


def patients(of: str) -> list[Row]:
    return table(f"patients_{of}")


def refused(of: str, source: object, **stated: object) -> PatientsError:
    with pytest.raises(PatientsError) as caught:
        read(of, source, **stated)
    return caught.value


def codes(error: PatientsError) -> list[tuple[str, int, str]]:
    return [(fault.code, fault.row, fault.column) for fault in error.faults]


# -- the worked sets


@pytest.mark.parametrize("of", SETS)
def test_what_is_known_of_the_worked_sets(of):
    answers = {row["quantity"]: row["value"] for row in table("running_answers") if row["set"] == of}
    found = seen(read(of, FOLDER / f"patients_{of}.csv"), compiled(of))
    counts = {
        "treated": len(found),
        "response_yes": sum(p.responded is True for p in found),
        "response_no": sum(p.responded is False and not p.inevaluable for p in found),
        "response_inevaluable": sum(p.inevaluable for p in found),
        "response_unconfirmed": sum(p.unconfirmed is not None for p in found),
        "response_pending": sum(p.responded is None and not p.inevaluable for p in found),
    }
    for level in range(len(compiled(of).scenario.doses)):
        for word, toxic in (("yes", True), ("no", False), ("pending", None)):
            n = sum(p.level == level and p.toxic is toxic for p in found)
            counts[f"dose{level + 1}_toxicity_{word}"] = n
    assert {name: str(n) for name, n in counts.items()} == {name: answers[name] for name in counts}
    assert [p.enrolled for p in found] == sorted(p.enrolled for p in found)


def test_each_row_of_the_file_with_a_fault_in_each_row():
    error = refused("S5", FOLDER / "patients_invalid.csv")
    found = {fault.row: fault for fault in error.faults}
    assert len(found) == len(error.faults)
    expected = {int(row["line"]): row["code"] for row in table("invalid_expected") if row["code"] != "ok"}
    assert {row: fault.code for row, fault in found.items()} == expected
    assert all(fault.warning == fault.code.startswith("warning_") for fault in error.faults)
    assert all(fault.column in COLUMNS for fault in error.faults)
    for row in (3, 23):
        assert f"patients_invalid.csv:{row}: " in str(error)
    assert "2026-02-30" in str(error)
    assert "100 mg BID, 70 mg BID" in str(error)
    assert "warning" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (again.faults, str(again)) == (error.faults, str(error))


def test_a_row_may_have_several_faults():
    rows = patients("S6")
    rows[3] |= {"dose": "50 mg", "response": "CR", "toxicity_date": "soon", "off_treatment": "5%"}
    error = refused("S6", pd.DataFrame(rows))
    assert [(code, column) for code, _, column in codes(error)] == [
        ("unknown_word", "response"),
        ("bad_date", "toxicity_date"),
        ("bad_date", "off_treatment"),
        ("unknown_dose", "dose"),
    ]
    assert {fault.row for fault in error.faults} == {4}, "a frame counts its rows from 1"


# -- one rule broken at a time


def shifted(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


def breaking(row: Row, others: list[Row], cut_off: str) -> Iterator[tuple[str, str, Row]]:
    """Code, column and what is changed: every rule that a row of a valid file can break alone."""
    late = shifted(cut_off, 1)
    early = shifted(row["enrolled"], -1)
    for other in others[:1]:
        yield "duplicate_id", "id", {"id": other["id"]}
    for blank in ("", "  ", "NA"):
        yield "empty_id", "id", {"id": blank}
    for bad in ("=1+1", "@x", "x" * 61, "a\u200bb", "a\nb"):
        yield "bad_id", "id", {"id": bad}
    for bad in ("2026-02-30", "2026-13-01", "02/03/2026", "46057", "40%", "2026-2-3", "20260203", "Feb 2026", "",
                "x" * 9999, "1826-01-01", "2026-01-05T08:30", "２０２６-01-05", "=TODAY()", "\U0001f600"):  # fmt: skip
        yield "bad_date", "enrolled", {"enrolled": bad}
    yield "bad_date", "off_treatment", {"off_treatment": "3.4.2026"}
    yield "future_date", "off_treatment", {"off_treatment": late}
    yield "before_enrolment", "off_treatment", {"off_treatment": early}
    for word in ("maybe", "1", "TRUE", "PR", "yess", "=A1", "\U0001f600"):
        for column in ("evaluable", "response", "toxicity"):
            yield "unknown_word", column, {column: word}
    if row["response"] == "pending":
        if row["evaluable"] != "no":
            yield "pending_with_date", "response_date", {"response_date": cut_off}
            yield "inevaluable_without_date", "response_date", {"evaluable": "no"}
        yield "confirmed_without_response", "confirmed_date", {"confirmed_date": cut_off}
        yield "response_without_date", "response_date", {"response": "yes"}
        yield "response_without_date", "response_date", {"response": "no"}
    else:
        yield "response_without_date" if row["evaluable"] != "no" else "inevaluable_without_date", "response_date", {
            "response_date": "", "confirmed_date": "",
        }  # fmt: skip
        yield "bad_date", "response_date", {"response_date": "week 9"}
        yield "future_date", "response_date", {"response_date": late, "confirmed_date": ""}
        yield "before_enrolment", "response_date", {"response_date": early, "confirmed_date": ""}
    if row["response"] == "no":
        yield "confirmed_without_response", "confirmed_date", {"confirmed_date": cut_off}
        if row["evaluable"] == "no":
            yield "response_though_inevaluable", "response", {"response": "yes"}
    if row["response"] == "yes":
        yield "response_though_inevaluable", "response", {"evaluable": "no"}
        before = shifted(row["response_date"], -1)
        yield "confirmed_before_response", "confirmed_date", {"confirmed_date": before}
        yield "future_date", "confirmed_date", {"confirmed_date": late}
    if row["toxicity"] == "yes":
        yield "toxicity_without_date", "toxicity_date", {"toxicity_date": ""}
        yield "toxicity_date_without_toxicity", "toxicity_date", {"toxicity": "no"}
        yield "before_enrolment", "toxicity_date", {"toxicity_date": early}
        yield "future_date", "toxicity_date", {"toxicity_date": late}
        yield "bad_date", "toxicity_date", {"toxicity_date": "cycle 2"}
    else:
        yield "toxicity_date_without_toxicity", "toxicity_date", {"toxicity_date": row["enrolled"]}
        yield "toxicity_without_date", "toxicity_date", {"toxicity": "yes"}
    for dose in ("140 mg BID", "10", "100 mg BID or so", "-100"):
        yield "unknown_dose", "dose", {"dose": dose}
    if row["dose"].endswith("BID"):  # the doses of these sets are two
        yield "unknown_dose", "dose", {"dose": ""}


def test_files_that_break_one_rule_say_which_where():
    rng = random.Random(1)
    tried = 0
    for of in SETS:
        rows = patients(of)
        chosen = [*rng.sample(range(len(rows)), 2)]
        chosen += [k for k, row in enumerate(rows) if row["response"] == "yes" or row["evaluable"] == "no"][
            :3
        ]
        for k in dict.fromkeys(chosen):
            others = [row for row in rows[:k] if row["id"] != rows[k]["id"]]
            for code, column, change in breaking(rows[k], others, protocol(of)["cut_off"]):
                changed = [{**row, **change} if j == k else row for j, row in enumerate(rows)]
                error = refused(of, pd.DataFrame(changed))
                found = [fault for fault in error.faults if not fault.warning]
                assert [(f.code, f.row, f.column) for f in found] == [(code, k + 1, column)], (of, k, change)
                assert len(str(error)) < 1000
                tried += 1
    assert tried >= 500


def odd(row: Row, cut_off: str, confirmed: bool, visits: list[int], window: int) -> Iterator[tuple[str, Row]]:
    """Code and what is changed: every warning that a row can raise alone."""
    if row["response"] == "yes":
        seen_on, enrolled = row["response_date"], row["enrolled"]
        if confirmed and row["confirmed_date"]:
            for days in (0, 1, 27):
                yield "warning_confirmed_within_28_days", {"confirmed_date": shifted(seen_on, days)}
        if not confirmed:
            yield "warning_confirmation_not_in_protocol", {"confirmed_date": seen_on}
        for off in (enrolled, shifted(seen_on, -1)):
            yield "warning_response_after_off_treatment", {"off_treatment": off}
        for days in (0, 1, visits[0] - 15):
            change = {"response_date": shifted(enrolled, days)}
            if confirmed:  # so long before the confirmation that only the day of first sight is odd
                change["confirmed_date"] = row["confirmed_date"] or shifted(seen_on, 28)
            yield "warning_response_not_at_visit", change
    if row["response"] != "pending":
        yield "warning_evaluable_pending", {"evaluable": "pending"} if row["evaluable"] == "yes" else {}
    last = visits[-2 if confirmed else -1]
    if row["response"] == "pending":
        yield "warning_overdue", {"enrolled": shifted(cut_off, -last - 1)}
    ended = (date.fromisoformat(cut_off) - date.fromisoformat(row["enrolled"])).days > window
    if row["toxicity"] == "no":
        for word in ("pending", ""):
            yield "warning_overdue", {"toxicity": word} if ended else {}
        if row["response"] == "pending":
            yield "warning_toxicity_no_inside_window", {"enrolled": shifted(cut_off, 1 - window)}
            yield "warning_toxicity_no_inside_window", {"enrolled": cut_off}
    if row["toxicity"] == "yes" and ended:
        for days in (window, window + 1):
            yield "warning_toxicity_beyond_window", {"toxicity_date": shifted(row["enrolled"], days)}


def test_what_is_odd_is_a_warning_and_the_file_is_read():
    order = {
        "warning_not_in_date_order",
        "warning_higher_dose_again",
        "warning_tie_at_look",
        "warning_tie_at_boundary",
    }
    tried: dict[str, int] = {}
    for of in SETS:
        p = protocol(of)
        conduct = (p["confirmed"] == "True", [7 * int(w) for w in p["assessment_weeks"].split(";")])
        rows = patients(of)
        for k, row in enumerate(rows):
            for code, change in odd(row, p["cut_off"], *conduct, 7 * int(p["toxicity_window_weeks"])):
                if not change:
                    continue
                changed = [{**other, **change} if j == k else other for j, other in enumerate(rows)]
                found = read(of, pd.DataFrame(changed))
                own = {(w.code, w.row) for w in found.warnings if w.code not in order and w.row == k + 1}
                assert (code, k + 1) in own, (of, k, change)
                assert all(w.warning for w in found.warnings)
                assert len(found) == len(rows)
                tried[code] = tried.get(code, 0) + 1
    assert sum(tried.values()) >= 200, tried
    assert len(tried) == 8, tried


def test_what_is_odd_in_the_order():
    rows = patients("S6")
    one = [{**row} for row in rows]
    one[12], one[13] = one[13], one[12]
    found = read("S6", pd.DataFrame(one))
    assert [(w.code, w.row, w.column) for w in found.warnings] == [
        ("warning_not_in_date_order", 14, "enrolled")
    ]
    assert [p.id for p in seen(found, compiled("S6"))] == [row["id"] for row in rows]

    one = [{**row} for row in rows]
    one[20]["dose"] = "100"
    assert [(w.code, w.row) for w in read("S6", pd.DataFrame(one)).warnings] == [
        ("warning_higher_dose_again", 21)
    ]

    one = [{**row} for row in rows]
    one[25]["enrolled"] = one[24]["enrolled"]  # the look is after 25
    found = {(w.code, w.row) for w in read("S6", pd.DataFrame(one)).warnings}
    assert found == {("warning_tie_at_look", 26), ("warning_tie_at_boundary", 26)}


# -- the day


HISTORY = "S6"


def extracted_at(row: Row, day: date, window: int) -> Row:
    """What a file made on a day has of a patient whose whole history is known."""
    by = {
        column: row[column] and date.fromisoformat(row[column]) <= day
        for column in COLUMNS
        if row.get(column, "")[:2] == "20"
    }
    told = {column: value if by.get(column, True) else "" for column, value in row.items()}
    if not by.get("response_date", False):
        told |= {"response": "pending", "evaluable": "pending"}
    if row["toxicity"] == "yes" and not by["toxicity_date"]:
        told["toxicity"] = "no"
    if told["toxicity"] == "no" and (day - date.fromisoformat(row["enrolled"])).days < window:
        told["toxicity"] = random.Random(row["id"] + str(day)).choice(["no", "pending", ""])
    return told


def invented(rng: random.Random, n: int) -> list[Row]:
    """Patients whose histories end: responses confirmed or not, evaluable or not, toxicity in its window or later."""
    rows, enrolled = [], date(2026, 1, 1)
    for k in range(n):
        enrolled += timedelta(rng.choice([0, 1, 3, 9]))
        first = rng.choice([63, 119])
        what = rng.choice(["confirmed", "unconfirmed", "none", "none", "inevaluable"])
        onset = rng.choice([None, None, rng.randrange(56), 55, 56, 90])

        def on(days: int | None, since: date = enrolled) -> str:
            return "" if days is None else (since + timedelta(days)).isoformat()

        rows.append({
            "id": f"P{k:02}", "enrolled": enrolled.isoformat(), "dose": "100 mg BID" if k < n // 2 else "70",
            "evaluable": "no" if what == "inevaluable" else "yes",
            "response": "yes" if "confirmed" in what else "no",
            "response_date": on(rng.randrange(1, 150) if what == "inevaluable" else first),
            "confirmed_date": on(first + 56 if what == "confirmed" else None),
            "toxicity": "no" if onset is None else "yes", "toxicity_date": on(onset),
            "off_treatment": on(rng.choice([None, rng.randrange(200)])),
        })  # fmt: skip
    return rows


def test_a_later_file_tells_the_same_of_an_earlier_day():
    rng = random.Random(14)
    last = date(2028, 1, 1)
    compared = 0
    for _ in range(12):
        rows = invented(rng, 20)
        whole = pd.DataFrame(rows)
        for day in [date(2026, 1, 10) + timedelta(rng.randrange(0, 330)) for _ in range(8)]:
            then = [extracted_at(row, day, 56) for row in rows if date.fromisoformat(row["enrolled"]) <= day]
            later = seen(read(HISTORY, whole, cut_off=day, extracted=last), compiled(HISTORY))
            at_once = seen(read(HISTORY, pd.DataFrame(then), cut_off=day), compiled(HISTORY))
            assert later == at_once
            compared += sum(p.toxic is not None for p in later)
    assert compared > 500


def one(of: str, day: str, **said: str) -> Seen:
    row = {"id": "1", "enrolled": "2026-01-01", "dose": "100", "evaluable": "", "response": "", "response_date": "",
           "confirmed_date": "", "toxicity": "", "toxicity_date": "", **said}  # fmt: skip
    found = seen(read(of, pd.DataFrame([row]), cut_off=day, extracted="2027-12-31"), compiled(of))
    assert len(found) == 1
    return found[0]


def test_a_response_is_known_from_its_confirmation():
    told = {"response": "yes", "response_date": "2026-03-05", "confirmed_date": "2026-04-30"}
    assert one("S6", "2026-03-04", **told).unconfirmed is None
    on_day = one("S6", "2026-03-05", **told)
    assert (on_day.responded, on_day.unconfirmed, on_day.response_known) == (None, date(2026, 3, 5), None)
    assert one("S6", "2026-04-29", **told).responded is None
    confirmed = one("S6", "2026-04-30", **told)
    assert (confirmed.responded, confirmed.unconfirmed) == (True, None)
    assert confirmed.response_known == date(2026, 4, 30)
    plain = one("S1", "2026-03-05", **told)
    assert (plain.responded, plain.response_known) == (True, date(2026, 3, 5))


def test_a_toxicity_counts_within_its_window():
    start = date(2026, 1, 1)

    def onset(days: int, day: int) -> Seen:
        on, at = (start + timedelta(days)).isoformat(), (start + timedelta(day)).isoformat()
        return one("S6", at, toxicity="yes", toxicity_date=on)

    assert onset(55, 54).toxic is None
    assert (onset(55, 55).toxic, onset(55, 55).toxicity_known) == (True, start + timedelta(55))
    assert onset(0, 0).toxic is True
    assert onset(56, 55).toxic is None
    assert (onset(56, 56).toxic, onset(56, 90).toxicity_known) == (False, start + timedelta(56))
    for day, toxic in ((55, None), (56, False)):
        at = (start + timedelta(day)).isoformat()
        assert one("S6", at, toxicity="no", off_treatment="2026-01-05").toxic is toxic
        assert one("S6", at).toxic is None


def test_who_is_not_evaluable_keeps_her_place_unless_she_is_replaced():
    told = {"evaluable": "no", "response_date": "2026-02-01"}
    for of, responded in (("S6", False), ("S7", None)):
        before, after = one(of, "2026-01-31", **told), one(of, "2026-02-01", **told)
        assert (before.inevaluable, before.responded, before.response_known) == (False, None, None)
        assert (after.inevaluable, after.responded) == (True, responded)
        assert after.response_known == date(2026, 2, 1)


def test_overdue_from_the_day_after_the_last_possible_one():
    start = date(2026, 1, 1)

    def on(day: int, **said: str) -> Seen:
        return one("S6", (start + timedelta(day)).isoformat(), **said)

    assert [on(day).response_overdue for day in (119, 120)] == [False, True]
    assert [on(day).toxicity_overdue for day in (56, 57)] == [False, True]
    first = {"response": "yes", "response_date": (start + timedelta(66)).isoformat()}
    assert [on(day, **first).response_overdue for day in (119, 120)] == [False, True]
    second = {"response": "yes", "response_date": (start + timedelta(119)).isoformat()}
    assert [on(day, **second).response_overdue for day in (175, 176)] == [False, True]


def test_days_that_do_not_fit():
    path = FOLDER / "patients_S1.csv"
    assert codes(refused("S1", path, cut_off="2026-04-14", extracted="2026-04-13")) == [
        ("cut_off_after_extracted", 0, "")
    ]
    assert codes(refused("S1", path, cut_off="2026-01-04", extracted="2026-04-13")) == [
        ("no_patients", 0, "enrolled")
    ]
    found = read("S1", path, extracted="2026-05-01")
    with pytest.raises(DesignError, match="after the day the file was made"):
        seen(found, compiled("S1"), "2026-05-02")
    with pytest.raises(DesignError, match=r"cut_off: .*2026-03-31"):
        read("S1", path, cut_off="13/04/2026")
    for day in (date(2026, 4, 13), datetime(2026, 4, 13)):
        assert read("S1", path, cut_off=day).cut_off == date(2026, 4, 13)


def test_without_conduct_what_is_stated_is_known_from_its_day():
    bare = scenario("S1").model_copy(update={"conduct": None})
    found = seen(read_patients(FOLDER / "patients_S1.csv", bare, cut_off="2026-04-13"), bare)
    assert [p.responded for p in found] == [False, False, True, False, False, False, None, None, None, None]
    assert not any(p.response_overdue or p.toxicity_overdue or p.toxic is False for p in found)
    assert found[7].toxic
    bare = scenario("S6").model_copy(update={"conduct": None})
    read_ = read_patients(FOLDER / "patients_S6.csv", bare, cut_off="2026-08-12")
    with pytest.raises(DesignError, match=r"conduct\.toxicity_window_weeks: missing"):
        seen(read_, bare)


# -- columns and files


@pytest.mark.parametrize("of", SETS)
def test_the_same_patients_from_every_kind_of_file(of, tmp_path):
    pytest.importorskip("openpyxl")
    rows, whole = patients(of), read(of, FOLDER / f"patients_{of}.csv")
    semicolons = written(rows, tmp_path / "a.csv", ";", "utf-8-sig")
    tabs = written(rows, tmp_path / "b.csv", "\t", "utf-16")
    shouted = [{column.upper().replace("_", "."): value for column, value in row.items()} for row in rows]
    other_headers = written(shouted, tmp_path / "c.csv")
    dated = pd.DataFrame(rows)
    for column in ("enrolled", "response_date", "confirmed_date", "toxicity_date", "off_treatment"):
        dated[column] = pd.to_datetime(dated[column])
    dated.to_excel(tmp_path / "d.xlsx", index=False)
    numbers = dated.convert_dtypes().assign(dose=[float(row["dose"].split()[0]) for row in rows])
    for source in (semicolons, tabs, other_headers, str(other_headers), tmp_path / "d.xlsx", dated, numbers):
        found = read(of, source)
        assert [replace(p, row=0) for p in found] == [replace(p, row=0) for p in whole]
        assert found.warnings == ()
    assert [p.row for p in read(of, tmp_path / "d.xlsx")] == [p.row for p in whole]


def test_excel_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.xlsx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(TrialsimError, match=r"trialsim\[excel\]"):
        read("S1", tmp_path / "a.xlsx")


def test_the_sheet_that_is_meant(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    rows = patients("S1")
    book = openpyxl.Workbook()
    book.active.append(["notes"])
    sheet = book.create_sheet("data")
    for cells in (list(rows[0]), *(list(row.values()) for row in rows)):
        sheet.append(cells)
    book.save(tmp_path / "a.xlsx")
    assert "several sheets" in str(refused("S1", tmp_path / "a.xlsx"))
    sheet.title = "Patients"
    book.save(tmp_path / "a.xlsx")
    assert len(read("S1", tmp_path / "a.xlsx")) == 10


def test_columns_by_other_names_and_columns_that_are_not_read():
    rows = [{**row, "surname": "Nobody's business", "birth date": "17/05/1950"} for row in patients("S6")]
    theirs = {"id": "SUBJID", "enrolled": "C1D1", "response": "BOR confirmed"}
    frame = pd.DataFrame(rows).rename(columns=theirs)
    found = read("S6", frame, columns=theirs)
    assert [p.id for p in found] == [row["id"] for row in rows]
    assert "business" not in repr(found) + repr(seen(found, compiled("S6")))
    assert codes(refused("S6", frame)) == [("missing_column", 0, name) for name in theirs]
    assert codes(refused("S6", frame, columns={**theirs, "surname": "surname"})) == [
        ("unknown_column", 0, "surname")
    ]
    assert codes(refused("S6", frame, columns={**theirs, "off_treatment": "EOT"})) == [
        ("missing_column", 0, "off_treatment")
    ]
    assert "did you mean `toxicity_date`" in str(
        refused("S6", frame, columns={**theirs, "toxicity_date": "toxicity_day"})
    )
    twice = {**theirs, "confirmed_date": "response_date"}
    assert ("column_twice", 0, "confirmed_date") in codes(refused("S6", frame, columns=twice))


def test_a_file_with_nothing_in_it_and_a_folder_are_told_as_such(tmp_path):
    (tmp_path / "empty.csv").write_text("\n", encoding="utf-8")
    found = refused("S6", tmp_path / "empty.csv")
    assert codes(found) == [("empty", 1, "")] and "the file is empty" in str(found)
    found = refused("S6", tmp_path)
    assert codes(found) == [("unreadable", 0, "")] and "a folder, not a file" in str(found)


def test_only_columns_that_the_protocol_asks_for_are_needed():
    few = pd.DataFrame(patients("S1"))[["id", "enrolled", "response", "response_date"]]
    assert len(read("S1", few)) == 10
    assert not any(p.toxicity_overdue for p in seen(read("S1", few), compiled("S1")))
    missing = codes(refused("S6", few))
    assert [column for _, _, column in missing] == ["dose", "confirmed_date", "toxicity", "toxicity_date"]
    assert codes(refused("S7", few)) == [("missing_column", 0, "evaluable")]


def test_cohorts_are_those_of_the_scenario():
    cohorts = {"rules": "own", "strata": [{"name": "A"}, {"name": "B", "cohort": "other"}]}
    stated = scenario("S1").model_dump(by_alias=True, exclude_unset=True)
    trial = Compiled.of(type(scenario("S1")).model_validate({**stated, "cohorts": cohorts}))
    rows = patients("S1")
    for row, cohort in zip(rows, ["a", "B", "other"] * 3, strict=False):
        row["cohort"] = cohort
    found = read_patients(pd.DataFrame(rows), trial, cut_off="2026-04-13")
    assert [p.cohort for p in found][:4] == ["A", "other", "other", "A"]
    rows[2]["cohort"], rows[3]["cohort"] = "C", ""
    with pytest.raises(PatientsError, match="allowed: A, other") as caught:
        read_patients(pd.DataFrame(rows), trial, cut_off="2026-04-13")
    assert codes(caught.value) == [("unknown_cohort", row, "cohort") for row in (3, 4)]


def test_too_many_and_no_patients(tmp_path):
    rows = patients("S1")
    many = [{**rows[0], "id": str(k)} for k in range(30)]
    assert codes(refused("S1", written(many, tmp_path / "a.csv"))) == [("too_many_patients", 31, "")]
    assert len(read("S1", written(many[:29], tmp_path / "a.csv"))) == 29
    (tmp_path / "b.csv").write_text(",".join(COLUMNS) + "\n")
    assert codes(refused("S1", tmp_path / "b.csv")) == [("no_patients", 0, "")]


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "NUL": lambda text: text.replace(b"002", b"0\x002"),
    "empty": lambda _: b"",
    "blank": lambda _: b"\n\n,,,\n",
    "binary": lambda _: bytes(range(256)) * 20,
    "no header": lambda text: text.partition(b"\n")[2],
    "an open quote": lambda text: text.replace(b"002", b'"002'),
    "long cell": lambda text: text.replace(b"002", b"x" * 10_000),
    "longer cell": lambda text: text.replace(b"002", b"x" * 200_000),
    "emoji": lambda text: text.replace(b"2026-02-12", "\U0001f4c5".encode()),
    "formula": lambda text: text.replace(b"002", b"=cmd|' /C calc'!A0"),
    "a comma too many": lambda text: text.replace(b"002,", b"002,,"),
    "half a character": lambda text: text.replace(b"pending", b"\xc3", 1),
    "only returns": lambda text: text.replace(b"\n", b"\r") + b"\rx",
    "workbook": lambda _: b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_hostile_files_are_refused_in_plain_words(what, suffix, tmp_path):
    if suffix == ".xlsx":
        pytest.importorskip("openpyxl")
    path = tmp_path / f"a{suffix}"
    path.write_bytes(HOSTILE[what]((FOLDER / "patients_S1.csv").read_bytes()))
    error = refused("S1", path)
    assert str(path) in str(error)
    assert len(str(error)) < 5000
    assert all(mark.isprintable() or mark == "\n" for mark in str(error))


def test_what_is_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "a.xls", "a\0b.csv"):
        assert codes(refused("S1", path)) == [("unreadable", 0, "")]


def test_many_faults_are_counted_and_soon(tmp_path):
    rows = table("patients_invalid")
    path = written([rows[k % len(rows)] for k in range(20_000)], tmp_path / "a.csv")
    started = time.process_time()
    error = refused("S5", path)
    assert time.process_time() - started < 4, "a fifth of the rows that are to be refused within 10 s"
    lines = str(error).splitlines()
    assert len(lines) == 101
    left = sum(not fault.warning for fault in error.faults) - 100
    assert f"and {left:,} faults more (duplicate_id " in lines[-1]
