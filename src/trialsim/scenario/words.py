"""The words in which faults of a scenario file are told: values, limits, near misses, and broken YAML."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from trialsim.given import number_behind

ELSEWHERE = {
    "history.p0": "not taken here: state `responses`, a whole number, and `patients`; a rate and a size are no count",
    "conduct.evaluable": "stated elsewhere: write `probability` in the block `evaluability`",
    "conduct.evaluability": "stated elsewhere: `evaluability` is a block of its own beside `conduct`",
    "conduct.accrual_rate": "stated as `accrual: {per_month: ...}`",
    "conduct.accrual_per_month": "stated as `accrual: {per_month: ...}`",
    "conduct.accrual.per_year": "called `per_month` here: a twelfth of it",
    "conduct.accrual.per_week": "called `per_month` here: 4.35 times as much",
    "conduct.dropout_per_month": "called `withdrawal_per_month` here",
}
"""Paths that users may expect -> where their content is written."""

OTHER_NAMES = {
    "p0": "pu p_null null null_proportion nullproportion pc theta0 pi0 h0 h_0",
    "p1": "pa p_alt alternative proportion pe theta1 pi1 h1 ha h_a",
    "alpha": "ep1 sig_level siglevel significance_level type1 type1_error type_1_error typei type_i_error a_error",
    "beta": "ep2 type2 type2_error type_2_error typeii type_ii_error b_error",
    "n": "n_total ntotal total_n ntot sample_size samplesize size nt",
    "r": "r2 rt r_total",
    "response": "orr rr response_rate p rate p_response prob",
    "toxicity": "tox dlt toxicity_rate tox_rate p_tox p_toxicity",
    "per_month": "rate accrual_rate monthly enrolment enrollment patients_per_month",
    "replicates": "nsim n_sim nsims sims reps iterations trials simulations n_replicates n_simulations",
    "seed": "set_seed random_seed",
    "probability": "rate share evaluable_rate",
    "evaluable": "n",
    "responses": "x responders",
    "withdrawal_per_month": "dropout dropout_rate withdrawal withdrawal_rate",
    "assessment_weeks": "assessments visits visit_weeks weeks",
    "toxicity_window_weeks": "dlt_window dlt_window_weeks toxicity_window",
    "amendment_lag_weeks": "amendment_lag lag_weeks",
    "dose_reduction": "toxicity_rule dose_rule",
    "looks": "analyses interims interim_looks",
}
"""Keys -> what R, SAS, PASS and papers call them (blanks, points and hyphens as `_`)."""

NOT_YET_KINDS = {
    "three_stage": "called `multistage` here",
    "two_stage": "called `simon` here, or `mander_thompson` with an early go",
    "thall_simon": "called `posterior_probability` here",
    "lee_liu": "called `predictive_probability` here",
}
"""Designs that users know and this version does not; asked only about kinds that are not registered."""

TABLE_FORM = (
    "the form is `looks: - {n: 10, next: {0: futile, 2: 11, 4: go}}`, a line a look: with 10 patients known, 0 or 1 "
    "responses stop, 2 or 3 go on to the look at 11, 4 or more are a go"
)
"""How ``kind: rules`` is written."""

_NAMES = {
    r"^[A-Za-z][A-Za-z0-9_-]{0,39}$": (
        "start with a letter, then letters, digits, `_` or `-`, at most 40 characters in all"
    ),
    r"^[A-Za-z][A-Za-z0-9 _+/-]{0,39}$": (
        "start with a letter, then letters, digits, spaces, `_`, `+`, `/` or `-`, at most 40 characters in all"
    ),
    r"^[A-Za-z0-9][A-Za-z0-9 .,%=<>()_+/-]{0,59}$": (
        "start with a letter or digit, then letters, digits, spaces or any of `.,%=<>()_+/-`, at most 60 characters"
    ),
}

# What the YAML parser stumbled over -> what to look for. The first pattern that fits is used.
_YAML = (
    (r"character '\\t'", "a tab; indent with spaces"),
    (r"character '(.)' that cannot start", "`{0}` cannot begin a value; put the text in quotes"),
    (r"unexpected end of stream", "a quotation mark is not closed"),
    (
        r"mapping values are not allowed",
        "a `:` too many, or wrong indentation; put text with a `: ` in quotes",
    ),
    (r"could not find expected ':'", "this line is not `key: value`; a colon needs a space after it"),
    (r"expected ',' or '(.)'", "a comma or the closing `{0}` is missing"),
    (r"but found '([\]}])'", "`{0}` closes nothing that was opened"),
    (r"but found ','", "a comma with no value before it"),
    (r"but found '<stream end>'", "a bracket is not closed"),
    (
        r"but found '<block (mapping|sequence) start>'|'<document start>'",
        "the indentation fits none of the lines above",
    ),
    (r"but found '-'|sequence entries", "a `-` where no list item can stand; check the indentation"),
    (r"but found '\?'", "`key: value` where a list item is expected; check the indentation"),
    (
        r"but found '(<scalar>|<alias>|<anchor>|<tag>|{|\[)'",
        "text after the end of a value, or wrong indentation",
    ),
    (r"alphabetic or numeric", "text that begins with `&`, `*` or `%` must stand in quotes"),
    (r"a comment or a line break", "text after `|` or `>`: it must begin on the next line"),
    (r"escape character", "in double quotes a backslash begins an escape; use single quotes"),
    (
        r"YAML document|YAML directive|expected a digit",
        "only `%YAML 1.2` may stand before the file's content",
    ),
)


def yaml_fault(problem: str) -> str:
    """What a parser's complaint means for the person who wrote the file."""
    for pattern, words in _YAML:
        if found := re.search(pattern, problem):
            return words.format(*found.groups())
    return "this line cannot be read as YAML; check its quotes, brackets and indentation"


