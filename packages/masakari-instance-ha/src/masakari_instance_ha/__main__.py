# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m masakari_instance_ha``: the command where no script is installed."""

from __future__ import annotations

import sys

from masakari_instance_ha.cli import main

sys.exit(main())
