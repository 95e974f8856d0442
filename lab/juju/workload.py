# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the unit agent learns from the Pebble of a workload container."""

import http.client
import json
import pathlib
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from .event import Notice

_TIMEOUT_S = 2.0


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: pathlib.Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket file instead of an address."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(str(self._path))


def ask(path: pathlib.Path, question: str) -> Any:
    """Return what Pebble answers to a GET, or None while it does not answer."""
    connection = _Connection(path)
    try:
        connection.request("GET", question)
        return json.loads(connection.getresponse().read()).get("result")
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def boots(sockets: Mapping[str, pathlib.Path]) -> dict[str, str]:
    """Return the boot of every Pebble that answers."""
    answers = {container: ask(path, "/v1/system-info") for container, path in sockets.items()}
    return {container: info["boot-id"] for container, info in answers.items() if info}


def notices(sockets: Mapping[str, pathlib.Path], *, told: Mapping[str, str]) -> Iterator[Notice]:
    """Yield every notice that asks for a hook which was not told yet.

    Source: worker/uniter/pebblenotices.go: custom notices, and changes that perform or recover
    a check once they have failed or are done.
    """
    for container, path in sockets.items():
        for raw in ask(path, "/v1/notices?users=all") or ():
            key, stamp = f"{container}/{raw['id']}", raw["last-repeated"]
            if told.get(key) == stamp:
                continue
            if found := _hook(path, container, raw):
                hook, env = found
                yield Notice(
                    key=key,
                    stamp=stamp,
                    hook=hook,
                    env={"JUJU_WORKLOAD_NAME": container, **env},
                )


def _hook(
    path: pathlib.Path, container: str, raw: Mapping[str, Any]
) -> tuple[str, Mapping[str, str]] | None:
    if raw["type"] == "custom":
        env = {
            "JUJU_NOTICE_ID": raw["id"],
            "JUJU_NOTICE_TYPE": raw["type"],
            "JUJU_NOTICE_KEY": raw["key"],
        }
        return f"{container}-pebble-custom-notice", env
    data = raw.get("last-data") or {}
    if raw["type"] != "change-update" or data.get("kind") not in (
        "perform-check",
        "recover-check",
    ):
        return None
    change = ask(path, f"/v1/changes/{raw['key']}") or {}
    outcome = {("perform-check", "Error"): "failed", ("recover-check", "Done"): "recovered"}
    kind = outcome.get((data["kind"], change.get("status", "")))
    if kind is None:
        return None
    return f"{container}-pebble-check-{kind}", {"JUJU_PEBBLE_CHECK_NAME": data["check-name"]}
