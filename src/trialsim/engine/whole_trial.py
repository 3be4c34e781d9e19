"""Designs whose error rates hold in the scenario's own trial: its toxicity rule, evaluability and association.

A design's nominal error rates are those of a trial in which every patient is evaluable and nothing but responses can
end it. Here P(go) is that of the whole protocol, exactly, with outcomes known at once; the search is complete up to a
stated n.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from trialsim.designs.error_rates import Candidates
from trialsim.designs.finding import CRITERIA, FoundDesigns, find, held_words, spec_of
from trialsim.designs.front import Front
from trialsim.designs.rules import Looks
from trialsim.designs.simon import Simon
from trialsim.designs.single_stage import SingleStage
from trialsim.designs.target import Target, beta_of, doubtful
from trialsim.engine.exact import distribution
from trialsim.engine.operating import not_exact
from trialsim.engine.whole_trial_dated import SCREENED, DatedSearch
from trialsim.engine.whole_trial_found import Attained, Dated, Robust, RobustDesigns
from trialsim.engine.whole_trial_search import Progress, Search
from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.scenario.pending import waiting
from trialsim.scenario.truth import Strata

KINDS = ("simon", "single_stage")
"""Kinds of design that are searched for in this way."""

LEAST_BOUND, MORE_THAN_IDEAL = 60, 1.5
"""Where no nmax is stated the search goes to this n, or to this much more than the largest ideal design."""

DATED_CRITERIA = {"simon": ("optimal", "minimax"), "single_stage": ("first",)}
"""What a search in calendar time can be asked for."""

SAME = 1e-12
"""Response rates closer than this are one: those of strata are averaged."""


@takes
def find_robust(
    scenario: Scenario,
    *,
    kind: str | None = None,
    null: Sequence[str] | None = None,
    alternative: Sequence[str] | None = None,
    criterion: str | None = None,
    weight: float | None = None,
    nmax: int | None = None,
    power: float | None = None,
    calendar: bool = False,
    replicates: int | None = None,
    progress: Progress | None = None,
    **keys: Any,
) -> RobustDesigns:
    """Find designs that keep alpha and beta under the scenario's own truth and protocol, beside the ideal ones.

    ``trialsim.find`` with a scenario is the same.

    Args:
        scenario: a scenario, or the path of its file.
        kind: one of KINDS; the scenario's own when left out.
        null: cases in which P(go) must not exceed alpha (default: every case that responds at p0 or less at each dose).
            EN is that of the first.
        alternative: cases in which P(go) must reach 1 - beta (default: those that respond at p1 or more at the first
            dose).
        criterion, weight, nmax, power: as for ``trialsim.find``; all criteria, and LEAST_BOUND or MORE_THAN_IDEAL times
            the ideal n, when left out.
        calendar: keep alpha and power in calendar time, by simulation: the designs that exact searches put forward are
            simulated, and EN is that of calendar time.
        replicates: simulated trials a case of the designs found; default those of the scenario.
        progress: called with n and nmax as the search goes on.
        keys: p0, p1, alpha, beta and further keys of the design's block, in place of the scenario's.

    Returns:
        Without designs where none exists; ``why_none`` then says what stands in the way, and ``most_power`` is the
        design that comes nearest.

    Raises:
        DesignError: impossible input, or a trial that has no exact answer of this kind.

    Examples:
        >>> scenario = trialsim.load(trialsim.examples("teaching"))
        >>> found = trialsim.find_robust(scenario, criterion="minimax", nmax=30)
        >>> found.searched, len(found)
        ((2, 30), 1)
    """
    _refuse(scenario)
    if power is not None:
        keys = keys | {"beta": beta_of(power, keys.get("beta"))}
    kind, spec = _stated(scenario, kind, criterion, weight, keys)
    target = spec.target if nmax is None else replace(spec.target, nmax=nmax)
    cases = roles(scenario, target.rates, null, alternative)
    ideal, last = _ideal(kind, spec, criterion, weight)
    bound = target.nmax or max(LEAST_BOUND, math.ceil(MORE_THAN_IDEAL * last))
    bare = RobustDesigns(
        scenario=scenario.name,
        design_kind=kind,
        setting=target.setting(),
        null=cases[0],
        alternative=cases[1],
        searched=(0, 0),
        held=spec.held(),
        ideal=ideal,
    )
    if calendar:
        _refuse_cut_offs(scenario)
        asked = (criterion, weight, replicates)
        return _dated(scenario, spec, replace(target, nmax=bound), asked, bare, progress)
    search = Search(scenario, spec, *cases, replace(target, nmax=bound), progress)
    rows = list(search.best_of_each_n())
    named = _named(rows, kind, criterion, weight, search)
    found = replace(bare, searched=search.range, stopped=search.stopped, best_by_n=tuple(rows))
    if named:
        found = replace(found, designs=named)
    else:
        most = search.most_power()  # which may find that memory allows less than was asked for
        found = replace(found, most_power=most, searched=search.range, stopped=search.stopped)
        found = replace(found, why_none=_why_none(found, search))
    return replace(found, attained=tuple(_attained(waiting(scenario), found)))


def _dated(
    scenario: Scenario,
    spec: Any,
    target: Target,
    asked: tuple[str | None, float | None, int | None],
    bare: RobustDesigns,
    progress: Progress | None,
) -> RobustDesigns:
    """The same in calendar time."""
    criterion, weight, replicates = asked
    cases, allowed = (bare.null, bare.alternative), DATED_CRITERIA[bare.design_kind]
    if scenario.conduct is None:
        raise DesignError("a search in calendar time needs the block `conduct`; this scenario has none")
    if weight is not None or (criterion is not None and criterion not in allowed):
        raise DesignError(
            f"a search in calendar time finds {' and '.join(allowed)}, not {criterion}: its EN is simulated"
        )
    replicates = replicates or scenario.simulation.replicates
    seed = scenario.simulation.seed
    search = DatedSearch(
        scenario, spec, cases, target, _outright, replicates=replicates, seed=seed, progress=progress
    )
    best = search.best([criterion] if criterion else allowed)
    designs = tuple(
        replace(
            found.design,
            en=found.of("null")[0].en.estimate,
            type_i_error=found.alpha,
            power=found.power,
            weights=None,
        )
        for found in best.values()
    )
    found = replace(
        bare,
        searched=search.searched,
        stopped=search.stopped,
        designs=designs,
        dated=Dated(
            {criterion: each.cases for criterion, each in best.items()},
            replicates,
            SCREENED,
            len(search.screened),
            seed,
            search.rounds,
            search.settled,
        ),
    )
    if not designs:
        said = (
            f"no {found.words} with n <= {target.nmax} was found that keeps alpha and power in calendar time"
        )
        found = replace(found, why_none=f"{said}; without --calendar the search says what stands in the way")
    return replace(found, attained=tuple(_attained(waiting(scenario), found)))


def roles(
    scenario: Scenario,
    rates: tuple[float, float],
    null: Sequence[str] | None = None,
    alternative: Sequence[str] | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cases that are null and those that are alternatives: as named, or by their response rates.

    Null: p0 or less at every dose in every stratum. Alternative: p1 or more at the first dose, over all strata.
    """
    (p0, p1), highest, first = rates, {}, {}
    for name in scenario.truth:
        # the size is searched for, so that a drift by patient has no numbers yet
        strata = Strata.of(scenario, name, 1)
        highest[name] = max(max(rates.response) for rates in strata.rates)
        first[name] = sum(
            share * rates.response[0] for share, rates in zip(strata.shares, strata.rates, strict=True)
        )
    named = (
        [name for name in scenario.truth if highest[name] <= p0 + SAME] if null is None else [*null],
        [name for name in scenario.truth if first[name] >= p1 - SAME]
        if alternative is None
        else [*alternative],
    )
    what = (
        ("null", f"has a response rate of p0 = {p0:g} or less at every dose"),
        ("alternative", f"has a response rate of p1 = {p1:g} or more at the first dose"),
    )
    for chosen, (role, rule) in zip(named, what, strict=True):
        if unknown := [name for name in chosen if name not in scenario.truth]:
            raise DesignError(
                f"`{unknown[0]}` is no case of the truth; those are: {', '.join(scenario.truth)}"
            )
        if not chosen:
            raise DesignError(
                f"no case of the truth {rule}: name one with --{role} (those are: {', '.join(scenario.truth)})"
            )
    if both := set(named[0]) & set(named[1]):
        raise DesignError(f"`{both.pop()}` cannot be null and alternative at once")
    return tuple(dict.fromkeys(named[0])), tuple(dict.fromkeys(named[1]))


