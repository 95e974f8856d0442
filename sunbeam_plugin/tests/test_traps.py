# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the stock plan of the feature gets wrong."""

import pathlib
import re

import fakes
import pytest
from instance_recovery import plan

MAIN = next(pathlib.Path(plan.__file__).parent.glob("etc/*/main.tf")).read_text()
RESOURCES = dict(re.findall(r'(?ms)^resource "juju_application" "(\S+)" \{\n(.*?)^\}', MAIN))
SUBORDINATES = re.findall(r"(?ms)^ +wanted +=.*?^ +bindings +=.*?$", MAIN)
"""What is said of those that one resource makes from a table."""
BLOCKS = {name: said for name, said in RESOURCES.items() if name != "subordinate"} | {
    re.findall(r" charm += var\.(\S+)-charm", said)[0]: said for said in SUBORDINATES
}
"""Each application of the plan with what is said of it."""
SAID = re.compile(r"\bvar\.(\S+?)-(?:charm|channel|revision|config|config-map|resources)\b")


def test_t01_no_hypervisor_shuts_its_servers_because_it_cannot_reach_one_consul_server():
    agents = plan.variables(fakes.wanted())["agent-config-map"]

    assert {options["enable-health-check"] for options in agents.values()} == {"false"}


@pytest.mark.parametrize("application", BLOCKS)
def test_t17_no_application_takes_what_is_said_of_another(application):
    assert set(SAID.findall(BLOCKS[application])) == {application}


def test_t17_what_is_made_from_a_table_takes_nothing_beside_it():
    assert {"agent", "monitors", "shim"} < BLOCKS.keys()
    assert len(SUBORDINATES) == 3
    assert not SAID.findall(RESOURCES["subordinate"])


@pytest.mark.parametrize("charm", plan.TFVAR_MAP["charms"])
def test_t17_no_charm_of_the_manifest_reaches_the_variables_of_another(charm):
    reached = {
        SAID.fullmatch(f"var.{variable}")[1]
        for variable in plan.TFVAR_MAP["charms"][charm].values()
    }

    assert len(reached) == 1
    assert not [
        other
        for other, variables in plan.TFVAR_MAP["charms"].items()
        if other != charm and any(v.startswith(f"{min(reached)}-") for v in variables.values())
    ]
