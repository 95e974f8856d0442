# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""The commands, from words that are typed to what Juju, Terraform and the database are told."""

import json
import pathlib
import types

import pytest
import sunbeam_cloud
import yaml
from fakes import SPACES, machine
from harness import (
    MANAGER,
    SERVICE,
    STATE,
    TERRAFORM,
    VARIABLES,
    OnTestCloud,
    feature,
)
from instance_recovery.networks import Network
from instance_recovery.ports import Model
from jubilant.statustypes import StatusInfo


def manifest(folder: pathlib.Path, said: object) -> str:
    path = folder / "manifest.yaml"
    path.write_text(said if isinstance(said, str) else yaml.safe_dump(said))
    return str(path)


def of_feature(config: dict, **charms: dict) -> dict:
    return {"features": {"instance-recovery": {"config": config, "software": {"charms": charms}}}}


def test_sunbeam_loads_this_feature_and_not_its_own():
    assert "masakari-monitors" in feature().default_software_overrides().charms


def test_enable_brings_everything_about(sunbeam, cloud):
    done = sunbeam.enable()
    assert done.exit_code == 0, done.output
    assert "2 hypervisors, fencing: maas" in done.output
    assert "watched: management, tenant, storage" in done.output
    assert "[9/9] see that every hypervisor is protected" in done.output
    assert done.output.endswith("instance-recovery is ready: every hypervisor is protected\n")
    assert {"masakari", "consul-storage"} < set(cloud.applications[Model.CONTROL])
    assert {"masakari-monitors", "hacluster-shim"} < set(cloud.applications[Model.MACHINES])
    assert sunbeam.stored(STATE)["enabled"] == "true"


def test_the_plan_gets_what_the_cloud_is(sunbeam, cloud):
    sunbeam.enable()
    assert cloud.variables["control-model-uuid"] == "uuid-openstack"
    assert cloud.variables["units"] == 3
    assert cloud.variables["region"] == "RegionOne"
    assert cloud.variables["keystone-offer-url"] == "admin/openstack.keystone-credentials"
    assert sunbeam.stored(VARIABLES)["networks"] == ["management", "tenant", "storage"]


def test_the_key_of_sunbeam_is_in_a_juju_secret_and_nowhere_else(sunbeam, cloud, tmp_path):
    done = sunbeam.enable()
    assert cloud.secrets["instance-recovery-maas"] == {"api-key": sunbeam_cloud.TOKEN}
    written = [
        path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()
    ]
    seen = "".join([done.output, json.dumps(sunbeam.database.config), *written])
    assert "with-this" not in seen


def test_consul_gets_an_address_on_the_storage_network_where_maas_knows_some(sunbeam, cloud):
    assert "cloud-storage-ippool" in sunbeam.enable().output
    assert cloud.verbs.count("_SharedPool") == cloud.verbs.count("_SharedAddress") == 1


def test_terraform_of_openstack_is_prepared_before_it_is_asked(sunbeam, monkeypatch):
    ready = []

    def output(self, hide_output=False):
        assert self.plan in ready, "Backend initialization required"
        return sunbeam.outputs

    monkeypatch.setattr(TERRAFORM.TerraformHelper, "init", lambda self: ready.append(self.plan))
    monkeypatch.setattr(TERRAFORM.TerraformHelper, "output", output)
    done = sunbeam.enable()
    assert done.exit_code == 0, done.output


def test_a_second_run_changes_nothing(sunbeam, cloud):
    sunbeam.enable()
    before = (dict(cloud.variables), dict(cloud.secrets), sunbeam.database.config.keys())
    cloud.verbs.clear()
    assert sunbeam.enable().exit_code == 0
    assert before == (cloud.variables, cloud.secrets, sunbeam.database.config.keys())
    assert "ensure_secret" not in cloud.verbs, "an unchanged key makes no new revision"


