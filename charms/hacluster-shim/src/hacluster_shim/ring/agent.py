# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The fence agents: what Pacemaker runs to switch a node off, one for each rung of the ladder.

They speak the interface of the ClusterLabs' fence agents, and ask by the clients of the engine
that fences on Kubernetes: an order is a success only once the BMC itself answered ``off``. It is
plain on purpose: Debian's fence-agents bring their Python library together with the clients of
three public clouds, and its loop around an order would be a second, other one.

What the CIB and the process list hold is the name of a file; keys are in files of root's.
"""

from __future__ import annotations

import json
import logging
import pathlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from instance_ha.errors import InstanceHaError
from instance_ha.ladder import OFF, ON, Rung
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing.ipmi import Ipmi
from masakari_instance_ha.fencing.maas import Maas
from masakari_instance_ha.fencing.maas_api import Access
from masakari_instance_ha.fencing.power import Pace, PowerError, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish

logger = logging.getLogger(__name__)

OK, FAILED, IS_OFF = 0, 1, 2
"""Exit codes; the last one is for status only."""

CONFIG = "/etc/instance-ha/fence-maas.json"

PROGRAMS = {
    Rung.MAAS: "fence_maas",
    Rung.REDFISH: "fence_bmc_redfish",
    Rung.IPMI: "fence_bmc_ipmi",
}
"""Rung -> the agent that asks it."""

PATIENCE_S = 60
"""How long one try asks for the answer, shorter than Pacemaker's own patience with an agent."""
_PARAMETERS = {
    "action": ("string", "What to do", "off"),
    "plug": ("string", "Name of the node in Pacemaker, as the targets file has it", None),
    "config": (
        "string",
        "File that says where MAAS, the keys and the machines are",
        CONFIG,
    ),
    "patience": ("string", "Seconds in which the answer must come", str(PATIENCE_S)),
}
_ACTIONS = ("off", "on", "status", "monitor", "list", "metadata", "validate-all")
_REQUEST_S = 35.0
"""MAAS itself gives a BMC up to 30 s."""


class AgentError(InstanceHaError):
    """The agent was called, or set up, in a way that it cannot follow."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How nodes are reached, and which machine is which node."""

    rung: Rung
    way: Maas | Redfish | Ipmi
    nodes: Mapping[str, Mapping[str, object]]
    """What the targets file holds."""
    patience_s: float

    def is_container(self, node: str) -> bool:
        """Say whether *node* has no power of its own to cut."""
        return bool(self.nodes.get(node, {}).get("container"))

    def fencer(self) -> PowerFencer:
        """Return what orders a node off and asks until it is."""
        return PowerFencer(
            self.way.reach,
            rung=self.rung,
            pace=Pace(deadline_s=self.patience_s, interval_s=1.0),
            clock=SystemClock(),
            by="pacemaker",
        )


def main(rung: Rung, argv: list[str] | None = None) -> int:
    """Do what the arguments, or without any the standard input, ask for; return the exit code."""
    form = f"{PROGRAMS[rung]}: %(message)s"
    logging.basicConfig(stream=sys.stderr, format=form, level=logging.INFO)
    words = sys.argv[1:] if argv is None else argv
    try:
        options = _from_arguments(words) if words else _from_lines(sys.stdin)
        return _act(rung, options)
    except InstanceHaError as error:
        logger.error("%s", error)  # noqa: TRY400 - Pacemaker's log needs no traceback
        return FAILED


def _act(rung: Rung, options: Mapping[str, str]) -> int:
    action = options.get("action", OFF)
    if action == "metadata":
        return _metadata(rung)
    if action not in _ACTIONS:
        raise AgentError(f"there is no action {action!r}: say one of {', '.join(_ACTIONS)}")
    setup = _setup(rung, options)
    if action in (OFF, ON, "status"):
        return _of_node(setup, action, node=options.get("plug") or options.get("nodename", ""))
    if action == "list":
        sys.stdout.write("".join(f"{name}\n" for name in setup.nodes))
    elif action == "monitor":
        _monitor(setup)
    return OK


