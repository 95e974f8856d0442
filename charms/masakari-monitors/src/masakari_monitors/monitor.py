# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Turn what the snapshot knows into running monitors and a guard."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import ops

from hypervisor_instance_ha.settings import AgentWatch, Login, Settings, StorageProbe
from masakari_monitors import host_monitor, hypervisor, identity, workload
from masakari_monitors.config import MonitorsConfig
from masakari_monitors.snapshot import Account, World

DANGER = "danger: Nova's resume_guests_state_on_host_boot is on"


def ensure(world: World, *, nova_host: str, unit: str) -> None:
    """Install, configure and run the monitors and the guard; an unchanged world restarts nothing.

    Raises:
        workload.InstallError: if libvirt's library cannot be installed.
        charmlibs.systemd.SystemdError: if systemd refuses.
    """
    config, account = world.config, world.account
    if config is None or account is None:
        return
    changed = workload.ensure_code()
    changed |= workload.ensure_file(workload.CA_BUNDLE, world.ca_bundle, mode=0o644)
    said = settings(config, account, nova_host=nova_host, trusts=bool(world.ca_bundle))
    changed |= workload.ensure_file(workload.CONFIG, said.dumps(), mode=0o600)
    workload.forget_former()
    held = hypervisor.installed(hypervisor.NOVA_COMPUTE)
    workload.ensure_guard(held, known=hypervisor.NOVA_COMPUTE)
    workload.ensure_library()
    chosen = wanted(config, observed=world.observed)
    workload.ensure_monitors(chosen, restart=changed, restart_delay=config.restart_delay)
    if config.host_monitor:
        host_monitor.ensure(said.login, member=unit, restart_delay=config.restart_delay)
    else:
        host_monitor.remove()


def wanted(config: MonitorsConfig, *, observed: bool) -> Mapping[str, workload.Monitor]:
    """Return the monitors that options and relations ask for, by unit."""
    chosen = [workload.INSTANCES]
    if observed:
        chosen.append(workload.METRICS)
    if config.process_monitor:
        chosen.append(workload.PROCESSES)
    if config.agent_monitor:
        chosen.append(workload.AGENTS)
    if config.storage_probe:
        place = () if config.storage_probe.startswith("rbd:") else (config.storage_probe,)
        chosen.append(dataclasses.replace(workload.STORAGE, writable=place))
    return {monitor.unit: monitor for monitor in chosen}


def settings(
    config: MonitorsConfig, account: Account, *, nova_host: str, trusts: bool
) -> Settings:
    """Return what the programs on the hypervisor are told."""
    listed = tuple(process.unit for process in config.process_list)
    agent = AgentWatch(
        interval_s=config.agent_interval,
        timeout_s=config.agent_timeout,
        failures=config.agent_failures,
    )
    storage = StorageProbe(
        target=config.storage_probe,
        interval_s=config.storage_probe_interval,
        deadline_s=config.storage_probe_deadline,
        ceph_user=config.storage_probe_user,
    )
    return Settings(
        nova_host=nova_host,
        login=_login(config, account, trusts=trusts),
        libvirt_uri=config.libvirt_uri or identity.libvirt_uri(),
        resumes_guests=hypervisor.resumes_guests(),
        processes=listed or hypervisor.installed(hypervisor.WATCHED),
        process_interval_s=config.process_interval,
        process_retries=config.process_retries,
        restart_limit=config.restart_limit,
        restart_window_s=config.restart_window,
        queue_length=config.queue_length,
        audit_interval_s=config.audit_interval,
        agent=agent if config.agent_monitor else None,
        storage=storage if config.storage_probe else None,
        debug=config.debug,
    )


def _login(config: MonitorsConfig, account: Account, *, trusts: bool) -> Login:
    return Login(
        auth_url=account.auth_url,
        username=account.username,
        password=account.password.get_secret_value(),
        project=account.project,
        user_domain=account.user_domain,
        project_domain=account.project_domain,
        region=config.region or account.region,
        interface="internal" if config.use_internal_endpoints else "public",
        cafile=f"/{workload.CA_BUNDLE}" if trusts else "",
    )


def problems(config: MonitorsConfig, *, observed: bool) -> list[ops.StatusBase]:
    """Return what is wrong with the monitors and the guard, in the words of a unit's status."""
    if not workload.library_installed():
        return [ops.BlockedStatus(f"{workload.PACKAGE} not installed: check apt sources")]
    found: list[ops.StatusBase] = []
    for unit in wanted(config, observed=observed):
        if not workload.is_running(unit):
            name = unit.removeprefix("instance-ha-").removesuffix(".service")
            found.append(ops.BlockedStatus(f"{name} stopped: see journalctl on the machine"))
    if config.host_monitor and (problem := host_monitor.problem()):
        found.append(problem)
    if unit := hypervisor.other_monitor():
        found.append(ops.BlockedStatus(_way_out_of(unit)))
    if workload.report("guard").get("state") == "held":
        found.append(ops.BlockedStatus("return guard holds nova-compute: run show-status"))
    if workload.paused():
        found.append(ops.MaintenanceStatus("paused: run resume"))
    return found + _waiting()


def _way_out_of(other: str) -> str:
    """Return what ends a monitor that reports everything a second time."""
    if other == hypervisor.OF_RELATION:
        return "remove relation openstack-hypervisor:masakari-service"
    return f"stop and disable {other}"[:60]


def _waiting() -> list[ops.StatusBase]:
    instances = workload.report("instances")
    found: list[ops.StatusBase] = []
    if hypervisor.has_libvirt() and str(instances.get("libvirt", "ok")) != "ok":
        found.append(ops.WaitingStatus("waiting for libvirt to answer"))
    if instances.get("waiting") and str(instances.get("masakari", "ok")) != "ok":
        found.append(ops.WaitingStatus("reports wait for masakari: run show-status"))
    if workload.report("storage").get("storage", "ok") != "ok":
        found.append(ops.WaitingStatus("waiting for the storage to answer"))
    return found


def active() -> ops.StatusBase:
    """Return the status of a unit without problems."""
    if hypervisor.resumes_guests():
        return ops.ActiveStatus(DANGER)
    if not hypervisor.has_libvirt() and not workload.report(host_monitor.REPORT):
        return ops.ActiveStatus("no libvirt here: no server is watched")
    return ops.ActiveStatus()
