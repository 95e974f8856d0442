# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Turn what the snapshot knows into a running instance monitor."""

import ops

from masakari_monitors import identity, workload
from masakari_monitors.snapshot import World


def ensure(world: World, *, nova_host: str) -> None:
    """Install, configure and run the monitor; an unchanged world restarts nothing.

    Raises:
        workload.InstallError: if the monitor cannot be installed.
        charmlibs.systemd.SystemdError: if systemd refuses.
    """
    config, account = world.config, world.account
    if config is None or account is None:
        return
    command = workload.ensure_installed()
    changed = workload.ensure_file(workload.CA_BUNDLE, world.ca_bundle, mode=0o644)
    text = workload.render(
        "masakarimonitors.conf.j2",
        nova_host=nova_host,
        debug=config.debug,
        auth_url=account.auth_url,
        username=account.username,
        password=account.password.get_secret_value(),
        project=account.project,
        user_domain=account.user_domain,
        project_domain=account.project_domain,
        region=account.region,
        cafile=f"/{workload.CA_BUNDLE}" if world.ca_bundle else "",
        libvirt_uri=config.libvirt_uri or identity.libvirt_uri(),
    )
    changed |= workload.ensure_file(workload.CONFIG, text, mode=0o640)
    unit = workload.render(
        "instancemonitor.service.j2",
        command=command,
        config=f"/{workload.CONFIG}",
        restart_delay=config.restart_delay,
    )
    changed |= workload.ensure_file(workload.UNIT, unit, mode=0o644)
    workload.ensure_running(restart=changed)


def status() -> ops.StatusBase:
    """Return how the monitor is, in the words of a unit's status."""
    if workload.command() is None:
        return ops.BlockedStatus("monitor not installed: check the apt sources")
    if not workload.is_running():
        return ops.BlockedStatus("monitor stopped: see journalctl on the machine")
    return ops.ActiveStatus()
