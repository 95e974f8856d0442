# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a cloud can have instance recovery: all problems at once, before anything changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .networks import Network, watched
from .settings import UNFENCED, Fencing, Settings
from .survey import KEYSTONE_OFFER, Hypervisor, MaasSurvey, Survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .maas import Machine, Power

AGAIN = "sunbeam enable instance-recovery"
_ANSWERS = frozenset({"on", "off"})
_UNSWITCHABLE = frozenset({"", "manual"})


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that must change first."""

    fact: str
    reason: str
    hint: str

    def __str__(self) -> str:
        """Return it as one sentence, the next command last."""
        return f"{self.fact}: {self.reason}. {self.hint}"


def judge(survey: Survey, settings: Settings) -> list[Problem]:
    """Return everything that stands in the way; empty if nothing does."""
    return [
        *_hypervisors(survey),
        *_names(survey),
        *_storage(survey, settings),
        *_spaces(survey),
        *_former(survey, settings),
        *_offers(survey),
        *_charms(survey, settings),
        *_fencing(survey, settings),
    ]


def fencing_of(settings: Settings, *, is_maas: bool) -> Fencing | None:
    """Return who fences; None where a manual cloud has not chosen."""
    return settings.fencing or (Fencing.MAAS if is_maas or settings.maas_url else None)


def _hypervisors(survey: Survey) -> Iterator[Problem]:
    count = len(survey.hypervisors)
    if count < 2:
        yield Problem(
            fact="1 hypervisor" if count == 1 else "no hypervisor",
            reason="machines of a lost one need another to start on",
            hint="Add one: sunbeam cluster join --role compute",
        )


def _names(survey: Survey) -> Iterator[Problem]:
    if survey.compute_services is None:
        yield Problem(
            fact="Nova does not answer",
            reason="its names of the hypervisors cannot be compared",
            hint="Look at: juju status -m openstack nova",
        )
        return
    for hypervisor in survey.hypervisors:
        same = [name for name in survey.compute_services if _is(name, hypervisor.node)]
        if len(same) != 1:
            found = "none" if not same else " and ".join(sorted(same))
            yield Problem(
                fact=hypervisor.node,
                reason=f"Nova should have one compute service of this name, and has {found}",
                hint="Compare with: openstack compute service list --service nova-compute",
            )
        elif same[0].partition(".")[0] != hypervisor.node.partition(".")[0]:
            yield Problem(
                fact=hypervisor.node,
                reason=f"Nova calls it {same[0]}; Masakari tells capital letters apart",
                hint="Give the machine one spelling, and restart its nova-compute",
            )


def _is(service: str, node: str) -> bool:
    service, node = service.lower(), node.lower()
    return service == node or service.partition(".")[0] == node.partition(".")[0]


def _storage(survey: Survey, settings: Settings) -> Iterator[Problem]:
    if not survey.shared_storage and not settings.local_storage:
        yield Problem(
            fact="no shared storage",
            reason="a machine whose disk is on the lost hypervisor cannot start elsewhere",
            hint="Add some: sunbeam cluster join --role storage, or sunbeam storage add; or say "
            "local-storage: true in the manifest if that is meant",
        )


def _spaces(survey: Survey) -> Iterator[Problem]:
    for network, space in survey.spaces.items():
        if space is None:
            yield Problem(
                fact=f"network {network.sunbeam}",
                reason="it is mapped to no space, so it is not known which hypervisors have it",
                hint=f"Map it: sunbeam deployment space map SPACE {network.sunbeam}",
            )
        elif survey.known_spaces and space not in survey.known_spaces:
            yield Problem(
                fact=f"space {space} of network {network.sunbeam}",
                reason="the model with the hypervisors has no such space",
                hint="Compare with: juju spaces -m openstack-machines; then juju reload-spaces",
            )
    for hypervisor in survey.hypervisors:
        yield from _interfaces(hypervisor, survey)


def _interfaces(hypervisor: Hypervisor, survey: Survey) -> Iterator[Problem]:
    if not hypervisor.spaces:
        return  # Juju does not say on every cloud
    for network in watched(survey.spaces):
        space = survey.spaces.get(network)
        if space is not None and space in survey.known_spaces - hypervisor.spaces:
            yield Problem(
                fact=hypervisor.node,
                reason=f"it has no interface in space {space}, so network {network} of it "
                "cannot be watched",
                hint=f"Compare with: juju show-machine -m openstack-machines {hypervisor.machine}",
            )


def _former(survey: Survey, settings: Settings) -> Iterator[Problem]:
    if survey.builtin:
        yield Problem(
            fact="Sunbeam's own instance-recovery is deployed",
            reason="both would act on the same hypervisors",
            hint="Put it away first: take this folder out, sunbeam disable "
            "instance-recovery, then install this one again",
        )
    wanted = settings.charm_dir is not None
    if survey.deployed_from_files is not None and survey.deployed_from_files != wanted:
        before, option = ("files", "with") if survey.deployed_from_files else ("store", "without")
        yield Problem(
            fact=f"the charms were deployed from the {before} before",
            reason="changing that would remove and deploy them anew, with recoveries in between",
            hint=f"Run it {option} --charm-dir, or first: sunbeam disable instance-recovery",
        )
    now = frozenset(watched(survey.spaces))
    if survey.deployed_networks is not None and survey.deployed_networks - now:
        gone = ", ".join(sorted(survey.deployed_networks - now))
        yield Problem(
            fact=f"network {gone} was watched before and would not be any more",
            reason="the matrix would lose a column while hypervisors are watched",
            hint="Map its space again, or first: sunbeam disable instance-recovery",
        )


def _offers(survey: Survey) -> Iterator[Problem]:
    for name, url in survey.offers.items():
        if url is None and name == KEYSTONE_OFFER:
            yield Problem(
                fact="Keystone's offer of credentials is gone",
                reason="the monitors log in with them",
                hint="Look at: juju offers -m openstack; sunbeam cluster refresh makes it anew",
            )


def _charms(survey: Survey, settings: Settings) -> Iterator[Problem]:
    for name in survey.missing_charms:
        yield Problem(
            fact=f"{settings.charm_dir} has no file {name}_*.charm",
            reason="the charm cannot be deployed",
            hint="Pack it: docs/how-to/pack-the-charms.md",
        )
    if settings.charm_dir is None and survey.unnamed_charms:
        yield Problem(
            fact=f"charm {', '.join(survey.unnamed_charms)}",
            reason="the store's charm of that name is another one",
            hint="Give the packed ones with --charm-dir, or name yours in the manifest: "
            "software.charms.NAME.charm",
        )


def _fencing(survey: Survey, settings: Settings) -> Iterator[Problem]:
    match fencing_of(settings, is_maas=survey.is_maas):
        case None:
            yield Problem(
                fact="nobody was named to fence",
                reason=f"this cloud is not on MAAS. {UNFENCED}",
                hint="Give --fencing bmc with --bmcs-file, or --fencing maas with --maas-url, or "
                "take that risk by name: --fencing none",
            )
        case Fencing.BMC if settings.bmcs_file is None:
            yield Problem(
                fact="fencing: bmc",
                reason="the hypervisors' power controllers are not named",
                hint="Give --bmcs-file; its form is in docs/how-to/add-a-bmc-rung.md",
            )
        case Fencing.MAAS if survey.maas is None:
            yield Problem(
                fact="fencing: maas",
                reason="the address of MAAS or the key is not known",
                hint="Give --maas-url and --maas-key-file",
            )
        case Fencing.MAAS if survey.maas is not None:
            yield from _maas(survey.maas, survey, settings)
        case _:
            pass


def _maas(maas: MaasSurvey, survey: Survey, settings: Settings) -> Iterator[Problem]:
    if maas.error:
        hint = "Give another key with --maas-key-file" if maas.refused else f"Try: curl {maas.url}"
        yield Problem(fact=f"MAAS at {maas.url}", reason=maas.error, hint=hint)
        return
    if maas.account and not maas.account.is_admin and not settings.maas_rbac:
        yield Problem(
            fact=f"the MAAS key of {maas.account.name}",
            reason="its account is no administrator, and without RBAC only those may switch "
            "machines that Juju deployed",
            hint="Give an administrator's with --maas-key-file; or where RBAC makes it operator "
            "of the hypervisors' pools, say maas-rbac: true",
        )
    for hypervisor in survey.hypervisors:
        yield from _power(hypervisor, maas)


def _power(hypervisor: Hypervisor, maas: MaasSurvey) -> Iterator[Problem]:
    match machines_of(hypervisor, maas):
        case []:
            yield Problem(
                fact=hypervisor.node,
                reason="MAAS has no machine for it",
                hint="Compare with: maas PROFILE machines read | jq '.[].hostname'",
            )
        case [machine]:
            yield from _switch(hypervisor, machine, maas.power.get(machine.system_id))
        case several:
            listed = ", ".join(machine.system_id for machine in several)
            yield Problem(
                fact=hypervisor.node,
                reason=f"MAAS has {len(several)} machines of its name: {listed}",
                hint="Rename the others in MAAS",
            )


def machines_of(hypervisor: Hypervisor, maas: MaasSurvey) -> list[Machine]:
    """Return MAAS' machines that may be the hypervisor; its identity says more than its name."""
    by_id = [found for found in maas.machines if found.system_id == hypervisor.system_id != ""]
    return by_id or [
        found
        for found in maas.machines
        if hypervisor.node.lower() in (found.hostname.lower(), found.fqdn.lower())
        or hypervisor.node.partition(".")[0].lower() == found.hostname.lower()
    ]


