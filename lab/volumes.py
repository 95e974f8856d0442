# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Volumes for the lab's cloud, on demand: Cinder on the lab's Ceph, and Barbican with their keys.

No part of ``lab up``: whoever needs a volume calls ``ensure_up`` on a lab of the full profile.
Nova is configured for it from the beginning, so that nothing of the lab is restarted.
"""

import base64
import contextlib
import dataclasses
import functools
import pathlib
import shutil
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openstack.connection import Connection

from . import ceph, network, packages, process, servers
from .errors import LabError
from .host import Host
from .openstack import cloud, database, ensure_endpoint, ensure_service_user, images, places
from .openstack import services as apis
from .openstack.configuration import Sections, account, database_url, render, token_check
from .openstack.places import ADDRESS, AUTH_URL, PASSWORD
from .process import Daemon
from .servers import Server

ENCRYPTED = "encrypted"
"""The volume type of LUKS, whose keys are in Barbican."""

DECRYPTER = "secret-decrypter"
"""The role that lets a service user read the secret of any project."""

CUSTOMER = "shop"
"""A project, and the one user in it."""

CINDER_PORT = 8776
BARBICAN_PORT = 9311

_WORKERS = ("cinder-scheduler", "cinder-volume")
_HOME = places.CONTROL / "volumes"
_CINDER = _HOME / "cinder.conf"
_CEPH = _HOME / "ceph.conf"
_BARBICAN = _HOME / ".barbican"
"""Where Barbican looks in its home; it takes no argument that says so."""
_BOOTS = ("kernel_id", "ramdisk_id", "os_command_line", "hw_")
_QUIET = {"PYTHONWARNINGS": "ignore", "HOME": str(_HOME)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Disk:
    """The volume that a server was booted from."""

    server: Server
    image: str
    key: str | None
    """The passphrase of its LUKS; None if it is not encrypted."""

    def unlock(self, copy: pathlib.Path) -> None:
        """Make a copy of the disk readable.

        Raises:
            LabError: if the disk is not as encrypted as it is said to be.
        """
        if self.key is None:
            return
        with copy.open("rb") as file:
            if file.read(4) != b"LUKS":
                raise LabError(f"{self.image} is in the clear; is its volume type without LUKS?")
        plain = copy.with_suffix(".plain")
        secret = f"secret,id=key,data={self.key}"
        source = f"driver=luks,key-secret=key,file.filename={copy}"
        convert = ["qemu-img", "convert", "--object", secret, "--image-opts", source]
        process.run([*convert, "-O", "raw", plain], within_s=300)
        plain.replace(copy)


@functools.cache
def _venv() -> pathlib.Path:
    return packages.ensure_environment(
        "volumes",
        modules=("rados", "rbd"),
        proof=("cinder.version", "barbican.version"),
    )


def _daemon(name: str, *argv: str) -> Daemon:
    return Daemon(name=name, argv=argv, netns=network.SWITCH, env=_QUIET, cwd=_HOME)


def _apis() -> Mapping[int, Daemon]:
    """Return each API by its port."""
    barbican = ("--paste", f"config:{_BARBICAN}/barbican-api-paste.ini")
    cinder = ("--module", "cinder.wsgi.api:application", "--pyargv", f"--config-file={_CINDER}")
    return {
        port: _daemon(name, *apis.uwsgi(*application, port=port, venv=_venv()))
        for name, application, port in (
            ("barbican-api", barbican, BARBICAN_PORT),
            ("cinder-api", cinder, CINDER_PORT),
        )
    }


def _worker(name: str) -> Daemon:
    return _daemon(name, str(_venv() / "bin" / name), f"--config-file={_CINDER}")


def ensure_up() -> None:
    """Bring both services up beside the running control plane; what runs already stays as it is.

    The first time, their environment is built: some 130 packages from PyPI.
    """
    with process.exclusive("volumes"):
        places.prepare(_BARBICAN)
        with ThreadPoolExecutor() as pool:
            for job in [pool.submit(job) for job in (_venv, _ensure_catalogue)]:
                job.result()
        _write()
        if not (_HOME / "ready").exists():
            _make_databases()
        for each in (*_apis().values(), *map(_worker, _WORKERS)):
            process.spawn(each)
        for port, each in _apis().items():
            process.wait_until(
                functools.partial(apis.answers, port),
                within_s=120,
                what=f"{each.name} to answer",
                daemon=each,
                every_s=0.3,
            )
        with cloud() as connection:
            _wait_workers(connection)
            _ensure_type(connection)
            _publish_image(connection)
        (_HOME / "ready").touch()


def _ensure_catalogue() -> None:
    for name, kind, url in (
        ("cinder", "volumev3", f"http://{ADDRESS}:{CINDER_PORT}/v3"),
        ("barbican", "key-manager", f"http://{ADDRESS}:{BARBICAN_PORT}"),
    ):
        ensure_service_user(name)
        ensure_endpoint(name, type=kind, urls=dict.fromkeys(("public", "internal", "admin"), url))


def _write() -> None:
    _CINDER.write_text(render(_cinder()))
    files = ceph.client_files()
    keyring = _HOME / "ceph.keyring"
    keyring.write_text(files[f"ceph/ceph.client.{ceph.USER}.keyring"])
    own = {"keyring": keyring, "log_file": _HOME / "ceph-$name.$pid.log"}
    _CEPH.write_text(files["ceph/ceph.conf"] + render({f"client.{ceph.USER}": own}))
    (_BARBICAN / "barbican.conf").write_text(render(_barbican()))
    write_policy()
    for source, target in (
        ("barbican/barbican-api-paste.ini", _BARBICAN),
        ("cinder/api-paste.ini", _HOME),
        ("cinder/resource_filters.json", _HOME),
    ):
        shutil.copy(_venv() / "etc" / source, target)


def _cinder() -> Sections:
    """Return Cinder's file; its volumes are in the pool of Nova's disks, as Nova's client."""
    return {
        "DEFAULT": {
            "use_stderr": True,
            "host": "control",
            "my_ip": ADDRESS,
            "transport_url": places.TRANSPORT_URL,
            "state_path": _HOME / "cinder",
            "api_paste_config": _HOME / "api-paste.ini",
            "resource_query_filters_file": _HOME / "resource_filters.json",
            "auth_strategy": "keystone",
            "enabled_backends": "ceph",
            "glance_api_servers": f"http://{ADDRESS}:{places.GLANCE_PORT}",
        },
        "ceph": {
            "volume_driver": "cinder.volume.drivers.rbd.RBDDriver",
            "volume_backend_name": "ceph",
            "rbd_pool": ceph.POOL,
            "rbd_user": ceph.USER,
            "rbd_secret_uuid": ceph.SECRET,
            "rbd_ceph_conf": _CEPH,
        },
        "database": {"connection": database_url("cinder")},
        "oslo_concurrency": {"lock_path": _HOME / "cinder/locks"},
        # Only Nova itself may take a volume from a server (CVE-2023-2088).
        "keystone_authtoken": token_check("cinder")
        | {"service_token_roles": "service", "service_token_roles_required": True},
        "service_user": account("cinder") | {"send_service_user_token": True},
        "key_manager": {"backend": "barbican"},
        "barbican": {"auth_endpoint": AUTH_URL},
        "cinder_sys_admin": {
            "helper_command": f"{_venv()}/bin/privsep-helper --config-file={_CINDER}"
        },
    }


