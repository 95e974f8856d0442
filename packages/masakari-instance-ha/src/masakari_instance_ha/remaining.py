# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What is left on a lost host that a recovery would have moved, by the engine's own rule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import openstack.connection
import openstack.exceptions

from masakari_instance_ha import servers
from masakari_instance_ha.connection import calling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openstack.compute.v2.server import Server

    from instance_ha.selection import Selection, ServerFacts

_STAYS = "ignored"
"""Status of the vmove of a server whose disk the engine found to be on the lost host alone."""


@dataclass(frozen=True, kw_only=True)
class Resident:
    """A server on a host, and what a recovery does with it."""

    uuid: str
    name: str
    facts: ServerFacts
    why: str | None
    """Why a recovery leaves it where it is; None if it moves it."""


class Remaining:
    """Counts servers; reads images and vmoves only where they decide."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection

    def count(self, host: str, *, selection: Selection, notification: str | None) -> int:
        """Return how many servers on *host* are still to be moved.

        Args:
            host: As Nova calls it.
            selection: The rule of its segment.
            notification: Whose vmoves tell what has to stay; None where there is none yet.

        Raises:
            CloudUnreachableError: see :func:`connection.calling`.
        """
        found = {
            each.uuid: each.facts
            for each in self.residents(host, selection=selection)
            if each.why is None
        }
        moved = set(found)
        if notification and any(map(selection.asks, found.values())):
            moved -= self._staying(notification)
        return len(moved)

    def residents(self, host: str, *, selection: Selection) -> Sequence[Resident]:
        """Return every server on *host*, with what a recovery by that rule does with it.

        Raises:
            CloudUnreachableError: see :func:`connection.calling`.
        """
        with calling(f"list the servers on {host}"):
            found = list(self._connection.compute.servers(all_projects=True, host=host))
            facts = [self._facts(server, selection=selection) for server in found]
        return [
            Resident(
                uuid=server.id,
                name=server.name or server.id,
                facts=said,
                why=selection.why_left(said),
            )
            for server, said in zip(found, facts, strict=True)
            if said is not None
        ]

    def _facts(self, server: Server, *, selection: Selection) -> ServerFacts | None:
        """Return what the rule needs of a server; None for one that is deleted by now."""
        said = server.to_dict(original_names=True, computed=False)
        try:
            facts = servers.facts(said, attached=partial(self._devices, server.id))
        except openstack.exceptions.NotFoundException:
            return None
        if not selection.needs_image(facts):
            return facts
        return dataclasses.replace(facts, image_properties=self._image(facts.image))

    def _devices(self, server: str) -> list[str | None]:
        return [volume.device for volume in self._connection.compute.volume_attachments(server)]

    def _image(self, image: str) -> Mapping[str, str]:
        try:
            said = self._connection.image.get(f"/images/{image}")
            openstack.exceptions.raise_from_response(said)
        except (openstack.exceptions.NotFoundException, openstack.exceptions.ForbiddenException):
            return {}
        return {key: value for key, value in said.json().items() if isinstance(value, str)}

    def _staying(self, notification: str) -> set[str]:
        with calling(f"list the vmoves of notification {notification}"):
            # The SDK's own list asks without a version, for which Masakari knows no vmoves.
            said = self._connection.instance_ha.get(
                f"/notifications/{notification}/vmoves", microversion="1.3"
            )
            openstack.exceptions.raise_from_response(said)
            return {
                vmove["instance_uuid"]
                for vmove in said.json()["vmoves"]
                if vmove["status"] == _STAYS
            }
