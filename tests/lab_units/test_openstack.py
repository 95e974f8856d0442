# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import datetime
import json
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import pytest

from lab import errors
from lab.openstack import configuration, database, novalog, places
from lab.openstack.neutron_stub import EmptyNetworks

CALL = (
    "{at} 24575 DEBUG nova.compute.api [None req-3f37027f 908b 86d2 - - default default] "
    "[instance: fea76ae5-4af0-4b2d-8836-e58e532df9e4] vm evacuation scheduled evacuate "
    "/lib/nova/compute/api.py:5735"
)


def test_an_evacuate_call_is_told_with_its_server_and_the_millisecond():
    other = '2026-11-21 06:24:57.000 24575 INFO nova.api "POST /v2.1/servers/x/action" 200'

    (call,) = novalog.parse([other, CALL.format(at="2026-11-21 06:24:57.911")])

    assert call.server == "fea76ae5-4af0-4b2d-8836-e58e532df9e4"
    local = datetime.datetime(2026, 11, 21, 6, 24, 57, 911000).astimezone()
    assert call.at == local


def test_options_are_spelt_as_oslo_reads_them():
    text = configuration.render({"DEFAULT": {"debug": True, "workers": 1}, "api": {"a": "b"}})

    assert text == "[DEFAULT]\ndebug = true\nworkers = 1\n\n[api]\na = b\n"


def test_nova_keeps_the_timing_that_operators_have():
    text = configuration.render(configuration.nova())

    assert "service_down_time" not in text
    assert "report_interval" not in text


@pytest.mark.parametrize("word", ["", "x y", "x'", "x`", "x;"])
def test_nothing_but_plain_words_reaches_the_database(word):
    with pytest.raises(errors.LabError, match="no plain word"):
        database.ensure_database("masakari", user=word, password="secret")


def test_a_lab_keeps_its_profile_until_it_is_down(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "CONTROL", tmp_path)
    monkeypatch.setattr(places, "PROFILE_FILE", tmp_path / "profile")
    with pytest.raises(errors.LabError, match="lab up"):
        places.current_profile()

    places.remember_profile("light")
    places.remember_profile("light")

    assert places.current_profile() == "light"
    with pytest.raises(errors.LabError, match="lab down"):
        places.remember_profile("full")


@pytest.fixture
def neutron():
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyNetworks)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_stub_of_neutron_lists_nothing_and_makes_nothing(neutron):
    with urllib.request.urlopen(f"{neutron}/v2.0/security-groups?device_id=1") as answer:
        assert json.load(answer) == {"security_groups": []}
    with pytest.raises(urllib.error.HTTPError, match="404") as refusal:
        urllib.request.urlopen(f"{neutron}/v2.0/ports", data=b"{}")
    refusal.value.close()