def test_nothing_is_changed_where_something_stands_in_the_way(sunbeam, cloud):
    sunbeam.database.nodes = sunbeam.database.nodes[:1]
    sunbeam.database.storage_nodes = []
    before = dict(sunbeam.database.config)
    done = sunbeam.enable()
    assert done.exit_code == 1
    assert "2 problems found before anything was changed:" in done.output
    assert "sunbeam cluster join --role compute" in done.output
    assert set(cloud.verbs) <= {"status", "init"}
    assert sunbeam.database.config == before


def leave_storage_out(sunbeam, cloud, maas):
    del sunbeam.spaces["storage"]


def forget_a_node(sunbeam, cloud, maas):
    maas.answers["machines/"] = (200, [sunbeam_cloud.vars_of(machine(1))])


def refuse_the_key(sunbeam, cloud, maas):
    maas.answers["users/?op=whoami"] = (401, b"no")


def take_the_rights(sunbeam, cloud, maas):
    maas.answers["users/?op=whoami"] = (200, {"username": "reader", "is_superuser": False})


def take_the_offer(sunbeam, cloud, maas):
    sunbeam.outputs = {}


def lose_nova(sunbeam, cloud, maas):
    sunbeam.services = []


@pytest.mark.parametrize(
    ("spoil", "fact", "next_command"),
    [
        pytest.param(
            leave_storage_out,
            "network storage: it is mapped to no space",
            "sunbeam deployment space map",
            id="missing space",
        ),
        pytest.param(
            forget_a_node,
            "h2: MAAS has no machine for it",
            "maas PROFILE machines read",
            id="node without an entry in MAAS",
        ),
        pytest.param(
            refuse_the_key, "MAAS does not know the key", "--maas-key-file", id="key refused"
        ),
        pytest.param(
            take_the_rights, "is no administrator", "--maas-key-file", id="key without power"
        ),
        pytest.param(
            take_the_offer, "Keystone's offer of credentials is gone", "juju offers", id="offer"
        ),
        pytest.param(lose_nova, "Nova should have one", "openstack compute service", id="Nova"),
    ],
)
def test_bad_input_is_a_sentence_and_a_second_run_goes_through(
    sunbeam, cloud, maas, monkeypatch, spoil, fact, next_command
):
    good = (dict(maas.answers), dict(sunbeam.spaces), dict(sunbeam.outputs), sunbeam.services)
    spoil(sunbeam, cloud, maas)
    done = sunbeam.enable()
    assert done.exit_code == 1
    assert fact in done.output
    assert next_command in done.output
    assert sunbeam.stored(STATE) is None, "nothing was changed"
    maas.answers, sunbeam.spaces, sunbeam.outputs, sunbeam.services = good
    assert sunbeam.enable().exit_code == 0


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("verb", ["deploy_file", "apply", "grant_secret", "check"])
def test_what_fails_halfway_names_the_step_and_goes_on(sunbeam, cloud, verb, late):
    cloud.fail_at, cloud.fail_after = verb, late
    done = sunbeam.enable()
    assert done.exit_code == 1
    assert "Error: stopped at step" in done.output
    assert "the connection broke" in done.output
    assert "Then go on with: sunbeam enable instance-recovery --charm-dir" in done.output
    assert sunbeam.stored(STATE)["enabled"] == "true", "status and disable have to work on it"
    assert sunbeam.enable().exit_code == 0


def enable_while(apply, sunbeam, monkeypatch):
    """Enable while ``terraform apply`` ends like that."""
    with monkeypatch.context() as broken:
        broken.setattr(TERRAFORM.TerraformHelper, "apply", apply)
        return sunbeam.enable()


def test_a_plan_that_another_command_holds_is_a_sentence(sunbeam, monkeypatch):
    def locked(self, extra_args=None, reporter=None):
        raise TERRAFORM.TerraformStateLockedException("locked")

    done = enable_while(locked, sunbeam, monkeypatch)
    assert "another command holds the plan's state" in done.output
    assert "sunbeam plans unlock instance-recovery-plan" in done.output
    assert sunbeam.enable().exit_code == 0


