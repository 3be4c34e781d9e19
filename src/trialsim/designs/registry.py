"""Every design and toxicity rule there is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialsim.designs.bop2 import Bop2
from trialsim.designs.bop2_toxicity import Bop2Toxicity
from trialsim.designs.bryant_day import BryantDay
from trialsim.designs.curtailed import Curtailed
from trialsim.designs.dual_criterion import DualCriterion
from trialsim.designs.fleming import Fleming
from trialsim.designs.gehan import Gehan
from trialsim.designs.group_sequential import GroupSequential
from trialsim.designs.mander_thompson import ManderThompson
from trialsim.designs.multistage import Multistage
from trialsim.designs.optimal_looks import OptimalLooks
from trialsim.designs.pasted import PastedRules
from trialsim.designs.pasted_boundary import PastedBoundary
from trialsim.designs.posterior import PosteriorProbability
from trialsim.designs.predictive import PredictiveProbability
from trialsim.designs.sargent import Sargent
from trialsim.designs.simon import Simon
from trialsim.designs.single_stage import SingleStage
from trialsim.designs.swog import Swog
from trialsim.designs.toxicity import Amendment, KOfFirstM, NoRule, Pocock, Posterior

Design = Annotated[
    Simon
    | SingleStage
    | ManderThompson
    | Multistage
    | OptimalLooks
    | Fleming
    | Gehan
    | Swog
    | Sargent
    | Curtailed
    | PredictiveProbability
    | PosteriorProbability
    | Bop2
    | Bop2Toxicity
    | BryantDay
    | DualCriterion
    | PastedRules,
    Field(discriminator="kind"),
]
"""The registry: a new design is one file and its name here."""

WatchingRule = Annotated[
    Pocock | Posterior | GroupSequential | KOfFirstM | PastedBoundary, Field(discriminator="kind")
]
"""Rules with a boundary, of which there may be several at a dose."""

ToxicityRule = Annotated[
    Pocock | Posterior | GroupSequential | KOfFirstM | PastedBoundary | Amendment | NoRule,
    Field(discriminator="kind"),
]
