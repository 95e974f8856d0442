# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A service more in the cloud on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

Answer = tuple[int, Any]


def serve(
    openstack_cloud: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kind: str,
    path: str,
    answer: Callable[[str, dict[str, str]], Answer | None],
) -> None:
    """Have the catalogue name a service, and *answer* say what it knows.

    Args:
        openstack_cloud: The cloud.
        monkeypatch: Takes it out again.
        kind: The service's type and name.
        path: Where its endpoint is.
        answer: Called with path and query of every request; None leaves it to the cloud.
    """
    real = openstack_cloud.answer

    def both(method: str, asked: str, query: dict[str, str], body: Any) -> Answer:
        if (found := answer(asked, query)) is not None:
            return found
        status, said = real(method, asked, query, body)
        if said and "token" in said:
            known = {"interface": "internal", "region": "R", "region_id": "R"}
            endpoint = {**known, "url": f"{openstack_cloud.url}{path}"}
            said["token"]["catalog"].append({"type": kind, "name": kind, "endpoints": [endpoint]})
        return status, said

    monkeypatch.setattr(openstack_cloud, "answer", both)
