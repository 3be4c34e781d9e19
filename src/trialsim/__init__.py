"""Exact and simulated operating characteristics of single-arm phase 2 cancer trials with dose reduction.

import trialsim

scenario = trialsim.load("configs/dasatinib.yaml")
print(trialsim.simulate(scenario))     # simulated, with the exact answer beside it
print(trialsim.check(scenario))        # would the published result be surprising?
trialsim.report(scenario, "runs/dasatinib")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trialsim.answers import Answer, speak_through
from trialsim.given import load_through
from trialsim.version import __version__

if TYPE_CHECKING:
    from trialsim.checks import Checks as Checks
    from trialsim.checks import check as check
    from trialsim.designs.finding import FoundDesigns as FoundDesigns
    from trialsim.engine.finding import find as find
    from trialsim.engine.operating import exact as exact
    from trialsim.engine.operating import simulate as simulate
    from trialsim.engine.traces import Trace as Trace
    from trialsim.engine.traces import trace as trace
    from trialsim.engine.whole_trial import find_robust as find_robust
    from trialsim.engine.whole_trial_found import RobustDesigns as RobustDesigns
    from trialsim.errors import DesignError as DesignError
    from trialsim.errors import OutputError as OutputError
    from trialsim.errors import ScenarioError as ScenarioError
    from trialsim.errors import TrialsimError as TrialsimError
    from trialsim.facts.protocol import Protocol as Protocol
    from trialsim.facts.protocol import protocol as protocol
    from trialsim.inference import Analyses as Analyses
    from trialsim.inference import analyse as analyse
    from trialsim.inference.oc import StatedDesign as StatedDesign
    from trialsim.inference.oc import oc as oc
    from trialsim.monitoring.aids import Aids as Aids
    from trialsim.monitoring.aids import monitor as monitor
    from trialsim.monitoring.evidence import Evidence as Evidence
    from trialsim.monitoring.evidence import evidence as evidence
    from trialsim.monitoring.redesign import Redesign as Redesign
    from trialsim.monitoring.redesign import redesign as redesign
    from trialsim.ongoing.status import Status as Status
    from trialsim.ongoing.status import status as status
    from trialsim.page import app as app
    from trialsim.qualification.qualify import Qualification as Qualification
    from trialsim.qualification.qualify import qualify as qualify
    from trialsim.reporting.later import write_docx as docx  # noqa: F401
    from trialsim.reporting.rerun import reproduce as reproduce
    from trialsim.reporting.run.folder import report as report
    from trialsim.results import Results as Results
    from trialsim.running.run import Run as Run
    from trialsim.running.run import run as run
    from trialsim.scenario.files import load as load
    from trialsim.scenario.files import validate as validate
    from trialsim.scenario.model import Scenario as Scenario
    from trialsim.scenario.schema import json_schema as schema  # noqa: F401
    from trialsim.scenario.starting import examples as examples
    from trialsim.scenario.starting import init as init
    from trialsim.varying.answers import WhatIf as WhatIf
    from trialsim.varying.answers import WhatIfs as WhatIfs
    from trialsim.varying.assess import SensitivityResults as SensitivityResults
    from trialsim.varying.assess import assess as assess
    from trialsim.varying.assess import sensitivity as sensitivity
    from trialsim.varying.compare import Comparison as Comparison
    from trialsim.varying.compare import compare as compare
    from trialsim.varying.whatif import whatif as whatif

_HOME = {
    "Aids": "trialsim.monitoring.aids",
    "analyse": "trialsim.inference",
    "app": "trialsim.page",
    "Analyses": "trialsim.inference",
    "assess": "trialsim.varying.assess",
    "check": "trialsim.checks",
    "Checks": "trialsim.checks",
    "compare": "trialsim.varying.compare",
    "Comparison": "trialsim.varying.compare",
    "DesignError": "trialsim.errors",
    "docx": "trialsim.reporting.later:write_docx",
    "Evidence": "trialsim.monitoring.evidence",
    "evidence": "trialsim.monitoring.evidence",
    "exact": "trialsim.engine.operating",
    "examples": "trialsim.scenario.starting",
    "find": "trialsim.engine.finding",
    "find_robust": "trialsim.engine.whole_trial",
    "FoundDesigns": "trialsim.designs.finding",
    "init": "trialsim.scenario.starting",
    "load": "trialsim.scenario.files",
    "monitor": "trialsim.monitoring.aids",
    "oc": "trialsim.inference.oc",
    "StatedDesign": "trialsim.inference.oc",
    "OutputError": "trialsim.errors",
    "Protocol": "trialsim.facts.protocol",
    "protocol": "trialsim.facts.protocol",
    "Qualification": "trialsim.qualification.qualify",
    "qualify": "trialsim.qualification.qualify",
    "Redesign": "trialsim.monitoring.redesign",
    "redesign": "trialsim.monitoring.redesign",
    "report": "trialsim.reporting.run.folder",
    "reproduce": "trialsim.reporting.rerun",
    "Results": "trialsim.results",
    "RobustDesigns": "trialsim.engine.whole_trial_found",
    "Run": "trialsim.running.run",
    "run": "trialsim.running.run",
    "Scenario": "trialsim.scenario.model",
    "ScenarioError": "trialsim.errors",
    "schema": "trialsim.scenario.schema:json_schema",
    "sensitivity": "trialsim.varying.assess",
    "SensitivityResults": "trialsim.varying.assess",
    "simulate": "trialsim.engine.operating",
    "Status": "trialsim.ongoing.status",
    "status": "trialsim.ongoing.status",
    "Trace": "trialsim.engine.traces",
    "trace": "trialsim.engine.traces",
    "TrialsimError": "trialsim.errors",
    "validate": "trialsim.scenario.files",
    "WhatIf": "trialsim.varying.answers",
    "whatif": "trialsim.varying.whatif",
    "WhatIfs": "trialsim.varying.answers",
}
"""Where each public name lives, ``module`` or ``module:its name there``; imported when first used, so that
``import trialsim`` costs nothing."""

__all__ = ["__version__", *_HOME]


def _say(answer: Answer, form: str) -> Any:
    """Let the floor of words put an answer into words."""
    return import_module("trialsim.reporting.saying").say(answer, form)


def _load(path: str) -> Any:
    """Let the floor of scenarios read the file that a function is given in place of one."""
    return import_module("trialsim.scenario.files").load(path)


speak_through(_say)
load_through(_load)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'trialsim' has no attribute {name!r}")
    module, _, there = _HOME[name].partition(":")
    value = getattr(import_module(module), there or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