def path_text(path: tuple[str | int, ...]) -> str:
    """A path as users write it: ``truth.inactive.toxicity[1]``; the integers under ``next`` are keys."""
    text = ""
    for i, step in enumerate(path):
        if isinstance(step, int) and path[i - 1] != "next":
            text += f"[{step}]"
        else:
            text += f"{'.' if text else ''}{clip(str(step), 80)}"
    return text


def steps(key: str) -> tuple[str | int, ...]:
    """The steps of a key named by a model's own rule, such as ``looks.0.next``."""
    return tuple(int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", key))


def clip(text: str, length: int = 40) -> str:
    """Text for a message: on one line and not longer than ``length``."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def shown(value: Any) -> str:
    """A value as its writer would recognise it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a block of keys"
        case list():
            return "a list"
        case str():
            return f"`{clip(value)}`"
    return clip(str(value))


def setting(value: Any) -> str:
    """An input's value: 0.45, pause, [0.15, 0.08]."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() | int():
            return f"{value:.6g}"
        case list() | tuple():
            return f"[{', '.join(map(setting, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {setting(item)}' for key, item in value.items())}}}"
    return "nothing" if value is None else clip(str(value), 60)


def listed(names: Iterable[Any]) -> str:
    """``a, b, c``."""
    return ", ".join(map(str, names))


def either(names: Iterable[Any]) -> str:
    """``a, b or c``."""
    *first, last = map(str, names)
    return f"{listed(first)} or {last}" if first else last


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a slip of the keyboard would turn into ``word``, if any."""
    lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower()[:100], lower, n=1)
    return lower[close[0]] if close else None


