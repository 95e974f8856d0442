# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""What is asked of Juju, and what is said of what Juju refuses."""

import jubilant
import pytest
from fakes import Clock
from instance_recovery.errors import ActionFailedError, ApplicationMissingError, CloudError
from instance_recovery.models import Models
from instance_recovery.ports import CharmFile, Model
from jubilant.statustypes import StatusInfo
from sunbeam_cloud import FakeJuju

BLOCKED = StatusInfo(current="blocked", message="integrate with hacluster-shim:fencing")


@pytest.fixture
def models(cloud, clock) -> Models:
    return Models(open_model=lambda model: FakeJuju(cloud, model.value), clock=clock)


def wait(models: Models, *names: str) -> list[str]:
    told: list[str] = []
    models.wait_active(Model.CONTROL, names, within_s=60, tell=told.append)
    return told


def test_a_secret_is_written_again_only_if_it_changed(models, cloud):
    first = models.ensure_secret("key", {"api-key": "one"})
    assert models.ensure_secret("key", {"api-key": "one"}) == first
    assert cloud.verbs.count("ensure_secret") == 1
    assert models.ensure_secret("key", {"api-key": "two"}) == first
    assert models.secret("key") == {"api-key": "two"}


def test_what_is_not_there_is_removed_at_once(models, cloud):
    models.remove_secret("key")
    models.remove(Model.CONTROL, ["masakari"])
    models.disconnect(Model.MACHINES, ["consul-storage-cluster"])
    assert set(cloud.verbs) <= {"status"}


def test_only_the_named_offers_are_let_go(models, cloud):
    cloud.consumed[Model.MACHINES] = {"consul-storage-cluster", "keystone-credentials"}
    models.disconnect(Model.MACHINES, ["consul-storage-cluster", "consul-tenant-cluster"])
    assert cloud.consumed[Model.MACHINES] == {"keystone-credentials"}


def test_a_charm_file_is_deployed_and_then_refreshed(models, cloud, tmp_path):
    said = {"application": "masakari", "model": Model.CONTROL, "units": 3}
    models.deploy_file(CharmFile(**said, path=tmp_path / "a.charm", config={"region": "one"}))
    models.deploy_file(CharmFile(**said, path=tmp_path / "b.charm", config={"region": "two"}))
    assert cloud.applications[Model.CONTROL]["masakari"].endswith("b.charm")
    assert cloud.config["masakari"] == {"region": "two"}


def test_a_control_plane_that_grew_gets_as_many_units(models, cloud, tmp_path):
    said = {"application": "masakari", "model": Model.CONTROL, "path": tmp_path / "a.charm"}
    models.deploy_file(CharmFile(**said, units=1))
    models.deploy_file(CharmFile(**said, units=3))
    assert cloud.scales == {"masakari": 3}


def test_waiting_tells_who_is_not_ready_and_what_it_says(models, cloud, clock):
    cloud.applications[Model.CONTROL] = {"masakari": "", "consul-storage": ""}
    cloud.unrest["masakari"] = BLOCKED
    with pytest.raises(CloudError) as refused:
        wait(models, "masakari", "consul-storage", "consul-tenant")
    assert str(refused.value) == (
        "not active in model openstack: masakari is blocked: integrate with "
        "hacluster-shim:fencing; consul-tenant is not there yet. "
        "Look at: juju status -m openstack"
    )
    assert clock.seconds >= 60


def test_waiting_ends_as_soon_as_all_are_active(models, cloud, clock):
    cloud.applications[Model.CONTROL] = {"masakari": ""}
    assert wait(models, "masakari") == []
    assert clock.seconds == 0


class Away(Clock):
    """Time in which the controller comes back after a while."""

    def __init__(self, cloud) -> None:
        super().__init__()
        self.cloud = cloud

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.cloud.fail_at = None


def test_a_controller_that_is_away_for_a_moment_is_waited_for(cloud):
    clock = Away(cloud)
    models = Models(open_model=lambda model: FakeJuju(cloud, model.value), clock=clock)
    cloud.applications[Model.CONTROL] = {"masakari": ""}
    cloud.fail_at = "status"
    assert wait(models, "masakari") == ["1 left, first: Juju does not answer: cut off"]


def test_what_stays_though_removed_is_named(models, cloud, monkeypatch):
    cloud.applications[Model.CONTROL] = {"masakari": ""}
    monkeypatch.setattr(cloud, "remove", lambda model, names: None)
    with pytest.raises(CloudError, match="masakari in model openstack: still there"):
        models.remove(Model.CONTROL, ["masakari"])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(TimeoutError("timed out waiting"), "timed out waiting", id="time-out"),
        pytest.param(ValueError("no such action"), "no such action", id="action unknown"),
        pytest.param(
            jubilant.CLIError(1, ["juju"], "", "ERROR connection is shut down\n"),
            "connection is shut down",
            id="connection lost",
        ),
    ],
)
def test_an_action_that_juju_cannot_run_is_a_sentence(models, cloud, error, sentence):
    cloud.applications[Model.CONTROL] = {"masakari": ""}
    cloud.break_action = error
    with pytest.raises(CloudError, match=f"^masakari/leader check: {sentence}. Look at: juju "):
        models.run("masakari", Model.CONTROL, "check", {})


def test_what_a_charm_answers_though_it_refuses_is_kept(models, cloud):
    cloud.applications[Model.MACHINES] = {"hacluster-shim": ""}
    cloud.fences["h2.maas"] = "failed"
    with pytest.raises(ActionFailedError, match="cannot be fenced") as refused:
        models.run("hacluster-shim", Model.MACHINES, "test-fencing", {})
    assert "h2.maas" in refused.value.results["hypervisors"]


def test_an_application_that_is_not_there_is_a_sentence(models):
    with pytest.raises(ApplicationMissingError, match="sunbeam enable instance-recovery"):
        models.run("masakari", Model.CONTROL, "check", {})
    with pytest.raises(ApplicationMissingError, match="no unit on machine 9"):
        models.run_at("masakari-monitors", "9", "run-instance-drill", {})


def test_juju_that_says_nothing_is_told_by_its_end(models, cloud):
    cloud.break_action = jubilant.CLIError(2, ["juju"], "", "")
    cloud.applications[Model.CONTROL] = {"masakari": ""}
    with pytest.raises(CloudError, match="it ended with 2"):
        models.run("masakari", Model.CONTROL, "check", {})
