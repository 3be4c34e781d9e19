"""Numbers and names as the analyses print them, and as they stand in JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trialsim import quantities
from trialsim.quantities import is_probability
from trialsim.results import Estimate
from trialsim.scenario import words
from trialsim.scenario.model import Scenario
from trialsim.varying.evaluate import Answer


def short(scenario: Scenario, quantity: str) -> str:
    """A quantity in few words: P(go), EN."""
    cohorts = scenario.cohorts.names if scenario.cohorts else ()
    return quantities.short(quantity, scenario.doses, cohorts, scenario.own_rules)


def input_words(scenario: Scenario, path: str, case: str) -> str:
    """An input in few words where it is a rate of the case looked at, or of every case; else its path."""
    steps = words.steps(path)
    if len(steps) < 3 or steps[0] != "truth" or steps[1] not in (case, "*"):
        return path
    *keys, last = steps[2:]
    dose = f" at {scenario.doses[last]}" if isinstance(last, int) and last < len(scenario.doses) else ""
    text = ": ".join(str(key) for key in (keys if dose else (*keys, last))).replace("_", " ")
    several = len(scenario.doses) > 1 and text in ("response", "toxicity", "serious", "stable disease")
    return f"{text}{dose or (' at every dose' if several else '')}"


def shown(value: Any) -> str:
    """An input's value: 0.45, pause, [0.15, 0.08]."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {shown(item)}' for key, item in value.items())}}}"
    return "nothing" if value is None else words.clip(str(value), 60)


def number(quantity: str, value: float) -> str:
    """A quantity: probabilities to four decimals, means to two."""
    return f"{value:.4f}" if is_probability(quantity) else f"{value:.2f}"


def signed(quantity: str, value: float) -> str:
    """A difference of two values of a quantity."""
    return f"{value:+.4f}" if is_probability(quantity) else f"{value:+.2f}"


def with_error(quantity: str, estimate: Estimate) -> str:
    """A quantity and, where it was simulated, its Monte Carlo standard error."""
    text = number(quantity, estimate.estimate)
    digits = 5 if is_probability(quantity) else 3
    return f"{text} (mcse {estimate.mcse:.{digits}f})" if estimate.mcse > 0 else text


def plain(estimate: Estimate) -> dict[str, float | None]:
    """An estimate in JSON; an exact number has no error and no interval."""
    if estimate.mcse == 0:
        return {"estimate": estimate.estimate, "mcse": None, "low": None, "high": None}
    return {
        "estimate": estimate.estimate,
        "mcse": estimate.mcse,
        "low": estimate.low,
        "high": estimate.high,
    }


def engines(answers: Iterable[Answer]) -> str:
    """How several answers came about: exact, simulated, or both."""
    found = list(dict.fromkeys(answer.engine for answer in answers))
    return " and ".join(sorted(found))


def table(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Rows as text columns, the first ``left`` flush left."""
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            f"{cell:<{width}}" if c < left else f"{cell:>{width}}"
            for c, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
