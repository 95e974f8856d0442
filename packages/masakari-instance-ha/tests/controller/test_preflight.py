# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json

import masakari.conf
import pytest
from oslo_config import cfg
from stevedore import extension

from instance_ha import recovery
from masakari_instance_ha import flows as host_flows
from masakari_instance_ha import options, preflight, store

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")

FLOWS = """
[DEFAULT]
notification_driver = instance_ha
[taskflow]
connection = sqlite:////nowhere/flows.sqlite
[taskflow_driver_recovery_flows]
host_auto_failure_recovery_tasks = {auto}
host_rh_failure_recovery_tasks = {rh}
"""


def lists(flow, **changes):
    phases = {**recovery.task_flows()[flow], **changes}
    return ",".join(f"{phase}:{tasks!r}" for phase, tasks in phases.items()).replace(" ", "")


@pytest.fixture(autouse=True)
def plugin(installed, monkeypatch):
    """The package is installed in this very process; Masakari's options are as they were."""
    monkeypatch.syspath_prepend(installed["PYTHONPATH"].split(":")[0])
    monkeypatch.setattr(extension.ExtensionManager, "ENTRY_POINT_CACHE", {})
    yield
    masakari.conf.CONF.clear()


@pytest.fixture
def look(tmp_path):
    """Run the preflight and return what failed."""

    def run(ours="", *, flows=None, ask_store=False):
        path = tmp_path / "instance-ha.conf"
        path.write_text(ours or "[instance_ha_fencing]\nmode = none\n")
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf(args=[], default_config_files=[str(path)])
        theirs = None
        if flows is not None:
            theirs = tmp_path / "masakari.conf"
            theirs.write_text(flows)
        checks = preflight.run(conf, files=[path], masakari_config=theirs, ask_store=ask_store)
        return {check.name: check.problem for check in checks if check.problem}

    return run


def good_flows(**changes):
    return FLOWS.format(**{"auto": lists("auto"), "rh": lists("rh"), **changes})


def test_all_is_well_as_the_charm_renders_it(look):
    assert look(flows=good_flows()) == {}


def test_an_operators_own_task_may_stand_between_ours(look):
    auto = lists("auto", main=["no_op", recovery.TASKS["prepare"]])

    assert look(flows=good_flows(auto=auto)) == {}


def test_masakaris_defaults_are_refused(look):
    problems = look(flows="[DEFAULT]\n")

    assert "evacuates unfenced" in problems["flow auto"]
    assert "evacuates unfenced" in problems["flow rh"]


@pytest.mark.parametrize("flow", ["auto", "rh"])
def test_a_flow_without_the_fence_is_refused(look, flow):
    pre = [task for task in recovery.task_flows()[flow]["pre"] if task != "fence_host_task"]

    problems = look(flows=good_flows(**{flow: lists(flow, pre=pre)}))

    assert list(problems) == [f"flow {flow}"]
    assert "fence_host_task" in problems[f"flow {flow}"]


def test_the_order_counts(look):
    pre = list(reversed(recovery.task_flows()["auto"]["pre"]))

    assert "in this order" in look(flows=good_flows(auto=lists("auto", pre=pre)))["flow auto"]


def test_a_task_that_masakari_would_drop_silently_is_found(look):
    main = [*recovery.task_flows()["auto"]["main"], "their_tsak"]

    problems = look(flows=good_flows(auto=lists("auto", main=main)))

    assert "their_tsak: no package has an entry point" in problems["flow auto"]


def test_a_list_that_is_none_is_said(look):
    problems = look(flows=good_flows(auto="pre:oops"))

    assert problems["flow auto"]


def test_a_masakari_conf_that_is_broken_is_said(look):
    assert "cannot be read" in look(flows="no section\n")["flow auto"]


def test_taskflow_itself_refuses_a_flow_whose_proof_nobody_provides(look, monkeypatch):
    """Even if the lists were not judged at all."""
    monkeypatch.setattr(host_flows, "problem", lambda *_: "")
    pre = ["disable_compute_service_task"]

    problems = look(flows=good_flows(auto=lists("auto", pre=pre)))

    assert "fence_proof" in problems["flow auto"]


