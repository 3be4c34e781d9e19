"""All analyses that a scenario asks for under ``sensitivity``, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from trialsim.errors import TrialsimError
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.results import digits12
from trialsim.scenario import words
from trialsim.scenario.analyses import case_of
from trialsim.scenario.files import digest
from trialsim.scenario.model import MAX_REPLICATES, Scenario
from trialsim.scenario.sensitivity import KINDS, Analysis, Sensitivity, paths_of
from trialsim.varying import assurance, grids, thresholds, tornado, worst_case
from trialsim.varying.evaluate import Evaluator, Progress
from trialsim.varying.kept_points import Kept
from trialsim.varying.text import input_words
from trialsim.version import __version__

SCHEMA = 1
"""Version of the layout of ``to_dict``."""

HOMES: dict[str, Any] = {each.KIND: each for each in (tornado, grids, assurance, thresholds, worst_case)}
"""Kind of analysis -> the module that makes it."""


class Result(Protocol):
    """What every analysis gives back."""

    kind: str
    name: str
    case: str
    engine: str

    def to_dict(self) -> dict[str, Any]:
        """The analysis as plain data."""
        ...

    def rows(self) -> Iterator[dict[str, Any]]:
        """The analysis as rows of a table."""
        ...


@dataclass(frozen=True)
class SensitivityResults:
    """The analyses of a scenario, and what is needed to get the same again."""

    name: str
    digest: str
    version: str
    streams: int
    seed: int
    replicates: int
    analyses: tuple[Any, ...]
    input_words: tuple[dict[str, str], ...]
    """For each analysis, path of an input -> the input in few words."""

    def __getitem__(self, name: str) -> Any:
        for analysis in self.analyses:
            if analysis.name == name:
                return analysis
        known = ", ".join(analysis.name for analysis in self.analyses)
        raise KeyError(f"{name!r} is not an analysis; those are {known}")

    def __str__(self) -> str:
        return "\n\n".join([self.name, *map(str, self.analyses)])

    def to_dict(self) -> dict[str, Any]:
        """Everything found, as plain data; floats to 12 significant digits."""
        found: dict[str, Any] = digits12(
            {
                "schema": SCHEMA,
                "kind": "sensitivity",
                "trialsim": self.version,
                "streams": self.streams,
                "name": self.name,
                "digest": self.digest,
                "simulation": {"seed": self.seed, "replicates": self.replicates},
                "analyses": [
                    {**analysis.to_dict(), "input_words": inputs}
                    for analysis, inputs in zip(self.analyses, self.input_words, strict=True)
                ],
            }
        )
        return found


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
    """Work out the ``sensitivity`` block of a scenario.

    Parameters
    ----------
    only : a kind of analysis, or the name of one; default all.
    replicates, seed : of simulated points; default those of the scenario.
    jobs : worker threads; default all processors.
    progress : called with the number of points just finished.
    kept : keeps finished points, so that a run that is cut off can go on.

    Raises
    ------
    TrialsimError
        Where the scenario has no such analysis, or a point of one has no trial.
    """
    chosen = analyses_of(scenario, only)
    if replicates is not None and not 1 <= replicates <= MAX_REPLICATES:
        raise TrialsimError(
            f"replicates = {replicates!r} must be a whole number from 1 to {MAX_REPLICATES:,}"
        )
    evaluator = Evaluator(scenario, replicates=replicates, seed=seed, jobs=jobs, progress=progress, kept=kept)
    found = []
    for kind, name, analysis in chosen:
        try:
            found.append(HOMES[kind].run(name, analysis, evaluator))
        except TrialsimError as error:
            raise TrialsimError(f"sensitivity.{kind}.{name}: {error}") from None
    return SensitivityResults(
        scenario.name,
        digest(scenario),
        __version__,
        STREAM_VERSION,
        evaluator.seed,
        evaluator.replicates,
        tuple(found),
        tuple(
            {path: input_words(scenario, path, case_of(scenario, analysis)) for path in paths_of(analysis)}
            for _, _, analysis in chosen
        ),
    )


def analyses_of(scenario: Scenario, only: str | None = None) -> list[tuple[str, str, Analysis]]:
    """(kind, name, analysis) of those that are asked for.

    Raises
    ------
    TrialsimError
        Where there are none.
    """
    block: Sensitivity | None = scenario.sensitivity
    if block is None:
        raise TrialsimError(
            f"this scenario asks for no sensitivity analysis: write a block `sensitivity` with "
            f"{words.either(KINDS)} in it"
        )
    found = [each for each in block.all() if only is None or only in each[:2]]
    if not found and only is not None:
        names = dict.fromkeys(name for each in block.all() for name in each[:2])
        raise TrialsimError(f"--only {only}: no such analysis{words.meant(only, names)}")
    return found


def expected(scenario: Scenario, only: str | None = None) -> int:
    """How many points will be worked out, as far as can be told."""
    return sum(HOMES[kind].count(analysis) for kind, _, analysis in analyses_of(scenario, only))