def _refuse(scenario: Scenario) -> None:
    """A trial that the recursion does not describe."""
    if scenario.own_rules:
        raise DesignError(
            "cohorts.rules: own: a robust search needs one set of looks for all (rules: pooled)"
        )
    if scenario.on_dose_change != "pooled":
        raise DesignError(
            f"dose_reduction.on_dose_change: {scenario.on_dose_change}: a robust search needs `pooled`, the analysis "
            "of all patients with unchanged cut-offs"
        )


def _refuse_cut_offs(scenario: Scenario) -> None:
    """Cut-offs by which looks weigh pending patients are those of one design."""
    conduct = scenario.conduct
    if conduct is not None and conduct.weighing is not None and conduct.weighing.cutoffs is not None:
        raise DesignError(
            "conduct.weighing.cutoffs: are those of one design; a search in calendar time needs cut-offs that follow "
            "from each design: leave cutoffs out"
        )


def _stated(
    scenario: Scenario, kind: str | None, criterion: str | None, weight: float | None, keys: dict[str, Any]
) -> tuple[str, Any]:
    """Kind and block of the design that is searched for: the scenario's, without cut-offs, with ``keys`` instead."""
    own = scenario.design
    kind = kind or own.kind
    if kind not in KINDS:
        raise DesignError(f"a robust search finds {' and '.join(KINDS)}, not {kind}: name one of them")
    if criterion is not None and criterion not in CRITERIA[kind]:
        raise DesignError(
            f"criterion `{criterion}` is not known; allowed for {kind}: {', '.join(CRITERIA[kind])}"
        )
    if weight is not None and (criterion != "admissible" or not 0 <= weight <= 1):
        raise DesignError("weight belongs to criterion `admissible` and lies between 0 and 1")
    stated = own.model_dump(exclude_unset=True)
    outright = getattr(own, "r", None) is not None
    left_out = {"kind", "criterion", "weight"} | ({"n1", "r1", "n", "r"} if outright else set())
    if own.kind != kind:
        left_out = set(stated) - {"p0", "p1", "alpha", "beta"}
    stated = {key: value for key, value in stated.items() if key not in left_out and value is not None} | keys
    missing = [key for key in ("p0", "p1", "alpha", "beta") if stated.get(key) is None]
    if missing:
        raise DesignError(
            f"the scenario's design does not state {', '.join(missing)}; add {' '.join(f'--{key}' for key in missing)}"
        )
    for key in ("en_prior", "min_pet"):
        if stated.get(key) is not None:
            raise DesignError(f"{key}: a robust search does not take it; EN and PET are those of the cases")
    errors = {key: stated[key] for key in ("p0", "p1", "alpha", "beta")}
    Target(**errors)
    for key, value in errors.items():
        if asked := doubtful(key, value):
            raise DesignError(asked)
    return kind, spec_of(kind, stated)