def test_a_task_that_is_not_installed_is_named(look, monkeypatch):
    monkeypatch.setitem(recovery.TASKS, "fence", "fence_hots_task")

    problems = look()

    assert "no package has an entry point" in problems["task fence_hots_task"]
    assert "do not both load" in problems["proof is demanded"]


def test_a_task_that_does_not_load_says_why(look, monkeypatch, tmp_path):
    broken = tmp_path / "site" / "broken-1.dist-info"
    broken.mkdir(parents=True)
    (broken / "METADATA").write_text("Name: broken\nVersion: 1\n")
    (broken / "entry_points.txt").write_text(
        "[masakari.task_flow.tasks]\nbroken_task = no_such_module:Task\n"
    )
    monkeypatch.syspath_prepend(str(broken.parent))
    monkeypatch.setitem(recovery.TASKS, "prepare", "broken_task")

    assert "No module named 'no_such_module'" in look()["task broken_task"]


@pytest.mark.parametrize(
    ("ours", "check", "words"),
    [
        pytest.param("", "fencing", "mode is not set", id="no-mode"),
        pytest.param("mode = maas\n", "fencing", "lacks maas_url", id="half"),
        pytest.param("mode = none\n[instance_ha]\ntick = x\n", "options", "tick", id="figure"),
        pytest.param(
            "mode = none\n[instance_ha]\nlease_ttl = 3\ntick = 2\n", "options", "lease", id="pair"
        ),
        pytest.param(
            "mode = none\n[instance_ha_consul]\nstorage = a:b\n", "options", "host:port", id="addr"
        ),
        pytest.param(
            "mode = none\n[instance_ha]\nmatrix_file = /nowhere\n",
            "options",
            "matrix",
            id="matrix",
        ),
    ],
)
def test_wrong_options_are_said(look, ours, check, words):
    problems = look(f"[instance_ha_fencing]\n{ours}")

    assert list(problems) == [check]
    assert words in problems[check]


def test_the_engines_file_declares_no_network_and_needs_none(look):
    assert look("[instance_ha_fencing]\nmode = none\n[instance_ha]\nnetworks =\n") == {}


@pytest.fixture
def maas_files(tmp_path):
    key, targets = tmp_path / "key", tmp_path / "targets.json"
    key.write_text("consumer:token:s3cr3t\n")
    key.chmod(0o640)
    targets.write_text(json.dumps({"h1": {"system_id": "a"}}))
    ours = (
        "[instance_ha_fencing]\nmode = maas\nmaas_url = http://maas:5240/MAAS\n"
        f"maas_credentials_file = {key}\ntargets_file = {targets}\n"
    )
    return key, targets, ours


def test_the_fencers_files_are_read(look, maas_files):
    assert look(maas_files[2]) == {}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda key, _: key.unlink(), "cannot be read", id="no-key"),
        pytest.param(
            lambda key, _: key.write_text("one:s3cr3t"), "consumer:token:secret", id="key"
        ),
        pytest.param(lambda key, _: key.chmod(0o644), "read by everybody", id="open-key"),
        pytest.param(lambda _, targets: targets.unlink(), "targets cannot be read", id="no-list"),
        pytest.param(lambda _, targets: targets.write_text("{"), "targets cannot", id="half-list"),
    ],
)
def test_a_fencer_that_could_not_work_is_said_without_its_secret(look, maas_files, spoil, words):
    key, targets, ours = maas_files
    spoil(key, targets)

    problems = look(ours)

    assert words in problems["fencing"]
    assert "s3cr3t" not in problems["fencing"]


def test_the_store_is_asked_where_wanted(look, tmp_path):
    url = f"sqlite:///{tmp_path}/store.sqlite"
    ours = f"[instance_ha_fencing]\nmode = none\n[instance_ha]\nconnection = {url}\n"
    assert "no such table" in look(ours, ask_store=True)["store"]

    store.migrate(url)

    assert look(ours, ask_store=True) == {}


def test_no_store_at_all_is_said(look):
    assert "connection is not set" in look(ask_store=True)["store"]


def test_another_notification_driver_would_run_any_flow(look):
    flows = good_flows().replace("instance_ha", "taskflow_driver", 1)

    problems = look(flows=flows)

    assert list(problems) == ["notification driver"]
    assert "runs any flow" in problems["notification driver"]
