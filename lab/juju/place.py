# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Where units run: in a pod of their own, or on a host of the lab.

A place is known by the directory that it shows as ``/var/lib/juju`` and by a prefix that runs a
command in it. Whether it is up, and since when, is asked anew each time: hosts lose their power.
"""

import os
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Protocol

from lab import disk, host, network, pod

from . import equipment
from .model import Model, Unit

JUJU = pathlib.PurePosixPath("/var/lib/juju")
"""Where units find what is theirs, in every place."""


class Place(Protocol):
    """What the agent must be able to do with the surroundings of a unit."""

    @property
    def juju(self) -> pathlib.Path:
        """What the place sees as ``/var/lib/juju``."""
        ...

    @property
    def sockets(self) -> Mapping[str, pathlib.Path]:
        """Container to the socket of its Pebble."""
        ...

    def ensure_up(self) -> None:
        """Bring up what can be brought up; a host's power is not the agent's business."""
        ...

    def boot(self) -> str:
        """Name the current run of the place; empty while it is off."""
        ...

    def address(self) -> str:
        """Return the address that the unit tells others."""
        ...

    def enter(self, argv: Sequence[str], *, container: str = "") -> list[str]:
        """Return the command that runs *argv* in the place, or in one of its containers."""
        ...

    def stop_workloads(self) -> None:
        """End the containers beside the charm's."""
        ...

    def renew(self) -> None:
        """Replace the place by a fresh one of the same name."""
        ...

    def remove(self) -> None:
        """Forget the place after its last unit."""
        ...


class PodPlace:
    """A pod of the unit's own."""

    def __init__(self, containers: Mapping[str, str], *, name: str) -> None:
        self._containers, self._name = containers, name

    @property
    def pod(self) -> pod.Pod:
        """The pod, with the images that the application's resources name."""
        return pod.Pod(
            name=self._name,
            containers=tuple(self._containers.items()),
            shown=(equipment.charm_venv(),),
        )

    @property
    def juju(self) -> pathlib.Path:
        """What the place sees as ``/var/lib/juju``."""
        return self.pod.juju

    @property
    def sockets(self) -> Mapping[str, pathlib.Path]:
        """Container to the socket of its Pebble."""
        return {name: self.pod.socket(name) for name in self._containers}

    def ensure_up(self) -> None:
        """Start every container that died, as the kubelet does."""
        if not pod.is_up(self.pod):
            pod.ensure_up(self.pod)

    def boot(self) -> str:
        """Name the current run of the charm's container."""
        return str(pod.init_pid(self.pod, pod.CHARM) or "")

    def address(self) -> str:
        """Return the pod's address."""
        return pod.address(self.pod)

    def enter(self, argv: Sequence[str], *, container: str = "") -> list[str]:
        """Return the command that runs *argv* in a container, by default the charm's."""
        return pod.enter(self.pod, argv, container=container or pod.CHARM)

    def stop_workloads(self) -> None:
        """End the containers beside the charm's."""
        pod.stop_workloads(self.pod)

    def renew(self) -> None:
        """Replace the pod; nothing of its files stays, as on Kubernetes."""
        pod.down(self.pod)
        shutil.rmtree(self.juju / "agents", ignore_errors=True)
        pod.ensure_up(self.pod)

    def remove(self) -> None:
        """Remove the pod."""
        pod.remove(self.pod)


class HostPlace:
    """One of the lab's hosts."""

    sockets: Mapping[str, pathlib.Path] = {}

    def __init__(self, each: host.Host) -> None:
        self._host = each
        self._settled = ""

    @property
    def juju(self) -> pathlib.Path:
        """What the place sees as ``/var/lib/juju``."""
        return disk.shared(self._host.name) / "juju"

    def ensure_up(self) -> None:
        """Do nothing: only an operator, or MAAS, turns a host on."""

    def boot(self) -> str:
        """Name the current run of the host; it counts once systemd has settled."""
        number = host.init_pid(self._host)
        try:
            stat = pathlib.Path(f"/proc/{number}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        run = f"{number}-{stat.rpartition(')')[2].split()[19]}"
        if run != self._settled:
            if host.system_state(self._host) not in ("running", "degraded"):
                return ""
            self._settled = run
        return run

    def address(self) -> str:
        """Return the host's management address."""
        return self._host.address(network.MANAGEMENT)

    def enter(self, argv: Sequence[str], *, container: str = "") -> list[str]:
        """Return the command that runs *argv* on the host."""
        del container
        return host.enter(self._host, argv)

    def stop_workloads(self) -> None:
        """Do nothing: a machine has no containers."""

    def renew(self) -> None:
        """Do nothing: a machine's charm is refreshed in place."""

    def remove(self) -> None:
        """Do nothing: hosts are the lab's, not Juju's."""


def place_of(model: Model, unit: Unit) -> Place:
    """Return where *unit* runs.

    With ``LAB_JUJU_MACHINES=pods`` machines are pods without Pebble or systemd, for tests of the
    agent itself.
    """
    if unit.machine is None:
        app = model.applications[unit.app]
        images = {
            container: app.resources.get(resource, resource) or "base"
            for container, resource in app.charm.containers.items()
        }
        return PodPlace(images, name=unit.name.replace("/", "-"))
    if os.environ.get("LAB_JUJU_MACHINES") == "pods":
        return PodPlace({}, name=f"machine-{unit.machine}")
    return HostPlace(host.Host(number=unit.machine + 1))


def instance_id(machine: int) -> str:
    """Return what the cloud calls a machine: its MAAS system id."""
    return f"sys-h{machine + 1}"


def in_directory(
    place: Place, argv: Sequence[str], *, directory: str, container: str = ""
) -> list[str]:
    """Return the command that runs *argv* in *directory* of a place."""
    return place.enter(["env", f"--chdir={directory}", *argv], container=container)
