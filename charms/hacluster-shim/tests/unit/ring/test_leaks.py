# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Planted keys: whatever happens, and however they are thrown back at us, nobody else reads them.

The controllers here answer every request with all that they were sent, as a debug page does.
"""

import base64
import dataclasses
import http.server
import json
import subprocess
import threading
from xml.etree import ElementTree

import pytest
from ops import testing

from hacluster_shim import life, power, storage
from hacluster_shim.ring import cib

from .test_forming import CONFIG, here, node, remote, state

__all__ = ["here"]

MAAS_KEY = "pl4nted-consumer:pl4nted-token:pl4nted-secret"
PASSWORD, CEPH_KEY = "pl4nted-password", "pl4ntedCephKey=="
FORMS = ("pl4nted", base64.b64encode(f"fence:{PASSWORD}".encode()).decode())
"""A part of every planted key, and the form in which one is sent."""
SECRET = testing.Secret({"api-key": MAAS_KEY})


class Echo(http.server.BaseHTTPRequestHandler):
    """Sends back what it was sent, with an error."""

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        body = f"{self.headers} {self.path}".encode() + self.rfile.read(length)
        self.send_response(500, "Error")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_GET  # noqa: N815 - what the server calls

    def log_message(self, *_):
        pass


@pytest.fixture
def echo():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def commands(monkeypatch):
    """Remember every command line, the tools' of the ring apart."""
    found = []

    class Popen(subprocess.Popen):
        def __init__(self, args, *more, **options):
            found.append(str(args) + str(options.get("env")))
            super().__init__(args, *more, **options)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    return found


@pytest.fixture
def world(echo, here, monkeypatch):
    """Everything that can hold a key is related and set."""
    monkeypatch.setattr(storage, "ensure_program", lambda: None)
    monkeypatch.setattr(life, "sign", lambda address: "")
    monkeypatch.setattr(power, "TIMEOUT_S", 10.0)
    entry = {"type": "redfish", "address": echo, "username": "fence", "password": PASSWORD}
    bmcs = testing.Secret({"bmcs": json.dumps({"h1": entry})})
    says = {"contract": 1, "nova_host": "h1", "hostname": "h1", "system_id": "sys-h1"}
    says |= {"address": "127.0.0.1"}
    known = {key: json.dumps(value) for key, value in says.items()}
    ceph = {"auth": "cephx", "key": CEPH_KEY, "ceph-public-address": "127.0.0.1"}
    return state(
        remote(),
        testing.Relation("fencing"),
        testing.Relation("hypervisors", remote_units_data={0: known}),
        testing.Relation("ceph", remote_app_name="ceph-mon", remote_units_data={0: ceph}),
        peers=testing.PeerRelation("hanode", peers_data={1: node(1)}),
        secrets={SECRET, bmcs},
        config=CONFIG
        | {
            "maas-url": f"{echo}/MAAS",
            "maas-credentials": SECRET.id,
            "maas_credentials": MAAS_KEY,
            "bmc-credentials": bmcs.id,
        },
    )


def keys_of(out):
    """Return what must be nowhere: what was planted, and what the charm made itself."""
    made = {value for secret in out.secrets for value in secret.latest_content.values()}
    return {*FORMS, *(value for value in made if len(value) > 15)}


def told(ctx, out, here):
    """Give all that others can read, by where it is read."""
    for relation in out.relations:
        bags = [getattr(relation, bag, {}) for bag in ("local_app_data", "local_unit_data")]
        yield f"databag of {relation.endpoint}", str(bags)
    yield "log", "\n".join(entry.message for entry in ctx.juju_log)
    yield "log of actions", "\n".join(ctx.action_logs)
    yield "results", str(ctx.action_results)
    yield "statuses", f"{out.unit_status} {out.app_status} {ctx.unit_status_history}"
    yield "command lines of the ring", str(here.calls)
    for wanted in here.wanted:
        configuration = ElementTree.Element("configuration")
        cib.put(configuration, wanted)
        yield "CIB", ElementTree.tostring(configuration, encoding="unicode")
    for file in filter(lambda path: path.is_file(), here.root.rglob("*")):
        if file.stat().st_mode & 0o007:
            yield f"file {file.name}", file.read_text(errors="replace")


def leaks(ctx, out, here):
    return {
        f"{key} in {where}"
        for where, text in told(ctx, out, here)
        for key in keys_of(out)
        if key in text
    }


def test_the_keys_are_known_to_the_charm_and_to_nobody_else(ctx, world, here, commands):
    out = ctx.run(ctx.on.config_changed(), world)

    assert {"fencing-credentials", "bmc-credentials", "ceph-credentials"} <= {
        secret.label for secret in out.secrets
    }
    assert "HTTP 500" in str(out.get_relations("peers")[0].local_app_data), "it was asked"
    assert leaks(ctx, out, here) == set()
    assert not [line for line in commands if any(form in line for form in FORMS)]


@pytest.mark.parametrize(
    ("action", "params"),
    [
        pytest.param("test-fencing", {}, id="test-fencing"),
        pytest.param("fence-host", {"host": "h1", "confirm": True, "force": True}, id="fence"),
        pytest.param("unfence-host", {"host": "h1", "confirm": True}, id="unfence"),
        pytest.param("status", {}, id="status"),
        pytest.param("rotate-keys", {"confirm": True}, id="rotate-keys"),
    ],
)
def test_no_action_tells_a_key(ctx, world, here, commands, monkeypatch, action, params):
    monkeypatch.setattr(power, "TIMEOUT_S", 1.0)
    formed = ctx.run(ctx.on.config_changed(), world)
    failure = ""

    try:
        formed = ctx.run(ctx.on.action(action, params=params), formed)
    except testing.ActionFailed as error:
        failure = error.message

    assert not [form for form in FORMS if form in failure]
    assert leaks(ctx, formed, here) == set()
    assert not [line for line in commands if any(form in line for form in FORMS)]


def test_a_key_that_is_none_is_not_repeated(ctx, world, here):
    wrong = testing.Secret({"api-key": "pl4nted"}, id=SECRET.id)
    others = {secret for secret in world.secrets if secret.id != SECRET.id}

    out = ctx.run(ctx.on.config_changed(), dataclasses.replace(world, secrets={wrong, *others}))

    assert out.unit_status == testing.BlockedStatus("maas-credentials: api-key must be A:B:C")
    assert leaks(ctx, out, here) == set()
