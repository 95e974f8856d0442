# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a person asks of the model: the verbs of the ``juju`` command, without its spelling."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from lab import host

from .charmdir import ActionSpec, Charm, Endpoint, Option
from .errors import NotPlayedError, RequestError
from .model import (
    Application,
    Grant,
    Model,
    Relation,
    Secret,
    Status,
    Task,
    Unit,
)

MACHINES = range(host.MOST_HOSTS)
"""Machine numbers that ``--to`` may name: the lab's hosts h1, h2, ... are 0, 1, ..."""

OPTION_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "boolean": (bool,),
    "float": (int, float),
    "secret": (str,),
}


def deploy(
    model: Model,
    charm: Charm,
    *,
    name: str,
    config: Mapping[str, Any],
    resources: Mapping[str, str],
    units: int = 1,
    machines: Sequence[int] = (),
    trust: bool = False,
) -> Application:
    """Add an application with its peer relations and its units."""
    if name in model.applications:
        raise RequestError(f'application "{name}" already exists')
    if unknown := set(resources) - set(charm.resources):
        raise RequestError(f"charm {charm.name} has no resource {', '.join(sorted(unknown))}")
    app = Application(name=name, charm=charm, resources=dict(resources), trust=trust)
    set_config(app, config)
    app.config_version = 1
    model.applications[name] = app
    for endpoint in charm.endpoints.values():
        if endpoint.role == "peers":
            _relate(model, {name: endpoint.name}, scope="global")
    if not charm.subordinate:
        add_units(model, name, count=units, machines=machines)
    return app


def bind(app: Application, bindings: Mapping[str, str]) -> None:
    """Put endpoints and extra bindings of an application onto networks."""
    if unknown := set(bindings) - {*app.charm.endpoints, *app.charm.extra_bindings}:
        raise RequestError(f"charm {app.charm.name} has no binding {', '.join(sorted(unknown))}")
    app.bindings = dict(bindings)


def add_units(
    model: Model,
    name: str,
    *,
    count: int = 1,
    machines: Sequence[int] = (),
    principal: str | None = None,
) -> list[Unit]:
    """Add units: in pods, on the given *machines*, or beside a *principal*."""
    app = model.application(name)
    if app.charm.subordinate and principal is None:
        raise RequestError(f'"{name}" is subordinate: integrate it with a principal instead')
    if machines and len(machines) != count:
        raise RequestError(f"{count} units and {len(machines)} machines: name one for each unit")
    if bad := [number for number in machines if number not in MACHINES]:
        raise RequestError(f"machine {bad[0]} not found")
    if machines and app.charm.containers:
        raise NotPlayedError(f"charm {app.charm.name} with containers on a machine")
    added: list[Unit] = []
    for index in range(count):
        machine = machines[index] if machines else None
        if principal is not None:
            machine = model.units[principal].machine
            if machine is None:
                raise NotPlayedError(f"subordinate {name} beside {principal}, which is in a pod")
        unit = Unit(name=f"{name}/{app.next_unit}", principal=principal, machine=machine)
        app.next_unit += 1
        app.leader = app.leader or unit.name
        model.units[unit.name] = unit
        added.append(unit)
    return added


def ensure_subordinates(model: Model, unit: Unit, entered: Sequence[Relation]) -> None:
    """Add the subordinates of a principal that entered container-scoped relations.

    Source: juju-trace, mm deploy: ms/0 comes once mp/0 has entered.
    """
    for relation in entered:
        far = relation.other(unit.app)
        subordinate = model.applications[far].charm.subordinate
        if relation.scope != "container" or unit.principal is not None or not subordinate:
            continue
        if not any(other.principal == unit.name for other in model.units_of(far)):
            add_units(model, far, principal=unit.name)


def set_config(app: Application, values: Mapping[str, Any], *, reset: Sequence[str] = ()) -> None:
    """Set options; a value that changes nothing is no change."""
    config = {key: value for key, value in app.config.items() if key not in reset}
    for key, value in values.items():
        option = app.charm.options.get(key)
        if option is None:
            raise RequestError(f'unknown option "{key}"')
        _check_option(key, value, option)
        config[key] = value
    before = app.settings()
    app.config = config
    if app.settings() != before:
        app.config_version += 1


