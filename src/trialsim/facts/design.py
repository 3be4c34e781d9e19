"""The design as facts: hypotheses, how the cut-offs came about, every decision of every look, error rates attained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from trialsim.codes import CONSIDER, NEVER
from trialsim.designs import bryant_day, dual_criterion, growing
from trialsim.designs.alone import alone
from trialsim.designs.rules import DECISION_WORDS, Looks
from trialsim.designs.spec import TESTS_NOTHING, Spec
from trialsim.scenario.model import Scenario

ELSEWHERE = {
    *("kind", "p0", "p1", "toxicity", "odds_ratio", "criterion", "nmax", "looks", "efficacy_stop"),
    *("alpha", "beta", "alpha_toxicity", "eta", "pi"),
}
"""Keys of a design that are facts of their own, or that the looks tell."""

CUT_OFFS = {"n1", "r1", "a1", "b1", "n", "r", "b", "s", "stop_le", "go_gt"}
"""Sizes and cut-offs that the looks tell, unless a search kept them; `curtailed` has looks that come from them."""

UNTOLD = {"multistage": {"efficacy_stop"}, "fleming": {"alpha"}, "optimal_looks": {"looks"}, "bop2": {"eta"}}
"""Of those keys what other facts of a kind do not tell."""

ANY_N = ("first", "smallest", "minimax", "most_power")
"""Criteria whose design no larger n could replace."""

SEARCHES = ("simon", "single_stage", "mander_thompson", "multistage")
"""Kinds whose publication is about the search for the cut-offs: it is not where stated ones come from."""

REFERENCES = {
    "simon": "Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.",
    "single_stage": "A’Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.",
    "mander_thompson": "Mander AP, Thompson SG. Two-stage designs optimal under the alternative hypothesis for "
    "phase II cancer clinical trials. Contemp Clin Trials 2010;31:572-578.",
    "multistage": "Chen TT. Optimal three-stage designs for phase II cancer clinical trials. Stat Med "
    "1997;16:2701-2711.",
    "optimal_looks": "Eales JD, Jennison C. An improved method for deriving optimal one-sided group sequential tests. "
    "Biometrika 1992;79:13-24.",
    "fleming": "Fleming TR. One-sample multiple testing procedure for phase II clinical trials. Biometrics "
    "1982;38:143-151.",
    "gehan": "Gehan EA. The determination of the number of patients required in a preliminary and a follow-up trial "
    "of a new chemotherapeutic agent. J Chronic Dis 1961;13:346-353.",
    "swog": "Green SJ, Dahlberg S. Planned versus attained design in phase II clinical trials. Stat Med "
    "1992;11:853-862.",
    "sargent": "Sargent DJ, Chan V, Goldberg RM. A three-outcome design for phase II clinical trials. Control Clin "
    "Trials 2001;22:117-125.",
    "curtailed": "Chi Y, Chen CM. Curtailed two-stage designs in phase II clinical trials. Stat Med 2008;27:6175-6189.",
    "predictive_probability": "Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. "
    "Clin Trials 2008;5:93-106.",
    "posterior_probability": "Thall PF, Simon R. Practical Bayesian guidelines for phase IIB clinical trials. "
    "Biometrics 1994;50:337-349.",
    "bop2": "Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials with simple and "
    "complex endpoints. Stat Med 2017;36:3302-3314.",
    "bryant_day": "Bryant J, Day R. Incorporating toxicity considerations into the design of two-stage phase II "
    "clinical trials. Biometrics 1995;51:1372-1383.",
    "dual_criterion": "Roychoudhury S, Scheuer N, Neuenschwander B. Beyond p-values: a phase II dual-criterion "
    "design with statistical significance and clinical relevance. Clin Trials 2018;15:452-461.",
}
REFERENCES["bop2_toxicity"] = REFERENCES["bop2"]
ADMISSIBLE = (
    "Jung SH, Lee T, Kim K, George SL. Admissible two-stage designs for phase II cancer clinical trials. Stat Med "
    "2004;23:561-569."
)
ENSIGN = (
    "Ensign LG et al. An optimal three-stage design for phase II clinical trials. Stat Med 1994;13:1727-1736."
)
STOCHASTIC = (
    "Law M et al. A stochastically curtailed single-arm phase II trial design for binary outcomes. J Biopharm Stat "
    "2022;32:671-691."
)
EARLY_GO = "Zhao Y et al. BOP2-FE. J Biopharm Stat 2023."


@dataclass(frozen=True)
class Setting:
    """A key of a design or rule that shaped its cut-offs; a key that is merely on has no values."""

    key: str
    values: tuple[float | str, ...]


@dataclass(frozen=True)
class Bound:
    """A probability that a search kept within a limit at given true rates.

    ``what``: type_i (P(go) at most), type_ii (1 - P(go) at most), no_go_most, no_go_least, go_least.
    """

    what: str
    value: float
    response: float
    toxicity: float | None = None


@dataclass(frozen=True)
class Branch:
    """What ``low`` to ``high`` responses at a look lead to: futile, go, consider, or continue to ``to_n`` patients."""

    low: int
    high: int
    decision: str
    to_n: int | None = None


@dataclass(frozen=True)
class Look:
    """A look at ``n`` patients; ``toxic_ge``: toxicities that stop the trial whatever the responses."""

    n: int
    branches: tuple[Branch, ...]
    toxic_ge: int | None = None


@dataclass(frozen=True)
class Attained:
    """What the design does by itself at true rates, exactly; ``toxicity`` 0 where looks ask and no rate is stated."""

    response: float
    toxicity: float | None
    p_go: float
    p_consider: float | None
    p_no_go: float | None
    pet: float
    en: float


@dataclass(frozen=True)
class Design:
    """A design.

    Attributes:
        p0, p1, toxicity: hypotheses; toxicity as (unacceptable, acceptable) rate.
        odds_ratio: where both were used.
        criterion, bounds, up_to: what a search minimised (None: none was made), what it kept, and the largest n that it
            looked at (None where no larger n can be better).
        settings: everything else that shaped the cut-offs.
    """

    kind: str
    p0: float | None
    p1: float | None
    toxicity: tuple[float, float] | None
    odds_ratio: float | None
    criterion: str | None
    bounds: tuple[Bound, ...]
    up_to: int | None
    settings: tuple[Setting, ...]
    looks: tuple[Look, ...]

    @property
    def tests(self) -> bool:
        """Whether a go rejects the null hypothesis p <= p0."""
        return self.p0 is not None and self.kind not in TESTS_NOTHING

    def is_null(self, response: float, toxicity: float | None) -> bool:
        """Whether true rates belong to the null hypothesis: either of them bad, or (BOP2) both."""
        bad = [response == self.p0]
        if self.toxicity is not None:
            bad.append(toxicity == self.toxicity[0])
        return all(bad) if self.kind == "bop2_toxicity" else any(bad)

    @property
    def given(self) -> dict[str, tuple[Any, ...]]:
        """Settings by key."""
        return {setting.key: setting.values for setting in self.settings}

    @property
    def watches_toxicity(self) -> bool:
        """Whether a look can stop the trial for toxicity."""
        return any(look.toxic_ge is not None for look in self.looks)

    @property
    def successive(self) -> bool:
        """Whether every look leads to the next one, if anywhere."""
        later = [look.n for look in self.looks[1:]]
        onward = [{b.to_n for b in look.branches if b.to_n} for look in self.looks]
        return onward == [*({n} for n in later), set()]


def design(scenario: Scenario, looks: Looks) -> Design:
    """The design of a scenario, with the looks that it was compiled to."""
    spec: Any = scenario.design
    searched = bool(getattr(spec, "is_searched", False))
    criterion = (getattr(spec, "criterion", None) or spec.default_criterion) if searched else None
    rates = spec.toxicity if hasattr(spec, "toxicity") else None
    return Design(
        spec.kind,
        spec.p0,
        spec.p1,
        rates,
        spec.odds_ratio if rates else None,
        criterion,
        tuple(_bounds(spec)) if searched else (),
        _up_to(spec) if searched and criterion not in ANY_N else None,
        tuple(_settings(spec, searched, looks.planned_n)),
        tuple(_look(looks, k) for k in _reached(looks)),
    )


def settings(spec: Spec, leave_out: set[str]) -> Iterator[Setting]:
    """The keys of a block that say something, but for those left out."""
    for key, field in type(spec).model_fields.items():
        value = getattr(spec, key)
        if key in leave_out or value is None or value is False:
            continue
        values = () if value is True else value if isinstance(value, tuple) else (value,)
        yield Setting(field.alias or key, values)


def _settings(spec: Any, searched: bool, planned_n: int) -> Iterator[Setting]:
    told = set() if spec.kind == "curtailed" or (spec.kind == "simon" and searched) else CUT_OFFS
    told = ELSEWHERE | told | ({"en_weight_p1"} if not getattr(spec, "en_weight_p1", None) else set())
    told |= {"delta"} if getattr(spec, "p_l", None) == 0 else set()  # the gain that futility is about
    told |= {"gamma_most"}  # how far a search went is told by what it found
    told |= {"nodes"}  # a limit that was met is told below
    told = told - UNTOLD.get(spec.kind, set())
    yield from settings(spec, told)
    if spec.kind == "optimal_looks" and not (found := spec.found()).proved:
        yield Setting("not_proved", (found.nodes,))
    if spec.kind == "posterior_probability" and spec.standard is None and spec.standard_prior is None:
        yield Setting("standard", (spec.p0,))
    if spec.kind == "dual_criterion":
        cuts = dual_criterion.cut_offs(planned_n, spec.p0, spec.decision_value, spec.significance, spec.prior)
        yield Setting("relevant", cuts[:1])
        yield Setting("significant", cuts[1:])
    if spec.kind in ("bop2", "bop2_toxicity"):
        if spec.prior is None:
            yield Setting("prior", spec.response_prior)
        if spec.kind == "bop2_toxicity" and spec.prior_toxicity is None:
            yield Setting("prior_toxicity", (spec.toxicity[0], 1 - spec.toxicity[0]))
        if searched:
            found = spec.candidates().named[0][1]
            yield Setting("lambda", (found.lambda_,))
            yield Setting("gamma", (found.gamma,))
            if getattr(found, "eta", None) is not None:
                yield Setting("eta", (found.eta,))
            yield Setting("gamma_most", (found.largest,))
            if not found.complete:
                yield Setting("lambda_step", (growing.STEP,))


def _bounds(spec: Any) -> Iterator[Bound]:
    bad, good = spec.toxicity if hasattr(spec, "toxicity") else (None, None)
    yield Bound("type_i", spec.alpha, spec.p0, bad if spec.kind == "bop2_toxicity" else good)
    if spec.kind == "bryant_day":
        yield Bound("type_i", spec.alpha_toxicity or spec.alpha, spec.p1, bad)
    if spec.kind == "sargent":
        yield Bound("no_go_most", spec.beta, spec.p1)
        yield Bound("no_go_least", spec.eta or 1 - spec.alpha, spec.p0)
        yield Bound("go_least", spec.pi or 1 - spec.beta, spec.p1)
    elif spec.beta is not None:
        yield Bound("type_ii", spec.beta, spec.p1, good)


def _up_to(spec: Any) -> int | None:
    """The largest n looked at, where a larger one might have had a smaller EN."""
    if spec.kind == "simon" and (spec.n is not None or spec.search().complete):
        return None
    if spec.kind == "single_stage":  # `stable` speaks of every larger n that was looked at
        return None if spec.nmax is None else int(spec.nmax)
    if spec.kind == "optimal_looks":
        return int(spec.found().nmax)
    home = import_module(type(spec).__module__)
    if spec.kind == "multistage" and spec.efficacy_stop:
        return spec.nmax or int(home.SEARCH_LIMIT_BOTH_WAYS)
    return spec.nmax or int(home.SEARCH_LIMIT) // (10 if spec.kind == "mander_thompson" else 1)


def _reached(looks: Looks) -> list[int]:
    """The looks that some count leads to: with r1 = n1 there is no second one."""
    reached = {0}
    for k, row in enumerate(looks.next):
        if k in reached:
            reached |= {decision for decision in row if decision > 0}
    return sorted(reached)


def _look(looks: Looks, k: int) -> Look:
    branches = []
    for low, high, decision in looks.ranges(k):
        if decision >= 0:
            branches.append(Branch(low, high, "continue", looks.n[decision]))
        else:
            branches.append(Branch(low, high, DECISION_WORDS[decision]))
    toxic = looks.toxic_ge[k] if looks.toxic_ge else NEVER
    return Look(looks.n[k], tuple(branches), None if toxic == NEVER else toxic)


def attained(found: Design, looks: Looks) -> Iterator[Attained]:
    """Exact characteristics of the design alone: at p0 and p1; with toxicity hypotheses, at each pair of rates."""
    rates = [p for p in (found.p0, found.p1) if p is not None]
    if found.toxicity:
        bad, good = found.toxicity
        for p, t in [(p, t) for p in rates for t in (bad, good)]:
            p_go, en, pet = bryant_day.p_go_and_en(looks, p, t, found.odds_ratio or 1.0)
            yield Attained(p, t, p_go, None, None, pet, en)
        return
    for p in rates:
        at = alone(looks, p)
        considers = any(CONSIDER in row for row in looks.next)
        none = 0.0 if looks.too_toxic else None
        consider, no_go = (at.p_consider, 1 - at.p_go - at.p_consider) if considers else (None, None)
        yield Attained(p, none, at.p_go, consider, no_go, at.pet, at.en)


def references(found: Design) -> Iterator[str]:
    """Where the method was published."""
    if found.kind in REFERENCES and (found.criterion or found.kind not in SEARCHES):
        yield REFERENCES[found.kind]
    given = found.given
    if found.criterion == "admissible":
        yield ADMISSIBLE
    if given.get("shape") == ("ensign",):
        yield ENSIGN
    if found.kind == "curtailed" and (given["futility_below"] != (0.0,) or given["go_above"] != (1.0,)):
        yield STOCHASTIC
    if found.kind == "bop2" and "eta" in given:
        yield EARLY_GO
