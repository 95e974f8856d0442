# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the lab is made of, from the cables up to the charms."""

import dataclasses
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from . import compute, consul, deployment, host, juju, maas, network, openstack, paths, process
from .host import Host
from .openstack import Profile

Up = Callable[[Sequence[Host], Profile], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """One part of the lab; ``ensure_up`` may be called at any time, ``down`` as well."""

    name: str
    after: tuple[str, ...] = ()
    """The layers that it stands on."""
    ensure_up: Up
    down: Callable[[], None] = lambda: None


def _alone(act: Callable[[], None]) -> Up:
    """Return *act* for a layer that is the same whatever hosts and profile there are."""

    def ensure_up(_hosts: Sequence[Host], _profile: Profile) -> None:
        act()

    return ensure_up


LAYERS = (
    Layer(name="network", ensure_up=_alone(network.ensure_up), down=network.down),
    Layer(
        name="power control",
        after=("network",),
        ensure_up=_alone(maas.ensure_up),
        down=maas.down,
    ),
    Layer(
        name="hosts",
        after=("network",),
        ensure_up=lambda hosts, _: host.ensure_up(hosts),
        down=host.down,
    ),
    Layer(
        name="control plane",
        after=("network",),
        ensure_up=lambda _, profile: openstack.ensure_up(profile),
        down=openstack.down,
    ),
    Layer(
        name="consul",
        after=("hosts",),
        ensure_up=lambda hosts, _: consul.ensure_up(hosts),
        down=consul.down,
    ),
    Layer(
        name="hypervisors",
        after=("hosts", "control plane"),
        ensure_up=lambda hosts, profile: compute.ensure_up(hosts, profile=profile),
    ),
    Layer(
        name="charms",
        after=("power control", "hosts", "control plane"),
        ensure_up=lambda hosts, _: deployment.ensure_up(hosts),
        down=juju.down,
    ),
    Layer(
        name="segment",
        after=("charms", "hypervisors", "consul"),
        ensure_up=lambda hosts, _: deployment.ensure_enrolled(juju.client(), hosts),
    ),
)
"""Each after those that it stands on; taken down in the opposite order."""


def up(hosts: Sequence[Host], *, profile: Profile) -> dict[str, float]:
    """Bring every layer up, each as soon as it can be; what runs already stays as it is.

    Returns:
        Seconds that each layer took, by its name.
    """
    began: dict[str, Future[float]] = {}
    with ThreadPoolExecutor(max_workers=len(LAYERS)) as pool:
        for layer in LAYERS:
            ground = [began[name] for name in layer.after]
            began[layer.name] = pool.submit(_ensure, layer, ground, hosts, profile)
        return {name: layer.result() for name, layer in began.items()}


def _ensure(
    layer: Layer, ground: Sequence[Future[float]], hosts: Sequence[Host], profile: Profile
) -> float:
    for below in ground:
        below.result()
    began_s = time.monotonic()
    layer.ensure_up(hosts, profile)
    took_s = time.monotonic() - began_s
    print(f"-- {layer.name:<14}{took_s:6.1f} s", flush=True)
    return took_s


def down() -> None:
    """Leave nothing: no process, namespace, mount or cgroup, and no file but the cache's."""
    for layer in reversed(LAYERS):
        layer.down()
    process.stop_all()
    shutil.rmtree(paths.STATE, ignore_errors=True)
