# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which hook comes next for a unit.

``RULES`` is read from the top; the first rule with an answer wins. Every rule names its source:
"juju-trace" is the order recorded on a real Juju 4.1 (``tests/trace.json`` holds it), anything
else a file of Juju's own source. Rules are pure: what a hook changes is written by ``Event.done``.
"""

import dataclasses
from collections.abc import Callable

from . import relations, secretrules
from .event import Errand, Event, Sighting
from .model import Model, Unit

Propose = Callable[[Model, Unit, Sighting], Event | None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """One line of the order of hooks."""

    name: str
    propose: Propose
    source: str


def next_event(model: Model, unit: Unit, *, seen: Sighting) -> Event | None:
    """Return what *unit* does next, or None when it has seen everything."""
    if not seen.boot or not unit.provisioned:
        return None
    for rule in DYING_RULES if unit.dying else RULES:
        if event := rule.propose(model, unit, seen):
            return event
    return None


def _install(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    if unit.installed:
        return None

    def done() -> None:
        unit.installed = True
        unit.charm_revision = model.applications[unit.app].charm_revision
        unit.boot = seen.boot

    return Event(hook="install", done=done, before=Errand.UNPACK)


def _finish_roll(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    return _upgrade(model, unit, seen) if unit.rolled else None


def _upgrade(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    revision = model.applications[unit.app].charm_revision

    def done() -> None:
        unit.rolled = False
        unit.charm_revision = revision
        unit.told_config = 0
        unit.boot = seen.boot

    return Event(hook="upgrade-charm", done=done, before=Errand.UNPACK)


def _leader_elected(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del seen
    if not model.is_leader(unit) or unit.told_leader:
        return None
    return Event(hook="leader-elected", done=lambda: setattr(unit, "told_leader", True))


def _after_reboot(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del model
    if not unit.started or unit.boot == seen.boot:
        return None

    def done() -> None:
        unit.boot = seen.boot
        for told in unit.told.values():
            told.restored = True

    return Event(hook="start", done=done)


def _pebble_ready(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del model
    for container, boot in seen.workloads.items():
        if unit.boots.get(container) != boot:
            return Event(
                hook=f"{container}-pebble-ready",
                env={"JUJU_WORKLOAD_NAME": container},
                done=lambda c=container, b=boot: unit.boots.update({c: b}),
            )
    return None


def _pebble_notice(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del model
    for notice in seen.notices:
        if unit.started and unit.notices.get(notice.key) != notice.stamp:
            return Event(
                hook=notice.hook,
                env=notice.env,
                done=lambda n=notice: unit.notices.update({n.key: n.stamp}),
            )
    return None


def _action(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del seen
    for task in model.tasks.values():
        if task.unit == unit.name and task.status == "pending" and unit.started:
            env = {
                "JUJU_ACTION_NAME": task.action,
                "JUJU_ACTION_TAG": f"action-{task.id}",
                "JUJU_ACTION_UUID": str(task.id),
            }
            return Event(hook=f"actions/{task.action}", env=env, task=task)
    return None


def _refresh(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    revision = model.applications[unit.app].charm_revision
    if unit.charm_revision == revision:
        return None
    if unit.machine is not None:
        return _upgrade(model, unit, seen)
    later = (other for other in model.units_of(unit.app) if other.number > unit.number)
    if any(other.charm_revision != revision and not other.rolled for other in later):
        return None  # pods are rolled highest ordinal first

    def done() -> None:
        unit.started, unit.rolled = False, True
        for told in unit.told.values():
            told.restored = True

    return Event(hook="stop", done=done, before=Errand.STOP_WORKLOADS, after=Errand.RENEW)


def _config_changed(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del seen
    version = model.applications[unit.app].config_version
    if unit.told_config == version and not unit.config_echo:
        return None
    changed = unit.told_config not in (0, version)

    def done() -> None:
        unit.told_config = version
        unit.config_echo = changed and unit.machine is None

    return Event(hook="config-changed", done=done)


def _start(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del model
    if unit.started:
        return None

    def done() -> None:
        unit.started, unit.boot = True, seen.boot

    return Event(hook="start", done=done)


def _update_status(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del model, unit
    return Event(hook="update-status") if seen.update_status else None


def _stop(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del model, seen
    if not unit.started:
        return None
    return Event(hook="stop", done=lambda: setattr(unit, "started", False))


def _remove(model: Model, unit: Unit, seen: Sighting) -> Event | None:
    del model, seen
    return Event(hook="remove", after=Errand.TEAR_DOWN, silent=not unit.installed)


RULES = (
    Rule(name="install", propose=_install, source="juju-trace: deploy"),
    Rule(
        name="roll", propose=_finish_roll, source="juju-trace: refresh, upgrade-charm comes first"
    ),
    Rule(name="created", propose=relations.created, source="juju-trace: deploy, scale"),
    Rule(name="leader", propose=_leader_elected, source="juju-trace: deploy"),
    Rule(name="reboot", propose=_after_reboot, source="worker/uniter/reboot/resolver.go"),
    Rule(
        name="pebble-ready",
        propose=_pebble_ready,
        source="juju-trace: slow install; a quick pod is seen later, at the next poll",
    ),
    Rule(name="notice", propose=_pebble_notice, source="worker/uniter/container/resolver.go"),
    Rule(name="secret", propose=secretrules.changed, source="juju-trace: action newrev"),
    Rule(name="action", propose=_action, source="juju-trace: an action runs at once"),
    Rule(name="refresh", propose=_refresh, source="juju-trace: refresh p"),
    Rule(
        name="config",
        propose=_config_changed,
        source="juju-trace: config, on Kubernetes a change comes twice",
    ),
    Rule(name="start", propose=_start, source="juju-trace: deploy"),
    Rule(
        name="relations",
        propose=relations.living,
        source="juju-trace: scale, other relations first and peers last",
    ),
    Rule(name="update-status", propose=_update_status, source="worker/uniter/resolver.go"),
)
"""The order for a unit that lives."""

DYING_RULES = (
    Rule(name="relations", propose=relations.dying, source="juju-trace: remove-unit, peers first"),
    Rule(name="stop", propose=_stop, source="juju-trace: remove-unit"),
    Rule(name="remove", propose=_remove, source="juju-trace: remove-unit, remove-app"),
)
"""The order for a unit that is to go; it waits for nobody (juju-trace: remove-app mp)."""
