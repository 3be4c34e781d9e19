"""The operating characteristics of a trial, each stated once: its name, its words, what it counts, when it exists.

How a quantity is read from simulated trials stands beside the engine (``engine/quantities.py``). A quantity by dose or
by cohort is one entry; its names carry the number of the dose or cohort (``patients_dose_1``).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from trialsim.codes import (
    ACCRUAL,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILITY,
    GO_EARLY,
    TOXICITY,
    TOXICITY_AT_N,
)

Count = TypeVar("Count", int, float)
Kind = Literal["probability", "patients", "months", "share"]

_NO_DIFFERENCES = "a quantile is no mean over trials, so that a difference of two has no mean of differences"
_NOT_SIMULATED = "it is averaged over what the rates may be, exactly, and no trial is simulated for it"
_OTHER_TRIALS = "it is averaged over dose paths, which are simulated beside the trials"


@dataclass(frozen=True)
class Quantity:
    """One operating characteristic.

    Attributes:
        label: its words in tables; of a quantity by dose or cohort with ``{}`` for which, and ``{group}``, ``{of}`` and
            ``{at}`` for words about cohorts that are other ones where the cohorts are doses.
        kind: what it counts.
        per: whether there is one a trial, one a dose or one a cohort.
        needs: "" for what every trial has; conduct: where the scenario states what it takes (dates, mostly); cohorts:
            where there are several; comparison: formed of others where designs are compared; history, prior: where the
            scenario has that block (what-ifs and sensitivity; every outcome known at once).
        ends: the ways of ending (``codes``) whose probabilities it adds up.
        short: its words where there is little room; default the label.
        spoken: its words inside a sentence; default made of the label.
        own, own_short: label, and short and spoken words, where cohorts have rules of their own.
        not_paired: why its difference between two trials on the same patients is not given; "" where it is.
    """

    name: str
    label: str
    kind: Kind
    per: Literal["trial", "dose", "cohort"] = "trial"
    needs: Literal["", "conduct", "cohorts", "decision", "comparison", "history", "prior"] = ""
    ends: tuple[int, ...] = ()
    short: str = ""
    spoken: str = ""
    own: str = ""
    own_short: str = ""
    not_paired: str = ""

    def names(self, doses: int, cohorts: int = 0) -> tuple[str, ...]:
        """Its names in a trial with so many doses and cohorts."""
        if self.per == "trial":
            return (self.name,)
        return tuple(f"{self.name}_{k + 1}" for k in range(doses if self.per == "dose" else cohorts))


QUANTITIES = (
    Quantity(
        "p_go", "P(go): H0 rejected, recommend further study", "probability", ends=(GO_EARLY, FINAL_GO),
        short="P(go)", spoken="P(go)",
        own="P(go {of} at least one {group})", own_short="P(go {of} at least one {group})",
    ),
    Quantity("p_no_go", "P(no go at the planned n)", "probability", ends=(FINAL_NO_GO, ACCRUAL)),
    Quantity("p_consider", "P(consider)", "probability", ends=(FINAL_CONSIDER,)),
    Quantity(
        "pet", "PET: probability of early termination", "probability", ends=(FUTILITY, TOXICITY, GO_EARLY),
        short="PET", spoken="the probability of early termination",
        own="PET: the {group} that got furthest ended early",
    ),
    Quantity("p_stop_futility", "P(stop early for futility)", "probability", ends=(FUTILITY,)),
    Quantity("p_stop_toxicity", "P(stop early for toxicity)", "probability", ends=(TOXICITY,)),
    Quantity("p_go_early", "P(go early)", "probability", ends=(GO_EARLY,)),
    Quantity(
        "p_stop_toxicity_at_n", "P(toxicity stop at the last patient)", "probability", ends=(TOXICITY_AT_N,)
    ),
    Quantity(
        "p_dose_reduction_triggered", "P(dose reduction triggered)", "probability",
        spoken="the probability that a dose reduction is triggered",
    ),
    Quantity(
        "p_dose_reduced", "P(dose reduced: at least one patient at a lower dose)", "probability",
        short="P(dose reduced)", spoken="the probability of a dose reduction",
    ),
    Quantity(
        "en", "EN: expected patients treated", "patients", short="EN", spoken="the expected number of patients"
    ),
    Quantity("en_evaluable", "Expected patients evaluable", "patients"),
    Quantity("responses", "Expected responses", "patients"),
    Quantity("toxicities", "Expected patients with toxicity", "patients"),
    Quantity("patients_dose", "Expected patients at {}", "patients", "dose"),
    Quantity("responses_dose", "Expected responses at {}", "patients", "dose"),
    Quantity("toxicities_dose", "Expected toxicities at {}", "patients", "dose"),
    # the same quantity as P(go), with a smaller error
    Quantity(
        "p_go_averaged", "P(go), averaged over dose paths", "probability", needs="conduct",
        not_paired=_OTHER_TRIALS,
    ),
    # the verdict of a single-stage test at the number of evaluable patients
    Quantity(
        "p_go_evaluable", "P(go), tested on the evaluable patients", "probability", needs="conduct"
    ),
    Quantity("p_go_all", "P(go {of} every {group})", "probability", needs="conduct"),
    Quantity(
        "p_false_go", "P(false go: {of} a {group} no better than p0)", "probability", needs="conduct",
        short="P(false go)", spoken="P(false go)",
    ),
    Quantity("treated", "Expected patients treated, overrun included", "patients", needs="conduct"),
    # enrolled while the decision that ended the trial was pending
    Quantity("overrun", "Expected overrun patients", "patients", needs="conduct"),
    Quantity("screened", "Expected people screened", "patients", needs="conduct"),
    Quantity("disease_control", "Expected patients with disease control", "patients", needs="conduct"),
    Quantity("serious", "Expected patients with a serious adverse event", "patients", needs="conduct"),
    Quantity("patients_reduced", "Expected patients whose own dose was reduced", "patients", needs="conduct"),
    Quantity("patients_off", "Expected patients off treatment for toxicity", "patients", needs="conduct"),
    Quantity(
        "relative_dose_intensity", "Relative dose intensity, mean over patients", "share", needs="conduct"
    ),
    # from the first patient in to the last outcome known
    Quantity("duration_months", "Expected duration (months)", "months", needs="conduct"),
    Quantity("accruing_months", "Expected months accruing", "months", needs="conduct"),
    Quantity("paused_months", "Expected months with accrual closed", "months", needs="conduct"),
    Quantity("waiting_months", "Expected months waiting after accrual", "months", needs="conduct"),
    Quantity("decision_months", "Expected months to the decision", "months", needs="conduct"),
    Quantity("trigger_months", "Expected months to the trigger, where triggered", "months", needs="conduct"),
    Quantity(
        "duration_p10_months", "Duration: 10% of trials are shorter (months)", "months", needs="conduct",
        not_paired=_NO_DIFFERENCES,
    ),
    Quantity(
        "duration_median_months", "Duration: median (months)", "months", needs="conduct",
        not_paired=_NO_DIFFERENCES,
    ),
    Quantity(
        "duration_p90_months", "Duration: 10% of trials are longer (months)", "months", needs="conduct",
        not_paired=_NO_DIFFERENCES,
    ),
    Quantity("p_go_cohort", "P(go) {at} {}", "probability", "cohort", "cohorts"),
    Quantity("patients_cohort", "Expected patients {at} {}", "patients", "cohort", "cohorts"),
    Quantity("evaluable_cohort", "Expected patients evaluable {at} {}", "patients", "cohort", "cohorts"),
    Quantity("responses_cohort", "Expected responses {at} {}", "patients", "cohort", "cohorts"),
    # which dose goes forward; the first five are all that can happen
    Quantity(
        "p_dose_none", "P(dose rule: no go, so no dose goes forward)", "probability", needs="decision",
        short="P(no dose)",
    ),
    Quantity(
        "p_dose_no_comparison", "P(dose rule: nobody was treated at the lower dose)", "probability", needs="decision",
        short="P(no comparison)",
    ),
    Quantity(
        "p_dose_undecided", "P(dose rule: too few patients at a dose)", "probability", needs="decision",
        short="P(dose undecided)",
    ),
    Quantity(
        "p_dose_lower", "P(dose rule: the lower dose)", "probability", needs="decision", short="P(lower dose)"
    ),
    Quantity(
        "p_dose_higher", "P(dose rule: the higher dose)", "probability", needs="decision", short="P(higher dose)"
    ),
    Quantity(
        "p_dose_correct", "P(dose rule: the correct dose, PCS)", "probability", needs="decision",
        short="PCS", spoken="the probability that the correct dose is chosen",
    ),
    Quantity(
        "p_dose_wrong", "P(dose rule: the wrong dose)", "probability", needs="decision", short="P(wrong dose)",
        spoken="the probability that the wrong dose is chosen",
    ),
    Quantity(
        "p_dose_inactive", "P(dose rule: a dose no better than p0 goes forward)", "probability", needs="decision",
        short="P(inactive dose forward)",
        spoken="the probability that a dose no better than p0 goes forward",
    ),
    Quantity(
        "mean_type_i_error", "Mean type I error over the control’s rate (known at once)",
        "probability", needs="history", short="Mean type I error", spoken="the mean type I error",
        not_paired=_NOT_SIMULATED,
    ),
    Quantity(
        "assurance", "Assurance: P(go) over the prior (known at once)", "probability", needs="prior",
        short="Assurance", spoken="assurance, P(go) over the prior,", not_paired=_NOT_SIMULATED,
    ),
    Quantity(
        "p_active_given_go", "P(active | go) over the prior (known at once)", "probability", needs="prior",
        short="P(active | go)", spoken="P(active | go)", not_paired=_NOT_SIMULATED,
    ),
    Quantity(
        "p_active_given_no_go", "P(active | no go) over the prior (known at once)", "probability",
        needs="prior", short="P(active | no go)", spoken="P(active | no go)", not_paired=_NOT_SIMULATED,
    ),
    Quantity(
        "average_type_i_error", "Average type I error: P(go | not active) over the prior (known at once)",
        "probability", needs="prior", short="Average type I error", spoken="the average type I error",
        not_paired=_NOT_SIMULATED,
    ),
    Quantity(
        "average_power", "Average power: P(go | active) over the prior (known at once)", "probability",
        needs="prior", short="Average power", spoken="the average power", not_paired=_NOT_SIMULATED,
    ),
    Quantity("better_dose", "Expected patients at the better dose", "patients", needs="comparison"),
)  # fmt: skip
"""Every operating characteristic, in reading order: those of every trial first."""

_BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}


@functools.cache
def found(name: str) -> tuple[Quantity, int]:
    """The entry of a quantity, and which dose or cohort (from 1; 0: of the trial) its name means.

    Raises:
        KeyError: there is no such quantity.
    """
    if name in _BY_NAME and _BY_NAME[name].per == "trial":
        return _BY_NAME[name], 0
    stem, _, number = name.rpartition("_")
    if not (number.isdigit() and stem in _BY_NAME and _BY_NAME[stem].per != "trial"):
        raise KeyError(f"{name!r} is no operating characteristic")
    return _BY_NAME[stem], int(number)


def quantity_names(doses: int, cohorts: int = 0, needs: Sequence[str] = ("",)) -> tuple[str, ...]:
    """The names of all quantities with such needs, in reading order: dose by dose, and cohort by cohort."""
    wanted = (q for q in QUANTITIES if q.needs in needs)
    groups = (list(group) for _, group in itertools.groupby(wanted, key=lambda q: q.per))
    together = (zip(*(q.names(doses, cohorts) for q in group), strict=True) for group in groups)
    return tuple(name for group in together for of_one in group for name in of_one)


def by_end(ends: Sequence[Count]) -> dict[str, Count]:
    """What the ways a trial can end (in the order of ``codes``) add up to, for probabilities or counts alike."""
    return {q.name: sum(ends[end] for end in q.ends) for q in QUANTITIES if q.ends}


def kind(name: str) -> Kind:
    """What a quantity counts."""
    return found(name)[0].kind


def is_probability(name: str) -> bool:
    """Whether a quantity is a probability (else it is a mean)."""
    return kind(name) == "probability"


def per(name: str) -> str:
    """Whether a quantity is of the trial, of a dose or of a cohort."""
    return found(name)[0].per


def label(name: str, doses: Sequence[str] = (), cohorts: Sequence[str] = (), own: bool = False) -> str:
    """The words for a quantity; without names, doses and cohorts are told by number.

    ``own``: cohorts have rules of their own. Cohorts that are the doses, both given from the start, are called doses.
    """
    quantity, number = found(name)
    named = doses if quantity.per == "dose" else cohorts
    which = named[number - 1] if number and named else f"{quantity.per} {number}"
    return _in_words((own and quantity.own) or quantity.label, doses, cohorts, which)


def _in_words(words: str, doses: Sequence[str], cohorts: Sequence[str], which: str = "") -> str:
    """Words of the table; ``which``: the dose or the cohort that they are about."""
    if len(cohorts) > 1 and tuple(cohorts) == tuple(doses):
        return words.format(which, group="dose", of="for", at="at")
    return words.format(which, group="cohort", of="in", at="in")


def short(name: str, doses: Sequence[str] = (), cohorts: Sequence[str] = (), own: bool = False) -> str:
    """A quantity in few words: P(go), EN; arguments as for ``label``."""
    quantity, _ = found(name)
    few = (own and quantity.own_short) or quantity.short
    return _in_words(few, doses, cohorts) if few else label(name, doses, cohorts, own=own)


def spoken(name: str, doses: Sequence[str] = (), cohorts: Sequence[str] = (), own: bool = False) -> str:
    """A quantity inside a sentence; arguments as for ``label``."""
    quantity, _ = found(name)
    if stated := (own and quantity.own_short) or quantity.spoken:
        return _in_words(stated, doses, cohorts)
    words = label(name, doses, cohorts, own=own)
    if quantity.kind == "probability":
        return words
    if quantity.kind == "patients":
        return f"the expected number of {words.removeprefix('Expected ')}"
    return f"the {words[:1].lower()}{words[1:]}".replace(" (months)", "")
