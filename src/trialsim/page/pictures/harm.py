"""Harm: patients with toxicity that each case leads to expect, and how likely it is that the trial acts on it."""

from __future__ import annotations

from trialsim.page.pictures.by_case import SHADES, Bar, Panel, below, drawn, has, how_many, shade, value
from trialsim.page.pictures.style import INTERVAL, Picture, figure, so_far
from trialsim.results import OperatingCharacteristics, Results
from trialsim.writing.numbers import value_text

PATIENTS = {
    "serious": shade("#FFFFFF", "-"),
    "patients_reduced": shade("#FFFFFF", "|"),
    "patients_off": shade("#FFFFFF", "+"),
}
"""Further numbers of patients, where the scenario states what they take."""

ACTS = {
    "p_stop_toxicity": shade("#FFFFFF", "x"),
    "p_stop_toxicity_at_n": shade("#E6E6E6"),
    "p_dose_reduction_triggered": shade("#BDBDBD"),
    "p_dose_reduced": shade("#FFFFFF", "/"),
}
"""What a trial does about toxicity."""


def harm(results: Results, *, provisional: bool = False) -> Picture:
    """Expected patients with toxicity above, by dose; probabilities of acting on it below, where there are any."""
    cases = drawn(results.cases)
    doses = len(cases[0].doses)
    by_dose = tuple(f"toxicities_dose_{k}" for k in range(1, doses + 1)) if doses > 1 else ()
    more = {name: style for name, style in PATIENTS.items() if has(cases, name)}
    acts = {name: style for name, style in ACTS.items() if has(cases, name)}
    styles = dict(zip(by_dose, SHADES, strict=False)) or {"toxicities": SHADES[2]}
    bars = [Bar("toxicities", by_dose), *(Bar(name, ()) for name in more)]
    panels = [Panel(cases, bars, styles | more, "Expected patients", provisional)]
    notes = panels[0].names("toxicity")
    if acts:
        events = [Bar(name, ()) for name in acts]
        panels.append(Panel(cases, events, acts, "Probability", provisional, number="2", most=1.0))
        notes += panels[1].names()
    layout, high = below(panels)
    caption = f"Expected number of patients with toxicity{', by dose' if by_dose else ''}"
    caption += (
        ", and how likely it is that the trial acts on it." if acts else "; the trial does not act on it."
    )
    told = [_told(oc, ("toxicities", *more, *acts)) for oc in cases]
    return Picture(
        "harm",
        "Harm",
        so_far(
            caption + how_many(results.replicates, results.cases, "toxicities", *more, *acts),
            results.replicates,
            provisional,
        ),
        figure(
            [trace for panel in panels for trace in panel.traces()], high + 64, **layout, annotations=notes
        ),
        ("Case", "What", "Number", *INTERVAL),
        tuple(row for panel in panels for row in panel.rows()),
        f"{'Provisional: ' if provisional else ''}Bars by case. {'. '.join(told)}.",
    )


def _told(oc: OperatingCharacteristics, names: tuple[str, ...]) -> str:
    words = [
        f"{oc.label(name)} {value_text(name, v.e.estimate)}"
        for name in names
        if (v := value(oc, name)) is not None and v.e.estimate == v.e.estimate
    ]
    return f"{oc.case}: {', '.join(words)}"
