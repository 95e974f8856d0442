# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The MAAS fencer against a real HTTP server that checks the signature."""

from __future__ import annotations

import http.server
import json
import logging
import re
import threading
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest
from oslo_config import cfg

from instance_ha.errors import FenceError, FenceTargetError, FenceTimeoutError
from masakari_instance_ha import fencing, options

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from instance_ha.ports import Fencer

KEY = "consumer:token:s3cret"


class Maas(http.server.ThreadingHTTPServer):
    """As much of MAAS as fencing asks for; it remembers orders and answers from a script."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.key = KEY
        self.machines = [{"system_id": "sys-h1", "hostname": "h1", "fqdn": "h1.maas"}]
        self.states: list[str] = ["on", "off"]
        """Power states to answer with; the last one stays."""
        self.failures: list[int] = []
        """HTTP statuses that the next requests get instead of an answer; 0 = hang up."""
        self.asked: list[str] = []
        self.orders: list[dict[str, str]] = []
        self.order_is_needed = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/MAAS"

    def power_state(self) -> str:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


class _Requests(http.server.BaseHTTPRequestHandler):
    server: Maas

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        maas, url = self.server, urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        maas.asked.append(f"{self.command} {url.path}")
        if maas.failures and (status := maas.failures.pop(0)) != 200:
            return self._send(status, "scripted failure") if status else self.connection.close()
        if not self._is_signed():
            return self._send(401, "Authorization Error: Invalid API key.")
        path = url.path.removeprefix("/MAAS/api/2.0/machines/")
        if path == "":
            wanted = urllib.parse.parse_qs(url.query)["hostname"]
            return self._send(200, [m for m in maas.machines if m["hostname"] in wanted])
        system_id, _, operation = path.partition("/")
        known = {machine["system_id"]: machine for machine in maas.machines}
        if system_id not in known:
            return self._send(404, "Not Found")
        return self._send(200, self._operate(operation, known[system_id], body))

    def _operate(self, operation: str, machine: dict[str, str], body: str) -> object:
        if (self.command, operation) == ("POST", "op-power_off"):
            self.server.orders.append(dict(urllib.parse.parse_qsl(body)))
            return machine if self.server.order_is_needed else None
        if operation == "op-query_power_state":
            return {"state": self.server.power_state()}
        return machine

    def _is_signed(self) -> bool:
        header = dict(re.findall(r'(\w+)="([^"]*)"', self.headers.get("Authorization", "")))
        consumer, token, secret = self.server.key.split(":")
        return (
            header.get("oauth_signature_method") == "PLAINTEXT"
            and header.get("oauth_consumer_key") == consumer
            and header.get("oauth_token") == token
            and urllib.parse.unquote(header.get("oauth_signature", "")) == f"&{secret}"
        )

    def _send(self, status: int, answer: object) -> None:
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        if status in {301, 302}:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def maas() -> Iterator[Maas]:
    with Maas() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def conf(maas: Maas, tmp_path: pathlib.Path) -> Iterator[cfg.ConfigOpts]:
    conf = cfg.ConfigOpts()
    options.register(conf)
    conf([], default_config_files=[])
    (tmp_path / "key").write_text(KEY + "\n")
    write_targets(tmp_path, h1={"system_id": "sys-h1", "fqdn": "h1.maas", "hostname": "h1"})
    for name, value in {
        "mode": "maas",
        "maas_url": maas.url,
        "maas_credentials_file": str(tmp_path / "key"),
        "targets_file": str(tmp_path / "targets.json"),
        "request_timeout": 5,
    }.items():
        conf.set_override(name, value, group="instance_ha_fencing")
    yield conf
    for option in ("mode", "maas_url", "maas_credentials_file", "targets_file", "request_timeout"):
        # oslo.config shares the overrides of a group between all that know it.
        conf.clear_override(option, group="instance_ha_fencing")


@pytest.fixture
def fencer(conf: cfg.ConfigOpts, clock: Any) -> Fencer:
    return fencing.build(conf, clock=clock, by="engine@test")


def write_targets(folder: pathlib.Path, **targets: object) -> None:
    (folder / "targets.json").write_text(json.dumps(targets))


def test_a_host_is_proven_off_by_a_query_after_the_order(
    fencer: Fencer, maas: Maas, clock: Any
) -> None:
    maas.states = ["on", "on", "off"]

    proof = fencer.fence("h1")

    assert (proof.host, proof.method, proof.target, proof.answer) == (
        "h1", "maas", "sys-h1", "off",
    )  # fmt: skip
    assert (proof.ordered_at_s, proof.confirmed_at_s) == (1000, 1002)
    assert [order["stop_mode"] for order in maas.orders] == ["hard"]
    assert maas.asked[-1] == "GET /MAAS/api/2.0/machines/sys-h1/op-query_power_state"


def test_a_host_that_is_off_already_is_proven_by_the_live_query(
    fencer: Fencer, maas: Maas
) -> None:
    maas.states, maas.order_is_needed = ["off"], False

    assert fencer.fence("h1").answer == "off"
    assert len(maas.orders) == 1, "the order is given all the same"


@pytest.mark.parametrize("state", ["on", "unknown", "error", "None", "OFF "])
def test_t14_only_off_is_a_proof(fencer: Fencer, maas: Maas, clock: Any, state: str) -> None:
    maas.states = [state]

    with pytest.raises(FenceTimeoutError, match=f"h1 is not fenced: .*'{state}' 60 s after"):
        fencer.fence("h1")
    assert clock.now_s() >= 1060


@pytest.mark.parametrize("failures", [[200, 503], [200, 0], [200, 200, 0], [200, 200, 502]])
def test_a_lost_answer_is_asked_for_again(fencer: Fencer, maas: Maas, failures: list[int]) -> None:
    maas.failures = failures

    assert fencer.fence("h1").answer == "off"


def test_an_order_is_repeated_until_it_is_taken(fencer: Fencer, maas: Maas) -> None:
    maas.states = ["on", "on", "on", "off"]
    maas.failures = [200, 503, 200, 503]  # machine, order, query, order

    assert fencer.fence("h1").answer == "off"
    assert len(maas.orders) == 1
    assert sum("power_off" in asked for asked in maas.asked) == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(401, "refuses the API key.*juju update-secret", id="wrong key"),
        pytest.param(403, "may not do this.*administrator", id="no permission"),
        pytest.param(302, "sends us elsewhere.*127.0.0.1:9", id="redirected"),
    ],
)
def test_a_refusal_ends_the_try_at_once_and_says_what_to_do(
    fencer: Fencer, maas: Maas, clock: Any, status: int, words: str
) -> None:
    maas.failures = [200, status]

    with pytest.raises(FenceError, match=f"h1 is not fenced: .*{words}"):
        fencer.fence("h1")
    assert clock.now_s() == 1000
    assert maas.orders == []


def test_a_maas_that_stays_away_is_named_after_the_deadline(
    fencer: Fencer, maas: Maas, clock: Any
) -> None:
    maas.failures = [200, *[503] * 1000]

    with pytest.raises(FenceError, match=r"busy or cannot reach the BMC: HTTP 503"):
        fencer.fence("h1")
    assert clock.now_s() >= 1060


def test_a_refused_connection_is_named(
    conf: cfg.ConfigOpts, clock: Any, tmp_path: pathlib.Path
) -> None:
    conf.set_override("maas_url", "http://127.0.0.1:9/MAAS", group="instance_ha_fencing")
    fencer = fencing.build(conf, clock=clock, by="engine@test")

    with pytest.raises(FenceError, match=r"cannot be reached.*instance-ha fence check"):
        fencer.fence("h1")


def test_a_failed_tls_connection_is_named(conf: cfg.ConfigOpts, maas: Maas, clock: Any) -> None:
    url = maas.url.replace("http:", "https:")
    conf.set_override("maas_url", url, group="instance_ha_fencing")

    with pytest.raises(FenceError, match="no trusted TLS"):
        fencing.build(conf, clock=clock, by="engine@test").fence("h1")


TWINS = [
    {"system_id": "a", "hostname": "h1", "fqdn": "h1.rack-1"},
    {"system_id": "b", "hostname": "h1", "fqdn": "h1.rack-2"},
]


@pytest.mark.parametrize(
    ("target", "machines", "found"),
    [
        pytest.param({"system_id": "b", "hostname": "h9"}, TWINS, "b", id="system id decides"),
        pytest.param(
            {"system_id": "gone", "fqdn": "H1.rack-2", "hostname": "h1"},
            TWINS,
            "b",
            id="full name",
        ),
        pytest.param({"fqdn": "h1.rack-1"}, TWINS, "a", id="full name alone"),
        pytest.param({"hostname": "h1"}, TWINS[:1], "a", id="unique host name"),
    ],
)
def test_t14_the_machine_is_found_by_its_most_certain_name(
    fencer: Fencer,
    maas: Maas,
    tmp_path: pathlib.Path,
    target: dict[str, str],
    machines: list[dict[str, str]],
    found: str,
) -> None:
    maas.machines = machines
    write_targets(tmp_path, h1=target)

    assert fencer.fence("h1").target == found


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        pytest.param({}, "no power target is known", id="host not listed"),
        pytest.param({"h1": {"hostname": "h7"}}, "no machine", id="machine not in maas"),
        pytest.param({"h1": {}}, "no machine", id="target without names"),
        pytest.param({"h1": {"hostname": "h1"}}, "2 machines of its name: a, b", id="two"),
        pytest.param({"h1": {"fqdn": "h1.other"}}, "2 machines of its name", id="two, other fqdn"),
    ],
)
def test_t14_a_doubtful_machine_is_never_ordered_off(
    fencer: Fencer, maas: Maas, tmp_path: pathlib.Path, targets: dict[str, object], words: str
) -> None:
    maas.machines = TWINS
    write_targets(tmp_path, **targets)

    with pytest.raises(FenceTargetError, match=words):
        fencer.fence("h1")
    assert maas.orders == []


def test_a_broken_list_of_targets_is_a_target_error(
    fencer: Fencer, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "targets.json").write_text("{")

    with pytest.raises(FenceTargetError, match="cannot be read"):
        fencer.fence("h1")


def test_a_rotated_key_and_a_new_target_need_no_restart(
    fencer: Fencer, maas: Maas, tmp_path: pathlib.Path
) -> None:
    maas.key = "consumer:token:rotated"
    with pytest.raises(FenceError, match="401"):
        fencer.fence("h1")

    (tmp_path / "key").write_text(maas.key)
    write_targets(tmp_path, h2={"system_id": "sys-h1"})

    assert fencer.fence("h2").target == "sys-h1"


@pytest.mark.parametrize("key", ["", "only:two", "a:b:c:d", "a::c"])
def test_a_malformed_key_is_named_without_being_shown(
    fencer: Fencer, tmp_path: pathlib.Path, key: str
) -> None:
    (tmp_path / "key").write_text(key)

    with pytest.raises(FenceError, match="not the form consumer:token:secret"):
        fencer.fence("h1")


def test_a_missing_key_file_is_named(fencer: Fencer, tmp_path: pathlib.Path) -> None:
    (tmp_path / "key").unlink()

    with pytest.raises(FenceError, match="cannot be read: No such file"):
        fencer.check("h1")


def test_a_check_asks_and_orders_nothing(fencer: Fencer, maas: Maas) -> None:
    maas.states = ["on"]

    assert fencer.check("h1") == "on"
    assert maas.orders == []


def test_t14_the_key_shows_up_nowhere(
    fencer: Fencer, maas: Maas, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    proof = fencer.fence("h1")
    maas.key = "consumer:token:other"
    with pytest.raises(FenceError) as caught:
        fencer.fence("h1")

    shown = caplog.text + repr(proof) + str(caught.value) + repr(vars(fencer))
    assert "urllib3" in caplog.text, "debug logs are on"
    assert "s3cret" not in shown


def test_no_fencing_has_to_be_chosen_by_name(conf: cfg.ConfigOpts, clock: Any) -> None:
    conf.clear_override("mode", group="instance_ha_fencing")
    with pytest.raises(fencing.FencingOptionsError, match="fencing-mode=none"):
        fencing.build(conf, clock=clock, by="engine@test")

    conf.set_override("mode", "none", group="instance_ha_fencing")
    unfenced = fencing.build(conf, clock=clock, by="engine@test")

    proof = unfenced.fence("h1")
    assert (proof.method, proof.answer) == ("none", "unfenced by choice")
    assert unfenced.check("h1") == "unknown"


def test_missing_options_are_named(conf: cfg.ConfigOpts, clock: Any) -> None:
    conf.clear_override("targets_file", group="instance_ha_fencing")

    with pytest.raises(fencing.FencingOptionsError, match="lacks targets_file"):
        fencing.build(conf, clock=clock, by="engine@test")
