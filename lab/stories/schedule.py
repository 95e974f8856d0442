# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Play a scenario folder of the simulation on real daemons, as far as its acts exist there."""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from instance_ha.simulation import scenario
from lab import host, maas, network, servers
from lab.errors import LabError
from lab.host import Host
from lab.maas import Fault
from lab.process import wait_until
from lab.servers import Server

from . import breakage
from .losses import RECOVERED_S
from .scene import Scene

Act = Callable[[], None]
_Moved = Mapping[str, Sequence[Server]]
"""Host -> the servers that were booted there."""

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
    """Play *folder*, then wait until all is so that it expects after its last act.

    Raises:
        LabError: before anything is broken, if the lab cannot do an act of the folder, or look at
            what it expects in the end.
        StoryFailedError: if a recovered host's servers were not moved exactly once.
    """
    story = scenario.read(folder)
    acts = [(entry.at_s, entry.do, _act(scene, entry.do)) for entry in story.entries if entry.do]
    ended_s = acts[-1][0]
    wanted = [_Fact.read(e.expect) for e in story.entries if e.expect and e.at_s >= ended_s]
    if not wanted:
        raise LabError(f"{folder} expects nothing after its last act; add what must be so then")
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
    for fact in wanted:
        _wait_until_so(scene, fact, moved)
    for name, servers_of_it in moved.items():
        if scene.incident(host.host(name)) is not None:
            scene.check_moved_once(servers_of_it, lost=host.host(name))
            scene.check_one_writer(servers_of_it)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Fact:
    """What a folder expects: ``WORDS == VALUE``."""

    words: tuple[str, ...]
    value: str

    @classmethod
    def read(cls, expected: str) -> Self:
        """Return it, if the lab can look at it; raise ``LabError`` otherwise."""
        words, _, value = (part.strip() for part in expected.partition("=="))
        if words.split()[0] not in _FACTS:
            raise LabError(
                f"the lab cannot look at '{words}', only at {', '.join(_FACTS)}; expect those"
            )
        return cls(words=tuple(words.split()), value=value)


def _wait_until_so(scene: Scene, fact: _Fact, moved: _Moved) -> None:
    look = functools.partial(_FACTS[fact.words[0]], scene, moved, *fact.words[1:])
    text = f"{' '.join(fact.words)} == {fact.value}"
    wait_until(
        lambda: look() == fact.value,
        within_s=2 * RECOVERED_S,
        what=f"{text} to be so",
        every_s=1.0,
    )
    scene.note("so", text)


def _state(scene: Scene, _: _Moved, name: str) -> str:
    incident = scene.incident(_host(name))
    return "none" if incident is None else str(incident["state"])


def _evacuated(_: Scene, moved: _Moved) -> str:
    each = [servers.evacuations(server.id) for group in moved.values() for server in group]
    return str(sum(statuses.count("done") for statuses in each))


def _notifications(scene: Scene, _: _Moved) -> str:
    return str(sum(scene.notifications(each) for each in host.known()))


_FACTS: Mapping[str, Callable[..., str]] = {
    "state": _state,
    "evacuated": _evacuated,
    "notifications": _notifications,
}
"""What a folder may expect here."""


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


def _trouble(scene: Scene, what: str, kind: str, _seconds: str) -> Act:
    if kind != "down":
        raise ValueError(kind)
    return _kill(scene, what)


def _kill(scene: Scene, what: str, name: str = "") -> Act:
    return functools.partial(breakage.COMPONENTS[_PROGRAMS[name or what]], scene)


def _nothing(_: Scene, *_said: str) -> Act:
    return lambda: None


_ACTS: Mapping[str, Callable[..., Act]] = {
    "power-off": functools.partial(_on_host, host.kill),
    "boot": functools.partial(_on_host, host.boot),
    "cut": _cut,
    "heal": _heal,
    "maas": _maas,
    "kill": _kill,
    "start": _nothing,
    "trouble": _trouble,
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
