"""All analyses that a scenario asks for under ``sensitivity``, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.errors import TrialsimError
from trialsim.given import takes
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.scenario import words
from trialsim.scenario.analyses import stated_or_default
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.scenario.sensitivity import Analysis
from trialsim.varying import assurance, grids, thresholds, tornado, worst_case
from trialsim.varying.evaluate import Evaluator, Progress
from trialsim.varying.kept_points import Kept

HOMES: dict[str, Any] = {each.KIND: each for each in (tornado, grids, assurance, thresholds, worst_case)}
"""Kind of analysis -> the module that makes it."""


@dataclass(frozen=True, repr=False)
class SensitivityResults(Answer):
    """The analyses of a scenario, and what is needed to get the same again.

    Attributes:
        analyses: in the order of the scenario; ``found["NAME"]`` is one of them.
        seed, replicates: of simulated points.
    """

    kind: ClassVar[str] = "sensitivity"

    scenario: Scenario
    seed: int
    replicates: int
    analyses: tuple[Any, ...]

    def __getitem__(self, name: str) -> Any:
        for analysis in self.analyses:
            if analysis.name == name:
                return analysis
        known = ", ".join(analysis.name for analysis in self.analyses)
        raise KeyError(f"{name!r} is not an analysis; those are {known}")

    @property
    def called(self) -> str:
        """The name of the scenario."""
        return self.scenario.name

    @property
    def digest(self) -> str:
        """The digest of the scenario."""
        return digest(self.scenario)

    def to_dict(self) -> dict[str, Any]:
        """``results.json`` but for its sentences."""
        return {
            "streams": STREAM_VERSION,
            "name": self.scenario.name,
            "digest": self.digest,
            "simulation": {"seed": self.seed, "replicates": self.replicates},
            "analyses": [analysis.to_dict() for analysis in self.analyses],
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of every analysis, each with its name."""
        for analysis in self.analyses:
            for row in analysis.rows():
                yield {"analysis": analysis.name, "kind": analysis.kind, **row}

    def tables(self) -> dict[str, Iterator[dict[str, Any]]]:
        """A table an analysis."""
        return {f"{each.kind}_{k}": each.rows() for k, each in enumerate(self.analyses, start=1)}


@takes
def assess(
    scenario: Scenario,
    *,
    only: str | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    kept: Kept | None = None,
) -> SensitivityResults:
    """Work out the ``sensitivity`` block of a scenario; without one, a tornado of what every such trial hangs on.

    Args:
        scenario: a scenario, or the path of its file.
        only: a kind of analysis, or the name of one; default all.
        replicates, seed: of simulated points; default those of the scenario.
        jobs: worker threads; default all processors.
        progress: called with the number of points just finished.
        kept: keeps finished points, so that a run that is cut off can go on.

    Returns:
        The analyses, by name.

    Raises:
        TrialsimError: where the scenario has no such analysis, or a point of one has no trial.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> found = trialsim.sensitivity(path, only="tornado", replicates=200)
        >>> [analysis.kind for analysis in found.analyses]
        ['tornado']
    """
    chosen = analyses_of(scenario, only)
    evaluator = Evaluator(scenario, replicates=replicates, seed=seed, jobs=jobs, progress=progress, kept=kept)
    found = []
    for kind, name, analysis in chosen:
        try:
            found.append(HOMES[kind].run(name, analysis, evaluator))
        except TrialsimError as error:
            raise TrialsimError(f"sensitivity.{kind}.{name}: {error}") from None
    return SensitivityResults(scenario, evaluator.seed, evaluator.replicates, tuple(found))


sensitivity = assess
"""``assess`` by the name of its command."""


def analyses_of(scenario: Scenario, only: str | None = None) -> list[tuple[str, str, Analysis]]:
    """(kind, name, analysis) of those that are asked for.

    Raises:
        TrialsimError: where there are none.
    """
    block = stated_or_default(scenario)
    found = [each for each in block.all() if only is None or only in each[:2]]
    if not found and only is not None:
        names = dict.fromkeys(name for each in block.all() for name in each[:2])
        raise TrialsimError(f"--only {only}: no such analysis{words.meant(only, names)}")
    return found


def expected(scenario: Scenario, only: str | None = None) -> int:
    """How many points will be worked out, as far as can be told."""
    return sum(HOMES[kind].count(analysis) for kind, _, analysis in analyses_of(scenario, only))
