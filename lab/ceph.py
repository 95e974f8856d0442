# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Ceph cluster of one monitor and one OSD in memory, on the storage network.

The OSD logs every reply with the client's address and the result: ``lab.oracle`` reads there who
wrote to which disk, and when.
"""

import contextlib
import json
import pathlib
import shutil
import tempfile
import uuid
from collections.abc import Generator, Mapping
from typing import Any

from . import network, process
from .errors import LabError
from .network import STORAGE
from .paths import STATE
from .process import Daemon

POOL = "vms"
USER = "nova"
SECRET = str(uuid.uuid5(uuid.NAMESPACE_DNS, "ceph.instance-ha.lab"))
"""The libvirt secret that holds the key of ``client.nova``."""

_VOLUME = "volume-"
"""What Cinder begins the names of its disks with."""

HOME = STATE / "ceph"
OSD_LOG = HOME / "log" / "osd.0.log"
_CONFIG = HOME / "ceph.conf"
_ADMIN_KEY = HOME / "admin.keyring"
_READY = HOME / "ready"
_FSID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "fsid.instance-ha.lab"))
_ADDRESSES = f"[v2:{STORAGE.router}:3300,v1:{STORAGE.router}:6789]"
_CAPACITY_BYTES = 16 << 30
"""Sparse. Nova counts the whole virtual size of every disk against it."""

_CONFIG_TEXT = f"""[global]
fsid = {_FSID}
mon_initial_members = a
mon_host = {_ADDRESSES}
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
public_network = {STORAGE.prefix}.0/24
run_dir = {HOME}/run
admin_socket = {HOME}/run/$name.asok
log_file = {HOME}/log/$name.log
crash_dir = {HOME}/crash
pid_file =
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true

[mon]
mon_data = {HOME}/mon
mon_data_avail_warn = 2
mon_data_avail_crit = 1
mon_warn_on_pool_no_redundancy = false
rocksdb_cache_size = 16777216

[mgr]
mgr_data = {HOME}/mgr
mgr_initial_modules =

[osd]
osd_data = {HOME}/osd
osd_objectstore = memstore
memstore_device_bytes = {_CAPACITY_BYTES}
osd_op_num_shards = 2
osd_op_num_threads_per_shard = 1
osd_class_load_list = *
debug_ms = 1

[client.admin]
keyring = {_ADMIN_KEY}
"""

_CLIENT_CONFIG_TEXT = f"""[global]
fsid = {_FSID}
mon_host = {_ADDRESSES}
auth_client_required = cephx

