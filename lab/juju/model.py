# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a Juju model: plain values that survive the agent as one JSON file."""

import datetime
import uuid
from typing import Any

import pydantic

from .charmdir import Charm, Endpoint
from .errors import RequestError

JUJU_VERSION = "3.6.9"
"""What charms are told; the hook order played is that of the recorded 4.1."""


def now() -> str:
    """Return the current time in Juju's spelling."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")


class State(pydantic.BaseModel):
    """Part of the model."""

    model_config = pydantic.ConfigDict(extra="forbid")


class Status(State):
    """A workload's or agent's state, as ``juju status`` shows it."""

    current: str
    message: str = ""
    since: str = pydantic.Field(default_factory=now)


class Told(State):
    """What one unit was told of one relation."""

    created: bool = False
    members: dict[str, int] = {}
    """Remote unit to the version of its bag."""
    app: int = 0
    """Version of the remote application's bag."""
    pending: str | None = None
    """Remote unit whose ``joined`` ran and whose ``changed`` must follow."""
    restored: bool = False
    """Whether the unit's agent restarted since it joined."""


class Failure(State):
    """A hook that failed and waits for its next try."""

    hook: str
    tries: int = 1
    due: float
    """Monotonic seconds of the next try."""


class Unit(State):
    """One unit."""

    name: str
    principal: str | None = None
    machine: int | None = None
    """Machine it runs on; None is a pod of its own."""
    dying: bool = False
    installed: bool = False
    started: bool = False
    rolled: bool = False
    """Whether its pod was replaced for a refresh and ``upgrade-charm`` has not run yet."""
    provisioned: bool = False
    charm_revision: int = 0
    told: dict[int, Told] = {}
    told_leader: bool = False
    told_config: int = 0
    config_echo: bool = False
    """Whether the second ``config-changed`` that Kubernetes brings is still to come."""
    boot: str = ""
    boots: dict[str, str] = {}
    """Container to the boot of Pebble that ``pebble-ready`` was sent for."""
    notices: dict[str, str] = {}
    status: Status = Status(current="waiting", message="installing agent")
    agent: Status = Status(current="allocating")
    address: str = ""
    ports: set[str] = set()
    state: dict[str, str] = {}
    failure: Failure | None = None

    @property
    def app(self) -> str:
        """Name of its application."""
        return self.name.partition("/")[0]

    @property
    def number(self) -> int:
        """Its ordinal."""
        return int(self.name.partition("/")[2])

    @property
    def tag(self) -> str:
        """Its name in paths."""
        return f"unit-{self.name.replace('/', '-')}"

    @property
    def place(self) -> str:
        """Name of the pod or machine; units of one place run one hook at a time."""
        return self.name if self.machine is None else f"machine/{self.machine}"


class Application(State):
    """One application."""

    name: str
    charm: Charm
    charm_revision: int = 0
    config: dict[str, Any] = {}
    """What the operator set; the defaults are the charm's."""
    config_version: int = 1
    resources: dict[str, str] = {}
    bindings: dict[str, str] = {}
    """Endpoint or extra binding to the network it is bound to; the others are on management."""
    trust: bool = False
    next_unit: int = 0
    leader: str | None = None
    dying: bool = False
    status: Status = Status(current="unknown")
    workload_version: str = ""

    def settings(self) -> dict[str, Any]:
        """Return every option that has a value."""
        options = self.charm.options
        values = {name: self.config.get(name, option.default) for name, option in options.items()}
        return {name: value for name, value in values.items() if value is not None}


class Relation(State):
    """One relation, or the peer relation of one application."""

    id: int
    endpoints: dict[str, str]
    """Application to its endpoint; one entry for peers."""
    scope: str = "global"
    dying: bool = False
    bags: dict[str, dict[str, str]] = {}
    """Application or unit to its databag."""
    versions: dict[str, int] = {}
    members: list[str] = []
    """Units in scope, in the order of their coming."""

    @property
    def peer(self) -> bool:
        """Whether the application relates to itself."""
        return len(self.endpoints) == 1

    def other(self, app: str) -> str:
        """Return the application at the other end, *app* itself for peers."""
        return app if self.peer else next(name for name in self.endpoints if name != app)

    def write(self, who: str, content: dict[str, str]) -> None:
        """Replace the bag of *who*; everybody concerned will be told if it differs."""
        if content != self.bags.get(who, {}):
            self.bags[who] = content
            self.versions[who] = self.versions.get(who, 0) + 1


