"""Every reference table that ships with the package."""

from __future__ import annotations

from trialsim.qualification.comparing import Reference
from trialsim.qualification.tables import (
    anytime,
    controls,
    doses,
    doubt,
    frontier,
    inference,
    pending,
    redesigns,
    several_looks,
    toxicity,
    two_endpoints,
    two_stages,
)

HOMES = (
    two_stages, several_looks, frontier, two_endpoints, toxicity, inference, doubt, doses, controls, redesigns,
    pending, anytime,
)  # fmt: skip

REFERENCES: tuple[Reference, ...] = tuple(reference for home in HOMES for reference in home.REFERENCES)
