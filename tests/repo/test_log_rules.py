# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What masakari-k8s has a Loki ask, read by Loki's own parser."""

import json
import os
import pathlib
import subprocess
from collections.abc import Sequence

import pytest

from instance_ha_relations.topology import Topology
from lab import binaries, paths
from masakari_k8s import observation


@pytest.fixture(scope="module")
def logql() -> pathlib.Path:
    """Loki's own parser, built once from its Go module; minutes of all processors."""
    built = paths.binary_path("logql")
    if not built.exists() and os.environ.get("INSTANCE_HA_BUILD_LOGQL"):
        binaries.start_build("logql")
        binaries.await_build("logql")
    if not built.exists():
        pytest.skip("Loki's parser is not built: INSTANCE_HA_BUILD_LOGQL=1 builds it once")
    return built


def test_loki_understands_what_it_is_asked(logql: pathlib.Path):
    topology = Topology(
        model="openstack",
        model_uuid="8f4e2f1c-0000-4000-8000-000000000001",
        application="masakari",
        unit="masakari/0",
        charm_name="masakari-k8s",
    )
    dashboard = json.loads(observation.DASHBOARD.read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] == "logs"]
    groups = topology.rules(observation.log_alerts())["groups"]
    asked = [rule["expr"] for group in groups for rule in group["rules"]]
    asked += [target["expr"] for panel in panels for target in panel["targets"]]

    def told(expressions: Sequence[str]) -> subprocess.CompletedProcess[str]:
        text = "".join(f"{expression}\n" for expression in expressions)
        return subprocess.run(
            [logql], input=text, capture_output=True, text=True, check=False, timeout=60
        )

    found = told(asked)
    assert found.returncode == 0, found.stdout
    assert len(asked) > 2
    assert told([f"{asked[0]} >"]).returncode == 1, "it would have said so"
