# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Turn what is known into files; pure, so that the same input always gives the same text."""

import json
from collections.abc import Mapping, Sequence

import jinja2

from instance_ha.recovery import instance_flow, task_flows
from instance_ha_relations import oslo
from instance_ha_relations.hypervisor import HypervisorData
from masakari_k8s.workload import File
from masakari_k8s.world import Core, Fencing, Watch

ETC = "/etc/masakari"
MASAKARI_CONF = f"{ETC}/masakari.conf"
MONITORS_CONF = f"{ETC}/masakarimonitors.conf"
INSTANCE_HA_CONF = f"{ETC}/instance-ha.conf"
STORE_CONF = f"{ETC}/instance-ha-store.conf"
"""Only where the plugin's tables are: the database is migrated before there is any fencing."""
API_PASTE = f"{ETC}/api-paste.ini"
POLICY = f"{ETC}/policy.yaml"
CREDENTIALS = f"{ETC}/maas-credentials"
TARGETS = f"{ETC}/fence-targets.json"
HYPERVISORS = f"{ETC}/hypervisors.json"
BMCS = f"{ETC}/bmc-credentials"
CEPH_CONF = f"{ETC}/ceph.conf"
CEPH_KEYRING = f"{ETC}/ceph-keyring"
API_PORT = 15868
CONTROLLER_PORT = 15869
ENGINE_PORT = 15870
"""Where these two serve /metrics and /health."""
_AUTHORITIES = f"{ETC}/ca-bundle.pem"
_DATABASE_CA = f"{ETC}/database-ca.pem"
_MAAS_CA = f"{ETC}/maas-ca.pem"


def _flow(phases: Mapping[str, Sequence[str]]) -> str:
    """Return a task flow in the notation of Masakari's options."""
    return ",".join(
        f"{phase}:[{','.join(repr(task) for task in tasks)}]" for phase, tasks in phases.items()
    )


def _pairs(values: Mapping[str, str]) -> str:
    """Return a mapping in the notation of oslo.config."""
    return ",".join(f"{key}:{value}" for key, value in sorted(values.items()))


_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("masakari_k8s"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701 - configuration files; every value goes through the filter ini
    keep_trailing_newline=True,
    bytecode_cache=jinja2.FileSystemBytecodeCache(),  # for the next hook: half of its own time
)
_TEMPLATES.filters |= {"ini": oslo.escaped, "flow": _flow, "pairs": _pairs}


def masakari(core: Core, *, unit: str) -> tuple[File, ...]:
    """Return what masakari-api and masakari-engine read."""
    config = core.config
    conf = _TEMPLATES.get_template("masakari.conf.j2").render(
        _shared(core, unit=unit),
        port=API_PORT,
        transport_url=core.transport_url,
        evacuation_delay=config.evacuation_delay,
        evacuations_at_once=config.evacuations_at_once,
        evacuate_all_instances=str(config.evacuate_all_instances),
        flows=task_flows(),
        instance_flow=instance_flow(),
    )
    return (File(path=MASAKARI_CONF, text=conf), *_authorities(core))


def store(core: Core) -> File:
    """Return what the migrations read, besides masakari.conf."""
    url = oslo.escaped(core.database.url)
    # Tables are migrated whether the plugin loads or not, so with the driver that is always there.
    text = (
        f"[DEFAULT]\nnotification_driver = taskflow_driver\n\n[instance_ha]\nconnection = {url}\n"
    )
    return File(path=STORE_CONF, text=text)


def api_paste(core: Core) -> File:
    """Return the API's mount points: the root, and the path of every ingress."""
    template = _TEMPLATES.get_template("api-paste.ini.j2")
    return File(path=API_PASTE, text=template.render(paths=("", *core.ingress_paths)))


def policy() -> File:
    """Return who may use the API: administrators, whatever the image has a file for."""
    return File(
        path=POLICY, text='"context_is_admin": "role:admin"\n"admin_api": "is_admin:True"\n'
    )


