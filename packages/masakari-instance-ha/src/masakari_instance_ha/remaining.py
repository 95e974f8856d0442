# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What is left on a lost host that a recovery would have moved, by the engine's own rule."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

import openstack.connection
import openstack.exceptions

from masakari_instance_ha import servers
from masakari_instance_ha.connection import calling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openstack.compute.v2.server import Server

    from instance_ha.selection import Selection, ServerFacts

_STAYS = "ignored"
"""Status of the vmove of a server whose disk the engine found to be on the lost host alone."""


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
            CloudRefusedError, CloudUnreachableError: see :func:`connection.calling`.
        """
        with calling(f"count the servers on {host}"):
            found = list(self._connection.compute.servers(all_projects=True, host=host))
            facts = {server.id: self._facts(server, selection=selection) for server in found}
        moved = {uuid for uuid, said in facts.items() if selection.why_left(said) is None}
        if notification and any(selection.asks(facts[uuid]) for uuid in moved):
            moved -= self._staying(notification)
        return len(moved)

    def _facts(self, server: Server, *, selection: Selection) -> ServerFacts:
        said = server.to_dict(original_names=True, computed=False)
        facts = servers.facts(said, attached=partial(self._devices, server.id))
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
