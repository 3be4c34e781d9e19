"""The worked data sets of a running trial: every count, look, boundary, end and deviation as computed elsewhere."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest

from tests.published.reference import rows
from trialsim.codes import FUTILE, FUTILITY, GO, TOXICITY
from trialsim.errors import DesignError
from trialsim.ongoing.seen import Seen
from trialsim.ongoing.state import CLOSED, ENROL, PAUSED, State, state
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

SETS = ("S1", "S3", "S6", "S7")
ENDS = {None: "none", FUTILITY: "futile", TOXICITY: "stop_toxicity"}
SAYS = {
    "pause: wait for look 1": (PAUSED, 0),
    "closed: futile": (CLOSED, 0),
    "closed: stop_toxicity": (CLOSED, 0),
    "enrol": (ENROL, 1),
}


def protocol(name: str) -> dict[str, str]:
    (row,) = [row for row in rows("running/running_protocols.csv") if row["set"] == name]
    return row


def scenario(p: dict[str, str]) -> str:
    (r1, n1), (r, n) = (part.split("/") for part in p["design"].split())
    doses = p["doses"].split(";")
    text = f"""schema: 1
name: A running trial
endpoint: response
design: {{kind: simon, n1: {n1}, r1: {r1}, n: {n}, r: {r}, p0: {p["p0"]}, p1: {p["p1"]}}}
doses: [{", ".join(f"'{dose}'" for dose in doses)}]
evaluability: {{probability: 0.9, replaced: {p["replaced"].lower()}}}
conduct:
  accrual: {{per_month: 4}}
  assessment_weeks: [{p["assessment_weeks"].replace(";", ", ")}]
  confirmed: {p["confirmed"].lower()}
  toxicity_window_weeks: {p["toxicity_window_weeks"]}
  toxicity_known: {p["toxicity_known"]}
  interim: {p["interim"]}
  amendment_lag_weeks: {p["amendment_lag_weeks"]}
  during_amendment: {p["during_amendment"]}
