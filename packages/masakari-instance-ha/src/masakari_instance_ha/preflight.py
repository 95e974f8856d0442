# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Prove, before Masakari starts, that what it will load is there and fences.

Masakari drops a task that it cannot load with one line in its log, and evacuates without it. So
every task is loaded here by the same means, and both flows are compiled from the lists that
masakari.conf has. Nothing is changed, and no network is touched unless the store is asked.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import masakari.conf
import taskflow.exceptions
from masakari.engine.drivers.taskflow import host_failure
from oslo_config import cfg

from instance_ha import recovery
from instance_ha.errors import InstanceHaError, PolicyError
from instance_ha.ladder import Rung
from masakari_instance_ha import assembly, fencing, flows
from masakari_instance_ha.checks import Check
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing import bmc
from masakari_instance_ha.fencing.maas_api import Access, MaasApi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskflow.engines.base import Engine

DRIVERS = ("hostmonitor.driver", "masakari.driver")
DRIVER = "instance_ha"
"""The name of ours in either group."""


def run(
    conf: cfg.ConfigOpts,
    *,
    files: Sequence[Path],
    masakari_config: Path | None = None,
    ask_store: bool = False,
) -> list[Check]:
    """Look at everything; what fails does not keep the rest from being looked at.

    Args:
        conf: The plugin's options.
        files: The files they came from.
        masakari_config: With the task flows; None in a process that runs none.
        ask_store: Whether to ask the database.
    """
    checks: list[tuple[str, Callable[[], str]]] = [("options", partial(_options, conf))]
    checks += [
        (f"task {name}", partial(flows.task_problem, name)) for name in recovery.every_task()
    ]
    checks += [
        ("proof is demanded", flows.demanded),
        *((f"driver {group}", partial(_driver, group)) for group in DRIVERS),
        ("fencing", partial(_fencing, conf)),
    ]
    if masakari_config is not None:
        problem = _read(masakari_config, *files)
        checks += [
            (f"flow {flow}", partial(_flow, flow, unreadable=problem)) for flow in flows.OPTIONS
        ]
        checks.append(("notification driver", partial(_notification_driver, problem)))
    if ask_store:
        checks.append(("store", partial(_store, conf)))
    return [Check(name=name, problem=" ".join(look().split())) for name, look in checks]


def _options(conf: cfg.ConfigOpts) -> str:
    """Judge the options; the engine's files declare no network, and need none."""
    try:
        for network in assembly.declared(conf):
            assembly.addresses(conf, network)
        if conf.instance_ha.networks:
            assembly.policy(conf)
    except InstanceHaError as error:
        return str(error)
    except (cfg.Error, ValueError) as error:
        return f"an option cannot be used: {error}. Correct it in instance-ha.conf"
    return ""


def _driver(group: str) -> str:
    _, problem = flows.load(group, DRIVER)
    return problem


def _notification_driver(unreadable: str) -> str:
    """Judge which driver the engine starts with."""
    chosen = "" if unreadable else masakari.conf.CONF.notification_driver
    if unreadable or chosen == DRIVER:
        return unreadable
    return f"notification_driver is {chosen}, which runs any flow. {flows.RENDER}"


def _read(*files: Path) -> str:
    """Read Masakari's own options; return why they cannot be read.

    The flows' database is not opened for it: Masakari remembers the one that it knew when it was
    imported, which is none here.
    """
    try:
        masakari.conf.CONF(
            args=[],
            project="masakari",
            default_config_files=list(map(str, files)),
            default_config_dirs=[],
        )
    except (cfg.Error, OSError) as error:
        return f"{files[0]} cannot be read: {error}. {flows.RENDER}"
    return ""


def _flow(flow: str, *, unreadable: str) -> str:
    """Judge one of Masakari's host flows as it is configured, and compile it."""
    if unreadable:
        return unreadable
    try:
        phases = masakari.conf.CONF.taskflow_driver_recovery_flows[flows.OPTIONS[flow]]
    except (cfg.Error, ValueError) as error:
        return f"{flows.OPTIONS[flow]} cannot be read: {error}. {flows.RENDER}"
    return flows.problem(flow, phases) or _compiles(flow)


def _compiles(flow: str) -> str:
    what: dict[str, Any] = {"host_name": "a-host", "notification_uuid": "a-notification"}
    try:
        if flow == "auto":
            loaded = host_failure.get_auto_flow(None, None, what)
        else:
            what["reserved_host_list"] = ["a-reserve"]
            loaded = host_failure.get_rh_flow(None, None, what, update_host_method=None)
        engine = cast("Engine", loaded)
        engine.compile()
        engine.prepare()
        engine.validate()
    except taskflow.exceptions.TaskFlowException as error:
        return f"taskflow refuses the flow: {error}. {flows.RENDER}"
    return ""


def _fencing(conf: cfg.ConfigOpts) -> str:
    """Judge the fencing options and the files that they name; nobody is asked."""
    chosen = conf.instance_ha_fencing
    try:
        fencing.build(conf, clock=SystemClock(), by="instance-ha check")
        if chosen.mode == "maas":
            _read_fencing_files(chosen)
    except InstanceHaError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"the list of power targets cannot be read: {error}. See the fencing relation"
    return ""


def _read_fencing_files(chosen: cfg.ConfigOpts.GroupAttr) -> None:
    """Raise an error for the first file that no fence could use, or that tells a secret."""
    if Rung.MAAS in fencing.ready(chosen):
        key = Path(chosen.maas_credentials_file)
        with MaasApi(Access(url=chosen.maas_url, credentials=key, ca=None, timeout_s=1.0)):
            pass
        json.loads(Path(chosen.targets_file).read_text(encoding="utf-8"))
    if chosen.bmc_file:
        bmc.parse(Path(chosen.bmc_file).read_text(encoding="utf-8"))
    for name in ("maas_credentials_file", "bmc_file", "ceph_keyring"):
        if chosen[name] and Path(chosen[name]).stat().st_mode & stat.S_IRWXO:
            raise PolicyError(
                f"{chosen[name]} can be read by everybody. Run chmod o= {chosen[name]}"
            )


def _store(conf: cfg.ConfigOpts) -> str:
    try:
        assembly.journal(conf).unclosed()
    except InstanceHaError as error:
        return str(error)
    return ""
