# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The listener for fence_kdump against real datagrams on loopback."""

from __future__ import annotations

import json
import socket
import struct

import pytest
from oslo_config import cfg

from instance_ha.model import Network
from masakari_instance_ha import assembly, consul, kdump, options
from masakari_instance_ha.kdump import DumpListener, ListenError
from masakari_instance_ha.observer import Cluster, ConsulObserver
from masakari_instance_ha.reader import Pace

MAGIC = 0x1B302A40
SAID = struct.pack("=II", MAGIC, 1)
PATIENCE_S = 60.0


class Clock:
    """Stands where it is put."""

    at_s = 1000.0

    def now_s(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listener(clock):
    made = DumpListener(port=0, names=lambda: {"127.0.0.2": "h1", "127.0.0.3": "h2"}, clock=clock)
    yield made
    made.stop()


@pytest.fixture
def send(listener):
    """Send a datagram from an address, as fence_kdump_send does."""

    def from_(address: str, message: bytes = SAID) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((address, 0))
            sender.sendto(message, ("127.0.0.1", listener.port))

    return from_


@pytest.mark.parametrize("order", ["<", ">"], ids=["little endian", "big endian"])
def test_a_message_of_either_byte_order_tells_of_its_sender(listener, send, eventually, order):
    send("127.0.0.2", struct.pack(f"{order}II", MAGIC, 1))

    eventually(lambda: listener.heard() == {"h1": 1000.0}, "h1 heard", within_s=PATIENCE_S)


def test_the_newest_message_counts(listener, send, eventually, clock):
    send("127.0.0.2")
    eventually(lambda: listener.heard() == {"h1": 1000.0}, "h1 heard", within_s=PATIENCE_S)
    clock.at_s = 1010.0

    send("127.0.0.2")

    eventually(lambda: listener.heard() == {"h1": 1010.0}, "heard again", within_s=PATIENCE_S)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"hello",
        struct.pack("=II", MAGIC, 2),
        struct.pack("=II", MAGIC + 1, 1),
        SAID + b"more",
    ],
    ids=["empty", "text", "other version", "other magic", "longer"],
)
def test_what_is_no_such_message_is_not_heard(listener, send, eventually, message):
    send("127.0.0.2", message)
    send("127.0.0.3")

    eventually(lambda: "h2" in listener.heard(), "the one after it", within_s=PATIENCE_S)

    assert listener.heard().keys() == {"h2"}


def test_a_sender_that_nobody_knows_is_named_once(listener, send, eventually, caplog):
    send("127.0.0.9")
    send("127.0.0.9")
    send("127.0.0.3")

    eventually(lambda: "h2" in listener.heard(), "the one after it", within_s=PATIENCE_S)

    assert listener.heard().keys() == {"h2"}
    assert caplog.text.count("a kernel dump is written at 127.0.0.9, which is no address") == 1


def test_a_port_that_is_taken_is_refused_with_what_to_do(listener, clock):
    with pytest.raises(ListenError, match=r"cannot be listened at: .*; free it, or set kdump"):
        DumpListener(port=listener.port, names=dict, clock=clock)


def test_an_error_of_the_listening_is_not_kept_secret(clock, eventually):
    def broken():
        raise LookupError("no names")

    listener = DumpListener(port=0, names=broken, clock=clock)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(SAID, ("127.0.0.1", listener.port))

    def ended() -> bool:
        try:
            listener.heard()
        except LookupError:
            return True
        return False

    eventually(ended, "the error", within_s=PATIENCE_S)


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("fd00::1", "fd00::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("who", "who"),
    ],
)
def test_addresses_are_written_as_consul_writes_them(address, plain):
    assert kdump.plain(address) == plain


def test_consul_tells_who_has_an_address(consul_cluster, eventually):
    server = consul_cluster.servers[0]
    pace = Pace(alert_s=0.05, budget_s=10.0, wait_s=0)
    observer = ConsulObserver(
        [Cluster(Network.STORAGE, [consul.parse_address(server.url)], pace=pace)]
    )
    try:
        assert observer.addresses() == {}, "nothing is known at first"
        eventually(lambda: bool(observer.observe()), "an answer", within_s=PATIENCE_S)
        told = observer.addresses()
    finally:
        observer.stop()

    assert told["10.1.0.2"] == "h2"
    assert server.address not in told, "a server is no host"


def options_of(tmp_path, *, kdump_on: bool, port: int) -> cfg.ConfigOpts:
    machines = tmp_path / "hypervisors.json"
    machines.write_text(json.dumps({"h7": {"address": "127.0.0.7"}}))
    file = tmp_path / "instance-ha.conf"
    file.write_text(
        f"[instance_ha]\nkdump = {kdump_on}\nkdump_port = {port}\nhypervisors_file = {machines}\n"
    )
    conf = cfg.ConfigOpts()
    options.register(conf)
    conf(args=[], default_config_files=[str(file)], default_config_dirs=[])
    return conf


def test_nobody_listens_unless_it_is_asked_for(tmp_path, clock, free_port):
    conf = options_of(tmp_path, kdump_on=False, port=free_port)

    assert assembly.dumps(conf, observer=ConsulObserver([]), clock=clock) is None


def test_who_is_not_in_consul_is_known_by_its_own_word(tmp_path, clock, free_port, eventually):
    conf = options_of(tmp_path, kdump_on=True, port=free_port)
    listener = assembly.dumps(conf, observer=ConsulObserver([]), clock=clock)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.7", 0))
            sender.sendto(SAID, ("127.0.0.1", free_port))
        eventually(lambda: "h7" in listener.heard(), "h7 heard", within_s=PATIENCE_S)
    finally:
        listener.stop()
