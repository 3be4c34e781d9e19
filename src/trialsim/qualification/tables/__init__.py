"""Every reference table that ships with the package."""

from __future__ import annotations

from trialsim.qualification.comparing import Reference
from trialsim.qualification.tables import (
    doses,
    doubt,
    inference,
    redesigns,
    several_looks,
    toxicity,
    two_endpoints,
    two_stages,
)

REFERENCES: tuple[Reference, ...] = tuple(
    reference
    for home in (two_stages, several_looks, two_endpoints, toxicity, inference, doubt, doses, redesigns)
    for reference in home.REFERENCES
)
