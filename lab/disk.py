# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The disk of a simulated host: an overlay over this machine's root that survives power cuts.

A host sees the machine's programs and libraries. What would leak the machine's own life into it
(enabled services, logs, other temporary files) is hidden.
"""

import dataclasses
import os
import pathlib
import shutil
import uuid

from .paths import CACHE, REPOSITORY, STATE
from .process import run

HOSTS = STATE / "hosts"

_HIDDEN = (
    "etc/systemd/system",
    "etc/init.d",
    *(f"etc/rc{level}.d" for level in "0123456S"),
    "var/log",
    "var/tmp",
    "var/lib/systemd",
)
_MASKED = (
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-udev-settle.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-modules-load.service",
    "systemd-sysctl.service",
    "systemd-remount-fs.service",
    "systemd-random-seed.service",
    "systemd-tmpfiles-setup-dev.service",
    "systemd-hwdb-update.service",
    "systemd-firstboot.service",
    "systemd-timesyncd.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-network-generator.service",
    "kmod-static-nodes.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-fs-fuse-connections.mount",
    "proc-sys-fs-binfmt_misc.automount",
    "getty.target",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "man-db.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "dpkg-db-backup.timer",
    "logrotate.timer",
    "motd-news.timer",
)
_TARGET = """[Unit]
Description=Simulated host
Requires=basic.target
Wants=multi-user.target
After=basic.target multi-user.target
AllowIsolate=yes
"""
_USERS = (
    ("libvirt-qemu", "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n"),
    ("nova", "nova:x:64060:64060::/var/lib/nova:/usr/sbin/nologin\n"),
)
_GROUPS = (
    ("libvirt-qemu", "libvirt-qemu:x:64055:\n"),
    ("kvm", "kvm:x:64056:libvirt-qemu\n"),
    ("nova", "nova:x:64060:\n"),
)


WRITE = """
mkdir -p "$(dirname "$1")"; cat >"$1.new"; chmod "$2" "$1.new"
if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; echo changed; fi
"""
"""The shell script that makes file ``$1`` hold its input with mode ``$2``, at once or not at all;
it says whether that changed the text."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bind:
    """A directory or file of the machine that a host sees."""

    source: pathlib.Path
    target: pathlib.Path
    writable: bool = False


def directory(name: str) -> pathlib.Path:
    """Return where everything of host *name* lies."""
    return HOSTS / name


def shared(name: str) -> pathlib.Path:
    """Return the directory that host *name* shares with the machine.

    It has the same path on both sides, and its part ``juju`` is ``/var/lib/juju`` on the host.
    """
    return directory(name) / "shared"


def ensure(name: str, *, number: int, hosts_file: str) -> None:
    """Make the disk of host *name*, as an installer leaves it; an existing disk stays."""
    place = directory(name)
    upper = place / "upper"
    if (place / "binds").exists():
        return
    for part in ("work", "root", "shared/juju"):
        (place / part).mkdir(parents=True, exist_ok=True)
    for hidden in _HIDDEN:
        (upper / hidden).mkdir(parents=True, exist_ok=True)
        os.setxattr(upper / hidden, "trusted.overlay.opaque", b"y")
    (upper / "var/tmp").chmod(0o1777)
    (upper / "var/log/journal").mkdir(exist_ok=True)
    units = upper / "etc/systemd/system"
    for unit in _MASKED:
        _link(units / unit, target="/dev/null")
    (units / "lab.target").write_text(_TARGET)
    _link(units / "default.target", target="lab.target")
    etc = upper / "etc"
    etc.joinpath("fstab").write_text("")
    etc.joinpath("hostname").write_text(f"{name}\n")
    etc.joinpath("hosts").write_text(hosts_file)
    etc.joinpath("machine-id").write_text(f"{host_uuid(name, number=number).hex}\n")
    etc.joinpath("passwd").write_text(_with_lines(pathlib.Path("/etc/passwd"), more=_USERS))
    etc.joinpath("group").write_text(_with_lines(pathlib.Path("/etc/group"), more=_GROUPS))
    juju = Bind(source=shared(name) / "juju", target=pathlib.Path("/var/lib/juju"), writable=True)
    own = Bind(source=shared(name), target=shared(name), writable=True)
    for bind in (
        own,
        juju,
        Bind(source=CACHE, target=CACHE),
        Bind(source=REPOSITORY, target=REPOSITORY),
    ):
        add_bind(name, bind)


def host_uuid(name: str, *, number: int) -> uuid.UUID:
    """Return the machine's identity: it begins with the host's number, and never changes."""
    derived = uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.instance-ha.lab").hex
    digits = str(number)
    return uuid.UUID(digits + derived[len(digits) :])


def add_bind(name: str, bind: Bind) -> None:
    """Show *bind* on the host from its next boot on."""
    file = directory(name) / "binds"
    line = f"{bind.source} {bind.target} {'rw' if bind.writable else 'ro'}\n"
    known = file.read_text() if file.exists() else ""
    if line not in known:
        file.write_text(known + line)


def write(name: str, path: pathlib.PurePath, *, text: str, mode: int) -> bool:
    """Write a file onto the disk of a host that is off. Return whether its text changed.

    The disk is mounted for it, out of everybody's sight: writing straight into an overlay's upper
    directory would have to know of whiteouts, and is undefined while it is mounted.
    """
    script = 'sh -ec "$2" sh "$1$3" "$4"'
    return bool(_mounted(name, script, WRITE, str(path), f"{mode:o}", input=text))


def enable(name: str, unit: str) -> None:
    """Enable a systemd unit of a host that is off."""
    _mounted(name, 'systemctl --root="$1" enable "$2"', unit)


def _mounted(name: str, script: str, *arguments: str, input: str | None = None) -> str:
    """Run *script* with the disk mounted at ``$1`` and *arguments* from ``$2`` on."""
    place = directory(name)
    layers = f"lowerdir=/,upperdir={place}/upper,workdir={place}/work"
    root = str(place / "root")
    shell = ["sh", "-ec", f'mount -t overlay overlay -o "{layers}" "$1"; {script}', "sh"]
    alone = ["unshare", "--mount", "--propagation", "private"]
    return run([*alone, *shell, root, *arguments], input=input).stdout


def remove(name: str) -> None:
    """Throw the disk away."""
    shutil.rmtree(directory(name), ignore_errors=True)


def _link(path: pathlib.Path, *, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _with_lines(file: pathlib.Path, *, more: tuple[tuple[str, str], ...]) -> str:
    text = file.read_text()
    names = {line.partition(":")[0] for line in text.splitlines()}
    return text + "".join(line for name, line in more if name not in names)
