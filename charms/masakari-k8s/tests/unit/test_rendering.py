# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import configparser
import dataclasses
import json
import pathlib

import pydantic
import pytest
from masakari import policies
from oslo_config import cfg, types
from oslo_policy import policy

from instance_ha.model import Network
from instance_ha.recovery import task_flows
from instance_ha_relations.ceph_client import CephAccount
from instance_ha_relations.fencing import FencingTarget
from masakari_instance_ha import assembly, connection, options
from masakari_k8s import rendering
from masakari_k8s.workload import File
from masakari_k8s.world import Core, Database, Fencing, Keystone, Watch

from .metadata import config

PASSWORD = "p$a%s;s#'\"$$w[0]"
CONFIG = config(**{
    "evacuation-delay": 7, "evacuate-all-instances": False, "monitoring-interval": 20,
    "monitoring-samples": 4, "max-failing-share": 40, "return-after": 90,
    "duplicate-window": 120, "evacuations-at-once": 7, "protected-servers": "tag",
    "segment-servers": "rack-1:all,rack-2:metadata", "instance-disks": "local",
    "ignored-servers": "name=^amphora-[0-9]{2}$ project=abc",
})  # fmt: skip
CORE = Core(
    config=CONFIG,
    database=Database(
        name="db/masakari_api", url=pydantic.SecretStr("mysql+pymysql://u:p%24@db/m"), ca="CA"
    ),
    transport_url=pydantic.SecretStr("rabbit://u:p%24@mq:5672/openstack"),
    keystone=Keystone(
        auth_url="http://k.internal/v3", public_auth_url="http://k.public/v3", username="svc",
        password=pydantic.SecretStr(PASSWORD), project="services", domain="service_domain",
    ),
    authorities=("ONE", "TWO"),
    ingress_paths=("/openstack-masakari", "/public-masakari"),
)  # fmt: skip
FENCING = Fencing(
    mode="maas",
    maas_url="https://maas/MAAS",
    credentials=pydantic.SecretStr("a:b:c"),
    ca="MAASCA",
    targets={"h1": FencingTarget(system_id="sys-h1", result="ok", tested_at="now")},
)
WATCH = Watch(consul={Network.MANAGEMENT: "m:8500", Network.STORAGE: "s:8500"})
FLOW = types.Dict(
    bounds=False,
    value_type=types.List(bounds=True, item_type=types.String(quotes=True)),
)
"""The type that Masakari's options of task flows have."""


@pytest.fixture
def parsed(tmp_path: pathlib.Path):
    """Return a way to read rendered files as an OpenStack service does."""

    def read(*files: File) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        paths: list[str] = []
        for file in files:
            target = tmp_path / pathlib.Path(file.path).name
            target.write_text(file.text)
            if target.suffix == ".conf":
                paths += ["--config-file", str(target)]
        options.register(conf)
        conf.register_opts([cfg.StrOpt("connection")], group="database")
        conf.register_opts([cfg.StrOpt("connection")], group="taskflow")
        conf.register_opts(
            [cfg.StrOpt("transport_url"), cfg.StrOpt("notification_driver"),
             cfg.IntOpt("wait_period_after_service_update"),
             cfg.IntOpt("notification_delay_max"), cfg.StrOpt("os_privileged_user_password"),
             cfg.BoolOpt("nova_api_insecure", default=True),
             cfg.IntOpt("duplicate_notification_detection_interval")]
        )  # fmt: skip
        for group in ("keystone_authtoken", "api"):
            conf.register_opts([cfg.StrOpt("password"), cfg.StrOpt("cafile")], group=group)
            conf.register_opts([cfg.BoolOpt("insecure", default=True)], group=group)
        conf.register_opts([cfg.BoolOpt("evacuate_all_instances")], group="host_failure")
        conf.register_opts([cfg.StrOpt("monitoring_driver")], group="host")
        conf.register_opts(
            [cfg.Opt(f"host_{kind}_failure_recovery_tasks", type=FLOW) for kind in ("auto", "rh")],
            group="taskflow_driver_recovery_flows",
        )
        conf(paths, project="test", default_config_files=[])
        return conf

    return read


def test_masakari_conf_says_what_was_meant(parsed):
    conf = parsed(*rendering.masakari(CORE, unit="masakari/0"))

    assert conf.database.connection == conf.taskflow.connection == "mysql+pymysql://u:p%24@db/m"
    assert conf.transport_url == "rabbit://u:p%24@mq:5672/openstack"
    assert conf.wait_period_after_service_update == 7
    assert conf.duplicate_notification_detection_interval == 120
    assert conf.notification_delay_max == 0
    assert conf.notification_driver == "instance_ha"
    assert conf.host_failure.evacuate_all_instances is False
    assert conf.keystone_authtoken.cafile == "/etc/masakari/ca-bundle.pem"


