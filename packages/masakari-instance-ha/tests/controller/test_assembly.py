# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from oslo_config import cfg

from instance_ha.debounce import Patience
from instance_ha.errors import MatrixError, PolicyError
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha.policy import Policy
from instance_ha.selection import Disks, Pattern, Protect, Selection
from masakari_instance_ha import assembly, options


@pytest.fixture
def options_of(tmp_path):
    def read(text):
        path = tmp_path / "instance-ha.conf"
        path.write_text(text)
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf(args=[], default_config_files=[str(path)])
        return conf

    return read


def test_figures_reach_the_policy(options_of):
    policy = assembly.policy(
        options_of(
            "[instance_ha]\nnetworks = storage,management\ntick = 0.5\nhold = 4\n"
            "samples = 2\npartial_hold = 8\nflap_changes = 6\nflap_window = 90\nflap_hold = 20\n"
            "max_failing_percent = 25\nreturn_after = 7\norphan_after = 20\n"
            "duplicate_window = 30\nlease_ttl = 9\n"
        )
    )

    assert policy.networks == (Network.MANAGEMENT, Network.STORAGE)
    assert (policy.tick_s, policy.max_failing_share) == (0.5, 0.25)
    assert policy.patience == Patience(
        hold_s=4.0,
        samples=2,
        partial_hold_s=8.0,
        flap_changes=6,
        flap_window_s=90.0,
        flap_hold_s=20.0,
    )
    assert (policy.return_after_s, policy.orphan_after_s, policy.lease_ttl_s) == (7.0, 20.0, 9.0)
    assert policy.renotify_after_s == 35.0, "masakari must have forgotten the first one"


def test_without_options_the_rules_have_their_own_figures(options_of):
    """What the simulation plays by default is what an operator gets by default."""
    networks = tuple(Network)

    assert assembly.policy(options_of("")) == Policy(
        networks=networks, matrix=default_matrix(networks)
    )


def test_an_operators_matrix_is_read(options_of, tmp_path):
    path = tmp_path / "matrix.yaml"
    path.write_text(
        "- {management: up, storage: up, action: none}\n"
        "- {management: up, storage: down, action: none}\n"
        "- {management: down, storage: up, action: none}\n"
        "- {management: down, storage: down, action: recovery}\n"
    )
    text = f"[instance_ha]\nnetworks = management,storage\nmatrix_file = {path}\n"

    matrix = assembly.policy(options_of(text)).matrix

    assert [row["action"] for row in matrix.as_rows()] == ["none", "none", "none", "recovery"]
    assert matrix != default_matrix([Network.MANAGEMENT, Network.STORAGE])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: {b", id="no-yaml"),
        pytest.param("rows: []", id="no-list"),
        pytest.param("- storage", id="no-rows"),
        pytest.param("- {storage: down, action: recovery}", id="incomplete"),
    ],
)
def test_a_matrix_that_is_none_is_refused(options_of, tmp_path, text):
    path = tmp_path / "matrix.yaml"
    path.write_text(text)

    with pytest.raises(MatrixError, match="matrix"):
        assembly.policy(options_of(f"[instance_ha]\nnetworks = storage\nmatrix_file = {path}\n"))


def test_an_unknown_network_is_refused(options_of):
    with pytest.raises(PolicyError, match="sewage is no network; known are management, tenant"):
        assembly.declared(options_of("[instance_ha]\nnetworks = storage,sewage\n"))


def test_addresses_are_cleaned_and_nothing_is_left_out(options_of):
    conf = options_of('[instance_ha_consul]\nstorage = "10.0.0.1:8500", 10.0.0.2\ntenant = null\n')

    assert list(map(str, assembly.addresses(conf, Network.STORAGE))) == [
        "10.0.0.1:8500",
        "10.0.0.2:8500",
    ]
    assert assembly.addresses(conf, Network.TENANT) == []


def test_a_declared_network_without_a_server_is_said_and_stays_unknown(options_of, caplog):
    observer = assembly.observer(options_of("[instance_ha]\nnetworks = storage\n"))

    assert observer.observe() == {}
    assert "integrate consul-storage" in caplog.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", Selection(), id="masakaris-defaults"),
        pytest.param(
            "[host_failure]\nevacuate_all_instances = false\n"
            "ha_enabled_instance_metadata_key = VIP\nignore_instances_in_error_state = true\n",
            Selection(protect=Protect.METADATA, metadata_key="VIP", errored=False),
            id="what-masakari-says",
        ),
        pytest.param(
            "[host_failure]\nevacuate_all_instances = false\n"
            "[instance_ha_servers]\nprotect = all\nsegments = rack-1:tag\ntag = vip\n"
            "disks = local\nignored = project=abc\nignored = name=^trove-\n",
            Selection(
                protect=Protect.TAG,
                tag="vip",
                disks=Disks.LOCAL,
                ignored=(Pattern.read("project=abc"), Pattern.read("name=^trove-")),
            ),
            id="what-ours-say",
        ),
        pytest.param("[instance_ha_servers]\nignored =\n", Selection(ignored=()), id="nobody"),
    ],
)
def test_the_rule_is_the_engines(options_of, text, expected):
    assert assembly.rules(options_of(text)).of("rack-1") == expected


@pytest.mark.parametrize("text", ["ignored = amphora", "segments = rack-1:some"])
def test_a_rule_that_means_nothing_is_refused(options_of, text):
    with pytest.raises(PolicyError, match=r"is no pattern|is unknown"):
        assembly.rules(options_of(f"[instance_ha_servers]\n{text}\n"))


def test_a_store_must_be_configured(options_of):
    with pytest.raises(assembly.StoreOptionsError, match="integrate database"):
        assembly.journal(options_of(""))
