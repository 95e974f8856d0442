# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Masakari's own driver, taskflow and objects run our tasks; only Nova and MAAS are played."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import types

import pytest
from masakari import exception, objects
from masakari.engine.drivers.taskflow import base, host_failure
from masakari.engine.drivers.taskflow.driver import TaskFlowDriver
from masakari.objects import fields
from taskflow import exceptions as taskflow_errors
from taskflow.persistence import backends

from instance_ha import recovery
from instance_ha.errors import FenceError
from instance_ha.model import FenceProof
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing.unfenced import Unfenced
from masakari_instance_ha.nova import Nova
from masakari_instance_ha.tasks.work import CONF

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]

METHODS = ["auto", "reserved_host", "auto_priority", "rh_priority"]
FLOWS = "taskflow_driver_recovery_flows"


@pytest.mark.parametrize("method", METHODS)
def test_a_fenced_recovery_moves_every_server(engine, cloud, power, method: str) -> None:
    servers = [cloud.boot() for _ in range(4)]
    goal = "h2" if method.startswith("auto") else "h3"

    engine.recover(method)

    assert power.ordered == ["h1"]
    assert [(s.host, s.vm_state, s.task_state) for s in servers] == [(goal, "active", None)] * 4
    assert engine.vmoves() == {s.id: ("succeeded", goal) for s in servers}
    assert sorted(uuid for uuid, _ in cloud.orders) == sorted(s.id for s in servers)
    assert engine.is_reserve("h3") is (goal == "h2")
    assert cloud.hosts["h3"].status == ("disabled" if goal == "h2" else "enabled")
    assert cloud.hosts["h1"].forced_down
    assert cloud.hosts["h1"].status == "disabled"


def test_the_timeline_tells_the_recovery_in_order(engine, cloud) -> None:
    cloud.boot()

    engine.recover()

    assert engine.timeline() == ["fence", "proof", "force-down", "evacuate", "active"]
    incident = engine.journal.unclosed()["h1"]
    assert incident.segment == engine.segment.name
    assert [proof.answer for proof in engine.journal.proofs(incident)] == ["off"]
    assert engine.journal.last_beat_s(engine.notification) is not None


def test_an_operators_choice_is_not_told_as_a_proof(engine, cloud, power, monkeypatch) -> None:
    chosen = Unfenced(clock=SystemClock(), by="engine@test")
    monkeypatch.setattr(power, "fence", chosen.fence)

    engine.recover()

    events = engine.journal.events(engine.journal.unclosed()["h1"])
    told = [event.text for event in events if event.kind == "proof"]
    assert told == ["unfenced by choice: nobody was asked"]


def test_the_proof_survives_in_taskflows_own_store_as_json(engine, cloud) -> None:
    engine.recover()

    backend = backends.fetch(CONF.taskflow.connection)
    with contextlib.closing(backend.get_connection()) as connection:
        results = [
            atom.results
            for flow in connection.get_flows_for_book(engine.notification)
            for atom in connection.get_atoms_for_flow(flow.uuid)
            if atom.name == "FenceHostTask"
        ]
    known = {field.name for field in dataclasses.fields(FenceProof)}
    assert [set(result) for result in results] == [known]


@pytest.mark.parametrize("method", METHODS)
def test_a_flow_without_the_fence_task_is_refused_by_taskflow(
    engine, cloud, power, option, method: str
) -> None:
    server = cloud.boot()
    for name, flow in (("auto", "auto"), ("rh", "rh")):
        tasks = recovery.task_flows()[flow]
        tasks["pre"].remove("fence_host_task")
        option(FLOWS, **{f"host_{name}_failure_recovery_tasks": tasks})

    with pytest.raises(exception.MasakariException):
        engine.recover(method, driver=TaskFlowDriver)

    assert (server.host, cloud.orders, power.ordered) == ("h1", [], [])
    assert not cloud.hosts["h1"].forced_down, "nothing after the fence ran"


@pytest.mark.parametrize("flow", ["auto", "rh"])
def test_taskflow_names_the_missing_proof(engine, cloud, option, flow: str) -> None:
    tasks = recovery.task_flows()[flow]
    tasks["pre"].remove("fence_host_task")
    option(FLOWS, **{f"host_{flow}_failure_recovery_tasks": tasks})
    what = {"host_name": "h1", "notification_uuid": engine.notification}
    if flow == "auto":
        made = host_failure.get_auto_flow(engine.context, None, what)
    else:
        what["reserved_host_list"] = ["h3"]
        made = host_failure.get_rh_flow(engine.context, None, what, update_host_method=None)

    with pytest.raises(taskflow_errors.MissingDependencies, match="fence_proof"):
        made.run()


