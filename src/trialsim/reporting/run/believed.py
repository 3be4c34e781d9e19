"""Doubt about p0, and Bayesian operating characteristics: what ``history`` and ``prior`` make of a go, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trialsim.running.content import Document
from trialsim.running.plain import from_start, is_timed
from trialsim.writing.numbers import NONE, Cell, listed, percent, probability, probability_cell, rate, rates
from trialsim.writing.report import Section, Table, paragraphs, plain, section

AT_ONCE = (
    "As conducted here means: with the toxicity rule, evaluability and association of the scenario, and every outcome "
    "known before the next patient."
)

WAITING = (
    " What calendar time does, which this scenario has, is not in these numbers: what it changes of P(go) in each case "
    "stands under “What calendar time changes”."
)

ACTIVE_ROWS = (
    ("p_active", "P(active)"),
    ("assurance", "Assurance: P(go)"),
    ("p_go_and_active", "P(go and active)"),
    ("p_active_given_go", "P(active | go)"),
    ("p_inactive_given_go", "False discovery: P(not active | go)"),
    ("p_active_given_no_go", "P(active | no go)"),
    ("average_type_i_error", "Average type I error: P(go | not active)"),
    ("average_power", "Average power: P(go | active)"),
)
MEAN_ROWS = (("en", "EN"), ("toxicities", "Expected patients with toxicity"), ("utility", "Utility"))


def history(doc: Document) -> Section:
    """The mean type I error over what the control's rate may be; nothing where no history is stated."""
    found = doc.get("history")
    if found is None:
        return section("history", "Doubt about p0")
    return section(
        "history", "Doubt about p0", paragraphs(_history_words(doc, found)), _history_table(doc, found)
    )


def prior(doc: Document) -> Section:
    """How far to believe a go; nothing where no prior is stated."""
    found, title = doc.get("prior"), "How far to believe a go"
    if found is None:
        return section("prior", title)
    return section("prior", title, paragraphs(_prior_words(doc, found)), _prior_table(doc, found))


def brief(doc: Document) -> str:
    """How far to believe a go, on the first page."""
    words = []
    for found, tell in ((doc.get("prior"), _prior_brief), (doc.get("history"), _history_brief)):
        trials = (found["conducted"] or [found["alone"]]) if found else []
        known = next((row for row in trials if row), None)
        if found and known:
            how = "by the design alone"
            if found["conducted"]:
                how = "as conducted" + (", with every outcome known at once" if is_timed(doc) else "")
                several = len(found["conducted"]) > 1 and known["cases"]
                how += f", toxicity as in {listed(known['cases'])}" if several else ""
            words.append(f"{tell(found, known)} ({how}).")
    return " ".join(words)


def _prior_brief(found: Document, known: Document) -> str:
    active = found["active"]["words"]
    return (
        f"{active[:1].upper()}{active[1:]}: probability {probability(known['p_active'])} before the trial, "
        f"{_or_dash(known['p_active_given_go'])} after a go and {_or_dash(known['p_active_given_no_go'])} after any "
        "other end"
    )


def _history_brief(found: Document, known: Document) -> str:
    return f"Mean type I error, control’s rate {found['control']}: {probability(known['mean'])}"


