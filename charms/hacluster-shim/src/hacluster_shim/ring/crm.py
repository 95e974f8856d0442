# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Turn what principals say in crmsh's language into elements of Pacemaker's CIB.

Only what principals of the field say is understood; everything else is refused by name, because
a constraint that is left out silently would let Pacemaker do what nobody wants.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement

from instance_ha_relations.hacluster import Request

OWNER = "hacluster-shim"
"""Description of every resource, and prefix of every constraint, that this charm made."""

_SECTIONS = ("params", "meta", "utilization", "op")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_SCORES = {"inf": "INFINITY", "+inf": "INFINITY", "-inf": "-INFINITY"}
_OPERATION_KEYS = frozenset(
    ("interval", "timeout", "role", "on-fail", "enabled", "start-delay", "record-pending")
)


class CrmError(Exception):
    """A principal asks for something that cannot be told to Pacemaker."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}. See what the principal writes with juju show-unit")
        self.name = name
        self.reason = reason


def resources(request: Request) -> list[Element]:
    """Return the principal's resources: primitives, those of them in groups, clones.

    Raises:
        CrmError: if one of them cannot be understood.
    """
    made = {
        name: _primitive(name, agent, request.resource_params.get(name, ""))
        for name, agent in request.resources.items()
    }
    for name, text in request.groups.items():
        made[name] = _container("group", name, text, made=made)
    for name, text in request.clones.items():
        made[name] = _container("clone", name, text, made=made)
    for name, text in request.ms.items():
        made[name] = _container("clone", name, text, made=made, promotable=True)
    for element in made.values():
        element.set("description", OWNER)
    return list(made.values())


def constraints(request: Request) -> list[Element]:
    """Return the principal's orders, colocations and locations.

    Raises:
        CrmError: if one of them cannot be understood.
    """
    return [
        *(_order(name, text) for name, text in request.orders.items()),
        *(_colocation(name, text) for name, text in request.colocations.items()),
        *(_location(name, text) for name, text in request.locations.items()),
    ]


def attributes(parent: Element, kind: str, values: Mapping[str, str]) -> None:
    """Give *parent* a set of name-value pairs of its own; none where there are no values."""
    if not values:
        return
    identity = f"{parent.get('id')}-{kind.replace('_', '-')}"
    found = SubElement(parent, kind, id=identity)
    for name, value in values.items():
        SubElement(found, "nvpair", id=f"{identity}-{name}", name=name, value=value)


def operation(parent: Element, name: str, values: Mapping[str, str]) -> None:
    """Give a primitive an operation."""
    container = parent.find("operations")
    if container is None:
        container = SubElement(parent, "operations")
    known = {key: value for key, value in values.items() if key in _OPERATION_KEYS}
    known.setdefault("interval", "0")
    identity = f"{parent.get('id')}-{name}-{known['interval']}"
    element = SubElement(container, "op", known, id=identity, name=name)
    extra = {key: value for key, value in values.items() if key not in _OPERATION_KEYS}
    depth = extra.pop("depth", "0")
    if depth != "0":
        extra["OCF_CHECK_LEVEL"] = depth
    attributes(element, "instance_attributes", extra)


def _primitive(name: str, agent: str, text: str) -> Element:
    kind, _, rest = agent.partition(":")
    provider, _, kind_of = rest.rpartition(":")
    if kind not in ("ocf", "lsb", "systemd", "service") or not kind_of:
        raise CrmError(name, f"no resource is of the kind {agent!r}")
    if bool(provider) != (kind == "ocf"):
        raise CrmError(name, f"the agent {agent!r} is not complete")
    element = Element("primitive", {"id": _checked(name), "class": kind, "type": kind_of})
    if provider:
        element.set("provider", provider)
    sections, operations = _sections(name, text)
    attributes(element, "instance_attributes", sections.get("params", {}))
    attributes(element, "meta_attributes", sections.get("meta", {}))
    attributes(element, "utilization", sections.get("utilization", {}))
    for action, values in operations:
        operation(element, action, values)
    return element


def _sections(
    name: str, text: str
) -> tuple[dict[str, dict[str, str]], list[tuple[str, dict[str, str]]]]:
    """Split ``params a=b meta c=d op monitor interval=5s`` into its parts."""
    sections: dict[str, dict[str, str]] = {}
    operations: list[tuple[str, dict[str, str]]] = []
    current: dict[str, str] | None = None
    words = iter(_words(name, text))
    for word in words:
        if word == "op":
            operations.append((next(words, ""), current := {}))
        elif word in _SECTIONS:
            current = sections.setdefault(word, {})
        elif current is None or "=" not in word:
            raise CrmError(name, f"{word!r} is not understood")
        else:
            key, _, value = word.partition("=")
            current[key] = value
    return sections, operations


def _container(
    kind: str, name: str, text: str, *, made: dict[str, Element], promotable: bool = False
) -> Element:
    """Return a group or clone, and take its members out of *made*."""
    words = _words(name, text)
    end = next((n for n, word in enumerate(words) if word in _SECTIONS), len(words))
    element = Element(kind, id=_checked(name))
    for member in words[:end]:
        if member not in made:
            raise CrmError(name, f"there is no resource {member!r}")
        element.append(made.pop(member))
    if not len(element):
        raise CrmError(name, "it names no resource")
    sections, _ = _sections(name, shlex.join(words[end:]))
    meta = {"promotable": "true"} if promotable else {}
    attributes(element, "meta_attributes", sections.get("meta", {}) | meta)
    return element


def _order(name: str, text: str) -> Element:
    head, members = _scored(name, text, count=2)
    kind = {"INFINITY": "Mandatory", "0": "Optional"}.get(head, head)
    if kind not in ("Mandatory", "Optional", "Serialize"):
        raise CrmError(name, f"no order is of the kind {head!r}")
    element = Element("rsc_order", id=f"{OWNER}-{_checked(name)}", kind=kind)
    return _paired(element, members, sides=("first", "then"), detail="action")


def _colocation(name: str, text: str) -> Element:
    score, members = _scored(name, text, count=2)
    element = Element("rsc_colocation", id=f"{OWNER}-{_checked(name)}", score=score)
    return _paired(element, members, sides=("rsc", "with-rsc"), detail="role")


def _paired(
    element: Element, members: Sequence[str], *, sides: tuple[str, str], detail: str
) -> Element:
    """Name the two resources of a constraint, each with the detail behind its colon, if any."""
    for side, member in zip(sides, members, strict=True):
        resource, _, said = member.partition(":")
        element.set(side, resource)
        if said:
            element.set(f"{side}-{detail}", said)
    return element


def _location(name: str, text: str) -> Element:
    resource, *rest = _words(name, text)
    if "rule" in rest:
        raise CrmError(name, "locations with rules are not understood; name a node")
    score, (node,) = _scored(name, shlex.join(rest), count=1)
    return Element(
        "rsc_location", id=f"{OWNER}-{_checked(name)}", rsc=resource, node=node, score=score
    )


def _scored(name: str, text: str, *, count: int) -> tuple[str, Sequence[str]]:
    """Split ``inf: a b`` into its score and its members."""
    head, *members = _words(name, text) or [""]
    if not head.endswith(":") or len(members) != count:
        raise CrmError(name, f"{text!r} is not understood")
    score = head.removesuffix(":")
    return _SCORES.get(score.lower(), score), members


def _words(name: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise CrmError(name, f"{text!r} is not understood: {error}") from error


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CrmError(name, "this is no name for Pacemaker")
    return name