def test_what_terraform_could_not_make_is_named(sunbeam, monkeypatch):
    def half(self, extra_args=None, reporter=None):
        for kind, word in (("apply_start", "create..."), ("apply_errored", "create errored")):
            message = f"juju_application.consul: {word}"
            reporter.report(types.SimpleNamespace(event_type=kind, message=message))
        raise TERRAFORM.TerraformException("terraform command failed")

    done = enable_while(half, sunbeam, monkeypatch)
    assert "(apply the plan): Terraform: juju_application.consul: create errored." in done.output
    assert "Read the newest terraform-*.log in " in done.output
    assert sunbeam.enable().exit_code == 0


def test_an_application_that_does_not_become_active_is_named(sunbeam, cloud, tmp_path):
    wait = StatusInfo(current="waiting", message="agent lost")
    cloud.unrest["masakari-monitors"] = wait
    path = manifest(tmp_path, of_feature({"ready-within": 60}))
    done = sunbeam.enable(manifest=path)
    assert "masakari-monitors is waiting: agent lost" in done.output
    assert "juju status -m openstack-machines" in done.output
    cloud.unrest.clear()
    assert sunbeam.enable().exit_code == 0


def test_a_database_that_is_away_is_a_sentence(sunbeam, monkeypatch):
    def away(role):
        raise SERVICE.ClusterServiceUnavailableException("no leader")

    monkeypatch.setattr(sunbeam.database, "list_nodes_by_role", away)
    done = sunbeam.enable()
    assert "Sunbeam's database: no leader. Look at: sunbeam cluster list" in done.output


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_a_machine_without_a_controller_is_a_sentence(sunbeam, monkeypatch, verb):
    def nowhere(self, keystone=False):
        raise ValueError("Controller cannot be None")

    monkeypatch.setattr(OnTestCloud, "get_juju_helper", nowhere)
    done = sunbeam(verb, "instance-recovery")
    assert done.exit_code == 1
    assert "Juju: Sunbeam knows none here" in done.output
    assert "sunbeam utils juju-login" in done.output
    assert "manifest" not in done.output


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        pytest.param(
            of_feature({"fencig": "maas"}),
            "fencig: there is no such option, did you mean fencing?",
            id="option misspelt",
        ),
        pytest.param(
            of_feature({"ready-within": 3}),
            "ready-within: input should be greater than or equal to 60",
            id="out of range",
        ),
        pytest.param(
            of_feature({}, **{"masakari-k9s": {"channel": "x"}}),
            "the manifest cannot be used: Manifest Software charms keys should be one of",
            id="charm misspelt",
        ),
        pytest.param("features: [", "the manifest cannot be used: ", id="no YAML"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_a_sentence(sunbeam, cloud, tmp_path, said, sentence):
    path = manifest(tmp_path, said)
    done = sunbeam("enable", "-m", path, "instance-recovery", "-a")
    assert done.exit_code == 1
    assert sentence in done.output
    assert "run the same command again; nothing was changed" in done.output
    assert cloud.verbs == []


def test_the_manifest_says_how_and_is_kept(sunbeam, cloud, tmp_path, maas):
    key = tmp_path / "key"
    key.write_text("fencing:only:account\n")
    path = manifest(
        tmp_path,
        of_feature(
            {"maas-key-file": str(key), "maas-url": maas.url},
            **{
                "masakari-k8s": {"charm": "my-masakari", "channel": "9/edge"},
                "masakari-monitors": {"charm": "my-monitors", "config": {"region": "there"}},
                "hacluster-shim": {"charm": "my-shim", "revision": 7},
            },
        ),
    )
    done = sunbeam("enable", "-m", path, "instance-recovery", "-a")
    assert done.exit_code == 0, done.output
    assert cloud.secrets["instance-recovery-maas"] == {"api-key": "fencing:only:account"}
    assert cloud.variables["masakari-charm"] == "my-masakari"
    assert cloud.variables["masakari-channel"] == "9/edge"
    assert cloud.variables["monitors-config"] == {"region": "there"}
    assert cloud.variables["shim-revision"] == 7
    assert cloud.variables["from-files"] is False
    assert "my-masakari" in sunbeam.database.manifests[-1]
    assert "only:account" not in sunbeam.database.manifests[-1]


def test_an_option_wins_over_the_manifest(sunbeam, cloud, tmp_path):
    path = manifest(tmp_path, of_feature({"fencing": "maas"}))
    words = ["enable", "-m", path, "instance-recovery", "--fencing", "none", "-a"]
    done = sunbeam(*words, "--charm-dir", str(tmp_path))
    assert "fencing: none" in done.output or "has no file" in done.output
    assert "instance-recovery-maas" not in cloud.secrets


def test_a_manual_cloud_is_asked_who_fences(sunbeam, cloud):
    sunbeam.is_maas = False
    words = ["enable", "instance-recovery", "--charm-dir", str(sunbeam.folder)]
    sunbeam.enable()  # makes the files
    done = sunbeam(*words, answers=f"maas\n{sunbeam.maas_url}\nasked:for:it\n")
    assert done.exit_code == 0, done.output
    assert "Who proves a hypervisor off?" in done.output
    assert "asked:for:it" not in done.output
    assert cloud.secrets["instance-recovery-maas"] == {"api-key": "asked:for:it"}


def test_a_manual_cloud_that_is_not_asked_has_to_say_it(sunbeam):
    sunbeam.is_maas = False
    done = sunbeam.enable()
    assert done.exit_code == 1
    assert "nobody was named to fence" in done.output
    assert "--fencing none" in done.output


def test_no_fencing_is_agreed_to_in_full_words(sunbeam, cloud):
    sunbeam.is_maas = False
    sunbeam.enable()
    words = ["enable", "instance-recovery", "--charm-dir", str(sunbeam.folder)]
    refused = sunbeam(*words, answers="none\nn\n")
    assert "corrupts them. Take that risk?" in refused.output
    assert refused.exit_code == 1
    agreed = sunbeam(*words, answers="none\ny\n")
    assert agreed.exit_code == 0, agreed.output
    assert "hacluster-shim" not in cloud.applications[Model.MACHINES]


def test_one_network_for_all_is_told(sunbeam, cloud):
    sunbeam.spaces = dict.fromkeys(sunbeam.spaces, SPACES[Network.MANAGEMENT])
    done = sunbeam.enable()
    assert done.exit_code == 0, done.output
    assert "watched: management; tenant, storage shares a space with another" in done.output
    assert cloud.variables["networks"] == ["management"]


def test_refresh_brings_the_charms_to_what_the_manifest_now_says(sunbeam, cloud, tmp_path):
    charms = {
        name: {"charm": f"my-{name}"}
        for name in ("masakari-k8s", "masakari-monitors", "hacluster-shim")
    }
    path = manifest(tmp_path, of_feature({}, **charms))
    assert sunbeam("enable", "-m", path, "instance-recovery", "-a").exit_code == 0
    before = dict(cloud.variables)
    charms["masakari-k8s"]["revision"] = 42
    sunbeam.database.add_manifest(yaml.safe_dump(of_feature({}, **charms)))
    MANAGER.FeatureManager().update_features(sunbeam.deployment())
    assert cloud.variables["masakari-revision"] == 42
    assert cloud.variables["networks"] == before["networks"]


def test_refresh_leaves_alone_what_sunbeams_own_feature_deployed(sunbeam, cloud):
    sunbeam.database.update_config(STATE, json.dumps({"enabled": "true", "version": "0.0.1"}))
    MANAGER.FeatureManager().update_features(sunbeam.deployment())
    assert cloud.verbs == []
