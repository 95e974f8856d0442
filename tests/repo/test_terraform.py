# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Sunbeam's plan of ours, read by Terraform itself and by the provider that the snap ships."""

import dataclasses
import importlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess

import pytest
import yaml

from lab import binaries, paths

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAN = ROOT / "sunbeam_plugin/instance_recovery/etc/deploy-instance-recovery"
NAME = "terraform-provider-juju"
VERSION = "1.5.6"
OURS = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in ROOT.glob("charms/*/charmcraft.yaml")
}
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}


@pytest.fixture(scope="module")
def provider() -> pathlib.Path:
    """The provider, built once from its Go module; minutes of all processors."""
    built = paths.binary_path(NAME)
    if not built.exists() and os.environ.get("INSTANCE_HA_BUILD_PROVIDER"):
        binaries.start_build(NAME)
        binaries.await_build(NAME)
    if not built.exists():
        pytest.skip("Juju's provider is not built: INSTANCE_HA_BUILD_PROVIDER=1 builds it once")
    return built


@pytest.fixture(scope="module")
def terraform(provider, tmp_path_factory):
    """Run terraform on a copy of the plan; nothing comes from a network."""
    command = shutil.which("terraform")
    if command is None:
        pytest.skip("terraform is not on PATH, so the plan was not validated")
    folder = tmp_path_factory.mktemp("terraform")
    mirror = folder / "mirror" / "registry.terraform.io" / "juju" / "juju" / VERSION
    place = mirror / f"linux_{ARCHITECTURE[platform.machine()]}"
    place.mkdir(parents=True)
    (place / f"{NAME}_v{VERSION}").symlink_to(provider)
    config = folder / "terraformrc"
    config.write_text(
        "disable_checkpoint = true\n"
        f'provider_installation {{\n filesystem_mirror {{\n  path = "{folder}/mirror"\n }}\n}}\n'
    )
    plan = shutil.copytree(PLAN, folder / "plan")

    def run(*words: str) -> str:
        done = subprocess.run(
            [command, f"-chdir={plan}", *words],
            env={"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": str(config)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.plan = plan
    run("init", "-no-color", "-input=false")
    return run


def test_the_plan_is_valid(terraform):
    answer = json.loads(terraform("validate", "-json"))
    assert answer["valid"], answer
    assert answer["diagnostics"] == []


CONTROL, MACHINES = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
MOCKS = """
mock_provider "juju" {
  mock_resource "juju_offer" {
    defaults = { url = "admin/model.offer" }
  }
}
run "all" {
  command = apply
}
"""
EVERY = ["management", "tenant", "storage"]
COMBINATIONS = [
    pytest.param({"networks": EVERY}, id="three networks"),
    pytest.param({"networks": ["management"], "fencing": False}, id="one network, unfenced"),
    pytest.param({"networks": EVERY, "from-files": True}, id="from files"),
    pytest.param(
        {"networks": EVERY, "own-mysql": True, "mysql": "masakari-mysql"}, id="own database"
    ),
]


def play(terraform, variables: dict) -> str:
    """Apply the plan on a provider that Terraform plays; return what it says, state and all."""
    terraform.plan.joinpath("terraform.tfvars.json").write_text(json.dumps(variables))
    terraform.plan.joinpath("all.tftest.hcl").write_text(MOCKS)
    return terraform("test", "-json", "-verbose")


@pytest.fixture(scope="module")
def applied(terraform):
    """Apply the plan on a provider that Terraform itself plays; return its resources by kind."""
    known: dict[str, dict[str, list[dict]]] = {}

    def apply(variables: dict) -> dict[str, list[dict]]:
        asked = json.dumps(variables)
        if asked not in known:
            known[asked] = apply_anew(variables)
        return known[asked]

    def apply_anew(variables: dict) -> dict[str, list[dict]]:
        said = {
            "control-model-uuid": CONTROL,
            "machine-model-uuid": MACHINES,
            "keystone-offer-url": "admin/openstack.keystone",
            "region": "RegionOne",
        }
        answers = [json.loads(line) for line in play(terraform, said | variables).splitlines()]
        (state,) = (each["test_state"] for each in answers if each["type"] == "test_state")
        found: dict[str, list[dict]] = {}
        for resource in state["root_module"]["resources"]:
            found.setdefault(resource["type"], []).append(
                resource["values"] | {"key": resource.get("index")}
            )
        return found

    return apply


@pytest.mark.parametrize("variables", COMBINATIONS)
def test_what_is_wanted_is_deployed_where_it_belongs(applied, variables):
    networks, fenced = variables["networks"], variables.get("fencing", True)
    control = {f"consul-{network}" for network in networks} | {"masakari-mysql-router"}
    machines = {f"consul-client-{network}" for network in networks}
    if not variables.get("from-files"):
        control |= {"masakari"}
        machines |= {"masakari-monitors"} | ({"hacluster-shim"} if fenced else set())
    if variables.get("own-mysql"):
        control |= {"masakari-mysql"}
    found = applied(variables)["juju_application"]
    assert {each["name"] for each in found if each["model_uuid"] == CONTROL} == control
    assert {each["name"] for each in found if each["model_uuid"] == MACHINES} == machines


def test_each_application_takes_what_is_said_of_it(applied):
    said = {"masakari": "masakari", "masakari-monitors": "monitors", "hacluster-shim": "shim"}
    said |= {f"consul-{network}": "consul" for network in EVERY}
    said |= {f"consul-client-{network}": "agent" for network in EVERY}
    channels = {f"{name}-channel": f"{name}/edge" for name in set(said.values())}
    found = {
        each["name"]: each["charm"][0]["channel"]
        for each in applied({"networks": EVERY} | channels)["juju_application"]
    }
    assert {name: found[name] for name in said} == {
        name: f"{word}/edge" for name, word in said.items()
    }


@pytest.mark.parametrize("variables", COMBINATIONS)
def test_both_ends_of_each_relation_are_there(applied, variables):
    found = applied(variables)
    charms = {each["name"]: each["charm"][0]["name"] for each in found["juju_application"]}
    charms |= {"masakari": "masakari-k8s", "masakari-monitors": "masakari-monitors"}
    charms |= {"hacluster-shim": "hacluster-shim"}
    ends = {
        (end["name"], end["endpoint"])
        for relation in found["juju_integration"]
        for end in relation["application"]
        if end["offer_url"] is None and end["endpoint"] != "juju-info"
    }
    offered = {(each["application_name"], *each["endpoints"]) for each in found["juju_offer"]}
    for application, endpoint in ends | offered:
        metadata = OURS.get(charms.get(application, ""))
        if metadata is not None:
            known = metadata.get("requires", {}) | metadata.get("provides", {})
            assert endpoint in known, f"{application}:{endpoint}"
    needed = {
        (application, endpoint)
        for application in charms
        if (application in ("masakari", "masakari-monitors"))
        for endpoint, said in OURS[charms[application]]["requires"].items()
        if not said["optional"]
    }
    assert needed <= ends


@pytest.mark.parametrize("variables", COMBINATIONS)
def test_every_offer_is_taken_by_the_other_model(applied, variables):
    found = applied(variables)
    offers = {each["name"]: each["model_uuid"] for each in found["juju_offer"]}
    takers = {
        each["key"]: each["model_uuid"]
        for each in found["juju_integration"]
        if any(end["offer_url"] == "admin/model.offer" for end in each["application"])
    }
    assert offers.keys() == takers.keys()
    assert all(offers[name] != takers[name] for name in offers)
    assert ("instance-ha-fencing" in offers) is variables.get("fencing", True)


STOCK = {
    "endpoints": {
        "requires": ["database", "amqp", "identity-service", "receive-ca-cert", "logging"]
        + ["ingress-internal", "ingress-public"]
        + [f"consul-{network}" for network in EVERY],
        "provides": ["masakari-service"],
    },
    "option": "region",
}
"""What Sunbeam's own plan asks of a charm ``masakari-k8s`` with ``enable-masakari``."""


def test_sunbeams_own_plan_fits_our_charm():
    metadata = OURS["masakari-k8s"]
    for role, endpoints in STOCK["endpoints"].items():
        assert set(endpoints) <= metadata[role].keys()
    assert metadata["config"]["options"][STOCK["option"]]["type"] == "string"
    assert metadata["name"] == "masakari-k8s"
    needed = {name for name, said in metadata["requires"].items() if not said["optional"]}
    assert needed <= set(STOCK["endpoints"]["requires"]), "that plan relates nothing else"


def test_no_variable_is_for_a_secret():
    declared = re.findall(r'variable "([^"]+)"', (PLAN / "variables.tf").read_text())
    assert len(declared) > 30
    for name in declared:
        assert not re.search(r"credential|password|secret|key(?!stone)|token", name), name


@pytest.mark.parametrize("fencing", ["maas", "bmc"])
def test_state_and_variables_know_the_names_of_secrets_and_nothing_in_them(
    terraform, monkeypatch, fencing
):
    for place in ("sunbeam_plugin", "sunbeam_plugin/tests"):
        monkeypatch.syspath_prepend(ROOT / place)
    fakes = importlib.import_module("fakes")
    enabling = importlib.import_module("instance_recovery.enabling")
    settings = importlib.import_module("instance_recovery.settings")
    place = dataclasses.replace(fakes.wanted().place, control_uuid=CONTROL, machines_uuid=MACHINES)
    planted = {"maas_key": "consumer:token:planted-key", "bmcs": "h1: [{password: planted-pass}]"}
    cloud = fakes.FakeCloud()
    work = enabling.Enabling(
        cloud=cloud,
        clock=fakes.Clock(),
        wanted=fakes.wanted(place=place, fencing=settings.Fencing(fencing)),
        secrets=enabling.Secrets(**planted),
        within_s=60,
    )
    for step in work.steps():
        step.run(lambda _: None)

    told = play(terraform, cloud.variables)
    kept = [path.read_text() for path in terraform.plan.glob("*") if path.is_file()]

    assert "planted" in json.dumps(cloud.secrets), "the credentials are Juju's secrets"
    assert f"secret:id-instance-recovery-{'maas' if fencing == 'maas' else 'bmcs'}" in told
    assert not [text for text in (told, *kept) if "planted" in text]


def test_the_plan_is_laid_out_as_terraform_does_it():
    command = shutil.which("terraform")
    if command is None:
        pytest.skip("terraform is not on PATH")
    done = subprocess.run(
        [command, "fmt", "-check", "-diff", PLAN],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_the_provider_is_the_one_that_the_snap_ships():
    asked = (PLAN / "main.tf").read_text()
    assert f'version = "= {VERSION}"' in asked
    assert (
        f"github.com/juju/terraform-provider-juju v{VERSION}"
        in (paths.BUILD / NAME / "go.mod").read_text()
    )
