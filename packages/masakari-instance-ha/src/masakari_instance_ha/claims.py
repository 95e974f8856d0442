# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What Placement keeps for a server on a host that began to rebuild it, and never ended.

Nova takes such a claim back when a rebuild fails, but not when it is forgotten. While it is there,
the host seems to have that much less room, and Nova refuses to move a server of more than one
claim to a host that somebody names ("complex allocations").
"""

from __future__ import annotations

import http
from typing import TYPE_CHECKING, Any

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha import catalog

if TYPE_CHECKING:
    from keystoneauth1.session import Session

_VERSION = "1.28"
"""The first one whose allocations have a generation, so that no writer undoes another's work."""


def release(session: Session, server: str, *, node: str) -> None:
    """Take back what *server* has claimed of a hypervisor.

    Args:
        session: An administrator's.
        server: Its UUID.
        node: The hypervisor, by Nova's name of it.

    Raises:
        CloudUnreachableError: if Placement does not do it.
    """
    root = _call(session, "GET", f"/resource_providers?name={node}")["resource_providers"]
    if not root:
        return
    tree = _call(session, "GET", f"/resource_providers?in_tree={root[0]['uuid']}")
    there = {provider["uuid"] for provider in tree["resource_providers"]}
    path = f"/allocations/{server}"
    claimed = _call(session, "GET", path)
    kept = {
        provider: {"resources": claim["resources"]}
        for provider, claim in claimed["allocations"].items()
        if provider not in there
    }
    if kept and len(kept) < len(claimed["allocations"]):
        _call(session, "PUT", path, json={**claimed, "allocations": kept})


def _call(session: Session, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
    headers = {"OpenStack-API-Version": f"placement {_VERSION}", "Accept": "application/json"}
    answer = session.request(
        path,
        method,
        endpoint_filter=catalog.endpoint("placement"),
        headers=headers,
        raise_exc=False,
        **more,
    )
    if answer.status_code >= http.HTTPStatus.BAD_REQUEST:
        raise CloudUnreachableError(
            f"placement does not {method} {path}: HTTP {answer.status_code}, {answer.text}. See "
            "its log"
        )
    return answer.json() if answer.content else {}
