# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The fence agents' program on this machine: Pacemaker fences while Juju replaces the charm."""

from __future__ import annotations

import pathlib
import shutil

from hacluster_shim.ring import daemons
from masakari_instance_ha.standalone import Program

HOME = pathlib.Path("usr/lib/instance-ha")
AGENTS = Program(
    name="fence",
    ours=("hacluster_shim", "instance_ha", "instance_ha_relations", "masakari_instance_ha"),
    theirs=("pyghmi", "requests", "requests-oauthlib"),
)


def ensure() -> pathlib.Path:
    """Make the copy be there, and return where the agents find it."""
    return pathlib.Path("/") / AGENTS.ensure(daemons.ROOT / HOME).relative_to(daemons.ROOT)


def remove() -> None:
    """Take every copy away."""
    shutil.rmtree(daemons.ROOT / HOME, ignore_errors=True)
