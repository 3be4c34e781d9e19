"""The dose decision in a protocol's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trialsim.facts.dose_decision import Allocated, DoseDecision
from trialsim.facts.protocol import Facts
from trialsim.reporting.dose_words import clause
from trialsim.writing.numbers import count
from trialsim.writing.report import Block, Words


def blocks(facts: Facts) -> Iterator[Block]:
    """How doses are given after the trigger, and which one goes forward; nothing without a dose decision."""
    stated = facts.dose_decision
    if stated is None:
        return
    if stated.allocated is not None:
        yield Words(" ".join(_allocation(stated, stated.allocated)))
    yield Words(" ".join(_of_arms(stated) if stated.from_start else _decision(stated)))


def _allocation(stated: DoseDecision, after: Allocated) -> Iterator[str]:
    higher, lower = stated.higher, stated.lower
    a, b = after.ratio
    ratio = f"{a} : {b} ({lower} : {higher})"
    how = {
        "alternate": f"are given the two doses in turn, {a} at {lower}, then {b} at {higher}, and so on",
        "blocks": f"are randomised {ratio} in permuted blocks of {a + b}",
        "coin": f"are randomised {ratio}, each patient independently of the others",
    }[after.allocation]
    yield (
        f"From the first patient on who would have been given {lower} because of toxicity at {higher}, patients "
        f"{how}."
    )
    if after.n_per_dose is not None:
        yield (
            f"This ends when each dose has {count(after.n_per_dose, 'patient')} since then: a dose that has them "
            "first is "
            f"given to nobody until the other has them too, and everybody after that is given {lower}."
        )
    yield (
        f"The toxicity boundary of {higher} acts no more; that of {lower} counts the patients at {lower}. Looks at "
        "responses count all patients together."
    )
    if stated.reason:
        yield f"Reason to go on giving {higher}: {_closed(stated.reason)}"


def _closed(reason: str) -> str:
    """A reason in the scenario's words, with a full stop."""
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."


def _rule(stated: DoseDecision) -> dict[str, Any]:
    return {
        "kind": stated.kind,
        **{s.key: s.values[0] if len(s.values) == 1 else list(s.values) for s in stated.settings},
    }


def _of_arms(stated: DoseDecision) -> Iterator[str]:
    higher, lower = stated.higher, stated.lower
    yield (
        f"If neither {higher} nor {lower} ends in a go, no dose goes forward. If one of them does, it goes forward, "
        f"whatever was seen at the other. If both do, {clause(_rule(stated), higher, lower)}."
    )
    yield (
        "Rates are of all treated patients at each dose; a patient who cannot be evaluated counts as one without a "
        "response."
    )


def _decision(stated: DoseDecision) -> Iterator[str]:
    higher, lower, after, rule = stated.higher, stated.lower, stated.allocated, _rule(stated)
    ends = "If the trial ends in a go" if stated.applies == "go" else "However the trial ends"
    yield f"{ends}, the doses are compared: {clause(rule, higher, lower)}."
    if stated.applies == "any_end":
        yield "After an end without a go this informs, and no dose goes forward."
    whose = "all treated patients at the two doses"
    if after is not None and after.compared == "concurrent":
        yield f"Only patients since {lower} was first to be given are compared."
        whose = "those patients at the two doses who were treated"
    elif after is not None:
        yield "All patients are compared, also those before both doses were given."
    yield (f"Rates are of {whose}; a patient who cannot be evaluated counts as one without a response.")
    if stated.min_per_dose > 1:
        yield f"With fewer than {count(stated.min_per_dose, 'patient')} at either dose the choice is left open."
    no_patients = (
        f"If nobody was treated at {lower}"
        if after is None
        else "If either dose was given to nobody since then"
    )
    yield f"{no_patients}, there is no comparison."
    if not stated.higher_selectable and stated.kind != "always_lower":
        yield (
            f"{higher} cannot go forward, because it has reached its toxicity boundary: where the comparison favours "
            "it, "
            f"{lower} is not supported and no dose goes forward."
        )
    elif after is None and stated.reason:
        yield (
            f"Reason why {higher} may go forward although it has reached its toxicity boundary: "
            f"{_closed(stated.reason)}"
        )
    yield "A go is about all patients together and does not test the dose that is chosen."
