"""What-ifs in words: what each variant changed and did, the main quantities, the figure; every quantity on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trialsim.checks.rows import CaseCheck
from trialsim.checks.rows import label as counted
from trialsim.reporting import sentences
from trialsim.reporting.change_words import changes_in_words, told
from trialsim.reporting.paired import (
    CORRECTED,
    difference_cell,
    method,
    replicates_words,
    report,
    value_cell,
)
from trialsim.reporting.pictures import undrawn
from trialsim.reporting.sentences import Words as Names
from trialsim.reporting.sentences import sentence
from trialsim.scenario.files import digest
from trialsim.varying.answers import Variant, WhatIf, WhatIfs
from trialsim.varying.effects import Number, digits
from trialsim.writing.numbers import Cell, fixed, listed
from trialsim.writing.report import Block, Group, Pictures, Report, Row, Section, Table, Terms, Words, section

MANY = 8
"""With more tables than this, every quantity of every variant is told on demand only."""

TABLE_FIRST = 3
"""With as many variants the table stands before what is said of each."""

CHANCES = ("p_go", "p_false_go", "p_dose_reduced")
MEANS = {"en": "patients", "responses": "responses", "toxicities": "patients with toxicity",
         "duration_months": "months"}  # fmt: skip
"""What a scenario without variants is asked for."""


def report_of(found: WhatIf | WhatIfs) -> Report:
    """One question with all of its numbers, or several with their short answers first."""
    questions = found.questions
    first = questions[0]
    if len(questions) == 1:
        title, sections = first.called, [_question(first, "answer", "The answer"), _everything(first)]
    else:
        title = f"{len(questions)} what-if questions"
        rows = [(each.called, f"{_asked(each)} {answer(each)}") for each in questions]
        why = (
            "The short answer is what the most telling variant of a scenario does: the one with the largest change of "
            "P(go), else of anything else."
        )
        short = section("answers", "Questions and short answers", Terms(tuple(rows)), Words(why, mark="note"))
        sections = [short, *(_question(q, f"q{k}", q.called, True) for k, q in enumerate(questions, 1))]
    kind = "What if: changed assumptions of a single-arm trial, side by side"
    runs = replicates_words((each.replicates, each.seed) for each in questions)
    sections.append(method("The scenario and its variants"))
    return report(title, kind, sections, WhatIfs(questions).disagreements, runs)


def document(found: WhatIf | WhatIfs, texts: Sequence[str] = ()) -> dict[str, Any]:
    """``results.json``: the numbers with the sentences about them, and the text of each scenario."""
    content = WhatIfs(found.questions).to_dict()
    for k, (each, question) in enumerate(zip(found.questions, content["questions"], strict=True)):
        question |= {"answer": answer(each), "how": how(each), "observed_words": observed_words(each)}
        question |= {"text": texts[k]} if texts else {}
        for variant, plain in zip(each.variants, question["variants"], strict=True):
            changes = changes_in_words(each.scenario, variant.scenario, variant.changes)
            plain |= {
                "changes": [change.to_dict() for change in changes],
                "changed": told(changes),
                "did": did(each, variant),
                "notes": list(notes(each, variant)),
            }
    return {"rule": sentences.rule(), **content}


# -- sentences


def changed(found: WhatIf, variant: Variant) -> str:
    """What a variant changes."""
    return told(changes_in_words(found.scenario, variant.scenario, variant.changes))


def did(found: WhatIf, variant: Variant) -> str:
    """What a variant did."""
    return sentences.did(variant.effects, Names.of(found.scenario))


def answer(found: WhatIf) -> str:
    """The short answer: the sentence of the most telling variant, or what the scenario itself gives."""
    if not found.variants:
        return " ".join(filter(None, (plain_answer(found), observed_words(found))))
    most = max(found.variants, key=lambda each: sentences.telling(each.effects))
    return f"“{most.name}”: {sentences.did(most.effects, Names.of(found.scenario), 1)}"


def plain_answer(found: WhatIf) -> str:
    """What a scenario gives that is asked a question without a variant, case by case."""
    words = Names.of(found.scenario)
    parts = []
    for case, numbers in found.base.items():
        chances = [CHANCES[0], *(q for q in numbers if q.startswith("p_go_cohort_")), *CHANCES[1:]]
        first = [
            f"{words.spoken(q)} {fixed(numbers[q].told.value, digits(q, numbers[q].told.value))}"
            for q in chances
            if q in numbers and q in found.quantities
        ]
        second = [
            f"{fixed(numbers[q].told.value, 1)} {unit}" for q, unit in MEANS.items() if q in found.quantities
        ]
        parts.append(f"If “{case}” is true: {', '.join(first)}; expected are {', '.join(second)}.")
    return " ".join(parts)


def how(found: WhatIf) -> str:
    """How the numbers came about."""
    run = f"{found.replicates:,} simulated trials a case, seed {found.seed}"
    reasons = sorted({why for why in found.not_exact.values() if why})
    same = (
        "the same patients in every variant. A difference has its own error; ± is half of its 95% interval."
    )
    if reasons:
        paired = same if found.variants else "± is half of a 95% interval."
        corrected = f" {CORRECTED}" if found.adjusted else ""
        return f"Simulated ({'; '.join(reasons)}): {run}; {paired}{corrected}"
    mixed = any(
        not e.difference.is_exact for v in found.variants for of in v.effects.values() for e in of.values()
    )
    some = f" Without an exact answer in a variant both sides are simulated: {same}" if mixed else ""
    check = found.check
    agree = (
        f"over {check.comparisons} comparisons of values and differences the two are at most "
        f"{check.largest_z:.2f} standard errors apart"
    )
    return f"Exact; {run}, as a check: {agree if check.comparisons else 'nothing to compare'}.{some}"


def observed_words(found: WhatIf) -> str:
    """How surprising the observed counts would be, a sentence a case; "" without an observed trial."""
    parts = []
    for case in dict.fromkeys(row.case for row in found.observed):
        seen = "; ".join(_observed(row, found.scenario.doses) for row in found.observed if row.case == case)
        parts.append(f"Against the observed trial, if “{case}” is true: {seen}.")
    return " ".join(parts)


def _observed(row: CaseCheck, doses: Sequence[str]) -> str:
    what = counted(row.quantity, doses)
    text = f"{what[:1].lower()}{what[1:]} {row.observed}/{row.denominator}"
    if row.interval_95 is not None:
        text += f", 95% of such trials have {row.interval_95[0]} to {row.interval_95[1]}"
    verdict = "the rate was set from this count" if row.fitted else row.verdict
    return f"{text} ({verdict})" if verdict else text


def notes(found: WhatIf, variant: Variant) -> Iterator[str]:
    """What is not compared, and why."""
    scenario, other = found.scenario, variant.scenario
    if variant.only_here or variant.only_there:
        here = f"the variant also has {_quoted(variant.only_here)}" if variant.only_here else ""
        there = f"the variant has no {_quoted(variant.only_there)}" if variant.only_there else ""
        yield f"Cases in both are compared; {listed(list(filter(None, (here, there))))}."
    if more := [dose for dose in other.doses if dose not in scenario.doses]:
        yield f"Patients at {_quoted(more)}, which the scenario itself does not have, are in the totals only."
    if (scenario.conduct is None) != (other.conduct is None):
        without = "variant" if other.conduct is None else "scenario itself"
        yield f"The {without} has no calendar time: durations are not compared."


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


# -- sections and tables


def _asked(found: WhatIf) -> str:
    question = sentence(found.scenario.question or "What do these changes do?")
    return question if question.endswith((".", "?", "!")) else f"{question}."


def _question(found: WhatIf, key: str, title: str, folded: bool = False) -> Section:
    """A question: what each variant changed and did, the main quantities, the figure."""
    rows = [
        (each.name, " ".join((changed(found, each), did(found, each), *notes(found, each))))
        for each in found.variants
    ]
    blocks: list[Block] = []
    if found.scenario.question:
        blocks.append(Words(_asked(found), "Question:", "convention"))
    table: list[Block] = [_overview(found, key), Words(how(found), mark="note")]
    said = Terms(tuple(rows)) if rows else Words(answer(found))
    # what is said of many variants fills a page: then the numbers of all of them come first
    blocks += [*table, said] if len(rows) >= TABLE_FIRST else [said, *table]
    if rows:
        name = "variants" if key == "answer" else f"variants_{int(key[1:]):02}"
        blocks += [Words(observed_words(found)), Pictures((undrawn("variants", found, name),))]
    blocks.append(Words(f"Scenario {found.file}, digest {digest(found.scenario)}", mark="note"))
    return section(key, title, blocks, folded=folded)


def _overview(found: WhatIf, key: str) -> Table:
    """A block a case, a row a variant: the main quantities, each beside its difference from the scenario as stated."""
    names = found.columns
    heads = [""]
    for name in names:
        heads += [sentence(found.short(name)), *(["Difference"] if found.variants else [])]
    groups = []
    for case, base in found.base.items():
        rows = [_row("as stated", names, base, {} if found.variants else None)]
        for variant in found.variants:
            if (effects := variant.effects.get(case)) is not None:
                there = {name: effects[name] for name in names if name in effects}
                values = {name: effect.other for name, effect in there.items()}
                apart = {name: effect.difference for name, effect in there.items()}
                rows.append(_row(variant.name, names, values, apart))
        groups.append(_group(found, case, rows))
    return Table(f"overview-{key}", "The main quantities", tuple(heads), tuple(groups))


def _row(
    name: str, names: Sequence[str], numbers: Mapping[str, Number], apart: Mapping[str, Number] | None
) -> Row:
    """Values, each with its difference (``apart`` is {} for the scenario itself, None where there is no variant)."""
    cells: list[Cell | str] = [name]
    for quantity in names:
        # the scenario's own error says how well its value is known; a variant's is that of its difference
        cells.append(value_cell(quantity, numbers.get(quantity), error=not apart or quantity not in apart))
        if apart is not None:
            cells.append(difference_cell(quantity, apart.get(quantity)) if apart else "")
    return tuple(cells)


def _everything(found: WhatIf) -> Section:
    """Every quantity of every variant, a table each; of a scenario without variants one table."""
    tables = []
    if not found.variants:
        groups = [
            _group(
                found,
                case,
                [(found.label(q), value_cell(q, base[q], error=True)) for q in found.quantities if q in base],
            )
            for case, base in found.base.items()
        ]
        tables.append(Table("all", "Every quantity", ("", "Value"), tuple(groups)))
    for v, variant in enumerate(found.variants, start=1):
        groups = []
        for case, effects in variant.effects.items():
            rows = [
                (
                    found.label(q),
                    value_cell(q, effects[q].base),
                    value_cell(q, effects[q].other),
                    difference_cell(q, effects[q].difference),
                )
                for q in found.quantities
                if q in effects
            ]
            groups.append(_group(found, case, rows))
        heads = ("", "As stated", sentence(variant.name), "Difference")
        tables.append(Table(f"all-{v}", f"Every quantity: {variant.name}", heads, tuple(groups)))
    many = sum(len(variant.effects) for variant in found.variants) > MANY
    return section("everything", "Every quantity", tables, folded=many)


def _group(found: WhatIf, case: str, rows: Sequence[Row]) -> Group:
    """The rows of a case, under its name where there are several."""
    return Group(f"If “{case}” is true" if len(found.base) > 1 else "", tuple(rows))
