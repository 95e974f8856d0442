# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Make the control plane's content once: schemas, keys, catalogue, images."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .. import paths, process
from . import database, identity, images, places, services
from .configuration import database_url
from .places import ADMIN, AUTH_URL, ETC, PASSWORD, REGION, Profile

_DATABASES = ("keystone", "placement", "glance", "nova_api", "nova_cell0", "nova_cell1")
_INTERFACES = ("public", "internal", "admin")


def initialise(profile: Profile) -> None:
    """Fill empty databases and an empty image store; afterwards nothing of it runs.

    What an interrupted attempt has left is thrown away.
    """
    needed = (services.KEYSTONE, services.GLANCE)
    for daemon in (*(api.daemon for api in needed), database.daemon()):
        process.stop(daemon, within_s=30)
    for rest in (database.DATA, places.IMAGES):
        shutil.rmtree(rest, ignore_errors=True)
    database.ensure_up()
    database.ensure_own(*_DATABASES)
    jobs: tuple[Callable[[], None], ...] = (_nova, _keystone, _placement, _glance)
    with ThreadPoolExecutor() as pool:
        for job in [pool.submit(job) for job in jobs]:
            job.result()
    try:
        services.ensure_up(needed)
        _fill_catalogue()
        images.ensure_images(profile)
    finally:
        for api in needed:
            process.stop(api.daemon)
    database.down()


def _manage(command: str, *arguments: str, config: str) -> None:
    process.run(
        [paths.openstack(command), "--config-file", ETC / config, *arguments],
        env={"PYTHONWARNINGS": "ignore"},
        netns=services.KEYSTONE.daemon.netns,
        within_s=300,
    )


def _keystone() -> None:
    for repository in ("fernet-keys", "credential-keys"):
        places.prepare(ETC / "keystone" / repository).chmod(0o700)
    owner = ("--keystone-user", "root", "--keystone-group", "root")
    addresses = [f"--bootstrap-{interface}-url={AUTH_URL}" for interface in _INTERFACES]
    account = (f"--bootstrap-username={ADMIN}", f"--bootstrap-password={PASSWORD}")
    for words in (
        ("db_sync",),
        ("fernet_setup", *owner),
        ("credential_setup", *owner),
        ("bootstrap", *account, f"--bootstrap-region-id={REGION}", *addresses),
    ):
        _manage("keystone-manage", *words, config="keystone/keystone.conf")


def _placement() -> None:
    _manage("placement-manage", "db", "sync", config="placement/placement.conf")


def _glance() -> None:
    _manage("glance-manage", "db_sync", config="glance/glance-api.conf")


def _nova() -> None:
    for words in (
        ("api_db", "sync"),
        ("cell_v2", "map_cell0", "--database_connection", database_url("nova_cell0")),
        ("cell_v2", "create_cell", "--name=cell1"),
        ("db", "sync"),
    ):
        _manage("nova-manage", *words, config="nova/nova.conf")


def _fill_catalogue() -> None:
    for api in services.APIS:
        identity.ensure_service_user(api.name)
        identity.ensure_endpoint(api.name, type=api.type, urls=dict.fromkeys(_INTERFACES, api.url))
