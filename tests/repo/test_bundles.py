# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""What the bundles name exists: charms, endpoints that fit, options of the right type."""

import json
import os
import pathlib
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUNDLES = ROOT / "bundles"
OURS = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in ROOT.glob("charms/*/charmcraft.yaml")
}
NEIGHBOURS = yaml.safe_load((pathlib.Path(__file__).parent / "neighbours.yaml").read_text())
PYTHON_TYPES = {"string": str, "int": int, "float": float, "boolean": bool, "secret": str}

COMBINATIONS = [
    ("sunbeam.yaml",),
    ("sunbeam.yaml", "overlays/single-network.yaml"),
    ("sunbeam.yaml", "overlays/no-fencing.yaml"),
    ("sunbeam.yaml", "overlays/cos.yaml"),
    ("sunbeam-machines.yaml",),
    ("sunbeam-machines.yaml", "overlays/single-network-machines.yaml"),
    ("charmed-overlay.yaml",),
]
every_combination = pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((BUNDLES / name).read_text()))


def merged(names: tuple[str, ...]) -> dict[str, Any]:
    """The bundle as Juju sees it: overlays laid over it, blanks and their relations taken out."""
    whole, *overlays = [document for name in names for document in documents(name)]
    for overlay in overlays:
        for section in ("applications", "saas"):
            for name, spec in overlay.get(section, {}).items():
                known = whole.setdefault(section, {})
                if spec is None:
                    del known[name]
                elif name not in known:
                    known[name] = spec
                else:
                    known[name].setdefault("options", {}).update(spec.get("options", {}))
        whole["relations"] += overlay.get("relations", [])
    known = {*whole["applications"], *whole.get("saas", {}), *around(whole)}
    whole["relations"] = [
        pair for pair in whole["relations"] if all(end.split(":")[0] in known for end in pair)
    ]
    return whole


def around(bundle: dict[str, Any]) -> set[str]:
    """Applications of the bundle that an overlay is laid over: named like their charms."""
    is_overlay = bundle.get("bundle") != "kubernetes" and "saas" not in bundle
    return {"keystone", "nova-compute", "rabbitmq-server", "mysql-innodb-cluster"} & (
        set(NEIGHBOURS) if is_overlay else set()
    )


def charm_of(application: str, bundle: dict[str, Any]) -> str:
    spec = bundle["applications"].get(application)
    if spec is None:
        return "consul-k8s" if application.startswith("consul-") else saas_charm(application)
    return re.sub(r"^.*/(.+)_amd64\.charm$", r"\1", spec["charm"])


def saas_charm(application: str) -> str:
    return application if application in NEIGHBOURS else f"{application}-k8s"


def interface(charm: str, endpoint: str) -> tuple[str, str]:
    """Return (role, interface) of a charm's endpoint."""
    if endpoint == "juju-info" and charm not in ("consul-client", "hacluster-shim"):
        return "provides", "juju-info"
    meta = OURS.get(charm) if charm in OURS else NEIGHBOURS[charm]
    for role in ("requires", "provides"):
        found = (meta.get(role) or {}).get(endpoint)
        if found is not None:
            return role, found["interface"] if isinstance(found, dict) else found
    raise AssertionError(f"{charm} has no endpoint {endpoint}")


@every_combination
def test_both_ends_of_each_relation_fit(names):
    bundle = merged(names)
    assert bundle["relations"]
    for pair in bundle["relations"]:
        (role, one), (other_role, other) = (
            interface(charm_of(application, bundle), endpoint)
            for application, endpoint in (end.split(":") for end in pair)
        )
        assert one == other, pair
        assert {role, other_role} == {"requires", "provides"}, pair


@every_combination
def test_options_exist_and_have_the_right_type(names):
    bundle = merged(names)
    for application, spec in bundle["applications"].items():
        charm = charm_of(application, bundle)
        for option, value in spec.get("options", {}).items():
            meta = OURS[charm]["config"] if charm in OURS else NEIGHBOURS[charm]
            kind = meta["options"][option]
            kind = kind["type"] if isinstance(kind, dict) else kind
            assert isinstance(value, PYTHON_TYPES[kind]), f"{application} {option}={value!r}"


@every_combination
def test_what_our_charms_need_is_related(names):
    bundle = merged(names)
    related = {end for pair in bundle["relations"] for end in pair}
    for application in bundle["applications"]:
        meta = OURS.get(charm_of(application, bundle), {})
        needed = {n for n, spec in meta.get("requires", {}).items() if not spec["optional"]}
        missing = {name for name in needed if f"{application}:{name}" not in related}
        assert not missing, f"{application}: {missing}"


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Juju's own parser, built from its Go module."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is not on PATH, so Juju's own parser was not asked")
    built = tmp_path_factory.mktemp("parser") / "bundle-parser"
    subprocess.run(
        [go, "build", "-mod=readonly", "-o", built, "."],
        cwd=pathlib.Path(__file__).parent / "bundle-parser",
        env={**os.environ, "GOFLAGS": "-modcacherw", "CGO_ENABLED": "0"},
        check=True,
        timeout=240,
    )
    return built


@every_combination
def test_juju_itself_reads_the_bundle_as_this_test_does(names, parser, tmp_path):
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    for charm in OURS:  # that a charm was packed is not what is asked here
        packed = tmp_path / "build" / "charms" / f"{charm}_amd64.charm"
        packed.parent.mkdir(parents=True, exist_ok=True)
        packed.touch()
    files = list(names)
    base = tmp_path / "bundles" / files[0]
    if names == ("charmed-overlay.yaml",):  # it has relations to what it is laid over
        base = tmp_path / "base.yaml"
        neighbours = sorted(around(merged(names)))
        base.write_text(
            yaml.safe_dump(
                {"applications": {name: {"charm": name, "channel": "x"} for name in neighbours}}
            )
        )
    else:
        files = files[1:]
    answered = subprocess.run(
        [parser, base, *(tmp_path / "bundles" / name for name in files)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert not answered.stderr
    read, expected = json.loads(answered.stdout), merged(names)
    assert expected["applications"].keys() <= read["applications"].keys()
    assert set(read["saas"] or {}) == set(expected.get("saas", {}))
    assert sorted(map(sorted, read["relations"])) == sorted(map(sorted, expected["relations"]))


def test_offers_are_what_the_other_model_consumes():
    offered = {
        f"admin/{model}.{offer}"
        for model, name in (
            ("openstack", "sunbeam.yaml"),
            ("openstack-machines", "sunbeam-machines.yaml"),
        )
        for spec in documents(name)[1]["applications"].values()
        for offer in spec["offers"]
    }
    consumed = {spec["url"] for spec in documents("sunbeam-machines.yaml")[0]["saas"].values()}
    told = set(re.findall(r"juju consume \S+ \S+ (\S+)", (BUNDLES / "sunbeam.yaml").read_text()))
    assert offered == consumed | told


@pytest.mark.parametrize("path", sorted(BUNDLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_no_bundle_holds_a_secret(path):
    for document in yaml.safe_load_all(path.read_text()):
        for spec in document.get("applications", {}).values():
            for option in (spec or {}).get("options", {}):
                assert not re.search(r"credential|password|secret|key", option), option


@pytest.mark.parametrize("path", sorted(BUNDLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_every_file_is_tested_in_some_combination(path):
    name = str(path.relative_to(BUNDLES))
    assert any(name in combination for combination in COMBINATIONS)
