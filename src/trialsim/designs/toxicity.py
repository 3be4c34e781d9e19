"""Toxicity rules: when a dose level is left because too many of its patients had toxicity (act if >= b)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trialsim.designs.spec import AsTuple, OpenProbability, Patients, Spec, impossible


class Pocock(Spec):
    """Constant-tail boundary of Ivanova, Qaqish & Schell, Biometrics 2005;61:540-545: after each patient."""

    kind: Literal["pocock"]
    limit: OpenProbability = Field(description="highest acceptable toxicity rate")
    phi: OpenProbability = Field(description="largest probability of ever crossing when the rate is the limit")


class Posterior(Spec):
    """Act when P(toxicity rate > limit | data) > cutoff under a Beta prior, from ``min_n`` patients on."""

    kind: Literal["posterior"]
    limit: OpenProbability = Field(description="highest acceptable toxicity rate")
    cutoff: OpenProbability = Field(description="posterior probability of exceeding the limit that triggers action")
    prior: Annotated[tuple[float, float], AsTuple] = Field(description="[a, b] of the Beta prior")
    min_n: Patients = Field(1, description="first patient after which the rule applies")

    @model_validator(mode="after")
    def _possible(self) -> Posterior:
        if min(self.prior) <= 0:
            raise impossible("prior", "both parameters of the Beta prior must be above 0")
        return self


class KOfFirstM(Spec):
    """Act when k of the first m patients at the dose had toxicity, e.g. 6 of the first 12."""

    kind: Literal["k_of_first_m"]
    k: Patients = Field(description="toxicities that trigger action")
    m: Patients = Field(description="patients at the dose that are watched")

    @model_validator(mode="after")
    def _possible(self) -> KOfFirstM:
        if self.k > self.m:
            raise impossible("k", f"k = {self.k} toxicities cannot occur among m = {self.m} patients")
        return self


class Amendment(Spec):
    """Leave the dose after a stated patient of the trial whatever was seen, as a protocol amendment does."""

    kind: Literal["amendment"]
    after_patient: Patients | Annotated[tuple[Patients, ...], AsTuple] = Field(
        description="last patient at the starting dose (a list: at each dose but the last)"
    )


class NoRule(Spec):
    """Toxicity changes nothing."""

    kind: Literal["none"]
