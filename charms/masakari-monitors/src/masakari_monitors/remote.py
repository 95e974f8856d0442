# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Pacemaker's remote: the ring watches this hypervisor, which has no vote in it."""

from __future__ import annotations

import base64
import binascii
import grp
import os
import pathlib
import subprocess

import ops
from charmlibs import apt, systemd

from instance_ha_relations import pacemaker_remote, wire
from masakari_monitors import workload
from masakari_monitors.config import MonitorsConfig

ENDPOINT = "pacemaker-remote"
SERVICE = "pacemaker_remote.service"
PACKAGES = ("pacemaker-remote", "resource-agents-base")
DAEMON = pathlib.Path("usr/sbin/pacemaker-remoted")
AUTHKEY = pathlib.Path("etc/pacemaker/authkey")
GROUP = "haclient"
_PLAIN = "pacemaker-key"


def publish(charm: ops.CharmBase, config: MonitorsConfig, *, nova_host: str) -> None:
    """Tell every related ring who this hypervisor is; its name there is Nova's."""
    for relation in charm.model.relations[ENDPOINT]:
        binding = charm.model.get_binding(relation)
        data = pacemaker_remote.RemoteData.model_validate(
            {
                "remote-hostname": nova_host,
                "remote-ip": str((binding and binding.network.ingress_address) or ""),
                "stonith-hostname": os.uname().nodename if config.enable_stonith else None,
                "enable-resources": config.enable_resources,
                "reads-secrets": True,
                "ready": workload.is_running(SERVICE),
            }
        )
        wire.publish(relation.data[charm.unit], wire.as_json(data))


def key(charm: ops.CharmBase) -> str:
    """Return the ring's key in base64, from its secret or, of older rings, the databag.

    Returns:
        The key; empty while no ring has given one.

    Raises:
        instance_ha_relations.errors.RelationDataError: if what it gives cannot be used.
    """
    for relation in charm.model.relations[ENDPOINT]:
        if content := pacemaker_remote.read_key(charm.model, relation):
            return content.key.get_secret_value()
        for unit in sorted(relation.units, key=lambda unit: unit.name):
            if plain := relation.data[unit].get(_PLAIN):
                return plain
    return ""


def ensure(encoded: str) -> None:
    """Run pacemaker-remote with the ring's key; an unchanged key restarts nothing.

    Raises:
        workload.InstallError: if it cannot be installed, or the key is none.
        charmlibs.systemd.SystemdError: if systemd refuses.
    """
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise workload.InstallError("the ring's key is not base64: look at hacluster") from error
    if not (workload.ROOT / DAEMON).exists():
        try:
            apt.add_package(list(PACKAGES))
        except (apt.Error, subprocess.SubprocessError, OSError) as error:
            reason = f"apt cannot install {PACKAGES[0]}: check the machine's sources"
            raise workload.InstallError(reason) from error
    target = workload.ROOT / AUTHKEY
    if target.exists() and target.read_bytes() == content:
        if not systemd.service_running(SERVICE):
            systemd.service_start(SERVICE)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o440)
    target.chmod(0o440)
    os.chown(target, 0, _group())
    target.write_bytes(content)
    systemd.service_enable(SERVICE)
    systemd.service_restart(SERVICE)


def _group() -> int:
    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return 0  # the package makes it; without it root alone may read the key