@pytest.mark.parametrize("method", METHODS)
def test_without_a_proof_nothing_is_touched(engine, cloud, power, method: str) -> None:
    server = cloud.boot()
    power.failures = [FenceError("h1", "the BMC is away", hint="Look at it") for _ in range(2)]

    with pytest.raises(exception.HostRecoveryFailureException, match=r"the BMC is away\. Look at"):
        engine.recover(method)

    assert (server.host, cloud.orders) == ("h1", [])
    assert not cloud.hosts["h1"].forced_down
    assert engine.is_reserve("h3")
    assert cloud.hosts["h3"].status == "disabled"


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param({"host": "h2"}, id="of another host"),
        pytest.param({"answer": "on"}, id="host is on"),
        pytest.param({"answer": "unknown"}, id="nobody knows"),
        pytest.param({"method": "hope"}, id="unknown method"),
        pytest.param({"method": "none"}, id="not by choice"),
        pytest.param({"shoe": "size"}, id="not a proof"),
    ],
)
def test_a_wrong_proof_moves_nothing(engine, cloud, power, proof: dict[str, str]) -> None:
    server = cloud.boot()
    good = dataclasses.asdict(power.fence("h1"))
    task = next(
        base.get_recovery_flow(
            ["fenced_evacuate_instances_task"],
            context=engine.context, novaclient=None, update_host_method=None,
        )
    )  # fmt: skip
    cloud.hosts["h1"].forced_down = True

    with pytest.raises(exception.HostRecoveryFailureException, match="h1 is not fenced"):
        task.execute("h1", engine.notification, good | proof)
    assert (server.host, cloud.orders) == ("h1", [])


def test_a_host_without_servers_is_finished_and_takes_no_reserve(engine, cloud) -> None:
    engine.recover("reserved_host")

    assert engine.vmoves() == {}
    assert engine.is_reserve("h3")
    assert cloud.hosts["h3"].status == "disabled"


def test_a_failed_recovery_names_its_servers_and_the_next_try_can_finish(engine, cloud) -> None:
    good, bad = cloud.boot(), cloud.boot()
    cloud.no_valid_host[bad.id] = 3

    with pytest.raises(exception.HostRecoveryFailureException) as caught:
        engine.recover()
    assert bad.id in caught.value.message
    assert good.id not in caught.value.message
    assert "No valid host was found." in caught.value.message
    assert engine.vmoves() == {good.id: ("succeeded", "h2"), bad.id: ("failed", None)}

    engine.recover()  # what Masakari's periodic task does with a notification in error

    assert engine.vmoves() == {good.id: ("succeeded", "h2"), bad.id: ("succeeded", "h2")}
    assert (bad.host, bad.vm_state) == ("h2", "active"), "not left in the error of the first try"
    assert [uuid for uuid, _ in cloud.orders].count(good.id) == 1


def test_the_reserve_takes_over_where_the_scheduler_finds_no_host(engine, cloud) -> None:
    server = cloud.boot()
    cloud.no_valid_host[server.id] = 3

    engine.recover("auto_priority")

    assert (server.host, server.vm_state) == ("h3", "active")
    assert engine.vmoves() == {server.id: ("succeeded", "h3")}
    assert cloud.stopped == []
    assert not engine.is_reserve("h3")


def test_a_reserve_that_took_nothing_stays_one_and_the_next_is_used(engine, cloud) -> None:
    server = cloud.boot()
    spare = objects.Host.get_by_name(engine.context, "h2")
    spare.reserved = True
    spare.save()
    cloud.no_valid_host[server.id] = 3

    engine.recover("reserved_host", reserves=("h3", "h2"))

    assert server.host == "h2"
    assert (engine.is_reserve("h3"), engine.is_reserve("h2")) == (True, False)
    assert cloud.hosts["h3"].status == "disabled"


def test_a_reserve_that_another_recovery_uses_is_passed_over(engine, cloud) -> None:
    server = cloud.boot()
    other = engine.journal.lease("reserve:h3", holder="h9")
    assert other.take(ttl_s=60)
    try:
        with pytest.raises(exception.HostRecoveryFailureException, match="next reserve"):
            engine.recover("reserved_host")
    finally:
        other.give_up()
    assert (server.host, cloud.hosts["h3"].status) == ("h1", "disabled")


def test_the_reserve_joins_the_aggregates_if_asked_to(engine, cloud, option) -> None:
    cloud.boot()
    option("host_failure", add_reserved_host_to_aggregate=True)
    cloud.aggregates = [
        types.SimpleNamespace(id=1, hosts=["h1", "h2"]),
        types.SimpleNamespace(id=2, hosts=["h1", "h3"]),
        types.SimpleNamespace(id=3, hosts=["h2"]),
    ]

    engine.recover("reserved_host")

    assert [a.hosts for a in cloud.aggregates] == [["h1", "h2", "h3"], ["h1", "h3"], ["h2"]]


