# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The driver inside the real masakari-hostmonitor."""

from __future__ import annotations

import pathlib
import signal
import sqlite3
import sys
import threading

import pytest
from oslo_config import cfg

from masakari_instance_ha import clock, driver, options, store

HOSTMONITOR = pathlib.Path(sys.executable).parent / "masakari-hostmonitor"


@pytest.fixture
def store_file(tmp_path):
    path = tmp_path / "store.sqlite"
    store.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def hostmonitor(tmp_path, consul_cluster, login, store_file, spawn):
    """Start masakari-hostmonitor on the configuration that the charm would write."""
    (tmp_path / "masakarimonitors.conf").write_text(
        "[DEFAULT]\nhostname = masakari-0\n"
        f"[host]\nmonitoring_driver = instance_ha\n[oslo_concurrency]\nlock_path = {tmp_path}\n"
    )

    def start(extra=""):
        (tmp_path / "instance-ha.conf").write_text(
            f"{login}\n[instance_ha]\nconnection = sqlite:///{store_file}\nunit = masakari-0\n"
            "networks = storage\ntick = 0.2\nhold = 0.5\n"
            f"[instance_ha_consul]\nstorage = {consul_cluster.servers[0].url}\n{extra}"
        )
        files = ("masakarimonitors.conf", "instance-ha.conf")
        return spawn([HOSTMONITOR, *(f"--config-file={tmp_path / name}" for name in files)])

    return start


def lease(store_file):
    with sqlite3.connect(store_file) as database:
        return database.execute("SELECT holder, until_s FROM instance_ha_leases").fetchone()


def misunderstood(openstack_cloud):
    """Make Masakari say something that nobody expects."""
    openstack_cloud.make(
        "notification",
        {"generated_time": "2099-01-01T00:00:00"},
        source_host_uuid="host-1",
        notification_uuid="n",
        status="a word of a later release",
    )


def test_a_lost_host_is_notified_and_the_lease_given_up_at_the_end(
    hostmonitor, consul_cluster, openstack_cloud, store_file, eventually
):
    openstack_cloud.enrol("h1", "h2", "h3")
    consul_cluster.hosts["h1"] = 4
    process = hostmonitor()

    eventually(lambda: bool(openstack_cloud.notifications), "a notification")
    assert openstack_cloud.notifications[0]["hostname"] == "h1"
    assert lease(store_file)[0] == "masakari-0"

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=120) == 0, process.log.read_text()
    assert lease(store_file)[1] == 0, "the next controller must not wait for the lease"


def test_a_slow_cloud_keeps_the_process_answering_to_signals(
    hostmonitor, consul_cluster, openstack_cloud, eventually
):
    openstack_cloud.enrol("h1", "h2", "h3")
    openstack_cloud.delay_s = 3.0
    consul_cluster.hosts["h1"] = 4
    process = hostmonitor()
    eventually(lambda: bool(openstack_cloud.calls), "a call")

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=120) == 0, process.log.read_text()


def test_an_unexpected_error_ends_the_process(
    hostmonitor, consul_cluster, openstack_cloud, eventually
):
    openstack_cloud.enrol("h1", "h2", "h3")
    misunderstood(openstack_cloud)
    consul_cluster.hosts["h1"] = 4

    process = hostmonitor()

    assert process.wait(timeout=120) == 1
    assert "the process ends to be started anew" in process.log.read_text()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        pytest.param("storage = nonsense:port\n", "is no host:port", id="address"),
        pytest.param("[instance_ha]\nnetworks = sewage\n", "is no network", id="network"),
        pytest.param("[instance_ha_api]\npassword =\n", "lacks password", id="login"),
    ],
)
def test_wrong_options_end_the_process_with_a_sentence(hostmonitor, extra, words):
    process = hostmonitor(extra)

    assert process.wait(timeout=120) == 1
    assert words in process.log.read_text()


@pytest.fixture
def here(tmp_path, consul_cluster, login, store_file):
    """The options of this very process, as masakari-hostmonitor would have read them."""
    path = tmp_path / "instance-ha.conf"
    path.write_text(
        f"{login}\n[instance_ha]\nconnection = sqlite:///{store_file}\nunit = masakari-1\n"
        "networks = storage\ntick = 0.1\nhold = 0.2\n"
        f"[instance_ha_consul]\nstorage = {consul_cluster.servers[0].url}\n"
    )
    options.register(cfg.CONF)
    cfg.CONF(args=[], default_config_files=[str(path)], default_config_dirs=[])
    yield
    cfg.CONF.clear()


class Exited(BaseException):
    """What os._exit would have done."""


def test_two_controllers_share_one_lease(here, consul_cluster, openstack_cloud, eventually):
    openstack_cloud.enrol("h1", "h2", "h3")
    first = driver.InstanceHaDriver()
    cfg.CONF.set_override("unit", "masakari-2", group="instance_ha")
    second = driver.InstanceHaDriver()
    cfg.CONF.clear_override("unit", group="instance_ha")
    running = [threading.Thread(target=one.monitor_hosts) for one in (first, second)]
    consul_cluster.hosts["h1"] = 4
    for one in running:
        one.start()

    eventually(lambda: bool(openstack_cloud.notifications), "a notification")
    first.stop()
    second.stop()
    for one in running:
        one.join(timeout=60)

    assert len(openstack_cloud.notifications) == 1
    assert not any(one.is_alive() for one in running)


def test_a_failed_controller_leaves_by_the_one_way_that_cannot_be_caught(
    here, consul_cluster, openstack_cloud, monkeypatch, caplog
):
    def leave(code):
        raise Exited(code)

    monkeypatch.setattr(driver.os, "_exit", leave)
    openstack_cloud.enrol("h1", "h2", "h3")
    misunderstood(openstack_cloud)
    consul_cluster.hosts["h1"] = 4
    watching = driver.InstanceHaDriver()

    with pytest.raises(Exited, match="1"):
        watching.monitor_hosts()
    watching.stop()

    assert "the process ends to be started anew" in caplog.text


def test_a_driver_that_never_ran_can_be_stopped(here):
    driver.InstanceHaDriver().stop()


def test_a_machine_whose_clock_is_set_makes_no_evidence_older(monkeypatch):
    steady = clock.StoppableClock(threading.Event())
    before_s = steady.now_s()

    monkeypatch.setattr(clock.time, "time", lambda: before_s + 3600.0)

    assert steady.now_s() - before_s < 60.0