def _barbican() -> Sections:
    """Return Barbican's file: no queue, so that the API does all the work itself."""
    key = base64.b64encode(PASSWORD.encode().ljust(32)).decode()
    return {
        "DEFAULT": {
            "use_stderr": True,
            "host_href": f"http://{ADDRESS}:{BARBICAN_PORT}",
        },
        "database": {"connection": database_url("barbican")},
        "secretstore": {"enabled_secretstore_plugins": "store_crypto"},
        "crypto": {"enabled_crypto_plugins": "simple_crypto"},
        "simple_crypto_plugin": {"kek": key},
        "queue": {"enable": False},
        "oslo_policy": {"policy_file": _BARBICAN / "policy.yaml"},
        "keystone_authtoken": token_check("barbican"),
    }


def write_policy(*, reader: str = DECRYPTER) -> None:
    """Tell Barbican who may read a secret: its own rule, and beside it what Sunbeam adds.

    There, a user of the services' project reads every project's with the role *reader*. A running
    Barbican heeds it at once.
    """
    with cloud() as connection:
        identity: Any = connection.identity
        domain = identity.find_domain("service_domain", ignore_missing=False)
        project = identity.find_project("services", domain_id=domain.id, ignore_missing=False)
    member = "rule:secret_project_member and"
    readers = (
        "rule:secret_project_admin",
        f"({member} rule:secret_owner)",
        f"({member} rule:secret_is_not_private)",
        "rule:secret_acl_read",
        f"(role:{reader} and project_id:{project.id})",
    )
    rule = f"True:%(enforce_new_defaults)s and ({' or '.join(readers)})"
    (_BARBICAN / "policy.yaml").write_text(f'"secret:decrypt": "{rule}"\n')


