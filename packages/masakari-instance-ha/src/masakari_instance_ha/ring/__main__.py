# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m masakari_instance_ha.ring``: the host monitor of one member of a ring."""

import sys

from masakari_instance_ha.ring.monitor import main

if __name__ == "__main__":
    sys.exit(main())
