# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json
import pathlib

import fakes
import pytest
from instance_recovery import procedure
from instance_recovery.disabling import Disabling
from instance_recovery.enabling import Enabling, Secrets
from instance_recovery.errors import RecoveryUnderWayError, StepError
from instance_recovery.networks import Network
from instance_recovery.ports import Model
from instance_recovery.settings import Fencing

COMMAND = "sunbeam enable instance-recovery"
KEY = "consumer:token:highly-secret"


def enabling(cloud, clock, *, within_s=60.0, key=KEY, **changes) -> Enabling:
    return Enabling(
        cloud=cloud,
        clock=clock,
        wanted=fakes.wanted(**changes),
        secrets=Secrets(maas_key=key),
        within_s=within_s,
    )


@pytest.fixture
def enable(cloud, clock, show):
    def run(**changes):
        steps = enabling(cloud, clock, **changes).steps()
        procedure.carry_out(steps, show=show, command=COMMAND)

    return run


@pytest.fixture
def disable(cloud, show):
    def run(**changes):
        work = Disabling(cloud=cloud, **changes)
        work.require_idle()
        procedure.carry_out(work.steps(), show=show, command="sunbeam disable instance-recovery")

    return run


def charms(folder: pathlib.Path) -> pathlib.Path:
    for name in ("masakari-k8s", "masakari-monitors", "hacluster-shim"):
        (folder / f"{name}_amd64.charm").touch()
    return folder


def state(cloud) -> str:
    facts = (cloud.secrets, sorted(cloud.grants), cloud.variables, cloud.config)
    names = {model.value: sorted(found) for model, found in cloud.applications.items()}
    return json.dumps([facts, names, cloud.shared], sort_keys=True)


def test_everything_is_there_in_the_end(cloud, enable):
    enable()

    assert {"masakari", "consul-management", "consul-tenant", "consul-storage"} < set(
        cloud.applications[Model.CONTROL]
    )
    assert {"masakari-monitors", "hacluster-shim", "consul-client-storage"} < set(
        cloud.applications[Model.MACHINES]
    )
    assert cloud.grants == {("instance-recovery-maas", "hacluster-shim")}
    assert cloud.variables["shim-config"] == {
        "maas-url": "http://maas:5240/MAAS",
        "maas-credentials": "secret:id-instance-recovery-maas",
    }


def test_progress_numbers_every_step(show, enable):
    enable()
    numbered = [line for line in show.lines if line.startswith("[")]
    assert numbered[0] == "[1/8] keep the manifest"
    assert numbered[-1] == "[8/8] see that every hypervisor is protected"


@pytest.mark.parametrize("from_files", [False, True], ids=["published", "from files"])
@pytest.mark.parametrize("fencing", [Fencing.MAAS, Fencing.BMC])
def test_credentials_are_in_juju_secrets_and_nowhere_else(
    cloud, clock, show, tmp_path, fencing, from_files
):
    bmcs = "h1: [{password: highly-secret}]"
    charm_dir = charms(tmp_path) if from_files else None
    work = enabling(cloud, clock, fencing=fencing, charm_dir=charm_dir)
    work.secrets = Secrets(maas_key=KEY, bmcs=bmcs)

    procedure.carry_out(work.steps(), show=show, command=COMMAND)

    assert cloud.secrets == {
        "instance-recovery-maas": {"api-key": KEY},
        "instance-recovery-bmcs": {"bmcs": bmcs},
    }
    elsewhere = json.dumps([cloud.variables, cloud.config, show.lines, cloud.verbs])
    assert "highly-secret" not in elsewhere
    assert "highly-secret" not in repr(work.secrets)


VERBS = [
    "keep_manifest",
    "ensure_secret",
    "deploy_file",
    "apply",
    "grant_secret",
    "share_addresses",
    "wait_active",
    "check",
    "list-segments",
    "test-fencing",
]


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("verb", VERBS)
def test_interrupted_anywhere_the_same_command_goes_on(
    cloud, clock, show, enable, tmp_path, verb, late
):
    folder = charms(tmp_path)
    undisturbed = fakes.FakeCloud()
    steps = enabling(undisturbed, clock, charm_dir=folder).steps()
    procedure.carry_out(steps, show=show, command=COMMAND)
    cloud.fail_at, cloud.fail_after = verb, late

    with pytest.raises(StepError) as stopped:
        enable(charm_dir=folder)
    enable(charm_dir=folder)

    assert state(cloud) == state(undisturbed), "a second run converges"
    told = str(stopped.value)
    assert "stopped at step" in told
    assert "the connection broke" in told
    assert told.endswith(f"Then go on with: {COMMAND}")


def test_a_second_run_changes_nothing(cloud, enable):
    enable()
    before = state(cloud)
    enable(key=None)
    assert state(cloud) == before


def test_without_fencing_nobody_fences(cloud, enable):
    cloud.fences = {}
    enable(fencing=Fencing.NONE)
    assert "hacluster-shim" not in cloud.applications[Model.MACHINES]
    assert cloud.variables["masakari-config"]["fencing-mode"] == "none"
    assert cloud.secrets == {}


def test_fencing_without_credentials_says_what_to_give(enable):
    with pytest.raises(StepError, match="Give --maas-key-file or --bmcs-file"):
        enable(key=None)


