# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""What charmcraft lets pass and Juju, or an operator, trips over."""

import pathlib
import re
from typing import Any

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLES = ("requires", "provides", "peers")
RELATION_KEYS = {"interface", "limit", "optional", "scope", "description"}
OPTION_TYPES = {"string", "int", "float", "boolean", "secret"}
PARAMETER_TYPES = {"string", "integer", "number", "boolean", "array", "object"}

CHARMS = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in ROOT.glob("charms/*/charmcraft.yaml")
}

endpoints = [
    pytest.param(spec, id=f"{charm}:{name}")
    for charm, meta in CHARMS.items()
    for role in ROLES
    for name, spec in meta.get(role, {}).items()
]
options = [
    pytest.param(name, spec, id=f"{charm}:{name}")
    for charm, meta in CHARMS.items()
    for name, spec in meta.get("config", {}).get("options", {}).items()
]
actions = [
    pytest.param(spec, id=f"{charm}:{name}")
    for charm, meta in CHARMS.items()
    for name, spec in meta.get("actions", {}).items()
]
every_charm = pytest.mark.parametrize("meta", CHARMS.values(), ids=CHARMS)


@pytest.mark.parametrize("charm", CHARMS)
def test_name_is_that_of_the_folder(charm):
    assert CHARMS[charm]["name"] == charm


@every_charm
def test_endpoint_names_are_unique(meta: dict[str, Any]):
    names = [name for role in ROLES for name in meta.get(role, {})]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("spec", endpoints)
def test_endpoint_has_only_keys_that_juju_reads(spec):
    assert spec.keys() <= RELATION_KEYS
    assert spec["interface"]


@pytest.mark.parametrize("spec", endpoints)
def test_endpoint_says_whether_it_is_optional(spec):
    assert isinstance(spec.get("optional"), bool)


@pytest.mark.parametrize(("name", "spec"), options)
def test_option_has_a_type_of_juju(name, spec):
    assert spec["type"] in OPTION_TYPES


@pytest.mark.parametrize(("name", "spec"), options)
def test_option_name_has_dashes_unless_it_is_an_old_one(name, spec):
    is_old = spec["description"].startswith("Deprecated")
    assert re.fullmatch(r"[a-z][a-z0-9_]*" if is_old else r"[a-z][a-z0-9-]*", name)


@pytest.mark.parametrize(("name", "spec"), options)
def test_number_names_its_range(name, spec):
    description = spec["description"]
    assert len(description.split()) >= 8, "say unit, range and consequence"
    if spec["type"] in {"int", "float"}:
        assert re.search(r"\d+ to \d+|at least \d+|\d+ or more|\d+-\d+", description)


@pytest.mark.parametrize("spec", actions)
def test_action_refuses_unknown_parameters(spec):
    assert spec["additionalProperties"] is False


@pytest.mark.parametrize("spec", actions)
def test_action_and_its_parameters_are_described(spec):
    assert spec["description"].strip()
    for parameter in spec.get("params", {}).values():
        assert parameter["type"] in PARAMETER_TYPES
        assert parameter["description"].strip()


@pytest.mark.parametrize("spec", actions)
def test_required_parameters_exist(spec):
    assert set(spec.get("required", ())) <= spec.get("params", {}).keys()


@every_charm
def test_container_images_are_declared(meta):
    for container in meta.get("containers", {}).values():
        assert meta["resources"][container["resource"]]["type"] == "oci-image"


@every_charm
def test_subordinate_has_a_place_to_live(meta):
    in_container = [
        spec for spec in meta.get("requires", {}).values() if spec.get("scope") == "container"
    ]
    assert bool(in_container) == meta.get("subordinate", False)


@every_charm
def test_charm_names_the_juju_it_needs(meta):
    assert any(isinstance(need, str) and need.startswith("juju ") for need in meta["assumes"])


@every_charm
def test_staged_tree_packs_without_a_lock_file(meta):
    part = meta["parts"]["charm"]
    assert part["plugin"] == "uv"
    assert {"UV_FROZEN": "false"} in part["build-environment"]
