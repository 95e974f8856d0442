# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the product is measured against: Masakari as Sunbeam's own charm configures it.

It runs in the same containers, as the same account, on the same database, queue and Consul; only
our plugin, our tuning and our fencing are missing. masakari-api goes on as it is, to the rival's
advantage: it does not make the random pause before each notification.
"""

import configparser
import contextlib
import io
import json
import shlex
import time
from collections.abc import Generator, Mapping, Sequence

import yaml

from . import compute, consul, deployment, host, network
from .errors import LabError
from .host import Host
from .process import wait_until
from .stories import faults
from .stories.faults import ENGINE, HOSTMONITOR
from .stories.scene import Scene

INTERVAL_S, SAMPLES, DELAY_S = 20, 3, 60
"""Defaults of its options monitoring-interval, monitoring-samples and evacuation-delay."""

_CONF = "/etc/masakari/rival.conf"
_RENDERED = {
    ENGINE: "/etc/masakari/masakari.conf",
    HOSTMONITOR: "/etc/masakari/masakarimonitors.conf",
}
_NETWORKS = {"manage": "management", "tenant": "tenant", "storage": "storage"}
"""The words of Masakari's Consul driver, and the lab's."""

_TUNING = (
    "duplicate_notification_detection_interval",
    "host_failure_recovery_threads",
    "notification_delay_max",
    "periodic_fuzzy_delay",
    "process_unfinished_notifications_interval",
    "retry_notification_new_status_interval",
)
_OVER = {"finished", "failed", "ignored"}
_LOOKED = "Current cluster state"
"""What the Consul driver logs after each look, if it logs for debugging."""


def engine_conf(rendered: str) -> str:
    """Return the engine's configuration, from the one that our charm rendered."""
    conf = _parsed(rendered)
    conf.remove_section("taskflow_driver_recovery_flows")
    for option in _TUNING:
        conf.remove_option("DEFAULT", option)
    _set(conf, "DEFAULT", {"wait_period_after_service_update": str(DELAY_S)})
    _set(conf, "host_failure", {"evacuate_all_instances": "true"})
    return _written(conf)


def hostmonitor_conf(rendered: str, *, agents: Mapping[str, str]) -> str:
    """Return the monitor's configuration, from the one that our charm rendered.

    Without a matrix file it follows its built-in one, whose networks are exactly these three.

    Args:
        rendered: What our charm rendered.
        agents: ``manage``, ``tenant`` and ``storage``, each with the address of one server.
    """
    conf = _parsed(rendered)
    conf.remove_section("host")
    host_settings = {
        "monitoring_driver": "consul",
        "monitoring_interval": str(INTERVAL_S),
        "monitoring_samples": str(SAMPLES),
    }
    _set(conf, "DEFAULT", {"debug": "true"})
    _set(conf, "host", host_settings)
    _set(conf, "consul", {f"agent_{name}": address for name, address in agents.items()})
    return _written(conf)


def layer(plan: str, *, container: str) -> str:
    """Return Pebble's layer with the rival of a container's service, run by the same account.

    Args:
        plan: Pebble's plan, from which the account is taken; the plugin's path is not.
        container: Its name, which is our service's too.
    """
    ours = yaml.safe_load(plan)["services"][container]
    account = {key: ours[key] for key in ("user", "group") if key in ours}
    service = {
        "override": "replace",
        "summary": f"{container} without our plugin",
        "command": f"{container} --config-file {_CONF}",
        "startup": "disabled",
        **account,
    }
    return json.dumps({"services": {_service(container): service}})


@contextlib.contextmanager
def in_charge(scene: Scene, hosts: Sequence[Host]) -> Generator[None]:
    """Let the rival watch over the hosts while the block lasts, which begins once it does.

    The block begins in the middle between two of the rival's looks: a loss at once costs it the
    mean of what it can. Afterwards every host is on and in service again.
    """
    with (
        _hooks_quiet(scene),
        faults.stopped(scene, HOSTMONITOR),
        faults.stopped(scene, ENGINE),
        _given_back(scene, hosts),
        _running(scene, ENGINE),
        _running(scene, HOSTMONITOR),
    ):
        wait_until(
            lambda: _looks(scene) >= SAMPLES,
            within_s=INTERVAL_S * SAMPLES + 60,
            what=f"the rival's monitor to have looked {SAMPLES} times",
            every_s=1.0,
        )
        time.sleep(INTERVAL_S / 2)
        yield
        for container in _RENDERED:
            if faults.is_running(scene, container):
                raise LabError(f"{container} of ours ran too: nothing was measured; run it again")
        _wait_settled(scene)


