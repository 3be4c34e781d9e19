"""The page: every control moves the real answer. Needs the extra ``app``."""

from __future__ import annotations

import os

from trialsim.errors import TrialsimError

FIRST = "dasatinib"
"""The example that the page begins with."""


def app(
    scenario: str | os.PathLike[str] | None = None,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    browser: bool = True,
) -> None:
    """Open the page, and serve it until it is interrupted.

    Args:
        scenario: path of the scenario file to begin with; default the example ``dasatinib``.
        port: to listen on; default 8765, or a free one where that is taken.
        host: address to listen on; any but the default lets others in.
        browser: whether to open the page in the browser of this machine.

    Returns:
        Nothing, when the page is closed.

    Raises:
        TrialsimError: Shiny is not installed, or the address cannot be used.
        ScenarioError: the file cannot be read.

    Examples:
        >>> trialsim.app("none.yaml")  # what cannot be read is told before a page is served
        Traceback (most recent call last):
            ...
        trialsim.errors.ScenarioError: none.yaml: no such file
    """
    text = text_of(scenario)
    _needs_shiny()
    from trialsim.page.serve import serve

    serve(text, host=host, port=port, browser=browser)


def text_of(scenario: str | os.PathLike[str] | None) -> str:
    """The text of a scenario file, or of the example to begin with; faults in it are shown on the page."""
    from trialsim.scenario import files, starting

    if scenario is not None:
        return files.text_of(os.fsdecode(scenario))
    return starting.example_files()[FIRST].read_text(encoding="utf-8")


def _needs_shiny() -> None:
    try:
        import plotly  # noqa: F401
        import shiny  # noqa: F401
    except ImportError:
        raise TrialsimError('the page needs Shiny and plotly: pip install "trialsim[app]"') from None
