# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import subprocess
import sys

import install
import pytest


@pytest.fixture
def tree(tmp_path) -> pathlib.Path:
    """A sunbeam-python with a built-in feature, and a command that tells which one it loads."""
    builtin = tmp_path / "tree" / "sunbeam" / "features" / "instance_recovery"
    builtin.mkdir(parents=True)
    (builtin / "feature.py").write_text("WHO = 'built-in'\n")
    (builtin / "consul.py").touch()
    for package in (builtin.parent, builtin.parents[1]):
        (package / "__init__.py").touch()
    (builtin.parents[1] / "main.py").write_text(
        "import importlib.util, sys\n"
        "def main():\n"
        "    found = importlib.util.find_spec('sunbeam.features.instance_recovery.feature')\n"
        "    print(found.origin, *sys.argv[1:])\n"
    )
    return tmp_path / "tree"


def contents(tree: pathlib.Path) -> dict[str, str]:
    files = (path for path in tree.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(tree)): path.read_text() for path in files}


def test_in_a_tree_it_takes_the_place_of_the_built_in_feature(tree):
    install.main(["--tree", str(tree)])
    features = tree / "sunbeam" / "features"
    assert (features / "instance_recovery" / "preflight.py").exists()
    assert not (features / "instance_recovery" / "consul.py").exists()
    visible = [path.name for path in features.iterdir() if not path.name.startswith("_")]
    assert visible == ["instance_recovery"], "what Sunbeam would load"


def test_the_plan_comes_along(tree):
    install.main(["--tree", str(tree)])
    place = tree / "sunbeam" / "features" / "instance_recovery"
    assert (place / "etc" / "deploy-instance-recovery" / "main.tf").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_removing_leaves_the_tree_as_it_was(tree, times):
    before = contents(tree)
    for _ in range(times):
        install.main(["--tree", str(tree)])
    for _ in range(times):
        install.main(["--tree", str(tree), "--remove"])
    assert contents(tree) == before


def test_what_an_older_version_left_is_gone_after_the_next(tree):
    install.main(["--tree", str(tree)])
    old = tree / "sunbeam" / "features" / "instance_recovery" / "old.py"
    old.touch()
    install.main(["--tree", str(tree)])
    assert not old.exists()


def test_a_folder_that_is_no_sunbeam_is_told(tmp_path):
    with pytest.raises(SystemExit, match=r"is no sunbeam-python.*nothing was changed"):
        install.main(["--tree", str(tmp_path)])


@pytest.fixture
def home(tmp_path, monkeypatch) -> pathlib.Path:
    found = tmp_path / "home dir"
    found.mkdir()
    monkeypatch.setenv("HOME", str(found))
    return found


def snap(tmp_path: pathlib.Path) -> pathlib.Path:
    """A ``snap`` that runs a shell with the environment of a snap, as the real one does."""
    where = tmp_path / "bin"
    where.mkdir()
    (where / "python3").symlink_to(sys.executable)
    (where / "snap").write_text(
        '#!/bin/sh\n[ "$1 $2 $3" = "run --shell openstack.sunbeam" ] || exit 9\nshift 3\n'
        f'SNAP={tmp_path} exec bash "$@"\n'
    )
    (where / "snap").chmod(0o755)
    return where


def test_beside_the_snap_its_command_runs_with_this_feature(tree, tmp_path, home):
    folder = home / "instance recovery"
    install.main(["--folder", str(folder)])
    environment = {"PATH": f"{snap(tmp_path)}:{os.environ['PATH']}", "PYTHONPATH": str(tree)}
    said = subprocess.run(
        [folder / "sunbeam", "enable", "two words"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert said == f"{folder}/instance_recovery/feature.py enable two words\n"


def test_beside_the_snap_it_can_be_made_twice_and_removed(home):
    folder = home / "here"
    for _ in range(2):
        install.main(["--folder", str(folder)])
    for _ in range(2):
        install.main(["--folder", str(folder), "--remove"])
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("where", ["/opt/here", "~/.hidden/here"])
def test_where_the_snap_cannot_read_it_is_not_put(home, where):
    with pytest.raises(SystemExit, match="cannot be read by the snap"):
        install.main(["--folder", where])


@pytest.mark.parametrize("words", [[], ["--remove"]], ids=["install", "remove"])
def test_a_folder_with_something_else_is_left_alone(home, words):
    (home / "mine").mkdir()
    (home / "mine" / "letter").touch()
    with pytest.raises(SystemExit, match="nothing was changed"):
        install.main(["--folder", str(home / "mine"), *words])
    assert (home / "mine" / "letter").exists()
