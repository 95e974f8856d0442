# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Rules and dashboard of masakari-k8s, judged by a real Prometheus that scrapes real pages."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import socket
import subprocess
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import requests
import sqlalchemy as sa
import yaml

from instance_ha.model import IncidentState, Network, Reach
from instance_ha.names import STRANGER, Finding
from instance_ha_relations.topology import Topology
from masakari_k8s import observation

with warnings.catch_warnings():  # upstream's own: it imports what is deprecated
    warnings.simplefilter("ignore")
    from masakari.db.sqlalchemy import models

    from masakari_instance_ha import echo, exporter, spare, store, vitals
    from masakari_instance_ha.observer import ConsulObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = pathlib.Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "how-to" / "answer-an-alert.md"
HERE = Topology(
    model="openstack",
    model_uuid="8f4e2f1c-0000-4000-8000-000000000001",
    application="masakari",
    unit="masakari/0",
    charm_name="masakari-k8s",
)
PATIENCE_S = 180.0

RULES = [rule for group in observation.alerts() for rule in group["rules"]]
LOG_RULES = [rule for group in observation.log_alerts() for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads(observation.DASHBOARD.read_text())
QUERIES = [
    pytest.param(
        target["expr"].replace("$juju_model", ".*").replace("$juju_application", ".*"),
        id=f"{panel['title']} {target['refId']}",
    )
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
    if panel["type"] != "logs"
]


def words(rule: dict[str, Any]) -> str:
    return str(rule["alert"])


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; Debian has it in the package prometheus")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"never seen: {what}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def rules_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The rules as a Prometheus gets them over the relation."""
    path = tmp_path_factory.mktemp("rules") / "alerts.yaml"
    path.write_text(yaml.safe_dump(HERE.rules(observation.alerts())))
    return path


class TwoOfThree:
    """A network of three Consul servers of which two answer."""

    network = Network.STORAGE

    def judge(self) -> dict[str, Reach]:
        return {"h1": Reach.DOWN, "h2": Reach.UP}

    def heard(self) -> frozenset[str]:
        return frozenset({"consul-1", "consul-2"})

    def size(self) -> int:
        return 3


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The pages of a controller that holds a lost host back, and of its engine, as one."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/store.sqlite"
    store.migrate(url)
    models.BASE.metadata.create_all(sa.create_engine(url))
    journal = store.Store(url)
    incident = journal.open("h1", segment="rack-1", at_s=time.time() - 60, reason="storage down")
    journal.move(incident, IncidentState.HELD, at_s=time.time(), reason="held by rate: 3 hosts")
    stranger = Finding(kind=STRANGER, about="h9", fact="f", consequence="c", advice="a")
    journal.board().post([stranger], at_s=500.0)
    observer = ConsulObserver([TwoOfThree()])
    observer.observe()
    own = vitals.ControllerVitals(vitals.Sign("no pass"), observer=observer, fence_tests=dict)
    lease = journal.lease(spare.LEASE, holder="m-0")
    room = spare.SpareRoom(lambda: {"rack-1": 2}, lease=lease, every_s=900)
    room.look(time.monotonic())
    port = free_port()
    collectors = (journal.figures, own, echo.Echo(), room)
    exporter.serve(port=port, collectors=collectors, ill=lambda: "", listen="127.0.0.1")
    return f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def prometheus(
    pages: str, rules_file: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A Prometheus that has scraped the pages and looked at every rule; its URL."""
    command, home, port = program("prometheus"), tmp_path_factory.mktemp("prometheus"), free_port()
    job = {
        "job_name": "controller",
        "static_configs": [{"targets": [pages], "labels": HERE.labels() | {"juju_unit": "m/0"}}],
    }
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules_file)],
        "scrape_configs": [job],
    }
    (home / "prometheus.yml").write_text(yaml.safe_dump(config))
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [command, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}/api/v1"
    try:
        eventually(lambda: scraped(url), f"a scrape: {(home / 'log').read_text()[-2000:]}")
        yield url
    finally:
        process.kill()
        process.wait()


def scraped(url: str) -> bool:
    try:
        return bool(ask(url, "up == 1 and on() count(ALERTS) > 0"))
    except requests.ConnectionError:
        return False


def ask(url: str, query: str) -> list[Any]:
    answer = requests.get(f"{url}/query", params={"query": query}, timeout=60).json()
    assert answer["status"] == "success", f"{query}: {answer.get('error')}"
    found: list[Any] = answer["data"]["result"]
    return found


def metrics(text: str) -> set[str]:
    return set(re.findall(r"\b(?:instance_ha|process)_\w+", text))


@pytest.fixture(scope="module")
def served(pages: str) -> str:
    return requests.get(f"http://{pages}/metrics", timeout=60).text


@pytest.mark.parametrize("query", QUERIES)
def test_dashboard_asks_what_a_prometheus_understands_and_we_tell(
    query: str, prometheus: str, served: str
):
    ask(prometheus, query)

    assert metrics(query)
    for name in metrics(query):
        base = re.sub(r"_(total|bucket)$", "", name)
        assert f"# TYPE {name} " in served or f"# TYPE {base} " in served


@pytest.mark.parametrize("rule", RULES, ids=words)
def test_rule_is_evaluated_over_what_we_tell(rule, prometheus: str, served: str):
    def known() -> dict[str, str]:
        groups = requests.get(f"{prometheus}/rules", timeout=60).json()["data"]["groups"]
        return {one["name"]: one["health"] for group in groups for one in group["rules"]}

    eventually(lambda: known().get(rule["alert"]) == "ok", f"{rule['alert']} is well: {known()}")
    for name in metrics(rule["expr"]):
        assert f"# TYPE {name} " in served


