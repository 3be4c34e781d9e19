"""Simulate, cut, write a file, read it, ask: the state by way of a file is the one that the trial has lived through.

As ``test_state_of_a_cut_trial``, for scenarios as they are stated, and with the patients written as a site would write
them on the day the file is made: that of the cut-off, or a later one, so that the file has to be rolled back.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import first_of
from tests.oracle.events_patient import Patient
from tests.oracle.test_state_of_a_cut_trial import OPENED, Written, as_lived, on_day
from trialsim.codes import TICKS_PER_DAY
from trialsim.kernels.tables import Calendar
from trialsim.ongoing.columns import COLUMNS
from trialsim.ongoing.known import seen
from trialsim.ongoing.patients import read_patients
from trialsim.ongoing.state import state
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario


def random_scenario(rng: random.Random) -> Scenario:
    """A small trial with whole days throughout."""
    n1, doses = rng.randint(2, 6), ["100", "70", "50"][: rng.randint(1, 3)]
    confirmed = rng.random() < 0.5
    conduct: dict[str, Any] = {
        "accrual": {"per_month": rng.choice((4, 15, 60))},
        "assessment_weeks": [3, 6, 9] if confirmed else rng.choice(([2], [4, 8])),
        "confirmed": confirmed,
        "toxicity_window_weeks": rng.choice((1, 4, 12)),
        "toxicity_known": rng.choice(("as_it_happens", "complete_only")),
        "interim": rng.choice(("pause", "continue", "early_decision")),
        "review_lag_weeks": rng.choice((0, 0, 1, 3)),
        "amendment_lag_weeks": rng.choice((0, 2, 6)),
        "during_amendment": rng.choice(("old_dose", "hold")),
    }
    stated: dict[str, Any] = {
        "schema": 1,
        "name": "A small trial",
        "endpoint": "response",
        "design": {
            "kind": "simon",
            "n1": n1,
            "r1": rng.randint(0, n1 - 1),
            "n": n1 + 4,
            "r": n1,
            "p0": 0.1,
            "p1": 0.4,
        },
        "doses": doses,
        "evaluability": {"probability": rng.choice((1.0, 0.7)), "replaced": rng.random() < 0.5},
        "conduct": conduct,
        "truth": {
            "true": {"response": rng.choice((0.2, 0.5, 0.8)), "toxicity": [0.6, 0.5, 0.4][: len(doses)]}
        },
    }
    if len(doses) > 1 or rng.random() < 0.5:
        rule = {"kind": "pocock", "limit": 0.3, "phi": 0.3}
        stated["dose_reduction"] = {"rule": rule, "at_lowest_dose": rng.choice(("stop", "continue"))}
    return Scenario.model_validate(stated)


def in_days(calendar: Calendar) -> Calendar:
    """The conduct with a day for a tick."""
    day = TICKS_PER_DAY
    return calendar._replace(
        piece_tick=calendar.piece_tick // day,
        ticks_per_unit=(calendar.ticks_per_unit + day // 2) // day,
        units_per_tick=calendar.units_per_tick * day,
        visit=calendar.visit // day,
        window=calendar.window // day,
        onset_scale=calendar.onset_scale // day,
        review_lag=calendar.review_lag // day,
        lag=calendar.lag // day,
    )


def write(path: Path, patients: list[Patient], scenario: Scenario, made: int) -> None:
    """The file that is made at the end of a day."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for p in patients:
            if p.arrival > made:
                continue
            row = {"id": f"{p.number:03}", "enrolled": on_day(p.arrival), "dose": scenario.doses[p.level]}
            row |= {"evaluable": "pending", "response": "pending"}
            if p.known <= made:
                first = p.first_sight if p.response else p.known
                row |= {"evaluable": "yes" if p.evaluable else "no", "response_date": on_day(first)}
                if p.evaluable:
                    row["response"] = "yes" if p.response else "no"
                if p.response and scenario.conduct.confirmed:
                    row["confirmed_date"] = on_day(p.known)
            elif p.response and p.first_sight <= made:
                row |= {"evaluable": "yes", "response": "yes", "response_date": on_day(p.first_sight)}
            row["toxicity"] = "yes" if p.toxic and p.onset <= made else "no"
            if p.toxic and p.onset <= made:
                row["toxicity_date"] = on_day(p.onset)
            writer.writerow(row)


@pytest.mark.parametrize("batch", first_of(1, range(12)))
def test_a_trial_read_from_its_file_stands_where_it_was_left(batch: int, tmp_path: Path) -> None:
    """50 trials, each cut at two days and at that of its end, by a file of the day and by one that is made later."""
    rng, met = random.Random(f"file {batch}"), Counter[str]()
    for number in range(50):
        scenario = random_scenario(rng)
        compiled = Compiled.of(scenario)
        calendar = in_days(compiled.calendar)
        thresholds = compiled.strata["true"].thresholds()
        trial = Written(compiled.rules, calendar, thresholds, rng.getrandbits(30), 0)
        trial.run()
        last, first = trial.arms[0].decided, trial.patients[0].arrival
        for day in {rng.randint(first, last), rng.randint(first, last + 2), last}:
            found = []
            for made in (day, day + rng.randint(1, 200)):
                path = tmp_path / f"{number}-{day}-{made}.csv"
                write(path, trial.patients, scenario, made)
                read = read_patients(path, compiled, cut_off=on_day(day), extracted=on_day(made))
                found.append(seen(read, compiled))
            at_once, rolled_back = found
            assert at_once == rolled_back
            stands = state(compiled, at_once, on_day(day), OPENED)
            met["cuts"] += 1
            met["unconfirmed"] += stands.unconfirmed
            if stands.course.unsettled:
                met["unsettled"] += 1
                continue
            as_lived(stands, trial, day, (batch, number, day), met)
            assert stands.deviations == ()
    assert min(met["looks"], met["triggers"], met["switches"], met["ended"], met["unconfirmed"]) > 5, met
    assert met["unsettled"] < met["cuts"] / 10
