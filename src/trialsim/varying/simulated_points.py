"""Simulated points, by themselves or beside the scenario as stated; in calendar time adjusted by their twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from trialsim.engine.operating import DISAGREE
from trialsim.engine.paired import Together
from trialsim.engine.paired_twins import TwinSums, WithTwins
from trialsim.engine.quantities import Side
from trialsim.engine.tally import Tally
from trialsim.engine.trials import Trials
from trialsim.engine.with_twin import Sides, WithTwin, adjustments
from trialsim.results import Adjusted
from trialsim.varying.answered import Answer, drawn
from trialsim.varying.twins import Counted, disagreements


@dataclass(frozen=True)
class Pair:
    """A point that is simulated, and its twin with outcomes known at once, where there is one to adjust it by.

    Attributes:
        key: of the point.
        means: the exact means of the twin; {} without.
        believed: what follows from the history and prior of the point, where that is watched.
    """

    key: str
    side: Side
    twin: Side | None
    means: Mapping[str, float]
    believed: Mapping[str, float]

    @property
    def trials(self) -> Trials:
        """Both together."""
        return self.side.trials if self.twin is None else WithTwin(self.side, self.twin)

    @property
    def patients(self) -> int:
        """Largest number of patients both can treat together."""
        return self.trials.patients


def simulated(pairs: Sequence[Pair], counted: Mapping[str, Tally]) -> dict[str, Answer]:
    """The answer at every point, by key; one twin that disagrees with its exact answer withholds every adjusted number.

    Args:
        counted: tallies that are ``with_twin.apart``, by key.
    """
    counts: dict[str, Sides] = {}
    twins: dict[str, Counted] = {}
    for pair in pairs:
        key = pair.key
        both = None if pair.twin is None else Sides.of(pair.side, pair.twin, key, counted)
        if both is not None and pair.twin is not None:
            counts[key] = both
            totals = {name: (total, squares) for name, (total, squares, _) in both.twin.items()}
            twins[key] = Counted(totals, both.replicates, pair.twin.trials.patients, pair.means)
    why_not = DISAGREE if disagreements(twins) else ""
    found = {}
    for pair in pairs:
        key = pair.key
        values = pair.side.simulated(counted[key]).values
        adjusted = adjustments(counts[key], values, twins[key].means, why_not) if key in counts else {}
        answer = drawn(values, adjusted)
        found[key] = replace(answer, values={**answer.values, **pair.believed})
    return found


def adjusted_beside(
    tally: Tally, together: Together | WithTwins, pairs: Sequence[Pair]
) -> tuple[list[dict[str, Adjusted]], list[dict[str, Adjusted]]]:
    """Of every trial of a tally, the one first, the adjusted numbers and the adjusted differences from the one."""
    if isinstance(together, Together):
        nothing: list[dict[str, Adjusted]] = [{} for _ in pairs]
        return nothing, nothing
    sums = TwinSums(tally, together.of)
    means = [pair.means for pair in pairs]
    twins = {
        k: Counted(sums.twin(k), tally.replicates, pair.twin.trials.patients, means[k])
        for k, pair in enumerate(pairs)
        if pair.twin
    }
    why_not = DISAGREE if disagreements(twins) else ""
    values = [sums.values(k, means[k], why_not) for k in range(len(pairs))]
    return values, [sums.differences(k, means[0], means[k], why_not) if k else {} for k in range(len(pairs))]
