# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""The shared scenarios on a real controller."""

import os

import jubilant
import pytest

from tests.scenarios import fencing, waiting
from tests.scenarios import masakari as scenarios

pytestmark = pytest.mark.juju

CHANNEL = os.environ.get("SUNBEAM_CHANNEL", "2026.1/edge")

PARTNERS = {
    "mysql": ("mysql-k8s", "8.0/stable"),
    "rabbitmq": ("rabbitmq-k8s", "3.12/stable"),
    "keystone": ("keystone-k8s", CHANNEL),
    "traefik": ("traefik-k8s", "latest/stable"),
    "consul-storage": ("consul-k8s", CHANNEL),
}
INTEGRATIONS = (
    ("keystone:database", "mysql:database"),
    ("masakari:database", "mysql:database"),
    ("masakari:amqp", "rabbitmq:amqp"),
    ("masakari:identity-service", "keystone:identity-service"),
    ("masakari:ingress-internal", "traefik:ingress"),
    ("masakari:consul-storage", "consul-storage:consul-cluster"),
)


def test_lone_masakari_names_what_it_needs(kubernetes, masakari):
    scenarios.a_lone_application_names_what_it_needs(kubernetes, app=masakari)


def test_option_out_of_range_is_named(kubernetes, masakari):
    scenarios.an_option_out_of_range_is_named(kubernetes, app=masakari)


def test_action_before_its_time_says_why(kubernetes, masakari):
    scenarios.an_action_before_its_time_says_why(kubernetes, app=masakari)


def test_missing_maas_options_are_named_one_by_one(machines, shim):
    fencing.missing_options_are_named_one_by_one(machines, app=shim)


def test_secret_that_was_not_granted_is_named(machines, shim):
    fencing.a_secret_that_was_not_granted_is_named(machines, app=shim)


@pytest.fixture(scope="module")
def integrated(kubernetes: jubilant.Juju, masakari: str) -> str:
    """Masakari with its partners, on one network, and unfenced by choice: there is no MAAS."""
    for app, (charm, channel) in PARTNERS.items():
        kubernetes.deploy(charm, app, channel=channel, trust=True)
    kubernetes.config(masakari, {"fencing-mode": "none"})
    for one, other in INTEGRATIONS:
        kubernetes.integrate(one, other)
    waiting.until(
        kubernetes,
        lambda status: jubilant.all_active(status) and jubilant.all_agents_idle(status),
        within_s=1800,
    )
    return masakari


def test_plugin_is_proven_in_the_stock_image(kubernetes, integrated):
    scenarios.the_plugin_is_proven(kubernetes, app=integrated)


def test_segment_is_created_and_listed(kubernetes, integrated):
    scenarios.a_segment_is_created_and_listed(kubernetes, app=integrated)
