"""How the pages are built: ``make docs`` writes docs/_build/html and takes every warning for an error."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from pictures import draw_gallery  # noqa: E402
from trialsim.version import __version__  # noqa: E402

draw_gallery(HERE / "gallery.md", HERE / "_build")

project = "trialsim"
author = "the trialsim authors"
copyright = f"2026, {author}"
release = version = __version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False  # numpy and pandas are named, not linked: the pages can be read and built without a network

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "force"  # a notebook is run at every build, and one that fails, fails the build
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"trialsim {__version__}"
html_static_path = ["_static"]
html_css_files = ["trialsim.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
# furo's dark style has weaker contrast in tables of numbers than the light one, so both are set by hand
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
