"""Expected patients by dose, and early ends by reason, a bar a case."""

from __future__ import annotations

from trialsim.page.pictures.by_case import SHADES, Bar, Panel, below, drawn, has, how_many, shade, value
from trialsim.page.pictures.style import INTERVAL, Picture, figure, so_far
from trialsim.results import OperatingCharacteristics, Results
from trialsim.writing.numbers import value_text

EARLY = {
    "p_stop_futility": shade("#BDBDBD"),
    "p_stop_toxicity": shade("#FFFFFF", "x"),
    "p_go_early": shade("#FFFFFF"),
}
"""Ways to end early."""


def en_pet(results: Results, *, provisional: bool = False) -> Picture:
    """EN above and PET below, each in its parts."""
    cases = drawn(results.cases)
    doses = len(cases[0].doses)
    by_dose = tuple(f"patients_dose_{k}" for k in range(1, doses + 1)) if doses > 1 else ()
    patients = dict(zip(by_dose, SHADES, strict=False)) or {"en": SHADES[2]}
    early = {name: style for name, style in EARLY.items() if has(cases, name)} or {"pet": SHADES[2]}
    upper = Panel(cases, [Bar("en", by_dose)], patients, "Expected patients treated", provisional)
    # the parts of early termination, unless cohorts end each by its own reason
    parts = tuple(early) if all(_adds_up(oc, tuple(early)) for oc in cases) else ()
    lower = Panel(
        cases,
        [Bar("pet", parts)],
        early if parts else {"pet": SHADES[2]},
        "PET (probability)",
        provisional,
        number="2",
        most=1.0,
    )
    layout, high = below([upper, lower])
    layout |= {"annotations": upper.names("EN") + lower.names("PET")}
    caption = "Expected number of patients treated (EN"
    caption += ", by dose" if by_dose else ""
    caption += ") and probability of ending before the planned number of patients (PET"
    caption += ", by reason)." if len(parts) > 1 else ")."
    told = [
        f"{oc.case}: EN {_text(upper, 'en', k)}, PET {_text(lower, 'pet', k)}" for k, oc in enumerate(cases)
    ]
    return Picture(
        "en_pet",
        "Expected patients and early termination",
        so_far(
            caption + how_many(results.replicates, results.cases, "en", "pet"),
            results.replicates,
            provisional,
        ),
        figure([*upper.traces(), *lower.traces()], high + 64, **layout),
        ("Case", "What", "Number", *INTERVAL),
        tuple(upper.rows() + lower.rows()),
        f"{'Provisional: ' if provisional else ''}Bars by case. {'; '.join(told)}.",
    )


def _adds_up(oc: OperatingCharacteristics, parts: tuple[str, ...]) -> bool:
    values = [value(oc, name) for name in (*parts, "pet")]
    known = [v.e.estimate for v in values if v is not None]
    return len(known) == len(parts) + 1 and abs(sum(known[:-1]) - known[-1]) < 1e-6


def _text(panel: Panel, name: str, k: int) -> str:
    v = value(panel.cases[k], name)
    assert v is not None
    return value_text(name, v.e.estimate)
