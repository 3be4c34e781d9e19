"""The observed trial of a scenario, analysed: all treated patients, evaluable patients, and by dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from trialsim.answers import Answer
from trialsim.codes import POOLED
from trialsim.designs.binomial import clopper_pearson
from trialsim.designs.rules import Looks
from trialsim.errors import DesignError
from trialsim.inference.analysis import AnalysisPlan, PatientsAnalysis
from trialsim.inference.characteristics import Characteristics
from trialsim.inference.harms import HarmRate, observed_harms
from trialsim.inference.posterior import Posterior, posterior
from trialsim.inference.questions import TwoQuestions, two_questions
from trialsim.inference.sizes import analyse_set
from trialsim.results import digits12

if TYPE_CHECKING:
    from trialsim.scenario.compiled import Compiled
    from trialsim.scenario.model import Observed, Scenario

TREATED, EVALUABLE = "All treated patients", "Evaluable patients"


@dataclass(frozen=True)
class ByDose:
    """Patients at one dose: how they were chosen by the stopping rule is left out, so only what needs no design."""

    dose: str
    n: int
    x: int
    low: float
    high: float
    posterior: Posterior


def by_dose(dose: str, n: int, x: int, plan: AnalysisPlan) -> ByDose:
    """x responses among n patients at a dose."""
    low, high = clopper_pearson(x, n, plan.confidence)
    post = posterior(n, x, prior=plan.prior, confidence=plan.confidence, p0=plan.p0, p1=plan.p1)
    return ByDose(dose, n, x, low, high, post)


@dataclass(frozen=True, repr=False)
class Analyses(Answer):
    """The final analysis: each set of patients, the first one primary; by dose; harms; what has to be said of them.

    Attributes:
        assumed: the design is an assumption of the scenario, so nothing here says that the trial used it.
        questions: how the test differs from the check of the observed trial; None without p0.
        characteristics: bias, error and coverage under the design, where plan for.
    """

    kind: ClassVar[str] = "analyse"

    name: str
    sets: tuple[PatientsAnalysis, ...]
    doses: tuple[ByDose, ...] = ()
    notes: tuple[str, ...] = ()
    assumed: bool = False
    harms: tuple[HarmRate, ...] = ()
    questions: TwoQuestions | None = None
    scenario: Scenario | None = None
    characteristics: Characteristics | None = None

    def __getitem__(self, patients: str) -> PatientsAnalysis:
        for found in self.sets:
            if found.patients == patients:
                return found
        raise KeyError(f"{patients!r} is not analysed; there are {', '.join(a.patients for a in self.sets)}")

    def rows(self) -> list[dict[str, Any]]:
        """One dict a number."""
        rows = [row for found in self.sets for row in found.rows()]
        for d in self.doses:
            row = {
                "patients": d.dose,
                "n": d.n,
                "responses": d.x,
                "kind": "by_dose",
                "name": "clopper_pearson",
            }
            rows.append(row | {"value": d.x / d.n, "low": d.low, "high": d.high})
        return rows + [harm.row() for harm in self.harms]

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        found = {
            "name": self.name,
            "design_assumed": self.assumed,
            "sets": [found.to_dict() for found in self.sets],
            "by_dose": [asdict(d) for d in self.doses],
            "harms": [{**vars(harm), "rate": harm.count / harm.treated} for harm in self.harms],
            "questions": self.questions and vars(self.questions),
            **({"characteristics": self.characteristics.to_dict()} if self.characteristics else {}),
            "notes": list(self.notes),
        }
        return dict(digits12(found))


def analyse_observed(scenario: Scenario | Compiled, plan: AnalysisPlan) -> Analyses:
    """Analyse what a scenario says was observed, with the design it states."""
    from trialsim.scenario.compiled import Compiled

    trial = Compiled.of(scenario)
    scenario, looks = trial.scenario, trial.rules.looks
    observed = scenario.observed
    if observed is None:
        raise DesignError("the scenario has no `observed` block: there is nothing to analyse")
    if observed.responses is None or observed.evaluable is None:
        missing = "responses" if observed.responses is None else "evaluable"
        raise DesignError(f"`observed.{missing}` is not stated: there is nothing to analyse")
    _refuse_other_looks(trial)
    plan = replace(
        plan,
        p0=getattr(scenario.design, "p0", None) if plan.p0 is None else plan.p0,
        p1=getattr(scenario.design, "p1", None) if plan.p1 is None else plan.p1,
    )
    source = scenario.sources.get("design")
    assumed = source is not None and source.assumed
    notes = _notes(scenario, observed, assumed)
    if plan.p0 is None:
        notes.append("The design states no p0: there is no p-value.")
    ways = {TREATED: _treated, EVALUABLE: _evaluable}
    # first the patients that the looks count
    counted = (EVALUABLE, TREATED) if scenario.evaluability.replaced else (TREATED, EVALUABLE)
    sets, refused = [], []
    for patients in counted:
        try:
            found = ways[patients](looks, observed, plan)
        except DesignError as error:
            refused.append(f"{patients}: not analysed, because {error}.")
        else:
            sets += [found] if found else []
    if not sets:
        raise DesignError(" ".join(refused))
    notes += refused
    harms = tuple(observed_harms(observed, scenario.doses, plan.confidence))
    return Analyses(
        scenario.name,
        tuple(sets),
        tuple(_doses(scenario.doses, observed, plan)),
        tuple(notes),
        assumed,
        harms,
        two_questions(sets[0], observed.evaluable),
        scenario,
    )


def questions_of(scenario: Scenario | Compiled) -> TwoQuestions | None:
    """How the check of the observed trial differs from its test; None where there is no such test."""
    try:
        return analyse_observed(scenario, AnalysisPlan()).questions
    except DesignError:
        return None


def _refuse_other_looks(trial: Compiled) -> None:
    scenario = trial.scenario
    if scenario.own_rules:
        raise DesignError(
            "each cohort has looks of its own: analyse them one by one with --design and their own responses; claims "
            "of several together are those of `trialsim evidence --part`"
        )
    reduction = scenario.dose_reduction
    if reduction is not None and reduction.on_dose_change != "pooled":
        raise DesignError(
            f"`on_dose_change: {reduction.on_dose_change}` analyses other patients than those of all doses: use "
            "--design with the responses among them, or `trialsim evidence`, with --part for each dose"
        )
    assert trial.rules.on_dose_change == POOLED


def _treated(looks: Looks, observed: Observed, plan: AnalysisPlan) -> PatientsAnalysis | None:
    """All treated patients: an inevaluable one did not respond."""
    if observed.treated is None:
        return None
    assert observed.responses is not None
    stage1 = observed.stage1
    known = stage1 is not None and stage1.evaluable == looks.n[0] and observed.treated > looks.n[0]
    x1 = stage1.responses if stage1 is not None and known else None
    return analyse_set(looks, plan, patients=TREATED, n=observed.treated, x=observed.responses, x1=x1)


def _evaluable(looks: Looks, observed: Observed, plan: AnalysisPlan) -> PatientsAnalysis | None:
    """Evaluable patients; left out where every treated patient was evaluable."""
    if observed.evaluable == observed.treated:
        return None
    assert observed.responses is not None
    stage1 = observed.stage1
    found = analyse_set(
        looks,
        plan,
        patients=EVALUABLE,
        n=observed.evaluable,
        x=observed.responses,
        x1=stage1.responses if stage1 else None,
        n1=stage1.evaluable if stage1 else None,
    )
    return replace(found, enrolled=False)


def _doses(names: Sequence[str], observed: Observed, plan: AnalysisPlan) -> list[ByDose]:
    if observed.evaluable_by_dose is None or observed.responses_by_dose is None:
        return []
    counts = zip(names, observed.evaluable_by_dose, observed.responses_by_dose, strict=True)
    return [by_dose(dose, n, x, plan) for dose, n, x in counts if n > 0]


def _notes(scenario: Scenario, observed: Observed, assumed: bool) -> list[str]:
    notes = []
    if assumed:
        notes.append(
            "The design is assumed, not taken from the publication: these are the numbers it would give for the "
            "observed counts. Nothing here says that the trial used it."
        )
    if len(scenario.doses) > 1 and observed.responses_by_dose is None:
        notes.append("Responses by dose are not stated: there is no analysis by dose.")
    if len(observed.toxicity_candidates()) > 1:
        counts = " or ".join(map(str, observed.toxicity_candidates()))
        notes.append(f"The published percentage of toxicity may be {counts} patients: it is not analysed.")
    if scenario.evaluability.replaced and observed.treated not in (None, observed.evaluable):
        notes.append(
            "The looks count evaluable patients. For all treated patients, inevaluable ones did not respond and the "
            "sizes are as attained. Replacing patients can lift the type I error above that of the design; the e-value "
            "of all treated patients, in their table, keeps it."
        )
    if observed.stage1 is None:
        notes.append("Responses in stage 1 are not stated (`observed.stage1`).")
    by_toxicity = scenario.dose_reduction is not None or getattr(scenario.design, "watches_toxicity", False)
    if by_toxicity or scenario.conduct is not None:
        notes.append(
            "The outcomes are those of the looks at responses alone: an end for toxicity or for want of patients is "
            "not among them, and every patient is taken to have the same response rate."
        )
    return notes
