# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every option of charmcraft.yaml: where it ends up, its range, and what it contradicts."""

import dataclasses
import pathlib
import re

import pydantic
import pytest
from ops import testing
from oslo_config import cfg

from masakari_instance_ha import assembly, options
from masakari_k8s import rendering

from .cloud import API, ENGINE, HOSTMONITOR, Cloud, running
from .metadata import OPTIONS, config
from .test_rendering import CORE, FENCING, WATCH

PLUGIN = {
    "hold": "instance_ha.hold",
    "monitoring-interval": "instance_ha.tick",
    "monitoring-samples": "instance_ha.samples",
    "partial-hold": "instance_ha.partial_hold",
    "flap-changes": "instance_ha.flap_changes",
    "flap-window": "instance_ha.flap_window",
    "flap-hold": "instance_ha.flap_hold",
    "max-failing-share": "instance_ha.max_failing_percent",
    "max-failing-domain-share": "instance_ha.max_failing_domain_percent",
    "domain-hosts-per-minute": "instance_ha.domain_hosts_per_minute",
    "max-hosts-per-minute": "instance_ha.max_hosts_per_minute",
    "storm-cooldown": "instance_ha.storm_cooldown",
    "approval": "instance_ha.approval",
    "approval-segments": "instance_ha.approval_segments",
    "approval-patience": "instance_ha.approval_patience",
    "kdump": "instance_ha.kdump",
    "kdump-wait": "instance_ha.kdump_wait",
    "kdump-timeout": "instance_ha.kdump_timeout",
    "return-after": "instance_ha.return_after",
    "return": "instance_ha.return_mode",
    "refill-reserve": "instance_ha.refill_reserve",
    "duplicate-window": "instance_ha.duplicate_window",
    "spare-interval": "instance_ha.spare_interval",
    "power-on": "instance_ha_fencing.power_on",
    "enrol-rule": "instance_ha_enrolment.rule",
    "enrol-segment": "instance_ha_enrolment.segment",
    "enrol-recovery-method": "instance_ha_enrolment.recovery_method",
    "enrol-wait": "instance_ha_enrolment.wait",
    "enrol-gone-after": "instance_ha_enrolment.gone_after",
    "move-back": "instance_ha_migrate.back",
    "migrate-after": "instance_ha_migrate.after",
    "migrate-at-once": "instance_ha_migrate.at_once",
    "migrate-per-minute": "instance_ha_migrate.per_minute",
    "evacuation-tries": "instance_ha_recovery.evacuation_tries",
    "evacuation-deadline": "instance_ha_recovery.evacuation_deadline",
    "stagger": "instance_ha_recovery.stagger",
    "restarts-most": "instance_ha_restarts.most",
    "restarts-window": "instance_ha_restarts.window",
    "restarts-then": "instance_ha_restarts.then",
    "protected-servers": "instance_ha_servers.protect",
    "segment-servers": "instance_ha_servers.segments",
    "ignored-servers": "instance_ha_servers.ignored",
    "instance-disks": "instance_ha_servers.disks",
    "tls-insecure": "instance_ha_api.insecure",
}
"""Option of the charm -> group and name of the plugin's."""

MASAKARI = {"debug", "region", "evacuation-delay", "evacuate-all-instances", "evacuations-at-once"}
"""Options that Masakari's own file has."""

ELSEWHERE = {"enable-secret-access", "fencing-mode"}
"""Options that are a databag's, or choose which files there are."""

OTHER: dict[str, object] = {
    "region": "Two",
    "protected-servers": "tag",
    "segment-servers": "rack-1:all",
    "ignored-servers": "project=abc",
    "instance-disks": "shared",
    "approval-segments": "rack-1,rack 2",
    "return": "manual",
    "enrol-rule": "zone",
    "enrol-segment": "rack $1",
    "enrol-recovery-method": "rh_priority",
    "restarts-then": "stop",
}
READ: dict[str, object] = {
    "segment-servers": {"rack-1": "all"},
    "ignored-servers": ["project=abc"],
    "approval-segments": ["rack-1", "rack 2"],
}
"""What of that is read as something else than a string."""

NUMBERS = [name for name, spec in OPTIONS.items() if spec["type"] in {"int", "float"}]


def other(name: str) -> object:
    """Return a value of an option that is not its default."""
    spec = OPTIONS[name]
    if spec["type"] == "boolean":
        return not spec["default"]
    return OTHER[name] if spec["type"] == "string" else spec["default"] + 2


