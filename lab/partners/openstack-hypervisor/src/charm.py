#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The principal beside which the lab's subordinates live."""

from __future__ import annotations

import ops


class HypervisorCharm(ops.CharmBase):
    """Stand on a machine."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        framework.observe(self.on.start, self._ready)

    def _ready(self, _: ops.EventBase) -> None:
        self.unit.status = ops.ActiveStatus()


if __name__ == "__main__":
    ops.main(HypervisorCharm)