[client]
admin_socket =
log_file = /var/log/ceph-$name.$pid.log
keyring = /etc/ceph/$cluster.$name.keyring
"""


def _daemon(kind: str, *, id: str) -> Daemon:
    return Daemon(
        name=f"ceph-{kind}",
        argv=[f"ceph-{kind}", "--conf", _CONFIG, "--foreground", "--id", id],
        netns=network.SWITCH,
    )


_MONITOR = _daemon("mon", id="a")
_OSD = _daemon("osd", id="0")
_MANAGER = _daemon("mgr", id="x")


def daemons() -> tuple[Daemon, ...]:
    """Return the processes that stay up."""
    return _MONITOR, _OSD


def ensure_up() -> None:
    """Make the cluster and its pool; one that is up stays as it is.

    Raises:
        LabError: if the OSD has died, for what it held in memory is gone.
    """
    network.ensure_up()
    with process.exclusive("ceph"):
        if _READY.exists():
            if process.alive(_MONITOR) and process.alive(_OSD):
                return
            raise LabError("Ceph has died, and its disks with it; run `python -m lab down`")
        _remove()
        _start_monitor()
        _start_osd()
        _make_pool()
        _READY.touch()


def down() -> None:
    """Stop the cluster and throw it away."""
    with process.exclusive("ceph"):
        _remove()


def _remove() -> None:
    for daemon in (_MANAGER, _OSD, _MONITOR):
        process.kill(daemon)
    shutil.rmtree(HOME, ignore_errors=True)


def _start_monitor() -> None:
    for part in ("run", "log", "mon", "mgr", "osd", "crash"):
        (HOME / part).mkdir(parents=True, exist_ok=True)
    _CONFIG.write_text(_CONFIG_TEXT)
    monitor_key, first_map = HOME / "mon.keyring", HOME / "monmap"
    key = ["ceph-authtool", "--create-keyring", "--gen-key"]
    everything = [word for part in ("mon", "osd", "mgr") for word in ("--cap", part, "allow *")]
    process.run([*key, monitor_key, "--name=mon.", "--cap", "mon", "allow *"])
    process.run([*key, _ADMIN_KEY, "--name=client.admin", *everything])
    process.run(["ceph-authtool", monitor_key, "--import-keyring", _ADMIN_KEY])
    process.run(["monmaptool", "--create", "--fsid", _FSID, "--addv", "a", _ADDRESSES, first_map])
    seeds = ("--monmap", first_map, "--keyring", monitor_key)
    process.run(["ceph-mon", "--conf", _CONFIG, "--mkfs", "--id=a", *seeds], netns=network.SWITCH)
    process.spawn(_MONITOR)
    process.wait_until(
        lambda: not command("mon", "stat", "--connect-timeout=5", check=False)[1],
        within_s=60,
        what="Ceph's monitor to answer",
        daemon=_MONITOR,
    )


def _start_osd() -> None:
    identity = str(uuid.uuid4())
    ceph("osd", "new", identity, "0")
    keyring = HOME / "osd" / "keyring"
    rights = ("mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *")
    ceph("auth", "get-or-create", "osd.0", *rights, "-o", str(keyring))
    process.run(
        ["ceph-osd", "--conf", _CONFIG, "--mkfs", "--id=0", f"--osd-uuid={identity}"],
        netns=network.SWITCH,
    )
    process.spawn(_OSD)
    process.wait_until(
        lambda: json.loads(ceph("osd", "stat", "--format=json"))["num_up_osds"] == 1,
        within_s=60,
        what="Ceph's OSD to be up",
        daemon=_OSD,
        every_s=0.3,
    )


def _make_pool() -> None:
    ceph("osd", "pool", "create", POOL, "8")
    rbd("pool", "init", POOL)
    rights = ("mon", "profile rbd", "osd", f"profile rbd pool={POOL}", "mgr", "profile rbd")
    ceph("auth", "get-or-create", f"client.{USER}", *rights)
    _report_capacity()


def _report_capacity() -> None:
    """Run the manager until the monitor knows how large the pool is: Nova asks for that.

    The monitor keeps its last word, and a manager takes more memory than all of the rest.
    """
    keyring = HOME / "mgr" / "keyring"
    rights = ("mon", "allow profile mgr", "osd", "allow *", "mds", "allow *")
    ceph("auth", "get-or-create", "mgr.x", *rights, "-o", str(keyring))
    process.spawn(_MANAGER)
    try:
        process.wait_until(
            _capacity,
            within_s=90,
            what="Ceph to know the size of its pool",
            daemon=_MANAGER,
            every_s=0.5,
        )
    finally:
        process.kill(_MANAGER)


def _capacity() -> int:
    pools = json.loads(ceph("df", "--format=json"))["pools"]
    return next((pool["stats"]["max_avail"] for pool in pools if pool["name"] == POOL), 0)


def command(*words: str, check: bool = True) -> tuple[str, int]:
    """Run ``ceph`` as the administrator; return what it printed and its exit code."""
    done = process.run(
        ["ceph", "--conf", _CONFIG, *words], netns=network.SWITCH, check=check, within_s=60
    )
    return done.stdout, done.returncode


def ceph(*words: str) -> str:
    """Return what a ``ceph`` command of the administrator prints."""
    return command(*words)[0]


def rbd(*words: str) -> str:
    """Return what an ``rbd`` command of the administrator prints."""
    return process.run(
        ["rbd", "--conf", _CONFIG, *words], netns=network.SWITCH, within_s=120
    ).stdout


def client_files() -> Mapping[str, str]:
    """Return the files below /etc that let a hypervisor use the pool: path to text."""
    key = ceph("auth", "get-key", f"client.{USER}").strip()
    return {
        "ceph/ceph.conf": _CLIENT_CONFIG_TEXT,
        f"ceph/ceph.client.{USER}.keyring": f"[client.{USER}]\n\tkey = {key}\n",
        f"libvirt/secrets/{SECRET}.xml": (
            f"<secret ephemeral='no' private='no'><uuid>{SECRET}</uuid>"
            f"<usage type='ceph'><name>client.{USER} secret</name></usage></secret>\n"
        ),
        f"libvirt/secrets/{SECRET}.base64": key,
    }


def image_of(server_id: str) -> str:
    """Return the name of the disk of a server."""
    return f"{POOL}/{server_id}_disk"


def image_of_volume(volume_id: str) -> str:
    """Return the name of the disk that is a volume of Cinder."""
    return f"{POOL}/{_VOLUME}{volume_id}"


def data_prefix(image: str) -> str:
    """Return what the names of all objects of a disk begin with."""
    info: dict[str, Any] = json.loads(rbd("info", "--format=json", image))
    return str(info["block_name_prefix"])


@contextlib.contextmanager
def exported(image: str) -> Generator[pathlib.Path]:
    """Give a file with the present content of a disk, until the block ends."""
    with tempfile.TemporaryDirectory(dir=HOME) as place:
        copy = pathlib.Path(place) / "disk"
        rbd("export", "--no-progress", image, str(copy))
        yield copy


def osd_log() -> pathlib.Path:
    """Return the OSD's log, complete up to now."""
    ceph("daemon", "osd.0", "log", "flush")
    return OSD_LOG


def remove_images() -> None:
    """Remove every disk that nobody has open: what deleted servers have left behind."""
    for name in rbd("ls", POOL).split():
        if name.startswith(_VOLUME):
            continue  # Cinder's own, and it removes them
        image = f"{POOL}/{name}"
        watchers = json.loads(rbd("status", "--format=json", image)).get("watchers")
        if not watchers:
            rbd("remove", "--no-progress", image)
