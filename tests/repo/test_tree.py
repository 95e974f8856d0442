# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""What holds for every file of the repository."""

import ast
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPDX = (
    "SPDX-FileCopyrightText: 2026 The instance-recovery authors",
    "SPDX-License-Identifier: Apache-2.0",
)
SOURCES = {".py", ".sh", ".toml", ".ini", ".go"}
REGISTRY = re.compile(
    r"\b(?:[\w-]+\.)*(?:py"
    r"pi\.org|pythonhosted\.org|npmjs\.(?:com|org)|crates\.io|golang\.org/dl)"
)


def committed() -> list[pathlib.Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def text_of(path: pathlib.Path) -> str:
    return path.read_text(errors="replace")


def test_every_source_names_its_licence():
    scenario = ROOT / "tests" / "sim" / "scenarios"
    sources = [
        path for path in committed() if path.suffix in SOURCES and scenario not in path.parents
    ]
    assert len(sources) > 20
    bare = [
        path.relative_to(ROOT)
        for path in sources
        if path.stat().st_size and not all(line in text_of(path)[:400] for line in SPDX)
    ]
    assert bare == []


def test_no_registry_is_named():
    named = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in committed()
        if path.suffix != ".sum" and (found := REGISTRY.search(text_of(path)))
    ]
    assert named == [], "take packages by name, so that any mirror serves"


def test_no_private_address_of_a_developer():
    named = [
        path.relative_to(ROOT)
        for path in committed()
        if re.search(r"/(?:home|Users)/\w+/|(?<![\w.}])/(?:root|work)/", text_of(path))
        and path != pathlib.Path(__file__).resolve()
    ]
    assert named == []


def imports_of(path: pathlib.Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_rules_import_the_standard_library_only():
    allowed = sys.stdlib_module_names | {"instance_ha"}
    sources = list((ROOT / "packages/instance-ha/src").rglob("*.py"))
    assert sources
    foreign = {f"{path.name}: {name}" for path in sources for name in imports_of(path) - allowed}
    assert foreign == set()


@pytest.mark.parametrize("pin", ["uv", "tox", "ops", "pytest"])
def test_tools_are_pinned(pin):
    assert re.search(rf"^{pin}==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    lines = [line.split(";")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return dict(line.lower().split("==") for line in lines if "==" in line)


@pytest.mark.parametrize(
    "environment",
    ["openstack-requirements.txt", "charm-requirements.txt", "volumes-requirements.txt"],
)
def test_unit_tests_meet_the_releases_that_the_lab_runs(environment):
    ours, lab = pins("constraints.txt"), pins(f"lab/build/{environment}")
    shared = ours.keys() & lab
    assert shared
    assert {name: ours[name] for name in shared} == {name: lab[name] for name in shared}


MODULES = {
    "jinja2": "jinja2",
    "keystoneauth1": "keystoneauth1",
    "libvirt_qemu": "libvirt-python",
    "masakarimonitors": "masakari-monitors",
    "novaclient": "python-novaclient",
    "openstack": "openstacksdk",
    "yaml": "pyyaml",
}
"""Distributions whose name is not that of their module with dashes."""


def distribution(module: str) -> str:
    return MODULES.get(module, module.replace("_", "-"))


@pytest.mark.parametrize(
    "project", sorted(ROOT.glob("*/*/pyproject.toml")), ids=lambda p: p.parent.name
)
def test_project_declares_what_it_imports(project):
    table = tomllib.loads(project.read_text())["project"]
    extras = [name for extra in table.get("optional-dependencies", {}).values() for name in extra]
    declared = {re.split(r"[\[<>=~ ]", name)[0] for name in [*table["dependencies"], *extras]}
    source = project.parent / "src"
    own = {path.stem for path in source.iterdir()}
    imported = {name for path in source.rglob("*.py") for name in imports_of(path)}
    foreign = imported - own - sys.stdlib_module_names

    missing = {
        name
        for name in foreign
        if not any(found.replace(".", "-").startswith(distribution(name)) for found in declared)
    }
    assert missing == set()


def test_every_member_supports_the_same_pythons():
    wanted = {
        tomllib.loads(path.read_text())["project"]["requires-python"]
        for path in [
            *ROOT.glob("packages/*/pyproject.toml"),
            *ROOT.glob("charms/*/pyproject.toml"),
        ]
    }
    assert wanted == {">=3.11"}
