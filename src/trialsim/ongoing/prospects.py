"""What is ahead of a trial under way: chances of a go by case and by the posterior, accrual, forecasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from trialsim.errors import DesignError
from trialsim.ongoing.accrual import AccrualPosterior
from trialsim.ongoing.forecast import Forecast, Spread, forecast
from trialsim.ongoing.gone_on import gone_on
from trialsim.ongoing.p_go import p_go_now, predictive, with_toxicity
from trialsim.ongoing.pending import Nature
from trialsim.ongoing.posterior import RatePosterior, posterior
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen
from trialsim.ongoing.state import State
from trialsim.ongoing.state import state as state_of
from trialsim.scenario.compiled import Compiled

POSTERIOR = ""
"""The name, among the cases, of the rate that the data and the prior leave likely."""


@dataclass(frozen=True)
class Chance:
    """P(go) from here, exact, with every look decided by the counts of its own patients.

    Attributes:
        case: a case of the scenario; ``POSTERIOR`` for the predictive probability.
        looks_alone: by the looks, toxicity left out; pending patients by their follow-up.
        at_rate: the same with every pending patient at the response rate of the truth, whatever her follow-up. Of the
            posterior: with the posterior of the known patients only.
        go, reduced, toxicity: with the toxicity rule, future outcomes known at once: a go, a dose reduction triggered
            from now on, a stop for toxicity. None where that is not worked out.
    """

    case: str
    looks_alone: float
    at_rate: float
    go: float | None = None
    reduced: float | None = None
    toxicity: float | None = None


@dataclass(frozen=True)
class Prospects:
    """What is ahead.

    Attributes:
        on: the cut-off.
        chances: by the posterior, then by case; none where the end is decided, nothing is left where it went on, or
            looks weigh pending patients.
        mean_rate, known_only: posterior mean of the response rate, with pending patients by their follow-up; and of
            the known patients alone, which is too low while non-responses are known sooner than responses.
        accrual: what the dates of enrolment say of the rate.
        still_to_come: patients that the last look lacks.
        forecasts: by case, simulated in calendar time; empty where none is wanted or the end is decided.
    """

    on: date
    chances: tuple[Chance, ...]
    mean_rate: float
    known_only: float
    accrual: AccrualPosterior
    still_to_come: int
    forecasts: dict[str, Forecast]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a forecast quantity."""
        for case, found in self.forecasts.items():
            about = {"case": case or "posterior"}
            for name in ("p_go", "p_reduced", "p_toxicity", "p_futility"):
                share = getattr(found, name)
                yield {**about, "quantity": name, "estimate": share.value, "mcse": share.mcse}
            spreads = {
                "days_to_next_look": found.next_look,
                "days_to_end": found.end,
                "final_n": found.final_n,
            }
            spreads |= {f"treated_while_pending_{how}": s for how, s in found.while_pending.items()}
            for name, spread in spreads.items():
                if spread is not None:
                    row = {
                        **about,
                        "quantity": name,
                        "estimate": spread.mean,
                        "mcse": spread.mcse,
                        **_quantiles(spread),
                    }
                    yield row | (self._dates(spread) if name.startswith("days") else {})

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data; accrual in patients a month too."""
        a = self.accrual
        accrual = {**asdict(a), "per_month": a.per_month, "q5": a.quantile(0.05), "q95": a.quantile(0.95)}
        return {**asdict(self), "accrual": accrual, "forecasts": list(self.rows())}

    def day(self, days: float) -> date:
        """The day so many days after the cut-off, to the nearest one."""
        return self.on + timedelta(days=round(days))

    def _dates(self, spread: Spread) -> dict[str, date]:
        (low, high), middle = spread.band[80], spread.quantile[0.5]
        return {"date": self.day(middle), "date_low80": self.day(low), "date_high80": self.day(high)}


def _quantiles(spread: Spread) -> dict[str, float]:
    bands = {
        f"{end}{width}": value
        for width, both in spread.band.items()
        for end, value in zip(("low", "high"), both, strict=True)
    }
    return {**{f"q{100 * q:g}": value for q, value in spread.quantile.items()}, **bands}


def prospects(
    trial: Compiled,
    seen: Sequence[Seen],
    state: State,
    *,
    prior: tuple[float, float],
    opened: date | None,
    forecasts: bool,
    went_on_anyway: bool,
    replicates: int,
    seed: int,
    jobs: int,
) -> Prospects:
    """What is ahead of a trial; keywords as for ``status``.

    Raises:
        DesignError: the scenario has something of which nothing ahead is worked out.
    """
    went_on = gone_on(trial, seen, state.on, opened) if state.end is not None and went_on_anyway else None
    if went_on is not None:
        trial, state = went_on, state_of(went_on, seen, state.on, opened)
    rules, on = trial.rules, state.on
    natures = {case: Nature.of(trial, case) for case in trial.scenario.truth}
    first = next(iter(natures.values()))
    n = rules.looks.planned_n
    believed = posterior(first, seen, on, prior, planned_n=n)
    known = posterior(first, seen, on, prior, known_only=True, planned_n=n)
    if state.end is not None:
        return Prospects(on, (), believed.mean, known.mean, _accrual(trial, seen, state, opened), 0, {})
    # what a look that weighs pending patients will see of them is a matter of dates: those are simulated
    exact = not trial.calendar.weighing.on
    chances = list(_chances(trial, natures, seen, state, (believed, known))) if exact else []
    accrual = _accrual(trial, seen, state, opened)
    found: dict[str, Forecast] = {}
    if forecasts:
        beliefs: dict[str, RatePosterior | None] = {POSTERIOR: believed, **dict.fromkeys(natures)}
        for name, belief in beliefs.items():
            ahead = forecast(
                trial,
                name or next(iter(natures)),
                seen,
                on,
                accrual,
                next_look=state.course.look,
                belief=belief,
                opened=opened,
                replicates=replicates,
                seed=seed,
                workers=jobs,
            )
            if ahead is not None:
                found[name] = ahead
    counted = len(state.looks[-1].ids)
    return Prospects(on, tuple(chances), believed.mean, known.mean, accrual, max(n - counted, 0), found)


def _chances(
    trial: Compiled,
    natures: Mapping[str, Nature],
    seen: Sequence[Seen],
    state: State,
    beliefs: tuple[RatePosterior, RatePosterior],
) -> Iterator[Chance]:
    """The exact chances of a go: by the posterior, of everybody and of the known alone, then by case."""
    looks, on, level = trial.rules.looks, state.on, state.course.level
    first = next(iter(natures.values()))
    yield Chance(POSTERIOR, *(predictive(first, looks, seen, on, belief) for belief in beliefs))
    for case, nature in natures.items():
        alone, at_rate = (
            p_go_now(nature, looks, seen, on, level=level, convention=how).go
            for how in ("follow_up", "at_rate")
        )
        yield Chance(case, alone, at_rate, *_with_toxicity(trial, nature, seen, state))


def _with_toxicity(
    trial: Compiled, nature: Nature, seen: Sequence[Seen], state: State
) -> tuple[float | None, float | None, float | None]:
    if trial.scenario.dose_reduction is None:
        return None, None, None
    told = state.course
    triggered = any(change.level == told.level for change in state.changes)
    try:
        twin = with_toxicity(nature, trial.rules, seen, state.on, level=told.level, triggered=triggered)
    except DesignError:
        return None, None, None
    return twin.go, twin.reduced, twin.toxicity


def _accrual(trial: Compiled, seen: Sequence[Seen], state: State, opened: date | None) -> AccrualPosterior:
    closed = tuple(closed_periods(InDays.of(trial), seen, state))
    return AccrualPosterior.seen([p.enrolled for p in seen], state.on, closed, opened)


def closed_periods(
    protocol: InDays, seen: Sequence[Seen], state: State
) -> Iterator[tuple[date, date | None]]:
    """When accrual was closed: on hold, and from the patient who filled a look to its decision."""
    if protocol.hold:
        yield from ((change.trigger, change.switch) for change in state.changes)
    if protocol.pauses:
        enrolled = {patient.id: patient.enrolled for patient in seen}
        for look in state.looks[:-1]:
            if not look.not_enrolled and not protocol.rules.looks.is_final(look.look):
                yield enrolled[look.ids[-1]], look.day
