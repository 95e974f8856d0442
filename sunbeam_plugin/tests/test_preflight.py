# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import dataclasses
import pathlib

import fakes
import pytest
from fakes import hypervisor, maas_survey, machine, survey
from instance_recovery import preflight
from instance_recovery.errors import PreflightError
from instance_recovery.maas import Account, Power
from instance_recovery.networks import Network, watched
from instance_recovery.settings import Fencing, Settings


def told(found, settings=None) -> list[str]:
    return [str(problem) for problem in preflight.judge(found, settings or Settings())]


def test_a_cloud_that_is_as_it_must_be_has_no_problem():
    assert told(survey()) == []


def without(network: Network) -> dict[Network, str | None]:
    return {**fakes.SPACES, network: None}


@pytest.mark.parametrize(
    ("found", "fact", "hint"),
    [
        pytest.param(survey(1), "1 hypervisor: ", "sunbeam cluster join", id="one hypervisor"),
        pytest.param(survey(0), "no hypervisor: ", "sunbeam cluster join", id="none"),
        pytest.param(
            survey(shared_storage=False),
            "no shared storage: ",
            "sunbeam storage add",
            id="local disks only",
        ),
        pytest.param(
            survey(spaces=without(Network.STORAGE)),
            "network storage: it is mapped to no space",
            "sunbeam deployment space map SPACE storage",
            id="storage not mapped",
        ),
        pytest.param(
            survey(spaces=without(Network.TENANT)),
            "network data: it is mapped to no space",
            "sunbeam deployment space map SPACE data",
            id="tenant not mapped",
        ),
        pytest.param(
            survey(known_spaces=frozenset({"space-mgmt", "space-ten"})),
            "space space-sto of network storage: ",
            "juju reload-spaces",
            id="space unknown to Juju",
        ),
        pytest.param(
            survey(
                hypervisors=[
                    hypervisor(1),
                    hypervisor(2, spaces=frozenset({"space-mgmt", "space-ten"})),
                ]
            ),
            "h2: it has no interface in space space-sto, so network storage",
            "juju show-machine -m openstack-machines 2",
            id="no interface on storage",
        ),
        pytest.param(
            survey(compute_services=["h1.maas"]),
            "h2: Nova should have one compute service of this name, and has none",
            "openstack compute service list",
            id="unknown to Nova",
        ),
        pytest.param(
            survey(compute_services=["h1.maas", "h2.maas", "h2.other"]),
            "h2: Nova should have one compute service of this name, and has h2.maas and h2.other",
            "openstack compute service list",
            id="twice in Nova",
        ),
        pytest.param(
            survey(compute_services=["h1.maas", "H2.maas"]),
            "h2: Nova calls it H2.maas; Masakari tells capital letters apart",
            "one spelling",
            id="capital letters",
        ),
        pytest.param(
            survey(compute_services=None),
            "Nova does not answer: ",
            "juju status -m openstack nova",
            id="Nova away",
        ),
        pytest.param(
            survey(offers={"keystone-offer-url": None}),
            "Keystone's offer of credentials is gone: ",
            "juju offers -m openstack",
            id="offer gone",
        ),
        pytest.param(
            survey(builtin=True),
            "Sunbeam's own instance-recovery is deployed: ",
            "sunbeam disable instance-recovery",
            id="built-in deployed",
        ),
        pytest.param(
            survey(unnamed_charms=["masakari-monitors"]),
            "charm masakari-monitors: the store's charm of that name is another one",
            "--charm-dir",
            id="charms not in the store",
        ),
        pytest.param(
            survey(deployed_from_files=True),
            "the charms were deployed from the files before: ",
            "with --charm-dir",
            id="files before",
        ),
        pytest.param(
            survey(
                deployed_networks=frozenset(Network), spaces=dict.fromkeys(Network, "space-mgmt")
            ),
            "network storage, tenant was watched before",
            "sunbeam disable",
            id="fewer networks than before",
        ),
    ],
)
def test_a_problem_of_the_cloud(found, fact, hint):
    (problem,) = told(found)
    assert problem.startswith(fact)
    assert hint in problem