def meant(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest known one, and all of them."""
    names = list(known)
    near = nearest(word, names)
    return f"; did you mean `{near}`? (allowed: {listed(names)})" if near else f" (allowed: {listed(names)})"


def called_here(key: str, known: Iterable[str]) -> str | None:
    """The known key that other programs and papers call ``key``, if any."""
    plain = re.sub(r"[ .-]", "_", key.lower())
    names = {name.lower(): name for name in known}
    if plain in names:
        return names[plain]
    return next((name for name in names.values() if plain in OTHER_NAMES.get(name, "").split()), None)


def of_stage_2(key: str, known: Iterable[str], block: Mapping[Any, Any]) -> str:
    """What to write for ``n2``, the patients of stage 2 alone; "" for any other key."""
    if key.lower() != "n2" or not {"n1", "n"} <= set(known):
        return ""
    n1, n2 = block.get("n1"), block.get(key)
    total = f"write `n: {n1 + n2}`" if isinstance(n1, int) and isinstance(n2, int) else "write `n`"
    return f"a design states `n`, the patients of both stages: {total} (n = n1 + n2)"


def name_rule(pattern: str) -> str:
    """What a name that does not fit ``pattern`` should look like."""
    return _NAMES.get(pattern, "use letters and digits")


def within(value: int | float, node: Mapping[str, Any]) -> bool:
    """Whether a number respects the limits of its schema part."""
    return bool(
        node.get("minimum", value) <= value <= node.get("maximum", value)
        and ("exclusiveMinimum" not in node or value > node["exclusiveMinimum"])
        and ("exclusiveMaximum" not in node or value < node["exclusiveMaximum"])
    )


def _ends(node: Mapping[str, Any]) -> tuple[Any, Any]:
    """Lowest and highest number, whether included or not."""
    return (
        node.get("minimum", node.get("exclusiveMinimum")),
        node.get("maximum", node.get("exclusiveMaximum")),
    )


def outside(value: int | float, node: Mapping[str, Any]) -> str:
    """A number beyond its limits; a rate written as a percentage, the likeliest slip, is recognised."""
    low, high = _ends(node)
    if low is None or high is None:
        return f"{shown(value)} is not a number{limits(node)}"
    excluded = [_plain(node[key]) for key in ("exclusiveMinimum", "exclusiveMaximum") if key in node]
    text = f"{shown(value)} is outside {_plain(low)} to {_plain(high)}"
    text += f" ({' and '.join(excluded)} excluded)" if excluded else ""
    if node.get("type") == "number" and (low, high) == (0, 1) and 1 < value <= 100:
        rate = Decimal(str(value)) / 100
        if within(float(rate), node):
            text += f"; did you mean {rate.normalize():f}?"
    if value > high and "x-above" in node:
        text += f"; {node['x-above']}"
    return text


def limits(node: Mapping[str, Any]) -> str:
    """The limits of a number, to follow "a number"."""
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f" from {_plain(low)} to {_plain(high)}"
    words = {
        "minimum": "of at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    parts = [f"{word} {_plain(node[key])}" for key, word in words.items() if key in node]
    return f" {' and '.join(parts)}" if parts else ""


def number_meant(text: str, places: Iterable[Mapping[str, Any]]) -> str:
    """What to write for a text meant as a number, if that may stand here: 37% is 37 where percentages stand.

    ``places`` are the schema parts of the numbers that may.
    """
    leaves = list(places)
    percentages = any(leaf.get("maximum") == 100 and leaf["type"] == "number" for leaf in leaves)
    rates = any(leaf.get("maximum", leaf.get("exclusiveMaximum", 2)) <= 1 for leaf in leaves)
    if text.strip().endswith("%") and not rates:
        if not percentages:
            return ""
        text = text.strip().removesuffix("%") + " "  # a blank, so that no quotes are blamed
    hint = number_behind(text)
    number = float(hint.split()[1]) if hint else math.nan
    fits = (within(number, leaf) and (leaf["type"] == "number" or number.is_integer()) for leaf in leaves)
    return hint if any(fits) else ""


def entries(low: int, high: int | None) -> str:
    """How many entries or items are expected."""
    if low == high:
        return f"{low}"
    return f"{low} or more" if high is None else f"{low} to {high}" if low else f"at most {high}"


def _plain(number: int | float) -> str:
    whole = isinstance(number, float) and number.is_integer() and abs(number) < 1e15
    return str(int(number) if whole else number)