def _make_databases() -> None:
    database.ensure_own("cinder", "barbican")
    for words in (
        ("cinder-manage", f"--config-file={_CINDER}", "db", "sync"),
        ("barbican-db-manage", "upgrade"),
    ):
        process.run(
            [_venv() / "bin" / words[0], *words[1:]],
            env=_QUIET,
            cwd=_HOME,
            netns=network.SWITCH,
            within_s=300,
        )


def _wait_workers(connection: Connection) -> None:
    process.wait_until(
        lambda: (
            {s.binary for s in connection.block_storage.services() if s.state == "up"}
            >= set(_WORKERS)
        ),
        within_s=120,
        what="Cinder's workers to report",
        daemon=_worker(_WORKERS[-1]),
        every_s=0.5,
    )


def _ensure_type(connection: Connection) -> None:
    storage = _v3(connection)
    if storage.find_type(ENCRYPTED) is None:
        storage.create_type_encryption(
            storage.create_type(name=ENCRYPTED),
            provider="luks",
            cipher="aes-xts-plain64",
            key_size=256,
            control_location="front-end",
        )


def _v3(connection: Connection) -> Any:
    # The library's own type admits Cinder's long dead version 2.
    return connection.block_storage


def _publish_image(connection: Connection) -> None:
    glance: Any = connection.image
    for image in glance.images():
        if image.name.startswith(images.IMAGE) and image.visibility != "public":
            glance.update_image(image, visibility="public")


@contextlib.contextmanager
def customer() -> Generator[Connection]:
    """Give the connection of somebody who is a plain member of a project of their own."""
    with cloud() as connection:
        identity: Any = connection.identity
        project = identity.find_project(CUSTOMER) or identity.create_project(
            name=CUSTOMER, domain_id="default"
        )
        user = identity.find_user(CUSTOMER) or identity.create_user(
            name=CUSTOMER, password=PASSWORD, domain_id="default"
        )
        member = identity.find_role("member", ignore_missing=False)
        identity.assign_project_role_to_user(project, user, member)
    with cloud(user=CUSTOMER) as connection:
        yield connection


def boot(
    name: str, *, connection: Connection, type: str | None = None, on: Host | None = None
) -> Disk:
    """Boot a server from a new volume, which goes with it, and wait until it is ACTIVE.

    Args:
        name: Of both.
        connection: Whose they are.
        type: The volume's; without it, a plain one.
        on: Where; only an administrator may say it.
    """
    storage = _v3(connection)
    volume = storage.create_volume(name=name, size=1, **({"volume_type": type} if type else {}))
    storage.wait_for_status(volume, "available", wait=round(process.deadline(60)), interval=1)
    image = connection.image.find_image(images.IMAGE, ignore_missing=False)
    properties: dict[str, Any] = connection.image.get(f"/images/{image.id}").json()
    # An empty disk, as the image is: what makes it boot is the kernel beside it.
    boots = {key: properties[key] for key in properties if key.startswith(_BOOTS)}
    storage.set_volume_image_metadata(volume, **boots)
    storage.set_volume_bootable_status(volume, True)
    root = {"boot_index": 0, "uuid": volume.id, "source_type": "volume"}
    last = {"destination_type": "volume", "delete_on_termination": True}
    body = {
        "name": name,
        "flavorRef": connection.compute.find_flavor(images.FLAVOR, ignore_missing=False).id,
        "networks": "none",
        "block_device_mapping_v2": [root | last],
    }
    server = servers.create(connection, body | ({"host": on.name} if on else {}))
    (active,) = servers.wait_active([server])
    return Disk(
        server=active, image=ceph.image_of_volume(volume.id), key=_key(connection, volume.id)
    )


def _key(connection: Connection, volume: str) -> str | None:
    """Return the passphrase of an encrypted volume, as its owner may read it."""
    said = connection.block_storage.get(f"/volumes/{volume}/encryption").json()
    if not (secret := said.get("encryption_key_id")):
        return None
    answer = connection.key_manager.get(
        f"/secrets/{secret}/payload", headers={"Accept": "application/octet-stream"}
    )
    return answer.content.hex()
