"""Everything a protocol fixes, and the answer of `trialsim protocol`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar

from pydantic import BaseModel

from trialsim.answers import Answer
from trialsim.codes import CONSIDER
from trialsim.designs.nominal import Nominal, nominal
from trialsim.designs.rules import Looks
from trialsim.engine.operating import exact, simulate
from trialsim.errors import TrialsimError
from trialsim.facts import conduct as how
from trialsim.facts import design as designs
from trialsim.facts import dose_decision as dose
from trialsim.facts import toxicity as doses
from trialsim.facts.truth import Truth, truth
from trialsim.given import takes
from trialsim.inference.stated import as_scenario
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.version import __version__

PARTS = (
    "design",
    "dose_reduction",
    "dose_decision",
    "toxicity",
    "evaluability",
    "cohorts",
    "conduct",
    "endpoint",
    "doses",
)
"""Blocks and keys that the protocol is made from."""


@dataclass(frozen=True)
class Sourced:
    """An input below a block that is assumed, with its source and its title."""

    path: str
    title: str
    source: str


@dataclass(frozen=True)
class Assumed:
    """An input that is assumed: its path, its title (None: a whole block), and what the scenario says about it.

    ``but_for``: inputs below it that are not assumed.
    """

    path: str
    title: str | None
    source: str | None
    note: str | None
    but_for: tuple[Sourced, ...]


@dataclass(frozen=True)
class CohortDesign:
    """A design that some cohorts run, each by itself, where cohorts have designs of their own.

    What it attains alone, its nominal error rates, and the toxicity boundary of each of these cohorts.
    """

    cohorts: tuple[str, ...]
    design: designs.Design
    attained: tuple[designs.Attained, ...]
    nominal: Nominal | None
    toxicity: doses.Toxicity
    max_treated: int

    @property
    def type_i_error(self) -> float | None:
        """P(go) of the design alone at p0; None where it tests nothing."""
        return _type_i_error(self.design, self.attained)


@dataclass(frozen=True)
class Facts:
    """Everything that a protocol fixes, with the exact characteristics of its design alone.

    ``designs``: every design with its cohorts, where those have their own; ``design``, ``attained``, ``toxicity`` and
    ``nominal`` are then those of the cohorts without one. ``nominal``: alpha and beta that stand beside cut-offs, held
    against what these attain.
    ``beside``: blocks that the scenario states and no rule of the trial uses.
    ``unsourced``: blocks of which ``sources`` says nothing, neither that they are assumed nor where they come from.
    """

    name: str
    endpoint: str
    design: designs.Design
    attained: tuple[designs.Attained, ...]
    counted: how.Counted
    cohorts: how.Cohorts | None
    toxicity: doses.Toxicity
    after_change: doses.AfterChange | None
    conduct: how.Conduct | None
    assumed: tuple[Assumed, ...]
    unsourced: tuple[str, ...]
    references: tuple[str, ...]
    nominal: Nominal | None = None
    dose_decision: dose.DoseDecision | None = None
    designs: tuple[CohortDesign, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def watches_toxicity(self) -> bool:
        """Whether a look of some design can stop the trial for toxicity."""
        return any(each.watches_toxicity for each in (self.design, *(one.design for one in self.designs)))

    @property
    def by_design(self) -> Iterator[tuple[tuple[str, ...], Facts]]:
        """The facts as they are for the cohorts that share a design; nothing where one design is everybody's."""
        for one in self.designs:
            whole = replace(self, design=one.design, attained=one.attained, nominal=one.nominal)
            whole = replace(whole, toxicity=one.toxicity, designs=())
            if whole.cohorts is not None:
                whole = replace(whole, cohorts=replace(whole.cohorts, false_go=None))
            yield one.cohorts, whole


@dataclass(frozen=True)
class AsWritten:
    """P(go) and expected patients of the whole trial in a case; ``mcse`` is that of P(go), None where it is exact.

    ``p_consider``: None where no look ends so.

    Where cohorts have rules of their own, P(go) is that of a go in at least one of them. ``truth``: what is assumed.
    """

    case: str
    p_go: float
    mcse: float | None
    en: float
    truth: Truth
    p_consider: float | None = None


@dataclass(frozen=True, repr=False)
class Protocol(Answer):
    """The protocol of a scenario as facts; ``cases``: what the trial as it is written does in each case."""

    kind: ClassVar[str] = "protocol"
    facts: Facts
    cases: tuple[AsWritten, ...] = ()
    version: str = __version__

    @property
    def called(self) -> str:
        """The name of the scenario."""
        return self.facts.name

    def rows(self) -> list[dict[str, Any]]:
        """One dict a fact: its place, such as ``design.looks[0].n``, and its value."""
        return [{"fact": path, "value": value} for path, value in leaves(self.facts)]

    def to_dict(self) -> dict[str, Any]:
        """Every fact as plain data."""
        return {
            "trialsim": self.version,
            **asdict(self.facts),
            "cases": [asdict(case) for case in self.cases],
        }


@takes
def protocol(
    scenario: Scenario | Compiled | None = None,
    *,
    design: str | None = None,
    p0: float | None = None,
    p1: float | None = None,
) -> Protocol:
    """What the protocol of a scenario fixes, and what the trial as it is written does in each case.

    Args:
        scenario: a scenario, or the path of its file; a design that is described by its error rates is searched for.
        design: in place of a scenario, a design as ``oc`` takes it, such as ``"1/10 5/29"``.
        p0, p1: with ``design``: unacceptable and desirable response rate.

    Returns:
        The facts; printed, the statistical section of the protocol.

    Raises:
        DesignError: no design keeps the error rates that the scenario states.
        TrialsimError: both a scenario and a design, or neither.

    Examples:
        >>> found = trialsim.protocol(trialsim.examples("teaching"))
        >>> found.facts.design.p0, found.facts.design.p1
        (0.1, 0.3)
        >>> [round(case.p_go, 4) for case in trialsim.protocol(design="1/10 5/29", p0=0.1, p1=0.3).cases]
        [0.0471, 0.8051]
    """
    if (scenario is None) == (design is None):
        raise TrialsimError("give a scenario or a design: one or the other")
    if scenario is None:
        scenario, _ = as_scenario(design or "", p0, p1)
    elif p0 is not None or p1 is not None:
        raise TrialsimError("p0 and p1 go with design; a scenario states its own")
    trial = Compiled.of(scenario)
    return Protocol(facts(trial), tuple(_as_written(trial)))


