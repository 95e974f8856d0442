# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's cloud: one control plane of real daemons; the computes are on the lab's hosts.

MariaDB, RabbitMQ ── Keystone, Glance, Placement ── Nova's API, conductor and scheduler
                                                   (Neutron is a stub: no server has a port)
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from .. import ceph, network, process
from ..process import Daemon
from . import configuration, database, images, initial, messaging, places, services, snapshot
from .identity import cloud, ensure_endpoint, ensure_service_user
from .places import Profile, current_profile

__all__ = [
    "Profile",
    "cloud",
    "current_profile",
    "down",
    "ensure_endpoint",
    "ensure_service_user",
    "ensure_up",
    "status",
]

_INITIALISED = places.CONTROL / "initialised"


def ensure_up(profile: Profile = "light") -> None:
    """Bring the control plane up, in the full profile with its Ceph beside it.

    Args:
        profile: A lab has one for its whole life.
    """
    network.ensure_up()
    with process.exclusive("openstack"), ThreadPoolExecutor() as pool:
        places.remember_profile(profile)
        storage = pool.submit(ceph.ensure_up) if profile == "full" else None
        messaging.start()
        configuration.write()
        if not _INITIALISED.exists():
            if not snapshot.restore(profile):
                initial.initialise(profile)
                snapshot.save(profile)
            _INITIALISED.touch()
        database.ensure_up()
        for worker in services.workers():
            process.spawn(worker)
        services.ensure_up(services.APIS)
        messaging.wait_up()
        images.ensure_flavor()
        if storage is not None:
            storage.result()


def down() -> None:
    """End every daemon of the control plane and Ceph, and throw away what they wrote."""
    with process.exclusive("openstack"), ThreadPoolExecutor(max_workers=16) as pool:
        for job in [pool.submit(process.kill, daemon) for daemon in daemons()]:
            job.result()
        ceph.down()
        shutil.rmtree(places.CONTROL, ignore_errors=True)


def daemons() -> tuple[Daemon, ...]:
    """Return every process of the control plane."""
    apis = (api.daemon for api in services.APIS)
    return (*apis, *services.workers(), *messaging.daemons(), database.daemon())


def status() -> Iterator[tuple[str, int | None]]:
    """Yield the name of every process of the cloud with its pid, None for one that is down.

    Raises:
        LabError: if the lab has no cloud.
    """
    storage = ceph.daemons() if current_profile() == "full" else ()
    for daemon in (*daemons(), *storage):
        yield daemon.name, process.pid(daemon)
