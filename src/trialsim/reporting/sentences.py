"""What a variant did, in one or two plain sentences, chosen by a rule that is printed with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from trialsim.quantities import kind, spoken
from trialsim.scenario.model import Scenario
from trialsim.varying.effects import NEGLIGIBLE, TOLD_FROM, Effect, digits
from trialsim.writing.numbers import fixed

RULE = (
    "Told is the case in which P(go) changes most (where by less than {p:g}: the case with the largest change of "
    "all): P(go), the expected number of patients, and up to {more} other quantities that change by {p:g} "
    "(probabilities), {n:g} patients or {m:g} months at least, the largest in these units first, and parts of the "
    "patients only if they change by more than all of them. P(go) in the null case in which it changes most follows; "
    "where the case told is a null one itself, P(go) in the other case in which it changes most. So do the patients, "
    "and the months, of the case in which they change most, if by {n:g} patients or {m:g} months at least and by more "
    "than twice as much. What follows from the history and the prior is told by itself. A change counts "
    "if it is larger than 1.96 of its Monte Carlo standard errors, and not below {zero:g} (probabilities) or {few:g} "
    "(patients, months)."
)
Effects = Mapping[str, Mapping[str, Effect]]
"""Case -> quantity -> effect."""

MORE = 2
"""Quantities told beside P(go) and EN."""

_OTHERS = (
    "p_false_go", "p_go_all", "p_stop_toxicity", "p_dose_reduced", "pet", "toxicities",
    "duration_months", "overrun", "patients_dose_1", "serious", "disease_control", "relative_dose_intensity",
)  # fmt: skip
"""What may be told beside P(go) and EN; the other quantities are parts or complements of these."""

_BELIEVED = ("mean_type_i_error", "p_active_given_go", "p_active_given_no_go")
"""What follows from ``history`` and ``prior``, whichever case is true: told by itself."""


@dataclass(frozen=True)
class Words:
    """The names of doses and cohorts, and which cases are null."""

    doses: tuple[str, ...]
    cohorts: tuple[str, ...]
    own: bool
    null: frozenset[str]

    @classmethod
    def of(cls, scenario: Scenario) -> Words:
        """Those of a scenario; a case is null where no response rate is above p0."""
        levels = len(scenario.doses)
        bounds = [
            (s, getattr(scenario.designs.get(s.cohort_name, scenario.design), "p0", None))
            for s in scenario.strata
        ]
        null = {
            name
            for name, case in scenario.truth.items()
            if all(
                p0 is not None and case.within(s.name, s.cohort_name).highest(levels) <= p0
                for s, p0 in bounds
            )
        }
        cohorts = scenario.cohorts.names if scenario.cohorts else ()
        return cls(scenario.doses, cohorts, scenario.own_rules, frozenset(null))

    def spoken(self, quantity: str) -> str:
        """A quantity inside a sentence."""
        return spoken(quantity, self.doses, self.cohorts, self.own)


def drift_words(change: float, months: float | None) -> str:
    """How a response rate drifts, after its name: ``changes by −5 percentage points over 24 months``."""
    by = f"{100 * change:+.4g}".replace("-", "−")
    over = "from the first to the last planned patient" if months is None else f"over {months:g} months"
    return f"changes by {by} percentage points {over}"


def rule() -> str:
    """By which rule sentences choose what they tell."""
    least = {"p": TOLD_FROM["probability"], "n": TOLD_FROM["patients"], "m": TOLD_FROM["months"]}
    zero = {"zero": NEGLIGIBLE["probability"], "few": NEGLIGIBLE["patients"]}
    return RULE.format(more=MORE, **least, **zero)


def did(effects: Effects, words: Words, more: int = MORE) -> str:
    """What a variant did: ``effects`` by case and quantity; ``more`` quantities at most beside P(go) and EN."""
    if not effects:
        return "No case is in both, so nothing can be compared."
    lead = max(effects, key=lambda case: telling({case: effects[case]}))
    told: list[str] = []
    parts: list[str] = []
    last: list[str] = []
    for quantity in ("p_go", "en"):
        if effects[lead][quantity].is_real:
            parts.append(_changed(effects[lead][quantity], words))
        elif len(effects) > 1 and not any(of[quantity].is_real for of in effects.values()):
            unchanged = f"{sentence(_unchanged(quantity, effects.values(), words, ' in every case'))}."
            (told if quantity == "p_go" else last).append(unchanged)
        else:
            parts.append(_unchanged(quantity, [effects[lead]], words, ""))
    parts += _others(effects[lead], words, more)
    told += [_if(lead, "; ".join(parts), effects)] if parts else []
    told += [_if(case, "; ".join(parts), effects) for case, parts in _elsewhere(effects, lead, words).items()]
    return " ".join([*told, *_believed(effects, words), *last])


def _elsewhere(effects: Effects, lead: str, words: Words) -> dict[str, list[str]]:
    """By case what is told of others than the one told first: P(go) of an inactive drug, or of one that is not where
    the first is; many more or fewer patients, and months."""
    found: dict[str, list[str]] = {}
    go = {case: of["p_go"] for case, of in effects.items() if (case in words.null) != (lead in words.null)}
    if go:
        case = max(go, key=lambda name: (go[name].is_real, go[name].size))
        if go[case].is_real:
            found[case] = [_changed(go[case], words)]
    for quantity in ("en", "duration_months"):
        sizes = {
            case: of[quantity].size if of[quantity].is_real else 0.0
            for case, of in effects.items()
            if quantity in of
        }
        most = max(sizes, key=lambda case: sizes[case], default=lead)
        if most != lead and sizes[most] >= 1 and sizes[most] > 2 * sizes.get(lead, 0.0):
            found.setdefault(most, []).append(_changed(effects[most][quantity], words))
    return found


def telling(effects: Effects) -> tuple[float, float]:
    """How telling a variant is: its largest change of P(go), if one would be told by itself; then of anything."""
    real = [
        e
        for of in effects.values()
        for q, e in of.items()
        if q in ("p_go", "en", *_OTHERS, *_BELIEVED) and e.is_real
    ]
    go = max((e.size for e in real if e.quantity == "p_go"), default=0.0)
    return go if go >= 1 else 0.0, max((e.size for e in real), default=0.0)


def sentence(text: str) -> str:
    """With a capital at the start."""
    return text[:1].upper() + text[1:]


def _if(case: str, words: str, effects: Effects) -> str:
    """A sentence about one case; which one goes without saying where there is no other."""
    return f"If “{case}” is true, {words}." if len(effects) > 1 else f"{sentence(words)}."


def _others(effects: Mapping[str, Effect], words: Words, more: int) -> list[str]:
    """The largest other changes; parts of the patients only if they change by more than all of them."""
    everybody = effects["en"].size if effects["en"].is_real else 0.0
    found = [
        effects[q]
        for q in _OTHERS
        if q in effects
        and effects[q].is_real
        and effects[q].size >= 1
        and (kind(q) != "patients" or effects[q].size > everybody)
    ]
    return [_changed(effect, words) for effect in sorted(found, key=lambda e: -e.size)[:more]]


def _believed(effects: Effects, words: Words) -> list[str]:
    """What changes over the history and the prior: a case gives nothing to it but its toxicity and association."""
    found = []
    for quantity in _BELIEVED:
        of = {
            case: row[quantity] for case, row in effects.items() if quantity in row and row[quantity].is_real
        }
        if not of:
            continue
        case = max(of, key=lambda name: of[name].size)
        same = len({(e.base.value, e.other.value) for e in of.values()}) == 1 and len(of) == len(effects)
        whose = "" if same else f"with the toxicity of “{case}” "
        found.append(f"{sentence(whose + _changed(of[case], words))}.")
    return found


def _changed(effect: Effect, words: Words) -> str:
    """``P(go) falls from 0.812 to 0.745, by 0.067 (95% 0.064 to 0.070)``.

    A difference that is adjusted by itself may not be that of the values: then only the first of these is told.
    """
    effect = effect.told
    a, b, d = effect.base.value, effect.other.value, effect.difference
    quantity = effect.quantity
    decimals = digits(quantity, a, b)
    fine = max(decimals, digits(quantity, 1.0 if kind(quantity) == "probability" else d.value))
    error = "exact"
    if d.low is not None and d.high is not None:
        low, high = sorted((abs(d.low), abs(d.high)))
        error = f"95% {fixed(low, fine)} to {fixed(high, fine)}"
    unit = " months" if kind(quantity) == "months" else ""
    moved = f"{words.spoken(quantity)} {'falls' if d.value < 0 else 'rises'}"
    by = f"by {fixed(abs(d.value), fine)}{{}} ({error})"
    if abs(b - a - d.value) > 10.0**-decimals:
        return f"{moved} {by.format(unit)}, from {fixed(a, decimals)}"
    return f"{moved} from {fixed(a, decimals)} to {fixed(b, decimals)}{unit}, {by.format('')}"


def _unchanged(quantity: str, cases: Collection[Mapping[str, Effect]], words: Words, where: str) -> str:
    """Why a quantity is said not to change: the same trials, within error, or too little to count."""
    found = [of[quantity].told for of in cases]
    if all(e.difference.value == 0 and e.difference.is_exact for e in found):
        return f"{words.spoken(quantity)} does not change{where.replace('every', 'any')}"
    if all(abs(e.difference.value) <= e.difference.plus_minus for e in found):
        return f"{words.spoken(quantity)} is unchanged within error{where}"
    few = f"less than {NEGLIGIBLE[kind(quantity)]:g}, or within error"
    return f"{words.spoken(quantity)} hardly changes{where.replace('every', 'any')} ({few})"
