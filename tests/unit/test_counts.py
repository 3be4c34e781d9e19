"""Tables of responses and toxicities that are kept only where there is any probability."""

from __future__ import annotations

import numpy as np
import pytest

from trialsim.ongoing.counts import NEGLIGIBLE, Counts


def whole(counts: Counts | None, size: int = 12) -> np.ndarray:
    table = np.zeros((size, size))
    if counts is not None:
        rows, columns = counts.p.shape
        table[counts.responses : counts.responses + rows, counts.toxicities : counts.toxicities + columns] = (
            counts.p
        )
    return table


def random_counts(rng: np.random.Generator) -> Counts:
    return Counts(*rng.integers(0, 5, 2).tolist(), rng.random(tuple(rng.integers(1, 6, 2))))


def test_every_step_is_that_of_the_whole_table() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        one, other = random_counts(rng), random_counts(rng)
        assert whole(one.plus(other)) == pytest.approx(whole(one) + whole(other))
        moved = np.zeros((12, 12))
        moved[1:, 1:] = 0.3 * whole(one)[:-1, :-1]
        assert whole(one.times(0.3, 1, 1)) == pytest.approx(moved)
        least = int(rng.integers(0, 12))
        below, above = one.toxic_from(least)
        assert whole(below)[:, :least] == pytest.approx(whole(one)[:, :least])
        assert whole(above)[:, least:] == pytest.approx(whole(one)[:, least:])
        assert whole(below).sum() + whole(above).sum() == pytest.approx(one.total)
        low, high = sorted(rng.integers(0, 12, 2).tolist())
        kept = whole(one.of_responses(low, high))
        assert kept[low : high + 1] == pytest.approx(whole(one)[low : high + 1])
        assert kept.sum() == pytest.approx(whole(one)[low : high + 1].sum())
        assert whole(one.with_toxicities(3))[:, 3] == pytest.approx(whole(one).sum(axis=1))


def test_only_what_is_negligible_is_trimmed() -> None:
    p = np.zeros((6, 5))
    p[2:4, 1:3] = 0.2
    p[0, 0], p[5, 4] = NEGLIGIBLE / 2, 1e-13
    kept = Counts(3, 2, p).trimmed()
    assert kept is not None and (kept.responses, kept.toxicities, kept.p.shape) == (5, 3, (4, 4))
    assert kept.total == pytest.approx(p.sum(), abs=1e-15)
    assert Counts(0, 0, np.full((3, 3), NEGLIGIBLE / 100)).trimmed() is None
