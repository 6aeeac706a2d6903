"""How Sphinx makes the documentation: `make docs`."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "pop"
author = "the authors of pop"
copyright = "the authors of pop, GPL-3.0-or-later"
release = installed("pop")
extensions = ["commandline"]
exclude_patterns = ["_build"]
highlight_language = "none"
html_theme = "alabaster"
html_theme_options = {"description": "Let pop run your services.", "fixed_sidebar": True}
html_show_sourcelink = False
