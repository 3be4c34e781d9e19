"""Random small protocols and truths for hypothesis; those for loops ship, for `trialsim qualify`."""

from __future__ import annotations

from hypothesis import strategies as st

from trialsim.designs.rules import Rules
from trialsim.qualification.drawn import EVALUABLE as EVALUABLE
from trialsim.qualification.drawn import MONITORS as MONITORS
from trialsim.qualification.drawn import ODDS_RATIOS as ODDS_RATIOS
from trialsim.qualification.drawn import RATES as RATES
from trialsim.qualification.drawn import random_attained as random_attained
from trialsim.qualification.drawn import random_boundary as random_boundary
from trialsim.qualification.drawn import random_looks as random_looks
from trialsim.qualification.drawn import random_monitor as random_monitor
from trialsim.qualification.drawn import random_row as random_row
from trialsim.qualification.drawn import random_rules as random_rules
from trialsim.qualification.drawn import random_scenario as random_scenario
from trialsim.qualification.drawn import random_truth as random_truth
from trialsim.qualification.drawn import with_stops as with_stops
from trialsim.qualification.drawn import with_toxic_looks as with_toxic_looks
from trialsim.qualification.enumeration import Dose as Dose


def rules_strategy(
    max_n: int = 6, max_levels: int = 3, replaced: bool | None = None
) -> st.SearchStrategy[Rules]:
    """Hypothesis: random protocols."""
    return st.randoms(use_true_random=False).map(
        lambda rng: random_rules(rng, max_n, max_levels, replaced, on_dose_change=None)
    )


def truth_strategy(levels: int, same_evaluability: bool = False) -> st.SearchStrategy[tuple[Dose, ...]]:
    """Hypothesis: random truths for that many levels."""
    return st.randoms(use_true_random=False).map(
        lambda rng: random_truth(rng, levels, same_evaluability=same_evaluability)
    )


def scenario_strategy(
    max_n: int = 6, max_n_inevaluable: int = 4, same_evaluability: bool = False
) -> st.SearchStrategy[tuple[Rules, tuple[Dose, ...]]]:
    """Hypothesis: a protocol and a truth that fit together."""
    return st.randoms(use_true_random=False).map(
        lambda rng: random_scenario(rng, max_n, max_n_inevaluable, same_evaluability)
    )
