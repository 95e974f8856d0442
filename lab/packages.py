# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the lab needs on a bare Debian 12 or Ubuntu 24.04, and how it gets there."""

import contextlib
import os
import pathlib
import shutil
import time
from collections.abc import Generator, Sequence

from . import binaries, guest, paths
from .errors import LabError
from .juju import equipment
from .process import exclusive, run

PACKAGES = (
    # namespaces, hosts and wires
    "iproute2",
    "iptables",
    "procps",
    "util-linux",
    "systemd",
    "dbus",
    # a Pacemaker ring
    "corosync",
    "pacemaker",
    "pacemaker-cli-utils",
    "resource-agents",
    # the control plane
    "mariadb-server",
    "rabbitmq-server",
    "gcc",
    "python3-dev",
    "python3-venv",
    # virtual machines
    "busybox-static",
    "cpio",
    "libvirt-clients",
    "libvirt-daemon",
    "libvirt-daemon-driver-qemu",
    "python3-libvirt",
    "qemu-system-x86",
    "qemu-utils",
    # their storage
    "ceph-common",
    "ceph-mgr",
    "ceph-mon",
    "ceph-osd",
    "python3-rados",
    "python3-rbd",
    "qemu-block-extra",
)
_FOR_BUILDS = ("python3-venv",)
"""What a Go toolchain from PyPI is installed with."""
_MODULES = ("rados", "rbd", "libvirt")
"""Modules of the system's Python that PyPI does not have, or has only to compile."""

POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = "#!/bin/sh\n# Of the instance recovery lab, while it installs.\nexit 101\n"


def install() -> None:
    """Install everything; each step that was done before is skipped at once.

    Raises:
        LabError: if this is not root's shell, or the disk is too full.
    """
    if os.geteuid():
        raise LabError("installing needs root; run `sudo python -m lab install`")
    with exclusive("install"):
        ensure_packages(only=_FOR_BUILDS)
        if any(not paths.binary_path(name).exists() for name in binaries.NAMES):
            _start_builds()
        with _step("system packages"):
            ensure_packages()
        with _step("the OpenStack environment"):
            ensure_openstack()
        with _step("what the charms run with"):
            equipment.ensure()
        with _step("the guest's kernel"):
            guest.build()
        for name in binaries.NAMES:
            with _step(name):
                binaries.await_build(name)
        binaries.forget_sources()


def _start_builds() -> None:
    """Build what no package has, beside all the rest: it takes the longest."""
    if not binaries.has_room():
        raise LabError(
            f"building Consul needs 6 GB for a while and {paths.CACHE} has less; free some, or "
            "set INSTANCE_HA_CACHE to a directory on another disk"
        )
    for name in binaries.NAMES:
        binaries.start_build(name)


def missing_packages(only: Sequence[str] | None = None) -> list[str]:
    """Return the system packages, of all or of *only* these, that are not installed."""
    said = run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n"]).stdout
    installed = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    return [name for name in (only or PACKAGES) if name not in installed]


def ensure_packages(only: Sequence[str] | None = None) -> None:
    """Install the system packages that are missing; no daemon of theirs is started."""
    missing = missing_packages(only)
    if not missing:
        return
    print(f"   with apt: {' '.join(missing)}", flush=True)
    options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600"]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], env=quiet, within_s=600)
    with _no_daemons():
        run(["apt-get", "install", *options, *missing], env=quiet, within_s=3600)


@contextlib.contextmanager
def _no_daemons() -> Generator[None]:
    """Let no package start its daemon: the lab starts its own, in its own namespaces."""
    ours = not POLICY.exists() or POLICY.read_text() == _POLICY_TEXT
    if ours:
        POLICY.write_text(_POLICY_TEXT)
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()


def ensure_openstack() -> None:
    """Build the OpenStack environment, on the system's own Python."""
    ensure_environment("openstack", modules=_MODULES, proof=("nova.version", "masakari.version"))


def ensure_environment(name: str, *, modules: Sequence[str], proof: Sequence[str]) -> pathlib.Path:
    """Return the environment of ``build/<name>-requirements.txt``, built if it is not complete.

    Args:
        name: Of the requirements, and of the environment in the cache.
        modules: What it takes from the system's own Python.
        proof: What it must import, beside those, to count as complete.
    """
    place = paths.environment_path(name)
    if (place / "complete").exists():
        return place
    requirements = paths.BUILD / f"{name}-requirements.txt"
    count = len(requirements.read_text().splitlines())
    print(f"   {count} packages from PyPI for {place.name}", flush=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    uv = binaries.tool("uv", package="uv")
    python = place / "bin" / "python"
    only_ours = {"UV_PYTHON_DOWNLOADS": "never"}
    if not python.exists():
        shutil.rmtree(place, ignore_errors=True)
        run([uv, "venv", "--quiet", "--python", "/usr/bin/python3", place], env=only_ours)
    run(
        [uv, "pip", "install", "--quiet", "--python", python, "--requirement", requirements],
        env=only_ours,
        within_s=1800,
    )
    _link_system_modules(place, modules)
    run([python, "-c", f"import {', '.join((*modules, *proof))}"])
    (place / "complete").touch()
    return place


def _link_system_modules(venv: pathlib.Path, modules: Sequence[str]) -> None:
    (packages,) = venv.glob("lib/python3*/site-packages")
    for module in modules:
        for file in pathlib.Path("/usr/lib/python3/dist-packages").glob(f"{module}*"):
            link = packages / file.name
            if not link.exists():
                link.symlink_to(file)


@contextlib.contextmanager
def _step(name: str) -> Generator[None]:
    begin = time.monotonic()
    print(f"-- {name}", flush=True)
    yield
    print(f"   ready after {time.monotonic() - begin:.0f} s", flush=True)
