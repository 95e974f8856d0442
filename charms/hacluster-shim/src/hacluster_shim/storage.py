# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Have Ceph's command on this machine, to look whether the cluster answers to our key."""

import logging
import os
import subprocess

from charmlibs import apt

from masakari_instance_ha.fencing import ceph

PACKAGE = "ceph-common"

logger = logging.getLogger(__name__)


def ensure_program() -> None:
    """Install Ceph's command if it is not there; without it the test of the rung says so."""
    if ceph.has_program():
        return
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    try:
        apt.add_package(PACKAGE, update_cache=True)
    except (apt.Error, subprocess.SubprocessError, OSError) as error:
        logger.error("apt cannot install %s: %s", PACKAGE, error)  # noqa: TRY400 - expected