def test_only_marked_servers_move_if_the_operator_wants_so(engine, cloud, option) -> None:
    option("host_failure", evacuate_all_instances=False)
    plain, marked = cloud.boot(), cloud.boot(metadata={"HA_Enabled": "True"})

    engine.recover()

    assert (plain.host, marked.host) == ("h1", "h2")
    assert set(engine.vmoves()) == {marked.id}


def test_marked_servers_go_first(engine, cloud, option) -> None:
    option(None, host_failure_recovery_threads=1)
    plain, marked = cloud.boot(), cloud.boot(metadata={"HA_Enabled": "1"})

    engine.recover()

    assert [uuid for uuid, _ in cloud.orders] == [marked.id, plain.id]


def test_servers_in_error_stay_if_the_operator_wants_so(engine, cloud, option) -> None:
    option("host_failure", ignore_instances_in_error_state=True)
    broken, well = cloud.boot(vm_state="error"), cloud.boot()
    cloud.no_valid_host[well.id] = 3

    with pytest.raises(exception.HostRecoveryFailureException):
        engine.recover()
    engine.recover()

    assert broken.host == "h1"
    assert (well.host, well.vm_state) == ("h2", "active"), "its error came of our own first try"


def test_what_a_killed_engine_left_unfinished_is_taken_up(engine, cloud) -> None:
    moving, waiting = cloud.boot(), cloud.boot()
    cloud.hosts["h1"].forced_down = True
    for server, status in ((moving, "ongoing"), (waiting, "pending")):
        vmove = objects.VMove(context=engine.context)
        vmove.instance_uuid, vmove.instance_name = server.id, server.id
        vmove.notification_uuid, vmove.source_host = engine.notification, "h1"
        vmove.status, vmove.type = status, fields.VMoveType.EVACUATION
        vmove.create()
    cloud.evacuate(moving.id)

    engine.recover()

    assert set(engine.vmoves().values()) == {("succeeded", "h2")}
    assert sorted(uuid for uuid, _ in cloud.orders) == sorted([moving.id, waiting.id])


def test_two_engines_that_take_up_a_failed_notification_order_each_server_once(
    engine, cloud, power
) -> None:
    if CONF.database.connection.startswith("sqlite"):
        pytest.skip("masakari's own tables do not stand two writers in SQLite")
    servers = [cloud.boot() for _ in range(3)]
    power.failures = [FenceError("h1", "the BMC is away", hint="Look at it")]
    with pytest.raises(exception.HostRecoveryFailureException):
        engine.recover()
    errors: list[Exception] = []

    def recover() -> None:
        try:
            engine.recover()
        except exception.MasakariException as error:
            errors.append(error)

    both = [threading.Thread(target=recover) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert errors == []
    assert sorted(uuid for uuid, _ in cloud.orders) == sorted(s.id for s in servers)
    assert set(engine.vmoves().values()) == {("succeeded", "h2")}


def test_power_that_comes_back_is_fenced_again(engine, cloud, power, option) -> None:
    option("instance_ha_recovery", guard_interval=1.0)
    cloud.boot()
    evacuate, fence = cloud.evacuate, power.fence

    def evacuate_while_power_returns(uuid: str, host: str | None = None) -> None:
        power.power, cloud.rebuild_s = "on", math.inf
        evacuate(uuid, host=host)

    def fence_and_let_rebuild(host: str) -> FenceProof:
        cloud.rebuild_s = 0.05
        return fence(host)

    power.fence = fence_and_let_rebuild
    cloud.evacuate = evacuate_while_power_returns

    engine.recover()

    assert power.ordered == ["h1", "h1"]
    assert engine.timeline().count("proof") == 2


def test_all_tasks_share_one_login(engine, cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = []
    real = Nova.__init__

    def remember(self, context) -> None:
        real(self, context)
        sessions.append(self.session.number)

    monkeypatch.setattr(Nova, "__init__", remember)
    cloud.boot()

    engine.recover()

    assert len(sessions) >= 4
    assert len(set(sessions)) == 1


def test_an_engine_without_a_store_says_so(engine, cloud) -> None:
    url = CONF.database.connection
    CONF.set_override("connection", None, group="database")
    try:
        with pytest.raises(exception.HostRecoveryFailureException, match="check --store"):
            engine.recover()
    finally:
        CONF.set_override("connection", url, group="database")