truth: {{somewhere: {{response: 0.2, toxicity: 0.3}}}}
"""
    if p["toxicity_rule"] != "none":
        text += "dose_reduction:\n  rule: {kind: pocock, limit: 0.30, phi: 0.10}\n  at_lowest_dose: stop\n"
    return text


def seen(name: str, p: dict[str, str]) -> list[Seen]:
    """The patients of a set at its cut-off: only what these four files hold."""
    on, window = date.fromisoformat(p["cut_off"]), timedelta(weeks=int(p["toxicity_window_weeks"]))
    found = []
    for line, row in enumerate(rows(f"running/patients_{name}.csv"), start=2):
        enrolled = date.fromisoformat(row["enrolled"])
        day = row["response_date"]
        if row["response"] == "yes" and p["confirmed"] == "True":
            day = row["confirmed_date"]
        known = date.fromisoformat(day) if day and row["response"] != "pending" else None
        onset = date.fromisoformat(row["toxicity_date"]) if row["toxicity_date"] else None
        toxic = onset is not None and onset < enrolled + window
        clear = not toxic and enrolled + window <= on
        found.append(
            Seen(
                id=row["id"],
                row=line,
                enrolled=enrolled,
                level=p["doses"].split(";").index(row["dose"]),
                responded=row["response"] == "yes" if known else None,
                response_known=known,
                inevaluable=row["evaluable"] == "no",
                toxic=True if toxic else False if clear else None,
                toxicity_known=onset if toxic else enrolled + window if clear else None,
            )
        )
    return found


@cache
def at_cut_off(name: str) -> State:
    p = protocol(name)
    return state(Compiled.of(parse(scenario(p))), seen(name, p), date.fromisoformat(p["cut_off"]))


def words(value: object) -> str:
    return "" if value is None else str(value)


def decision(code: int | None, nothing: str) -> str:
    if code is None:
        return nothing
    return {FUTILE: "futile", GO: "go"}.get(code, "continue")


def answers(s: State, p: dict[str, str]) -> dict[str, str]:
    """The state under the names of the reference."""
    doses = p["doses"].split(";")
    said = {
        "treated": s.treated,
        "response_yes": s.yes,
        "response_no": s.no,
        "response_inevaluable": s.inevaluable,
        "response_unconfirmed": s.unconfirmed,
        "response_pending": s.pending,
        "trigger_date": s.changes[0].trigger if s.changes else None,
        "switch_date": s.changes[0].switch if s.changes else None,
        "protocol_dose_now": doses[s.now.level],
        "end": ENDS[s.end],
        "end_date": s.ended,
        "deviations": ";".join(f"{d.id}:{d.code}" for d in s.deviations),
    }
    for look in s.looks:
        said |= {
            f"look{look.look + 1}_{what}": value
            for what, value in {
                "n": look.n,
                "yes": look.yes,
                "no": look.no,
                "pending": look.pending,
                "not_enrolled": look.not_enrolled,
                "certain_decision": decision(look.certain, ""),
                "decided": decision(look.decided, "not yet"),
                "decision_date": look.day,
                "waits_for": ";".join(look.waits_for),
            }.items()
        }
    for dose in s.doses:
        said |= {
            f"dose{dose.level + 1}_{what}": value
            for what, value in {
                "treated": dose.treated,
                "toxicity_yes": dose.yes,
                "toxicity_no": dose.no,
                "toxicity_pending": dose.pending,
                "complete_only_first_m": dose.complete_only and dose.complete_only.m,
                "complete_only_date": dose.complete_only and dose.complete_only.day,
                "as_it_happens_first_m": dose.as_it_happens and dose.as_it_happens.m,
                "as_it_happens_date": dose.as_it_happens and dose.as_it_happens.day,
                "complete_only_certain_by": dose.certain_by,
                "least_m_that_can_cross_if_all_pending_toxic": dose.least_m,
            }.items()
        }
    return {name: words(value) for name, value in said.items()}


@pytest.mark.parametrize("name", SETS)
def test_every_fact_of_a_worked_set(name: str) -> None:
    p, s = protocol(name), at_cut_off(name)
    found, compared = answers(s, p), 0
    for row in rows("running/running_answers.csv"):
        if row["set"] != name:
            continue
        if row["quantity"] == "protocol_says_now":
            assert (s.now.says, s.now.look) == SAYS[row["value"]]
        elif row["quantity"] in found:
            assert found[row["quantity"]] == row["value"], row["quantity"]
            compared += 1
    assert compared >= 25


def test_what_the_reference_has_no_column_for() -> None:
    assert at_cut_off("S1").now.waits_for == ("007", "008", "009", "010")
    assert at_cut_off("S1").now.day == date(2026, 5, 9)  # 010 at week 8
    assert at_cut_off("S7").go_certain and not at_cut_off("S7").no_go_certain
    assert at_cut_off("S3").past_futility == tuple(f"{k:03}" for k in range(1, 11))
    assert [d.since for d in at_cut_off("S6").deviations] == [date(2026, 7, 14)] * 4


def test_what_a_list_of_patients_does_not_say_is_refused_by_its_key() -> None:
    text = scenario(protocol("S3"))
    own = text + "cohorts: {rules: own, strata: [{name: a, share: 0.5}, {name: b, share: 0.5}]}\n"
    with pytest.raises(DesignError, match=r"cohorts\.rules"):
        state(Compiled.of(parse(own)), [], date(2026, 1, 1))
    months = text.replace("doses: ['100']", "doses: [high, low]")
    months += "dose_reduction:\n  rule: {kind: amendment, after_month: 3}\n"
    with pytest.raises(DesignError, match="accrual opened"):
        state(Compiled.of(parse(months)), [], date(2026, 1, 1))
    assert state(Compiled.of(parse(months)), [], date(2026, 4, 5), date(2026, 1, 1)).now.level == 1
