"""A table of decisions pasted into the scenario: any design that looks at fixed numbers of patients."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from trialsim.codes import CONSIDER, FUTILE, GO, NEVER
from trialsim.designs.error_rates import check_rates
from trialsim.designs.rules import Looks
from trialsim.designs.spec import AsTuple, OpenProbability, Patients, Spec, impossible

_WORDS = {"futile": FUTILE, "go": GO, "consider": CONSIDER}

Decision = Annotated[
    Literal["futile", "go", "consider"] | Patients,
    Field(union_mode="left_to_right"),
]


def _by_count(value: Any) -> Any:
    """JSON has no whole numbers for keys: there ``{"2": "go"}`` stands for ``{2: go}``."""
    if not isinstance(value, dict):
        return value
    return {int(key) if isinstance(key, str) and key.isdecimal() else key: to for key, to in value.items()}


def as_rules(looks: Looks) -> list[dict[str, Any]]:
    """Looks as ``kind: rules`` takes them."""
    words = {code: word for word, code in _WORDS.items()}
    rows: list[dict[str, Any]] = []
    for k, n in enumerate(looks.n):
        leads = {start: words.get(code) or looks.n[code] for start, _, code in looks.ranges(k)}
        toxic = looks.toxic_ge[k] if looks.toxic_ge else NEVER
        rows.append({"n": n, "next": leads} | ({"toxic_ge": toxic} if toxic < NEVER else {}))
    return rows


class Look(Spec):
    """One look: decisions by the number of responses so far."""

    n: Patients = Field(description="patients known when this look happens")
    next: Annotated[dict[int, Decision], BeforeValidator(_by_count)] = Field(
        description="decision from this many responses upwards, starting at 0: futile, go, consider, "
        "or the n of a later look"
    )
    toxic_ge: Patients | None = Field(
        None,
        description="stop for toxicity, whatever the responses, if so many of the n patients have toxicity",
    )


class PastedRules(Spec):
    """A design given as its decision table, e.g. ``{n: 25, next: {0: futile, 2: 70}}``."""

    kind: Literal["rules"]
    looks: Annotated[tuple[Look, ...], AsTuple] = Field(min_length=1, max_length=200)
    p0: OpenProbability | None = Field(None, description="unacceptable response rate, for the report")
    p1: OpenProbability | None = Field(None, description="desirable response rate, for the report")

    @property
    def watches_toxicity(self) -> bool:
        """Whether any look counts toxicities."""
        return any(look.toxic_ge is not None for look in self.looks)

    @model_validator(mode="after")
    def _possible(self) -> PastedRules:
        check_rates(self.p0, self.p1)
        sizes = [look.n for look in self.looks]
        for k, look in enumerate(self.looks):
            here = f"looks.{k}"
            if k and look.n <= sizes[k - 1]:
                raise impossible(f"{here}.n", f"looks must grow: n = {look.n} follows n = {sizes[k - 1]}")
            starts = list(look.next)
            if not starts or starts[0] != 0 or any(a >= b for a, b in zip(starts, starts[1:], strict=False)):
                raise impossible(f"{here}.next", "response counts must start at 0 and increase")
            if look.toxic_ge is not None and look.toxic_ge > look.n:
                raise impossible(
                    f"{here}.toxic_ge", f"{look.toxic_ge} toxicities among n = {look.n} patients cannot be"
                )
            if starts[-1] > look.n:
                raise impossible(
                    f"{here}.next", f"{starts[-1]} responses among n = {look.n} patients cannot be"
                )
            leads_on = any(isinstance(decision, int) for decision in look.next.values())
            if leads_on and "consider" in look.next.values():
                raise impossible(
                    f"{here}.next", "`consider` is a decision of a final look, not of an interim look"
                )
            for decision in look.next.values():
                if isinstance(decision, int) and decision not in sizes[k + 1 :]:
                    later = ", ".join(map(str, sizes[k + 1 :])) or "none"
                    raise impossible(
                        f"{here}.next", f"{decision} is not the n of a later look (those are: {later})"
                    )
        reached = {
            self.looks[0].n,
            *(d for look in self.looks for d in look.next.values() if isinstance(d, int)),
        }
        for k, look in enumerate(self.looks):
            if look.n not in reached:
                raise impossible(f"looks.{k}.n", f"no earlier look leads to this one at n = {look.n}")
        return self

    def compile(self) -> Looks:
        """The decision table as Looks."""
        index = {look.n: k for k, look in enumerate(self.looks)}
        rows = []
        for look in self.looks:
            row: list[int] = []
            steps = sorted(look.next.items())
            for (start, decision), end in zip(steps, [*(s for s, _ in steps[1:]), look.n + 1], strict=True):
                code = index[decision] if isinstance(decision, int) else _WORDS[decision]
                row += [code] * (end - start)
            rows.append(tuple(row))
        toxic_ge = tuple(NEVER if look.toxic_ge is None else look.toxic_ge for look in self.looks)
        return Looks(tuple(index), tuple(rows), toxic_ge if self.watches_toxicity else ())