def _check_option(key: str, value: Any, option: Option) -> None:
    types = OPTION_TYPES[option.type]
    right = isinstance(value, types) and (option.type == "boolean" or not isinstance(value, bool))
    if option.type == "secret":
        right = right and (value == "" or str(value).startswith("secret:"))
    if not right:
        raise RequestError(f'option "{key}" expected {option.type}, got {value!r}')


def possible(model: Model, one: str, other: str) -> list[dict[str, str]]:
    """Return every relation that two ``app[:endpoint]`` could have."""
    (first, _, first_end), (second, _, second_end) = one.partition(":"), other.partition(":")
    if first == second:
        raise NotPlayedError(f"a relation of {first} with itself")
    found = [
        {first: near.name, second: far.name}
        for near in model.application(first).charm.endpoints.values()
        for far in model.application(second).charm.endpoints.values()
        if _fits(near, far) and first_end in ("", near.name) and second_end in ("", far.name)
    ]
    spoken = [
        ends
        for ends in found
        if not any(model.applications[a].charm.endpoints[e].implicit for a, e in ends.items())
    ]
    return spoken or found  # an implicit endpoint counts only where nothing else fits


def _fits(near: Endpoint, far: Endpoint) -> bool:
    return near.interface == far.interface and {near.role, far.role} == {"provides", "requires"}


def integrate(model: Model, one: str, other: str) -> Relation:
    """Relate two applications."""
    found = possible(model, one, other)
    if not found:
        raise RequestError(f"no relations found between {one} and {other}")
    if len(found) > 1:
        listed = "; ".join(" ".join(f"{a}:{e}" for a, e in ends.items()) for ends in found)
        raise RequestError(f"ambiguous relation: {listed}")
    ends = found[0]
    if any(relation.endpoints == ends for relation in model.relations.values()):
        raise RequestError(f"relation {one} {other} already exists")
    both = [model.applications[app].charm.endpoints[end] for app, end in ends.items()]
    for (app, end), endpoint in zip(ends.items(), both, strict=True):
        used = sum(r.endpoints.get(app) == end for r in model.relations.values())
        if endpoint.limit is not None and used >= endpoint.limit:
            raise RequestError(
                f"quota limit exceeded: establishing a new relation for {app}:{end}"
            )
    scope = "container" if any(e.scope == "container" for e in both) else "global"
    return _relate(model, ends, scope=scope)


def _relate(model: Model, endpoints: dict[str, str], *, scope: str) -> Relation:
    relation = Relation(id=model.next_relation, endpoints=endpoints, scope=scope)
    model.next_relation += 1
    model.relations[relation.id] = relation
    return relation


def remove_relation(model: Model, one: str, other: str) -> None:
    """Begin the end of a relation; a subordinate goes with it.

    Source: juju-trace, remove-relation sub.
    """
    wanted = possible(model, one, other)
    found = [r for r in model.relations.values() if r.endpoints in wanted and not r.dying]
    if not found:
        raise RequestError(f'relation "{one} {other}" not found')
    for relation in found:
        relation.dying = True
        if relation.scope == "container":
            for name in relation.members:
                unit = model.units[name]
                unit.dying = unit.dying or unit.principal is not None


def remove_unit(model: Model, name: str) -> None:
    """Begin the end of a unit and of its subordinates."""
    unit = model.unit(name)
    unit.dying = True
    for other in model.units.values():
        other.dying = other.dying or other.principal == unit.name


def remove_application(model: Model, name: str) -> None:
    """Begin the end of an application."""
    app = model.application(name)
    app.dying = True
    for relation in model.relations_of(name):
        relation.dying = relation.dying or not relation.peer
    for unit in model.units_of(name):
        remove_unit(model, unit.name)
    for relation in model.relations_of(name):
        if relation.scope == "container":
            for member in relation.members:
                unit = model.units[member]
                unit.dying = unit.dying or unit.principal is not None


def forget_unit(model: Model, unit: Unit) -> None:
    """Take a unit that is gone out of the model; its application may choose a new leader."""
    for relation in model.relations.values():
        if unit.name in relation.members:
            relation.members.remove(unit.name)
    for consumers in model.consumers.values():
        consumers.pop(unit.name, None)
    model.secrets = {k: s for k, s in model.secrets.items() if s.owner != unit.name}
    del model.units[unit.name]
    elect(model, unit.app)


def elect(model: Model, app: str, *, lost: Sequence[str] = ()) -> None:
    """Give an application a leader that is there, if it has none or lost it."""
    application = model.applications[app]
    if application.leader in model.units and application.leader not in lost:
        return
    able = [unit for unit in model.units_of(app) if not unit.dying and unit.name not in lost]
    old = model.units.get(application.leader or "")
    if able:
        application.leader = able[0].name
        if old:
            old.told_leader = False
    elif application.leader not in model.units:
        application.leader = None


