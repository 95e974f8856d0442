# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m lab``: bring the lab up, break it, look at it, take it down."""

import argparse
import pathlib
import sys
import typing
from collections.abc import Callable, Sequence

import jubilant

from . import host, layers, maas, network, packages, shell, status, stories
from .errors import LabError
from .host import Host
from .openstack import Profile


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    arguments = parser().parse_args(argv)
    try:
        arguments.act(arguments)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except jubilant.CLIError as error:
        print(f"error: {error}\n{error.stderr}; see `juju debug-log`", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: run the command again to go on, or `python -m lab down`")
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar; ``act`` in its result is what to call."""
    top = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    verbs = top.add_subparsers(required=True, metavar="COMMAND")

    def verb(name: str, does: str, act: Callable[[argparse.Namespace], None]) -> _Verb:
        made = verbs.add_parser(name, help=does, description=does)
        made.set_defaults(act=act)
        return made

    verb("install", "install what the lab needs (root, Debian 12 or Ubuntu 24.04)", _install)
    made = verb("up", "bring the lab up", _up)
    made.add_argument("--hosts", type=int, default=3, choices=range(1, host.MOST_HOSTS + 1))
    made.add_argument(
        "--profile",
        choices=typing.get_args(Profile),
        default="full",
        help="full: guests on Ceph; light: Nova's fake driver",
    )
    verb("status", "show hosts, cables, power and evidence", lambda _: status.show())
    made = verb("play", "play a story on the running lab", _play)
    made.add_argument("story", choices=[*stories.STORIES], help="see `python -m lab stories`")
    made = verb("play-schedule", "play a scenario folder on the running lab", _play_schedule)
    made.add_argument("folder", type=pathlib.Path, help="as tox -e chaos writes it")
    verb("env", "print what a shell needs for juju and openstack to mean the lab", _env)
    verb("stories", "list the stories", _list_stories)
    verb("demo", "bring the lab up and play the first stories", _demo)
    verb("down", "stop everything and leave nothing", lambda _: layers.down())
    _add_faults(verb)
    return top


_Verb = argparse.ArgumentParser


def _add_faults(
    verb: Callable[[str, str, Callable[[argparse.Namespace], None]], _Verb],
) -> None:
    for name, does, act in (
        ("kill", "cut the power of a host", host.kill),
        ("boot", "turn a host on", host.boot),
        ("shutdown", "shut a host down in order", host.shutdown),
        ("freeze", "hang a host", host.freeze),
        ("thaw", "let a hung host go on", host.thaw),
    ):
        verb(name, does, _on_host(act)).add_argument("host")
    wires = [wire.name for wire in network.HOST_NETWORKS]
    made = verb("cut", "cut one cable of a host", _cut)
    made.add_argument("host")
    made.add_argument("network", choices=[*wires, "all"])
    made.add_argument("--carrier", action="store_true", help="let the host see it")
    made = verb("heal", "plug cables in again, by default all", _heal)
    made.add_argument("host", nargs="?")
    made.add_argument("network", nargs="?", choices=[*wires, "all"], default="all")
    made = verb("maas", "make power control fail, or work again: none", _maas)
    made.add_argument("fault", choices=[*maas.Fault, "none"])
    made.add_argument("host", nargs="?")
    made.add_argument("--seconds", type=float, default=10.0, help="for slow")


def _install(_: argparse.Namespace) -> None:
    packages.install()


def _up(said: argparse.Namespace) -> None:
    layers.up(host.hosts(said.hosts), profile=said.profile)


def _env(_: argparse.Namespace) -> None:
    print(shell.exports(shell.environment()))


def _list_stories(_: argparse.Namespace) -> None:
    for story in stories.STORIES.values():
        print(f"{story.name:<18} {story.summary}")


def _play(said: argparse.Namespace) -> None:
    _tell(stories.STORIES[said.story])


def _play_schedule(said: argparse.Namespace) -> None:
    def folder(scene: stories.Scene, _: Host) -> None:
        """A schedule of faults, first found in the simulation."""
        stories.play_folder(scene, said.folder)

    _tell(stories.Story(name=said.folder.name, play=folder))


def _demo(_: argparse.Namespace) -> None:
    everyone = host.hosts(3)
    layers.up(everyone, profile="full")
    for name, each in zip(stories.DEMO, everyone, strict=True):
        _tell(stories.STORIES[name], host=each)
    print("The lab is still up. Break it yourself, or take it down:")
    print("    .venv/bin/python -m lab stories")
    print("    .venv/bin/python -m lab down")


def _tell(story: stories.Story, *, host: Host | None = None) -> None:
    print(f"\n== {story.name}: {story.summary}", flush=True)
    timeline = stories.play(story, say=lambda text: print(f"   ... {text}", flush=True), host=host)
    print(f"\n{timeline}\nPASS  {story.name}", flush=True)


def _on_host(act: Callable[[Host], None]) -> Callable[[argparse.Namespace], None]:
    return lambda said: act(_host(said.host))


def _host(name: str) -> Host:
    """Return a host of the running lab."""
    found = host.host(name)
    if found not in host.known():
        raise LabError(f"{name} is not part of the lab; run `python -m lab up --hosts N`")
    return found


def _wires(name: str) -> Sequence[network.Network]:
    return network.HOST_NETWORKS if name == "all" else [network.network(name)]


def _cut(said: argparse.Namespace) -> None:
    for wire in _wires(said.network):
        network.cut(_host(said.host).netns, off=wire, silent=not said.carrier)


def _heal(said: argparse.Namespace) -> None:
    if said.host is None:
        network.heal_all()
        return
    for wire in _wires(said.network):
        network.heal(_host(said.host).netns, to=wire)


def _maas(said: argparse.Namespace) -> None:
    machine = _host(said.host).name if said.host else None
    if said.fault == "none":
        maas.clear(machine)
    else:
        maas.inject(said.fault, machine=machine or maas.EVERYTHING, seconds=said.seconds)
