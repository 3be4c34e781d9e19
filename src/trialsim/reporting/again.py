"""Answers worked out again from what their folder has kept: what was asked, and the scenario files as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trialsim.answers import Answer
from trialsim.checks import check
from trialsim.engine.montecarlo import Progress
from trialsim.engine.traces import trace
from trialsim.facts.protocol import protocol
from trialsim.inference import analyse
from trialsim.monitoring.aids import monitor
from trialsim.scenario.changes import read_changes, read_variant
from trialsim.scenario.files import parse

Asked = dict[str, Any]
Again = Callable[[Asked, Mapping[str, str], int | None, Progress | None], Answer]
"""Keywords as recorded, text of each scenario file by its name in the folder, workers, progress -> the answer."""


def run(asked: Asked, texts: Mapping[str, str], jobs: int | None, progress: Progress | None) -> Answer:
    """The same run of the same scenario."""
    from trialsim.running.run import run as worked_out

    (text,) = texts.values()
    return worked_out(parse(text), **asked, text=text, jobs=jobs, progress=progress)


def whatif(asked: Asked, texts: Mapping[str, str], jobs: int | None, progress: Progress | None) -> Answer:
    """The same questions about the same files."""
    from trialsim.varying.whatif import Asked as Question
    from trialsim.varying.whatif import Questions

    files, changes, cases = asked.pop("files"), read_changes(asked.pop("set")), asked.pop("cases")
    more = dict(map(read_variant, asked.pop("variants", ())))
    questions = [
        Question.of(parse(text), changes, more=more, file=file, cases=cases)
        for file, text in zip(files, texts.values(), strict=True)
    ]
    return Questions(questions, **asked, jobs=jobs).run(jobs=jobs, progress=progress)


def compare(asked: Asked, texts: Mapping[str, str], jobs: int | None, progress: Progress | None) -> Answer:
    """The same designs under the same truth."""
    from trialsim.varying.compare import Designs

    names, truth = asked.pop("names"), asked.pop("truth")
    scenarios = [parse(text) for text in texts.values()]
    named = None if truth is None else (truth, scenarios.pop())
    designs = Designs(dict(zip(names, scenarios, strict=True)), named, **asked, jobs=jobs)
    return designs.run(jobs=jobs, progress=progress)


def sensitivity(
    asked: Asked, texts: Mapping[str, str], jobs: int | None, progress: Progress | None
) -> Answer:
    """The same analyses of the same scenario."""
    from trialsim.varying.assess import assess

    return assess(parse(*texts.values()), **asked, jobs=jobs, progress=progress)


def find(asked: Asked, texts: Mapping[str, str], _jobs: int | None, _progress: Progress | None) -> Answer:
    """The same search, in the scenario's own trial where there is one."""
    from trialsim.designs import finding
    from trialsim.engine.whole_trial import find_robust

    scenarios: Sequence[Any] = [parse(text) for text in texts.values()]
    return find_robust(*scenarios, **asked) if scenarios else finding.find(**asked)


def oc(asked: Asked, texts: Mapping[str, str], _jobs: int | None, _progress: Progress | None) -> Answer:
    """The same design, from the file that stated it where there was one."""
    from trialsim.inference.oc import oc as worked_out

    design = next(iter(texts.values())) if texts else asked.pop("design")
    return worked_out(design, **asked)


def redesign(asked: Asked, texts: Mapping[str, str], _jobs: int | None, _progress: Progress | None) -> Answer:
    """The same standing of the same design, from the file that stated it where there was one."""
    from trialsim.monitoring.redesign import redesign as worked_out

    design = next(iter(texts.values())) if texts else asked.pop("design")
    return worked_out(design, **asked)


def evidence(asked: Asked, texts: Mapping[str, str], _jobs: int | None, _progress: Progress | None) -> Answer:
    """The same evidence beside the same design, from the file that stated it where there was one."""
    from trialsim.monitoring.evidence import evidence as worked_out

    design = next(iter(texts.values())) if texts else asked.pop("design")
    return worked_out(design, **asked)


def status(asked: Asked, texts: Mapping[str, str], jobs: int | None, _progress: Progress | None) -> Answer:
    """The same patients against the same scenario."""
    from trialsim.ongoing.status import status as worked_out

    return worked_out(parse(*texts.values()), **asked, jobs=jobs)


def qualify(asked: Asked, _texts: Mapping[str, str], jobs: int | None, progress: Progress | None) -> Answer:
    """The same tests with the same seed, here."""
    from trialsim.qualification.qualify import qualify as worked_out

    return worked_out(**asked, jobs=jobs, progress=progress)


def _alone(work: Callable[..., Answer]) -> Again:
    """What needs nothing but the scenario, if there is one, and the keywords."""
    return lambda asked, texts, _jobs, _progress: work(*map(parse, texts.values()), **asked)


AGAIN: dict[str, Again] = {
    "run": run,
    "whatif": whatif,
    "compare": compare,
    "sensitivity": sensitivity,
    "find": find,
    "oc": oc,
    "redesign": redesign,
    "evidence": evidence,
    "status": status,
    "qualify": qualify,
    **{work.__name__: _alone(work) for work in (analyse, check, monitor, protocol, trace)},
}
"""Kind of an answer -> what works it out again."""
