"""The design in a protocol's words: hypotheses, sizes, what each look leads to, where the cut-offs come from."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.facts.design import Attained, Bound, Branch, Design, Look
from trialsim.facts.protocol import Facts
from trialsim.writing.numbers import Cell, count, listed, probability, probability_cell, rate
from trialsim.writing.report import Block, Table, Words, plain

ORDINALS = ("first", "second", "third", "fourth", "fifth")

FAMILIES = {
    "simon": "two-stage designs that stop early only for futility",
    "single_stage": "single-stage designs",
    "mander_thompson": "two-stage designs that may end early for futility or with a go",
    "multistage": "three-stage designs",
    "swog": "two-stage designs of this kind whose first stage has half of the patients",
    "sargent": "two-stage designs with three outcomes",
    "curtailed": "curtailed two-stage designs",
    "predictive_probability": "designs of this kind without an early go",
    "posterior_probability": "designs of this kind",
    "bop2": "pairs of λ and γ that were tried",
    "bop2_toxicity": "pairs of λ and γ that were tried",
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
    "shape": "{0}",
}

SHAPES = {
    "equal": "stages of equal size",
    "ensign": "a first stage that stops only if nobody responds",
    "free": "stages of any size",
}


def blocks(facts: Facts) -> Iterator[Block]:
    """Everything about the design."""
    design = facts.design
    yield Words(f"The primary endpoint is {facts.endpoint}. {' '.join(_hypotheses(design))}")
    each = "Each cohort follows this design by itself, on its own patients. " if _own(facts) else ""
    yield Words(each + " ".join(_looks(facts)))
    yield decisions(facts)
    yield Words(" ".join([*_method(design), *_origin(design)]))
    yield Words(" ".join(_attained(facts)))
    if facts.attained:
        yield _characteristics(facts)


def _own(facts: Facts) -> bool:
    return facts.cohorts is not None and facts.cohorts.own


# -- hypotheses


def _hypotheses(design: Design) -> Iterator[str]:
    p0, p1 = design.p0, design.p1
    if p0 is not None and design.tests:
        against = f"; the alternative is that it is p1 = {rate(p1)} or more" if p1 is not None else ""
        yield f"The null hypothesis is that the true response rate is p0 = {rate(p0)} or less{against}."
    elif p0 is not None:
        against = f", one of p1 = {rate(p1)} or more is" if p1 is not None else ""
        yield f"A true response rate of p0 = {rate(p0)} or less is of no interest{against}."
    elif p1 is not None:
        yield f"A true response rate of p1 = {rate(p1)} or more is of interest."
    else:
        yield "No hypothesis about the response rate is stated."
    if design.toxicity:
        bad, good = design.toxicity
        yield (
            f"A true toxicity rate of {rate(bad)} or more is unacceptable, one of {rate(good)} or less is acceptable; "
            f"response and toxicity are taken {_associated(design.odds_ratio)}."
        )


def _associated(odds_ratio: float | None) -> str:
    return (
        "as independent"
        if odds_ratio in (None, 1)
        else f"as associated within a patient with an odds ratio of {odds_ratio:g}"
    )


# -- looks


def _looks(facts: Facts) -> Iterator[str]:
    design, looks = facts.design, facts.design.looks
    who = "evaluable patients" if facts.counted.replaced else "patients"
    if len(looks) > len(ORDINALS):
        yield (
            f"Up to {looks[-1].n} {who} will be enrolled. Responses are looked at repeatedly, first after "
            f"{looks[0].n} and last after {looks[-1].n} of them; the table of decisions says when, and what each "
            "number leads to."
        )
        if not design.successive:
            yield "It also says which look follows a decision to go on."
        return
    for k, look in enumerate(looks):
        branches = "; ".join(_branch(design, k, branch) for branch in look.branches)
        yield f"{_stage(design, k, who)}: {branches}."
        if look.toxic_ge is not None:
            yield (
                f"Whatever the responses, the trial is stopped for toxicity, without a go, if {look.toxic_ge} or "
                f"more of these {look.n} patients have had toxicity."
            )


def _stage(design: Design, k: int, who: str) -> str:
    n = design.looks[k].n
    if len(design.looks) == 1:
        return f"{n} {who} will be enrolled in a single stage"
    if k == 0:
        return f"In the first stage {n} {who} will be enrolled"
    if design.successive:
        return f"At the end of the {ORDINALS[k]} stage, with {n} {who} in all"
    return f"If, by the responses seen before, the trial goes on to {n} {who} in all"


def _branch(design: Design, k: int, branch: Branch) -> str:
    look = design.looks[k]
    final = all(other.decision != "continue" for other in look.branches)
    rejected = "the null hypothesis is rejected and " if design.tests else ""
    if branch.decision == "continue":
        assert branch.to_n is not None
        then = f"{branch.to_n - look.n} more will be enrolled, {branch.to_n} in all"
    elif branch.decision == "consider":
        then = "the result is inconclusive, and further study is to be considered"
    elif branch.decision == "go":
        then = f"{'' if final else 'the trial is stopped early, '}{rejected}further study is recommended (go)"
    elif final:
        kept = "the null hypothesis is not rejected and " if design.tests else ""
        then = f"{kept}no further study is recommended (no go)"
    else:
        then = "the trial is stopped for futility (no go)"
    return f"{_responses(branch, look.n)}, {then}"


def _responses(branch: Branch, n: int) -> str:
    low, high = branch.low, branch.high
    if (low, high) == (0, n):
        return "whatever the responses"
    if high == n:
        return f"if {'all ' if low == n else ''}{low}{'' if low == n else ' or more'} respond"
    if low == high:
        return "if none responds" if low == 0 else f"if {low} {'responds' if low == 1 else 'respond'}"
    return f"if {high} or fewer respond" if low == 0 else f"if {low} to {high} respond"


def decisions(facts: Facts) -> Table:
    """The look table: which numbers of responses lead to which decision."""
    heads = {"futile": "Stop, no go", "continue": "Go on", "go": "Go", "consider": "Consider"}
    made = {branch.decision for look in facts.design.looks for branch in look.branches}
    heads = {decision: head for decision, head in heads.items() if decision in made}
    toxic = any(look.toxic_ge is not None for look in facts.design.looks)
    rows = []
    for look in facts.design.looks:
        cells = [Cell(str(look.n), look.n), *(Cell(_span(look, decision)) for decision in heads)]
        if toxic:
            cells.append(Cell("–" if look.toxic_ge is None else f"≥ {look.toxic_ge}", look.toxic_ge))
        rows.append(tuple(cells))
    who = "Evaluable patients" if facts.counted.replaced else "Patients"
    columns = (who, *heads.values(), *(["Stop for toxicity: toxicities"] if toxic else []))
    notes = "Entries are numbers of responses among the patients of the look"
    if "continue" in heads:
        notes += "; in brackets: the number of patients at the next look"
    return Table(
        "decisions",
        "Decisions by the number of responses",
        columns,
        plain(rows),
        (f"{notes}.",),
        words=tuple(range(1, len(columns))),
    )


def _span(look: Look, decision: str) -> str:
    """The numbers of responses that lead to a decision."""
    spans = []
    for branch in look.branches:
        if branch.decision != decision:
            continue
        low, high = branch.low, branch.high
        text = f"≤ {high}" if low == 0 else f"≥ {low}" if high == look.n else f"{low}–{high}"
        text = "any" if (low, high) == (0, look.n) else str(low) if low == high else text
        spans.append(f"{text} ({branch.to_n})" if branch.to_n else text)
    return ", ".join(spans) or "–"


# -- where the cut-offs come from


def _method(design: Design) -> Iterator[str]:
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
            "above, by the responses of the first, so that the response rate is estimated with a standard error of "
            f"about {given['standard_error'][0]:g}; it decides nothing, and a go says that the first stage was "
            "passed."
        )
    elif design.kind == "swog":
        yield (
            f"After the first stage p1 is tested at the level {given['first_level'][0]:g}, and at the end p0 at the "
            f"level {given['final_level'][0]:g}, both by exact tests."
        )
    elif design.kind == "curtailed":
        yield _curtailed(design)
    elif design.kind == "predictive_probability":
        yield _predictive(design, prior)
    elif design.kind == "posterior_probability":
        yield _posterior(design, prior)
    elif design.kind in ("bop2", "bop2_toxicity"):
        yield _bop2(design, prior)
    elif design.kind == "dual_criterion":
        level, value = given["significance"][0], rate(float(given["decision_value"][0]))
        shown = f"the exact test rejects p0 at the level {level:g}"
        if "prior" in given:
            shown = (
                f"the posterior probability of a response rate of p0 or less is at most {level:g}, {prior}"
            )
        what = "posterior median" if "prior" in given else "observed response rate"
        yield (
            f"A go needs significance ({shown}) and relevance (the {what} is at least {value}); with only one of the "
            "two further study is to be considered."
        )


def _curtailed(design: Design) -> str:
    given = design.given
    whole = "The trial"
    if "n" in given:
        whole += (
            f" follows a design with a go for more than {given['r'][0]} responses of {given['n'][0]} patients"
        )
        if "n1" in given:
            whole += f" and a stop after {given['n1'][0]} patients with {given['r1'][0]} responses or fewer"
        whole += ", and"
    every = (
        f"looked at after every {count(int(given['every'][0]), 'patient')}"
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
    return f"looked at from {count(int(given['min_n'][0]), 'patient')} on, after {every}"


def _predictive(design: Design, prior: str) -> str:
    given = design.given
    words = "Success at the end is a posterior probability"
    if "theta_t" in given:
        words += f" above {given['theta_t'][0]:g}"
    words += f" that the response rate exceeds p0, {prior}."
    if "theta_l" in given:
        early = (
            f" and goes early when it is above {given['theta_u'][0]:g}" if given["theta_u"] != (1.0,) else ""
        )
        words += (
            f" The trial stops for futility when the predictive probability of success is below {given['theta_l'][0]:g}"
            f"{early}, {_when(design)}."
        )
        return words
    early = f"; an early go needs more than {given['theta_u'][0]:g}" if given["theta_u"] != (1.0,) else ""
    return f"{words} The trial stops for futility when its predictive probability is too low, {_when(design)}{early}."


def _posterior(design: Design, prior: str) -> str:
    given = design.given
    gain, low = given["delta"][0], given["p_l"][0]
    if "standard_prior" in given:
        standard = "that of the standard, itself uncertain with a Beta({:g}, {:g}) distribution"
        standard = standard.format(*given["standard_prior"])
    else:
        standard = f"that of the standard, {rate(float(given['standard'][0]))}"
    by = f" by more than {gain:g}" if gain else ""
    stop = f"stops for futility when the posterior probability of exceeding it{by} is below {low:g}"
    go = "goes when the posterior probability of exceeding it"
    if "p_u" not in given:
        go = f"{go} is high enough"
    else:
        high = given["p_u"][0]
        go = f"{go} is above {high:g}" if high != 1 else "never goes early"
    return (
        f"The response rate is compared with {standard}, {prior}. The trial "
        f"{stop if low else 'never stops for futility'} and {go}, {_when(design)}; with neither by the end, further "
        "study is to be considered."
    )


def _bop2(design: Design, prior: str) -> str:
    given = design.given
    early = f", and that of an early go falls with the exponent {given['eta'][0]:g}" if "eta" in given else ""
    if design.kind == "bop2":
        what = "the posterior probability of a response rate above p0"
    else:
        toxic = "Beta({:g}, {:g})".format(*given["prior_toxicity"])
        what = (
            "the posterior probability of a response rate above p0, or that of a toxicity rate below the "
            f"unacceptable one (with a {toxic} prior of toxicity),"
        )
    return (
        f"After m of N patients the trial stops when {what} is below λ (m/N)^γ, with λ = {given['lambda'][0]:g} and "
        f"γ = {given['gamma'][0]:g}, {prior} of response; a go at the end needs more than λ{early} (BOP2)."
    )


def _origin(design: Design) -> Iterator[str]:
    if not design.searched:
        if design.kind == "rules":
            yield "The table of decisions is stated outright."
        elif design.kind not in ("gehan", "fleming", "swog", "dual_criterion"):
            yield "The cut-offs were not searched for; they are stated outright."
        return
    given = design.given
    weight = "{:g}".format(*given["weight"]) if "weight" in given else ""
    mean = "expected number of patients"
    if design.kind == "bryant_day":
        best = {
            "optimal": f"has the least larger {mean} of the two null hypotheses",
            "minimax": f"has the fewest patients and, among designs of that size, the least larger {mean} of the two "
            "null hypotheses",
        }[design.criterion or "optimal"]
    else:
        best = BEST[design.criterion or "optimal"].format(en=mean, weight=weight)
    if "en_weight_p1" in given:
        best = best.replace(
            f"{mean} at p0",
            f"weighted mean of the {mean} at p0 and at p1, with weight {given['en_weight_p1'][0]:g} for p1",
        )
    if "en_prior" in given:
        prior = "Beta({:g}, {:g})".format(*given["en_prior"])
        best = best.replace(f"{mean} at p0", f"{mean} averaged over a {prior} prior of the response rate")
    within = f" of at most {design.up_to} patients" if design.up_to else ""
    kept = [*_held(design), *(_bound(design, bound) for bound in design.bounds)]
    yield (
        f"The cut-offs were found by an exact search: among {FAMILIES[design.kind]}{within} with {listed(kept)}, "
        f"this one {best}."
    )
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
            yield SHAPES[str(values[0])]
        elif key in HELD and design.kind != "curtailed":
            yield HELD[key].format(*values)


def _bound(design: Design, bound: Bound) -> str:
    names = {
        "type_i": "a type I error of at most" if design.tests else "a probability of a go of at most",
        "type_ii": "a type II error of at most" if design.tests else "a probability of no go of at most",
        "no_go_most": "a probability of no go of at most",
        "no_go_least": "a probability of no go of at least",
        "go_least": "a probability of a go of at least",
    }
    return f"{names[bound.what]} {bound.value:g} at a response rate of {rate(bound.response)}{_toxic(bound.toxicity)}"


def _toxic(toxicity: float | None) -> str:
    return "" if toxicity is None else f" and a toxicity rate of {rate(toxicity)}"


# -- what is attained


def _attained(facts: Facts) -> Iterator[str]:
    design = facts.design
    if not facts.attained:
        yield "Without p0 or p1 the design has no type I error and no power."
        return
    parts = [_error(design, row) for row in facts.attained]
    yield f"Exactly, with every patient evaluable and no other rule than these looks, it attains {listed(parts)}."
    if facts.cohorts and facts.cohorts.false_go is not None:
        yield (
            "If the response rate is p0 in every cohort, and the cohorts are independent, at least one of them ends "
            f"in a go with probability {probability(facts.cohorts.false_go)}."
        )


def _error(design: Design, row: Attained) -> str:
    """An attained probability of a go by its name."""
    null = row.response == design.p0 or (design.toxicity is not None and row.toxicity == design.toxicity[0])
    name = ("a type I error" if null else "a power") if design.tests else "a probability of a go"
    at = f"at a response rate of {rate(row.response)}"
    if row.toxicity == 0 and not design.toxicity:
        return f"{name} of at most {probability(row.p_go)} {at}, whatever the toxicity rate (so much if nobody has "
        "toxicity)"
    return f"{name} of {probability(row.p_go)} {at}{_toxic(row.toxicity)}"


def _characteristics(facts: Facts) -> Table:
    toxic = any(row.toxicity is not None for row in facts.attained)
    considers = any(row.p_consider is not None for row in facts.attained)
    rows = []
    for row in facts.attained:
        cells = [Cell(rate(row.response), row.response)]
        if toxic:
            cells.append(Cell(rate(row.toxicity or 0.0), row.toxicity))
        cells.append(probability_cell(row.p_go))
        if considers:
            cells.append(probability_cell(row.p_consider))
        cells += [probability_cell(row.pet), Cell(f"{row.en:.2f}", row.en)]
        rows.append(tuple(cells))
    columns = (
        "Response rate",
        *(["Toxicity rate"] if toxic else []),
        "P(go)",
        *(["P(consider)"] if considers else []),
        "P(ends early)",
        "Expected patients",
    )
    return Table(
        "attained",
        "What the design attains by itself, by the true rates",
        columns,
        plain(rows),
        ("Exact; every patient evaluable, no toxicity rule, no change of dose.",),
    )
