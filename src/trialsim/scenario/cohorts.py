"""Strata and cohorts: which groups of patients a trial enrols, and whose looks they enter."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator

from trialsim.designs.registry import Design
from trialsim.designs.spec import AsTuple, Spec, impossible
from trialsim.scenario.values import GroupName, listed

SUM = 1e-9
"""How far shares may be from adding up to 1."""


class Stratum(Spec):
    """A group of patients with rates of its own."""

    name: GroupName = Field(
        description="name of the stratum, as in `truth.<case>.cohorts`", title="name of the stratum"
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        default_factory=float,  # 0 until the strata are known together
        description="share of the patients who belong to it, from above 0 to 1; all shares add up to 1, as rounded "
        "(default: an equal part of what is left)",
        title="share of the stratum",
    )
    cohort: GroupName | None = Field(
        None,
        description="cohort that its patients enter (default: one of its own name)",
        title="cohort of the stratum",
    )

    @property
    def cohort_name(self) -> str:
        """The cohort of the stratum: as stated, else its own name."""
        return self.cohort or self.name


EVERYBODY = Stratum(name="all patients", share=1.0)
"""The one stratum of a trial that states none."""


def _rounded_by(share: float) -> float:
    """The most by which a share may have been rounded: half a unit of its last digit."""
    return 0.5 * 10.0 ** int(Decimal(str(share)).as_tuple().exponent)


class Cohorts(Spec):
    """The strata that arrive, and the cohorts they belong to."""

    rules: Literal["pooled", "own"] = Field(
        "pooled",
        description="pooled: all patients enter the same looks; own: each cohort runs the design by itself, with the "
        "dose and its toxicity rule shared unless `monitor` says otherwise",
        title="rules of the cohorts",
    )
    monitor: Literal["shared", "own"] = Field(
        "shared",
        description="shared: the toxicity rule counts the patients of all cohorts, who have one dose; own: each cohort "
        "has a dose and a toxicity boundary of its own (with `rules: own`)",
        title="toxicity monitoring of the cohorts",
    )
    strata: Annotated[tuple[Stratum, ...], AsTuple] = Field(
        min_length=1, max_length=40, description="1 to 40 strata, each with its name, share and cohort"
    )

    designs: dict[GroupName, Design] = Field(
        {},
        description="name of a cohort -> the design that it runs in place of `design`, with keys of its own as there "
        "(with `monitor: own`); a cohort that is not named runs `design`",
        title="designs of the cohorts",
    )

    _shared: str = PrivateAttr("")

    @property
    def shares_from(self) -> str:
        """How the shares came to add up to 1, where the file does not state them so; else ""."""
        return self._shared

    @property
    def names(self) -> tuple[str, ...]:
        """The cohorts, in the order in which the strata mention them."""
        return tuple(dict.fromkeys(stratum.cohort_name for stratum in self.strata))

    @model_validator(mode="after")
    def _possible(self) -> Cohorts:
        if self.monitor == "own" and self.rules != "own":
            raise impossible("monitor", "a boundary for each cohort needs looks for each: `rules: own`")
        self._check_designs()
        self._share_out()
        cohort_of: dict[str, str] = {}
        for i, stratum in enumerate(self.strata):
            if stratum.name in cohort_of:
                raise impossible(f"strata.{i}.name", f"`{stratum.name}` is already the name of a stratum")
            cohort_of[stratum.name] = stratum.cohort_name
        for i, stratum in enumerate(self.strata):
            cohort = stratum.cohort_name
            if cohort_of.get(cohort, cohort) != cohort:
                raise impossible(
                    f"strata.{i}.cohort",
                    f"`{cohort}` is a stratum of the cohort `{cohort_of[cohort]}`, so it cannot be a cohort too",
                )
        return self

    def _check_designs(self) -> None:
        """Designs are those of cohorts, and leave one to whom the scenario's `design` belongs."""
        if self.designs and self.monitor != "own":
            raise impossible(
                "designs",
                "a design for each cohort needs a toxicity boundary for each too: `rules: own` and `monitor: own`",
            )
        for name in self.designs:
            if name not in self.names:
                raise impossible(
                    f"designs.{name}", f"`{name}` is no cohort (those are: {listed(self.names)})"
                )
        if self.designs and len(self.designs) == len(self.names):
            raise impossible(
                "designs",
                "every cohort has a design here, so that none runs `design`: leave out those that are the same as it, "
                "or make the design of one of them `design`",
            )

    def _share_out(self) -> None:
        """Shares that are left out are equal parts of the rest; rounded ones are taken in proportion."""
        stated = [stratum.share for stratum in self.strata]
        total, left_out = sum(stated), stated.count(0.0)
        if left_out and total >= 1:
            raise impossible(
                "strata", f"the shares stated add up to {total:.12g}: nothing is left for the others"
            )
        if left_out:
            self._shared = (
                "equal parts"
                if not total
                else "equal parts of what the stated ones leave, where none is stated"
            )
            shares = [share or (1 - total) / left_out for share in stated]
        elif abs(total - 1) <= SUM:
            return
        elif abs(total - 1) < min(sum(map(_rounded_by, stated)), 0.02):
            self._shared = f"stated as {listed(tuple(f'{share:g}' for share in stated))}, taken in proportion"
            shares = [share / total for share in stated]
        else:
            raise impossible("strata", f"the shares must add up to 1; they add up to {total:.12g}")
        strata = tuple(
            stratum.model_copy(update={"share": share})
            for stratum, share in zip(self.strata, shares, strict=True)
        )
        for before, after in zip(self.strata, strata, strict=True):
            after.__pydantic_fields_set__.intersection_update(
                before.model_fields_set
            )  # left out stays left out
        self.__dict__["strata"] = strata  # frozen for everybody else

    def pooled(self, members: Sequence[Stratum]) -> Cohorts:
        """Some of the strata alone, in one set of looks; their shares are those among themselves."""
        whole = sum(stratum.share for stratum in members)
        shared = [s.model_copy(update={"share": s.share / whole, "cohort": None}) for s in members]
        return Cohorts.model_construct(rules="pooled", strata=tuple(shared))

    def knows(self, name: str) -> bool:
        """Whether a name is that of a stratum or a cohort."""
        return name in self.names or any(name == stratum.name for stratum in self.strata)

    def all_names(self) -> str:
        """Every stratum and cohort, for a message."""
        return listed(tuple(dict.fromkeys([*(stratum.name for stratum in self.strata), *self.names])))
