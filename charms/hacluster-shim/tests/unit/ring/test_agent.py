# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import http.server
import io
import json
import threading
from xml.etree import ElementTree

import pytest

from hacluster_shim.ring import agent
from instance_ha.ladder import Rung

KEY = "consumer:token:s3cr3t"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): ...

    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        maas = self.server
        if "s3cr3t" not in self.headers.get("Authorization", ""):
            self.answer("no", 401)
        elif self.path.endswith("op-query_power_state"):
            self.answer({"state": maas.states.get(self.path.split("/")[-2], "unknown")})
        elif "/machines/" in self.path:
            name = self.path.rstrip("/").split("/")[-1]
            machine = {"system_id": name, "hostname": name, "fqdn": name, "power_type": "ipmi"}
            self.answer(machine) if name in maas.states else self.answer("no", 404)
        else:
            self.answer({"version": "3.5", "capabilities": []})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        system_id, order = self.path.split("/")[-2:]
        self.server.orders.append((system_id, order))
        if not self.server.deaf:
            self.server.states[system_id] = order.removeprefix("op-power_")
        self.answer({"system_id": system_id})


@pytest.fixture
def maas():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.states = {"sys-h4": "on"}
    server.orders = []
    server.deaf = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config(tmp_path, maas):
    targets = {
        "h4": {"system_id": "sys-h4", "hostname": "h4", "container": False},
        "c1": {"system_id": "", "hostname": "c1", "container": True},
    }
    (tmp_path / "targets.json").write_text(json.dumps(targets))
    (tmp_path / "key").write_text(KEY)
    file = tmp_path / "fence-maas.json"
    said = {
        "url": f"http://127.0.0.1:{maas.server_address[1]}/MAAS",
        "credentials_file": str(tmp_path / "key"),
        "targets_file": str(tmp_path / "targets.json"),
        "ca_file": None,
    }
    file.write_text(json.dumps(said))
    return file


@pytest.fixture
def fence(config, monkeypatch):
    """Call the agent as Pacemaker does: by lines on its standard input."""

    def call(**options):
        lines = {"config": str(config)} | options
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return agent.main(Rung.MAAS, [])

    return call


def test_off_is_a_success_once_the_power_is_confirmed_off(fence, maas):
    assert fence(action="status", plug="h4") == agent.OK
    assert fence(action="off", plug="h4") == agent.OK
    assert maas.orders == [("sys-h4", "op-power_off")]
    assert fence(action="status", plug="h4") == agent.IS_OFF


@pytest.mark.parametrize("answer", ["on", "unknown", "error"])
def test_t14_an_order_that_changes_nothing_is_a_failure(fence, maas, answer):
    maas.deaf, maas.states["sys-h4"] = True, answer

    assert fence(action="off", plug="h4", patience="0.2") == agent.FAILED


@pytest.mark.parametrize("answer", ["unknown", "error"])
def test_an_unclear_state_is_neither_on_nor_off(fence, maas, answer):
    maas.states["sys-h4"] = answer
    assert fence(action="status", plug="h4") == agent.FAILED


def test_on_orders_the_power_on(fence, maas):
    maas.states["sys-h4"] = "off"
    assert fence(action="on", plug="h4") == agent.OK
    assert maas.states["sys-h4"] == "on"


def test_a_container_is_let_go_without_any_order(fence, maas, caplog):
    assert fence(action="off", plug="c1") == agent.OK
    assert maas.orders == []
    assert "not fenced, by choice" in caplog.text


def test_a_node_without_a_machine_is_never_guessed(fence, caplog):
    assert fence(action="off", plug="h9") == agent.FAILED
    assert "h9" in caplog.text


def test_a_wrong_key_fails_the_monitor_and_is_not_shown(fence, config, caplog):
    assert fence(action="monitor") == agent.OK
    (config.parent / "key").write_text("consumer:token:wr0ng")
    assert fence(action="monitor") == agent.FAILED
    assert "wr0ng" not in caplog.text


def test_it_lists_whom_it_can_fence(fence, capsys):
    assert fence(action="list") == agent.OK
    assert capsys.readouterr().out.split() == ["h4", "c1"]


@pytest.mark.parametrize("rung", agent.PROGRAMS)
def test_its_metadata_names_every_action_and_no_key(capsys, rung):
    assert agent.main(rung, ["-o", "metadata"]) == agent.OK
    root = ElementTree.fromstring(capsys.readouterr().out)
    assert root.get("name") == agent.PROGRAMS[rung]
    actions = {action.get("name") for action in root.iterfind("actions/action")}
    assert actions >= {"off", "on", "status", "monitor", "list", "metadata"}
    parameters = {each.get("name") for each in root.iterfind("parameters/parameter")}
    assert parameters == {"action", "plug", "config", "patience"}


@pytest.mark.parametrize("rung", agent.PROGRAMS)
def test_its_metadata_has_the_parts_in_the_order_that_fence_agents_schema_asks_for(capsys, rung):
    agent.main(rung, ["-o", "metadata"])
    root = ElementTree.fromstring(capsys.readouterr().out)

    assert [part.tag for part in root] == ["longdesc", "vendor-url", "parameters", "actions"]
    assert root.keys() == ["name", "shortdesc"]
    for parameter in root.iterfind("parameters/parameter"):
        assert [part.tag for part in parameter] == ["getopt", "content", "shortdesc"]
        assert {parameter.get("unique"), parameter.get("required")} <= {"0", "1"}
        assert parameter.find("content").get("type") in {"boolean", "string", "second", "integer"}
    assert all(action.keys() == ["name"] for action in root.iterfind("actions/action"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--action=dance"], "no action 'dance'", id="unknown-action"),
        pytest.param(["off"], "is not understood", id="a-bare-word"),
        pytest.param(["--action", "off", "--config", "/nowhere"], "cannot be used", id="no-file"),
    ],
)
def test_a_wrong_call_is_a_failure_with_a_reason(words, said, caplog):
    assert agent.main(Rung.MAAS, words) == agent.FAILED
    assert said in caplog.text


def test_off_needs_a_node(fence, caplog):
    assert fence(action="off") == agent.FAILED
    assert "give plug" in caplog.text
