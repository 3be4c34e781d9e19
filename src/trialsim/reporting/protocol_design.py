"""The design in a protocol's words: hypotheses, sizes, what each look leads to, and what that attains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trialsim.facts.design import Attained, Branch, Design, Look
from trialsim.facts.protocol import Facts
from trialsim.reporting.oc import nominal_words
from trialsim.reporting.protocol_origin import toxic, whence
from trialsim.writing.numbers import Cell, count, listed, probability, probability_cell, rate, value_cell
from trialsim.writing.report import Block, Table, Words, plain

NO_HYPOTHESIS = "No hypothesis about the response rate is stated."

ORDINALS = ("first", "second", "third", "fourth", "fifth")


def blocks(facts: Facts) -> Iterator[Block]:
    """Everything about the design, or about that of each cohort."""
    if facts.designs:
        yield from _of_cohorts(facts)
        return
    design = facts.design
    yield Words(f"The primary endpoint is {facts.endpoint}. {' '.join(_hypotheses(design))}")
    arms = facts.dose_decision is not None and facts.dose_decision.from_start
    whose = "The patients of each dose are a cohort, which" if arms else "Each cohort"
    each = f"{whose} follows this design by itself, on its own patients. " if _own(facts) else ""
    yield Words(each + " ".join(_looks(facts)))
    yield decisions(facts)
    yield Words(whence(design, _trial(facts)))
    yield Words(" ".join(_attained(facts)))
    yield Words(" ".join(nominal_words(facts.nominal)))
    if facts.attained:
        yield _characteristics(facts)


def _of_cohorts(facts: Facts) -> Iterator[Block]:
    """Cohorts that have designs of their own: each design with its cohorts."""
    designs = len(facts.designs)
    yield Words(
        f"The primary endpoint is {facts.endpoint}. Each cohort follows a design by itself, on its own patients; there "
        f"are {designs} designs for {len({s.cohort for s in facts.cohorts.strata})} cohorts."
        if facts.cohorts
        else ""
    )
    for k, (cohorts, one) in enumerate(facts.by_design, start=1):
        yield Words(" ".join([*_hypotheses(one.design), *_looks(one)]), lead=f"{of_cohorts(cohorts)}.")
        yield numbered(decisions(one), k, cohorts)
        yield Words(whence(one.design, _trial(facts)))
        yield Words(" ".join([*_attained(one), *nominal_words(one.nominal)]))
        if one.attained:
            yield numbered(_characteristics(one), k, cohorts)
    yield Words(" ".join(_false_go(facts)))


def of_cohorts(names: Sequence[str]) -> str:
    """``Cohort A``, ``Cohorts A and B``."""
    return f"Cohort{'s' if len(names) > 1 else ''} {listed(names)}"


def numbered(table: Table, number: int, cohorts: Sequence[str]) -> Table:
    """One of several tables of a kind, each of the cohorts that share a design."""
    whose = of_cohorts(cohorts)
    return replace(
        table, key=f"{table.key}-{number}", caption=f"{table.caption}: {whose[:1].lower()}{whose[1:]}"
    )


def _own(facts: Facts) -> bool:
    return facts.cohorts is not None and facts.cohorts.own


def _trial(facts: Facts) -> str:
    """What a look decides about."""
    return "the cohort" if _own(facts) else "the trial"


# -- hypotheses


def _hypotheses(design: Design) -> Iterator[str]:
    p0, p1 = design.p0, design.p1
    low = f"p0 = {rate(p0)} or less" if p0 is not None else ""
    high = f"p1 = {rate(p1)} or more" if p1 is not None else ""
    bad, good = "", ""
    if design.toxicity and p0 is not None:
        either = "or" if design.is_null(p0, None) else "and"
        bad = f", {either} the true toxicity rate {rate(design.toxicity[0])} or more"
        good = f", and the true toxicity rate {rate(design.toxicity[1])} or less"
    if low and design.tests:
        against = f"; the alternative is that it is {high}{good}" if high else ""
        yield f"The null hypothesis is that the true response rate is {low}{bad}{against}."
    elif low:
        yield f"A true response rate of {low} is of no interest{f', one of {high} is' if high else ''}."
    else:
        yield f"A true response rate of {high} is of interest." if high else NO_HYPOTHESIS
    if design.toxicity:
        unacceptable, acceptable = design.toxicity
        yield (
            f"A true toxicity rate of {rate(unacceptable)} or more is unacceptable, one of {rate(acceptable)} or less "
            f"is acceptable; response and toxicity are taken {_associated(design.odds_ratio)}."
        )


def _associated(odds_ratio: float | None) -> str:
    return (
        "as independent"
        if odds_ratio in (None, 1)
        else f"as associated within a patient with an odds ratio of {odds_ratio:g}"
    )


# -- looks


def _looks(facts: Facts) -> Iterator[str]:
    yield from _by_number(facts)
    if facts.conduct is not None and facts.conduct.weighing is not None:
        yield (
            "At an interim look these are the decisions when every outcome is known; while some are pending they are "
            "taken as the part on conduct says."
        )


def _by_number(facts: Facts) -> Iterator[str]:
    """What each number of responses leads to."""
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
    alike = [look.n for look in looks[1:] if not design.successive and _passes(look)]
    for k, look in enumerate(looks):
        if look.n in alike:
            continue
        leads = "; ".join(_branch(design, k, branch, _trial(facts)) for branch in look.branches)
        yield f"{_stage(design, k, who, _trial(facts))} {leads}."
        if look.toxic_ge is not None:
            ends = "there is no go" if _ends(look) else f"{_trial(facts)} is stopped without a go"
            yield (
                f"But if {look.toxic_ge} or more of these {look.n} patients have had toxicity, {ends}, because of "
                "toxicity, whatever the responses."
            )
    if not any(branch.decision in ("go", "consider") for look in looks for branch in look.branches):
        yield "No number of responses leads to a go: whatever the true response rate, its probability is 0."
    if alike:
        sizes = listed([str(n) for n in alike], "or")
        which = ", of which only one is reached" if len(alike) > 1 else ""
        yield f"With {sizes} {who} in all{which}, further study is recommended (go) whatever the responses."


def _passes(look: Look) -> bool:
    """Whether a look is a go whatever is seen."""
    return [branch.decision for branch in look.branches] == ["go"] and look.toxic_ge is None


def _ends(look: Look) -> bool:
    """Whether the trial ends with a look, whatever is seen."""
    return all(branch.decision != "continue" for branch in look.branches)


def _stage(design: Design, k: int, who: str, trial: str) -> str:
    n = design.looks[k].n
    if len(design.looks) == 1:
        return f"{count(n, who[:-1])} will be enrolled in a single stage:"
    if k == 0:
        return f"In the first stage {count(n, who[:-1])} will be enrolled:"
    if design.successive:
        return f"At the end of the {ORDINALS[k]} stage, with {n} {who} in all,"
    return f"Where {trial} goes on to {n} {who} in all:"


def _branch(design: Design, k: int, branch: Branch, trial: str) -> str:
    look = design.looks[k]
    final = _ends(look)
    rejected = "the null hypothesis is rejected and " if design.tests else ""
    if branch.decision == "continue":
        assert branch.to_n is not None
        then = f"{branch.to_n - look.n} more will be enrolled, {branch.to_n} in all"
    elif branch.decision == "consider":
        then = "the result is inconclusive, and further study is to be considered"
    elif branch.decision == "go":
        then = f"{'' if final else f'{trial} is stopped early, '}{rejected}further study is recommended (go)"
    elif final:
        kept = "the null hypothesis is not rejected and " if design.tests else ""
        then = f"{kept}no further study is recommended (no go)"
    else:
        then = f"{trial} is stopped for futility (no go)"
    return f"{_responses(branch, look.n)}, {then}"


def _responses(branch: Branch, n: int) -> str:
    low, high = branch.low, branch.high
    if (low, high) == (0, n):
        return "whatever the responses"
    if high == n:
        return f"if {'all ' if low == n else ''}{low}{'' if low == n else ' or more'} respond"
    if low == high:
        return "if none responds" if low == 0 else f"if {low} {'responds' if low == 1 else 'respond'}"
    if low == 0:
        return f"if {high} or fewer respond"
    return f"if {low} {'or' if high == low + 1 else 'to'} {high} respond"


def decisions(facts: Facts) -> Table:
    """The look table: which numbers of responses lead to which decision."""
    heads = {"futile": "Stop, no go", "continue": "Go on", "go": "Go", "consider": "Consider"}
    made = {branch.decision for look in facts.design.looks for branch in look.branches}
    heads = {decision: head for decision, head in heads.items() if decision in made}
    toxic = facts.design.watches_toxicity
    rows = []
    for look in facts.design.looks:
        cells: list[Cell | str] = [Cell(str(look.n), look.n), *(_span(look, decision) for decision in heads)]
        if toxic:
            cells.append(Cell("–" if look.toxic_ge is None else f"≥ {look.toxic_ge}", look.toxic_ge))
        rows.append(tuple(cells))
    who = "Evaluable patients" if facts.counted.replaced else "Patients"
    columns = (who, *heads.values(), *(["No go, for toxicity: toxicities"] if toxic else []))
    notes = "Entries are numbers of responses among the patients of the look"
    if "continue" in heads:
        notes += "; in brackets: the number of patients at the next look"
    if len(facts.design.looks) > 2 and facts.design.successive:
        notes += "; a number smaller than all with which an earlier look goes on cannot occur"
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


# -- what is attained


def _attained(facts: Facts) -> Iterator[str]:
    design = facts.design
    if not facts.attained:
        yield "Without p0 or p1 the design has no type I error and no power."
        return
    parts = [_error(design, row) for row in facts.attained]
    looks = "this look" if len(design.looks) == 1 else "these looks"
    yield f"Exactly, with every patient evaluable and no other rule than {looks}, it attains {listed(parts)}."
    yield from _false_go(facts)


def _false_go(facts: Facts) -> Iterator[str]:
    """What several chances of a go make of the type I errors."""
    if facts.cohorts and facts.cohorts.false_go is not None:
        yield (
            f"If the response rate is p0 in every cohort{', that of its own design' if facts.designs else ''}, and the "
            "cohorts are independent, at least one of them ends "
            f"in a go with probability {probability(facts.cohorts.false_go)}."
        )


def _error(design: Design, row: Attained) -> str:
    """An attained probability of a go by its name."""
    if not design.tests:
        name = "a probability of a go"
    elif design.is_null(row.response, row.toxicity):
        name = "a type I error"
    else:
        good = row.response == design.p1 and (not design.toxicity or row.toxicity == design.toxicity[1])
        name = "a power" if good else "a probability of a go"
    at = f"at a response rate of {rate(row.response)}"
    if row.toxicity == 0 and not design.toxicity:
        return (
            f"{name} of at most {probability(row.p_go)} {at}, whatever the toxicity rate (so much if nobody has "
            "toxicity)"
        )
    return f"{name} of {probability(row.p_go)} {at}{toxic(row.toxicity)}"


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
            cells += [probability_cell(row.p_consider), probability_cell(row.p_no_go)]
        cells += [probability_cell(row.pet), value_cell("en", row.en)]
        rows.append(tuple(cells))
    columns = (
        "Response rate",
        *(["Toxicity rate"] if toxic else []),
        "P(go)",
        *(["P(consider)", "P(no go)"] if considers else []),
        "P(ends early)",
        "Expected patients",
    )
    return Table(
        "attained",
        "What the design attains by itself, by the true rates",
        columns,
        plain(rows),
        (
            "Exact; every patient evaluable, no rule but the looks above, which include the stops for toxicity."
            if facts.design.watches_toxicity
            else "Exact; every patient evaluable, no toxicity rule, no change of dose.",
        ),
    )
