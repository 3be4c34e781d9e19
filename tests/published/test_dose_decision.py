"""The dose decision against the statistical model; tables computed apart from the project are in test_tables.py."""

from __future__ import annotations

from trialsim.designs.dose_choice import non_inferior


def test_posterior_probabilities_of_the_model():
    """MODEL: 23 and 46 evaluable, 3 responses, Jeffreys: 1, 2, 3 of them at the higher dose."""
    chances = non_inferior(23, 46, 0.05, (0.5, 0.5))
    assert [round(chances[x, 3 - x], 4) for x in (1, 2, 3)] == [0.7920, 0.4101, 0.0967]