def monitors(core: Core, *, unit: str) -> tuple[File, ...]:
    """Return what masakari-hostmonitor reads of its own."""
    conf = _TEMPLATES.get_template("masakarimonitors.conf.j2").render(
        _shared(core, unit=unit),
        interval=core.config.monitoring_interval,
        samples=core.config.monitoring_samples,
    )
    return (File(path=MONITORS_CONF, text=conf), *_authorities(core))


def instance_ha(
    core: Core, fencing: Fencing, watch: Watch | None, *, unit: str
) -> tuple[File, ...]:
    """Return what our plugin reads; the engine needs no *watch*."""
    consul = (
        {network.value: endpoint for network, endpoint in watch.consul.items()} if watch else {}
    )
    conf = _TEMPLATES.get_template("instance-ha.conf.j2").render(
        _shared(core, unit=unit),
        consul=consul,
        metrics_port=CONTROLLER_PORT if watch else ENGINE_PORT,
        fencing=fencing,
        credentials_file=CREDENTIALS,
        targets_file=TARGETS,
        hypervisors_file=HYPERVISORS,
        maas_ca_file=_MAAS_CA,
        bmc_file=BMCS,
        ceph_conf=CEPH_CONF,
        ceph_keyring=CEPH_KEYRING,
    )
    return (File(path=INSTANCE_HA_CONF, text=conf), *_fencing(fencing))


def hypervisors(known: Mapping[str, HypervisorData]) -> File:
    """Return what the controller knows of the machines, from themselves; it restarts nothing."""
    listed = {
        host: {"boot_id": data.boot_id, "address": data.address}
        for host, data in sorted(known.items())
    }
    return File(path=HYPERVISORS, text=json.dumps(listed, indent=2) + "\n", live=True)


def _fencing(fencing: Fencing) -> tuple[File, ...]:
    """Return the files that the fencer looks at again for every fence; they restart nothing."""
    if fencing.credentials is None:
        return ()
    names = ("system_id", "fqdn", "hostname", "storage_addresses", "tested_at")
    targets = {
        host: {
            **{name: getattr(target, name) for name in names},
            "problem": target.reason if target.result == "failed" else "",
        }
        for host, target in sorted(fencing.targets.items())
    }
    key = fencing.credentials.get_secret_value()
    files = [
        File(path=CREDENTIALS, text=f"{key}\n", live=True),
        File(path=TARGETS, text=json.dumps(targets, indent=2) + "\n", live=True),
    ]
    if fencing.bmcs is not None:
        text = fencing.bmcs.get_secret_value().strip() + "\n"
        files.append(File(path=BMCS, text=text, live=True))
    if fencing.ceph is not None:
        files.append(File(path=CEPH_CONF, text=fencing.ceph.conf(), live=True))
        files.append(File(path=CEPH_KEYRING, text=fencing.ceph.keyring(), live=True))
    if fencing.ca:
        files.append(File(path=_MAAS_CA, text=fencing.ca.strip() + "\n"))
    return tuple(files)


def _authorities(core: Core) -> tuple[File, ...]:
    files: list[File] = []
    if core.authorities:
        files.append(File(path=_AUTHORITIES, text="\n".join(core.authorities) + "\n"))
    if core.database.ca:
        files.append(File(path=_DATABASE_CA, text=core.database.ca.strip() + "\n"))
    return tuple(files)


def _shared(core: Core, *, unit: str) -> dict[str, object]:
    """Return what every template may name."""
    config = core.config
    return {
        "unit": unit.replace("/", "-"),
        "debug": str(config.debug),
        "insecure": str(config.tls_insecure),
        "config": config,
        "region": config.region,
        "duplicate_window": config.duplicate_window,
        "keystone": core.keystone,
        "password": core.keystone.password,
        "database_url": core.database.url,
        "ca_file": _AUTHORITIES if core.authorities else "",
    }
