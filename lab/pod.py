# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Pods as Kubernetes runs them for a sidecar charm: one network namespace, several containers.

Every workload container has a root of its own and the real Pebble as pid 1; the charm has a
container too, with the workloads' sockets under ``/charm/containers``. A container that dies comes
back on a fresh root, so that whatever the charm pushed is gone.
"""

import dataclasses
import pathlib
import shutil
from collections.abc import Sequence

from . import image, network
from .errors import LabError
from .paths import STATE, binary
from .process import Daemon, child, exclusive, kill, pid, run, spawn, stop, wait_until

PODS = STATE / "pods"
CHARM = "charm"
"""Name of the container that the charm runs in."""

_INIT = pathlib.Path(__file__).with_name("pod_init.sh")
_FIRST_ADDRESS, _LAST_ADDRESS = 50, 254
_REAPER = "trap exit TERM; while :; do sleep 3600 & wait $!; done"
"""Pid 1 of the charm's container: does nothing, and buries the orphans of hooks."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod: a name like ``masakari-0``, and container names with their images' names."""

    name: str
    containers: tuple[tuple[str, str], ...] = ()
    shown: tuple[pathlib.Path, ...] = ()
    """Directories of the machine that the charm's container sees read-only."""

    @property
    def netns(self) -> str:
        """The network namespace that all its containers share."""
        return f"{network.SWITCH}-{self.name}"

    @property
    def directory(self) -> pathlib.Path:
        """Where everything of it lies."""
        return PODS / self.name

    @property
    def juju(self) -> pathlib.Path:
        """What the charm's container sees as ``/var/lib/juju``."""
        return self.directory / "juju"

    def shared(self, container: str) -> pathlib.Path:
        """Return what *container* sees as ``/charm/container``."""
        return self.directory / "sockets" / container

    def socket(self, container: str) -> pathlib.Path:
        """Return the socket of a container's Pebble, as the machine sees it."""
        return self.shared(container) / "pebble.socket"

    def image(self, container: str) -> image.Image:
        """Return what *container* is made of."""
        if container == CHARM:
            return image.Image(name=CHARM, shown=self.shown)
        names = dict(self.containers)
        if container not in names:
            raise LabError(f"pod {self.name} has no container {container}; say {', '.join(names)}")
        return image.image(names[container])

    def daemon(self, container: str) -> Daemon:
        """Return the process that keeps a container; its only child is the container's pid 1."""
        command = ["/charm/bin/pebble", "run", "--hold", "--create-dirs"]
        if container == CHARM:
            command = ["/bin/bash", "-c", _REAPER]
        place = self.directory / container
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        return Daemon(
            name=f"pod-{self.name}-{container}",
            argv=[
                *("unshare", *spaces, "--propagation", "private"),
                *(_INIT, image.ensure_tree(), place, self.name, *command),
            ],
            netns=self.netns,
        )

    @property
    def everything(self) -> tuple[str, ...]:
        """The names of all containers, the charm's last."""
        return (*(name for name, _ in self.containers), CHARM)


def address(pod: Pod) -> str:
    """Return the pod's address; it keeps the one that it got first."""
    with exclusive("pods"):
        file = pod.directory / "address"
        if file.exists():
            return file.read_text()
        taken = {other.read_text() for other in PODS.glob("*/address")}
        free = (network.POD.address(n) for n in range(_FIRST_ADDRESS, _LAST_ADDRESS + 1))
        chosen = next((a for a in free if a not in taken), None)
        if chosen is None:
            raise LabError("the pod network is full; remove some units first")
        pod.directory.mkdir(parents=True, exist_ok=True)
        file.write_text(chosen)
        return chosen


def is_up(pod: Pod) -> bool:
    """Say whether every container runs."""
    return all(pid(pod.daemon(container)) for container in pod.everything)


def ensure_up(pod: Pod) -> None:
    """Start every container that does not run, and wait until each one's pid 1 is itself."""
    network.ensure_up()
    network.attach(pod.netns, to=network.POD, address=address(pod), default_route=True)
    with exclusive(f"pod-{pod.name}"):  # the player looks after its pods as well
        for container in pod.everything:
            if pid(pod.daemon(container)) is None:
                _prepare(pod, container)
                spawn(pod.daemon(container))
    for container in pod.everything:
        daemon = pod.daemon(container)
        program = "bash" if container == CHARM else "pebble"
        wait_until(
            lambda c=container, p=program: _program(pod, c) == p,
            within_s=30,
            what=f"container {container} of pod {pod.name}",
            daemon=daemon,
            every_s=0.02,
        )


