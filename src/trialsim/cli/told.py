"""What was found wrong when a scenario was compiled, told with the file and line where it stands."""

from __future__ import annotations

from trialsim.errors import DesignError

files_read: list[tuple[str, str]] = []
"""Name and text of the scenario files that the command has read."""


def told(error: DesignError) -> str:
    """An error, with file and line where it is about the one scenario that the command has read."""
    from trialsim.scenario.files import at_its_line

    return at_its_line(error, *files_read[0]) if len(files_read) == 1 else f"error: {error}"