def test_controllers_of_hypervisors_are_a_secret_too(cloud, clock, show):
    work = enabling(cloud, clock, fencing=Fencing.BMC, key=None)
    work.secrets = Secrets(bmcs="h1: []")
    procedure.carry_out(work.steps(), show=show, command=COMMAND)
    assert cloud.secrets == {"instance-recovery-bmcs": {"bmcs": "h1: []"}}
    assert cloud.variables["shim-config"] == {
        "bmc-credentials": "secret:id-instance-recovery-bmcs"
    }


def test_charms_from_files_are_deployed_and_only_related_by_the_plan(cloud, enable, tmp_path):
    enable(charm_dir=charms(tmp_path))
    assert cloud.variables["from-files"] is True
    assert cloud.applications[Model.MACHINES]["hacluster-shim"].endswith(".charm")
    assert cloud.config["masakari"]["region"] == "RegionOne"


def test_one_network_has_one_consul(cloud, enable):
    enable(networks=(Network.MANAGEMENT,))
    assert "consul-storage" not in cloud.applications[Model.CONTROL]
    assert list(cloud.variables["agent-config-map"]) == ["consul-client-management"]


def test_a_cloud_with_a_database_for_each_service_gets_one_more(cloud, enable):
    place = dataclasses.replace(fakes.wanted().place, own_mysql=True)
    enable(place=place)
    assert "masakari-mysql" in cloud.applications[Model.CONTROL]


def test_ready_is_waited_for(cloud, clock, show):
    cloud.hosts = {}
    work = enabling(cloud, clock, within_s=100)
    real = clock.sleep

    def join(seconds):
        real(seconds)
        cloud.hosts = {"segment": {"h1.maas": True, "h2.maas": True}}

    clock.sleep = join
    procedure.carry_out(work.steps(), show=show, command=COMMAND)
    assert any("h1 is in no segment yet" in line for line in show.lines)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"hosts": {}}, "h1 is in no segment yet", id="not enrolled"),
        pytest.param(
            {"fences": {"h1.maas": "failed", "h2.maas": "ok"}},
            "h1.maas: cannot be fenced",
            id="no fence",
        ),
        pytest.param(
            {"fences": {"h1.maas": "ok"}}, "h2: hacluster-shim does not know it", id="unknown"
        ),
        pytest.param(
            {"hosts": {"s": {"h1.maas": True, "h2.maas": False}}},
            "h2.maas: it has no fence",
            id="unprotected",
        ),
    ],
)
def test_not_ready_in_time_names_who_and_why(cloud, clock, enable, change, reason):
    for name, value in change.items():
        setattr(cloud, name, value)
    with pytest.raises(StepError, match=reason):
        enable()
    assert clock.seconds >= 60


def test_disable_leaves_nothing_behind(cloud, enable, disable, tmp_path):
    enable(charm_dir=charms(tmp_path))
    disable()
    assert cloud.applications == {Model.CONTROL: {}, Model.MACHINES: {}}
    assert cloud.secrets == {}
    assert cloud.variables is None
    assert cloud.consumed[Model.CONTROL] == set()
    assert cloud.consumed[Model.MACHINES] == {"keystone-credentials"}, "the hypervisors' own stays"


def test_disable_rests_recovery_for_a_limited_time(cloud, enable, disable):
    enable()
    disable()
    assert cloud.pauses[0]["duration"] == "1h", "a later enable must not find it paused for ever"
    assert cloud.verbs.index("pause-recovery") < cloud.verbs.index("disconnect")


def test_segments_stay_unless_asked(cloud, enable, disable):
    enable()
    disable()
    assert list(cloud.hosts) == ["segment"]


def test_segments_go_when_asked(cloud, enable, disable):
    enable()
    disable(remove_segments=True)
    assert cloud.hosts == {}


def test_disable_is_refused_while_a_recovery_runs(cloud, enable, disable):
    enable()
    cloud.incidents = [
        {"host": "h1.maas", "state": "recovering"},
        {"host": "h2.maas", "state": "closed"},
    ]
    with pytest.raises(RecoveryUnderWayError, match=r"^h1\.maas: still being recovered.*--force$"):
        disable()
    assert "masakari" in cloud.applications[Model.CONTROL]


def test_disable_can_be_forced(cloud, enable, disable):
    enable()
    cloud.incidents = [{"host": "h1.maas", "state": "recovering"}]
    cloud.broken_actions = {"pause-recovery"}
    disable(force=True)
    assert cloud.applications == {Model.CONTROL: {}, Model.MACHINES: {}}


def test_a_masakari_that_cannot_rest_stops_disable(cloud, enable, disable):
    enable()
    cloud.broken_actions = {"pause-recovery"}
    with pytest.raises(StepError, match="the charm is unwell"):
        disable()


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "verb",
    ["pause-recovery", "delete-segment", "disconnect", "destroy", "remove", "remove_secret"],
)
def test_disable_goes_on_where_it_stopped(cloud, enable, disable, tmp_path, verb, late):
    enable(charm_dir=charms(tmp_path))
    cloud.fail_at, cloud.fail_after = verb, late
    with pytest.raises(StepError):
        disable(remove_segments=True)
    disable(remove_segments=True)
    assert cloud.applications == {Model.CONTROL: {}, Model.MACHINES: {}}
    assert cloud.secrets == {}
