# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import http.server
import json
import threading
from collections.abc import Iterator
from typing import ClassVar

import pydantic
import pytest

from hacluster_shim.power import asking
from hacluster_shim.snapshot import Maas
from instance_ha.errors import InstanceHaError
from instance_ha_relations.hypervisor import HypervisorData


class Answers(http.server.BaseHTTPRequestHandler):
    """A MAAS with two machines called twin and one called h1."""

    machines: ClassVar = {"sys-h1": "h1", "sys-a": "twin", "sys-b": "twin"}
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        path, _, query = self.path.partition("?")
        parts = path.strip("/").split("/")[4:]
        if parts[-1:] == ["op-query_power_state"]:
            self.answer(200, {"state": "on"})
        elif parts and parts[0] in self.machines:
            self.answer(200, {"system_id": parts[0], "hostname": self.machines[parts[0]]})
        elif parts:
            self.answer(404, "Not Found")
        else:
            name = query.partition("=")[2]
            found = [i for i, n in self.machines.items() if n == name]
            self.answer(200, [{"system_id": i, "hostname": name} for i in found])

    def answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def maas() -> Iterator[Maas]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    key = pydantic.SecretStr("consumer:token:secret")
    yield Maas(url=f"http://127.0.0.1:{server.server_port}/MAAS", api_key=key, ca="")
    server.shutdown()
    thread.join()
    server.server_close()


def ask(maas: Maas, **names: str) -> str:
    with asking(maas, {"h1": HypervisorData(nova_host="h1", **names)}) as question:
        said = question("h1")["maas"]
        if isinstance(said, InstanceHaError):
            raise said
        return said


def test_the_system_id_is_asked_for_with_the_key(maas):
    assert ask(maas, system_id="sys-h1") == "on"
    assert 'oauth_consumer_key="consumer"' in Answers.seen[-1]


def test_a_machine_is_found_by_its_name_where_the_id_is_unknown(maas):
    assert ask(maas, hostname="h1") == "on"


def test_no_machine_is_an_error_that_says_so(maas):
    with pytest.raises(InstanceHaError, match="no machine"):
        ask(maas, hostname="h7")


def test_two_machines_of_one_name_are_never_guessed_at(maas):
    with pytest.raises(InstanceHaError, match=r"2 machines of its name: sys-a, sys-b"):
        ask(maas, hostname="twin")


def test_an_unreachable_maas_is_an_error_that_says_so():
    key = pydantic.SecretStr("consumer:token:secret")
    nowhere = Maas(url="http://127.0.0.1:9/MAAS", api_key=key, ca="")

    with pytest.raises(InstanceHaError, match="cannot be reached"):
        ask(nowhere, system_id="sys-h1")


def test_a_hypervisors_own_controller_is_asked_too(maas):
    entry = {"type": "redfish", "address": "http://127.0.0.1:9", "username": "u", "password": "p"}
    both = dataclasses.replace(maas, bmcs=json.dumps({"h1": [entry]}))

    with asking(both, {"h1": HypervisorData(nova_host="h1", system_id="sys-h1")}) as question:
        said = question("h1")

    assert said["maas"] == "on"
    assert "cannot be reached" in str(said["redfish"])
    assert list(said) == ["maas", "redfish"]
