# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Rules and dashboard of masakari-monitors, judged by Prometheus' own tool."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from hypervisor_instance_ha import metrics
from instance_ha_relations.topology import Topology
from masakari_monitors import observation

ROOT = pathlib.Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "how-to" / "answer-an-alert.md"
HERE = Topology(
    model="machines",
    model_uuid="8f4e2f1c-0000-4000-8000-000000000002",
    application="masakari-monitors",
    unit="masakari-monitors/0",
    charm_name="masakari-monitors",
)
RULES = [rule for group in observation.alerts() for rule in group["rules"]]
RAISED: dict[str, tuple[str, int, int]] = {
    "InstanceRecoveryMonitorDown": ('instance_ha_monitor_up{%s, monitor="instances"}', 0, 1),
    "InstanceRecoveryReportsWait": (
        'instance_ha_monitor_reports_waiting{%s, monitor="instances"}',
        3,
        0,
    ),
    "InstanceRecoveryLibvirtAway": ("instance_ha_libvirt_up{%s}", 0, 1),
    "InstanceRecoveryServiceDown": ("instance_ha_services_down{%s}", 1, 0),
    "InstanceRecoveryStorageSilent": ("instance_ha_storage_up{%s}", 0, 1),
    "InstanceRecoveryReturnHeld": ("instance_ha_return_guard_holds{%s}", 1, 0),
    "InstanceRecoveryMonitorsPaused": ("instance_ha_monitors_paused{%s}", 1, 0),
    "InstanceRecoveryRingUnseen": ("instance_ha_ring_seen{%s}", 0, 1),
}
"""Alert -> series, a value that raises the alert, one that does not."""
SELECT = ", ".join(f'{name}="{value}"' for name, value in HERE.labels().items())


@pytest.fixture(scope="module")
def rules_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("rules") / "alerts.yaml"
    path.write_text(yaml.safe_dump(HERE.rules(observation.alerts())))
    return path


def promtool(*words: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    command = shutil.which("promtool")
    if command is None:
        pytest.skip("promtool is not installed; Debian has it in the package prometheus")
    return subprocess.run(
        [command, *words], capture_output=True, text=True, timeout=300, check=False
    )


def told(text: str) -> set[str]:
    return set(re.findall(r"\binstance_ha_\w+", text))


def test_every_rule_has_its_case():
    assert RAISED.keys() == {rule["alert"] for rule in RULES}


def test_prometheus_tool_finds_nothing_to_say(rules_file: pathlib.Path):
    done = promtool("check", "rules", rules_file)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("raises", [True, False], ids=["raised", "calm"])
def test_rule_is_raised_where_it_should_and_only_there(
    raises: bool, rules_file: pathlib.Path, tmp_path: pathlib.Path
):
    groups = [
        {
            "name": alert,
            "interval": "1m",
            "input_series": [
                {"series": series % SELECT, "values": f"{bad if raises else good}x800"}
            ],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
                    " or vector(0)",
                    "eval_time": "800m",
                    "exp_samples": [{"labels": "{}", "value": int(raises)}],
                }
            ],
        }
        for alert, (series, bad, good) in RAISED.items()
    ]
    cases = tmp_path / "cases.yaml"
    cases.write_text(yaml.safe_dump({"rule_files": [str(rules_file)], "tests": groups}))

    done = promtool("test", "rules", cases)

    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_dashboard_ask_for_what_is_served():
    served = told(metrics.page({}, runs={}, paused=False))
    dashboard = json.loads(observation.DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]

    assert {name for rule in RULES for name in told(rule["expr"])} <= served
    assert {name for query in queries for name in told(query)} <= served


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_alert_has_a_page_that_says_what_to_do(rule):
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert ROOT / page == RUNBOOK
    assert anchor == rule["alert"].lower()
    assert f"\n## {rule['alert']}\n" in RUNBOOK.read_text()
