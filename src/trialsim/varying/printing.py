"""What-ifs on a terminal: values side by side, differences with their error, the sentences."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trialsim.designs.alone import written
from trialsim.varying import sentences
from trialsim.varying.effects import Effect, Number, digits, plus_minus, short, shown

if TYPE_CHECKING:
    from trialsim.varying.answers import Variant, WhatIf
    from trialsim.varying.compare import Comparison

WIDE = 110
MANY = 8
"""With more tables than this only the main quantities are printed, all variants of a case in one table."""


def printed(found: WhatIf) -> str:
    """The question, what each variant changed and did, and the tables."""
    lines = [found.scenario.name]
    if found.scenario.question:
        lines += textwrap.wrap(f"Question: {found.scenario.question}", WIDE)
    lines += ["", *textwrap.wrap(how(found), WIDE)]
    for each in found.variants:
        lines += ["", *textwrap.wrap(f"{each.name}. {each.sentence}", WIDE, subsequent_indent="  ")]
        lines += [f"  Note: {note}" for note in each.notes]
    tables = sum(len(each.effects) for each in found.variants)
    if not found.variants:
        lines += ["", *textwrap.wrap(found.answer, WIDE)]
        for case, numbers in found.base.items():
            lines += ["", case, *_plain(found, numbers)]
    elif tables > MANY:
        for case in found.base:
            lines += ["", f"{case}: as stated, and by variant (difference)", *_overview(found, case)]
    else:
        for each in found.variants:
            for case, effects in each.effects.items():
                lines += ["", f"{case}: as stated, and {each.name}", *_beside(found, each, effects)]
    if found.variants and found.observed:
        lines += ["", *textwrap.wrap(found.observed_words, WIDE)]
    if found.disagreements:
        lines += ["", f"WARNING: exact and simulated disagree on {'; '.join(found.disagreements)}"]
    return "\n".join(lines)


def how(found: WhatIf) -> str:
    """How the numbers came about."""
    run = f"{found.replicates:,} simulated trials a case, seed {found.seed}"
    reasons = sorted({why for why in found.not_exact.values() if why})
    same = (
        "the same patients in every variant. A difference has its own error; ± is half of its 95% interval."
    )
    if reasons:
        paired = same if found.variants else "± is half of a 95% interval."
        return f"Simulated ({'; '.join(reasons)}): {run}; {paired}"
    mixed = any(
        not e.difference.is_exact for v in found.variants for of in v.effects.values() for e in of.values()
    )
    some = f" Without an exact answer in a variant both sides are simulated: {same}" if mixed else ""
    return f"Exact; {run}, as a check: {found.check.words}.{some}"


def _plain(found: WhatIf, numbers: dict[str, Number]) -> Iterator[str]:
    names = [name for name in found.quantities if name in numbers]
    wide = max(len(found.label(name)) for name in names)
    for name in names:
        yield f"  {found.label(name):{wide}}  {value(name, numbers[name]):>16}"


def _beside(found: WhatIf, variant: Variant, effects: dict[str, Effect]) -> Iterator[str]:
    """Rows: quantities; columns: as stated, the variant, the difference."""
    names = [name for name in found.quantities if name in effects]
    wide = max(len(found.label(name)) for name in names)
    head = max(10, len(variant.name))
    yield f"  {'':{wide}}  {'as stated':>10}  {variant.name:>{head}}  difference"
    for name in names:
        effect = effects[name]
        decimals = table_digits(name)
        yield (
            f"  {found.label(name):{wide}}  {shown(effect.base.value, decimals):>10}  "
            f"{shown(effect.other.value, decimals):>{head}}  {difference(name, effect)}"
        )


def _overview(found: WhatIf, case: str) -> Iterator[str]:
    """Rows: variants; columns: the main quantities, each with its difference."""
    words = found.words
    names = [name for name in found.columns if name in found.base[case]]
    rows = [("as stated", [value(name, found.base[case][name]) for name in names])]
    for each in found.variants:
        effects = each.effects.get(case)
        if effects is not None:
            rows.append((each.name, [_both(name, effects.get(name)) for name in names]))
    heads = [short(name, words.doses, words.cohorts, words.own) for name in names]
    yield from _columns([name for name, _ in rows], heads, [cells for _, cells in rows])


def _both(name: str, effect: Effect | None) -> str:
    if effect is None:
        return "-"
    return f"{shown(effect.other.value, table_digits(name))} ({difference(name, effect)})"


def value(name: str, number: Number) -> str:
    """A value with its error."""
    decimals = table_digits(name)
    text = shown(number.value, decimals)
    return text if number.is_exact else f"{text} {plus_minus(number.plus_minus, decimals)}"


def difference(name: str, effect: Effect) -> str:
    """A difference with its sign and error; ``exact``, and ``0`` where it is the same trial."""
    d, decimals = effect.difference, table_digits(name)
    if d.value == 0 and (d.is_exact or d.plus_minus == 0):
        return "0"
    text = shown(d.value, decimals)
    sign = "" if text.startswith("-") else "+"
    return f"{sign}{text} exact" if d.is_exact else f"{sign}{text} {plus_minus(d.plus_minus, decimals)}"


def table_digits(name: str) -> int:
    """Decimals in tables: the same in every row of a kind."""
    return digits(name, 0.0)


def contents(found: Sequence[WhatIf]) -> str:
    """Several what-ifs in short: the file, the question and its answer."""
    lines = []
    for each in found:
        lines += [each.file]
        lines += textwrap.wrap(
            f"{sentences.sentence(each.scenario.question or each.scenario.name)}",
            WIDE, initial_indent="  ", subsequent_indent="  ",
        )  # fmt: skip
        lines += textwrap.wrap(each.answer, WIDE, initial_indent="  ", subsequent_indent="  ")
        lines += [""]
    return "\n".join(lines[:-1])


def compared(found: Comparison) -> str:
    """Designs side by side: by themselves, then in every case."""
    lines = [f"{len(found.designs)} designs under the truth of {found.truth}", ""]
    for text in (*found.dominated, *found.notes):
        lines += textwrap.wrap(text, WIDE)
    lines += ["", *_designs_alone(found)]
    for case, of in found.values.items():
        why = found.not_exact[case]
        lines += [
            "",
            f"{case}: {'exact' if not why else f'simulated ({why})'}; differences from {next(iter(of))}",
        ]
        lines += _designs_in(found, case)
    for design in found.designs[1:]:
        text = f"{design.name} in place of {found.designs[0].name}. {found.told(design.name)}"
        lines += ["", *textwrap.wrap(text, WIDE, subsequent_indent="  ")]
    if found.disagreements:
        lines += ["", f"WARNING: exact and simulated disagree on {'; '.join(found.disagreements)}"]
    return "\n".join(lines)


def _designs_alone(found: Comparison) -> Iterator[str]:
    heads = ["design", "n", "alpha", "power", "EN(p0)", "EN(p1)", "PET(p0)", "dominated by"]
    rows = [
        [
            written(d.looks),
            str(d.n),
            _cell(d.alpha, 4),
            _cell(d.power, 4),
            _cell(d.en_p0, 2),
            _cell(d.en_p1, 2),
            _cell(d.pet_p0, 4),
            ", ".join(d.dominated_by) or "-",
        ]
        for d in found.designs
    ]
    yield from _columns([d.name for d in found.designs], heads, rows)


def _designs_in(found: Comparison, case: str) -> Iterator[str]:
    words = found.first
    names = found.columns
    cohorts = words.cohorts.names if words.cohorts else ()
    heads = [
        "Better dose" if q == "better_dose" else short(q, words.doses, cohorts, words.own_rules)
        for q in names
    ]
    rows = []
    for design, numbers in found.values[case].items():
        effects = found.effects[case].get(design, {})
        cells = []
        for name in names:
            if name not in numbers:
                cells.append("-")
            elif name in effects:
                cells.append(
                    f"{shown(numbers[name].value, table_digits(name))} ({difference(name, effects[name])})"
                )
            else:
                cells.append(value(name, numbers[name]))
            if name == "better_dose" and (share := found.share(case, design)) is not None:
                cells[-1] += f" {100 * share:.1f}%"
        rows.append(cells)
    yield from _columns(list(found.values[case]), heads, rows)


def _columns(names: Sequence[str], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    wide = max(map(len, names))
    columns = [max(len(head), *(len(row[k]) for row in rows)) for k, head in enumerate(heads)]
    yield f"  {'':{wide}}  " + "  ".join(f"{h:<{w}}" for h, w in zip(heads, columns, strict=True)).rstrip()
    for name, row in zip(names, rows, strict=True):
        yield (
            f"  {name:{wide}}  " + "  ".join(f"{c:<{w}}" for c, w in zip(row, columns, strict=True)).rstrip()
        )


def _cell(number: float | None, decimals: int) -> str:
    return "-" if number is None else shown(number, decimals)
