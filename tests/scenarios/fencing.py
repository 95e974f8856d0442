# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""The application of charm hacluster-shim: credentials, and what they can reach."""

import json

import jubilant

from tests.scenarios import waiting

CREDENTIALS = "scenario-maas"


def missing_options_are_named_one_by_one(juju: jubilant.Juju, *, app: str) -> None:
    """The unit asks for the address of MAAS, then for the credentials."""
    waiting.until_blocked(juju, app, says="config: set maas-url")
    juju.config(app, {"maas-url": "http://192.0.2.1:5240/MAAS"})
    waiting.until_blocked(juju, app, says="config: set maas-credentials")


def a_secret_that_was_not_granted_is_named(juju: jubilant.Juju, *, app: str) -> None:
    """A secret without its grant blocks the unit; granting it lifts that without another word."""
    secret = juju.add_secret(CREDENTIALS, {"api-key": "consumer:token:secret"})
    try:
        juju.config(app, {"maas-credentials": secret})
        waiting.until_blocked(juju, app, says="grant the maas-credentials secret")
        juju.grant_secret(secret, app)
        waiting.until(juju, lambda status: "grant" not in waiting.message(status, app))
    finally:
        juju.config(app, reset=["maas-credentials", "maas-url"])
        juju.remove_secret(secret)


def every_hypervisor_can_be_fenced(juju: jubilant.Juju, *, app: str, unit: int = 0) -> None:
    """MAAS answers the power state of each hypervisor; nothing is switched."""
    answered = juju.run(f"{app}/{unit}", "test-fencing", wait=waiting.deadline(120))
    hypervisors = json.loads(answered.results["hypervisors"])
    assert hypervisors, "no hypervisor is related"
    assert {found["result"] for found in hypervisors.values()} == {"ok"}, hypervisors
