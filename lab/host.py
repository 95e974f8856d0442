# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated hosts: namespaces with a disk and a network of their own, systemd as pid 1.

They fail as hosts do. A power cut takes the cables, then every process, then every socket, so that
nothing which was still in a buffer can ever reach the network; a hang freezes all of it.
"""

import contextlib
import dataclasses
import pathlib
import re
import subprocess
from collections.abc import Sequence

from . import disk, network, process
from .errors import LabError
from .process import Daemon
from .process import run as run_command

MOST_HOSTS = 9
_INIT = pathlib.Path(__file__).with_name("host_init.sh")
_PAUSE_S = 0.02


@dataclasses.dataclass(frozen=True, kw_only=True)
class Host:
    """One hypervisor of the lab; its number says its name, addresses and identity."""

    number: int

    @property
    def name(self) -> str:
        """What Nova, Consul, Masakari, libvirt and MAAS call it."""
        return f"h{self.number}"

    @property
    def netns(self) -> str:
        """The network namespace that exists while it has power."""
        return f"{network.SWITCH}-{self.name}"

    def address(self, on: network.Network = network.MANAGEMENT) -> str:
        """Return its address on one network."""
        return on.address(10 + self.number)

    @property
    def uuid(self) -> str:
        """Its machine-id and hardware UUID, with dashes."""
        return str(disk.host_uuid(self.name, number=self.number))

    @property
    def cgroup(self) -> pathlib.Path:
        """The cgroup that holds every process of it."""
        return _cgroup_root() / self.name

    @property
    def daemon(self) -> Daemon:
        """The process that keeps the namespaces; its only child is the host's pid 1."""
        enter = ["sh", "-ec", 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', "sh", self.cgroup]
        spaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        spaces += ["--uts", "--ipc", "--cgroup"]
        return Daemon(
            name=f"host-{self.name}",
            argv=[*enter, "unshare", *spaces, _INIT, disk.directory(self.name), self.name],
            netns=self.netns,
        )


def host(name: str) -> Host:
    """Return the host called *name*.

    Raises:
        LabError: if no host can be called that.
    """
    if not re.fullmatch(f"h[1-{MOST_HOSTS}]", name):
        raise LabError(f"no host is called {name}; say one of h1 to h{MOST_HOSTS}")
    return Host(number=int(name[1:]))


def hosts(count: int) -> list[Host]:
    """Return the first *count* hosts."""
    return [Host(number=number) for number in range(1, count + 1)]


def known() -> list[Host]:
    """Return every host that has a disk, whether on or off."""
    present = disk.HOSTS.iterdir() if disk.HOSTS.exists() else ()
    return [host(name) for name in sorted(place.name for place in present)]


def ensure_up(wanted: Sequence[Host]) -> None:
    """Bring every host of *wanted* up; they boot side by side."""
    network.ensure_up()
    for each in wanted:
        power_on(each)
    for each in wanted:
        wait_booted(each)


def down() -> None:
    """Cut the power of every host and throw its disk away."""
    for each in known():
        kill(each)
        disk.remove(each.name)
    with contextlib.suppress(OSError):  # another lab may still have hosts in it
        _cgroup_root().rmdir()


def prepare(each: Host) -> None:
    """Make the disk of a host without booting it, for units and files it shall boot with."""
    names = "".join(f"{h.address()} {h.name}\n" for h in hosts(MOST_HOSTS))
    disk.ensure(each.name, number=each.number, hosts_file=f"127.0.0.1 localhost\n{names}")


def boot(each: Host) -> None:
    """Turn a host on and wait until systemd has started what it is going to start."""
    power_on(each)
    wait_booted(each)


def power_on(each: Host) -> None:
    """Press the power button: returns at once; a host that is on stays on."""
    with process.exclusive(f"power-{each.name}"):
        if is_on(each):
            return
        _clear(each)
        prepare(each)
        for wire in network.HOST_NETWORKS:
            network.attach(
                each.netns,
                to=wire,
                address=each.address(wire),
                default_route=wire is network.MANAGEMENT,
            )
        each.cgroup.mkdir(parents=True, exist_ok=True)
        process.spawn(each.daemon)


def wait_booted(each: Host) -> None:
    """Wait until the host's systemd has settled, with or without failed units."""
    process.wait_until(
        lambda: is_on(each) and system_state(each) in ("running", "degraded"),
        within_s=60,
        what=f"{each.name} to boot",
        daemon=each.daemon,
    )


def kill(each: Host) -> None:
    """Cut the power: cables, processes and sockets are gone when this returns; the disk stays."""
    with process.exclusive(f"power-{each.name}"):
        _clear(each)


def _clear(each: Host) -> None:
    """Remove all that a host has while it is on."""
    network.detach(each.netns, networks=network.HOST_NETWORKS)
    if each.cgroup.exists():
        _write_cgroup(each, "cgroup.kill", value="1")
        _write_cgroup(each, "cgroup.freeze", value="0")
        process.wait_until(
            lambda: "populated 0" in (each.cgroup / "cgroup.events").read_text(),
            within_s=10,
            what=f"the processes of {each.name} to end",
            every_s=_PAUSE_S,
        )
        for group in sorted(each.cgroup.rglob("*/"), key=lambda path: -len(path.parts)):
            group.rmdir()
        each.cgroup.rmdir()
    each.daemon.pid_file.unlink(missing_ok=True)
    network.remove(each.netns)


def shutdown(each: Host) -> None:
    """Shut a host down in order, as an operator does; its agents say goodbye."""
    run(each, ["systemctl", "--no-block", "poweroff"])
    process.wait_until(lambda: not is_on(each), within_s=60, what=f"{each.name} to shut down")
    kill(each)


def freeze(each: Host) -> None:
    """Hang a host: nothing in it runs, and its cables and locks stay as they are."""
    _write_cgroup(each, "cgroup.freeze", value="1")
    process.wait_until(
        lambda: is_frozen(each),
        within_s=10,
        what=f"{each.name} to freeze",
        every_s=_PAUSE_S,
    )


def thaw(each: Host) -> None:
    """Let a frozen host go on as if nothing had happened."""
    _write_cgroup(each, "cgroup.freeze", value="0")


def is_frozen(each: Host) -> bool:
    """Say whether a host hangs."""
    return "frozen 1" in (each.cgroup / "cgroup.events").read_text()


def is_on(each: Host) -> bool:
    """Say whether a host has power; a frozen one has."""
    return init_pid(each) is not None


def init_pid(each: Host) -> int | None:
    """Return the machine's pid of the host's pid 1, or None while it is off."""
    return process.child(each.daemon)


def enter(each: Host, argv: Sequence[str]) -> list[str]:
    """Return the command that runs *argv* on a host, in its cgroup and all of its namespaces.

    Raises:
        LabError: if the host is off.
    """
    pid = init_pid(each)
    if pid is None:
        raise LabError(f"{each.name} is off; run `python -m lab boot {each.name}`")
    group = each.cgroup / "lab-entered"
    script = 'mkdir -p "$1"; echo $$ >"$1/cgroup.procs"; shift; exec "$@"'
    inside = ["nsenter", f"--target={pid}", "--all", "--"]
    return ["sh", "-ec", script, "sh", str(group), *inside, *argv]


def run(
    each: Host,
    argv: Sequence[str],
    *,
    check: bool = True,
    input: str | None = None,
    within_s: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a command on a host that is on, and return what it said."""
    return run_command(enter(each, argv), check=check, input=input, within_s=within_s)


def system_state(each: Host) -> str:
    """Return what the host's systemd says of itself: starting, running, degraded ..."""
    return run(each, ["systemctl", "is-system-running"], check=False).stdout.strip()


def write(each: Host, path: str, text: str, *, mode: int = 0o644) -> bool:
    """Make a file of root's hold *text* on a host, on or off. Return whether that changed it."""
    if is_on(each):
        script = ["sh", "-ec", disk.WRITE, "sh", path, f"{mode:o}"]
        return bool(run(each, script, input=text).stdout)
    prepare(each)
    return disk.write(each.name, pathlib.PurePath(path), text=text, mode=mode)


def install_unit(each: Host, name: str, text: str) -> bool:
    """Put a systemd unit onto a host and enable it. Return whether that changed its text.

    The caller starts it, if the host is on.
    """
    changed = write(each, f"/etc/systemd/system/{name}", text)
    if not changed:
        return False
    if is_on(each):
        run(each, ["systemctl", "daemon-reload"])
        run(each, ["systemctl", "enable", name])
    else:
        disk.enable(each.name, name)
    return True


def _cgroup_root() -> pathlib.Path:
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, target, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(target) / "instance-ha-lab"
    raise LabError("no cgroup2 is mounted; mount one: `mount -t cgroup2 cgroup2 /mnt`")


def _write_cgroup(each: Host, file: str, *, value: str) -> None:
    (each.cgroup / file).write_text(value)
