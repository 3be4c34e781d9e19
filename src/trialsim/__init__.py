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
from trialsim.version import __version__

if TYPE_CHECKING:
    from trialsim.checks import check
    from trialsim.designs.finding import FoundDesigns, find
    from trialsim.engine.operating import exact, simulate
    from trialsim.engine.whole_trial import find_robust
    from trialsim.engine.whole_trial_found import RobustDesigns
    from trialsim.errors import DesignError, OutputError, ScenarioError, TrialsimError
    from trialsim.facts.protocol import protocol
    from trialsim.inference import analyse
    from trialsim.reporting import report, reproduce
    from trialsim.scenario.files import load, validate
    from trialsim.scenario.model import Scenario
    from trialsim.varying.answers import WhatIf, WhatIfs
    from trialsim.varying.assess import SensitivityResults, assess, sensitivity
    from trialsim.varying.compare import Comparison, compare
    from trialsim.varying.whatif import whatif

_HOME = {
    "analyse": "trialsim.inference",
    "load": "trialsim.scenario.files",
    "validate": "trialsim.scenario.files",
    "Scenario": "trialsim.scenario.model",
    "find": "trialsim.designs.finding",
    "find_robust": "trialsim.engine.whole_trial",
    "exact": "trialsim.engine.operating",
    "simulate": "trialsim.engine.operating",
    "check": "trialsim.checks",
    "whatif": "trialsim.varying.whatif",
    "compare": "trialsim.varying.compare",
    "Protocol": "trialsim.facts.protocol",
    "protocol": "trialsim.facts.protocol",
    "assess": "trialsim.varying.assess",
    "sensitivity": "trialsim.varying.assess",
    "FoundDesigns": "trialsim.designs.finding",
    "RobustDesigns": "trialsim.engine.whole_trial_found",
    "WhatIf": "trialsim.varying.answers",
    "WhatIfs": "trialsim.varying.answers",
    "Comparison": "trialsim.varying.compare",
    "SensitivityResults": "trialsim.varying.assess",
    "report": "trialsim.reporting",
    "reproduce": "trialsim.reporting",
    "TrialsimError": "trialsim.errors",
    "ScenarioError": "trialsim.errors",
    "DesignError": "trialsim.errors",
    "OutputError": "trialsim.errors",
}
"""Where each public name lives; it is imported when first used, so that `import trialsim` costs nothing."""

__all__ = [
    "Comparison",
    "DesignError",
    "FoundDesigns",
    "OutputError",
    "Protocol",
    "RobustDesigns",
    "Scenario",
    "ScenarioError",
    "SensitivityResults",
    "TrialsimError",
    "WhatIf",
    "WhatIfs",
    "__version__",
    "analyse",
    "assess",
    "check",
    "compare",
    "exact",
    "find",
    "find_robust",
    "load",
    "protocol",
    "report",
    "reproduce",
    "sensitivity",
    "simulate",
    "validate",
    "whatif",
]


def _say(answer: Answer, form: str) -> Any:
    """Let the floor of words put an answer into words."""
    return import_module("trialsim.reporting.saying").say(answer, form)


speak_through(_say)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'trialsim' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
