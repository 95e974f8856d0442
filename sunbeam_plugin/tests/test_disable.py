# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Taking the feature away again: what goes, what is refused, what is not ours."""

import json

from harness import STATE, VARIABLES
from instance_recovery.ports import Model


def test_disable_leaves_nothing_behind(sunbeam, cloud):
    sunbeam.enable()
    done = sunbeam("disable", "instance-recovery")
    assert done.exit_code == 0, done.output
    assert cloud.applications == {Model.CONTROL: {}, Model.MACHINES: {}}
    assert cloud.secrets == {}
    assert sunbeam.stored(VARIABLES) is None
    assert sunbeam.stored(STATE)["enabled"] == "false"
    assert list(cloud.hosts) == ["segment"]


def test_disable_works_from_a_node_on_which_the_plan_never_was(sunbeam, cloud, tmp_path):
    sunbeam.enable()
    (tmp_path / "plans" / "instance-recovery-plan" / "terraform.tfvars.json").unlink()
    assert sunbeam("disable", "instance-recovery").exit_code == 0
    assert cloud.variables is None


def test_disable_during_a_recovery_is_refused_and_can_be_forced(sunbeam, cloud):
    sunbeam.enable()
    cloud.incidents = [{"host": "h1.maas", "state": "recovering"}]
    refused = sunbeam("disable", "instance-recovery", "--remove-segments")
    assert refused.exit_code == 1
    assert "h1.maas: still being recovered" in refused.output
    assert sunbeam.stored(STATE)["enabled"] == "true"
    forced = sunbeam("disable", "instance-recovery", "--remove-segments", "--force")
    assert forced.exit_code == 0, forced.output
    assert cloud.hosts == {}


def test_disable_does_not_touch_what_sunbeams_own_feature_deployed(sunbeam, cloud):
    sunbeam.database.update_config("TerraformVarsOpenstack", json.dumps({"enable-masakari": True}))
    cloud.applications[Model.CONTROL]["masakari"] = "stock"
    done = sunbeam("disable", "instance-recovery")
    assert done.exit_code == 1
    assert "install.py --remove" in done.output
    assert "masakari" in cloud.applications[Model.CONTROL]
