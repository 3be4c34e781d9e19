"""Every number in a sentence of the protocol is a value of its facts, and every fact is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from tests.unit.protocol_cases import combinations, facts, text_of
from trialsim.facts.protocol import Facts, leaves
from trialsim.scenario.compiled import Compiled

NUMBER = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?)(%?)(?!\w)")
"""A number in running text: p0 and EN(p1) have none, 2,000 is one, and so is 12.5%."""

CODES: dict[str, tuple[str, ...]] = {
    "what": ("type_i", "type_ii", "no_go_most", "no_go_least", "go_least"),
    "decision": ("futile", "go", "consider", "continue"),
    "action": ("reduce", "stop", "continue"),
    "actions": ("reduce", "stop"),
    "analysis": ("pooled", "new_dose_only", "restart"),
    "inevaluable": ("independent", "nonresponders"),
    "toxicity_known": ("complete_only", "as_it_happens"),
    "interim": ("continue", "pause", "early_decision"),
    "overrun": ("count", "exclude"),
    "during_amendment": ("old_dose", "hold"),
}
"""Facts that are one of a few words of this program, told in others."""

CHOSEN = ("kind", "criterion", "key", "path", "unsourced", "own_boundary", "doses", "started")
"""What chooses among sentences: test_protocol_sentences has one for each, test_toxicity_rules of boundaries by cohort
and of rules that hold at some doses, test_protocol_readings of doses at which nobody starts."""


def shown(value: float) -> set[str]:
    """How a fact may be printed."""
    if isinstance(value, bool):
        return set()
    return {
        f"{value:g}",
        f"{value:.12g}",
        f"{value:,}",
        f"{100 * value:.4g}%",
        f"{value:.4f}",
        f"{value:.2f}",
    }


def strings(found: Facts) -> set[str]:
    """Every number that the facts allow, as it would be printed."""
    allowed = set()
    for _, value in leaves(found):
        if isinstance(value, str):
            allowed |= {"".join(number) for number in NUMBER.findall(value)}
        elif value is not None:
            allowed |= shown(value)
    for look in found.design.looks:
        allowed |= {str(branch.to_n - look.n) for branch in look.branches if branch.to_n}
    # a gain over the standard is told in percentage points
    gains = found.design.given.get("delta", ()) if found.design.kind == "posterior_probability" else ()
    allowed |= {f"{100 * gain:.4g}" for gain in gains}
    # several toxicity rules are called by their places: rule 1, rule 2
    allowed |= {str(1 + k) for k in range(len(found.toxicity.rules if found.toxicity else ()))}
    return allowed


@pytest.fixture(scope="module")
def found():
    return [facts(Compiled(scenario, rules)) for scenario, rules in combinations(112, seed=7)]


def test_every_number_is_a_fact(found):
    seen = 0
    for one in found:
        allowed = strings(one)
        numbers = {"".join(number) for number in NUMBER.findall(text_of(one))}
        assert numbers <= allowed, (numbers - allowed, text_of(one))
        seen += len(numbers)
    print(f"{seen} numbers in {len(found)} protocols")
    assert seen > 2000


# -- every fact is printed


def changed(value: Any, way: tuple[str | int, ...], new: Any) -> Any:
    """The facts with one of them changed."""
    if not way:
        return new
    if is_dataclass(value):
        return replace(value, **{way[0]: changed(getattr(value, str(way[0])), way[1:], new)})  # type: ignore[type-var]
    k = int(way[0])
    return (*value[:k], changed(value[k], way[1:], new), *value[k + 1 :])


def ways(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The place of every fact, and the fact; of a long table the first two rows and the last two."""
    if is_dataclass(value):
        for field in fields(value):
            yield from ways(getattr(value, field.name), (*way, field.name))
    elif isinstance(value, tuple):
        for k, item in enumerate(value):
            if k < 2 or k >= len(value) - 2:
                yield from ways(item, (*way, k))
    else:
        yield way, value


def another(name: str, value: Any) -> list[Any]:
    """What a fact is changed to."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [8642]
    if isinstance(value, float):
        return [0.7319]
    if name in CODES:
        return [code for code in CODES[name] if code != value]
    return ["Zanzibar"]


def as_printed(value: Any) -> set[str]:
    return {value} if isinstance(value, str) else shown(value) | {f"{100 * value:.4g} percentage point"}


def test_every_fact_is_printed(found):
    """Each fact changed alone: its new value stands in the text (or, for a word of the program, the text changes)."""
    tried = 0
    silent: set[str] = set()
    for one in found:
        before = text_of(one, title=True)
        for way, value in ways(one):
            name = next(str(step) for step in reversed(way) if isinstance(step, str))
            place = ".".join(str(step) for step in way if isinstance(step, str))
            if value is None or name in CHOSEN or (name == "values" and isinstance(value, str)):
                continue
            for new in another(name, value):
                try:
                    after = text_of(changed(one, way, new), title=True)
                except (AssertionError, IndexError):
                    continue  # facts that contradict each other, such as a decision to go on to nowhere
                tried += 1
                told = after != before
                if not isinstance(new, bool) and name not in CODES:
                    told = any(after.count(text) > before.count(text) for text in as_printed(new))
                if not told:
                    silent.add(f"{place}: {value} -> {new} ({one.design.kind}, {one.toxicity.kind})")
    print(f"{tried} facts changed alone, {len(silent)} of them without a word")
    assert not silent, "\n".join(sorted(silent))
    assert tried > 6000
