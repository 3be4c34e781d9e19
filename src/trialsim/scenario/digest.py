"""The fingerprint of what a scenario states."""

from __future__ import annotations

import hashlib
import json

from trialsim.scenario.model import Scenario


def digest(scenario: Scenario) -> str:
    """The fingerprint of what a scenario states, as ``sha256:...``.

    Comments, the order of keys and the ``simulation`` block do not change it. An option at its default counts
    the same stated or left out, so that an option added by a later version does not change older digests.
    """
    content = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"simulation"})
    if scenario.conduct is not None:
        # its default was `continue` once: only that is left out, so that a digest stands for one trial for ever
        content["conduct"].pop("interim", None)
        if scenario.conduct.interim != "continue":
            content["conduct"]["interim"] = scenario.conduct.interim
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
