"""The block ``dose_decision`` of a scenario file: which of two doses goes forward after a go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trialsim.codes import ALTERNATE, BLOCKS, COIN, FROM_START
from trialsim.designs.dose_choice import (
    HIGHER,
    LOWER,
    DoseChoice,
    DoseRule,
    Loss,
    lower_is_right,
)
from trialsim.designs.rules import Randomise
from trialsim.designs.spec import AsTuple, Patients, Spec, impossible
from trialsim.scenario.cohorts import Cohorts, Stratum
from trialsim.scenario.values import Text, listed

if TYPE_CHECKING:
    from trialsim.scenario.cases import Case
    from trialsim.scenario.model import Scenario

Ratio = Annotated[int, Field(ge=1, le=20)]

LEVELS = 2
"""Dose levels between which a decision is defined."""


class Allocation(Spec):
    """Both doses after the trigger of a reduction, in a stated ratio, in place of the lower one for everybody."""

    allocation: Literal["alternate", "blocks", "coin"] = Field(
        "blocks",
        description="alternate: in turn, the lower dose first; blocks: permuted blocks of the ratio; coin: each "
        "patient "
        "by chance",
        title="allocation to the doses after the trigger",
    )
    ratio: Annotated[tuple[Ratio, Ratio], AsTuple] = Field(
        (1, 1),
        description="[lower, higher]: of so many patients so many get each dose",
        title="ratio of lower to higher dose after the trigger",
    )
    n_per_dose: Patients | None = Field(
        None,
        description="allocation ends when each dose has so many patients since the trigger, and everybody after gets "
        "the lower one (default: it goes on to the planned n)",
        title="patients at each dose with which allocation ends",
    )
    compared: Literal["concurrent", "all"] = Field(
        "concurrent",
        description="concurrent: the rule compares patients since the trigger only; all: all patients, which throws "
        "the randomisation away",
        title="patients that the dose rule compares",
    )


class FromStart(Spec):
    """Both doses from the first patient on: randomised, each with the design by itself, and no go of all together."""

    ratio: Annotated[tuple[Ratio, Ratio], AsTuple] = Field(
        (1, 1),
        description="[lower, higher]: each patient by chance, of so many patients so many expected at each dose, until "
        "one dose needs no more",
        title="ratio of lower to higher dose from the start",
    )

    def arms(self, higher: str, lower: str) -> Cohorts:
        """The two doses as cohorts with rules of their own, which they are to everything that runs trials."""
        a, b = self.ratio
        # names of doses may begin with a digit, those of strata that a file states may not
        strata = (
            Stratum.model_construct(name=higher, share=b / (a + b), cohort=None),
            Stratum.model_construct(name=lower, share=a / (a + b), cohort=None),
        )
        return Cohorts.model_construct(rules="own", strata=strata)


class DoseDecision(Spec):
    """Which of the two doses goes forward, decided when the trial has ended."""

    rule: DoseRule = Field(title="rule of the dose decision")
    applies: Literal["go", "any_end"] = Field(
        "go",
        description="go: after a go only; any_end: after every end, which is information and no decision, since after "
        "a stop no dose goes forward",
        title="ends after which the dose rule is applied",
    )
    min_per_dose: Patients = Field(
        1,
        description="fewest patients at either dose for a decision; with fewer it is left open",
        title="fewest patients at either dose for a decision",
    )
    margin: Loss = Field(
        0.0,
        description="how much lower the true response rate at the lower dose may be for that dose to be the correct "
        "one; no calculation of the rule uses it",
        title="margin of the true response rates",
    )
    higher_selectable: bool = Field(
        False,
        description="whether the higher dose, whose toxicity boundary was crossed, may go forward; if not, that "
        "outcome "
        "says that the lower dose is not supported",
        title="whether the higher dose may go forward",
    )
    after_trigger: Allocation | None = Field(
        None,
        description="randomise later patients between the two doses once a reduction was triggered (default: all get "
        "the lower dose); the boundary that was crossed acts no more",
        title="allocation after the trigger",
    )
    from_start: FromStart | None = Field(
        None,
        description="randomise between the two doses from the first patient on, each dose with the design by itself: a "
        "dose that passes alone goes forward, and the rule is asked where both pass (default: everybody begins at the "
        "higher dose)",
        title="two doses from the start",
    )
    reason: Text | None = Field(
        None,
        description="why the higher dose may still be given after its toxicity boundary was crossed",
        title="reason why the higher dose may go forward",
    )
    beside: Annotated[tuple[DoseRule, ...], AsTuple, Field(max_length=12)] = Field(
        (),
        description="other rules that the report shows beside this one, on the same trials",
        title="rules shown beside the rule",
    )

    def randomise(self) -> Randomise | None:
        """The allocation from the start or after the trigger, compiled."""
        if self.from_start is not None:
            return Randomise(FROM_START, *self.from_start.ratio)
        stated = self.after_trigger
        if stated is None:
            return None
        how = {"alternate": ALTERNATE, "blocks": BLOCKS, "coin": COIN}[stated.allocation]
        return Randomise(how, *stated.ratio, stated.n_per_dose or 0)

    @property
    def any_end(self) -> bool:
        """Whether the rule is applied whatever the end."""
        return self.applies == "any_end"

    @property
    def both_selectable(self) -> bool:
        """Whether the higher dose may go forward as well as the lower: stated, or no boundary of it was crossed."""
        return self.higher_selectable or self.from_start is not None

    def choice(self, case: Case, p0: float | None, rule: DoseRule | None = None) -> DoseChoice:
        """The rule (or another) compiled, with what is right in a case."""
        higher, lower = case.by_dose("response", LEVELS) or (0.0, 0.0)
        forward = {LOWER: lower, **({HIGHER: higher} if self.both_selectable else {})}
        return DoseChoice.of(
            rule or self.rule,
            least=self.min_per_dose,
            any_end=self.any_end,
            right=LOWER if lower_is_right(higher, lower, self.margin) else HIGHER,
            compared="arms" if self.from_start else self.after_trigger.compared if self.after_trigger else "",
            inactive=None if p0 is None else tuple(dose for dose, rate in forward.items() if rate <= p0),
        )


def check_dose_decision(scenario: Scenario) -> None:
    """Refuses a dose decision where there are not two doses to decide between."""
    stated = scenario.dose_decision
    if stated is None:
        return
    if len(scenario.doses) != LEVELS:
        raise impossible(
            "dose_decision",
            f"a decision between doses needs two, and `doses` lists {len(scenario.doses)} ({listed(scenario.doses)})",
        )
    if stated.from_start is not None:
        _check_from_start(scenario, stated)
    elif scenario.dose_reduction is None or scenario.dose_reduction.kind == "none":
        raise impossible(
            "dose_decision", "nobody is treated at the lower dose without a rule in `dose_reduction`"
        )
    if scenario.on_dose_change != "pooled":
        raise impossible(
            "dose_reduction.on_dose_change",
            f"`{scenario.on_dose_change}` leaves no comparison of the doses: with `dose_decision` only `pooled`",
        )
    if scenario.own_rules and stated.from_start is None:
        raise impossible("cohorts.rules", "`own` is not defined with `dose_decision`; only `pooled` is")
    for name, case in scenario.truth.items():
        if case.cohorts:
            raise impossible(
                f"truth.{name}.cohorts",
                "rates by cohort are not defined with `dose_decision`: which dose is correct?",
            )
    if scenario.conduct is not None and scenario.conduct.patient_reductions is not None:
        raise impossible(
            "dose_decision", "not defined with `conduct.patient_reductions`: patients would have both doses"
        )
    if stated.after_trigger is not None:
        if stated.any_end:
            raise impossible(
                "dose_decision.applies", "`any_end` is not defined with `after_trigger`; only go is"
            )
        if scenario.evaluability.replaced:
            raise impossible(
                "dose_decision.after_trigger", "not defined where inevaluable patients are replaced"
            )
        if getattr(scenario.design, "watches_toxicity", False):
            raise impossible(
                "dose_decision.after_trigger", "not defined where looks of the design count toxicities"
            )
    for place, rule in (
        ("rule", stated.rule),
        *((f"beside.{k}", other) for k, other in enumerate(stated.beside)),
    ):
        counts = rule.kind == "utility" and rule.toxicity > 0
        if counts and any(case.toxicity is None for case in scenario.truth.values()):
            raise impossible(
                f"dose_decision.{place}",
                "the utility weighs toxicity, which needs a toxicity rate in every case",
            )


def _check_from_start(scenario: Scenario, stated: DoseDecision) -> None:
    """What does not go with two doses from the first patient on."""
    why_not = {
        "after_trigger": "nothing is triggered where both doses are given from the start",
        "applies": "`any_end` is not defined with `from_start`: a dose that fails its design does not go forward",
        "min_per_dose": "not defined with `from_start`: the design says how many patients a dose needs",
        "higher_selectable": "with `from_start` the higher dose crossed no boundary and may go forward; leave this out",
        "reason": "with `from_start` the higher dose crossed no boundary: there is nothing to give a reason for",
    }
    refused = {
        "after_trigger": stated.after_trigger is not None,
        "applies": stated.any_end,
        "min_per_dose": stated.min_per_dose > 1,
        "higher_selectable": "higher_selectable" in stated.model_fields_set and not stated.higher_selectable,
        "reason": stated.reason is not None,
    }
    for key, why in why_not.items():
        if refused[key]:
            raise impossible(f"dose_decision.{key}", why)
    if scenario.dose_reduction is not None and scenario.dose_reduction.kind != "none":
        raise impossible(
            "dose_reduction",
            "not defined with `dose_decision.from_start`: each dose keeps the patients it is given to",
        )
    arms = stated.from_start.arms(*scenario.doses) if stated.from_start else None
    if scenario.cohorts is not None and scenario.cohorts != arms:
        raise impossible(
            "cohorts", "not defined with `dose_decision.from_start`: the two doses are the cohorts"
        )
    if scenario.evaluability.replaced:
        raise impossible("dose_decision.from_start", "not defined where inevaluable patients are replaced")
    for name, case in scenario.truth.items():
        if case.change != 0:
            raise impossible(f"truth.{name}.drift", "a drift is not defined with `dose_decision.from_start`")
