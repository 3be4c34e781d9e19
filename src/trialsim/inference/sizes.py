"""Which looks the patients analysed went through: those planned, or their cut-offs at the sizes attained."""

from __future__ import annotations

from dataclasses import replace

from trialsim.codes import FUTILE, GO
from trialsim.designs.alone import alone
from trialsim.designs.rules import DECISION_WORDS, Looks, two_way
from trialsim.errors import DesignError
from trialsim.inference.analysis import (
    UNDECIDED,
    AnalysisPlan,
    PatientsAnalysis,
    Planned,
    analysis,
    counted,
    ended,
)
from trialsim.inference.attained import Attained, Reading, TwoStage, readings, two_stage
from trialsim.inference.design_text import design_words
from trialsim.inference.orderings import ORDERINGS


def analyse_set(
    planned: Looks,
    plan: AnalysisPlan,
    *,
    patients: str,
    n: int | None = None,
    x: int,
    x1: int | None = None,
    n1: int | None = None,
    look: int | None = None,
) -> PatientsAnalysis:
    """Analyse x responses among n patients (default: as planned at the look where x responses end the trial).

    ``n1`` is the attained size of stage 1 and ``x1`` the responses there; sizes other than planned are for designs
    of two stages that stop early for futility only. ``look`` says where a trial ended that could have ended at more
    than one look with x responses.
    """
    design = two_stage(planned)
    differs = (n1 is not None and n1 != planned.n[0]) or (n is not None and n not in planned.n)
    if not differs:
        at = ended(planned, n, x, look)
        if len(planned.n) > 1 and at > 0 and x1 is not None:
            said = _went_on(design, design.n1, design.n, x1) if design else ""
            _check_stage1(planned, x1, x, planned.n[0], planned.n[at], said)
        return analysis(planned, at, plan, patients, x, x1)
    if design is None:
        return _resized(planned, plan, patients, n, x, x1, n1)
    seen, stopped = _sizes(design, n, n1, x, x1)
    final = design.n if stopped else seen.n
    looks = TwoStage(design.r1, seen.n1, design.r, final).looks
    if not stopped and x1 is not None:
        _check_stage1(looks, x1, x, seen.n1, seen.n, _went_on(design, seen.n1, n, x1))
    found = analysis(looks, ended(looks, seen.n, x, 0 if stopped else 1), plan, patients, x, x1)
    others: tuple[Reading, ...] = ()
    if plan.p0 is not None:
        others = tuple(readings(design, seen, plan.p0, plan.p1, prior=plan.prior, confidence=plan.confidence))
    notes = [
        f"Planned: {design_words(planned)}. Estimates, p-values and intervals take the attained sizes as fixed "
        "(they must not have depended on the responses) and r1 as planned.",
    ]
    if not stopped and x1 is None:
        notes.append("The method of Koyama & Chen needs the responses in stage 1, which are not stated.")
    elif not stopped and seen.n1 != design.n1:
        notes.append("The method of Koyama & Chen is for a stage 1 of the planned size.")
    return _held(replace(found, planned=design, readings=others, notes=tuple(notes)))


def _resized(
    planned: Looks, plan: AnalysisPlan, patients: str, n: int | None, x: int, x1: int | None, n1: int | None
) -> PatientsAnalysis:
    """A design of cut-offs whose look at the end, or first look, was at another size: its cut-offs at those sizes.

    The trial ended at the look whose size comes nearest to n; the other looks are as planned.
    """
    stop = tuple(row.count(FUTILE) - 1 for row in planned.next)
    go = tuple(size - row.count(GO) for size, row in zip(planned.n, planned.next, strict=True))
    early = tuple(None if above >= size else above for above, size in zip(go[:-1], planned.n, strict=False))
    cuts = (stop, (*early, stop[-1]))
    last = len(planned.n) - 1
    if two_way(planned.n, *cuts).next != planned.next or planned.toxic_ge:
        raise DesignError(
            f"the design has looks at {', '.join(map(str, planned.n))} patients, not at {n1 if n is None else n}; "
            "other sizes can be analysed for designs of cut-offs for responses only"
        )
    look = last if n is None else min(range(last + 1), key=lambda k: abs(planned.n[k] - n))
    sizes = list(planned.n)
    sizes[0] = n1 or sizes[0]
    sizes[look] = sizes[look] if n is None else n
    if sizes != sorted(set(sizes)) or any(r >= size for r, size in zip(stop, sizes, strict=True)):
        raise DesignError(
            f"cut-offs of looks at {', '.join(map(str, planned.n))} patients cannot be kept at "
            f"{', '.join(map(str, sizes))}: state the looks as they were held with --design"
        )
    looks = two_way(tuple(sizes), *cuts)
    if x1 is not None and look > 0:
        _check_stage1(looks, x1, x, sizes[0], sizes[look])
    found = analysis(looks, ended(looks, sizes[look], x, look), plan, patients, x, x1)
    notes = (
        f"Planned: {design_words(planned)}. Estimates, p-values and intervals take the attained sizes as fixed (they "
        f"must not have depended on the responses) and all cut-offs as planned; {ORDERINGS[plan.ordering]}.",
    )
    return _held(replace(found, planned=Planned(planned), notes=notes))


