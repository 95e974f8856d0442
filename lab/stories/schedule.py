# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Play a scenario folder of the simulation on real daemons, as far as its acts exist there."""

import functools
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence

from instance_ha.simulation import scenario
from lab import host, maas, network
from lab.errors import LabError
from lab.host import Host
from lab.maas import Fault
from lab.process import wait_until

from . import breakage
from .losses import RECOVERED_S
from .scene import Scene

Act = Callable[[], None]

_PROGRAMS = {
    "database": "mariadb",
    "api": "api",
    "rabbitmq": "rabbitmq",
    "maas": "maas",
    "engine": "engine",
    "masakari-0": "controller",
    "storage-1": "consul-server",
}
"""Component of the simulation -> component of the lab; both are killed, and come back."""

_FAULTS = {"failing": Fault.FAILING, "hanging": Fault.HANGING, "lying": Fault.STUCK}


def play_folder(scene: Scene, folder: pathlib.Path) -> None:
    """Play *folder*, then wait until every incident is over and count the evacuations.

    Raises:
        LabError: before anything is broken, if the lab cannot do an act of the folder.
    """
    story = scenario.read(folder)
    acts = [(entry.at_s, entry.do, _act(scene, entry.do)) for entry in story.entries if entry.do]
    moved = {
        plan.name: scene.boot_servers(host.host(plan.name), count=len(plan.servers))
        for plan in story.plan.hosts
        if plan.servers and _has(plan.name)
    }
    scene.fault(f"{story.name} begins")
    began_s = time.time()
    for at_s, words, act in acts:
        time.sleep(max(0.0, began_s + at_s - time.time()))
        scene.note("do", words)
        act()
    lost = [host.host(name) for name in moved if scene.incident(host.host(name))]
    wait_until(
        functools.partial(_all_over, scene, lost),
        within_s=2 * RECOVERED_S,
        what="every incident to be over",
        every_s=1.0,
    )
    for each in lost:
        incident = scene.incident(each)
        if incident is not None and incident["state"] == "recovered":
            scene.check_moved_once(moved[each.name], lost=each)


def _all_over(scene: Scene, lost: Sequence[Host]) -> bool:
    states = [found["state"] for each in lost if (found := scene.incident(each))]
    return all(state in {"recovered", "closed", "held"} for state in states)


def _act(scene: Scene, words: str) -> Act:
    """Return what carries out one line of a timeline here."""
    verb, *said = words.split()
    try:
        return _ACTS[verb](scene, *said)
    except (KeyError, TypeError, ValueError) as error:
        raise LabError(
            f"the lab has no act '{words}'; take the line out of timeline.toml"
        ) from error


def _on_host(do: Callable[[Host], None], _: Scene, name: str) -> Act:
    return functools.partial(do, _host(name))


def _cut(_: Scene, name: str, wire: str) -> Act:
    return functools.partial(network.cut, _host(name).netns, off=network.network(wire))


def _heal(_: Scene, name: str, wire: str) -> Act:
    return functools.partial(network.heal, _host(name).netns, to=network.network(wire))


def _maas(_: Scene, fault: str) -> Act:
    return maas.clear if fault == "well" else functools.partial(maas.inject, _FAULTS[fault])


def _kill(scene: Scene, what: str, _kind: str = "down", _seconds: str = "") -> Act:
    if _kind != "down":
        raise ValueError(_kind)
    return functools.partial(breakage.COMPONENTS[_PROGRAMS[what]], scene)


def _nothing(_: Scene) -> Act:
    return lambda: None


_ACTS: Mapping[str, Callable[..., Act]] = {
    "power-off": functools.partial(_on_host, host.kill),
    "boot": functools.partial(_on_host, host.boot),
    "cut": _cut,
    "heal": _heal,
    "maas": _maas,
    "kill": _kill,
    "trouble": _kill,
    "mend": _nothing,
    "bring-back": _nothing,
}
"""What exists here; a story mends everything and boots every host when it ends."""


def _host(name: str) -> Host:
    if not _has(name):
        raise ValueError(name)
    return host.host(name)


def _has(name: str) -> bool:
    return name in {each.name for each in host.known()}
