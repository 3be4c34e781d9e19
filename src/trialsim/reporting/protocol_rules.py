"""Toxicity rules in a protocol's words: what each kind of rule is, and several of them at one dose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialsim.facts.toxicity import OneOfSeveral, Toxicity
from trialsim.writing.numbers import count, listed, probability, rate

SHAPES = {"pocock": "Pocock’s shape", "obrien_fleming": "O’Brien and Fleming’s shape"}

DOES = {"reduce": "lowers the dose", "continue": "is only watched"}


def one(toxicity: Toxicity) -> Iterator[str]:
    """The one rule."""
    within = toxicity.at_limit.patients if toxicity.at_limit else None
    if toxicity.kind == "k_of_first_m":
        yield f"Toxicity will be monitored after every patient{' at a dose' if len(toxicity.started) > 1 else ''}."
    yield from _kind(toxicity.kind, toxicity.given, within, several_doses=len(toxicity.started) > 1)


def several(toxicity: Toxicity, trial: str) -> Iterator[str]:
    """Several rules: how they act together, then each; ``trial``: what a stop ends."""
    within = toxicity.at_limit.patients if toxicity.at_limit else None
    doses = len(toxicity.started) > 1
    yield (
        f"Toxicity will be monitored by {len(toxicity.rules)} rules, all of which count the same patients. They act at "
        f"the first patient at whom any of them is met; where several are met there, one that stops {trial} comes "
        "before one that lowers the dose."
    )
    for k, rule in enumerate(toxicity.rules, start=1):
        yield f"Rule {k}{_where(rule, toxicity, trial)}:"
        yield from _kind(rule.kind, rule.given, within, several_doses=doses)
        if rule.alone is not None and rule.rate is not None and rule.first is not None and within is not None:
            at = f" at {rule.doses[0]}" if doses else ""
            yield (
                f"With a true toxicity rate of {rate(rule.rate)}{at} it would be met within {within} patients with "
                f"probability {probability(rule.alone)} by itself, and is the only one that is met first with "
                f"probability {probability(rule.first)}, exactly."
            )


def _where(rule: OneOfSeveral, toxicity: Toxicity, trial: str) -> str:
    """At which doses a rule holds, and what it does there."""
    started = [level.dose for level in toxicity.started]
    together: dict[str, list[str]] = {}
    for dose, action in zip(rule.doses, rule.actions, strict=True):
        if dose in started:
            together.setdefault(action, []).append(dose)
    if not together:
        return f" (only at {listed(list(rule.doses), 'or')}, where nobody starts)"
    if list(together.values()) == [started]:
        return f" ({'at every dose it ' if started[1:] else ''}{_does(next(iter(together)), trial)})"
    does = [f"at {listed(doses)} it {_does(action, trial)}" for action, doses in together.items()]
    only = "only " if sum(map(len, together.values())) < len(started) else ""
    return f" ({only}{'; '.join(does)})"


def _does(action: str, trial: str) -> str:
    return f"stops {trial}" if action == "stop" else DOES[action]


def _from(given: Mapping[str, tuple[Any, ...]], at: str) -> str:
    first = given.get("min_n", (1,))[0]
    return "" if first == 1 else f", from patient {first}{' at the dose' if at else ''} on"


def _kind(
    kind: str, given: Mapping[str, tuple[Any, ...]], patients: int | None, *, several_doses: bool
) -> Iterator[str]:
    """What one rule is."""
    at = " at a dose" if several_doses else ""
    each = f"after every patient{at}{_from(given, at)}"
    limit = rate(given["limit"][0]) if "limit" in given else ""
    within = f" within {patients} patients" if patients else ""
    if kind == "pocock" and "combined_phi" in given:
        yield (
            f"Toxicity will be monitored {each}, by a boundary of constant tail probability (Pocock type): the one "
            f"that acts earliest while at a dose whose true toxicity rate is {limit}, the highest acceptable, any of "
            f"the rules is met{within} with a probability of at most {given['combined_phi'][0]:g}, the other rules "
            "being what they are."
        )
    elif kind == "pocock":
        yield (
            f"Toxicity will be monitored {each}, by a boundary of constant tail probability (Pocock type): the one "
            f"that acts earliest while a dose whose true toxicity rate is {limit}, the highest acceptable, is acted "
            f"on{within} with a probability of at most {given['phi'][0]:g}."
        )
    elif kind == "posterior":
        yield (
            f"Toxicity will be monitored {each}. The rule acts when the posterior probability that the toxicity "
            f"rate of the dose exceeds {limit}, the highest acceptable, is above {given['cutoff'][0]:g}, under a "
            "Beta({:g}, {:g}) prior.".format(*given["prior"])
        )
        if "phi" in given:
            yield (
                "That cut-off is the smallest that keeps the probability of acting at a true toxicity rate of "
                f"{limit}{within} at {given['phi'][0]:g} or less; every cut-off from {given['cutoff_from'][0]:.12g} to "
                f"below {given['cutoff_below'][0]:.12g} gives the same boundary, and the next laxer boundary would act "
                f"with probability {probability(given['next_laxer'][0])}."
            )
    elif kind == "group_sequential":
        shape = SHAPES[given["shape"][0]] if "shape" in given else SHAPES["pocock"]
        if "delta" in given:
            shape = f"the power family with exponent {given['delta'][0]:g}"
        looks = listed([str(n) for n in given["looks"]])
        yield (
            f"Toxicity will be looked at after {looks} patients{at}, and at no other time, by exact tests in "
            f"{shape}: the boundary that acts earliest while a dose whose true toxicity rate is {limit}, the highest "
            f"acceptable, is acted on with a probability of at most {given['phi'][0]:g}."
        )
    elif kind == "k_of_first_m":
        first = (
            ""
            if "min_n" not in given
            else f", patient {given['min_n'][0]} being the first who can make it act"
        )
        yield (
            f"The rule acts as soon as {given['k'][0]} of the first {count(given['m'][0], 'patient')}{at} have had "
            f"toxicity{first}; later patients are not watched."
        )
    elif kind == "pasted":
        looks = listed(
            [f"{b} of the first {m}" for m, b in zip(*[iter(given["boundary"])] * 2, strict=True)], "or"
        )
        yield (
            f"Toxicity will be looked at after stated numbers of patients{at}, and at no other: the rule acts if "
            f"{looks} have had toxicity by then."
        )