def _as_written(trial: Compiled) -> Iterator[AsWritten]:
    """Every case exact; simulated where calendar time or cohorts leave no exact answer."""
    found = exact(trial, totals=False)
    if any(case.exact is None for case in found.cases):
        found = simulate(trial, totals=False)
    considers = any(CONSIDER in row for one in trial.rules.each or (trial.rules,) for row in one.looks.next)
    for case in found.cases:
        assumed, mcse = truth(trial.scenario, case.case), None
        if case.exact is not None:
            values = case.exact.values
        elif case.simulated is not None:
            values = {key: value.estimate for key, value in case.told.items()}
            mcse = case.told["p_go"].mcse
        else:
            continue
        consider = values["p_consider"] if considers else None
        yield AsWritten(case.case, values["p_go"], mcse, values["en"], assumed, consider)


def facts(trial: Compiled) -> Facts:
    """The facts of a scenario and the rules that it was compiled to."""
    scenario, rules = trial.scenario, trial.rules
    found = designs.design(scenario, rules.looks)
    attained = tuple(designs.attained(found, rules.looks))
    of_cohorts = tuple(_of_cohorts(names, one) for names, one in trial.by_design.items())
    errors = [each.type_i_error for each in of_cohorts for _ in each.cohorts]
    errors = errors or [_type_i_error(found, attained)] * len(trial.cohorts)
    watched = doses.toxicity(trial)
    kinds = dict.fromkeys([watched.kind, *(rule.kind for rule in watched.rules)])
    published = [doses.REFERENCES[kind] for kind in kinds if kind in doses.REFERENCES]
    return Facts(
        scenario.name,
        scenario.endpoint,
        found,
        attained,
        how.counted(trial),
        how.cohorts(scenario, errors),
        watched,
        doses.after_change(rules, watched.changes_dose),
        how.conduct(trial, watched),
        tuple(_assumed(scenario)),
        tuple(
            part for part in _stated(scenario) if not any(_within(part, path) for path in scenario.sources)
        ),
        tuple(dict.fromkeys([*_references((found, *(each.design for each in of_cohorts))), *published])),
        nominal_of(scenario, rules.looks),
        dose.dose_decision(scenario),
        of_cohorts,
        tuple(block for block in ("history", "prior") if getattr(scenario, block) is not None),
    )


def _references(every: Iterable[designs.Design]) -> Iterator[str]:
    for each in every:
        yield from designs.references(each)


def _of_cohorts(names: tuple[str, ...], one: Compiled) -> CohortDesign:
    """The design of these cohorts, from the trial of one of them by itself."""
    found, looks = designs.design(one.scenario, one.rules.looks), one.rules.looks
    attained, nominal = tuple(designs.attained(found, looks)), nominal_of(one.scenario, looks)
    return CohortDesign(names, found, attained, nominal, doses.toxicity(one), one.rules.max_treated)


def _type_i_error(found: designs.Design, attained: tuple[designs.Attained, ...]) -> float | None:
    """P(go) of a design alone at p0; None where it tests nothing, or tests toxicity too."""
    return attained[0].p_go if found.p0 is not None and found.tests and not found.toxicity else None


def nominal_of(scenario: Scenario, looks: Looks) -> Nominal | None:
    """Nominal alpha and beta of a design that is stated outright; None where there are none."""
    spec: Any = scenario.design
    if getattr(spec, "is_searched", True) or (spec.alpha is None and spec.beta is None):
        return None
    return nominal(looks, spec.p0, spec.p1, spec.alpha, spec.beta)


def _stated(scenario: Scenario) -> Iterator[str]:
    """Blocks that say something."""
    for part in ("design", "dose_reduction", "dose_decision", "cohorts", "conduct"):
        if getattr(scenario, part) is not None and not (part == "cohorts" and scenario.from_start):
            yield part
    if scenario.evaluability.probability < 1:
        yield "evaluability"


def _assumed(scenario: Scenario) -> Iterator[Assumed]:
    sources = scenario.sources
    for path, said in sources.items():
        if said.assumed and any(_within(part, path) for part in PARTS):
            but_for = (
                Sourced(key, _title(scenario, key) or key, other.source)
                for key, other in sources.items()
                if key != path and _within(path, key) and other.source and not other.assumed
            )
            yield Assumed(path, _title(scenario, path), said.source, said.note, tuple(but_for))


def _within(block: str, path: str) -> bool:
    """Whether a path is that of a block or below it."""
    return path == block or path.startswith((f"{block}.", f"{block}["))


def _title(block: Any, path: str) -> str | None:
    """The title of an input, its path where it has none; None for a whole block."""
    key, _, rest = path.partition(".")
    if not rest:
        return None
    inner = getattr(block, key, None)
    field = type(inner).model_fields.get(rest) if isinstance(inner, BaseModel) else None
    return _title(inner, rest) or (field.title if field else None) or rest


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every single fact with its place."""
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)
    elif isinstance(value, tuple):
        for k, item in enumerate(value):
            yield from leaves(item, f"{path}[{k}]")
    else:
        yield path, value
