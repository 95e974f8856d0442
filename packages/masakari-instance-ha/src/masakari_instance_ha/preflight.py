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
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import masakari.conf
import taskflow.exceptions
from masakari.engine.drivers.taskflow import host_failure
from oslo_config import cfg
from stevedore import named

from instance_ha import recovery
from instance_ha.errors import InstanceHaError, PolicyError
from instance_ha.ladder import Rung
from masakari_instance_ha import assembly, fencing
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing import bmc
from masakari_instance_ha.fencing.maas_api import Access, MaasApi

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskflow.engines.base import Engine

TASKS = "masakari.task_flow.tasks"
DRIVERS = "hostmonitor.driver"
DRIVER = "instance_ha"
UNFENCED = "evacuate_instances_task"
"""Masakari's own evacuation, which asks for no proof."""

_PROOF = "fence_proof"
_REINSTALL = "The plugin is not complete here: juju refresh masakari-k8s"
_RENDER = "Let the charm render masakari.conf anew: juju config masakari-k8s"
_ARGUMENTS = {"context": None, "novaclient": None, "update_host_method": None}
_OPTIONS = {
    "auto": "host_auto_failure_recovery_tasks",
    "rh": "host_rh_failure_recovery_tasks",
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    problem: str = ""
    """Fact, reason and next step; empty where all is well."""


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
    checks += [(f"task {name}", partial(_task, name)) for name in recovery.TASKS.values()]
    checks += [
        ("proof is demanded", _proof),
        (f"driver {DRIVER}", _driver),
        ("fencing", partial(_fencing, conf)),
    ]
    if masakari_config is not None:
        problem = _read(masakari_config, *files)
        checks += [(f"flow {flow}", partial(_flow, flow, unreadable=problem)) for flow in _OPTIONS]
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


def _task(name: str) -> str:
    _, problem = _load(TASKS, name, arguments=_ARGUMENTS)
    return problem


def _driver() -> str:
    _, problem = _load(DRIVERS, DRIVER)
    return problem


def _proof() -> str:
    """Judge what the tasks themselves say that they need and give."""
    fence, _ = _load(TASKS, recovery.TASKS["fence"], arguments=_ARGUMENTS)
    evacuate, _ = _load(TASKS, recovery.TASKS["evacuate"], arguments=_ARGUMENTS)
    if fence is None or evacuate is None:
        return f"fencing and evacuation do not both load. {_REINSTALL}"
    if _PROOF not in fence.provides:
        return f"the fence task provides no {_PROOF}, so nothing proves a fence. {_REINSTALL}"
    if _PROOF not in evacuate.requires:
        return f"the evacuation requires no {_PROOF}, so it runs unfenced. {_REINSTALL}"
    return ""


def _load(group: str, name: str, *, arguments: dict[str, None] | None = None) -> tuple[Any, str]:
    """Load one entry point as Masakari does, and make it if *arguments* are given.

    Returns:
        What was loaded, or None; and why it was not.
    """
    problems: list[str] = []

    def note(_manager: object, _entry_point: object, error: BaseException) -> None:
        problems.append(f"it does not load: {type(error).__name__}: {error}. {_REINSTALL}")

    manager = named.NamedExtensionManager(
        group,
        names=[name],
        on_load_failure_callback=note,
        on_missing_entrypoints_callback=None,
        invoke_on_load=arguments is not None,
        invoke_kwds=arguments,
    )
    if manager.extensions:
        return manager.extensions[0].obj or manager.extensions[0].plugin, ""
    missing = f"no package has an entry point of this name in {group}. {_REINSTALL}"
    return None, problems[0] if problems else missing


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
        return f"{files[0]} cannot be read: {error}. {_RENDER}"
    return ""


def _flow(flow: str, *, unreadable: str) -> str:
    """Judge one of Masakari's host flows as it is configured, and compile it."""
    if unreadable:
        return unreadable
    try:
        phases = masakari.conf.CONF.taskflow_driver_recovery_flows[_OPTIONS[flow]]
    except (cfg.Error, ValueError) as error:
        return f"{_OPTIONS[flow]} cannot be read: {error}. {_RENDER}"
    return _lists(flow, phases) or _loads(phases) or _compiles(flow)


def _lists(flow: str, phases: dict[str, list[str]]) -> str:
    """Judge the lists; others' tasks may stand between ours."""
    if UNFENCED in _each(phases.values()):
        return f"{_OPTIONS[flow]} has {UNFENCED}, which evacuates unfenced. {_RENDER}"
    ours = set(recovery.TASKS.values())
    for phase, expected in recovery.task_flows()[flow].items():
        listed = phases.get(phase)
        if listed is None:
            return f"{_OPTIONS[flow]} has no phase {phase}. {_RENDER}"
        if [task for task in listed if task in ours] != expected:
            wanted = ", ".join(expected) or "none of ours"
            return f"{_OPTIONS[flow]} must have in {phase}, in this order: {wanted}. {_RENDER}"
    return ""


def _loads(phases: dict[str, list[str]]) -> str:
    """Judge whether every listed task loads: Masakari goes on without one that does not."""
    for name in _each(phases.values()):
        if problem := _task(name):
            return f"{name}: {problem}"
    return ""


def _each(lists: Iterable[list[str]]) -> list[str]:
    return [name for names in lists for name in names]


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
        return f"taskflow refuses the flow: {error}. {_RENDER}"
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


def _read_fencing_files(chosen: cfg.GroupAttr) -> None:
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
