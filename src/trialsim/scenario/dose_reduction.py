"""What toxicity does to later patients: one rule or several, and what they are together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trialsim.designs.registry import ToxicityRule, WatchingRule
from trialsim.designs.spec import AsTuple, Spec, impossible
from trialsim.scenario.values import listed

MAX_RULES = 8


class DoseReduction(Spec):
    """What toxicity at a dose does to the patients who come after."""

    rule: ToxicityRule | None = Field(None, description="the one toxicity rule", title="toxicity rule")
    rules: Annotated[tuple[WatchingRule, ...], AsTuple, Field(min_length=1, max_length=MAX_RULES)] | None = (
        Field(
            None,
            description="in place of `rule`: several rules, each with its action; they act at the first patient at "
            "whom any of them is met, and stop comes before reduce",
            title="toxicity rules",
        )
    )
    at_lowest_dose: Literal["stop", "continue"] = Field(
        "stop",
        description="when the rule acts at the last dose: stop the trial, or go on",
        title="what the toxicity rule does at the lowest dose",
    )
    on_dose_change: Literal["pooled", "new_dose_only", "restart"] = Field(
        "pooled",
        description="who is analysed after a dose change. pooled: all patients, cut-offs unchanged; new_dose_only: "
        "patients at the new dose, with the cut-off for their number; restart: a fresh trial at the new dose",
        title="who is analysed after a dose change",
    )

    @model_validator(mode="after")
    def _possible(self) -> DoseReduction:
        if self.rule is None and self.rules is None:
            raise impossible("rule", "missing; expected here: the toxicity rule, or `rules`, several of them")
        if self.rule is not None and self.rules is not None:
            raise impossible("rules", "state `rule` or `rules`, not both")
        combined = [i for i, rule in enumerate(self.rules or ()) if getattr(rule, "combined_phi", None)]
        if getattr(self.rule, "combined_phi", None):
            raise impossible("rule.combined_phi", "there is one rule: state its `phi`")
        if self.rules and len(self.rules) == 1 and combined:
            raise impossible("rules.0.combined_phi", "there is one rule: state its `phi`")
        if len(combined) > 1:
            raise impossible(
                f"rules.{combined[1]}.combined_phi", "only one rule can take what the others leave"
            )
        return self

    @property
    def stated(self) -> tuple[ToxicityRule, ...]:
        """The rules, whether one or several are stated."""
        return self.rules if self.rules is not None else (self.rule,) if self.rule is not None else ()

    @property
    def kind(self) -> str:
        """The kind of the rule; ``several`` where there is more than one."""
        return self.stated[0].kind if len(self.stated) == 1 else "several"

    @property
    def limit(self) -> float | None:
        """The highest acceptable toxicity rate, where the rules name one and the same."""
        limits = {limit for rule in self.stated if (limit := getattr(rule, "limit", None)) is not None}
        return limits.pop() if len(limits) == 1 else None

    @property
    def may_stop(self) -> bool:
        """Whether a rule stops the trial where it is met, at some dose."""
        watching = [rule for rule in self.stated if rule.kind not in ("none", "amendment")]
        stops = any(getattr(rule, "action", None) == "stop" for rule in watching)
        return stops or (bool(watching) and self.at_lowest_dose == "stop")

    def place(self, i: int) -> str:
        """Where the i-th rule stands in the block."""
        return "rule" if self.rules is None else f"rules.{i}"

    def check(self, doses: tuple[str, ...]) -> None:
        """Refuse doses that there are not."""
        for i, rule in enumerate(self.stated):
            for dose in getattr(rule, "levels", None) or ():
                if dose not in doses:
                    raise impossible(
                        f"dose_reduction.{self.place(i)}.levels",
                        f"`{dose}` is none of the doses (those are: {listed(doses)})",
                    )

    def check_size(self, most: int) -> None:
        """Refuse a rule that would first or last look after the last of so many patients."""
        for i, rule in enumerate(self.stated):
            key = f"dose_reduction.{self.place(i)}"
            last, first = getattr(rule, "last_look", 0), getattr(rule, "min_n", None) or 0
            if last > most:
                where = "boundary" if rule.kind == "pasted" else "looks"
                raise impossible(
                    f"{key}.{where}", f"no look comes after {last} of {most} patients; at most {most}"
                )
            searched = rule.kind == "pocock" or getattr(rule, "phi", None) is not None
            if searched and first > most:
                raise impossible(
                    f"{key}.min_n", f"no look comes after {first} of {most} patients; at most {most}"
                )
