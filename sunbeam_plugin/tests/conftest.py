# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import contextlib
import importlib
import json
import os
import pathlib
import sys
import tempfile

import pytest
from fakes import Clock, FakeCloud, Transcript, machine
from maas_server import MaasServer
from sunbeam_cloud import vars_of

HERE = pathlib.Path(__file__).parent
DEPLOYMENT = {"risk": "edge", "version": "2026.1"}
"""What the snap was told; each test may change it."""


def pytest_addoption(parser):
    parser.addoption(
        "--sunbeam",
        type=pathlib.Path,
        help="checkout of snap-openstack to test with; else what is recorded of it in contract/",
    )


def pytest_configure(config):
    """Let ``sunbeam`` be found, with our feature in the place of the built-in one."""
    checkout = config.getoption("--sunbeam")
    if checkout is None:
        sys.path.insert(0, str(HERE / "contract"))
    else:
        sys.path.insert(0, str(checkout / "sunbeam-python"))
        in_a_snap(checkout)
    launcher = importlib.import_module("launcher")
    launcher.take_place(importlib.import_module("sunbeam.features"))


def in_a_snap(checkout: pathlib.Path) -> None:
    """Make Sunbeam believe that it runs in its snap; the folder goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="snap-")
    in_a_snap.folder = folder  # type: ignore[attr-defined]
    root = pathlib.Path(folder.name)
    (root / "etc").mkdir()
    (root / "etc" / "manifests").symlink_to(checkout / "manifests")
    for name in ("SNAP", "SNAP_COMMON", "SNAP_DATA", "SNAP_USER_COMMON", "SNAP_USER_DATA"):
        os.environ[name] = str(root)
    os.environ |= {"SNAP_REAL_HOME": str(root), "SNAP_INSTANCE_NAME": "openstack"}
    os.environ |= {"SNAP_NAME": "openstack", "SNAP_REVISION": "1", "SNAP_VERSION": "2026.1"}
    environ = importlib.import_module("snaphelpers._env")
    if not hasattr(environ, "NotASnapError"):  # Sunbeam pins a later state than was published
        environ.NotASnapError = type("NotASnapError", (Exception,), {})
    control = importlib.import_module("snaphelpers._ctl")
    control.SnapCtl.run = lambda self, *words: json.dumps({"deployment": DEPLOYMENT})
    for plan in importlib.import_module("sunbeam.versions").TERRAFORM_DIR_NAMES.values():
        (root / "etc" / plan).mkdir()


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def show() -> Transcript:
    return Transcript()


@pytest.fixture
def serve():
    with contextlib.ExitStack() as running:
        yield lambda count=2, **words: running.enter_context(MaasServer(count, **words).serving())


@pytest.fixture
def maas(serve):
    """A MAAS with the two machines of the cloud."""
    server = serve()
    rows = [vars_of(machine(number)) for number in (1, 2)]
    server.answers["machines/"] = (200, rows)
    return server


@pytest.fixture
def sunbeam(cloud, maas, tmp_path, monkeypatch):
    """``sunbeam`` as a person types it."""
    harness = importlib.import_module("harness")  # which loads Sunbeam, so not before it is found
    made = harness.Sunbeam(cloud, tmp_path, maas.url)
    harness.replace_machines(monkeypatch, made)
    return made