def _ideal(
    kind: str, spec: Any, criterion: str | None, weight: float | None
) -> tuple[FoundDesigns | None, int]:
    """The designs of the ideal trial, None if there are none, and the largest n among them."""
    keys = {key: value for key, value in spec.model_dump(exclude_unset=True).items() if value is not None}
    keys = {key: value for key, value in keys.items() if key not in ("kind", "nmax")}
    try:
        found = find(kind, criterion=criterion, weight=weight, **keys)
    except DesignError:
        return None, 0
    return found, max(design.n for design in found)


def _named(
    rows: list[Robust], kind: str, criterion: str | None, weight: float | None, search: Search
) -> tuple[Robust, ...]:
    """The designs that criteria name, from the best of each n."""
    if not rows:
        return ()
    if kind == "single_stage":
        works, last = {design.n: design for design in rows}, search.range[1]
        chosen = {"first": rows[0]}
        if last in works:
            least = last
            while least - 1 in works:
                least -= 1
            chosen["stable"] = works[least]
        return tuple(
            replace(design, criterion=name) for name, design in chosen.items() if criterion in (None, name)
        )
    falling = [d for k, d in enumerate(rows) if d.en < min((e.en for e in rows[:k]), default=math.inf)]
    front = Front.of(falling, [(design.n, design.en) for design in falling], True)
    if weight is not None:
        return (replace(front.choose("admissible", weight), criterion="admissible"),)
    named = Candidates.of(criterion, front, search.range[1]).named
    return tuple(replace(design, criterion=name) for name, design in named)