@pytest.mark.parametrize("insecure", [False, True])
def test_certificates_are_checked_unless_an_option_says_otherwise(parsed, insecure: bool):
    core = dataclasses.replace(CORE, config=config(**{"tls-insecure": insecure}))

    conf = parsed(
        *rendering.masakari(core, unit="masakari/0"),
        *rendering.monitors(core, unit="masakari/0"),
        *rendering.instance_ha(core, FENCING, WATCH, unit="masakari/0"),
    )

    assert conf.keystone_authtoken.insecure is insecure
    assert conf.nova_api_insecure is insecure
    assert conf.api.insecure is insecure
    assert conf.instance_ha_api.insecure is insecure
    assert connection.connect(conf).session.verify == (
        False if insecure else "/etc/masakari/ca-bundle.pem"
    )


def test_passwords_survive_the_notation(parsed):
    conf = parsed(
        *rendering.masakari(CORE, unit="masakari/0"),
        *rendering.monitors(CORE, unit="masakari/0"),
        *rendering.instance_ha(CORE, FENCING, WATCH, unit="masakari/0"),
    )

    for found in (
        conf.keystone_authtoken.password,
        conf.os_privileged_user_password,
        conf.api.password,
        conf.instance_ha_api.password,
    ):
        assert found == PASSWORD


def test_which_servers_move_reaches_the_plugin(parsed):
    conf = parsed(*rendering.instance_ha(CORE, FENCING, WATCH, unit="masakari/0"))

    assert conf.instance_ha_servers.protect == "tag"
    assert conf.instance_ha_servers.segments == {"rack-1": "all", "rack-2": "metadata"}
    assert conf.instance_ha_servers.ignored == ["name=^amphora-[0-9]{2}$", "project=abc"]
    assert conf.instance_ha_servers.disks == "local"


def test_every_flow_fences_first(parsed):
    conf = parsed(*rendering.masakari(CORE, unit="masakari/0")).taskflow_driver_recovery_flows

    assert conf.host_auto_failure_recovery_tasks == task_flows()["auto"]
    assert conf.host_rh_failure_recovery_tasks == task_flows()["rh"]
    for flow in (conf.host_auto_failure_recovery_tasks, conf.host_rh_failure_recovery_tasks):
        assert flow["pre"][0] == "fence_host_task"


def test_plugin_gets_every_figure(parsed):
    conf = parsed(*rendering.instance_ha(CORE, FENCING, WATCH, unit="masakari/0"))

    assert conf.instance_ha.unit == "masakari-0"
    assert conf.instance_ha.networks == ["management", "storage"]
    assert conf.instance_ha.tick == 20
    assert conf.instance_ha.hold == 60, "four looks 20 s apart span 60 s"
    assert conf.instance_ha.lease_ttl == 60
    assert conf.instance_ha.max_failing_percent == 40
    assert conf.instance_ha_consul.storage == ["s:8500"]
    assert conf.instance_ha_consul.tenant == []
    assert conf.host_failure.evacuate_all_instances is False
    assert conf.instance_ha_fencing.mode == "maas"
    assert conf.instance_ha_fencing.ca_file == "/etc/masakari/maas-ca.pem"


def test_tables_are_migrated_where_they_are_used(parsed):
    store = parsed(rendering.store(CORE)).instance_ha.connection

    assert store == parsed(*rendering.masakari(CORE, unit="masakari/0")).database.connection


def test_trust_is_placed_where_it_is_offered():
    files = {file.path: file.text for file in rendering.masakari(CORE, unit="masakari/0")}

    assert files["/etc/masakari/ca-bundle.pem"] == "ONE\nTWO\n"
    assert files["/etc/masakari/database-ca.pem"] == "CA\n"


def test_hostmonitor_loads_our_controller(parsed):
    conf = parsed(*rendering.monitors(CORE, unit="masakari/0"))

    assert conf.host.monitoring_driver == "instance_ha"


def test_api_answers_at_the_root_and_behind_every_proxy():
    paste = configparser.RawConfigParser(delimiters=("=", ":"))
    paste.optionxform = str
    paste.read_string(rendering.api_paste(CORE).text)

    mounts = dict(paste["composite:masakari_api"])
    for path in ("", "/openstack-masakari", "/public-masakari"):
        assert mounts[path or "/"] == "versions"
        assert mounts[f"{path}/v1"] == "v1"
        assert mounts[f"{path}/healthcheck"] == "health"


