"""The page for a server of one's own: ``uvicorn trialsim.page.hosted:application``.

The environment variable ``TRIALSIM_SCENARIO`` names the scenario file to begin with; default the example ``dasatinib``.
"""

from __future__ import annotations

import os

from trialsim.page import text_of
from trialsim.page.application import application as made
from trialsim.page.serve import Guarded

application = Guarded(made(text_of(os.environ.get("TRIALSIM_SCENARIO"))))
"""An ASGI application."""
