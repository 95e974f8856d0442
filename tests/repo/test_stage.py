# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import importlib.metadata
import json
import pathlib
import subprocess
import sys

import pytest

from tools import stage


@pytest.fixture(scope="module")
def masakari(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return stage.stage("masakari-k8s", output=tmp_path_factory.mktemp("stage"))


@pytest.mark.parametrize("charm", stage.charms())
def test_staged_charm_imports_with_nothing_but_what_it_brings(charm, tmp_path):
    tree = stage.stage(charm, output=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    stage.uv("venv", "--quiet", "--python", sys.executable, tmp_path / "venv", constrained=False)
    stage.uv("pip", "install", "--quiet", "--python", python, "-r", tree / "requirements.txt")

    modules = sorted(
        path.relative_to(tree / "src").with_suffix("").as_posix().replace("/", ".")
        for path in (tree / "src").rglob("*.py")
        if path.stem != "__init__"
    )
    done = subprocess.run(
        [python, "-c", f"import {', '.join(modules)}"],
        cwd=tree,
        env={"PYTHONPATH": "lib:src"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("charm", stage.charms())
def test_charm_carries_exactly_the_packages_it_needs(charm, tmp_path):
    tree = stage.stage(charm, output=tmp_path)

    brought = {path.name for path in (tree / "lib").iterdir()}
    needed = stage.local_packages(stage.ROOT / "charms" / charm)
    assert brought == {path.name.replace("-", "_") for path in needed}
    assert "instance_ha_relations" in brought
    assert (tree / "src" / "charm.py").stat().st_mode & 0o777 == 0o755
    assert "file:" not in (tree / "requirements.txt").read_text()


def test_plugin_offers_every_entry_point_of_its_source(masakari):
    declared = stage.project(stage.ROOT / "packages" / "masakari-instance-ha")["entry-points"]

    found = {
        (point.group, point.name): point.value
        for distribution in importlib.metadata.distributions(path=[str(masakari / "plugin")])
        for point in distribution.entry_points
        if point.group != "console_scripts"
    }

    assert found == {
        (group, name): value
        for group, points in declared.items()
        for name, value in points.items()
    }


def test_plugin_record_lists_exactly_its_files(masakari):
    plugin = masakari / "plugin"
    recorded = {
        line.split(",")[0]
        for record in plugin.glob("*.dist-info/RECORD")
        for line in record.read_text().splitlines()
    }
    present = {path.relative_to(plugin).as_posix() for path in plugin.rglob("*") if path.is_file()}
    assert recorded == present


def test_plugin_is_pure_python(masakari):
    assert not list((masakari / "plugin").rglob("*.so"))


def test_tree_names_no_path_of_this_machine(masakari):
    root = str(stage.ROOT).encode()
    assert [
        path for path in masakari.rglob("*") if path.is_file() and root in path.read_bytes()
    ] == []


def test_manifest_tells_a_changed_file(masakari):
    written = json.loads((masakari / "manifest.json").read_text())
    now = stage.manifest(masakari)
    del now["manifest.json"]
    assert written == now
    assert written["src/charm.py"] != written["charmcraft.yaml"]


def test_same_sources_give_the_same_files(masakari, tmp_path):
    again = stage.stage("masakari-k8s", output=tmp_path)
    assert (again / "manifest.json").read_bytes() == (masakari / "manifest.json").read_bytes()


def test_changed_source_reaches_the_tree(tmp_path, monkeypatch):
    target = tmp_path / "site"
    root = tmp_path / "root"
    package = root / "packages" / "small"
    (package / "src" / "small").mkdir(parents=True)
    (root / "constraints.txt").touch()
    (package / "pyproject.toml").write_text(
        '[project]\nname = "small"\nversion = "1"\n'
        '[build-system]\nrequires = ["uv_build>=0.13,<0.14"]\nbuild-backend = "uv_build"\n'
    )
    monkeypatch.setattr(stage, "ROOT", root)
    monkeypatch.setattr(stage, "VENDORED", ())
    module = package / "src" / "small" / "__init__.py"

    module.write_text("SAYS = 1\n")
    stage.build_plugin(["small"], target=target)
    module.write_text("SAYS = 2\n")
    stage.build_plugin(["small"], target=target)

    assert (target / "small" / "__init__.py").read_text() == "SAYS = 2\n"


def test_unknown_charm_is_refused_with_the_names_that_exist(tmp_path):
    with pytest.raises(
        stage.StageError, match=r"no charmcraft\.yaml; the charms are: .*masakari-k8s"
    ):
        stage.stage("masakari", output=tmp_path)
