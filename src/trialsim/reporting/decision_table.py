"""The decision table of a protocol in words: looks, toxicity boundary, who is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trialsim.engine.derived import cut_offs
from trialsim.facts.protocol import facts
from trialsim.monitoring.aids import Aids
from trialsim.monitoring.decision_table import Branch, CutOffs, DecisionTable, Dose, Step
from trialsim.reporting import protocol_conduct, protocol_toxicity
from trialsim.scenario.compiled import Compiled
from trialsim.writing.numbers import NONE, Cell, count, listed, probability, rate
from trialsim.writing.report import Block, Group, Row, Table, Words, plain

LONG, FEW_ROWS, MANY_ROWS = 6, 14, 30
"""Steps of a toxicity boundary, and looks, that are set in one column; rows from which on there are most columns."""

DECIDED = {"futile": "stop for futility", "go": "go", "consider": "consider"}


# -- the decision table


def decisions(table: DecisionTable) -> Table:
    """What each number of responses leads to, look by look."""
    counted = "evaluable" if table.evaluable else "treated"
    where = " of the cohort" if table.cohorts else ""
    caption = f"Decisions by the number of responses among the first patients{where} (looks count {counted} patients)"
    if table.cut_offs is not None:
        return _compact(table.cut_offs, caption)
    rows: list[Row] = []
    last = None
    for branch in table.branches:
        at = f"after {branch.n} {counted} patients" if branch.n != last else ""
        if branch.n != last and branch.toxic_ge is not None:
            stop = f"{branch.toxic_ge} or more with toxicity"
            rows.append((Cell(at), Cell(stop), Cell("stop for toxicity, whatever the responses")))
            at = ""
        rows.append((Cell(at), Cell(responses(branch)), Cell(decided(branch, table))))
        last = branch.n
    return Table("decisions", caption, ("Look", "Responses", "Decision"), plain(rows), words=(1, 2))


def responses(branch: Branch) -> str:
    """``0–1``, ``7 or more``, ``any number``."""
    low, high = branch.low, branch.high
    if (low, high) == (0, branch.n):
        return "any number"
    if high == branch.n and low < high:
        return f"{low} or more"
    return str(low) if low == high else f"{low}–{high}"


def decided(branch: Branch, table: DecisionTable) -> str:
    """What a branch of a look leads to."""
    if branch.next_n is not None:
        return f"continue to {branch.next_n} patients"
    if branch.decision == "futile" and branch.n == table.n[-1]:
        return "no go"
    return "go, early" if branch.decision == "go" and branch.n < table.n[-1] else DECIDED[branch.decision]


def _compact(cuts: Sequence[CutOffs], caption: str) -> Table:
    """Many looks: a row for looks with the same cut-offs."""
    heads = ["After patients", "Stop (no go) if", "Go if"]
    toxic = any(cut.toxic_ge is not None for cut in cuts)
    if toxic:
        heads.append("Stop for toxicity if")
    rows = []
    for cut in cuts:
        texts = [sizes(cut.n), at_most(cut.stop_le), at_least(cut.go_ge)]
        rows.append(texts + ([at_least(cut.toxic_ge)] if toxic else []))
    notes = ["Otherwise the trial goes on to the next look."]
    if any(cut.is_final and (cut.stop_le is None or cut.go_ge != cut.stop_le + 1) for cut in cuts):
        notes.append("Between the two at the last look: consider.")
    if all(cut.go_ge is None for cut in cuts[:-1]):
        notes.append("There is no go before the last look.")
    abreast = columns(len(rows), (FEW_ROWS, 1), (MANY_ROWS, 2), 3)
    words = tuple(range(1, abreast * len(heads)))
    return Table(
        "decisions", caption, tuple(heads) * abreast, plain(beside(rows, abreast)), (" ".join(notes),), words
    )


def columns(rows: int, few: tuple[int, int], more: tuple[int, int], many: int) -> int:
    """In how many columns to set so many rows, for the whole to stay on one page."""
    return few[1] if rows <= few[0] else more[1] if rows <= more[0] else many


def at_most(bound: int | None) -> str:
    """``3 or fewer``."""
    return NONE if bound is None else f"{bound} or fewer"


def at_least(bound: int | None) -> str:
    """``3 or more``."""
    return NONE if bound is None else f"{bound} or more"


def beside(rows: Sequence[Sequence[str]], abreast: int) -> Iterator[Row]:
    """Rows set in columns, read from top to bottom."""
    high = -(-len(rows) // abreast)
    for k in range(high):
        parts = [rows[j] if j < len(rows) else [""] * len(rows[0]) for j in range(k, high * abreast, high)]
        yield tuple(Cell(text) for part in parts for text in part)


def sizes(n: Sequence[int]) -> str:
    """Looks in few words: 10–16 where there is one after every patient, else 10, 15, 20."""
    runs: list[list[int]] = []
    for size in n:
        if runs and size == runs[-1][-1] + 1:
            runs[-1].append(size)
        else:
            runs.append([size])
    words = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(words)


# -- the toxicity boundary


def boundary(table: DecisionTable) -> Table:
    """The toxicity boundary for every number of patients at a dose; doses with the same boundary together."""
    together: dict[tuple[Step, ...], list[str]] = {}
    for dose in table.doses:
        if dose.steps:
            together.setdefault(dose.steps, []).append(f"{dose.name}: {action(dose)}")
    abreast = columns(max(map(len, together), default=0), (LONG, 1), (MANY_ROWS, 3), 4)
    groups = tuple(
        Group("; ".join(doses), tuple(beside([step_words(step) for step in steps], abreast)))
        for steps, doses in together.items()
    )
    first = min((steps[0].first for steps in together), default=1)
    notes = (
        (f"With fewer than {first} patients at the dose the rule cannot act.",)
        if groups and first > 1
        else ()
    )
    return Table(
        "boundary",
        "What the number of patients with toxicity at a dose leads to, once it is known of all of them",
        ("Patients at the dose", "Act if toxicities") * abreast,
        groups,
        notes,
        words=tuple(range(1, 2 * abreast)),
    )


def action(dose: Dose) -> str:
    """What acting means at a dose."""
    return {"reduce": "reduce the dose", "stop": "stop the trial"}.get(dose.action, "continue")


def step_words(step: Step) -> tuple[str, str]:
    """``6–8``, ``5 or more``."""
    patients = str(step.first) if step.first == step.last else f"{step.first}–{step.last}"
    if step.act_ge is None:
        return patients, "no action"
    return patients, f"all {step.act_ge}" if step.act_ge == step.last else f"{step.act_ge} or more"


def toxicity_words(aids: Aids) -> list[str]:
    """What the toxicity rule does at each dose, the lowest included; amendments: as the protocol section has it."""
    return _words(protocol_toxicity.blocks(facts(Compiled(aids.scenario, aids.rules))))


def counted_words(aids: Aids) -> list[str]:
    """Who is counted, as the protocol section has it."""
    last = (
        "A look counts the first patients in the order of their enrolment; whoever came later is not in it."
    )
    return [*_words(protocol_conduct.population(facts(Compiled(aids.scenario, aids.rules)))), last]


def _words(blocks: Iterable[Block]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Words) and block.text]


# -- sentences


def design_words(aids: Aids) -> str:
    """The design in one line: cut-offs, rates, attained error rates."""
    looks = aids.rules.looks
    short = cut_offs(looks)
    words = [str(short) if short else f"{count(len(looks.n), 'look')}, at most {looks.planned_n} patients"]
    words += [
        f"{name} = {rate(aids.rates[name])} ({meaning} {probability(aids.p_go[name])})"
        for name, meaning in (("p0", "type I error"), ("p1", "power"))
        if name in aids.rates
    ]
    if looks.too_toxic and aids.rates:
        words.append("these by responses alone, without the cut-offs for toxicity")
    return "; ".join(words)


def assumed_words(aids: Aids) -> str:
    """What the scenario marks as assumed; "" if nothing."""
    parts = {"design": "the design", "dose_reduction": "the toxicity rule"}
    marked = [word for path, word in parts.items() if (s := aids.scenario.sources.get(path)) and s.assumed]
    if not marked:
        return ""
    return f"Assumed by this scenario, stated by no publication: {listed(marked)}."
