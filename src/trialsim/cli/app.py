"""The command `trialsim app`: the page, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialsim.cli.common import options


@options
def app(
    scenario: Annotated[
        Path | None,
        typer.Argument(
            metavar="SCENARIO",
            help="scenario file (YAML) to begin with [default: dasatinib]",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="port to listen on [default: 8765, else a free one]", show_default=False
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="address to listen on; any but the default lets others in"),
    ] = "127.0.0.1",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="only print the address of the page")
    ] = False,
) -> None:
    """Open the page: move a slider, see the trial (needs trialsim[app])."""
    from trialsim.page import app as opened

    opened(scenario, port=port, host=host, browser=not no_browser)
