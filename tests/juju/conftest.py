# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""A real controller, the packed charms, and a model that goes away afterwards.

CHARM_DIR=DIRECTORY               where the packed charms lie: masakari-k8s_*.charm and so on
JUJU_CONTROLLER=NAME              a Kubernetes controller, for masakari-k8s
JUJU_MACHINE_CONTROLLER=NAME      a controller with machines, for the two subordinates
MASAKARI_IMAGE=IMAGE              instead of the image that charmcraft.yaml names
"""

import os
import pathlib
import shutil
from collections.abc import Iterator

import jubilant
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _model(variable: str) -> Iterator[jubilant.Juju]:
    if shutil.which("juju") is None:
        pytest.skip("there is no juju on PATH: these scenarios want a real controller")
    controller = os.environ.get(variable)
    if not controller:
        pytest.skip(f"{variable} names no controller: these scenarios want a real one")
    with jubilant.temp_model(controller=controller) as juju:
        yield juju


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[jubilant.Juju]:
    yield from _model("JUJU_CONTROLLER")


@pytest.fixture(scope="session")
def machines() -> Iterator[jubilant.Juju]:
    yield from _model("JUJU_MACHINE_CONTROLLER")


def packed(charm: str) -> pathlib.Path:
    """Return the packed charm, or skip with the command that makes one."""
    directory = pathlib.Path(os.environ.get("CHARM_DIR", "."))
    found = sorted(directory.glob(f"{charm}_*.charm"))
    if not found:
        pytest.skip(
            f"CHARM_DIR={directory} has no {charm}_*.charm: "
            f"stage it (tox run -e stage) and pack it in build/stage/{charm} with charmcraft"
        )
    return found[-1].resolve()


def image() -> dict[str, str]:
    """Return the resource that masakari-k8s needs."""
    text = (ROOT / "charms/masakari-k8s/charmcraft.yaml").read_text()
    named = yaml.safe_load(text)["resources"]["masakari-image"]["upstream-source"]
    return {"masakari-image": os.environ.get("MASAKARI_IMAGE", named)}


@pytest.fixture(scope="session")
def masakari(kubernetes: jubilant.Juju) -> str:
    """The name of masakari-k8s, deployed and alone."""
    kubernetes.deploy(packed("masakari-k8s"), "masakari", resources=image())
    return "masakari"


@pytest.fixture(scope="session")
def shim(machines: jubilant.Juju) -> str:
    """The name of hacluster-shim, beside a principal."""
    machines.deploy("ubuntu", base="ubuntu@24.04")
    machines.deploy(packed("hacluster-shim"), "hacluster-shim")
    machines.integrate("ubuntu", "hacluster-shim:juju-info")
    return "hacluster-shim"
