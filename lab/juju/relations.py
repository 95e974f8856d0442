# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which hook of which relation comes next for a unit."""

from collections.abc import Callable, Iterable

from .event import Event, Sighting
from .model import Model, Relation, Told, Unit


def enter_scopes(model: Model, unit: Unit) -> list[Relation]:
    """Let an installed unit enter its relations; return those it entered now.

    juju-trace: scale p 2: the others see a new unit before its own relation-created.
    """
    if not unit.installed or unit.dying:
        return []
    entered: list[Relation] = []
    for relation in model.relations_of(unit.app):
        if relation.id in unit.told or relation.dying or not _in_scope(model, relation, unit):
            continue
        unit.told[relation.id] = Told()
        relation.members.append(unit.name)
        bag = dict(relation.bags.get(unit.name, {}))
        bag |= {"egress-subnets": f"{unit.address}/32", "ingress-address": unit.address}
        relation.write(unit.name, bag)  # juju-trace: no private-address
        entered.append(relation)
    return entered


def _in_scope(model: Model, relation: Relation, unit: Unit) -> bool:
    if relation.scope == "global":
        return True
    if unit.principal is None:
        return True  # Juju makes the subordinate because its principal entered
    return model.units[unit.principal].app == relation.other(unit.app)


def created(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    """Announce each relation once; their order among themselves is no promise."""
    del seen
    for relation in _entered(model, unit):
        told = unit.told[relation.id]
        if not told.created and not relation.dying:
            return _event(
                model, unit, relation, "created", done=lambda t=told: setattr(t, "created", True)
            )
    return None


def living(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    """Return the next change of any relation: peers come last (juju-trace: scale p 2)."""
    del seen
    entered = sorted(_entered(model, unit), key=lambda relation: (relation.peer, relation.id))
    for relation in entered:
        step = _leave if relation.dying else _follow
        if event := step(model, unit, relation):
            return event
    return None


def dying(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    """Return the next step out of all relations (juju-trace: remove-unit p to 1)."""
    del seen
    for relation in _entered(model, unit):
        if event := _leave(model, unit, relation):
            return event
    return None


def _entered(model: Model, unit: Unit) -> Iterable[Relation]:
    return [r for r in model.relations_of(unit.app) if r.id in unit.told]


def _follow(model: Model, unit: Unit, relation: Relation) -> Event | None:
    """Changed after joined, departed, application's changed, joined, units' changed.

    Source: worker/uniter/relation/resolver.go; that the leader is told of its own application's
    peer data, and that the application's data comes before any unit, are in juju-trace.
    """
    told = unit.told[relation.id]
    remote = model.visible(relation, unit)
    if told.pending in remote:
        return _changed(model, unit, relation, str(told.pending))
    for gone in sorted(set(told.members) - set(remote)):
        return _departed(model, unit, relation, gone)
    far = relation.other(unit.app)
    version = relation.versions.get(far, 0)
    if told.app != version:
        return _event(model, unit, relation, "changed", done=lambda: setattr(told, "app", version))
    for name in remote:
        if name not in told.members:
            return _joined(model, unit, relation, name)
    for name in remote:
        if told.members[name] != relation.versions.get(name, 0):
            return _changed(model, unit, relation, name)
    return None


def _leave(model: Model, unit: Unit, relation: Relation) -> Event | None:
    """Departed for every unit that was seen, then broken."""
    told = unit.told[relation.id]
    for gone in sorted(told.members):
        return _departed(model, unit, relation, gone)

    def left() -> None:
        del unit.told[relation.id]
        relation.members.remove(unit.name)

    # juju-trace: peers are broken only where the agent has restarted since it joined them
    silent = (relation.peer and not told.restored) or not told.created
    return _event(model, unit, relation, "broken", done=left, silent=silent)


def _joined(model: Model, unit: Unit, relation: Relation, name: str) -> Event:
    told, version = unit.told[relation.id], relation.versions.get(name, 0)

    def done() -> None:
        told.members[name], told.pending = version, name

    return _event(model, unit, relation, "joined", remote=name, done=done)


def _changed(model: Model, unit: Unit, relation: Relation, name: str) -> Event:
    told, version = unit.told[relation.id], relation.versions.get(name, 0)

    def done() -> None:
        told.members[name], told.pending = version, None

    return _event(model, unit, relation, "changed", remote=name, done=done)


def _departed(model: Model, unit: Unit, relation: Relation, name: str) -> Event:
    told = unit.told[relation.id]
    # juju-trace: the local unit if it dies itself, else the one that goes
    env = {"JUJU_DEPARTING_UNIT": unit.name if unit.dying else name}

    def done() -> None:
        del told.members[name]
        told.pending = None if told.pending == name else told.pending

    return _event(model, unit, relation, "departed", remote=name, env=env, done=done)


def _event(
    model: Model,
    unit: Unit,
    relation: Relation,
    kind: str,
    *,
    remote: str = "",
    env: dict[str, str] | None = None,
    done: Callable[[], None],
    silent: bool = False,
) -> Event:
    endpoint = relation.endpoints[unit.app]
    variables = {
        "JUJU_RELATION": endpoint,
        "JUJU_RELATION_ID": f"{endpoint}:{relation.id}",
        "JUJU_REMOTE_APP": relation.other(unit.app),
        "JUJU_REMOTE_UNIT": remote,
        **(env or {}),
    }
    if kind == "broken" and unit.told[relation.id].restored:
        variables["JUJU_REMOTE_APP"] = ""  # juju-trace: remove-relation after a refresh
    return Event(
        hook=f"{endpoint}-relation-{kind}",
        env=variables,
        done=done,
        silent=silent or model.endpoint(relation, unit.app).implicit,
    )
