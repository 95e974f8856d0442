# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts that people power off and on: what is refused, and through what it is done."""

import contextlib
import json
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from ops import testing

from hacluster_shim import life, power
from hacluster_shim.ring import acts, look
from hacluster_shim.ring.daemons import RingError
from instance_ha.errors import FenceError
from instance_ha.model import FenceProof

from .test_charm import hypervisors, says, state


class Switch:
    """One rung that switches every host."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.failure: FenceError | None = None

    def fence(self, host: str) -> FenceProof:
        self.orders.append(f"off {host}")
        if self.failure:
            raise self.failure
        return FenceProof(
            host=host, method="maas", target=f"sys-{host}", answer="off",
            ordered_at_s=1000.0, confirmed_at_s=1002.0, by="tests",
        )  # fmt: skip

    def power_on(self, host: str) -> str:
        self.orders.append(f"on {host}")
        return f"sys-{host}"


@pytest.fixture
def switch(monkeypatch) -> Switch:
    made = Switch()

    @contextlib.contextmanager
    def switching(*_: object, **__: object) -> Iterator[dict[str, Switch]]:
        yield {"maas": made}

    monkeypatch.setattr(power, "switching", switching)
    return made


@pytest.fixture
def signs(monkeypatch) -> dict[str, str]:
    """Address -> what shows that somebody is there."""
    found: dict[str, str] = {}
    monkeypatch.setattr(life, "sign", lambda address: found.get(address, ""))
    return found


def with_address(host: str = "h1") -> testing.Relation:
    said = says(host) | {"address": json.dumps("10.71.0.11")}
    return testing.Relation("hypervisors", remote_units_data={0: said})


def run(ctx, action: str, known: testing.State, **params: object) -> dict[str, str]:
    ctx.run(ctx.on.action(action, params={"host": "h1", "confirm": True, **params}), known)
    return dict(ctx.action_results or {})


@pytest.mark.usefixtures("machines", "signs")
def test_a_lost_host_is_powered_off_and_the_proof_is_told(ctx, switch):
    told = run(ctx, "fence-host", state(with_address()))

    assert switch.orders == ["off h1"]
    assert told == {
        "host": "h1",
        "answer": "off",
        "method": "maas",
        "target": "sys-h1",
        "ordered-at": "1970-01-01T00:16:40+00:00",
        "confirmed-at": "1970-01-01T00:16:42+00:00",
        "by": "tests",
    }


@pytest.mark.usefixtures("machines")
@pytest.mark.parametrize(
    ("known", "params", "words"),
    [
        (with_address(), {"confirm": False}, "confirm=true"),
        (with_address(), {}, "h1 is not lost: it answers; add force=true"),
        (hypervisors("h1"), {}, "has told no address to look at; add force=true"),
        (with_address(), {"host": "h7"}, "no hypervisor is named h7; known are h1"),
        (with_address(), {"host": "h7", "force": True}, "no hypervisor is named h7"),
    ],
)
def test_what_is_not_certain_is_refused(ctx, switch, signs, known, params, words):
    signs["10.71.0.11"] = "it answers"

    with pytest.raises(testing.ActionFailed, match=words):
        run(ctx, "fence-host", state(known), **params)

    assert switch.orders == []


@pytest.mark.usefixtures("machines")
def test_force_fences_a_host_that_answers(ctx, switch, signs):
    signs["10.71.0.11"] = "it answers"

    assert run(ctx, "fence-host", state(with_address()), force=True)["answer"] == "off"


@pytest.mark.usefixtures("machines", "signs")
def test_a_host_that_nothing_proves_off_fails_the_action(ctx, switch):
    switch.failure = FenceError("h1", "MAAS did not answer in 35 s", hint="Look at MAAS")

    with pytest.raises(testing.ActionFailed, match=r"not proven off: .*did not answer in 35 s"):
        run(ctx, "fence-host", state(with_address()))


@pytest.mark.usefixtures("machines", "signs")
def test_what_the_charm_lacks_is_told(ctx, switch):
    with pytest.raises(testing.ActionFailed, match="not ready: config: set maas-url"):
        run(ctx, "fence-host", state(with_address(), config={}))


@pytest.mark.usefixtures("machines", "signs")
def test_a_host_is_powered_on_again(ctx, switch):
    assert run(ctx, "unfence-host", state(with_address())) == {
        "host": "h1",
        "method": "maas",
        "target": "sys-h1",
    }
    assert switch.orders == ["on h1"]


@pytest.mark.usefixtures("machines", "signs")
@pytest.mark.parametrize(
    ("params", "words"), [({"confirm": False}, "run twice"), ({"host": "h7"}, "named h7")]
)
def test_what_is_not_certain_is_not_powered_on(ctx, switch, params, words):
    with pytest.raises(testing.ActionFailed, match=words):
        run(ctx, "unfence-host", state(with_address()), **params)

    assert switch.orders == []


# In a ring


@pytest.fixture
def ring(monkeypatch) -> SimpleNamespace:
    """A ring that watches h1, lost at first; its orders are kept."""
    found = SimpleNamespace(orders=[], joined=False, refusal=None)

    def act(order: str, host: str) -> None:
        found.orders.append(f"{order} {host}")
        if found.refusal:
            raise found.refusal

    view = SimpleNamespace(remotes={"h1": found})
    monkeypatch.setattr(look, "ring", lambda: view)
    monkeypatch.setattr(acts, "fence", lambda host: act("off", host))
    monkeypatch.setattr(acts, "unfence", lambda host: act("on", host))
    return found


@pytest.fixture
def watched() -> testing.State:
    said = {"remote-hostname": "h1", "remote-ip": "10.71.0.11"}
    remote = testing.Relation(
        "pacemaker-remote",
        remote_units_data={0: {key: json.dumps(value) for key, value in said.items()}},
    )
    return state(remote)


@pytest.mark.usefixtures("machines")
def test_a_host_of_the_ring_is_switched_by_the_ring(ctx, switch, ring, watched):
    off = run(ctx, "fence-host", watched)
    on = run(ctx, "unfence-host", watched)

    assert ring.orders == ["off h1", "on h1"]
    assert (off["method"], off["answer"], on["method"]) == ("pacemaker", "off", "pacemaker")
    assert switch.orders == []


@pytest.mark.usefixtures("machines", "switch")
def test_a_host_that_the_ring_is_connected_to_is_not_lost(ctx, ring, watched):
    ring.joined = True

    with pytest.raises(testing.ActionFailed, match="connected to the ring; add force=true"):
        run(ctx, "fence-host", watched)
    assert ring.orders == []

    run(ctx, "fence-host", watched, force=True)
    assert ring.orders == ["off h1"]


@pytest.mark.usefixtures("machines", "switch")
def test_a_ring_that_refuses_fails_the_action(ctx, ring, watched):
    ring.refusal = RingError("no quorum")

    with pytest.raises(testing.ActionFailed, match="not proven off: no quorum"):
        run(ctx, "fence-host", watched)


# Signs of life


def test_an_open_and_a_refused_port_are_signs_of_life_and_silence_is_none(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert life.sign("127.0.0.1", port=port) == f"127.0.0.1 answers on port {port}"
    assert "answers, though not" in life.sign("127.0.0.1", port=port)

    def nobody(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", nobody)
    assert life.sign("127.0.0.1", port=port) == ""
