# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Placement that keeps which hosts a server has claimed; a provider's UUID is its name's."""

from __future__ import annotations

import collections
import json as text
import types
import urllib.parse
from typing import Any


class PlacementCloud:
    """Answers as the real one does to version 1.28."""

    def __init__(self) -> None:
        self.claimed: collections.defaultdict[str, set[str]] = collections.defaultdict(set)
        """Server -> hosts."""
        self.refuses = 0
        """HTTP status of every answer; 0 = none is refused."""

    def request(self, path: str, method: str, *, json: Any = None, **_: Any) -> Any:
        if self.refuses:
            return _answer(self.refuses, {"errors": [{"detail": "Policy does not allow it"}]})
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/resource_providers":
            name = query.get("name") or query["in_tree"].removeprefix("rp-")
            return _answer(200, {"resource_providers": [{"uuid": f"rp-{name}", "name": name}]})
        server = url.path.rpartition("/")[2]
        if method == "PUT":
            assert {"consumer_generation", "project_id", "user_id"} <= json.keys()
            kept = {provider.removeprefix("rp-") for provider in json["allocations"]}
            self.claimed[server] = kept
            return _answer(204)
        held = {"resources": {"VCPU": 1}, "generation": 3}
        allocations = {f"rp-{host}": held for host in sorted(self.claimed[server])}
        owner = {"project_id": "p", "user_id": "u", "consumer_generation": 2}
        return _answer(200, {"allocations": allocations, **owner})


def _answer(status: int, body: Any = None) -> Any:
    said = "" if body is None else text.dumps(body)
    return types.SimpleNamespace(
        status_code=status, content=said.encode(), text=said, json=lambda: body
    )
