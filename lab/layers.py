# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the lab is made of, from the cables up to the charms."""

import dataclasses
import shutil
import time
from collections.abc import Callable, Sequence

from . import compute, consul, deployment, host, juju, maas, network, openstack, paths, process
from .host import Host
from .openstack import Profile


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """One part of the lab; ``ensure_up`` may be called at any time, ``down`` as well."""

    name: str
    ensure_up: Callable[[Sequence[Host], Profile], None]
    down: Callable[[], None]


LAYERS = (
    Layer(
        name="network", ensure_up=lambda _hosts, _profile: network.ensure_up(), down=network.down
    ),
    Layer(
        name="power control", ensure_up=lambda _hosts, _profile: maas.ensure_up(), down=maas.down
    ),
    Layer(name="hosts", ensure_up=lambda hosts, _: host.ensure_up(hosts), down=host.down),
    Layer(name="consul", ensure_up=lambda hosts, _: consul.ensure_up(hosts), down=consul.down),
    Layer(
        name="control plane",
        ensure_up=lambda _, profile: openstack.ensure_up(profile),
        down=openstack.down,
    ),
    Layer(
        name="hypervisors",
        ensure_up=lambda hosts, profile: compute.ensure_up(hosts, profile=profile),
        down=lambda: None,  # they are units of the hosts
    ),
    Layer(
        name="charms",
        ensure_up=lambda hosts, _: deployment.ensure_up(hosts),
        down=juju.down,
    ),
)
"""Brought up in this order, taken down in the opposite one."""


def up(hosts: Sequence[Host], *, profile: Profile) -> None:
    """Bring every layer up, and say how long each took; what runs already stays as it is."""
    for number, layer in enumerate(LAYERS, start=1):
        began_s = time.monotonic()
        print(f"-- {number}/{len(LAYERS)} {layer.name:<14}", end="", flush=True)
        layer.ensure_up(hosts, profile)
        print(f"{time.monotonic() - began_s:6.1f} s", flush=True)


def down() -> None:
    """Leave nothing: no process, namespace, mount or cgroup, and no file but the cache's."""
    for layer in reversed(LAYERS):
        layer.down()
    process.stop_all()
    shutil.rmtree(paths.STATE, ignore_errors=True)