def tidy(model: Model) -> None:
    """Drop relations and applications whose last unit has left them."""
    for number in [n for n, r in model.relations.items() if r.dying and not r.members]:
        del model.relations[number]
    for name in [a.name for a in model.applications.values() if a.dying]:
        related = any(not r.peer for r in model.relations_of(name))
        if model.units_of(name) or related:
            continue
        for relation in model.relations_of(name):
            del model.relations[relation.id]
        model.secrets = {k: s for k, s in model.secrets.items() if s.owner != name}
        del model.applications[name]


def refresh(app: Application, charm: Charm, *, resources: Mapping[str, str]) -> None:
    """Give an application another charm."""
    if charm.name != app.charm.name:
        raise RequestError(f"cannot refresh {app.name}: its charm is {app.charm.name}")
    app.charm = charm
    app.charm_revision += 1
    app.resources |= resources


def request_action(model: Model, name: str, action: str, params: Mapping[str, Any]) -> Task:
    """Queue an action; its defaults fill what *params* does not say."""
    unit = model.unit(name)
    spec = model.applications[unit.app].charm.actions.get(action)
    if spec is None:
        raise RequestError(f'action "{action}" not defined for unit "{unit.name}" (not found)')
    _check_params(action, spec, params)
    defaults = {k: v["default"] for k, v in spec.params.items() if "default" in v}
    task = Task(id=model.next_task, unit=unit.name, action=action, params={**defaults, **params})
    model.next_task += 1
    model.tasks[task.id] = task
    return task


PARAM_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def _check_params(action: str, spec: ActionSpec, params: Mapping[str, Any]) -> None:
    if missing := set(spec.required) - set(params):
        raise RequestError(f"validation failed: {', '.join(sorted(missing))} is required")
    unknown = set(params) - set(spec.params)
    if unknown and not spec.additional:
        raise RequestError(f'validation failed: additional property "{min(unknown)}" not allowed')
    for key, value in params.items():
        kind = str(spec.params.get(key, {}).get("type", ""))
        types = PARAM_TYPES.get(kind)
        wrong = types is not None and not isinstance(value, types)
        if wrong or (kind in ("integer", "number") and isinstance(value, bool)):
            raise RequestError(f"validation failed: {action}.{key} must be of type {kind}")


def add_secret(model: Model, name: str, content: Mapping[str, str], *, info: str = "") -> Secret:
    """Keep a secret of the operator."""
    if any(not s.owner and s.label == name for s in model.secrets.values()):
        raise RequestError(f'secret with name "{name}" already exists')
    secret = Secret(
        id=secrets.token_hex(10),
        owner="",
        label=name,
        description=info,
        revisions={1: dict(content)},
    )
    model.secrets[secret.id] = secret
    return secret


def user_secret(model: Model, reference: str) -> Secret:
    """Return a secret of the operator by name or URI."""
    bare = reference.rpartition("/")[2].removeprefix("secret:")
    for secret in model.secrets.values():
        if not secret.owner and bare in (secret.id, secret.label):
            return secret
    raise RequestError(f'secret "{reference}" not found')


def update_secret(model: Model, reference: str, content: Mapping[str, str]) -> None:
    """Give a secret of the operator a new revision, unless nothing changes."""
    secret = user_secret(model, reference)
    if content and dict(content) != secret.revisions[secret.latest]:
        secret.revisions[secret.latest + 1] = dict(content)


def grant_secret(model: Model, reference: str, apps: Sequence[str]) -> None:
    """Let applications read a secret of the operator."""
    secret = user_secret(model, reference)
    for app in apps:
        grant = Grant(app=model.application(app).name)
        if grant not in secret.grants:
            secret.grants.append(grant)


def revoke_secret(model: Model, reference: str, apps: Sequence[str]) -> None:
    """Take grants of a secret of the operator back."""
    secret = user_secret(model, reference)
    secret.grants = [grant for grant in secret.grants if grant.app not in apps]


def resolve(unit: Unit) -> None:
    """Clear a unit's failed hook."""
    if unit.failure is None:
        raise RequestError(f'unit "{unit.name}" is not in an error state')
    unit.failure = None
    unit.agent = Status(current="idle")