def files(tmp_path: pathlib.Path, **changed: object) -> list[str]:
    """Return the files that are rendered, as words of a command line."""
    core = dataclasses.replace(CORE, config=config(**changed))
    made = (
        *rendering.masakari(core, unit="masakari/0"),
        *rendering.instance_ha(core, FENCING, WATCH, unit="masakari/0"),
    )
    words: list[str] = []
    for file in made:
        target = tmp_path / pathlib.Path(file.path).name
        target.write_text(file.text)
        words += ["--config-file", str(target)] if target.suffix == ".conf" else []
    return words


def read(tmp_path: pathlib.Path, **changed: object) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    options.register(conf)
    conf(files(tmp_path, **changed), project="test", default_config_files=[])
    return conf


def limits(name: str) -> tuple[int, int]:
    """Return the range that an option's description promises."""
    found = re.search(r"(\d+) to (\d+)", OPTIONS[name]["description"])
    assert found, f"{name} names no range"
    return int(found[1]), int(found[2])


def test_no_option_is_forgotten():
    assert OPTIONS.keys() == PLUGIN.keys() | MASAKARI | ELSEWHERE


@pytest.mark.parametrize("name", PLUGIN)
def test_option_reaches_the_plugin(name: str, tmp_path: pathlib.Path):
    group, _, option = PLUGIN[name].partition(".")
    wanted = other(name)

    found = read(tmp_path, **{name: wanted})[group][option]

    assert found == READ.get(name, wanted)


@pytest.mark.parametrize("name", sorted(MASAKARI))
def test_option_reaches_masakari(name: str, tmp_path: pathlib.Path):
    file = tmp_path / "masakari.conf"
    files(tmp_path)
    before = file.read_text()

    files(tmp_path, **{name: other(name)})

    assert file.read_text() != before


@pytest.mark.parametrize("name", PLUGIN)
def test_default_is_the_plugin_own(name: str, tmp_path: pathlib.Path):
    group, _, option = PLUGIN[name].partition(".")
    plain = cfg.ConfigOpts()
    options.register(plain)
    plain([], project="test", default_config_files=[])

    assert read(tmp_path)[group][option] == plain[group][option]


@pytest.mark.parametrize("name", NUMBERS)
def test_range_is_what_the_description_says(name: str):
    least, most = limits(name)

    for wrong in (least - 1, most + 1):
        if (name, wrong) != ("flap-changes", 1):  # told by the rules themselves
            with pytest.raises(pydantic.ValidationError, match=name.replace("-", "_")):
                config(**{name: wrong})


@pytest.mark.parametrize("name", NUMBERS)
def test_plugin_takes_the_whole_range(name: str, tmp_path: pathlib.Path):
    partner = {
        "domain-hosts-per-minute": {"max-hosts-per-minute": 1000},
        "max-hosts-per-minute": {"domain-hosts-per-minute": 1},
        "kdump-wait": {"kdump-timeout": 7200},
        "kdump-timeout": {"kdump-wait": 1},
    }
    for value in limits(name):
        conf = read(tmp_path, **{name: value}, **partner.get(name, {}))
        assembly.policy(conf)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"domain-hosts-per-minute": 11},
            "config: domain-hosts-per-minute, max-hosts-per-minute clash",
        ),
        (
            {"approval": True, "approval-segments": "rack-1"},
            "config: approval, approval-segments clash",
        ),
        (
            {"kdump": True, "kdump-wait": 60, "kdump-timeout": 30},
            "config: kdump-wait, kdump-timeout clash",
        ),
        ({"power-on": True, "fencing-mode": "none"}, "config: power-on, fencing-mode clash"),
        ({"flap-changes": 1}, "config: flap-changes: 1 makes every host"),
    ],
)
def test_contradiction_names_both(cloud: Cloud, changed, sentence: str):
    before = cloud.run(cloud.state())
    state = cloud.run(dataclasses.replace(before, config=changed))

    assert isinstance(state.unit_status, testing.BlockedStatus)
    assert state.unit_status.message.startswith(sentence)
    assert running(state) == {API, ENGINE, HOSTMONITOR}, "a wrong value stops nothing"
    assert cloud.replans == [API, ENGINE, HOSTMONITOR], "nor does it start anything anew"
    advice = ("give", "change", "correct", "lower")
    told = [
        one.message for one in cloud.context.juju_log if "Set it with juju config" in one.message
    ]
    assert any(word in told[-1] for word in advice), "the log has the next step at full length"


def test_line_break_in_names_of_segments_is_refused(cloud: Cloud):
    for option in ("approval-segments", "segment-servers", "enrol-segment"):
        state = cloud.run(cloud.state(config={option: "a\nb:tag"}))

        assert isinstance(state.unit_status, testing.BlockedStatus)
        assert state.unit_status.message.startswith(f"config: {option}: ")