def _prepare(pod: Pod, container: str) -> None:
    """Give a container a fresh root."""
    place = pod.directory / container
    if place.exists():
        shutil.rmtree(place)
    for part in ("upper", "work", "usr", "usr-work", "root"):
        (place / part).mkdir(parents=True)
    wanted = pod.image(container)
    image.lay_out(wanted, upper=place / "upper", usr=place / "usr")
    names = f"127.0.0.1 localhost\n{address(pod)} {pod.name}\n"
    (place / "upper/etc/hosts").write_text(names)
    binds = [f"{path} {path} ro" for path in wanted.shown]
    if container == CHARM:
        pod.juju.mkdir(exist_ok=True)
        binds.append(f"{pod.juju} /var/lib/juju rw")
        for name, _ in pod.containers:
            pod.shared(name).mkdir(parents=True, exist_ok=True)
            binds.append(f"{pod.shared(name)} /charm/containers/{name} rw")
    else:
        pod.shared(container).mkdir(parents=True, exist_ok=True)
        binds.append(f"{pod.shared(container)} /charm/container rw")
        binds.append(f"{binary('pebble')} /charm/bin/pebble ro")
    (place / "binds").write_text("".join(f"{line}\n" for line in binds))


def _program(pod: Pod, container: str) -> str:
    number = init_pid(pod, container)
    try:
        arguments = pathlib.Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        is_script = arguments[1:2] == [bytes(_INIT)]
        return "" if is_script else pathlib.PurePath(arguments[0].decode()).name
    except (FileNotFoundError, ProcessLookupError):
        return ""


def init_pid(pod: Pod, container: str) -> int | None:
    """Return the machine's pid of a container's pid 1, or None while it is down."""
    return child(pod.daemon(container))


def enter(pod: Pod, argv: Sequence[str], *, container: str = CHARM) -> list[str]:
    """Return the command that runs *argv* in a container.

    Raises:
        LabError: if it is down.
    """
    number = init_pid(pod, container)
    if number is None:
        raise LabError(f"container {container} of pod {pod.name} is down; it restarts by itself")
    return ["nsenter", f"--target={number}", "--all", "--wdns=/", "--", *argv]


def kill_container(pod: Pod, container: str) -> None:
    """Let a container die as in a crash, and come back on a fresh root as the kubelet does it."""
    with exclusive(f"pod-{pod.name}"):  # whoever looks after it as well sees it dead, or anew
        kill(pod.daemon(container))
    ensure_up(pod)


def stop_workloads(pod: Pod) -> None:
    """End the workload containers in order, their services first; the charm's goes on."""
    for name, _ in pod.containers:
        stop(pod.daemon(name))


def down(pod: Pod) -> None:
    """End every container; the pod keeps its address and ``/var/lib/juju``."""
    stop_workloads(pod)
    kill(pod.daemon(CHARM))


def remove(pod: Pod) -> None:
    """Remove the pod with all that it kept."""
    for container in pod.everything:
        kill(pod.daemon(container))
    network.remove(pod.netns)
    shutil.rmtree(pod.directory, ignore_errors=True)


def cut(pod: Pod) -> None:
    """Cut the pod's cable."""
    network.cut(pod.netns, off=network.POD)


def heal(pod: Pod) -> None:
    """Plug the pod's cable in again."""
    network.heal(pod.netns, to=network.POD)


def pebble(pod: Pod, container: str, *words: str) -> str:
    """Run the Pebble client against one container, and return what it said."""
    socket = {"PEBBLE_SOCKET": str(pod.socket(container))}
    return run([binary("pebble"), *words], env=socket).stdout


def remove_all() -> None:
    """Remove every pod, whatever its containers are."""
    for directory in sorted(PODS.glob("*")):
        names = [place.name for place in directory.iterdir() if (place / "binds").exists()]
        containers = tuple((name, "base") for name in names if name != CHARM)
        remove(Pod(name=directory.name, containers=containers))
