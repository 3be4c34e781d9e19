"""Interim looks that weigh pending patients, in a protocol's words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from trialsim.facts.pending import Look, Weighing
from trialsim.facts.protocol import Facts
from trialsim.reporting.protocol_toxicity import weeks
from trialsim.writing.numbers import count, listed, probability, rate
from trialsim.writing.report import Block, Table, Words, plain

FEW = 6
"""So many looks are listed in a sentence."""


def blocks(rule: Weighing, facts: Facts) -> Iterator[Block]:
    """When the looks are taken and what is futile, as a table where one holds it; what the type I error is then."""
    yield Words(" ".join(_taken(rule, facts)), lead="Pending patients.")
    yield Words(" ".join(_decided(rule)))
    if any(look.failures for look in rule.looks):
        yield _table(rule)
    if rule.non_binding is not None:
        yield Words(
            "A look that weighs pending patients may go on where a look at every outcome would have stopped, so that "
            "the type I error of the design does not bound that of the trial. If no interim look stopped for futility, "
            f"that would be {probability(rule.non_binding)}. It may also stop where a look at every outcome would have "
            "let the trial go on, which costs power."
        )


def _taken(rule: Weighing, facts: Facts) -> Iterator[str]:
    when = f"{weeks(rule.least_weeks)} after" if rule.least_weeks else "when"
    allowed = f"{rate(rule.most_pending)} of them"
    if len(rule.looks) <= FEW:
        allowed = listed([f"{look.allowed} of {look.n}" for look in rule.looks])
    who = "the first patients in the order of enrolment"
    if facts.counted.replaced:
        who += " of those not known to be inevaluable"
    yield (
        f"An interim look does not wait for every outcome. It takes {who}, {when} the last of them is enrolled, or as "
        f"soon after that as the outcomes of no more than {allowed} are pending."
    )
    if facts.design.watches_toxicity:
        yield "It waits for outcomes of toxicity, until it is certain whether it stops for toxicity."
    lag = facts.conduct.review_lag_weeks if facts.conduct else 0.0
    if lag:
        yield f"It is decided {weeks(lag)} later, on what was known when it was taken."
    unseen = "A pending patient in whom no response has been seen weighs as a part of a non-response"
    if rule.by_visit:
        steps = [f"{rate(weight)} from week {week:g} on" for week, weight in rule.by_visit]
        yield (
            f"{unseen}, the share of responses that are first seen by the visits passed: {listed(steps)}, none before."
        )
    else:
        yield f"{unseen}, weeks since enrolment over {rule.window_weeks:g}, at most 1."
    if rule.confirms == 1:
        yield "A response that is not yet confirmed weighs as a response."
    elif rule.confirms is not None:
        yield (
            f"A response that is not yet confirmed weighs as {rule.confirms:.4f} of a response and "
            f"{1 - rule.confirms:.4f} of a non-response."
        )


def _decided(rule: Weighing) -> Iterator[str]:
    cut = [look for look in rule.looks if look.cut_off is not None]
    if cut:
        yield from _cut_off(rule, cut)
    else:
        yield "No interim look stops for futility, whatever is pending."
    go = ""
    if any(look.go for look in rule.looks):
        go = " A go at an interim look is taken only so, never on a probability."
    yield f"Where every course of the pending outcomes gives the same decision, that decision is taken.{go}"


def _cut_off(rule: Weighing, cut: list[Look]) -> Iterator[str]:
    """The posterior probability that is futile."""
    a, b = rule.prior
    how = (
        f"the prior Beta({a:g}, {b:g}), to which responses, and non-responses with the weights of pending patients, "
        "are added"
        if rule.posterior == "beta"
        else f"the prior Beta({a:g}, {b:g}) and the likelihood, in which a pending patient of weight w counts 1 - w p"
    )
    which = "the cut-off of the look"
    if len(cut) <= FEW:
        which = listed([f"{look.cut_off:.6f} at {look.n} patients" for look in cut])
    whence = (
        "halfway between what the most responses that are futile and one more leave, with every outcome known"
    )
    if rule.stated_cut_offs:
        whence = "as stated"
    elif rule.own_cut_offs:
        whence = "the cut-off of the design itself"
    yield (
        f"The look stops for futility if P(response rate > {rule.p0:g}) is below {which} ({whence}), by {how}. With "
        "every outcome known that is the cut-off for responses."
    )


def _table(rule: Weighing) -> Table:
    """What is futile, by look and responses."""
    can = [look for look in rule.looks if look.failures]
    shown = can if len(can) <= FEW else [can[round(i * (len(can) - 1) / 3)] for i in range(4)]
    rows = [
        (str(look.n), str(responses), _from(least))
        for look in shown
        for responses, least in enumerate(look.failures)
    ]
    notes = [
        "Futile: known non-responses and the weights of pending patients add up to at least this. With more responses "
        "than listed the look does not stop for futility."
    ]
    if rule.confirms == 1:
        notes.append("Responses: confirmed and unconfirmed.")
    elif rule.confirms is not None:
        notes.append("Responses: confirmed, with no unconfirmed one; the rule above says what those change.")
    if len(shown) < len(can):
        notes.append(f"{count(len(shown), 'look')} of {len(can)} are shown.")
    heads = ("Patients", "Responses", "Futile from")
    return Table("pending-looks", "Interim looks with pending patients", heads, plain(rows), tuple(notes))


def _from(least: float | None) -> str:
    """Rounded up, so that what is printed is futile."""
    if least is None:
        return "never"
    return f"{math.ceil(least * 10_000 - 1e-9) / 10_000:.4f}" if least > 0 else "always"
