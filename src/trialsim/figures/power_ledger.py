"""The power ledger as a waterfall: P(go) from the design by itself to the trial as it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trialsim.engine.power_ledger import PowerLedger, Step
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.style import BLACK, BOLD, NARROW, PALE, WIDE, Key, Sheet
from trialsim.figures.words import fit, sentence, width, wrap
from trialsim.writing.numbers import listed, probability
from trialsim.writing.numbers import rate as stated

EACH, BELOW, HEAD, GAP = 0.72, 0.95, 0.5, 0.35
"""Height in cm of a step; room below and above a panel, and between two of them."""

NAMES = 3.1
"""Widest name of a step in cm."""

MOST = 4
"""Panels at most: of cohorts with rules of their own; the others, and the other cases, stand in the table."""

SHARED = 1.25
"""Panels share a scale where all of them together take at most so many times what each takes by itself."""

LOST: dict[str, Any] = {"facecolor": PALE, "edgecolor": BLACK}
GAINED: dict[str, Any] = {"facecolor": "white", "edgecolor": BLACK, "hatch": "//////"}


def draw(material: Material) -> Drawn | None:
    """One panel a ledger: of two cases at most, or of the cohorts of one case. None where no step follows.

    The cases: the first at p1 or better at the starting dose, the first at p0 or worse, else the first ones.
    """
    ledgers, design = material.power.ledgers, material.scenario.design
    if len(ledgers[0].steps) < 2:
        return None
    rates: dict[str, list[float]] = {}
    for each in ledgers:
        rates.setdefault(each.case, []).append(each.response)
    active = [case for case, of in rates.items() if design.p1 is not None and min(of) >= design.p1]
    if material.scenario.designs:  # each cohort has its own p0
        active = [min(rates, key=lambda case: material.compiled.false_go(case).bit_count())]
    inactive = [case for case, of in rates.items() if design.p0 is not None and max(of) <= design.p0]
    cases = list(dict.fromkeys([*active[:1], *inactive[:1], *rates]))
    cases = cases[:1] if ledgers[0].cohort else cases[:2]
    shown = [each for case in cases for each in ledgers if each.case == case][:MOST]
    names = [wrap(sentence(shown[0].label(step)), NAMES, most=2) for step in shown[0].steps]
    left = max(width(line) for name in names for line in name) + 0.4
    high = EACH * len(names)
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    wide = WIDE if columns > 1 else NARROW
    panel = (wide - left - 0.2 - GAP * (columns - 1)) / columns
    block = BELOW + high + HEAD
    sheet = Sheet(wide, block * rows, _footer(shown), _keys(shown), columns=columns)
    for k, ledger in enumerate(shown):
        row, column = divmod(k, columns)
        x, y = left + column * (panel + GAP), block * (rows - 1 - row) + BELOW
        axes = sheet.axes(x, y, panel, high)
        _panel(axes, ledger, _scale(shown if _alike(shown) else [ledger], panel))
        axes.set_yticks(range(len(names)), ["\n".join(name) for name in names] if column == 0 else [])
        sheet.write(x, y + high + 0.12, fit(_title(ledger), panel, BOLD), va="bottom", weight="bold")
    data = [
        {"case": ledger.case, "cohort": ledger.cohort, **step.to_dict()}
        for ledger in shown
        for step in ledger.steps
    ]
    title = "From the design by itself to the trial as it runs"
    return Drawn("power_ledger", title, _caption(shown), _alt(shown), sheet.figure, data)


def _title(ledger: PowerLedger) -> str:
    """The case, and the cohort if it has rules of its own."""
    return f"{ledger.case}, {ledger.cohort}" if ledger.cohort else ledger.case


def _known(ledger: PowerLedger) -> list[tuple[int, Step, float]]:
    """Row, step and P(go) of every step whose P(go) is known."""
    return [(row, s, s.p_go) for row, s in enumerate(ledger.steps) if s.p_go is not None]


def _reach(ledgers: Sequence[PowerLedger]) -> tuple[float, float]:
    """The least and the largest P(go) that is drawn."""
    known = [(s, p) for ledger in ledgers for _, s, p in _known(ledger)]
    reach = [p + sign * 1.96 * (s.effect_mcse or 0.0) for s, p in known for sign in (-1, 1)]
    reach += [p - (s.effect or 0.0) for s, p in known]
    return min(reach), max(reach)


def _alike(shown: Sequence[PowerLedger]) -> bool:
    """Whether panels show so nearly the same that they share a scale."""
    low, high = _reach(shown)
    spans = [top - bottom for bottom, top in (_reach([ledger]) for ledger in shown)]
    return high - low <= SHARED * min(spans)


def _scale(ledgers: Sequence[PowerLedger], wide: float) -> tuple[float, float, float]:
    """Of panels that share a scale: its ends, with room for words on the right, and how much of it a cm is."""
    low, high = _reach(ledgers)
    span = max(high - low, 0.02 * max(high, 0.01))
    text = max(width(_label(s)) for ledger in ledgers for _, s, _ in _known(ledger)) + 0.45
    cm = span / (wide - text - 0.5)
    return low - 0.35 * cm, high + (text + 0.15) * cm, cm


def _panel(axes: Axes, ledger: PowerLedger, scale: tuple[float, float, float]) -> None:
    """A bar that ends at each P(go), as long as what the step changes, with an error where that is simulated.

    A simulated step changes what it does on the same patients, so that its bar may begin beside the P(go) before it.
    """
    known = _known(ledger)
    low, high, cm = scale
    axes.set_xlim(low, high)
    axes.set_ylim(len(ledger.steps) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("P(go)")
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], min_n_ticks=3))
    axes.grid(axis="x", color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)
    for k, (row, step, p) in enumerate(known):
        ends = [p]
        if step.effect is not None:
            style = GAINED if step.effect > 0 else LOST
            axes.barh(row, step.effect, 0.4, p - step.effect, linewidth=0.6, zorder=3, **style)
            ends.append(p - step.effect)
        if step.effect_mcse:
            error = 1.96 * step.effect_mcse
            axes.plot([p - error, p + error], [row, row], color=BLACK, linewidth=0.9, zorder=5)
            ends.append(p + error)
        if k < len(known) - 1:
            axes.plot([p, p], [row, known[k + 1][0]], color=BLACK, linewidth=0.6, zorder=2.5)
        outer = k in (0, len(known) - 1)
        marker, size = ("D", 4.2) if outer else ("|", 9.0)
        # white, so that a whisker shorter than the diamond is seen
        axes.plot([p], [row], marker=marker, markersize=size, color=BLACK, markerfacecolor="white", zorder=4)
        axes.text(max(ends) + 0.18 * cm, row, _label(step), va="center_baseline", zorder=6)


def _label(step: Step) -> str:
    """P(go), and what the step changes."""
    if step.p_go is None or step.effect is None:
        return "" if step.p_go is None else probability(step.p_go)
    return f"{probability(step.p_go)} ({_signed(step.effect)})"


def _signed(change: float) -> str:
    """A change with as many decimals as show it, and a true minus sign."""
    if abs(change) < 0.00005:
        return "±0"
    return f"{change:+.{3 if abs(change) >= 0.1 else 4}f}".replace("-", "−")


def _effects(shown: Sequence[PowerLedger]) -> list[float]:
    return [step.effect for ledger in shown for step in ledger.steps if step.effect is not None]


def _keys(shown: Sequence[PowerLedger]) -> list[Key]:
    """Of what is drawn."""
    keys = []
    if any(effect < 0 for effect in _effects(shown)):
        keys.append(Key("P(go) lost", patch=LOST))
    if any(effect > 0 for effect in _effects(shown)):
        keys.append(Key("P(go) gained", patch=GAINED))
    return keys


def _footer(shown: Sequence[PowerLedger]) -> str:
    words = "Each step keeps those above it. "
    steps = [step for ledger in shown for step in ledger.steps]
    if any(step.same_patients is not None for step in steps):
        return words + (
            "Exact, but for simulated steps: their bar is the change on the same patients, a whisker its 95% interval, "
            "and what parts it from the step above is chance of the simulation."
        )
    if any(step.effect_mcse for step in steps):
        return words + "Exact, except where a whisker shows the 95% interval of the change."
    return words + "Exact."


def _caption(shown: Sequence[PowerLedger]) -> str:
    rates = listed([f"{stated(ledger.response)} ({_title(ledger)})" for ledger in shown])
    return f"Response rate {rates}{'' if _alike(shown) else '; scales differ'}."


def _alt(shown: Sequence[PowerLedger]) -> str:
    words = ["Waterfall of the probability of a go."]
    for ledger in shown:
        steps = [f"{ledger.label(step)} {_label(step)}" for _, step, _ in _known(ledger)]
        words.append(f"{_title(ledger)}: {', '.join(steps)}.")
    return " ".join(words)