@pytest.mark.parametrize(
    ("found", "fact", "hint"),
    [
        pytest.param(
            {"error": "it does not answer"},
            "MAAS at http://maas:5240/MAAS: it does not answer",
            "curl",
            id="unreachable",
        ),
        pytest.param(
            {"error": "MAAS does not know the key (401)", "refused": True},
            "MAAS at http://maas:5240/MAAS: MAAS does not know the key",
            "--maas-key-file",
            id="wrong key",
        ),
        pytest.param(
            {"account": Account(name="reader", is_admin=False)},
            "the MAAS key of reader: its account is no administrator",
            "maas-rbac: true",
            id="no power rights",
        ),
        pytest.param(
            {"machines": [machine(1)]},
            "h2: MAAS has no machine for it",
            "machines read",
            id="no entry",
        ),
        pytest.param(
            {"machines": [machine(1), machine(2, system_id="a"), machine(2, system_id="b")]},
            "h2: MAAS has 2 machines of its name: a, b",
            "Rename",
            id="two of a name",
        ),
        pytest.param(
            {"machines": [machine(1), machine(2, power_type="manual")]},
            "h2: MAAS cannot switch sys-h2: its power type is manual",
            "machine update sys-h2 power_type",
            id="manual power",
        ),
        pytest.param(
            {"machines": [machine(1), machine(2, hostname="other")]},
            "h2: MAAS calls sys-h2 other",
            "hostname=h2",
            id="names disagree",
        ),
        pytest.param(
            {"power": {"sys-h1": Power(state="on"), "sys-h2": Power(error="503: BMC away")}},
            "h2: its power state cannot be had through MAAS: 503: BMC away",
            "query-power-state sys-h2",
            id="query fails",
        ),
        pytest.param(
            {"power": {"sys-h1": Power(state="off"), "sys-h2": Power(state="unknown")}},
            "h2: its power state cannot be had through MAAS: it says unknown",
            "query-power-state sys-h2",
            id="unknown is no answer",
        ),
        pytest.param(
            {"power": {"sys-h1": Power(state="on")}},
            "h2: its power state cannot be had through MAAS: it was not asked",
            "query-power-state sys-h2",
            id="not asked",
        ),
    ],
)
def test_a_problem_of_maas(found, fact, hint):
    (problem,) = told(survey(maas=maas_survey(**found)))
    assert problem.startswith(fact)
    assert hint in problem


@pytest.mark.parametrize(
    ("settings", "fact"),
    [
        pytest.param(Settings(), "nobody was named to fence: ", id="nothing chosen"),
        pytest.param(
            Settings(fencing=Fencing.BMC),
            "fencing: bmc: the hypervisors' power controllers are not named",
            id="no controllers",
        ),
        pytest.param(
            Settings(fencing=Fencing.MAAS),
            "fencing: maas: the address of MAAS or the key is not known",
            id="no address",
        ),
    ],
)
def test_a_manual_cloud_has_to_choose_who_fences(settings, fact):
    (problem,) = told(survey(is_maas=False, maas=None), settings)
    assert problem.startswith(fact)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(Settings(fencing=Fencing.NONE), id="none, by name"),
        pytest.param(
            Settings(fencing=Fencing.BMC, bmcs_file=pathlib.Path("bmcs.yaml")), id="controllers"
        ),
    ],
)
def test_a_manual_cloud_that_has_chosen_needs_no_maas(settings):
    assert told(survey(is_maas=False, maas=None), settings) == []


def test_what_nobody_fences_is_spelt_out():
    (problem,) = told(survey(is_maas=False, maas=None))
    assert "goes on writing to the volumes" in problem
    assert "--fencing none" in problem


def test_rbac_may_let_an_ordinary_account_switch_power():
    account = Account(name="operator", is_admin=False)
    assert told(survey(maas=maas_survey(account=account)), Settings(maas_rbac=True)) == []


def test_local_disks_may_be_meant():
    assert told(survey(shared_storage=False), Settings(local_storage=True)) == []


def test_a_missing_charm_file_is_named():
    settings = Settings(charm_dir=pathlib.Path("charms"))
    (problem,) = told(survey(missing_charms=["hacluster-shim"]), settings)
    assert problem.startswith("charms has no file hacluster-shim_*.charm")


def test_every_problem_is_told_at_once():
    bad = survey(
        1,
        shared_storage=False,
        spaces=without(Network.STORAGE),
        maas=maas_survey(1, machines=[]),
    )
    problems = preflight.judge(bad, Settings())
    assert len(problems) == 4
    error = str(PreflightError(problems))
    assert error.startswith("4 problems found before anything was changed:")
    assert error.count("\n  * ") == 4


def test_one_problem_is_counted_as_one():
    assert str(PreflightError(preflight.judge(survey(1), Settings()))).startswith(
        "1 problem found"
    )


def test_a_machine_without_identity_is_found_by_name():
    nameless = dataclasses.replace(hypervisor(1), system_id="", node="h1.maas")
    assert preflight.machines_of(nameless, maas_survey()) == [machine(1)]


def test_a_cloud_whose_machines_tell_no_spaces_is_taken_as_it_is():
    silent = [hypervisor(1, spaces=frozenset()), hypervisor(2, spaces=frozenset())]
    assert told(survey(hypervisors=silent)) == []


@pytest.mark.parametrize(
    ("spaces", "networks"),
    [
        pytest.param(("m", "t", "s"), "management tenant storage", id="all differ"),
        pytest.param(("m", "m", "m"), "management", id="one for all"),
        pytest.param(("m", "m", "s"), "management storage", id="tenant on management"),
        pytest.param(("m", "s", "s"), "management storage", id="tenant on storage"),
        pytest.param(("m", "t", "m"), "management tenant", id="storage on management"),
        pytest.param(("m", None, None), "management", id="not mapped"),
    ],
)
def test_networks_that_differ_are_watched(spaces, networks):
    assert " ".join(watched(dict(zip(Network, spaces, strict=True)))) == networks


@pytest.mark.parametrize(
    ("space", "words"),
    [("s", "watched: management, tenant, storage"), ("m", "storage shares a space with another")],
)
def test_which_networks_differ_is_told(space, words):
    spaces = {Network.MANAGEMENT: "m", Network.TENANT: "t", Network.STORAGE: space}
    assert words in preflight.differing(survey(spaces=spaces))
