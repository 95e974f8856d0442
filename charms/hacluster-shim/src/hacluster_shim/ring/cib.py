# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The part of Pacemaker's configuration that is this charm's, and how it gets there.

Pacemaker's own tools and XML are spoken, not crmsh or pcs: they come with Pacemaker, in step with
it, in every release of Debian and Ubuntu, and replace all of the configuration at once or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from hacluster_shim.ring import agent, crm
from hacluster_shim.ring.crm import OWNER
from hacluster_shim.ring.daemons import tool
from instance_ha.ladder import Rung
from instance_ha_relations.hacluster import Request
from instance_ha_relations.pacemaker_remote import RemoteData

_LAST_PATIENCE_S, _PATIENCE_S = 60, 30
"""How long a device asks; less where another one is below it."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the ring shall do."""

    properties: Mapping[str, str]
    failure_timeout_s: int
    remotes: Sequence[RemoteData]
    remote_monitor: tuple[int, int]
    """Interval and timeout, in seconds."""
    levels: Mapping[str, Sequence[Rung]]
    """Node or remote -> what can switch it off, first to last; Pacemaker goes down the levels."""
    first: str = ""
    """In a ring of two, the node that is given time to fence the other."""
    request: Request = field(default_factory=Request)


def ensure(wanted: Wanted) -> bool:
    """Make Pacemaker's configuration hold what is *wanted*. Return whether anything changed.

    Raises:
        RingError: if Pacemaker does not answer, or refuses.
        CrmError: if the principal's request cannot be understood.
    """
    text = tool("cibadmin", "--query", "--scope", "configuration")
    before, after = _parse(text), _parse(text)
    put(after, wanted)
    if _canonical(before) == _canonical(after):
        return False
    replacement = ElementTree.tostring(after, encoding="unicode")
    tool("cibadmin", "--replace", "--scope", "configuration", "--xml-pipe", given=replacement)
    return True


@dataclass(frozen=True, kw_only=True)
class Present:
    """What Pacemaker's configuration holds of ours now."""

    remotes: frozenset[str]
    fenced: frozenset[str]


def present() -> Present:
    """Return what is configured now.

    Raises:
        RingError: if Pacemaker does not answer.
    """
    found = _parse(tool("cibadmin", "--query", "--scope", "configuration"))
    remotes = found.iterfind("resources/primitive[@type='remote']")
    levels = found.iterfind("fencing-topology/fencing-level")
    return Present(
        remotes=frozenset(str(each.get("id")) for each in remotes),
        fenced=frozenset(str(each.get("target")) for each in levels),
    )


def put(configuration: Element, wanted: Wanted) -> None:
    """Replace what is ours in *configuration*; what operators made by hand stays as it is."""
    _section(configuration, "crm_config", [_properties(wanted.properties)])
    _section(configuration, "rsc_defaults", [_defaults(wanted)])
    _section(
        configuration,
        "resources",
        [
            *_fence_devices(wanted),
            *(_remote(remote, monitor=wanted.remote_monitor) for remote in wanted.remotes),
            *crm.resources(wanted.request),
        ],
        gone=wanted.request.delete_resources,
    )
    _section(
        configuration,
        "constraints",
        [
            *(_keep_off(remote) for remote in wanted.remotes if not remote.enable_resources),
            *crm.constraints(wanted.request),
        ],
    )
    levels = [level for name, rungs in wanted.levels.items() for level in _levels(name, rungs)]
    _section(configuration, "fencing-topology", levels)


def _properties(values: Mapping[str, str]) -> Element:
    """Return a set that gives way to what an operator sets by crm_attribute."""
    found = Element("cluster_property_set", id=OWNER)
    for name, value in sorted(values.items()):
        SubElement(found, "nvpair", id=f"{OWNER}-{name}", name=name, value=value)
    return found


def _defaults(wanted: Wanted) -> Element:
    found = Element("meta_attributes", id=f"{OWNER}-defaults")
    values = {"failure-timeout": f"{wanted.failure_timeout_s}s", "resource-stickiness": "100"}
    for name, value in values.items():
        SubElement(found, "nvpair", id=f"{OWNER}-defaults-{name}", name=name, value=value)
    return found


def device(rung: Rung) -> str:
    """Return the name of the fencing device of a rung."""
    return agent.PROGRAMS[rung].replace("_", "-")


