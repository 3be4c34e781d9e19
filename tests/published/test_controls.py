"""Control variates from whole-number tallies: the regression written out in matrices."""

from __future__ import annotations

import random

import numpy as np
import pytest

from trialsim.designs.binomial import clopper_pearson
from trialsim.engine.controls import COLLINEAR, Sums, adjusted, fitted
from trialsim.engine.tally import mean, proportion


def _drawn(seed: int, replicates: int, controls: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 9, (replicates, controls))
    return (x[:, 0] + rng.integers(0, 3, replicates) + x.sum(axis=1) // 2), x


def _of(y: np.ndarray, x: np.ndarray) -> Sums:
    return Sums(
        len(y), int(y.sum()), int(y @ y), x.sum(axis=0).tolist(), (x.T @ y).tolist(), (x.T @ x).tolist(), 900
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_regression_as_a_textbook_has_it(seed: int) -> None:
    """Least squares on (1, X - mu): the constant is the estimate, its error that of the regression."""
    y, x = _drawn(seed, 2_000, 4)
    mu = [4.1, 3.9, 4.0, 4.05]
    design = np.column_stack([np.ones(len(y)), x - np.array(mu)])
    beta, *_ = np.linalg.lstsq(design, y, rcond=None)
    left = y - design @ beta
    error = np.sqrt(left @ left / (len(y) - 5) * np.linalg.inv(design.T @ design)[0, 0])
    fit = fitted(_of(y, x), mu)
    assert fit.kept == (0, 1, 2, 3)
    assert fit.estimate == pytest.approx(beta[0], rel=1e-11)
    assert fit.mcse == pytest.approx(error, rel=1e-10)


def test_what_does_not_vary_or_is_a_sum_of_others_is_left_out_exactly() -> None:
    y, x = _drawn(9, 1_000, 2)
    x = np.column_stack([x[:, 0], np.full(len(y), 70), x[:, 1], x[:, 0] + x[:, 1] + 5, 10**6 * x[:, 0]])
    mu = [4.0, 70.0, 4.0, 13.0, 4.0e6]
    fit = fitted(_of(y, x), mu)
    assert fit.kept == (0, 2)
    few = fitted(_of(y, x[:, [0, 2]]), [4.0, 4.0])
    assert (fit.estimate, fit.mcse, fit.df) == (few.estimate, few.mcse, few.df)
    # nearly a multiple: one trial of a thousand differs by 1 from a number that goes to millions
    near = np.column_stack([x[:, 4], x[:, 4] + (np.arange(len(y)) == 3)])
    assert fitted(_of(y, near), [4.0e6, 4.0e6]).kept == (0,)
    assert COLLINEAR == 10**9


def test_the_same_bits_in_any_order_of_adding() -> None:
    y, x = _drawn(3, 3_000, 3)
    order = random.Random(1).sample(range(3_000), 3_000)
    mu = [4.0, 4.0, 4.0]
    assert fitted(_of(y, x), mu) == fitted(_of(y[order], x[order]), mu)


def test_few_trials_keep_one_control_or_none() -> None:
    names, mu = ["own", "b", "c", "d"], [4.0] * 4

    def found(replicates: int, apart: int | None = 900, probability: bool = False):  # type: ignore[no-untyped-def]
        y, x = _drawn(2, replicates, 4)
        sums = _of(y, x)
        plain = mean(sums.y, sums.yy, replicates)
        return adjusted(
            Sums(*list(vars(sums).values())[:-1], apart), mu, names, plain, probability=probability
        )

    assert found(500).controls == ("own", "b", "c", "d")
    assert found(499).controls == found(200).controls == ("own",)
    assert found(199).controls == ()
    assert "200 trials" in found(199).plain_because
    assert found(499, apart=None).plain_because  # no twin of its own to keep
    assert found(2_000, apart=19).plain_because
    assert not found(2_000, apart=20).plain_because
    assert found(2_000).variance_factor > 2


@pytest.mark.parametrize(("y", "x", "apart", "falls"), [
    (20, 20, 20, False), (19, 40, 30, True), (40, 19, 30, True), (40, 40, 19, True),
    (1981, 1950, 60, True), (1950, 1981, 60, True), (1980, 1980, 20, False),
])  # fmt: skip
def test_an_event_that_hangs_on_few_trials_keeps_its_binomial_interval(
    y: int, x: int, apart: int, falls: bool
) -> None:
    both = (y + x - apart) // 2
    sums = Sums(2_000, y, y, [x], [both], [[x]], apart)
    plain = proportion(y, 2_000)
    found = adjusted(sums, [x / 2_000 + 0.001], ["p_go"], plain, probability=True)
    assert bool(found.plain_because) is falls
    if falls:
        assert (found.estimate, found.mcse, found.low, found.high) == (
            plain.estimate,
            plain.mcse,
            *clopper_pearson(y, 2_000),
        )


def test_intervals_of_a_probability_stay_between_0_and_1() -> None:
    sums = Sums(2_000, 1_900, 1_900, [1_880], [1_875], [[1_880]], 30)
    found = adjusted(sums, [1.0], ["p_go"], proportion(1_900, 2_000), probability=True)
    assert not found.plain_because
    assert found.high == 1.0
    assert 0.95 < found.low < found.estimate < 1.0