def _why_none(found: RobustDesigns, search: Search) -> str:
    """What stands in the way of alpha and power, with the largest P(go) there is."""
    wanted, last = search.power, search.range[1]
    where = " and ".join(found.alternative)
    best = found.most_power
    stays = search.not_stopped(last)
    said = f"no {found.words} with n <= {last} has a P(go) of {wanted:g} in {where}"
    if best is None:
        return f"{said} and keeps alpha = {search.alpha:g} in {' and '.join(found.null)}"
    said += f" with alpha = {search.alpha:g}: the largest is {best.power:.4f}, by {best}"
    if len(found.alternative) > 1:
        said += " (an alternative alone asks for less: name it with --alternative)"
    if stays < wanted:
        said += (
            f". Toxicity alone stops a trial of {last} patients with probability {1 - stays:.4f}, so that a power of "
            f"{wanted:g} cannot be had whatever the cut-offs; another toxicity rule, or doses, could give it"
        )
    elif best.n > 0.95 * last:
        said += f"; P(go) still grows at n = {last}, so a larger nmax may find one"
    enough = math.ceil((1 - best.power) * 100) / 100
    return f"{said}. A beta of {enough:g} can be kept{'; ' if found.held else ''}{held_words(found.held)}"


def _attained(scenario: Scenario, found: RobustDesigns) -> Iterator[Attained]:
    """What each design would do in every case of the scenario, by the Markov chain."""
    ideal = [(f"{d.criterion}, ideal", d.design, d.looks, d) for d in found.ideal or ()]
    robust = [(f"{d.criterion}, robust", str(d), d.looks(), None) for d in found.designs]
    nearest = found.most_power
    robust += [("most power", str(nearest), nearest.looks(), None)] if nearest else []
    own = scenario.design
    if own.kind in KINDS and getattr(own, "r", None) is not None:
        robust = [("as stated", "", own.compile(), None), *robust]
    seen: set[tuple[bool, Looks]] = set()
    for label, design, looks, nominal in [*ideal, *robust]:
        assert looks is not None
        if ("ideal" in label, looks) in seen:
            continue
        seen.add(("ideal" in label, looks))
        spec = _outright(looks)
        trial = Compiled.of(scenario.model_copy(update={"design": spec}))
        for case in scenario.truth:
            if not_exact(trial, case):
                continue
            does = distribution(trial.rules, trial.truth(case)).values
            promised = None
            if nominal is not None:
                promised = {"null": nominal.type_i_error, "alternative": nominal.power}.get(found.role(case))
            names = ("p_go", "en", "pet", "p_stop_toxicity", "p_dose_reduced")
            values = {name: float(does[name]) for name in names}
            # a trial that toxicity stops at its last patient is stopped by toxicity all the same
            values["p_stop_toxicity"] += float(does["p_stop_toxicity_at_n"])
            yield Attained(label, design or _short(spec), case, found.role(case), promised, **values)


def _outright(looks: Looks) -> Simon | SingleStage:
    """The block of a design stated outright."""
    r = looks.next[-1].count(-1) - 1
    if len(looks.n) == 1:
        return SingleStage(kind="single_stage", n=looks.n[0], r=r)
    return Simon(kind="simon", n1=looks.n[0], r1=looks.next[0].count(-1) - 1, n=looks.n[1], r=r)


def _short(spec: Simon | SingleStage) -> str:
    end = f"{spec.r}/{spec.n}"
    return end if isinstance(spec, SingleStage) else f"{spec.r1}/{spec.n1} {end}"
