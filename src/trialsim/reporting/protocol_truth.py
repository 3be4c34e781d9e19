"""What each case assumes to be true, and what the trial as it is written does then, in a protocol's words."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.facts.protocol import AsWritten, Facts, Protocol
from trialsim.facts.truth import Rates
from trialsim.reporting.sentences import drift_words
from trialsim.writing.numbers import listed, mcse_cell, probability_cell, rate, value_cell
from trialsim.writing.report import Block, Points, Row, Section, Table, Words, plain, section


def as_written(answer: Protocol) -> Section:
    """P(go) of the trial with all of its rules, in every case, and what the cases are."""
    return section("protocol-as-written", "What the trial does", _blocks(answer) if answer.cases else ())


def _blocks(answer: Protocol) -> Iterator[Block]:
    facts = answer.facts
    words = "The trial as it is written above, with all of its rules, in each case that the scenario assumes."
    counted = " Response rates are those of all treated patients, evaluable or not."
    yield Words(words + (counted if facts.counted.probability < 1 else ""))
    yield Points(tuple(f"{case.case}: {'; '.join(_assumed(facts, case))}." for case in answer.cases))
    yield _table(answer)


def _table(answer: Protocol) -> Table:
    simulated = any(case.mcse is not None for case in answer.cases)
    considers = any(case.p_consider is not None for case in answer.cases)
    rows: list[Row] = [
        (case.case, probability_cell(case.p_go), *([mcse_cell("p_go", case.mcse)] if simulated else []),
         *([probability_cell(case.p_consider)] if considers else []), value_cell("en", case.en))
        for case in answer.cases
    ]  # fmt: skip
    cohorts, go, consider = answer.facts.cohorts, "P(go)", "P(consider)"
    if cohorts is not None and cohorts.own:
        one = "in at least one cohort" if cohorts.ratio is None else "for at least one dose"
        go, consider = f"P(go {one})", f"P(no go, but consider {one})"
    notes = ["Simulated, with the Monte Carlo standard error of P(go)." if simulated else "Exact."]
    conduct = answer.facts.conduct
    if conduct is not None and conduct.overrun == "exclude":
        notes.append(
            "Expected patients are without those enrolled while the decision that ended the trial was pending."
        )
    heads = ("If this case is true", go, *(["Standard error"] if simulated else []),
             *([consider] if considers else []), "Expected patients")  # fmt: skip
    return Table("as-written", "The trial as it is written", heads, plain(rows), tuple(notes))


def _assumed(facts: Facts, case: AsWritten) -> Iterator[str]:
    """The rates of a case, of everybody or by stratum, and their drift."""
    doses = [level.dose for level in facts.toxicity.levels]
    for rates in case.truth.rates:
        where = f"in {rates.stratum}: " if rates.stratum is not None else ""
        yield where + ", ".join(_rates(facts, rates, doses))
    if (drift := case.truth.drift) is not None:
        since = " from the start of the first patient on" if drift.months is not None else ""
        yield f"the response rate {drift_words(drift.change, drift.months)}{since}, evenly"


def _rates(facts: Facts, rates: Rates, doses: list[str]) -> Iterator[str]:
    yield f"response rate {_by_dose(rates.response, doses)}"
    if rates.toxicity is not None:
        yield f"toxicity rate {_by_dose(rates.toxicity, doses)}"
        yield (
            "response and toxicity independent"
            if rates.odds_ratio == 1
            else f"odds ratio of response and toxicity {rates.odds_ratio:g}"
        )
    if facts.conduct is not None:
        yield (
            f"stable disease in {_by_dose(rates.stable_disease, doses)} of those without a response"
            if rates.stable_disease is not None
            else "no stable disease"
        )


def _by_dose(rates: tuple[float, ...], doses: list[str]) -> str:
    if len(set(rates)) == 1:
        return rate(rates[0])
    return listed([f"{rate(one)} at {dose}" for one, dose in zip(rates, doses, strict=True)])
