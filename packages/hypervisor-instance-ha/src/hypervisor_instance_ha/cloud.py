# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a hypervisor asks Nova and Masakari, and tells Masakari."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypervisor_instance_ha.errors import CloudRefusedError, ServiceUnknownError
from hypervisor_instance_ha.guard import Standing
from hypervisor_instance_ha.keystone import Session

_COMPUTE = "compute"
_MASAKARI = "instance-ha"
_NOVA_VERSION = "compute 2.53"
"""The first in which services have UUIDs; every Nova that Masakari supports speaks it."""
_MIGRATIONS_VERSION = "compute 2.59"
_LOOK_BACK_S = 86_400.0
"""Masakari itself fails what is older and unfinished."""
_UNSETTLED = {"accepted", "pre-migrating", "done"}
_UNDER_WAY = {"accepted", "pre-migrating", "running", "migrating", "queued"}


class Recovery(enum.StrEnum):
    """What Masakari shall do with a server, in the words of its payload."""

    DIED = "LIFECYCLE"
    """Its process is gone."""
    HANGS = "QEMU_GUEST_AGENT_ERROR"
    """It runs, and its guest answers no more."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server as Nova describes it."""

    uuid: str
    host: str
    vm_state: str
    task: str | None
    metadata: dict[str, str]


