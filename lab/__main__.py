# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m lab``."""

import sys

from .cli import main

sys.exit(main())