def _held(found: PatientsAnalysis) -> PatientsAnalysis:
    """The last cut-off was planned for another n: it decides nothing, and its level at the attained n is told."""
    assert found.planned is not None
    planned, looks = found.planned.looks, found.looks
    if found.look < len(looks.n) - 1 or planned.planned_n == looks.planned_n:
        return found
    r, n = looks.next[-1].count(FUTILE) - 1, looks.planned_n
    if r < 0:  # the last look has no cut-off: every count is a go at any size (Gehan)
        return found
    note = f"r = {r} was planned for {planned.planned_n} patients and decides nothing about {n}."
    if (p0 := found.plan.p0) is not None:
        level = alone(planned, p0).p_go
        levels = {cut: alone(_with_last(looks, cut), p0).p_go for cut in range(n + 1)}
        keeps = next((cut for cut, p_go in levels.items() if p_go <= level), None)
        note += f" At p0 the design as planned has level {level:.4f}; at {n} patients > {r} has level {levels[r]:.4f}"
        note += "." if keeps in (None, r) else f", > {keeps} has {levels[keeps]:.4f}."
    return replace(found, decision=UNDECIDED, cut_off=note)


def _with_last(looks: Looks, r: int) -> Looks:
    """The same looks with another last cut-off."""
    row = tuple(FUTILE if x <= r else GO for x in range(looks.planned_n + 1))
    return Looks(looks.n, (*looks.next[:-1], row))


def analyse_overrun(
    planned: Looks, plan: AnalysisPlan, *, patients: str, overrun: int, x: int, x1: int
) -> tuple[PatientsAnalysis, PatientsAnalysis]:
    """A trial that stopped after stage 1 with more patients already enrolled: without them, and with them.

    With them, every trial that stops is taken to have as many more patients, whose responses are counted among x but
    change no decision.
    """
    design = two_stage(planned)
    if design is None:
        raise DesignError("overrun is analysed for designs of two stages that stop early for futility only")
    n = design.n1 + overrun
    if not 0 < overrun < design.n - design.n1:
        raise DesignError(f"overrun = {overrun} must be at least 1 and less than stage 2")
    if not 0 <= x1 <= design.r1:
        raise DesignError(
            f"{counted(x1)} in stage 1 did not stop this trial: it stops if there are {design.r1} or fewer"
        )
    if not 0 <= x - x1 <= overrun:
        raise DesignError(f"{counted(x1)} in stage 1 and {x} in all cannot be, with {overrun} more patients")
    first = tuple(1 if k <= design.r1 else 2 for k in range(design.n1 + 1))
    last = tuple(FUTILE if k <= design.r else GO for k in range(design.n + 1))
    looks = Looks((design.n1, n, design.n), (first, (FUTILE,) * (n + 1), last))
    return (
        analysis(planned, 0, plan, f"{patients} of stage 1", x1, x1),
        replace(analysis(looks, 1, plan, f"{patients} with overrun", x, x1), decision="stop for futility"),
    )


def _sizes(design: TwoStage, n: int | None, n1: int | None, x: int, x1: int | None) -> tuple[Attained, bool]:
    """The attained sizes, and whether the trial stopped after stage 1."""
    if n is None:
        stopped = x <= design.r1 and (x1 is None or x1 == x)
        n = n1 if stopped else design.n
    assert n is not None
    stopped = n == n1 or (n1 is None and n <= design.n1)
    first = n if stopped else n1 or design.n1
    if not stopped and n <= first:
        raise DesignError(f"{n} patients in all cannot be fewer than the {first} of stage 1")
    return Attained(first, n, x, x1), stopped


def _check_stage1(looks: Looks, x1: int, x: int, n1: int, n: int, went_on: str = "") -> None:
    if not 0 <= x1 <= n1:
        raise DesignError(f"{counted(x1)} among the {n1} patients of stage 1 cannot be")
    if not 0 <= x - x1 <= n - n1:
        raise DesignError(f"{counted(x1)} in stage 1 and {x} in all cannot be, with {n1} and {n} patients")
    if looks.next[0][x1] < 0:
        word = DECISION_WORDS[looks.next[0][x1]]
        raise DesignError(
            f"{counted(x1)} among the {n1} patients of stage 1: {word} by this design, "
            f"the trial would have ended there{went_on}"
        )


def _went_on(design: TwoStage, n1: int, n: int | None, x1: int | None) -> str:
    """How to state a trial of two stages that went on where its design would have stopped it."""
    if x1 is None:
        return ""
    late = n is not None and n1 < n < design.n
    end = f"{design.r}/{design.n if late else n or n1 + design.n - design.n1}"
    never = f"--design -/{design.n1},{design.r}/{design.n} if stage 1 stopped nothing"
    ways = f"--design {x1 - 1}/{n1},{end} if it would have stopped with fewer, or " if x1 else ""
    said = f". If it went on all the same, --went-on-past-futility; or state the rule that it followed: {ways}{never}"
    if n is not None and late:
        said = (
            f". If it stopped with {n - n1} more enrolled, write --overrun {n - n1} in place of --n {n}; if stage 1 "
            f"was decided at {n} patients, --stage1-n {n}{said}"
        )
    return said
