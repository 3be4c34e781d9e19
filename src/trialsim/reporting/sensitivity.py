"""Sensitivity analyses in words, tables and figures: each a section, from the plain data of its results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trialsim.engine.operating import DISAGREE
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.reporting.about import MADE_BY
from trialsim.reporting.analyses import PARAGRAPHS, SENTENCES, TABLES, Content
from trialsim.reporting.paired import CORRECTED, kept
from trialsim.reporting.pictures import Undrawn
from trialsim.reporting.sentences import sentence
from trialsim.results import digits12
from trialsim.varying.analysed import Analysed
from trialsim.varying.answered import AT_ONCE
from trialsim.varying.assess import SensitivityResults
from trialsim.varying.assurance import SCRAMBLES
from trialsim.writing.numbers import count
from trialsim.writing.report import (
    Block,
    Picture,
    Pictures,
    Report,
    Section,
    Terms,
    Words,
    paragraphs,
    section,
)

TITLES = {
    "tornado": "One input at a time",
    "grids": "Grid",
    "priors": "Priors",
    "thresholds": "Threshold",
    "worst_case": "Worst case",
}

INTRODUCTIONS = {
    "tornado": "One input at a time takes its low and its high value, all others stay as stated.",
    "grids": "All inputs but those named stay as stated.",
    "priors": "Each input is drawn from what is believed of it, and the trial is worked out for each draw.",
    "thresholds": "One input moves along its range, all others stay as stated.",
    "worst_case": "Several inputs move within their ranges together; the least favourable values are looked for.",
}


ONE_EACH = ("estimate", "mcse", "low", "high")

KIND = "What the operating characteristics hang on: sensitivity analysis"


def report_of(found: SensitivityResults | Analysed) -> Report:
    """All analyses of a scenario, or one of them."""
    from trialsim.figures.sensitivity import drawers

    if isinstance(found, Analysed):
        drawn = {0: [Undrawn(draw) for draw in drawers(found, found.scenario, "1")]}
        return Report(
            found.scenario.name, KIND, sections({"analyses": [digits12(document(found))]}, drawn), MADE_BY
        )
    scenario, content = found.scenario, digits12(document(found))
    pictures = {
        k: [Undrawn(draw) for draw in drawers(each, scenario, str(k + 1))]
        for k, each in enumerate(found.analyses)
    }
    simulated = any(each.replicates is not None for each in found.analyses)
    trials = f"{found.replicates:,} trials a point unless stated, seed {found.seed}"
    short = [(_title(each), PARAGRAPHS[each["kind"]](each)[0]) for each in map(as_told, content["analyses"])]
    about = (
        ("Endpoint", scenario.endpoint),
        ("Source", scenario.source or "not stated"),
        ("Simulated points", trials if simulated else "none: every number is exact"),
        ("Random streams", f"version {STREAM_VERSION}"),
        ("Scenario digest", found.digest),
    )
    all_of_it = (
        *([section("in-short", "In short", Terms(tuple(short)))] if len(short) > 1 else ()),
        *sections(content, pictures),
        _method(found, simulated),
    )
    return Report(scenario.name, KIND, all_of_it, MADE_BY, about=about)


def document(found: SensitivityResults | Analysed, _: Sequence[str] = ()) -> Content:
    """``results.json``: the numbers, with sentences where an analysis is answered by them."""
    if isinstance(found, Analysed):
        content = found.to_dict()
        made = SENTENCES.get(found.kind)
        return content | ({"sentences": list(made(as_told(digits12(content))))} if made else {})
    return found.to_dict() | {"analyses": [document(each) for each in found.analyses]}


def sections(content: Content, pictures: Mapping[int, Sequence[Picture]]) -> tuple[Section, ...]:
    """Every analysis in order; ``pictures`` by the number of the analysis, from 0."""
    return tuple(
        section(
            f"analysis-{k + 1}",
            _title(analysis),
            Words(f"{INTRODUCTIONS[analysis['kind']]} Case {analysis['case']}. {engine_words(analysis)}"),
            paragraphs(PARAGRAPHS[analysis["kind"]](analysis)),
            Pictures(tuple(pictures.get(k, ()))),
            TABLES[analysis["kind"]](analysis, k),
        )
        for k, analysis in enumerate(map(as_told, content["analyses"]))
    )


def as_told(content: Any) -> Any:
    """Plain data of an analysis with adjusted numbers in the place of those that they come from."""
    if isinstance(content, list):
        return [as_told(item) for item in content]
    if not isinstance(content, Mapping):
        return content
    found = {key: as_told(value) for key, value in content.items()}
    known = found.get("adjusted")
    if isinstance(known, list):
        for one, name in zip(ONE_EACH, ("estimates", "mcse", "low", "high"), strict=True):
            found[name] = [each[one] for each in known]
        found["largest_mcse"] = max(found["mcse"])
    elif known:
        found |= {name: known[name] for name in ONE_EACH}
    return found


def engine_words(analysis: Content) -> str:
    """How the numbers of an analysis came about."""
    replicates = analysis["replicates"]
    if replicates is None:
        return f"{analysis['engine'].capitalize()}."
    trials = count(replicates, "trial")
    how = f"{analysis['engine'].capitalize()}: {trials} at each point, the same patients at every point."
    return f"{how}{_corrected(analysis)}"


def _corrected(analysis: Content) -> str:
    """In words, whether adjusted numbers are told, or why none is."""
    reasons = set(_reasons(analysis))
    if DISAGREE in reasons:
        return f" Not adjusted by the trial with every outcome known at once: {DISAGREE}."
    return f" {CORRECTED}" if "" in reasons and analysis["kind"] != "priors" else ""


def _reasons(content: Any) -> Iterator[str]:
    """Why each number of an analysis that might be adjusted is not; "" where it is."""
    if isinstance(content, list):
        for item in content:
            yield from _reasons(item)
    elif isinstance(content, Mapping):
        if "plain_because" in content:
            yield content["plain_because"]
        for item in content.values():
            yield from _reasons(item)


def _title(analysis: Content) -> str:
    return f"{TITLES[analysis['kind']]}: {analysis['name']}"


def _method(found: SensitivityResults, simulated: bool) -> Section:
    at_once = any(AT_ONCE in each.engine for each in found.analyses)
    paths = {path: words for each in found.analyses for path, words in each.input_words.items()}
    blocks: list[Block] = [
        Words(
            "What an analysis does not move stays as the scenario states it. Where each input stands:",
            "Inputs.",
        ),
        Terms(tuple((sentence(words), path) for path, words in paths.items())),
        Words(
            "Where every outcome is known before the next patient, the trial is a Markov chain, and its operating "
            "characteristics are exact at every point."
            + (
                " Where an analysis says “outcomes known at once”, calendar time was left out on request; the numbers "
                "are then those of a trial that waits for nothing."
                if at_once
                else ""
            ),
            "Exact.",
        ),
    ]
    if simulated:
        words = (
            "Where calendar time decides, each point was simulated. Random numbers belong to a seed, a replicate and a "
            "patient, so that the same patients meet every variant of the trial; a difference between two points is "
            "due to what was changed, and its Monte Carlo standard error (mcse) is that of the differences patient by "
            "patient where the table says so. What is averaged over a history or a prior is exact there too, with "
            "every outcome known at once."
        )
        blocks.append(Words(words, "Simulated."))
    if any(each.kind == "priors" for each in found.analyses):
        words = (
            f"Inputs are independent of each other. The averages are over {SCRAMBLES} independently scrambled Sobol "
            "nets, and their standard errors come from the spread between these. Assurance is the probability of a go "
            "averaged over the prior (O’Hagan, Stevens and Campbell 2005). Sobol indices are Saltelli’s (2010), "
            "computed with SciPy."
        )
        blocks.append(Words(words, "Priors."))
    return section("method", "How it was computed", blocks, kept("every point"), folded=True)
