"""The running trials of the reference tables: scenario, patients as seen at the cut-off, answers."""

from __future__ import annotations

from datetime import date, timedelta

from tests.published.reference import rows
from trialsim.ongoing.seen import Seen
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

ACCRUAL_PER_MONTH = 4.0


def answers(name: str) -> dict[str, str]:
    return {
        row["quantity"]: row["value"] for row in rows("running/running_answers.csv") if row["set"] == name
    }


def protocol(name: str) -> dict[str, str]:
    return next(row for row in rows("running/running_protocols.csv") if row["set"] == name)


def compiled(name: str) -> Compiled:
    stated = protocol(name)
    (r1, n1), (r, n) = (map(int, part.split("/")) for part in stated["design"].split())
    p0, p1 = float(stated["p0"]), float(stated["p1"])
    weeks = [float(week) for week in stated["assessment_weeks"].split(";")]
    doses = stated["doses"].split(";")
    toxicity = [float(rate) for rate in stated["toxicity_rates"].split(";")]
    conduct = {
        "accrual": {"per_month": ACCRUAL_PER_MONTH},
        "assessment_weeks": weeks,
        "confirmed": stated["confirmed"] == "True",
        "first_seen": [0.7, 0.3] if len(weeks) == 3 else [1.0],
        "progression_median_weeks": 7.8,
        "disease_control_week": 16,
        "toxicity_window_weeks": float(stated["toxicity_window_weeks"]),
        "toxicity_known": stated["toxicity_known"],
        "interim": stated["interim"],
        "amendment_lag_weeks": float(stated["amendment_lag_weeks"]),
        "during_amendment": stated["during_amendment"],
    }
    scenario = {
        "schema": 1,
        "name": name,
        "endpoint": "response",
        "design": {"kind": "simon", "n1": n1, "r1": r1, "n": n, "r": r, "p0": p0, "p1": p1},
        "doses": doses,
        "conduct": conduct,
        "truth": {case: {"response": p, "toxicity": toxicity} for case, p in (("p0", p0), ("p1", p1))},
    }
    if stated["toxicity_rule"] != "none":
        scenario["dose_reduction"] = {
            "rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1},
            "at_lowest_dose": stated["at_lowest"],
        }
    if stated["replaced"] == "True":
        # room for those who replace others, as a protocol that expects some has it; the truth has none to come
        scenario["evaluability"] = {"probability": 0.9, "replaced": True}
        rules = Compiled.of(Scenario.model_validate(scenario)).rules
        scenario["evaluability"]["probability"] = 1.0
        return Compiled(Scenario.model_validate(scenario), rules)
    return Compiled.of(Scenario.model_validate(scenario))


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def patients(name: str) -> tuple[list[Seen], date]:
    """The patients as seen at the cut-off; the files are extracted at it."""
    stated = protocol(name)
    today = date.fromisoformat(stated["cut_off"])
    window = timedelta(weeks=float(stated["toxicity_window_weeks"]))
    confirmed, doses = stated["confirmed"] == "True", stated["doses"].split(";")
    seen = []
    for i, row in enumerate(rows(f"running/patients_{name}.csv")):
        enrolled = date.fromisoformat(row["enrolled"])
        known = day(row["confirmed_date"] if confirmed and row["response"] == "yes" else row["response_date"])
        gone = row["evaluable"] == "no"
        responded = {"yes": True, "no": False}.get(row["response"]) if known else None
        toxic = {"yes": True, "no": False}.get(row["toxicity"])
        toxicity_known = day(row["toxicity_date"]) if toxic else enrolled + window
        if toxic is False and toxicity_known > today:
            toxic = None
        seen.append(
            Seen(
                id=row["id"],
                row=i + 2,
                enrolled=enrolled,
                level=doses.index(row["dose"]),
                responded=None if gone else responded,
                response_known=known,
                inevaluable=gone,
                unconfirmed=day(row["response_date"]) if row["response"] == "yes" and not known else None,
                toxic=toxic,
                toxicity_known=None if toxic is None else toxicity_known,
            )
        )
    return seen, today
