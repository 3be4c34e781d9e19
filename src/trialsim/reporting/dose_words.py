"""A dose rule in words: as a clause, and short, for the head of a column."""

from __future__ import annotations

from typing import Any

from trialsim.writing.numbers import rate

Rule = dict[str, Any]
"""A rule as it stands in ``results.json``."""


def clause(rule: Rule, higher: str, lower: str) -> str:
    """When a rule chooses which dose, such as: the lower dose (70 mg) is chosen unless ... ."""
    match rule["kind"]:
        case "always_lower":
            return f"{lower} is chosen whatever is seen"
        case "difference":
            apart = rule["lambda"]
            if apart < 0:
                return (
                    f"{higher} is chosen if its observed response rate is higher than that at {lower}, or lower by "
                    "less "
                    f"than {points(-apart)}; else {lower}"
                )
            by = f" by more than {points(apart)}" if apart else ""
            return f"{lower} is chosen unless the observed response rate at {higher} is higher than that at {lower}{by}"
        case "posterior":
            less = f"at most {points(rule['delta'])} lower than" if rule["delta"] else "at least"
            at = f"that at {higher}"
            return (
                f"{lower} is chosen if the posterior probability that its response rate is {less} {at} is above "
                f"{rule['cutoff']:g}, under independent Beta({rule['prior'][0]:g}, {rule['prior'][1]:g}) priors; else "
                f"{higher}"
            )
    weights = (
        f"{_times(rule['response'])}the observed response rate minus {_times(rule['toxicity'])}the observed "
    )
    by = f" by more than {rule['lambda']:g}" if rule["lambda"] else ""
    return f"{lower} is chosen unless {weights}toxicity rate is higher at {higher} than at {lower}{by}"


def clause_in_brief(rule: Rule, higher: str, lower: str) -> str:
    """The same, briefly where that is possible."""
    if rule["kind"] != "difference" or rule["lambda"] < 0:
        return clause(rule, higher, lower)
    by = f"more than {points(rule['lambda'])} higher" if rule["lambda"] else "higher"
    return f"{lower} is chosen unless the observed response rate at {higher} is {by}"


def _times(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g} times "


def points(rate_apart: float) -> str:
    """A difference of rates: 5 percentage points."""
    shown = rate(rate_apart).removesuffix("%")
    return f"{shown} percentage point{'' if shown == '1' else 's'}"


def short(rule: Rule) -> str:
    """A rule in the head of a column."""
    match rule["kind"]:
        case "always_lower":
            return "always the lower dose"
        case "difference":
            return f"difference > {rule['lambda']:g}"
        case "posterior":
            prior = (
                "" if rule["prior"] == [0.5, 0.5] else f", Beta({rule['prior'][0]:g}, {rule['prior'][1]:g})"
            )
            return f"P(lower − higher ≥ −{rule['delta']:g}) > {rule['cutoff']:g}{prior}"
    more = f" > {rule['lambda']:g}" if rule["lambda"] else ""
    return f"utility {rule['response']:g} × response − {rule['toxicity']:g} × toxicity{more}"
