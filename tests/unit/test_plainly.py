"""A small search before numba is there: the same kernels as plain Python, and the same bits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from trialsim.designs import efficiency_bound, simon
from trialsim.designs.target import Target
from trialsim.kernels import jit
from trialsim.kernels.multipliers import dual, tables

SETTINGS = [
    (0.1, 0.3, 0.05, 0.2),
    (0.05, 0.25, 0.1, 0.1),
    (0.3, 0.5, 0.1, 0.1),
    (0.2, 0.4, 0.05, 0.1),
    (0.5, 0.75, 0.1, 0.2),
]
ASKED = [
    {},
    {"limits": simon.Limits(n1=12)},
    {"limits": simon.Limits(share=(0.4, 0.6), min_pet=0.5)},
    {"weight_p1": 0.3},
    {"prior": (1.5, 6.0)},
]
"""What else may be asked of a search."""

PLAINLY = """
import sys
from trialsim.designs import simon
from trialsim.designs import efficiency_bound as bound
simon.SMALL = bound.SMALL = 10_000
from tests.unit.test_plainly import told
for line in told():
    print(line)
assert "numba" not in sys.modules, "numba was imported"
"""


def bits(*numbers: float) -> str:
    return " ".join(float(number).hex() for number in numbers)


def told() -> Iterator[str]:
    """Every design and every bound, to the last bit."""
    for setting in SETTINGS:
        target = Target(*setting)
        for asked in ASKED:
            front = simon.search(target, **asked)
            for d in front.designs:
                numbers = (d.type_i_error, d.power, d.pet_p0, d.en_p0, d.en_p1, d.en)
                yield f"{d.r1}/{d.n1} {d.r}/{d.n} {bits(*numbers)} {front.complete}"
        for d in simon.search(target).designs[:2]:
            least = efficiency_bound.least_en(target, d.n)
            assert least is not None
            yield bits(least.en, least.price, least.worth)


def test_a_search_has_the_same_bits_with_and_without_numba() -> None:
    done = subprocess.run([sys.executable, "-c", PLAINLY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    import numba  # noqa: F401 - from here on everything is compiled

    assert done.stdout.splitlines() == list(told())


@pytest.mark.parametrize("at", [(1, 2, 3, 4, 5, 6, 7, 8), (3, 9, 14), (10, 29), (12,)])
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("prices", [(80.0, 60.0), (3.0, 900.0), (500.0, 2.0)])
def test_rows_and_the_kernel_fill_in_the_same(
    at: tuple[int, ...], early: bool, prices: tuple[float, float]
) -> None:
    null, _, ratio = tables(0.1, 0.3, at[-1])
    found = []
    for function in (dual.compiled if isinstance(dual, jit.Waiting) else dual, _rows()):
        onward, work = np.zeros((len(at), at[-1] + 1)), np.zeros((3, at[-1] + 1))
        numbers = function(np.array(at), early, prices, (0.05, 0.2), null, ratio, onward, work)
        found.append((bits(*numbers), onward.tobytes()))
    assert found[0] == found[1]


def _rows():  # type: ignore[no-untyped-def]
    from trialsim.kernels import multipliers

    return multipliers._by_rows


def test_a_kernel_is_run_plainly_only_where_that_is_asked_for() -> None:
    script = (
        "import sys\n"
        "from trialsim.kernels import jit\n"
        "from trialsim.kernels.multipliers import tables\n"
        "with jit.plainly(False):\n"
        "    tables(0.1, 0.3, 3)\n"
        "print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]
