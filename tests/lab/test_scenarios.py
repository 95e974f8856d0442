# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The shared scenarios on the lab's stand-in for Juju; tests/juju plays them on a real one.

Those that need an application without relations are left to the real controller: here all of them
are related.
"""

import pytest

from lab import deployment, juju
from lab.process import wait_until
from lab.stories import faults
from tests.scenarios import fencing, masakari

pytestmark = pytest.mark.lab


def test_plugin_is_proven_and_every_service_does_its_work(lab):
    client = juju.client()
    masakari.the_plugin_is_proven(client, app=deployment.MASAKARI)
    for container in (faults.API, faults.ENGINE, faults.HOSTMONITOR):
        wait_until(
            lambda container=container: faults.is_well(client, faults.UNIT, container),
            within_s=120,
            what=f"{container} to be well by Pebble's own check",
            every_s=1.0,
        )


def test_segment_is_created_and_listed(lab):
    masakari.a_segment_is_created_and_listed(juju.client(), app=deployment.MASAKARI)


def test_every_hypervisor_can_be_fenced(lab):
    fencing.every_hypervisor_can_be_fenced(juju.client(), app=deployment.SHIM)
