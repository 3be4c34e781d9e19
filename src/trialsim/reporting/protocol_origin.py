"""Where the cut-offs of a design come from, in a protocol's words."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.facts.design import Bound, Design
from trialsim.writing.numbers import count, listed, rate

FAMILIES = {
    "simon": "two-stage designs that stop early only for futility",
    "single_stage": "single-stage designs",
    "mander_thompson": "two-stage designs that may end early for futility or with a go",
    "multistage": "three-stage designs",
    "optimal_looks": "designs that stop if the responses at a look are too few",
    "swog": "two-stage designs of this kind whose first stage has half of the patients",
    "sargent": "two-stage designs with three outcomes",
    "curtailed": "curtailed two-stage designs",
    "predictive_probability": "designs of this kind without an early go",
    "bop2": "cut-offs of this form for these looks",
    "bop2_toxicity": "cut-offs of this form for these looks",
    "bryant_day": "two-stage designs with cut-offs for responses and toxicities at both stages",
    "dual_criterion": "single-stage designs of this kind",
}

BEST = {
    "optimal": "has the least {en} at p0",
    "h0_optimal": "has the least {en} at p0",
    "h1_optimal": "has the least {en} at p1",
    "minimax": "has the fewest patients and, among designs of that size, the least {en} at p0",
    "admissible": "has the least weighted mean of its size and its {en} at p0, with weight {weight} for the size",
    "least_largest_en": "has the least value of the largest {en} at any rate from p0 to p1",
    "smallest": "is the smallest",
    "first": "is the smallest",
    "stable": "is the smallest from which on every larger one keeps these limits as well",
    "most_power": "has the largest power",
}

HELD = {
    "balanced": "two stages of equal size",
    "stage1_share": "between {0:g} and {1:g} of the patients in the first stage",
    "n1": "{0} patients in the first stage",
    "n": "{0} patients in all",
    "min_pet": "a probability of ending early of at least {0:g} at p0",
    "efficacy_stop": "an early go possible at every stage",
    "early_go": "an early go possible at every look",
    "shape": "{0}",
    "gamma_most": "γ of at most {0:g}",
    "lambda_step": "λ in steps of {0:g}",
}

SHAPES = {
    "equal": "stages of equal size",
    "ensign": "a first stage that stops only if nobody responds",
    "free": "stages of any size",
}


def whence(design: Design, trial: str = "the trial") -> str:
    """Everything about where the cut-offs come from; ``trial``: what its looks decide about."""
    return " ".join([*_method(design, trial), *_origin(design)])


def _method(design: Design, trial: str) -> Iterator[str]:
    """The idea behind the cut-offs, for the kinds that have one beside their error rates."""
    given = design.given
    if "prior" in given:
        prior = "under a Beta({:g}, {:g}) prior".format(*given["prior"])
    if design.kind == "fleming":
        yield (
            "The cut-offs are those of Fleming’s multiple testing procedure at a nominal level of "
            f"{given['alpha'][0]:g}, a normal approximation."
        )
    elif design.kind == "gehan":
        yield (
            "The first stage has the least size at which nobody responds with a probability of at most "
            f"{given['miss'][0]:g} if the response rate is p1. The second stage has one of the alternative sizes "
            "above, by the responses of the first: the least with which the response rate, estimated from both stages, "
            f"has a standard error of at most {given['standard_error'][0]:g}. For this the response rate is taken to "
            "be the upper limit of its one-sided exact confidence interval after the first stage, with a confidence of "
            "three quarters, or one half where that limit is higher. The second stage decides nothing: a go says that "
            "the first stage was passed."
        )
    elif design.kind == "swog":
        yield (
            f"After the first stage p1 is tested at the level {given['first_level'][0]:g}, and at the end p0 at the "
            f"level {given['final_level'][0]:g}, both by exact tests."
        )
    elif design.kind == "curtailed":
        yield _curtailed(design, trial)
    elif design.kind == "predictive_probability":
        yield _predictive(design, prior, trial)
    elif design.kind == "posterior_probability":
        yield _posterior(design, prior, trial)
    elif design.kind in ("bop2", "bop2_toxicity"):
        yield _bop2(design, prior, trial)
    elif design.kind == "dual_criterion":
        shown = f"the exact test rejects p0 at the level {given['significance'][0]:g}"
        if "prior" in given:
            shown = (
                "the posterior probability of a response rate of p0 or less is at most "
                f"{given['significance'][0]:g}, {prior}"
            )
        what = "posterior median" if "prior" in given else "observed response rate"
        yield (
            f"A go needs significance ({shown}: from {given['significant'][0]} responses on) and relevance (the "
            f"{what} is at least {rate(given['decision_value'][0])}: from {given['relevant'][0]} responses on); with "
            "only one of the two further study is to be considered."
        )


def _curtailed(design: Design, trial: str) -> str:
    given = design.given
    whole = f"T{trial[1:]}"
    if "n" in given:
        whole += (
            f" follows a design with a go for more than {given['r'][0]} responses of {given['n'][0]} patients"
        )
        if "n1" in given:
            whole += f" and a stop after {given['n1'][0]} patients with {given['r1'][0]} or fewer responses"
        whole += ", and"
    every = (
        f"looked at after every {count(given['every'][0], 'patient')}"
        if given["every"] != (1,)
        else "looked at after every patient"
    )
    low, high = given["futility_below"][0], given["go_above"][0]
    if (low, high) == (0, 1):
        return f"{whole} ends as soon as its outcome is certain, {every} (curtailment)."
    ends = [
        f"stops when the conditional power at p1 is {low:g} or less"
        if low
        else "stops when no go is possible"
    ]
    ends.append(f"goes when it is {high:g} or more" if high != 1 else "goes when a go is certain")
    return f"{whole} {listed(ends)}, {every} (stochastic curtailment)."


def _when(design: Design) -> str:
    given = design.given
    every = "every patient" if given["every"] == (1,) else f"every {given['every'][0]} patients"
    return f"looked at from {count(given['min_n'][0], 'patient')} on, after {every}"


def _predictive(design: Design, prior: str, trial: str) -> str:
    given = design.given
    high = "a high enough posterior probability"
    if "theta_t" in given:
        high = f"a posterior probability above {given['theta_t'][0]:g}"
    words = f"Success at the end is {high}"
    words += f" that the response rate exceeds p0, {prior}."
    if "theta_l" in given:
        early = (
            f" and goes early when it is above {given['theta_u'][0]:g}" if given["theta_u"] != (1.0,) else ""
        )
        words += (
            f" T{trial[1:]} stops for futility when the predictive probability of success is below "
            f"{given['theta_l'][0]:g}"
            f"{early}, {_when(design)}."
        )
        return words
    early = f"; an early go needs more than {given['theta_u'][0]:g}" if given["theta_u"] != (1.0,) else ""
    return (
        f"{words} T{trial[1:]} stops for futility when its predictive probability is too low, "
        f"{_when(design)}{early}."
    )


def _posterior(design: Design, prior: str, trial: str) -> str:
    given = design.given
    low, gain = given["p_l"][0], given["delta"][0] if "delta" in given else 0
    if "standard_prior" in given:
        standard = "that of the standard, itself uncertain with a Beta({:g}, {:g}) distribution"
        standard = standard.format(*given["standard_prior"])
    else:
        standard = f"that of the standard, {rate(given['standard'][0])}"
    by = f" by more than {100 * gain:g} percentage point{'' if gain == 0.01 else 's'}" if gain else ""
    stop = f"stops for futility when the posterior probability of exceeding it{by} is below {low:g}"
    go = "goes when the posterior probability of exceeding it"
    if "p_u" not in given:
        go = f"{go} is high enough"
    else:
        high = given["p_u"][0]
        go = f"{go} is above {high:g}" if high != 1 else "never goes early"
    return (
        f"The response rate is compared with {standard}, {prior}. T{trial[1:]} "
        f"{stop if low else 'never stops for futility'} and {go}, {_when(design)}; with neither by the end, further "
        "study is to be considered."
    )


def _bop2(design: Design, prior: str, trial: str) -> str:
    given = design.given
    early = ""
    if "eta" in given:
        early = f", an early go more than 1 - (1 - λ) (m/N)^η, with η = {given['eta'][0]:g}"
    also = ""
    if design.kind == "bop2_toxicity":
        also = (
            " It also stops, or ends without a go, when the posterior probability of a toxicity rate below the "
            "unacceptable one, under a Beta({:g}, {:g}) prior of toxicity, is below the same limit."
        ).format(*given["prior_toxicity"])
    return (
        f"After m of N patients {trial} stops when the posterior probability of a response rate above p0 is below "
        f"λ (m/N)^γ, with λ = {given['lambda'][0]:g} and γ = {given['gamma'][0]:g}, {prior} of response; a go at the "
        f"end needs more than λ{early} (BOP2).{also}"
    )


def _origin(design: Design) -> Iterator[str]:
    """How the cut-offs came about: stated, or found by a search, and by which."""
    if design.criterion is None:
        if design.kind in ("fleming", "swog", "dual_criterion"):
            yield "The numbers of patients are stated outright."
        if design.kind in ("gehan", "fleming", "swog", "dual_criterion"):
            return
        what = "These thresholds" if "prior" in design.given or design.kind == "curtailed" else "The cut-offs"
        yield f"{'The table of decisions is' if design.kind == 'rules' else f'{what} are'} stated outright."
        return
    given = design.given
    weight = "{:g}".format(*given["weight"]) if "weight" in given else ""
    mean = "expected number of patients"
    if design.kind == "bryant_day":
        where = [f"response {rate(b.response)}, toxicity {rate(b.toxicity or 0)}" for b in design.bounds[:2]]
        least = f"the least {mean} at the worse of two pairs of true rates ({'; '.join(where)})"
        best = {
            "optimal": f"has {least}",
            "minimax": f"has the fewest patients and, among designs of that size, {least}",
        }[design.criterion]
    else:
        best = BEST[design.criterion].format(en=mean, weight=weight)
    if "en_weight_p1" in given:
        best = best.replace(
            f"{mean} at p0",
            f"weighted mean of the {mean} at p0 and at p1, with weight {given['en_weight_p1'][0]:g} for p1",
        )
    if "en_prior" in given:
        prior = "Beta({:g}, {:g})".format(*given["en_prior"])
        best = best.replace(f"{mean} at p0", f"{mean} averaged over a {prior} prior of the response rate")
    within = [f"at most {design.up_to} patients"] if design.up_to else []
    kept = [*within, *_held(design), *(_bound(design, bound) for bound in design.bounds)]
    family = FAMILIES.get(design.kind, "designs of this kind")
    if "not_proved" in given:
        yield (
            f"The cut-offs were found by a search among {family} with {listed(kept)}: of those that were found this "
            f"one {best}. After {count(given['not_proved'][0], 'pair')} of cut-offs it is not settled whether another "
            "has less."
        )
        return
    yield f"The cut-offs were found by an exact search: among {family} with {listed(kept)}, this one {best}."
    if (
        design.kind == "simon"
        and design.criterion in ("optimal", "minimax")
        and not design.settings
        and not design.up_to
    ):
        yield f"It is Simon’s {design.criterion} two-stage design."


def _held(design: Design) -> Iterator[str]:
    """What a search kept to, beside error rates."""
    for key, values in design.given.items():
        if key == "shape":
            yield SHAPES[values[0]]
        elif key == "looks":
            yield (
                "looks after any patients" if values == ("every",) else f"at most {count(values[0], 'look')}"
            )
        elif key in HELD and design.kind != "curtailed":
            yield HELD[key].format(*values)


def _bound(design: Design, bound: Bound) -> str:
    names = {
        "type_i": "a type I error of at most" if design.tests else "a probability of a go of at most",
        "type_ii": "a type II error of at most"
        if design.tests
        else "a probability of ending without a go of at most",
        "no_go_most": "a probability of no go of at most",
        "no_go_least": "a probability of no go of at least",
        "go_least": "a probability of a go of at least",
    }
    return f"{names[bound.what]} {bound.value:g} at a response rate of {rate(bound.response)}{toxic(bound.toxicity)}"


def toxic(toxicity: float | None) -> str:
    """A toxicity rate beside a response rate, where there is one."""
    return "" if toxicity is None else f" and a toxicity rate of {rate(toxicity)}"
