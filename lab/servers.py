# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's virtual machines: boot, look at, wait for their writing, delete."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence

from openstack.connection import Connection

from . import ceph, compute, disk, process
from .errors import LabError
from .guest import records
from .host import Host
from .openstack import cloud, current_profile, images

HA_ENABLED: Mapping[str, str] = {"HA_Enabled": "True"}
"""The property by which a server asks Masakari to recover it."""

_ON_HOST = "2.74"
"""The first microversion of Nova that lets an administrator name the host of a new server."""

_EVACUATE = "2.53"
"""What Masakari speaks; from 2.95 on Nova would leave the server stopped on its new host."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """A server as Nova describes it at one moment."""

    id: str
    name: str
    status: str
    host: str
    task: str | None
    fault: str


def boot(
    count: int,
    *,
    on: Host,
    prefix: str = "server",
    metadata: Mapping[str, str] = HA_ENABLED,
    within_s: float = 180,
) -> list[Server]:
    """Boot *count* servers on one host and wait until all of them are ACTIVE.

    Raises:
        LabError: if one ends in ERROR.
    """
    with cloud() as connection:
        body = {
            "imageRef": connection.image.find_image(images.IMAGE, ignore_missing=False).id,
            "flavorRef": connection.compute.find_flavor(images.FLAVOR, ignore_missing=False).id,
            "networks": "none",
            "host": on.name,
            "metadata": dict(metadata),
        }
        ids = [
            create(connection, body | {"name": f"{prefix}-{on.name}-{number}"})
            for number in range(1, count + 1)
        ]
    return wait_active(ids, within_s=within_s)


def create(connection: Connection, body: Mapping[str, object]) -> str:
    """Order a new server and return its id.

    Raises:
        LabError: if Nova refuses.
    """
    answer = connection.compute.post("/servers", json={"server": body}, microversion=_ON_HOST)
    if not answer.ok:
        raise LabError(f"Nova refused {body['name']}: {answer.text}; see `python -m lab status`")
    return str(answer.json()["server"]["id"])


def wait_active(ids: Sequence[str], *, within_s: float = 180) -> list[Server]:
    """Wait until all of these servers are ACTIVE, and return them.

    Raises:
        LabError: if one ends in ERROR.
    """
    return process.wait_until(
        lambda: _all_active(ids), within_s=within_s, what="servers to be ACTIVE", every_s=0.5
    )


def _all_active(ids: Sequence[str]) -> list[Server]:
    """Return the servers once all are ACTIVE, until then nothing."""
    found = [server for server in listing() if server.id in ids]
    for server in found:
        if server.status == "ERROR":
            fault = server.fault or "Nova names no fault"
            raise LabError(f"{server.name} did not boot: {fault}; see nova-compute's log")
    return found if len(found) == len(ids) and all(s.status == "ACTIVE" for s in found) else []


def listing() -> list[Server]:
    """Return every server of the cloud, by name."""
    with cloud() as connection:
        return _listing(connection)


def _listing(connection: Connection) -> list[Server]:
    servers = [
        Server(
            id=one.id,
            name=one.name,
            status=one.status,
            host=one.compute_host or "",
            task=one.task_state,
            fault=(one.fault or {}).get("message", ""),
        )
        for one in connection.compute.servers(details=True, all_projects=True)
    ]
    return sorted(servers, key=lambda server: server.name)


def server(server_id: str) -> Server:
    """Return one server as it is now.

    Raises:
        LabError: if Nova does not know it.
    """
    for one in listing():
        if one.id == server_id:
            return one
    raise LabError(f"Nova knows no server {server_id}; see `python -m lab status`")


def evacuate(server_id: str) -> None:
    """Order Nova to rebuild a server of a dead host elsewhere, as Masakari does.

    Raises:
        LabError: if Nova refuses.
    """
    with cloud() as connection:
        _evacuate(connection, server_id)


def _evacuate(connection: Connection, server_id: str) -> None:
    answer = connection.compute.post(
        f"/servers/{server_id}/action", json={"evacuate": {}}, microversion=_EVACUATE
    )
    if not answer.ok:
        raise LabError(f"Nova refused to evacuate {server_id}: {answer.text}; is its host down?")


def evacuate_all(ids: Sequence[str], *, lost: Host, at_once: int, within_s: float) -> None:
    """Order Nova to move servers off a dead host, and wait until it calls each one done.

    Args:
        ids: The servers.
        lost: Where they are.
        at_once: How many are under way at a time.
        within_s: For all of them.
    """
    waiting, under_way = list(ids), set[str]()
    with cloud() as connection:

        def all_done() -> bool:
            under_way.difference_update(_evacuated(connection, lost=lost))
            while waiting and len(under_way) < at_once:
                _evacuate(connection, waiting[0])
                under_way.add(waiting.pop(0))
            return not waiting and not under_way

        what = f"{len(ids)} servers to be evacuated from {lost.name}"
        process.wait_until(all_done, within_s=within_s, what=what, every_s=0.5)


def wait_evacuated(ids: Sequence[str], *, lost: Host, within_s: float) -> None:
    """Wait until Nova calls the evacuation of each server done, and hardly disturb it."""
    with cloud() as connection:

        def all_done() -> bool:
            return _evacuated(connection, lost=lost) >= set(ids)

        what = f"{len(ids)} servers to be evacuated from {lost.name}"
        process.wait_until(all_done, within_s=within_s, what=what, every_s=5.0)


def _evacuated(connection: Connection, *, lost: Host) -> set[str]:
    """Return the servers whose evacuation from a host Nova calls done.

    The cheapest question that tells: Nova is to be kept from its work by nobody.
    """
    records = connection.compute.migrations(migration_type="evacuation", host=lost.name)
    return {one.server_id for one in records if one.status == "done"}


def evacuated_s(ids: Sequence[str]) -> list[float]:
    """Return when each server's evacuation was done, as Nova's records of it tell, in seconds.

    Raises:
        LabError: if there is not one record for each server.
    """
    with cloud() as connection:
        done = {
            one.server_id: datetime.datetime.fromisoformat(one.updated_at)
            for one in connection.compute.migrations(migration_type="evacuation")
            if one.status == "done" and one.server_id in ids
        }
    if len(done) != len(ids):
        raise LabError(f"Nova tells of {len(done)} evacuations of {len(ids)}; read its log")
    return [at.replace(tzinfo=datetime.UTC).timestamp() for at in done.values()]


def evacuations(server_id: str) -> list[str]:
    """Return the statuses of a server's evacuations, as Nova's migrations tell them."""
    with cloud() as connection:
        found = connection.compute.migrations(instance_uuid=server_id, migration_type="evacuation")
        return [one.status for one in found]


def console(server_id: str, *, on: Host) -> str:
    """Return what a server printed while it ran on one host; readable after a power cut too.

    A restart on the same host begins it anew.
    """
    guest = disk.directory(on.name) / "upper" / compute.STATE[1:] / "instances" / server_id
    file = guest / "console.log"
    return file.read_text(errors="replace") if file.exists() else ""


def written(server_id: str, *, on: Host) -> records.Console:
    """Return what a server's guest says it has written on one host."""
    return records.read_console(console(server_id, on=on))


def wait_first_write(server_id: str, *, on: Host, within_s: float = 180) -> records.Record:
    """Wait until the guest has acknowledged a record on this host; return the first."""
    return process.wait_until(
        lambda: written(server_id, on=on).acknowledged,
        within_s=within_s,
        what=f"the first write of {server_id} on {on.name}",
        every_s=0.2,
    )[0]


def delete_all(*, within_s: float = 120) -> None:
    """Delete every server, and the disks that they leave behind.

    A server on a dead host that Nova believes alive cannot be deleted: bring the host back first.
    """
    with cloud() as connection:
        for one in listing():
            connection.compute.delete_server(one.id, ignore_missing=True)
    process.wait_until(
        lambda: not listing(), within_s=within_s, what="all servers to be gone", every_s=0.5
    )
    if current_profile() == "full":
        ceph.remove_images()
