"""Designs and toxicity rules: one file each, all compiled to the same tables (``rules.py``)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialsim.designs.pasted import PastedRules
from trialsim.designs.simon import Simon
from trialsim.designs.single_stage import SingleStage
from trialsim.designs.toxicity import Amendment, KOfFirstM, NoRule, Pocock, Posterior

Design = Annotated[Simon | SingleStage | PastedRules, Field(discriminator="kind")]
"""The registry: a new design is one file and its name here."""

ToxicityRule = Annotated[Pocock | Posterior | KOfFirstM | Amendment | NoRule, Field(discriminator="kind")]