def _of_node(setup: Setup, action: str, *, node: str) -> int:
    if not node:
        raise AgentError(f"{action} needs a node: give plug")
    if setup.is_container(node):
        # It has no power of its own, and that of the machine around it is not the ring's to cut.
        logger.warning("%s is a container without power control: not fenced, by choice", node)
        return IS_OFF if action == "status" else OK
    if action == "status":
        return {ON: OK, OFF: IS_OFF}.get(setup.fencer().check(node), FAILED)
    if action == ON:
        setup.fencer().power_on(node)
        return OK
    proof = setup.fencer().fence(node)
    took_s = proof.confirmed_at_s - proof.ordered_at_s
    logger.info("%s is off: %s answered so %.1f s after the order", node, proof.target, took_s)
    return OK


def _monitor(setup: Setup) -> None:
    """Look whether MAAS answers to the key and knows the first machine; a BMC is asked for none.

    What fails here takes the device away from this member, and one BMC says nothing of another.
    """
    if setup.rung is not Rung.MAAS:
        return
    for node in setup.nodes:
        if not setup.is_container(node):
            try:
                with setup.way.reach(node):
                    return
            except PowerError as error:
                raise AgentError(str(error)) from error


def _setup(rung: Rung, options: Mapping[str, str]) -> Setup:
    file = pathlib.Path(options.get("config", CONFIG))
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        nodes = json.loads(pathlib.Path(said["targets_file"]).read_text(encoding="utf-8"))
        return Setup(
            rung=rung,
            way=_way(rung, said),
            nodes=nodes,
            patience_s=float(options.get("patience", PATIENCE_S)),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise AgentError(f"{file} cannot be used: {reason}. See juju status") from error


def _way(rung: Rung, said: Mapping[str, str]) -> Maas | Redfish | Ipmi:
    if rung is not Rung.MAAS:
        kind = Redfish if rung is Rung.REDFISH else Ipmi
        return kind(file=pathlib.Path(said["bmc_file"]), timeout_s=_REQUEST_S)
    ca = said.get("ca_file")
    access = Access(
        url=said["url"],
        credentials=pathlib.Path(said["credentials_file"]),
        ca=pathlib.Path(ca) if ca else None,
        timeout_s=_REQUEST_S,
    )
    return Maas(access=access, targets=pathlib.Path(said["targets_file"]))


def _metadata(rung: Rung) -> int:
    short = f"Power fencing by {rung.value}, confirmed"
    root = Element("resource-agent", name=PROGRAMS[rung], shortdesc=short)
    long = "Orders a machine off and succeeds once its BMC answers that it is off."
    SubElement(root, "longdesc").text = long
    SubElement(root, "vendor-url").text = "https://maas.io"
    parameters = SubElement(root, "parameters")
    for name, (kind, text, default) in _PARAMETERS.items():
        needed = "1" if name == "action" else "0"
        parameter = SubElement(parameters, "parameter", name=name, unique="0", required=needed)
        SubElement(parameter, "getopt", mixed=f"--{name}=[{name}]")
        content = SubElement(parameter, "content", type=kind)
        if default is not None:
            content.set("default", default)
        SubElement(parameter, "shortdesc", lang="en").text = text
    actions = SubElement(root, "actions")
    for action in _ACTIONS:
        SubElement(actions, "action", name=action)
    indent(root)
    sys.stdout.write(f'<?xml version="1.0" ?>\n{tostring(root, encoding="unicode")}\n')
    return OK


def _from_arguments(words: Iterable[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    waiting = ""
    short = {"-o": "action", "-n": "plug"}
    for word in words:
        if waiting:
            options[waiting], waiting = word, ""
        elif word in short:
            waiting = short[word]
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            options[name], waiting = value, "" if equals else name
        else:
            raise AgentError(f"{word!r} is not understood: say --action=status --plug=NODE")
    return options


def _from_lines(lines: Iterable[str]) -> dict[str, str]:
    stripped = (line.strip() for line in lines)
    pairs = (line.partition("=") for line in stripped if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}
