"""Random scenarios that are valid: every design x toxicity rule x doses x cohorts x calendar x what is asked of them.

``scenario(seed)`` is the same for ever. Sizes are small, so that a thousand of them can be answered; values are
ordinary ones and the ends of what the schema allows.
"""

from __future__ import annotations

import random
from typing import Any

import yaml

from trialsim.errors import TrialsimError
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

Block = dict[str, Any]

SEARCHES: tuple[Block, ...] = (
    {"kind": "simon", "criterion": "minimax", "p0": 0.1, "p1": 0.35, "alpha": 0.1, "beta": 0.2},
    {"kind": "simon", "criterion": "admissible", "weight": 0.5, "p0": 0.2, "p1": 0.5, "alpha": 0.1, "beta": 0.1},
    {"kind": "single_stage", "criterion": "stable", "p0": 0.1, "p1": 0.35, "alpha": 0.1, "beta": 0.2},
    {"kind": "curtailed", "p0": 0.1, "p1": 0.5, "alpha": 0.1, "beta": 0.2},
    {"kind": "mander_thompson", "criterion": "h1_optimal", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2},
    {"kind": "sargent", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.1, "eta": 0.8, "pi": 0.8},
    {"kind": "multistage", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2, "efficacy_stop": True},
    {"kind": "bop2", "looks": [5, 10, 20], "p0": 0.1, "p1": 0.4, "alpha": 0.1},
    {"kind": "bop2_toxicity", "looks": [8, 16, 24], "p0": 0.1, "p1": 0.4, "toxicity": [0.4, 0.2], "alpha": 0.1},
    {"kind": "bryant_day", "p0": 0.2, "p1": 0.5, "toxicity": [0.4, 0.15], "alpha": 0.15, "beta": 0.2},
    {
        "kind": "predictive_probability", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2, "prior": [0.5, 0.5],
        "min_n": 5, "every": 5, "nmax": 30,
    },
    {
        "kind": "posterior_probability", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2, "prior": [0.2, 0.8],
        "p_l": 0.05, "every": 3, "nmax": 40,
    },
    {"kind": "dual_criterion", "p0": 0.1, "p1": 0.4, "decision_value": 0.25, "alpha": 0.1, "beta": 0.2},
    {"kind": "swog", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2},
)  # fmt: skip
"""Designs that are searched for; each is found at once."""

STATED = (
    "simon", "single_stage", "multistage", "curtailed", "mander_thompson", "sargent", "swog", "fleming", "gehan",
    "predictive_probability", "posterior_probability", "bop2", "bop2_toxicity", "bryant_day", "dual_criterion",
    "rules",
)  # fmt: skip

VARIANT_CHANGES: tuple[Block, ...] = (
    {"truth.a.response": 0.55},
    {"truth.*.odds_ratio": 3.5},
    {"truth.a.toxicity": 0.45},
    {"evaluability.probability": 0.83},
    {"conduct.review_lag_weeks": 3.25},
    {"conduct.interim": "early_decision"},
    {"conduct.accrual.per_month": 2.5},
    {"dose_reduction.at_lowest_dose": "continue"},
    {"dose_reduction.on_dose_change": "restart"},
    {"dose_reduction.rule.limit": 0.27},
)

INPUTS: tuple[tuple[str, float, float], ...] = (
    ("truth.a.response", 0.1, 0.4),
    ("truth.a.toxicity", 0.1, 0.5),
    ("truth.a.odds_ratio", 0.5, 3),
    ("evaluability.probability", 0.8, 0.99),
    ("conduct.accrual.per_month", 1, 8),
    ("dose_reduction.rule.limit", 0.2, 0.4),
)

QUANTITIES = ("p_go", "pet", "en", "responses", "p_stop_futility", "toxicities", "p_dose_reduced")
TIMED = (
    "duration_months",
    "paused_months",
    "relative_dose_intensity",
    "duration_p90_months",
)