def test_what_is_wrong_now_is_told_by_name(prometheus: str):
    held = 'ALERTS{alertname="InstanceRecoveryHeld", alertstate="firing"}'

    eventually(lambda: bool(ask(prometheus, held)), "a firing alert")

    labels = ask(prometheus, held)[0]["metric"]
    assert (labels["host"], labels["segment"], labels["guard"]) == ("h1", "rack-1", "rate")
    assert labels["juju_application"] == "masakari"
    wrong = {one["metric"]["alertname"] for one in ask(prometheus, "ALERTS")}
    assert {"InstanceRecoveryNobodyActs", "InstanceRecoveryUnprotected"} <= wrong
    assert "InstanceRecoveryBlind" not in wrong, "two of three are a majority"


SELECT = ", ".join(
    f'{name}="{HERE.labels()[name]}"'
    for name in ("juju_model", "juju_model_uuid", "juju_application")
)
CASES: dict[str, tuple[str, str, str]] = {
    "InstanceRecoveryHostLost": (
        'instance_ha_incident_opened_timestamp_seconds{%s, host="h1", segment="a", state="open"}',
        "1x200",
        "0x200",
    ),
    "InstanceRecoveryHeld": (
        'instance_ha_incident_opened_timestamp_seconds{%s, host="h1", segment="a", guard="rate", '
        'state="held"}',
        "1x200",
        "_x200",
    ),
    "InstanceRecoverySlow": (
        'instance_ha_incident_opened_timestamp_seconds{%s, host="h1", state="recovering"}',
        "1x200",
        "11900x200",
    ),
    "InstanceRecoveryFenceFailed": (
        'instance_ha_fence_failures_total{%s, result="given-up"}',
        "3x194 4x20",
        "7x194 2x20",
    ),
    "InstanceRecoveryMachineNotMoved": (
        'instance_ha_evacuations_total{%s, result="failed"}',
        "0x194 1x20",
        "7x194 2x20",
    ),
    "InstanceRecoveryNobodyActs": (
        'instance_ha_lease_held{%s, lease="controller", holder="m-0"}',
        "0x200",
        "1x200",
    ),
    "InstanceRecoveryControllerStuck": (
        "instance_ha_controller_pass_age_seconds{%s}",
        "61x200",
        "60x200",
    ),
    "InstanceRecoveryEngineSilent": (
        "instance_ha_engine_answer_age_seconds{%s}",
        "61x200",
        "60x200",
    ),
    "InstanceRecoveryEngineLost": (
        'instance_ha_engine_silence_seconds{%s, host="h1"}',
        "121x200",
        "30x200",
    ),
    "InstanceRecoveryStoreDown": ("instance_ha_store_up{%s}", "0x200", "1x200"),
    "InstanceRecoveryBlind": (
        'instance_ha_consul_servers_heard{%s, network="storage"}',
        "1x200",
        "2x200",
    ),
    "InstanceRecoveryObserverMissing": (
        'instance_ha_consul_servers_heard{%s, network="storage"}',
        "2x200",
        "3x200",
    ),
    "InstanceRecoveryUnprotected": (
        'instance_ha_finding_since_timestamp_seconds{%s, kind="stranger", about="h9"}',
        "5x200",
        "_x200",
    ),
    "InstanceRecoveryNoSpareRoom": (
        'instance_ha_segment_spare_hosts{%s, segment="a"}',
        "0x200",
        "1x200",
    ),
    "InstanceRecoveryPaused": ('instance_ha_pauses{%s, scope="cloud"}', "1x200", "0x200"),
    "InstanceRecoverySegmentOff": (
        'instance_ha_segment_enabled{%s, segment="a"}',
        "0x200",
        "1x200",
    ),
}
"""Alert -> series, values of it that raise the alert, values that do not, one a minute."""


def test_every_rule_has_its_case():
    assert CASES.keys() == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("raises", [True, False], ids=["raised", "calm"])
def test_rule_is_raised_where_it_should_and_only_there(
    raises: bool, rules_file: pathlib.Path, tmp_path: pathlib.Path
):
    command = program("promtool")
    three = f'instance_ha_consul_servers_expected{{{SELECT}, network="storage"}}'
    groups = []
    for alert, (series, bad, good) in CASES.items():
        told = [{"series": series % SELECT, "values": bad if raises else good}]
        asked = {
            "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)',
            "eval_time": "200m",
            "exp_samples": [{"labels": "{}", "value": int(raises)}],
        }
        groups.append(
            {
                "name": alert,
                "interval": "1m",
                "input_series": [*told, {"series": three, "values": "3x200"}],
                "promql_expr_test": [asked],
            }
        )
    cases = {"rule_files": [str(rules_file)], "tests": groups}
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(cases))

    done = subprocess.run(
        [command, "test", "rules", tmp_path / "cases.yaml"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_tool_finds_nothing_to_say(rules_file: pathlib.Path):
    done = subprocess.run(
        [program("promtool"), "check", "rules", rules_file],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", [*RULES, *LOG_RULES], ids=words)
def test_every_alert_has_a_page_that_says_what_to_do(rule):
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert ROOT / page == RUNBOOK
    assert anchor == rule["alert"].lower()
    assert f"\n## {rule['alert']}\n" in RUNBOOK.read_text()


@pytest.mark.parametrize("rule", LOG_RULES, ids=words)
def test_sentence_that_a_log_rule_waits_for_is_said(rule):
    sentence = re.search(r'\|= "([^"]+)"', rule["expr"])
    sources = (ROOT / "packages").glob("masakari-instance-ha/src/**/*.py")

    assert sentence
    assert any(sentence[1] in source.read_text() for source in sources)


def test_panels_have_a_place_of_their_own():
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