def _history_words(doc: Document, found: Document) -> Iterator[str]:
    alone, p0 = found["alone"], found["p0"]
    fixed = "" if p0 is None else f"p0 = {rate(p0)} is a number in the design. "
    words = (
        f"{fixed}In life the control’s rate is known from so many patients only: here it is taken as "
        f"{found['control']}, with mean {percent(found['mean_rate'])}. "
    )
    if alone:
        words += (
            "If the drug has exactly the control’s rate, whatever that is, the design alone ends in a go with "
            f"probability {probability(alone['mean'])} on average: the mean type I error"
        )
        words += f" (at p0 itself {probability(alone['at_p0'])})." if alone["at_p0"] is not None else "."
    else:
        words += "The looks are too many for the closed form of the design alone."
    yield words
    if found["same_mean"] and alone:
        same = found["same_mean"]
        yield (
            f"A prior moves the mean: {percent(same['mean_rate'])} was seen, and the distribution above has mean "
            f"{percent(found['mean_rate'])}. With {same['control']}, whose mean is what was seen, the mean type I "
            f"error is {probability(alone['mean_same_mean'])}."
        )
    if alone and alone["p_above_alpha"] is not None:
        yield (
            f"P(go) is above alpha = {found['alpha']:g} wherever the control’s rate is above "
            f"{rate(alone['rate_at_alpha'])}, and it is so with probability {probability(alone['p_above_alpha'])}. "
            "More patients on the control make the excess smaller; they hardly make that probability smaller where the "
            "design uses up its alpha, because then about half of what the control’s rate may be lies above p0."
        )
    yield _conduct_words(doc, found)
    yield (
        f"{_how(found)} The drug has the same rate at every dose and in every patient; what is averaged is no bound on "
        "the type I error."
    )


def _how(found: Document) -> str:
    """How the numbers came about, and their error."""
    of = found["conducted"]
    nodes = max((row.get("nodes", 0) for row in of), default=0)
    if not nodes:
        return "Exact: sums in closed form, without quadrature."
    error = max(row["error"] for row in of)
    return (
        "By the design alone exact, a sum in closed form; as conducted the exact chain at "
        f"{nodes} rates even in arcsin √p, averaged through the polynomial that they fix (error below "
        f"{max(error, 1e-12):.0e})."
    )


def _conduct_words(doc: Document, found: Document) -> str:
    """What as conducted means here, or why there is no such number."""
    if found["not_conducted"]:
        return f"As conducted there is no exact number: {found['not_conducted']}."
    own = doc["cohorts"] and doc["cohorts"]["rules"] == "own"
    cohorts = " A go is there a go in at least one cohort, all of which have the same rates." if own else ""
    return AT_ONCE + cohorts + (WAITING if is_timed(doc) else "")


def columns(doc: Document, found: Document) -> tuple[tuple[str, ...], list[Document | None]]:
    """The heads of the trials that stand side by side, and their numbers."""
    heads, trials = ["Design alone"], [found["alone"]]
    several = len(found["conducted"]) > 1
    for row in found["conducted"]:
        named = f": {listed(row['cases'])}" if several and row["cases"] else ""
        heads.append(f"As conducted{named}")
        trials.append(row)
    if doc["cohorts"] and doc["cohorts"]["rules"] == "own":
        heads[0] = f"Design alone, one {'dose' if from_start(doc) else 'cohort'}"
    return tuple(heads), trials


def _history_table(doc: Document, found: Document) -> Table:
    heads, trials = columns(doc, found)
    rows: list[tuple[str, str]] = []
    if found["p0"] is not None:
        rows.append(("at_p0", f"Type I error at p0 = {rate(found['p0'])}"))
    rows.append(("mean", f"Mean type I error, control {found['control']}"))
    if found["same_mean"]:
        rows.append(("mean_same_mean", f"Mean type I error, control {found['same_mean']['control']}"))
    if found["alpha"] is not None:
        rows.append(("p_above_alpha", f"P(type I error > alpha = {found['alpha']:g})"))
    if found["p0"] is not None:
        rows.append(("p_above_p0", "P(the control’s rate > p0)"))
    cells: list[tuple[Cell | str, ...]] = [
        (label, *(probability_cell(trial[name] if trial else None) for trial in trials))
        for name, label in rows
    ]
    quantiles: dict[str, float] = next((t["quantiles"] for t in trials if t and t["quantiles"]), {})
    for name in quantiles:
        of = [(t["quantiles"] or {}).get(name) if t else None for t in trials]
        cells.append((f"Type I error: {name} quantile", *map(probability_cell, of)))
    note = "Quantiles: of P(go) of a drug that is no better, over what the control’s rate may be. "
    return Table(
        "history", "The type I error over what the control’s rate may be", ("", *heads), plain(cells),
        (f"{note}{_toxicity_note(found)}",),
    )  # fmt: skip


