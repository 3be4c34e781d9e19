"""Everything a monitoring committee asks of a design: its decision table, the power at every look, and from now on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.codes import CONTINUE, NEVER, RESTART
from trialsim.designs.rules import DECISION_WORDS, Looks, Monitor, Rules
from trialsim.designs.spec import prior_fault
from trialsim.engine.operating import not_exact
from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.inference.posterior import JEFFREYS
from trialsim.monitoring.chances import (
    at_rate,
    by_prior,
    following,
    from_the_start,
    if_it_goes_on,
    reachable,
)
from trialsim.monitoring.counts import Case, Count
from trialsim.monitoring.decision_table import MANY_LOOKS, DecisionTable, decision_table
from trialsim.monitoring.of_cohort import asked_for
from trialsim.monitoring.rest_of_trial import Ahead, ahead, given_responses, looks_ahead, today
from trialsim.monitoring.standing import Now, Today, now_of
from trialsim.results import digits12
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import groups_of, of_a_cohort
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Cells, Rates
from trialsim.timing import long_work

SHOWN, BELOW, CERTAIN = 4, 4, 0.995
"""Of many interim looks so many are shown; so many counts below those that go on; and the power that ends a table."""


@dataclass(frozen=True)
class Present:
    """The trial as it stands: as ``Count``, with how it will end in each case given toxicities and dose as well."""

    now: Now
    next_n: int
    at_rates: dict[str, float]
    at_observed: float | None
    predictive: float
    cases: dict[str, Ahead]
    no_cases: str


@dataclass(frozen=True, repr=False)
class Aids(Answer):
    """The monitoring aids of a scenario; all of it exact, every outcome known before the next patient.

    Attributes:
        rates: true response rates at which the power is told, by name.
        p_go: P(go) at each of them before the first patient; at p0 the type I error, at p1 the power.
        prior, prior_from: a and b of the Beta prior, and where it comes from: asked, design or Jeffreys.
        no_cases: why there is no P(go) by case at the looks; "" where there is.
        present: how the trial will end from where it stands; None where that is not stated, or is over.
        today: what the protocol says where the trial stands; None where that is not stated.
        cohort: whose sheet it is, where it is one of a cohort by itself; ``scenario`` is then its trial, and ``stated``
            the scenario that it belongs to.
    """

    kind: ClassVar[str] = "monitor"

    scenario: Scenario
    rules: Rules
    table: DecisionTable
    rates: dict[str, float]
    p_go: dict[str, float]
    prior: tuple[float, float]
    prior_from: str
    counts: tuple[Count, ...]
    no_cases: str
    present: Present | None
    today: Today | None = None
    cohort: str | None = None
    stated: Scenario | None = None

    @property
    def made_from(self) -> Scenario:
        """The scenario that was asked about."""
        return self.stated or self.scenario

    @property
    def cases(self) -> tuple[str, ...]:
        """The names of the cases, with the cohort where cohorts have their own rules."""
        return tuple(dict.fromkeys(name for count in self.counts for name in count.cases))

    @property
    def looks_shown(self) -> tuple[int, ...]:
        """Sizes of the interim looks that a page shows: all, or four spread over them where there are many."""
        sizes = list(dict.fromkeys(count.n for count in self.counts))
        if len(sizes) <= MANY_LOOKS - 1:
            return tuple(sizes)
        return tuple(sizes[round(i * (len(sizes) - 1) / (SHOWN - 1))] for i in range(SHOWN))

    def shown(self, n: int) -> list[Count]:
        """The counts at a look that a page shows: from a few that stop to where every power is as good as certain."""
        counts = [count for count in self.counts if count.n == n]
        goes = any(count.decision == "go" for count in counts)
        open_ = next((count.x for count in counts if count.decision == "continue"), 0)
        last = next(
            (
                count.x
                for count in counts
                if count.x >= open_
                and min(*count.at_rates.values(), count.at_observed, count.predictive) > CERTAIN
                and (count.decision == "go" or not goes)
            ),
            n,
        )
        return [count for count in counts if open_ - BELOW <= count.x <= last]

    @property
    def called(self) -> str:
        """The name of the scenario."""
        return self.scenario.name

    def rows(self) -> list[dict[str, Any]]:
        """The decision table, one dict a run of counts."""
        return self.table.rows()

    def power_rows(self) -> list[dict[str, Any]]:
        """Every power at every interim count, one row each."""
        rows: list[dict[str, Any]] = []
        for c in self.counts:
            about = {"patients": c.n, "responses": c.x, "decision": c.decision, "next_patients": c.next_n}
            rows += [{**about, **row} for row in self._powers(c, c.x / c.n)]
            rows += [
                {**about, "at": f"case {name}", "probability_of_count": case.reached, "p_go": case.p_go}
                for name, case in c.cases.items()
            ]
        return rows

    def present_rows(self) -> list[dict[str, Any]]:
        """The powers from now on, one row each; none where the trial does not say where it stands."""
        present = self.present
        if present is None:
            return []
        now = present.now
        return [
            *self._powers(present, now.x / now.n if now.n else None),
            *(
                {"at": f"case {name}", "p_go": case.p_go, "p_stop_toxicity": case.p_stop_toxicity}
                for name, case in present.cases.items()
            ),
        ]

    def _powers(self, at: Count | Present, observed: float | None) -> Iterator[dict[str, Any]]:
        """P(go) by the design alone: at each stated rate, at the observed one, and averaged over the posterior."""
        for name, p in at.at_rates.items():
            yield {"at": name, "rate": self.rates[name], "p_go": p}
        if observed is not None:
            yield {"at": "observed", "rate": observed, "p_go": at.at_observed}
        yield {"at": "predictive", "p_go": at.predictive}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Decisions, powers, and the powers from now on, as far as there are any."""
        found = {"decisions": self.rows(), "power": self.power_rows(), "now": self.present_rows()}
        return {name: digits12(rows) for name, rows in found.items() if rows}

    def _placed(self, now: Now) -> dict[str, Any]:
        """Where the trial stands, with the name of the dose."""
        return asdict(now) | {"dose": self.scenario.doses[now.dose]}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, floats to 12 significant digits."""
        present = None
        if self.present is not None:
            present = asdict(self.present) | {"now": self._placed(self.present.now)}
        plain: dict[str, Any] = digits12(
            {
                "name": self.scenario.name,
                "endpoint": self.scenario.endpoint,
                "digest": digest(self.made_from),
                **({"cohort": self.cohort} if self.cohort else {}),
                "rates": self.rates,
                "p_go": self.p_go,
                "prior": {"a": self.prior[0], "b": self.prior[1], "from": self.prior_from},
                "table": asdict(self.table),
                "power": [asdict(count) for count in self.counts],
                "no_cases": self.no_cases or None,
                "today": self.today and {**asdict(self.today), "now": self._placed(self.today.now)},
                "now": present,
            }
        )
        return plain


@takes
def monitor(
    scenario: Scenario,
    *,
    now: Sequence[int] | None = None,
    dose: int = 1,
    at_dose: int | None = None,
    treated: int | None = None,
    all_toxicities: int | None = None,
    rates: Sequence[float] = (),
    prior: tuple[float, float] | None = None,
    cohort: str | None = None,
) -> Aids:
    """Decision table, and conditional and predictive power at every look and from now on.

    Args:
        scenario: a scenario, or the path of its file.
        now: patients and responses so far, and toxicities at the current dose where known.
        dose, at_dose, treated, all_toxicities: current dose (1 for the starting dose), patients treated at it and at
            all doses, and toxicities at all doses.
        rates: true response rates besides p0 and p1 at which to tell the power.
        prior: a and b of the Beta prior; default that of the design, else Jeffreys.
        cohort: the cohort whose sheet is wanted, where cohorts share nothing (``monitor: own``).

    Returns:
        The table, the powers at every count of every interim look, and, with ``now``, those of the rest of the trial.

    Raises:
        DesignError: a rate or prior that is none, a present at which the trial cannot be, or no such cohort; or each
            cohort has a design of its own, and none is named.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> present = trialsim.monitor(path, now=[20, 3, 4]).present
        >>> round(present.at_rates["p1"], 4), round(present.predictive, 4)
        (0.5372, 0.2051)

    Source of the conditional power: Lan KKG, Simon R, Halperin M, Commun Stat C 1982;1:207-219.
    """
    if prior is not None and (fault := prior_fault(prior)):
        raise DesignError(fault)
    whole = Compiled.of(scenario)
    trial = asked_for(whole, cohort)
    scenario, rules = trial.scenario, trial.rules
    looks = rules.looks
    own = scenario.design
    stated = getattr(own, "response_prior", None) or getattr(own, "prior", None)
    chosen = prior or stated or JEFFREYS
    named = _rates(scenario, rates)
    one, truths, no_cases = _cases(trial)
    present = says = None
    if now is None:
        if (dose, at_dose, treated, all_toxicities) != (1, None, None, None):
            raise DesignError(
                "--dose, --at-dose, --treated and --all-toxicities say more about --now: state it"
            )
    else:
        if len(now) not in (2, 3):
            raise DesignError("--now takes patients and responses, and toxicities where known")
        place = now_of(one, *now, dose=dose, at_dose=at_dose, treated=treated, all_toxicities=all_toxicities)
        if max(place.toxicities or 0, place.all_toxicities or 0) and not _asks_for_toxicity(rules):
            raise DesignError(
                f"--now: patients with toxicity are stated, but this scenario has no toxicity rule and no look that "
                f"asks for toxicity, so nothing depends on them; write --now {place.n},{place.x}"
            )
        says = today(one, place)
        if says.does == "continue":
            present = _present(one, place, named, chosen, truths, no_cases)
    by_look = (
        "where looks begin again at a new dose, a count at a look does not say at which dose; state --now"
    )
    restarts = rules.on_dose_change == RESTART and rules.levels > 1
    counts: list[Count] = []
    if restarts:
        truths = {}
    several = [k for k in range(len(looks.n)) if not looks.is_final(k)]
    steps = len(truths) * sum(len(reachable(looks)[k]) for k in several)
    with long_work("conditional power at every count of every look", steps) as done:
        ticks = itertools.count(1)
        for k in several:
            counts += _counts(one, k, named, chosen, truths, lambda: done(next(ticks)))
    return Aids(
        scenario,
        rules,
        decision_table(trial),
        named,
        {name: from_the_start(looks, at_rate(rate)) for name, rate in named.items()},
        chosen,
        "asked" if prior else "design" if stated else "Jeffreys",
        tuple(counts),
        no_cases or (by_look if restarts else ""),
        present,
        says,
        cohort,
        whole.scenario if cohort else None,
    )


def _asks_for_toxicity(rules: Rules) -> bool:
    """Whether anything in a trial depends on how many patients have toxicity."""
    watched = (bound for level in rules.monitor.act_ge for bound in level[1:])
    return bool(rules.looks.too_toxic) or min(watched, default=NEVER) < NEVER


def _rates(scenario: Scenario, more: Sequence[float]) -> dict[str, float]:
    named = {
        name: rate for name in ("p0", "p1") if (rate := getattr(scenario.design, name, None)) is not None
    }
    for rate in more:
        if not 0 <= rate <= 1:
            raise DesignError(f"--rate {rate:g}: a response rate is a number from 0 to 1")
        named.setdefault(f"{rate:.12g}", rate)
    return named


def _cases(trial: Compiled) -> tuple[Rules, dict[str, Rates | Cells], str]:
    """The rules of one set of looks, what a patient amounts to in each case, and why there is no such answer."""
    scenario, rules = trial.scenario, trial.rules
    if why := not_exact(trial):
        return rules, {}, why
    if not scenario.own_rules:
        # a case whose response rate changes by date is left out; the report says so
        exact = [name for name in scenario.truth if not not_exact(trial, name)]
        why = "" if exact else not_exact(trial, next(iter(scenario.truth)))
        return rules, {name: trial.truth(name) for name in exact}, why
    by_cohort = {
        f"{name}, {cohort}": cells
        for name in scenario.truth
        for cohort, cells in zip(trial.cohorts, trial.by_cohort(name), strict=True)
    }
    if scenario.apart:
        return of_a_cohort(rules, groups_of(scenario)), dict(by_cohort), ""
    # a cohort by itself, at the starting dose: a boundary that cohorts share has no exact answer
    most = rules.max_treated // groups_of(scenario)
    one = Rules(rules.looks, Monitor(((NEVER,) * (most + 1),), (0,), (CONTINUE,)), rules.replaced, most)
    return one, {name: Cells(cells.table[:1]) for name, cells in by_cohort.items()}, ""


def _counts(
    rules: Rules,
    k: int,
    rates: dict[str, float],
    prior: tuple[float, float],
    truths: dict[str, Rates | Cells],
    tick: Callable[[], None],
) -> list[Count]:
    """Every count of responses with which look k can be met; ``tick`` is called for each of them in each case."""
    looks = rules.looks
    n, row = looks.n[k], looks.next[k]
    met = sorted(reachable(looks)[k])
    powers = {name: if_it_goes_on(looks, k, at_rate(rate)) for name, rate in rates.items()}
    predictive = if_it_goes_on(looks, k, by_prior(prior))
    given = {name: given_responses(rules, truth, k, met, tick) for name, truth in truths.items()}
    return [
        Count(
            n,
            x,
            DECISION_WORDS.get(row[x], "continue"),
            looks.n[following(looks, k, row[x])],
            {name: float(power[x]) for name, power in powers.items()},
            float(if_it_goes_on(looks, k, at_rate(x / n))[x]),
            float(predictive[x]),
            {name: Case(*cells[x]) for name, cells in given.items()},
        )
        for x in met
    ]


def _present(
    rules: Rules,
    now: Now,
    rates: dict[str, float],
    prior: tuple[float, float],
    truths: dict[str, Rates | Cells],
    no_cases: str,
) -> Present:
    """The trial as it stands, and how it will end."""
    looks: Looks = looks_ahead(rules, now)
    a, b = prior
    watched = rules.monitor.action[now.dose] != CONTINUE and any(
        bound <= m for m, bound in enumerate(rules.monitor.act_ge[now.dose]) if m
    )
    if not no_cases and watched and now.toxicities is None:
        no_cases = "the toxicities at the current dose are not stated (--now N,X,T)"
    if not no_cases and rules.looks.too_toxic and now.all_toxicities is None:
        where = "--all-toxicities T" if now.dose else "--now N,X,T"
        no_cases = f"the toxicities that the next look will count are not stated ({where})"
    return Present(
        now,
        looks.n[0] + now.n,
        {name: from_the_start(looks, at_rate(rate)) for name, rate in rates.items()},
        from_the_start(looks, at_rate(now.x / now.n)) if now.n else None,
        from_the_start(looks, by_prior((a + now.x, b + now.n - now.x))),
        {} if no_cases else {name: ahead(rules, truth, now) for name, truth in truths.items()},
        no_cases,
    )
