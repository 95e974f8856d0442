# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""How Sphinx builds these pages: ``tox run -e docs``, without a network, without a warning."""

import pathlib

from sphinx.application import Sphinx

project = "Instance recovery"
author = "The instance-recovery authors"
copyright = f"2026, {author}"
extensions = ["myst_parser"]
exclude_patterns = ["pictures/*.toml"]
html_theme = "furo"
html_title = project
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
suppress_warnings = ["myst.xref_missing_outside"]

DOCS = pathlib.Path(__file__).parent