def _toxicity_note(found: Document) -> str:
    """The toxicity behind each column as conducted."""
    told = [
        f"{listed(row['cases'])}: {rates(row['toxicity'])}"
        + (f", odds ratio {row['odds_ratio']:g}" if row["odds_ratio"] != 1 else "")
        for row in found["conducted"]
        if row["cases"] and row["toxicity"]
    ]
    return f"Toxicity as stated ({'; '.join(told)})." if told else ""


def _prior_words(doc: Document, found: Document) -> Iterator[str]:
    what = found["distribution"]
    if what is None:
        points = len(found["points"])
        belief = f"{points} points with weights" if points > 1 else "a single point"
    else:
        belief = f"a response rate distributed as {what}, the same at every dose"
    known = next((row for row in (found["conducted"] or [found["alone"]]) if row), None)
    words = f"Active means here: {found['active']['words']}. What the drug may be: {belief}. "
    if known:
        conducted = "as conducted" if found["conducted"] else "by the design alone"
        if len(found["conducted"]) > 1:
            conducted += f" with the toxicity of {listed(known['cases'])}"
        given = known["p_active_given_go"]
        missed = known["p_active_given_no_go"]
        words += (
            f"Before the trial it is active with probability {probability(known['p_active'])}; after a go, "
            f"{conducted}, with probability {_or_dash(given)}, and after any other end with {_or_dash(missed)}."
        )
    yield words
    yield (
        "Assurance is P(go), whether the drug is active or not; P(go and active) is another number. The average type I "
        "error is a mean over what the drug may be if it is not active; it is neither alpha nor a bound. “No go” is "
        "every end but a go."
    )
    yield _conduct_words(doc, found)
    if found["points"] is None:
        error = max((row["error"] for row in found["conducted"]), default=0.0)
        means = max((row["error_of_means"] for row in found["conducted"]), default=0.0)
        exact = (
            "in closed form"
            if not error
            else f"through the exact chain (error below {max(error, 1e-12):.0e})"
        )
        yield (
            f"Probabilities are worked out {exact}, expected numbers as conducted through the exact chain (error below "
            f"{max(means, 1e-10):.0e})."
        )
    else:
        yield "Exact: sums over the points."


def _or_dash(value: float | None) -> str:
    return NONE if value is None else probability(value)


def _prior_table(doc: Document, found: Document) -> Table:
    heads, trials = columns(doc, found)
    cells: list[tuple[Cell | str, ...]] = [
        (label, *(probability_cell(trial[name] if trial else None) for trial in trials))
        for name, label in ACTIVE_ROWS
    ]
    for name, label in MEAN_ROWS:
        of = [trial[name] if trial else None for trial in trials]
        if any(value is not None for value in of):
            cells.append(
                (label, *(Cell(NONE) if v is None else Cell(f"{v:.2f}".replace("-", "−"), v) for v in of))
            )
    notes = [
        f"{NONE}: the condition has probability 0, or there is no such number. {_toxicity_note(found)}".strip()
    ]
    if worth := found["utility"]:
        notes.append(
            f"Utility = {worth['right_go']:g} P(go and active) − {worth['wrong_go']:g} P(go and not active) − "
            f"{worth['patient']:g} EN − {worth['toxicity']:g} expected patients with toxicity."
        )
    return Table("prior", "Bayesian operating characteristics", ("", *heads), plain(cells), tuple(notes))


def rows(found: Document | None) -> Iterator[dict[str, Any]]:
    """One row a trial and number, for a CSV table."""
    if found is None:
        return
    trials = [
        ("design alone", found["alone"]),
        *(("as conducted, outcomes known at once", row) for row in found["conducted"]),
    ]
    for trial, numbers in trials:
        for name, value in (numbers or {}).items():
            if name in ("cases", "toxicity", "odds_ratio"):
                continue
            about = {"trial": trial, "cases": ", ".join(numbers.get("cases") or ())}
            if isinstance(value, dict):
                for q, of in value.items():
                    yield {**about, "quantity": f"quantile {q}", "value": of}
            else:
                yield {**about, "quantity": name, "value": value}
