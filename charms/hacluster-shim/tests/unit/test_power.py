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

from hacluster_shim import power
from hacluster_shim.power import asking
from hacluster_shim.snapshot import Maas
from instance_ha.errors import InstanceHaError
from instance_ha_relations.hypervisor import HypervisorData


class Answers(http.server.BaseHTTPRequestHandler):
    """A MAAS with two machines called twin and one called h1."""

    machines: ClassVar = {"sys-h1": "h1", "sys-a": "twin", "sys-b": "twin"}
    seen: ClassVar[list[str]] = []
    paths: ClassVar[list[str]] = []
    states: ClassVar[dict[str, str]] = {}
    orders: ClassVar[list[str]] = []
    version: ClassVar = "3.5.2"

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        path, _, query = self.path.partition("?")
        parts = path.strip("/").split("/")[4:]
        self.paths.append(path)
        if path.endswith("/version/"):
            self.answer(200, {"version": self.version})
        elif parts[-1:] == ["op-query_power_state"]:
            self.answer(200, {"state": self.states.get(parts[0], "on")})
        elif parts and parts[0] in self.machines:
            self.answer(200, {"system_id": parts[0], "hostname": self.machines[parts[0]]})
        elif parts:
            self.answer(404, "Not Found")
        else:
            name = query.partition("=")[2]
            found = [i for i, n in self.machines.items() if n == name]
            self.answer(200, [{"system_id": i, "hostname": name} for i in found])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        *_, system_id, order = self.path.split("/")
        self.orders.append(order)
        self.states[system_id] = order.removeprefix("op-power_")
        self.answer(200, {"system_id": system_id})

    def answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def maas() -> Iterator[Maas]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    Answers.version = "3.5.2"
    for kept in (Answers.seen, Answers.paths, Answers.orders, Answers.states):
        kept.clear()
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


HOSTS = {name: HypervisorData(nova_host=name, system_id="sys-h1") for name in ("h1", "h2")}


def bmcs_of_h1(*types: str) -> str:
    login = {"address": "http://127.0.0.1:9", "username": "u", "password": "p4ss"}
    return json.dumps({"h1": [{"type": kind, **login} for kind in types]})


@pytest.mark.parametrize(
    ("version", "words"), [("2.9.2", "version 2.9.2, older than 3.0"), ("?", "does not say its v")]
)
def test_a_maas_that_is_too_old_protects_nobody_and_is_asked_once(maas, version, words):
    Answers.version = version

    with asking(maas, HOSTS) as question:
        said = [question(host)["maas"] for host in HOSTS]

    assert all(words in str(one) for one in said)
    assert Answers.paths == ["/MAAS/api/2.0/version/"]


def test_the_version_is_asked_once_for_all_hypervisors_and_not_without_any(maas):
    with asking(maas, HOSTS):
        pass
    assert Answers.paths == []

    with asking(maas, HOSTS) as question:
        assert [question(host)["maas"] for host in HOSTS] == ["on", "on"]
    assert [path for path in Answers.paths if "version" in path] == ["/MAAS/api/2.0/version/"]


@pytest.mark.parametrize(
    ("rungs", "segments", "asked"),
    [
        ([], {}, ["maas", "redfish"]),
        (["redfish"], {}, ["redfish"]),
        (["redfish", "maas"], {}, ["redfish", "maas"]),
        (["redfish"], {"rack-1": "ceph+maas"}, ["redfish", "maas"]),
        (["ipmi", "maas"], {}, ["maas"]),
    ],
)
def test_what_no_ladder_has_is_not_asked(maas, rungs, segments, asked):
    both = dataclasses.replace(
        maas, bmcs=bmcs_of_h1("redfish"), rungs=rungs, segment_rungs=segments
    )

    with asking(both, HOSTS) as question:
        assert list(question("h1")) == asked


def test_a_hypervisor_is_ordered_off_by_the_next_rung_and_proven(maas):
    ladder = dataclasses.replace(
        maas, bmcs=bmcs_of_h1("redfish"), rungs=["redfish", "maas", "ceph"]
    )

    with power.switching(ladder, HOSTS, by="me") as switches:
        proof = power.fence(switches, "h1")

    assert (proof.method, proof.answer, proof.target, proof.by) == ("maas", "off", "sys-h1", "me")
    assert Answers.orders == ["op-power_off"]


def test_a_hypervisor_is_ordered_on_by_the_first_rung_that_takes_it(maas):
    ladder = dataclasses.replace(maas, bmcs=bmcs_of_h1("redfish"), rungs=["redfish", "maas"])

    with power.switching(ladder, HOSTS, by="me") as switches:
        assert power.power_on(switches, "h1") == ("maas", "sys-h1")

    assert Answers.orders == ["op-power_on"]


def test_where_nothing_orders_it_on_each_reason_is_told(maas):
    with (
        power.switching(dataclasses.replace(maas, url="http://127.0.0.1:9"), HOSTS, by="me") as it,
        pytest.raises(InstanceHaError, match=r"maas: .*cannot be reached"),
    ):
        power.power_on(it, "h1")


def test_no_secret_outlives_a_switching(maas, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with power.switching(maas, HOSTS, by="me"):
        assert next(iter(tmp_path.glob("*/api-key"))).stat().st_mode & 0o777 == 0o600

    assert list(tmp_path.iterdir()) == []