class Grant(State):
    """Who may read a secret: an application by a relation, or by name for a user's secret."""

    relation: int | None = None
    app: str = ""
    unit: str = ""


class Consumer(State):
    """What one unit reads of a secret."""

    revision: int
    told: int = 0
    """Newest revision that ``secret-changed`` announced."""
    label: str = ""


class Secret(State):
    """A secret of an application, a unit, or (owner empty) the operator."""

    id: str
    owner: str
    label: str = ""
    description: str = ""
    rotate: str = "never"
    rotates_at: float | None = None
    """Wall-clock seconds of the next ``secret-rotate``."""
    revisions: dict[int, dict[str, str]]
    grants: list[Grant] = []
    told_removable: set[int] = set()
    created: str = pydantic.Field(default_factory=now)

    @property
    def latest(self) -> int:
        """Number of the newest revision."""
        return max(self.revisions)


class Task(State):
    """One run of an action."""

    id: int
    unit: str
    action: str
    params: dict[str, Any] = {}
    status: str = "pending"
    message: str = ""
    log: list[str] = []
    results: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether it has ended, well or badly."""
        return self.status in ("completed", "failed", "cancelled")


class Model(State):
    """Everything that the controller knows."""

    name: str = "lab"
    uuid: str = pydantic.Field(default_factory=lambda: str(uuid.uuid4()))
    applications: dict[str, Application] = {}
    units: dict[str, Unit] = {}
    relations: dict[int, Relation] = {}
    secrets: dict[str, Secret] = {}
    consumers: dict[str, dict[str, Consumer]] = {}
    """Secret to unit to what it reads."""
    tasks: dict[int, Task] = {}
    next_relation: int = 0
    next_task: int = 1
    update_status_s: float = 300

    def application(self, name: str) -> Application:
        """Return an application; raise ``RequestError`` if there is none of that name."""
        if name not in self.applications:
            raise RequestError(f'application "{name}" not found')
        return self.applications[name]

    def unit(self, name: str) -> Unit:
        """Return a unit, also by ``app/leader``; raise ``RequestError`` if there is none."""
        app, _, number = name.partition("/")
        if number == "leader":
            name = self.application(app).leader or name
        if name not in self.units:
            raise RequestError(f'unit "{name}" not found')
        return self.units[name]

    def units_of(self, app: str) -> list[Unit]:
        """Return the units of an application, by number."""
        units = (unit for unit in self.units.values() if unit.app == app)
        return sorted(units, key=lambda unit: unit.number)

    def relations_of(self, app: str) -> list[Relation]:
        """Return the relations of an application, by id."""
        return [
            self.relations[n] for n in sorted(self.relations) if app in self.relations[n].endpoints
        ]

    def endpoint(self, relation: Relation, app: str) -> Endpoint:
        """Return the end of *relation* at *app*."""
        return self.applications[app].charm.endpoints[relation.endpoints[app]]

    def is_leader(self, unit: Unit) -> bool:
        """Say whether *unit* leads its application."""
        return self.applications[unit.app].leader == unit.name

    def together(self, one: str, other: str) -> bool:
        """Say whether two units are principal and subordinate of the same principal unit."""
        first, second = self.units[one], self.units[other]
        return (first.principal or first.name) == (second.principal or second.name)

    def visible(self, relation: Relation, unit: Unit) -> list[str]:
        """Return the remote units in scope that *unit* may see."""
        far = relation.other(unit.app)
        return [
            name
            for name in sorted(relation.members, key=lambda m: (len(m), m))
            if name != unit.name
            and self.units[name].app == far
            and not self.units[name].dying
            and (relation.scope == "global" or self.together(name, unit.name))
        ]