def _fence_devices(wanted: Wanted) -> Iterator[Element]:
    """Give one fencing device for each rung that anybody has."""
    for rung in agent.PROGRAMS:
        nodes = [name for name, rungs in wanted.levels.items() if rung in rungs]
        if nodes:
            is_last = all(wanted.levels[name][-1] is rung for name in nodes)
            yield _fence_device(rung, nodes, is_last=is_last, first=wanted.first)


def _fence_device(rung: Rung, nodes: Sequence[str], *, is_last: bool, first: str) -> Element:
    element = Element(
        "primitive",
        {
            "id": device(rung),
            "class": "stonith",
            "type": agent.PROGRAMS[rung],
            "description": OWNER,
        },
    )
    params = {
        "config": agent.CONFIG,
        "patience": str(_LAST_PATIENCE_S if is_last else _PATIENCE_S),
        "pcmk_host_check": "static-list",
        "pcmk_host_list": " ".join(nodes),
        "pcmk_reboot_action": "off",
        "pcmk_off_timeout": "90s",
        "pcmk_status_timeout": "45s",
        "pcmk_monitor_timeout": "45s",
    }
    if first:
        params["pcmk_delay_base"] = f"{first}:5s"
    crm.attributes(element, "instance_attributes", params)
    # A start delay of this monitor would hold up all of Pacemaker's work while it lasts.
    crm.operation(element, "monitor", {"interval": "60s", "timeout": "45s"})
    return element


def _remote(remote: RemoteData, *, monitor: tuple[int, int]) -> Element:
    element = Element(
        "primitive",
        {
            "id": remote.hostname,
            "class": "ocf",
            "provider": "pacemaker",
            "type": "remote",
            "description": OWNER,
        },
    )
    server = {"server": remote.address, "reconnect_interval": "10s"}
    crm.attributes(element, "instance_attributes", server)
    interval_s, timeout_s = monitor
    times = {"interval": f"{interval_s}s", "timeout": f"{timeout_s}s"}
    crm.operation(element, "monitor", times)
    # While a connection is being tried, Pacemaker would call a dead host online.
    crm.operation(element, "start", {"timeout": "20s", "record-pending": "false"})
    return element


def _keep_off(remote: RemoteData) -> Element:
    return Element(
        "rsc_location",
        {
            "id": f"{OWNER}-off-{remote.hostname}",
            "rsc-pattern": ".*",
            "node": remote.hostname,
            "score": "-INFINITY",
            "resource-discovery": "never",
        },
    )


def _levels(name: str, rungs: Sequence[Rung]) -> Iterator[Element]:
    for index, rung in enumerate(rungs, start=1):
        yield Element(
            "fencing-level",
            id=f"{OWNER}-{name}-{index}",
            target=name,
            index=str(index),
            devices=device(rung),
        )


_ORDER = ("crm_config", "nodes", "resources", "constraints", "fencing-topology", "rsc_defaults")


def _section(
    configuration: Element, name: str, made: Sequence[Element], *, gone: Sequence[str] = ()
) -> None:
    """Put *made* in the place of everything of ours, and of the same id, in one section."""
    section = configuration.find(name)
    if section is None:
        if not made:
            return
        section = Element(name)
        later = _ORDER[_ORDER.index(name) + 1 :]
        places = [n for n, child in enumerate(configuration) if child.tag in later]
        configuration.insert(min(places, default=len(configuration)), section)
    names = {identity for each in made for identity in _identities(each)} | set(gone)
    for child in list(section):
        if _is_ours(child) or child.get("id") in names:
            section.remove(child)
    section.extend(made)


def _identities(element: Element) -> set[str]:
    """Return the ids of an element and of the resources in it."""
    return {str(element.get("id"))} | {str(child.get("id")) for child in element}


def _is_ours(element: Element) -> bool:
    identity = str(element.get("id"))
    return (
        element.get("description") == OWNER
        or identity == OWNER
        or identity.startswith(f"{OWNER}-")
    )


def _canonical(element: Element) -> str:
    text = ElementTree.tostring(element, encoding="unicode")
    return ElementTree.canonicalize(text, strip_text=True)


def _parse(text: str) -> Element:
    return ElementTree.fromstring(text)  # noqa: S314 - it comes from the local Pacemaker