@contextlib.contextmanager
def _hooks_quiet(scene: Scene) -> Generator[None]:
    """Keep the charm from starting what is stopped: nothing but a hook could."""
    key = "update-status-hook-interval"
    before = scene.juju.model_config()[key]
    scene.juju.model_config({key: "1h"})
    deployment.wait_active(scene.juju)
    try:
        yield
    finally:
        scene.juju.model_config({key: before})
        deployment.wait_active(scene.juju)


@contextlib.contextmanager
def _running(scene: Scene, container: str) -> Generator[None]:
    """Run the rival of a container's service beside it."""
    service = _service(container)
    file = f"/tmp/{service}.yaml"
    source = _RENDERED[container]
    conf = _conf(container, rendered=_shell(scene, container, f"cat {source}"))
    made = layer(faults.pebble(scene, container, "plan"), container=container)
    # A copy that keeps owner and mode, then another content.
    for line in (
        f"cp -p {source} {_CONF}",
        f"printf %s {shlex.quote(conf)} > {_CONF}",
        f"printf %s {shlex.quote(made)} > {file}",
    ):
        _shell(scene, container, line)
    faults.pebble(scene, container, "add", "--combine", service, file)
    faults.pebble(scene, container, "start", service)
    try:
        yield
    finally:
        faults.pebble(scene, container, "stop", service)


@contextlib.contextmanager
def _given_back(scene: Scene, hosts: Sequence[Host]) -> Generator[None]:
    """Do at the end by hand what an operator of the rival does when a host is repaired."""
    try:
        yield
    finally:
        lost = [each for each in hosts if not host.is_on(each)]
        for each in lost:
            host.boot(each)
        consul.ensure_up(hosts)
        for each in lost:
            compute.ensure_in_service(each)
            words = ("host", "update", each.name, "--no-on-maintenance")
            deployment.instance_ha(scene.juju, *words)


def _wait_settled(scene: Scene) -> None:
    """Wait until Masakari has ended every notification: none is left for our engine."""

    def settled() -> bool:
        known = deployment.instance_ha(scene.juju, "notification", "list")
        return all(notification["status"] in _OVER for notification in known)

    wait_until(
        settled, within_s=600, what="the rival's engine to end its notification", every_s=2.0
    )


def _conf(container: str, *, rendered: str) -> str:
    if container == ENGINE:
        return engine_conf(rendered)
    agents = {word: consul.http_address(network.network(name)) for word, name in _NETWORKS.items()}
    return hostmonitor_conf(rendered, agents=agents)


def _looks(scene: Scene) -> int:
    """Return how often the rival's monitor has looked at the hosts since it was started."""
    service = _service(HOSTMONITOR)
    began = faults.pebble(scene, HOSTMONITOR, "logs", "-n", "all", service)
    return began.count(_LOOKED)


def _service(container: str) -> str:
    return f"rival-{container}"


def _shell(scene: Scene, container: str, line: str) -> str:
    return scene.juju.ssh(faults.UNIT, line, container=container)


def _parsed(text: str) -> configparser.ConfigParser:
    # Another default section, for oslo's DEFAULT is one like all others.
    conf = configparser.ConfigParser(
        default_section="", interpolation=None, delimiters=("=",), comment_prefixes=("#",)
    )
    conf.read_string(text)
    return conf


def _set(conf: configparser.ConfigParser, section: str, values: Mapping[str, str]) -> None:
    if not conf.has_section(section):
        conf.add_section(section)
    for option, value in values.items():
        conf.set(section, option, value)


def _written(conf: configparser.ConfigParser) -> str:
    text = io.StringIO()
    conf.write(text)
    return text.getvalue()
