# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""An agent whose units are functions in this process, driven through the juju command."""

import json
import pathlib
import threading

import pytest
import yaml

from lab.juju import workcommands  # noqa: F401  enters its commands
from lab.juju.agent import Agent
from lab.juju.commands import Reply, answer
from lab.juju.runner import Outcome
from lab.process import wait_until

CHARMS = {
    "giver": {
        "provides": {"give": {"interface": "tr"}},
        "peers": {"pp": {"interface": "pp"}},
        "config": {"options": {"size": {"type": "int", "default": 3}}},
        "actions": {"act": {"params": {"n": {"type": "integer"}}}},
    },
    "taker": {"requires": {"take": {"interface": "tr"}}},
    "beside": {
        "subordinate": True,
        "requires": {"juju-info": {"interface": "juju-info", "scope": "container"}},
    },
}


class ToyPlace:
    """A place that is a directory."""

    def __init__(self, root: pathlib.Path, name: str) -> None:
        self.juju = root / name.replace("/", "-")
        self.sockets: dict[str, pathlib.Path] = {}
        self.run = 1

    def ensure_up(self) -> None: ...

    def boot(self) -> str:
        return f"run {self.run}" if self.run else ""

    def address(self) -> str:
        return "10.0.0.1"

    def enter(self, argv, *, container=""):
        return ["env", *argv[2:]]

    def stop_workloads(self) -> None: ...

    def renew(self) -> None:
        self.run += 1

    def remove(self) -> None: ...


class ToyRunner:
    """Runs a function for each hook; by default nothing happens in it."""

    def __init__(self) -> None:
        self.hooks: list[tuple[str, str]] = []
        self.effects: dict[tuple[str, str], object] = {}

    def provision(self, unit, *, place) -> None:
        (place.juju / "agents" / unit.tag).mkdir(parents=True, exist_ok=True)

    def lay_out_charm(self, unit, *, place, charm) -> None:
        assert charm.is_dir()

    def dispatch(self, unit, *, event, context, place) -> Outcome:
        self.hooks.append((unit.name, event.hook))
        effect = self.effects.get((unit.name, event.hook))
        code = effect(context) if effect else 0
        return Outcome(code=code or 0, stdout="", stderr="", took_s=0.0)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Lab:
    """A running agent and all that a test may do to its world."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.runner, self.clock = ToyRunner(), Clock()
        self.places: dict[str, ToyPlace] = {}
        for name, spec in CHARMS.items():
            charm = root / name
            charm.mkdir()
            (charm / "charmcraft.yaml").write_text(yaml.safe_dump({"name": name, **spec}))
        self.agent = self.start()

    def start(self) -> Agent:
        agent = Agent(
            self.root / "state",
            find_place=self._find,
            runner=self.runner,
            monotonic_s=self.clock,
            look_s=0.05,
        )
        agent.reconnect()
        self._threads = [threading.Thread(target=work) for work in (agent.run, agent.watch)]
        for thread in self._threads:
            thread.start()
        return agent

    def _find(self, model, unit) -> ToyPlace:
        return self.places.setdefault(unit.place, ToyPlace(self.root, unit.place))

    def stop(self) -> None:
        self.agent.stopping.set()
        for thread in self._threads:
            thread.join()

    def juju(self, *words: str) -> Reply:
        return answer(self.agent, words, directory=self.root)

    def status(self) -> dict:
        return json.loads(self.juju("status").output)

    def unit(self, name: str) -> dict:
        app = name.partition("/")[0]
        return self.status()["applications"][app]["units"][name]

    def until(self, condition, what: str) -> None:
        wait_until(condition, within_s=15, what=what, every_s=0.02)

    def until_ran(self, unit: str, hook: str, times: int = 1) -> None:
        self.until(lambda: self.runner.hooks.count((unit, hook)) >= times, f"{hook} of {unit}")

    def until_idle(self, unit: str) -> None:
        self.until(lambda: self.unit(unit)["juju-status"]["current"] == "idle", f"{unit} idle")


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    yield lab
    lab.stop()
