# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which events any charm looks at its world anew for."""

import ops


def of_life(charm: ops.CharmBase) -> tuple[ops.BoundEvent, ...]:
    """Return the events that are about no relation, container or action of a charm."""
    return (
        charm.on.start,
        charm.on.config_changed,
        charm.on.upgrade_charm,
        charm.on.secret_changed,
        charm.on.leader_elected,
        charm.on.update_status,
    )