def test_api_is_for_administrators(parsed, tmp_path: pathlib.Path):
    conf = parsed(*rendering.masakari(CORE, unit="masakari/0"))
    assert "policy_file = /etc/masakari/policy.yaml" in (tmp_path / "masakari.conf").read_text()
    (tmp_path / "policy.yaml").write_text(rendering.policy().text)
    enforcer = policy.Enforcer(conf, policy_file=str(tmp_path / "policy.yaml"))
    enforcer.register_defaults(policies.list_rules())
    rules = [
        rule.name
        for rule in policies.list_rules()
        if rule.name.startswith("os_masakari_api:") and ":versions:" not in rule.name
    ]

    def may(rule: str, *, is_admin: bool, roles: list[str]) -> bool:
        person = {"project_id": "p", "user_id": "u", "roles": roles, "is_admin": is_admin}
        return enforcer.authorize(rule, {"project_id": "p"}, person)

    assert len(rules) > 10
    assert not [rule for rule in rules if may(rule, is_admin=False, roles=["member", "manager"])]
    assert all(may(rule, is_admin=True, roles=["admin"]) for rule in rules)
    assert not may("context_is_admin", is_admin=False, roles=["member"])
    assert may("context_is_admin", is_admin=False, roles=["admin"])


def test_line_break_in_a_value_is_refused():
    keystone = CORE.keystone.__class__(
        **{**CORE.keystone.__dict__, "password": pydantic.SecretStr("a\n[instance_ha_fencing]")}
    )
    core = Core(**{**CORE.__dict__, "keystone": keystone})

    with pytest.raises(ValueError, match="line break"):
        rendering.masakari(core, unit="masakari/0")


def test_a_ladder_reaches_the_fencer_as_it_was_offered(parsed):
    ladder = dataclasses.replace(
        FENCING,
        bmcs=pydantic.SecretStr('{"h1": []}'),
        rungs=["ipmi", "maas"],
        segment_rungs={"rack-2": "maas", "rack-1": "ipmi+maas"},
    )

    files = rendering.instance_ha(CORE, ladder, WATCH, unit="masakari/0")

    chosen = parsed(*files).instance_ha_fencing
    assert chosen.rungs == ["ipmi", "maas"]
    assert chosen.segment_rungs == {"rack-1": "ipmi+maas", "rack-2": "maas"}
    (bmcs,) = [file for file in files if file.path == rendering.BMCS]
    assert chosen.bmc_file == rendering.BMCS
    assert bmcs.text == '{"h1": []}\n'
    assert bmcs.live, "a new password restarts nothing"


def test_access_to_ceph_is_a_configuration_and_a_key_apart(parsed):
    account = CephAccount(hosts=["10.0.0.1"], user="shim", key=pydantic.SecretStr("AQBkZXYK"))
    target = FencingTarget(system_id="sys-h1", storage_addresses=["10.73.0.11"], result="ok")
    fencing = dataclasses.replace(FENCING, ceph=account, targets={"h1": target})

    rendered = rendering.instance_ha(CORE, fencing, WATCH, unit="masakari/0")

    files = {file.path: file for file in rendered}
    chosen = parsed(*rendered).instance_ha_fencing
    assert chosen.ceph_conf == rendering.CEPH_CONF
    assert chosen.ceph_keyring == rendering.CEPH_KEYRING
    assert chosen.ceph_user == "shim"
    assert "mon_host = 10.0.0.1\n" in files[rendering.CEPH_CONF].text
    assert [path for path, file in files.items() if "AQBkZXYK" in file.text] == [
        rendering.CEPH_KEYRING
    ]
    assert files[rendering.CEPH_KEYRING].live, "a new key restarts nothing"
    listed = json.loads(files[rendering.TARGETS].text)
    assert listed["h1"]["storage_addresses"] == ["10.73.0.11"]


def test_without_bmcs_no_file_of_them_is_named(parsed):
    files = rendering.instance_ha(CORE, FENCING, WATCH, unit="masakari/0")

    assert parsed(*files).instance_ha_fencing.bmc_file is None
    assert rendering.BMCS not in [file.path for file in files]


@pytest.mark.parametrize(("interval", "ttl"), [(1, 7), (2, 7), (5, 15)])
def test_another_controller_acts_within_ten_seconds_or_three_looks(interval: int, ttl: int):
    assert config(**{"monitoring-interval": interval}).lease_ttl_s == ttl


@pytest.mark.parametrize(
    "options_set",
    [
        {},
        {"return": "manual", "refill-reserve": False, "duplicate-window": 90},
        {"approval-segments": "rack-1, rack-2", "monitoring-interval": 9, "kdump": True},
        {"max-failing-share": 33, "flap-changes": 0, "hold": 60, "partial-hold": 61},
    ],
    ids=str,
)
def test_charm_judges_options_by_the_policy_that_the_controller_reads(
    parsed, options_set: dict[str, object]
):
    core = dataclasses.replace(CORE, config=config(**options_set))
    conf = parsed(*rendering.instance_ha(core, FENCING, WATCH, unit="masakari/0"))

    assert assembly.policy(conf) == core.config.policy(tuple(WATCH.consul))