def _switch(hypervisor: Hypervisor, machine: Machine, power: Power | None) -> Iterator[Problem]:
    if machine.hostname.lower() != hypervisor.node.partition(".")[0].lower():
        yield Problem(
            fact=hypervisor.node,
            reason=f"MAAS calls {machine.system_id} {machine.hostname}; the wrong machine might "
            "be switched off",
            hint=f"Give it one name: maas PROFILE machine update {machine.system_id} hostname="
            f"{hypervisor.node.partition('.')[0]}",
        )
    if machine.power_type in _UNSWITCHABLE:
        yield Problem(
            fact=hypervisor.node,
            reason=f"MAAS cannot switch {machine.system_id}: its power type is manual",
            hint=f"Set it: maas PROFILE machine update {machine.system_id} power_type=ipmi",
        )
    elif power is None or power.error or power.state not in _ANSWERS:
        why = "it was not asked" if power is None else power.error or f"it says {power.state}"
        yield Problem(
            fact=hypervisor.node,
            reason=f"its power state cannot be had through MAAS: {why}",
            hint=f"Try: maas PROFILE machine query-power-state {machine.system_id}",
        )


def differing(survey: Survey) -> str:
    """Return which networks differ, for people."""
    now = watched(survey.spaces)
    shared = [network for network in Network if network not in now]
    told = f"watched: {', '.join(now)}"
    if not shared:
        return told
    return f"{told}; {', '.join(shared)} shares a space with another and says nothing more"