class Cloud:
    """The APIs, in the words of one hypervisor."""

    def __init__(self, session: Session, *, nova_host: str) -> None:
        self._session = session
        self._host = nova_host

    # Masakari is told

    def notify_server(self, uuid: str, *, recovery: Recovery, at_s: float) -> None:
        """Have Masakari stop and start a server of this host."""
        payload = {
            "event": recovery.value,
            "instance_uuid": uuid,
            "vir_domain_event": "STOPPED_FAILED",
        }
        self._notify("VM", payload, at_s=at_s)

    def notify_process(self, name: str, *, at_s: float) -> None:
        """Tell Masakari that a process of this host cannot be kept running."""
        self._notify("PROCESS", {"event": "STOPPED", "process_name": name}, at_s=at_s)

    def set_maintenance(self, on: bool) -> bool:
        """Say that this host is under maintenance, or no more. Return whether that changed it."""
        host = self._masakari_host()
        if host is None or bool(host["on_maintenance"]) is on:
            return False
        segment = host["failover_segment_id"]
        self._session.call(
            "change the maintenance of this host",
            service=_MASAKARI,
            path=f"/segments/{segment}/hosts/{host['uuid']}",
            method="PUT",
            body={"host": {"on_maintenance": on}},
        )
        return True

    # Nova is asked

    def servers(self) -> Sequence[Server]:
        """Return every server that Nova places on this host."""
        found: list[Server] = []
        query = {"all_tenants": "1", "host": self._host}
        while True:
            answer = self._nova(f"/servers/detail?{urlencode(query)}")
            page = [_server(raw) for raw in answer["servers"]]
            found += page
            if not page or not answer.get("servers_links"):
                return found
            query["marker"] = page[-1].uuid

    def server(self, uuid: str) -> Server | None:
        """Return a server as it is now, or None where Nova does not know it any more."""
        try:
            return _server(self._nova(f"/servers/{quote(uuid)}")["server"])
        except CloudRefusedError as error:
            if error.status == 404:
                return None
            raise

    def stopped_by_nova(self, uuid: str) -> bool:
        """Return whether Nova itself stopped the server last, as it found it dead.

        Whoever asks Nova is named in the server's actions; nova-compute acts in nobody's name.
        """
        actions = self._nova(f"/servers/{quote(uuid)}/os-instance-actions")["instanceActions"]
        newest = max(actions, key=lambda action: action["start_time"], default=None)
        return newest is not None and newest["action"] == "stop" and not newest["user_id"]

    # The return guard asks both

    def standing(self, *, now_s: float) -> Standing:
        """Return what Nova and Masakari think of this host."""
        host = self._masakari_host()
        service = self._compute_service()
        forced_down = bool(service and service.get("forced_down"))
        notification = None if host is None else self._last_loss(host["uuid"], now_s=now_s)
        calm = notification is None and not forced_down
        placed = set[str]() if calm else {server.uuid for server in self.servers()}
        moves = [] if calm else self._evacuations()
        return Standing(
            enrolled=host is not None,
            notification=notification,
            forced_down=forced_down,
            evacuating=_count_evacuating(moves, placed=placed),
            servers=len(placed) if forced_down else 0,
            unsettled=sum(one["status"] in _UNSETTLED for one in moves) if forced_down else 0,
        )

    def _masakari_host(self) -> dict[str, Any] | None:
        """Return this host as Masakari has it; None where there is no Masakari or no such host."""
        try:
            segments = self._masakari("/segments")["segments"]
        except ServiceUnknownError:
            return None
        for segment in segments:
            for host in self._masakari(f"/segments/{segment['uuid']}/hosts")["hosts"]:
                if host["name"] == self._host:
                    return host
        return None

    def _last_loss(self, host_uuid: str, *, now_s: float) -> str | None:
        """Return the status of the newest notification that this host was lost."""
        query = urlencode(
            {
                "type": "COMPUTE_HOST",
                "source_host_uuid": host_uuid,
                "generated-since": iso(now_s - _LOOK_BACK_S),
            }
        )
        found = self._masakari(f"/notifications?{query}")["notifications"]
        newest = max(found, key=lambda one: one["generated_time"], default=None)
        return None if newest is None else str(newest["status"])

    def _compute_service(self) -> dict[str, Any] | None:
        query = urlencode({"binary": "nova-compute", "host": self._host})
        found = self._nova(f"/os-services?{query}")["services"]
        return found[0] if found else None

    def _evacuations(self) -> Sequence[dict[str, Any]]:
        """Return Nova's records of evacuations from here."""
        query = urlencode({"migration_type": "evacuation", "source_compute": self._host})
        found = self._nova(f"/os-migrations?{query}", version=_MIGRATIONS_VERSION)["migrations"]
        return [one for one in found if one["source_compute"] == self._host]

    def _notify(self, kind: str, payload: dict[str, str], *, at_s: float) -> None:
        body = {
            "notification": {
                "type": kind,
                "hostname": self._host,
                "generated_time": iso(at_s),
                "payload": payload,
            }
        }
        self._session.call(
            f"notify Masakari of {payload.get('instance_uuid') or payload['process_name']}",
            service=_MASAKARI,
            path="/notifications",
            method="POST",
            body=body,
        )

    def _nova(self, path: str, *, version: str = _NOVA_VERSION) -> dict[str, Any]:
        doing = f"ask Nova for {path.partition('?')[0]}"
        return self._session.call(doing, service=_COMPUTE, path=path, version=version)

    def _masakari(self, path: str) -> dict[str, Any]:
        doing = f"ask Masakari for {path.partition('?')[0]}"
        return self._session.call(doing, service=_MASAKARI, path=path)


def _server(raw: dict[str, Any]) -> Server:
    return Server(
        uuid=raw["id"],
        host=raw.get("OS-EXT-SRV-ATTR:host") or "",
        vm_state=raw["OS-EXT-STS:vm_state"],
        task=raw["OS-EXT-STS:task_state"],
        metadata=raw.get("metadata") or {},
    )


def _count_evacuating(moves: Sequence[dict[str, Any]], *, placed: Set[str]) -> int:
    """Return how many servers are on their way from here to other hosts.

    Nova may leave a record under way for ever, beside that of the order that arrived. So only the
    servers count that it still places here.
    """
    return len({one["instance_uuid"] for one in moves if one["status"] in _UNDER_WAY} & placed)


def iso(seconds: float) -> str:
    """Return the time as Masakari writes it: UTC without saying so."""
    moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")
