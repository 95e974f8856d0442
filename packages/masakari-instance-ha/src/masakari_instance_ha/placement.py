# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Placement: what servers hold, and which hosts could take one as things are; only reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openstack.connection
import openstack.exceptions

from instance_ha.room import Offer
from masakari_instance_ha.connection import calling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSION = "1.29"
"""The first one that tells the root of each provider."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Where a server fits, and what is free there."""

    offers: Sequence[Offer]
    free: Mapping[str, Mapping[str, int]]
    """Resource provider -> resource class -> amount."""


class Placement:
    """Read-only calls; every method may raise as :func:`connection.calling` does."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, str], Candidates] = {}
        self._roots: Mapping[str, str] | None = None

    def held(self, server: str) -> Mapping[str, int]:
        """Return resource class -> amount that a server holds now."""
        said = self._get(f"/allocations/{server}", doing=f"read the allocations of {server}")
        held: Counter[str] = Counter()
        for allocation in said["allocations"].values():
            held.update(allocation["resources"])
        return held

    def candidates(self, asked: Mapping[str, int], *, traits: Sequence[str] = ()) -> Candidates:
        """Return who could take a server with these needs, whatever Nova says of their state.

        Args:
            asked: Resource class -> amount; not empty.
            traits: Those that it requires, or with ``!`` before them forbids.
        """
        resources = ",".join(f"{kind}:{amount}" for kind, amount in sorted(asked.items()))
        key = (resources, ",".join(sorted(traits)))
        if key not in self._known:
            query = f"resources={resources}" + (f"&required={key[1]}" if traits else "")
            said = self._get(
                f"/allocation_candidates?{query}", doing=f"ask who has room for {resources}"
            )
            self._known[key] = self._read(said)
        return self._known[key]

    def _read(self, said: Mapping[str, Any]) -> Candidates:
        hosts = self._hosts()
        summaries = said["provider_summaries"]
        offers: list[Offer] = []
        for request in said["allocation_requests"]:
            takes = {uuid: each["resources"] for uuid, each in request["allocations"].items()}
            roots = {summaries[uuid]["root_provider_uuid"] for uuid in takes}
            offers += [Offer(host=hosts[root], takes=takes) for root in roots if root in hosts]
        free = {
            uuid: {kind: x["capacity"] - x["used"] for kind, x in each["resources"].items()}
            for uuid, each in summaries.items()
        }
        return Candidates(offers=offers, free=free)

    def _hosts(self) -> Mapping[str, str]:
        """Return root provider -> Nova's name of the host."""
        if self._roots is None:
            with calling("list Nova's hypervisors"):
                names = {
                    known.name: known.service_details["host"]
                    for known in self._connection.compute.hypervisors(details=True)
                }
            said = self._get("/resource_providers", doing="list the resource providers")
            self._roots = {
                each["uuid"]: names[each["name"]]
                for each in said["resource_providers"]
                if each["name"] in names
            }
        return self._roots

    def _get(self, path: str, *, doing: str) -> Any:  # noqa: ANN401 - JSON
        with calling(doing):
            answer = self._connection.placement.get(path, microversion=_VERSION)
            openstack.exceptions.raise_from_response(answer)
            return answer.json()
