# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import json
import threading
import time

import pytest

from lab import errors
from lab.host import Host
from lab.maas import faults, oauth, server
from lab.maas.machines import Machines

from .maas_client import MaasClient

KEY = "consumer:token:se%cret&"


class Switch:
    """Three hosts whose power is a set of names."""

    def __init__(self):
        self.on = {"h1", "h2", "h3"}

    def known(self):
        return [Host(number=number) for number in (1, 2, 3)]

    def is_on(self, each):
        return each.name in self.on

    def turn(self, each, *, on, hard):
        (self.on.add if on else self.on.discard)(each.name)


@pytest.fixture
def switch():
    return Switch()


@pytest.fixture
def maas(tmp_path, monkeypatch, switch):
    monkeypatch.setattr(faults, "FILE", tmp_path / "faults.json")
    running = server.Server(
        ("127.0.0.1", 0),
        machines=Machines(switch),
        verifier=oauth.Verifier(oauth.ApiKey.parse(KEY)),
        log=tmp_path / "requests.jsonl",
    )
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    yield MaasClient("127.0.0.1", running.server_port, key=KEY)
    running.shutdown()
    thread.join()
    running.server_close()


def eventually(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_whoami_proves_that_a_key_works(maas):
    assert maas.ask("GET", "/users/?op=whoami")[1]["username"] == "lab"


def test_strangers_learn_the_version_only(maas):
    assert maas.ask("GET", "/version/", header="")[0] == 200
    assert maas.ask("GET", "/machines/", header="")[0] == 401


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("other:token:se%cret&", id="consumer"),
        pytest.param("consumer:other:se%cret&", id="token"),
        pytest.param("consumer:token:secret", id="secret"),
        pytest.param("consumer:token:", id="no secret"),
    ],
)
def test_a_wrong_key_is_refused(maas, key):
    answer = MaasClient("127.0.0.1", maas.port, key=key).ask("GET", "/machines/")
    assert answer == (401, "Authorization Error: Invalid API key.")


def test_a_request_cannot_be_replayed(maas):
    header = maas.sign()
    assert maas.ask("GET", "/machines/", header=header)[0] == 200
    assert maas.ask("GET", "/machines/", header=header)[0] == 401


def test_an_old_request_is_refused(maas):
    header = maas.sign(timestamp=str(int(time.time()) - 3600))
    assert maas.ask("GET", "/machines/", header=header)[0] == 401


def test_machines_are_found_by_hostname(maas):
    _, found = maas.ask("GET", "/machines/?hostname=h1&hostname=h3&hostname=elsewhere")
    assert [m["system_id"] for m in found] == ["sys-h1", "sys-h3"]


@pytest.mark.parametrize("op", ["op-query_power_state", "?op=query_power_state"])
def test_both_spellings_of_an_operation_work(maas, op):
    assert maas.ask("GET", f"/machines/sys-h1/{op}") == (200, {"state": "on"})


def test_power_off_is_ordered_first_and_happens_later(maas, switch):
    status, view = maas.ask(
        "POST", "/machines/sys-h1/op-power_off", form={"stop_mode": "hard", "comment": "fence"}
    )

    assert (status, view["power_state"]) == (200, "on"), "an accepted order is no proof"
    eventually(lambda: maas.state("h1") == "off")
    assert switch.on == {"h2", "h3"}


def test_an_order_that_changes_nothing_takes_nobody_by_surprise_later(maas, switch):
    switch.on.discard("h1")
    assert maas.ask("POST", "/machines/sys-h1/op-power_off")[0] == 200
    assert maas.state("h1") == "off"
    switch.on.add("h1")

    time.sleep(0.5)
    assert maas.state("h1") == "on"


def test_the_power_state_in_lists_is_a_memory(maas, switch):
    maas.ask("GET", "/machines/")
    switch.on.discard("h1")

    assert maas.ask("GET", "/machines/sys-h1/")[1]["power_state"] == "on"
    assert maas.state("h1") == "off"
    assert maas.ask("GET", "/machines/sys-h1/")[1]["power_state"] == "off"


def test_a_lying_controller_says_off_while_the_host_runs(maas, switch):
    faults.inject("lying", machine="h1")
    maas.ask("POST", "/machines/sys-h1/op-power_off")

    assert maas.state("h1") == "off"
    time.sleep(0.5)
    assert "h1" in switch.on


def test_a_stuck_controller_accepts_and_does_nothing(maas):
    faults.inject("stuck", machine="h1")
    assert maas.ask("POST", "/machines/sys-h1/op-power_off")[0] == 200
    time.sleep(0.5)
    assert maas.state("h1") == "on"


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        pytest.param("failing", (503, "The region controller is not available."), id="503"),
        pytest.param("refusing", (403, "Forbidden"), id="403"),
        pytest.param("missing", (404, "No Machine matches the given query."), id="404"),
        pytest.param("unknown-state", (200, {"state": "unknown"}), id="unknown"),
        pytest.param("error-state", (200, {"state": "error"}), id="error"),
    ],
)
def test_faults_of_one_machine_leave_the_others_alone(maas, fault, answer):
    faults.inject(fault, machine="h1")

    assert maas.ask("GET", "/machines/sys-h1/op-query_power_state") == answer
    assert maas.state("h2") == "on"

    faults.clear("h1")
    assert maas.state("h1") == "on"


def test_a_missing_machine_is_in_no_list(maas):
    faults.inject("missing", machine="h2")
    assert [m["hostname"] for m in maas.ask("GET", "/machines/")[1]] == ["h1", "h3"]


def test_a_hanging_controller_never_answers(maas):
    faults.inject("hanging")
    with pytest.raises(TimeoutError):
        maas.ask("GET", "/version/", timeout_s=0.3)


def test_a_slow_controller_takes_its_time(maas):
    faults.inject("slow", machine="h1", seconds=0.4)
    begin = time.monotonic()
    assert maas.state("h1") == "on"
    assert time.monotonic() - begin >= 0.4


def test_the_request_log_tells_all_but_the_secret(maas, tmp_path):
    maas.ask("POST", "/machines/sys-h1/op-power_off", form={"comment": "host is down"})
    MaasClient("127.0.0.1", maas.port, key="consumer:token:guess").ask("GET", "/machines/")

    text = (tmp_path / "requests.jsonl").read_text()
    order, refused = map(json.loads, text.splitlines())
    assert (order["machine"], order["answer"]) == ("h1", 200)
    assert order["form"] == {"comment": ["host is down"]}
    assert refused["answer"] == 401
    assert "cret" not in text
    assert "guess" not in text


def test_an_unknown_operation_is_refused(maas):
    answer = maas.ask("POST", "/machines/sys-h1/op-explode")
    assert answer == (400, "Unrecognised signature: method=POST op=explode")


def test_an_unknown_fault_names_those_that_exist():
    with pytest.raises(errors.LabError, match="slow, lying"):
        faults.inject("sleepy")