def scenario(seed: int) -> str:
    """The text of a valid scenario."""
    draw = Draw(seed)
    while not possible(found := draw.trial()):
        pass  # what two blocks forbid each other, such as replacement where looks count toxicities
    for block, asked in (("variants", draw.variants(found)), ("sensitivity", draw.sensitivity(found))):
        kept = {name: each for name, each in asked.items() if possible({**found, block: {name: each}})}
        if kept:
            found[block] = kept
    return written(found)


def written(found: Block) -> str:
    """A scenario as YAML."""
    return yaml.safe_dump(found, sort_keys=False)


def possible(found: Block) -> bool:
    """Whether a scenario is valid, and its rules fit its size: a look at toxicity must come within the trial."""
    try:
        _ = Compiled.of(
            parse(written(found))
        ).calendar  # which may take centuries to fill its smallest cohort
    except TrialsimError:
        return False
    return True


class Draw:
    """Blocks of a scenario at random."""

    def __init__(self, seed: int) -> None:
        self.seed, self.random = seed, random.Random(seed)

    def some(self, chance: float) -> bool:
        """True with this chance."""
        return self.random.random() < chance

    def rate(self, low: float = 0.0, high: float = 1.0) -> float:
        """A rate; now and then an end of the interval."""
        if self.some(0.06):
            return self.random.choice((low, high))
        return float(f"{self.random.uniform(low, high):.4g}")

    def count(self, most: int) -> int:
        """A number from 0 to ``most``, rather a small one."""
        return min(self.random.randint(0, most), self.random.randint(0, most))

    def trial(self) -> Block:
        """Everything but what is asked about other trials; not always valid."""
        self.doses = self.random.choice((1, 1, 2, 2, 3))
        self.strata: list[Block] = []
        design = self.design()
        found: Block = {
            "schema": 1,
            "name": f"valid {self.seed}",
            "endpoint": "response",
            "design": design,
            "doses": ["100 mg", "90 mg", "80 mg"][: self.doses],
        }
        if self.some(0.5):
            found["dose_amounts"] = [100.0, 90.0, 80.0][: self.doses]
        if self.some(0.35):
            found["cohorts"] = self.cohorts()
        calendar = self.some(0.5)
        if self.some(0.7):
            found["dose_reduction"] = {
                "rule": self.rule(calendar),
                "at_lowest_dose": self.random.choice(("stop", "continue")),
            }
            if self.doses > 1 and self.some(0.5):
                found["dose_reduction"]["on_dose_change"] = self.random.choice(("new_dose_only", "restart"))
        if self.some(0.4):
            found["evaluability"] = {
                "probability": self.rate(0.4),
                "replaced": self.some(0.5),
                "inevaluable": self.random.choice(("independent", "independent", "nonresponders")),
            }
        cases = self.random.randint(1, 3)
        found["truth"] = {name: self.case("dose_amounts" in found) for name in "abc"[:cases]}
        if calendar:
            found["conduct"] = self.conduct("dose_amounts" in found)
        if self.some(0.4):
            found["observed"] = self.observed()
        if self.some(0.1):
            found["related_trials"] = [{"name": "another", "evaluable": 20, "responses": self.count(20)}]
        if self.some(0.2):
            found["sources"] = {
                "design": {"assumed": True},
                "truth": {"assumed": self.some(0.5), "note": "x"},
            }
        found["simulation"] = {
            "replicates": self.random.choice((1, 20, 50, 100, 200, 1000)),
            "seed": self.random.randrange(2**20),
        }
        return found

    def variants(self, found: Block) -> Block:
        """Changes of the scenario, where their blocks are there."""
        changes = [change for change in VARIANT_CHANGES if self.some(0.3) and self.leads(found, change)]
        return {f"variant {k}": change for k, change in enumerate(changes)}

    def leads(self, found: Block, change: Block) -> bool:
        """Whether the blocks that a change needs are there."""
        return all(path.split(".")[0] in (*found, "evaluability") for path in change)

    # -- the trial

    def design(self) -> Block:
        if self.some(0.25):
            return dict(self.random.choice(SEARCHES))
        kind = self.random.choice(STATED)
        n1 = self.random.randint(1, 15)
        n = n1 + self.random.randint(1, 20)
        p0 = self.rate(0.02, 0.4)
        p1 = float(f"{p0 + self.random.uniform(0.05, 0.4):.4g}")
        r1 = self.count(n1 - 1)
        r = r1 + self.count(n - r1 - 1)
        rates = {"p0": p0, "p1": p1} if self.some(0.8) else {}
        prior = [self.random.choice((0.1, 0.5, 1.0, 2.0)), self.random.choice((0.5, 1.0, 3.0))]
        sizes = sorted(self.random.sample(range(1, 40), self.random.randint(2, 5)))
        found: Block = {"kind": kind, **rates}
        match kind:
            case "simon":
                found |= {"n1": n1, "r1": r1, "n": n, "r": r}
            case "single_stage":
                n = self.random.choice((1, 2, n))
                found |= {"n": n, "r": self.count(n - 1)}
            case "multistage":
                stops = sorted(self.count(min(sizes)) for _ in sizes)
                found |= {
                    "n": sizes,
                    "stop_le": [s if self.some(0.8) else None for s in stops[:-1]] + stops[-1:],
                }
                if self.some(0.5):
                    found["go_gt"] = [stops[-1] + 1 if self.some(0.5) else None for _ in sizes[:-1]]
            case "curtailed":
                found |= {"n": n, "r": r}
                if self.some(0.5):
                    found |= {"n1": n1, "r1": min(r1, r)}
                if self.some(0.3) and rates:
                    found |= {"futility_below": 0.1, "go_above": 0.95}
            case "mander_thompson":
                found |= {"n1": n1, "r1": r1, "a1": self.random.randint(r1, n1), "n": n, "r": r}
            case "sargent":
                found |= {"n1": n1, "r1": r1, "n": n, "r": r, "s": self.random.randint(r + 1, n)}
            case "swog":
                found |= {"p0": p0, "p1": p1, "n1": n1, "n": n}
            case "fleming":
                found |= {"p0": p0, "p1": p1, "alpha": 0.05, "n": sizes[-3:]}
            case "gehan":
                found |= {"p0": p0, "p1": max(p1, 0.15), "miss": 0.1, "standard_error": 0.12}
            case "predictive_probability":
                found |= {
                    "p0": p0, "prior": prior, "n": n, "theta_l": self.rate(0, 0.3), "theta_t": self.rate(0.5, 0.99),
                    "theta_u": self.random.choice((1.0, 0.95)), "min_n": n1, "every": self.random.randint(1, 5),
                }  # fmt: skip
            case "posterior_probability":
                found |= {
                    "p0": p0, "prior": prior, "n": n, "p_l": self.rate(0, 0.3), "p_u": self.rate(0.7, 1),
                    "min_n": n1, "every": self.random.randint(1, 5), "delta": self.random.choice((0.0, 0.1)),
                }  # fmt: skip
                if self.some(0.3):
                    found["standard_prior"] = [5.0, 20.0]
            case "bop2":
                found |= {"p0": p0, "looks": sizes, "lambda": self.rate(0.5, 0.99), "gamma": self.rate(0, 2)}
                if self.some(0.4):
                    found["eta"] = self.rate(0, 3)
            case "bop2_toxicity":
                found |= {
                    "p0": p0, "looks": sizes, "toxicity": [0.4, 0.2], "lambda": self.rate(0.5, 0.99),
                    "gamma": self.rate(0, 2),
                }  # fmt: skip
            case "bryant_day":
                b1 = self.random.randint(1, n1 + 1)
                found |= {"n1": n1, "r1": r1, "b1": b1, "n": n, "r": r, "b": self.random.randint(b1, n + 1)}
            case "dual_criterion":
                found |= {"p0": p0, "decision_value": self.random.uniform(p0, 0.9), "n": n}
                if self.some(0.4):
                    found |= {"n1": n1, "r1": r1}
            case "rules":
                ends = [0, *sorted(self.random.sample(range(1, n + 1), 2))] if n > 2 else [0, 1]
                last = dict(
                    zip(ends, self.random.sample(("futile", "consider", "go"), len(ends)), strict=True)
                )
                found["looks"] = [
                    {"n": n1, "next": {0: "futile", r1 + 1: n}},
                    {"n": n, "next": last},
                ]
                if self.some(0.3):
                    found["looks"][-1]["toxic_ge"] = self.random.randint(1, n)
        return found

    def rule(self, calendar: bool) -> Block:
        limit = self.rate(0.1, 0.6)
        rules: list[Block] = [
            {"kind": "pocock", "limit": limit, "phi": self.random.choice((0.05, 0.1, 0.3))},
            {"kind": "posterior", "limit": limit, "cutoff": 0.9, "prior": [0.6, 1.4], "min_n": 3},
            {"kind": "group_sequential", "limit": limit, "phi": 0.1, "looks": [4, 8, 16]},
            {"kind": "k_of_first_m", "k": 3, "m": self.random.randint(3, 12)},
            {"kind": "none"},
        ]
        if self.doses > 1:
            rules.append({"kind": "amendment", "after_patient": self.random.randint(1, 12)})
            if calendar:
                rules.append({"kind": "amendment", "after_month": self.random.uniform(0.5, 20)})
        return self.random.choice(rules)

    def cohorts(self) -> Block:
        number = self.random.randint(1, 4)
        # shares in whole hundredths add up to 1
        cuts = [0, *sorted(self.random.sample(range(1, 100), number - 1)), 100]
        self.strata = [
            {
                "name": f"S{k}",
                "share": (cuts[k + 1] - cuts[k]) / 100,
                **({"cohort": "C"} if self.some(0.3) else {}),
            }
            for k in range(number)
        ]
        return {"rules": self.random.choice(("pooled", "own")), "strata": self.strata}

    def rates(self, high: float = 1.0) -> Any:
        return [self.rate(0, high) for _ in range(self.doses)] if self.some(0.6) else self.rate(0, high)

    def case(self, amounts: bool) -> Block:
        found: Block = {"response": self.rates(self.random.choice((1.0, 0.5)))}
        if amounts and self.some(0.2):
            found["response"] = {"at_first": self.rate(0.05, 0.6), "slope": self.random.uniform(-3, 5)}
        if self.some(0.85):
            found["toxicity"] = self.rates(self.random.choice((1.0, 0.5)))
            if self.some(0.4):
                found["odds_ratio"] = self.random.choice((0.25, 1.0, 4.0, 1e-12, 1e6))
            if self.some(0.3):
                stated = found["toxicity"]
                found["serious"] = [t / 2 for t in stated] if isinstance(stated, list) else stated / 2
        if self.some(0.4):
            found["stable_disease"] = self.rates()
        if self.strata and self.some(0.5):
            group = self.random.choice(self.strata)
            found["cohorts"] = {group.get("cohort", group["name"]): {"response": self.rates()}}
        return found

    def conduct(self, amounts: bool) -> Block:
        visits = sorted(self.random.sample((1.5, 4.0, 8.0, 9.0, 16.0, 24.0, 52.0), self.random.randint(1, 4)))
        per_month: Block = {"per_month": self.random.choice((0.5, 1.0, 4.0, 20.0, 1000.0))}
        found: Block = {
            "accrual": self.random.choice(
                (
                    per_month,
                    per_month,
                    {"per_month": [1.0, 4.0], "from_month": [0, 6]},
                    {"sites": {"number": 5, "over_months": 9.0, "per_site_per_month": 0.6}},
                )
            ),
            "assessment_weeks": visits,
            "confirmed": len(visits) > 1 and self.some(0.6),
            "toxicity_window_weeks": self.random.choice((1.0, 8.0, 24.0, 520.0)),
            "toxicity_known": self.random.choice(("complete_only", "as_it_happens")),
            "interim": self.random.choice(("pause", "continue", "early_decision")),
            "overrun": self.random.choice(("count", "exclude")),
            "during_amendment": self.random.choice(("old_dose", "hold", "switch")),
        }
        if self.some(0.2):
            found["accrual"]["screening_failure"] = self.rate(0, 0.9)
        for key, values in {
            "progression_median_weeks": (0.1, 8.0, 100.0),
            "withdrawal_per_month": (0.0, 0.1, 10.0),
            "review_lag_weeks": (1.0, 20.0),
            "amendment_lag_weeks": (0.5, 26.0),
            "early_onset": (0.01, 0.9),
            "disease_control_week": (1.0, 24.0),
        }.items():
            if self.some(0.3):
                found[key] = self.random.choice(values)
        if len(visits) > 2 and self.some(0.4):
            found["first_seen"] = [0.25, 0.75]
        if amounts and self.some(0.4):
            found["patient_reductions"] = {
                "hold_weeks": 2.0, "max_reductions": self.random.randint(0, 2), "exposure_weight": self.rate(),
            }  # fmt: skip
        return found

    # -- what is asked about it

    def observed(self) -> Block:
        treated = self.random.randint(1, 40)
        evaluable = self.random.randint(1, treated)
        responses = self.count(evaluable)
        found: Block = {"treated": treated, "evaluable": evaluable, "responses": responses}
        if self.some(0.4):
            found["toxicities"] = self.count(treated)
        if self.some(0.2):
            found["disease_control"] = self.random.randint(responses, evaluable)
        if self.some(0.4):
            found["dose_reduced"] = self.some(0.5)
        if self.some(0.3):
            at_first = self.random.randint(0, evaluable)
            found["evaluable_by_dose"] = [at_first, *([0] * (self.doses - 2)), evaluable - at_first][
                -self.doses :
            ]
        if self.some(0.3):
            size = self.random.randint(1, evaluable)
            found["stage1"] = {"evaluable": size, "responses": self.count(min(size, responses))}
        if self.strata and self.some(0.4):
            found["cells"] = [
                {"cohort": self.strata[0].get("cohort", self.strata[0]["name"]), "evaluable": evaluable}
            ]
        return found

    def sensitivity(self, found: Block) -> Block:
        names = QUANTITIES + TIMED if "conduct" in found else QUANTITIES
        if self.some(0.3):
            return {}
        inputs = [each for each in INPUTS if self.leads(found, {each[0]: 0}) and self.some(0.6)]
        if not inputs:
            return {}
        path, low, high = self.random.choice(inputs)
        whole = not {"dose_reduction", "cohorts"} & set(found)  # has an exact answer
        case = {"case": "a", **({"engine": "at_once"} if self.some(0.15) and whole else {})}

        def quantity() -> Block:
            return {**case, "quantity": self.random.choice(names)}

        asked: Block = {
            "tornado": {
                **case,
                "quantities": self.random.sample(names, 2),
                "inputs": {each: [a, b] for each, a, b in inputs},
            },
            "grids": {
                **quantity(),
                "over": {each: {"from": a, "to": b, "steps": 3} for each, a, b in inputs[:2]},
            },
            "priors": {**quantity(), "draws": 64, "replicates": 100, "inputs": {path: {"uniform": [low, high]}}},
            "thresholds": {
                **quantity(), "input": path, "from": low, "to": high,
                self.random.choice(("below", "above")): self.random.choice((0.0, 0.1, 0.5, 0.9, 15)),
            },
            "worst_case": {
                **quantity(),
                "worst": self.random.choice(("highest", "lowest")),
                "over": {each: [a, b] for each, a, b in inputs[:2]},
            },
        }  # fmt: skip
        return {kind: {kind.replace("_", " "): block} for kind, block in asked.items() if self.some(0.4)}
