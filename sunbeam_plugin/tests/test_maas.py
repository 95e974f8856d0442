# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import collections
import time

import pytest
from instance_recovery.maas import (
    AT_ONCE,
    Account,
    Maas,
    MaasError,
    MaasRefusedError,
    Power,
)

KEY = "consumer:token:secret"


def test_what_maas_says_is_read(serve):
    server = serve(2)
    maas = Maas(url=server.url, key=KEY)
    assert maas.account() == Account(name="fencing", is_admin=True)
    assert [found.fqdn for found in maas.machines()] == ["sys-0.m", "sys-1.m"]
    assert maas.power(["sys-0", "sys-1"]) == dict.fromkeys(server.machines, Power(state="on"))


def test_every_request_is_signed_with_the_key(serve):
    server = serve()
    Maas(url=server.url, key=KEY).account()
    (signature,) = server.seen
    assert 'oauth_consumer_key="consumer"' in signature
    assert 'oauth_token="token"' in signature
    assert 'oauth_signature="%26secret"' in signature


def test_the_key_is_in_no_repr():
    assert "secret" not in repr(Maas(url="http://maas", key=KEY))


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_another_error(serve, status):
    server = serve()
    server.answers["users/?op=whoami"] = (status, b"no")
    with pytest.raises(MaasRefusedError, match=str(status)):
        Maas(url=server.url, key=KEY).account()


def test_one_machine_whose_controller_is_away_does_not_hide_the_others(serve):
    server = serve()
    server.answers["machines/sys-1/?op=query_power_state"] = (503, b"BMC away")
    power = Maas(url=server.url, key=KEY).power(server.machines)
    assert power["sys-0"] == Power(state="on")
    assert power["sys-1"] == Power(error="MAAS answered 503: BMC away")


@pytest.mark.parametrize(
    ("path", "body"),
    [("users/?op=whoami", []), ("users/?op=whoami", b"<html>"), ("machines/", {})],
    ids=["a list", "no json", "a mapping"],
)
def test_something_else_at_the_address_is_no_maas(serve, path, body):
    server = serve()
    server.answers[path] = (200, body)
    maas = Maas(url=server.url, key=KEY)
    with pytest.raises(MaasError, match=r"is no MAAS|does not answer as MAAS does"):
        maas.account() if path.startswith("users") else maas.machines()


def test_nobody_at_the_address_is_told():
    with pytest.raises(MaasError, match="does not answer as MAAS does"):
        Maas(url="http://127.0.0.1:1/MAAS", key=KEY).account()


def test_an_authority_that_is_none_is_told():
    with pytest.raises(MaasError, match="does not answer"):
        Maas(url="https://127.0.0.1:1/MAAS", key=KEY, ca="rubbish").account()


def test_a_hundred_machines_are_asked_in_time_and_never_too_many_at_once(serve):
    server = serve(100, delay_s=0.2)
    begun = time.monotonic()
    power = Maas(url=server.url, key=KEY).power(server.machines)
    took_s = time.monotonic() - begun
    assert collections.Counter(power.values()) == {Power(state="on"): 100}
    assert 2 <= server.most_at_once <= AT_ONCE
    assert took_s < 100 * 0.2, "one after the other would take longer than that"
